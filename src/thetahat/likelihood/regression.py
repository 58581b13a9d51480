"""Fit of a conditional model: Fisher scoring, then the errors of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thetahat.autodiff import hessian
from thetahat.contracts import FloatArray, Status
from thetahat.errors import UsageError
from thetahat.likelihood.conditional import MEANS, MeanFunction, score_fit
from thetahat.likelihood.result import LikelihoodResult

__all__ = ["fit_conditional"]


def fit_conditional(
    mean: MeanFunction,
    family: str,
    X: Any,
    y: FloatArray,
    weight: FloatArray,
    start: FloatArray,
    names: Sequence[str],
    kind: str,
) -> LikelihoodResult:
    """Maximise Σ w log p(y | mean(θ, X)); σ² of a normal is estimated with n − p, and t is used.

    Parameters
    ----------
    mean, family, X, y, weight, start
        The model, the rows, and where to begin.
    names : sequence of str
        Of the parameters.
    kind : str
        Of the errors shown.
    """
    n, p = float(weight.sum()), len(start)
    shape = np.shape(mean(start, X))
    if shape != y.shape:
        raise UsageError(f"mean: must return shape {y.shape}, one mean a row; it returned {shape}")
    of = MEANS[family]
    found = score_fit(mean, of, X, y, weight, start)
    status, detail = found.status, ""
    if n <= p:
        status, detail = Status.TOO_FEW_ROWS, f"{n:g} rows, {p} parameters"
    normal = family == "Normal"
    with np.errstate(all="ignore"):
        squares = float(np.sum(weight * (y - found.mean) ** 2))
        rows_log = float(np.sum(weight * of.log_prob(y, found.mean)))
    dispersion = squares / (n - p) if normal and n > p else 1.0
    log_likelihood = -0.5 * n * (np.log(2 * np.pi * squares / n) + 1) if normal and squares > 0 else rows_log
    if normal and squares == 0:
        log_likelihood = np.inf

    def covariance(kind: str, groups: Any) -> FloatArray:
        J = found.jacobian
        R = np.linalg.qr(J, mode="r")
        inverse = np.linalg.inv(R)
        expected = inverse @ inverse.T
        if kind == "expected":
            return np.asarray(dispersion * expected)

        def negative(theta: Any) -> Any:
            return -np.sum(weight * of.log_prob(y, mean(theta, X)))

        # J carries the square roots of weights over variances; the slope of a row is J times its residual.
        residual = np.sqrt(weight / of.variance(found.mean)) * (y - found.mean)
        bread = np.linalg.inv(hessian(negative)(found.theta))
        if kind == "observed":
            return np.asarray(dispersion * bread)
        rows = J * residual[:, None]
        if kind == "clustered":
            rows = np.stack([rows[groups == g].sum(axis=0) for g in np.unique(groups)])
        elif kind in ("HC2", "HC3"):
            leverage = np.sum((J @ inverse) ** 2, axis=1)
            rows = rows / np.maximum(1 - leverage, 1e-300)[:, None] ** (0.5 if kind == "HC2" else 1.0)
        factor = n / (n - p) if kind == "HC1" else 1.0
        return np.asarray(factor * expected @ (rows.T @ rows) @ expected)

    return LikelihoodResult(
        title=f"Maximum likelihood, {family} given a mean function",
        names=tuple(names),
        params=found.theta,
        log_likelihood=float(log_likelihood),
        rows=n,
        status=status,
        covariance_of=covariance,
        errors=kind,
        free=p + normal,
        freedom=n - p if normal else None,
        measures={"sigma2": dispersion, "offset": found.offset} if normal else {"offset": found.offset},
        detail=detail,
        refit=lambda w: score_fit(mean, of, X, y, w, found.theta).theta,
    )
