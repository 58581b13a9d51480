"""What pictures and sentences must know of a measure: its direction, bounds and scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from thetahat.results.comparison import (
    ComparisonRecord,
    MeasureRecord,
    MetricRecord,
    ModelRecord,
    PairRecord,
)

__all__ = [
    "bounds",
    "by_measure",
    "counted_as",
    "direction",
    "in_shown_unit",
    "is_loss",
    "is_of_set",
    "is_root",
    "looks_for_positive",
    "unit_and_direction",
    "worse_side",
]

INF = math.inf


def direction(metric: MetricRecord) -> str:
    """Say which way a measure is better."""
    return "higher is better" if metric.higher_is_better else "lower is better"


def worse_side(metric: MetricRecord) -> str:
    """Say on which side of an axis of differences the worse models lie."""
    return "left is worse" if metric.higher_is_better else "right is worse"


def unit_and_direction(metric: MetricRecord) -> str:
    """Return the unit, if it is not the name of the measure itself, and the direction."""
    known = metric.unit and metric.unit != metric.shown_as
    return f"{metric.unit}; {direction(metric)}" if known else direction(metric)


def is_of_set(metric: MetricRecord) -> bool:
    """Return whether the measure is a value of a set of rows."""
    return metric.of_set


def is_loss(metric: MetricRecord) -> bool:
    """Return whether the measure is a mean over rows of which less is better."""
    return not metric.higher_is_better and not is_of_set(metric)


def is_root(metric: MetricRecord) -> bool:
    """Return whether people are shown the square root of the mean over rows."""
    # The squared error is the only one of an earlier version.
    return metric.shown_as == "RMSE" if metric.root is None else metric.root


def counted_as(metric: MetricRecord) -> str:
    """Return what the two models of a pair differ in, for a sentence: "loss", or the name of the measure."""
    return "loss" if is_loss(metric) else metric.shown_as


def looks_for_positive(metric: MetricRecord) -> bool:
    """Return whether the measure of two classes depends on which of them is positive."""
    return metric.of_positive


def bounds(metric: MetricRecord, low: float, high: float) -> tuple[float, float]:
    """Return the values that an axis must not pass.

    Parameters
    ----------
    metric : MetricRecord
        A measure; the bounds of a function of the user's own are unknown.
    low, high : float
        Smallest and largest value of the picture: an axis does not pass 0 or 1 to leave a margin.
    """
    known = (
        -INF if metric.lowest is None else metric.lowest,
        INF if metric.highest is None else metric.highest,
    )
    if metric.root is None and not metric.higher_is_better:
        # All measures of an earlier version are losses.
        known = (0.0, known[1])
    least = max(known[0], 0.0) if low >= 0 else known[0]
    most = min(known[1], 1.0) if metric.higher_is_better and high <= 1 else known[1]
    return least, most


def by_measure(record: ComparisonRecord, measure: MeasureRecord) -> ComparisonRecord:
    """Return the comparison by one of its further measures, as if it alone had been asked for."""
    known = {model.name: model for model in record.models}
    models = []
    for each in measure.models:
        model = known[each.name]
        missing = each.estimate is None and model.loss is not None
        models.append(
            ModelRecord(
                each.name,
                model.description,
                (each.reason or f"no value of {measure.metric.shown_as}") if missing else model.status,
                model.ok and not missing,
                each.estimate,
                each.shown,
                None,
                each.train_shown,
                model.fit_seconds,
            )
        )
    return replace(
        record,
        metric=measure.metric,
        models=tuple(models),
        pairs=measure.pairs,
        verdict=measure.verdict,
        winner=measure.winner,
        would_change="",
        leader=None,
        measures=(),
    )


def in_shown_unit(record: ComparisonRecord) -> ComparisonRecord:
    """Return the comparison with differences in the unit in which people are shown the measure.

    For a square root the difference of two means a − b becomes √a − √b = (a − b) / (√a + √b); the ends of
    its interval are divided by the same number, which is the delta method halfway between the two models.
    """
    if not is_root(record.metric):
        return record
    shown = {model.name: model.shown.estimate for model in record.models if model.shown is not None}
    return replace(record, pairs=tuple(_rooted(pair, shown) for pair in record.pairs))


def _rooted(pair: PairRecord, shown: Mapping[str, float]) -> PairRecord:
    total = shown.get(pair.a, 0.0) + shown.get(pair.b, 0.0)
    if total <= 0:
        return pair
    return replace(
        pair,
        difference=pair.difference / total,
        low=None if pair.low is None else pair.low / total,
        high=None if pair.high is None else pair.high / total,
    )
