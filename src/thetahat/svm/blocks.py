"""Loops over blocks of a kernel matrix: exponential, gather, subtract, mirror."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.numerics.compiled import kernel, reassociating_kernel
from thetahat.numerics.threads import spread

__all__ = ["by_differences", "exponential", "gather", "in_threads", "mirror", "subtract_rows"]

# So many kernel values take several times as long as threads take to start.
WORTH_THREADS = 1 << 20
ROWS_AT_ONCE, COLUMNS_AT_ONCE = 128, 2048


@reassociating_kernel
def exponential(block: Any) -> None:
    """Replace float32 numbers at most nought by their exponential, to two units in the last place.

    x = k·log 2 + r, |r| ≤ ½ log 2; a polynomial of degree six in r, and k added to the exponent's bits.
    """
    log2e, high, low = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
    c6, c5, c4 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
    c3, c2, half = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
    nought, one, least = np.float32(0), np.float32(1), np.float32(-87)
    for r in range(block.shape[0]):
        row = block[r]
        bits = row.view(np.int32)
        for c in range(row.shape[0]):
            x = max(min(row[c], nought), least)
            k = np.int32(np.floor(x * log2e + np.float32(0.5)))
            whole = np.float32(k)
            x = x - whole * high
            x = x - whole * low
            p = ((((c6 * x + c5) * x + c4) * x + c3) * x + c2) * x + half
            row[c] = p * x * x + x + one
            bits[c] = bits[c] + (k << np.int32(23))


@kernel
def by_differences(block: Any, left: Any, right: Any, gamma: float) -> None:
    """Replace −γ ‖x − z‖² that is not far below nought by the same number from the differences x − z.

    ``left`` holds 2γ x, −γ ‖x‖² and 1 in a row, ``right`` z, 1 and −γ ‖z‖² in a column: their product is the
    difference of numbers of the size of the squares, and has only the digits that these leave it.
    """
    d = left.shape[1] - 2
    for r in range(block.shape[0]):
        for c in range(block.shape[1]):
            # Of what exponentials below e⁻⁴⁰ lose nothing is seen.
            if block[r, c] > -40 + 1e-12 * (left[r, d] + right[d + 1, c]):
                square = 0.0
                for k in range(d):
                    off = left[r, k] / (2 * gamma) - right[k, c]
                    square += off * off
                block[r, c] = -gamma * square


def in_threads(run: Callable[[int], object], starts: Sequence[int], values: int) -> None:
    """Call ``run`` of each start, on several threads where so many kernel values are worth starting them."""
    spread(run, starts, values >= WORTH_THREADS)


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
