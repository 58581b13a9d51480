"""Shapes, joining, indexing: what moves numbers about without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from thetahat.autodiff.rules.cotangents import shape_of, unbroadcast
from thetahat.autodiff.tape import Node, Primitive
from thetahat.autodiff.tensor import FUNCTIONS, METHODS, UFUNC_METHODS, plain

__all__ = ["array", "stop_gradient"]

_RESHAPE = Primitive(
    "reshape",
    lambda x, *, shape: np.reshape(x, shape),
    [lambda g, _ans, x, *, shape: np.reshape(g, shape_of(x))],
)
_TRANSPOSE = Primitive(
    "transpose",
    lambda x, *, axes: np.transpose(x, axes),
    [lambda g, _ans, _x, *, axes: np.transpose(g, tuple(np.argsort(axes).tolist()))],
)
_BROADCAST = Primitive(
    "broadcast_to",
    lambda x, *, shape: np.broadcast_to(x, shape),
    [lambda g, _ans, x, *, shape: unbroadcast(g, x)],
)
_ASTYPE = Primitive(
    "astype",
    lambda x, *, dtype: np.asarray(x).astype(dtype)[()],
    [lambda g, _ans, x, *, dtype: g],
)


def reshape(a: Any, /, *shape: Any, order: str = "C") -> Any:
    wanted = shape[0] if len(shape) == 1 else shape
    if order != "C":
        return np.transpose(np.reshape(np.transpose(a), tuple(wanted)[::-1]))
    return _RESHAPE(a, shape=wanted)


def ravel(a: Any, order: str = "C") -> Any:
    return _RESHAPE(a, shape=(-1,))


def transpose(a: Any, /, *axes: Any) -> Any:
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    if order is None or len(order) == 0:
        order = range(a.ndim)[::-1]
    return _TRANSPOSE(a, axes=tuple(int(i) % a.ndim for i in order))


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return _TRANSPOSE(a, axes=tuple(order))


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    taken = normalize_axis_tuple(source, a.ndim)
    order = [i for i in range(a.ndim) if i not in taken]
    for to, of in sorted(zip(normalize_axis_tuple(destination, a.ndim), taken, strict=True)):
        order.insert(to, of)
    return _TRANSPOSE(a, axes=tuple(order))


def expand_dims(a: Any, axis: Any) -> Any:
    count = 1 if isinstance(axis, int) else len(axis)
    axes = normalize_axis_tuple(axis, a.ndim + count)
    rest = iter(a.shape)
    return _RESHAPE(a, shape=tuple(1 if i in axes else next(rest) for i in range(a.ndim + count)))


def squeeze(a: Any, axis: Any = None) -> Any:
    axes = (
        [i for i, n in enumerate(a.shape) if n == 1] if axis is None else normalize_axis_tuple(axis, a.ndim)
    )
    if any(a.shape[i] != 1 for i in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return _RESHAPE(a, shape=tuple(n for i, n in enumerate(a.shape) if i not in axes))


def broadcast_to(array: Any, shape: Any) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return array if shape_of(array) == shape else _BROADCAST(array, shape=shape)


def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Return the numbers in another precision; whole numbers and truth values are constants."""
    if np.dtype(dtype).kind != "f":
        return plain(x).astype(dtype)
    return x if x.dtype == np.dtype(dtype) else _ASTYPE(x, dtype=np.dtype(dtype))


# Joining.


def _pull_concatenate(i: int, g: Any, _ans: Any, *arrays: Any, axis: int) -> Any:
    start = 0
    for x in arrays[:i]:
        start += shape_of(x)[axis]
    key = (slice(None),) * axis + (slice(start, start + shape_of(arrays[i])[axis]),)
    return g[key]


_CONCATENATE = Primitive(
    "concatenate", lambda *arrays, axis: np.concatenate(arrays, axis=axis), _pull_concatenate
)


def _array_like(x: Any) -> Any:
    return x if isinstance(x, Node) else array(x)


def concatenate(arrays: Any, axis: Any = 0) -> Any:
    parts = [_array_like(x) for x in arrays]
    if axis is None:
        parts, axis = [np.reshape(x, -1) for x in parts], 0
    return _CONCATENATE(*parts, axis=axis % max(1, parts[0].ndim))


def stack(arrays: Any, axis: int = 0) -> Any:
    return concatenate([np.expand_dims(_array_like(x), axis) for x in arrays], axis=axis)


def array(x: Any) -> Any:
    """Return nested sequences of numbers, traced ones among them, as one array: np.array that dispatches.

    Parameters
    ----------
    x : array or nested sequence
        Numbers, traced or plain.
    """
    if isinstance(x, Node):
        return x
    if isinstance(x, list | tuple) and _holds_nodes(x):
        return stack([array(item) for item in x])
    return np.asarray(x)


def _holds_nodes(x: Any) -> bool:
    return isinstance(x, Node) or (isinstance(x, list | tuple) and any(_holds_nodes(item) for item in x))


def _at_least(x: Any, ndim: int) -> Any:
    x = _array_like(x)
    shapes = {1: (1,), 2: (1, *x.shape), 3: (1, *x.shape, 1) if x.ndim == 1 else (*x.shape, 1)}
    if x.ndim >= ndim:
        return x
    return np.reshape(x, (1,) * ndim if x.ndim == 0 else shapes[ndim])


def hstack(arrays: Any) -> Any:
    parts = [_at_least(x, 1) for x in arrays]
    return concatenate(parts, axis=0 if parts[0].ndim == 1 else 1)


def column_stack(arrays: Any) -> Any:
    return concatenate([_at_least(x, 2).T if _array_like(x).ndim < 2 else x for x in arrays], axis=1)


def split(a: Any, pieces: Any, axis: int = 0) -> Any:
    n = a.shape[axis]
    if isinstance(pieces, int):
        if n % pieces:
            raise ValueError("array split does not result in an equal division")
        pieces = [n // pieces * k for k in range(1, pieces)]
    ends = [0, *pieces, n]
    before = (slice(None),) * (axis % a.ndim)
    return [a[(*before, slice(start, stop))] for start, stop in zip(ends, ends[1:], strict=False)]


def tile(a: Any, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = max(a.ndim, len(reps))
    shape = (1,) * (ndim - a.ndim) + a.shape
    reps = (1,) * (ndim - len(reps)) + reps
    apart = np.reshape(a, [side for n in shape for side in (1, n)])
    wide = np.broadcast_to(apart, [side for r, n in zip(reps, shape, strict=True) for side in (r, n)])
    return np.reshape(wide, [r * n for r, n in zip(reps, shape, strict=True)])


# Indexing.


def _scatter(g: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, dtype=np.asarray(g).dtype)
    if _is_basic(key):
        out[key] = g
    else:
        np.add.at(out, key, g)
    return out


def _is_basic(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None or part is Ellipsis or isinstance(part, int | np.integer | slice) for part in parts
    )


_GETITEM: Primitive = Primitive(
    "indexing",
    lambda x, *, key: x[key],
    [lambda g, _ans, x, *, key: _SCATTER(g, key=key, shape=shape_of(x))],
)
_SCATTER: Primitive = Primitive(
    "scatter", _scatter, [lambda h, _ans, _g, *, key, shape: _GETITEM(h, key=key)]
)


def getitem(x: Any, key: Any) -> Any:
    return _GETITEM(x, key=tuple(map(plain, key)) if isinstance(key, tuple) else plain(key))


def take(a: Any, indices: Any, axis: Any = None) -> Any:
    if axis is None:
        return getitem(np.ravel(a), np.asarray(plain(indices)))
    return getitem(a, (*(slice(None),) * (axis % a.ndim), np.asarray(plain(indices))))


def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    if axis is None:
        return getitem(np.ravel(arr), plain(indices))
    axis, indices = axis % arr.ndim, plain(indices)
    key = list(np.indices(indices.shape, sparse=True))
    key[axis] = indices
    return getitem(arr, tuple(key))


def flip(m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(m.ndim))]


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(roll(np.ravel(a), shift, 0), a.shape)
    pairs = (
        [(shift, axis)]
        if isinstance(axis, int)
        else zip(np.broadcast_to(shift, len(axis)), axis, strict=True)
    )
    for by, along in pairs:
        a = take(a, (np.arange(a.shape[along]) - by) % a.shape[along], along)
    return a


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    if axis is None:
        a, axis = np.ravel(a), 0
    return take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    moved = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = moved.shape[-2:]
    down, along = max(0, -offset), max(0, offset)
    k = np.arange(max(0, min(rows - down, columns - along)))
    return moved[..., k + down, k + along]


def diag(v: Any, k: int = 0) -> Any:
    if v.ndim == 2:
        return diagonal(v, k)
    n = len(v) + abs(k)
    i = np.arange(len(v))
    return _SCATTER(v, key=(i + max(0, -k), i + max(0, k)), shape=(n, n))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


def tril(m: Any, k: int = 0) -> Any:
    return np.where(np.tri(m.shape[-2], m.shape[-1], k, dtype=bool), m, np.zeros((), m.dtype))


def triu(m: Any, k: int = 0) -> Any:
    return np.where(np.tri(m.shape[-2], m.shape[-1], k - 1, dtype=bool), np.zeros((), m.dtype), m)


def pad(array: Any, pad_width: Any, mode: str = "constant") -> Any:
    if mode != "constant":
        raise ValueError("np.pad takes a traced array with mode='constant' only; build it with concatenate")
    ends = np.broadcast_to(pad_width, (array.ndim, 2))
    inside = tuple(slice(b, b + n) for (b, _), n in zip(ends.tolist(), array.shape, strict=True))
    shape = tuple(int(b + n + e) for (b, e), n in zip(ends, array.shape, strict=True))
    return _SCATTER(array, key=inside, shape=shape)


def stop_gradient(x: Any) -> Any:
    """Return the plain value of an array: a constant to every derivative.

    Parameters
    ----------
    x : array
        Traced or plain.
    """
    return plain(x)


_RULES: dict[Any, Any] = {
    np.reshape: reshape,
    np.ravel: ravel,
    np.transpose: transpose,
    np.matrix_transpose: lambda x: swapaxes(x, -1, -2),
    np.swapaxes: swapaxes,
    np.moveaxis: moveaxis,
    np.expand_dims: expand_dims,
    np.squeeze: squeeze,
    np.broadcast_to: broadcast_to,
    np.astype: astype,
    np.concatenate: concatenate,
    np.stack: stack,
    np.vstack: lambda tup: concatenate([_at_least(x, 2) for x in tup], axis=0),
    np.hstack: hstack,
    np.dstack: lambda tup: concatenate([_at_least(x, 3) for x in tup], axis=2),
    np.column_stack: column_stack,
    np.append: lambda arr, values, axis=None: concatenate([arr, values], axis=axis),
    np.atleast_1d: lambda x: _at_least(x, 1),
    np.atleast_2d: lambda x: _at_least(x, 2),
    np.split: split,
    np.tile: tile,
    np.take: take,
    np.take_along_axis: take_along_axis,
    np.flip: flip,
    np.fliplr: lambda m: flip(m, 1),
    np.flipud: lambda m: flip(m, 0),
    np.roll: roll,
    np.repeat: repeat,
    np.diagonal: diagonal,
    np.diag: diag,
    np.trace: trace,
    np.tril: tril,
    np.triu: triu,
    np.pad: pad,
    np.copy: lambda a: a,
    np.real: lambda val: val,
    np.shape: shape_of,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.zeros_like: lambda a, dtype=None: np.zeros_like(plain(a), dtype=dtype),
    np.ones_like: lambda a, dtype=None: np.ones_like(plain(a), dtype=dtype),
    np.full_like: lambda a, fill_value: np.broadcast_to(fill_value, a.shape),
    np.result_type: lambda *inputs: np.result_type(*[plain(x) for x in inputs]),
    np.isclose: lambda a, b, **k: np.isclose(plain(a), plain(b), **k),
    np.allclose: lambda a, b, **k: np.allclose(plain(a), plain(b), **k),
    np.array_equal: lambda a, b: np.array_equal(plain(a), plain(b)),
    np.isneginf: lambda x: np.isneginf(plain(x)),
    np.isposinf: lambda x: np.isposinf(plain(x)),
    np.where: FUNCTIONS[np.where],
}
FUNCTIONS.update(_RULES)
for _name in ("reshape", "ravel", "transpose", "swapaxes", "squeeze", "take", "repeat", "diagonal", "trace"):
    METHODS[_name] = FUNCTIONS[getattr(np, _name)]
METHODS["clip"] = FUNCTIONS[np.clip]
METHODS["flatten"] = ravel
METHODS["copy"] = FUNCTIONS[np.copy]
METHODS["astype"] = astype
METHODS["__getitem__"] = getitem
UFUNC_METHODS[None, "outer"] = lambda ufunc, a, b: ufunc(np.reshape(a, (*np.shape(a), *(1,) * np.ndim(b))), b)
