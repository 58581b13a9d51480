"""One kernel matrix for all draws and prices gives what refitting each gives."""

import numpy as np
import pytest

from thetahat.contracts import Draw, Sample, SharesWork
from thetahat.svm.classification import SVC
from thetahat.svm.estimator import SupportVectorMachine
from thetahat.svm.regression import SVR

PRICES = [0.05, 1.0, 20.0]


def table(classes, n=90):
    rng = np.random.default_rng(11)
    X = rng.standard_normal((n, 3))
    y = X[:, 0] + 0.4 * rng.standard_normal(n)
    if classes:
        y = np.digitize(y, np.linspace(-0.5, 0.5, classes - 1)) if classes > 2 else (y > 0).astype(int)
    order = rng.permutation(n)
    draws = [
        Draw(order[:60], order[60:]),
        Draw(order[30:], order[:30]),
        Draw(rng.integers(n, size=n), order[:9]),
    ]
    return Sample(X, y, rng.uniform(0.5, 2, n)), draws


# Where memory does not hold a float64 matrix, a fit is as exact as float32 lets it be verified.
@pytest.mark.parametrize(
    ("megabytes", "tol", "near"),
    [(100, 1e-10, 1e-8), (0.03, 2e-6, 2e-4), (0.01, 2e-6, 2e-4)],
    ids=["one matrix", "one a draw", "refitted"],
)
@pytest.mark.parametrize("gamma", ["scale", 0.7])
@pytest.mark.parametrize("classes", [2, 3, None])
def test_shared_work_equals_refitting_each(classes, gamma, megabytes, tol, near):
    machine = SupportVectorMachine(classes, gamma=gamma, tol=tol, megabytes=megabytes)
    sample, draws = table(classes)
    assert isinstance(machine, SharesWork)
    fits = list(machine.prepare(sample).solve(draws, PRICES))
    assert len(fits) == len(draws) * len(PRICES)
    for k, fit in enumerate(fits):
        draw, C = draws[k // len(PRICES)], PRICES[k % len(PRICES)]
        alone = SupportVectorMachine(classes, gamma=gamma, tol=1e-10, C=C)
        again = alone.estimate(sample.take(draw.train), rng=np.random.default_rng(0))
        assert fit.status.ok
        np.testing.assert_allclose(fit.theta(sample.X), again.theta(sample.X), atol=near)


@pytest.mark.parametrize("classes", [2, 3, None])
def test_the_estimator_equals_the_scikit_learn_class(classes):
    sample, _ = table(classes)
    machine = SupportVectorMachine(classes, tol=1e-9, C=3.0)
    said = machine.predict(machine.estimate(sample, rng=np.random.default_rng(0)).theta, sample.X)
    if classes is None:
        known = SVR(tol=1e-9, C=3.0).fit(sample.X, sample.y, sample.weight)
        np.testing.assert_allclose(said.value, known.predict(sample.X), atol=1e-7)
        return
    known = SVC(tol=1e-9, C=3.0).fit(sample.X, sample.y, sample.weight)
    np.testing.assert_array_equal(said.value, known.predict(sample.X))
    scores = known.decision_function(sample.X)
    np.testing.assert_allclose(said.score[:, 1] if classes == 2 else said.score, scores, atol=1e-7)


def test_one_matrix_is_enough_for_every_draw(monkeypatch):
    def refit(*_):
        raise AssertionError("a draw was refitted from its rows")

    monkeypatch.setattr("thetahat.svm.estimator.train", refit)
    sample, draws = table(3)
    workspace = SupportVectorMachine(3, gamma=0.7, tol=1e-10).prepare(sample)
    assert all(fit.status.ok for fit in workspace.solve(draws, PRICES))
