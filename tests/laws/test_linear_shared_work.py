"""Work shared by many draws and penalties gives what refitting each of them gives."""

import numpy as np
import pytest

from thetahat.contracts import Draw, Sample, SharesWork, Status
from thetahat.linear.least_squares import LeastSquares
from thetahat.numerics.scatter import Total, moments

N, D = 120, 6
PENALTIES = [1e-6, 0.01, 1.0, 1e4]


def folds(rng, count=5, n=N):
    order = rng.permutation(n)
    tests = np.array_split(order, count)
    return [Draw(np.sort(np.setdiff1d(order, test)), np.sort(test)) for test in tests]


def bootstraps(rng, count=3):
    draws = []
    for _ in range(count):
        train = rng.integers(N, size=N)
        draws.append(Draw(train, np.setdiff1d(np.arange(N), train)))
    return draws


def some_of(rng):
    order = rng.permutation(N)
    return [Draw(order[:30], order[30:60]), Draw(order[30:110], order[110:])]


PLANS = {
    "folds": folds,
    "two runs of folds": lambda rng: folds(rng) + folds(rng),
    "one fold": lambda rng: folds(rng)[:1],
    "bootstrap": bootstraps,
    "holdouts that leave rows out": some_of,
    "leave one out": lambda rng: folds(rng, N)[:70],
}


def sample(rng, *, weighted=False, outputs=1):
    X = rng.normal(size=(N, D)) * [1, 10, 0.1, 1, 1, 3] + [0, 100, -3, 0, 1e3, 2]
    y = X @ rng.normal(size=(D, outputs)) + rng.normal(size=(N, outputs)) + 50
    return Sample(X, y[:, 0] if outputs == 1 else y, rng.uniform(0.5, 2, size=N) if weighted else None)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(
    "model",
    [
        LeastSquares(C=1.0),
        LeastSquares(C=1.0, standardise=True),
        LeastSquares(C=1.0, intercept=False),
    ],
    ids=["plain", "standardised", "no intercept"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_shared_least_squares_equal_refitting_each(plan, model, weighted):
    rng = np.random.default_rng(1)
    data = sample(rng, weighted=weighted, outputs=2)
    draws = PLANS[plan](rng)
    assert isinstance(model, SharesWork)
    shared = iter(model.prepare(data).solve(draws, PENALTIES, rngs=[]))
    for draw in draws:
        for C in PENALTIES:
            fit = next(shared)
            alone = type(model)(C, model.intercept, model.standardise).estimate(
                data.take(draw.train), rng=rng
            )
            assert fit.status is alone.status
            np.testing.assert_allclose(fit.theta.coef, alone.theta.coef, rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(fit.theta.intercept, alone.theta.intercept, rtol=1e-8, atol=1e-7)
    assert next(shared, None) is None


@pytest.mark.parametrize("noise", [1.0, 1e-3], ids=["noisy", "almost exact"])
@pytest.mark.parametrize("plan", PLANS)
def test_held_out_errors_from_moments_equal_predicting_each_row(plan, noise):
    rng = np.random.default_rng(2)
    data = sample(rng)
    data = Sample(data.X, data.X @ np.arange(1.0, D + 1) + noise * rng.normal(size=N))
    draws = PLANS[plan](rng)
    model = LeastSquares()
    errors = model.prepare(data).squared_errors(draws, [1.0, 1e6])
    fits = iter(model.prepare(data).solve(draws, [1.0, 1e6], rngs=[]))
    for by_draw, draw in zip(errors, draws, strict=True):
        for error in by_draw:
            predicted = model.predict(next(fits).theta, data.X[draw.test]).value
            by_row = ((data.y[draw.test] - predicted) ** 2).mean()
            np.testing.assert_allclose(error[0], by_row, rtol=1e-8, atol=1e-8 * noise**2)


def test_maximum_likelihood_is_shared_too_and_falls_back_where_moments_lose_the_digits():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 3))
    close = np.column_stack([X, X[:, 0] + 1e-7 * rng.normal(size=N)])
    y = close @ [1.0, 2.0, 3.0, 4.0]
    for columns, worst in [(X, 1e-12), (close, 1e-6)]:
        for draw, fit in zip(
            draws := folds(rng), LeastSquares().prepare(Sample(columns, y)).solve(draws, []), strict=True
        ):
            alone = LeastSquares().estimate(Sample(columns, y).take(draw.train), rng=rng)
            np.testing.assert_allclose(fit.theta.coef, alone.theta.coef, rtol=worst)


def test_a_collinear_draw_is_not_called_solved():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(N, 3))
    X[:, 2] = X[:, 0] - X[:, 1]
    fits = list(LeastSquares().prepare(Sample(X, X[:, 0])).solve(folds(rng), [np.inf, 1.0], rngs=[]))
    assert {fit.status for fit in fits[::2]} == {Status.NOT_IDENTIFIED}
    assert {fit.status for fit in fits[1::2]} == {Status.SOLVED}


def test_what_is_left_after_subtraction_is_as_good_as_the_sum_of_the_rest():
    rng = np.random.default_rng(5)
    # One part outweighs the others a hundred million million times.
    parts = [moments(rng.normal(size=(20, 3)) * size, 1) for size in (1.0, 1e7, 1.0)]
    left = Total.of(parts).without(parts[1])
    np.testing.assert_allclose(left.matrix, parts[0].matrix + parts[2].matrix, rtol=1e-14)


def many_draws(rows, count, rng):
    return [Draw(rng.integers(rows, size=rows), np.arange(0)) for _ in range(count)]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("C", [0.1, np.inf])
def test_many_draws_at_once_equal_refitting_each(C, weighted, intercept):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) + 3.0
    weight = rng.uniform(0.5, 2.0, size=50) if weighted else None
    sample = Sample(X, X @ np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [0.0, 0.0]]) + 7.0, weight)
    model = LeastSquares(C, intercept)
    draws = many_draws(50, 12, rng)
    for draw, fit in zip(draws, model.prepare(sample).solve(draws), strict=True):
        alone = model.estimate(sample.take(draw.train), rng=rng)
        np.testing.assert_allclose(fit.theta.coef, alone.theta.coef, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(fit.theta.intercept, alone.theta.intercept, rtol=1e-8, atol=1e-9)


def test_draws_whose_digits_the_sums_cannot_carry_are_refitted():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 3))
    X[:, 2] = X[:, 0] + 1e-7 * X[:, 1] * rng.normal(size=40)
    sample = Sample(X, X[:, 0] + rng.normal(size=40))
    model = LeastSquares()
    draws = many_draws(40, 10, rng)
    for draw, fit in zip(draws, model.prepare(sample).solve(draws), strict=True):
        alone = model.estimate(sample.take(draw.train), rng=rng)
        assert fit.status is alone.status
        np.testing.assert_allclose(fit.theta.coef, alone.theta.coef, rtol=1e-6)
