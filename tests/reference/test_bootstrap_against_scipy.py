"""Intervals and replicates of the bootstrap against scipy.stats.bootstrap."""

import numpy as np
import pytest
from scipy import stats

import thetahat as th

RNG = np.random.default_rng(11)
X = RNG.gamma(2.0, 1.0, 300)
Y = 0.5 * X + RNG.normal(size=300)
METHODS = {"bca": "BCa", "percentile": "percentile", "basic": "basic"}
ROWS = 9999


def _correlation(a, b, axis=-1):
    a, b = a - a.mean(axis, keepdims=True), b - b.mean(axis, keepdims=True)
    return (a * b).sum(axis) / np.sqrt((a * a).sum(axis) * (b * b).sum(axis))


CASES = {
    "mean": (X, (X,), np.mean),
    "median": (X, (X,), np.median),
    "variance": (X, (X,), np.var),
    "std": (X, (X,), np.std),
    "correlation": (np.column_stack([X, Y]), (X, Y), _correlation),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_interval_equals_scipys_to_monte_carlo_error(name, method):
    rows, columns, peer = CASES[name]
    ours = th.bootstrap(rows, name, method=method, resamples=ROWS, rng=np.random.default_rng(2))
    theirs = stats.bootstrap(
        columns, peer, method=METHODS[method], n_resamples=ROWS, paired=True, vectorized=True, rng=3
    )
    # Either end has a Monte-Carlo error near .027 SE; the tolerance is about four of their difference.
    tolerance = 0.15 * ours.se
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=tolerance)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=tolerance)
    assert ours.se == pytest.approx(theirs.standard_error, rel=0.04)
