"""The normal distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean, weighted_variance
from thetahat.distributions.output import NormalOutput
from thetahat.distributions.spaces import POSITIVE, REAL, Space
from thetahat.numerics.moments import moments

__all__ = ["Normal"]


@dataclass(frozen=True)
class Normal(Distribution):
    """p(x) = exp(−(x − loc)²/2 sd²) / (sd √2π).

    Parameters
    ----------
    loc : float, optional
        Mean.
    sd : float, optional
        Standard deviation.
    """

    loc: float | None = None
    sd: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"loc": REAL, "sd": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; loc, sd)."""
        loc, sd = theta
        return -0.5 * ((x - loc) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)

    def support(self) -> Support:
        """Return the real line."""
        return Support()

    def mean(self) -> float:
        """Return loc."""
        return self.theta[0]

    def variance(self) -> float:
        """Return sd²."""
        return self.theta[1] ** 2

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        loc, sd = self.theta
        return np.asarray(special.ndtr((np.asarray(x) - loc) / sd))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        loc, sd = self.theta
        return np.asarray(loc + sd * special.ndtri(q))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        loc, sd = self.theta
        return rng.normal(loc, sd, size)

    def entropy(self) -> float:
        """Return ½ log 2πe sd²."""
        return float(0.5 * np.log(2 * np.pi * np.e) + np.log(self.theta[1]))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the mean and the root of the mean squared deviation: the maximum."""
        if np.all(weight == weight[0]):
            exact, n = moments(x), len(x)
            return exact.mean, exact.standard_deviation * math.sqrt((n - 1) / n) if n > 1 else 0.0
        return weighted_mean(x, weight), float(np.sqrt(weighted_variance(x, weight)))

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return diag(1, 2)/sd²."""
        return np.diag([1.0, 2.0]) / self.variance()

    def output(self) -> NormalOutput:
        """Return the output family: sd is 1 where unknown, which leaves the maximum where it is."""
        return NormalOutput(1.0 if self.sd is None else self.sd)
