"""A statistic on many resamples, compiled for the common statistics.

The compiled loops have their own generator (SplitMix64, Steele, Lea and Flood 2014), seeded from the
caller's, so the same generator gives the same resamples, and no index is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.numerics.compiled import kernel, reassociating_kernel
from thetahat.numerics.moments import centred, variance

__all__ = ["left_out", "named", "plain", "resampled"]

NAMES = ("mean", "median", "variance", "std", "correlation")
# A difference that is a smaller part of its terms has lost more than half of its digits.
CANCELLED = 1e-8
# Relative rounding error of a sum of n terms, divided by n, is below this.
ROUNDED = 4 * float(np.finfo(np.float64).eps)
KNOWN: dict[Any, str] = {np.mean: "mean", np.median: "median", np.var: "variance", np.std: "std"}


def named(statistic: str | Callable[[FloatArray], Any], rows: FloatArray) -> str:
    """Return the name of a compiled statistic, or nothing for another function.

    Raises
    ------
    UsageError
        There is no statistic of this name, or it does not fit the rows.
    """
    if isinstance(statistic, type) or not (isinstance(statistic, str) or callable(statistic)):
        raise UsageError(
            f"statistic: a name or a function of the rows is expected, not {statistic!r}; give {NAMES[0]!r}, "
            "or a function"
        )
    # Callable objects need not be hashable.
    known = (each for function, each in KNOWN.items() if function is statistic)
    name = statistic if isinstance(statistic, str) else next(known, "")
    if name and name not in NAMES:
        raise UsageError(f"statistic: there is no {name!r}; choose one of {', '.join(NAMES)}, or a function")
    wanted = 2 if name == "correlation" else 1
    if name and (rows.ndim != wanted or (wanted == 2 and rows.shape[1] != 2)):
        if not isinstance(statistic, str):
            return ""
        shape = "(n, 2)" if wanted == 2 else "(n,)"
        raise UsageError(f"data: {name} takes rows of shape {shape}, not {rows.shape}")
    return name


def _correlation(rows: FloatArray) -> Any:
    return np.nan if _constant(rows) else np.asarray(np.corrcoef(centred(rows)[1].T))[0, 1]


def _constant(rows: FloatArray) -> bool:
    # Rounding may leave a constant column a spread.
    return bool((rows == rows[0]).all(axis=0).any())


def _deviation(rows: FloatArray) -> Any:
    return np.sqrt(variance(rows))


def plain(name: str, statistic: Any) -> Callable[[FloatArray], Any]:
    """Return a statistic as a function of rows, the reference for its compiled form."""
    functions: dict[str, Callable[[FloatArray], Any]] = {
        "mean": np.mean,
        "median": np.median,
        "variance": variance,
        "std": _deviation,
        "correlation": _correlation,
    }
    function: Callable[[FloatArray], Any] = functions[name] if name else statistic
    return function


def resampled(
    name: str, value: Callable[[FloatArray], Any], rows: FloatArray, count: int, rng: Generator
) -> FloatArray:
    """Return a statistic on ``count`` resamples of rows, shape (count,), or (count, k) for k numbers."""
    n = len(rows)
    if not name:
        return np.array([value(rows[rng.integers(n, size=n)]) for _ in range(count)], dtype=np.float64)
    seed = rng.integers(2**63, dtype=np.uint64)
    if name == "median":
        return _medians(np.sort(rows), count, seed)
    if name == "correlation":
        if _constant(rows):
            return np.full(count, np.nan)
        return _correlations(centred(rows)[1], count, seed)
    centre, away = centred(rows)
    sums = _sums(away, count, seed)
    if name == "mean":
        return np.asarray(centre + sums[:, 0] / n)
    spread = np.maximum(sums[:, 1] / n - (sums[:, 0] / n) ** 2, 0)
    return np.asarray(spread if name == "variance" else np.sqrt(spread))


def left_out(name: str, value: Callable[[FloatArray], Any], rows: FloatArray) -> FloatArray:
    """Return a statistic on the rows without each of them, by formula for the compiled ones."""
    n = len(rows)
    if name == "median":
        order = np.sort(rows)
        rank = np.empty(n, dtype=np.int64)
        rank[np.argsort(rows, kind="stable")] = np.arange(n)
        # The k-th of the n − 1 rows left is the k-th of all, or the next if it or an earlier one is removed.
        low, high = (n - 2) // 2, (n - 1) // 2
        return np.asarray(0.5 * (order[low + (rank <= low)] + order[high + (rank <= high)]))
    if not name:
        return np.array([value(np.delete(rows, i, axis=0)) for i in range(n)], dtype=np.float64)
    mean, away = centred(rows)
    m = n - 1
    if name == "correlation":
        if _constant(rows):
            return np.full(n, np.nan)
        u, v = away.T
        xx, yy, xy = (
            total - part - part_mean
            for total, part, part_mean in (
                (u @ u, u * u, u * u / m),
                (v @ v, v * v, v * v / m),
                (u @ v, u * v, u * v / m),
            )
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            without = np.asarray(xy / np.sqrt(xx * yy))
        # Without a row that holds nearly all of a column's spread, only rounding is left: recompute.
        for i in np.flatnonzero((xx <= CANCELLED * (u @ u)) | (yy <= CANCELLED * (v @ v))):
            without[i] = value(np.delete(rows, i, axis=0))
        return without
    if name == "mean":
        return np.asarray(mean - away / m)
    spread = (away @ away - away**2) / m - (away / m) ** 2
    for i in np.flatnonzero(spread <= CANCELLED * (away @ away) / m) if not _constant(rows[:, None]) else ():
        spread[i] = variance(np.delete(rows, i))
    return np.asarray(spread if name == "variance" else np.sqrt(spread))


@kernel
def _next(state: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the generator's next state and 64 random bits."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    bits = state
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, bits ^ (bits >> np.uint64(31))


@reassociating_kernel
def _sums(x: FloatArray, count: int, seed: np.uint64) -> FloatArray:
    """Return Σ x and Σ x² of each resample; each draw of 64 bits picks two rows."""
    n = np.uint64(len(x))
    out = np.empty((count, 2))
    state = seed
    for b in range(count):
        total, squares = 0.0, 0.0
        for _ in range(len(x) // 2):
            state, bits = _next(state)
            one = x[np.int64(((bits >> np.uint64(32)) * n) >> np.uint64(32))]
            two = x[np.int64(((bits & np.uint64(0xFFFFFFFF)) * n) >> np.uint64(32))]
            total += one + two
            squares += one * one + two * two
        if len(x) % 2:
            state, bits = _next(state)
            one = x[np.int64(((bits >> np.uint64(32)) * n) >> np.uint64(32))]
            total += one
            squares += one * one
        out[b, 0] = total
        out[b, 1] = squares
    return out


@kernel
def _medians(order: FloatArray, count: int, seed: np.uint64) -> FloatArray:
    """Return the median of each resample of sorted numbers: count the draws of each, walk to the middle."""
    size = len(order)
    n = np.uint64(size)
    out = np.empty(count)
    times = np.empty(size, np.int32)
    state = seed
    low, high = (size - 1) // 2, size // 2
    for b in range(count):
        times[:] = 0
        for _ in range(size // 2):
            state, bits = _next(state)
            times[np.int64(((bits >> np.uint64(32)) * n) >> np.uint64(32))] += 1
            times[np.int64(((bits & np.uint64(0xFFFFFFFF)) * n) >> np.uint64(32))] += 1
        if size % 2:
            state, bits = _next(state)
            times[np.int64(((bits >> np.uint64(32)) * n) >> np.uint64(32))] += 1
        passed, place = 0, 0
        while passed + times[place] <= low:
            passed += times[place]
            place += 1
        first = order[place]
        while passed + times[place] <= high:
            passed += times[place]
            place += 1
        out[b] = 0.5 * (first + order[place])
    return out


@reassociating_kernel
def _correlations(z: FloatArray, count: int, seed: np.uint64) -> FloatArray:
    """Return the correlation of each resample of two centred columns."""
    size = z.shape[0]
    n = np.uint64(size)
    out = np.empty(count)
    state = seed
    for b in range(count):
        sx, sy, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0
        for draw in range((size + 1) // 2):
            state, bits = _next(state)
            i = np.int64(((bits >> np.uint64(32)) * n) >> np.uint64(32))
            u, v = z[i, 0], z[i, 1]
            sx += u
            sy += v
            xx += u * u
            yy += v * v
            xy += u * v
            if 2 * draw + 1 < size:
                j = np.int64(((bits & np.uint64(0xFFFFFFFF)) * n) >> np.uint64(32))
                u, v = z[j, 0], z[j, 1]
                sx += u
                sy += v
                xx += u * u
                yy += v * v
                xy += u * v
        of_x, of_y = xx - sx * sx / size, yy - sy * sy / size
        # A resample of one value repeated has no spread but rounding.
        if of_x <= ROUNDED * size * xx or of_y <= ROUNDED * size * yy:
            out[b] = np.nan
        else:
            out[b] = (xy - sx * sy / size) / np.sqrt(of_x * of_y)
    return out
