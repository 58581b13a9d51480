"""Mean, standard deviation and autocorrelation, each rounded once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thetahat.checked import column

__all__ = ["Moments", "moments"]


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
