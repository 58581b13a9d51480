"""The negative binomial distribution, by its mean and its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special, stats
from scipy.optimize import brentq

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean, weighted_variance
from thetahat.distributions.log_beta import log_beta
from thetahat.distributions.spaces import POSITIVE, Space

__all__ = ["NegativeBinomial"]


@dataclass(frozen=True)
class NegativeBinomial(Distribution):
    """A Poisson count whose rate is gamma with this mean and shape ``size``: Var = rate + rate²/size.

    Parameters
    ----------
    rate : float, optional
        Mean.
    size : float, optional
        Shape of the mixing; large is nearly Poisson.
    """

    rate: float | None = None
    size: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"rate": POSITIVE, "size": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; rate, size)."""
        rate, size = theta
        ways = -np.log(size + x) - log_beta(size, x + 1)
        return ways - size * np.log1p(rate / size) - x * np.log1p(size / rate)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0, discrete=True)

    def mean(self) -> float:
        """Return E[x]."""
        rate, size = self.theta
        return rate

    def variance(self) -> float:
        """Return Var[x]."""
        rate, size = self.theta
        return rate + rate**2 / size

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        rate, size = self.theta
        inside = special.betainc(size, np.maximum(np.floor(x), 0) + 1, size / (size + rate))
        return np.asarray(np.where(np.asarray(x) < 0, 0.0, inside))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        rate, size = self.theta
        return np.asarray(stats.nbinom.ppf(q, size, size / (size + rate)))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        rate, shape = self.theta
        return rng.poisson(rng.gamma(shape, rate / shape, size))

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        return -float(self.expectation(self.log_prob))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        mean = weighted_mean(x, weight)
        # In units of the mean, whose square may be beyond the largest number.
        variance = weighted_variance(x / mean, weight) if mean > 0 else 0.0
        if variance * mean <= 1:
            # No more spread than Poisson: the likelihood rises with the size without end.
            return mean, np.inf
        counts, place = np.unique(x, return_inverse=True)
        rows = np.bincount(place, weight / weight.max())

        def slope(log_size: float) -> float:
            size = np.exp(log_size)
            return float(
                rows @ (special.psi(counts + size) - special.psi(size))
                - rows.sum() * np.logaddexp(0, np.log(mean) - log_size)
            )

        guess = -float(np.log(variance - 1 / mean))
        low, high = guess - 1, guess + 1
        while slope(low) < 0 and low > -50:
            low -= 2
        while slope(high) > 0 and high < 50:
            high += 2
        return mean, float(np.exp(brentq(slope, low, high, xtol=1e-14)))

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True
