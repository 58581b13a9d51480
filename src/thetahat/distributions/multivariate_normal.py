"""The multivariate normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.linalg import solve_triangular

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.numerics.moments import centred

__all__ = ["MultivariateNormal"]


@dataclass(frozen=True, eq=False)
class MultivariateNormal:
    """p(x) ∝ exp(−½ (x − loc)ᵀ covariance⁻¹ (x − loc)), x of shape (d,).

    Parameters
    ----------
    loc : array of shape (d,), optional
        Mean.
    covariance : array of shape (d, d), optional
        Covariance matrix, positive definite.
    """

    loc: FloatArray | None = None
    covariance: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.loc is None or self.covariance is None:
            return
        loc, covariance = (np.asarray(value, dtype=np.float64) for value in (self.loc, self.covariance))
        if loc.ndim != 1 or covariance.shape != (len(loc), len(loc)):
            raise UsageError("covariance: MultivariateNormal takes a (d, d) matrix beside a loc of length d")
        if not np.allclose(covariance, covariance.T):
            raise UsageError("covariance: must be symmetric")
        try:
            np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise UsageError("covariance: must be positive definite") from None
        object.__setattr__(self, "loc", loc)
        object.__setattr__(self, "covariance", covariance)

    @property
    def theta(self) -> tuple[FloatArray, FloatArray]:
        """Mean and covariance.

        Raises
        ------
        UsageError
            One of them is unknown.
        """
        if self.loc is None or self.covariance is None:
            raise UsageError("MultivariateNormal: loc or covariance unknown; estimate them with mle")
        return self.loc, self.covariance

    def log_prob(self, x: Any, /) -> FloatArray:
        """Return log p of each row, shape (n,) from (n, d)."""
        loc, covariance = self.theta
        L = np.linalg.cholesky(covariance)
        z = solve_triangular(L, np.atleast_2d(x).T - loc[:, None], lower=True)
        constant = np.sum(np.log(np.diag(L))) + 0.5 * len(loc) * np.log(2 * np.pi)
        return np.asarray(-0.5 * np.sum(z * z, axis=0) - constant)

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw rows."""
        loc, covariance = self.theta
        return rng.multivariate_normal(loc, covariance, size, method="cholesky")

    def mean(self) -> FloatArray:
        """Return loc."""
        return self.theta[0]

    def variance(self) -> FloatArray:
        """Return the covariance matrix."""
        return self.theta[1]

    def entropy(self) -> float:
        """Return ½ log det(2πe covariance)."""
        loc, covariance = self.theta
        return float(0.5 * (len(loc) * np.log(2 * np.pi * np.e) + np.linalg.slogdet(covariance)[1]))

    def score(self, x: Any, /) -> FloatArray:
        """Return the score of each row in loc, shape (n, d)."""
        loc, covariance = self.theta
        return np.asarray(np.linalg.solve(covariance, (np.atleast_2d(x) - loc).T).T)

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one row about loc, the inverse covariance."""
        return np.asarray(np.linalg.inv(self.theta[1]))

    def fit(self, x: Any, weight: FloatArray | None = None) -> MultivariateNormal:
        """Return the maximum-likelihood estimate: mean and covariance with divisor n.

        Raises
        ------
        UsageError
            The rows lie in a plane, so the likelihood has no maximum.
        """
        rows = np.atleast_2d(np.asarray(x, dtype=np.float64))
        weight = np.ones(len(rows)) if weight is None else weight
        loc, away = centred(rows, weight)
        covariance = (weight[:, None] * away).T @ away / weight.sum()
        if np.linalg.matrix_rank(covariance, hermitian=True) < len(loc):
            raise UsageError(
                "x: the rows lie in a plane, so the likelihood grows without bound; drop a column"
            )
        return MultivariateNormal(loc, covariance)
