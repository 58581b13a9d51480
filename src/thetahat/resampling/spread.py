"""Error bars from replicated values of an estimate: one formula each, for every kind of replication.

``r`` is an array of shape (R,) or (R, k): R replicates of one number, or of k numbers.

References
----------
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 11 to 14.
Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.numerics.moments import centred

__all__ = [
    "corrected_covariance",
    "covariance",
    "interval",
    "jackknife_bias",
    "jackknife_covariance",
    "jackknife_error",
    "monte_carlo_error",
    "standard_error",
]

Method = Literal["normal", "percentile", "basic", "bca"]
METHODS = ("normal", "percentile", "basic", "bca")


def standard_error(r: FloatArray) -> Any:
    """Return the standard deviation over replicates, with divisor R − 1."""
    return np.std(r, axis=0, ddof=1)


def covariance(r: FloatArray) -> FloatArray:
    """Return the covariance over replicates, with divisor R − 1, shape (k, k)."""
    return np.atleast_2d(np.cov(r, rowvar=False))


def corrected_covariance(r: FloatArray, share: float) -> FloatArray:
    """Return the covariance of the mean over R draws, corrected for the rows that training sets share.

    It is (1/R + share) times the covariance over draws; ``share`` is the mean of n_test / n_train, and 0 for
    draws that share no row.
    """
    return np.asarray((1 / len(r) + share) * covariance(r))


def monte_carlo_error(r: FloatArray) -> Any:
    """Return the standard error of the mean over R independent replicates, with divisor R."""
    return np.std(r, axis=0) / np.sqrt(len(r))


def jackknife_bias(left_out: FloatArray, estimate: Any) -> Any:
    """Return (n − 1)(mean of the leave-one-out values − estimate)."""
    return (len(left_out) - 1) * (np.mean(left_out, axis=0) - estimate)


def jackknife_error(left_out: FloatArray) -> Any:
    """Return the standard error from values that each leave one of n rows, or groups, out."""
    return np.sqrt((len(left_out) - 1) * np.mean(centred(left_out)[1] ** 2, axis=0))


def jackknife_covariance(left_out: FloatArray) -> FloatArray:
    """Return the covariance from k values that each leave one of n rows, or groups, out, shape (k, k)."""
    away = np.asarray(left_out - np.mean(left_out, axis=0))
    return np.asarray((len(away) - 1) / len(away) * away.T @ away)


def interval(
    r: FloatArray,
    level: float,
    method: Method,
    *,
    estimate: Any = None,
    left_out: FloatArray | None = None,
) -> tuple[Any, Any]:
    """Return the ends of the interval of each number.

    Parameters
    ----------
    r : ndarray of shape (R,) or (R, k)
        Replicates.
    level : float
        Probability that the interval holds the true value.
    method : {"normal", "percentile", "basic", "bca"}
        The estimate less its bias, ± z standard errors; percentiles of the replicates; percentiles reflected
        about the estimate; or bias-corrected and accelerated percentiles.
    estimate : float or ndarray of shape (k,)
        On the rows themselves; only percentiles do without it.
    left_out : ndarray of shape (n,) or (n, k), optional
        Leave-one-out values, from which ``bca`` takes its acceleration; it is 0 without them.

    Returns
    -------
    tuple of two floats, or of two ndarrays of shape (k,)
        NaN where the method has no interval: for ``bca`` where all replicates lie on one side of the
        estimate, or a leave-one-out value is not finite.
    """
    if method not in METHODS:
        raise UsageError(f"method: choose one of {', '.join(METHODS)}, not {method!r}")
    ends = (1 - level) / 2, (1 + level) / 2
    if method == "normal":
        center, se = 2 * estimate - np.mean(r, axis=0), standard_error(r)
        return center + special.ndtri(ends[0]) * se, center + special.ndtri(ends[1]) * se
    if method == "bca":
        if r.ndim == 1:
            return _accelerated(r, ends, float(estimate), left_out)
        sides = [
            _accelerated(r[:, j], ends, float(estimate[j]), None if left_out is None else left_out[:, j])
            for j in range(r.shape[1])
        ]
        return np.array([low for low, _ in sides]), np.array([high for _, high in sides])
    low, high = np.quantile(r, ends, axis=0)
    return (low, high) if method == "percentile" else (2 * estimate - high, 2 * estimate - low)


def _accelerated(
    r: FloatArray, ends: tuple[float, float], estimate: float, left_out: FloatArray | None
) -> tuple[float, float]:
    """Return the ends of the bias-corrected and accelerated interval of one number."""
    below = (np.mean(r < estimate) + np.mean(r <= estimate)) / 2
    if not 0 < below < 1:
        return float("nan"), float("nan")
    shift, acceleration = special.ndtri(below), 0.0
    if left_out is not None:
        away = left_out.mean() - left_out
        spread = np.sum(away**2)
        if not np.isfinite(spread):
            return float("nan"), float("nan")
        acceleration = np.sum(away**3) / (6 * spread**1.5) if spread > 0 else 0.0
    z = shift + special.ndtri(np.array(ends))
    low, high = np.quantile(r, special.ndtr(shift + z / (1 - acceleration * z)))
    return float(low), float(high)
