"""What holds of every distribution; a new one joins by a line in DISTRIBUTIONS."""

import mpmath
import numpy as np
import pytest
from scipy import stats

import thetahat.distributions as d
from thetahat.autodiff.check import difference
from thetahat.distributions.quadrature import expectation
from thetahat.errors import UsageError

# Ours, and scipy's.
DISTRIBUTIONS = {
    "normal": (d.Normal(1.0, 2.0), stats.norm(1.0, 2.0)),
    "lognormal": (d.LogNormal(0.3, 0.7), stats.lognorm(0.7, scale=np.exp(0.3))),
    "Laplace": (d.Laplace(-1.0, 0.5), stats.laplace(-1.0, 0.5)),
    "Student t": (d.StudentT(5.0, 1.0, 2.0), stats.t(5.0, 1.0, 2.0)),
    "uniform": (d.Uniform(-1.0, 2.0), stats.uniform(-1.0, 3.0)),
    "exponential": (d.Exponential(2.0), stats.expon(scale=0.5)),
    "gamma": (d.Gamma(3.0, 2.0), stats.gamma(3.0, scale=0.5)),
    "gamma with a pole": (d.Gamma(0.6, 2.0), stats.gamma(0.6, scale=0.5)),
    "Weibull": (d.Weibull(1.5, 2.0), stats.weibull_min(1.5, scale=2.0)),
    "beta": (d.Beta(2.0, 3.5), stats.beta(2.0, 3.5)),
    "Bernoulli": (d.Bernoulli(0.3), stats.bernoulli(0.3)),
    "binomial": (d.Binomial(0.3, 12), stats.binom(12, 0.3)),
    "Poisson": (d.Poisson(3.5), stats.poisson(3.5)),
    "negative binomial": (d.NegativeBinomial(3.0, 1.5), stats.nbinom(1.5, 1.5 / 4.5)),
}
MIXTURES = {
    "two normals": d.Mixture([d.Normal(-1.0, 0.5), d.Normal(2.0, 1.0)], [0.3, 0.7]),
    "two counts": d.Mixture([d.Poisson(1.0), d.Poisson(9.0)], [0.4, 0.6]),
    "normal and t": d.Mixture([d.Normal(0.0, 1.0), d.StudentT(4.0, 1.0, 3.0)], [0.5, 0.5]),
}
EVERY = {**{name: ours for name, (ours, _) in DISTRIBUTIONS.items()}, **MIXTURES}
REGULAR = {name: ours for name, (ours, _) in DISTRIBUTIONS.items() if ours.regular}


def points(theirs, rng):
    x = theirs.rvs(200, random_state=rng)
    return np.r_[x, theirs.ppf([1e-10, 1e-4, 0.5, 1 - 1e-4])]


@pytest.fixture(params=DISTRIBUTIONS)
def pair(request):
    return DISTRIBUTIONS[request.param]


def test_densities_and_moments_equal_scipys(pair):
    ours, theirs = pair
    x = points(theirs, np.random.default_rng(0))
    logs = theirs.logpmf(x) if ours.support().discrete else theirs.logpdf(x)
    assert ours.log_prob(x) == pytest.approx(logs, rel=1e-10, abs=1e-11)
    assert ours.cdf(x) == pytest.approx(theirs.cdf(x), rel=1e-9)
    q = np.array([0.01, 0.3, 0.5, 0.9, 0.999])
    assert ours.ppf(q) == pytest.approx(theirs.ppf(q), rel=1e-9)
    assert (ours.mean(), ours.variance()) == pytest.approx((theirs.mean(), theirs.var()), rel=1e-10)
    assert ours.entropy() == pytest.approx(float(theirs.entropy()), rel=1e-8)


@pytest.mark.parametrize("name", EVERY)
def test_mass_is_one_and_the_entropy_is_minus_the_mean_log_density(name):
    p = EVERY[name]
    assert expectation(p, lambda x: np.ones(len(x))) == pytest.approx(1.0, abs=1e-9)
    assert expectation(p, lambda x: -p.log_prob(x)) == pytest.approx(p.entropy(), abs=1e-8)
    assert expectation(p, lambda x: x) == pytest.approx(p.mean(), abs=1e-8)
    assert expectation(p, lambda x: (x - p.mean()) ** 2) == pytest.approx(p.variance(), rel=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_samples_follow_the_distribution_function(name):
    p = EVERY[name]
    x = p.sample(20_000, rng=np.random.default_rng(7))
    if p.support().discrete:
        values, counts = np.unique(x, return_counts=True)
        expected = np.exp(p.log_prob(values)) * len(x)
        enough = expected > 10
        chi2 = np.sum((counts - expected)[enough] ** 2 / expected[enough])
        assert stats.chi2.sf(chi2, enough.sum()) > 1e-4
    else:
        assert stats.kstest(x, p.cdf).pvalue > 1e-4


@pytest.mark.parametrize("name", EVERY)
def test_outside_the_support_there_is_nothing_and_nan_stays_nan(name):
    p = EVERY[name]
    assert p.log_prob(np.array([np.inf, -np.inf])).tolist() == [-np.inf, -np.inf]
    assert np.isnan(p.log_prob(np.nan))
    low = p.support().low
    if np.isfinite(low):
        assert p.log_prob(low - 0.5) == -np.inf
    if p.support().discrete:
        assert p.log_prob(0.5) == -np.inf


@pytest.mark.parametrize("name", REGULAR)
def test_the_score_has_mean_zero_and_its_variance_is_the_information(name):
    p = REGULAR[name]
    k = len(p.theta)
    assert expectation(p, p.score) == pytest.approx(np.zeros(k), abs=1e-7)
    variance = expectation(p, lambda x: p.score(x)[:, :, None] * p.score(x)[:, None, :])
    assert p.fisher_information() == pytest.approx(variance, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", REGULAR)
def test_the_score_is_the_slope_of_the_log_density(name):
    p = REGULAR[name]
    x = np.unique(p.sample(20, rng=np.random.default_rng(3))).astype(float)
    theta = np.array(p.theta)
    for k in range(len(theta)):
        way = np.eye(len(theta))[k]
        slope = difference(lambda t: p.log_density(x, *t), theta, way, 1e-3)
        assert p.score(x)[:, k] == pytest.approx(slope, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_an_exact_start_is_a_maximum_of_the_likelihood(name):
    p, _ = DISTRIBUTIONS[name]
    if not p.exact or not p.regular:
        return
    rng = np.random.default_rng(5)
    x = p.sample(400, rng=rng).astype(float)
    weight = rng.uniform(0.5, 2.0, 400)
    fitted = p.with_theta(*p.start(x, weight))
    total = weight @ fitted.log_prob(x)
    if not isinstance(p, d.Laplace):
        slope = weight @ fitted.score(x) * np.array(fitted.theta)
        assert slope == pytest.approx(np.zeros(len(slope)), abs=1e-6)
    for k, space in enumerate(p.spaces.values()):
        for step in (-0.05, 0.05):
            theta = list(fitted.theta)
            theta[k] = space.from_free(space.to_free(theta[k]) + step)
            assert weight @ p.with_theta(*theta).log_prob(x) < total


def test_a_row_of_weight_two_is_a_row_that_stands_twice():
    rng = np.random.default_rng(0)
    for p, _ in DISTRIBUTIONS.values():
        x = p.sample(60, rng=rng).astype(float)
        weight = rng.integers(1, 4, 60).astype(float)
        twice = np.repeat(x, weight.astype(int))
        if p.exact:
            assert p.start(x, weight) == pytest.approx(p.start(twice, np.ones(len(twice))), rel=1e-8)


def test_hard_places_keep_their_digits():
    with mpmath.workdps(60):

        def gamma(x, k, r):
            return (k - 1) * mpmath.log(x) + k * mpmath.log(r) - r * x - mpmath.loggamma(k)

        def student(x, n):
            n = mpmath.mpf(n)
            top = mpmath.loggamma((n + 1) / 2) - mpmath.loggamma(n / 2) - mpmath.log(n * mpmath.pi) / 2
            return top - (n + 1) / 2 * mpmath.log1p(mpmath.mpf(x) ** 2 / n)

        def counts(x, m, r):
            x, m, r = map(mpmath.mpf, (x, m, r))
            ways = mpmath.loggamma(x + r) - mpmath.loggamma(r) - mpmath.loggamma(x + 1)
            return ways + r * mpmath.log(r / (r + m)) + x * mpmath.log(m / (r + m))

        cases = [
            (d.Gamma(1e-8, 1.0), 1e-5, gamma(mpmath.mpf(1e-5), mpmath.mpf(1e-8), 1)),
            (d.StudentT(1e10, 0.0, 1.0), 3.0, student(3.0, 1e10)),
            (d.StudentT(0.1, 0.0, 1.0), 1e150, student(1e150, 0.1)),
            (d.NegativeBinomial(5.0, 1e12), 7.0, counts(7, 5, 1e12)),
            (d.NegativeBinomial(5.0, 1e-8), 7.0, counts(7, 5, 1e-8)),
            (d.NegativeBinomial(1e-6, 3e5), 0.0, counts(0, 1e-6, 3e5)),
            (d.NegativeBinomial(3.0, 3e5), 400.0, counts(400, 3, 3e5)),
            (d.StudentT(3e5, 0.0, 1.0), 1e-3, student(1e-3, 3e5)),
            (d.Normal(0.0, 1.0), 1e100, -(mpmath.mpf(1e100) ** 2) / 2 - mpmath.log(2 * mpmath.pi) / 2),
        ]
        for p, x, exact in cases:
            assert float(p.log_prob(x)) == pytest.approx(float(exact), rel=1e-12), p


def test_impossible_parameters_are_refused_by_name():
    for wrong, name in [
        (lambda: d.Normal(0.0, -1.0), "sd"),
        (lambda: d.Gamma(np.nan, 1.0), "shape"),
        (lambda: d.Bernoulli(1.2), "p"),
        (lambda: d.Exponential("2"), "rate"),
        (lambda: d.Categorical([0.5, 0.6]), "probabilities"),
        (lambda: d.MultivariateNormal([0, 0], [[1, 2], [2, 1]]), "covariance"),
        (lambda: d.Mixture([d.Normal(0, 1), d.Poisson(1)]), "components"),
    ]:
        with pytest.raises(UsageError, match=name):
            wrong()
    with pytest.raises(UsageError, match="shape, rate unknown"):
        d.Gamma().mean()


def test_categorical_and_multivariate_normal_equal_scipys():
    p = d.Categorical([0.2, 0.5, 0.3])
    assert p.log_prob([0, 1, 2, 3, 0.5]).tolist()[:3] == pytest.approx(np.log([0.2, 0.5, 0.3]))
    assert p.log_prob([3, 0.5]).tolist() == [-np.inf, -np.inf]
    x = np.array([0, 1, 1, 2])
    assert p.fit(x).p.tolist() == [0.25, 0.5, 0.25]
    assert p.score(x).mean(axis=0) == pytest.approx(np.array([0.0, -0.05]))
    rng = np.random.default_rng(0)
    A = rng.normal(size=(3, 3))
    m = d.MultivariateNormal([1.0, 2.0, 3.0], A @ A.T + np.eye(3))
    rows = m.sample(5000, rng=rng)
    theirs = stats.multivariate_normal(m.loc, m.covariance)
    assert m.log_prob(rows) == pytest.approx(theirs.logpdf(rows), rel=1e-10)
    assert m.entropy() == pytest.approx(theirs.entropy())
    assert m.fit(rows).covariance == pytest.approx(np.cov(rows.T, ddof=0))
    with pytest.raises(UsageError, match="plane"):
        m.fit(rows[:2])


PAIRS = [(p, q) for p in EVERY for q in EVERY]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_cross_entropy_is_entropy_plus_divergence_and_no_divergence_is_negative(p, q):
    one, other = EVERY[p], EVERY[q]
    rng = np.random.default_rng(0)
    gap = d.kl_divergence(one, other, rng=rng)
    total = d.cross_entropy(one, other, rng=np.random.default_rng(0))
    assert gap.value >= -1e-9
    if p == q:
        assert gap.value == pytest.approx(0, abs=1e-9)
    if np.isinf(gap.value) or np.isinf(total.value):
        assert gap.value == total.value
    else:
        slack = 1e-7 + 6 * (gap.error + total.error)
        assert total.value == pytest.approx(one.entropy() + gap.value, rel=1e-6, abs=slack)


def test_closed_forms_of_the_divergence_equal_the_integral():
    from thetahat.distributions import divergence

    others = [
        (d.Normal(0.0, 1.0), d.Normal(1.0, 3.0)),
        (d.LogNormal(0.0, 1.0), d.LogNormal(1.0, 1.5)),
        (d.Laplace(0.0, 1.0), d.Laplace(1.0, 3.0)),
        (d.Exponential(2.0), d.Exponential(0.5)),
        (d.Exponential(2.0), d.Gamma(2.0, 0.5)),
        (d.Gamma(3.0, 2.0), d.Gamma(2.0, 0.5)),
        (d.Weibull(1.5, 2.0), d.Weibull(0.9, 1.0)),
        (d.Beta(2.0, 3.0), d.Beta(1.5, 1.2)),
        (d.Uniform(0.0, 1.0), d.Uniform(-1.0, 3.0)),
        (d.Poisson(3.0), d.Poisson(5.0)),
        (d.Binomial(0.2, 9), d.Binomial(0.6, 9)),
    ]
    for p, q in others:
        closed = d.kl_divergence(p, q)
        assert closed.method == "closed form"
        by_sum = divergence._expected(p, lambda x, p=p, q=q: p.log_prob(x) - q.log_prob(x), None, 0)
        assert closed.value == pytest.approx(by_sum.value, rel=1e-8), p


def test_supports_make_a_divergence_infinite():
    assert d.kl_divergence(d.Normal(0, 1), d.Gamma(1, 1)) == d.Divergence(np.inf, 0.0, "supports")
    assert np.isfinite(d.kl_divergence(d.Gamma(1, 1), d.Normal(0, 1)).value)
    assert d.kl_divergence(d.Poisson(2), d.Normal(2, 1)).value == np.inf
    assert d.kl_divergence(d.Uniform(0, 2), d.Uniform(0, 1)).value == np.inf


NEARLY_EQUAL = {
    "Normal, moved": (d.Normal(0.0, 1.0), d.Normal(1e-9, 1.0), 0.5e-18),
    "Normal, widened": (d.Normal(0.0, 1.0), d.Normal(0.0, 1 + 2.0**-30), 2.0**-60),
    "LogNormal": (d.LogNormal(0.0, 1.0), d.LogNormal(1e-9, 1.0), 0.5e-18),
    "Laplace": (d.Laplace(0.0, 1.0), d.Laplace(1e-9, 1.0), 0.5e-18),
    "Exponential": (d.Exponential(1.0), d.Exponential(1 + 2.0**-30), 2.0**-61),
    "Poisson": (d.Poisson(1.0), d.Poisson(1 + 2.0**-30), 2.0**-61),
    "Bernoulli": (d.Bernoulli(0.5), d.Bernoulli(0.5 + 2.0**-31), 2.0**-61),
    "Binomial": (d.Binomial(0.5, 8), d.Binomial(0.5 + 2.0**-31, 8), 2.0**-58),
    "Gamma": (d.Gamma(1.0, 1.0), d.Gamma(1 + 2.0**-30, 1.0), np.pi**2 / 6 * 2.0**-61),
    "Weibull": (d.Weibull(1.0, 1.0), d.Weibull(1.0, 1 + 2.0**-30), 2.0**-61),
    "Beta": (d.Beta(1.0, 1.0), d.Beta(1 + 2.0**-30, 1.0), 2.0**-61),
    "Categorical": (d.Categorical([0.5, 0.5]), d.Categorical([0.5 + 2.0**-31, 0.5 - 2.0**-31]), 2.0**-61),
    "MultivariateNormal": (
        d.MultivariateNormal([0, 0], np.eye(2)),
        d.MultivariateNormal([1e-9, 0], np.eye(2)),
        0.5e-18,
    ),
}


@pytest.mark.parametrize("name", NEARLY_EQUAL)
def test_a_divergence_of_nearly_the_same_is_half_the_information_times_the_square(name):
    p, q, quadratic = NEARLY_EQUAL[name]
    for found in (d.kl_divergence(p, q), d.kl_divergence(q, p)):
        assert found.value == pytest.approx(quadratic, rel=1e-8, abs=0)


def test_the_entropy_of_a_rare_event_keeps_its_digits():
    with mpmath.workdps(40):
        for p in (1e-12, 1e-6, 1 - 2.0**-40):
            q = mpmath.mpf(p)
            exact = -q * mpmath.log(q) - (1 - q) * mpmath.log(1 - q)
            assert d.Bernoulli(p).entropy() == pytest.approx(float(exact), rel=1e-15, abs=0)


def test_the_entropy_of_a_student_of_many_degrees_of_freedom_is_that_of_the_normal():
    for df in (150.0, 1e6, 1e10):
        assert d.StudentT(df, 0.0, 1.0).entropy() == pytest.approx(
            d.Normal(0.0, 1.0).entropy() + 1 / df, abs=2 / df**2 + 1e-14
        )


@pytest.mark.parametrize(
    ("a", "b"), [(0.3, 2.0), (0.5, 3e5), (1.0, 200.0), (40.0, 60.0), (70.0, 70.0), (1e3, 1e9)]
)
def test_the_logarithm_of_the_beta_function_and_its_slopes_keep_their_digits(a, b):
    from thetahat.autodiff import grad
    from thetahat.distributions.log_beta import log_beta

    with mpmath.workdps(50):
        exact = mpmath.log(mpmath.beta(a, b))
        slopes = [mpmath.psi(0, t) - mpmath.psi(0, a + b) for t in (mpmath.mpf(a), mpmath.mpf(b))]
        for one, other in ((a, b), (b, a)):
            assert float(log_beta(np.float64(one), np.float64(other))) == pytest.approx(
                float(exact), rel=2e-15
            )
            found = grad(log_beta, (0, 1))(np.float64(one), np.float64(other))
            assert sorted(found) == pytest.approx(sorted(map(float, slopes)), rel=1e-10)


def test_a_weighted_mean_and_variance_keep_their_digits_where_numbers_lie_far_from_0():
    rng = np.random.default_rng(0)
    x, weight = rng.integers(0, 50, 3000).astype(float), rng.uniform(1, 5, 3000)
    # Whole numbers on a large one are exact, so moving them moves no deviation.
    near, far = (d.Normal().start(x + shift, weight) for shift in (0.0, 2.0**50))
    assert abs(far[0] - 2.0**50 - near[0]) <= 0.125
    assert far[1] == pytest.approx(near[1], rel=1e-14)
