"""Loops over blocks of a kernel matrix: gather, subtract, mirror."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.numerics.compiled import kernel
from thetahat.numerics.kernels import in_threads

__all__ = ["gather", "mirror", "subtract_rows"]

ROWS_AT_ONCE, COLUMNS_AT_ONCE = 128, 2048


def gather(stored: Any, places: IntArray, columns: IntArray, out: Any) -> None:
    """Copy the columns of stored rows; a place below nought is a row that is not stored and is left alone."""

    def some(r: int) -> None:
        _gather(stored, places[r : r + ROWS_AT_ONCE], columns, out[r : r + ROWS_AT_ONCE])

    in_threads(some, range(0, len(places), ROWS_AT_ONCE), len(places) * len(columns))


@kernel
def _gather(stored: Any, places: IntArray, columns: IntArray, out: Any) -> None:
    for r in range(places.shape[0]):
        if places[r] >= 0:
            row = stored[places[r]]
            mine = out[r]
            for c in range(columns.shape[0]):
                mine[c] = row[columns[c]]


def subtract_rows(F: FloatArray, K: NDArray[Any], rows: IntArray, coef: NDArray[Any]) -> None:
    """Take Σ coef[r]·K[rows[r]] off F: sums of 64 rows in the type of K, their total in float64."""

    def strip(first: int) -> None:
        _subtract_rows(F[first : first + COLUMNS_AT_ONCE], K, rows, coef, first)

    in_threads(strip, range(0, len(F), COLUMNS_AT_ONCE), len(rows) * len(F))


@kernel
def _subtract_rows(F: FloatArray, K: Any, rows: Any, coef: Any, first: int) -> None:
    w, m = F.shape[0], rows.shape[0]
    part = np.empty(w, K.dtype)
    r = 0
    while r < m:
        end = min(m, r + 64)
        part[:] = 0
        while r + 4 <= end:
            k0, k1 = K[rows[r]][first : first + w], K[rows[r + 1]][first : first + w]
            k2, k3 = K[rows[r + 2]][first : first + w], K[rows[r + 3]][first : first + w]
            c0, c1, c2, c3 = coef[r], coef[r + 1], coef[r + 2], coef[r + 3]
            for k in range(w):
                part[k] += (c0 * k0[k] + c1 * k1[k]) + (c2 * k2[k] + c3 * k3[k])
            r += 4
        while r < end:
            k0, c0 = K[rows[r]][first : first + w], coef[r]
            for k in range(w):
                part[k] += c0 * k0[k]
            r += 1
        for k in range(w):
            F[k] -= part[k]


@kernel
def mirror(K: Any, n: int) -> None:
    """Copy the upper triangle of the first n rows to the lower one, by squares that fit the cache."""
    side = 32
    for r in range(0, n, side):
        for c in range(0, r + 1, side):
            for i in range(r, min(n, r + side)):
                for j in range(c, min(i, c + side)):
                    K[i, j] = K[j, i]
