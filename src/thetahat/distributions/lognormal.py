"""The log-normal distribution: the logarithm is normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean, weighted_variance
from thetahat.distributions.spaces import POSITIVE, REAL, Space

__all__ = ["LogNormal"]


@dataclass(frozen=True)
class LogNormal(Distribution):
    """log x is normal with mean mu and standard deviation sigma.

    Parameters
    ----------
    mu : float, optional
        Mean of log x.
    sigma : float, optional
        Standard deviation of log x.
    """

    mu: float | None = None
    sigma: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"mu": REAL, "sigma": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; mu, sigma)."""
        mu, sigma = theta
        logs = np.log(x)
        return -0.5 * ((logs - mu) / sigma) ** 2 - logs - np.log(sigma) - 0.5 * np.log(2 * np.pi)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0.0, low_closed=False)

    def mean(self) -> float:
        """Return E[x]."""
        mu, sigma = self.theta
        return float(np.exp(mu + sigma**2 / 2))

    def variance(self) -> float:
        """Return Var[x]."""
        mu, sigma = self.theta
        return float(np.expm1(sigma**2) * np.exp(2 * mu + sigma**2))

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        mu, sigma = self.theta
        with np.errstate(divide="ignore"):
            return np.asarray(special.ndtr((np.log(np.maximum(x, 0)) - mu) / sigma))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        mu, sigma = self.theta
        return np.asarray(np.exp(mu + sigma * special.ndtri(q)))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        mu, sigma = self.theta
        return rng.lognormal(mu, sigma, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        mu, sigma = self.theta
        return float(mu + 0.5 * np.log(2 * np.pi * np.e) + np.log(sigma))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        logs = np.log(x)
        return weighted_mean(logs, weight), float(np.sqrt(weighted_variance(logs, weight)))

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        mu, sigma = self.theta
        return np.diag([1.0, 2.0]) / sigma**2
