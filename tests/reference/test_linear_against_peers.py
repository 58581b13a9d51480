import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from thetahat.contracts import Sample, Status
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 5))


def test_least_squares_with_a_penalty_equals_scikit_learns_ridge():
    y = X @ RNG.normal(size=5) + RNG.normal(size=200) + 3
    fit = LeastSquares(C=0.5).estimate(Sample(X, y), rng=RNG)
    peer = Ridge(alpha=2.0).fit(X, y)
    np.testing.assert_allclose(fit.theta.coef[:, 0], peer.coef_, atol=1e-10)
    np.testing.assert_allclose(fit.theta.intercept[0], peer.intercept_, atol=1e-10)


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic_probabilities_equal_scikit_learns_at_a_tight_tolerance(classes):
    y = (X[:, :classes] + RNG.gumbel(size=(200, classes))).argmax(axis=1)
    ours = Logistic(C=1.0, classes=classes)
    fit = ours.estimate(Sample(X, y), rng=RNG)
    peer = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(X, y)
    assert fit.status is Status.SOLVED
    np.testing.assert_allclose(ours.predict(fit.theta, X).probability, peer.predict_proba(X), atol=1e-6)


def test_a_repeated_column_without_penalty_is_not_called_solved():
    fit = LeastSquares().estimate(Sample(np.column_stack([X, X[:, 0]]), X[:, 0]), rng=RNG)
    assert fit.status is Status.NOT_IDENTIFIED


def test_too_few_steps_are_not_called_solved():
    y = (X[:, 0] + RNG.logistic(size=200) > 0).astype(int)
    assert Logistic(max_iter=1).estimate(Sample(X, y), rng=RNG).status is Status.MAX_ITER
