"""Loops over blocks of a kernel matrix: exponential, gather, mirror."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.contracts import IntArray
from thetahat.numerics.compiled import kernel, reassociating_kernel

__all__ = ["exponential", "gather", "mirror"]


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
def gather(stored: Any, places: IntArray, columns: IntArray, out: Any) -> None:
    """Copy the columns of stored rows; a place below nought is a row that is not stored and is left alone."""
    for r in range(places.shape[0]):
        if places[r] >= 0:
            row = stored[places[r]]
            mine = out[r]
            for c in range(columns.shape[0]):
                mine[c] = row[columns[c]]


@kernel
def mirror(K: Any, n: int) -> None:
    """Copy the upper triangle of the first n rows to the lower one, by squares that fit the cache."""
    side = 32
    for r in range(0, n, side):
        for c in range(0, r + 1, side):
            for i in range(r, min(n, r + side)):
                for j in range(c, min(i, c + side)):
                    K[i, j] = K[j, i]
