"""Solve one dual on one table, by whichever way its size allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from thetahat.contracts import FloatArray, Status
from thetahat.errors import UsageError
from thetahat.numerics.operators import in_steps
from thetahat.svm.active import on_active_sets
from thetahat.svm.interior import on_columns
from thetahat.svm.memory import borrowed
from thetahat.svm.optimality import Dual
from thetahat.svm.solution import Limits, Solution, Stop
from thetahat.svm.solver import confirm, on_matrix
from thetahat.svm.steps import padded
from thetahat.svm.table import KernelTable

__all__ = ["Budget", "precision", "smallest_eigenvalue", "solve_on", "status_of", "train"]

# Beyond this many rows most kernel values are never needed, so rows are made as they are asked for.
MOST_ROWS_WHOLE = 6_000
MOST_ROWS_WHOLE_NARROW = 3_000
# With so few rows single precision saves nothing.
MOST_ROWS_DOUBLE = 500
# Kernel values beyond this overflow the products of float32.
MOST_SINGLE = 1e15
# A tolerance that is this small a part of the target asks for more digits than float32 has.
FINEST_SINGLE = 1e-6
STATUSES = {
    Stop.SOLVED: Status.SOLVED,
    Stop.STEPS: Status.MAX_ITER,
    Stop.TIME: Status.OUT_OF_TIME,
    Stop.DIGITS: Status.NOT_CONVERGED,
}


@dataclass(slots=True)
class Budget:
    """What a fit may use.

    Parameters
    ----------
    tol : float
        Largest violation of the optimality conditions.
    steps : int
        Most steps; a negative number is 10 million, or a hundred a row where that is more.
    seconds : float or None
        Most seconds.
    megabytes : float
        Memory for kernel values.
    shrinking : bool
        Whether variables that are settled at a bound are left out for a while.
    """

    tol: float = 1e-3
    steps: int = -1
    seconds: float | None = None
    megabytes: float = 2000.0
    shrinking: bool = True

    def limits(self, n: int) -> Limits:
        """Return the limits of a fit of n rows that begins now."""
        steps = self.steps if self.steps >= 0 else max(10_000_000, 100 * n)
        return Limits(self.tol, steps, float("inf") if self.seconds is None else self.seconds)


def status_of(stop: Stop) -> Status:
    """Return the status of a fit that ended so."""
    return STATUSES[stop]


def train(dual: Dual, table: KernelTable, budget: Budget) -> Solution:
    """Solve ``dual`` on ``table``.

    Raises
    ------
    UsageError
        The kernel has values that are not finite.
    """
    diagonal = table.diagonal
    if not np.isfinite(diagonal).all() or not table.bounded:
        raise UsageError("X: the kernel overflows on these rows; scale the columns or lower degree and gamma")
    limits = budget.limits(table.n)
    if table.slender:
        found = on_columns(dual, table.X, limits)
        if found.stop is not Stop.DIGITS:
            return found
        # The steps below go on from there.
        left = replace(limits, steps=max(limits.steps - found.steps, 0))
        after = _by_steps(replace(dual, start=found.beta), table, budget, left)
        return replace(after, steps=found.steps + after.steps)
    return _by_steps(dual, table, budget, limits)


def _by_steps(dual: Dual, table: KernelTable, budget: Budget, limits: Limits) -> Solution:
    diagonal = table.diagonal
    each = padded(table.n) * table.n / 1e6
    enough = precision(limits.tol, table.n, dual.p) == np.float32 or 8 * each > budget.megabytes
    single = enough and bool(np.abs(diagonal).max(initial=0.0) < MOST_SINGLE)
    solution = None
    most = MOST_ROWS_WHOLE_NARROW if table.narrow else MOST_ROWS_WHOLE
    if single and (table.n > most or 4 * each > budget.megabytes):
        solution = on_active_sets(dual, table, limits, budget.megabytes)
    elif single:
        with borrowed(table.n, padded(table.n)) as K:
            table.whole(K)
            solution = solve_on(dual, table, K, limits, shrinking=budget.shrinking)
    if solution is not None:
        if solution.stop is not Stop.DIGITS or 8 * each > budget.megabytes:
            return solution
    return _in_double(dual, table, limits, solution, budget.shrinking)


def precision(tol: float, n: int, target: FloatArray | None = None) -> Any:
    """Return the type of number in which n rows meet a tolerance on a target of this size, labels if None."""
    if n <= MOST_ROWS_DOUBLE:
        return np.float64
    scale = 1.0 if target is None else max(float(np.abs(target).max(initial=0.0)), 1.0)
    return np.float32 if tol >= FINEST_SINGLE * scale else np.float64


def solve_on(
    dual: Dual,
    table: KernelTable,
    K: NDArray[Any],
    limits: Limits,
    start: tuple[FloatArray, FloatArray] | None = None,
    shrinking: bool = True,
) -> Solution:
    """Solve on the matrix K of a table, verified by its float64 values."""

    def verify(beta: FloatArray, F: FloatArray) -> None:
        if K.dtype == np.float32:
            confirm(dual, table, beta, F, limits.tol)
        else:
            F[:] = dual.p - table.times(beta)

    return on_matrix(dual, K, limits, verify, start, shrinking)


def _in_double(
    dual: Dual, table: KernelTable, limits: Limits, before: Solution | None, shrinking: bool
) -> Solution:
    """Solve on a matrix of float64, from where float32 could not go on."""
    start = None if before is None else (before.beta, dual.p - table.times(before.beta))
    after = solve_on(dual, table, table.gram(np.float64), limits, start, shrinking)
    return after if before is None else replace(after, steps=before.steps + after.steps)


def smallest_eigenvalue(table: KernelTable) -> float:
    """Return the smallest eigenvalue of the kernel matrix as a part of its largest diagonal entry.

    By all eigenvalues of few rows, by Lanczos iterations of many.
    """
    n = table.n
    scale = max(float(np.abs(table.diagonal).max(initial=0.0)), 1e-300)
    if n <= 500:
        return float(np.linalg.eigvalsh(table.gram(np.float64)[:, :n])[0]) / scale
    K = table.gram(np.float32)[:, :n]
    product = LinearOperator((n, n), matvec=lambda v: K @ np.asarray(v, np.float32).ravel(), dtype=np.float32)
    try:
        least = eigsh(
            in_steps(product), k=1, which="SA", tol=1e-2, v0=np.ones(n, np.float32), return_eigenvectors=False
        )
        return float(least[0]) / scale
    except ArpackError:
        # The bottom of the spectrum is crowded round nought, which is what a semi-definite matrix looks like.
        return 0.0
