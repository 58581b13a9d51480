from dataclasses import dataclass

import numpy as np
import pytest

from thetahat.contracts import Status
from thetahat.optimisers.lbfgs import lbfgs
from thetahat.optimisers.newton import newton
from thetahat.optimisers.preconditioned import preconditioned_lbfgs


@dataclass
class At:
    value: float
    gradient: np.ndarray
    curvature: np.ndarray

    def hessian(self):
        return self.curvature


class Rosenbrock:
    def at(self, theta):
        a, b = theta
        value = 100 * (b - a * a) ** 2 + (1 - a) ** 2
        gradient = np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])
        return At(value, gradient, np.array([[1200 * a * a - 400 * b + 2, -400 * a], [-400 * a, 200.0]]))


class Exponential:
    """Has no minimum: falls for ever."""

    def at(self, theta):
        e = np.exp(-theta[0])
        return At(float(e), np.array([-e]), np.array([[e]]))


class Walled:
    """−log of the distance to a wall at 0, plus a slope: a full step from 5 would leave the domain."""

    def at(self, theta):
        x = theta[0]
        if x <= 0:
            return At(np.nan, np.array([np.nan]), np.array([[np.nan]]))
        return At(float(x - np.log(x)), np.array([1 - 1 / x]), np.array([[1 / x**2]]))


@pytest.mark.parametrize("minimise", [newton, lbfgs])
def test_a_curved_valley_is_followed_to_its_minimum(minimise):
    found = minimise(Rosenbrock(), np.array([-1.2, 1.0]), tol=1e-9)
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(found.theta, [1, 1], atol=1e-8)
    assert found.gradient_norm < 1e-6


@pytest.mark.parametrize("minimise", [newton, lbfgs])
def test_too_few_steps_are_not_called_solved(minimise):
    assert minimise(Rosenbrock(), np.array([-1.2, 1.0]), max_iter=3).status is Status.MAX_ITER


def test_a_saddle_is_left_for_the_minimum():
    # The Hessian at the start has a negative eigenvalue.
    found = newton(Rosenbrock(), np.array([0.0, 1.0]))
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(found.theta, [1, 1], atol=1e-8)


def test_a_step_out_of_the_domain_is_halved():
    found = newton(Walled(), np.array([5.0]))
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(found.theta, [1.0], atol=1e-9)


@pytest.mark.parametrize("minimise", [newton, lbfgs])
def test_a_start_outside_the_domain_is_not_finite(minimise):
    assert minimise(Walled(), np.array([-1.0])).status is Status.NOT_FINITE


def test_a_function_without_a_minimum_is_not_called_solved():
    assert newton(Exponential(), np.zeros(1), max_iter=20).status is Status.MAX_ITER


def test_the_unit_of_a_column_changes_neither_steps_nor_end():
    scale = np.array([1e-6, 1e5])

    class Scaled:
        def at(self, theta):
            point = Rosenbrock().at(theta / scale)
            return At(point.value, point.gradient / scale, point.curvature / np.outer(scale, scale))

    plain = newton(Rosenbrock(), np.array([-1.2, 1.0]))
    scaled = newton(Scaled(), np.array([-1.2, 1.0]) * scale)
    assert scaled.iterations == plain.iterations
    np.testing.assert_allclose(scaled.theta / scale, plain.theta, rtol=1e-9)


class Correlated:
    """Of thirty parameters, badly scaled and correlated, not quite quadratic; its minimum is at 0."""

    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))[0]
    A = turned @ np.diag(np.logspace(0, 6, 30)) @ turned.T

    def at(self, theta):
        value = 0.5 * theta @ self.A @ theta + np.logaddexp(theta, -theta).sum()
        return At(float(value), self.A @ theta + np.tanh(theta), self.A)


def test_a_rough_hessian_takes_few_steps_where_plain_gradients_take_many():
    start = np.ones(30)
    rough = np.linalg.cholesky(1.5 * Correlated.A).T
    found = preconditioned_lbfgs(Correlated(), start, rough, tol=1e-8)
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(found.theta, 0, atol=1e-7)
    plain = preconditioned_lbfgs(Correlated(), start, np.eye(30), tol=1e-8)
    assert 4 * found.iterations < plain.iterations


def test_preconditioned_steps_report_how_they_ended():
    assert preconditioned_lbfgs(Walled(), np.array([-1.0]), np.eye(1)).status is Status.NOT_FINITE
    assert preconditioned_lbfgs(Exponential(), np.zeros(1), np.eye(1), max_iter=5).status is Status.MAX_ITER
    found = preconditioned_lbfgs(Walled(), np.array([5.0]), np.eye(1) / 5)
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(found.theta, [1.0], atol=1e-8)
