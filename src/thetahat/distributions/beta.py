"""The beta distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean, weighted_variance
from thetahat.distributions.log_beta import log_beta
from thetahat.distributions.spaces import POSITIVE, Space

__all__ = ["Beta"]


@dataclass(frozen=True)
class Beta(Distribution):
    """p(x) = x^(a−1) (1 − x)^(b−1) / B(a, b) for 0 < x < 1.

    Parameters
    ----------
    a : float, optional
        First shape.
    b : float, optional
        Second shape.
    """

    a: float | None = None
    b: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"a": POSITIVE, "b": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; a, b)."""
        a, b = theta
        return special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - log_beta(a, b)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0.0, 1.0, low_closed=False, high_closed=False)

    def mean(self) -> float:
        """Return E[x]."""
        a, b = self.theta
        return a / (a + b)

    def variance(self) -> float:
        """Return Var[x]."""
        a, b = self.theta
        return a * b / ((a + b) ** 2 * (a + b + 1))

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        a, b = self.theta
        return np.asarray(special.betainc(a, b, np.clip(x, 0, 1)))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        a, b = self.theta
        return np.asarray(special.betaincinv(a, b, q))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        a, b = self.theta
        return rng.beta(a, b, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        a, b = self.theta
        return float(
            log_beta(a, b)
            - (a - 1) * special.psi(a)
            - (b - 1) * special.psi(b)
            + (a + b - 2) * special.psi(a + b)
        )

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        mean, spread = weighted_mean(x, weight), weighted_variance(x, weight)
        if not spread > 0:
            return np.inf, np.inf
        total = max(mean * (1 - mean) / spread - 1, 1e-3)
        logs = np.array([weighted_mean(np.log(x), weight), weighted_mean(np.log1p(-x), weight)])
        shapes = np.array([mean, 1 - mean]) * total
        for _ in range(100):
            gap = special.psi(shapes) - special.psi(shapes.sum()) - logs
            curve = np.diag(special.polygamma(1, shapes)) - special.polygamma(1, shapes.sum())
            # In the logarithms of the shapes, where steps cannot leave the positive numbers.
            step = np.linalg.solve(curve * shapes + np.diag(np.abs(gap)), gap)
            shapes = shapes * np.exp(-np.clip(step, -1, 1))
            if np.max(np.abs(step)) <= 1e-14:
                break
        return float(shapes[0]), float(shapes[1])

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        a, b = self.theta
        return np.asarray(np.diag(special.polygamma(1, [a, b])) - special.polygamma(1, a + b))
