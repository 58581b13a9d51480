"""The Poisson distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special, stats

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean
from thetahat.distributions.output import PoissonOutput
from thetahat.distributions.spaces import POSITIVE, Space

__all__ = ["Poisson"]


@dataclass(frozen=True)
class Poisson(Distribution):
    """P(x) = rate^x exp(−rate) / x!.

    Parameters
    ----------
    rate : float, optional
        Mean number of events.
    """

    rate: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"rate": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; rate)."""
        (rate,) = theta
        return special.xlogy(x, rate) - rate - special.gammaln(x + 1)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0, discrete=True)

    def mean(self) -> float:
        """Return E[x]."""
        (rate,) = self.theta
        return rate

    def variance(self) -> float:
        """Return Var[x]."""
        (rate,) = self.theta
        return rate

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        (rate,) = self.theta
        return np.asarray(np.where(np.asarray(x) < 0, 0.0, special.pdtr(np.maximum(np.floor(x), 0), rate)))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        (rate,) = self.theta
        return np.asarray(stats.poisson.ppf(q, rate))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        (rate,) = self.theta
        return rng.poisson(rate, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        return -float(self.expectation(self.log_prob))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        return (weighted_mean(x, weight),)

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        (rate,) = self.theta
        return np.array([[1 / rate]])

    def output(self) -> PoissonOutput:
        """Return the output family: the logarithm of the rate."""
        return PoissonOutput()
