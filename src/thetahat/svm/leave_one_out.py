"""Exact leave-one-out of a support vector machine: only its support vectors are refitted, warm-started.

A row with β = 0 can be taken away and every condition of optimality still holds, so its held-out value is its
training value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thetahat.checked import column, matrix, target
from thetahat.contracts import FloatArray, Sample, Status
from thetahat.errors import UsageError
from thetahat.svm.estimator import SupportVectorMachine
from thetahat.svm.optimality import Dual, keys
from thetahat.svm.solution import Stop
from thetahat.svm.table import KernelTable
from thetahat.svm.training import solve_on, status_of

__all__ = ["LeftOut", "leave_one_out"]


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What each row is said to be by the machine that did not see it.

    Parameters
    ----------
    value : ndarray of shape (n,)
        The prediction of a regression, or the decision for the second of two classes.
    refits : int
        Fits that were needed: the number of support vectors.
    error : float
        Mean squared error of a regression, or the part of the rows that are told wrong.
    status : Status
        The worst end of any fit.
    """

    value: FloatArray
    refits: int
    error: float
    status: Status


def leave_one_out(machine: SupportVectorMachine, sample: Sample) -> LeftOut:
    """Hold each row out in turn; γ is settled once, by all rows.

    Parameters
    ----------
    machine : SupportVectorMachine
        A regression, or a classifier of two classes.
    sample : Sample
        The rows.

    Returns
    -------
    LeftOut
        What was found for each row.

    Raises
    ------
    UsageError
        There are more than two classes, or the sample is not of finite numbers.
    """
    if machine.classes is not None and machine.classes != 2:
        raise UsageError(f"classes: leave-one-out is for a regression or two classes, not {machine.classes}")
    X = matrix(sample.X, "sample", least=2, sparse=True)
    y = column(sample.y, "sample.y") if machine.classes is None else target(sample.y, X.shape[0], "sample.y")
    if len(y) != X.shape[0]:
        raise UsageError(f"sample.y: {X.shape[0]} numbers are expected, not {len(y)}")
    if machine.classes is not None and not np.array_equal(np.unique(y), [0, 1]):
        raise UsageError("sample.y: the codes 0 and 1, each of some row, are expected")
    sample = replace(sample, X=X, y=y)
    ((_, dual),) = machine.duals(sample)
    table = KernelTable(machine.function(sample), sample.X)
    K = table.gram(np.float64)
    square = K[:, : table.n]
    whole = solve_on(dual, table, K, machine.budget().limits(table.n))
    stops = [whole.stop]
    value = dual.p - whole.F + whole.optimality.intercept
    support = np.flatnonzero(whole.beta)
    for row in support:
        lo, hi = dual.lo.copy(), dual.hi.copy()
        lo[row] = hi[row] = 0.0
        without = Dual(dual.p, lo, hi, dual.width)
        beta = _without(without, whole.beta, whole.F, int(row))
        F = dual.p - square @ beta
        found = solve_on(without, table, K, machine.budget().limits(table.n), (beta, F))
        stops.append(found.stop)
        value[row] = dual.p[row] - found.F[row] + found.optimality.intercept
    worst = next((stop for stop in stops if stop is not Stop.SOLVED), Stop.SOLVED)
    if machine.classes is None:
        error = float(np.mean((value - dual.p) ** 2))
    else:
        error = float(np.mean(value * dual.p <= 0))
        value = -value
    return LeftOut(value, len(support), error, status_of(worst))


def _without(dual: Dual, beta: FloatArray, F: FloatArray, row: int) -> FloatArray:
    """Return β with one row at nought, what it carried on the rows that gain most, or lose least, by it."""
    beta = beta.copy()
    left, beta[row] = beta[row], 0.0
    up, low = keys(dual, beta, F)
    order = np.argsort(-up if left > 0 else low, kind="stable")
    room = (dual.hi - beta if left > 0 else beta - dual.lo)[order]
    taken = np.clip(abs(left) - (np.cumsum(room) - room), 0.0, room)
    beta[order] += np.sign(left) * taken
    return beta
