"""The one loop that runs every program: a chunk of training steps in a single call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thetahat.networks.engine.instructions import (
    BIAS_ADD,
    BIAS_RELU,
    FIRST_ELEMENTWISE,
    MAX,
    NLL,
    PLACE,
    PRODUCT,
    RELU_BACK,
    RELU_BACK_SUM,
    SUM,
    ZERO,
)
from thetahat.networks.engine.loops import elementwise, exp_in_place
from thetahat.networks.engine.memory import array_at, matrix_at, product
from thetahat.networks.engine.update import update
from thetahat.numerics.compiled import kernel, reassociating_kernel

__all__ = ["fetch", "run_steps"]


@kernel
def _bias(h: Any, b: Any, relu: bool) -> None:
    zero = h.dtype.type(0)
    rows, columns = h.shape
    if relu:
        for i in range(rows):
            for j in range(columns):
                h[i, j] = max(h[i, j] + b[j], zero)
    else:
        for i in range(rows):
            for j in range(columns):
                h[i, j] += b[j]


@kernel
def _zero(x: Any) -> None:
    for i in range(x.size):
        x[i] = 0


@kernel
def _relu_back(g: Any, h: Any) -> None:
    zero = g.dtype.type(0)
    for i in range(g.size):
        g[i] = g[i] if h[i] > zero else zero


@kernel
def _relu_back_sum(g: Any, h: Any, total: Any) -> None:
    zero = g.dtype.type(0)
    rows, columns = g.shape
    for j in range(columns):
        total[j] = zero
    for i in range(rows):
        for j in range(columns):
            kept = g[i, j] if h[i, j] > zero else zero
            g[i, j] = kept
            total[j] += kept


@reassociating_kernel
def _total(x: Any, start: int, stop: int) -> Any:
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i]
    return total


@kernel
def _reduce(largest: bool, outer: int, length: int, inner: int, source: Any, out: Any) -> None:
    if inner == 1 and not largest:
        for i in range(outer):
            out[i] = _total(source, i * length, (i + 1) * length)
        return
    for i in range(outer):
        to, of = i * inner, i * length * inner
        for j in range(inner):
            out[to + j] = source[of + j]
        for _ in range(1, length):
            of += inner
            if largest:
                for j in range(inner):
                    out[to + j] = max(out[to + j], source[of + j])
            else:
                for j in range(inner):
                    out[to + j] += source[of + j]


@kernel
def _categorical(eta: Any, y: Any, value: Any, slope: Any, flat: Any) -> None:
    rows, columns = eta.shape
    for i in range(rows):
        top = eta[i, 0]
        for j in range(1, columns):
            top = max(top, eta[i, j])
        for j in range(columns):
            slope[i, j] = eta[i, j] - top
        value[i] = -slope[i, int(y[i])]
    exp_in_place(flat)
    one = slope.dtype.type(1)
    for i in range(rows):
        total = slope.dtype.type(0)
        for j in range(columns):
            total += slope[i, j]
        value[i] += np.log(total)
        share = one / total
        # p − 1 of the class that happened is minus the sum of the others, which keeps its digits.
        others = slope.dtype.type(0)
        code = int(y[i])
        for j in range(columns):
            slope[i, j] *= share
            others += slope[i, j] if j != code else slope.dtype.type(0)
        slope[i, code] = -others


@kernel
def _one_parameter(family: int, sd: float, eta: Any, y: Any, value: Any, slope: Any) -> None:
    rows, columns = eta.shape
    top = 88.0 if eta.itemsize == 4 else 709.0
    for i in range(rows):
        total = 0.0
        for j in range(columns):
            e, t = np.float64(eta[i, j]), np.float64(y[i * columns + j])
            if family == 0:
                gap = (e - t) / sd
                total += 0.5 * gap * gap + math.log(sd) + 0.9189385332046727
                slope[i, j] = gap / sd
            elif family == 1:
                sign = 2 * t - 1
                s = sign * e
                small = math.exp(-abs(s))
                total += max(-s, 0.0) + math.log1p(small)
                slope[i, j] = -sign * (small if s >= 0 else 1.0) / (1.0 + small)
            else:
                mean = math.exp(min(e, top - 1.3))
                total += mean - t * e + math.lgamma(t + 1.0)
                slope[i, j] = mean - t
        value[i] = total


@kernel
def _nll(row: Any, scratch: Any) -> None:
    family, n, k = row[1], row[2], row[3]
    eta = matrix_at(row[4], n, k, scratch)
    value = array_at(row[6], n, scratch)
    slope = matrix_at(row[6] + np.int64(scratch.itemsize) * n, n, k, scratch)
    if family == 2:
        flat = array_at(row[6] + np.int64(scratch.itemsize) * n, n * k, scratch)
        _categorical(eta, array_at(row[5], n, scratch), value, slope, flat)
    else:
        sd = np.float64(array_at(row[7], 1, scratch)[0])
        _one_parameter(family, sd, eta, array_at(row[5], n * k, scratch), value, slope)


@kernel
def _place(row: Any, like: Any) -> None:
    """Copy into a part of an array: lengths, then address and strides of the target and of the source."""
    size = np.int64(like.itemsize)
    for i in range(row[1]):
        for j in range(row[2]):
            for k in range(row[3]):
                to = row[5] + size * (i * row[6] + j * row[7] + k * row[8])
                of = row[10] + size * (i * row[11] + j * row[12] + k * row[13])
                target = array_at(to, row[9] * (row[4] - 1) + 1, like)
                source = array_at(of, row[14] * (row[4] - 1) + 1, like)
                for n in range(row[4]):
                    target[n * row[9]] = source[n * row[14]]


@kernel
def fetch(sources: Any, order: Any, start: int, count: int, serial: int, scratch: Any) -> None:
    """Bring the rows of a batch to where the program reads them.

    A row of ``sources`` is [address of the data, of the batch, numbers in a row, whether the data are
    the chunk's masks, which follow one another].
    """
    size = np.int64(scratch.itemsize)
    flat = scratch[0]
    for s in range(sources.shape[0]):
        base, place, width = sources[s, 0], sources[s, 1], sources[s, 2]
        if sources[s, 3] == 1:
            source = array_at(base + size * serial * width, count * width, flat)
            target = array_at(place, count * width, flat)
            for j in range(count * width):
                target[j] = source[j]
            continue
        for i in range(count):
            source = array_at(base + size * order[start + i] * width, width, flat)
            target = array_at(place + size * i * width, width, flat)
            for j in range(width):
                target[j] = source[j]


@kernel
def run_steps(  # noqa: C901 - a table of instructions
    program: Any,
    first: int,
    last: int,
    sources: Any,
    order: Any,
    batch: int,
    gemm: int,
    integers: Any,
    where: Any,
    scratch: Any,
    loss: Any,
    losses: Any,
    theta: Any,
    gradient: Any,
    moments: Any,
    numbers: Any,
    settings: Any,
    step: int,
) -> None:
    """Take one training step for each batch of ``order``, whose length is a multiple of ``batch``.

    With an empty ``order`` the instructions from ``first`` up to ``last`` run once, on the batch that
    is there, and nothing moves.
    """
    flat = scratch[0]
    for s in range(max(1, losses.size)):
        if losses.size > 0:
            fetch(sources, order, s * batch, batch, s * batch, scratch)
        for q in range(first, last):
            row = program[q]
            op = row[0]
            if op == PRODUCT:
                product(gemm, row, integers, where)
            elif op >= FIRST_ELEMENTWISE:
                elementwise(row, scratch)
            elif op == BIAS_RELU or op == BIAS_ADD:
                _bias(
                    matrix_at(row[3], row[1], row[2], flat), array_at(row[4], row[2], flat), op == BIAS_RELU
                )
            elif op == RELU_BACK:
                n = row[1] * row[2]
                _relu_back(array_at(row[3], n, flat), array_at(row[4], n, flat))
            elif op == RELU_BACK_SUM:
                g = matrix_at(row[3], row[1], row[2], flat)
                _relu_back_sum(g, matrix_at(row[4], row[1], row[2], flat), array_at(row[5], row[2], flat))
            elif op == SUM or op == MAX:
                source = array_at(row[4], row[1] * row[2] * row[3], flat)
                _reduce(op == MAX, row[1], row[2], row[3], source, array_at(row[5], row[1] * row[3], flat))
            elif op == NLL:
                _nll(row, flat)
            elif op == ZERO:
                _zero(array_at(row[2], row[1], flat))
            elif op == PLACE:
                _place(row, flat)
        if losses.size > 0:
            losses[s] = loss[0]
            update(theta, gradient, moments, numbers, settings, step + s + 1)
