"""From held-out losses on the same rows to verdicts, and from verdicts to a sentence.

A pair is judged on the difference of its losses draw by draw, so that what makes a draw hard for both
cancels. The textbook rule, that the two separate intervals must not overlap, stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.resampling.intervals import IntervalMethod, MeanEstimate, OverDraws
from thetahat.resampling.posterior import posterior
from thetahat.results.comparison import PairRecord, Verdict

__all__ = ["Rule", "held_against", "judge", "pair_of", "paired", "sentence", "winner", "would_change"]

# Beyond this, "more rows" is no longer advice.
MOST_ROWS_WORTH_SAYING = 10_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """How pairs are judged.

    Parameters
    ----------
    method : IntervalMethod
        The interval of a model's loss, for the textbook rule.
    pairs : IntervalMethod
        The interval of a difference.
    other : IntervalMethod or None
        Another interval of a difference, whose verdict is shown beside.
    level : float
        Two-sided level of the intervals; a difference is told apart when p < 1 − level.
    margin : float or None
        The smallest difference of mean loss that matters.
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


def judge(losses: Mapping[str, OverDraws], rule: Rule) -> tuple[PairRecord, ...]:
    """Judge every pair of models that were held to the same draws.

    Parameters
    ----------
    losses : mapping of name to OverDraws
        Held-out losses on the same draws, best model first.
    rule : Rule
        How to judge.

    Returns
    -------
    tuple of PairRecord
        One for each pair, in the order of the models.
    """
    if not losses:
        return ()
    separate = {name: rule.method(loss).interval(rule.level) for name, loss in losses.items()}
    total_rows = int(round(float(np.mean([np.mean(q.n_train + q.n_test) for q in losses.values()]))))
    names = list(combinations(losses, 2))
    gaps = [paired(losses[a], losses[b]) for a, b in names]
    judged = _judge(names, gaps, separate, rule.pairs, rule, total_rows)
    if rule.other is not None:
        beside = _judge(names, gaps, separate, rule.other, rule, total_rows)
        judged = [replace(one, other=two.verdict) for one, two in zip(judged, beside, strict=True)]
    if rule.bayes:
        judged = [_with_posterior(pair, gap, rule.margin) for pair, gap in zip(judged, gaps, strict=True)]
    return tuple(judged)


def _judge(
    names: Sequence[tuple[str, str]],
    gaps: Sequence[OverDraws],
    separate: Mapping[str, tuple[float, float]],
    method: IntervalMethod,
    rule: Rule,
    rows: int,
) -> list[PairRecord]:
    found = [method(gap) for gap in gaps]
    pairs = [
        _record(a, b, gap, *gap.interval(rule.level), gap.p_value(), separate[a], separate[b])
        for (a, b), gap in zip(names, found, strict=True)
    ]
    adjusted = _adjust([pair.p for pair in pairs], rule.correction)
    return [
        _decide(replace(pair, p_adjusted=p), gap, rule, rows)
        for pair, gap, p in zip(pairs, found, adjusted, strict=True)
    ]


def _with_posterior(pair: PairRecord, gap: OverDraws, margin: float | None) -> PairRecord:
    if len(gap.values) < 2:
        return pair
    better, equivalent, worse = posterior(gap, margin or 0.0)
    return replace(pair, p_better=better, p_equivalent=equivalent, p_worse=worse)


def winner(pairs: Sequence[PairRecord], names: Sequence[str], floor: str) -> str | None:
    """Return the model that is better than every other, or ``None``; the floor never wins.

    Parameters
    ----------
    pairs : sequence of PairRecord
        Every pair of the models.
    names : sequence of str
        The models, best first.
    floor : str
        The model that learns nothing.
    """
    if len(names) < 2 or names[0] == floor:
        return None
    leader = names[0]
    beaten = [pair for pair in pairs if _verdict_of(leader, pair) == "better"]
    return leader if len(beaten) == len(names) - 1 else None


def sentence(
    pairs: Sequence[PairRecord], names: Sequence[str], floor: str, rows: int, best: str | None
) -> str:
    """Say in one sentence which model is best and which cannot be told apart.

    Parameters
    ----------
    pairs, names, floor
        As for :func:`winner`.
    rows : int
        How many rows the comparison rests on.
    best : str or None
        What :func:`winner` said.
    """
    on = f"on {_thousands(rows)} rows"
    if not names:
        return "No model could be fitted."
    if len(names) == 1:
        return f"Only {names[0]} could be fitted, so there is nothing to compare it with."
    leader = names[0]
    if best:
        return f"{best} is best: its loss is lower than that of every other model {on}."
    verdicts = {other: _verdict_between(pairs, leader, other) for other in names[1:]}
    tied = [other for other, verdict in verdicts.items() if verdict != "better"]
    if floor in (leader, *tied):
        if leader == floor:
            return (
                f"Nothing was learned: no model does better than {floor}, which ignores the features, {on}."
            )
        return (
            f"No clear winner, and no proof of learning: {leader} cannot be told apart from {floor}, "
            f"which ignores the features, {on}."
        )
    together = _listed([leader, *tied])
    if all(verdicts[other] == "equivalent" for other in tied):
        return f"{together} are equivalent: they differ by less than the margin {on}."
    return f"No clear winner: {together} cannot be told apart {on}."


def held_against(pairs: Sequence[PairRecord], names: Sequence[str], baseline: str) -> str:
    """Say how the models do against the one that was named as the baseline.

    Parameters
    ----------
    pairs, names
        As for :func:`winner`.
    baseline : str
        The model that the others are held against.
    """
    if baseline not in names:
        return f"The baseline {baseline} has no result."
    verdicts = {other: _verdict_between(pairs, other, baseline) for other in names if other != baseline}
    words = [
        f"{_listed(those)} {'is' if len(those) == 1 else 'are'} {words}"
        for verdict, words in (
            ("better", "better"),
            ("equivalent", "equivalent"),
            ("undecided", "not to be told apart"),
            ("worse", "worse"),
        )
        if (those := [name for name, found in verdicts.items() if found == verdict])
    ]
    return f"Against the baseline {baseline}: {'; '.join(words)}." if words else ""


def would_change(pairs: Sequence[PairRecord], names: Sequence[str], rows: int, best: str | None) -> str:
    """Say what would change the verdict: about how many rows, as things stand.

    Parameters
    ----------
    pairs, names, rows, best
        As for :func:`sentence`.
    """
    if len(names) < 2:
        return ""
    leader, second = names[0], names[1]
    if best:
        pair = pair_of(pairs, leader, second)
        gap = f"{abs(pair.difference):.3g}"
        return (
            f"The next is {second}, {gap} behind in mean loss. Another kind of data, other settings of the "
            "models, or a margin larger than the gap would change this."
        )
    undecided = [
        (pair, other) for other in names[1:] if (pair := pair_of(pairs, leader, other)).verdict == "undecided"
    ]
    if not undecided:
        return "A smaller margin would ask for a finer distinction."
    pair, other = max(undecided, key=lambda found: abs(found[0].difference))
    if pair.p is None:
        return "An interval: this plan offers none yet, so no difference can be told from noise."
    if pair.curve_rows is not None:
        return _by_curve(pair, leader, other)
    if pair.rows_to_decide is None:
        return (
            f"Between {leader} and {other} there is next to no gap to find, so more rows are unlikely to "
            "part them; a margin (the smallest difference that matters) could show them equivalent."
        )
    return (
        f"If the gap between {leader} and {other} is real and stays as it is, about "
        f"{_thousands(pair.rows_to_decide)} rows would show it (a rough guess from {_thousands(rows)})."
    )


def _by_curve(pair: PairRecord, leader: str, other: str) -> str:
    needed = pair.curve_rows
    assert needed is not None
    if needed.rows is None:
        return f"By the learning curves of {leader} and {other}, no number of rows is likely to part them."
    low = "" if needed.low is None else _thousands(needed.low)
    high = "without limit" if needed.high is None else f"to {_thousands(needed.high)}"
    return (
        f"By the learning curves of {leader} and {other}, about {_thousands(needed.rows)} rows would part "
        f"them ({low} {high})."
    )


def paired(a: OverDraws, b: OverDraws) -> OverDraws:
    """Return the difference of two losses on the same draws, row by row where rows are known.

    Parameters
    ----------
    a, b : OverDraws
        On the same draws.
    """
    rows = None
    if a.rows is not None and b.rows is not None:
        rows = [x - y for x, y in zip(a.rows, b.rows, strict=True)]
    return OverDraws(a.values - b.values, a.n_train, a.n_test, rows, a.tests)


def _record(
    a: str,
    b: str,
    difference: MeanEstimate,
    low: float,
    high: float,
    p: float,
    own: tuple[float, float],
    others: tuple[float, float],
) -> PairRecord:
    textbook: Verdict = "undecided"
    if own[1] < others[0]:
        textbook = "better"
    elif own[0] > others[1]:
        textbook = "worse"
    return PairRecord(
        a=a,
        b=b,
        difference=difference.estimate,
        low=_finite(low),
        high=_finite(high),
        p=_finite(p),
        p_adjusted=None,
        verdict="undecided",
        textbook=textbook,
        rows_to_decide=None,
    )


def _decide(record: PairRecord, difference: MeanEstimate, rule: Rule, rows: int) -> PairRecord:
    if record.p_adjusted is None:
        return record
    alpha = 1 - rule.level
    if rule.margin is not None:
        # Two one-sided tests, each at alpha: the interval at level 1 − 2·alpha lies within the margin.
        low, high = difference.interval(1 - 2 * alpha)
        if -rule.margin < low and high < rule.margin:
            return replace(record, verdict="equivalent")
    if record.p_adjusted < alpha:
        return replace(record, verdict="better" if record.difference < 0 else "worse")
    return replace(record, rows_to_decide=_rows_to_decide(record, rows))


def _rows_to_decide(record: PairRecord, rows: int) -> int | None:
    assert record.low is not None
    half = record.difference - record.low
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


def _verdict_between(pairs: Sequence[PairRecord], a: str, b: str) -> Verdict | None:
    return _verdict_of(a, pair_of(pairs, a, b))


def _verdict_of(name: str, pair: PairRecord) -> Verdict | None:
    turned: Mapping[Verdict, Verdict] = {"better": "worse", "worse": "better"}
    if pair.a == name:
        return pair.verdict
    if pair.b == name:
        return turned.get(pair.verdict, pair.verdict)
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", "\N{THIN SPACE}")
