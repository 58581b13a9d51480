"""Whether a likelihood has a maximum: separation, found by a linear programme.

A direction δ along which no row grows less likely, and some row ever more, is one in which the likelihood
has no maximum (Albert and Anderson, Biometrika 71, 1984). Such directions are the solutions of a linear
programme (Konis, "Linear programming algorithms for detecting separated data in binary logistic regression
models", 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from thetahat.contracts import FloatArray, IntArray
from thetahat.deadline import check_time, leave, seconds_left

__all__ = ["Separation", "separated_classes", "separated_counts"]

# Rows and directions are scaled to at most one, and the solver keeps constraints to 1e-9.
SOLVER = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
NOT_ZERO = 1e-6
# What it says where a limit, here that of time, has ended its work.
LIMIT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """A direction in which the likelihood has no maximum.

    Parameters
    ----------
    direction : ndarray of shape (p, k)
        Change of the parameters, its largest entry at most 1; k is 1, or K − 1 for K classes.
    complete : bool
        Whether it sets every row apart; otherwise some rows are left on the border.
    """

    direction: FloatArray
    complete: bool

    @property
    def columns(self) -> IntArray:
        """Columns of the design that the direction moves."""
        return np.flatnonzero(np.abs(self.direction).max(axis=1) > NOT_ZERO)


def separated_classes(Z: FloatArray, y: IntArray, classes: int) -> Separation | None:
    """Look for a direction that sets classes apart.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
        The design, its ones included.
    y : ndarray of shape (n,)
        Codes 0 … classes − 1. The parameters of class 0 are held at 0.
    classes : int
        How many classes.

    Returns
    -------
    Separation or None
        None where the likelihood has a maximum.
    """
    unit, scale = _unit_columns(Z)
    n, p = unit.shape
    rows, variables = [], (classes - 1) * p
    for other in range(classes):
        # Rows of another class: zᵀ(δ_y − δ_other) ≥ 0, with δ_0 = 0.
        at = np.flatnonzero(y != other)
        own = sparse.csr_array((np.ones(len(at)), (np.arange(len(at)), y[at])), shape=(len(at), classes))
        against = sparse.csr_array(
            (np.ones(len(at)), (np.arange(len(at)), np.full(len(at), other))), shape=(len(at), classes)
        )
        change = (own - against).tocsr()[:, 1:]
        rows.append(sparse.hstack([sparse.csr_array(c[:, None] * unit[at]) for c in change.toarray().T]))
    margins = sparse.csr_array(sparse.vstack(rows))
    found = _recede(margins, np.zeros(0, dtype=bool), variables)
    if found is None:
        return None
    # Complete: one direction leaves a margin everywhere.
    widened = sparse.hstack([-margins, np.ones((margins.shape[0], 1))]).tocsr()
    cost = np.zeros(variables + 1)
    cost[-1] = -1.0
    best = _programme(cost, widened, None)
    direction = (found if best[-1] <= NOT_ZERO else best[:-1]).reshape(classes - 1, p).T
    return Separation(direction / scale[:, None], bool(best[-1] > NOT_ZERO))


def separated_counts(Z: FloatArray, y: NDArray[Any]) -> Separation | None:
    """Look for a direction that moves rows with a count of 0 towards a mean of 0, and no other row.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
        The design, its ones included.
    y : ndarray of shape (n,)
        Counts.
    """
    unit, scale = _unit_columns(Z)
    still = np.asarray(y > 0)
    found = _recede(sparse.csr_array(-unit), still, unit.shape[1])
    return None if found is None else Separation((found / scale)[:, None], bool(not still.any()))


def _recede(margins: Any, still: NDArray[np.bool_], variables: int) -> FloatArray | None:
    """Maximise the sum of the margins, none negative and those held still 0, over a box."""
    equal = margins[np.flatnonzero(still)] if still.any() else None
    loose = margins[np.flatnonzero(~still)] if still.any() else margins
    if loose.shape[0] == 0:
        return None
    cost = -np.asarray(loose.sum(axis=0)).ravel()
    direction = _programme(cost / max(1.0, np.abs(cost).max()), -loose, equal)
    return direction if (loose @ direction).max() > NOT_ZERO else None


def _programme(cost: FloatArray, at_most_zero: Any, zero: Any) -> FloatArray:
    check_time()
    left = seconds_left()
    found = optimize.linprog(
        cost,
        A_ub=at_most_zero,
        b_ub=np.zeros(at_most_zero.shape[0]),
        A_eq=zero,
        b_eq=None if zero is None else np.zeros(zero.shape[0]),
        bounds=(-1.0, 1.0),
        method="highs",
        options=SOLVER if left is None else SOLVER | {"time_limit": left},
    )
    if left is not None and found.status == LIMIT:
        leave()
    # The origin is feasible and the box bounded, so there is an optimum; a solver without one found nothing.
    return np.zeros(len(cost)) if found.x is None else np.asarray(found.x)


def _unit_columns(Z: FloatArray) -> tuple[FloatArray, FloatArray]:
    largest = np.abs(Z).max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    return Z / scale, scale
