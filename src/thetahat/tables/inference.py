"""What the cells of a text file mean: one type a column, found from every one of its cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from thetahat.tables.numbers import Marks, Reading, dotted_groups, loses_cells, written

__all__ = ["NA_VALUES", "WEAK_TOKENS", "Typed", "as_dates", "typed"]

# Blank, what statistics programs write, and the errors of spreadsheets.
NA_VALUES = (
    *("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "null", "NULL"),
    *("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
)
# Missing where all other cells of the column are numbers or dates; in a column of text they are text.
WEAK_TOKENS = ("-", "--", "?", "–", "—")

AUTO = Marks()
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
    forms : tuple of str
        How its numbers are written where they are no plain ones: see :class:`Reading`.
    marks : {"", "point", "comma"}
        What its cells say about the decimal mark of the file.
    two_ways : bool
        Whether its numbers can be read with a decimal point and with a decimal comma.
    """

    column: pl.Series
    missing: dict[str, int]
    ambiguous_days: bool = False
    forms: tuple[str, ...] = ()
    marks: str = ""
    two_ways: bool = False


def typed(
    cells: pl.Series,
    na_values: Iterable[str],
    weak: Iterable[str] = (),
    marks: Marks = AUTO,
) -> Typed:
    """Give a column of text the narrowest type that holds every cell that is not missing.

    Tried in order: whole numbers, numbers, true and false, days, moments, numbers as people write them;
    else it is text. Blanks around a number do not make it text; names that look like numbers stay text
    where a number would lose the cell.

    Parameters
    ----------
    cells : polars.Series of String
        The cells as they stand in the file.
    na_values : iterable of str
        Tokens that mean "missing", beside blank cells.
    weak : iterable of str
        Tokens that mean "missing" where all other cells are numbers or dates.
    marks : Marks
        The decimal mark and the thousands separator, where they are known.
    """
    words = cells.str.strip_chars()
    tokens = [token.strip() for token in na_values]
    found = _typed(cells, words, tokens, marks)
    tokens_too = [token for token in weak if token not in tokens]
    if found.column.dtype != pl.String or not words.is_in(tokens_too).any():
        return found
    other = _typed(cells, words, [*tokens, *tokens_too], marks)
    numbers = other.column.dtype.is_numeric() or other.column.dtype.is_temporal() or other.two_ways
    return other if numbers else found


def _typed(cells: pl.Series, words: pl.Series, tokens: list[str], marks: Marks) -> Typed:
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
        if len(numbers) - numbers.null_count() != some:
            continue
        if loses_cells(words, numbers):
            return Typed(text, missing)
        if dtype == pl.Float64 and marks.decimal == "," and dotted_groups(words):
            # The point is then a thousands separator.
            break
        return Typed(numbers, missing, marks=_marks_of(words) if dtype == pl.Float64 else "")
    flags = words.str.to_lowercase()
    if flags.is_in(["true", "false"]).sum() == some:
        return Typed(flags == "true", missing)
    days, ambiguous = _days(words, some)
    if days is not None:
        return Typed(days, missing)
    moments = _moments(words, some)
    if moments is not None:
        return Typed(moments, missing)
    reading = Reading() if ambiguous else written(words, marks)
    if reading.numbers is not None:
        return Typed(reading.numbers, missing, forms=reading.forms, marks=reading.marks)
    return Typed(text, missing, ambiguous, two_ways=reading.two_ways)


def as_dates(column: pl.Series) -> pl.Series | None:
    """Return a column of text as days or moments, or None where no one form fits all cells."""
    words = column.str.strip_chars()
    some = len(words) - words.null_count()
    days, ambiguous = _days(words, some)
    return days if days is not None or ambiguous else _moments(words, some)


def _marks_of(words: pl.Series) -> str:
    """Return what plain numbers say about the decimal mark: nothing where each point may group thousands."""
    return "" if dotted_groups(words) or not words.str.contains(".", literal=True).any() else "point"


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
