"""One step of whichever optimiser, clipped, on all parameters at once: the end of every training step."""

from __future__ import annotations

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.numerics.compiled import kernel
from thetahat.optimisers.adam import adam_step
from thetahat.optimisers.sgd import sgd_step

__all__ = ["update"]


@kernel
def _norm(gradient: FloatArray) -> float:
    total = 0.0
    for i in range(gradient.size):
        total += np.float64(gradient[i]) * np.float64(gradient[i])
    return np.sqrt(total)  # type: ignore[no-any-return]


@kernel
def update(
    theta: FloatArray,
    gradient: FloatArray,
    moments: FloatArray,
    numbers: FloatArray,
    settings: FloatArray,
    step: int,
) -> None:
    """Take step number ``step`` (from 1) in place.

    ``settings`` (float64): the rate, the bound on the gradient's norm (infinite for none), then the
    optimiser's coefficients. ``numbers``: eight places of scratch in the parameters' precision.
    """
    rate, bound = settings[0], settings[1]
    scale = 1.0
    if bound < np.inf:
        length = _norm(gradient)
        if length > bound:
            scale = bound / length
    if settings[2] == 1.0:
        b1, b2 = settings[3], settings[4]
        numbers[0] = b1
        numbers[1] = 1.0 - b1
        numbers[2] = b2
        numbers[3] = 1.0 - b2
        numbers[4] = rate / (1.0 - b1**step)
        numbers[5] = 1.0 / np.sqrt(1.0 - b2**step)
        numbers[6] = settings[5]
        numbers[7] = scale
        adam_step(theta, gradient, moments[0], moments[1], numbers)
    else:
        numbers[0] = settings[3]
        numbers[1] = rate * scale
        sgd_step(theta, gradient, moments[0], numbers, settings[4] == 1.0)
