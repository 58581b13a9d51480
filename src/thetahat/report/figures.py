"""Which pictures a comparison has: every model's measure, and its difference from the leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thetahat.display import numbers
from thetahat.report.intervals import IntervalPlot, Row, draw
from thetahat.report.metric import bounds, in_shown_unit, unit_and_direction, worse_side
from thetahat.report.phrases import VERDICTS, listed
from thetahat.results.comparison import ComparisonRecord, PairRecord

__all__ = [
    "against_leader",
    "difference",
    "differences",
    "error_of",
    "forest",
    "losses",
    "optimism",
    "seen_from",
]

# Two numbers longer than this leave no room for the picture on a phone.
LONGEST_NUMBERS = 20
# Letters of the names in the sentence of a picture.
LONGEST_LIST = 80
TURNED = {"better": "worse", "worse": "better"}


def forest(record: ComparisonRecord, ax: Any = None) -> Any:
    """Draw each model's measure with its interval on matplotlib axes, and return them."""
    return draw(losses(record), ax)


def losses(record: ComparisonRecord) -> IntervalPlot:
    """Return the picture of every model's measure on held-out rows, best first."""
    shown = [(model, model.shown) for model in record.models if model.shown is not None]
    rows = [
        Row(
            model.name,
            each.estimate,
            each.low,
            each.high,
            numbers.with_error(each.estimate, each.se),
            at == 0,
        )
        for at, (model, each) in enumerate(shown)
    ]
    leader = shown[0][1]
    band = (leader.low, leader.high) if leader.low is not None and leader.high is not None else None
    base = next((each.estimate for model, each in shown if model.name == record.baseline), None)
    return IntervalPlot(
        rows,
        f"held-out {record.metric.shown_as} ({unit_and_direction(record.metric)})",
        _finding(record),
        band,
        None if base is None else (base, record.baseline),
        _bounds(record, rows),
    )


def differences(record: ComparisonRecord) -> IntervalPlot | None:
    """Return the picture of every other model's measure minus the leader's; None without another."""
    pairs = against_leader(in_shown_unit(record))
    if not pairs:
        return None
    leader = record.models[0].name
    rows = [Row(p.a, p.difference, p.low, p.high, f"{difference(p)}  {VERDICTS[p.verdict]}") for p in pairs]
    worse = [p.a for p in pairs if p.verdict == "worse"]
    better = [p.a for p in pairs if p.verdict == "better"]
    if worse:
        said = _few(worse)
        finding = f"{said} {'does' if len(worse) == 1 else 'do'} worse than {leader} on the same rows"
    elif better:
        finding = (
            f"{_few(better)} {'does' if len(better) == 1 else 'do'} better than {leader} on the same rows"
        )
    else:
        finding = f"No model differs from {leader} by more than the noise on the same rows"
    axis = f"{record.metric.shown_as} minus that of the first ({worse_side(record.metric)})"
    return IntervalPlot(rows, axis, finding, line=(0.0, "no difference"), from_line=True)


def optimism(record: ComparisonRecord) -> IntervalPlot | None:
    """Return the picture of each model's measure on training rows joined to that on new ones."""
    shown = [m for m in record.models if m.shown is not None and m.train_shown is not None]
    if not shown:
        return None
    rows = []
    for at, model in enumerate(shown):
        assert model.shown is not None
        seen, new = (numbers.beside(v, model.shown.se) for v in (model.train_shown, model.shown.estimate))
        words = f"{seen} \N{RIGHTWARDS ARROW} {new}"
        if len(words) > LONGEST_NUMBERS:
            words = new
        rows.append(
            Row(model.name, model.shown.estimate, None, None, words, at == 0, start=model.train_shown)
        )
    causes = {"bias": "to bias", "variance": "to variance", "both": "to both"}
    said = []
    for cause, to in causes.items():
        if names := [m.name for m in shown if m.why is not None and m.why.cause == cause]:
            said.append(f"{_few(names)} {'loses' if len(names) == 1 else 'lose'} {to}")
    finding = listed(said) if said else f"No model is shown to lose to {shown[0].name} by bias or by variance"
    return IntervalPlot(
        rows,
        f"{record.metric.shown_as}, training (\N{WHITE CIRCLE}) and new rows (\N{BLACK CIRCLE})",
        finding,
        bounds=_bounds(record, rows),
    )


def against_leader(record: ComparisonRecord) -> list[PairRecord]:
    """Return the leader's pairs, read as "other minus leader", in the order of the models."""
    if not record.models or record.models[0].shown is None:
        return []
    leader = record.models[0].name
    return [
        seen_from(pair, other.name)
        for other in record.models[1:]
        for pair in record.pairs
        if {pair.a, pair.b} == {leader, other.name}
    ]


def seen_from(pair: PairRecord, name: str) -> PairRecord:
    """Return a pair so that this model is the first of it."""
    if pair.a == name:
        return pair
    turned: Any = TURNED
    return PairRecord(
        a=pair.b,
        b=pair.a,
        difference=-pair.difference,
        low=None if pair.high is None else -pair.high,
        high=None if pair.low is None else -pair.low,
        p=pair.p,
        p_adjusted=pair.p_adjusted,
        verdict=turned.get(pair.verdict, pair.verdict),
        textbook=turned.get(pair.textbook, pair.textbook),
        rows_to_decide=pair.rows_to_decide,
    )


def difference(pair: PairRecord) -> str:
    """Return a pair's difference with the digits that its interval allows."""
    return numbers.number(pair.difference, numbers.decimals_for(error_of(pair), pair.difference))


def error_of(pair: PairRecord) -> float | None:
    """Return half the width of a pair's interval, which sets the digits of its difference."""
    return None if pair.low is None or pair.high is None else (pair.high - pair.low) / 4


def _finding(record: ComparisonRecord) -> str:
    fitted = [model.name for model in record.models if model.shown is not None]
    if record.winner is not None:
        most = "highest" if record.metric.higher_is_better else "lowest"
        return f"{record.winner} has the {most} {record.metric.shown_as}"
    leader = fitted[0]
    if len(fitted) == 1:
        return f"{leader} is the only model with a result"
    pairs = against_leader(record)
    better, undecided, equivalent = (
        [p.a for p in pairs if p.verdict == verdict] for verdict in ("better", "undecided", "equivalent")
    )
    if better:
        return f"{_few(better)} {'is' if len(better) == 1 else 'are'} better than {leader}, which comes first"
    if undecided:
        others = "any other model" if len(undecided) == len(fitted) - 1 > 1 else _few(undecided)
        return f"{leader} cannot be separated from {others}"
    if equivalent:
        return f"{_few([leader, *equivalent])} are equivalent"
    return f"{leader} comes first"


def _few(names: Sequence[str]) -> str:
    """Return the names, or how many there are if the sentence would be too long."""
    said = listed(names)
    return said if len(names) == 1 or len(said) <= LONGEST_LIST else f"{len(names)} models"


def _bounds(record: ComparisonRecord, rows: list[Row]) -> tuple[float, float]:
    ends = [end for row in rows for end in (row.low, row.high, row.value, row.start) if end is not None]
    return bounds(record.metric, min(ends), max(ends))
