"""The kind of a column as its owner knows it: number, category, ordinal or date."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from thetahat.errors import Code, DataError, Problem, UsageError
from thetahat.tables.frames import normal
from thetahat.tables.inference import as_dates
from thetahat.tables.numbers import Marks, written
from thetahat.tables.phrases import listed, option, shown
from thetahat.tables.table import Table

__all__ = ["AskedKind", "asked_kinds", "kind_words", "with_kinds"]

KINDS = ("number", "category", "ordinal", "date", "text")


@dataclass(frozen=True, slots=True)
class AskedKind:
    """The kind of a column, and the levels of an ordinal one from the lowest to the highest."""

    kind: str
    levels: tuple[str, ...] = ()


def asked_kinds(kinds: Mapping[str, Any] | Iterable[str] | None) -> dict[str, AskedKind]:
    """Return the kind of each column that was named.

    Parameters
    ----------
    kinds : mapping or iterable of str
        ``{"A": "category", "C": ["low", "mid", "high"]}``, a list being the levels of an ordinal; or words of
        a command line, ``category:A,B`` and ``ordinal:C=low<mid<high``.

    Raises
    ------
    UsageError
        There is no such kind, or no encoder for it.
    """
    if kinds is None:
        return {}
    if isinstance(kinds, str):
        raise UsageError(f"kinds: a mapping is expected, as {{'A': 'category'}}, not {kinds!r}")
    found: dict[str, AskedKind] = {}
    pairs = kinds.items() if isinstance(kinds, Mapping) else _typed(kinds)
    for name, asked in pairs:
        if name in found:
            raise UsageError(f"kinds: {shown(name)} is named twice; a column has one kind")
        found[str(name)] = _kind(str(name), asked)
    return found


def _typed(words: Iterable[str]) -> Iterable[tuple[str, Any]]:
    for word in words:
        kind, mark, rest = str(word).partition(":")
        if not mark or not rest:
            raise UsageError(f"kinds: KIND:COLUMN is expected, as category:A,B, not {word!r}")
        if kind == "ordinal":
            name, _, levels = rest.partition("=")
            yield name, f"ordinal:{levels}"
        else:
            yield from ((name, kind) for name in rest.split(",") if name)


def _kind(name: str, asked: Any) -> AskedKind:
    if isinstance(asked, AskedKind):
        return asked
    if isinstance(asked, list | tuple):
        kind, levels = "ordinal", [str(level) for level in asked]
    elif isinstance(asked, str):
        kind, _, rest = asked.partition(":")
        levels = [level.strip() for level in rest.split("<") if level.strip()]
    else:
        raise UsageError(f"kinds: {shown(name)}: a kind or a list of levels is expected, not {asked!r}")
    if kind not in KINDS:
        raise UsageError(f"kinds: {shown(name)}: choose {', '.join(KINDS[:-1])}, not {kind!r}")
    if kind == "text":
        raise UsageError(
            f"kinds: {shown(name)}: no learner here reads free text; use category, or leave the column out: "
            f"{option('drop', name)}"
        )
    if kind == "ordinal" and (len(levels) < 2 or len(set(levels)) < len(levels)):
        raise UsageError(
            f"kinds: {shown(name)}: an ordinal takes two different levels or more, from the lowest, as "
            f"ordinal:{name}=low<mid<high"
        )
    if kind != "ordinal" and levels:
        raise UsageError(f"kinds: {shown(name)}: only an ordinal has levels")
    return AskedKind(kind, tuple(levels))


def kind_words(kinds: Mapping[str, Any] | Iterable[str] | None) -> list[str]:
    """Return the kinds as words of a command line."""
    return [
        f"ordinal:{name}={'<'.join(asked.levels)}" if asked.kind == "ordinal" else f"{asked.kind}:{name}"
        for name, asked in asked_kinds(kinds).items()
    ]


def with_kinds(table: Table, kinds: Mapping[str, AskedKind], target: str | None = None) -> Table:
    """Return a table whose columns have the kinds that were asked for.

    Parameters
    ----------
    table : Table
        In normal form.
    kinds : mapping of str to AskedKind
        By column. An ordinal becomes its codes 0, 1, 2, …; as the target it stays labels.
    target : str, optional
        The column to predict: numbers stay numbers there, since a task says what they are.

    Raises
    ------
    DataError
        TH101: there is no such column. TH106: its cells are not of this kind.
    """
    if not kinds:
        return table
    unknown = [_unknown(table.frame.columns, name) for name in kinds if name not in table.frame.columns]
    if unknown:
        raise DataError(unknown)
    columns, problems = [], []
    for name, asked in kinds.items():
        column = table.frame.get_column(name)
        if name == target and asked.kind == "category":
            continue
        changed = _converted(column, asked, name == target)
        if isinstance(changed, Problem):
            problems.append(changed)
        else:
            columns.append(changed.alias(name))
    if problems:
        raise DataError(problems)
    return replace(table, frame=table.frame.with_columns(columns), kinds=dict(kinds))


def _converted(column: pl.Series, asked: AskedKind, is_target: bool) -> pl.Series | Problem:
    if column.dtype == pl.Null:
        return column
    if asked.kind == "category":
        return _labels(column)
    if asked.kind == "ordinal":
        labels = _labels(column)
        strange = labels.drop_nulls().filter(~labels.drop_nulls().is_in(list(asked.levels)))
        if len(strange):
            cause = f"it holds {listed(strange.unique(maintain_order=True))}, which the order does not have"
            return _problem(column, cause, f"Name all levels from the lowest, as ordinal:{column.name}=a<b<c")
        if is_target:
            return labels
        return labels.replace_strict(
            list(asked.levels), list(range(len(asked.levels))), default=None, return_dtype=pl.Int64
        )
    if asked.kind == "date":
        if column.dtype.is_temporal():
            return column
        dates = as_dates(column) if column.dtype == pl.String else None
        cure = "Write dates as 2026-01-31"
        return _problem(column, "its cells are no dates of one form", cure) if dates is None else dates
    return _numbers(column)


def _numbers(column: pl.Series) -> pl.Series | Problem:
    if column.dtype.is_numeric():
        return column
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int64)
    if column.dtype != pl.String:
        return _problem(column, f"it holds {column.dtype}, not numbers", "Leave its kind to the reader")
    words = column.str.strip_chars()
    for dtype in (pl.Int64, pl.Float64):
        numbers = words.cast(dtype, strict=False)
        if numbers.null_count() == column.null_count():
            return normal(numbers)
    found = written(words, Marks()).numbers
    if found is not None:
        return normal(found)
    strange = column.filter(numbers.is_null() & column.is_not_null()).unique(maintain_order=True)
    cure = f"Mend the cells, or name those that mean missing: {option('na_values', str(strange[0]))}"
    return _problem(
        column, f"{listed(strange)} {'is not a number' if len(strange) == 1 else 'are not numbers'}", cure
    )


def _labels(column: pl.Series) -> pl.Series:
    """Return the values as text; whole numbers without a decimal point."""
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        if whole.null_count() == column.null_count() and (whole == column).all():
            column = whole
    return column.cast(pl.String)


def _problem(column: pl.Series, cause: str, cure: str) -> Problem:
    return Problem(Code.STRAY_TEXT, cause, f"column {shown(column.name)}", cure)


def _unknown(columns: list[str], name: str) -> Problem:
    near = difflib.get_close_matches(name, columns, n=1)
    cure = f"Did you mean {shown(near[0])}?" if near else f"The columns begin with {listed(columns, 12)}"
    return Problem(Code.NO_TARGET, "there is no such column", f"as {shown(name)}", cure)
