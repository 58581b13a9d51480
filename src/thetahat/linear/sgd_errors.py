"""Standard errors of averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import special

from thetahat.contracts import FloatArray, Status
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.described import StoredCovariances
from thetahat.numerics.positive import positive_inverse

__all__ = ["sandwich"]


def sandwich(model: Any, blocks: Iterable[tuple[FloatArray, FloatArray]], loss: str) -> LikelihoodResult:
    """Return the record of an averaged fit, its errors H⁻¹ S H⁻¹ by blocks of rows X and their targets."""
    d = np.size(model.coef_)
    width = d + bool(model.fit_intercept)
    H, S = np.zeros((width, width)), np.zeros((width, width))
    n, value, squares = 0, 0.0, 0.0
    for part, target in blocks:
        eta = model._linear(part)[:, 0]
        if loss == "log_loss":
            p = special.expit(eta)
            slope, curvature = p - (target + 1) / 2, p * (1 - p)
            value -= float(np.logaddexp(0, -target * eta).sum())
        elif loss == "poisson":
            mean = np.exp(eta)
            slope, curvature = mean - target, mean
            value += float(np.sum(target * eta - mean - special.gammaln(target + 1)))
        else:
            slope, curvature = eta - target, np.ones(len(part))
            squares += float(slope @ slope)
        Z = np.column_stack([np.ones(len(part)), part]) if model.fit_intercept else part
        H += (Z * curvature[:, None]).T @ Z
        S += (Z * slope[:, None] ** 2).T @ Z
        n += len(part)
    if loss == "squared_error":
        value = -0.5 * n * (np.log(2 * np.pi * squares / n) + 1)
    penalty = model.alpha * n if model.penalty == "l2" else 0.0
    H[np.diag_indices(width)] += np.r_[np.zeros(width - d), np.full(d, penalty)]
    inverse = positive_inverse(H)
    names = getattr(model, "feature_names_in_", None)
    listed = [f"x{j}" for j in range(d)] if names is None else list(map(str, names))
    theta = np.ravel(model.coef_).astype(np.float64)
    return LikelihoodResult(
        f"Averaged stochastic gradient descent, {loss}",
        ["intercept", *listed] if model.fit_intercept else listed,
        np.r_[np.ravel(model.intercept_), theta] if model.fit_intercept else theta,
        value,
        float(n),
        model.status_ if np.isfinite(inverse).all() else Status.NOT_IDENTIFIED,
        StoredCovariances({"HC0": inverse @ S @ inverse}),
        errors="HC0",
        penalty=""
        if model.penalty is None or model.alpha == 0
        else f"{model.penalty}, alpha = {model.alpha:g}",
    )
