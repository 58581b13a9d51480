"""A comparison on the terminal: table, verdict, warnings, where the page is, in at most 24 lines."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from thetahat.display import numbers
from thetahat.report.figures import against_leader
from thetahat.report.phrases import (
    VERDICTS,
    interval_sentence,
    leader_sentence,
    pairs_sentence,
    plan_sentence,
    tuning_sentence,
    why_sentence,
)
from thetahat.results.comparison import ComparisonRecord, ModelRecord

__all__ = ["show"]

MOST_WARNINGS = 3
MOST_MODELS = 12
MOST_COMPLAINTS = 2
WIDEST = 100


def show(record: ComparisonRecord, console: Console, *, quiet: bool = False, page: str | None = None) -> None:
    """Print a comparison.

    Parameters
    ----------
    record : ComparisonRecord
        What to print.
    console : Console
        Where to; at most 100 columns of it are used.
    quiet : bool
        Whether to print the verdict alone.
    page : str, optional
        Where the page is.
    """
    width = min(console.width, WIDEST)
    if not quiet:
        console.print(_leaderboard(record), width=width)
        hidden = len(record.models) - MOST_MODELS
        if hidden > 0:
            console.print(f"and {hidden} more models in the saved result", style="dim", width=width)
        for model in [m for m in record.models if m.shown is not None and not m.ok][:MOST_COMPLAINTS]:
            console.print(Text(f"{model.name}: {model.status}"), style="dim", width=width)
        console.print()
    if record.partial:
        done = f"after {record.plan.draws} of {record.plan.draws_planned} draws"
        console.print(Text(f"Partial result: {record.partial}, {done}."), style="bold", width=width)
    console.print(Text(record.verdict), style="bold", width=width)
    if not quiet:
        console.print(Text(record.would_change), width=width)
        if record.leader is not None:
            console.print(Text(leader_sentence(record)), width=width)
        if why := why_sentence(record):
            console.print(Text(why), width=width)
        method = f"{plan_sentence(record)} {interval_sentence(record)} {pairs_sentence(record)}"
        if tuned := tuning_sentence(record):
            method += f" {tuned}"
        console.print(Text(method), style="dim", width=width)
        for warning in record.warnings[:MOST_WARNINGS]:
            said = f"{warning.code} {warning.place}: {warning.cause}.".lstrip()
            console.print(Text(said, no_wrap=True, overflow="ellipsis"), style="dim", width=width)
        more = len(record.warnings) - MOST_WARNINGS
        if more > 0:
            console.print(f"and {more} more in the page and the saved result", style="dim", width=width)
    if page:
        console.print(Text(f"Page: {page}", overflow="fold"), width=width)


def _leaderboard(record: ComparisonRecord) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="ellipsis", no_wrap=True, max_width=34)
    table.add_column(f"held-out {record.metric.shown_as}", justify="right", no_wrap=True)
    table.add_column(f"{100 * record.level:g} % interval", justify="right", no_wrap=True)
    table.add_column("training", justify="right", no_wrap=True)
    table.add_column("against the first", no_wrap=True)
    verdicts = {pair.a: VERDICTS[pair.verdict] for pair in against_leader(record)}
    for place, model in enumerate(record.models[:MOST_MODELS]):
        against = "" if place == 0 else verdicts.get(model.name, "")
        table.add_row(
            *(Text(cell) for cell in _cells(model, against)),
            style="bold" if model.name == record.winner else "",
        )
    return table


def _cells(model: ModelRecord, against: str) -> tuple[str, ...]:
    if model.shown is None:
        return model.name, numbers.MISSING, numbers.MISSING, numbers.MISSING, model.status
    note = against if model.ok else f"{against}; see below".lstrip("; ")
    return (
        model.name,
        numbers.with_error(model.shown.estimate, model.shown.se),
        numbers.interval(model.shown.low, model.shown.high, model.shown.se),
        numbers.beside(model.train_shown, model.shown.se),
        note,
    )
