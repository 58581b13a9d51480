"""Bands that hold over a whole grid at once."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray

__all__ = ["critical_value"]

SIMULATIONS = 20_000


def critical_value(covariance: FloatArray, level: float, df: float, rng: Generator) -> float:
    """Return c with P(max |T| ≤ c) = level, T multivariate Student with this correlation.

    Estimate ± c · SE then holds at all points of a grid at once with this probability; what is perfectly
    correlated costs nothing, and independent points cost what Šidák's correction asks.

    Parameters
    ----------
    covariance : ndarray of shape (V, V)
        Of the estimates. Points of variance 0 are left out.
    level : float
        Probability that the whole band holds.
    df : float
        Degrees of freedom of the variances; infinite for the normal.
    rng : Generator
        Of the simulation.

    References
    ----------
    Hothorn, Bretz and Westfall (2008), Simultaneous inference in general parametric models, Biometrical
    Journal 50.
    """
    se = np.sqrt(np.diagonal(covariance))
    kept = se > 0
    if not kept.any():
        return 0.0
    correlation = covariance[np.ix_(kept, kept)] / np.outer(se[kept], se[kept])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = rng.normal(size=(SIMULATIONS, len(root))) @ root.T
    if np.isfinite(df):
        normal /= np.sqrt(rng.chisquare(df, size=SIMULATIONS) / df)[:, None]
    return float(np.quantile(np.abs(normal).max(axis=1), level))
