"""Draws and penalties of logistic and Poisson regression fitted together are fitted as if alone."""

from dataclasses import replace

import numpy as np
import pytest

from thetahat.contracts import Draw, Sample, SharesWork, Status
from thetahat.linear import objective
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson

RNG = np.random.default_rng(0)
N, D = 300, 4
X = RNG.normal(size=(N, D)) * [1, 5, 0.2, 1]
MODELS = {
    "binary": (Logistic(), (X[:, 0] + RNG.logistic(size=N) > 0).astype(int)),
    "binary, no intercept": (Logistic(intercept=False), (X[:, 0] + RNG.logistic(size=N) > 0).astype(int)),
    "softmax": (Logistic(classes=3), (X[:, :3] / [1, 5, 0.2] + RNG.gumbel(size=(N, 3))).argmax(axis=1)),
    "poisson": (Poisson(), RNG.poisson(np.exp(0.3 * X[:, 0] + 0.5))),
}


def draws():
    order = np.random.default_rng(1).permutation(N)
    folds = [Draw(np.setdiff1d(order, test), test) for test in np.array_split(order, 4)]
    again = RNG.integers(N, size=N)
    return [*folds, Draw(again, np.setdiff1d(order, again)), Draw(order[:80], order[80:100])]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("cheap", [objective.CHEAP_HESSIAN, 0], ids=["newton", "gradients"])
@pytest.mark.parametrize("weighted", [False, True])
def test_shared_fits_equal_refitting_each(name, cheap, weighted, monkeypatch):
    monkeypatch.setattr(objective, "CHEAP_HESSIAN", cheap)
    model, y = MODELS[name]
    sample = Sample(X, y, RNG.uniform(0.5, 2, size=N) if weighted else None)
    capacities = [10.0, 0.01, np.inf, 1.0]
    assert isinstance(model, SharesWork)
    plan = draws()
    shared = list(model.prepare(sample).solve(plan, capacities, rngs=[]))
    assert len(shared) == len(plan) * len(capacities)
    for place, fit in enumerate(shared):
        draw, C = plan[place // 4], capacities[place % 4]
        alone = replace(model, C=C).estimate(sample.take(draw.train), rng=RNG)
        assert fit.status is alone.status is Status.SOLVED
        np.testing.assert_allclose(fit.theta.coef, alone.theta.coef, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(fit.theta.intercept, alone.theta.intercept, rtol=1e-6, atol=1e-8)


def test_a_draw_does_not_depend_on_the_company_it_is_in():
    model, y = MODELS["softmax"]
    plan = draws()
    together = list(model.prepare(Sample(X, y)).solve(plan, [1.0], rngs=[]))
    for draw, fit in zip(plan, together, strict=True):
        (alone,) = model.prepare(Sample(X, y)).solve([draw], [1.0], rngs=[])
        np.testing.assert_array_equal(alone.theta.coef, fit.theta.coef)


@pytest.mark.parametrize("cheap", [objective.CHEAP_HESSIAN, 0], ids=["newton", "gradients"])
def test_a_draw_without_one_class_and_a_separable_draw_say_what_refitting_says(cheap, monkeypatch):
    monkeypatch.setattr(objective, "CHEAP_HESSIAN", cheap)
    model, y = MODELS["binary"]
    apart = np.flatnonzero((X[:, 0] > 0.2) == (y == 1))
    one_class = np.flatnonzero(y == 1)
    plan = [Draw(apart[np.abs(X[apart, 0]) > 0.5], one_class), Draw(one_class, apart)]
    for fit, draw in zip(model.prepare(Sample(X, y)).solve(plan, [np.inf], rngs=[]), plan, strict=True):
        alone = replace(model, C=np.inf).estimate(Sample(X, y).take(draw.train), rng=RNG)
        assert fit.status is alone.status is Status.SEPARABLE
