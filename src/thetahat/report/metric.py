"""What pictures and sentences must know of a measure: its direction, bounds and scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

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
# The largest and smallest value of each named measure, in the form for people. A saved result has neither
# these nor whether a measure is a mean over rows; tests/unit/test_report.py compares with the measures.
BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "error": (0.0, 1.0),
        "log-loss": (0.0, INF),
        "brier": (0.0, 2.0),
        "auc": (0.0, 1.0),
        "average-precision": (0.0, 1.0),
        "f1": (0.0, 1.0),
        "f1-macro": (0.0, 1.0),
        "f1-weighted": (0.0, 1.0),
        "balanced-accuracy": (0.0, 1.0),
        "mcc": (-1.0, 1.0),
        "kappa": (-1.0, 1.0),
        "squared-error": (0.0, INF),
        "absolute-error": (0.0, INF),
        "r2": (-INF, 1.0),
        "pinball": (0.0, INF),
        "poisson-deviance": (0.0, INF),
        "gamma-deviance": (0.0, INF),
        "squared-log-error": (0.0, INF),
        "mape": (0.0, INF),
    }
)
OF_SETS = frozenset(
    {
        "auc",
        "average-precision",
        "f1",
        "f1-macro",
        "f1-weighted",
        "balanced-accuracy",
        "mcc",
        "kappa",
        "r2",
    }
)
# Shown as the square root of the mean over rows.
ROOTS = frozenset({"squared-error", "squared-log-error"})
POSITIVE = frozenset({"auc", "average-precision", "f1"})


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
    """Return whether the measure is a value of a set of rows; a note tells how its influences were found."""
    return _base(metric) in OF_SETS or bool(metric.note)


def is_loss(metric: MetricRecord) -> bool:
    """Return whether the measure is a mean over rows of which less is better."""
    return not metric.higher_is_better and not is_of_set(metric)


def is_root(metric: MetricRecord) -> bool:
    """Return whether people are shown the square root of the mean over rows."""
    return _base(metric) in ROOTS


def counted_as(metric: MetricRecord) -> str:
    """Return what the two models of a pair differ in, for a sentence: "loss", or the name of the measure."""
    return "loss" if is_loss(metric) else metric.shown_as


def looks_for_positive(metric: MetricRecord) -> bool:
    """Return whether the measure of two classes depends on which of them is positive."""
    return _base(metric) in POSITIVE


def bounds(metric: MetricRecord, low: float, high: float) -> tuple[float, float]:
    """Return the values that an axis must not pass.

    Parameters
    ----------
    metric : MetricRecord
        A measure; the bounds of a function of the user's own are unknown.
    low, high : float
        Smallest and largest value of the picture: an axis does not pass 0 or 1 to leave a margin.
    """
    known = BOUNDS.get(_base(metric), (-INF, INF))
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
                f"no value of {measure.metric.shown_as}" if missing else model.status,
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


def _base(metric: MetricRecord) -> str:
    return metric.name.partition(":")[0]
