"""Faults of slopes and kernels that the torture runs found, each held here by the smallest case."""

import warnings
from importlib import import_module

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from scipy.sparse.linalg import ArpackError
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning

import thetahat as th
from tests.learners import LEARNERS
from thetahat.contracts import Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.numerics.kernels import KernelFunction
from thetahat.numerics.positive import positive_inverse
from thetahat.svm.interior import _Box, _feasible
from thetahat.svm.machine import variance

# Arithmetic that overflows may warn of it, besides what it then says.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

ROWS = np.random.default_rng(0).standard_normal((13, 2))
Y = ROWS.sum(axis=1)
CLASSES = (Y > 0).astype(int)


def test_positive_inverse_has_the_digits_that_units_would_cost_or_says_that_there_is_none():
    H = np.array([[2.0, 1.0], [1.0, 3.0]])
    unit = np.array([1e150, 1e-150])
    assert positive_inverse(H * unit * unit[:, None]) * unit * unit[:, None] == pytest.approx(
        np.linalg.inv(H), rel=1e-14
    )
    assert np.isnan(positive_inverse(np.ones((2, 2)))).all()
    assert np.isnan(positive_inverse(np.diag([1.0, -1.0]))).all()


def test_information_hidden_by_rounding_is_said_and_raises_nothing():
    X = np.repeat(1e18 * (ROWS[:, :1] + 2), 2, axis=1)
    model = th.LogisticRegression().fit(X, CLASSES)
    assert model.status_.ok
    assert model.result_.status is Status.NOT_IDENTIFIED


@pytest.mark.parametrize("estimator", [th.LinearRegression(positive=True), th.LinearRegression(), th.Ridge()])
def test_none_among_targets_is_named(estimator):
    y = Y.astype(object)
    y[2] = None
    with pytest.raises(UsageError, match="y: row 2 is nan"):
        estimator.fit(ROWS, y)


def test_slopes_beyond_single_precision_are_refused():
    with pytest.raises(UsageError, match="largest number of float32"):
        th.Ridge().fit(ROWS.astype(np.float32), 1e300 * Y)


def test_a_ridge_of_columns_of_unlike_sizes_meets_each_slope():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((6, 14)) * 10.0 ** rng.integers(-8, 9, 14)
    X[:, 3] = 0.0
    y = rng.standard_normal(6)
    model = th.Ridge(0.1).fit(X, y)
    assert model.coef_[3] == 0
    rest = y - X.astype(np.longdouble) @ model.coef_ - model.intercept_
    slope = X.T @ rest - 0.1 * model.coef_
    assert (np.abs(slope) <= 1e-11 * (np.abs(X).T @ (np.abs(y) + np.abs(X) @ np.abs(model.coef_)))).all()


def test_a_column_of_noughts_has_no_slope_without_a_penalty():
    X = np.column_stack([np.zeros(5), np.random.default_rng(0).standard_normal((5, 20))])
    with pytest.warns(ThetaHatWarning, match="cannot tell"):
        assert th.LinearRegression().fit(X, np.arange(5.0)).coef_[0] == 0


def test_slopes_below_the_smallest_number_are_not_called_solved():
    X = np.column_stack([1e300 * ROWS[:, 0], ROWS[:, 1]])
    with pytest.warns(ConvergenceWarning, match="not converged"):
        assert th.Ridge().fit(X, 1e-300 * Y).status_ is Status.NOT_CONVERGED


def test_tiny_weights_weigh_a_mean_as_large_ones_do():
    tiny = th.LinearRegression(positive=True).fit(ROWS, 1e-300 * (Y + 1), sample_weight=np.full(13, 1e-300))
    plain = th.LinearRegression(positive=True).fit(ROWS, Y + 1)
    assert 1e300 * tiny.intercept_ == pytest.approx(plain.intercept_, rel=1e-9)


def test_tiny_weights_neither_hide_a_missing_maximum_nor_end_the_search_early():
    tiny = np.full(13, 1e-300)
    with pytest.warns(ThetaHatWarning, match="can be separated"):
        th.LogisticRegression(C=np.inf).fit(ROWS, CLASSES, sample_weight=tiny)
    counted = th.PoissonRegression(alpha=0.0).fit(ROWS, CLASSES, sample_weight=tiny)
    plain = th.PoissonRegression(alpha=0.0).fit(ROWS, CLASSES)
    assert counted.coef_ == pytest.approx(plain.coef_, rel=1e-6)


def test_kernel_components_see_no_directions_in_rounding():
    with pytest.warns(ThetaHatWarning, match="all rows are alike"):
        model = th.KernelPCA(2, kernel="rbf").fit(1e-9 * ROWS)
    assert (model.eigenvalues_ == 0).all()


@pytest.mark.parametrize("estimator", [th.KernelPCA(2, kernel="rbf"), th.OneClassSVM(gamma=1.0)])
def test_rows_too_far_apart_for_their_distances_are_said(estimator):
    X = ROWS.copy()
    X[0] = 1e19
    with pytest.warns(ThetaHatWarning, match="few digits of the distances"):
        estimator.fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ThetaHatWarning)
        estimator.fit(1e6 * ROWS)


def test_a_far_row_costs_the_others_no_digits():
    X = ROWS.copy()
    X[0] = 1e9
    near = KernelFunction("rbf", 0.5).matrix(X, X)[1:, 1:]
    squares = ((ROWS[1:, None] - ROWS[None, 1:]) ** 2).sum(axis=2)
    assert near == pytest.approx(np.exp(-0.5 * squares), rel=1e-12)


def test_distances_of_single_precision_rows_are_taken_in_double():
    X = (1e5 * ROWS).astype(np.float32)
    X[1] = X[0] + np.float32(0.5)
    squares = ((X[:, None].astype(float) - X[None].astype(float)) ** 2).sum(axis=2)
    assert KernelFunction("rbf", 1.0).matrix(X, X) == pytest.approx(np.exp(-squares), rel=1e-9, abs=1e-300)


def test_the_variance_of_a_sparse_table_far_from_nought_is_that_of_the_dense_one():
    X = 1e9 + ROWS
    for weight in (None, np.arange(13.0)):
        assert variance(sparse.csr_matrix(X), weight) == pytest.approx(variance(X, weight), rel=1e-6)


def test_shares_before_a_large_room_are_not_lost():
    X = np.array([[4.0, -16.0], [3.0, -15.0], [-6.0, 17.0]]) * 1e149
    # Dual variables near 1e-301 beside room of 1: those that are put right must still sum to nought.
    box = _Box(X, np.zeros((1, 3)), np.array([[0.0, 0.0, -1.0]]), np.array([[1.0, 1.0, 0.0]]), 0.0)
    assert _feasible(box, np.array([[6.5e-22, 6.5e-22, 0.0]])).sum() == 0


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: str(learner.estimator))
def test_numbers_in_words_are_the_numbers(learner):
    model = clone(learner.estimator)
    words = pl.DataFrame(ROWS.astype(str), schema=["a", "b"])
    numbers = pl.DataFrame(ROWS, schema=["a", "b"])
    y = np.round(np.exp(0.3 * Y)) if is_regressor(model) else CLASSES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(words, y)
        for name in ("predict", "transform", "predict_proba", "decision_function"):
            if hasattr(model, name):
                assert getattr(model, name)(words) == pytest.approx(getattr(model, name)(numbers))


@pytest.mark.parametrize(
    ("module", "name", "model"),
    [
        (
            "thetahat.pca.kernel",
            "eigsh",
            th.KernelPCA(2, kernel="rbf", eigen_solver="arpack", random_state=0),
        ),
        ("thetahat.pca.spectrum", "svds", th.PCA(2, svd_solver="arpack")),
    ],
)
def test_components_are_found_where_lanczos_iterations_break_down(monkeypatch, module, name, model):
    X = np.random.default_rng(1).standard_normal((30, 6))
    plain = clone(model).set_params(random_state=0).fit(X).transform(X)
    real = getattr(import_module(module), name)

    def breaks_down(*args, solver="arpack", **options):
        if solver == "arpack":
            raise ArpackError(3)
        return real(*args, solver=solver, **options)

    monkeypatch.setattr(f"{module}.{name}", breaks_down)
    assert model.set_params(random_state=0).fit(X).transform(X) == pytest.approx(plain, abs=1e-8)
