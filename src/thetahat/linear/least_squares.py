"""Least squares, with or without an L2 penalty, solved directly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, lsqr

from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status, differing_in
from thetahat.deadline import check_time
from thetahat.errors import UsageError
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.design import Design, describe_dependences
from thetahat.linear.objective import columns, weight_unit, weights
from thetahat.linear.scaling import Standardise, units
from thetahat.linear.shared_least_squares import SharedLeastSquares
from thetahat.numerics.least_squares import LeastSquaresSolution, solve_least_squares
from thetahat.numerics.operators import in_steps

__all__ = ["LeastSquares"]

# A sparse matrix of no more entries than this, zeros counted, is solved as a dense one.
MOST_DENSE_ENTRIES = 20_000_000
# A hidden direction that the penalty shrinks to less than this is as good as 0.
HIDDEN = 1e-6
# C ‖x‖² of a column below this moves the residuals by less than this part of what it explains.
FAINT = 1e-6
# Columns whose sizes are this far apart, if there are not too many, are solved with the penalty as more rows.
UNEVEN, MOST_UNEVEN = 1e4, 500


def _uneven(X: FloatArray) -> bool:
    """Return whether columns differ so much in size that singular vectors lose the small ones."""
    if X.shape[1] > MOST_UNEVEN:
        return False
    sizes = np.abs(X).max(axis=0)
    sizes = sizes[sizes > 0]
    return bool(len(sizes) and sizes.max() > UNEVEN * sizes.min())


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """Minimise ½ Σ wᵢ (yᵢ − b − xᵢᵀβ)² + ‖β‖² / (2C); the intercept b is not penalised.

    Parameters
    ----------
    C : float
        Inverse of the penalty; infinite is maximum likelihood under normal errors of fixed variance.
    intercept : bool
        Whether there is a b.
    standardise : bool or tuple of bool
        Whether the penalty is on the slopes of columns in units of their standard deviation: of all columns,
        or of each. The deviation is that of the sample's rows without their weights, see
        :mod:`thetahat.linear.scaling`; it changes the penalty alone.

    Raises
    ------
    UsageError
        ``C`` is not positive, or ``standardise`` has not one value for each column.
    """

    C: float = np.inf
    intercept: bool = True
    standardise: Standardise = False

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise UsageError(f"C: must be positive, not {self.C:g}")

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Coefficients]:
        """Solve to the last digits; the shortest solution, not called solved, where there are many."""
        y = np.asarray(sample.y, dtype=np.float64)
        return self.estimate_columns(columns(sample.X), y.reshape(len(y), -1), weights(sample))

    def estimate_columns(self, X: Any, y: FloatArray, weight: FloatArray) -> Fit[Coefficients]:
        """Solve for float64 columns, outputs of shape (n, k) and a weight for each row."""
        unit = weight_unit(weight)
        if unit != 1:
            return replace(self, C=self.C * unit).estimate_columns(X, y, weight / unit)
        if sparse.issparse(X):
            if X.shape[0] * X.shape[1] > MOST_DENSE_ENTRIES:
                return self._iterated(X, y, weight)
            X = X.toarray()
        if X.shape[1] > X.shape[0] and not (np.isfinite(self.C) and _uneven(X)):
            return self._shortest(X, y, weight, "more columns than rows")
        solved = self.solve(X, y, weight)
        if solved.rank < solved.x.shape[0]:
            detail = describe_dependences(solved.dependences, Design(X, self.intercept))
            return self._shortest(X, y, weight, detail)
        split = (
            Coefficients(solved.x[0], solved.x[1:])
            if self.intercept
            else Coefficients(np.zeros(y.shape[1]), solved.x)
        )
        stats = {"rank": float(solved.rank), "refinements": float(solved.refinements)}
        status = Status.SOLVED if solved.settled else Status.NOT_CONVERGED
        return Fit(split, status if np.isfinite(solved.x).all() else Status.NOT_FINITE, stats)

    def solve(self, X: FloatArray, y: FloatArray, weight: FloatArray) -> LeastSquaresSolution:
        """Solve for [b, β], the penalty standing as d more rows."""
        Z = Design(X, self.intercept).with_ones()
        if (weight != 1).any():
            root = np.sqrt(weight)[:, None]
            Z, y = Z * root, y * root
        if np.isfinite(self.C):
            more = np.zeros((X.shape[1], Z.shape[1]))
            more[:, self.intercept :] = np.diag(units(X, self.standardise) / np.sqrt(self.C))
            Z, y = np.vstack([Z, more]), np.vstack([y, np.zeros((X.shape[1], y.shape[1]))])
        return solve_least_squares(Z, y)

    def predict(self, theta: Coefficients, X: Any, /) -> Prediction:
        """Predict the mean of y."""
        eta = theta.eta(columns(X))
        return Prediction(eta[:, 0] if eta.shape[1] == 1 else eta)

    def standardizing(self, columns: tuple[bool, ...], /) -> LeastSquares | None:
        """Return the same, its penalty in units of these columns; None where it has no free intercept."""
        if not self.intercept or self.standardise:
            return None
        return replace(self, standardise=columns)

    def prepare(self, sample: Sample) -> SharedLeastSquares:
        """Return a workspace that fits many draws, and values of C, from sums of products."""
        return SharedLeastSquares(self, sample)

    def capacities(self, estimators: Sequence[Any], /) -> list[Any] | None:
        """Return C of each of these estimators; None where one differs in anything else."""
        return differing_in(self, "C", estimators)

    def _shortest(self, X: FloatArray, y: FloatArray, weight: FloatArray, detail: str) -> Fit[Coefficients]:
        """Solve by the singular values of the centred columns."""
        mean_x, mean_y = np.zeros(X.shape[1]), np.zeros(y.shape[1])
        if self.intercept:
            mean_x, mean_y = np.average(X, axis=0, weights=weight), np.average(y, axis=0, weights=weight)
        root, unit = np.sqrt(weight)[:, None], units(X, self.standardise)
        centred = root * (X - mean_x) / unit
        if not (np.isfinite(centred).all() and np.isfinite(mean_y).all()):
            # LAPACK does not come back from such a matrix.
            raise UsageError(
                "X: times the weights it is beyond the largest number; scale the columns or the weights"
            )
        check_time()
        U, s, Vt = linalg.svd(centred, full_matrices=False, check_finite=False)
        seen = s > (s[0] if len(s) else 0.0) * max(X.shape) * np.finfo(np.float64).eps
        # Not s / (s² + 1/C): the square of a large singular value is beyond the largest number.
        shrunk = 1 / (s[seen] + 1 / (self.C * s[seen]))
        target = root * (y - mean_y)
        coef = Vt[seen].T @ (shrunk[:, None] * (U[:, seen].T @ target))
        # What the singular vectors say of a column far smaller than the others is their rounding. Its slopes
        # follow from the residuals, β = C xᵀr, which such a column hardly moves; without a penalty, nought.
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.einsum("ij,ij->j", centred, centred)
            faint = self.C * lengths < FAINT if np.isfinite(self.C) else lengths == 0
        if faint.any():
            rest = target - centred @ coef
            coef[faint] = self.C * (centred[:, faint].T @ rest) if np.isfinite(self.C) else 0.0
        coef = coef / unit[:, None]
        identified = bool(seen.all() and len(s) == X.shape[1]) or np.isfinite(self.C)
        status = Status.SOLVED if identified else Status.NOT_IDENTIFIED
        # What the largest column's rounding hides is left at 0, which is right only if the penalty says so.
        hidden = s[~seen].size and (s[0] * max(X.shape) * np.finfo(np.float64).eps) ** 2 * self.C > HIDDEN
        if np.isfinite(self.C) and hidden:
            status, detail = Status.NOT_CONVERGED, "the sizes of the columns are too far apart"
            identified = False
        return Fit(
            Coefficients(mean_y - mean_x @ coef, coef),
            status if np.isfinite(coef).all() else Status.NOT_FINITE,
            {"rank": float(seen.sum())},
            "" if identified else detail,
        )

    def _iterated(self, X: Any, y: FloatArray, weight: FloatArray) -> Fit[Coefficients]:
        """Solve a sparse problem by the method of Paige and Saunders, the centring never carried out."""
        n, d = X.shape
        root, unit = np.sqrt(weight), units(X, self.standardise)
        mean_x, mean_y = np.zeros(d), np.zeros(y.shape[1])
        if self.intercept:
            mean_x, mean_y = X.T @ weight / weight.sum(), y.T @ weight / weight.sum()
        operator = LinearOperator(
            (n, d),
            matvec=lambda v: root * (X @ (v.ravel() / unit) - mean_x @ (v.ravel() / unit)),
            rmatvec=lambda u: (X.T @ (root * u.ravel()) - mean_x * (root @ u.ravel())) / unit,
            dtype=np.float64,
        )
        coef, settled, steps = np.empty((d, y.shape[1])), True, 0
        for k in range(y.shape[1]):
            found = lsqr(
                in_steps(operator),
                root * (y[:, k] - mean_y[k]),
                damp=np.sqrt(1 / self.C),
                atol=1e-13,
                btol=1e-13,
                conlim=0,
                iter_lim=20 * min(n, d),
            )
            coef[:, k] = found[0] / unit
            settled, steps = settled and found[1] in (0, 1, 2, 4, 5), max(steps, int(found[2]))
        return Fit(
            Coefficients(mean_y - mean_x @ coef, coef),
            Status.SOLVED if settled else Status.MAX_ITER,
            {"iterations": float(steps)},
        )
