"""Faults that the torture runs found, each held here by the smallest case."""

import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

import thetahat as th
from thetahat.contracts import Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.svm.optimality import Dual, judge

# Arithmetic that overflows may warn of it, besides what it then says.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

ROWS = np.random.default_rng(0).standard_normal((13, 2))
Y = ROWS.sum(axis=1)
CLASSES = (Y > 0).astype(int)


def holed(rows, value=np.nan):
    rows = rows.copy()
    rows[3, 1] = value
    return rows


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: th.moments([]), "x: there are no rows"),
        (lambda: th.moments(["a"]), "x: numbers are expected"),
        (lambda: th.moments([1.0, np.inf]), "x: row 1 is inf"),
        (lambda: th.moments(np.array([1j])), "x: complex"),
        (lambda: th.mle(th.Normal(), ["a"]), "data: numbers are expected"),
        (
            lambda: th.mle(lambda t, x: -((x - t[0]) ** 2), np.array([1.0, 2.0], dtype=object), [0.0]),
            "model: ",
        ),
        (lambda: th.rank_families(ROWS), "x: numbers of shape"),
        (lambda: th.choose_components(ROWS[:, 0]), "X: rows of shape"),
        (lambda: th.choose_components(holed(ROWS)), "X: row 3, column 1 is nan"),
        (lambda: th.decompose(th.Ridge(), holed(ROWS), Y), "X: row 3, column 1 is nan"),
        (lambda: th.decompose(th.Ridge(), ROWS, Y[:-1]), "y: one value for each of 13 rows"),
        (lambda: th.decompose(th.Ridge(), ROWS[:1], Y[:1]), "X: 2 rows or more"),
        (lambda: th.decompose(th.Ridge(), ROWS, 1e300 * Y), "y: the squared losses are beyond"),
        (lambda: th.capacity_curve(th.Ridge(), "alpha", [1.0], ROWS, None), "y: is missing"),
        (lambda: th.learning_curve(th.Ridge(), np.float64(1), Y), "X: rows of shape"),
        (
            lambda: th.leave_one_out(th.SVR(), holed(ROWS), Y),
            "X: row 3",
        ),
        (
            lambda: th.leave_one_out(th.SVC(), ROWS, Y),
            "y: leave-one-out is for a regression or two classes",
        ),
        (lambda: th.SVR().fit(holed(ROWS, -1e308), Y), "X: [Tt]he (kernel overflows|dual coefficients)"),
        (lambda: th.KernelPCA(2, kernel="rbf").fit(holed(ROWS, -1e308)), "X: the kernel overflows"),
    ],
)
def test_what_cannot_be_used_is_named(call, named):
    with pytest.raises(UsageError, match="^" + named):
        call()


def test_a_network_of_ones_own_names_what_it_cannot_train_on():
    def eta(theta, X):
        return X @ theta[0]

    for X, y, weight, named in (
        (holed(ROWS), Y, None, "X: has NaN"),
        (ROWS, Y[:-1], None, "y: finite numbers for each of 13"),
        (ROWS, ["a"] * 13, None, "y: numbers, or class codes"),
        (ROWS, Y, np.ones(3), "weight: one for each of 13"),
    ):
        with pytest.raises(UsageError, match=named):
            th.train(eta, [np.zeros((2, 1))], X, y, weight=weight, rng=np.random.default_rng(0))


def test_rows_may_come_as_lists():
    rng = np.random.default_rng
    found = th.held_out_probability(th.SVC(), ROWS.tolist(), CLASSES.tolist(), rng=rng(0))
    same = th.held_out_probability(th.SVC(), ROWS, CLASSES, rng=rng(0))
    assert np.array_equal(found.scores, same.scores)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_moments_scale_with_the_numbers(size):
    plain, scaled = th.moments(Y), th.moments(Y * size)
    assert scaled.mean == pytest.approx(plain.mean * size, rel=1e-15)
    assert scaled.standard_deviation == pytest.approx(plain.standard_deviation * size, rel=1e-15)
    assert scaled.autocorrelation == pytest.approx(plain.autocorrelation, rel=1e-12)


def test_moments_of_a_series_go_by_place_and_not_by_label():
    assert th.moments(pd.Series(Y)) == th.moments(Y)


def test_beta_is_at_its_maximum_where_the_shapes_are_small():
    x = np.array([0.99993751, 0.99999994846, 0.00071711484])
    a, b = map(mp.mpf, th.mle(th.Beta(), x).params)
    slope = sum(mp.log(mp.mpf(v)) for v in x) + 3 * (mp.psi(0, a + b) - mp.psi(0, a))
    assert abs(slope * a) < 1e-10


@pytest.mark.parametrize("family", [th.Weibull(), th.Laplace(), th.Normal()], ids=str)
@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_a_scale_whose_square_is_no_number_is_not_called_solved(family, size):
    assert th.mle(family, size * np.abs(Y)).status is Status.NOT_FINITE


@pytest.mark.parametrize("size", [1e-310, 1e300])
def test_columns_whose_squares_are_no_numbers_have_no_likelihood_fit(size):
    for model, y in (
        (th.LogisticRegression(C=np.inf), np.arange(13) % 2),
        (th.PoissonRegression(alpha=0), CLASSES),
    ):
        with pytest.warns((ThetaHatWarning, ConvergenceWarning)):
            model.fit(size * ROWS, y)
        assert not model.status_.ok


def test_ridge_of_a_large_singular_value_is_not_nought():
    X = np.array([[1e200, 0.0, 0.0]])
    found = th.Ridge(alpha=1.0, fit_intercept=False).fit(X, [1.0])
    assert found.predict(X)[0] == pytest.approx(1.0)


def test_a_large_column_hides_no_other_from_a_ridge():
    X = np.array([[1e200, 0.0, 1.0], [0.0, 1.0, 0.0]])
    model = th.Ridge(alpha=1.0, fit_intercept=False).fit(X, [1.0, 1.0])
    assert model.status_.ok
    assert model.coef_ == pytest.approx([1e-200, 0.5, 0.0], rel=1e-14, abs=1e-300)


def test_draws_of_large_numbers_are_refitted():
    learner, rng = th.Ridge(), np.random.default_rng
    large = th.decompose(learner, 1e200 * ROWS, Y, draws=12, rng=rng(1))
    plain = th.decompose(th.LinearRegression(), ROWS, Y, draws=12, rng=rng(1))
    assert large.total == pytest.approx(plain.total, abs=1e-12)


def test_kernel_components_of_rows_far_apart_are_found():
    X = 1e12 * np.random.default_rng(0).standard_normal((40, 2))
    assert th.KernelPCA(2, kernel="rbf").fit(X).eigenvalues_ == pytest.approx([1.0, 1.0])


def test_kernel_components_do_not_depend_on_where_nought_is():
    near, far = (th.KernelPCA(2, kernel="rbf").fit(ROWS.round(3) + at) for at in (0.0, 2.0**30))
    assert far.eigenvalues_ == pytest.approx(near.eigenvalues_, rel=1e-5)


def test_penalised_errors_of_one_row_are_numbers():
    model = th.PoissonRegression().fit(
        [[-0.28, 0.88], [1.08, -0.35]], [1.037, 1.242], sample_weight=[1.0, 0.0]
    )
    assert np.isfinite(model.result_.standard_errors).all()


def test_an_interval_without_digits_is_refused():
    X = ROWS + 1e9
    with pytest.raises(UsageError, match="no digit of the interval"):
        th.predict_interval(th.Ridge().fit(X, Y), X)


def test_slopes_that_are_no_numbers_are_no_optimum():
    dual = Dual(np.ones(3), np.zeros(3), np.ones(3))
    assert judge(dual, np.zeros(3), np.full(3, np.nan)).violation == np.inf


def test_a_descent_that_ends_worse_than_it_began_has_not_converged():
    X = ROWS * np.array([1.0, 1e4])
    with pytest.warns(ConvergenceWarning, match="above that of no model"):
        model = th.SGDClassifier(loss="log_loss", random_state=0).fit(X, np.arange(13) % 2)
    assert model.status_ is Status.NOT_CONVERGED
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert th.SGDClassifier(loss="log_loss", random_state=0).fit(ROWS, CLASSES).status_.ok


def test_weights_that_take_a_column_beyond_the_largest_number_are_refused_at_once():
    X = np.column_stack([ROWS + 1e9, np.full(13, 3.0)])
    with pytest.raises(UsageError, match="beyond the largest number"):
        th.LinearRegression().fit(X, Y, sample_weight=np.full(13, 1e300))


def test_a_missing_target_of_a_machine_is_named():
    with pytest.raises(UsageError, match="y: row 0 is nan"):
        th.SVR().fit(ROWS, np.array([None, *Y[1:]], dtype=object))


@pytest.mark.parametrize(
    "learner", [th.Ridge(), th.LogisticRegression(), th.SVC(), th.PCA(), th.SGDRegressor()], ids=str
)
def test_a_frame_without_columns_is_named(learner):
    with pytest.raises(UsageError, match="0 feature"):
        learner.fit(pd.DataFrame(index=range(13)), CLASSES)


def test_numbers_whose_squares_are_none_are_refused_by_name():
    for call in (
        lambda: th.jackknife(1e-300 * Y, "mean"),
        lambda: th.IncrementalPCA().fit(1e300 * ROWS),
        lambda: th.choose_components(1e300 * ROWS),
    ):
        with pytest.raises(UsageError, match="the squares of numbers"):
            call()


def test_exponential_of_noughts_has_no_maximum():
    assert th.mle(th.Exponential(), np.zeros(5)).status is Status.UNBOUNDED


def test_a_divergence_from_almost_nought_is_the_other_mean():
    assert th.kl_divergence(th.Poisson(5e-324), th.Poisson(2.9)).value == pytest.approx(2.9)
