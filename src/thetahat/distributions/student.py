"""Student's t distribution with a location and a scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support
from thetahat.distributions.log_beta import LARGE, log_beta
from thetahat.distributions.spaces import POSITIVE, REAL, Space

__all__ = ["StudentT"]


@dataclass(frozen=True)
class StudentT(Distribution):
    """(x − loc)/scale has Student's t distribution with df degrees of freedom.

    Parameters
    ----------
    df : float, optional
        Degrees of freedom.
    loc : float, optional
        Centre.
    scale : float, optional
        Scale.
    """

    df: float | None = None
    loc: float | None = None
    scale: float | None = None
    spaces: ClassVar[Mapping[str, Space]] = {"df": POSITIVE, "loc": REAL, "scale": POSITIVE}

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; df, loc, scale)."""
        df, loc, scale = theta
        z = (x - loc) / scale
        return -0.5 * (df + 1) * np.log1p(z * z / df) - _log_norm(df) - np.log(scale)

    def support(self) -> Support:
        """Return where there is mass."""
        return Support()

    def mean(self) -> float:
        """Return E[x]."""
        df, loc, scale = self.theta
        return loc if df > 1 else float("nan")

    def variance(self) -> float:
        """Return Var[x]."""
        df, loc, scale = self.theta
        return scale**2 * df / (df - 2) if df > 2 else float("inf") if df > 1 else float("nan")

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        df, loc, scale = self.theta
        return np.asarray(special.stdtr(df, (np.asarray(x) - loc) / scale))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile."""
        df, loc, scale = self.theta
        return np.asarray(loc + scale * special.stdtrit(df, q))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        df, loc, scale = self.theta
        return loc + scale * rng.standard_t(df, size)

    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""
        df, loc, scale = self.theta
        return float(0.5 * (df + 1) * _psi_rise(df) + _log_norm(df) + np.log(scale))

    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return robust guesses."""
        middle = float(np.median(x))
        spread = float(np.median(np.abs(x - middle))) or float(np.std(x)) or 1.0
        return 4.0, middle, 1.35 * spread


def _psi_rise(df: float) -> float:
    """Return ψ((ν + 1)/2) − ψ(ν/2)."""
    a = 0.5 * df
    if a <= LARGE:
        return float(special.psi(a + 0.5) - special.psi(a))
    r = 1 / a
    return r * (1 / 2 + r * (1 / 8 - r**2 * (1 / 64 - r**2 * (1 / 128 - r**2 * (17 / 2048)))))


def _log_norm(df: Any) -> Any:
    """Return log(√ν B(ν/2, ½))."""
    return 0.5 * np.log(df) + log_beta(0.5 * df, 0.5)
