"""What every pullback shares: the product 0 · ∞ = 0, and the undoing of broadcasting.

A pullback multiplies a cotangent by a local derivative. Two things make NaN of a gradient that
exists: a branch that was not taken has cotangent 0 and may have an infinite or undefined derivative
(``where(x > 0, log(x), 0)`` at 0), and a function with an infinite slope may be fed by one with
slope 0 (``sqrt(x**2)`` at 0, a norm at 0). :func:`times` is the one product all rules use. As in
measure theory, in it

* a zero cotangent gives zero, whatever the local derivative: what is not used has no influence;
* a zero local derivative gives zero for an infinite cotangent: of the slopes between the one-sided
  limits at a kink of an even function, the middle one.

Everything else is the ordinary product, NaN included. Where the function's own value is infinite
or NaN, its gradient means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thetahat.autodiff.tape import Node, Primitive
from thetahat.autodiff.tensor import FUNCTIONS, UFUNCS

__all__ = ["elementwise", "primitive_ufunc", "shape_of", "times", "unbroadcast", "weak"]


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of an array, traced or not, or of a Python number."""
    try:
        return x.shape  # type: ignore[no-any-return]
    except AttributeError:
        return np.shape(x)


def weak(x: Any) -> Any:
    """Return a scalar constant as a Python number, which takes on the precision it meets."""
    return x.item() if isinstance(x, np.generic | np.ndarray) and x.shape == () else x


def _times(g: Any, d: Any) -> Any:
    product = g * d
    total = np.vdot(product, product)
    if total == total:
        return product
    lost = (g == 0) | ((d == 0) & np.isinf(g))
    return np.where(lost & np.isnan(product), np.zeros((), product.dtype), product)[()]


_TIMES = Primitive(
    "pullback product",
    _times,
    [
        lambda h, _ans, g, d: unbroadcast(times(h, d), g),
        lambda h, _ans, g, d: unbroadcast(times(h, g), d),
    ],
)


def times(g: Any, d: Any) -> Any:
    """Return the product of a cotangent and a local derivative, with 0 · ∞ = 0."""
    if isinstance(g, Node) or isinstance(d, Node):
        return _TIMES(g, d)
    return _times(g, d)


def unbroadcast(g: Any, x: Any) -> Any:
    """Sum a cotangent over the axes along which ``x`` was broadcast."""
    shape = shape_of(x)
    have = shape_of(g)
    if have == shape:
        return g
    extra = len(have) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and have[i + extra] != 1
    )
    if axes:
        g = FUNCTIONS[np.sum](g, axis=axes) if isinstance(g, Node) else np.add.reduce(g, axis=axes)
    return g if shape_of(g) == shape else g.reshape(shape)


def primitive_ufunc(ufunc: Any, primitive: Callable[..., Any]) -> None:
    """Register what a ufunc does on traced inputs."""
    UFUNCS[ufunc] = primitive


def elementwise(ufunc: Any, *partials: Callable[..., Any] | None, name: str = "") -> Primitive:
    """Register the partial derivatives of an elementwise function.

    Parameters
    ----------
    ufunc : ufunc
        The function.
    *partials : callable or None
        ``(ans, *inputs)`` to the local derivative in each input, in operations that are themselves
        differentiable; ``None`` where there is none.
    name : str
        What messages call it; the ufunc's own name if left out.
    """
    name = name or ufunc.__name__
    op = Primitive(name, ufunc, [_along(i, p) for i, p in enumerate(partials)])
    UFUNCS[ufunc] = op
    return op


def _along(i: int, partial: Callable[..., Any] | None) -> Callable[..., Any] | None:
    if partial is None:
        return None

    def pull(g: Any, ans: Any, *inputs: Any) -> Any:
        return unbroadcast(times(g, partial(ans, *inputs)), inputs[i])

    return pull
