"""Numbers for people: as many digits as the error allows, a true minus sign, narrow spaces in thousands."""

from __future__ import annotations

import math

__all__ = [
    "MISSING",
    "beside",
    "count",
    "decimals_for",
    "duration",
    "figure",
    "interval",
    "number",
    "p_value",
    "power_of_ten",
    "times_ten",
    "with_error",
]

MISSING = "\N{EM DASH}"
MINUS = "\N{MINUS SIGN}"
# Unlike the thin space it does not let a browser break the line inside a number.
NARROW = "\N{NARROW NO-BREAK SPACE}"
SUPERSCRIPT = str.maketrans("-0123456789", "\N{SUPERSCRIPT MINUS}⁰¹²³⁴⁵⁶⁷⁸⁹")
# A number that would need more decimals, or more digits before the point, is written with a power of ten.
MOST_DECIMALS = 6
MOST_DIGITS = 9


def decimals_for(error: float | None, value: float | None = None) -> int:
    """Return the decimals that show two digits of an error, or three of the value where there is none."""
    if error is not None and math.isfinite(error) and error > 0:
        return 1 - _magnitude(float(f"{error:.1e}"))
    if value is None or value == 0 or not math.isfinite(value):
        return 2
    return 2 - _magnitude(float(f"{value:.2e}"))


def number(value: float | None, decimals: int) -> str:
    """Return a number with so many decimals; negative decimals round before the point."""
    if value is None or not math.isfinite(value):
        return MISSING
    if power := power_of_ten(value, decimals):
        return _signed(f"{value / 10.0**power:.{max(0, decimals + power)}f}") + times_ten(power)
    return _signed(f"{round(value, decimals):,.{max(0, decimals)}f}".replace(",", NARROW))


def power_of_ten(value: float, decimals: int) -> int:
    """Return the power of ten that a number with so many decimals is written with; 0 for none."""
    power = _magnitude(value) if value else 0
    return power if decimals > MOST_DECIMALS or power >= MOST_DIGITS else 0


def times_ten(power: int) -> str:
    """Return ``×10⁻⁹``."""
    return f"×10{str(power).translate(SUPERSCRIPT)}"


def figure(value: float | None) -> str:
    """Return a number without an error: three digits."""
    return MISSING if value is None else number(value, decimals_for(None, value))


def with_error(value: float, error: float | None) -> str:
    """Return ``0.977 ± 0.011``, or the value alone if there is no error."""
    if error is None:
        return figure(value)
    if error == 0:
        return f"{figure(value)} ± 0"
    decimals = decimals_for(error, value)
    return f"{number(value, decimals)} ± {number(error, decimals)}"


def beside(value: float | None, error: float | None) -> str:
    """Return a number with the digits of another's error, to stand beside it."""
    return number(value, decimals_for(error)) if error else figure(value)


def interval(low: float | None, high: float | None, error: float | None) -> str:
    """Return ``0.955 to 0.999``, with the digits of the error."""
    if low is None or high is None:
        return MISSING
    decimals = decimals_for(error or None, high - low or low)
    return f"{number(low, decimals)} to {number(high, decimals)}"


def p_value(p: float | None) -> str:
    """Return a p-value: three decimals, or ``< 0.001``."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(rows: float | None) -> str:
    """Return a count, thousands set apart."""
    return MISSING if rows is None else f"{rows:,.0f}".replace(",", NARROW)


def duration(seconds: float | None) -> str:
    """Return a time in the unit it is read in."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    for limit, unit, factor in ((1e-3, "µs", 1e6), (1.0, "ms", 1e3), (120.0, "s", 1.0)):
        if seconds < limit:
            return f"{seconds * factor:.3g}{NARROW}{unit}"
    return f"{seconds / 60:.3g}{NARROW}min"


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _signed(text: str) -> str:
    # What rounds to zero has no sign.
    if text.startswith("-") and not text.strip("-0." + NARROW):
        return text[1:]
    return text.replace("-", MINUS)
