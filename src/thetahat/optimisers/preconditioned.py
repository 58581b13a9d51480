"""Limited-memory BFGS in coordinates in which the objective is nearly round.

Where a Hessian is known roughly, of fewer rows or of a neighbouring point, its Cholesky factor R turns θ into
u = R θ, in which the curvature is near one in every direction. A few gradients then do what Newton's method
needs a Hessian a step for, and the gradient's length in u is the distance to the minimum in standard errors.
The recursion is that of Nocedal and Wright, Numerical Optimization (2006), section 7.2.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy import linalg

from thetahat.contracts import FloatArray, Status
from thetahat.deadline import check_time
from thetahat.optimisers.minimum import Minimum, Objective
from thetahat.optimisers.newton import LEAST_STEP, ROUNDING, SUFFICIENT

__all__ = ["preconditioned_lbfgs"]


def preconditioned_lbfgs(
    objective: Objective,
    start: FloatArray,
    factor: FloatArray,
    *,
    max_iter: int = 100,
    tol: float = 1e-9,
    memory: int = 12,
) -> Minimum:
    """Minimise a smooth convex function whose Hessian is roughly known.

    Parameters
    ----------
    objective : Objective
        The function; its Hessian is not asked for.
    start : ndarray of shape (m,)
        Where to begin; the objective must be finite there.
    factor : ndarray of shape (m, m)
        Upper triangle R, RᵀR near the Hessian; the nearer, the fewer steps.
    max_iter : int
        Most steps.
    tol : float
        Length of the gradient in u = R θ at which the work is done.
    memory : int
        How many past steps shape the next.

    Returns
    -------
    Minimum
        SOLVED where that length at the last point is at most ``tol``; NOT_FINITE, MAX_ITER or NOT_CONVERGED
        as for Newton's method.
    """
    theta = np.array(start, dtype=np.float64)
    point = objective.at(theta)
    slope = _to_round(factor, point.gradient)
    past: deque[tuple[FloatArray, FloatArray, float]] = deque(maxlen=memory)
    iteration = 0
    while True:
        steepest, distance = float(np.abs(point.gradient).max(initial=0.0)), float(np.sqrt(slope @ slope))
        if not (np.isfinite(point.value) and np.isfinite(distance)):
            return Minimum(theta, point.value, steepest, iteration, Status.NOT_FINITE)
        if distance <= tol:
            return Minimum(theta, point.value, steepest, iteration, Status.SOLVED)
        if iteration == max_iter:
            return Minimum(theta, point.value, steepest, iteration, Status.MAX_ITER)
        direction = _two_loops(slope, past)
        decrease = float(slope @ direction)
        step = linalg.solve_triangular(factor, direction, check_finite=False)
        length, slack = 1.0, ROUNDING * abs(point.value)
        while True:
            check_time()
            trial = objective.at(theta - length * step)
            if trial.value <= point.value - SUFFICIENT * length * decrease + slack:
                break
            length /= 2
            if length < LEAST_STEP:
                return Minimum(theta, point.value, steepest, iteration, Status.NOT_CONVERGED)
        reached = _to_round(factor, trial.gradient)
        moved, bent = -length * direction, reached - slope
        curvature = float(moved @ bent)
        if curvature > 0:
            past.append((moved, bent, curvature))
        theta, point, slope = theta - length * step, trial, reached
        iteration += 1


def _to_round(factor: FloatArray, gradient: FloatArray) -> FloatArray:
    return np.asarray(linalg.solve_triangular(factor, gradient, trans="T", check_finite=False))


def _two_loops(slope: FloatArray, past: deque[tuple[FloatArray, FloatArray, float]]) -> FloatArray:
    direction, shares = slope.copy(), []
    for moved, bent, curvature in reversed(past):
        share = float(moved @ direction) / curvature
        shares.append(share)
        direction -= share * bent
    if past:
        _, bent, curvature = past[-1]
        direction *= curvature / float(bent @ bent)
    for (moved, bent, curvature), share in zip(past, reversed(shares), strict=True):
        direction += moved * (share - float(bent @ direction) / curvature)
    return direction
