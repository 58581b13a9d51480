"""The gamma distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special
from scipy.optimize import brentq

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean
from thetahat.distributions.spaces import POSITIVE, Space

__all__ = ["Gamma"]


@dataclass(frozen=True)
class Gamma(Distribution):
    """p(x) = rate^shape x^(shape−1) exp(−rate x) / Γ(shape) for x > 0.

    Parameters
    ----------
    shape : float, optional
        Shape.
    rate : float, optional
        Inverse scale; the mean is shape/rate.
    """

    shape: float | None = None
    rate: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"shape": POSITIVE, "rate": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; shape, rate)."""
        shape, rate = theta
        return special.xlogy(shape, rate) + special.xlogy(shape - 1, x) - rate * x - special.gammaln(shape)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0.0, low_closed=False)

    def mean(self) -> float:
        """Return E[x]."""
        shape, rate = self.theta
        return shape / rate

    def variance(self) -> float:
        """Return Var[x]."""
        shape, rate = self.theta
        return shape / rate**2

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        shape, rate = self.theta
        return np.asarray(special.gammainc(shape, rate * np.maximum(x, 0)))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        shape, rate = self.theta
        return np.asarray(special.gammaincinv(shape, q) / rate)

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        shape, rate = self.theta
        return rng.gamma(shape, 1 / rate, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        shape, rate = self.theta
        return float(shape - np.log(rate) + special.gammaln(shape) + (1 - shape) * special.psi(shape))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        mean = weighted_mean(x, weight)
        # log of the mean minus mean of the logs: all that the shape depends on.
        gap = float(np.log(mean) - weighted_mean(np.log(x), weight))
        if not gap > 1e-14:
            return np.inf, np.inf
        guess = (3 - gap + np.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
        shape = brentq(
            lambda k: np.log(k) - special.psi(k) - gap, guess / 2, guess * 2, xtol=1e-300, rtol=1e-14
        )
        return shape, shape / mean

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        shape, rate = self.theta
        return np.array([[special.polygamma(1, shape), -1 / rate], [-1 / rate, shape / rate**2]])
