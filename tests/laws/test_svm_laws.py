"""What holds for every kernel machine, whatever the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetahat.numerics.kernels import KernelFunction
from thetahat.svm.classification import SVC
from thetahat.svm.novelty import OneClassSVM
from thetahat.svm.regression import SVR
from thetahat.svm.table import KernelTable


def rows(seed, n):
    """Rows with duplicates, some of which carry the other label."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    X[rng.integers(n, size=n // 3)] = X[rng.integers(n, size=n // 3)]
    y = np.where(X[:, 0] + 0.7 * rng.standard_normal(n) > 0, 1, -1)
    y[:2] = 1, -1
    return X, y, rng


def rbf(X, gamma):
    return np.exp(-gamma * ((X[:, None] - X[None]) ** 2).sum(axis=2))


def worst_violation(beta, F, lo, hi, width):
    """The largest slope by which any pair could still improve, pair by pair in float64."""
    worst = 0.0
    for i in np.flatnonzero(beta < hi):
        for j in np.flatnonzero(beta > lo):
            grow = F[i] - width if beta[i] >= 0 else F[i] + width
            shrink = F[j] - width if beta[j] > 0 else F[j] + width
            worst = max(worst, grow - shrink)
    return worst


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(4, 70),
    st.sampled_from([0.01, 1.0, 100.0]),
    st.sampled_from([1e-3, 1e-7]),
)
def test_classifier_meets_the_optimality_conditions(seed, n, C, tol):
    X, y, rng = rows(seed, n)
    weight = rng.uniform(0, 2, n) + 0.01
    fit = SVC(C=C, gamma=0.5, tol=tol).fit(X, y, weight)
    beta = np.zeros(n)
    beta[fit.support_] = fit.dual_coef_[0]
    lo, hi = np.minimum(0, y * C * weight), np.maximum(0, y * C * weight)
    F = y - rbf(X, 0.5) @ beta
    assert fit.status_.ok
    assert np.all((beta >= lo) & (beta <= hi))
    assert abs(beta.sum()) <= 1e-9 * C * n
    assert worst_violation(beta, F, lo, hi, 0.0) <= tol * (1 + 1e-6) + 1e-12
    loss = (C * weight * np.maximum(0, 1 - y * (y - F + fit.intercept_[0]))).sum()
    gap = loss + beta @ rbf(X, 0.5) @ beta - beta @ y
    assert fit.duality_gap_ == pytest.approx(gap, abs=1e-5 * (1 + C))
    assert gap >= -1e-9 * (1 + C * n)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 60), st.sampled_from([0.0, 0.2]))
def test_regression_meets_the_optimality_conditions(seed, n, width):
    X, _, rng = rows(seed, n)
    y = X[:, 0] + 0.3 * rng.standard_normal(n)
    fit = SVR(C=3.0, gamma=0.5, tol=1e-6, epsilon=width).fit(X, y)
    beta = np.zeros(n)
    beta[fit.support_] = fit.dual_coef_[0]
    F = y - rbf(X, 0.5) @ beta
    assert fit.status_.ok
    assert np.all(np.abs(beta) <= 3.0)
    assert worst_violation(beta, F, np.full(n, -3.0), np.full(n, 3.0), width) <= 1.001e-6


MACHINES = {
    "classifier": lambda: SVC(tol=1e-10),
    "regression": lambda: SVR(tol=1e-10),
    "one class": lambda: OneClassSVM(tol=1e-10, nu=0.3),
}


@pytest.mark.parametrize("make", MACHINES.values(), ids=MACHINES)
def test_row_order_changes_nothing(make):
    X, y, rng = rows(1, 80)
    order = rng.permutation(80)
    a, b = make().fit(X, y), make().fit(X[order], y[order])
    where = [getattr(m, "score_samples", getattr(m, "decision_function", m.predict))(X) for m in (a, b)]
    np.testing.assert_allclose(where[0], where[1], atol=1e-8)


@pytest.mark.parametrize("make", MACHINES.values(), ids=MACHINES)
def test_a_weight_of_two_is_a_row_that_stands_twice(make):
    X, y, rng = rows(2, 60)
    times = rng.integers(0, 4, 60)
    again = np.repeat(np.arange(60), times)
    a, b = make().fit(X, y, sample_weight=times), make().fit(X[again], y[again])
    where = [getattr(m, "score_samples", getattr(m, "decision_function", m.predict))(X) for m in (a, b)]
    np.testing.assert_allclose(where[0], where[1], atol=1e-8)


@pytest.mark.parametrize("way", ["whole", "matrix", "expansion"])
def test_near_rows_far_from_the_middle_keep_the_digits_of_their_distance(way):
    rng = np.random.default_rng(4)
    # Pairs a fraction of a unit apart, spread over ten thousand units.
    centres = 1e4 * rng.standard_normal((30, 3))
    X = np.repeat(centres, 2, axis=0) + 0.3 * rng.standard_normal((60, 3))
    longs = X.astype(np.longdouble)
    exact = np.exp(-0.5 * ((longs[:, None] - longs[None]) ** 2).sum(axis=2)).astype(float)
    rbf = KernelFunction("rbf", gamma=0.5)
    if way == "whole":
        found = KernelTable(rbf, X).gram(np.float64)[:, :60]
    else:
        found = rbf.matrix(X, X) if way == "matrix" else rbf.expansion(X, X, np.eye(60))
    # The rows themselves, moved to their middle, are rounded to 1e-12.
    assert np.abs(found - exact).max() < 1e-11
