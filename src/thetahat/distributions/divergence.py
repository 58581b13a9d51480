"""Entropy, cross-entropy and Kullback–Leibler divergence, each with how far off it may be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from scipy import integrate, linalg

from thetahat.distributions.bernoulli import Bernoulli
from thetahat.distributions.beta import Beta
from thetahat.distributions.binomial import Binomial
from thetahat.distributions.bregman import (
    NEAR,
    above_tangent,
    gammaln_above_tangent,
    gammaln_rise,
)
from thetahat.distributions.categorical import Categorical
from thetahat.distributions.distribution import Support
from thetahat.distributions.exponential import Exponential
from thetahat.distributions.gamma import Gamma
from thetahat.distributions.laplace import Laplace
from thetahat.distributions.lognormal import LogNormal
from thetahat.distributions.multivariate_normal import MultivariateNormal
from thetahat.distributions.normal import Normal
from thetahat.distributions.poisson import Poisson
from thetahat.distributions.quadrature import whole_numbers
from thetahat.distributions.uniform import Uniform
from thetahat.distributions.weibull import Weibull
from thetahat.errors import UsageError

__all__ = ["Divergence", "cross_entropy", "kl_divergence"]

# A closed form of terms that cancel is off by no more than this where the two are alike.
ROUNDING = 1e-9
TINIEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Divergence:
    """A divergence, or a cross-entropy, in nats.

    Parameters
    ----------
    value : float
        Infinite where the supports say so.
    error : float
        0 for a closed form, the bound of the quadrature, or the standard error of Monte Carlo.
    method : str
        How it was computed.
    """

    value: float
    error: float
    method: Literal["closed form", "supports", "summation", "quadrature", "Monte Carlo"]

    def __float__(self) -> float:
        return self.value


def kl_divergence(p: Any, q: Any, *, rng: Generator | None = None, draws: int = 100_000) -> Divergence:
    """Return KL(p ‖ q) = E_p[log p(x) − log q(x)].

    Parameters
    ----------
    p, q : distribution
        Their parameters known, over the same kind of x.
    rng : Generator, optional
        Needed where neither a closed form nor quadrature serves.
    draws : int
        Of Monte Carlo.

    Returns
    -------
    Divergence
        With its error and the method.

    Raises
    ------
    UsageError
        The two are over different kinds of x, or ``rng`` is missing where it is needed.
    """
    closed = _CLOSED.get((type(p), type(q)))
    if closed is not None:
        with np.errstate(all="ignore"):
            try:
                value = closed(p, q)
            except (ZeroDivisionError, OverflowError):
                value = np.nan
        if value is not None:
            # Rounding alone takes a divergence of nearly the same two below nought.
            return _told(Divergence(_above_nought(value), 0.0, "closed form"))
    if isinstance(p, MultivariateNormal | Categorical) or isinstance(q, MultivariateNormal | Categorical):
        raise UsageError(f"q: {type(p).__name__} and {type(q).__name__} are not over the same kind of x")
    if p.support().discrete != q.support().discrete:
        return Divergence(np.inf, 0.0, "supports")
    if _outside(p.support(), q.support()):
        return Divergence(np.inf, 0.0, "supports")
    return _told(_expected(p, lambda x: p.log_prob(x) - q.log_prob(x), rng, draws))


def cross_entropy(p: Any, q: Any, *, rng: Generator | None = None, draws: int = 100_000) -> Divergence:
    """Return −E_p[log q(x)], which is the entropy of p plus KL(p ‖ q).

    Parameters
    ----------
    p, q, rng, draws : object
        As for :func:`kl_divergence`.

    Returns
    -------
    Divergence
        In nats, with its error and how it was found.
    """
    if isinstance(p, MultivariateNormal | Categorical):
        gap = kl_divergence(p, q)
        return _told(Divergence(p.entropy() + gap.value, gap.error, gap.method))
    if p.support().discrete != q.support().discrete or _outside(p.support(), q.support()):
        return Divergence(np.inf, 0.0, "supports")
    return _told(_expected(p, lambda x: -q.log_prob(x), rng, draws))


def _above_nought(value: float) -> float:
    return max(float(value), 0.0) if value >= -ROUNDING else float(value)


def _told(found: Divergence) -> Divergence:
    """Return what is a number; a value that the parameters put out of reach is an error, not NaN or −∞."""
    if np.isnan(found.value) or np.isnan(found.error) or found.value == -np.inf:
        raise UsageError(
            "p, q: parameters so large or so small that the terms leave the finite numbers; rescale both"
        )
    return found


def _outside(inner: Support, outer: Support) -> bool:
    return inner.low < outer.low or inner.high > outer.high


def _expected(p: Any, function: Any, rng: Generator | None, draws: int) -> Divergence:
    with np.errstate(all="ignore"):
        if p.support().discrete:
            x = whole_numbers(p)
            mass = np.exp(p.log_prob(x))
            return Divergence(float(np.sum(mass * function(x))), float(abs(1 - mass.sum())), "summation")
        value, error = _integral(p, function)
        if np.isfinite(value) and error <= 1e-6 * max(1.0, abs(value)):
            return Divergence(value, error, "quadrature")
        if rng is None:
            raise UsageError("rng: this divergence needs Monte Carlo; pass a numpy.random.Generator")
        terms = function(p.sample(draws, rng=rng))
    return Divergence(float(np.mean(terms)), float(np.std(terms, ddof=1) / np.sqrt(draws)), "Monte Carlo")


def _integral(p: Any, function: Any) -> tuple[float, float]:
    def weighted(x: float) -> float:
        density = float(np.exp(p.log_prob(x)))
        return density * float(function(x)) if density > 0 else 0.0

    inner = [float(p.ppf(k)) for k in (1e-9, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-9)]
    ends = np.unique([p.support().low, *inner, p.support().high])
    with warnings.catch_warnings():
        # What the quadrature would warn of is in its error, which is returned and looked at.
        warnings.simplefilter("ignore", integrate.IntegrationWarning)
        parts = [
            integrate.quad(weighted, low, high, epsabs=1e-13, epsrel=1e-11, limit=300)[:2]
            for low, high in zip(ends[:-1], ends[1:], strict=True)
        ]
    return float(sum(part[0] for part in parts)), float(sum(part[1] for part in parts))


# Closed forms.


def _log_ratio(a: float, b: float) -> float:
    """Return log(b / a), to its own last digits where they are nearly equal."""
    u = (b - a) / a
    return float(np.log1p(u) if abs(u) < NEAR else np.log(b) - np.log(a))


def _normal(p: Normal, q: Normal) -> float:
    (m, s), (n, t) = p.theta, q.theta
    spread = above_tangent((s - t) / t * ((s + t) / t), -2 * _log_ratio(s, t))
    return float(0.5 * (spread + ((m - n) / t) ** 2))


def _lognormal(p: LogNormal, q: LogNormal) -> float:
    return _normal(Normal(*p.theta), Normal(*q.theta))


def _laplace(p: Laplace, q: Laplace) -> float:
    (m, s), (n, t) = p.theta, q.theta
    gap = abs(m - n) / s
    moved = s / t * above_tangent(np.expm1(-gap), -gap)
    return float(above_tangent((s - t) / t, -_log_ratio(s, t)) + moved)


def _exponential(p: Exponential, q: Exponential) -> float:
    (r,), (s,) = p.theta, q.theta
    return float(above_tangent((s - r) / r, _log_ratio(r, s)))


def _as_gamma(p: Exponential | Gamma) -> tuple[float, float]:
    return (1.0, p.theta[0]) if isinstance(p, Exponential) else (p.theta[0], p.theta[1])


def _gamma(p: Exponential | Gamma, q: Exponential | Gamma) -> float:
    (a, r), (b, s) = _as_gamma(p), _as_gamma(q)
    u = (s - r) / r
    return gammaln_above_tangent(a, b - a) + float(b * above_tangent(u, _log_ratio(r, s))) + (a - b) * u


def _weibull(p: Weibull, q: Weibull) -> float:
    (k, a), (m, b) = p.theta, q.theta
    step = (m - k) / k
    # log E[(x/b)^m] under p; Γ(2) = 1.
    power = -m * _log_ratio(a, b) + gammaln_rise(2.0, step)
    return float(above_tangent(np.expm1(power), power)) + gammaln_above_tangent(1.0, step)


def _beta(p: Beta, q: Beta) -> float:
    (a, b), (c, d) = p.theta, q.theta
    apart = gammaln_above_tangent(a, c - a) + gammaln_above_tangent(b, d - b)
    return apart - gammaln_above_tangent(a + b, (c - a) + (d - b))


def _uniform(p: Uniform, q: Uniform) -> float:
    (a, b), (c, d) = p.theta, q.theta
    return float(np.log((d - c) / (b - a))) if c <= a and b <= d else np.inf


def _bernoulli(p: Bernoulli, q: Bernoulli) -> float:
    (a,), (b,) = p.theta, q.theta
    # The terms of first order of the two codes cancel, so they are left out.
    others = np.log1p(-b) - np.log1p(-a)
    ones = a * above_tangent((b - a) / a, _log_ratio(a, b))
    return float(ones + (1 - a) * above_tangent((a - b) / (1 - a), others))


def _binomial(p: Binomial, q: Binomial) -> float | None:
    if p.trials != q.trials:
        return np.inf if p.trials > q.trials else None
    return p.trials * _bernoulli(Bernoulli(*p.theta), Bernoulli(*q.theta))


def _poisson(p: Poisson, q: Poisson) -> float:
    (a,), (b,) = p.theta, q.theta
    if not a > TINIEST:
        # The ratio of the means is beyond the largest number, and there is nothing to cancel.
        return float(b - a - a * (np.log(b) - np.log(a)))
    return float(a * above_tangent((b - a) / a, _log_ratio(a, b)))


def _categorical(p: Categorical, q: Categorical) -> float:
    if len(p.p) != len(q.p):
        raise UsageError("q: the two categorical distributions have different numbers of codes")
    there = np.where(p.p > 0, p.p, 1.0)
    u = (q.p - there) / there
    logs = np.where(np.abs(u) < NEAR, np.log1p(u), np.log(q.p) - np.log(there))
    return float(np.sum(np.where(p.p > 0, p.p * above_tangent(u, logs), q.p)))


def _multivariate(p: MultivariateNormal, q: MultivariateNormal) -> float:
    (m, S), (n, T) = p.theta, q.theta
    if len(m) != len(n):
        raise UsageError("q: the two multivariate normals have different dimensions")
    root = np.linalg.cholesky(T)
    half = linalg.solve_triangular(root, S - T, lower=True)
    # The eigenvalues of T⁻¹S less one, and their logarithms from a factor of S itself.
    u = np.linalg.eigvalsh(linalg.solve_triangular(root, half.T, lower=True))
    ratio = linalg.solve_triangular(root, np.linalg.cholesky(S), lower=True)
    logs = np.where(np.abs(u) < NEAR, np.log1p(u), 2 * np.log(np.linalg.svd(ratio, compute_uv=False)[::-1]))
    away = linalg.solve_triangular(root, n - m, lower=True)
    return float(0.5 * (np.sum(above_tangent(u, logs)) + away @ away))


_CLOSED: dict[tuple[type, type], Any] = {
    (Normal, Normal): _normal,
    (LogNormal, LogNormal): _lognormal,
    (Laplace, Laplace): _laplace,
    (Exponential, Exponential): _exponential,
    (Gamma, Gamma): _gamma,
    (Exponential, Gamma): _gamma,
    (Gamma, Exponential): _gamma,
    (Weibull, Weibull): _weibull,
    (Beta, Beta): _beta,
    (Uniform, Uniform): _uniform,
    (Bernoulli, Bernoulli): _bernoulli,
    (Binomial, Binomial): _binomial,
    (Poisson, Poisson): _poisson,
    (Categorical, Categorical): _categorical,
    (MultivariateNormal, MultivariateNormal): _multivariate,
}
