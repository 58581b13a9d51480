"""Error bars of replicated values: each formula against its definition."""

import numpy as np
import pytest
from scipy import stats

from thetahat.errors import UsageError
from thetahat.resampling import spread

R = np.random.default_rng(0).gamma(2.0, size=(400, 3))
ESTIMATE = np.array([2.1, 1.9, 2.0])


def test_errors_are_the_roots_of_the_diagonal_of_the_covariance():
    np.testing.assert_allclose(spread.standard_error(R) ** 2, np.diagonal(spread.covariance(R)))
    np.testing.assert_allclose(spread.jackknife_error(R) ** 2, np.diagonal(spread.jackknife_covariance(R)))
    assert spread.covariance(R[:, 0]).shape == (1, 1)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    x = R[:, 0]
    without = (x.sum() - x) / (len(x) - 1)
    assert spread.jackknife_error(without) == pytest.approx(stats.sem(x), rel=1e-10)
    assert spread.jackknife_bias(without, x.mean()) == pytest.approx(0.0, abs=1e-9)


def test_the_corrected_covariance_is_that_of_nadeau_and_bengio():
    expected = (1 / 400 + 0.25) * np.cov(R, rowvar=False)
    np.testing.assert_allclose(spread.corrected_covariance(R, 0.25), expected)


def test_the_monte_carlo_error_of_a_share_is_that_of_a_binomial():
    inside = (R[:, 0] > 1.0).astype(float)
    share = inside.mean()
    assert spread.monte_carlo_error(inside) == pytest.approx(np.sqrt(share * (1 - share) / 400))


@pytest.mark.parametrize("method", ["normal", "percentile", "basic", "bca"])
def test_an_interval_of_several_numbers_is_that_of_each(method):
    left_out = np.random.default_rng(1).normal(size=(50, 3))
    low, high = spread.interval(R, 0.9, method, estimate=ESTIMATE, left_out=left_out)
    for j in range(3):
        alone = spread.interval(R[:, j], 0.9, method, estimate=ESTIMATE[j], left_out=left_out[:, j])
        assert (low[j], high[j]) == pytest.approx(alone, rel=1e-12)
        assert low[j] < high[j]


def test_bca_of_an_unbiased_symmetric_statistic_is_the_percentile_interval():
    r = stats.norm.ppf((np.arange(999) + 0.5) / 999)
    bca = spread.interval(r, 0.95, "bca", estimate=0.0)
    assert bca == pytest.approx(tuple(spread.interval(r, 0.95, "percentile")), abs=1e-9)


def test_bca_has_no_interval_if_all_replicates_lie_on_one_side():
    assert np.isnan(spread.interval(R[:, 0], 0.95, "bca", estimate=-1.0)).all()


def test_an_unknown_method_is_named():
    with pytest.raises(UsageError, match="^method: choose one of normal"):
        spread.interval(R, 0.95, "exact")
