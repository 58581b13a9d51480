"""Models p(y | x; θ) with any mean function: Fisher scoring with a trust region.

Each step solves the weighted linear least-squares problem of the Fisher information, its size held
by Levenberg and Marquardt's damping in Moré's scaling, from the QR factors of the stacked problem.
The work is done only where a convergence test that looks at the geometry says so: the part of the
scaled residual that the model could still follow is a negligible share of the part it cannot
(Bates and Watts 1981, A relative offset orthogonality convergence criterion, Technometrics 23). A
step bends with the model surface (Transtrum and Sethna 2012, Improvements to the
Levenberg–Marquardt algorithm for nonlinear least-squares minimization).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import linalg, special

from thetahat.autodiff import grad, jacobian
from thetahat.contracts import FloatArray, Status
from thetahat.deadline import check_time

__all__ = ["MEANS", "MeanFamily", "Scored", "mean_jacobian", "score_fit"]

# A search that rounding brings to rest is believed up to this relative offset.
ACCEPTED = 1e-5

MeanFunction = Callable[[Any, Any], Any]


class MeanFamily(Protocol):
    """A family by its mean: what Fisher scoring needs of p(y | μ)."""

    def log_prob(self, y: FloatArray, mean: Any) -> Any:
        """Return log p(y | μ) with a dispersion of one, differentiable; NaN where μ cannot be a mean."""
        ...

    def variance(self, mean: FloatArray) -> FloatArray:
        """Return the variance function V(μ)."""
        ...


class _Normal:
    def log_prob(self, y: FloatArray, mean: Any) -> Any:
        return -0.5 * (y - mean) ** 2

    def variance(self, mean: FloatArray) -> FloatArray:
        return np.ones_like(mean)


class _Bernoulli:
    def log_prob(self, y: FloatArray, mean: Any) -> Any:
        return special.xlogy(y, mean) + special.xlog1py(1 - y, -mean)

    def variance(self, mean: FloatArray) -> FloatArray:
        return mean * (1 - mean)


class _Poisson:
    def log_prob(self, y: FloatArray, mean: Any) -> Any:
        return special.xlogy(y, mean) - mean - special.gammaln(y + 1)

    def variance(self, mean: FloatArray) -> FloatArray:
        return mean


class _Exponential:
    def log_prob(self, y: FloatArray, mean: Any) -> Any:
        return -np.log(mean) - y / mean

    def variance(self, mean: FloatArray) -> FloatArray:
        return mean**2


#: Families by the name of their distribution.
MEANS: dict[str, MeanFamily] = {
    "Normal": _Normal(),
    "Bernoulli": _Bernoulli(),
    "Poisson": _Poisson(),
    "Exponential": _Exponential(),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Where Fisher scoring came to rest.

    Parameters
    ----------
    theta : ndarray of shape (p,)
        The last and best point.
    mean : ndarray of shape (n,)
        Fitted means.
    jacobian : ndarray of shape (n, p)
        ∂μ/∂θ.
    iterations : int
        Steps tried.
    offset : float
        Relative offset at the end.
    status : Status
        SOLVED only where the offset is negligible and the parameters can be told apart.
    """

    theta: FloatArray
    mean: FloatArray
    jacobian: FloatArray
    iterations: int
    offset: float
    status: Status


def mean_jacobian(mean: MeanFunction, theta: FloatArray, X: Any, n: int) -> FloatArray:
    """Return ∂μ/∂θ, shape (n, p), in p walks over one recording."""

    def pulled(g: Any) -> Any:
        return grad(lambda t: np.sum(g * mean(t, X)))(theta)

    return np.asarray(jacobian(pulled)(np.zeros(n))).T


def score_fit(
    mean: MeanFunction,
    family: MeanFamily,
    X: Any,
    y: FloatArray,
    weight: FloatArray,
    start: FloatArray,
    *,
    max_iter: int = 2000,
    tol: float = 1e-9,
) -> Scored:
    """Maximise Σ w log p(y | mean(θ, X)) from a starting point that may be poor.

    Parameters
    ----------
    mean : callable
        ``mean(theta, X)`` to the mean of each row, in plain NumPy.
    family : MeanFamily
        Of y given its mean.
    X, y, weight
        The rows.
    start : ndarray of shape (p,)
        Where to begin.
    max_iter : int
        Most steps.
    tol : float
        Relative offset at which the work is done.
    """
    found: Scored | None = None
    # Moré's scaling first; in a long curved valley that of the present point gets further.
    for largest in (True, False):
        search = _Search(mean, family, X, y, weight, largest)
        last = search.run(np.array(start, dtype=np.float64), max_iter, tol)
        if last.status in (Status.SOLVED, Status.NOT_IDENTIFIED):
            return last
        if found is None or last.offset < found.offset:
            found = last
    assert found is not None
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    mean: MeanFunction
    family: MeanFamily
    X: Any
    y: FloatArray
    weight: FloatArray
    largest: bool

    def at(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return −Σ w log p and the means; infinite where they are not defined."""
        with np.errstate(all="ignore"):
            mu = np.asarray(self.mean(theta, self.X), dtype=np.float64)
            value = -float(np.sum(self.weight * self.family.log_prob(self.y, mu)))
        return (value if np.isfinite(mu).all() and not np.isnan(value) else np.inf), mu

    def run(self, theta: FloatArray, max_iter: int, tol: float) -> Scored:
        """Search from one starting point."""
        p = len(theta)
        value, mu = self.at(theta)
        if not np.isfinite(value):
            return Scored(theta, mu, np.full((len(mu), p), np.nan), 0, np.inf, Status.NOT_FINITE)
        damping, grown, lengths = 1e-3, 2.0, np.zeros(p)
        J, residual, offset, rank = self._linearised(theta, mu)
        for iteration in range(1, max_iter + 1):
            check_time()
            if not np.isfinite(offset):
                return Scored(theta, mu, J, iteration, np.inf, Status.NOT_FINITE)
            if offset <= tol:
                return Scored(theta, mu, J, iteration, offset, _ended(offset, rank, p))
            norms = np.linalg.norm(J, axis=0)
            lengths = np.maximum(lengths, norms) if self.largest else norms
            scale = np.where(lengths > 0, lengths, 1.0)
            stacked = np.vstack([J / scale, np.sqrt(damping) * np.eye(p)])
            step = _solve(stacked, residual) / scale
            along = J @ step
            bend = self._bend(theta, mu, step, along)
            curved = _solve(stacked, -bend) / scale if np.isfinite(bend).all() else None
            promised = float(residual @ along - 0.5 * along @ along)
            good = False
            # The correction must stay smaller than the step, or the expansion means nothing.
            if curved is not None and np.linalg.norm(curved * scale) <= 0.375 * np.linalg.norm(step * scale):
                moved = theta + step + 0.5 * curved
                trial, mu_trial = self.at(moved)
                slack = 1e-14 * abs(value)
                good = trial < value or (trial <= value + slack and promised < 1e-10 * abs(value))
            if good:
                gain = (value - trial) / promised if promised > 0 else 1.0
                still = np.array_equal(moved, theta)
                theta, value, mu = moved, trial, mu_trial
                damping = max(damping * max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3), 1e-25)
                grown = 2.0
                J, residual, offset, rank = self._linearised(theta, mu)
                if still:
                    break
            else:
                damping, grown = damping * grown, grown * 2
                if damping > 1e30:
                    break
        else:
            return Scored(theta, mu, J, max_iter, offset, Status.MAX_ITER)
        return Scored(theta, mu, J, iteration, offset, _ended(offset, rank, p))

    def _bend(self, theta: FloatArray, mu: FloatArray, step: FloatArray, along: FloatArray) -> FloatArray:
        """Return the second derivative of the scaled mean along a step, by a difference."""
        h = 0.1
        with np.errstate(all="ignore"):
            ahead = np.asarray(self.mean(theta + h * step, self.X), dtype=np.float64)
            root = np.sqrt(self.weight / self.family.variance(mu))
            return np.asarray(2 / h * (root * (ahead - mu) / h - along))

    def _linearised(self, theta: FloatArray, mu: FloatArray) -> tuple[FloatArray, FloatArray, float, int]:
        return _linearised(self.mean, self.family, self.X, self.y, self.weight, theta, mu)


def _solve(stacked: FloatArray, right: FloatArray) -> FloatArray:
    padded = np.r_[right, np.zeros(stacked.shape[1])]
    with np.errstate(all="ignore"):
        return np.asarray(linalg.lstsq(stacked, padded, check_finite=False, lapack_driver="gelsy")[0])


def _ended(offset: float, rank: int, p: int) -> Status:
    """Say how a search that came to rest ended: its next step would be this many standard errors."""
    if offset > ACCEPTED:
        return Status.NOT_CONVERGED
    return Status.SOLVED if rank == p else Status.NOT_IDENTIFIED


def _linearised(
    mean: MeanFunction,
    family: MeanFamily,
    X: Any,
    y: FloatArray,
    weight: FloatArray,
    theta: FloatArray,
    mu: FloatArray,
) -> tuple[FloatArray, FloatArray, float, int]:
    """Return Jacobian and residual in units of the standard deviation, the relative offset, the rank."""
    with np.errstate(all="ignore"):
        root = np.sqrt(weight / family.variance(mu))
        J = root[:, None] * mean_jacobian(mean, theta, X, len(y))
        residual = root * (y - mu)
    if not (np.isfinite(J).all() and np.isfinite(residual).all()):
        return J, residual, np.inf, 0
    n, p = J.shape
    lengths = np.linalg.norm(J, axis=0)
    Q, R, _ = linalg.qr(J / np.where(lengths > 0, lengths, 1.0), mode="economic", pivoting=True)
    diagonal = np.abs(np.diagonal(R))
    rank = int(np.sum(diagonal > max(n, p) * np.finfo(float).eps * max(diagonal.max(initial=0), 1e-300)))
    along = Q[:, :rank].T @ residual
    across = residual - Q[:, :rank] @ along
    # An exact fit leaves nothing across; then rounding of y itself is the yardstick.
    floor = 1e-12 * np.linalg.norm(root * y)
    rest = max(float(np.linalg.norm(across)) / np.sqrt(max(n - rank, 1)), floor, 1e-300)
    return J, residual, float(np.linalg.norm(along)) / np.sqrt(max(rank, 1)) / rest, rank
