"""Losses of stochastic gradient descent, their slopes, and the length of a step: what every loop shares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from thetahat.contracts import FloatArray
from thetahat.numerics.compiled import inlined, kernel
from thetahat.numerics.elementary import exponential, exponential_within

__all__ = [
    "AHEAD",
    "LARGEST_SLOPE",
    "LOSSES",
    "SCALARS",
    "loss_of",
    "prefetch",
    "probabilities_by_clipping",
    "slope_of",
    "steep",
    "step_size",
    "told_of",
    "update_of",
]

LOSSES = {
    "hinge": 0,
    "perceptron": 1,
    "squared_hinge": 2,
    "modified_huber": 3,
    "log_loss": 4,
    "squared_error": 5,
    "huber": 6,
    "epsilon_insensitive": 7,
    "squared_epsilon_insensitive": 8,
    "poisson": 9,
}
# The scalars of a function's state: 0 intercept, 1 its sum, 2 step number, 3 sum of losses, 4 cumulative L1
# pull, 5 scale of sparse weights, 6 sum of scales, 7 number of averaged steps, 8 step size.
SCALARS = 9
# Rows asked of memory before their turn.
AHEAD = 8
LARGEST_SLOPE = 1e12
# Beyond this an exponential is not for single precision.
FAR = 80.0


def _asked(typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, integer, integer, integer])
        found = builder.module.globals.get("llvm.prefetch.p0")
        function = found or ir.Function(builder.module, kind, "llvm.prefetch.p0")
        hints = [ir.Constant(integer, value) for value in (0, 3, 1)]
        builder.call(function, [builder.inttoptr(args[0], pointer), *hints])
        return context.get_dummy_value()

    return types.void(types.uint64), generate


prefetch: Any = intrinsic(_asked)


@kernel
def loss_of(loss: int, y: float, p: float, width: float) -> float:
    """Return the loss of a prediction p; ``width`` is ε."""
    if loss == 0:
        return max(0.0, 1.0 - y * p)
    if loss == 1:
        return max(0.0, -y * p)
    if loss == 2:
        return max(0.0, 1.0 - y * p) ** 2
    if loss == 3:
        z = y * p
        return 0.0 if z >= 1.0 else ((1.0 - z) ** 2 if z >= -1.0 else -4.0 * z)
    if loss == 4:
        z = y * p
        return math.log1p(math.exp(-z)) if z > 0 else -z + math.log1p(math.exp(z))
    if loss == 5:
        return 0.5 * (p - y) ** 2
    if loss == 6:
        r = abs(p - y)
        return 0.5 * r * r if r <= width else width * (r - 0.5 * width)
    if loss == 7:
        return max(0.0, abs(y - p) - width)
    if loss == 8:
        return max(0.0, abs(y - p) - width) ** 2
    return math.exp(min(p, 700.0)) - y * p


@kernel
def slope_of(loss: int, y: float, p: float, width: float) -> float:
    """Return the derivative of the loss in the prediction, within bounds."""
    if loss == 4:
        return float(-y / (1.0 + exponential(y * p)))
    if loss == 5:
        slope = p - y
    elif loss == 0:
        return -y if y * p <= 1.0 else 0.0
    elif loss == 1:
        return -y if y * p <= 0.0 else 0.0
    elif loss == 2:
        z = 1.0 - y * p
        slope = -2.0 * y * z if z > 0.0 else 0.0
    elif loss == 3:
        z = y * p
        return 0.0 if z >= 1.0 else (2.0 * (1.0 - z) * -y if z >= -1.0 else -4.0 * y)
    elif loss == 6:
        r = p - y
        return r if abs(r) <= width else (width if r > 0 else -width)
    elif loss == 7:
        return -1.0 if y - p > width else (1.0 if p - y > width else 0.0)
    elif loss == 8:
        r = y - p
        slope = -2.0 * (r - width) if r > width else (2.0 * (-r - width) if -r > width else 0.0)
    else:
        slope = math.exp(min(p, 700.0)) - y
    return min(max(slope, -LARGEST_SLOPE), LARGEST_SLOPE)


@inlined
def steep(loss: int, y: Any, p: Any, width: float, like: Any) -> Any:
    """Return the slope in the precision of ``like``, that of y and p."""
    # One way out, as code that is put in another's place must have.
    if loss == 4 and abs(y * p) <= like.dtype.type(FAR):
        slope = -y / (like.dtype.type(1) + exponential_within(y * p))
    else:
        slope = like.dtype.type(slope_of(loss, float(y), float(p), width))
    return slope


@kernel
def told_of(lost: float, chance: float, loss: int, y: Any, p: Any, width: float) -> tuple[float, float]:
    """Return the sum of losses and the product of chances with this row: one logarithm is for many."""
    z = float(y) * float(p)
    if loss != 4 or abs(z) > FAR:
        return lost + loss_of(loss, float(y), float(p), width), chance
    chance /= 1.0 + exponential_within(-y * p)
    if chance < 1e-200:
        return lost - math.log(chance), 1.0
    return lost, chance


@kernel
def mean_loss(loss: int, y: Any, eta: Any, weight: Any, width: float) -> float:
    """Return Σ w · loss / Σ w at predictions η."""
    total, mass = 0.0, 0.0
    for i in range(len(y)):
        total += weight[i] * loss_of(loss, y[i], eta[i], width)
        mass += weight[i]
    return total / mass


@kernel
def step_size(
    schedule: int, eta: float, eta0: float, alpha: float, start: float, power: float, t: float
) -> float:
    """Return the length of step t; ``eta`` is that of the schedules which are constant along an epoch."""
    if schedule == 1:
        return 1.0 / (alpha * (start + t - 1.0))
    if schedule == 2:
        return float(eta0 / t**power)
    return eta


@kernel
def update_of(
    loss: int, schedule: int, y: float, p: float, width: float, eta: float, eta0: float, squares: float
) -> float:
    """Return what is added along the row: minus the step times the slope, or a passive-aggressive step."""
    if schedule < 4:
        return -eta * slope_of(loss, y, p, width)
    if schedule == 4 and squares == 0.0:
        return 0.0
    now = loss_of(loss, y, p, width)
    size = min(eta0, now / squares) if schedule == 4 else now / (squares + 0.5 / eta0)
    if loss == 0:
        return size * y
    return size if y - p > 0 else -size


def probabilities_by_clipping(eta: FloatArray) -> FloatArray:
    """Return the probabilities of ``modified_huber``, shape (n, K), from η of shape (n, 1) or (n, K).

    References
    ----------
    Zhang (2004), Statistical behavior and consistency of classification methods based on convex risk
    minimization, Annals of Statistics 32.
    """
    p = (np.clip(eta, -1, 1) + 1) / 2
    if p.shape[1] == 1:
        return np.column_stack([1 - p[:, 0], p[:, 0]])
    total = p.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total == 0, 1 / p.shape[1], p / np.where(total == 0, 1, total)))
