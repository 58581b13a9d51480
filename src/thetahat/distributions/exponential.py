"""The exponential distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean
from thetahat.distributions.spaces import POSITIVE, Space

__all__ = ["Exponential"]


@dataclass(frozen=True)
class Exponential(Distribution):
    """p(x) = rate exp(−rate x) for x ≥ 0.

    Parameters
    ----------
    rate : float, optional
        Events per unit of x; the mean is 1/rate.
    """

    rate: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"rate": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; rate)."""
        (rate,) = theta
        return np.log(rate) - rate * x

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0.0)

    def mean(self) -> float:
        """Return E[x]."""
        (rate,) = self.theta
        return 1 / rate

    def variance(self) -> float:
        """Return Var[x]."""
        (rate,) = self.theta
        return 1 / rate**2

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        (rate,) = self.theta
        return np.asarray(-np.expm1(-rate * np.maximum(x, 0)))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        (rate,) = self.theta
        return np.asarray(-np.log1p(-np.asarray(q)) / rate)

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        (rate,) = self.theta
        return rng.exponential(1 / rate, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        (rate,) = self.theta
        return float(1 - np.log(rate))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        mean = weighted_mean(x, weight)
        return (1 / mean if mean > 0 else float("inf"),)

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        (rate,) = self.theta
        return np.array([[1 / rate**2]])
