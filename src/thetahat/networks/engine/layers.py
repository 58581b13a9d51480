"""The kernels of layers: products with their biases, rectifiers, sums, and rows of the data.

Every kernel is called with the address of its arguments, whole numbers, which its docstring lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.networks.engine.memory import call_gemm, matrix_at, numbers_at, words_at
from thetahat.numerics.compiled import inlined, reassociating_kernel

__all__ = [
    "bias_add",
    "bias_relu",
    "fetch",
    "gather",
    "largest",
    "lookup",
    "lookup_back",
    "place",
    "product",
    "relu_back",
    "relu_back_sum",
    "scatter_add",
    "total",
    "zero_out",
]


def product(at: int, zero: Any) -> None:
    """Compute a matrix product. Arguments: address of BLAS's function, and its thirteen arguments."""
    w = words_at(at, 14)
    call_gemm(
        w[0],
        (w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13]),
    )


def bias_add(at: int, zero: Any) -> None:
    """Add a bias in place. Arguments: rows, columns, addresses of the matrix and of the bias."""
    w = words_at(at, 4)
    rows, columns = w[0], w[1]
    h, b = matrix_at(w[2], rows, columns, zero), numbers_at(w[3], columns, zero)
    for i in range(rows):
        for j in range(columns):
            h[i, j] += b[j]


def bias_relu(at: int, zero: Any) -> None:
    """Add a bias and rectify, in place. Arguments: those of :func:`bias_add`."""
    w = words_at(at, 4)
    rows, columns = w[0], w[1]
    h, b = matrix_at(w[2], rows, columns, zero), numbers_at(w[3], columns, zero)
    for i in range(rows):
        for j in range(columns):
            h[i, j] = max(h[i, j] + b[j], zero)


def relu_back(at: int, zero: Any) -> None:
    """Clear a cotangent where a unit was off. Arguments: rows, columns, addresses of both."""
    w = words_at(at, 4)
    g, h = numbers_at(w[2], w[0] * w[1], zero), numbers_at(w[3], w[0] * w[1], zero)
    for i in range(g.size):
        g[i] = g[i] if h[i] > zero else zero


@inlined
def _add_rows(source: Any, out: Any, length: int) -> None:
    """Add up rows that follow one another, four a pass: the sum is read and written a quarter as often."""
    n = out.size
    for j in range(n):
        out[j] = 0
    whole = length - length % 4
    for i in range(0, whole, 4):
        of = i * n
        for j in range(n):
            first = source[of + j] + source[of + n + j]
            out[j] += first + (source[of + 2 * n + j] + source[of + 3 * n + j])
    for i in range(whole, length):
        of = i * n
        for j in range(n):
            out[j] += source[of + j]


def relu_back_sum(at: int, zero: Any) -> None:
    """Do :func:`relu_back`, and add the rows up. Arguments: the same, and the address of the sum."""
    w = words_at(at, 5)
    rows, columns = w[0], w[1]
    g, h = numbers_at(w[2], rows * columns, zero), numbers_at(w[3], rows * columns, zero)
    for i in range(g.size):
        g[i] = g[i] if h[i] > zero else zero
    _add_rows(g, numbers_at(w[4], columns, zero), rows)


@reassociating_kernel
def _sum_of(x: Any, zero: Any) -> Any:
    sum_ = zero
    for i in range(x.size):
        sum_ += x[i]
    return sum_


def total(at: int, zero: Any) -> None:
    """Add up along an axis.

    Arguments: lengths outside, along and inside of it, addresses of both arrays, bytes of a number.
    """
    w = words_at(at, 6)
    outer, length, inner = w[0], w[1], w[2]
    source, out = numbers_at(w[3], outer * length * inner, zero), numbers_at(w[4], outer * inner, zero)
    if inner == 1:
        for i in range(outer):
            out[i] = _sum_of(source[i * length : (i + 1) * length], zero)
        return
    for i in range(outer):
        part = numbers_at(w[3] + w[5] * i * length * inner, length * inner, zero)
        _add_rows(part, numbers_at(w[4] + w[5] * i * inner, inner, zero), length)


def largest(at: int, zero: Any) -> None:
    """Take the largest along an axis. Arguments: those of :func:`total`."""
    w = words_at(at, 5)
    outer, length, inner = w[0], w[1], w[2]
    source, out = numbers_at(w[3], outer * length * inner, zero), numbers_at(w[4], outer * inner, zero)
    for i in range(outer):
        to, of = i * inner, i * length * inner
        for j in range(inner):
            out[to + j] = source[of + j]
        for _ in range(1, length):
            of += inner
            for j in range(inner):
                out[to + j] = max(out[to + j], source[of + j])


def zero_out(at: int, zero: Any) -> None:
    """Fill with zeros. Arguments: how many, and their address."""
    w = words_at(at, 2)
    x = numbers_at(w[1], w[0], zero)
    for i in range(x.size):
        x[i] = zero


def place(at: int, zero: Any) -> None:
    """Copy into a part of an array.

    Arguments: four lengths, address and four strides of the target and of the source, bytes of a number.
    """
    w = words_at(at, 15)
    size, n = w[14], w[3]
    for i in range(w[0]):
        for j in range(w[1]):
            for k in range(w[2]):
                to = w[4] + size * (i * w[5] + j * w[6] + k * w[7])
                of = w[9] + size * (i * w[10] + j * w[11] + k * w[12])
                target = numbers_at(to, w[8] * (n - 1) + 1, zero)
                source = numbers_at(of, w[13] * (n - 1) + 1, zero)
                for x in range(n):
                    target[x * w[8]] = source[x * w[13]]


def gather(at: int, zero: Any) -> None:
    """Take numbers by their places. Arguments: how many, addresses of result, source and places."""
    w = words_at(at, 4)
    out, places = numbers_at(w[1], w[0], zero), words_at(w[3], w[0])
    for i in range(out.size):
        out[i] = numbers_at(w[2], places[i] + 1, zero)[places[i]]


def scatter_add(at: int, zero: Any) -> None:
    """Add numbers at their places. Arguments: how many, addresses of what is added, target and places."""
    w = words_at(at, 4)
    parts, places = numbers_at(w[1], w[0], zero), words_at(w[3], w[0])
    for i in range(parts.size):
        numbers_at(w[2], places[i] + 1, zero)[places[i]] += parts[i]


@inlined
def _row_asked(number: Any, rows: int) -> Any:
    """Return which row a number asks for, as NumPy counts; −1 for one that is not there."""
    row = np.int64(number)
    if row < 0:
        row += rows
    return row if 0 <= row < rows else np.int64(-1)


def lookup(at: int, zero: Any) -> None:
    """Take rows whose numbers the data say; NaN for a row that is not there.

    Arguments: how many, their width, rows of the source, addresses of result, source and numbers.
    """
    w = words_at(at, 6)
    n, width, rows = w[0], w[1], w[2]
    out, source = matrix_at(w[3], n, width, zero), matrix_at(w[4], rows, width, zero)
    asked = numbers_at(w[5], n, zero)
    for i in range(n):
        row = _row_asked(asked[i], rows)
        for j in range(width):
            out[i, j] = source[row, j] if row >= 0 else zero / zero


def lookup_back(at: int, zero: Any) -> None:
    """Add rows where :func:`lookup` took them.

    Arguments: how many, their width, rows of the target, addresses of the rows, target and numbers.
    """
    w = words_at(at, 6)
    n, width, rows = w[0], w[1], w[2]
    parts, target = matrix_at(w[3], n, width, zero), matrix_at(w[4], rows, width, zero)
    asked = numbers_at(w[5], n, zero)
    for i in range(n):
        row = _row_asked(asked[i], rows)
        if row >= 0:
            for j in range(width):
                target[row, j] += parts[i, j]


def fetch(at: int, zero: Any) -> None:
    """Bring the rows of a batch to where the program reads them.

    Arguments: address of the data and of the batch, numbers in a row, whether the data are masks of the
    chunk, which follow one another, address of the cursor, and the bytes of a number. The cursor: address
    of the order of rows, where the batch begins in it, its rows.
    """
    w = words_at(at, 6)
    width, size = w[2], w[5]
    cursor = words_at(w[4], 3)
    start, count = cursor[1], cursor[2]
    target = matrix_at(w[1], count, width, zero)
    if w[3] == 1:
        masks = matrix_at(w[0] + size * start * width, count, width, zero)
        for i in range(count):
            for j in range(width):
                target[i, j] = masks[i, j]
        return
    order = words_at(cursor[0] + 8 * start, count)
    if width == 1:
        for i in range(count):
            target[i, 0] = numbers_at(w[0] + size * order[i], 1, zero)[0]
        return
    for i in range(count):
        source = numbers_at(w[0] + size * order[i] * width, width, zero)
        for j in range(width):
            target[i, j] = source[j]
