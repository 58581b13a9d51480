"""Limited-memory BFGS for many parameters: SciPy's, with the state of its end told truly."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from thetahat.contracts import FloatArray, Status
from thetahat.deadline import check_time
from thetahat.optimisers.minimum import Minimum, Objective

__all__ = ["lbfgs"]


def lbfgs(
    objective: Objective,
    start: FloatArray,
    *,
    max_iter: int = 1000,
    tol: float = 1e-6,
    memory: int = 20,
    max_evaluations: int | None = None,
) -> Minimum:
    """Minimise a smooth function by its gradient.

    Parameters
    ----------
    objective : Objective
        The function; its Hessian is not asked for.
    start : ndarray of shape (m,)
        Where to begin.
    max_iter : int
        Most steps.
    tol : float
        Largest entry of the gradient at which the work is done.
    memory : int
        How many past steps shape the next.
    max_evaluations : int, optional
        Most points at which the function is asked for; 20 a step without.

    Returns
    -------
    Minimum
        SOLVED only where the gradient at the last point is at most ``tol``, whatever SciPy says.
    """

    def value_and_gradient(theta: FloatArray) -> tuple[float, FloatArray]:
        check_time()
        point = objective.at(theta)
        return point.value, point.gradient

    found = optimize.minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": max_iter,
            "maxfun": 20 * max_iter if max_evaluations is None else max_evaluations,
            "maxcor": memory,
            "maxls": 50,
            "gtol": tol,
            "ftol": 0.0,
        },
    )
    steepest = float(np.abs(found.jac).max(initial=0.0))
    if not (np.isfinite(found.fun) and np.isfinite(steepest)):
        status = Status.NOT_FINITE
    elif steepest <= tol:
        status = Status.SOLVED
    else:
        status = Status.MAX_ITER if found.status == 1 else Status.NOT_CONVERGED
    return Minimum(np.asarray(found.x), float(found.fun), steepest, int(found.nit), status)
