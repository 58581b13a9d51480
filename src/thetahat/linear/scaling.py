"""Columns in units of their own standard deviation, so that a penalty does not depend on their scale.

The deviation is that of the rows as they stand, without weights and with divisor n, as
``sklearn.preprocessing.StandardScaler`` has it when it is fitted without weights; a row that a draw holds
twice counts twice. A column that is constant to rounding has unit 1: its variance is at most
n ε variance + (n ε mean)², the error bound of the two-pass algorithm (Chan, Golub and LeVeque, 1983). With an
unpenalized intercept centering changes no prediction; without an intercept columns are scaled, not centered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError

__all__ = [
    "Standardise",
    "constant_columns",
    "standardised",
    "standardised_columns",
    "units",
    "units_from_sums",
]

Standardise = bool | tuple[bool, ...]
EPS = float(np.finfo(np.float64).eps)
# A variance this small a part of the mean square loses digits when it is taken from sums.
SUREST = 1e-5


def standardised_columns(standardise: Standardise, d: int) -> NDArray[np.bool_]:
    """Return which of d columns are standardized.

    Raises
    ------
    UsageError
        There is not one truth value for each column.
    """
    if isinstance(standardise, bool):
        return np.full(d, standardise)
    if len(standardise) != d:
        raise UsageError(f"standardise: has {len(standardise)} values for {d} columns; give one a column")
    return np.array(standardise, dtype=np.bool_)


def constant_columns(X: FloatArray) -> NDArray[np.bool_]:
    """Return which columns cannot be told from constant ones."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _constant(*_moments(X), X.shape[0])


def units(X: Any, standardise: Standardise) -> FloatArray:
    """Return the unit of each column of rows, dense or CSR: 1 where it is not standardized."""
    chosen = standardised_columns(standardise, X.shape[1])
    out: FloatArray = np.ones(X.shape[1])
    if chosen.any():
        out[chosen] = _deviations(X if chosen.all() else X[:, chosen])[1]
    return out


def standardised(X: Any, standardise: Standardise, centre: bool) -> tuple[Any, FloatArray, FloatArray]:
    """Return the rows in units of their columns, with the means and units; sparse rows are not centered."""
    d = X.shape[1]
    chosen = standardised_columns(standardise, d)
    mean, unit = np.zeros(d), np.ones(d)
    found = _deviations(X if chosen.all() else X[:, chosen])
    unit[chosen] = found[1]
    if sparse.issparse(X):
        return sparse.csr_array(X @ sparse.diags_array(1 / unit)), mean, unit
    if centre:
        mean[chosen] = found[0]
    return (X - mean) / unit, mean, unit


def units_from_sums(
    count: FloatArray, sum_x: FloatArray, sum_xx: FloatArray, shift: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the units of the columns of draws from sums over their rows, and which of them are sure.

    Parameters
    ----------
    count : ndarray of shape (D, 1)
        Rows of each draw.
    sum_x, sum_xx : ndarray of shape (D, d)
        Σ (x − shift) and Σ (x − shift)².
    shift : ndarray of shape (d,)
        What every row was moved by.
    """
    mean, square = sum_x / count, sum_xx / count
    variance = square - mean**2
    bound = count * EPS * variance + (count * (mean + shift) * EPS) ** 2
    sure = (variance > SUREST * square) & (variance > 4 * bound) & np.isfinite(variance)
    return np.sqrt(np.where(sure, variance, 1.0)), np.asarray(sure)


def _deviations(X: Any) -> tuple[FloatArray, FloatArray]:
    with np.errstate(over="ignore", invalid="ignore"):
        variance, mean = _moments(X)
        flat = _constant(variance, mean, X.shape[0])
        return mean, np.where(flat, 1.0, np.sqrt(np.maximum(variance, 0.0)))


def _constant(variance: FloatArray, mean: FloatArray, n: int) -> NDArray[np.bool_]:
    return np.asarray(variance <= n * EPS * variance + (n * mean * EPS) ** 2)


def _moments(X: Any) -> tuple[FloatArray, FloatArray]:
    n = X.shape[0]
    if sparse.issparse(X):
        mean = np.asarray(X.sum(axis=0)).ravel() / n
        stored = X.tocsc()
        held = np.diff(stored.indptr)
        away = (stored.data - np.repeat(mean, held)) ** 2
        squares = np.bincount(np.repeat(np.arange(len(mean)), held), away, len(mean))
        return (squares + (n - held) * mean**2) / n, mean
    mean = X.mean(axis=0)
    off = X - mean
    return (np.einsum("ij,ij->j", off, off) - off.sum(axis=0) ** 2 / n) / n, mean
