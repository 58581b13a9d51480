"""A power law of loss against rows, with its simulated companions for intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray, IntArray

__all__ = ["PowerLaw", "RowsNeeded", "fit_power_law"]

# Exponents that are tried: a slower power law cannot be distinguished from a constant.
EXPONENTS = np.geomspace(0.1, 2.0, 400)
SIMULATED = 1000


@dataclass(frozen=True, slots=True)
class RowsNeeded:
    """A number of training rows with its interval; infinite if no number suffices."""

    rows: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isinf(self.rows):
            return "no number of rows, as far as this curve can say"
        high = "no limit" if np.isinf(self.high) else f"{self.high:,.0f}"
        return f"about {self.rows:,.0f} rows ({self.low:,.0f} to {high})".replace(",", "\N{THIN SPACE}")


@dataclass(frozen=True, slots=True, eq=False)
class PowerLaw:
    """offset ± (a + b (n / n₀)^−c), fitted by maximum likelihood under normal errors of known variances.

    Parameters
    ----------
    a, b, c : ndarray of shape (S,)
        The fit first, then those of simulated curves.
    scale : float
        n₀, the largest size.
    offset, sign : float
        Which loss the law is of: sign · (value − offset). For a score of at most 1 it is 1 − value, of offset
        1 and sign −1; the values of the law are in the units of the score again.
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    scale: float
    offset: float = 0.0
    sign: float = 1.0

    def __call__(self, n: Any) -> FloatArray:
        """Return the curves at these numbers of rows, shape (S, …)."""
        part = (np.asarray(n, dtype=float) / self.scale)[None, ...]
        shape = (-1,) + (1,) * (part.ndim - 1)
        loss = self.a.reshape(shape) + self.b.reshape(shape) * part ** -self.c.reshape(shape)
        return np.asarray(self.offset + self.sign * loss)

    def reach(self, goal: FloatArray | float) -> FloatArray:
        """Return the rows at which each curve reaches the goal; infinite where it never does."""
        goal = self.sign * (goal - self.offset)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rows = self.scale * ((goal - self.a) / self.b) ** (-1 / self.c)
        never = (goal <= self.a) | ~(self.b > 0)
        return np.where(never & (self.a + self.b > goal), np.inf, np.where(np.isnan(rows), 1.0, rows))


def fit_power_law(
    sizes: IntArray,
    mean: FloatArray,
    covariance: FloatArray,
    falling: bool,
    rng: Generator,
    bounded: bool = True,
) -> PowerLaw:
    """Fit a + b (n / n₀)^−c to the means, and to curves simulated from their distribution.

    For each exponent a and b are weighted least squares. A falling law has b ≥ 0 and, if the
    loss is bounded by 0, a ≥ 0.
    """
    simulated = rng.multivariate_normal(mean, covariance, size=SIMULATED, method="eigh")
    curves = np.vstack([mean, simulated])
    variance = np.diagonal(covariance)
    weight = 1 / np.maximum(variance, 1e-12 * variance.max() + np.finfo(float).tiny)
    part = (sizes / sizes[-1])[None, :] ** -EXPONENTS[:, None]
    total = weight.sum()
    middle = part @ weight / total
    spread = ((part - middle[:, None]) ** 2) @ weight
    level = curves @ weight / total
    slope = ((part - middle[:, None]) * weight) @ curves.T / spread[:, None]
    a = level[None, :] - middle[:, None] * slope
    b = slope
    if falling and bounded:
        through = (part * weight) @ curves.T / ((part**2) @ weight)[:, None]
        a, b = np.where(a < 0, 0.0, a), np.where(a < 0, np.maximum(through, 0.0), b)
    if falling:
        a, b = np.where(b < 0, level[None, :], a), np.maximum(b, 0.0)
    away = a[:, :, None] + b[:, :, None] * part[:, None, :] - curves[None, :, :]
    best = ((away**2) @ weight).argmin(axis=0)
    at = np.arange(len(curves))
    return PowerLaw(a[best, at], b[best, at], EXPONENTS[best], float(sizes[-1]))
