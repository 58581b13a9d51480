"""How far β is from the optimum of min ½ βᵀKβ − pᵀβ + ε‖β‖₁, lo ≤ β ≤ hi, Σβ given, told from F = p − Kβ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray

__all__ = ["Dual", "Optimality", "excess", "in_play", "judge", "keys"]

# A variable within this part of the worst violation of violating nearly does.
NEAR = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """The dual problem of a support vector machine in signed variables.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Linear term: the labels ±1, the targets of a regression, or nought.
    lo, hi : ndarray of shape (n,)
        Bounds, lo ≤ 0 ≤ hi.
    width : float
        ε: half the width of a regression's tube; nought otherwise.
    start : ndarray of shape (n,), optional
        A feasible β, whose sum is kept; nought if not given.
    """

    p: FloatArray
    lo: FloatArray
    hi: FloatArray
    width: float = 0.0
    start: FloatArray | None = None

    def part(self, rows: IntArray) -> Dual:
        """Return the problem of these rows, all others held."""
        start = None if self.start is None else self.start[rows]
        return Dual(self.p[rows], self.lo[rows], self.hi[rows], self.width, start)


@dataclass(frozen=True, slots=True)
class Optimality:
    """What a pair (β, F) is worth.

    Parameters
    ----------
    violation : float
        Largest slope by which a pair of variables could still improve; at most nought at the optimum.
    intercept : float
        The multiplier of Σβ: the mean slope of the free variables, else the middle of what the others
        allow.
    middle : float
        The middle of the largest up key and the smallest low key.
    duality_gap : float
        Primal less dual objective at this intercept, at least nought where F is exact.
    objective : float
        The dual objective, as a minimum.
    """

    violation: float
    intercept: float
    middle: float
    duality_gap: float
    objective: float


def keys(dual: Dual, beta: FloatArray, F: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the slopes at which each variable may grow and may shrink; ∓∞ where it may not."""
    up = np.where(beta < dual.hi, F - np.where(beta >= 0, dual.width, -dual.width), -np.inf)
    low = np.where(beta > dual.lo, F - np.where(beta > 0, dual.width, -dual.width), np.inf)
    return up, low


def excess(dual: Dual, beta: FloatArray, F: FloatArray, middle: float) -> FloatArray:
    """Return by how much each variable violates, against the middle; of a free one at least nought."""
    up, low = keys(dual, beta, F)
    out = np.maximum(up - middle, middle - low)
    free = (beta > dual.lo) & (beta < dual.hi) & ((beta != 0) | (dual.width == 0))
    out[free] = np.maximum(out[free], 0.0)
    return np.asarray(out)


def in_play(
    dual: Dual, beta: FloatArray, F: FloatArray, state: Optimality
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return by how much each variable violates, and which are free or nearly do."""
    over = excess(dual, beta, F, state.middle)
    return over, over >= -NEAR * state.violation


def judge(dual: Dual, beta: FloatArray, F: FloatArray) -> Optimality:
    """Judge β by its slopes F = p − Kβ."""
    up, low = keys(dual, beta, F)
    most, least = float(up.max(initial=-np.inf)), float(low.min(initial=np.inf))
    if np.isnan(most) or np.isnan(least):
        # Slopes that are no numbers say nothing of the optimum.
        middle, violation = 0.0, np.inf
    elif not np.isfinite(most) or not np.isfinite(least):
        # All variables at one bound: any intercept beyond the last slope will do.
        middle = most if np.isfinite(most) else least if np.isfinite(least) else 0.0
        violation = 0.0
    else:
        middle, violation = 0.5 * (most + least), most - least
    free = (beta > dual.lo) & (beta < dual.hi) & ((beta != 0) | (dual.width == 0))
    slopes = up[free]
    intercept = float(slopes.mean()) if len(slopes) else middle
    beyond, short = F - intercept - dual.width, intercept - F - dual.width
    loss = dual.hi * np.maximum(beyond, 0) - dual.lo * np.maximum(short, 0)
    absolute = dual.width * np.abs(beta)
    gap = float(np.sum(loss - beta * (F - intercept) + absolute))
    objective = float(-0.5 * beta @ (F + dual.p) + absolute.sum())
    return Optimality(violation, intercept, middle, gap, objective)
