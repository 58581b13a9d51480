"""Stochastic gradient descent: the steps of the peer, a state that goes on to the bit, honest errors."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier as PeerClassifier
from sklearn.linear_model import SGDRegressor as PeerRegressor

import thetahat as th
from thetahat.errors import UsageError
from thetahat.linear.labels import encoded
from thetahat.linear.sgd import SGDClassifier, SGDRegressor
from thetahat.linear.sgd_state import SgdSettings, SgdState, advance, begin

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def rows(n=200, d=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[rng.random((n, d)) < 0.3] = 0.0
    return X, X[:, 0] - 0.5 * X[:, 1] + 0.3 * rng.normal(size=n)


COMMON = {"shuffle": False, "max_iter": 5, "tol": None}


@pytest.mark.parametrize("kind", ["dense", "sparse"])
# The peer's average leaves out what L1 pulls; the next test holds ours to its iterates.
@pytest.mark.parametrize(
    ("penalty", "average"),
    [("l2", False), ("l2", True), ("l2", 300), (None, True), ("l1", False), ("elasticnet", False)],
)
@pytest.mark.parametrize("loss", ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"])
def test_a_classifier_takes_the_steps_of_the_peer(loss, penalty, average, kind):
    X, eta = rows()
    X = sparse.csr_matrix(X) if kind == "sparse" else X
    options = {**COMMON, "loss": loss, "penalty": penalty, "alpha": 0.01, "average": average}
    ours, theirs = (
        c(**options, learning_rate="invscaling", eta0=0.05).fit(X, eta > 0)
        for c in (SGDClassifier, PeerClassifier)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-10)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize("begun", [1, 60])
def test_the_average_is_that_of_the_iterates(penalty, begun):
    X, eta = rows(120)
    settings = SgdSettings("log_loss", penalty, 0.02, schedule="invscaling", eta0=0.3, average=begun)
    y, weight = np.where(eta > 0, 1.0, -1.0), np.ones(120)
    plain = SgdSettings("log_loss", penalty, 0.02, schedule="invscaling", eta0=0.3)
    for matrix in (X, sparse.csr_matrix(X)):
        whole, step, iterates = begin(settings, 1, 6), begin(plain, 1, 6), []
        advance(whole, matrix, y, weight, settings, np.arange(120))
        for row in range(120):
            advance(step, matrix, y, weight, plain, np.array([row]))
            iterates.append(step.coefficients(plain)[0][0])
        mean = np.mean(iterates[begun - 1 :], axis=0)
        np.testing.assert_allclose(whole.coefficients(settings)[0][0], mean, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "optimal", "invscaling", "adaptive"])
@pytest.mark.parametrize(
    "loss", ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]
)
def test_a_regressor_takes_the_steps_of_the_peer(loss, schedule):
    X, y = rows()
    options = {**COMMON, "loss": loss, "learning_rate": schedule, "eta0": 0.01, "alpha": 0.05}
    ours, theirs = (c(**options).fit(X, y) for c in (SGDRegressor, PeerRegressor))
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)


@pytest.mark.parametrize("schedule", ["pa1", "pa2"])
def test_passive_aggressive_steps_are_those_of_the_peer(schedule):
    X, eta = rows()
    options = {**COMMON, "learning_rate": schedule, "eta0": 1.0, "penalty": None}
    for ours, theirs, loss, y in (
        (SGDClassifier, PeerClassifier, "hinge", eta > 0),
        (SGDRegressor, PeerRegressor, "epsilon_insensitive", eta),
    ):
        one, other = (c(loss=loss, **options).fit(X, y) for c in (ours, theirs))
        np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-8)


def test_many_classes_and_class_and_sample_weights_are_those_of_the_peer():
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=150)
    options = {**COMMON, "class_weight": {0: 2.0, 1: 0.5, 2: 1.0}, "loss": "log_loss", "eta0": 0.01}
    ours, theirs = (
        c(**options, learning_rate="constant").fit(X, y, sample_weight=weight)
        for c in (SGDClassifier, PeerClassifier)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7)


def test_single_precision_stays_and_is_near_double():
    X, eta = rows()
    y = eta > 0
    one, two = (
        SGDClassifier(loss="log_loss", **COMMON, learning_rate="constant").fit(X.astype(t), y)
        for t in (np.float32, np.float64)
    )
    assert one.coef_.dtype == np.float32
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-3)


def test_a_state_saved_and_read_goes_on_to_the_same_bits():
    X, eta = rows()
    for matrix in (X, sparse.csr_matrix(X)):
        settings = SgdSettings("log_loss", "elasticnet", 0.01, schedule="invscaling", average=50)
        y, weight = np.where(eta > 0, 1.0, -1.0), np.ones(200)
        whole, half = begin(settings, 1, 6), begin(settings, 1, 6)
        order = np.random.default_rng(0).permutation(200)
        advance(whole, matrix, y, weight, settings, order)
        advance(half, matrix, y, weight, settings, order[:90])
        again = SgdState.of({name: value.copy() for name, value in half.arrays().items()})
        advance(again, matrix, y, weight, settings, order[90:])
        for name, value in whole.arrays().items():
            assert np.array_equal(value, again.arrays()[name]), name


def test_a_partial_fit_takes_the_step_that_it_has_now():
    X, y = load_diabetes(return_X_y=True)
    settings = {"learning_rate": "constant", "eta0": 0.1, "shuffle": False, "random_state": 0}
    ours, peers = SGDRegressor(**settings), PeerRegressor(**settings)
    for eta0 in (0.1, 0.001):
        for model in (ours, peers):
            model.set_params(eta0=eta0).partial_fit(X, y)
    np.testing.assert_allclose(ours.coef_, peers.coef_, rtol=1e-8)


def test_partial_fits_are_the_epochs_of_a_fit():
    X, eta = rows()
    y = (eta > 0).astype(int)
    options = {"loss": "log_loss", "shuffle": False, "learning_rate": "constant", "eta0": 0.1}
    whole = SGDClassifier(**options, max_iter=3, tol=None).fit(X, y)
    parts = SGDClassifier(**options)
    for _ in range(3):
        for part in np.array_split(np.arange(200), 4):
            parts.partial_fit(X[part], y[part], classes=[0, 1])
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)


def test_softmax_goes_to_the_optimum_of_softmax_regression():
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    found = SGDClassifier(
        loss="log_loss",
        multi_class="multinomial",
        alpha=0.01,
        learning_rate="invscaling",
        eta0=0.5,
        max_iter=2000,
        tol=None,
        average=20_000,
        random_state=0,
    ).fit(X, y)
    exact = th.LogisticRegression(C=1 / (0.01 * 150)).fit(X, y)
    np.testing.assert_allclose(found.predict_proba(X), exact.predict_proba(X), atol=0.01)
    assert found.coef_.shape == (3, 4)


def test_counts_go_to_the_optimum_of_poisson_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3)) * 0.5
    y = rng.poisson(np.exp(0.5 + X[:, 0]))
    found = SGDRegressor(
        "poisson", alpha=0.0, learning_rate="invscaling", eta0=0.05, max_iter=50, tol=None, average=20_000
    ).fit(X, y)
    exact = th.PoissonRegression(alpha=0).fit(X, y)
    np.testing.assert_allclose(found.coef_, exact.coef_, atol=0.02)
    np.testing.assert_allclose(found.predict(X), exact.predict(X), rtol=0.05)


def test_a_few_rows_a_step_go_along_the_mean_of_their_gradients():
    X, y = rows(64)
    settings = SgdSettings("squared_error", "l2", 0.1, schedule="constant", eta0=0.1, batch=16)
    state = begin(settings, 1, 6)
    advance(state, X, y, np.ones(64), settings, np.arange(64))
    w, b = np.zeros(6), 0.0
    for part in np.array_split(np.arange(64), 4):
        slope = X[part] @ w + b - y[part]
        w, b = w * (1 - 0.1 * 0.1) - 0.1 * X[part].T @ slope / 16, b - 0.1 * slope.mean()
    np.testing.assert_allclose(state.coefficients(settings)[0][0], w, rtol=1e-10)
    assert state.coefficients(settings)[1][0] == pytest.approx(b)


def test_a_descent_that_runs_away_is_begun_again_with_a_word_and_never_returned():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    with pytest.warns(
        ConvergenceWarning, match=r"under-/overflow occurred at epoch #1.*Begun again with eta0="
    ):
        found = SGDRegressor(max_iter=5, tol=None).fit(X, y)
    assert np.abs(found.coef_).max() < 1e4
    assert found.eta0_ < 0.01
    theirs = PeerRegressor(max_iter=5, tol=None).fit(X, y)
    assert np.abs(theirs.coef_).max() > 1e8
    with pytest.raises(UsageError, match="smaller eta0"):
        SGDRegressor(learning_rate="constant").partial_fit(X, y).partial_fit(X * 1e150, y)


def test_an_automatic_step_works_on_raw_columns():
    X, y = load_breast_cancer(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        found = SGDClassifier(
            "log_loss", learning_rate="constant", eta0="auto", max_iter=50, tol=None, random_state=0
        )
        assert found.fit(X, y).score(X, y) > 0.85
    assert found.eta0_ < 1e-4


def test_the_end_is_told_as_it_was():
    X, eta = rows()
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration"):
        short = SGDClassifier(max_iter=1, tol=1e-9).fit(X, eta > 0)
    assert not short.status_.ok
    assert SGDClassifier(random_state=0).fit(X, eta > 0).status_.ok


def test_standard_errors_of_averaged_iterates_cover():
    truth, held, runs = np.array([0.5, 1.0, -1.0]), np.zeros(4), 120
    for run in range(runs):
        rng = np.random.default_rng(run)
        X = rng.normal(size=(4000, 3))
        y = rng.random(4000) < 1 / (1 + np.exp(-(0.2 + X @ truth)))
        model = SGDClassifier(
            "log_loss",
            penalty=None,
            learning_rate="invscaling",
            eta0=0.5,
            power_t=0.6,
            average=20_000,
            max_iter=10,
            tol=None,
            random_state=run,
        ).fit(X, y)
        result = model.describe(X, y)
        low, high = (result.params + side * 1.96 * result.standard_errors for side in (-1, 1))
        expected = np.r_[0.2, truth]
        held += (low <= expected) & (expected <= high)
    assert (held / runs > 0.95 - 0.03 - 4 * np.sqrt(0.05 * 0.95 / runs)).all(), held / runs


def test_standard_errors_are_near_those_of_the_exact_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 3))
    y = X @ [1.0, 0.0, -1.0] + rng.normal(size=5000)
    model = SGDRegressor(
        penalty=None, learning_rate="invscaling", eta0=0.05, max_iter=10, tol=None, average=5000
    ).fit(X, y)
    exact = th.LinearRegression().fit(X, y).result_
    np.testing.assert_allclose(
        model.describe(X, y).standard_errors, exact.with_errors("HC0").standard_errors, rtol=0.01
    )
    assert "HC0" in model.describe(X, y).summary()
    with pytest.raises(UsageError, match="fit with average=True"):
        SGDRegressor().fit(X, y).describe(X, y)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "squared_hinge", "learning_rate": "pa1"}, "goes with loss='hinge' alone"),
        ({"batch_size": 8, "penalty": "l1"}, "more than one row a step"),
        ({"multi_class": "multinomial", "loss": "hinge"}, "multinomial is of log_loss"),
        ({"alpha": 0.0}, "alpha must be > 0"),
    ],
)
def test_what_cannot_be_meant_is_named(options, said):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=said):
        SGDClassifier(**options).fit(X, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("loss", ["hinge", "log_loss", "perceptron"])
@pytest.mark.parametrize("batch", [1, 16])
def test_what_is_not_finite_is_found_by_the_first_epoch_and_refused_in_the_words_of_the_peer(
    bad, loss, batch
):
    X, eta = rows()
    for row, dtype in ((0, np.float64), (137, np.float32), (199, np.float64)):
        holed = X.astype(dtype)
        holed[row, 2] = bad
        said = "Input X contains NaN" if np.isnan(bad) else "Input X contains infinity"
        for matrix in (holed, sparse.csr_matrix(holed)):
            if batch > 1 and sparse.issparse(matrix):
                continue
            model = SGDClassifier(loss, batch_size=batch)
            for fit in (model.fit, lambda X, y, model=model: model.partial_fit(X, y, classes=[False, True])):
                with pytest.raises(ValueError, match=said):
                    fit(matrix, eta > 0)
    softmax = SGDClassifier("log_loss", multi_class="multinomial")
    with pytest.raises(ValueError, match=said):
        softmax.fit(holed, np.arange(200) % 3)
    with pytest.raises(ValueError, match=said):
        SGDRegressor(penalty="l1").fit(holed, eta)


def test_a_warm_fit_that_is_refused_leaves_the_model_as_it_was():
    X, eta = rows()
    model = SGDClassifier("log_loss", warm_start=True, max_iter=5).fit(X, eta > 0)
    before = model.coef_.copy()
    holed = X.copy()
    holed[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.fit(holed, eta > 0)
    np.testing.assert_array_equal(model.coef_, before)
    model.partial_fit(X, eta > 0)
    assert np.isfinite(model.coef_).all()


def test_wide_indices_give_the_same_fit():
    X, eta = rows()
    narrow, wide = sparse.csr_matrix(X), sparse.csr_matrix(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    for options in ({}, {"multi_class": "multinomial"}):
        y = np.digitize(eta, [-0.5, 0.5]) if options else eta > 0
        one, other = (SGDClassifier("log_loss", **options, **COMMON).fit(m, y).coef_ for m in (narrow, wide))
        np.testing.assert_array_equal(one, other)


def test_sparse_rows_in_batches_are_refused_not_ignored():
    X, eta = rows()
    with pytest.raises(UsageError, match="batch_size: sparse rows"):
        SGDClassifier(batch_size=4).fit(sparse.csr_matrix(X), eta > 0)


@pytest.mark.parametrize(
    "y",
    [
        np.array([3, 1, 3], np.int8),
        np.array([True, False]),
        np.array([2.0, -5.0, 2.0]),
        np.array([0, 2, 1, 1]),
        np.array(["b", "a", "b"]),
        np.array([200, 0], np.uint8),
        np.array([1, 1]),
        np.arange(900) % 300,
    ],
)
def test_labels_are_coded_as_by_a_sort(y):
    classes, codes = encoded(y)
    expected, places = np.unique(y, return_inverse=True)
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(codes, places)
    assert classes.dtype == expected.dtype


def test_numbers_that_are_no_labels_are_refused():
    for y in (np.array([0.5, 1.0, 0.5]), np.array([0.1, 0.2, 0.3])):
        with pytest.raises(ValueError, match="Unknown label type"):
            encoded(y)


@pytest.mark.parametrize("settings", [{}, {"loss": "log_loss", "multi_class": "multinomial"}])
@pytest.mark.parametrize("strange", ["aa", "z"])
def test_partial_fit_refuses_a_class_that_was_not_announced(settings, strange):
    X = np.random.default_rng(0).standard_normal((20, 2))
    y = np.where(X[:, 0] > 0, "a", "b")
    model = th.SGDClassifier(random_state=0, **settings).partial_fit(X, y, classes=["a", "b"])
    before = model.coef_.copy()
    with pytest.raises(th.UsageError, match=f"y: has the class {strange}, which is not among"):
        model.partial_fit(X, np.where(X[:, 1] > 0, "a", strange))
    np.testing.assert_array_equal(model.coef_, before)
    with pytest.raises(th.UsageError, match="is not among"):
        th.SGDClassifier(random_state=0, **settings).partial_fit(X, y, classes=["a", "c"])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("multi_class", ["ovr", "multinomial"])
def test_probabilities_and_their_logarithms_keep_their_digits_far_out(classes, multi_class):
    X = np.tile(np.eye(classes), (4, 1))
    model = th.SGDClassifier(loss="log_loss", multi_class=multi_class, max_iter=2, tol=None, random_state=0)
    model.fit(X, np.tile(np.arange(classes), 4))
    model.coef_, model.intercept_ = np.eye(classes)[: len(model.coef_)], np.zeros(len(model.coef_))
    for gap in (40.0, 1e4):
        row = np.zeros((1, classes))
        row[0, 0], row[0, 1:] = (gap, 0.0) if classes == 2 or multi_class == "multinomial" else (gap, -gap)
        logs = model.predict_log_proba(row)
        assert np.isfinite(logs).all()
        assert logs.min() == pytest.approx(-gap, rel=1e-12)
        assert model.predict_proba(row).min() == pytest.approx(np.exp(-gap), rel=1e-11, abs=0)


def test_a_certain_row_moves_softmax_by_its_small_residual():
    from thetahat.linear.sgd_softmax import _to_residuals

    eta = np.array([-40.0, 0.0, -40.0])
    assert _to_residuals(eta, 1) == pytest.approx(2 * np.exp(-40.0), rel=1e-14, abs=0)
    assert eta == pytest.approx(np.exp(-40.0) * np.array([1.0, -2.0, 1.0]), rel=1e-14, abs=0)


def test_partial_fit_names_labels_of_another_kind_than_the_classes():
    X = np.random.default_rng(0).standard_normal((20, 2))
    model = th.SGDClassifier(random_state=0).partial_fit(X, X[:, 0] > 0, classes=[False, True])
    with pytest.raises(th.UsageError, match="y: labels of another kind than the classes"):
        model.partial_fit(X, np.where(X[:, 0] > 0, "a", "b").astype(object))
