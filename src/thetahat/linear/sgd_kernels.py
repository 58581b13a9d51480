"""The loops of stochastic gradient descent: one row, or a few, at a step.

Rows are visited in the order of ``rows``, and the next ones are asked of memory ahead of time: on shuffled
rows most of the time is spent waiting for them. The scalars of the work are in ``s``: see the indices below.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from thetahat.numerics.compiled import kernel, reassociating_kernel

__all__ = [
    "ADAPTIVE",
    "CONSTANT",
    "INVSCALING",
    "LOSSES",
    "OPTIMAL",
    "PA1",
    "PA2",
    "SCALARS",
    "dense_steps",
    "few_rows_steps",
    "loss_of",
    "slope_of",
    "softmax_steps",
    "sparse_steps",
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
CONSTANT, OPTIMAL, INVSCALING, ADAPTIVE, PA1, PA2 = 0, 1, 2, 3, 4, 5
# Places in the scalars: intercept, its sum, step number, sum of losses, cumulative L1 pull, scale of sparse
# weights, sum of scales, number of averaged steps, step size.
B, B_SUM, T, LOSS, PULL, SCALE, SCALES, AVERAGED, ETA = 0, 1, 2, 3, 4, 5, 6, 7, 8
SCALARS = 9
AHEAD = 8
LARGEST_SLOPE = 1e12


def _asked(typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, integer, integer, integer])
        found = builder.module.globals.get("llvm.prefetch.p0")
        function = found or ir.Function(builder.module, kind, "llvm.prefetch.p0")
        hints = [ir.Constant(integer, value) for value in (0, 3, 1)]
        builder.call(function, [builder.inttoptr(args[0], pointer), *hints])
        return context.get_dummy_value()

    return types.void(types.int64), generate


_prefetch: Any = intrinsic(_asked)


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
    """Return the derivative of the loss in the prediction."""
    if loss == 4:
        z = y * p
        if z > 18.0:
            return -y * math.exp(-z)
        if z < -18.0:
            return -y
        return -y / (math.exp(z) + 1.0)
    if loss == 5:
        return p - y
    if loss == 0:
        return -y if y * p <= 1.0 else 0.0
    if loss == 1:
        return -y if y * p <= 0.0 else 0.0
    if loss == 2:
        z = 1.0 - y * p
        return -2.0 * y * z if z > 0.0 else 0.0
    if loss == 3:
        z = y * p
        return 0.0 if z >= 1.0 else (2.0 * (1.0 - z) * -y if z >= -1.0 else -4.0 * y)
    if loss == 6:
        r = p - y
        return r if abs(r) <= width else (width if r > 0 else -width)
    if loss == 7:
        return -1.0 if y - p > width else (1.0 if p - y > width else 0.0)
    if loss == 8:
        z = y - p
        return -2.0 * (z - width) if z > width else (2.0 * (-z - width) if z < -width else 0.0)
    return math.exp(min(p, 700.0)) - y


@kernel
def _step_size(
    schedule: int, eta: float, eta0: float, alpha: float, start: float, power: float, t: float
) -> float:
    if schedule == 1:
        return 1.0 / (alpha * (start + t - 1.0))
    if schedule == 2:
        return float(eta0 / t**power)
    return eta


@kernel
def _update_of(
    loss: int, schedule: int, y: float, p: float, width: float, eta: float, eta0: float, squares: float
) -> float:
    """Return what is added along the row: minus the step times the slope, or a passive-aggressive step."""
    if schedule < 4:
        slope = slope_of(loss, y, p, width)
        return -eta * min(max(slope, -LARGEST_SLOPE), LARGEST_SLOPE)
    if schedule == 4 and squares == 0.0:
        return 0.0
    now = loss_of(loss, y, p, width)
    size = min(eta0, now / squares) if schedule == 4 else now / (squares + 0.5 / eta0)
    if loss == 0:
        return size * y
    return size if y - p > 0 else -size


@reassociating_kernel
def dense_steps(  # noqa: C901
    X: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, q: Any, s: Any, loss: int, schedule: int,
    eta0: float, alpha: float, ratio: float, start: float, power: float, width: float, intercept: int,
    average_from: int, penalised: int, aside: Any, told: int,
) -> None:  # fmt: skip
    """Take a step for each of these rows.

    ``told`` says whether losses are summed; ``ratio`` is the share of L1, ``penalised`` 1 for L2, 2 with L1.
    """
    d = X.shape[1]
    count = rows.size
    size = X.itemsize * d
    base = X.ctypes.data
    for k in range(count):
        if k + AHEAD < count:
            at = base + rows[k + AHEAD] * size
            for line in range(0, size, 64):
                _prefetch(at + line)
        i = rows[k]
        if aside.size and aside[i]:
            continue
        x = X[i]
        total = X.dtype.type(0)
        for j in range(d):
            total += x[j] * w[j]
        p = float(total) + s[0]
        squares = 0.0
        if schedule >= 4:
            for j in range(d):
                squares += x[j] * x[j]
        eta = _step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        target = float(y[i])
        if told:
            s[3] += loss_of(loss, target, p, width)
        update = _update_of(loss, schedule, target, p, width, eta, eta0, squares) * weight[i]
        keep = X.dtype.type(max(0.0, 1.0 - (1.0 - ratio) * eta * alpha) if penalised else 1.0)
        add = X.dtype.type(update)
        for j in range(d):
            w[j] = w[j] * keep + add * x[j]
        if intercept:
            s[0] += update
        if penalised == 2:
            s[4] += ratio * eta * alpha
            for j in range(d):
                before = w[j]
                if before > 0.0:
                    w[j] = max(0.0, before - (s[4] + q[j]))
                elif before < 0.0:
                    w[j] = min(0.0, before + (s[4] - q[j]))
                q[j] += w[j] - before
        if average_from > 0 and s[2] >= average_from:
            for j in range(d):
                w_sum[j] += w[j]
            s[1] += s[0]
            s[7] += 1.0
        s[2] += 1.0


@reassociating_kernel
def few_rows_steps(  # noqa: C901
    X: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, s: Any, loss: int, schedule: int, eta0: float,
    alpha: float, start: float, power: float, width: float, intercept: int, average_from: int, batch: int,
    slopes: Any, gradient: Any, aside: Any, told: int,
) -> None:  # fmt: skip
    """Take a step for each so many rows, along the mean of their gradients; L2 or no penalty."""
    d = X.shape[1]
    count = rows.size
    size = X.itemsize * d
    base = X.ctypes.data
    zero = X.dtype.type(0)
    for first in range(0, count, batch):
        last = min(first + batch, count)
        for k in range(first, last):
            if k + AHEAD < count:
                at = base + rows[k + AHEAD] * size
                for line in range(0, size, 64):
                    _prefetch(at + line)
            i = rows[k]
            x = X[i]
            total = zero
            for j in range(d):
                total += x[j] * w[j]
            p = float(total) + s[0]
            target = float(y[i])
            if aside.size and aside[i]:
                slopes[k - first] = zero
                continue
            if told:
                s[3] += loss_of(loss, target, p, width)
            slope = slope_of(loss, target, p, width) * weight[i]
            slopes[k - first] = min(max(slope, -LARGEST_SLOPE), LARGEST_SLOPE)
        for j in range(d):
            gradient[j] = zero
        both = 0.0
        for k in range(first, last):
            slope = slopes[k - first]
            both += slope
            x = X[rows[k]]
            for j in range(d):
                gradient[j] += slope * x[j]
        eta = _step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        keep = X.dtype.type(max(0.0, 1.0 - eta * alpha))
        add = X.dtype.type(-eta / (last - first))
        for j in range(d):
            w[j] = w[j] * keep + add * gradient[j]
        if intercept:
            s[0] += -eta / (last - first) * both
        if average_from > 0 and s[2] >= average_from:
            for j in range(d):
                w_sum[j] += w[j]
            s[1] += s[0]
            s[7] += 1.0
        s[2] += 1.0


@reassociating_kernel
def sparse_steps(  # noqa: C901
    data: Any, indices: Any, indptr: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, since: Any,
    q: Any, s: Any, loss: int, schedule: int, eta0: float, alpha: float, ratio: float, start: float,
    power: float, width: float, intercept: int, average_from: int, penalised: int, decay: float, aside: Any,
    told: int,
) -> None:  # fmt: skip
    """Take a step for each of these rows of a CSR matrix.

    The weights are ``s[SCALE] * w``, so that the penalty costs nothing; the sum of a weight over steps is
    brought up to date when the weight is touched.
    """
    count = rows.size
    at_data, at_index, at_row = data.ctypes.data, indices.ctypes.data, indptr.ctypes.data
    data_size, index_size, row_size = data.itemsize, indices.itemsize, indptr.itemsize
    for k in range(count):
        if k + 2 * AHEAD < count:
            _prefetch(at_row + rows[k + 2 * AHEAD] * row_size)
        if k + AHEAD < count:
            i = rows[k + AHEAD]
            for line in range(indptr[i] * data_size, indptr[i + 1] * data_size, 64):
                _prefetch(at_data + line)
            for line in range(indptr[i] * index_size, indptr[i + 1] * index_size, 64):
                _prefetch(at_index + line)
        i = rows[k]
        if aside.size and aside[i]:
            continue
        low, high = np.uint64(indptr[i]), np.uint64(indptr[i + 1])
        entries = high - low
        total = data.dtype.type(0)
        for e in range(entries):
            total += data[low + e] * w[np.uint32(indices[low + e])]
        p = float(total) * s[5] + s[0]
        squares = 0.0
        if schedule >= 4:
            for e in range(entries):
                squares += data[low + e] * data[low + e]
        eta = _step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        target = float(y[i])
        if told:
            s[3] += loss_of(loss, target, p, width)
        update = _update_of(loss, schedule, target, p, width, eta, eta0, squares) * weight[i]
        if penalised:
            s[5] *= max(0.0, 1.0 - (1.0 - ratio) * eta * alpha)
            if s[5] < 1e-9:
                for j in range(w.size):
                    if average_from > 0:
                        w_sum[j] += w[j] * (s[6] - since[j])
                        since[j] = 0.0
                    w[j] *= s[5]
                s[6] = 0.0
                s[5] = 1.0
        add = data.dtype.type(update / s[5])
        if average_from > 0:
            for e in range(entries):
                c = np.uint32(indices[low + e])
                w_sum[c] += w[c] * (s[6] - since[c])
                since[c] = s[6]
        for e in range(entries):
            w[np.uint32(indices[low + e])] += add * data[low + e]
        if intercept:
            s[0] += update * decay
        if penalised == 2:
            s[4] += ratio * eta * alpha
            for e in range(entries):
                c = np.uint32(indices[low + e])
                before = w[c] * s[5]
                after = before
                if before > 0.0:
                    after = max(0.0, before - (s[4] + q[c]))
                elif before < 0.0:
                    after = min(0.0, before + (s[4] - q[c]))
                q[c] += after - before
                w[c] = after / s[5]
        if average_from > 0 and s[2] >= average_from:
            s[6] += s[5]
            s[1] += s[0]
            s[7] += 1.0
        elif average_from > 0:
            # Before the average begins nothing is summed: a weight counts from here.
            for e in range(entries):
                since[np.uint32(indices[low + e])] = s[6]
        s[2] += 1.0


@reassociating_kernel
def softmax_steps(  # noqa: C901
    X: Any, y: Any, weight: Any, rows: Any, W: Any, W_sum: Any, b: Any, b_sum: Any, s: Any, schedule: int,
    eta0: float, alpha: float, start: float, power: float, intercept: int, average_from: int, eta_k: Any,
    penalised: int, aside: Any,
) -> None:  # fmt: skip
    """Take a step of softmax cross-entropy for each of these dense rows; W of shape (d, K)."""
    d, classes = W.shape
    for k in range(rows.size):
        i = rows[k]
        if aside.size and aside[i]:
            continue
        x = X[i]
        for c in range(classes):
            eta_k[c] = b[c]
        for j in range(d):
            for c in range(classes):
                eta_k[c] += x[j] * W[j, c]
        most = eta_k[0]
        for c in range(1, classes):
            most = max(most, eta_k[c])
        total = 0.0
        label = int(y[i])
        s[3] -= eta_k[label] - most
        for c in range(classes):
            eta_k[c] = math.exp(eta_k[c] - most)
            total += eta_k[c]
        s[3] += math.log(total)
        eta = _step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        keep = max(0.0, 1.0 - eta * alpha) if penalised else 1.0
        for c in range(classes):
            eta_k[c] = -eta * weight[i] * (eta_k[c] / total - (1.0 if c == label else 0.0))
        for j in range(d):
            for c in range(classes):
                W[j, c] = W[j, c] * keep + eta_k[c] * x[j]
        if intercept:
            for c in range(classes):
                b[c] += eta_k[c]
        if average_from > 0 and s[2] >= average_from:
            for j in range(d):
                for c in range(classes):
                    W_sum[j, c] += W[j, c]
            for c in range(classes):
                b_sum[c] += b[c]
            s[7] += 1.0
        s[2] += 1.0
