"""The functional of a comparison: what each candidate predicts of the rows held out of a draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thetahat.comparison.candidates import FittedPanel, Panel
from thetahat.comparison.tuning import CHOICE, SPENT
from thetahat.contracts import Fit, Prediction, Sample, Status
from thetahat.measures.measure import Measure, MissingPrediction, Undefined
from thetahat.resampling.evidence import Outcome

__all__ = ["HeldOutPredictions"]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPredictions:
    """Read every candidate's predictions of held-out rows off a panel's fit.

    Parameters
    ----------
    panel : Panel
        Predicts with its fits.
    measures : sequence of Measure
        What is measured on the training rows, whose predictions are not kept.
    """

    panel: Panel
    measures: Sequence[Measure]

    def __call__(self, fit: Fit[FittedPanel], train: Sample, held_out: Sample, /) -> list[Outcome]:
        """Return an outcome for each candidate, in the panel's order."""
        on_train = self.panel.predict(fit.theta, train.X)
        on_held_out = self.panel.predict(fit.theta, held_out.X)
        return [
            self._outcome(*each, train) for each in zip(fit.theta.fits, on_train, on_held_out, strict=True)
        ]

    def _outcome(
        self, fit: Fit[Any], seen: Prediction | Fit[None], new: Prediction | Fit[None], train: Sample
    ) -> Outcome:
        for outcome in (seen, new):
            if isinstance(outcome, Fit):
                return Outcome(outcome.status, outcome.detail)
        assert isinstance(seen, Prediction)
        assert isinstance(new, Prediction)
        if wrong := _not_finite(new):
            return Outcome(Status.NOT_FINITE, wrong)
        chosen = fit.stats.get(CHOICE)
        return Outcome(
            fit.status,
            fit.detail,
            new,
            {measure.name: _on_training_rows(measure, seen, train) for measure in self.measures},
            fit.stats["seconds"],
            None if chosen is None else int(chosen),
            fit.stats.get(SPENT, 0.0),
        )


def _not_finite(prediction: Prediction) -> str:
    """Return which part of a prediction is not finite, or "".

    A score of -inf is legitimate: a class without training rows has it.
    """
    if not np.isfinite(np.asarray(prediction.value, dtype=np.float64)).all():
        return "a prediction is not a finite number"
    if prediction.probability is not None and not np.isfinite(prediction.probability).all():
        return "a predicted probability is not a finite number"
    if prediction.score is not None and np.isnan(prediction.score).any():
        return "a predicted score is not a number"
    quantiles = (prediction.quantile or {}).values()
    if not all(np.isfinite(each).all() for each in quantiles):
        return "a predicted quantile is not a finite number"
    return ""


def _on_training_rows(measure: Measure, prediction: Prediction, train: Sample) -> float:
    assert train.y is not None
    try:
        return measure.value(train.y, prediction, train.weight)
    except (MissingPrediction, Undefined):
        return float("nan")
