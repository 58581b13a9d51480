"""The naive executor: what it minimises, and what it remembers."""

import numpy as np
import pytest

from thetahat.autodiff import value_and_grad
from thetahat.distributions import CategoricalOutput
from thetahat.errors import UsageError
from thetahat.networks.engine import (
    Dropout,
    DynamicExecutor,
    TrainingProblem,
    negative_log_likelihood,
    normal_nll,
)
from thetahat.optimisers.adam import Adam
from thetahat.optimisers.sgd import SGD


def linear_problem(masks=None, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.standard_normal(40)

    def loss(parameters, batch):
        x = batch["X"] * batch["mask"] if masks else batch["X"]
        return np.mean((x @ parameters[0] - batch["y"]) ** 2)

    return TrainingProblem(loss, [np.zeros(3, dtype)], {"X": X, "y": y}, masks or {})


def test_sgd_step_is_the_gradient_times_the_rate():
    problem = linear_problem()
    executor = DynamicExecutor(problem, SGD(0.1))
    X, y = problem.data["X"][:8], problem.data["y"][:8]
    executor.run(np.arange(8), 8)
    np.testing.assert_allclose(executor.parameters[0], 0.1 * 2 / 8 * X.T @ y, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_follows_its_two_equations(nesterov):
    problem = linear_problem()
    executor = DynamicExecutor(problem, SGD(0.05, momentum=0.9, nesterov=nesterov))
    slope = value_and_grad(lambda p: problem.loss([p], problem.data))
    theta, v = np.zeros(3), np.zeros(3)
    for _ in range(5):
        g = slope(theta)[1]
        v = 0.9 * v - 0.05 * g
        theta = theta + (0.9 * v - 0.05 * g if nesterov else v)
        executor.run(np.arange(40), 40)
    np.testing.assert_allclose(executor.parameters[0], theta, rtol=1e-12)


def test_adam_follows_the_paper():
    problem = linear_problem()
    executor = DynamicExecutor(problem, Adam(0.05))
    slope = value_and_grad(lambda p: problem.loss([p], problem.data))
    theta, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
    for t in range(1, 8):
        g = slope(theta)[1]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta = theta - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        executor.run(np.arange(40), 40)
    np.testing.assert_allclose(executor.parameters[0], theta, rtol=1e-11)


def test_clipping_shortens_the_step_and_leaves_the_gradient_readable():
    problem = linear_problem()
    executor = DynamicExecutor(problem, SGD(1.0), clip_norm=0.01)
    executor.run(np.arange(40), 40)
    assert np.linalg.norm(executor.parameters[0]) == pytest.approx(0.01)
    assert np.linalg.norm(executor.gradients[0]) > 1


def test_a_restored_state_continues_bit_for_bit():
    masks = {"mask": Dropout((3,), 0.3)}
    whole = DynamicExecutor(linear_problem(masks), Adam(0.05))
    rng = np.random.default_rng(3)
    order = np.random.default_rng(4).permutation(40)
    whole.run(order, 7, rng=rng)
    kept, stream = whole.state, rng.bit_generator.state
    ahead = whole.run(order, 7, rng=rng)
    other = DynamicExecutor(linear_problem(masks), Adam(0.05))
    other.restore(kept)
    rng.bit_generator.state = stream
    np.testing.assert_array_equal(other.run(order, 7, rng=rng), ahead)
    np.testing.assert_array_equal(other.state.moments, whole.state.moments)


def test_between_can_end_a_run():
    executor = DynamicExecutor(linear_problem(), SGD(1e-6))
    losses = executor.run(np.tile(np.arange(40), 20_000), 1, between=lambda done: False)
    assert 0 < len(losses) < 800_000


def test_a_mask_keeps_the_mean_and_drops_its_share():
    problem = linear_problem({"mask": Dropout((300,), 0.25)})
    mask = problem.batch(np.arange(40), np.random.default_rng(0))["mask"]
    assert set(np.unique(mask)) == {0.0, 1 / 0.75}
    assert mask.mean() == pytest.approx(1, abs=0.02)


def test_learned_variance_costs_what_the_density_says():
    from scipy import stats

    rng = np.random.default_rng(0)
    mean, s, y = rng.standard_normal((3, 5, 2))
    expected = -stats.norm.logpdf(y, mean, np.exp(s)).sum(axis=1)
    np.testing.assert_allclose(normal_nll(mean, s, y), expected)


def test_the_categorical_loss_has_the_slope_of_softmax():
    from scipy.special import softmax

    eta, y = np.random.default_rng(0).standard_normal((4, 3)), np.array([0, 2, 1, 1])
    slope = value_and_grad(lambda e: np.sum(negative_log_likelihood(CategoricalOutput(3), e, y)))(eta)[1]
    np.testing.assert_allclose(slope, softmax(eta, axis=1) - np.eye(3)[y], atol=1e-12)


def test_mixed_precisions_are_refused():
    with pytest.raises(UsageError, match="one precision"):
        TrainingProblem(lambda p, b: 0.0, [np.zeros(2), np.zeros(2, np.float32)], {"X": np.zeros((3, 2))})
