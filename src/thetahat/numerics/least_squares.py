"""Linear least squares to the last digits: scaled factorisation and refinement with doubled residuals.

The columns are scaled by powers of two, which rounds nothing. The scaled matrix is factored once, by Cholesky
of its Gram matrix where that is well conditioned and by Householder QR where it is not. The solution and its
residual are then refined together on the augmented system of Björck ("Iterative refinement of linear least
squares solutions", BIT 7, 1967), whose right-hand sides are computed in doubled precision; so what the factor
lost comes back at a rate of the condition number times the unit of rounding a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from thetahat.contracts import FloatArray, IntArray
from thetahat.deadline import check_time
from thetahat.numerics.doubled import crossed, products, residual

__all__ = ["Dependence", "LeastSquaresSolution", "column_rank", "solve_least_squares", "well_conditioned"]

EPS = float(np.finfo(np.float64).eps)
TINIEST = float(np.finfo(np.float64).tiny)
MOST_REFINEMENTS = 20
NOTHING = 1e-40
# Cholesky loses the square of the condition number; up to here a refinement still gains six digits a step.
WORST_FOR_CHOLESKY = 1e5
# Forming Q and the Gram matrix cost the same on a small matrix, and QR is the safer of the two.
SMALLEST_FOR_CHOLESKY = 20_000
# Below this condition number R⁻¹ has all the digits a standard error is printed with.
WELL_CONDITIONED = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """A column that is a combination of others.

    Parameters
    ----------
    column : int
        Which column.
    others : ndarray of int
        The columns it is made of.
    """

    column: int
    others: IntArray


@dataclass(frozen=True, eq=False)
class LeastSquaresSolution:
    """The minimiser of ‖B − A X‖ and what is known about it.

    Parameters
    ----------
    A : ndarray of shape (n, p)
        The columns, scaled by ``scale``.
    scale : ndarray of shape (p,)
        Powers of two that the columns were divided by.
    R : ndarray of shape (p, p)
        Upper triangle with RᵀR = AᵀA; meaningless where the rank is not p.
    x : ndarray of shape (p, k)
        The minimiser; the shortest one, in the scaled columns, where there are many.
    residual : ndarray of shape (n, k)
        B − A x.
    rank : int
        Numerical rank.
    dependences : tuple of Dependence
        Which columns are combinations of which, where the rank is not p.
    refinements : int
        Steps taken.
    settled : bool
        Whether the last step moved the solution by no more than rounding, and no entry that counts is below
        the smallest number.
    """

    A: FloatArray
    scale: FloatArray
    R: FloatArray
    x: FloatArray
    residual: FloatArray
    rank: int
    dependences: tuple[Dependence, ...]
    refinements: int
    settled: bool

    @cached_property
    def inverse_root(self) -> FloatArray:
        """T of shape (p, p) with T Tᵀ = (AᵀA)⁻¹ in the unscaled columns; NaN where the rank is not p.

        R⁻¹ has an error of the condition number. Where that shows, the columns A R⁻¹, which are nearly
        orthonormal, are computed in doubled precision; the Cholesky factor of their Gram matrix mends R⁻¹.
        """
        p = len(self.scale)
        if self.rank < p:
            return np.full((p, p), np.nan)
        root: FloatArray = linalg.solve_triangular(self.R, np.eye(p), check_finite=False)
        if linalg.norm(self.R, 1) * linalg.norm(root, 1) > WELL_CONDITIONED:
            near = products(self.A, np.ascontiguousarray(root))
            mended = linalg.cholesky(near.T @ near, check_finite=False)
            root = linalg.solve_triangular(mended, root.T, trans="T", check_finite=False).T
        return root / self.scale[:, None]


def solve_least_squares(A: FloatArray, B: FloatArray) -> LeastSquaresSolution:
    """Minimise ‖B − A X‖ for A of shape (n, p) and B of shape (n, k), both finite.

    Returns
    -------
    LeastSquaresSolution
        With ``rank`` and ``dependences`` where A has not full column rank.
    """
    check_time()
    n, p = A.shape
    scale = _powers_of_two(A)
    scaled = np.ascontiguousarray(A / scale)
    if n >= p:
        if A.size >= SMALLEST_FOR_CHOLESKY:
            R = _cholesky(scaled)
            if R is not None:
                found = _refined(scaled, scale, B, None, R)
                if found.settled:
                    return found
        check_time()
        Q, R = linalg.qr(scaled, mode="economic", check_finite=False)
        rank, dependences = _rank(R, n)
        if rank == p:
            return _refined(scaled, scale, B, Q, R)
    else:
        R = np.empty((0, p))
        rank, dependences = column_rank(A)
    check_time()
    x = linalg.lstsq(scaled, B, cond=max(n, p) * EPS, check_finite=False)[0]
    return LeastSquaresSolution(
        scaled, scale, R, x / scale[:, None], B - scaled @ x, rank, dependences, 0, True
    )


def column_rank(A: FloatArray) -> tuple[int, tuple[Dependence, ...]]:
    """Return the numerical rank of A, columns of unit length, and which columns depend on which."""
    scaled = A / _powers_of_two(A)
    return _rank(linalg.qr(scaled, mode="r", check_finite=False)[0][: A.shape[1]], max(A.shape))


def well_conditioned(gram: FloatArray) -> bool:
    """Return whether a Gram matrix shows by itself that its columns, of unit length, are independent."""
    return _factor_if_safe(gram) is not None


def _powers_of_two(A: FloatArray) -> FloatArray:
    largest = np.abs(A).max(axis=0, initial=0.0)
    scale: FloatArray = np.ldexp(1.0, np.frexp(np.where(largest > 0, largest, 1.0))[1] - 1)
    return scale


def _cholesky(scaled: FloatArray) -> FloatArray | None:
    """Return the Cholesky factor of the Gram matrix, or None where its condition number forbids it."""
    return _factor_if_safe(scaled.T @ scaled)


def _factor_if_safe(gram: FloatArray) -> FloatArray | None:
    try:
        R: FloatArray = linalg.cholesky(gram, check_finite=False)
    except linalg.LinAlgError:
        return None
    # The columns' own lengths are no fault of theirs, and rows of R carry them: judge unit columns.
    unit = R / linalg.norm(R, axis=0)
    reciprocal, _ = linalg.lapack.dtrcon(unit, norm="1", uplo="U")
    return R if reciprocal * WORST_FOR_CHOLESKY > 1 else None


def _rank(R: FloatArray, longer: int) -> tuple[int, tuple[Dependence, ...]]:
    """Read the rank off a QR with column exchanges, in columns of unit length."""
    lengths = linalg.norm(R, axis=0)
    unit = R / np.where(lengths > 0, lengths, 1.0)
    upper, order = linalg.qr(unit, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diagonal(upper))
    rank = int(np.sum(diagonal > longer * EPS))
    if rank == R.shape[1]:
        return rank, ()
    weights = linalg.solve_triangular(upper[:rank, :rank], upper[:rank, rank:], check_finite=False)
    return rank, tuple(
        Dependence(int(order[rank + k]), np.sort(order[:rank][np.abs(weights[:, k]) > np.sqrt(EPS)]))
        for k in range(len(order) - rank)
    )


def _refined(
    A: FloatArray, scale: FloatArray, B: FloatArray, Q: FloatArray | None, R: FloatArray
) -> LeastSquaresSolution:
    x, rest = np.zeros((A.shape[1], B.shape[1])), np.zeros_like(B)
    most, settled = 0, True
    for k in range(B.shape[1]):
        x[:, k], rest[:, k], steps, calm = _refine(A, np.ascontiguousarray(B[:, k]), Q, R)
        most, settled = max(most, steps), settled and calm
    out = x / scale[:, None]
    counts = np.abs(x) > EPS * np.abs(x).max(axis=0, initial=0.0)
    settled = settled and not (counts & (np.abs(out) < TINIEST)).any()
    return LeastSquaresSolution(A, scale, R, out, rest, A.shape[1], (), most, settled)


def _refine(
    A: FloatArray, b: FloatArray, Q: FloatArray | None, R: FloatArray
) -> tuple[FloatArray, FloatArray, int, bool]:
    """Refine x and r with r + A x = b and Aᵀ r = 0; return them, the steps and whether they came to rest."""
    x: FloatArray = np.zeros(A.shape[1])
    g: FloatArray = np.zeros(A.shape[1])
    r: FloatArray = np.zeros_like(b)
    f = b
    before = np.inf
    for step in range(MOST_REFINEMENTS):
        check_time()
        h = linalg.solve_triangular(R, g, trans="T", check_finite=False)
        if Q is None:
            u = linalg.solve_triangular(R, A.T @ f, trans="T", check_finite=False) - h
            dx = linalg.solve_triangular(R, u, check_finite=False)
            dr = f - A @ dx
        else:
            u = Q.T @ f - h
            dx = linalg.solve_triangular(R, u, check_finite=False)
            dr = f - Q @ u
        moved = float(np.abs(dx).max(initial=0.0))
        if step and moved >= before / 2:
            # It no longer shrinks: at rest if only the last digits move, otherwise astray.
            return x, r, step, moved <= 8 * EPS * float(np.abs(x).max(initial=0.0))
        x, r = x + dx, r + dr
        # Large residuals leave more to mend than the size of x shows, so two steps are the least.
        # A coefficient whose true value is 0 has no last digit: it may go on shrinking, but not for ever.
        sizes = np.abs(x)
        if step > 1 and moved <= max(EPS / 4 * sizes.min(), NOTHING * sizes.max()):
            return x, r, step, True
        before = moved
        f, g = residual(A, x, b, r), -crossed(A, r)
    return x, r, MOST_REFINEMENTS, False
