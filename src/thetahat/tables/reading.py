"""One door for every table: a path, or a frame of any library."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

import polars as pl

from thetahat.errors import Code, Problem, Severity, UsageError
from thetahat.tables.files import as_path, binary_frame, content_of, no_table
from thetahat.tables.frames import PLACE, from_frame, normal
from thetahat.tables.inference import NA_VALUES, WEAK_TOKENS, Typed, typed
from thetahat.tables.numbers import Marks
from thetahat.tables.phrases import as_kind, counted, listed, option, shown
from thetahat.tables.table import Table
from thetahat.tables.text import cells_of, decoded

__all__ = ["NA_VALUES", "read"]

TABBED = {".tsv", ".tab"}
NOTICE = Severity.NOTICE


def _kept_as_text(name: str) -> str:
    return f"if they are codes and no numbers, use {as_kind(name, 'category')}"


# What is said of each way of writing numbers.
FORMS = {
    "decimal comma": "decimal commas were read",
    "thousands": "thousands separators were left out",
    "percent": "12 % was read as 12",
    "currency": "currency signs were left out",
    "parentheses": "numbers in parentheses were read as negative",
}


def _otherwise(form: str, name: str) -> str:
    """Say how to have it otherwise."""
    if form == "decimal comma":
        return f"If the comma is no decimal mark, use {option('thousands', ',')}"
    codes = _kept_as_text(name)
    return (
        f"If a mark separates decimals, name it by --decimal; {codes}"
        if form == "thousands"
        else codes[0].upper() + codes[1:]
    )


def read(
    source: Any,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> Table:
    """Read a table from a file or a data frame.

    Parameters
    ----------
    source : str, path or data frame
        CSV, TSV or other delimited text, Parquet, Arrow or Feather, each also compressed by gzip or
        zstd, known by its content; or a frame that narwhals knows (polars, pandas, pyarrow, modin…),
        or a polars lazy frame, which is collected.
    sep : str, optional
        Delimiter of a text file: one character, or "tab" or "space". A tab for ``.tsv`` and
        ``.tab``, else a comma.
    encoding : str, optional
        Encoding of a text file; UTF-8 if not given.
    na_values : collection of str, optional
        Text that means "missing" beside blank cells, in text files beside :data:`NA_VALUES` too and, among
        numbers and dates, ``-``, ``--`` and ``?``. A list that has the empty text in it is the whole list:
        ``[""]`` leaves blank cells alone.
    decimal : {".", ","}, optional
        Decimal mark of a text file; if not given, the one that fits all its numbers.
    thousands : str, optional
        What groups the digits in a text file: a comma, a point, an apostrophe, an underscore or "space".

    Returns
    -------
    Table
        The rows in normal form. An index of pandas is left out; a column without a name is called
        "column 1" by its place.

    Raises
    ------
    DataError
        TH105, TH108 or TH109: there is no table to be had from this.
    UsageError
        ``sep`` or ``encoding`` cannot be meant.
    """
    if isinstance(na_values, str):
        raise UsageError(f"na_values: a list of texts is expected, as [{na_values!r}]")
    marks = Marks.of(decimal, thousands)
    notes: list[Problem] = []
    if isinstance(source, str | os.PathLike):
        path = as_path(source)
        content, place, backend, name = content_of(path), shown(path), "polars", path.name
        found = binary_frame(content, path)
        if found is None:
            by_suffix = "\t" if TABBED & {suffix.lower() for suffix in path.suffixes} else ","
            text = decoded(content, encoding, place)
            columns, notes = _typed_columns(text, by_suffix, sep, na_values or (), marks, place)
        else:
            columns = [normal(column, na_values or ()) for column in found.iter_columns()]
    else:
        found, backend = from_frame(source)
        place, name = PLACE, "data frame"
        columns = [normal(column, na_values or ()) for column in found.iter_columns()]
    names = _named([column.name for column in columns])
    notes += _unnamed([column.name for column in columns], names, place)
    frame = pl.DataFrame([column.alias(to) for column, to in zip(columns, names, strict=True)])
    if not frame.height or not frame.width:
        no_table(
            place, "the table has no row" if frame.width else "the table has no column", "Give one with rows"
        )
    return Table(frame, name, backend, tuple(notes))


def _typed_columns(
    text: str, usual: str, sep: str | None, na_values: Collection[str], marks: Marks, place: str
) -> tuple[list[pl.Series], list[Problem]]:
    cells = cells_of(text, sep, place, usual)
    alone = "" in na_values
    tokens, weak = (tuple(na_values), ()) if alone else ((*NA_VALUES, *na_values), WEAK_TOKENS)
    found = [typed(cell, tokens, weak, marks) for cell in cells.columns]
    said = {each.marks for each in found} - {""}
    decided = marks.decimal or _decimal_mark(said, cells.sep)
    for k, (each, cell) in enumerate(zip(found, cells.columns, strict=True)):
        # A point that may group thousands does so beside decimal commas, and beside nothing else.
        plain = each.column.dtype == pl.Float64 and not each.forms and not each.marks
        if each.two_ways or (plain and said == {"comma"}):
            found[k] = typed(cell, tokens, weak, Marks(decided, marks.thousands))
    columns = [normal(each.column).alias(name) for name, each in zip(cells.header, found, strict=True)]
    return columns, _notes(cells.header, found, place)


def _decimal_mark(said: Collection[str], sep: str) -> str | None:
    """Return the decimal mark of a file by the columns that have only one, or by its delimiter."""
    if len(said) == 1:
        return "," if "comma" in said else "."
    if said:
        return None
    # Spreadsheets delimit by semicolons where the comma is the decimal mark, and by commas elsewhere.
    return {",": ".", ";": ","}.get(sep)


def _notes(header: Sequence[str], found: Sequence[Typed], place: str) -> list[Problem]:
    """Return a notice for each kind of thing that was read otherwise than it stands there."""
    missing: dict[str, dict[str, int]] = {}
    forms: dict[str, list[str]] = {}
    for name, each in zip(header, found, strict=True):
        for token, count in each.missing.items():
            missing.setdefault(token, {})[name] = count
        for form in each.forms:
            forms.setdefault(form, []).append(name)
    notes = [_read_as_missing(token, where, place) for token, where in missing.items()]
    notes += [
        Problem(
            Code.STRAY_TEXT, f"{FORMS[form]} in {listed(names)}", place, _otherwise(form, names[0]), NOTICE
        )
        for form, names in forms.items()
    ]
    for names, cause, cure in (
        (
            [name for name, each in zip(header, found, strict=True) if each.ambiguous_days],
            "day and month cannot be told apart in {}, which stays text",
            "Write dates as 2026-01-31",
        ),
        (
            [name for name, each in zip(header, found, strict=True) if each.two_ways],
            "1,234 may be 1234 or 1.234 in {}, which stays text",
            f"Use {option('thousands', ',')} or {option('decimal', ',')}",
        ),
    ):
        if names:
            notes.append(Problem(Code.STRAY_TEXT, cause.format(listed(names)), place, cure, NOTICE))
    return notes


def _read_as_missing(token: str, where: dict[str, int], place: str) -> Problem:
    columns = listed(where)
    cells = counted(sum(where.values()), "cell")
    return Problem(
        Code.STRAY_TEXT,
        f"{shown(token)} was read as missing in {columns} ({cells})",
        place,
        f"If it is a value, use {option('na_values', '')}: then blank cells alone are missing",
        Severity.NOTICE,
    )


def _named(names: list[str]) -> list[str]:
    """Give a column without a name one that no other column has."""
    named = list(names)
    for place, name in enumerate(names):
        if not name.strip():
            own = f"column {place + 1}"
            while own in named:
                own += "′"
            named[place] = own
    return named


def _unnamed(before: list[str], after: list[str], place: str) -> list[Problem]:
    given = [new for old, new in zip(before, after, strict=True) if old != new]
    if not given:
        return []
    cause = f"a column without a header is called {listed(given)}"
    return [Problem(Code.DUPLICATE_HEADER, cause, place, "Give it a header of its own", Severity.NOTICE)]
