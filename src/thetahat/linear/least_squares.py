"""Least squares, with or without an L2 penalty, solved directly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import linalg

from thetahat.contracts import Fit, Prediction, Sample, Status
from thetahat.errors import UsageError
from thetahat.linear.coefficients import Coefficients

__all__ = ["LeastSquares"]


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """Minimise ½ Σ wᵢ (yᵢ − b − xᵢᵀβ)² + ‖β‖² / (2C); the intercept b is not penalised.

    Parameters
    ----------
    C : float
        Inverse of the penalty; infinite is maximum likelihood under normal errors of fixed variance.

    Raises
    ------
    UsageError
        ``C`` is not positive.
    """

    C: float = np.inf

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise UsageError(f"C: must be positive, not {self.C:g}")

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Coefficients]:
        """Solve by the singular value decomposition of the centred, weighted columns."""
        X = np.asarray(sample.X, dtype=np.float64)
        y = np.asarray(sample.y, dtype=np.float64)
        weight = np.ones(len(X)) if sample.weight is None else sample.weight
        mean_x, mean_y = np.average(X, axis=0, weights=weight), np.average(y, weights=weight)
        root = np.sqrt(weight)
        U, s, Vt = linalg.svd(root[:, None] * (X - mean_x), full_matrices=False)
        seen = s > (s[0] if len(s) else 0.0) * max(X.shape) * np.finfo(np.float64).eps
        shrunk = s[seen] / (s[seen] ** 2 + 1 / self.C)
        coef = Vt[seen].T @ (shrunk * (U[:, seen].T @ (root * (y - mean_y))))
        lost = X.shape[1] - int(seen.sum())
        identified = lost == 0 or np.isfinite(self.C)
        return Fit(
            Coefficients(np.atleast_1d(mean_y - mean_x @ coef), coef[:, None]),
            Status.SOLVED if identified else Status.NOT_IDENTIFIED,
            {"rank": float(seen.sum())},
            "" if identified else f"{lost} of {X.shape[1]} columns are combinations of the others",
        )

    def predict(self, theta: Coefficients, X: Any, /) -> Prediction:
        """Predict the mean of y."""
        return Prediction(theta.eta(np.asarray(X, dtype=np.float64))[:, 0])
