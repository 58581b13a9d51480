"""The estimate of a linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thetahat.contracts import FloatArray

__all__ = ["Coefficients"]


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """η = intercept + X coef.

    Parameters
    ----------
    intercept : ndarray of shape (k,)
        One for each column of η.
    coef : ndarray of shape (d, k)
        Slopes.
    """

    intercept: FloatArray
    coef: FloatArray

    def eta(self, X: Any, /) -> FloatArray:
        """Return η, shape (n, k), for dense or sparse X."""
        eta: FloatArray = X @ self.coef + self.intercept
        return eta

    def of_scaled(self, mean: FloatArray, unit: FloatArray) -> Coefficients:
        """Return the same η as a function of columns (x − mean) / unit."""
        return Coefficients(self.intercept + mean @ self.coef, self.coef * unit[:, None])

    def of_unscaled(self, mean: FloatArray, unit: FloatArray) -> Coefficients:
        """Return the same η as a function of x, where it is one of columns (x − mean) / unit."""
        coef = self.coef / unit[:, None]
        return Coefficients(self.intercept - mean @ coef, coef)
