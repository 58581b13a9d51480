"""Mean, standard deviation and autocorrelation, each rounded once, and deviations that keep their digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thetahat.checked import column
from thetahat.contracts import FloatArray

__all__ = ["Moments", "centred", "moments", "variance"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of a column.

    Parameters
    ----------
    mean : float
        Σ x / n.
    standard_deviation : float
        √(Σ (x − x̄)² / (n − 1)); NaN for a single number.
    autocorrelation : float
        Σ (x_t − x̄)(x_{t−lag} − x̄) / Σ (x − x̄)²; NaN for a constant.
    """

    mean: float
    standard_deviation: float
    autocorrelation: float


def moments(x: ArrayLike, lag: int = 1) -> Moments:
    """Return the moments of finite numbers, to the last digits of double precision.

    Deviations from the rounded mean are exact or nearly so, their sums are correctly rounded, and
    what the rounding of the mean did to them is taken back out.

    Parameters
    ----------
    x : array-like of shape (n,)
        Finite numbers.
    lag : int
        Of the autocorrelation.

    Returns
    -------
    Moments
        Mean, variance and autocorrelation.

    Raises
    ------
    UsageError
        ``x`` is no column of finite numbers.
    """
    x = column(x, "x")
    n = len(x)
    # In units of a power of two, which rounds nothing, squares and sums of the largest numbers stay finite.
    unit = math.ldexp(1.0, math.frexp(float(np.abs(x).max()))[1] - 1)
    x = x / unit if unit > 0 else x
    mean = math.fsum(x) / n
    away = x - mean
    off = math.fsum(away) / n
    squares = math.fsum(away * away) - n * off * off
    spread = math.sqrt(squares / (n - 1)) if n > 1 else math.nan
    if not squares > 0:
        return Moments((mean + off) * unit, spread * unit, math.nan)
    exact = away - off
    return Moments((mean + off) * unit, spread * unit, math.fsum(exact[lag:] * exact[: n - lag]) / squares)


def centred(x: FloatArray, weight: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Return the mean along the first axis, and the deviations from it, which keep their digits.

    The rounding of the mean, which may be of the size of the deviations, is the mean of what is left, and
    is taken out in turn: the corrected two-pass algorithm.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, Amer. Statist. 37.
    """
    mean = np.average(x, axis=0, weights=weight)
    away = x - mean
    off = np.average(away, axis=0, weights=weight)
    away -= off
    return mean + off, away


def variance(x: FloatArray, ddof: int = 0) -> float:
    """Return Σ (x − x̄)² / (n − ddof) of a column."""
    _, away = centred(x)
    return float(away @ away) / (len(x) - ddof)
