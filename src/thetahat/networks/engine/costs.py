"""The kernels of output families: −log p(y | η) of each row and its slope in η, in one pass.

Arguments of each: rows and columns of η, addresses of η, of y, of the result (n values, then the slopes,
row by row), of σ, and of the number that slopes are multiplied by.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thetahat.networks.engine.memory import matrix_at, numbers_at, words_at
from thetahat.numerics.compiled import inlined
from thetahat.numerics.elementary import exponential, log_one_plus

__all__ = ["bernoulli", "categorical", "normal", "poisson"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@inlined
def _arrays(at: int, zero: Any) -> Any:
    w = words_at(at, 8)
    n, k = w[0], w[1]
    eta, y = matrix_at(w[2], n, k, zero), matrix_at(w[3], n, k, zero)
    value, slope = numbers_at(w[4], n, zero), matrix_at(w[4] + w[7] * n, n, k, zero)
    return eta, y, value, slope, numbers_at(w[6], 1, zero)[0]


def categorical(at: int, zero: Any) -> None:  # noqa: C901 - one loop after the other
    """Return log Σ exp η − η of the class that happened.

    The work is done class by class over all rows, which vector units can do for few classes too; one more
    argument is the address of n (k + 1) numbers of scratch.
    """
    w = words_at(at, 9)
    n, k = w[0], w[1]
    eta, y = matrix_at(w[2], n, k, zero), numbers_at(w[3], n, zero)
    value, slope = numbers_at(w[4], n, zero), matrix_at(w[4] + w[7] * n, n, k, zero)
    scale = numbers_at(w[6], 1, zero)[0]
    one = eta.dtype.type(1)
    totals, turned = numbers_at(w[8], n, zero), matrix_at(w[8] + w[7] * n, k, n, zero)
    flat = numbers_at(w[8] + w[7] * n, n * k, zero)
    for i in range(n):
        for j in range(k):
            turned[j, i] = eta[i, j]
    for i in range(n):
        totals[i] = turned[0, i]
    for j in range(1, k):
        for i in range(n):
            totals[i] = max(totals[i], turned[j, i])
    for j in range(k):
        for i in range(n):
            turned[j, i] -= totals[i]
    for i in range(n):
        value[i] = -turned[np.uint64(y[i]), i]
        totals[i] = zero
    for i in range(n * k):
        flat[i] = exponential(flat[i])
    for i in range(n):
        turned[np.uint64(y[i]), i] = zero
    for j in range(k):
        for i in range(n):
            totals[i] += turned[j, i]
    # So far the others alone: of the likeliest the loss is log(1 + others), which keeps its digits.
    for i in range(n):
        own = exponential(-value[i])
        every = own + totals[i]
        value[i] += log_one_plus(totals[i] if value[i] == zero else every - one)
        totals[i] = scale / every
    # p − 1 of the class that happened is minus the sum of the others, which keeps its digits.
    for i in range(n):
        others = zero
        for j in range(k):
            part = turned[j, i] * totals[i]
            slope[i, j] = part
            others += part
        slope[i, np.uint64(y[i])] = -others


def normal(at: int, zero: Any) -> None:
    """Return ½ ((η − y)/σ)² + log σ + ½ log 2π, summed over the columns."""
    eta, y, value, slope, scale = _arrays(at, zero)
    sd = numbers_at(words_at(at, 8)[5], 1, zero)[0]
    rows, columns = eta.shape
    precision = eta.dtype.type(1) / sd
    push = precision * scale
    rest = eta.dtype.type(columns * (math.log(sd) + _HALF_LOG_2PI))
    half = eta.dtype.type(0.5)
    for i in range(rows):
        total = rest
        for j in range(columns):
            gap = (eta[i, j] - y[i, j]) * precision
            total += half * gap * gap
            slope[i, j] = gap * push
        value[i] = total


def bernoulli(at: int, zero: Any) -> None:
    """Return log(1 + e^(−s)) with s = (2y − 1) η, summed over the columns."""
    eta, y, value, slope, scale = _arrays(at, zero)
    rows, columns = eta.shape
    one = eta.dtype.type(1)
    for i in range(rows):
        value[i] = zero
    for j in range(columns):
        for i in range(rows):
            sign = y[i, j] + y[i, j] - one
            s = sign * eta[i, j]
            small = exponential(-abs(s))
            value[i] += max(-s, zero) + log_one_plus(small)
            slope[i, j] = -scale * sign * (small if s >= zero else one) / (one + small)


def poisson(at: int, zero: Any) -> None:
    """Return e^η − y η + log y!, summed over the columns."""
    eta, y, value, slope, scale = _arrays(at, zero)
    rows, columns = eta.shape
    for i in range(rows):
        total = 0.0
        for j in range(columns):
            mean = exponential(eta[i, j])
            total += mean - y[i, j] * eta[i, j] + math.lgamma(np.float64(y[i, j]) + 1.0)
            slope[i, j] = (mean - y[i, j]) * scale
        value[i] = total
