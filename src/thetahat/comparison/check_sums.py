"""Columns that together give the target: two or three numbers that add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thetahat.comparison.schema import Feature
from thetahat.contracts import FloatArray, IntArray

__all__ = ["EXACT", "Sum", "sum_leak"]

FEWEST_ROWS = 20
# Pairs are searched among so many columns, and triples among so many; those closest to the target first.
MOST_COLUMNS, MOST_IN_TRIPLES = 400, 80
# A residual of this part of the target's spread is rounding of the arithmetic.
EXACT = 1e-6
# A rounded sum of rounded parts has a residual of this many units in the last place of the target, if the
# target has so many units in its standard deviation that the rest is not a fit of its own.
UNITS, UNITS_IN_SPREAD = 0.6, 50.0
MOST_DECIMALS = 6
# The search by correlations keeps what leaves at most this share of the variance.
SCREEN = 1e-3
# Each part must move the target by this share of its spread.
LEAST_PART = 1e-3


@dataclass(frozen=True, slots=True)
class Sum:
    """Columns that add up to the target.

    Parameters
    ----------
    names : tuple of str
        Two or three columns.
    formula : str
        The sum, as "casual + registered = riders".
    left : float
        Standard deviation of the residual over that of the target.
    rows : int
        Rows that it was fitted to.
    """

    names: tuple[str, ...]
    formula: str
    left: float
    rows: int


def sum_leak(frame: pl.DataFrame, features: Sequence[Feature], target: FloatArray, name: str) -> Sum | None:
    """Find two or three numeric columns whose least-squares fit leaves nothing but rounding of the target.

    All pairs are searched by the share of variance that they leave, from the correlations; for triples the
    same is done with each column taken out of the others first. What passes is fitted to the rows.

    Parameters
    ----------
    frame : polars.DataFrame
        The features; at most some thousands of rows.
    features : sequence of Feature
        Which of its columns to look at, without those that give the target away alone.
    target : ndarray of shape (n,)
        Finite numbers; classes as codes.
    name : str
        The target's name, for the formula.
    """
    names, X, rows = _numbers(frame, features)
    y = target[rows]
    if len(y) < FEWEST_ROWS or X.shape[1] < 2 or np.ptp(y) == 0:
        return None
    moving = np.ptp(X, axis=0) > 0
    X, names = X[:, moving], [each for each, moves in zip(names, moving, strict=True) if moves]
    with np.errstate(all="ignore"):
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        z = (y - y.mean()) / y.std()
        known = np.isfinite(Z).all(axis=0)
    X, Z, names = X[:, known], Z[:, known], [each for each, k in zip(names, known, strict=True) if k]
    close = np.argsort(-np.abs(Z.T @ z), kind="stable")[:MOST_COLUMNS]
    X, Z, names = X[:, close], Z[:, close], [names[k] for k in close]
    if len(names) < 2:
        return None
    tolerance = _tolerance(y)
    at = {each: place for place, each in enumerate(frame.columns)}
    for places in _candidates(Z, z):
        coefficients, residual = _fit(X[:, places], y)
        parts = np.abs(coefficients[1:]) * X[:, places].std(axis=0)
        if residual.std() <= tolerance and (parts >= LEAST_PART * y.std()).all():
            chosen = sorted(zip(places, coefficients[1:], strict=True), key=lambda each: at[names[each[0]]])
            added = [(names[place], float(slope)) for place, slope in chosen]
            said = _formula(added, float(coefficients[0]), float(y.std()), name)
            return Sum(tuple(each for each, _ in added), said, float(residual.std() / y.std()), len(y))
    return None


def _numbers(frame: pl.DataFrame, features: Sequence[Feature]) -> tuple[list[str], FloatArray, IntArray]:
    """Return the numeric columns on the rows where all are known; the emptiest are left out for more rows."""
    columns = {
        each.name: frame.get_column(each.name).cast(pl.Float64).fill_null(np.nan).to_numpy()
        for each in features
        if each.kind in ("number", "boolean")
    }
    known = {each: np.isfinite(column) for each, column in columns.items()}
    names = sorted(columns, key=lambda each: -int(known[each].sum()))
    whole: NDArray[np.bool_] = np.ones(frame.height, dtype=bool)
    kept = []
    for each in names:
        both = whole & known[each]
        if both.sum() >= max(FEWEST_ROWS, frame.height / 2):
            whole = both
            kept.append(each)
    rows = np.flatnonzero(whole)
    X = np.column_stack([columns[each][rows] for each in kept]) if kept else np.empty((len(rows), 0))
    return kept, X, rows


def _tolerance(y: FloatArray) -> float:
    """Return the standard deviation of a residual that is rounding of the target."""
    spread = float(y.std())
    for decimals in range(MOST_DECIMALS + 1):
        unit = 10.0**-decimals
        if np.allclose(y, np.round(y, decimals), rtol=0, atol=1e-9 * max(unit, float(np.abs(y).max()))):
            return max(EXACT * spread, UNITS * unit if spread >= UNITS_IN_SPREAD * unit else 0.0)
    return EXACT * spread


def _candidates(Z: FloatArray, z: FloatArray) -> list[list[int]]:
    """Return the pairs, then the triples, of columns that leave least of the variance."""
    n = len(z)
    R, r = Z.T @ Z / n, Z.T @ z / n
    found = [(left, [a, b]) for left, a, b in _pairs(R, r, 1.0)]
    if found or len(r) < 3:
        return [places for _, places in sorted(found)]
    m = min(len(r), MOST_IN_TRIPLES)
    R, r = R[:m, :m], r[:m]
    for a in range(m - 2):
        later = np.arange(a + 1, m)
        inside = R[np.ix_(later, later)] - np.outer(R[a, later], R[a, later])
        found += [
            (left, [a, int(later[b]), int(later[c])])
            for left, b, c in _pairs(inside, r[later] - r[a] * R[a, later], 1.0 - r[a] ** 2)
        ]
    return [places for _, places in sorted(found)]


def _pairs(R: FloatArray, r: FloatArray, whole: float) -> list[tuple[float, int, int]]:
    """Return the few pairs that leave at most the screened share, each with what it leaves."""
    d = np.maximum(np.diag(R), 0.0)
    determinant = np.outer(d, d) - R**2
    with np.errstate(all="ignore"):
        explained = (
            d[None, :] * r[:, None] ** 2 + d[:, None] * r[None, :] ** 2 - 2 * R * np.outer(r, r)
        ) / determinant
    explained[~(determinant > 1e-7) | ~np.isfinite(explained)] = -np.inf
    left = whole - explained
    a, b = np.nonzero(np.triu(left <= SCREEN, 1))
    order = np.argsort(left[a, b], kind="stable")[:3]
    return [(float(left[a[k], b[k]]), int(a[k]), int(b[k])) for k in order]


def _fit(X: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    center, scale = X.mean(axis=0), X.std(axis=0)
    slopes = np.linalg.lstsq((X - center) / scale, y - y.mean(), rcond=None)[0] / scale
    constant = float(y.mean() - center @ slopes)
    return np.concatenate([[constant], slopes]), y - constant - X @ slopes


def _formula(parts: Sequence[tuple[str, float]], constant: float, spread: float, target: str) -> str:
    said = ""
    for name, slope in parts:
        size = abs(slope)
        factor = "" if abs(size - 1) < 1e-3 else f"{float(f'{size:.3g}'):g} "
        sign = "− " if slope < 0 else "+ "
        said += f" {sign}{factor}{name}" if said else f"{'−' if slope < 0 else ''}{factor}{name}"
    if abs(constant) > 1e-3 * spread:
        said += f" {'−' if constant < 0 else '+'} {abs(constant):.3g}"
    return f"{said} = {target}"
