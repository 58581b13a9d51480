"""Evidence: what several models predicted of the same held-out rows, draw by draw.

It knows nothing of learners or tables. Whatever produced the predictions, a measure turns them into a
quantity over draws, and every interval and verdict follows from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import Draw, FloatArray, IntArray, Prediction, Status
from thetahat.measures.measure import Measure, Undefined
from thetahat.resampling.intervals import OverDraws

__all__ = ["Evidence", "Outcome", "cut_short", "measured"]

# The loss by chance is a mean over pairs of rows; for many rows, this many cyclic shifts stand for all.
MOST_SHIFTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One model on one draw.

    Parameters
    ----------
    status : Status
        How the fit ended.
    detail : str
        What the status alone cannot say: the error's text.
    prediction : Prediction, optional
        Of the rows held out, in the order of the draw; None where there is none, and ``detail`` says why.
    training : mapping of str to float
        Each measure on the rows that trained, by name; NaN where it is undefined there.
    seconds : float
        What the fit took, tuning included.
    choice : int, optional
        The point of its grid that tuning chose.
    tuning_seconds : float
        What the choice took.
    """

    status: Status
    detail: str = ""
    prediction: Prediction | None = None
    training: Mapping[str, float] = field(default_factory=dict)
    seconds: float = np.nan
    choice: int | None = None
    tuning_seconds: float = 0.0


def cut_short(outcomes: Sequence[Outcome]) -> bool:
    """Return whether the time limit left a model of this draw without a fit: then the draw is not done."""
    return any(each.prediction is None and each.status is Status.OUT_OF_TIME for each in outcomes)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What M models predicted of the same held-out rows over J draws.

    Parameters
    ----------
    models : tuple of str
        Names, in the order of the outcomes.
    draws : sequence of J Draw
        Rows that trained and rows that were held out.
    outcomes : sequence of J sequences of M Outcome
        By draw and model.
    y : ndarray of shape (n,)
        Codes of classes 0 … K − 1, or numbers.
    weight, group, time : ndarray of shape (n,), optional
        Of each row.
    row : ndarray of shape (n,), optional
        Number of each row in the table as it was given, counted from 0.
    """

    models: tuple[str, ...]
    draws: Sequence[Draw]
    outcomes: Sequence[Sequence[Outcome]]
    y: NDArray[Any]
    weight: FloatArray | None = None
    group: IntArray | None = None
    time: NDArray[Any] | None = None
    row: IntArray | None = None

    def of(self, model: str) -> list[Outcome]:
        """Return the outcomes of a model, draw by draw."""
        place = self.models.index(model)
        return [outcomes[place] for outcomes in self.outcomes]

    @property
    def complete(self) -> tuple[str, ...]:
        """The models with a prediction on every draw."""
        if not self.outcomes:
            return ()
        return tuple(m for m in self.models if all(each.prediction is not None for each in self.of(m)))

    def whole_draws(self) -> Evidence:
        """Return the draws that the time limit did not cut short, where there is one; else all of them."""
        kept = [place for place, outcomes in enumerate(self.outcomes) if not cut_short(outcomes)]
        if not kept or len(kept) == len(self.outcomes):
            return self
        return replace(
            self,
            draws=[self.draws[place] for place in kept],
            outcomes=[self.outcomes[place] for place in kept],
        )


def measured(evidence: Evidence, model: str, measure: Measure) -> OverDraws:
    """Return a measure of a model over the draws.

    A row stands with the value θ_j of its draw plus its influence on it: for the mean of a loss without
    weights that is the loss itself, so that a loss and the same loss given as a measure of a set agree. With
    weights, standard errors count rows and not weights.

    Parameters
    ----------
    evidence : Evidence
        The model has a prediction on every draw of it.
    model : str
        Which.
    measure : Measure
        What is measured.

    Raises
    ------
    MissingPrediction
        The model does not predict what the measure needs.
    Undefined
        The measure has no value on the held-out rows of a draw.
    """
    predictions = [outcome.prediction for outcome in evidence.of(model)]
    values = np.empty(len(predictions))
    rows: list[FloatArray] = []
    strata = None
    for number, (draw, prediction) in enumerate(zip(evidence.draws, predictions, strict=True)):
        assert prediction is not None
        y = evidence.y[draw.test]
        weight = None if evidence.weight is None else evidence.weight[draw.test]
        try:
            if measure.losses is not None and weight is None:
                rows.append(measure.losses(y, prediction))
                values[number] = np.mean(rows[-1])
            else:
                found = measure.of(y, prediction, weight)
                values[number], strata = found.value, found.strata
                rows.append(found.value + found.influence)
        except Undefined as error:
            raise Undefined(f"on draw {number + 1} of {len(predictions)}, {error}") from None
    return OverDraws(
        values,
        np.array([len(draw.train) for draw in evidence.draws], dtype=float),
        np.array([len(draw.test) for draw in evidence.draws], dtype=float),
        rows,
        [draw.test for draw in evidence.draws],
        _by_chance(evidence, predictions[-1], measure),
        linearized=measure.losses is None,
        strata=strata if len(rows) == 1 else None,
    )


def _by_chance(evidence: Evidence, prediction: Prediction | None, measure: Measure) -> float | None:
    """Return the mean measure of y against the predictions of other rows, for a draw of all rows on itself.

    None where the last draw is not such a draw.
    """
    last = evidence.draws[-1]
    if prediction is None or not np.array_equal(last.train, last.test):
        return None
    y = evidence.y[last.test]
    weight = None if evidence.weight is None else evidence.weight[last.test]
    n = len(y)
    shifts = np.unique(np.linspace(0, n, min(n, MOST_SHIFTS), endpoint=False).astype(np.int64))
    total = 0.0
    for shift in shifts:
        total += measure.value(y, prediction.take(np.roll(np.arange(n), shift)), weight)
    return total / len(shifts)
