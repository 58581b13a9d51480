"""The Bernoulli distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support, weighted_mean
from thetahat.distributions.output import BernoulliOutput
from thetahat.distributions.spaces import UNIT, Space

__all__ = ["Bernoulli"]


@dataclass(frozen=True)
class Bernoulli(Distribution):
    """P(x = 1) = p, P(x = 0) = 1 − p.

    Parameters
    ----------
    p : float, optional
        Probability of a one.
    """

    p: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"p": UNIT}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; p)."""
        (p,) = theta
        return special.xlogy(x, p) + special.xlog1py(1 - x, -p)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support(0, 1, discrete=True)

    def mean(self) -> float:
        """Return E[x]."""
        (p,) = self.theta
        return p

    def variance(self) -> float:
        """Return Var[x]."""
        (p,) = self.theta
        return p * (1 - p)

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        (p,) = self.theta
        return np.asarray(np.where(np.asarray(x) < 0, 0.0, np.where(np.asarray(x) < 1, 1 - p, 1.0)))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        (p,) = self.theta
        return np.asarray(np.asarray(q) > 1 - p, dtype=float)

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        (p,) = self.theta
        return (rng.random(size) < p) * 1

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        (p,) = self.theta
        return float(special.entr(p) - special.xlog1py(1 - p, -p))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return the maximum of the likelihood."""
        return (weighted_mean(x, weight),)

    @property
    def exact(self) -> bool:
        """Whether the start is the maximum."""
        return True

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x."""
        (p,) = self.theta
        return np.array([[1 / (p * (1 - p))]])

    def output(self) -> BernoulliOutput:
        """Return the output family: the logit of p."""
        return BernoulliOutput()
