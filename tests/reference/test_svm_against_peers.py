"""Kernel machines against LIBSVM's stored figures and against scikit-learn.

tests/data/heart_scale is LIBSVM's example set of 270 rows (https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/),
Statlog's heart data with every column scaled to [-1, 1].
"""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.svm as peer
from sklearn.datasets import load_iris, load_svmlight_file, make_regression

from thetahat.svm.classification import SVC
from thetahat.svm.novelty import OneClassSVM
from thetahat.svm.regression import SVR

TIGHT = {"tol": 1e-9}
KERNELS = [
    {"kernel": "linear"},
    {"kernel": "poly", "coef0": 1.0, "degree": 2},
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": "auto"},
    {"kernel": "sigmoid", "gamma": 0.01},
]


@pytest.fixture(scope="module")
def heart():
    X, y = load_svmlight_file(str(Path(__file__).parents[1] / "data" / "heart_scale"))
    return X.toarray(), y


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


def test_heart_scale_at_the_usual_tolerance_is_within_it(heart):
    X, y = heart
    fit = SVC(gamma=1 / 13).fit(X, y)
    assert fit.objective_[0] == pytest.approx(-100.877286, abs=2e-3)
    assert -fit.intercept_[0] == pytest.approx(0.424632, abs=1e-3)
    assert fit.status_.ok
    assert fit.kkt_violation_ <= 1e-3
    assert 0 <= fit.duality_gap_ < 0.05


def test_heart_scale_at_a_tight_tolerance_has_the_converged_optimum(heart):
    X, y = heart
    fit = SVC(gamma=1 / 13, tol=1e-10).fit(X, y)
    assert fit.objective_[0] == pytest.approx(-100.877291557, abs=1e-8)
    # LIBSVM keeps its kernel in float32, so its threshold has seven digits however tight its tolerance.
    assert -fit.intercept_[0] == pytest.approx(0.424507743, abs=1e-7)
    assert len(fit.support_) == 132
    assert (np.abs(np.abs(fit.dual_coef_) - 1) < 1e-9).sum() == 107
    assert fit.score(X, y) == pytest.approx(0.866667, abs=1e-6)


@pytest.mark.filterwarnings("ignore:kernel. sigmoid is not positive")
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("options", KERNELS, ids=lambda options: "-".join(map(str, options.values())))
def test_classifier_of_two_classes_equals_the_peer(heart, options, sparse):
    X, y = heart
    X = sp.csr_matrix(X) if sparse else X
    ours, theirs = SVC(**options, **TIGHT).fit(X, y), peer.SVC(**options, **TIGHT).fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-5)
    np.testing.assert_array_equal(ours.support_, theirs.support_)
    np.testing.assert_array_equal(ours.n_support_, theirs.n_support_)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)
    if options["kernel"] == "linear":
        first, second = ours.coef_, theirs.coef_
        assert sp.issparse(first) == sp.issparse(second) == sparse
        np.testing.assert_allclose(
            first.toarray() if sparse else first, second.toarray() if sparse else second, atol=1e-5
        )


@pytest.mark.parametrize("shape", ["ovr", "ovo"])
@pytest.mark.parametrize("options", KERNELS[:3], ids=lambda options: options["kernel"])
def test_classifier_of_three_classes_has_the_layout_and_values_of_the_peer(iris, options, shape):
    X, y = iris
    options = {**options, "decision_function_shape": shape, **TIGHT}
    # The peer's float32 kernel has five digits of these products.
    ours, theirs = SVC(**options).fit(X, y), peer.SVC(**options).fit(X, y)
    np.testing.assert_array_equal(ours.support_, theirs.support_)
    np.testing.assert_allclose(ours.dual_coef_, theirs.dual_coef_, atol=1e-3)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-3)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    if options["kernel"] == "linear":
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)


def test_classifier_with_class_and_row_weights_equals_the_peer(iris):
    X, y = iris
    weight = np.random.default_rng(3).uniform(0.2, 3, len(y))
    options = {"gamma": 0.3, "class_weight": {"versicolor": 2.5}, **TIGHT}
    ours, theirs = (kind(**options).fit(X, y, weight) for kind in (SVC, peer.SVC))
    np.testing.assert_allclose(ours.class_weight_, theirs.class_weight_)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_breaking_ties_equals_the_peer(iris):
    X, y = iris
    ours, theirs = (kind(break_ties=True, **TIGHT).fit(X, y) for kind in (SVC, peer.SVC))
    np.testing.assert_array_equal(ours.predict(X[::7]), theirs.predict(X[::7]))


def test_precomputed_and_callable_kernels_equal_the_named_one(heart):
    X, y = heart
    named = SVC(kernel="linear", **TIGHT).fit(X[:200], y[:200]).decision_function(X[200:])
    K = SVC(kernel="precomputed", **TIGHT).fit(X[:200] @ X[:200].T, y[:200])
    np.testing.assert_allclose(K.decision_function(X[200:] @ X[:200].T), named, atol=1e-7)
    called = SVC(kernel=lambda a, b: a @ b.T, **TIGHT).fit(X[:200], y[:200])
    np.testing.assert_allclose(called.decision_function(X[200:]), named, atol=1e-7)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 5.0])
@pytest.mark.parametrize("options", KERNELS[:3], ids=lambda options: options["kernel"])
def test_regression_equals_the_peer(options, epsilon):
    X, y = make_regression(120, 5, noise=5, random_state=0)
    weight = np.random.default_rng(4).uniform(0.5, 2, len(y))
    options = {**options, "C": 2.0, "epsilon": epsilon, "tol": 1e-8}
    options["gamma"] = 0.1
    ours, theirs = (kind(**options).fit(X, y, weight) for kind in (SVR, peer.SVR))
    assert ours.status_.ok
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4)
    np.testing.assert_allclose(ours.dual_coef_.sum(), 0, atol=1e-9)


@pytest.mark.parametrize("nu", [0.05, 0.5, 0.9])
def test_one_class_equals_the_peer(heart, nu):
    X, _ = heart
    weight = np.random.default_rng(5).uniform(0.5, 2, len(X))
    options = {"nu": nu, "gamma": 0.2, **TIGHT}
    ours, theirs = (kind(**options).fit(X, sample_weight=weight) for kind in (OneClassSVM, peer.OneClassSVM))
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), atol=1e-6)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-6)
    np.testing.assert_allclose(ours.offset_, theirs.offset_, atol=1e-6)


def test_one_class_with_all_rows_at_their_bound_is_the_sum_of_kernels(heart):
    X, _ = heart
    fit = OneClassSVM(kernel="linear", nu=1.0).fit(X)
    assert fit.status_.ok
    np.testing.assert_allclose(fit.score_samples(X), X @ X.sum(axis=0), rtol=1e-10)
