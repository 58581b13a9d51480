"""What an experiment brings back: numbers beside what the statement says they are, and a picture.

A statement holds when every number agrees with it. A number measured outside the condition of a
statement is a counter-example when it disagrees; the statement then holds only under that condition.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thetahat.results.theory import MeasureRecord, PlotRecord, SeriesRecord, Verdict, Words

__all__ = ["Evidence", "above", "below", "between", "near", "picture", "series", "verdict_of"]

# Standard errors that a number may lie away from what is claimed: of ten thousand numbers, one does.
ERRORS = 4.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Numbers and a picture.

    Parameters
    ----------
    measures : sequence of MeasureRecord
        What the verdict rests on.
    plot : PlotRecord
        The figure.
    """

    measures: Sequence[MeasureRecord]
    plot: PlotRecord


def between(
    what: Words, value: Any, low: float | None, high: float | None, error: Any = 0.0, *, counter: bool = False
) -> MeasureRecord:
    """Measure what is claimed to lie in an interval; it agrees unless it is clearly outside.

    Parameters
    ----------
    what : Words
        What was measured.
    value, error : float
        The number and its Monte-Carlo standard error.
    low, high : float or None
        The ends; ``None`` for none.
    counter : bool
        Whether it was measured outside the condition of the statement.
    """
    number, slack = float(value), ERRORS * float(error)
    agrees = (low is None or number >= low - slack) and (high is None or number <= high + slack)
    return _record(what, number, float(error), low, high, counter, agrees)


def near(
    what: Words,
    value: Any,
    claimed: float,
    error: Any = 0.0,
    *,
    within: float = 0.0,
    counter: bool = False,
) -> MeasureRecord:
    """Measure what is claimed to be a number, give or take ``within``."""
    return between(what, value, claimed - within, claimed + within, error, counter=counter)


def above(what: Words, value: Any, limit: float, error: Any = 0.0, *, counter: bool = False) -> MeasureRecord:
    """Measure what is claimed to exceed a limit; it agrees only where it clearly does."""
    clear = float(value) - (0.0 if counter else ERRORS * float(error))
    slack = ERRORS * float(error) if counter else 0.0
    return _record(what, float(value), float(error), limit, None, counter, clear + slack > limit)


def below(what: Words, value: Any, limit: float, error: Any = 0.0, *, counter: bool = False) -> MeasureRecord:
    """Measure what is claimed to stay under a limit; it agrees only where it clearly does."""
    clear = float(value) + (0.0 if counter else ERRORS * float(error))
    slack = ERRORS * float(error) if counter else 0.0
    return _record(what, float(value), float(error), None, limit, counter, clear - slack < limit)


def _record(
    what: Words,
    value: float,
    error: float,
    low: float | None,
    high: float | None,
    counter: bool,
    agrees: bool,
) -> MeasureRecord:
    finite = math.isfinite(value)
    return MeasureRecord(
        what,
        value if finite else None,
        error,
        None if low is None else float(low),
        None if high is None else float(high),
        counter,
        bool(agrees),
        "" if finite else repr(value),
    )


def verdict_of(measures: Sequence[MeasureRecord]) -> Verdict:
    """Return what follows from the numbers.

    Parameters
    ----------
    measures : sequence of MeasureRecord
        At least one of them measured under the condition of the statement.
    """
    if not all(each.agrees for each in measures if not each.counter):
        return "fails"
    countered = any(not each.agrees for each in measures if each.counter)
    return "holds only if" if countered else "holds"


def series(name: Words, x: Any, y: Any, error: Any = None, *, joined: bool = True) -> SeriesRecord:
    """Return points for a figure; those that are not finite are left out."""
    xs, ys = np.asarray(x, dtype=np.float64).ravel(), np.asarray(y, dtype=np.float64).ravel()
    errors = None if error is None else np.broadcast_to(np.asarray(error, dtype=np.float64), ys.shape)
    good = np.isfinite(xs) & np.isfinite(ys)
    return SeriesRecord(
        name,
        tuple(xs[good].tolist()),
        tuple(ys[good].tolist()),
        None if errors is None else tuple(errors[good].tolist()),
        joined,
    )


def picture(
    finding: Words,
    x: Words,
    y: Words,
    *shown: SeriesRecord,
    log: str = "",
    level: float | None = None,
    level_name: Words | None = None,
    ticks: Sequence[Words] = (),
) -> PlotRecord:
    """Return a figure; the parameters are those of :class:`~thetahat.results.theory.PlotRecord`."""
    return PlotRecord(finding, x, y, shown, log, level, level_name, tuple(ticks))
