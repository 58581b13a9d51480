"""Newton's method, damped where the quadratic is not to be trusted.

The step solves H d = g by Cholesky; where H is not positive definite to working precision, a growing multiple
of its mean diagonal is added (Levenberg). The step is halved until the objective falls by Armijo's rule. The
work is done when the Newton decrement √(gᵀH⁻¹g) is below the tolerance: for a negative log-likelihood that is
the distance to the minimum in standard errors, whatever the scale of the columns.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from thetahat.contracts import FloatArray, Status
from thetahat.deadline import check_time
from thetahat.optimisers.minimum import Minimum, Objective

__all__ = ["newton"]

LEAST_STEP = 1e-12
SUFFICIENT = 1e-4
# Sums of many rows are rounded: a rise of no more than this part of the value is not a rise.
ROUNDING = 1e-13


def newton(objective: Objective, start: FloatArray, *, max_iter: int = 100, tol: float = 1e-9) -> Minimum:
    """Minimise a smooth function with a Hessian.

    Parameters
    ----------
    objective : Objective
        The function; where it is infinite or NaN the step is halved.
    start : ndarray of shape (m,)
        Where to begin; the objective must be finite there.
    max_iter : int
        Most steps.
    tol : float
        Newton decrement at which the work is done.

    Returns
    -------
    Minimum
        SOLVED where the decrement at the last point is at most ``tol``; MAX_ITER where steps ran out;
        NOT_FINITE where the objective, or a derivative, left the finite numbers; NOT_CONVERGED where no step
        along the Newton direction lowered the objective.
    """
    theta = np.array(start, dtype=np.float64)
    point = objective.at(theta)
    for iteration in range(max_iter + 1):
        check_time()
        slope = point.gradient
        steepest = float(np.abs(slope).max(initial=0.0))
        if not (np.isfinite(point.value) and np.isfinite(steepest)):
            return Minimum(theta, point.value, steepest, iteration, Status.NOT_FINITE)
        direction = _direction(point.hessian(), slope)
        if direction is None:
            return Minimum(theta, point.value, steepest, iteration, Status.NOT_FINITE)
        decrement = float(slope @ direction)
        if decrement <= tol * tol:
            return Minimum(theta, point.value, steepest, iteration, Status.SOLVED)
        if iteration == max_iter:
            break
        length, slack = 1.0, ROUNDING * abs(point.value)
        while True:
            check_time()
            trial = objective.at(theta - length * direction)
            # NaN compares false, so a trial outside the domain is refused.
            if trial.value <= point.value - SUFFICIENT * length * decrement + slack:
                break
            length /= 2
            if length < LEAST_STEP:
                return Minimum(theta, point.value, steepest, iteration, Status.NOT_CONVERGED)
        theta, point = theta - length * direction, trial
    return Minimum(theta, point.value, steepest, max_iter, Status.MAX_ITER)


def _direction(hessian: FloatArray, slope: FloatArray) -> FloatArray | None:
    """Solve H d = g, H made positive definite; None where H is not finite."""
    if not np.isfinite(hessian).all():
        return None
    # Unit diagonal first, so that "nearly singular" means the same in every unit of the columns.
    diagonal = np.diagonal(hessian)
    lengths = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    unit = hessian / np.outer(lengths, lengths)
    shift = 0.0
    while True:
        try:
            factor = linalg.cho_factor(unit + shift * np.eye(len(unit)), check_finite=False)
            solved: FloatArray = linalg.cho_solve(factor, slope / lengths, check_finite=False) / lengths
            return solved
        except linalg.LinAlgError:
            shift = max(1e-12, 10 * shift)
