"""Probabilities for a learner that gives scores alone."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.svm import LinearSVC

import thetahat as th
from thetahat.comparison.calibrated import Calibrated, gives_scores_alone, needs_probabilities
from thetahat.contracts import Sample
from thetahat.measures.measure import Target
from thetahat.measures.registry import MEASURES, choose_measure
from thetahat.resampling.adapter import SklearnPredictor
from thetahat.resampling.plans import KFold, Rows
from thetahat.svm.estimator import SupportVectorMachine


def rows(n=120, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    f = X[:, 0] + 0.7 * rng.normal(size=n)
    return Sample(X, np.searchsorted(np.quantile(f, np.arange(1, classes) / classes), f))


def test_two_classes_get_the_probabilities_of_platt():
    sample, machine = rows(), SupportVectorMachine(2, "rbf")
    calibrated = Calibrated(machine, 2)
    fit = calibrated.estimate(sample, rng=np.random.default_rng(3))
    inner = np.random.default_rng(3).spawn(2)[0]
    score, y = np.empty(120), sample.y
    for draw in KFold(5).draws(Rows(120, y), rng=inner):
        theta = machine.estimate(sample.take(draw.train), rng=inner).theta
        score[draw.test] = machine.predict(theta, sample.X[draw.test]).score[:, 1]
    ones = np.count_nonzero(y == 1)
    t = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (120 - ones + 2))

    def cross_entropy(ab):
        f = ab[0] + ab[1] * score
        return np.sum(np.logaddexp(0, f) - t * f)

    a, b = minimize(cross_entropy, [0.0, 1.0], method="BFGS", options={"gtol": 1e-8}).x
    new = rows(50, seed=1).X
    of_all = machine.predict(machine.estimate(sample, rng=inner).theta, new).score[:, 1]
    given = calibrated.predict(fit.theta, new).probability[:, 1]
    np.testing.assert_allclose(given, 1 / (1 + np.exp(-a - b * of_all)), rtol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_sum_to_one_and_never_vanish_where_scores_separate(classes):
    sample = rows(90, classes)
    apart = Sample(sample.X + 50.0 * sample.y[:, None], sample.y)
    calibrated = Calibrated(SupportVectorMachine(classes, "linear"), classes)
    fit = calibrated.estimate(apart, rng=np.random.default_rng(0))
    probability = calibrated.predict(fit.theta, apart.X).probability
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-12)
    assert (probability > 1e-12).all()
    assert (probability.argmax(axis=1) == apart.y).all()


def test_which_measures_need_probabilities_and_which_learners_give_scores_alone():
    target = Target("classification", ("a", "b"), costs=np.eye(2))
    needing = {
        name
        for name, entry in MEASURES.items()
        if entry.task == "classification" and needs_probabilities(choose_measure(name, target), target)
    }
    assert needing == {"log-loss", "brier"}
    assert gives_scores_alone(SupportVectorMachine(2))
    assert gives_scores_alone(SklearnPredictor(LinearSVC(), 2))
    assert not gives_scores_alone(SupportVectorMachine(None))


def test_a_kernel_machine_is_compared_by_log_loss_and_that_is_said():
    sample = rows()
    frame = pd.DataFrame(sample.X, columns=list("uvw")).assign(y=np.array(["no", "yes"])[sample.y])
    found = th.compare(frame, "y", ["svm-rbf", "logistic"], metric="log-loss", resampling="cv:3").record
    (machine,) = [m for m in found.models if m.name == "svm-rbf"]
    assert machine.loss is not None
    assert machine.tuning is not None
    (said,) = [w.cause for w in found.warnings if w.place == "model svm-rbf"]
    assert "calibrated on its scores inside each training fold" in said
    assert "chosen by the error rate" in said
