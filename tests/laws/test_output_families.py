"""What holds of every output family; a new one joins by a line in FAMILIES."""

import numpy as np
import pytest
from scipy import stats

from thetahat.autodiff.check import difference
from thetahat.distributions.output import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.errors import UsageError

# Family, width of η, and −log p by scipy.
FAMILIES = {
    "normal": (NormalOutput(1.7), 1, lambda y, p: -stats.norm.logpdf(y, p, 1.7)),
    "Bernoulli": (BernoulliOutput(), 1, lambda y, p: -stats.bernoulli.logpmf(y, p)),
    "categorical": (CategoricalOutput(4), 4, lambda y, p: -np.log(p[np.arange(len(y)), y])),
    "Poisson": (PoissonOutput(), 1, lambda y, p: -stats.poisson.logpmf(y, p)),
}


@pytest.fixture(params=FAMILIES)
def case(request):
    family, width, theirs = FAMILIES[request.param]
    rng = np.random.default_rng(0)
    eta = rng.normal(size=(200, width)) * 2
    return family, eta, family.sample(eta, rng=rng), theirs


def test_the_loss_is_the_negative_log_likelihood(case):
    family, eta, y, theirs = case
    assert family.nll_terms(y, eta).value == pytest.approx(theirs(y, family.mean(eta)), rel=1e-10, abs=1e-12)


def test_derivatives_equal_differences(case):
    family, eta, y, _ = case
    terms = family.nll_terms(y, eta)
    for k in range(eta.shape[1]):
        way = np.eye(eta.shape[1])[k]
        slope = difference(lambda e: family.nll_terms(y, e).value, eta, way, 1e-2)
        assert terms.d_eta[:, k] == pytest.approx(slope, rel=1e-8, abs=1e-9)
        curve = difference(lambda e: family.nll_terms(y, e).d_eta, eta, way, 1e-2)
        assert terms.d2_eta[:, :, k] == pytest.approx(curve, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1.0, 90.0, 1e4])
def test_nothing_overflows_and_a_wrong_answer_keeps_a_large_slope(case, dtype, size):
    family, eta, y, _ = case
    for sign in (1, -1):
        far = np.full_like(eta, sign * size, dtype=dtype)
        far[:, 0] *= -1 if eta.shape[1] > 1 else 1
        with np.errstate(over="raise", invalid="raise"):
            terms = family.nll_terms(y, far)
        for part in (terms.value, terms.d_eta, terms.d2_eta):
            assert part.dtype == dtype
            assert np.isfinite(part).all()
        wrong = terms.value > 30
        assert (np.abs(terms.d_eta[wrong]).max(axis=1, initial=0) > 0.9).all()


def test_the_score_has_mean_zero_at_the_truth(case):
    family, _, _, _ = case
    rng = np.random.default_rng(1)
    eta = np.repeat(rng.normal(size=(1, 1 if not hasattr(family, "classes") else 4)), 40_000, axis=0)
    terms = family.nll_terms(family.sample(eta, rng=rng), eta)
    se = terms.d_eta.std(axis=0) / np.sqrt(len(eta))
    assert (np.abs(terms.d_eta.mean(axis=0)) < 4.5 * se).all()
    # The information is the variance of the score and the mean curvature.
    variance = terms.d_eta.T @ terms.d_eta / len(eta)
    assert terms.d2_eta.mean(axis=0) == pytest.approx(variance, rel=0.06, abs=0.02)


def test_what_is_outside_the_support_is_named(case):
    family, _, y, _ = case
    family.check_support(y)
    bad = y.astype(float)
    bad[3] = np.inf
    with pytest.raises(UsageError, match="row 3"):
        family.check_support(bad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_a_row_that_is_all_but_certain_keeps_the_digits_of_its_loss(dtype, shift):
    gap = 20.0 if dtype is np.float32 else 40.0
    terms = CategoricalOutput(3).nll_terms(
        np.array([1]), np.array([[shift - gap, shift, shift - gap]], dtype)
    )
    assert terms.value == pytest.approx([2 * np.exp(-gap)], rel=40 * float(np.finfo(dtype).eps), abs=0)
    assert terms.d_eta[0, 1] == pytest.approx(-2 * np.exp(-gap), rel=40 * float(np.finfo(dtype).eps), abs=0)
