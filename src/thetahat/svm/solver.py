"""Solve the dual on a matrix that fits in memory: steps in float32 or float64, the verdict in float64.

F = p − Kβ is carried in float64 and refreshed after each burst of steps. Before a fit is called solved, the
error of the float32 matrix is measured, and F is formed in float64 wherever the verdict can depend on it.
Where that shows more to do, the steps go on from the corrected F, as in iterative refinement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.svm.blocks import gather, subtract_rows
from thetahat.svm.memory import borrowed
from thetahat.svm.optimality import Dual, in_play, judge, keys
from thetahat.svm.solution import Limits, Solution, Stop
from thetahat.svm.steps import descend, padded
from thetahat.svm.table import KernelTable

__all__ = ["burst", "confirm", "on_matrix", "shrunk_burst"]

BURST = 40_000
# A burst of steps brings the violation down to this part of it.
NEARER = 0.1
# Fewer variables than these are not worth telling apart, nor is a share of them beyond this one.
FEWEST, WORTH_COPYING = 500, 0.5
# Rows on which the error of the float32 matrix is measured.
PROBED = 256
# Exact verdicts in a row that do not halve the violation: the arithmetic has no more to give.
MOST_STALLS = 4


def burst(
    dual: Dual,
    K: NDArray[Any],
    diagonal: NDArray[Any],
    beta: FloatArray,
    F: FloatArray,
    goal: float,
    most: int,
) -> int:
    """Step until no pair violates by ``goal`` as K sees it, or ``most`` steps are done; refresh F."""
    n, whole = len(beta), padded(len(beta))
    state = judge(dual, beta, F)
    dtype = K.dtype
    # Slopes near the threshold are what is compared, so that is where float32 has its digits.
    work = np.zeros(whole, dtype)
    work[:n] = F - state.middle
    up, low = np.empty(whole, dtype), np.empty(whole, dtype)
    across = np.zeros(whole, dtype)
    across[:n] = diagonal
    before = beta.copy()
    tiny = max(float(np.abs(diagonal).max()), 1e-300) * (1e-6 if dtype == np.float32 else 1e-12)
    steps = descend(K, work, beta, dual.lo, dual.hi, dual.width, across, up, low, n, goal, tiny, most)
    changed = np.flatnonzero(beta != before)
    subtract_rows(F, K, changed, (beta - before)[changed].astype(dtype))
    return steps


def shrunk_burst(
    dual: Dual,
    K: NDArray[Any],
    diagonal: NDArray[Any],
    beta: FloatArray,
    F: FloatArray,
    goal: float,
    most: int,
) -> int:
    """Do the same among the variables that are free or nearly violate, where that is worth copying them."""
    rows = np.flatnonzero(in_play(dual, beta, F, judge(dual, beta, F))[1])
    if len(beta) < FEWEST or len(rows) > WORTH_COPYING * len(beta):
        return burst(dual, K, diagonal, beta, F, goal, most)
    m, moved, slopes = len(rows), beta[rows], F[rows]
    with borrowed(m, padded(m), K.dtype) as part:
        part[:, m:] = 0
        gather(K, rows, rows, part)
        steps = burst(dual.part(rows), part, diagonal[rows], moved, slopes, goal, most)
    change = moved - beta[rows]
    beta[rows] = moved
    changed = np.flatnonzero(change)
    subtract_rows(F, K, rows[changed], change[changed].astype(K.dtype))
    return steps


def confirm(dual: Dual, table: KernelTable, beta: FloatArray, F: FloatArray, tol: float) -> None:
    """Put float64 slopes into F wherever the verdict at ``tol`` can depend on them."""
    state = judge(dual, beta, F)
    up, low = keys(dual, beta, F)
    over = np.maximum(up - state.middle, state.middle - low)
    near = np.flatnonzero(over > -tol)
    if len(near) > PROBED:
        near = near[np.argpartition(-over[near], PROBED)[:PROBED]]
    if not len(near):
        return
    exact = dual.p[near] - table.times(beta, near)
    error = 2 * float(np.abs(exact - F[near]).max())
    F[near] = exact
    if state.violation + 2 * error > 0.98 * tol:
        near = np.flatnonzero(over > -tol - 4 * error)
        F[near] = dual.p[near] - table.times(beta, near)


def on_matrix(
    dual: Dual,
    K: NDArray[Any],
    limits: Limits,
    verify: Callable[[FloatArray, FloatArray], None],
    start: tuple[FloatArray, FloatArray] | None = None,
    shrinking: bool = True,
) -> Solution:
    """Solve on a whole matrix K, rows padded.

    Parameters
    ----------
    dual : Dual
        The problem.
    K : ndarray of shape (n, at least n)
        Kernel matrix.
    limits : Limits
        When to stop.
    verify : callable
        ``verify(beta, F)`` puts float64 slopes into F where the verdict can depend on them.
    start : (beta, F), optional
        Where to begin; β = ``dual.start`` if not given.
    shrinking : bool
        Whether variables that are settled at a bound are left out between looks at all of them.
    """
    n = len(dual.p)
    if start is None:
        beta = np.zeros(n) if dual.start is None else dual.start.copy()
        F = dual.p.copy()
        carried = np.flatnonzero(beta)
        if len(carried):
            subtract_rows(F, K, carried, beta[carried].astype(K.dtype))
    else:
        beta, F = start[0].copy(), start[1].copy()
    diagonal = np.ascontiguousarray(np.diagonal(K[:, :n]))
    tol, steps, stalls, best = limits.tol, 0, 0, float("inf")
    last, progress = judge(dual, beta, F), 1e-7 if K.dtype == np.float32 else 1e-15
    aim = 0.7 * tol
    while True:
        violation = judge(dual, beta, F).violation
        if np.isinf(violation):
            return Solution(beta, F, judge(dual, beta, F), steps, Stop.DIGITS)
        stop = limits.reached(steps)
        if violation <= 1.05 * aim or stop is not None:
            verify(beta, F)
            state = judge(dual, beta, F)
            if state.violation <= tol:
                return Solution(beta, F, state, steps, Stop.SOLVED)
            if state.violation > 0.5 * best:
                stalls += 1
            best = min(best, state.violation)
            if stop is None and stalls >= MOST_STALLS:
                stop = Stop.DIGITS
            if stop is not None:
                return Solution(beta, F, state, steps, stop)
            violation = state.violation
        goal = max(0.95 * aim, NEARER * violation)
        step = shrunk_burst if shrinking else burst
        done = step(dual, K, diagonal, beta, F, goal, min(BURST, limits.steps - steps))
        steps += done
        state = judge(dual, beta, F)
        gained = last.objective - state.objective > progress * abs(state.objective)
        # K sees no pair to improve where float64 does, or steps go to and fro within its rounding.
        stalls += not gained and state.violation > 0.9 * last.violation
        last = state
        if stalls >= MOST_STALLS:
            verify(beta, F)
            state = judge(dual, beta, F)
            stop = Stop.SOLVED if state.violation <= tol else Stop.DIGITS
            return Solution(beta, F, state, steps, stop)
