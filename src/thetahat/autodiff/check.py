"""Derivatives held against differences: for a rule of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thetahat.autodiff.transforms import vjp

__all__ = ["check_grads", "difference"]

# Central differences of steps h, 2h, 3h and 4h: exact for polynomials of degree eight.
_WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)


def difference(function: Callable[[Any], Any], x: Any, direction: Any, step: float) -> Any:
    """Return the derivative of a function along a direction by an eighth-order central difference."""
    return (
        sum(
            weight * (function(x + k * step * direction) - function(x - k * step * direction))
            for k, weight in enumerate(_WEIGHTS, start=1)
        )
        / step
    )


def check_grads(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    order: int = 2,
    *,
    step: float = 1e-2,
    tolerance: float = 1e-6,
    rng: np.random.Generator | None = None,
) -> float:
    """Check derivatives of every order up to ``order`` against differences, in random directions.

    Parameters
    ----------
    function : callable
        Written in plain NumPy.
    args : tuple of array
        Where; all of them are differentiated in.
    order : int
        Highest order of derivative.
    step : float
        Step of the differences, in the unit of the arguments.
    tolerance : float
        Largest error allowed, relative to the size of the derivative (absolute below one).
    rng : Generator, optional
        Draws the directions; seed 0 by default.

    Returns
    -------
    float
        The worst relative error found.

    Raises
    ------
    AssertionError
        A derivative differs from its difference.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    worst = 0.0
    value, pull = vjp(function, *args)
    g = rng.normal(size=np.shape(value))
    for place, x in enumerate(args):
        x = np.asarray(x, dtype=np.float64)
        direction = rng.normal(size=x.shape)

        def along(moved: Any, place: int = place) -> Any:
            with np.errstate(all="ignore"):
                return np.sum(g * function(*args[:place], moved, *args[place + 1 :]))

        ours = float(np.sum(pull(g)[place] * direction))
        theirs = float(difference(along, x, direction, step))
        error = abs(ours - theirs) / max(1.0, abs(theirs))
        worst = max(worst, error)
        if not error <= tolerance:
            raise AssertionError(
                f"derivative in argument number {place}: {ours:.12g} by rule, {theirs:.12g} by differences"
            )
    if order > 1:

        def slope(*moved: Any) -> Any:
            parts = vjp(function, *moved)[1](g)
            return np.concatenate([np.ravel(part) for part in parts])

        more = check_grads(slope, args, order - 1, step=step, tolerance=tolerance, rng=rng)
        worst = max(worst, more)
    return worst
