"""Steps of a few dense rows at a time, along the mean of their gradients.

Four rows share each pass over the weights and over the gradient; while a batch is worked on, the rows of the
next are asked of memory. Places are unsigned, as in the steps of one row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.linear.sgd_losses import FAR, prefetch, steep, step_size, told_of
from thetahat.numerics.compiled import inlined, kernel, reassociating_kernel
from thetahat.numerics.elementary import exponential_within

__all__ = ["few_rows_steps"]


@kernel
def _place(rows: Any, k: Any) -> Any:
    return k if rows.size == 0 else np.uint64(rows[k])


@inlined
def _ask(base: Any, rows: Any, first: Any, last: Any, count: Any, size: Any) -> None:
    """Ask memory for the rows ``first`` to ``last`` of the order, up to its end."""
    line, nought = np.uint64(64), np.uint64(0)
    last = min(last, count)
    if rows.size == 0:
        for at in range(base + first * size, base + last * size, line):
            prefetch(at)
    else:
        for k in range(first, last):
            row = base + np.uint64(rows[k]) * size
            for at in range(nought, size, line):
                prefetch(row + at)


@inlined
def _predictions(
    cells: Any, w: Any, bias: Any, rows: Any, first: Any, m: Any, count: Any, size: Any, p: Any
) -> None:
    d, zero, base = np.uint64(w.size), w.dtype.type(0), np.uint64(cells.ctypes.data)
    one, two, three, four, half = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4), m // np.uint64(2)
    q = np.uint64(0)
    while q + three < m:
        ahead = first + m + q // two
        _ask(base, rows, ahead, ahead + two, min(count, first + m + half), size)
        a, b = _place(rows, first + q) * d, _place(rows, first + q + one) * d
        c, e = _place(rows, first + q + two) * d, _place(rows, first + q + three) * d
        pa, pb, pc, pe = zero, zero, zero, zero
        for j in range(d):
            pa += cells[a + j] * w[j]
            pb += cells[b + j] * w[j]
            pc += cells[c + j] * w[j]
            pe += cells[e + j] * w[j]
        p[q], p[q + one], p[q + two], p[q + three] = pa + bias, pb + bias, pc + bias, pe + bias
        q += four
    while q < m:
        a, pa = _place(rows, first + q) * d, zero
        for j in range(d):
            pa += cells[a + j] * w[j]
        p[q] = pa + bias
        q += one


@inlined
def _gradient(
    cells: Any, slopes: Any, rows: Any, first: Any, m: Any, count: Any, size: Any, gradient: Any
) -> None:
    d, base = np.uint64(gradient.size), np.uint64(cells.ctypes.data)
    one, two, three, four, half = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4), m // np.uint64(2)
    q = np.uint64(0)
    for j in range(d):
        gradient[j] = gradient.dtype.type(0)
    while q + three < m:
        ahead = first + m + half + q // two
        _ask(base, rows, ahead, ahead + two, min(count, first + m + m), size)
        a, b = _place(rows, first + q) * d, _place(rows, first + q + one) * d
        c, e = _place(rows, first + q + two) * d, _place(rows, first + q + three) * d
        sa, sb, sc, se = slopes[q], slopes[q + one], slopes[q + two], slopes[q + three]
        for j in range(d):
            gradient[j] += sa * cells[a + j] + sb * cells[b + j] + sc * cells[c + j] + se * cells[e + j]
        q += four
    while q < m:
        a, sa = _place(rows, first + q) * d, slopes[q]
        for j in range(d):
            gradient[j] += sa * cells[a + j]
        q += one


@inlined
def _logistic_slopes(y: Any, p: Any, m: Any, slopes: Any, far: Any, one: Any) -> None:
    """Replace predictions by slopes of log-loss: a loop that a vector unit can take."""
    for q in range(m):
        z = min(max(y[q] * p[q], -far), far)
        slopes[q] = -y[q] / (one + exponential_within(z))


@reassociating_kernel
def few_rows_steps(  # noqa: C901
    cells: Any, y: Any, weight: Any, rows: Any, w: Any, w_sum: Any, s: Any, loss: int, schedule: int,
    eta0: float, alpha: float, start: float, power: float, width: float, intercept: int, average_from: int,
    penalised: int, told: int, batch: int,
) -> None:  # fmt: skip
    """Take a step for each so many rows, along the mean of their gradients; L2 or no penalty.

    As in the steps of one row, ``rows`` and ``weight`` may be empty.
    """
    d, one = w.size, w.dtype.type(1)
    far = w.dtype.type(FAR)
    count = np.uint64(y.size if rows.size == 0 else rows.size)
    size = np.uint64(cells.itemsize) * np.uint64(d)
    p, slopes, targets = np.empty(batch, w.dtype), np.empty(batch, w.dtype), np.empty(batch, w.dtype)
    gradient = np.empty(d, w.dtype)
    t, eta, bias, lost, chance = s[2], s[8], s[0], 0.0, 1.0
    for first in range(np.uint64(0), count, np.uint64(batch)):
        m = min(np.uint64(batch), count - first)
        _predictions(cells, w, w.dtype.type(bias), rows, first, m, count, size, p)
        for q in range(m):
            targets[q] = w.dtype.type(y[_place(rows, first + q)])
        if loss == 4:
            _logistic_slopes(targets, p, m, slopes, far, one)
        else:
            for q in range(m):
                slopes[q] = steep(loss, targets[q], p[q], width, w)
        if weight.size:
            for q in range(m):
                slopes[q] *= w.dtype.type(weight[_place(rows, first + q)])
        if told:
            for q in range(m):
                lost, chance = told_of(lost, chance, loss, targets[q], p[q], width)
        both = 0.0
        for q in range(m):
            both += slopes[q]
        _gradient(cells, slopes, rows, first, m, count, size, gradient)
        eta = step_size(schedule, s[8], eta0, alpha, start, power, t)
        keep = w.dtype.type(max(0.0, 1.0 - eta * alpha)) if penalised else one
        add = w.dtype.type(-eta / float(m))
        for j in range(d):
            w[j] = w[j] * keep + add * gradient[j]
        if intercept:
            bias += -eta / float(m) * both
        if average_from > 0 and t >= average_from:
            for j in range(d):
                w_sum[j] += w[j]
            s[1] += bias
            s[7] += 1.0
        t += 1.0
    s[0] = bias
    s[2] = t
    s[3] += lost - np.log(chance)
