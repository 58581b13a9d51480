"""A comparison on the terminal: table, verdict, warnings, in at most 24 lines."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from thetahat.results.comparison import ComparisonRecord, ModelRecord

__all__ = ["show"]

MOST_WARNINGS = 3


def show(record: ComparisonRecord, console: Console, *, quiet: bool = False) -> None:
    """Print a comparison.

    Parameters
    ----------
    record : ComparisonRecord
        What to print.
    console : Console
        Where to.
    quiet : bool
        Whether to print the verdict alone.
    """
    if not quiet:
        console.print(_leaderboard(record))
        console.print(
            Text(
                f"{record.plan.sentence} ({record.plan.draws} of {record.plan.draws_planned} draws). "
                f"Interval: {record.interval}, {100 * record.level:g} %; covers {record.interval_covers}."
            ),
            style="dim",
        )
    if record.partial:
        console.print(Text(f"Partial result: {record.partial}."), style="bold")
    console.print(Text(record.verdict), style="bold")
    if quiet:
        return
    console.print(Text(record.would_change))
    for warning in record.warnings[:MOST_WARNINGS]:
        console.print(Text(f"{warning.code} {warning.place}: {warning.cause}."), style="dim")
    if len(record.warnings) > MOST_WARNINGS:
        console.print(
            Text(f"and {len(record.warnings) - MOST_WARNINGS} more in the saved result"), style="dim"
        )


def _leaderboard(record: ComparisonRecord) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("model")
    table.add_column(f"held-out {record.metric.shown_as}", justify="right")
    table.add_column(f"{100 * record.level:g} % interval", justify="right")
    table.add_column("train", justify="right")
    table.add_column("against the leader")
    leader = record.models[0].name
    for model in record.models:
        table.add_row(*(Text(cell) for cell in _cells(record, model, leader)))
    return table


def _cells(record: ComparisonRecord, model: ModelRecord, leader: str) -> list[str]:
    if model.shown is None or model.train_shown is None:
        return [model.name, "—", "—", "—", model.status]
    interval = "—"
    if model.shown.low is not None and model.shown.high is not None:
        interval = f"{_number(model.shown.low)} to {_number(model.shown.high)}"
    against = "leader" if model.name == leader else ""
    for pair in record.pairs:
        if pair.a == leader and pair.b == model.name:
            turned = {"better": "worse", "worse": "better", "undecided": "can't separate"}
            against = turned.get(pair.verdict, pair.verdict)
    if not model.ok:
        against = f"{against}; {model.status}"
    return [model.name, _number(model.shown.estimate), interval, _number(model.train_shown), against]


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
