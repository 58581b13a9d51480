"""The loops of stochastic gradient descent that take every option: one dense row, one sparse row.

Rows are visited in the order of ``rows``, and the next ones are asked of memory ahead of time: on shuffled
rows most of the time is spent waiting for them. The scalars of the work are in ``s``: see ``SCALARS``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.linear.sgd_losses import AHEAD, loss_of, prefetch, steep, step_size, told_of, update_of
from thetahat.numerics.compiled import inlined, kernel, reassociating_kernel

__all__ = ["dense_steps", "pulled", "sparse_steps"]


@kernel
def pulled(before: float, pull: float, paid: float) -> float:
    """Return a weight after what L1 has pulled and it has not paid; never beyond nought."""
    if before > 0.0:
        return max(0.0, before - (pull + paid))
    if before < 0.0:
        return min(0.0, before + (pull - paid))
    return before


@reassociating_kernel
def dense_steps(  # noqa: C901
    X: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, q: Any, s: Any, loss: int, schedule: int,
    eta0: float, alpha: float, ratio: float, start: float, power: float, width: float, intercept: int,
    average_from: int, penalised: int, told: int,
) -> None:  # fmt: skip
    """Take a step for each of these rows, or for all in their order where ``rows`` is empty.

    ``told`` says whether losses are summed; ``ratio`` is the share of L1, ``penalised`` 1 for L2, 2 with L1.
    """
    d = X.shape[1]
    count = y.size if rows.size == 0 else rows.size
    size = X.itemsize * d
    base = X.ctypes.data
    for k in range(count):
        if rows.size and k + AHEAD < count:
            at = base + rows[k + AHEAD] * size
            for line in range(0, size, 64):
                prefetch(np.uint64(at + line))
        i = rows[k] if rows.size else k
        x = X[i]
        total = X.dtype.type(0)
        for j in range(d):
            total += x[j] * w[j]
        p = float(total) + s[0]
        squares = 0.0
        if schedule >= 4:
            for j in range(d):
                squares += x[j] * x[j]
        eta = step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        target = float(y[i])
        if told:
            s[3] += loss_of(loss, target, p, width)
        update = update_of(loss, schedule, target, p, width, eta, eta0, squares)
        if weight.size:
            update *= weight[i]
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
                w[j] = pulled(before, s[4], q[j])
                q[j] += w[j] - before
        if average_from > 0 and s[2] >= average_from:
            for j in range(d):
                w_sum[j] += w[j]
            s[1] += s[0]
            s[7] += 1.0
        s[2] += 1.0


@inlined
def _product(data: Any, indices: Any, low: Any, high: Any, w: Any) -> Any:
    """Return the product of a sparse row and the weights: four sums, of four entries at a time."""
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    a, b, c, d = w.dtype.type(0), w.dtype.type(0), w.dtype.type(0), w.dtype.type(0)
    e = low
    while e + three < high:
        a += data[e] * w[np.uint32(indices[e])]
        b += data[e + one] * w[np.uint32(indices[e + one])]
        c += data[e + two] * w[np.uint32(indices[e + two])]
        d += data[e + three] * w[np.uint32(indices[e + three])]
        e += four
    while e < high:
        a += data[e] * w[np.uint32(indices[e])]
        e += one
    return (a + b) + (c + d)


@kernel
def _rescale(w: Any, w_sum: Any, since: Any, scale: float, scales: float, averaging: bool) -> None:
    """Multiply the weights out, before their scale is too small for a number."""
    for j in range(w.size):
        if averaging:
            w_sum[j] += w[j] * (scales - since[j])
            since[j] = 0.0
        w[j] *= scale


@reassociating_kernel
def sparse_steps(  # noqa: C901
    data: Any, indices: Any, indptr: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, since: Any,
    q: Any, s: Any, loss: int, schedule: int, eta0: float, alpha: float, ratio: float, start: float,
    power: float, width: float, intercept: int, average_from: int, penalised: int, decay: float,
    told: int,
) -> None:  # fmt: skip
    """Take a step for each of these rows of a CSR matrix, or for all in their order where ``rows`` is empty.

    The weights are ``s[5] * w``, so that the penalty costs nothing; the sum of a weight over steps is
    brought up to date when the weight is touched.
    """
    unit = np.uint64(1)
    ordered, weighted, averaging = rows.size == 0, weight.size > 0, average_from > 0
    count = y.size if ordered else rows.size
    at_data, at_index, at_row = data.ctypes.data, indices.ctypes.data, indptr.ctypes.data
    data_size, index_size, row_size = data.itemsize, indices.itemsize, indptr.itemsize
    bias, t, pull, scale, scales = s[0], s[2], s[4], s[5], s[6]
    lost, chance = 0.0, 1.0
    for k in range(count):
        if not ordered and k + 2 * AHEAD < count:
            prefetch(np.uint64(at_row + rows[k + 2 * AHEAD] * row_size))
        if k + AHEAD < count:
            i = k + AHEAD if ordered else rows[k + AHEAD]
            for line in range(indptr[i] * data_size, indptr[i + 1] * data_size, 64):
                prefetch(np.uint64(at_data + line))
            for line in range(indptr[i] * index_size, indptr[i + 1] * index_size, 64):
                prefetch(np.uint64(at_index + line))
        i = k if ordered else rows[k]
        low, high = np.uint64(indptr[i]), np.uint64(indptr[i + 1])
        entries = high - low
        total = _product(data, indices, low, high, w)
        p = total * w.dtype.type(scale) + w.dtype.type(bias)
        eta = step_size(schedule, s[8], eta0, alpha, start, power, t)
        target = w.dtype.type(y[i])
        if told:
            lost, chance = told_of(lost, chance, loss, target, p, width)
        if schedule < 4:
            length = eta * weight[i] if weighted else eta
            update = -w.dtype.type(length) * steep(loss, target, p, width, w)
        else:
            squares = 0.0
            for e in range(entries):
                squares += data[low + e] * data[low + e]
            moved = update_of(loss, schedule, float(target), float(p), width, eta, eta0, squares)
            update = w.dtype.type(moved * weight[i] if weighted else moved)
        add = update
        if penalised:
            scale *= max(0.0, 1.0 - (1.0 - ratio) * eta * alpha)
            if scale < 1e-9:
                _rescale(w, w_sum, since, scale, scales, averaging)
                scale = 1.0
                scales = 0.0 if averaging else scales
            add *= w.dtype.type(1.0 / scale)
        if averaging:
            for e in range(entries):
                c = np.uint32(indices[low + e])
                w_sum[c] += w[c] * (scales - since[c])
                since[c] = scales
        at = low
        while at < high:
            w[np.uint32(indices[at])] += add * data[at]
            at += unit
        if intercept:
            bias += update * decay
        if penalised == 2:
            pull += ratio * eta * alpha
            for e in range(entries):
                c = np.uint32(indices[low + e])
                before = w[c] * scale
                after = pulled(before, pull, q[c])
                q[c] += after - before
                w[c] = after / scale
        if averaging and t >= average_from:
            scales += scale
            s[1] += bias
            s[7] += 1.0
        elif averaging:
            # Before the average begins nothing is summed: a weight counts from here.
            for e in range(entries):
                since[np.uint32(indices[low + e])] = scales
        t += 1.0
    s[0], s[2], s[4], s[5], s[6] = bias, t, pull, scale, scales
    s[3] += lost - np.log(chance)
