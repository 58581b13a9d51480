"""From a measure of several models on the same rows to a verdict on every pair.

A pair is judged on the difference of the two models draw by draw, so that what makes a draw hard for both
cancels. The verdict of the textbook rule, that the two separate intervals must not overlap, is given too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.measures.measure import Measure
from thetahat.resampling.intervals import IntervalMethod, MeanEstimate, OverDraws
from thetahat.resampling.posterior import posterior
from thetahat.results.comparison import PairRecord, Verdict

__all__ = ["Rule", "ends", "holm", "judge", "pair_of", "paired", "verdict_of"]

# Beyond this, "more rows" is no longer advice.
MOST_ROWS_WORTH_SAYING = 10_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """How pairs are judged.

    Parameters
    ----------
    method : IntervalMethod
        The interval of a model's measure, for the textbook rule.
    pairs : IntervalMethod
        The interval of a difference.
    other : IntervalMethod or None
        Another interval of a difference, whose verdict is given too.
    level : float
        Two-sided level of the intervals; two models differ when p < 1 − level.
    margin : float or None
        The smallest difference that matters.
    correction : str
        ``"holm"`` adjusts the p-values over all pairs, ``"none"`` does not.
    bayes : bool
        Whether posterior probabilities are given too.
    """

    method: IntervalMethod
    level: float
    margin: float | None
    correction: Literal["holm", "none"]
    pairs: IntervalMethod
    other: IntervalMethod | None = None
    bayes: bool = False


def judge(
    values: Mapping[str, OverDraws], rule: Rule, measure: Measure | None = None, rows: int | None = None
) -> tuple[PairRecord, ...]:
    """Judge every pair of models that were measured on the same draws.

    Parameters
    ----------
    values : mapping of name to OverDraws
        A measure on the same draws, best model first.
    rule : Rule
        How to judge.
    measure : Measure, optional
        Says which direction is better, and the bounds of the separate intervals; a loss by default.
    rows : int, optional
        Rows that the comparison rests on; those of a draw by default.

    Returns
    -------
    tuple of PairRecord
        One for each pair, in the order of the models.
    """
    if not values:
        return ()
    sign = 1.0 if measure is None else measure.sign
    separate = {}
    for name, value in values.items():
        mean = rule.method(value)
        separate[name] = ends(mean, rule.level, measure)
    if rows is None:
        rows = int(round(float(np.mean([np.mean(q.n_train + q.n_test) for q in values.values()]))))
    names = list(combinations(values, 2))
    gaps = [paired(values[a], values[b]) for a, b in names]
    judged = _judge(names, gaps, separate, rule.pairs, rule, rows, sign)
    if rule.other is not None:
        others = _judge(names, gaps, separate, rule.other, rule, rows, sign)
        judged = [replace(one, other=two.verdict) for one, two in zip(judged, others, strict=True)]
    if rule.bayes:
        judged = [
            _with_posterior(pair, gap, rule.margin, sign) for pair, gap in zip(judged, gaps, strict=True)
        ]
    return tuple(judged)


def ends(mean: MeanEstimate, level: float, measure: Measure | None) -> tuple[float, float]:
    """Return the ends of the interval of a measure, within its bounds."""
    if measure is None:
        return mean.interval(level)
    return measure.interval(mean.estimate, mean.se, mean.quantile(level), mean.skewness)


def _judge(
    names: Sequence[tuple[str, str]],
    gaps: Sequence[OverDraws],
    separate: Mapping[str, tuple[float, float]],
    method: IntervalMethod,
    rule: Rule,
    rows: int,
    sign: float,
) -> list[PairRecord]:
    means = [method(gap) for gap in gaps]
    pairs = [
        _record(a, b, mean, rule.level, separate[a], separate[b], sign)
        for (a, b), mean in zip(names, means, strict=True)
    ]
    adjusted = _adjust([pair.p for pair in pairs], rule.correction)
    return [
        _decide(replace(pair, p_adjusted=p), mean, rule, rows, sign)
        for pair, mean, p in zip(pairs, means, adjusted, strict=True)
    ]


def _with_posterior(pair: PairRecord, gap: OverDraws, margin: float | None, sign: float) -> PairRecord:
    if len(gap.values) < 2:
        return pair
    better, equivalent, worse = posterior(gap, margin or 0.0)
    if sign < 0:
        better, worse = worse, better
    return replace(pair, p_better=better, p_equivalent=equivalent, p_worse=worse)


def paired(a: OverDraws, b: OverDraws) -> OverDraws:
    """Return the difference of two models on the same draws, row by row where rows are known.

    Parameters
    ----------
    a, b : OverDraws
        On the same draws.
    """
    rows = None
    if a.rows is not None and b.rows is not None:
        rows = [x - y for x, y in zip(a.rows, b.rows, strict=True)]
    return OverDraws(
        a.values - b.values,
        a.n_train,
        a.n_test,
        rows,
        a.tests,
        linearized=a.linearized,
        strata=a.strata,
    )


def _record(
    a: str,
    b: str,
    difference: MeanEstimate,
    level: float,
    own: tuple[float, float],
    others: tuple[float, float],
    sign: float,
) -> PairRecord:
    low, high = difference.interval(level)
    textbook: Verdict = "undecided"
    if own[1] < others[0]:
        textbook = "better" if sign > 0 else "worse"
    elif own[0] > others[1]:
        textbook = "worse" if sign > 0 else "better"
    return PairRecord(
        a=a,
        b=b,
        difference=difference.estimate,
        low=_finite(low),
        high=_finite(high),
        p=_finite(difference.p_value()),
        p_adjusted=None,
        verdict="undecided",
        textbook=textbook,
        rows_to_decide=None,
    )


def _decide(record: PairRecord, difference: MeanEstimate, rule: Rule, rows: int, sign: float) -> PairRecord:
    if record.p_adjusted is None:
        return record
    alpha = 1 - rule.level
    if rule.margin is not None:
        # Two one-sided tests, each at alpha: the interval at level 1 − 2·alpha lies within the margin.
        low, high = difference.interval(1 - 2 * alpha)
        if -rule.margin < low and high < rule.margin:
            return replace(record, verdict="equivalent")
    if record.p_adjusted < alpha:
        return replace(record, verdict="better" if sign * record.difference < 0 else "worse")
    return replace(record, rows_to_decide=_rows_to_decide(record, difference, rule, rows))


def _rows_to_decide(record: PairRecord, difference: MeanEstimate, rule: Rule, rows: int) -> int | None:
    """Return n (half-width / gap)², the half-width that of the test as it is adjusted for all pairs."""
    assert record.p is not None
    assert record.p_adjusted is not None
    times = max(record.p_adjusted / record.p, 1.0) if record.p > 0 else 1.0
    half = difference.quantile(1 - (1 - rule.level) / times) * difference.se
    if record.difference == 0 or half == 0:
        return None
    # The half-width shrinks like 1/√n; it must come down to the gap.
    needed = rows * (half / abs(record.difference)) ** 2
    if not needed < MOST_ROWS_WORTH_SAYING:
        return None
    digits = max(0, math.floor(math.log10(needed)) - 1)
    return max(rows + 1, int(math.ceil(needed / 10**digits) * 10**digits))


def _adjust(p_values: Sequence[float | None], correction: str) -> list[float | None]:
    known = [p for p in p_values if p is not None]
    if len(known) < len(p_values) or correction == "none" or not known:
        return list(p_values)
    return [float(p) for p in holm(np.asarray(known))]


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values so that the chance of one false rejection among them stays below the level.

    Parameters
    ----------
    p_values : ndarray of shape (m,)
        Raw p-values.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6.
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def pair_of(pairs: Sequence[PairRecord], a: str, b: str) -> PairRecord:
    """Return the pair of these two models, whichever comes first in it."""
    return next(pair for pair in pairs if {pair.a, pair.b} == {a, b})


def verdict_of(pairs: Sequence[PairRecord], name: str, other: str) -> Verdict:
    """Return what a model is compared with another: "better", "worse", "equivalent" or "undecided"."""
    turned: Mapping[Verdict, Verdict] = {"better": "worse", "worse": "better"}
    pair = pair_of(pairs, name, other)
    return pair.verdict if pair.a == name else turned.get(pair.verdict, pair.verdict)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
