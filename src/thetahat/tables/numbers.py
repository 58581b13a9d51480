"""Numbers as people write them: decimal commas, thousands separators, percent, currency, parentheses."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from thetahat.errors import UsageError

__all__ = ["CURRENCY", "Marks", "Reading", "dotted_groups", "loses_cells", "written"]

CURRENCY = r"[$€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|kr|zł"
# What groups digits beside the comma or the point: spaces and apostrophes, made alike before.
SPACES, APOSTROPHES = "[\x20\xa0\u2009\u202f]", "['’]"
# Writers of long numbers leave four digits ungrouped with spaces (1234, 12 345), but not with other marks.
UNGROUPED = {" ": 5}
# A version has minor numbers 0, 1, 2, … of which most occur.
DENSE, FEWEST_MINORS = 0.5, 10
POINT, COMMA = "point", "comma"


@dataclass(frozen=True, slots=True)
class Marks:
    """The decimal mark and the thousands separator; None where the cells decide.

    Parameters
    ----------
    decimal : {".", ","}, optional
        What separates the decimals.
    thousands : str, optional
        What groups the digits: a comma, a point, a space, an apostrophe or an underscore.
    """

    decimal: str | None = None
    thousands: str | None = None

    @classmethod
    def of(cls, decimal: str | None, thousands: str | None) -> Marks:
        """Return the marks that were asked for.

        Raises
        ------
        UsageError
            They are no such marks, or one and the same.
        """
        thousands = {"space": " ", "’": "'"}.get(thousands or "", thousands)
        if decimal not in (None, ".", ","):
            raise UsageError(f"decimal: '.' or ',' is expected, not {decimal!r}")
        if thousands not in (None, ".", ",", " ", "'", "_"):
            raise UsageError(f"thousands: one of , . ' _ or space is expected, not {thousands!r}")
        if decimal is not None and decimal == thousands:
            raise UsageError(f"decimal, thousands: both are {decimal!r}; one mark has one meaning")
        if decimal is None and thousands in (".", ","):
            decimal = "," if thousands == "." else "."
        return cls(decimal, thousands)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A column of text read as numbers.

    Parameters
    ----------
    numbers : polars.Series or None
        The numbers; None where the cells can be read in two ways, or in none.
    forms : tuple of str
        How they are written: "decimal comma", "thousands", "percent", "currency", "parentheses".
    marks : {"", "point", "comma"}
        What the cells say about the decimal mark.
    two_ways : bool
        Whether a decimal point and a decimal comma both fit, with other numbers.
    """

    numbers: pl.Series | None = None
    forms: tuple[str, ...] = ()
    marks: str = ""
    two_ways: bool = False


def written(words: pl.Series, marks: Marks) -> Reading:
    """Read numbers in the one way of writing them that fits every cell.

    Parameters
    ----------
    words : polars.Series of String
        Cells without blanks around them, null where missing; some are no plain numbers.
    marks : Marks
        As asked for.
    """
    if not words.drop_nulls().head(1).str.contains(r"\d").all():
        return Reading()
    parts = _parts(words)
    if parts is None:
        return Reading()
    body, negative, forms = parts
    point = _body(body, negative, ".", marks.thousands) if marks.decimal in (None, ".") else None
    comma = _body(body, negative, ",", marks.thousands) if marks.decimal in (None, ",") else None
    if point is None and comma is None:
        return Reading()
    if point is not None and comma is not None:
        one, other = (numbers.cast(pl.Float64) for numbers, _ in (point, comma))
        if not one.equals(other, null_equal=True):
            return Reading(two_ways=True)
        return Reading(point[0], (*_grouping(point[1]), *forms))
    if comma is None:
        assert point is not None
        return Reading(point[0], (*_grouping(point[1]), *forms), POINT)
    if marks.decimal is None and _commas_may_group(body):
        return Reading(two_ways=True)
    decimal = ("decimal comma",) if body.str.contains(",", literal=True).any() else ()
    return Reading(comma[0], (*decimal, *_grouping(comma[1]), *forms), COMMA)


def _commas_may_group(body: pl.Series) -> bool:
    """Tell whether each comma stands where it may group thousands, beside numbers that are not grouped."""
    commas = body.drop_nulls().filter(body.drop_nulls().str.contains(",", literal=True))
    return bool(len(commas)) and bool(commas.str.contains(r"^[1-9]\d{0,2},\d{3}$").all())


def _grouping(grouped: bool) -> tuple[str, ...]:
    return ("thousands",) if grouped else ()


def loses_cells(words: pl.Series, numbers: pl.Series) -> bool:
    """Tell whether a number would lose cells that are names: 01, 1E999, 20 digits, 1.10 beside 1.1.

    Parameters
    ----------
    words : polars.Series of String
        The cells, null where missing.
    numbers : polars.Series
        The same as numbers.
    """
    if words.str.contains(r"^[+-]?0\d+$").any():
        return True
    if numbers.dtype != pl.Float64:
        return False
    if (numbers.is_infinite() & words.str.contains(r"\d")).any():
        return True
    whole = words.filter((numbers.abs() >= 2.0**63) & words.str.contains(r"^[+-]?\d+$"))
    if any(int(word) != int(float(word)) for word in whole.to_list()):
        return True
    if words.n_unique() == numbers.n_unique():
        return False
    # Digits before a bare exponent, as in 12e3, are no scientific notation of a program.
    return bool(words.str.contains(r"^\d{2,}[eE]\d+$").any()) or _versions(words.drop_nulls())


def dotted_groups(words: pl.Series) -> bool:
    """Tell whether every point stands where it may group thousands: 1.234, but neither 0.5 nor 1.2345."""
    present = words.drop_nulls()
    dotted = present.str.contains(".", literal=True)
    grouped = present.str.contains(r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$")
    plain = present.str.contains(r"^[+-]?\d{1,3}$")
    return bool(dotted.any()) and bool((grouped | plain).all())


def _parts(words: pl.Series) -> tuple[pl.Series, pl.Series, tuple[str, ...]] | None:
    """Return digits and marks of each cell, which are negative, and the signs that all cells share."""
    plain = words.str.replace_all(SPACES, " ").str.replace_all(APOSTROPHES, "'").str.replace_all("−", "-")
    bracketed = plain.str.contains(r"^\(.*\)$")
    plain = plain.str.replace(r"^\((.*)\)$", "${1}")
    shape = (
        rf"^(?P<minus>[+-]?) ?(?P<before>{CURRENCY})? ?(?P<sign>[+-]?) ?"
        rf"(?P<body>[\d.,][\d.,' _]*(?:[eE][+-]?\d+)?) ?(?P<after>%|{CURRENCY})?$"
    )
    found = plain.str.extract_groups(shape).struct.unnest()
    body = found.get_column("body").str.strip_chars()
    if body.null_count() != words.null_count():
        return None
    present = words.is_not_null()
    minus, sign = (found.get_column(name).fill_null("") for name in ("minus", "sign"))
    if ((minus != "") & (sign != "")).any() or (bracketed.fill_null(False) & (minus + sign != "")).any():
        return None
    before, after = (found.get_column(name).filter(present).fill_null("") for name in ("before", "after"))
    # One unit for all cells, in the same place: 5 € beside 5 $ is no number.
    if before.n_unique() != 1 or after.n_unique() != 1 or (before[0] and after[0]):
        return None
    unit = before[0] or after[0]
    forms = ("percent",) if unit == "%" else ("currency",) if unit else ()
    if bracketed.any():
        forms = (*forms, "parentheses")
    return body, bracketed.fill_null(False) | (minus == "-") | (sign == "-"), forms


def _body(
    body: pl.Series, negative: pl.Series, decimal: str, thousands: str | None
) -> tuple[pl.Series, bool] | None:
    """Return the numbers with this decimal mark, and whether digits are grouped; None if it does not fit."""
    other = "," if decimal == "." else "."
    candidates = [thousands] if thousands is not None else [other, " ", "'"]
    D = "\\" + decimal
    exponent = r"(?:[eE][+-]?\d+)?"
    ungrouped = rf"^(?:(?:0|[1-9]\d*)(?:{D}\d+)?|{D}\d+){exponent}$"
    alone = body.str.contains(ungrouped).fill_null(True)
    used = [mark for mark in candidates if body.str.contains(mark, literal=True).any()]
    if len(used) > 1:
        return None
    grouped = bool(used)
    if grouped:
        (mark,) = used
        group = rf"^[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+(?:{D}\d+)?$"
        fits = alone | body.str.contains(group).fill_null(True)
        digits = UNGROUPED.get(mark, 4)
        if thousands is None and body.str.contains(rf"^\d{{{digits},}}").any():
            return None
        body = body.str.replace_all(mark, "", literal=True)
    else:
        fits = alone
    if not fits.all():
        return None
    body = body.str.replace_all(decimal, ".", literal=True)
    numbers = body.cast(pl.Int64, strict=False)
    if numbers.null_count() != body.null_count():
        numbers = body.cast(pl.Float64, strict=False)
        if numbers.null_count() != body.null_count() or loses_cells(body, numbers):
            return None
    signed = pl.select(pl.when(negative).then(-numbers).otherwise(numbers).alias("")).to_series()
    return signed, grouped


def _versions(words: pl.Series) -> bool:
    """Tell whether the cells are versions, as 1.9, 1.10, 1.11: minor numbers that count up from 0 or 1."""
    minors = words.str.extract(r"^\d+\.(0|[1-9]\d*)$")
    if minors.null_count():
        return False
    places = minors.cast(pl.Int64, strict=False)
    highest = places.max()
    if places.null_count() or not isinstance(highest, int) or highest < FEWEST_MINORS:
        return False
    return places.n_unique() >= DENSE * highest
