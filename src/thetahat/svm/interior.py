"""Solve the dual of a linear kernel of few columns without a kernel value: an interior-point method.

With K = XXᵀ the Newton step of n variables needs a matrix of d + 1 only (Ferris and Munson 2002): each row
has a weight E = 1 / (μ₋/(β − lo) + μ₊/(hi − β)), and

    [I + XᵀEX  XᵀE1] [Δw]   [XᵀEt + (Xᵀβ − w)]
    [  1ᵀEX    1ᵀE1] [Δb] = [1ᵀEt − (s − Σβ) ],     Δβ = E (t − XΔw − Δb),

the weighted least squares of the primal (w, b). The steps are Mehrotra's predictor and corrector (1992). A
regression with a tube has two variables a row, of which β is the sum: one that only grows and pays p − ε, one
that only shrinks and pays p + ε. Its cost does not depend on C, nor does the number of its steps by much.

What the interior leaves a little off the box is put on it, the free variables are solved for exactly, and the
verdict is that of any other solver: the violation in float64 on the whole problem.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import linalg

from thetahat.contracts import FloatArray
from thetahat.numerics.scatter import weighted_products
from thetahat.svm.optimality import Dual, judge
from thetahat.svm.solution import Limits, Solution, Stop

__all__ = ["MOST_COLUMNS", "on_columns"]

# A step costs n d² operations, so beyond this the active sets are quicker.
MOST_COLUMNS = 500
MOST_STEPS = 200
# Steps in a row that do not bring the point nearer: rounding has the word.
MOST_STALLS = 15
# Complementarity, as a part of the objective, at which the interior has told all that rounding lets it.
FINEST = 1e-14
# Free variables that are solved for exactly; more of them are ties, which the interior has settled.
MOST_FREE = 1_000
PIVOTS = 20
REFINED = 3
# Rows whose differences are this small a part of them are the same row.
ALIKE = 1e-11
# A variable this part of the largest away from a bound is on it, and a sum this part of all off is right.
ROUNDING = 1e-15
TINY = 1e-300


@dataclass(slots=True, eq=False)
class _Box:
    """The variables as k lists of n: one list a side of the tube."""

    X: Any
    p: FloatArray
    lo: FloatArray
    hi: FloatArray
    total: float

    @classmethod
    def of(cls, dual: Dual, X: Any) -> _Box:
        total = 0.0 if dual.start is None else float(dual.start.sum())
        if dual.width == 0.0:
            return cls(X, dual.p[None], dual.lo[None], dual.hi[None], total)
        nought = np.zeros_like(dual.p)
        return cls(
            X,
            np.stack([dual.p - dual.width, dual.p + dual.width]),
            np.stack([nought, dual.lo]),
            np.stack([dual.hi, nought]),
            total,
        )

    def slopes(self, w: FloatArray) -> FloatArray:
        """Return F = p − Xw of every variable."""
        return np.asarray(self.p - self.X @ w)

    def weights(self, beta: FloatArray) -> FloatArray:
        """Return w = Xᵀβ."""
        return np.asarray(self.X.T @ beta.sum(axis=0))


def on_columns(dual: Dual, X: Any, limits: Limits) -> Solution:
    """Solve the dual of the kernel XXᵀ.

    Parameters
    ----------
    dual : Dual
        The problem.
    X : ndarray or CSR matrix of shape (n, d)
        The rows.
    limits : Limits
        When to stop; a step is a Newton step.

    Returns
    -------
    Solution
        ``stop`` is ``Stop.DIGITS`` where the tolerance was not met; β is feasible all the same.
    """
    moves = dual.hi > dual.lo
    if not moves.any():
        state = judge(dual, np.zeros_like(dual.p), dual.p)
        return Solution(np.zeros_like(dual.p), dual.p.copy(), state, 0, Stop.SOLVED)
    if not moves.all():
        # A row that weighs nothing has no room to step in.
        inner = on_columns(dual.part(np.flatnonzero(moves)), X[moves], limits)
        beta = np.zeros(len(moves))
        beta[moves] = inner.beta
        F = dual.p - X @ (X.T @ beta)
        return replace(inner, beta=beta, F=F, optimality=judge(dual, beta, F))
    box = _Box.of(dual, X)
    # What overflows on the way is worth nothing, which the verdict finds.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        at, steps, stop = _interior(box, limits)
        within = _judged(dual, X, _feasible(box, box.lo + at.below), steps)
        found = within if stop is not None else _judged(dual, X, _on_the_box(box, at), steps)
    if within.optimality.violation < found.optimality.violation:
        # The bounds were told apart wrongly.
        found = within
    solved = found.optimality.violation <= limits.tol
    return replace(found, stop=Stop.SOLVED if solved else stop or Stop.DIGITS)


def _judged(dual: Dual, X: Any, split: FloatArray, steps: int) -> Solution:
    beta = np.asarray(split.sum(axis=0))
    F = dual.p - X @ (X.T @ beta)
    return Solution(beta, F, judge(dual, beta, F), steps, Stop.DIGITS)


@dataclass(slots=True, eq=False)
class _Point:
    """A point within the box: w and b, the room on both sides of β and the multipliers of both."""

    w: FloatArray
    b: float
    below: FloatArray
    above: FloatArray
    under: FloatArray
    over: FloatArray

    @classmethod
    def first(cls, box: _Box) -> _Point:
        """Return a point far from every bound that meets every slope."""
        room = box.hi - box.lo
        share = float(np.clip((box.total - box.lo.sum()) / max(float(room.sum()), TINY), 1e-3, 1 - 1e-3))
        # Without a linear term the slopes are those of the weights; with one, w = 0 keeps them in its unit.
        w = np.zeros(box.X.shape[1]) if np.ptp(box.p) > 0 else box.weights(box.lo + share * room)
        F = box.slopes(w)
        b = float(np.median(F))
        away = F - b
        # Multipliers of one size: the largest slope, and as much again beyond what meets it.
        scale = max(float(np.abs(away).max()), TINY)
        return cls(
            w,
            b,
            share * room,
            (1.0 - share) * room,
            np.maximum(-away, 0.0) + scale,
            np.maximum(away, 0.0) + scale,
        )

    def scale(self) -> float:
        """Return the unit of the multipliers."""
        return float(max(self.under.max(), self.over.max()))

    def moved(self, reach: float, by: _Point) -> _Point:
        return _Point(
            self.w + reach * by.w,
            self.b + reach * by.b,
            self.below + reach * by.below,
            self.above + reach * by.above,
            self.under + reach * by.under,
            self.over + reach * by.over,
        )

    def reach(self, by: _Point) -> float:
        """Return the largest step that keeps everything above nought."""
        falls = max(
            float((-change / value).max())
            for value, change in (
                (self.below, by.below),
                (self.above, by.above),
                (self.under, by.under),
                (self.over, by.over),
            )
        )
        return 1.0 / falls if falls > 0 else np.inf

    def complementarity(self) -> float:
        """Return Σ room · multiplier: the duality gap of a feasible point."""
        return float(np.vdot(self.below, self.under) + np.vdot(self.above, self.over))


class _Newton:
    """The Newton step at a point: the matrix is factored once, for predictor and corrector."""

    def __init__(self, box: _Box, at: _Point) -> None:
        self.box, self.at = box, at
        self.beta = box.lo + at.below
        self.off_dual = box.slopes(at.w) - at.b - at.over + at.under
        self.off_w = box.weights(self.beta) - at.w
        self.off_sum = box.total - float(self.beta.sum())
        self.E = 1.0 / (at.under / at.below + at.over / at.above)
        d = len(at.w)
        merged = self.E.sum(axis=0)
        H = np.empty((d + 1, d + 1))
        H[:d, :d] = weighted_products(box.X, merged)
        H[:d, d] = H[d, :d] = box.X.T @ merged
        H[d, d] = merged.sum()
        H[range(d), range(d)] += 1.0
        # Columns of any scale: each is measured by its own entry.
        self.unit = 1.0 / np.sqrt(np.diagonal(H))
        self.factor = linalg.cho_factor(H * self.unit[:, None] * self.unit, check_finite=False)

    def towards(self, low: FloatArray, high: FloatArray) -> _Point:
        """Return the step that changes room · multiplier by ``low`` and ``high``, to first order."""
        at, box = self.at, self.box
        t = self.off_dual + low / at.below - high / at.above
        Et = self.E * t
        right = np.append(box.weights(Et) + self.off_w, Et.sum() - self.off_sum)
        step = self.unit * linalg.cho_solve(self.factor, self.unit * right, check_finite=False)
        w, b = step[:-1], float(step[-1])
        move = self.E * (t - box.X @ w - b)
        return _Point(
            w, b, move, -move, (low - at.under * move) / at.below, (high + at.over * move) / at.above
        )


def _interior(box: _Box, limits: Limits) -> tuple[_Point, int, Stop | None]:
    """Return the last point that came nearer, the Newton steps, and the limit that ended them."""
    at = best = _Point.first(box)
    nearest, stalls = np.inf, 0
    room = float((box.hi - box.lo).max())
    for step in range(MOST_STEPS):
        stop = limits.reached(step)
        if stop is not None:
            return best, step, stop
        gap = at.complementarity()
        try:
            newton = _Newton(box, at)
        except linalg.LinAlgError:
            return best, step, None
        off = room * float(np.abs(newton.off_dual).max()) + abs(newton.off_sum)
        off += float(np.abs(newton.off_w).max(initial=0.0))
        stalls = 0 if gap + off < 0.9 * nearest else stalls + 1
        if gap + off < nearest:
            nearest, best = gap + off, at
        objective = abs(0.5 * float(at.w @ at.w) - float(np.vdot(box.p, newton.beta)))
        if gap + off <= FINEST * objective or stalls >= MOST_STALLS:
            return best, step, None
        low, high = -at.below * at.under, -at.above * at.over
        guess = newton.towards(low, high)
        after = at.moved(min(1.0, at.reach(guess)), guess).complementarity()
        centre = (after / gap) ** 3 * gap / (2 * box.lo.size)
        change = newton.towards(
            low + centre - guess.below * guess.under, high + centre - guess.above * guess.over
        )
        at = at.moved(min(1.0, 0.995 * at.reach(change)), change)
    return best, MOST_STEPS, None


def _on_the_box(box: _Box, at: _Point) -> FloatArray:
    """Return β with each variable on a bound or free, the free ones solved for, pivot by pivot."""
    room = box.hi - box.lo
    scale = _Point.first(box).scale()
    # Either the room or the multiplier is nought in the end: which is smaller, each in its unit?
    low = at.below / room <= at.under / scale
    high = ~low & (at.above / room <= at.over / scale)
    low &= at.below <= at.above
    beta = np.where(low, box.lo, np.where(high, box.hi, box.lo + at.below))
    free = ~low & ~high
    for _ in range(PIVOTS):
        beta = _with_free(box, beta, free)
        under, over = free & (beta < box.lo), free & (beta > box.hi)
        if not under.any() and not over.any():
            break
        beta = np.clip(beta, box.lo, box.hi)
        free &= ~under & ~over
    near = _rounded(box, beta)
    beta = np.where(beta - box.lo <= near, box.lo, np.where(box.hi - beta <= near, box.hi, beta))
    return _feasible(box, beta)


def _with_free(box: _Box, beta: FloatArray, free: NDArray[np.bool_]) -> FloatArray:
    """Return β changed least so that the slopes of all free variables are one, the sum kept."""
    count = int(free.sum())
    if not 0 < count <= MOST_FREE:
        return beta
    side, row = np.nonzero(free)
    Z = box.X[row].toarray() if sp.issparse(box.X) else box.X[row]
    d = Z.shape[1]
    unit = np.sqrt(np.einsum("ij,ij->j", Z, Z) / count)
    unit[unit == 0] = 1.0
    longest = float(unit.max()) ** 2
    # In w, β and b at once, each in a unit of its own: ZZᵀ would square what Z lacks in digits.
    system = np.zeros((d + count + 1, d + count + 1))
    system[range(d), range(d)] = 1.0
    system[:d, d:-1] = -(Z * (unit / longest)).T
    system[d:-1, :d] = Z / unit
    system[d:-1, -1] = system[-1, d:-1] = 1.0
    if not np.isfinite(system).all():
        return beta
    factor = linalg.lstsq(system, np.eye(len(system)), ALIKE, check_finite=False, lapack_driver="gelsy")[0]
    beta = beta.copy()
    for _ in range(REFINED):
        F = box.p[side, row] - Z @ box.weights(beta)
        right = np.concatenate([np.zeros(d), F, [longest * (box.total - beta.sum())]])
        beta[side, row] += (factor @ right)[d:-1] / longest
    return beta


def _rounded(box: _Box, beta: FloatArray) -> FloatArray:
    """Return what is nought of each variable, beside the largest and beside one that turns a slope about."""
    squares = box.X.multiply(box.X).sum(axis=1) if sp.issparse(box.X) else np.einsum("ij,ij->i", box.X, box.X)
    turning = float(np.abs(box.p).max()) / max(float(np.max(squares)), TINY)
    return ROUNDING * np.minimum(box.hi - box.lo, max(float(np.abs(beta).max()), turning))


def _feasible(box: _Box, beta: FloatArray) -> FloatArray:
    """Return β within the box, its sum put right on the variables that are farthest from a bound."""
    beta = np.clip(beta, box.lo, box.hi)
    off = box.total - float(beta.sum())
    if abs(off) <= float(_rounded(box, beta).sum()):
        return beta
    slack = box.hi - beta if off > 0 else beta - box.lo
    free = np.minimum(box.hi - beta, beta - box.lo)
    flat = slack.ravel()
    order = np.argsort(-free.ravel(), kind="stable")
    room = flat[order]
    # Summed before each, for a sum less its last term has no digits of the small ones before it.
    before = np.r_[0.0, np.cumsum(room[:-1])]
    taken = np.clip(abs(off) - before, 0.0, room)
    beta.reshape(-1)[order] += np.sign(off) * taken
    return beta
