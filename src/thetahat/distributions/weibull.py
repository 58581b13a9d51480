"""The Weibull distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean, weighted_variance
from thetahat.distributions.spaces import POSITIVE, Space

__all__ = ["Weibull"]


@dataclass(frozen=True)
class Weibull(Distribution):
    """p(x) = (shape/scale) (x/scale)^(shape−1) exp(−(x/scale)^shape) for x > 0.

    Parameters
    ----------
    shape : float, optional
        Shape; 1 is the exponential.
    scale : float, optional
        Scale: 63 % of the mass lies below it.
    """

    shape: float | None = None
    scale: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"shape": POSITIVE, "scale": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; shape, scale)."""
        shape, scale = theta
        logs = np.log(x) - np.log(scale)
        return np.log(shape) - np.log(scale) + (shape - 1) * logs - np.exp(shape * logs)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0.0, low_closed=False)

    def mean(self) -> float:
        """Return E[x]."""
        shape, scale = self.theta
        return float(scale * special.gamma(1 + 1 / shape))

    def variance(self) -> float:
        """Return Var[x]."""
        shape, scale = self.theta
        return float(scale**2 * (special.gamma(1 + 2 / shape) - special.gamma(1 + 1 / shape) ** 2))

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        shape, scale = self.theta
        return np.asarray(-np.expm1(-((np.maximum(x, 0) / scale) ** shape)))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        shape, scale = self.theta
        return np.asarray(scale * (-np.log1p(-np.asarray(q))) ** (1 / shape))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        shape, scale = self.theta
        return scale * rng.weibull(shape, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        shape, scale = self.theta
        return float(np.euler_gamma * (1 - 1 / shape) + np.log(scale / shape) + 1)

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        logs = np.log(x)
        centre, spread = weighted_mean(logs, weight), np.sqrt(weighted_variance(logs, weight))
        if not spread > 1e-14:
            return np.inf, float(np.exp(centre))
        away = logs - centre

        def slope(k: float) -> tuple[float, float]:
            powers = weight * np.exp(k * away)
            total = powers.sum()
            first, second = powers @ away / total, powers @ (away * away) / total
            return first - 1 / k, second - first**2 + 1 / k**2

        shape = float(np.pi / np.sqrt(6) / spread)
        for _ in range(60):
            value, curve = slope(shape)
            shape, last = max(shape - value / curve, shape / 4), shape
            if abs(shape - last) <= 1e-14 * shape:
                break
        scale = np.exp(centre + np.log(weighted_mean(np.exp(shape * away), weight)) / shape)
        return shape, float(scale)

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True
