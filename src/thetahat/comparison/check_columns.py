"""What each column holds, and whether a learner can be shown it: structure alone, the target unseen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from thetahat.contracts import IntArray
from thetahat.errors import Code, Problem, Severity
from thetahat.tables.identifiers import names_rows
from thetahat.tables.numbers import CURRENCY
from thetahat.tables.phrases import as_kind, counted, listed, option, rows_named, shown

__all__ = [
    "Finding",
    "joined_strays",
    "feature_finding",
    "suspected_codes",
    "infinities",
    "kind_of",
    "missing_cells",
    "stray_text",
    "too_many_levels",
]

ColumnKind = Literal["number", "category", "boolean", "date", "unknown"]

# A level is learned from its own rows: fewer than three a level, over many levels, is learning by heart.
MANY_LEVELS = 20
ROWS_A_LEVEL = 3
# Whole numbers of so many values may be codes; of two they make no difference to most learners.
FEWEST_CODES, MOST_CODES = 3, 10
# Text is taken for numbers gone wrong when at least so many cells, and this share of them, are numbers.
FEWEST_NUMBERS = 5
MOSTLY_NUMBERS = 0.8

DRESSED = "numbers use a decimal comma, separators or currency signs"
# A number with a currency, a percent sign, thousands separators, a decimal comma or brackets around it.
DECORATED = (
    rf"^[(+\-−]?\s*({CURRENCY})?\s*[+\-−]?(\d{{1,3}}([,.'’ \x{{a0}}\x{{202f}}]\d{{3}})+|\d+)?([.,]\d+)?"
    rf"\s*(%|{CURRENCY})?\)?$"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a column that might be a feature.

    Parameters
    ----------
    kind : str
        What it holds.
    levels : int or None
        How many different values, for categories and booleans.
    excluded : str
        Why no learner is shown it; empty for a feature.
    problems : tuple of Problem
        What is wrong with it.
    """

    kind: ColumnKind
    levels: int | None = None
    excluded: str = ""
    problems: tuple[Problem, ...] = ()


def kind_of(column: pl.Series) -> ColumnKind:
    """Return what a column in normal form holds; "unknown" for what no learner can take."""
    dtype = column.dtype
    if dtype in (pl.Int64, pl.Float64):
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype == pl.String:
        return "category"
    return "date" if dtype == pl.Date or isinstance(dtype, pl.Datetime) else "unknown"


def feature_finding(column: pl.Series, rows: IntArray | None = None, *, asked: bool = False) -> Finding:
    """Look at a column that might be a feature.

    Parameters
    ----------
    column : polars.Series
        A column of a table in normal form, on the rows that are used.
    rows : ndarray of int, optional
        The place of each of them in the table, for messages; all rows in order if not given.
    asked : bool
        Whether its kind was asked for; it is then neither an identifier nor stray text.
    """
    if column.null_count() == len(column):
        return Finding("unknown", excluded="no value in any row")
    kind = kind_of(column)
    if kind == "unknown":
        return Finding(kind, excluded=f"values of type {column.dtype} are not understood")
    present = column.drop_nulls()
    different = present.n_unique()
    levels = different if kind in ("category", "boolean") else None
    # A missing category is a level of its own; any other missing value is filled with the constant.
    if different == 1 and (kind != "category" or len(present) == len(column)):
        return Finding(kind, levels, excluded="the same value in every row")
    if kind == "category" and not asked:
        stray = stray_text(column, rows)
        if stray is not None:
            return Finding(kind, levels, problems=(stray,))
    if not asked and names_rows(column):
        return Finding(kind, levels, "an identifier: another value in every row", (_identifier(column),))
    if kind == "category":
        many = too_many_levels(column, different)
        if many is not None:
            return Finding(kind, levels, problems=(many,))
    return Finding(kind, levels)


def suspected_codes(frame: pl.DataFrame, names: Iterable[str]) -> list[Problem]:
    """Return a notice of whole numbers of so few values that they may be codes of categories.

    Counts from 0 and runs of years are left alone: they are numbers more often than not.
    """
    found = [name for name in names if _may_be_codes(frame.get_column(name).drop_nulls())]
    if not found:
        return []
    cause = "whole numbers of few values may be codes of categories; they are used as numbers"
    cure = f"If they are codes, use {as_kind(found, 'category')}"
    place = f"column{'s' if len(found) > 1 else ''} {listed(found)}"
    return [Problem(Code.STRAY_TEXT, cause, place, cure, Severity.NOTICE)]


def _may_be_codes(present: pl.Series) -> bool:
    if present.dtype != pl.Int64:
        return False
    values = present.unique().sort()
    few = FEWEST_CODES <= len(values) <= MOST_CODES and len(present) >= ROWS_A_LEVEL * len(values)
    if not few:
        return False
    low, high = int(values[0]), int(values[-1])
    return low == 1 or (low > 1 and high - low >= len(values))


def stray_text(column: pl.Series, at: IntArray | None = None) -> Problem | None:
    """Return the problem of a text column that is numbers but for some cells, if it is one (TH106)."""
    counts = column.drop_nulls().value_counts()
    cells, rows = counts.get_column(column.name), counts.get_column(counts.columns[1])
    words = cells.str.strip_chars()
    plain = words.cast(pl.Float64, strict=False).is_not_null()
    dressed = words.str.contains(DECORATED) & words.str.contains(r"\d")
    total = int(rows.sum())
    numbers = int(rows.filter(plain | dressed).sum())
    if plain.all() or numbers < FEWEST_NUMBERS or numbers < MOSTLY_NUMBERS * total:
        return None
    first = {cell: int((column == cell).arg_max() or 0) for cell in _first_of(column, cells.filter(~plain))}
    strays = int(rows.filter(~plain).sum())
    examples = ", ".join(f"{shown(cell)} in {rows_named(_at([row], at))}" for cell, row in first.items())
    cause = f"{counted(numbers, 'cell')} of {total} are numbers, and {strays} not plain ones ({examples})"
    if numbers == total:
        cause = f"{DRESSED} ({examples}), so the column is text"
    undressed = list(cells.filter(~plain & ~dressed))
    clean = "write the numbers plainly, as 1234.5" if dressed.filter(~plain).any() else "mend the cells"
    cure = clean[0].upper() + clean[1:]
    if undressed:
        cells_meant = [cell for cell in first if cell in set(undressed)] or undressed[:1]
        cure = f"If {listed(cells_meant)} means missing, use {option('na_values', cells_meant[0].strip())}"
        cure += f"; else {clean}"
    return Problem(
        Code.STRAY_TEXT, cause, _place(column), f"{cure}, or leave the column out: {_drop(column)}"
    )


def joined_strays(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems, those of columns whose numbers are all written in a way of their own made one."""
    dressed = [problem for problem in problems if problem.cause.startswith(DRESSED)]
    if len(dressed) < 2:
        return list(problems)
    first = dressed[0]
    more = f"{first.place} and {counted(len(dressed) - 1, 'column')} more"
    cause = first.cause.replace("so the column is text", "so they are text")
    cure = "Write them plainly, as 1234.5, or name the marks of a text file by --decimal and --thousands"
    one = replace(first, place=more, cause=cause, cure=cure)
    return [one if problem is first else problem for problem in problems if problem not in dressed[1:]]


def too_many_levels(column: pl.Series, different: int) -> Problem | None:
    """Return the problem of a category with fewer than three rows a level, if it is one (TH107)."""
    rows = len(column) - column.null_count()
    if different <= MANY_LEVELS or rows >= ROWS_A_LEVEL * different:
        return None
    cause = f"{counted(different, 'level')} in {counted(rows, 'row')}, more than rows can teach"
    numeric = column.dtype == pl.String and (
        column.cast(pl.Float64, strict=False).null_count() == column.null_count()
    )
    cure = "Store them as numbers if they are numbers, or leave" if numeric else "Join rare levels, or leave"
    return Problem(Code.TOO_MANY_LEVELS, cause, _place(column), f"{cure} the column out: {_drop(column)}")


def infinities(column: pl.Series, at: IntArray | None = None) -> Problem | None:
    """Return the problem of infinite cells, if there are any (TH103)."""
    if column.dtype != pl.Float64:
        return None
    rows = column.is_infinite().fill_null(False).arg_true().to_list()
    if not rows:
        return None
    cause = f"{counted(len(rows), 'infinite value')}, in {rows_named(_at(rows, at))}"
    cure = f"Mend the cells or leave them empty, or leave the column out: {_drop(column)}"
    return Problem(Code.NOT_FINITE, cause, _place(column), cure)


def missing_cells(column: pl.Series, cure: str, at: IntArray | None = None) -> Problem | None:
    """Return the problem of missing cells where none may be, if there are any (TH103)."""
    rows = column.is_null().arg_true().to_list()
    if not rows:
        return None
    if len(rows) == len(column):
        return Problem(Code.NOT_FINITE, "every value is missing", _place(column), "Name another column")
    cause = f"{counted(len(rows), 'value is', 'values are')} missing, in {rows_named(_at(rows, at))}"
    return Problem(Code.NOT_FINITE, cause, _place(column), cure)


def _at(rows: list[int], at: IntArray | None) -> list[int]:
    """Return the rows of the table at these places among the rows that are used."""
    return rows if at is None else [int(row) for row in at[np.asarray(rows, dtype=np.int64)]]


def _identifier(column: pl.Series) -> Problem:
    what, kind = ("text", "category") if column.dtype == pl.String else ("whole number", "number")
    return Problem(
        Code.TELLTALE_COLUMN,
        f"another {what} in every row, so it names the rows and is left out",
        _place(column),
        f"{as_kind(column.name, kind)} keeps it, {_drop(column)} says that it is meant to go",
        Severity.NOTICE,
    )


def _first_of(column: pl.Series, cells: pl.Series) -> list[str]:
    """Return up to three of these cells, the first to stand in the column first."""
    found = column.filter(column.is_in(cells.implode())).unique(maintain_order=True)
    return [str(cell) for cell in found.head(3)]


def _place(column: pl.Series) -> str:
    return f"column {shown(column.name)}"


def _drop(column: pl.Series) -> str:
    return option("drop", column.name)
