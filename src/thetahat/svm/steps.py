"""Sequential minimal optimisation of ½ βᵀKβ − pᵀβ + ε‖β‖₁ over lo ≤ β ≤ hi with Σβ kept, K in memory.

One step takes the variable with the most to gain from growing and its best partner by the second-order rule
(Fan, Chen and Lin 2005), and moves both until the slope vanishes, or a bound or the kink of ε|β| is met.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.numerics.compiled import kernel
from thetahat.svm.sweeps import FAR, LANES, sweep_second, sweep_update

__all__ = ["descend", "padded"]

Single = NDArray[np.float32]


def padded(n: int) -> int:
    """Return n rounded up to whole vectors."""
    return (n + LANES - 1) // LANES * LANES


@kernel
def _grow(beta: float, hi: float, width: float) -> float:
    """Offset of the up key of a variable."""
    if beta >= hi:
        return -FAR
    return -width if beta >= 0.0 else width


@kernel
def _shrink(beta: float, lo: float, width: float) -> float:
    """Offset of the low key of a variable."""
    if beta <= lo:
        return FAR
    return -width if beta > 0.0 else width


@kernel
def descend(
    K: Any,
    F: Any,
    beta: FloatArray,
    lo: FloatArray,
    hi: FloatArray,
    width: float,
    diagonal: Any,
    up: Any,
    low: Any,
    q: int,
    goal: float,
    tiny: float,
    most: int,
) -> int:
    """Step on the q first variables until no pair violates by ``goal`` or ``most`` are done; count them.

    F, up, low and the rows of K are padded to whole vectors. F (the slopes p − Kβ less any number) and beta
    change in place.
    """
    whole = (q + LANES - 1) // LANES * LANES
    for k in range(q):
        up[k] = _grow(beta[k], hi[k], width)
        low[k] = _shrink(beta[k], lo[k], width)
    for k in range(q, whole):
        F[k] = 0
        up[k] = -FAR
        low[k] = FAR
        diagonal[k] = 0
    zero = F[0] * 0
    goal_ = zero + goal
    tiny_ = zero + tiny
    i = 0
    j = 0
    step = zero
    steps = 0
    while True:
        best, i, least = sweep_update(K, F, up, low, i, j, step, whole)
        if best - least < goal_ or steps >= most or best < -0.1 * FAR or least > 0.1 * FAR:
            return steps
        j = sweep_second(K, F, low, diagonal, i, best, diagonal[i], tiny_, whole)
        key = F[j] + low[j]
        curve = max(diagonal[i] + diagonal[j] - 2 * K[i, j], tiny_)
        t = np.float64((best - key) / curve)
        above = hi[i] - beta[i]
        below = beta[j] - lo[j]
        if width > 0.0:
            if beta[i] < 0.0:
                above = -beta[i]
            if beta[j] > 0.0:
                below = beta[j]
        t = min(t, above, below)
        # A bound or the kink is met exactly, not as near as rounding comes.
        bi = beta[i] + t
        if t == above:
            bi = 0.0 if width > 0.0 and beta[i] < 0.0 else hi[i]
        bj = beta[j] - t
        if t == below:
            bj = 0.0 if width > 0.0 and beta[j] > 0.0 else lo[j]
        beta[i] = bi
        beta[j] = bj
        up[i] = _grow(bi, hi[i], width)
        low[i] = _shrink(bi, lo[i], width)
        up[j] = _grow(bj, hi[j], width)
        low[j] = _shrink(bj, lo[j], width)
        step = zero + t
        steps += 1
