"""Logarithms of sums and of probabilities, in forms that neither overflow nor lose digits.

A logarithm looks at what it is given. Where that is an exponential, one plus an exponential, or a
sum of exponentials that the tape has just recorded, the stable form is recorded instead: so
``log1p(exp(x))`` is x and its slope 1 at x = 800, where the exponential itself has overflowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from thetahat.autodiff.rules.cotangents import elementwise, times, unbroadcast
from thetahat.autodiff.rules.reductions import SUM, axes_of
from thetahat.autodiff.tape import Node, Primitive
from thetahat.autodiff.tensor import UFUNC_METHODS, UFUNCS, plain

__all__ = ["log_softmax", "logsumexp", "softmax", "softplus"]

_LN2 = float(np.log(2.0))

_LOG = elementwise(np.log, lambda _ans, x: 1.0 / x)
_LOG1P = elementwise(np.log1p, lambda _ans, x: 1.0 / (1.0 + x))
_EXP, _ADD = UFUNCS[np.exp], UFUNCS[np.add]

# exp(x − log(e^x + e^y)) is the share of x in the sum.
elementwise(
    np.logaddexp,
    lambda _ans, x, y: special.expit(_gap(x, y)),
    lambda _ans, x, y: special.expit(_gap(y, x)),
)
elementwise(
    np.logaddexp2,
    lambda _ans, x, y: special.expit(_LN2 * _gap(x, y)),
    lambda _ans, x, y: special.expit(_LN2 * _gap(y, x)),
)


def _gap(x: Any, y: Any) -> Any:
    """Return x − y, and 0 for two infinities of one sign."""
    return np.where(plain(x) == plain(y), 0.0, x - y)


def softplus(x: Any) -> Any:
    """Return log(1 + e^x), elementwise.

    Parameters
    ----------
    x : array
        Traced or plain.
    """
    return np.logaddexp(0.0, x)


def _log(x: Any) -> Any:
    if isinstance(x, Node):
        if x.op is _EXP:
            return x.args[0]
        if x.op is SUM and isinstance(x.args[0], Node) and x.args[0].op is _EXP:
            return _LOGSUMEXP(x.args[0].args[0], axis=x.static["axis"])
        if x.op is _ADD:
            for one, other in (x.args, x.args[::-1]):
                if isinstance(other, Node) and other.op is _EXP and not isinstance(one, Node):
                    if np.all(np.equal(one, 1)):
                        return np.broadcast_to(softplus(other.args[0]), x.value.shape)
    return _LOG(x)


def _log1p(x: Any) -> Any:
    return softplus(x.args[0]) if isinstance(x, Node) and x.op is _EXP else _LOG1P(x)


UFUNCS[np.log] = _log
UFUNCS[np.log1p] = _log1p


def _logsumexp(x: Any, *, axis: tuple[int, ...]) -> Any:
    return special.logsumexp(x, axis=axis)


def _pull_logsumexp(g: Any, ans: Any, x: Any, *, axis: tuple[int, ...]) -> Any:
    # Not exp(x − ans), whose digits the rounding of a large ans takes. A sum of nothing but exp(−∞) is −∞: no
    # term has a share in it.
    nothing = np.isneginf(np.expand_dims(plain(ans), axis))
    share = _SOFTMAX(np.where(nothing, 0.0, x), axis=axis)
    return times(np.expand_dims(g, axis), np.where(np.isneginf(plain(x)), 0.0, share))


_LOGSUMEXP = Primitive("logsumexp", _logsumexp, [_pull_logsumexp])


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """Return log Σ b·e^a along axes, without overflow; as scipy.special.logsumexp, and differentiable.

    Parameters
    ----------
    a : array
        Exponents.
    axis : int or tuple of int, optional
        Axes summed over; all of them by default.
    b : array, optional
        Positive factors of the terms.
    keepdims : bool
        Whether the axes stay, with length one.
    """
    a = a if isinstance(a, Node) else np.asarray(a)
    if b is not None:
        a = a + np.log(b)
    axes = axes_of(axis, a.ndim)
    total = _LOGSUMEXP(a, axis=axes)
    return np.expand_dims(total, axes) if keepdims else total


def _log_softmax(x: Any, *, axis: tuple[int, ...]) -> Any:
    gap = x - np.max(x, axis=axis, keepdims=True)
    largest = gap == 0
    # The largest term of the sum is 1; what the others add to its logarithm may be below its rounding.
    others = np.sum(np.exp(np.where(largest, -np.inf, gap)), axis=axis, keepdims=True)
    return gap - np.log1p(
        others + (np.count_nonzero(largest, axis=axis, keepdims=True) - 1).astype(gap.dtype)
    )


def _pull_log_softmax(g: Any, ans: Any, _x: Any, *, axis: tuple[int, ...]) -> Any:
    # 1 − p from log p, and the cotangents of the others: near certainty neither is a difference from 1.
    others = np.sum(g, axis=axis, keepdims=True) - g
    return times(g, -np.expm1(ans)) - times(others, np.exp(ans))


def _softmax(x: Any, *, axis: tuple[int, ...]) -> Any:
    return special.softmax(x, axis=axis)


def _pull_softmax(g: Any, ans: Any, _x: Any, *, axis: tuple[int, ...]) -> Any:
    # Cotangents less that of the likeliest, whose own p (1 − p) would otherwise be a difference from 1.
    p = plain(ans)
    likeliest = p == np.max(p, axis=axis, keepdims=True)
    count = np.count_nonzero(likeliest, axis=axis, keepdims=True).astype(p.dtype)
    away = g - np.sum(np.where(likeliest, g, np.zeros((), p.dtype)), axis=axis, keepdims=True) / count
    return times(away - np.sum(times(away, ans), axis=axis, keepdims=True), ans)


_LOG_SOFTMAX = Primitive("log_softmax", _log_softmax, [_pull_log_softmax])
_SOFTMAX = Primitive("softmax", _softmax, [_pull_softmax])


def log_softmax(x: Any, axis: Any = None) -> Any:
    """Return x − log Σ e^x along an axis, as scipy.special.log_softmax, and differentiable.

    Parameters
    ----------
    x : array
        Scores.
    axis : int, optional
        Along which they are normalised; all of them by default.
    """
    return _over_all(_LOG_SOFTMAX, x, axis)


def softmax(x: Any, axis: Any = None) -> Any:
    """Return e^x / Σ e^x along an axis, as scipy.special.softmax, and differentiable.

    Parameters
    ----------
    x : array
        Scores.
    axis : int, optional
        Along which they are normalised; all of them by default.
    """
    return _over_all(_SOFTMAX, x, axis)


def _over_all(operation: Primitive, x: Any, axis: Any) -> Any:
    x = x if isinstance(x, Node) else np.asarray(x)
    return operation(x, axis=axes_of(axis, x.ndim))


def _reduce_logaddexp(x: Any, axis: Any = 0, keepdims: bool = False, **_: Any) -> Any:
    return logsumexp(x, axis=axis, keepdims=keepdims)


UFUNC_METHODS[np.logaddexp, "reduce"] = _reduce_logaddexp

# Probabilities and their logarithms.

# p (1 − p) and 1 − tanh² without the difference, which has no digits left where they saturate.
_EXPIT_SLOPE = Primitive(
    "slope of expit",
    lambda x: special.expit(x) * special.expit(-x),
    [lambda g, ans, x: unbroadcast(times(g, ans * np.tanh(-0.5 * x)), x)],
)
_TANH_SLOPE = Primitive(
    "slope of tanh",
    lambda x: 4.0 * special.expit(2.0 * x) * special.expit(-2.0 * x),
    [lambda g, ans, x: unbroadcast(times(g, -2.0 * ans * np.tanh(x)), x)],
)
elementwise(special.expit, lambda _ans, x: _EXPIT_SLOPE(x))
elementwise(np.tanh, lambda _ans, x: _TANH_SLOPE(x))
elementwise(special.logit, lambda _ans, x: 1.0 / (x * (1.0 - x)))
elementwise(special.log_expit, lambda _ans, x: special.expit(-x))
elementwise(
    special.xlogy,
    lambda _ans, _x, y: np.log(y),
    lambda _ans, x, y: np.where(plain(x) == 0, 0.0, x / y),
)
elementwise(
    special.xlog1py,
    lambda _ans, _x, y: np.log1p(y),
    lambda _ans, x, y: np.where(plain(x) == 0, 0.0, x / (1.0 + y)),
)
elementwise(special.entr, lambda _ans, x: -1.0 - np.log(x))
elementwise(special.rel_entr, lambda _ans, x, y: 1.0 + np.log(x / y), lambda _ans, x, y: -x / y)
elementwise(special.kl_div, lambda _ans, x, y: np.log(x / y), lambda _ans, x, y: 1.0 - x / y)


def _mills(x: Any) -> Any:
    return np.sqrt(2 / np.pi) / special.erfcx(-x / np.sqrt(2))


# φ/Φ, the slope of log Φ: by erfcx it keeps its digits where both have underflowed.
MILLS = Primitive("φ/Φ", _mills, [lambda g, ans, x: unbroadcast(times(g, ans * (-x - ans)), x)])
elementwise(special.log_ndtr, lambda _ans, x: MILLS(x))
