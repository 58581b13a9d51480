"""What a convex function lies above its tangent: the form of most divergences, without the cancellation.

A divergence within a family is of second order in the difference of the parameters, the terms of its closed
form are of first order or none. Written with these, that of two that are nearly equal keeps its digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

__all__ = ["NEAR", "above_tangent", "gammaln_above_tangent", "gammaln_rise"]

# Below this size of u the series is used, above it the difference, which then loses a digit at most.
NEAR = 0.5
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
# On [0, 1].
NODES, WEIGHTS = 0.5 * (_NODES + 1), 0.5 * _WEIGHTS


def above_tangent(u: Any, log: Any) -> Any:
    """Return u − log(1 + u) for u > −1; ``log`` is the logarithm, not of a rounded 1 + u.

    With r = u/(2 + u) the logarithm is 2 artanh r, and u − 2r = u r.
    """
    u, log = np.asarray(u, dtype=np.float64), np.asarray(log, dtype=np.float64)
    near = np.abs(u) < NEAR
    small = np.where(near, u, 0.0)
    r = small / (2 + small)
    series = np.zeros_like(r)
    for power in range(41, 1, -2):
        series = 1 / power + r * r * series
    return np.where(near, small * r - 2 * r**3 * series, u - log)[()]


def gammaln_rise(a: float, step: float) -> float:
    """Return log Γ(a + step) − log Γ(a), to its own last digits where the step is small."""
    if abs(step) < NEAR * a:
        return float(step * (WEIGHTS @ special.psi(a + step * NODES)))
    return float(special.gammaln(a + step) - special.gammaln(a))


def gammaln_above_tangent(a: float, step: float) -> float:
    """Return log Γ(a + step) − log Γ(a) − ψ(a) step, to its own last digits where the step is small."""
    if abs(step) < NEAR * a:
        return float(step * step * (WEIGHTS @ ((1 - NODES) * special.polygamma(1, a + step * NODES))))
    return float(special.gammaln(a + step) - special.gammaln(a) - special.psi(a) * step)
