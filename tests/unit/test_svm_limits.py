"""What a kernel machine says of a fit that is not what it should be."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from thetahat.contracts import Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.svm.classification import SVC
from thetahat.svm.novelty import OneClassSVM
from thetahat.svm.regression import SVR


def noisy(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    return X, (X[:, 0] + rng.standard_normal(n) > 0).astype(int)


def test_too_few_steps_are_said_with_the_cure():
    X, y = noisy()
    with pytest.warns(ConvergenceWarning, match=r"Solver terminated early \(max_iter=5\).*raise max_iter"):
        fit = SVC(max_iter=5).fit(X, y)
    assert fit.status_ is Status.MAX_ITER
    assert fit.fit_status_ == 1
    assert fit.kkt_violation_ > 1e-3
    assert fit.n_iter_[0] == 5


def test_too_little_time_is_said_with_the_cure():
    X, y = noisy()
    with pytest.warns(ConvergenceWarning, match="time_limit"):
        fit = SVC(time_limit=0).fit(X, y)
    assert fit.status_ is Status.OUT_OF_TIME


@pytest.mark.filterwarnings("ignore:Solver terminated early")
def test_an_unscaled_column_and_a_huge_price_end_within_the_limit():
    X, y = noisy()
    X[:, 1] *= 1e6
    fit = SVC(kernel="linear", C=1e9, max_iter=20_000).fit(X, y)
    assert fit.status_ in (Status.SOLVED, Status.MAX_ITER, Status.NOT_CONVERGED)
    assert fit.n_iter_[0] <= 20_000


def test_an_indefinite_kernel_is_said():
    X, y = noisy(100)
    with pytest.warns(ThetaHatWarning, match="sigmoid is not positive semi-definite"):
        fit = SVC(kernel="sigmoid", gamma=2.0, coef0=-1.0).fit(X, y)
    assert fit.indefinite_
    assert not SVC(kernel="precomputed").fit(X @ X.T, y).indefinite_


def test_an_indefinite_kernel_of_many_rows_is_said():
    X, y = noisy(700)
    K = X @ X.T
    with pytest.warns(ThetaHatWarning, match="precomputed is not positive semi-definite"):
        SVC(kernel="precomputed").fit(K - 2.0 * np.eye(700), y)


def test_a_price_beyond_what_sums_hold_is_an_error():
    X, y = noisy(50)
    for machine in (SVC(), SVR(), OneClassSVM()):
        with pytest.raises(UsageError, match="lower either"):
            machine.fit(X, y, sample_weight=np.full(50, 1e300))


def test_an_infinite_price_is_a_hard_margin_in_the_unit_of_the_target():
    X = np.linspace(-1, 1, 30)[:, None]
    hard = SVR(C=np.inf, epsilon=1e3).fit(X, 1e6 * X[:, 0] ** 3)
    assert hard.status_.ok
    assert np.abs(hard.predict(X) - 1e6 * X[:, 0] ** 3).max() <= 1.01e3
    assert not hard.n_bounded_.any()


def test_an_overflowing_kernel_is_an_error():
    X, y = noisy(50)
    with pytest.raises(UsageError, match="overflows"):
        SVC(kernel="poly", degree=80, gamma=1.0).fit(X * 1e10, y)


def test_large_targets_reach_the_tolerance():
    X, _ = noisy()
    y = 1e5 * X[:, 0] + 1e6
    fit = SVR(C=1e6, epsilon=10.0).fit(X, y)
    assert fit.status_.ok
    assert fit.kkt_violation_ <= 1e-3


def test_a_class_without_weight_loses_its_row_but_keeps_its_name():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    fit = SVC().fit(X, [0, 0, 1, 2], sample_weight=[1, 1, 1, 0])
    assert list(fit.classes_) == [0, 1, 2]
    assert fit.n_support_[2] == 0
    with pytest.raises(UsageError, match="same class"):
        SVC().fit(X, [0, 0, 1, 1], sample_weight=[1, 1, 0, 0])


def test_support_vectors_that_were_taken_away_are_noticed():
    X, y = noisy(60)
    fit = SVC().fit(X, y)
    fit.support_vectors_ = fit.support_vectors_[:3]
    with pytest.raises(UsageError, match="altered"):
        fit.predict(X)


def test_the_scale_of_sparse_rows_far_from_0_keeps_its_digits():
    from scipy import sparse

    from thetahat.svm.machine import variance

    # Whole numbers on a large one are exact, so moving them moves no deviation.
    X = np.random.default_rng(0).integers(0, 50, (30, 3)).astype(float)
    weight = np.random.default_rng(1).integers(1, 4, 30).astype(float)
    for each in (None, weight):
        assert variance(sparse.csr_matrix(X + 2.0**40), each) == pytest.approx(variance(X, each), rel=1e-9)
