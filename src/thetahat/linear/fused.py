"""Negative log-likelihoods of the linear models' families, value and derivatives in one pass over the rows.

The formulas are those of the families' ``nll_terms``, which a law holds them to; here no row's matrix of
second derivatives is formed, and nothing is allocated but what is returned.
"""

from __future__ import annotations

import math

import numpy as np

from thetahat.contracts import FloatArray, IntArray
from thetahat.numerics.compiled import kernel

__all__ = ["bernoulli_slopes", "bernoulli_terms", "categorical_terms", "poisson_slopes", "poisson_terms"]


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


def categorical_terms(
    eta: FloatArray, y: IntArray, weight: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return Σ w (−log p), its derivative in η and the probabilities, for η of shape (n, K)."""
    gaps, below = _below_the_largest(eta, y)
    # NumPy's exponential runs on vector units, which a compiled loop's does not.
    np.exp(gaps, out=gaps)
    value, slope = _normalised(gaps, below, y, weight)
    return value, slope, gaps


@kernel
def _below_the_largest(eta: FloatArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
    n, K = eta.shape
    gaps, below = np.empty((n, K)), np.empty(n)
    for i in range(n):
        top = eta[i, 0]
        for k in range(1, K):
            top = max(top, eta[i, k])
        for k in range(K):
            gaps[i, k] = eta[i, k] - top
        below[i] = gaps[i, y[i]]
    return gaps, below


@kernel
def _normalised(
    p: FloatArray, below: FloatArray, y: IntArray, weight: FloatArray
) -> tuple[float, FloatArray]:
    n, K = p.shape
    slope = np.empty((n, K))
    value = 0.0
    for i in range(n):
        own, rest, others = y[i], 0.0, 0.0
        for k in range(own):
            rest += p[i, k]
        for k in range(own + 1, K):
            rest += p[i, k]
        total = p[i, own] + rest
        # Of the likeliest the loss is log(1 + the others), which keeps its digits.
        value += weight[i] * (math.log1p(rest) if below[i] == 0.0 else math.log(total) - below[i])
        for k in range(K):
            p[i, k] /= total
            slope[i, k] = weight[i] * p[i, k]
        # p − 1 of the class that happened, as minus the sum of the others, which keeps its digits.
        for k in range(own):
            others += p[i, k]
        for k in range(own + 1, K):
            others += p[i, k]
        slope[i, own] = -weight[i] * others
    return value, slope


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


def bernoulli_slopes(eta: FloatArray, y: IntArray, weight: FloatArray) -> FloatArray:
    """Return the slopes of :func:`bernoulli_terms` alone, for m fits of the same rows.

    η and the weights are of shape (n, m).
    """
    with np.errstate(over="ignore"):
        odds = np.exp(eta)
    return _bernoulli_from_odds(odds, y, weight)


@kernel
def _bernoulli_from_odds(odds: FloatArray, y: IntArray, weight: FloatArray) -> FloatArray:
    n, m = odds.shape
    for i in range(n):
        if y[i] == 1:
            for c in range(m):
                odds[i, c] = -weight[i, c] / (1.0 + odds[i, c])
        else:
            for c in range(m):
                odds[i, c] = weight[i, c] / (1.0 + 1.0 / odds[i, c])
    return odds


def poisson_slopes(eta: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the slopes of :func:`poisson_terms` alone, for m fits of the same rows.

    η and the weights are of shape (n, m).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = weight * (np.exp(eta) - y[:, None])
    # A row that does not weigh may have any mean, an infinite one included.
    return np.asarray(np.where(weight > 0, slopes, 0.0))
