"""Derivatives of functions written in plain NumPy: gradients, Jacobians, Hessians, products with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thetahat.autodiff.tape import Node, Primitive, WayBack
from thetahat.autodiff.tensor import Tensor, plain
from thetahat.errors import UsageError

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

# A leaf inside another derivative is the outer value passed on, so that the outer way back finds it.
_PASS_ON = Primitive("argument", lambda x: x, [lambda g, _ans, _x: g])

Which = int | Sequence[int]


class _Recording:
    """One run of a function with some arguments traced."""

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], which: Which, kwargs: Any) -> None:
        self.places = (which,) if isinstance(which, int) else tuple(which)
        self.single = isinstance(which, int)
        self.leaves = [_leaf(args[place], place) for place in self.places]
        given = list(args)
        for place, leaf in zip(self.places, self.leaves, strict=True):
            given[place] = leaf
        for leaf in self.leaves:
            leaf.active = True
        try:
            with np.errstate(all="ignore"):
                self.output = function(*given, **kwargs)
        finally:
            for leaf in self.leaves:
                leaf.active = False

    def back(self) -> WayBack | None:
        """Return the way back from the output; None where the output is a constant."""
        return WayBack(self.output, self.leaves) if isinstance(self.output, Node) else None

    def finished(self, way: WayBack | None) -> Any:
        """Return the output as the caller should see it: traced only inside another derivative."""
        return self.output if way is not None and way.traced else plain(self.output)

    def pulled(self, way: WayBack | None, seed: Any) -> Any:
        """Return the cotangents of the leaves, zeros where there is no way."""
        with np.errstate(all="ignore"):
            parts = [None] * len(self.leaves) if way is None else way(seed)
        whole = [
            np.zeros_like(leaf.value)[()] if part is None else part
            for part, leaf in zip(parts, self.leaves, strict=True)
        ]
        return whole[0] if self.single else tuple(whole)


def _leaf(x: Any, place: int) -> Tensor:
    if isinstance(x, Tensor):
        return Tensor(x.value, _PASS_ON, (x,), {}, ((0, x),))
    value = np.asarray(x)
    if value.dtype.kind in "iub":
        value = value.astype(np.float64)
    if value.dtype.kind != "f":
        raise UsageError(
            f"argument number {place} is an array of {value.dtype}: a derivative needs real numbers. "
            "Choose another argument with argnum."
        )
    return Tensor(value if value.ndim else value[()])


def _scalar(output: Any, name: str) -> None:
    shape = np.shape(plain(output))
    if shape != ():
        raise UsageError(
            f"{name} needs a function that returns a single number; this one returned shape {shape}. "
            "Sum it, or use jacobian."
        )


def value_and_grad(function: Callable[..., Any], argnum: Which = 0) -> Callable[..., Any]:
    """Return a function that gives a scalar function's value and its gradient in one run.

    Parameters
    ----------
    function : callable
        Written in plain NumPy; returns a single number.
    argnum : int or sequence of int
        Which arguments to differentiate in; a sequence gives a tuple of gradients.

    Returns
    -------
    callable
        With the arguments of ``function``; returns ``(value, gradient)``. A gradient has the shape
        and precision of its argument; whole numbers become float64.

    Raises
    ------
    UsageError
        When called: the function does not return a single number, or uses what has no rule.
    """

    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = _Recording(function, args, argnum, kwargs)
        _scalar(run.output, "grad")
        way = run.back()
        seed = np.ones((), plain(run.output).dtype)[()] if way is not None else None
        return run.finished(way), run.pulled(way, seed)

    return differentiated


def grad(function: Callable[..., Any], argnum: Which = 0) -> Callable[..., Any]:
    """Return the gradient of a scalar function, itself a function that can be differentiated again.

    Parameters
    ----------
    function : callable
        Written in plain NumPy; returns a single number.
    argnum : int or sequence of int
        Which arguments to differentiate in.

    Examples
    --------
    >>> import numpy as np
    >>> from thetahat.autodiff import grad
    >>> grad(lambda x: np.sum(np.sin(x)))(np.zeros(2))
    array([1., 1.])
    """
    both = value_and_grad(function, argnum)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(function: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return f(args) and the function g ↦ gᵀ ∂f/∂args, a tuple with one part for each argument.

    Parameters
    ----------
    function : callable
        Written in plain NumPy; returns an array of any shape.
    *args : array
        Where.
    """
    run = _Recording(function, args, tuple(range(len(args))), {})
    way = run.back()

    def pull(g: Any) -> tuple[Any, ...]:
        shape = np.shape(plain(run.output))
        if np.shape(plain(g)) != shape:
            raise UsageError(f"vjp: the output has shape {shape}, the cotangent {np.shape(plain(g))}")
        parts: tuple[Any, ...] = run.pulled(way, g if isinstance(g, Node) else np.asarray(g, dtype=float)[()])
        return parts

    return run.finished(way), pull


def jvp(function: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f(args) and the directional derivative ∂f/∂args · tangents.

    Computed as the derivative of the backward pass in its seed, in which it is linear.

    Parameters
    ----------
    function : callable
        Written in plain NumPy; returns an array of any shape.
    args, tangents : sequence of array
        Where, and in which direction; of equal shapes.
    """
    value, pull = vjp(function, *args)
    if not all(np.shape(plain(a)) == np.shape(plain(t)) for a, t in zip(args, tangents, strict=True)):
        raise UsageError("jvp: a tangent must have the shape of its argument")

    def against(g: Any) -> Any:
        parts = [np.sum(part * t) for part, t in zip(pull(g), tangents, strict=True)]
        return sum(parts[1:], parts[0])

    return value, grad(against)(np.zeros(np.shape(plain(value))))


def jacobian(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the Jacobian of an array-valued function: shape of the output, then shape of the argument.

    One recording, one walk back for each number of the output.

    Parameters
    ----------
    function : callable
        Written in plain NumPy.
    argnum : int
        Which argument to differentiate in.
    """

    def differentiated(*args: Any, **kwargs: Any) -> Any:
        run = _Recording(function, args, argnum, kwargs)
        way = run.back()
        shape = np.shape(plain(run.output))
        rows = [run.pulled(way, seed) for seed in _seeds(run.output)]
        return np.reshape(np.stack(rows), shape + run.leaves[0].shape)

    return differentiated


def _seeds(output: Any) -> Any:
    value = np.asarray(plain(output), dtype=float)
    for place in range(value.size):
        seed = np.zeros(value.size, value.dtype)
        seed[place] = 1.0
        yield seed.reshape(value.shape)[()]


def hvp(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the product of a scalar function's Hessian with a vector, without the Hessian.

    Parameters
    ----------
    function : callable
        Written in plain NumPy; returns a single number.
    argnum : int
        Which argument to differentiate in.

    Returns
    -------
    callable
        ``(*args, vector) -> array`` of the argument's shape.
    """

    def product(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        slope = grad(function, argnum)
        return grad(lambda *a: np.sum(slope(*a, **kwargs) * vector), argnum)(*given)

    return product


def hessian(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the Hessian of a scalar function: shape of the argument twice.

    The gradient is recorded once and walked back for each of its numbers.

    Parameters
    ----------
    function : callable
        Written in plain NumPy; returns a single number.
    argnum : int
        Which argument to differentiate in.
    """
    return jacobian(grad(function, argnum), argnum)
