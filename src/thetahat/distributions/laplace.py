"""The Laplace distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean
from thetahat.distributions.spaces import POSITIVE, REAL, Space

__all__ = ["Laplace"]


@dataclass(frozen=True)
class Laplace(Distribution):
    """p(x) = exp(−|x − loc|/scale) / (2 scale).

    Parameters
    ----------
    loc : float, optional
        Median.
    scale : float, optional
        Mean absolute deviation.
    """

    loc: float | None = None
    scale: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"loc": REAL, "scale": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; loc, scale)."""
        loc, scale = theta
        return -np.abs(x - loc) / scale - np.log(2 * scale)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support()

    def mean(self) -> float:
        """Return E[x]."""
        loc, scale = self.theta
        return loc

    def variance(self) -> float:
        """Return Var[x]."""
        loc, scale = self.theta
        return 2 * scale**2

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        loc, scale = self.theta
        z = (np.asarray(x) - loc) / scale
        return np.asarray(
            np.where(z < 0, 0.5 * np.exp(np.minimum(z, 0)), 1 - 0.5 * np.exp(-np.maximum(z, 0)))
        )

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        loc, scale = self.theta
        q = np.asarray(q)
        with np.errstate(divide="ignore"):
            tail = np.log(2 * np.minimum(q, 1 - q))
        return np.asarray(loc + scale * np.where(q < 0.5, tail, -tail))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        loc, scale = self.theta
        return rng.laplace(loc, scale, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        loc, scale = self.theta
        return float(1 + np.log(2 * scale))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        order = np.argsort(x)
        below = np.cumsum(weight[order])
        low, high = x[order][np.searchsorted(below, [below[-1] / 2, below[-1] / 2 * (1 + 1e-12)])]
        middle = float(0.5 * low + 0.5 * high)
        return middle, weighted_mean(np.abs(x - middle), weight)

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        loc, scale = self.theta
        return np.eye(2) / scale**2
