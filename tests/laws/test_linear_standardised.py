"""A penalty in units of each draw's own columns is that of columns standardized by the draw's own rows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from thetahat.contracts import Draw, Sample
from thetahat.errors import UsageError
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson
from thetahat.numerics.threads import single_threaded

N = 120
RNG = np.random.default_rng(3)
LEVELS = RNG.integers(3, size=N)
# The last level has two rows, which some draws lack.
LEVELS[[5, 77]] = 3
NUMBERS = RNG.normal(size=(N, 4)) * [1.0, 1e-4, 1e3, 5.0] + [0.0, 20.0, 1e4, -3.0]
# A column that is constant in every draw that lacks one row, and one that is constant everywhere.
ALMOST = np.where(np.arange(N) == 11, 5.0, 0.1)
X = np.column_stack([NUMBERS, ALMOST, np.full(N, 0.3), np.eye(4)[LEVELS]])
WHICH = (True,) * 6 + (False,) * 4
ETA = NUMBERS[:, 0] + 1e4 * (NUMBERS[:, 1] - 20) - 0.5 * (LEVELS == 1)
MODELS = {
    "least squares": (LeastSquares(1.0), ETA + RNG.normal(size=N), 1e-8),
    "several outputs": (LeastSquares(1.0), np.column_stack([ETA, RNG.normal(size=N)]), 1e-8),
    "no intercept": (LeastSquares(1.0, intercept=False), ETA + RNG.normal(size=N), 1e-8),
    "logistic": (Logistic(1.0), (ETA + RNG.logistic(size=N) > 0).astype(int), 1e-7),
    "logistic, no intercept": (
        Logistic(1.0, intercept=False),
        (ETA + RNG.logistic(size=N) > 0).astype(int),
        1e-7,
    ),
    "softmax": (
        Logistic(1.0, classes=3),
        (ETA[:, None] * [0, 1, -1] + RNG.gumbel(size=(N, 3))).argmax(1),
        1e-7,
    ),
    "Poisson": (Poisson(1.0), RNG.poisson(np.exp(0.3 * ETA)).astype(float), 1e-7),
    "Poisson, averaged": (Poisson(50.0, averaged=True), RNG.poisson(np.exp(0.3 * ETA)).astype(float), 1e-7),
}


@pytest.fixture(autouse=True)
def one_thread():
    # As in a draw of replicate.
    with single_threaded():
        yield


def plan(rng):
    order = rng.permutation(N)
    folds = [Draw(np.setdiff1d(order, test), np.sort(test)) for test in np.array_split(order, 7)]
    again = [rng.integers(N, size=N) for _ in range(2)]
    return [*folds, *(Draw(rows, np.setdiff1d(order, rows)) for rows in again), Draw(order[:50], order[50:])]


def alone(model, which, sample, draw):
    """Fit the plain learner to columns standardized by the draw's rows, and predict its held-out rows."""
    train = sample.take(draw.train)
    scaler = StandardScaler(with_mean=model.intercept).fit(train.X)
    chosen = np.array(which)

    def scaled(rows):
        return np.where(chosen, scaler.transform(rows), rows)

    plain = replace(model, standardise=False)
    fit = plain.estimate(replace(train, X=scaled(train.X)), rng=np.random.default_rng(0))
    assert fit.status.ok
    return fit.theta.eta(scaled(sample.X[draw.test]))


@pytest.mark.parametrize(
    ("way", "which", "weighted"),
    [
        ("all at once", True, False),
        ("all at once", WHICH, True),
        ("several penalties", True, True),
        ("several penalties", WHICH, False),
        ("alone", WHICH, True),
        ("one fold", True, False),
    ],
    ids=lambda value: {True: "yes", False: "no", WHICH: "some"}.get(value, value),
)
@pytest.mark.parametrize("name", MODELS)
def test_fits_equal_those_to_standardized_columns(name, which, way, weighted):
    model, y, near = MODELS[name]
    model = replace(model, standardise=which)
    sample = Sample(X, y, RNG.uniform(0.5, 2.0, size=N) if weighted else None)
    draws = plan(np.random.default_rng(4))
    draws = draws[:1] if way == "one fold" else draws
    C = [model.C, 0.03] if way == "several penalties" else [model.C]
    if way == "alone":
        fits = [model.estimate(sample.take(draw.train), rng=RNG) for draw in draws]
    else:
        fits = list(model.prepare(sample).solve(draws, C if len(C) > 1 else []))
    assert len(fits) == len(draws) * len(C)
    chosen = np.broadcast_to(which, X.shape[1])
    for place, fit in enumerate(fits):
        draw = draws[place // len(C)]
        assert fit.status.ok
        expected = alone(replace(model, C=C[place % len(C)]), chosen, sample, draw)
        np.testing.assert_allclose(fit.theta.eta(X[draw.test]), expected, rtol=near, atol=near)


@pytest.mark.parametrize("name", ["least squares", "logistic", "Poisson"])
def test_sparse_columns_have_the_units_of_dense_ones(name):
    model, y, _ = MODELS[name]
    model = replace(model, standardise=True)
    # Without the columns whose offsets centering would take off.
    kept = X[:, [0, 3, 6, 7, 8, 9]]
    one, two = Sample(kept, y), Sample(sparse.csr_array(kept), y)
    draws = plan(np.random.default_rng(4))
    for first, second in zip(model.prepare(one).solve(draws), model.prepare(two).solve(draws), strict=True):
        np.testing.assert_allclose(second.theta.coef, first.theta.coef, rtol=1e-6, atol=1e-8)
    alone = model.estimate(two, rng=RNG).theta.coef
    np.testing.assert_allclose(alone, model.estimate(one, rng=RNG).theta.coef, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["least squares", "logistic", "logistic, no intercept", "Poisson, averaged"])
def test_draws_are_stepped_together_and_not_refitted(name, monkeypatch):
    model, y, _ = MODELS[name]
    shared = replace(model, standardise=True).prepare(Sample(X, y))
    if not isinstance(model, LeastSquares):
        shared._fit_all_rows([model.C])

    def refit(*_, **__):
        raise AssertionError("a draw was refitted")

    single = "estimate_columns" if isinstance(model, LeastSquares) else "estimate_from"
    monkeypatch.setattr(type(model), single, refit)
    # Of the last draw, whose rows are few, a likelihood is refitted.
    draws = plan(np.random.default_rng(4))[:9]
    assert all(fit.status.ok for fit in shared.solve(draws))


def test_one_truth_value_is_needed_for_each_column():
    model, y, _ = MODELS["logistic"]
    with pytest.raises(UsageError, match="has 2 values for 10 columns"):
        replace(model, standardise=(True, False)).estimate(Sample(X, y), rng=RNG)


@pytest.mark.parametrize("C", [[], [1.0, 0.1]], ids=["all at once", "several penalties"])
def test_a_constant_column_stands_in_for_an_intercept_that_there_is_not(C):
    rows = np.column_stack([X[:, 0], 3 * RNG.normal(size=N), np.full(N, 0.3)])
    model = LeastSquares(1.0, intercept=False, standardise=True)
    sample = Sample(rows, 2.0 + X[:, 0] + RNG.normal(size=N))
    draws = plan(np.random.default_rng(4))
    fits = list(model.prepare(sample).solve(draws, C))
    for place, fit in enumerate(fits):
        draw, c = draws[place // max(len(C), 1)], C[place % len(C)] if C else 1.0
        expected = alone(replace(model, C=c), (True,) * 3, sample, draw)
        np.testing.assert_allclose(fit.theta.eta(rows[draw.test]), expected, rtol=1e-8, atol=1e-8)
    assert fits[0].theta.coef[2, 0] > 0.1
