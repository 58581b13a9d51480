"""The loops of elementwise instructions, and the walk over rows that do not lie one after the other.

Every kernel is called with the address of its arguments, which are whole numbers: here how many numbers
there are, the address of the result, and those of up to three operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from thetahat.networks.engine.memory import call_kernel, numbers_at, words_at
from thetahat.numerics.compiled import inlined
from thetahat.numerics.elementary import exponential, tangent

__all__ = ["ELEMENTWISE", "SCRATCH_HEAD", "WITH_NUMBER", "walk"]

#: Bytes of scratch memory before its rows.
SCRATCH_HEAD = 64


@inlined
def _one(at: int, zero: Any) -> Any:
    w = words_at(at, 3)
    return numbers_at(w[1], w[0], zero), numbers_at(w[2], w[0], zero)


@inlined
def _two(at: int, zero: Any) -> Any:
    w = words_at(at, 4)
    return numbers_at(w[1], w[0], zero), numbers_at(w[2], w[0], zero), numbers_at(w[3], w[0], zero)


@inlined
def _three(at: int, zero: Any) -> Any:
    w = words_at(at, 5)
    n = w[0]
    return (
        numbers_at(w[1], n, zero),
        numbers_at(w[2], n, zero),
        numbers_at(w[3], n, zero),
        numbers_at(w[4], n, zero),
    )


@inlined
def _and_number(at: int, zero: Any) -> Any:
    w = words_at(at, 4)
    return numbers_at(w[1], w[0], zero), numbers_at(w[2], w[0], zero), numbers_at(w[3], 1, zero)[0]


def _add(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] + b[i]


def _subtract(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] - b[i]


def _multiply(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] * b[i]


def _divide(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] / b[i]


def _maximum(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] if a[i] > b[i] or a[i] != a[i] else b[i]


def _minimum(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] if a[i] < b[i] or a[i] != a[i] else b[i]


def _add_number(at: int, zero: Any) -> None:
    out, a, b = _and_number(at, zero)
    for i in range(out.size):
        out[i] = a[i] + b


def _subtract_number(at: int, zero: Any) -> None:
    out, a, b = _and_number(at, zero)
    for i in range(out.size):
        out[i] = a[i] - b


def _multiply_number(at: int, zero: Any) -> None:
    out, a, b = _and_number(at, zero)
    for i in range(out.size):
        out[i] = a[i] * b


def _divide_number(at: int, zero: Any) -> None:
    out, a, b = _and_number(at, zero)
    for i in range(out.size):
        out[i] = a[i] / b


def _maximum_number(at: int, zero: Any) -> None:
    out, a, b = _and_number(at, zero)
    for i in range(out.size):
        out[i] = a[i] if a[i] > b or a[i] != a[i] else b


def _minimum_number(at: int, zero: Any) -> None:
    out, a, b = _and_number(at, zero)
    for i in range(out.size):
        out[i] = a[i] if a[i] < b or a[i] != a[i] else b


def _copy(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = a[i]


def _negative(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = -a[i]


def _exp(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = exponential(a[i])


def _tanh(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = tangent(a[i])


def _expit(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    one = out.dtype.type(1)
    for i in range(out.size):
        e = exponential(-abs(a[i]))
        out[i] = (one if a[i] >= 0 else e) / (one + e)


def _log(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.log(a[i])


def _sqrt(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.sqrt(a[i])


def _square(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = a[i] * a[i]


def _reciprocal(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = out.dtype.type(1) / a[i]


def _absolute(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = abs(a[i])


def _sign(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.sign(a[i])


def _log1p(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.log1p(a[i])


def _expm1(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.expm1(a[i])


def _sin(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.sin(a[i])


def _cos(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = np.cos(a[i])


def _log_expit(at: int, zero: Any) -> None:
    out, a = _one(at, zero)
    for i in range(out.size):
        out[i] = min(a[i], zero) - np.log1p(np.exp(-abs(a[i])))


def _logaddexp(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = max(a[i], b[i]) + np.log1p(np.exp(-abs(a[i] - b[i])))


def _power(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] ** b[i]


def _greater(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = 1 if a[i] > b[i] else 0


def _greater_equal(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = 1 if a[i] >= b[i] else 0


def _less(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = 1 if a[i] < b[i] else 0


def _less_equal(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = 1 if a[i] <= b[i] else 0


def _tanh_slope(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] * (out.dtype.type(1) - b[i] * b[i])


def _expit_slope(at: int, zero: Any) -> None:
    out, a, b = _two(at, zero)
    for i in range(out.size):
        out[i] = a[i] * (b[i] * (out.dtype.type(1) - b[i]))


def _keep_greater(at: int, zero: Any) -> None:
    out, a, b, c = _three(at, zero)
    for i in range(out.size):
        out[i] = a[i] if b[i] > c[i] else zero


def _keep_greater_equal(at: int, zero: Any) -> None:
    out, a, b, c = _three(at, zero)
    for i in range(out.size):
        out[i] = a[i] if b[i] >= c[i] else zero


def _select(at: int, zero: Any) -> None:
    out, a, b, c = _three(at, zero)
    for i in range(out.size):
        out[i] = b[i] if a[i] != zero else c[i]


def walk(at: int, zero: Any) -> None:
    """Run an elementwise kernel over the innermost rows of up to four axes.

    Arguments: address of the kernel, four lengths, address of the result, for each of three operands its
    address and four strides in numbers, address of scratch memory (``SCRATCH_HEAD`` bytes for the kernel's
    arguments, then three innermost rows), and the bytes of a number. The result is contiguous.
    """
    w = words_at(at, 23)
    n, scratch, size = w[4], w[21], w[22]
    arguments = words_at(scratch, 5)
    arguments[0] = n
    arguments[1] = w[5]
    for i in range(w[1]):
        for j in range(w[2]):
            for k in range(w[3]):
                for operand in range(3):
                    a = 6 + 5 * operand
                    start = w[a] + size * (i * w[a + 1] + j * w[a + 2] + k * w[a + 3])
                    stride = w[a + 4]
                    if stride != 1:
                        source = numbers_at(start, stride * (n - 1) + 1, zero)
                        start = scratch + SCRATCH_HEAD + size * operand * n
                        together = numbers_at(start, n, zero)
                        for x in range(n):
                            together[x] = source[x * stride]
                    arguments[2 + operand] = start
                call_kernel(w[0], scratch, zero)
                arguments[1] += size * n


#: Elementwise kernels by the names of their operations.
ELEMENTWISE: Mapping[str, Callable[[int, Any], None]] = MappingProxyType(
    {
        "copy": _copy,
        "add": _add,
        "subtract": _subtract,
        "multiply": _multiply,
        "divide": _divide,
        "maximum": _maximum,
        "minimum": _minimum,
        "negative": _negative,
        "exp": _exp,
        "log": _log,
        "sqrt": _sqrt,
        "square": _square,
        "reciprocal": _reciprocal,
        "tanh": _tanh,
        "expit": _expit,
        "absolute": _absolute,
        "sign": _sign,
        "log1p": _log1p,
        "expm1": _expm1,
        "sin": _sin,
        "cos": _cos,
        "logaddexp": _logaddexp,
        "log_expit": _log_expit,
        "power": _power,
        "greater": _greater,
        "greater_equal": _greater_equal,
        "less": _less,
        "less_equal": _less_equal,
        "tanh_slope": _tanh_slope,
        "expit_slope": _expit_slope,
        "keep_greater": _keep_greater,
        "keep_greater_equal": _keep_greater_equal,
        "select": _select,
    }
)

#: Kernels of the same names whose second operand is one number.
WITH_NUMBER: Mapping[str, Callable[[int, Any], None]] = MappingProxyType(
    {
        "add": _add_number,
        "subtract": _subtract_number,
        "multiply": _multiply_number,
        "divide": _divide_number,
        "maximum": _maximum_number,
        "minimum": _minimum_number,
    }
)
