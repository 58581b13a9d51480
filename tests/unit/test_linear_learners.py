import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, sparse
from sklearn import linear_model

from thetahat.contracts import Sample, Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.logistic import Logistic
from thetahat.linear.prediction import predict_interval
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge

RNG = np.random.default_rng(0)
N, D = 150, 4
X = RNG.normal(size=(N, D)) * [1, 3, 0.5, 1] + [0, 1, -1, 5]
NOISY = X @ [1.0, -0.5, 0.2, 0.0] + RNG.normal(size=N)
BINARY = np.where(NOISY + RNG.logistic(size=N) > 0, "yes", "no")
THREE = (X[:, :3] + RNG.gumbel(size=(N, 3))).argmax(axis=1)
COUNTS = RNG.poisson(np.exp(0.2 * X[:, 0] + 0.1 * X[:, 1]))
WEIGHT = RNG.uniform(0.2, 3, size=N)
TIGHT = dict(tol=1e-12, max_iter=10_000)

PAIRS = {
    "linear": (LinearRegression(), linear_model.LinearRegression(), NOISY),
    "linear, no intercept": (
        LinearRegression(fit_intercept=False),
        linear_model.LinearRegression(fit_intercept=False),
        NOISY,
    ),
    "linear, positive": (
        LinearRegression(positive=True),
        linear_model.LinearRegression(positive=True),
        NOISY,
    ),
    "linear, two outputs": (
        LinearRegression(),
        linear_model.LinearRegression(),
        np.column_stack([NOISY, X[:, 1] + NOISY**2]),
    ),
    "ridge": (Ridge(alpha=3.0), linear_model.Ridge(alpha=3.0), NOISY),
    "ridge, two outputs": (
        Ridge(alpha=[1.0, 9.0]),
        linear_model.Ridge(alpha=[1.0, 9.0]),
        np.column_stack([NOISY, NOISY**2]),
    ),
    "ridge, positive": (
        Ridge(alpha=3.0, positive=True),
        linear_model.Ridge(alpha=3.0, positive=True, tol=1e-10),
        NOISY,
    ),
    "poisson": (PoissonRegression(), linear_model.PoissonRegressor(**TIGHT), COUNTS),
    "binary": (LogisticRegression(), linear_model.LogisticRegression(**TIGHT), BINARY),
    "binary, balanced": (
        LogisticRegression(class_weight="balanced", C=0.2),
        linear_model.LogisticRegression(class_weight="balanced", C=0.2, **TIGHT),
        BINARY,
    ),
    "softmax": (LogisticRegression(), linear_model.LogisticRegression(**TIGHT), THREE),
    "softmax, no intercept": (
        LogisticRegression(fit_intercept=False),
        linear_model.LogisticRegression(fit_intercept=False, **TIGHT),
        THREE,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_attributes_and_predictions_equal_scikit_learns(name, weight):
    ours, theirs, y = PAIRS[name]
    ours.fit(X, y, sample_weight=weight)
    theirs.fit(X, y, sample_weight=weight)
    # L-BFGS stops some six digits in; a direct solution agrees to rounding.
    loose = dict(rtol=2e-4, atol=2e-5) if hasattr(theirs, "max_iter") else dict(rtol=1e-9, atol=1e-11)
    for attribute in ("coef_", "intercept_"):
        mine, peer = np.asarray(getattr(ours, attribute)), np.asarray(getattr(theirs, attribute))
        assert mine.shape == peer.shape
        np.testing.assert_allclose(mine, peer, **loose)
    if hasattr(theirs, "predict_proba"):
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
        np.testing.assert_allclose(np.exp(ours.predict_log_proba(X)), ours.predict_proba(X), rtol=1e-12)
        np.testing.assert_array_equal(ours.predict(X), ours.classes_[ours.predict_proba(X).argmax(axis=1)])
        np.testing.assert_allclose(
            ours.decision_function(X), theirs.decision_function(X), rtol=1e-3, atol=1e-4
        )
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4, atol=1e-4)
        assert ours.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-6)


@pytest.mark.parametrize("name", ["linear", "ridge", "poisson", "binary", "softmax"])
def test_sparse_rows_give_what_dense_rows_give(name):
    model, _, y = PAIRS[name]
    dense = model.fit(X, y)
    coef, errors = dense.coef_.copy(), dense.result_.standard_errors
    thin = model.fit(sparse.csc_array(X), y)
    np.testing.assert_allclose(thin.coef_, coef, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(thin.result_.standard_errors, errors, rtol=1e-9)


def test_sparse_rows_may_be_held_positive_under_ridge():
    model = PAIRS["ridge, positive"][0]
    dense = model.fit(X, NOISY).coef_.copy()
    np.testing.assert_allclose(model.fit(sparse.csr_array(X), NOISY).coef_, dense, rtol=1e-12)


@pytest.mark.parametrize("C", [np.inf, 2.0])
def test_a_large_sparse_matrix_is_solved_without_filling_it(C, monkeypatch):
    from thetahat.linear import least_squares

    dense = least_squares.LeastSquares(C).estimate(Sample(X, NOISY, WEIGHT), rng=RNG).theta
    monkeypatch.setattr(least_squares, "MOST_DENSE_ENTRIES", 0)
    fit = least_squares.LeastSquares(C).estimate(Sample(sparse.csr_array(X), NOISY, WEIGHT), rng=RNG)
    assert fit.status is Status.SOLVED
    np.testing.assert_allclose(fit.theta.coef, dense.coef, rtol=1e-8)
    np.testing.assert_allclose(fit.theta.intercept, dense.intercept, rtol=1e-8)


def test_profile_interval_of_a_probability_without_covariates_is_the_likelihood_ratio_interval():
    y = np.repeat([0, 1], [40, 10])
    result = LogisticRegression(C=np.inf).fit(RNG.normal(size=(50, 1)) * 0 + np.arange(50)[:, None] % 2, y)
    low, high = result.result_.interval(0.95, "profile")[1]

    def fall(slope):
        # The other parameter, profiled by a search of its own.
        x = np.arange(50) % 2

        def nll(b):
            eta = b + slope * x
            return np.logaddexp(0, eta).sum() - (eta * y).sum()

        return optimize.minimize_scalar(nll, bounds=(-9, 9), method="bounded", options={"xatol": 1e-9}).fun

    half = 3.841458820694124 / 2
    best = -result.result_.log_likelihood
    assert fall(low) - best == pytest.approx(half, rel=1e-6)
    assert fall(high) - best == pytest.approx(half, rel=1e-6)
    assert low < result.result_.params[1] < high


@pytest.mark.parametrize("name", ["linear", "poisson", "softmax"])
def test_wald_and_profile_intervals_agree_where_rows_are_many(name):
    model, y = {
        "linear": (LinearRegression(), NOISY),
        "poisson": (PoissonRegression(alpha=0), COUNTS),
        "softmax": (LogisticRegression(C=np.inf), THREE),
    }[name]
    many, ys = np.repeat(X, 30, axis=0), np.repeat(y, 30)
    result = model.fit(many, ys).result_
    width = np.diff(result.interval()).ravel()
    assert (np.abs(result.interval(method="profile") - result.interval()).max(axis=1) < 0.02 * width).all()


def test_a_penalised_table_says_so_first_and_its_errors_are_of_the_shrunken_estimate():
    result = Ridge(alpha=50.0).fit(X, NOISY).result_
    assert result.penalised
    assert result.summary().startswith("Penalised fit (L2, C = 0.02), not maximum likelihood")
    Z = np.column_stack([np.ones(N), X])
    bread = np.linalg.inv(Z.T @ Z + 50 * np.diag([0, 1, 1, 1, 1]))
    expected = result.sigma2 * bread @ Z.T @ Z @ bread
    np.testing.assert_allclose(result.covariance, expected, rtol=1e-9)
    for model, y in [(LogisticRegression(), BINARY), (PoissonRegression(), COUNTS)]:
        assert model.fit(X, y).result_.summary().startswith("Penalised fit")


def test_names_come_from_the_frame_with_the_intercept_first():
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert LinearRegression().fit(frame, NOISY).result_.names == ("intercept", "a", "b", "c", "d")
    assert LinearRegression(fit_intercept=False).fit(X, NOISY).result_.names == ("x0", "x1", "x2", "x3")
    softmax = LogisticRegression(C=np.inf).fit(frame, THREE).result_
    assert softmax.names[:2] == ("1: intercept", "1: a")
    assert softmax.names[-1] == "2: d"


def test_separated_classes_are_warned_of_and_have_no_finite_error():
    y = X[:, 0] > 0
    with pytest.warns(ThetaHatWarning, match="completely separated"):
        model = LogisticRegression(C=np.inf).fit(X, y)
    assert model.status_ is Status.SEPARABLE
    assert np.isnan(model.result_.standard_errors).all()
    assert "column 0" in model.result_.summary()


def test_collinear_columns_are_warned_of_and_have_no_finite_error():
    with pytest.warns(ThetaHatWarning, match="is a combination of"):
        model = LinearRegression().fit(np.column_stack([X, X[:, 0] + X[:, 1]]), NOISY)
    assert model.status_ is Status.NOT_IDENTIFIED
    assert np.isnan(model.result_.standard_errors).all()
    assert "No standard errors" in model.result_.summary()


def test_as_many_parameters_as_rows_leave_no_error():
    result = LinearRegression().fit(X[: D + 1], NOISY[: D + 1]).result_
    assert not result.status.ok
    assert np.isnan(result.standard_errors).all()


def test_a_pickle_holds_the_table_and_not_the_rows():
    model = LinearRegression().fit(X, NOISY)
    packed = pickle.dumps(model)
    assert X.tobytes()[:256] not in packed
    again = pickle.loads(packed)
    np.testing.assert_array_equal(again.result_.standard_errors, model.result_.standard_errors)
    np.testing.assert_array_equal(
        again.result_.with_errors("HC3").standard_errors, model.result_.with_errors("HC3").standard_errors
    )
    with pytest.raises(UsageError, match="need the rows"):
        _ = again.result_.with_errors("clustered", np.arange(N)).standard_errors


def test_several_outputs_have_no_single_record():
    with pytest.raises(UsageError, match="one output"):
        _ = LinearRegression().fit(X, np.column_stack([NOISY, NOISY])).result_


@pytest.mark.parametrize("of", ["mean", "observation"])
def test_prediction_intervals_of_least_squares_equal_statsmodels(of):
    ours = predict_interval(LinearRegression().fit(X, NOISY), X[:7], 0.9, of=of)
    peer = sm.OLS(NOISY, sm.add_constant(X)).fit().get_prediction(sm.add_constant(X)[:7]).summary_frame(0.1)
    low, high = {"mean": ("mean_ci_lower", "mean_ci_upper"), "observation": ("obs_ci_lower", "obs_ci_upper")}[
        of
    ]
    np.testing.assert_allclose(ours.value, peer["mean"], rtol=1e-9)
    np.testing.assert_allclose(ours.low, peer[low], rtol=1e-8)
    np.testing.assert_allclose(ours.high, peer[high], rtol=1e-8)


def test_prediction_intervals_of_a_probability_stay_between_0_and_1():
    model = LogisticRegression(C=np.inf).fit(X, BINARY)
    found = predict_interval(model, X)
    assert ((found.low > 0) & (found.low < found.value) & (found.value < found.high) & (found.high < 1)).all()
    with pytest.raises(UsageError, match="normal model"):
        predict_interval(model, X, of="observation")


def test_an_l1_penalty_is_refused_by_name():
    with pytest.raises(UsageError, match="l1_ratio"):
        LogisticRegression(l1_ratio=0.5).fit(X, BINARY)


def test_a_warm_start_at_the_optimum_takes_no_step():
    model = LogisticRegression(warm_start=True).fit(X, THREE)
    assert model.n_iter_[0] > 1
    assert model.fit(X, THREE).n_iter_[0] <= 1


def test_a_class_that_is_missing_keeps_its_place_and_is_all_but_impossible():
    codes = np.where(THREE == 1, 2, THREE)
    fit = Logistic(classes=3).estimate(Sample(X, codes), rng=RNG)
    probability = Logistic(classes=3).predict(fit.theta, X).probability
    assert fit.status is Status.SOLVED
    assert fit.detail == "no row of class 1"
    assert probability[:, 1].max() < 1e-7
    alone = Logistic().estimate(Sample(X, codes // 2), rng=RNG)
    np.testing.assert_allclose(
        probability[:, 2], Logistic().predict(alone.theta, X).probability[:, 1], atol=1e-7
    )


def test_many_parameters_are_fitted_by_their_gradient_alone():
    wide = RNG.normal(size=(60, 700))
    y = np.arange(60) % 3
    fit = Logistic(classes=3).estimate(Sample(wide, y), rng=RNG)
    assert fit.status is Status.SOLVED
    assert fit.stats["gradient"] < 1e-6


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("C", [1.0, np.inf])
# The few rows are fitted by gradients where even their Hessian is dear, or else by Newton's method.
@pytest.mark.parametrize("cheap", [1e3, 5e5])
def test_the_way_of_few_hessians_and_newtons_method_end_at_the_same_point(classes, C, cheap, monkeypatch):
    from thetahat.linear import objective

    # Of a generator of its own: whether two counts of steps differ must not hang on which tests ran before.
    rng = np.random.default_rng(1)
    many = rng.normal(size=(12_000, 6)) @ rng.normal(size=(6, 6))
    y = (many[:, :classes] + 3 * rng.gumbel(size=(len(many), classes))).argmax(axis=1)
    sample, model = Sample(many, y), Logistic(C=C, classes=classes)
    monkeypatch.setattr(objective, "CHEAP_HESSIAN", np.inf)
    newton = model.estimate(sample, rng=RNG)
    monkeypatch.setattr(objective, "CHEAP_HESSIAN", cheap)
    rounded = model.estimate(sample, rng=RNG)
    assert newton.status is rounded.status is Status.SOLVED
    assert rounded.stats["iterations"] != newton.stats["iterations"]
    np.testing.assert_allclose(rounded.theta.coef, newton.theta.coef, atol=1e-8)
    np.testing.assert_allclose(rounded.theta.intercept, newton.theta.intercept, atol=1e-8)


def test_the_way_of_few_hessians_survives_rows_sorted_by_class_and_separable_few_rows(monkeypatch):
    from thetahat.linear import objective

    monkeypatch.setattr(objective, "CHEAP_HESSIAN", 1e3)
    monkeypatch.setattr(objective, "FEWEST_ROWS", 20)
    monkeypatch.setattr(objective, "ROWS_A_PARAMETER", 2)
    y = np.zeros(2000, dtype=int)
    y[1::100] = 1  # every so-manieth row is of one class
    many = RNG.normal(size=(2000, 5)) + 0.3 * y[:, None]
    fit = Logistic(C=np.inf).estimate(Sample(many, y), rng=RNG)
    assert fit.status is Status.SOLVED
    assert fit.stats["gradient"] < 1e-6


@pytest.mark.parametrize("size", [1e-6, 1e6], ids=["far too flat", "far too steep"])
def test_a_useless_hessian_is_given_up_for_newtons_method(size, monkeypatch):
    from thetahat.linear import objective

    monkeypatch.setattr(objective, "CHEAP_HESSIAN", 0)
    model, codes = Logistic(max_iter=30), (BINARY == "yes").astype(int)
    loss = model.loss(Sample(X, codes))
    useless = size * np.triu(RNG.normal(size=(D + 1, D + 1))) + np.diag(np.logspace(-4, 4, D + 1) * size)
    found = objective.minimise(loss, np.zeros(D + 1), max_iter=30, tol=1e-8, factor=useless)
    monkeypatch.undo()
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(
        model.split(found.theta).coef,
        model.estimate(Sample(X, codes), rng=RNG).theta.coef,
        atol=1e-8,
    )
    monkeypatch.setattr(objective, "CHEAP_HESSIAN", 0)
    assert objective.minimise(loss, np.zeros(D + 1), max_iter=2, tol=1e-8).status is Status.MAX_ITER


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_leverage_enters_the_sandwich_of_a_logistic_fit_as_of_weighted_least_squares(kind):
    model = LogisticRegression(C=np.inf).fit(X, BINARY)
    p, Z = model.predict_proba(X)[:, 1], np.column_stack([np.ones(N), X])
    W = p * (1 - p)
    bread = np.linalg.inv(Z.T @ (W[:, None] * Z))
    leverage = W * np.einsum("ij,jk,ik->i", Z, bread, Z)
    off = ((BINARY == "yes") - p) ** 2 / (1 - leverage) ** (1 if kind == "HC2" else 2)
    expected = bread @ (Z.T @ (off[:, None] * Z)) @ bread
    np.testing.assert_allclose(model.result_.with_errors(kind).covariance, expected, rtol=1e-7)


def test_the_leverages_of_a_softmax_fit_sum_to_its_parameters_and_two_classes_are_the_binary_case():
    from thetahat.linear import inference
    from thetahat.linear.objective import CATEGORICAL, PenalisedLoss

    model = LogisticRegression(C=np.inf).fit(X, THREE)
    sandwich = model.result_.covariance_of.__self__.sandwich
    assert sandwich.leverage.sum() == pytest.approx(2 * (D + 1))
    assert sandwich.lost == pytest.approx(2 * (D + 1))
    binary = LogisticRegression(C=np.inf).fit(X, BINARY)
    loss = binary.result_.covariance_of.__self__.loss
    half = np.r_[binary.intercept_, binary.coef_[0]][:, None] / 2
    as_softmax = PenalisedLoss(loss.design, loss.y, loss.weight, loss.penalty, CATEGORICAL, 2)
    twin = inference._Likelihood(as_softmax, np.hstack([-half, half]))
    for kind in ("observed", "HC0", "HC2", "HC3"):
        np.testing.assert_allclose(
            twin.covariance(kind, None), binary.result_.with_errors(kind).covariance, rtol=1e-7
        )


@pytest.mark.parametrize("name", ["linear", "linear, two outputs", "ridge", "poisson", "binary", "softmax"])
def test_single_precision_comes_back_as_given_and_is_fitted_in_double(name):
    model, _, y = PAIRS[name]
    double = model.fit(X.astype(np.float32).astype(np.float64), y).coef_.copy()
    single = model.fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.asarray(single.intercept_).dtype == np.float32
    np.testing.assert_array_equal(single.coef_, double.astype(np.float32))
    if not hasattr(model, "classes_"):
        assert single.predict(X.astype(np.float32)).dtype == np.float32


def test_ridge_of_one_output_in_two_dimensions_has_a_flat_coefficient_as_scikit_learns():
    ours, theirs = Ridge().fit(X, NOISY[:, None]), linear_model.Ridge().fit(X, NOISY[:, None])
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    assert ours.predict(X).shape == theirs.predict(X).shape
