"""Replication by shared work gives what refitting every draw gives, whatever the workers."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from thetahat.contracts import Draw, Fit, Prediction, Sample, SharesCapacities
from thetahat.errors import UsageError
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson
from thetahat.resampling.nested import NestedFolds
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.replicate import FEWEST, replicate
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
    assert len(draws) > 2 * FEWEST
    told = []
    one, two = (
        replicate(LeastSquares(1.0), sample, draws, slopes, rng=rng, jobs=jobs, finished=told.append).values
        for jobs in (1, 2)
    )
    assert np.array_equal(one, two)
    pieces = len(told) // 2
    assert pieces > 2
    assert told[pieces - 1] == told[-1] == len(draws)
    assert sorted(told[:pieces]) == told[:pieces]


def slopes(fit, train, test):
    return fit.theta.coef[:, 0]


@dataclass(frozen=True)
class Shrunk:
    """θ̂ = share of the mean of y; one sum serves every share. ``noise`` is drawn from the generator."""

    share: float = 1.0
    noise: float = 0.0
    prepared = []

    def estimate(self, sample, *, rng):
        return Fit(self.share * sample.y.mean() + self.noise * rng.normal())

    def predict(self, theta, X, /):
        return Prediction(np.full(X.shape[0], theta))

    def prepare(self, sample):
        self.prepared.append(self)
        return Means(self, sample)

    def capacities(self, estimators, /):
        same = all(isinstance(e, Shrunk) and replace(e, share=self.share) == self for e in estimators)
        return [each.share for each in estimators] if same else None


class Means:
    def __init__(self, one, sample):
        self.one, self.sample = one, sample

    def solve(self, draws, capacities, *, rngs):
        rngs = iter(rngs)
        for draw in draws:
            mean = self.sample.y[draw.train].mean()
            for share in capacities or (self.one.share,):
                yield Fit(share * mean + self.one.noise * next(rngs).normal())


def thetas(fit, train, test):
    return [each.theta for each in fit.theta]


def sample_of(n=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return Sample(X, 3.0 + X[:, 0] + rng.normal(size=n))


@pytest.mark.parametrize("jobs", [1, 2])
def test_capacities_that_share_work_are_prepared_once_and_equal_refitting(jobs):
    """Two families and one estimator that belongs to neither."""
    assert isinstance(Shrunk(), SharesCapacities)
    many = [Shrunk(1.0), LeastSquares(1.0), Shrunk(0.5), Shrunk(0.5, noise=1.0), Shrunk(0.25)]
    draws = [*KFold(5, 4).draws(Rows(60), rng=np.random.default_rng(1)), Draw(np.arange(30), np.arange(0))]
    Shrunk.prepared.clear()
    shared, refitted = (
        replicate(
            many[0],
            sample_of(),
            draws,
            lambda fit, train, test: [np.ravel(getattr(e.theta, "coef", e.theta)) for e in fit.theta],
            rng=np.random.default_rng(2),
            capacities=many,
            jobs=jobs,
            shared_work=way,
        ).values
        for way in (True, False)
    )
    assert Shrunk.prepared == [Shrunk(1.0), Shrunk(0.5, noise=1.0)]
    for one, other in zip(shared, refitted, strict=True):
        np.testing.assert_allclose(np.concatenate(one), np.concatenate(other), rtol=1e-10)


def test_a_capacity_has_the_same_generator_whatever_it_is_fitted_with():
    draws = KFold(5).draws(Rows(60), rng=np.random.default_rng(1))
    options = {"rng": np.random.default_rng(3), "capacities": [Shrunk(1.0, 1.0), Shrunk(2.0, 1.0)]}
    one = replicate(Shrunk(), sample_of(), draws, thetas, **options, shared_work=False).values
    options["rng"] = np.random.default_rng(3)
    other = replicate(Shrunk(), sample_of(), draws, thetas, **options, together=2).values
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_draws_that_share_no_work_do_not_depend_on_how_many_a_worker_is_given():
    draws = KFold(5, 2).draws(Rows(60), rng=np.random.default_rng(1))
    values = [
        replicate(
            Shrunk(1.0, 1.0),
            sample_of(),
            draws,
            lambda fit, train, test: fit.theta,
            rng=np.random.default_rng(3),
            shared_work=False,
            together=together,
        ).values
        for together in (None, 3, 10)
    ]
    assert values[0] == values[1] == values[2]


@pytest.mark.parametrize("jobs", [0, 1.5, "two", True])
def test_what_is_no_number_of_workers_is_named(jobs):
    with pytest.raises(UsageError, match="^jobs: a number of worker processes"):
        replicate(Shrunk(), sample_of(), [], thetas, rng=np.random.default_rng(0), jobs=jobs)


def test_work_that_the_user_stops_is_not_taken_for_complete():
    draws = KFold(5, 4).draws(Rows(60), rng=np.random.default_rng(1))

    def stop(done):
        raise KeyboardInterrupt

    found = replicate(
        Shrunk(), sample_of(), draws, thetas, rng=np.random.default_rng(0), capacities=[Shrunk()]
    )
    assert len(found.complete) == 20
    stopped = replicate(
        LeastSquares(1.0), sample_of(), draws, slopes, rng=np.random.default_rng(0), finished=stop
    )
    assert 0 < len(stopped.values) < 20
    with pytest.raises(KeyboardInterrupt, match="interrupted by the user"):
        _ = stopped.complete
