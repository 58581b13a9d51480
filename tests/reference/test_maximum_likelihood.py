"""Certified numbers, fifty digits, and peers; the digits reached are printed."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import optimize, special, stats

import thetahat as th
from tests.certified import NONLINEAR, UNIVARIATE, column, digits
from thetahat.contracts import Status


def exact_moments(x):
    """Return the moments of the doubles themselves, in rationals; roots to fifty digits."""
    rows = [Fraction(float(v)) for v in x]
    n = len(rows)
    mean = sum(rows) / n
    squares = sum((v - mean) ** 2 for v in rows)
    lagged = sum((a - mean) * (b - mean) for a, b in zip(rows[1:], rows[:-1], strict=True))
    with mpmath.workdps(50):
        spread = mpmath.sqrt(mpmath.mpf(squares.numerator) / mpmath.mpf(squares.denominator * (n - 1)))
        return mean, Fraction(str(spread)), lagged / squares


@pytest.mark.parametrize("name", UNIVARIATE)
def test_moments_to_fourteen_digits(name, capsys):
    x = column(name)
    assert len(x) == UNIVARIATE[name]["n"]
    mean, spread, lagged = exact_moments(x)
    ours = th.moments(x)
    fit = th.mle(th.Normal(), x)
    reached = (
        digits(ours.mean, mean),
        digits(ours.standard_deviation, spread),
        digits(ours.autocorrelation, lagged),
    )
    certified = digits(ours.standard_deviation, Fraction(UNIVARIATE[name]["certified_sd"]))
    with capsys.disabled():
        print(
            f"\n{name}: mean {reached[0]:.1f}, sd {reached[1]:.1f}, lag-1 {reached[2]:.1f} digits; "
            f"sd against the certified value {certified:.1f}"
        )
    assert min(reached) >= 14
    n = len(x)
    assert fit.params == pytest.approx([float(mean), float(spread) * math.sqrt((n - 1) / n)], rel=1e-14)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", NONLINEAR)
def test_nonlinear_least_squares_from_both_starting_points(name, start, capsys):
    case = NONLINEAR[name]
    x, y = np.array(case["x"]), np.array(case["y"])
    code = compile(case["model"], name, "eval")

    def mean(b, x):
        return eval(code, {"b": b, "x": x, "exp": np.exp})

    fit = th.mle(th.Conditional(mean, th.Normal()), (x, y), case["starts"][start])
    theta = min(digits(a, Fraction(b)) for a, b in zip(fit.params, case["certified_beta"], strict=True))
    errors = min(
        digits(a, Fraction(b)) for a, b in zip(fit.standard_errors, case["certified_se"], strict=True)
    )
    with capsys.disabled():
        print(f"\n{name}, start {start + 1}: θ {theta:.1f}, errors {errors:.1f} digits, {fit.status.name}")
    assert fit.status is Status.SOLVED
    assert theta >= 6
    assert errors >= 4


def censored_weibull(theta, data):
    time, died = data
    shape, scale = theta
    logs = shape * (np.log(time) - np.log(scale))
    return died * (np.log(shape) + logs - np.log(time)) - np.exp(logs)


def mixture(theta, x):
    share, m1, m2, s1, s2 = theta
    one = np.log(share) - 0.5 * ((x - m1) / s1) ** 2 - np.log(s1)
    other = np.log(1 - share) - 0.5 * ((x - m2) / s2) ** 2 - np.log(s2)
    return np.logaddexp(one, other) - 0.5 * np.log(2 * np.pi)


def hurdle(theta, y):
    zero, rate = theta
    positive = np.log(1 - zero) + y * np.log(rate) - rate - special.gammaln(y + 1) - np.log(-np.expm1(-rate))
    return np.where(y == 0, np.log(zero), positive)


def unseen():
    rng = np.random.default_rng(3)
    time = 2.0 * rng.weibull(1.5, 120)
    limit = 2.2
    data = np.minimum(time, limit), (time < limit).astype(float)
    yield "censored Weibull", censored_weibull, data, [1.0, 1.0], ["log", "log"]
    x = np.where(rng.random(150) < 0.4, rng.normal(-2, 0.7, 150), rng.normal(1.5, 1, 150))
    yield "mixture", mixture, x, [0.5, -1.0, 1.0, 1.0, 1.0], ["logit", None, None, "log", "log"]
    y = np.where(rng.random(150) < 0.5, 0, rng.poisson(2.5, 150)).astype(float)
    yield "hurdle", hurdle, y, [0.5, 1.0], ["logit", "log"]


def mp_terms(name, data):
    """Return the same log-likelihoods, written once more in fifty digits."""
    m = mpmath
    if name == "censored Weibull":
        return lambda k, s: sum(
            d * (m.log(k) + k * m.log(t / s) - m.log(t)) - (t / s) ** k
            for t, d in zip(map(m.mpf, data[0].tolist()), data[1].tolist(), strict=True)
        )
    if name == "mixture":
        phi = m.npdf
        return lambda w, a, b, s, t: sum(
            m.log(w * phi(x, a, s) + (1 - w) * phi(x, b, t)) for x in map(m.mpf, data.tolist())
        )
    return lambda z, r: sum(
        m.log(z) if y == 0 else m.log(1 - z) + y * m.log(r) - r - m.loggamma(y + 1) - m.log(1 - m.exp(-r))
        for y in map(m.mpf, data.tolist())
    )


@pytest.mark.parametrize("case", list(unseen()), ids=lambda case: case[0])
def test_errors_of_likelihoods_never_seen_equal_fifty_digits(case, capsys):
    name, terms, data, start, transform = case
    fit = th.mle(terms, data, start, transform=transform)
    assert fit.status is Status.SOLVED
    with mpmath.workdps(50):
        total = mp_terms(name, data)
        at = [mpmath.mpf(float(t)) for t in fit.params]
        p = len(at)

        def part(i, j):
            order = [0] * p
            order[i] += 1
            order[j] += 1
            return -mpmath.diff(total, at, tuple(order))

        information = mpmath.matrix(p, p)
        for i in range(p):
            for j in range(i, p):
                information[i, j] = information[j, i] = part(i, j)
        inverse = information**-1
        exact = np.array([float(mpmath.sqrt(inverse[i, i])) for i in range(p)])
    worst = np.max(np.abs(fit.standard_errors / exact - 1))
    with capsys.disabled():
        print(f"\n{name}: worst relative error of a standard error {worst:.1e}")
    assert worst < 1e-6


PEERS = {
    "normal": (th.Normal(), stats.norm, {}, lambda s: (s[0], s[1])),
    "gamma": (th.Gamma(), stats.gamma, {"floc": 0}, lambda s: (s[0], 1 / s[2])),
    "Weibull": (th.Weibull(), stats.weibull_min, {"floc": 0}, lambda s: (s[0], s[2])),
    "lognormal": (th.LogNormal(), stats.lognorm, {"floc": 0}, lambda s: (np.log(s[2]), s[0])),
    "exponential": (th.Exponential(), stats.expon, {"floc": 0}, lambda s: (1 / s[1],)),
    "Laplace": (th.Laplace(), stats.laplace, {}, lambda s: s),
    "beta": (th.Beta(), stats.beta, {"floc": 0, "fscale": 1}, lambda s: (s[0], s[1])),
    "Student t": (th.StudentT(), stats.t, {}, lambda s: s),
}


@pytest.mark.parametrize("name", PEERS)
def test_no_peer_finds_a_higher_likelihood(name):
    family, peer, fixed, back = PEERS[name]
    truth = {"beta": th.Beta(2.0, 3.0), "Student t": th.StudentT(4.0, 1.0, 2.0)}.get(name, th.Gamma(2.0, 1.5))
    x = truth.sample(300, rng=np.random.default_rng(1))
    fit = th.mle(family, x)
    theirs = family.with_theta(*map(float, back(peer.fit(x, **fixed))))
    assert fit.status is Status.SOLVED
    assert fit.log_likelihood >= float(np.sum(theirs.log_prob(x))) - 1e-7
    assert fit.params == pytest.approx(theirs.theta, rel=2e-3)


def test_a_conditional_poisson_equals_a_generic_optimiser():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(200), rng.normal(size=200)])
    y = rng.poisson(np.exp(X @ [0.3, 0.7])).astype(float)
    fit = th.mle(th.Conditional(lambda t, X: np.exp(X @ t), th.Poisson()), (X, y), [0.0, 0.0])
    best = optimize.minimize(lambda t: -np.sum(stats.poisson.logpmf(y, np.exp(X @ t))), [0, 0], tol=1e-12)
    assert fit.params == pytest.approx(best.x, abs=1e-5)
    mu = np.exp(X @ fit.params)
    assert fit.covariance == pytest.approx(np.linalg.inv((X * mu[:, None]).T @ X), rel=1e-6)
    # The log link is the natural one: observed and expected information are the same.
    observed = fit.with_errors("observed").standard_errors
    assert observed == pytest.approx(fit.standard_errors, rel=1e-6)
