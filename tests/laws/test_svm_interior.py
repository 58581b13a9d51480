"""A linear machine of few columns is solved without a kernel value, and is what kernel values give."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from thetahat.numerics.kernels import KernelFunction
from thetahat.svm.classification import SVC
from thetahat.svm.interior import on_columns
from thetahat.svm.optimality import Dual, judge
from thetahat.svm.solution import Limits, Solution, Stop
from thetahat.svm.table import KernelTable
from thetahat.svm.training import Budget, solve_on, train


def problem(seed, kind, rows, tied=False):
    """Rows (with repetitions, and columns that repeat each other, where tied) and a dual of them."""
    rng = np.random.default_rng(seed)
    n, d = rows, int(rng.integers(1, 7))
    X = rng.standard_normal((n, d))
    if tied:
        X = np.round(X[rng.integers(0, max(n // 3, 2), n)])
        X = np.column_stack([X, X[:, 0]])
    X = X * 10.0 ** rng.uniform(-1, 1, X.shape[1])
    price = 10.0 ** rng.uniform(-3, 3) * rng.uniform(0.1, 2, n) * (rng.random(n) > 0.1)
    price[:2] = price.max()
    signal = X @ rng.standard_normal(X.shape[1]) + rng.standard_normal(n)
    if kind == "classification":
        y = np.where(signal > np.median(signal), 1.0, -1.0)
        y[:2] = 1, -1
        return X, Dual(y, np.minimum(0, y * price), np.maximum(0, y * price))
    if kind == "regression":
        return X, Dual(signal, -price, price, float(rng.choice([0.0, 0.1, 1.0])))
    start = np.clip(rng.uniform(0.05, 0.95) * price.sum() - (np.cumsum(price) - price), 0.0, price)
    return X, Dual(np.zeros(n), np.zeros(n), price, start=start)


def worst_pair(dual, X, beta):
    """The steepest way to move two variables, from K itself and written out apart from the solvers."""
    slope = dual.p - X @ X.T @ beta
    worst = -np.inf
    for i in range(len(beta)):
        for j in range(len(beta)):
            if i != j and beta[i] < dual.hi[i] and beta[j] > dual.lo[j]:
                up = slope[i] - (dual.width if beta[i] >= 0 else -dual.width)
                down = slope[j] - (dual.width if beta[j] > 0 else -dual.width)
                worst = max(worst, up - down)
    return worst


KINDS = ["classification", "regression", "one class"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(8, 40), st.booleans())
def test_every_pair_of_variables_is_at_its_optimum(seed, kind, rows, tied):
    X, dual = problem(seed, kind, rows, tied)
    found = train(dual, KernelTable(KernelFunction("linear"), X), Budget(1e-7))
    assert found.stop is Stop.SOLVED
    assert worst_pair(dual, X, found.beta) <= 2e-7 * max(1.0, np.abs(X).max() ** 2)
    assert (found.beta >= dual.lo).all()
    assert (found.beta <= dual.hi).all()
    total = 0.0 if dual.start is None else dual.start.sum()
    assert abs(found.beta.sum() - total) <= 1e-12 * np.abs(dual.hi - dual.lo).sum()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_interior_finds_what_steps_on_kernel_values_find(kind, tied):
    for seed in range(8):
        X, dual = problem(seed, kind, 120, tied)
        inside = on_columns(dual, X, Limits(1e-8))
        assert inside.stop is Stop.SOLVED
        table = KernelTable(KernelFunction("linear"), X)
        stepped = solve_on(dual, table, table.gram(np.float64), Limits(1e-6, 3_000_000))
        scale = max(1.0, abs(stepped.optimality.objective))
        assert inside.optimality.objective <= stepped.optimality.objective + 1e-9 * scale
        if stepped.stop is Stop.SOLVED:
            assert inside.optimality.objective == pytest.approx(
                stepped.optimality.objective, abs=1e-5 * scale
            )
        again = judge(dual, inside.beta, dual.p - X @ (X.T @ inside.beta))
        assert again == inside.optimality


def test_sparse_rows_and_dense_rows_give_one_machine():
    X, dual = problem(3, "classification", 200)
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    dense, sparse = (on_columns(dual, rows, Limits(1e-8)) for rows in (X, sp.csr_matrix(X)))
    assert dense.stop is sparse.stop is Stop.SOLVED
    np.testing.assert_allclose(X.T @ dense.beta, X.T @ sparse.beta, rtol=1e-7)


def test_limits_end_the_interior_with_a_feasible_point():
    X, dual = problem(5, "regression", 300)
    few = on_columns(dual, X, Limits(1e-8, steps=3))
    assert few.stop is Stop.STEPS
    assert few.steps == 3
    assert few.optimality.violation > 1e-8
    assert ((few.beta >= dual.lo) & (few.beta <= dual.hi)).all()
    assert on_columns(dual, X, Limits(1e-8, seconds=0.0)).stop is Stop.TIME


def test_what_the_interior_leaves_unsolved_is_stepped_on(monkeypatch):
    X, dual = problem(5, "classification", 300)

    def unsolved(dual, X, limits):
        beta = np.zeros(len(dual.p))
        return Solution(beta, dual.p.copy(), judge(dual, beta, dual.p), 0, Stop.DIGITS)

    monkeypatch.setattr("thetahat.svm.training.on_columns", unsolved)
    found = train(dual, KernelTable(KernelFunction("linear"), X), Budget(1e-4))
    assert found.stop is Stop.SOLVED
    assert found.steps > 0
    assert worst_pair(dual, X, found.beta) <= 1.1e-4


@pytest.mark.parametrize("sparse", [False, True])
def test_many_columns_are_stepped_on_without_kernel_rows(sparse, monkeypatch):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((3500, 600)) < 0.05, rng.standard_normal((3500, 600)), 0.0)
    y = np.where(X @ rng.standard_normal(600) + 0.1 * rng.standard_normal(3500) > 0, 1.0, -1.0)
    dual = Dual(y, np.minimum(0, y), np.maximum(0, y))
    table = KernelTable(KernelFunction("linear"), sp.csr_matrix(X) if sparse else X)
    monkeypatch.setattr("thetahat.svm.training.MOST_ROWS_WHOLE", 1000)

    def refuse(*_):
        raise AssertionError("kernel rows were kept")

    monkeypatch.setattr("thetahat.svm.active.subtract_rows", refuse)
    found = train(dual, table, Budget(1e-4))
    assert found.stop is Stop.SOLVED
    exact = judge(dual, found.beta, dual.p - X @ (X.T @ found.beta))
    assert exact.violation <= 1.01e-4


def test_a_sum_that_leaves_hardly_any_room_is_met():
    X, dual = problem(5, "one class", 400)
    few = Dual(dual.p, dual.lo, dual.hi, start=1e-5 * dual.hi)
    found = on_columns(few, X, Limits(1e-6))
    assert found.stop is Stop.SOLVED
    assert found.beta.sum() == pytest.approx(1e-5 * dual.hi.sum(), rel=1e-9)


def test_rows_that_all_weigh_nought_carry_nothing():
    X, dual = problem(5, "classification", 30)
    nothing = np.zeros(30)
    found = train(Dual(dual.p, nothing, nothing), KernelTable(KernelFunction("linear"), X), Budget())
    assert found.stop is Stop.SOLVED
    assert not found.beta.any()
    y = np.repeat([0, 1, 2, 3], [10, 10, 5, 5])
    fit = SVC(kernel="linear").fit(X, y, sample_weight=(y < 2).astype(float))
    assert list(fit.n_support_[2:]) == [0, 0]
