"""What a minimiser is given, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from thetahat.contracts import FloatArray, Status

__all__ = ["Minimum", "Objective", "Point"]


class Point(Protocol):
    """An objective at one θ, of shape (m,)."""

    @property
    def value(self) -> float:
        """The objective."""
        ...

    @property
    def gradient(self) -> FloatArray:
        """First derivatives, shape (m,)."""
        ...

    def hessian(self) -> FloatArray:
        """Return the second derivatives, shape (m, m)."""
        ...


class Objective(Protocol):
    """A function to be made small."""

    def at(self, theta: FloatArray, /) -> Point:
        """Evaluate at θ."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a minimiser came to rest.

    Parameters
    ----------
    theta : ndarray of shape (m,)
        The last and lowest point.
    value : float
        The objective there.
    gradient_norm : float
        Largest entry of the gradient there, in absolute value.
    iterations : int
        Steps taken.
    status : Status
        SOLVED only where the method's own condition of a minimum holds at ``theta``.
    """

    theta: FloatArray
    value: float
    gradient_norm: float
    iterations: int
    status: Status
