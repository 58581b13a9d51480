"""One step of an optimiser, clipped, on all parameters at once: the end of every training step."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.networks.engine.memory import numbers_at, words_at
from thetahat.numerics.compiled import inlined, kernel
from thetahat.optimisers.adam import adam_step
from thetahat.optimisers.sgd import sgd_step

__all__ = ["adam", "adam_update", "sgd", "sgd_update"]


@kernel
def _shortening(gradient: FloatArray, bound: float) -> float:
    """Return the factor that brings the gradient's norm down to the bound."""
    if bound == np.inf:
        return 1.0
    total = 0.0
    for i in range(gradient.size):
        total += np.float64(gradient[i]) * np.float64(gradient[i])
    length = np.sqrt(total)
    return bound / length if length > bound else 1.0


@kernel
def adam_update(
    theta: FloatArray,
    gradient: FloatArray,
    moments: FloatArray,
    numbers: FloatArray,
    settings: FloatArray,
    step: int,
) -> None:
    """Take Adam's step number ``step`` (from 1) in place.

    ``moments``: both, one after the other. ``settings`` (float64): the rate, the bound on the gradient's
    norm (infinite for none), then the optimiser's coefficients. ``numbers``: eight places of scratch in
    the parameters' precision.
    """
    b1, b2 = settings[3], settings[4]
    n = theta.size
    numbers[0] = b1
    numbers[1] = 1.0 - b1
    numbers[2] = b2
    numbers[3] = 1.0 - b2
    numbers[4] = settings[0] / (1.0 - b1**step)
    numbers[5] = 1.0 / np.sqrt(1.0 - b2**step)
    numbers[6] = settings[5]
    numbers[7] = _shortening(gradient, settings[1])
    adam_step(theta, gradient, moments[:n], moments[n:], numbers)


@kernel
def sgd_update(
    theta: FloatArray,
    gradient: FloatArray,
    moments: FloatArray,
    numbers: FloatArray,
    settings: FloatArray,
    step: int,
) -> None:
    """Take a step of gradient descent in place; the arguments are those of :func:`adam_update`."""
    numbers[0] = settings[3]
    numbers[1] = settings[0] * _shortening(gradient, settings[1])
    sgd_step(theta, gradient, moments, numbers, settings[4] == 1.0)


@inlined
def _floats_at(address: int, n: int) -> Any:
    return numbers_at(address, n, 0.0)


def adam(at: int, zero: Any) -> None:
    """Run :func:`adam_update`.

    Arguments: how many parameters, addresses of parameters, gradient, moments, scratch numbers, settings and
    cursor, whose fourth word is the step.
    """
    w = words_at(at, 7)
    n = w[0]
    adam_update(
        numbers_at(w[1], n, zero),
        numbers_at(w[2], n, zero),
        numbers_at(w[3], 2 * n, zero),
        numbers_at(w[4], 8, zero),
        _floats_at(w[5], 6),
        words_at(w[6], 4)[3],
    )


def sgd(at: int, zero: Any) -> None:
    """Run :func:`sgd_update`; the arguments are those of :func:`adam`."""
    w = words_at(at, 7)
    n = w[0]
    sgd_update(
        numbers_at(w[1], n, zero),
        numbers_at(w[2], n, zero),
        numbers_at(w[3], n, zero),
        numbers_at(w[4], 8, zero),
        _floats_at(w[5], 6),
        words_at(w[6], 4)[3],
    )
