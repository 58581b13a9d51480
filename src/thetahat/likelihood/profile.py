"""Profile-likelihood intervals: the values of a parameter that a likelihood-ratio test would keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import brentq

from thetahat.autodiff import array
from thetahat.contracts import FloatArray, Status
from thetahat.likelihood.objective import LogLikelihood
from thetahat.optimisers.newton import newton

__all__ = ["Profile"]

# How far, in Wald standard errors, an end is looked for before it is called infinite.
FARTHEST = 200.0
# Newton decrement of the inner maximum: half its square is what the height may lack.
DECREMENT = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The log-likelihood maximised over all parameters but one.

    Parameters
    ----------
    likelihood : LogLikelihood
        In unconstrained numbers, one for each parameter.
    z : ndarray of shape (p,)
        The maximum.
    to_free : callable
        ``(index, value)`` to the unconstrained number of a parameter; NaN outside its space.
    """

    likelihood: LogLikelihood
    z: FloatArray
    to_free: Callable[[int, float], float]

    def interval(self, index: int, level: float, error: float) -> tuple[float, float]:
        """Return the interval of one parameter.

        Parameters
        ----------
        index : int
            Which.
        level : float
            Nominal coverage.
        error : float
            Its Wald standard error, from which the ends are looked for.

        Returns
        -------
        tuple of float
            Infinite on a side where the likelihood never falls far enough; NaN where the maximum over
            the other parameters could not be found.
        """
        top = -self.likelihood.at(self.z).value
        drop = 0.5 * float(special.chdtri(1, 1 - level))
        best = float(self.likelihood.theta(self.z)[index])
        return self._end(index, best, -error, top - drop), self._end(index, best, error, top - drop)

    def _end(self, index: int, best: float, step: float, wanted: float) -> float:
        rest = np.delete(self.z, index)

        def gap(value: float) -> float:
            nonlocal rest
            fixed = self.to_free(index, value)
            if not np.isfinite(fixed):
                return -np.inf
            height, rest = self._height(index, fixed, rest)
            return height - wanted

        inside, reach = best, abs(step)
        while reach < FARTHEST * abs(step):
            outside = best + np.sign(step) * reach
            height = gap(outside)
            if np.isnan(height):
                return float("nan")
            if height < 0:
                if np.isinf(height):
                    # Past the edge of the parameter's space: come back half-way until inside.
                    outside = self._edge(index, inside, outside)
                    if gap(outside) > 0:
                        return outside
                try:
                    return float(brentq(gap, inside, outside, xtol=1e-10 * abs(step), rtol=1e-13))
                except ValueError:  # a height on the way could not be found
                    return float("nan")
            inside, reach = outside, 1.6 * reach
        return float(np.sign(step) * np.inf)

    def _edge(self, index: int, inside: float, outside: float) -> float:
        for _ in range(60):
            middle = 0.5 * (inside + outside)
            if np.isfinite(self.to_free(index, middle)):
                inside = middle
            else:
                outside = middle
        return inside

    def _height(self, index: int, fixed: float, rest: FloatArray) -> tuple[float, FloatArray]:
        """Return the log-likelihood with one number held fixed, maximised over the rest, and where."""
        if len(rest) == 0:
            return -self.likelihood.at(np.array([fixed])).value, rest
        full = self.likelihood.to_theta

        def held(z: object) -> object:
            parts = list(z)  # type: ignore[call-overload]
            return full(array([*parts[:index], fixed, *parts[index:]]))

        found = newton(
            LogLikelihood(self.likelihood.terms, self.likelihood.weight, held), rest, tol=DECREMENT
        )
        if found.status is not Status.SOLVED:
            return float("nan"), rest
        return -found.value, found.theta
