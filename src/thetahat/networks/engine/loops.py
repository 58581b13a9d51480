"""The loops of elementwise instructions: rows of contiguous numbers, three operands at most."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.networks.engine.instructions import ELEMENTWISE
from thetahat.networks.engine.memory import array_at
from thetahat.numerics.compiled import kernel
from thetahat.numerics.elementary import exponential, tangent

__all__ = ["elementwise", "exp_in_place"]

_COPY, _ADD, _SUBTRACT = ELEMENTWISE["copy"], ELEMENTWISE["add"], ELEMENTWISE["subtract"]
_MULTIPLY, _DIVIDE, _MAXIMUM = ELEMENTWISE["multiply"], ELEMENTWISE["divide"], ELEMENTWISE["maximum"]
_MINIMUM, _NEGATIVE, _EXP = ELEMENTWISE["minimum"], ELEMENTWISE["negative"], ELEMENTWISE["exp"]
_LOG, _SQRT, _SQUARE = ELEMENTWISE["log"], ELEMENTWISE["sqrt"], ELEMENTWISE["square"]
_RECIPROCAL, _TANH, _EXPIT = ELEMENTWISE["reciprocal"], ELEMENTWISE["tanh"], ELEMENTWISE["expit"]
_ABSOLUTE, _SIGN, _LOG1P = ELEMENTWISE["absolute"], ELEMENTWISE["sign"], ELEMENTWISE["log1p"]
_EXPM1, _SIN, _COS = ELEMENTWISE["expm1"], ELEMENTWISE["sin"], ELEMENTWISE["cos"]
_LOGADDEXP, _LOG_EXPIT, _POWER = ELEMENTWISE["logaddexp"], ELEMENTWISE["log_expit"], ELEMENTWISE["power"]
_GREATER, _GREATER_EQUAL = ELEMENTWISE["greater"], ELEMENTWISE["greater_equal"]
_LESS, _LESS_EQUAL = ELEMENTWISE["less"], ELEMENTWISE["less_equal"]
_TANH_SLOPE, _EXPIT_SLOPE = ELEMENTWISE["tanh_slope"], ELEMENTWISE["expit_slope"]
_KEEP_GREATER, _KEEP_GREATER_EQUAL = ELEMENTWISE["keep_greater"], ELEMENTWISE["keep_greater_equal"]
_SELECT = ELEMENTWISE["select"]


@kernel
def exp_in_place(x: Any) -> None:
    """Replace every number by its exponential."""
    for i in range(x.size):
        x[i] = exponential(x[i])


@kernel
def _expit(out: Any, a: Any) -> None:
    one = out.dtype.type(1)
    for i in range(out.size):
        e = exponential(-abs(a[i]))
        out[i] = (one if a[i] >= 0 else e) / (one + e)


@kernel
def _arithmetic(op: int, out: Any, a: Any, b: Any) -> None:  # noqa: C901 - a table of loops
    n = out.size
    if op == _ADD:
        for i in range(n):
            out[i] = a[i] + b[i]
    elif op == _SUBTRACT:
        for i in range(n):
            out[i] = a[i] - b[i]
    elif op == _MULTIPLY:
        for i in range(n):
            out[i] = a[i] * b[i]
    elif op == _DIVIDE:
        for i in range(n):
            out[i] = a[i] / b[i]
    elif op == _MAXIMUM:
        for i in range(n):
            out[i] = a[i] if a[i] > b[i] or a[i] != a[i] else b[i]
    elif op == _MINIMUM:
        for i in range(n):
            out[i] = a[i] if a[i] < b[i] or a[i] != a[i] else b[i]


@kernel
def _arithmetic_with_number(op: int, out: Any, a: Any, b: Any) -> None:  # noqa: C901 - a table of loops
    n = out.size
    if op == _ADD:
        for i in range(n):
            out[i] = a[i] + b
    elif op == _SUBTRACT:
        for i in range(n):
            out[i] = a[i] - b
    elif op == _MULTIPLY:
        for i in range(n):
            out[i] = a[i] * b
    elif op == _DIVIDE:
        for i in range(n):
            out[i] = a[i] / b
    elif op == _MAXIMUM:
        for i in range(n):
            out[i] = a[i] if a[i] > b or a[i] != a[i] else b
    elif op == _MINIMUM:
        for i in range(n):
            out[i] = a[i] if a[i] < b or a[i] != a[i] else b


@kernel
def _unary(op: int, out: Any, a: Any) -> None:  # noqa: C901 - a table of loops
    n = out.size
    if op == _COPY:
        for i in range(n):
            out[i] = a[i]
    elif op == _NEGATIVE:
        for i in range(n):
            out[i] = -a[i]
    elif op == _EXP:
        for i in range(n):
            out[i] = exponential(a[i])
    elif op == _TANH:
        for i in range(n):
            out[i] = tangent(a[i])
    elif op == _EXPIT:
        _expit(out, a)
    elif op == _LOG:
        for i in range(n):
            out[i] = np.log(a[i])
    elif op == _SQRT:
        for i in range(n):
            out[i] = np.sqrt(a[i])
    elif op == _SQUARE:
        for i in range(n):
            out[i] = a[i] * a[i]
    elif op == _RECIPROCAL:
        for i in range(n):
            out[i] = out.dtype.type(1) / a[i]
    elif op == _ABSOLUTE:
        for i in range(n):
            out[i] = abs(a[i])
    elif op == _SIGN:
        for i in range(n):
            out[i] = np.sign(a[i])
    elif op == _LOG1P:
        for i in range(n):
            out[i] = np.log1p(a[i])
    elif op == _EXPM1:
        for i in range(n):
            out[i] = np.expm1(a[i])
    elif op == _SIN:
        for i in range(n):
            out[i] = np.sin(a[i])
    elif op == _COS:
        for i in range(n):
            out[i] = np.cos(a[i])
    elif op == _LOG_EXPIT:
        for i in range(n):
            out[i] = min(a[i], out.dtype.type(0)) - np.log1p(np.exp(-abs(a[i])))


@kernel
def _compare(op: int, out: Any, a: Any, b: Any) -> None:  # noqa: C901 - a table of loops
    n = out.size
    if op == _GREATER:
        for i in range(n):
            out[i] = 1 if a[i] > b[i] else 0
    elif op == _GREATER_EQUAL:
        for i in range(n):
            out[i] = 1 if a[i] >= b[i] else 0
    elif op == _LESS:
        for i in range(n):
            out[i] = 1 if a[i] < b[i] else 0
    elif op == _LESS_EQUAL:
        for i in range(n):
            out[i] = 1 if a[i] <= b[i] else 0
    elif op == _LOGADDEXP:
        for i in range(n):
            out[i] = max(a[i], b[i]) + np.log1p(np.exp(-abs(a[i] - b[i])))
    elif op == _POWER:
        for i in range(n):
            out[i] = a[i] ** b[i]
    elif op == _TANH_SLOPE:
        for i in range(n):
            out[i] = a[i] * (out.dtype.type(1) - b[i] * b[i])
    elif op == _EXPIT_SLOPE:
        for i in range(n):
            out[i] = a[i] * (b[i] * (out.dtype.type(1) - b[i]))


@kernel
def _choose(op: int, out: Any, a: Any, b: Any, c: Any) -> None:
    n = out.size
    zero = out.dtype.type(0)
    if op == _KEEP_GREATER:
        for i in range(n):
            out[i] = a[i] if b[i] > c[i] else zero
    elif op == _KEEP_GREATER_EQUAL:
        for i in range(n):
            out[i] = a[i] if b[i] >= c[i] else zero
    elif op == _SELECT:
        for i in range(n):
            out[i] = b[i] if a[i] != zero else c[i]


@kernel
def _operand(address: int, stride: int, n: int, scratch: Any) -> Any:
    """Return n numbers side by side: where they are, or gathered in scratch memory."""
    if stride == 1:
        return array_at(address, n, scratch)
    source = array_at(address, stride * (n - 1) + 1, scratch)
    for i in range(n):
        scratch[i] = source[i * stride]
    return scratch[:n]


@kernel
def elementwise(row: Any, scratch: Any) -> None:
    """Run one elementwise instruction.

    ``row`` is [operation, four lengths, address of the result, and for each of three operands its
    address and four strides, in numbers]; the result is contiguous. ``scratch`` has three rows as
    long as the innermost length.
    """
    op, n = row[0], row[4]
    size = np.int64(scratch.itemsize)
    place = row[5]
    for i in range(row[1]):
        for j in range(row[2]):
            for k in range(row[3]):
                a = row[6] + size * (i * row[7] + j * row[8] + k * row[9])
                b = row[11] + size * (i * row[12] + j * row[13] + k * row[14])
                c = row[16] + size * (i * row[17] + j * row[18] + k * row[19])
                out = array_at(place, n, scratch)
                first = _operand(a, row[10], n, scratch[0])
                if row[15] == 0 and _COPY < op <= _MINIMUM:
                    number = array_at(b, 1, scratch)[0]
                    _arithmetic_with_number(op, out, first, number)
                else:
                    second = _operand(b, row[15], n, scratch[1])
                    third = _operand(c, row[20], n, scratch[2])
                    if op <= _MINIMUM and op != _COPY:
                        _arithmetic(op, out, first, second)
                    elif op <= _LOG_EXPIT and op != _LOGADDEXP:
                        _unary(op, out, first)
                    elif op < _KEEP_GREATER:
                        _compare(op, out, first, second)
                    else:
                        _choose(op, out, first, second, third)
                place += size * n
