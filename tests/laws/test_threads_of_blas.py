"""What is resampled does not depend on how many threads BLAS may use."""

import threading
import time

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import thetahat as th
from tests.torture.sameness import apart
from thetahat.contracts import Draw, Fit, Sample
from thetahat.numerics.threads import available
from thetahat.resampling.replicate import replicate


def table(seed, n=2000, d=100):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.geomspace(0.5, 5, d) + rng.normal(size=d)
    return X, X[:, 0] - 0.3 * X[:, 1] + rng.normal(size=n)


def decomposed(X, y):
    return th.decompose(th.Ridge(), X, y, draws=8, rng=np.random.default_rng(0))


def curve(X, y):
    return th.capacity_curve(
        th.Ridge(), "alpha", [0.1, 1.0, 10.0], X, y, cv="cv:2x3", rng=np.random.default_rng(0)
    )


@pytest.mark.parametrize("work", [decomposed, curve])
def test_one_thread_and_two_give_the_same_bits(work):
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(work(*table(0)))
    assert apart(*found) == (0.0, "")


class Overlapping:
    """Two fits of which the first ends while the second goes on."""

    def __init__(self):
        self.both_begun = threading.Barrier(2, timeout=60)

    def estimate(self, sample, *, rng):
        self.both_begun.wait()
        if sample.X[0, 0] == 1:
            time.sleep(0.3)
        return Fit(available())


def test_workers_that_are_threads_hold_blas_to_one_and_leave_it_as_they_found_it():
    draws = [Draw(np.array([k]), np.array([k])) for k in (0, 1)]

    def read(fit, train, test):
        return fit.theta

    with threadpool_limits(2), joblib.parallel_config(backend="threading"):
        rng = np.random.default_rng(0)
        sample = Sample(np.array([[0.0], [1.0]]))
        assert replicate(Overlapping(), sample, draws, read, rng=rng, jobs=2).values == [1, 1]
        assert available() == 2
