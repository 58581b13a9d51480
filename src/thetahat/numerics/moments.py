"""Mean, standard deviation and autocorrelation, each rounded once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thetahat.contracts import FloatArray

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


def moments(x: FloatArray, lag: int = 1) -> Moments:
    """Return the moments of finite numbers, to the last digits of double precision.

    Deviations from the rounded mean are exact or nearly so, their sums are correctly rounded, and
    what the rounding of the mean did to them is taken back out.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Finite numbers.
    lag : int
        Of the autocorrelation.

    Returns
    -------
    Moments
        Mean, variance and autocorrelation.
    """
    n = len(x)
    mean = math.fsum(x) / n
    away = x - mean
    off = math.fsum(away) / n
    squares = math.fsum(away * away) - n * off * off
    spread = math.sqrt(squares / (n - 1)) if n > 1 else math.nan
    if not squares > 0:
        return Moments(mean + off, spread, math.nan)
    exact = away - off
    return Moments(mean + off, spread, math.fsum(exact[lag:] * exact[: n - lag]) / squares)
