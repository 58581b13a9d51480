"""Sums of products carried in about twice the working precision.

A rounded product and a rounded sum both leave an error that is itself a double (Dekker 1971, Knuth 1969), so
a sum of products can be kept as a head and a tail. The result is as if computed in 106 bits and rounded once
(Ogita, Rump and Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26, 2005).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numba import types
from numba.extending import intrinsic

from thetahat.contracts import FloatArray
from thetahat.numerics.compiled import kernel

__all__ = ["add_exactly", "crossed", "products", "residual"]


def _fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


# One rounding for a * b + c: what the error of a product takes, and what Python has no name for before 3.13.
fused = cast(Any, intrinsic(_fused))


@kernel
def _accumulate(head: float, tail: float, a: float, b: float) -> tuple[float, float]:
    product = a * b
    lost_product = fused(a, b, -product)
    total = head + product
    back = total - head
    lost_sum = (head - (total - back)) + (product - back)
    return total, tail + (lost_product + lost_sum)


@kernel
def residual(A: FloatArray, x: FloatArray, b: FloatArray, r: FloatArray) -> FloatArray:
    """Return b − r − A x, rounded once an entry; A of shape (n, p), the others vectors."""
    n, p = A.shape
    out = np.empty(n)
    for i in range(n):
        head, tail = _accumulate(b[i], 0.0, -1.0, r[i])
        for j in range(p):
            head, tail = _accumulate(head, tail, -A[i, j], x[j])
        out[i] = head + tail
    return out


@kernel
def crossed(A: FloatArray, r: FloatArray) -> FloatArray:
    """Return Aᵀ r, rounded once an entry; A of shape (n, p)."""
    n, p = A.shape
    head, tail = np.zeros(p), np.zeros(p)
    for i in range(n):
        for j in range(p):
            head[j], tail[j] = _accumulate(head[j], tail[j], A[i, j], r[i])
    return head + tail


@kernel
def products(A: FloatArray, T: FloatArray) -> FloatArray:
    """Return A T, rounded once an entry; A of shape (n, p), T of shape (p, k)."""
    n, p = A.shape
    k = T.shape[1]
    out = np.empty((n, k))
    head, tail = np.empty(k), np.empty(k)
    for i in range(n):
        head[:] = 0.0
        tail[:] = 0.0
        for j in range(p):
            for c in range(k):
                head[c], tail[c] = _accumulate(head[c], tail[c], A[i, j], T[j, c])
        for c in range(k):
            out[i, c] = head[c] + tail[c]
    return out


def add_exactly(
    head: FloatArray, tail: FloatArray, term: FloatArray, sign: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Add ``sign * term`` to the unevaluated sum ``head + tail``, losing nothing of the first two orders."""
    term = sign * term
    total = head + term
    back = total - head
    return total, tail + ((head - (total - back)) + (term - back))
