"""A measure of every model with its error bar, as people are shown it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.random import Generator

from thetahat.errors import UsageError
from thetahat.judgment.pairs import ends
from thetahat.measures.measure import Measure, MissingPrediction, Undefined
from thetahat.resampling.evidence import Evidence, Outcome, measured
from thetahat.resampling.intervals import HoldoutRows, IntervalMethod, MeanEstimate, OverDraws
from thetahat.resampling.selection_bias import corrected_winner
from thetahat.results.comparison import Estimate, LeaderRecord, Score

__all__ = ["estimate_of", "leader_record", "measured_models", "score_of", "shown_estimate", "training_of"]

# A standard error below this part of the estimate is rounding.
ROUNDING = 64 * float(np.finfo(np.float64).eps)


def measured_models(
    evidence: Evidence, measure: Measure, method: IntervalMethod
) -> tuple[dict[str, OverDraws], dict[str, str]]:
    """Return a measure of each model that has one on every draw, best first, and why the others have none.

    Raises
    ------
    UsageError
        The measure is undefined for every model: then the target does not suit it.
    """
    values: dict[str, OverDraws] = {}
    failed: dict[str, str] = {}
    undefined = ""
    for model in evidence.complete:
        try:
            over = measured(evidence, model, measure)
        except MissingPrediction as error:
            failed[model] = str(error)
            continue
        except Undefined as error:
            failed[model] = undefined = str(error)
            continue
        if np.isfinite(over.values).all():
            values[model] = over
        else:
            failed[model] = "a prediction is not a finite number"
    if undefined and not values:
        # Then it is the rows that have no value, not a model.
        raise UsageError(f"metric: {measure.name} is undefined {undefined}")
    ordered = sorted(values.items(), key=lambda item: measure.sign * method(item[1]).estimate)
    return dict(ordered), failed


def estimate_of(mean: MeanEstimate, measure: Measure, level: float, method: str) -> Estimate:
    """Return the estimate of a measure with its interval, within its bounds."""
    low, high = _ends(mean, level, measure)
    return Estimate(mean.estimate, _error(mean.se, mean.estimate), _known(low), _known(high), method)


def shown_estimate(mean: MeanEstimate, measure: Measure, level: float, method: str) -> Estimate:
    """Return the estimate in the form for people."""
    low, high = _ends(mean, level, measure)
    return Estimate(
        measure.show(mean.estimate),
        _error(measure.show_error(mean.estimate, mean.se), measure.show(mean.estimate)),
        measure.show(low) if math.isfinite(low) else None,
        measure.show(high) if math.isfinite(high) else None,
        method,
    )


def score_of(over: OverDraws | None, measure: Measure, method: IntervalMethod, level: float) -> Score:
    """Return a measure shown beside the verdict; its interval is over draws, or over the rows of one."""
    if over is None or not np.isfinite(over.values).all():
        return Score(None, None, None, None, "none", measure.higher_is_better)
    of_rows = isinstance(method, HoldoutRows)
    if not of_rows:
        over = OverDraws(over.values, over.n_train, over.n_test)
    mean = method(over)
    shown = shown_estimate(mean, measure, level, method.name)
    kind: Literal["folds", "rows", "none"] = "none" if shown.se is None else "rows" if of_rows else "folds"
    return Score(shown.estimate, shown.se, shown.low, shown.high, kind, measure.higher_is_better)


def training_of(outcomes: Sequence[Outcome], measure: Measure) -> np.ndarray:
    """Return a measure of a model on the training rows of each draw."""
    return np.array([outcome.training.get(measure.name, math.nan) for outcome in outcomes])


def leader_record(
    values: Mapping[str, OverDraws], measure: Measure, level: float, rng: Generator, floor: str
) -> LeaderRecord | None:
    """Return the leader's measure corrected for having been chosen among the models that learn.

    None where there is no choice, or no values row by row on the same rows.
    """
    chosen_from = [name for name in values if name != floor]
    if len(chosen_from) < 2 or len(values[chosen_from[0]].values) < 2:
        return None
    if values[chosen_from[0]].no_information is not None:
        # The last draw is of all rows on themselves: its losses are not held out.
        return None
    columns = []
    for name in chosen_from:
        over = values[name]
        if over.rows is None or over.tests is None:
            return None
        away, held = over.deviations()
        times = np.bincount(held)
        rows = over.values.mean() + np.bincount(held, away)[times > 0] / times[times > 0]
        columns.append(measure.sign * rows)
    corrected = corrected_winner(np.column_stack(columns), rng=rng, level=level)
    ends_of = sorted((measure.sign * corrected.low, measure.sign * corrected.high))
    return LeaderRecord(
        chosen_from[0],
        measure.show(measure.sign * corrected.naive),
        measure.show(measure.sign * corrected.estimate),
        measure.show(ends_of[0]),
        measure.show(ends_of[1]),
        len(chosen_from),
        "bootstrap bias correction",
    )


def _ends(mean: MeanEstimate, level: float, measure: Measure) -> tuple[float, float]:
    """Return the ends of the interval; they are the estimate where the standard error is rounding."""
    if _error(mean.se, mean.estimate) == 0:
        return mean.estimate, mean.estimate
    return ends(mean, level, measure)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _error(se: float, estimate: float) -> float | None:
    """Return a standard error; one of the size of rounding is 0."""
    if not math.isfinite(se):
        return None
    return 0.0 if se <= ROUNDING * abs(estimate) else float(se)
