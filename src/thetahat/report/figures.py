"""Which pictures a comparison has: every model's loss, and its difference from the leader."""

from __future__ import annotations

from typing import Any

from thetahat.display import numbers
from thetahat.report.intervals import IntervalPlot, Row, draw
from thetahat.report.phrases import VERDICTS, direction, listed
from thetahat.results.comparison import ComparisonRecord, ModelRecord, PairRecord

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
TURNED = {"better": "worse", "worse": "better"}


def forest(record: ComparisonRecord, ax: Any = None) -> Any:
    """Draw each model's loss with its interval on matplotlib axes, and return them."""
    return draw(losses(record), ax)


def losses(record: ComparisonRecord) -> IntervalPlot:
    """Return the picture of every model's held-out loss, best first."""
    shown = [(model, model.shown) for model in record.models if model.shown is not None]
    rows = [
        Row(
            model.name,
            loss.estimate,
            loss.low,
            loss.high,
            numbers.with_error(loss.estimate, loss.se),
            at == 0,
        )
        for at, (model, loss) in enumerate(shown)
    ]
    leader = shown[0][1]
    band = (leader.low, leader.high) if leader.low is not None and leader.high is not None else None
    base = next((loss.estimate for model, loss in shown if model.name == record.baseline), None)
    return IntervalPlot(
        rows,
        f"held-out {record.metric.shown_as} ({record.metric.unit}; {direction()})",
        _finding(record),
        band,
        None if base is None else (base, record.baseline),
        0.0,
    )


def differences(record: ComparisonRecord) -> IntervalPlot | None:
    """Return the picture of every other model's loss minus the leader's; None without another."""
    pairs = against_leader(record)
    if not pairs:
        return None
    leader = record.models[0].name
    rows = [Row(p.a, p.difference, p.low, p.high, f"{difference(p)}  {VERDICTS[p.verdict]}") for p in pairs]
    worse = [p.a for p in pairs if p.verdict == "worse"]
    finding = (
        f"{listed(worse)} {'does' if len(worse) == 1 else 'do'} worse than {leader} on the same rows"
        if worse
        else f"No model differs from {leader} by more than the noise on the same rows"
    )
    axis = f"{record.metric.name} minus that of the first (right is worse)"
    return IntervalPlot(rows, axis, finding, line=(0.0, "no difference"))


def optimism(record: ComparisonRecord) -> IntervalPlot | None:
    """Return the picture of each model's loss on training rows joined to that on new ones."""
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
    said = [f"{m.name} loses {causes[m.why.cause]}" for m in shown if m.why and m.why.cause in causes]
    finding = listed(said[:3]) if said else "No model loses more than the first by more than the noise"
    return IntervalPlot(
        rows,
        f"{record.metric.shown_as}, training (\N{WHITE CIRCLE}) and new rows (\N{BLACK CIRCLE})",
        finding,
        floor=0.0,
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
    fitted = [model for model in record.models if model.shown is not None]
    if record.winner is not None:
        return f"{record.winner} has the lowest {record.metric.shown_as}"
    together = [fitted[0].name, *(p.a for p in against_leader(record) if p.verdict != "worse")]
    if len(fitted) == 1:
        return f"{together[0]} is the only model with a result"
    if len(together) == 1:
        return f"{together[0]} comes first"
    if len(together) == len(fitted):
        return f"None of {_few(fitted)} can be told apart from the first"
    return f"{listed(together)} cannot be separated"


def _few(models: list[ModelRecord]) -> str:
    return f"the {len(models)} models" if len(models) > 3 else listed([model.name for model in models])
