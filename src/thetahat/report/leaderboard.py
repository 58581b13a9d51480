"""The table of models on the terminal: names and estimates have priority over every other column."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from thetahat.display import numbers
from thetahat.report.figures import against_leader
from thetahat.report.names import LONGEST_NAME, shortened, shortened_apart
from thetahat.report.phrases import VERDICTS
from thetahat.results.comparison import ComparisonRecord, ModelRecord

__all__ = ["leaderboard"]

BETWEEN = 2
LONGEST_HEAD = 24
# A name is cut to this before the interval is left out, and to the least only if nothing else is left.
SHORT_NAME, LEAST_NAME = 24, 8


@dataclass(frozen=True, slots=True)
class _Column:
    """A column; the one with the lowest ``gives_way`` above 0 is left out first where there is no room."""

    head: str
    cells: tuple[str, ...]
    right: bool = True
    gives_way: int = 0
    folded: bool = False

    @property
    def heads(self) -> list[str]:
        """Its head, a line each, as wide as the cells need to be."""
        if not self.folded:
            return [self.head]
        words = max(map(cell_len, self.head.split()), default=1)
        return textwrap.wrap(self.head, max(words, *map(cell_len, self.cells)), break_on_hyphens=False)

    @property
    def width(self) -> int:
        """Letters that it takes."""
        return max(map(cell_len, (*self.heads, *self.cells)))


def leaderboard(record: ComparisonRecord, width: int, most: int) -> list[Text]:
    """Return the lines of the table, none wider than the terminal.

    Parameters
    ----------
    record : ComparisonRecord
        Models, best first.
    width : int
        Columns of the terminal.
    most : int
        How many models are shown.
    """
    models = record.models[:most]
    columns = _fitted(_columns(record, models), [model.name for model in record.models], width)
    depth = max(len(column.heads) for column in columns)
    # Heads stand on the lowest of their lines.
    heads = [[""] * (depth - len(column.heads)) + column.heads for column in columns]
    rows = [
        *([head[k] for head in heads] for k in range(depth)),
        *([column.cells[k] for column in columns] for k in range(len(models))),
    ]
    lines = []
    for place, row in enumerate(rows):
        model = models[place - depth] if place >= depth else None
        bold = model is None or model.name == record.winner
        lines.append(Text(_line(row, columns), style="bold" if bold else ""))
    return lines


def _columns(record: ComparisonRecord, models: Sequence[ModelRecord]) -> list[_Column]:
    verdicts = {pair.a: VERDICTS[pair.verdict] for pair in against_leader(record)}
    cells = [
        _cells(model, "" if at == 0 else verdicts.get(model.name, "")) for at, model in enumerate(models)
    ]
    shown_as = shortened(record.metric.shown_as, LONGEST_HEAD)
    heads = (
        ("model", False, 0),
        (f"held-out {shown_as}", True, 0),
        (f"{100 * record.level:g} % interval", True, 2),
        ("training", True, 1),
        ("against the first", False, 3),
    )
    return [
        _Column(head, tuple(row[k] for row in cells), right, gives_way)
        for k, (head, right, gives_way) in enumerate(heads)
    ]


def _cells(model: ModelRecord, against: str) -> tuple[str, ...]:
    if model.shown is None:
        return (model.name, *[numbers.MISSING] * 3, "no result")
    return (
        model.name,
        numbers.with_error(model.shown.estimate, model.shown.se),
        numbers.interval(model.shown.low, model.shown.high, model.shown.se),
        numbers.beside(model.train_shown, model.shown.se),
        against if model.ok else f"{against}; see below".lstrip("; "),
    )


def _fitted(columns: list[_Column], names: Sequence[str], width: int) -> list[_Column]:
    """Return the columns that fit: heads are folded, then columns left out, then names cut."""
    columns = _named(columns, names, LONGEST_NAME)
    if _total(columns) <= width:
        return columns
    columns = [
        _Column(c.head, c.cells, c.right, c.gives_way, folded=True) if c.gives_way or c.right else c
        for c in columns
    ]
    for gives_way, least in ((1, LONGEST_NAME), (2, SHORT_NAME), (3, SHORT_NAME)):
        columns = _named(columns, names, max(least, _room(columns, width)))
        if _total(columns) <= width:
            return columns
        columns = [column for column in columns if column.gives_way != gives_way]
    room = max(LEAST_NAME, _room(columns, width))
    columns = _named(columns, names, room)
    while _total(columns) > width and room > LEAST_NAME:
        # Letters that take two columns.
        room -= 1
        columns = _named(columns, names, room)
    return columns


def _named(columns: list[_Column], names: Sequence[str], most: int) -> list[_Column]:
    first = columns[0]
    cells = tuple(shortened_apart(names, most)[: len(first.cells)])
    return [_Column(first.head, cells, first.right), *columns[1:]]


def _room(columns: Sequence[_Column], width: int) -> int:
    """Return the letters left for names."""
    return min(LONGEST_NAME, width - _total(columns) + columns[0].width)


def _total(columns: Sequence[_Column]) -> int:
    return sum(column.width for column in columns) + BETWEEN * (len(columns) - 1)


def _line(cells: Sequence[str], columns: Sequence[_Column]) -> str:
    padded = []
    for cell, column in zip(cells, columns, strict=True):
        space = " " * (column.width - cell_len(cell))
        padded.append(space + cell if column.right else cell + space)
    return (" " * BETWEEN).join(padded).rstrip()
