"""Exact leave-one-out of a support vector machine: only its support vectors are refitted, warm-started.

A row with β = 0 can be taken away and every condition of optimality still holds, so its held-out value is its
training value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight

from thetahat.checked import column, matrix, target
from thetahat.contracts import FloatArray, Sample, Status
from thetahat.errors import UsageError
from thetahat.svm.classification import SVC
from thetahat.svm.estimator import SupportVectorMachine
from thetahat.svm.machine import prices, row_weights, variance
from thetahat.svm.optimality import Dual, keys
from thetahat.svm.regression import SVR
from thetahat.svm.solution import Solution, Stop
from thetahat.svm.table import KernelTable
from thetahat.svm.training import solve_on, status_of, train

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


def leave_one_out(machine: SVC | SVR, X: Any, y: Any, *, sample_weight: Any = None) -> LeftOut:
    """Hold each row out in turn; γ and balanced class weights are settled once, by all rows.

    Parameters
    ----------
    machine : SVC or SVR
        What is fitted; it is not changed. Its kernel is a named one.
    X : ndarray or CSR matrix of shape (n, d)
        Rows.
    y : array of shape (n,)
        Numbers, or labels of two classes.
    sample_weight : array of shape (n,), optional
        Weight of each row.

    Returns
    -------
    LeftOut
        What was found for each row.

    Raises
    ------
    UsageError
        There are not two classes, or the kernel is precomputed or a function.
    """
    if machine.kernel == "precomputed" or callable(machine.kernel):
        raise UsageError("kernel: leave-one-out is for linear, poly, rbf and sigmoid")
    machine._validate_params()
    X = matrix(X, "X", least=2, sparse=True)
    y = target(y, X.shape[0])
    weight = row_weights(sample_weight, len(y))
    spread = variance(X, None if sample_weight is None else weight)
    if isinstance(machine, SVR):
        y = column(y, "y")
        price = prices(machine.C, weight, float(np.abs(y).max()))
        return _left_out(_estimator(machine, X, None, spread), Sample(X, y, price))
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) != 2:
        raise UsageError(f"y: leave-one-out is for a regression or two classes, not {len(classes)}")
    weight = weight * compute_class_weight(machine.class_weight, classes=classes, y=y)[codes]
    return _left_out(_estimator(machine, X, 2, spread), Sample(X, codes, prices(machine.C, weight)))


def _estimator(machine: SVC | SVR, X: Any, classes: int | None, spread: float) -> SupportVectorMachine:
    d, gamma = X.shape[1], machine.gamma
    named = {"auto": 1.0 / d, "scale": 1.0 / (d * spread) if spread else 1.0}
    return SupportVectorMachine(
        classes,
        machine.kernel,
        C=1.0,  # the price is the weight of a row
        gamma=named[gamma] if isinstance(gamma, str) else gamma,
        degree=machine.degree,
        coef0=machine.coef0,
        epsilon=getattr(machine, "epsilon", 0.0),
        tol=machine.tol,
        max_iter=machine.max_iter,
        time_limit=machine.time_limit,
        megabytes=machine.cache_size,
    )


def _left_out(machine: SupportVectorMachine, sample: Sample) -> LeftOut:
    ((_, dual),) = machine.duals(sample)
    table = KernelTable(machine.function(sample), sample.X)
    K = None if table.slender else table.gram(np.float64)

    def solved(dual: Dual, start: FloatArray | None = None) -> Solution:
        if K is None:
            # A few Newton steps, for which no start is a help.
            return train(dual, table, machine.budget())
        begun = None if start is None else (start, dual.p - K[:, : table.n] @ start)
        return solve_on(dual, table, K, machine.budget().limits(table.n), begun)

    whole = solved(dual)
    stops = [whole.stop]
    value = dual.p - whole.F + whole.optimality.intercept
    support = np.flatnonzero(whole.beta)
    for row in support:
        lo, hi = dual.lo.copy(), dual.hi.copy()
        lo[row] = hi[row] = 0.0
        without = Dual(dual.p, lo, hi, dual.width)
        found = solved(without, _without(without, whole.beta, whole.F, int(row)))
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
