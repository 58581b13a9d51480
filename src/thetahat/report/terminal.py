"""A comparison on the terminal: table, verdict, warnings, where the page is, in at most 24 lines."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from thetahat.display import numbers
from thetahat.report.leaderboard import leaderboard
from thetahat.report.metric import by_measure
from thetahat.report.names import ELLIPSIS, on_one_line
from thetahat.report.phrases import (
    failures,
    interval_sentence,
    leader_sentence,
    measure_sentence,
    notes,
    pairs_sentence,
    plan_sentence,
    positive_class,
    rows_sentence,
    tuning_sentence,
    why_sentence,
)
from thetahat.results.comparison import ComparisonRecord

__all__ = ["show"]

MOST_LINES = 24
MOST_WARNINGS = 3
MOST_MODELS, FEWEST_MODELS = 12, 4
MOST_COMPLAINTS, LINES_OF_COMPLAINT = 3, 2
MOST_MEASURES, LINES_OF_MEASURE = 4, 2
WIDEST = 100


@dataclass(frozen=True, slots=True)
class _Part:
    """A sentence; those whose ``gives_way`` is highest are left out first where there is no room, 0 never."""

    text: str
    gives_way: int = 0


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Sentences set as one paragraph, of at most so many lines."""

    parts: tuple[_Part, ...]
    style: str = ""
    most: int = MOST_LINES

    def lines(self, width: int, limit: int) -> list[Text]:
        """Return its lines, of the sentences that give way at most so late."""
        said = " ".join(part.text for part in self.parts if part.text and part.gives_way <= limit)
        return [Text(line, style=self.style) for line in wrapped(said, width, self.most)]


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
    last = [] if page is None else [Text(line) for line in wrapped(f"Page: {page}", width)]
    if quiet:
        lines = [line for each in _verdict(record) for line in each.lines(width, 0)]
    else:
        lines = _fitted(record, width, MOST_LINES - len(last))
    for line in (*lines, *last):
        # Lines are wrapped here: the console would break them inside numbers.
        console.print(line, width=width, overflow="fold")


def _fitted(record: ComparisonRecord, width: int, room: int) -> list[Text]:
    """Return the lines that fit: the least important sentences give way, then models of the table."""
    beside, paragraphs = _beside(record), _paragraphs(record)
    models = min(len(record.models), MOST_MODELS)
    table = _table(record, width, models)
    below: list[Text] = []
    for limit in range(max(part.gives_way for each in paragraphs for part in each.parts), -1, -1):
        said, rest = (
            [line for each in group for line in each.lines(width, limit)] for group in (beside, paragraphs)
        )
        below = [*said, Text(""), *rest]
        if len(table) + len(below) <= room:
            break
    while len(table) + len(below) > room and models > FEWEST_MODELS:
        models -= 1
        table = _table(record, width, models)
    return [*table, *below]


def _table(record: ComparisonRecord, width: int, models: int) -> list[Text]:
    lines = leaderboard(record, width, models)
    hidden = len(record.models) - models
    if hidden > 0:
        more = f"and {hidden} more {'model' if hidden == 1 else 'models'} in the saved result"
        lines.append(Text(more, style="dim"))
    return lines


def _verdict(record: ComparisonRecord) -> list[_Paragraph]:
    said = []
    if record.partial:
        done = f"after {record.plan.draws} of {record.plan.draws_planned} draws"
        said.append(_Paragraph((_Part(f"Partial result: {record.partial}, {done}."),), "bold"))
    return [*said, _Paragraph((_Part(record.verdict),), "bold")]


def _paragraphs(record: ComparisonRecord) -> list[_Paragraph]:
    """Return what is said from the verdict on."""
    rows = f"{numbers.count(record.data.rows_used)} rows"
    many = "" if f"on {rows}" in record.verdict else f"{rows_sentence(record)}."
    method = (
        _Part(many),
        _Part(plan_sentence(record), 2),
        _Part(interval_sentence(record), 3),
        _Part(pairs_sentence(record), 6),
        _Part(tuning_sentence(record), 9),
    )
    return [
        *_verdict(record),
        *_further(record),
        *_warnings(record, "warning"),
        _Paragraph((_Part(record.would_change, 4),)),
        _Paragraph((_Part(leader_sentence(record), 7),)),
        _Paragraph((_Part(why_sentence(record), 8),)),
        _Paragraph(method, "dim"),
        *_warnings(record, "notice"),
    ]


def _beside(record: ComparisonRecord) -> list[_Paragraph]:
    """Return what is said directly below the table: what the numbers are of, and who has none."""
    said = [
        *failures(record),
        *(f"{m.name}: {m.status}." for m in record.models if m.shown is not None and not m.ok),
    ]
    more = len(said) - MOST_COMPLAINTS
    shown = [
        _Paragraph((_Part(" ".join(notes(record))),), "dim"),
        *(_Paragraph((_Part(each),), "dim", LINES_OF_COMPLAINT) for each in said[:MOST_COMPLAINTS]),
    ]
    if more > 0:
        shown.append(_Paragraph((_Part(f"and {more} more in the saved result"),), "dim"))
    return shown


def _further(record: ComparisonRecord) -> list[_Paragraph]:
    seen = positive_class(record, record.metric)
    said = [
        measure_sentence(by_measure(record, each), positive=not seen)
        for each in record.measures[:MOST_MEASURES]
    ]
    more = len(record.measures) - MOST_MEASURES
    if more > 0:
        said.append(f"and by {more} more {'measure' if more == 1 else 'measures'} in the saved result")
    return [_Paragraph((_Part(each),), most=LINES_OF_MEASURE) for each in said]


def _warnings(record: ComparisonRecord, severity: str) -> list[_Paragraph]:
    """Return the warnings of a severity among the first few of all, a line each."""
    of_all = sorted(record.warnings, key=lambda warning: warning.severity != "warning")
    said = [
        f"{w.code} {w.place}: {w.cause}.".lstrip() for w in of_all[:MOST_WARNINGS] if w.severity == severity
    ]
    more = len(of_all) - MOST_WARNINGS
    if more > 0 and of_all[MOST_WARNINGS - 1].severity == severity:
        said.append(f"and {more} more in the page and the saved result")
    return [_Paragraph((_Part(each),), "dim", 1) for each in said]


def wrapped(text: str, width: int, most: int = MOST_LINES) -> list[str]:
    """Return the text in lines of so many columns, broken neither inside numbers nor at hyphens.

    Parameters
    ----------
    text : str
        What to wrap.
    width : int
        Columns of the terminal.
    most : int
        Lines; the last ends with an ellipsis if there would be more.
    """
    text = on_one_line(text)
    if cell_len(text) > len(text):
        # Letters that take two columns: half as many of them fit.
        width = max(1, width * len(text) // cell_len(text) - 1)
    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    if len(lines) > most:
        last = textwrap.wrap(lines[most - 1], width - 1, break_on_hyphens=False)[0]
        lines = [*lines[: most - 1], last + ELLIPSIS]
    return lines
