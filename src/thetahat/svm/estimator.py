"""Kernel machines as point estimators: fitted one by one, or many draws and prices from one kernel matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.utils.multiclass import _ovr_decision_function

from thetahat.contracts import Draw, Fit, FloatArray, IntArray, Prediction, Sample, differing_in
from thetahat.numerics.kernels import KernelFunction, KernelName
from thetahat.svm.blocks import gather
from thetahat.svm.machine import KernelMachine, prices, row_weights, settled_gamma
from thetahat.svm.memory import borrowed
from thetahat.svm.optimality import Dual
from thetahat.svm.pairs import pair_duals, votes
from thetahat.svm.solution import Solution, Stop
from thetahat.svm.steps import padded
from thetahat.svm.table import KernelTable
from thetahat.svm.training import Budget, precision, solve_on, status_of, train

__all__ = ["Expansion", "SupportVectorMachine", "SupportVectorWorkspace", "machine_under"]


@dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """The functions b + Σ βᵢ k(x, xᵢ) of a fit.

    Parameters
    ----------
    function : KernelFunction
        The kernel.
    vectors : ndarray or CSR matrix of shape (m, d)
        Support vectors.
    coef : ndarray of shape (m, k)
        β of each function: one for a regression or two classes, one a pair of classes else.
    intercept : ndarray of shape (k,)
        b of each function.
    """

    function: KernelFunction
    vectors: Any
    coef: FloatArray
    intercept: FloatArray

    def __call__(self, X: Any) -> FloatArray:
        """Return each function of each row of X, shape (n, k)."""
        return np.asarray(self.function.expansion(X, self.vectors, self.coef) + self.intercept)


@dataclass(frozen=True, slots=True)
class SupportVectorMachine:
    """A support vector classifier or regression as a point estimator; its capacity is C.

    Parameters
    ----------
    classes : int or None
        How many classes; None for a regression.
    kernel : {"linear", "poly", "rbf", "sigmoid"}
        The kernel.
    C : float
        Inverse of the penalty; C times the weight of a row bounds its dual variable. Infinite: a hard margin.
    gamma : float, "scale" or "auto"
        γ of the kernel; "scale" is 1 / (d · variance of the training rows), "auto" is 1 / d.
    degree, coef0 : float
        Other parameters of the kernel.
    epsilon : float
        Half the width of a regression's tube.
    tol : float
        Largest violation of the optimality conditions.
    max_iter : int
        Most steps; −1 is 10 million, or a hundred a row where that is more.
    time_limit : float or None
        Most seconds of a fit.
    megabytes : float
        Memory for kernel values.
    shrinking : bool
        Whether variables that are settled at a bound are left out for a while; the optimum is the same.
    """

    classes: int | None = 2
    kernel: KernelName = "rbf"
    C: float = 1.0
    gamma: float | str = "scale"
    degree: int = 3
    coef0: float = 0.0
    epsilon: float = 0.1
    tol: float = 1e-3
    max_iter: int = -1
    time_limit: float | None = None
    megabytes: float = 2000.0
    shrinking: bool = True

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Expansion]:
        """Fit to the sample; ``rng`` is not needed."""
        sample = _plain(sample)
        function = self.function(sample)
        solutions = []
        for rows, dual in self.duals(sample):
            solutions.append((rows, train(dual, KernelTable(function, sample.X[rows]), self.budget())))
        return expand(function, sample.X, solutions)

    def predict(self, theta: Expansion, X: Any, /) -> Prediction:
        """Predict numbers, or class codes with a score a class."""
        values = theta(_rows(X))
        if self.classes is None:
            return Prediction(values[:, 0])
        if self.classes == 2:
            f = -values[:, 0]
            return Prediction((f > 0).astype(np.int64), score=np.column_stack([-f, f]))
        score = _ovr_decision_function(values < 0, -values, self.classes)
        return Prediction(votes(values, self.classes), score=score)

    def prepare(self, sample: Sample) -> SupportVectorWorkspace:
        """Form the kernel matrix that every draw and price of this sample shares."""
        return SupportVectorWorkspace(self, _plain(sample))

    def capacities(self, estimators: Sequence[Any], /) -> list[Any] | None:
        """Return C of each of these estimators; None where one differs in anything else."""
        return differing_in(self, "C", estimators)

    def budget(self) -> Budget:
        """Return what a fit may use."""
        return Budget(self.tol, self.max_iter, self.time_limit, self.megabytes, self.shrinking)

    def function(self, sample: Sample) -> KernelFunction:
        """Return the kernel with γ settled by the sample."""
        # A linear kernel has no γ, so the variance is not taken for it.
        gamma = 1.0 if self.kernel == "linear" else settled_gamma(self.gamma, sample.X, sample.weight)
        return KernelFunction(self.kernel, gamma, self.degree, self.coef0)

    def duals(self, sample: Sample) -> list[tuple[IntArray, Dual]]:
        """Return the dual problems of the sample, each with its rows."""
        assert sample.y is not None
        weight = row_weights(sample.weight, len(sample))
        if self.classes is not None:
            return pair_duals(np.asarray(sample.y), prices(self.C, weight), self.classes)
        y = np.asarray(sample.y, np.float64)
        bound = prices(self.C, weight, float(np.abs(y).max()))
        return [(np.arange(len(sample)), Dual(y, -bound, bound, self.epsilon))]


class SupportVectorWorkspace:
    """One kernel matrix for all draws and prices of one γ.

    Where γ depends on the training rows, or the matrix does not fit its memory, a draw has its own matrix,
    which its prices share; where that does not fit either, each is refitted.

    Parameters
    ----------
    machine : SupportVectorMachine
        What is fitted; its C is used where no capacities are given.
    sample : Sample
        The rows that are drawn from.
    """

    def __init__(self, machine: SupportVectorMachine, sample: Sample) -> None:
        self.machine = machine
        self.sample = sample
        target = np.asarray(sample.y) if machine.classes is None else None
        self._dtype = precision(machine.tol, len(sample), target)
        self._whole: NDArray[Any] | None = None
        own = machine.gamma == "scale" and machine.kernel != "linear"
        if not own and self._fits(len(sample)):
            table = KernelTable(machine.function(sample), sample.X)
            self._whole = None if table.slender else table.gram(self._dtype)

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[float] = (), *, rngs: Sequence[Generator] = ()
    ) -> Iterator[Fit[Expansion]]:
        """Return a fit for each draw and, within a draw, each C; ``rngs`` are not needed."""
        prices = [float(c) for c in capacities] or [self.machine.C]
        for draw in draws:
            sample = self.sample.take(draw.train)
            function = self.machine.function(sample)
            parts: list[list[tuple[IntArray, Solution]]] = [[] for _ in prices]
            for place in range(len(self.machine.duals(sample))):
                priced = [replace(self.machine, C=price).duals(sample)[place] for price in prices]
                rows = priced[0][0]
                table = KernelTable(function, sample.X[rows])
                with self._matrix(table, draw.train[rows]) as K:
                    for (_, dual), part in zip(priced, parts, strict=True):
                        part.append((rows, self._solved(dual, table, K)))
            for part in parts:
                yield expand(function, sample.X, part)

    def _fits(self, n: int) -> bool:
        return bool(n * padded(n) * np.dtype(self._dtype).itemsize <= self.machine.megabytes * 1e6)

    @contextmanager
    def _matrix(self, table: KernelTable, rows: IntArray) -> Iterator[NDArray[Any] | None]:
        if table.slender or not self._fits(table.n):
            yield None
            return
        with borrowed(table.n, padded(table.n), self._dtype) as K:
            if self._whole is None:
                table.whole(K)
            else:
                K[:, table.n :] = 0
                gather(self._whole, np.asarray(rows, np.int64), np.asarray(rows, np.int64), K)
            yield K

    def _solved(self, dual: Dual, table: KernelTable, K: NDArray[Any] | None) -> Solution:
        if K is None:
            return train(dual, table, self.machine.budget())
        budget = self.machine.budget()
        found = solve_on(dual, table, K, budget.limits(table.n), shrinking=budget.shrinking)
        return train(dual, table, self.machine.budget()) if found.stop is Stop.DIGITS else found


def machine_under(machine: KernelMachine, classes: int | None) -> SupportVectorMachine | None:
    """Return the point estimator of the same kernel and settings; None of a kernel that is not named."""
    if callable(machine.kernel) or machine.kernel == "precomputed":
        return None
    return SupportVectorMachine(
        classes,
        machine.kernel,
        C=float(machine.C),
        gamma=machine.gamma,
        degree=int(machine.degree),
        coef0=float(machine.coef0),
        epsilon=float(getattr(machine, "epsilon", 0.1)),
        tol=float(machine.tol),
        max_iter=int(machine.max_iter),
        time_limit=machine.time_limit,
        megabytes=float(machine.cache_size),
        shrinking=bool(machine.shrinking),
    )


def expand(
    function: KernelFunction, X: Any, solutions: Sequence[tuple[IntArray, Solution]]
) -> Fit[Expansion]:
    """Return the functions that these solutions are, with the worst of their ends."""
    beta = np.zeros((X.shape[0], len(solutions)))
    for place, (rows, solution) in enumerate(solutions):
        beta[rows, place] = solution.beta
    support = np.flatnonzero(beta.any(axis=1))
    found = [solution for _, solution in solutions]
    worst = next((each.stop for each in found if each.stop is not Stop.SOLVED), Stop.SOLVED)
    stats = {
        "iterations": float(sum(each.steps for each in found)),
        "violation": max(each.optimality.violation for each in found),
        "duality_gap": sum(each.optimality.duality_gap for each in found),
        "support_vectors": float(len(support)),
    }
    intercept = np.array([each.optimality.intercept for each in found])
    return Fit(Expansion(function, X[support], beta[support], intercept), status_of(worst), stats)


def _rows(X: Any) -> Any:
    return X.tocsr().astype(np.float64) if sp.issparse(X) else np.ascontiguousarray(X, dtype=np.float64)


def _plain(sample: Sample) -> Sample:
    return replace(sample, X=_rows(sample.X))
