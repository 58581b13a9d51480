"""NumPy's elementwise functions.

Where a function has no derivative the rule takes one of its subgradients, always the same:

=====================================  =======================================================
``abs``, ``fabs``, ``sign`` …          0 at 0
``maximum``, ``minimum``, ``fmax`` …   at a tie the whole derivative goes to the constant if one
                                       input is a constant, so ReLU'(0) = 0 whichever way it is
                                       written; to the first if both are traced
``clip``                               0 at the bounds
``sqrt``, ``cbrt``, ``hypot``, ``**``  ∞ or what the formula says; with the product of
                                       :mod:`~thetahat.autodiff.rules.cotangents` a norm at 0
                                       has gradient 0
``floor``, ``rint``, ``sign`` …        a plain array: the derivative is 0 wherever there is one
``mod``, ``fmod``                      that of the piece to the right
=====================================  =======================================================
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from thetahat.autodiff.rules.cotangents import elementwise, primitive_ufunc, times, unbroadcast, weak
from thetahat.autodiff.tape import Node, Primitive
from thetahat.autodiff.tensor import FUNCTIONS, UFUNCS, plain

_LN2 = float(np.log(2.0))
_LN10 = float(np.log(10.0))
_DEGREE = float(np.pi / 180.0)

# Sums: the cotangent passes through.

_ADD = Primitive(
    "add",
    np.add,
    [lambda g, _ans, x, _y: unbroadcast(g, x), lambda g, _ans, _x, y: unbroadcast(g, y)],
)
_SUBTRACT = Primitive(
    "subtract",
    np.subtract,
    [lambda g, _ans, x, _y: unbroadcast(g, x), lambda g, _ans, _x, y: unbroadcast(-g, y)],
)
primitive_ufunc(np.add, _ADD)
primitive_ufunc(np.subtract, _SUBTRACT)
primitive_ufunc(np.negative, Primitive("negative", np.negative, [lambda g, _ans, _x: -g]))
primitive_ufunc(np.positive, lambda x: x)
primitive_ufunc(np.conjugate, lambda x: x)

elementwise(np.multiply, lambda _ans, _x, y: y, lambda _ans, x, _y: x)
elementwise(np.true_divide, lambda _ans, _x, y: 1.0 / y, lambda ans, _x, y: -ans / y)
elementwise(np.reciprocal, lambda ans, _x: -ans * ans)
elementwise(np.square, lambda _ans, x: 2.0 * x)


def _power_in_base(_ans: Any, x: Any, p: Any) -> Any:
    p = weak(p)
    if type(p) in (int, float):
        # x ** 1 and x ** 0 would compute a general power; these are exact and defined at x = 0.
        if p == 2:
            return 2.0 * x
        if p == 1:
            return np.ones_like(plain(x))
        if p == 0:
            return np.zeros_like(plain(x))
    return times(p, x ** (p - 1))


def _power_in_exponent(ans: Any, x: Any, _p: Any) -> Any:
    return times(ans, np.log(x))


def _power(x: Any, p: Any) -> Any:
    # The operator, unlike the ufunc, turns x ** 2 into a product.
    return operator.pow(x, weak(p)) if isinstance(x, np.ndarray | np.generic) else np.power(x, p)


_POWER = elementwise(np.power, _power_in_base, _power_in_exponent)
_POWER.forward = _power
elementwise(np.float_power, _power_in_base, _power_in_exponent)
elementwise(np.sqrt, lambda ans, _x: 0.5 / ans)
elementwise(np.cbrt, lambda ans, _x: 1.0 / (3.0 * ans * ans))

# Exponentials and logarithms; the logarithms themselves are in log_domain, which knows their stable forms.

elementwise(np.exp, lambda ans, _x: ans)
elementwise(np.exp2, lambda ans, _x: _LN2 * ans)
elementwise(np.expm1, lambda _ans, x: np.exp(x))
elementwise(np.log2, lambda _ans, x: (1.0 / _LN2) / x)
elementwise(np.log10, lambda _ans, x: (1.0 / _LN10) / x)

# Circular and hyperbolic functions; tanh is in log_domain, with the logistic function that it is made of.

elementwise(np.sin, lambda _ans, x: np.cos(x))
elementwise(np.cos, lambda _ans, x: -np.sin(x))
elementwise(np.tan, lambda ans, _x: 1.0 + ans * ans)
elementwise(np.arcsin, lambda _ans, x: 1.0 / np.sqrt((1.0 - x) * (1.0 + x)))
elementwise(np.arccos, lambda _ans, x: -1.0 / np.sqrt((1.0 - x) * (1.0 + x)))
elementwise(np.arctan, lambda _ans, x: 1.0 / (1.0 + x * x))
elementwise(np.sinh, lambda _ans, x: np.cosh(x))
elementwise(np.cosh, lambda _ans, x: np.sinh(x))
elementwise(np.arcsinh, lambda _ans, x: 1.0 / np.hypot(x, 1.0))
elementwise(np.arccosh, lambda _ans, x: 1.0 / np.sqrt((x - 1.0) * (x + 1.0)))
elementwise(np.arctanh, lambda _ans, x: 1.0 / ((1.0 - x) * (1.0 + x)))
elementwise(np.arctan2, lambda _ans, y, x: x / (x * x + y * y), lambda _ans, y, x: -y / (x * x + y * y))
elementwise(np.hypot, lambda ans, x, _y: _direction(x, ans), lambda ans, _x, y: _direction(y, ans))
elementwise(np.deg2rad, lambda _ans, _x: _DEGREE)
elementwise(np.radians, lambda _ans, _x: _DEGREE)
elementwise(np.rad2deg, lambda _ans, _x: 1.0 / _DEGREE)
elementwise(np.degrees, lambda _ans, _x: 1.0 / _DEGREE)


def _direction(x: Any, length: Any) -> Any:
    # x / |(x, y)| has no value at the origin; 0 is in the subdifferential.
    return np.where(plain(length) == 0, 0.0, x / length) if np.any(plain(length) == 0) else x / length


# Functions with corners.

elementwise(np.absolute, lambda _ans, x: np.sign(plain(x)))
elementwise(np.fabs, lambda _ans, x: np.sign(plain(x)))
elementwise(np.copysign, lambda _ans, x, y: np.copysign(np.sign(plain(x)), plain(y)), lambda _ans, x, y: 0.0)
elementwise(np.remainder, lambda _ans, _x, _y: 1.0, lambda _ans, x, y: -np.floor_divide(plain(x), plain(y)))
elementwise(np.fmod, lambda _ans, _x, _y: 1.0, lambda _ans, x, y: -np.trunc(plain(x) / plain(y)))
elementwise(np.nextafter, lambda _ans, _x, _y: 1.0, lambda _ans, _x, _y: 0.0)
elementwise(np.ldexp, lambda _ans, _x, n: np.exp2(n), None)


def _pick_forward(ufunc: Any) -> Callable[..., Any]:
    def forward(x: Any, y: Any, *, tie: int) -> Any:
        return ufunc(x, y)

    return forward


def _pick(ufunc: Any, first_wins: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return maximum, minimum or a kin of theirs; ``tie`` says which input a tie belongs to."""

    def in_first(x: Any, y: Any, tie: int) -> Any:
        x, y = plain(x), plain(y)
        return np.where(x == y, tie == 0, first_wins(x, y))

    op = Primitive(
        ufunc.__name__,
        _pick_forward(ufunc),
        [
            lambda g, _ans, x, y, *, tie: unbroadcast(_masked(g, in_first(x, y, tie)), x),
            lambda g, _ans, x, y, *, tie: unbroadcast(_masked(g, ~in_first(x, y, tie)), y),
        ],
    )

    def record(x: Any, y: Any) -> Any:
        return op(x, y, tie=0 if isinstance(x, Node) and isinstance(y, Node) else int(isinstance(x, Node)))

    UFUNCS[ufunc] = record
    return record


def _masked(g: Any, mask: Any) -> Any:
    return times(g, mask)


def _greater(x: Any, y: Any) -> Any:
    return (x > y) | np.isnan(x)


def _less(x: Any, y: Any) -> Any:
    return (x < y) | np.isnan(x)


maximum = _pick(np.maximum, _greater)
minimum = _pick(np.minimum, _less)
_pick(np.fmax, lambda x, y: (x > y) | np.isnan(y))
_pick(np.fmin, lambda x, y: (x < y) | np.isnan(y))


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit to an interval; the derivative is 0 at constant bounds."""
    low = min if a_min is None else a_min
    high = max if a_max is None else a_max
    if low is not None:
        a = maximum(a, low)
    return a if high is None else minimum(a, high)


FUNCTIONS[np.clip] = clip

# Several outputs.


def _pull_modf(g: Any, _ans: Any, _x: Any) -> Any:
    return g[0]


def _pull_frexp(g: Any, ans: Any, _x: Any) -> Any:
    return None if g[0] is None else times(g[0], np.ldexp(1.0, -plain(ans[1])))


_MODF = Primitive("modf", np.modf, [_pull_modf], outputs=2)
_FREXP = Primitive("frexp", np.frexp, [_pull_frexp], outputs=2)


def _modf(x: Any) -> Any:
    fraction, whole = _MODF(x)
    return fraction, plain(whole)


def _frexp(x: Any) -> Any:
    mantissa, exponent = _FREXP(x)
    return mantissa, plain(exponent)


primitive_ufunc(np.modf, _modf)
primitive_ufunc(np.frexp, _frexp)
primitive_ufunc(np.divmod, lambda x, y: (np.floor_divide(plain(x), plain(y)), np.remainder(x, y)))

# Choosing by a condition.

_WHERE: Primitive = Primitive(
    "where",
    np.where,
    [
        None,
        lambda g, _ans, mask, x, _y: unbroadcast(_WHERE(mask, g, 0.0), x),
        lambda g, _ans, mask, _x, y: unbroadcast(_WHERE(mask, 0.0, g), y),
    ],
)


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Choose elementwise; the branch not taken has no influence, whatever its derivative."""
    if x is None and y is None:
        return np.nonzero(plain(condition))
    return _WHERE(np.asarray(plain(condition), dtype=bool), x, y)


FUNCTIONS[np.where] = where


# What has no slope: the answer is a plain array, as constant as any other.


def _constant(ufunc: Any) -> Callable[..., Any]:
    return lambda *inputs: ufunc(*[plain(x) for x in inputs])


for _name in (
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logical_not "
    "isnan isinf isfinite signbit sign floor ceil trunc rint floor_divide spacing heaviside "
    "bitwise_and bitwise_or bitwise_xor invert"
).split():
    UFUNCS[getattr(np, _name)] = _constant(getattr(np, _name))
