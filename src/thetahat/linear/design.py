"""The columns of a linear model, dense or sparse, with or without a leading column of ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from thetahat.contracts import FloatArray
from thetahat.numerics.least_squares import Dependence, column_rank, well_conditioned
from thetahat.numerics.scatter import weighted_products

__all__ = ["Design", "describe_dependences"]

# Of the square of a larger number, or of its inverse, sums leave the finite numbers.
LARGEST = 1e140


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Z = [1, X] or X, never formed.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, d)
        The columns.
    intercept : bool
        Whether a column of ones comes first.
    """

    X: Any
    intercept: bool = True

    @property
    def width(self) -> int:
        """Number of columns of Z."""
        return int(self.X.shape[1]) + self.intercept

    def eta(self, theta: FloatArray) -> FloatArray:
        """Return Z θ for θ of shape (width, k)."""
        if not self.intercept:
            return np.asarray(self.X @ theta)
        eta: FloatArray = self.X @ theta[1:]
        eta += theta[0]
        return eta

    def pullback(self, d_eta: FloatArray) -> FloatArray:
        """Return Zᵀ d_eta, shape (width, k)."""
        slopes: FloatArray = self.X.T @ d_eta
        return np.vstack([np.ones(len(d_eta)) @ d_eta, slopes]) if self.intercept else slopes

    def gram(self, weight: FloatArray) -> FloatArray:
        """Return Zᵀ diag(weight) Z for weights of at least 0."""
        inner = weighted_products(self.X, weight)
        if not self.intercept:
            return inner
        edge = self.X.T @ weight
        out = np.empty((self.width, self.width))
        out[0, 0] = weight.sum()
        out[0, 1:] = out[1:, 0] = edge
        out[1:, 1:] = inner
        return out

    def immense(self) -> str:
        """Name the columns whose squares leave the finite numbers, or vanish; empty where there is none."""
        sizes = abs(self.X).max(axis=0)
        sizes = sizes.toarray().ravel() if sparse.issparse(sizes) else np.asarray(sizes)
        far = np.flatnonzero((sizes > LARGEST) | ((sizes > 0) & (sizes < 1 / LARGEST)))
        return self.listed(far + self.intercept)

    def listed(self, columns: Iterable[int]) -> str:
        """Return columns of Z in words."""
        return ", ".join(
            "the intercept" if self.intercept and j == 0 else f"column {j - self.intercept}" for j in columns
        )

    def dependences(self, weight: FloatArray) -> str:
        """Say which columns of the rows that weigh are combinations of others; empty where none is."""
        # The Gram matrix of so many rows is cheap, and where it is well conditioned nothing is dependent.
        if self.X.shape[0] > self.width and well_conditioned(self.gram((weight > 0).astype(np.float64))):
            return ""
        found = column_rank(self.with_ones()[weight > 0])[1]
        return describe_dependences(found, self)

    def with_ones(self) -> FloatArray:
        """Return Z itself, dense."""
        X = self.X.toarray() if sparse.issparse(self.X) else self.X
        return np.column_stack([np.ones(len(X)), X]) if self.intercept else np.asarray(X)


def describe_dependences(found: Iterable[Dependence], design: Design) -> str:
    """Return dependences of the columns of Z in words."""
    return "; ".join(
        f"{design.listed([one.column])} is a combination of {design.listed(one.others)}"
        if len(one.others)
        else f"{design.listed([one.column])} is 0"
        for one in found
    )
