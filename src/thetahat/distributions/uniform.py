"""The uniform distribution on an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support
from thetahat.distributions.spaces import REAL, Space

__all__ = ["Uniform"]


@dataclass(frozen=True)
class Uniform(Distribution):
    """p(x) = 1/(high − low) from low to high.

    Parameters
    ----------
    low : float, optional
        Lower end.
    high : float, optional
        Upper end.
    """

    low: float | None = None
    high: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"low": REAL, "high": REAL}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; low, high)."""
        low, high = theta
        return 0 * x - np.log(high - low)

    def support(self) -> Support:
        """Return where there is mass."""
        low, high = self.theta
        return Support(low, high)

    def mean(self) -> float:
        """Return E[x]."""
        low, high = self.theta
        return (low + high) / 2

    def variance(self) -> float:
        """Return Var[x]."""
        low, high = self.theta
        return (high - low) ** 2 / 12

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        low, high = self.theta
        return np.asarray(np.clip((np.asarray(x) - low) / (high - low), 0, 1))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        low, high = self.theta
        return np.asarray(low + (high - low) * np.asarray(q))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        low, high = self.theta
        return rng.uniform(low, high, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        low, high = self.theta
        return float(np.log(high - low))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        return float(np.min(x)), float(np.max(x))

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    @property
    def regular(self) -> bool:
        """Whether the support is the same for every θ: it is not."""
        return False
