"""The functional of a comparison: each candidate's losses on the rows held out of a draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thetahat.comparison.candidates import FittedPanel, Panel
from thetahat.comparison.metrics import Loss, NoProbabilities, fold_scores
from thetahat.comparison.tuning import CHOICE, SPENT
from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status

__all__ = ["HeldOut", "HeldOutLoss", "cut_short"]


# The loss by chance is a mean over pairs of rows; of many, so many cyclic shifts are taken.
MOST_SHIFTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """One candidate on one draw; ``rows`` is None where it failed, and ``detail`` says why.

    ``no_information`` is the loss where y and prediction have nothing to do with each other, for a draw of
    all rows on themselves.
    """

    status: Status
    detail: str
    rows: FloatArray | None = None
    train_loss: float = np.nan
    seconds: float = np.nan
    scores: dict[str, float] | None = None
    choice: int | None = None
    tuning_seconds: float = 0.0
    no_information: float | None = None


def cut_short(held: Sequence[HeldOut]) -> bool:
    """Tell whether the time limit left a candidate of this draw without a fit: then the draw is not done."""
    return any(each.rows is None and each.status is Status.OUT_OF_TIME for each in held)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutLoss:
    """Read every candidate's held-out losses off a panel's fit.

    Parameters
    ----------
    panel : Panel
        Predicts with its fits.
    loss : Loss
        The loss of a row.
    classes : int
        How many classes; 0 for a regression.
    """

    panel: Panel
    loss: Loss
    classes: int

    def __call__(self, fit: Fit[FittedPanel], train: Sample, held_out: Sample, /) -> list[HeldOut]:
        """Return one record for each candidate, in the panel's order."""
        on_train = self.panel.predict(fit.theta, train.X)
        on_held_out = self.panel.predict(fit.theta, held_out.X)
        return [
            self._record(*each, train.y, held_out.y)
            for each in zip(fit.theta.fits, on_train, on_held_out, strict=True)
        ]

    def _record(
        self,
        fit: Fit[Any],
        seen: Prediction | Fit[None],
        new: Prediction | Fit[None],
        y_seen: Any,
        y_new: Any,
    ) -> HeldOut:
        for outcome in (seen, new):
            if isinstance(outcome, Fit):
                return HeldOut(outcome.status, outcome.detail)
        assert isinstance(seen, Prediction)
        assert isinstance(new, Prediction)
        try:
            rows = self.loss.of_rows(y_new, new)
            train_loss = float(np.mean(self.loss.of_rows(y_seen, seen)))
        except NoProbabilities as error:
            return HeldOut(Status.FAILED, str(error))
        if not np.isfinite(rows).all():
            return HeldOut(Status.NOT_FINITE, "a prediction is not a finite number")
        scores = fold_scores(self.loss.task, y_new, new, self.classes)
        chosen = fit.stats.get(CHOICE)
        return HeldOut(
            fit.status,
            fit.detail,
            rows,
            train_loss,
            fit.stats["seconds"],
            scores,
            None if chosen is None else int(chosen),
            fit.stats.get(SPENT, 0.0),
            _by_chance(self.loss, y_new, new) if len(y_new) == len(y_seen) else None,
        )


def _by_chance(loss: Loss, y: Any, predicted: Prediction) -> float:
    """Return the mean loss of every y against the prediction of every row, where there are not too many."""
    n = len(y)
    shifts = np.unique(np.linspace(0, n, min(n, MOST_SHIFTS), endpoint=False).astype(np.int64))
    total = 0.0
    for shift in shifts:
        rows = np.roll(np.arange(n), shift)
        probability, score = predicted.probability, predicted.score
        turned = Prediction(
            predicted.value[rows],
            None if probability is None else probability[rows],
            None if score is None else score[rows],
        )
        total += float(np.mean(loss.of_rows(y, turned)))
    return total / len(shifts)
