"""The one door for rules: what the package's own tables use, open to everyone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thetahat.autodiff.tape import Primitive

__all__ = ["primitive"]


def primitive(
    forward: Callable[..., Any], pullbacks: Sequence[Callable[..., Any] | None], *, name: str = ""
) -> Primitive:
    """Make a function of arrays differentiable by giving its rule.

    Parameters
    ----------
    forward : callable
        Plain arrays, and static keyword arguments, to an array.
    pullbacks : sequence of callable or None
        For each positional argument ``(g, ans, *args, **static)`` to gᵀ ∂ans/∂argument, of the
        argument's shape. Written in NumPy, it can be differentiated again. ``None`` where there is no
        derivative: differentiating in that argument is refused.
    name : str
        What messages call it.

    Returns
    -------
    Primitive
        Call it like ``forward``, with traced or plain arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from thetahat.autodiff import grad, primitive
    >>> cube = primitive(lambda x: x**3, [lambda g, ans, x: g * 3 * x**2])
    >>> float(grad(cube)(2.0))
    12.0
    """
    return Primitive(name or getattr(forward, "__name__", "function"), forward, pullbacks)
