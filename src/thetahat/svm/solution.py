"""How a fit ends: what it may cost, what it found, and why it stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum

from thetahat.contracts import FloatArray
from thetahat.deadline import check_time
from thetahat.svm.optimality import Optimality

__all__ = ["Limits", "Solution", "Stop"]


class Stop(Enum):
    """Why the steps ended."""

    SOLVED = "solved"
    STEPS = "max_iter"
    TIME = "time_limit"
    DIGITS = "digits"


@dataclass(slots=True)
class Limits:
    """What a fit may cost.

    Parameters
    ----------
    tol : float
        Largest violation of the optimality conditions that counts as none.
    steps : int
        Most steps.
    seconds : float
        Most seconds from now.
    """

    tol: float = 1e-3
    steps: int = 10_000_000
    seconds: float = float("inf")
    _began: float = field(default_factory=time.perf_counter)

    def reached(self, steps: int) -> Stop | None:
        """Return which limit has been reached, if any; asked before every step or burst of steps."""
        check_time()
        if steps >= self.steps:
            return Stop.STEPS
        return Stop.TIME if time.perf_counter() - self._began >= self.seconds else None


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The end of a fit: β, F = p − Kβ, what they are worth, and why it ended."""

    beta: FloatArray
    F: FloatArray
    optimality: Optimality
    steps: int
    stop: Stop
