"""What the cells of a text file mean: one type a column, found from every one of its cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

__all__ = ["Typed", "typed"]

DAYS = {
    r"^\d{4}-\d{1,2}-\d{1,2}$": ("%Y-%m-%d",),
    r"^\d{4}/\d{1,2}/\d{1,2}$": ("%Y/%m/%d",),
    r"^\d{1,2}\.\d{1,2}\.\d{4}$": ("%d.%m.%Y",),
    r"^\d{1,2}/\d{1,2}/\d{4}$": ("%d/%m/%Y", "%m/%d/%Y"),
}
MOMENT = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
ZONE = r"(Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, slots=True)
class Typed:
    """A column with its type.

    Parameters
    ----------
    column : polars.Series
        The values, null where missing.
    missing : dict of str to int
        How many cells of each non-blank token were read as missing.
    ambiguous_days : bool
        Whether it holds dates that may be day/month or month/day, and so stayed text.
    """

    column: pl.Series
    missing: dict[str, int]
    ambiguous_days: bool = False


def typed(cells: pl.Series, na_values: Iterable[str]) -> Typed:
    """Give a column of text the narrowest type that holds every cell that is not missing.

    Tried in order: whole numbers, numbers, true and false, days, moments; else it is text. Blanks
    around a number do not make it text.

    Parameters
    ----------
    cells : polars.Series of String
        The cells as they stand in the file.
    na_values : iterable of str
        Tokens that mean "missing", beside blank cells.
    """
    words = cells.str.strip_chars()
    tokens = [token.strip() for token in na_values]
    is_token = words.is_in([token for token in tokens if token])
    found = words.filter(is_token).value_counts()
    missing = dict(sorted(zip(found[cells.name].to_list(), found["count"].to_list(), strict=True)))
    is_missing = is_token | (words == "")
    text = _where(cells, ~is_missing)
    words = _where(words, ~is_missing)
    some = len(words) - words.null_count()
    if not some:
        return Typed(words.cast(pl.Null), missing)
    for dtype in (pl.Int64, pl.Float64):
        numbers = words.cast(dtype, strict=False)
        if len(numbers) - numbers.null_count() == some:
            return Typed(numbers, missing)
    flags = words.str.to_lowercase()
    if flags.is_in(["true", "false"]).sum() == some:
        return Typed(flags == "true", missing)
    days, ambiguous = _days(words, some)
    if days is not None:
        return Typed(days, missing)
    moments = _moments(words, some)
    return Typed(text if moments is None else moments, missing, ambiguous)


def _where(column: pl.Series, keep: pl.Series) -> pl.Series:
    return column.set(~keep, None)


def _days(words: pl.Series, some: int) -> tuple[pl.Series | None, bool]:
    """Return the column as days, where one way of writing them fits all cells and only one."""
    first = words.drop_nulls().head(1)
    for pattern, formats in DAYS.items():
        if not first.str.contains(pattern).all() or words.str.contains(pattern).sum() != some:
            continue
        read = [words.str.to_date(form, strict=False) for form in formats]
        fitting = [days for days in read if len(days) - days.null_count() == some]
        if len(fitting) > 1 and not fitting[0].equals(fitting[1], null_equal=True):
            return None, True
        return (fitting[0] if fitting else None), False
    return None, False


def _moments(words: pl.Series, some: int) -> pl.Series | None:
    """Return the column as moments; where all of them have a zone, in UTC."""
    first = words.drop_nulls().head(1)
    if not first.str.contains(MOMENT).all():
        return None
    zones = words.str.contains(MOMENT + ZONE).sum()
    form = "%Y-%m-%d %H:%M:%S%.f"
    plain = words.str.replace("T", " ", literal=True)
    if zones == some:
        form += "%z"
        plain = plain.str.replace("Z$", "+00:00")
        tail = r"([+-]\d{2}:?\d{2})"
    elif zones == 0 and words.str.contains(MOMENT + "$").sum() == some:
        tail = ""
    else:
        return None
    plain = plain.str.replace(rf"^(\S+ \d{{1,2}}:\d{{2}}){tail}$", r"${1}:00" + ("${2}" if tail else ""))
    moments = plain.str.to_datetime(form, strict=False, time_unit="us")
    if len(moments) - moments.null_count() != some:
        return None
    return moments.dt.replace_time_zone(None) if zones else moments
