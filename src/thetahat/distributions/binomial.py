"""The binomial distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special, stats

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean
from thetahat.distributions.log_beta import log_beta
from thetahat.distributions.spaces import UNIT, Space

__all__ = ["Binomial"]


@dataclass(frozen=True)
class Binomial(Distribution):
    """P(x) = C(trials, x) p^x (1 − p)^(trials−x).

    Parameters
    ----------
    p : float, optional
        Probability of a success.
    trials : int
        Number of trials, known.
    """

    p: float | None = None
    trials: int = 1
    spaces: ClassVar[Mapping[str, Space]] = {"p": UNIT}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; p)."""
        (p,) = theta
        ways = -np.log1p(self.trials) - log_beta(self.trials - x + 1, x + 1)
        return ways + special.xlogy(x, p) + special.xlog1py(self.trials - x, -p)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0, self.trials, discrete=True)

    def mean(self) -> float:
        """Return E[x]."""
        (p,) = self.theta
        return self.trials * p

    def variance(self) -> float:
        """Return Var[x]."""
        (p,) = self.theta
        return self.trials * p * (1 - p)

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        (p,) = self.theta
        return np.asarray(special.bdtr(np.clip(np.floor(x), -1, self.trials), self.trials, p))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        (p,) = self.theta
        return np.asarray(stats.binom.ppf(q, self.trials, p))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        (p,) = self.theta
        return rng.binomial(self.trials, p, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        return -float(self.expectation(self.log_prob))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        return (weighted_mean(x, weight) / self.trials,)

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        (p,) = self.theta
        return np.array([[self.trials / (p * (1 - p))]])
