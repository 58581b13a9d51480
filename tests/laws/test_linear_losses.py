"""The linear models' fused loops against the families they are the loss of."""

import numpy as np
import pytest

from thetahat.contracts import Sample
from thetahat.distributions.output import BernoulliOutput, CategoricalOutput, PoissonOutput
from thetahat.linear.fused import (
    bernoulli_slopes,
    bernoulli_terms,
    categorical_terms,
    poisson_slopes,
    poisson_terms,
)
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson

RNG = np.random.default_rng(0)
N = 400
WEIGHT = RNG.uniform(0.5, 2, size=N)


@pytest.mark.parametrize("size", [1.0, 30.0, 600.0])
def test_fused_bernoulli_is_the_family(size):
    eta, y = size * RNG.normal(size=N), RNG.integers(0, 2, size=N)
    terms = BernoulliOutput().nll_terms(y, eta[:, None])
    value, slope, curvature = bernoulli_terms(eta, y, WEIGHT)
    np.testing.assert_allclose(value, WEIGHT @ terms.value, rtol=1e-13)
    np.testing.assert_allclose(slope, WEIGHT * terms.d_eta[:, 0], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(curvature, WEIGHT * terms.d2_eta[:, 0, 0], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("size", [1.0, 30.0, 600.0])
def test_fused_categorical_is_the_family(size):
    eta, y = size * RNG.normal(size=(N, 4)), RNG.integers(0, 4, size=N)
    terms = CategoricalOutput(4).nll_terms(y, eta)
    value, slope, p = categorical_terms(eta, y, WEIGHT)
    np.testing.assert_allclose(value, WEIGHT @ terms.value, rtol=1e-13)
    np.testing.assert_allclose(slope, WEIGHT[:, None] * terms.d_eta, rtol=1e-10, atol=1e-300)
    off = -p[:, :, None] * p[:, None, :]
    off[:, np.arange(4), np.arange(4)] += p
    np.testing.assert_allclose(off, terms.d2_eta, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("size", [1.0, 5.0])
def test_fused_poisson_is_the_family_less_its_constant(size):
    eta, y = size * RNG.normal(size=N), RNG.poisson(3.0, size=N)
    terms, at_zero = (PoissonOutput().nll_terms(y, e[:, None]) for e in (eta, np.zeros(N)))
    value, slope, curvature = poisson_terms(eta, y.astype(float), WEIGHT)
    np.testing.assert_allclose(value - WEIGHT.sum(), WEIGHT @ (terms.value - at_zero.value), rtol=1e-12)
    np.testing.assert_allclose(slope, WEIGHT * terms.d_eta[:, 0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(curvature, WEIGHT * terms.d2_eta[:, 0, 0], rtol=1e-12)


@pytest.mark.parametrize("size", [1.0, 600.0])
def test_slopes_of_many_fits_are_the_slopes_of_each(size):
    eta, y = size * RNG.normal(size=(N, 3)), RNG.integers(0, 2, size=N)
    weight = np.column_stack([WEIGHT] * 3)
    slopes = bernoulli_slopes(eta, y, weight)
    for c in range(3):
        np.testing.assert_allclose(
            slopes[:, c], bernoulli_terms(eta[:, c].copy(), y, WEIGHT)[1], rtol=1e-9, atol=1e-15
        )
    eta = np.clip(eta, -30, 30)
    slopes = poisson_slopes(eta, y.astype(float), weight)
    for c in range(3):
        single = poisson_terms(eta[:, c].copy(), y.astype(float), WEIGHT)[1]
        np.testing.assert_allclose(slopes[:, c], single, rtol=1e-9, atol=1e-12)


MODELS = {
    "binary": (Logistic(C=0.7), 2),
    "binary, no intercept": (Logistic(C=0.7, intercept=False), 2),
    "softmax": (Logistic(C=0.7, classes=3), 3),
    "softmax, no intercept": (Logistic(C=0.7, classes=3, intercept=False), 3),
    "poisson": (Poisson(C=0.7), 5),
}


@pytest.mark.parametrize("name", MODELS)
def test_gradient_and_hessian_of_the_loss_are_its_differences(name):
    model, levels = MODELS[name]
    X, y = RNG.normal(size=(N, 3)), RNG.integers(0, levels, size=N)
    loss = model.loss(Sample(X, y, WEIGHT))
    theta = 0.3 * RNG.normal(size=loss.design.width * loss.classes)
    point, step = loss.at(theta), 1e-5
    moves = step * np.eye(theta.size)
    slope = [(loss.at(theta + m).value - loss.at(theta - m).value) / (2 * step) for m in moves]
    np.testing.assert_allclose(point.gradient, slope, rtol=1e-6, atol=1e-6)
    bend = [(loss.at(theta + m).gradient - loss.at(theta - m).gradient) / (2 * step) for m in moves]
    penalty = np.diag(np.repeat(loss.penalty, loss.classes))
    np.testing.assert_allclose(point.information() + penalty, bend, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "levels"),
    [(LeastSquares(C=2.0), 9), (LeastSquares(), 9), *MODELS.values(), (Logistic(C=np.inf, classes=3), 3)],
)
def test_a_weight_of_two_is_a_row_that_stands_twice(model, levels):
    X, y = RNG.normal(size=(N, 3)), RNG.integers(0, levels, size=N)
    times = RNG.integers(0, 4, size=N)
    weighted = model.estimate(Sample(X, y, times.astype(float)), rng=RNG).theta
    repeated = model.estimate(Sample(np.repeat(X, times, axis=0), np.repeat(y, times)), rng=RNG).theta
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(weighted.intercept, repeated.intercept, rtol=1e-7, atol=1e-9)


def test_normal_likelihood_of_fixed_variance_and_squared_error_have_the_same_minimum():
    from thetahat.distributions.output import NormalOutput

    X, y = RNG.normal(size=(N, 3)), RNG.normal(size=N)
    theta = LeastSquares().estimate(Sample(X, y), rng=RNG).theta
    for sd in (0.1, 1.0, 7.0):
        d_eta = NormalOutput(sd).nll_terms(y, theta.eta(X)).d_eta
        np.testing.assert_allclose(X.T @ d_eta, 0, atol=1e-9 / sd**2)
        np.testing.assert_allclose(d_eta.sum(), 0, atol=1e-9 / sd**2)


def test_rows_that_are_all_but_certain_keep_the_digits_of_their_loss_and_slope():
    small = np.exp(-40.0)
    value, slope, _ = categorical_terms(np.array([[-40.0, 0.0, -40.0]]), np.array([1]), np.ones(1))
    assert value == pytest.approx(2 * small, rel=1e-14, abs=0)
    assert slope[0, 1] == pytest.approx(-2 * small, rel=1e-14, abs=0)
    one_row = np.array([[-40.0], [40.0], [-800.0]]), np.array([0, 1, 0]), np.ones((3, 1))
    slopes = bernoulli_slopes(*one_row)[:, 0]
    assert slopes == pytest.approx(np.array([small, -small, 0.0]), rel=1e-14, abs=0)
