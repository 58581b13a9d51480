"""Negative log-likelihoods of the linear models' families, value and derivatives in one pass over the rows.

The formulas are those of the families' ``nll_terms``, which a law holds them to; here no row's matrix of
second derivatives is formed, and nothing is allocated but what is returned.
"""

from __future__ import annotations

import math

import numpy as np

from thetahat.contracts import FloatArray, IntArray
from thetahat.numerics.compiled import kernel

__all__ = ["bernoulli_terms", "categorical_terms", "poisson_terms"]


@kernel
def bernoulli_terms(eta: FloatArray, y: IntArray, weight: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return Σ w (−log p), its derivative in η and its curvature, for η and codes y of shape (n,)."""
    n = len(eta)
    slope, curvature = np.empty(n), np.empty(n)
    value = 0.0
    for i in range(n):
        # With e = exp(−|η|) nothing overflows, and neither probability is found by subtraction from one.
        e = math.exp(-abs(eta[i]))
        larger, smaller = 1.0 / (1.0 + e), e / (1.0 + e)
        likely = (eta[i] > 0.0) == (y[i] == 1)
        value += weight[i] * (math.log1p(e) + (0.0 if likely else abs(eta[i])))
        off = smaller if likely else larger
        slope[i] = -weight[i] * off if y[i] == 1 else weight[i] * off
        curvature[i] = weight[i] * larger * smaller
    return value, slope, curvature


@kernel
def categorical_terms(
    eta: FloatArray, y: IntArray, weight: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return Σ w (−log p), its derivative in η and the probabilities, for η of shape (n, K)."""
    n, K = eta.shape
    slope, p = np.empty((n, K)), np.empty((n, K))
    value = 0.0
    for i in range(n):
        top = eta[i, 0]
        for k in range(1, K):
            top = max(top, eta[i, k])
        total = 0.0
        for k in range(K):
            p[i, k] = math.exp(eta[i, k] - top)
            total += p[i, k]
        value += weight[i] * (math.log(total) + (top - eta[i, y[i]]))
        others = 0.0
        for k in range(K):
            p[i, k] /= total
            slope[i, k] = weight[i] * p[i, k]
            if k != y[i]:
                others += p[i, k]
        slope[i, y[i]] = -weight[i] * others
    return value, slope, p


@kernel
def poisson_terms(eta: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return Σ w (e^η − y η), its derivative in η and its curvature; log y! is left to the caller."""
    n = len(eta)
    slope, curvature = np.empty(n), np.empty(n)
    value = 0.0
    for i in range(n):
        mean = math.exp(eta[i])
        value += weight[i] * (mean - y[i] * eta[i])
        slope[i] = weight[i] * (mean - y[i])
        curvature[i] = weight[i] * mean
    return value, slope, curvature
