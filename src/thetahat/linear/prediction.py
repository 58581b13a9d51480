"""Predictions with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse, special

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.objective import columns
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge

# A variance this small a part of the terms it is a sum of is rounding.
FEWEST_DIGITS = 1e-12
__all__ = ["PredictionInterval", "predict_interval"]


@dataclass(frozen=True, slots=True, eq=False)
class PredictionInterval:
    """Predictions with the ends of their intervals.

    Parameters
    ----------
    value, low, high : ndarray of shape (n,)
        The prediction and the ends.
    standard_error : ndarray of shape (n,)
        Of the linear predictor η, or of the new observation.
    level : float
        Nominal coverage.
    of : {"mean", "observation"}
        What is covered.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    standard_error: FloatArray
    level: float
    of: str


def predict_interval(
    model: LinearRegression | Ridge | LogisticRegression | PoissonRegression,
    X: Any,
    level: float = 0.95,
    *,
    of: Literal["mean", "observation"] = "mean",
) -> PredictionInterval:
    """Predict with an interval for the mean, or for a new observation.

    Parameters
    ----------
    model : LinearRegression, Ridge, LogisticRegression of two classes, or PoissonRegression
        A fitted model. Under a penalty the interval is of the shrunken estimate, without its bias.
    X : array-like of shape (n, d)
        Rows to predict.
    level : float
        Nominal coverage.
    of : {"mean", "observation"}
        The mean of y at a row (for two classes the probability of the second), or a new y there, which is
        known for normal errors only.

    Returns
    -------
    PredictionInterval
        NaN ends where the fit did not end well.

    Raises
    ------
    UsageError
        There is no such interval for this model.
    """
    if not 0 < level < 1:
        raise UsageError(f"level: must lie between 0 and 1, not {level:g}")
    if of not in ("mean", "observation"):
        raise UsageError(f"of: must be 'mean' or 'observation', not {of!r}")
    record = model.result_
    many = isinstance(model, LogisticRegression) and len(model.classes_) > 2
    normal = isinstance(model, LinearRegression | Ridge)
    if many:
        raise UsageError("model: of several classes each probability depends on all; use two classes")
    if of == "observation" and not normal:
        raise UsageError("of: only a normal model has an interval for a new observation; use 'mean'")
    value = model.predict_proba(X)[:, 1] if isinstance(model, LogisticRegression) else model.predict(X)
    rows = columns(X if sparse.issparse(X) else np.asarray(X, dtype=np.float64))
    rows = rows.toarray() if sparse.issparse(rows) else rows
    Z = np.column_stack([np.ones(len(rows)), rows]) if model.fit_intercept else rows
    eta, variance = Z @ record.params, ((Z @ record.covariance) * Z).sum(axis=1)
    if of == "observation":
        variance = variance + record.sigma2
    # A variance is a sum of terms of both signs: far from 0 they cancel until nothing is left of it.
    terms = (np.abs(Z) @ np.abs(record.covariance) * np.abs(Z)).sum(axis=1)
    if record.status.ok and not (variance > FEWEST_DIGITS * terms).all():
        raise UsageError(
            "X: the columns lie so far from 0, or are so large, that rounding leaves no digit of the "
            "interval; subtract the mean of each column and scale it before the fit"
        )
    error = np.sqrt(variance)
    upper = (1 + level) / 2
    quantile = special.ndtri(upper) if record.freedom is None else special.stdtrit(record.freedom, upper)
    ends = eta - quantile * error, eta + quantile * error
    if isinstance(model, LogisticRegression):
        ends = special.expit(ends[0]), special.expit(ends[1])
    elif isinstance(model, PoissonRegression):
        ends = np.exp(ends[0]), np.exp(ends[1])
    return PredictionInterval(value, *ends, error, level, of)
