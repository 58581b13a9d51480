"""A log-likelihood as an objective: its negative, with gradient and Hessian from the tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thetahat.autodiff import array, grad, hessian, jacobian, value_and_grad
from thetahat.contracts import FloatArray

__all__ = ["LogLikelihood", "RowTerms", "stacked"]

# Per-row log-likelihood terms, shape (n,), of the parameters, shape (p,).
RowTerms = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class LogLikelihood:
    """Σ w · terms(θ), θ = to_theta(z), as a function of unconstrained numbers z.

    Parameters
    ----------
    terms : callable
        θ of shape (p,) to the log-likelihood of each row, shape (n,), in plain NumPy.
    weight : ndarray of shape (n,)
        Of each row.
    to_theta : callable
        From z to θ, in plain NumPy.
    """

    terms: RowTerms
    weight: FloatArray
    to_theta: Callable[[Any], Any]

    def negative(self, z: Any) -> Any:
        """Return −Σ w · terms."""
        return -np.sum(self.weight * self.terms(self.to_theta(z)))

    def at(self, z: FloatArray, /) -> _At:
        """Evaluate at z."""
        value, slope = value_and_grad(self.negative)(z)
        return _At(float(value), np.asarray(slope), self, z)

    def theta(self, z: FloatArray) -> FloatArray:
        """Return θ, plain."""
        return np.asarray(self.to_theta(z), dtype=np.float64)

    def value(self, theta: FloatArray) -> float:
        """Return Σ w · terms(θ)."""
        return float(np.sum(self.weight * self.terms(theta)))

    def information(self, theta: FloatArray) -> FloatArray:
        """Return the observed information −∂²ℓ/∂θ², shape (p, p)."""
        curve = hessian(lambda t: -np.sum(self.weight * self.terms(t)))(theta)
        return np.asarray(0.5 * (curve + curve.T))

    def slope(self, theta: FloatArray) -> FloatArray:
        """Return ∂ℓ/∂θ, shape (p,)."""
        return np.asarray(grad(lambda t: np.sum(self.weight * self.terms(t)))(theta))

    def scores(self, theta: FloatArray) -> FloatArray:
        """Return each row's score, shape (n, p).

        ∂ℓ_i/∂θ_j is the derivative of Jᵀg in g_i, for Jᵀg is linear in g: p walks, however many rows.
        """
        zero = np.zeros(len(self.weight))

        def pulled(g: Any) -> Any:
            return grad(lambda t: np.sum(g * self.terms(t)))(theta)

        return np.asarray(jacobian(pulled)(zero)).T


@dataclass(frozen=True, slots=True, eq=False)
class _At:
    value: float
    gradient: FloatArray
    of: LogLikelihood
    z: FloatArray

    def hessian(self) -> FloatArray:
        """Return the second derivatives."""
        curve = hessian(self.of.negative)(self.z)
        return np.asarray(0.5 * (curve + curve.T))


def stacked(spaces: Sequence[Any]) -> Callable[[Any], Any]:
    """Return the map from unconstrained numbers to parameters, one space each."""

    def to_theta(z: Any) -> Any:
        return array([space.from_free(z[k]) for k, space in enumerate(spaces)])

    return to_theta
