"""Expectations under a distribution of one dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from thetahat.contracts import FloatArray

__all__ = ["expectation", "whole_numbers"]

# Mass left out of a sum at each end, and what an integral may be off by.
TAIL, TOLERANCE = 1e-17, 1e-12


def whole_numbers(p: Any) -> FloatArray:
    """Return the whole numbers that hold all the mass but a negligible part."""
    low, high = float(p.ppf(TAIL)), float(p.ppf(1 - 1e-15))
    spread = 12 * np.sqrt(p.variance()) + 30
    support = p.support()
    return np.arange(max(support.low, low - 1), min(support.high, high + spread) + 1)


def expectation(p: Any, function: Callable[[FloatArray], Any]) -> Any:
    """Return E[f(x)]: a sum over whole numbers, or adaptive quadrature between quantiles.

    Parameters
    ----------
    p : distribution
        Its parameters known.
    function : callable
        Of an array of shape (m,) to shape (m, …).
    """
    if p.support().discrete:
        x = whole_numbers(p)
        return np.tensordot(np.exp(p.log_prob(x)), function(x), axes=1)

    def weighted(x: float) -> Any:
        at = np.array([x])
        density = np.exp(p.log_prob(at))[0]
        return np.asarray(function(at))[0] * density if density > 0 else np.zeros(np.shape(function(at))[1:])

    # Between quantiles first, so that the quadrature meets the mass wherever it lies.
    inner = [float(p.ppf(q)) for q in (1e-9, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-9)]
    ends = np.unique([p.support().low, *inner, p.support().high])
    pieces = [
        integrate.quad_vec(weighted, low, high, epsabs=1e-300, epsrel=TOLERANCE, limit=400)[0]
        for low, high in zip(ends[:-1], ends[1:], strict=True)
    ]
    return np.sum(pieces, axis=0)
