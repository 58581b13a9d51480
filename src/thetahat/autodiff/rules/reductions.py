"""Sums, means, products, extremes and cumulative sums along axes.

The maximum of several equal numbers takes its derivative from the first of them, and so do the
minimum, the median and a sort.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from thetahat.autodiff.tape import Primitive
from thetahat.autodiff.tensor import FUNCTIONS, METHODS, UFUNC_METHODS, plain

__all__ = ["SUM", "axes_of"]


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes as non-negative numbers; all of them for ``None``."""
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def _pull_sum(g: Any, _ans: Any, x: Any, *, axis: tuple[int, ...]) -> Any:
    return np.broadcast_to(np.expand_dims(g, axis), x.shape)


SUM = Primitive("sum", lambda x, *, axis: np.add.reduce(x, axis=axis), [_pull_sum])


def _shaped(total: Any, axes: tuple[int, ...], keepdims: Any) -> Any:
    return np.expand_dims(total, axes) if keepdims is True else total


def sum(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    axes = axes_of(axis, a.ndim)
    return _shaped(SUM(a, axis=axes), axes, keepdims)


def _count(a: Any, axes: tuple[int, ...]) -> int:
    return int(np.prod([a.shape[i] for i in axes]))


def mean(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    axes = axes_of(axis, a.ndim)
    return sum(a, axes, keepdims=keepdims) / _count(a, axes)


def var(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: Any = False) -> Any:
    axes = axes_of(axis, a.ndim)
    centred = a - mean(a, axes, keepdims=True)
    return sum(centred * centred, axes, keepdims=keepdims) / (_count(a, axes) - ddof)


def std(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: Any = False) -> Any:
    return np.sqrt(var(a, axis, ddof=ddof, keepdims=keepdims))


def average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: Any = False) -> Any:
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    axes = axes_of(axis, a.ndim)
    if weights.shape != a.shape:
        weights = weights.reshape([n if i in axes else 1 for i, n in enumerate(a.shape)])
    total = np.sum(weights, axes if weights.ndim == a.ndim else None, keepdims=keepdims)
    return np.sum(a * weights, axes, keepdims=keepdims) / total


def _last(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """Move the axes to the end and merge them there."""
    axes = axes_of(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    moved = np.transpose(a, (*kept, *axes))
    return moved.reshape((*[a.shape[i] for i in kept], _count(a, axes))), axes


def prod(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    # A tree of products: a zero among the factors needs no case of its own.
    rows, axes = _last(a, axis)
    while rows.shape[-1] > 1:
        pairs = rows.shape[-1] // 2 * 2
        halves = rows[..., 0:pairs:2] * rows[..., 1:pairs:2]
        odd = rows.shape[-1] > pairs
        rows = np.concatenate([halves, rows[..., pairs:]], axis=-1) if odd else halves
    return _shaped(rows[..., 0] if rows.shape[-1] else np.ones(rows.shape[:-1]), axes, keepdims)


def _extreme(where: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
        rows, axes = _last(a, axis)
        place = np.expand_dims(where(plain(rows), axis=-1), -1)
        return _shaped(np.take_along_axis(rows, place, axis=-1)[..., 0], axes, keepdims)

    return extreme


def ptp(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


def sort(a: Any, axis: Any = -1) -> Any:
    if axis is None:
        a, axis = np.ravel(a), -1
    return np.take_along_axis(a, np.argsort(plain(a), axis=axis, kind="stable"), axis=axis)


def median(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    rows, axes = _last(a, axis)
    rows, n = sort(rows), rows.shape[-1]
    return _shaped((rows[..., (n - 1) // 2] + rows[..., n // 2]) / 2, axes, keepdims)


def _pull_cumsum(g: Any, _ans: Any, _x: Any, *, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


_CUMSUM = Primitive("cumsum", lambda x, *, axis: np.cumsum(x, axis=axis), [_pull_cumsum])


def _flat(a: Any, axis: Any) -> tuple[Any, int]:
    return (np.ravel(a), 0) if axis is None else (a, int(normalize_axis_index(axis, a.ndim)))


def cumsum(a: Any, axis: Any = None) -> Any:
    a, axis = _flat(a, axis)
    return _CUMSUM(a, axis=axis)


def cumprod(a: Any, axis: Any = None) -> Any:
    # A scan by doubling: after k rounds each place holds the product of 2^k factors.
    a, axis = _flat(a, axis)
    rows, step = np.moveaxis(a, axis, -1), 1
    while step < rows.shape[-1]:
        rows = np.concatenate([rows[..., :step], rows[..., step:] * rows[..., :-step]], axis=-1)
        step *= 2
    return np.moveaxis(rows, -1, axis)


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        rows = np.moveaxis(a, axis, -1)
        a = np.moveaxis(rows[..., 1:] - rows[..., :-1], -1, axis)
    return a


_RULES: dict[Any, Any] = {
    np.sum: sum,
    np.mean: mean,
    np.var: var,
    np.std: std,
    np.average: average,
    np.prod: prod,
    np.max: _extreme(np.argmax),
    np.min: _extreme(np.argmin),
    np.ptp: ptp,
    np.sort: sort,
    np.median: median,
    np.cumsum: cumsum,
    np.cumprod: cumprod,
    np.diff: diff,
}
FUNCTIONS.update(_RULES)
for _name in ("sum", "mean", "var", "std", "prod", "max", "min", "cumsum", "cumprod"):
    METHODS[_name] = FUNCTIONS[getattr(np, _name)]


def _reduce(function: Any) -> Callable[..., Any]:
    return lambda a, axis=0, keepdims=False, **_: FUNCTIONS[function](a, axis, keepdims=keepdims)


UFUNC_METHODS[np.add, "reduce"] = _reduce(np.sum)
UFUNC_METHODS[np.multiply, "reduce"] = _reduce(np.prod)
UFUNC_METHODS[np.maximum, "reduce"] = _reduce(np.max)
UFUNC_METHODS[np.minimum, "reduce"] = _reduce(np.min)
UFUNC_METHODS[np.add, "accumulate"] = lambda a, axis=0, **_: cumsum(a, axis)
UFUNC_METHODS[np.multiply, "accumulate"] = lambda a, axis=0, **_: cumprod(a, axis)


def _constant(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, *args, **kwargs: function(plain(a), *args, **kwargs)


# Questions whose answer has no slope.
for _name in ("argmax", "argmin", "argsort", "any", "all", "count_nonzero", "nonzero", "searchsorted"):
    FUNCTIONS[getattr(np, _name)] = _constant(getattr(np, _name))
for _name in ("argmax", "argmin", "argsort", "any", "all", "nonzero"):
    METHODS[_name] = _constant(getattr(np, _name))
