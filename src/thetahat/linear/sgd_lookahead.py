"""Steps of one dense row, with the next row's prediction begun before this row's step is known.

The prediction of the row after is (k w + a x) · x' = k (w · x') + a (x · x'), where k shrinks the weights and
a goes along the row x. Both products are there before a is, so that from one step to the next one waits for a
loss's slope alone, and not for two passes over the weights. Rows lie one after another in one flat array, and
places in it are unsigned: a sign would have to be looked at each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.linear.sgd_losses import AHEAD, prefetch, steep, step_size, told_of
from thetahat.numerics.compiled import reassociating_kernel

__all__ = ["lookahead_steps"]


@reassociating_kernel
def lookahead_steps(  # noqa: C901
    cells: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, s: Any, loss: int, schedule: int,
    eta0: float, alpha: float, start: float, power: float, width: float, intercept: int, average_from: int,
    penalised: int, told: int,
) -> None:  # fmt: skip
    """Take a step for each of these rows, or for all in order where ``rows`` is empty; L2 or no penalty.

    ``weight`` may be empty: every row weighs one. ``told`` has losses summed.
    """
    zero, one = w.dtype.type(0), w.dtype.type(1)
    d, unit, line = np.uint64(w.size), np.uint64(1), np.uint64(64)
    ahead, nought = np.uint64(AHEAD), np.uint64(0)
    ordered, weighted = rows.size == 0, weight.size > 0
    count = np.uint64(y.size if ordered else rows.size)
    if count == nought:
        return
    size, item = np.uint64(cells.itemsize) * d, np.uint64(y.itemsize)
    base, base_y = np.uint64(cells.ctypes.data), np.uint64(y.ctypes.data)
    bias, t, eta = s[0], s[2], s[8]
    lost, chance, averaged, bias_sum = 0.0, 1.0, 0.0, 0.0
    moves = w.dtype.type(intercept)
    row = nought if ordered else np.uint64(rows[0])
    at = before = row * d
    p = zero
    for j in range(d):
        p += cells[at + j] * w[j]
    p += w.dtype.type(bias)
    keep, add, summing = one, zero, False
    for k in range(count):
        if k + ahead < count:
            far = k + ahead if ordered else np.uint64(rows[k + ahead])
            for place in range(nought, size, line):
                prefetch(base + far * size + place)
            prefetch(base_y + far * item)
        next_k = min(k + unit, count - unit)
        next_row = next_k if ordered else np.uint64(rows[next_k])
        after = next_row * d
        with_w, with_x = zero, zero
        for j in range(d):
            v = w[j] * keep + add * cells[before + j]
            w[j] = v
            with_w += v * cells[after + j]
            with_x += cells[at + j] * cells[after + j]
        if summing:
            for j in range(d):
                w_sum[j] += w[j]
            bias_sum += bias
            averaged += 1.0
        eta = step_size(schedule, s[8], eta0, alpha, start, power, t)
        length = eta * weight[row] if weighted else eta
        target = w.dtype.type(y[row])
        slope = steep(loss, target, p, width, w)
        if told:
            lost, chance = told_of(lost, chance, loss, target, p, width)
        add = -w.dtype.type(length) * slope
        keep = w.dtype.type(max(0.0, 1.0 - eta * alpha)) if penalised else one
        summing = average_from > 0 and t >= average_from
        t += 1.0
        p = (keep * with_w + w.dtype.type(bias)) + add * (with_x + moves)
        bias += add * moves
        before, at, row = at, after, next_row
    for j in range(d):
        w[j] = w[j] * keep + add * cells[before + j]
    if summing:
        for j in range(d):
            w_sum[j] += w[j]
        bias_sum += bias
        averaged += 1.0
    s[0] = bias
    s[1] += bias_sum
    s[2] = t
    s[3] += lost - np.log(chance)
    s[7] += averaged
