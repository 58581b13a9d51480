"""One door for every table: a path, or a frame of any library."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

import polars as pl

from thetahat.errors import Code, Problem, Severity, UsageError
from thetahat.tables.files import as_path, binary_frame, content_of, no_table
from thetahat.tables.frames import PLACE, from_frame, normal
from thetahat.tables.inference import typed
from thetahat.tables.phrases import counted, listed, option, shown
from thetahat.tables.table import Table
from thetahat.tables.text import cells_of, decoded

__all__ = ["NA_VALUES", "read"]

NA_VALUES = ("", "NA", "NaN", "nan", "null", "NULL")
TABBED = {".tsv", ".tab"}


def read(
    source: Any,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
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
        Text that means "missing" beside blank cells, in text files beside ``NA``, ``NaN``, ``nan``,
        ``null`` and ``NULL`` too. A list that has the empty text in it is the whole list: ``[""]``
        leaves blank cells alone.

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
    notes: list[Problem] = []
    if isinstance(source, str | os.PathLike):
        path = as_path(source)
        content, place, backend, name = content_of(path), shown(path), "polars", path.name
        found = binary_frame(content, path)
        if found is None:
            by_suffix = "\t" if TABBED & {suffix.lower() for suffix in path.suffixes} else ","
            text = decoded(content, encoding, place)
            tokens = tuple(na_values or ()) if "" in (na_values or ()) else (*NA_VALUES, *(na_values or ()))
            columns, notes = _typed_columns(text, by_suffix if sep is None else sep, tokens, place)
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
    text: str, sep: str, tokens: Collection[str], place: str
) -> tuple[list[pl.Series], list[Problem]]:
    cells = cells_of(text, sep, place)
    columns: list[pl.Series] = []
    missing: dict[str, dict[str, int]] = {}
    ambiguous = []
    for header, cell in zip(cells.header, cells.columns, strict=True):
        found = typed(cell, tokens)
        columns.append(normal(found.column).alias(header))
        for token, count in found.missing.items():
            missing.setdefault(token, {})[header] = count
        if found.ambiguous_days:
            ambiguous.append(header)
    notes = [_read_as_missing(token, where, place) for token, where in missing.items()]
    if ambiguous:
        notes.append(
            Problem(
                Code.STRAY_TEXT,
                f"day and month cannot be told apart in {listed(ambiguous)}, which stays text",
                place,
                "Write dates as 2026-01-31",
                Severity.NOTICE,
            )
        )
    return columns, notes


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
