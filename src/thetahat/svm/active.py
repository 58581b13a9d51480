"""Solve the dual where the whole matrix is too large: steps on the rows that matter, made as they are needed.

A round picks an active set, forms its float32 matrix from stored rows where there are any, steps on all of it
at once, and takes what changed off F for every row. The active set is every stored row that is free or near
violating, and the worst of the others, so that little of its matrix is computed afresh.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.svm.blocks import gather, subtract_rows
from thetahat.svm.memory import borrowed
from thetahat.svm.optimality import Dual, Optimality, in_play, judge
from thetahat.svm.solution import Limits, Solution, Stop
from thetahat.svm.solver import BURST, MOST_STALLS, burst, confirm
from thetahat.svm.steps import padded
from thetahat.svm.table import KernelTable

__all__ = ["on_active_sets"]

# Rows of the first active set, evenly spread, and most rows without a stored kernel row in a later one.
FIRST, FRESH = 2000, 2000
# Share of the memory for rows; the rest is for the matrix of the active set.
SHARE_OF_ROWS = 0.6
# The first set is solved this far only: most of it will not matter.
FIRST_GOAL = 0.1


class _Rows:
    """Kernel rows, float32, as many as fit."""

    def __init__(self, table: KernelTable, store: NDArray[np.float32]) -> None:
        self.table, self.store = table, store
        self.place: IntArray = np.full(table.n, -1, dtype=np.int64)
        self.used = 0
        self.known = np.zeros(table.n, dtype=np.bool_)

    def gram(self, rows: IntArray, out: NDArray[np.float32]) -> None:
        """Write the matrix of these rows."""
        places = self.place[rows]
        gather(self.store, places, rows, out)
        new = np.flatnonzero(places < 0)

        def put(r: int, c: int, block: NDArray[Any]) -> None:
            out[new[r : r + len(block)], c : c + block.shape[1]] = block

        if len(new):
            self.table.tiles(rows[new], rows, put)

    def subtract(self, F: FloatArray, rows: IntArray, coef: FloatArray) -> None:
        """Take Σ coef·K[rows] off F, and keep the rows that fit."""
        self.known[rows] = True
        if self.table.linear:
            F -= self.table.X @ (self.table.X[rows].T @ coef)
            return
        new = rows[self.place[rows] < 0][: len(self.store) - self.used]
        first = self.used

        def keep(r: int, c: int, block: NDArray[Any]) -> None:
            self.store[first + r : first + r + len(block), c : c + block.shape[1]] = block

        if len(new):
            self.table.tiles(new, None, keep)
            self.place[new] = np.arange(first, first + len(new))
            self.used += len(new)
        places = self.place[rows]
        stored = places >= 0
        subtract_rows(F, self.store, places[stored], coef[stored].astype(np.float32))
        rest, weight = rows[~stored], coef[~stored].astype(np.float32)

        def take_off(r: int, c: int, block: NDArray[Any]) -> None:
            F[c : c + block.shape[1]] -= weight[r : r + len(block)] @ block

        if len(rest):
            self.table.tiles(rest, None, take_off)


def _chosen(
    dual: Dual, beta: FloatArray, F: FloatArray, state: Optimality, stored: NDArray[np.bool_], most: int
) -> IntArray:
    """Return the rows of the next active set, in order."""
    over, near = in_play(dual, beta, F, state)
    fresh = min(FRESH, (most + 3) // 4)
    return np.sort(
        np.concatenate(
            [
                _worst(np.flatnonzero(near & stored), over, most - fresh),
                _worst(np.flatnonzero(near & ~stored), over, fresh),
            ]
        )
    )


def _worst(rows: IntArray, over: FloatArray, most: int) -> IntArray:
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.argpartition(-over[rows], most)[:most]])


def on_active_sets(dual: Dual, table: KernelTable, limits: Limits, megabytes: float) -> Solution:
    """Solve within a budget of memory for kernel values.

    Parameters
    ----------
    dual : Dual
        The problem.
    table : KernelTable
        Its kernel.
    limits : Limits
        When to stop.
    megabytes : float
        Memory for kernel values; with less, rows are computed more often.
    """
    n = table.n
    capacity = int(min(n, max(1, SHARE_OF_ROWS * megabytes * 1e6 / (4 * padded(n)))))
    if table.narrow or table.linear:
        # To compute such a row again costs less than the first touch of the memory that would keep it.
        capacity = 1
    most = int(min(n, max(64, ((1 - SHARE_OF_ROWS) * megabytes * 1e6 / 4) ** 0.5 - 16)))
    with borrowed(capacity, padded(n)) as store, borrowed(most, padded(most)) as square:
        return _rounds(dual, table, limits, _Rows(table, store), square.reshape(-1), most)


def _rounds(
    dual: Dual, table: KernelTable, limits: Limits, rows: _Rows, flat: NDArray[np.float32], most: int
) -> Solution:
    n, tol = table.n, limits.tol
    beta: FloatArray = np.zeros(n)
    F = dual.p.copy()
    if dual.start is not None:
        beta = dual.start.copy()
        carried = np.flatnonzero(beta)
        rows.subtract(F, carried, beta[carried])
    diagonal = table.diagonal
    aim, steps, stalls, first, best = 0.7 * tol, 0, 0, True, float("inf")
    while True:
        state = judge(dual, beta, F)
        stop = limits.reached(steps)
        if state.violation <= 1.15 * aim or stop is not None or stalls >= MOST_STALLS:
            confirm(dual, table, beta, F, tol)
            state = judge(dual, beta, F)
            if state.violation <= tol:
                return Solution(beta, F, state, steps, Stop.SOLVED)
            stalls += state.violation > 0.5 * best
            best = min(best, state.violation)
            if stop is None and stalls > MOST_STALLS:
                stop = Stop.DIGITS
            if stop is not None:
                return Solution(beta, F, state, steps, stop)
        if first and n > FIRST:
            active: IntArray = np.unique(np.linspace(0, n - 1, min(FIRST, most)).astype(np.int64))
        else:
            active = _chosen(dual, beta, F, state, rows.known, most)
        goal = max(aim, 0.1 * state.violation) if not first else max(aim, FIRST_GOAL)
        first = False
        m = len(active)
        K = flat[: m * padded(m)].reshape(m, padded(m))
        K[:, m:] = 0
        rows.gram(active, K)
        part = dual.part(active)
        after, done = _settle(part, K, diagonal[active], beta[active], F[active], goal, limits, steps)
        steps += done
        stalls += not done
        change = after - beta[active]
        moved = np.flatnonzero(change)
        beta[active] = after
        rows.subtract(F, active[moved], change[moved])


def _settle(
    part: Dual,
    K: NDArray[np.float32],
    diagonal: FloatArray,
    before: FloatArray,
    F: FloatArray,
    goal: float,
    limits: Limits,
    steps: int,
) -> tuple[FloatArray, int]:
    """Step on an active set until its worst pair violates by ``goal``; return β and the count."""
    beta, total, idle = before.copy(), 0, 0
    while idle < MOST_STALLS:
        state = judge(part, beta, F)
        if state.violation < goal or limits.reached(steps + total) is not None:
            break
        allowed = min(BURST, limits.steps - steps - total)
        done = burst(part, K, diagonal, beta, F, max(0.95 * goal, 0.02 * state.violation), allowed)
        total += done
        after = judge(part, beta, F)
        gained = state.objective - after.objective > 1e-7 * abs(after.objective)
        idle += not gained and after.violation > 0.9 * state.violation
        if not done:
            break
    return beta, total
