"""Replication by shared work gives what refitting every draw gives, whatever the workers."""

from dataclasses import fields, replace

import numpy as np
import pytest

from thetahat.contracts import Sample, SharesCapacities
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson
from thetahat.resampling.nested import NestedFolds
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.replicate import replicate
from thetahat.svm.estimator import SupportVectorMachine

LEARNERS = {
    "least squares": (LeastSquares(C=1.0), lambda y: y, 1e-10),
    "logistic": (Logistic(C=1.0), lambda y: (y > 0).astype(np.int64), 1e-6),
    "Poisson": (Poisson(C=1.0), lambda y: np.floor(np.exp(0.3 * y)), 1e-6),
    "support vectors": (SupportVectorMachine(None, tol=1e-6), lambda y: y, 1e-4),
}


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("plan", [KFold(5, 2), NestedFolds(6, 5)])
def test_replication_by_shared_work_equals_refitting(name, plan):
    learner, target, digits = LEARNERS[name]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    sample = Sample(X, target(X[:, 0] + rng.normal(size=60)))
    draws = plan.draws(Rows(60), rng=rng)

    def held_out(fit, train, test):
        predicted = learner.predict(fit.theta, test.X)
        return predicted.value if predicted.probability is None else predicted.probability[:, 1]

    shared, refitted = (
        replicate(learner, sample, draws, held_out, rng=np.random.default_rng(1), shared_work=way).values
        for way in (True, False)
    )
    np.testing.assert_allclose(np.concatenate(shared), np.concatenate(refitted), rtol=digits, atol=digits)


def test_the_values_are_the_same_to_the_bit_for_any_number_of_workers_and_told_as_they_end():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    sample = Sample(X, X[:, 0] + rng.normal(size=50))
    draws = KFold(10, 15).draws(Rows(50), rng=rng)
    together = 64
    assert len(draws) > 2 * together
    told = []
    one, two = (
        replicate(
            LeastSquares(1.0),
            sample,
            draws,
            slopes,
            rng=rng,
            jobs=jobs,
            finished=told.append,
            together=together,
        ).values
        for jobs in (1, 2)
    )
    assert np.array_equal(one, two)
    assert told[2] == told[-1] == len(draws)
    assert sorted(told[:3]) == told[:3]


def slopes(fit, train, test):
    return fit.theta.coef[:, 0]


@pytest.mark.parametrize("name", LEARNERS)
def test_capacities_are_the_values_of_C_of_the_same_learner_and_of_no_other(name):
    learner, *_ = LEARNERS[name]
    assert isinstance(learner, SharesCapacities)
    assert learner.capacities([replace(learner, C=C) for C in (0.1, np.inf)]) == [0.1, np.inf]
    for field in fields(learner):
        value = getattr(learner, field.name)
        if field.name != "C" and isinstance(value, bool | int | float):
            assert learner.capacities([learner, replace(learner, **{field.name: value + 1})]) is None
    others = [other for key, (other, *_) in LEARNERS.items() if key != name]
    assert all(learner.capacities([other]) is None for other in others)
