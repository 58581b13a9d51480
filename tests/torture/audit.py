"""Checks of a fit that share no code with what made it: slopes, gaps and residuals in long doubles.

An audit takes a fitted estimator, ours or scikit-learn's, and returns what contradicts the claim that it is
converged; None where nothing does. ``np.longdouble`` has 64 bits of mantissa and exponents to 4932 on x86, so
squares of 1e300 are finite here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize, sparse

__all__ = ["audit", "fit_audits", "separable"]

Long = np.longdouble
# What a stationary point may be off by, as a part of the sum of the sizes of the terms that cancel in it.
ROUNDING = {"float64": 1e-11, "float32": 2e-5}


def audit(model: Any, X: Any, y: Any, weight: Any, *, slack: float = 1.0) -> str | None:
    """Return what contradicts a fit that says it is converged, in a few words.

    Parameters
    ----------
    model : object
        Fitted, of a class that ``fit_audits`` names.
    X : ndarray of shape (n, d)
        The rows, float64.
    y, weight : ndarray or None
        As they were given.
    slack : float
        What the tolerance is multiplied by; peers promise less than we do.
    """
    found = not_finite(model)
    if found is not None:
        return found
    check = fit_audits().get(type(model).__name__)
    if check is None:
        return None
    with np.errstate(all="ignore"):
        # Single precision keeps its numbers to 6e-8, and what is handed in is what is fitted.
        return check(model, X, y, weight, slack)


def fit_audits() -> dict[str, Callable[..., str | None]]:
    """Return the audits by the name of the class."""
    return {
        "LinearRegression": _least_squares,
        "Ridge": _least_squares,
        "PoissonRegression": _poisson,
        "PoissonRegressor": _poisson,
        "LogisticRegression": _logistic,
        "SVC": _classifying_machine,
        "SVR": _regressing_machine,
        "OneClassSVM": _one_class_machine,
        "SGDClassifier": _descent,
        "SGDRegressor": _descent,
        "PCA": _components,
        "IncrementalPCA": _components,
        "KernelPCA": _kernel_components,
        "MLPClassifier": _network,
        "MLPRegressor": _network,
    }


def not_finite(model: Any) -> str | None:
    """Return which fitted array of a model is not finite."""
    for name, value in vars(model).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            part = part.data if sparse.issparse(part) else part
            if name in ("margin_", "objective_") and not np.isnan(np.asarray(part)).any():
                # A margin without weights is infinite, and a dual of prices of 1e300 is that large.
                continue
            if isinstance(part, np.ndarray | float | np.floating) and np.asarray(part).dtype.kind == "f":
                if not np.isfinite(np.asarray(part)).all():
                    return f"{name} is not finite"
    return None


def _dense(value: Any) -> Any:
    return value.toarray() if sparse.issparse(value) else np.asarray(value)


def _long(value: Any) -> Any:
    return np.asarray(_dense(value), dtype=Long)


def _weights(weight: Any, n: int) -> Any:
    return np.ones(n, Long) if weight is None else _long(weight)


def _rounding(model: Any) -> float:
    return ROUNDING["float32" if _dense(model.coef_).dtype == np.float32 else "float64"]


def _slopes(model: Any, X: Any) -> tuple[Any, Any, Any]:
    """Return X, coefficients (d, k) and intercepts (k,) in extended precision."""
    coef = _long(np.atleast_2d(_dense(model.coef_))).T
    return _long(X), coef, np.broadcast_to(np.atleast_1d(_long(model.intercept_)), coef.shape[1:])


def _least_squares(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    X, coef, intercept = _slopes(model, X)
    y = _long(y).reshape(len(X), -1)
    w = _weights(weight, len(X))[:, None]
    alpha = _long(getattr(model, "alpha", 0.0))
    rest = y - X @ coef - intercept
    sizes = np.abs(y) + np.abs(X) @ np.abs(coef) + np.abs(intercept)
    gradient = X.T @ (w * rest) - alpha * coef
    scale = np.abs(X).T @ (w * sizes) + alpha * np.abs(coef)
    # A coefficient below the smallest number is 0, and one whose true value is 0 has no last digit.
    allowed = slack * _rounding(model) * scale + ((X**2).T @ w + alpha) * Long(1e-307)
    allowed = allowed + Long(1e-30) * np.abs(y).max(initial=0) * (np.abs(X).T @ w)
    if getattr(model, "positive", False):
        if (coef < 0).any():
            return "a coefficient held positive is negative"
        gradient = np.where(coef > 0, gradient, np.maximum(gradient, 0))
    if (np.abs(gradient) > allowed).any():
        return f"slope {float(np.max(np.abs(gradient) / scale)):.1e} of its terms"
    if (
        model.fit_intercept
        and (np.abs((w * rest).sum(0)) > slack * _rounding(model) * (w * sizes).sum(0)).any()
    ):
        return "residuals do not sum to nought"
    return None


def _stationary(
    model: Any, X: Any, parts: Any, sizes: Any, curvature: Any, penalty: Any, slack: float
) -> str | None:
    """Judge gradients Σ xᵢ partsᵢ + penalty β against the decrement promised and against rounding."""
    X, coef, _ = _slopes(model, X)
    gradient = X.T @ parts + penalty * coef
    scale = np.abs(X).T @ sizes + penalty * np.abs(coef)
    curved = np.sqrt((X**2).T @ curvature + penalty)
    rows = [(gradient, scale, curved)]
    if model.fit_intercept:
        rows.append((parts.sum(0), sizes.sum(0), np.sqrt(curvature.sum(0))))
    for slope, size, curve in rows:
        # Whatever the promise, within a millionth of a standard error of the minimum is at it.
        allowed = slack * 1e-6 * curve + slack * _rounding(model) * size
        if (np.abs(slope) > allowed).any():
            worst = np.max(np.abs(slope) / np.where(curve > 0, curve, 1))
            return f"gradient of {float(worst):.1e} standard errors"
    return None


def _logistic(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    longs, coef, intercept = _slopes(model, X)
    w = _weights(weight, len(longs))[:, None]
    # Balanced classes weigh their rows.
    eta = longs @ coef + intercept
    codes = np.searchsorted(model.classes_, np.asarray(y).ravel())
    if coef.shape[1] == 1:
        p = 1 / (1 + np.exp(-eta))
        target = (codes == 1).astype(Long)[:, None]
    else:
        p = np.exp(eta - eta.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        target = np.eye(coef.shape[1], dtype=Long)[codes]
    penalty = 1 / Long(model.C)
    # The rounding of η, of the size of its terms, comes back in p.
    terms = (np.abs(longs) @ np.abs(coef) + np.abs(intercept)) * p * (1 - p)
    found = _stationary(model, X, w * (p - target), w * (p + target + terms), w * p * (1 - p), penalty, slack)
    if found is None and not np.isfinite(model.C) and coef.shape[1] == 1:
        seen = w.ravel() > 0
        if separable(np.asarray(X)[seen], codes[seen], model.fit_intercept):
            return "the classes are separable, so there is no maximum"
    return found


def separable(X: Any, codes: Any, intercept: bool) -> bool:
    """Return whether some direction puts no row on the wrong side and some row strictly on the right one."""
    scale = np.abs(X).max(axis=0, initial=0.0)
    Z = X / np.where(scale > 0, scale, 1.0)
    Z = np.column_stack([np.ones(len(Z)), Z]) if intercept else Z
    Z = np.where(codes[:, None] == 1, Z, -Z)
    found = optimize.linprog(-Z.sum(axis=0), A_ub=-Z, b_ub=np.zeros(len(Z)), bounds=[(-1, 1)] * Z.shape[1])
    return bool(found.status == 0 and -found.fun > 1e-6)


def _poisson(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    longs, coef, intercept = _slopes(model, X)
    w = _weights(weight, len(longs))[:, None]
    y = _long(y).reshape(-1, 1)
    eta = longs @ coef + intercept
    mean = np.exp(eta)
    terms = (np.abs(longs) @ np.abs(coef) + np.abs(intercept)) * mean
    penalty = Long(model.alpha) * w.sum()
    return _stationary(model, X, w * (mean - y), w * (mean + y + terms), w * mean, penalty, slack)


def _kernel(model: Any, X: Any, Z: Any) -> Any:
    X, Z = _long(X), _long(Z)
    if model.kernel == "linear":
        return X @ Z.T
    gamma = Long(getattr(model, "gamma_", None) if hasattr(model, "gamma_") else model._gamma)
    squares = np.zeros((len(X), len(Z)), Long)
    for j in range(X.shape[1]):
        squares += (X[:, None, j] - Z[None, :, j]) ** 2
    return np.exp(-gamma * squares)


def _violation(K: Any, p: Any, beta: Any, lo: Any, hi: Any, width: float, b: float, tol: float) -> str | None:
    size = float(np.max(np.abs(K) @ np.abs(beta) + np.abs(p), initial=0))
    # The kernel itself is worked out in double precision; the violation is verified in it.
    allowed = tol + 1e-9 * size
    if (beta > hi * (1 + 1e-9)).any() or (beta < lo * (1 + 1e-9)).any():
        return "a dual variable lies outside its bounds"
    F = p - K @ beta
    up = np.where(beta < hi, F - np.where(beta >= 0, width, -width), -np.inf)
    low = np.where(beta > lo, F - np.where(beta > 0, width, -width), np.inf)
    most, least = up.max(initial=-np.inf), low.min(initial=np.inf)
    if most - least > allowed:
        return f"KKT gap {float(most - least):.1e} against tol {tol:.1e}"
    if (np.isfinite(most) and b < most - allowed) or (np.isfinite(least) and b > least + allowed):
        return "the intercept contradicts the support vectors"
    return None


def _prices(C: float, weight: Any, n: int) -> Any:
    """Return the bounds of the dual variables as doubles make them, so that at the bound is at the bound."""
    return _long(C * np.maximum(np.asarray(_weights(weight, n), dtype=float), 0.0))


def _duals(model: Any, n: int) -> Any:
    dual = _long(_dense(model.dual_coef_))
    beta = np.zeros((len(dual), n), Long)
    beta[:, model.support_] = dual
    return beta


def _balance(beta: Any, total: float, p: Any, K: Any) -> str | None:
    off = abs(float(beta.sum() - total))
    # Beside a variable that turns a slope about, what is left over may be rounding.
    turning = float(np.abs(p).max(initial=0) / max(np.diagonal(K).max(initial=0), Long(1e-300)))
    allowed = max(1e-6 * float(np.abs(beta).sum()), 1e-15 * len(beta) * turning, 1e-306)
    return None if off <= allowed else f"dual variables sum to {off:.1e} off"


def _classifying_machine(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    classes = model.classes_
    codes = np.searchsorted(classes, np.asarray(y).ravel())
    price = _prices(model.C, weight, len(X))
    dual, K = _duals(model, len(X)), _kernel(model, X, X)
    pairs = [(i, j) for i in range(len(classes)) for j in range(i + 1, len(classes))]
    for place, (i, j) in enumerate(pairs):
        mine, other = np.flatnonzero(codes == i), np.flatnonzero(codes == j)
        if len(classes) == 2:
            positive, negative, beta = other, mine, dual[0]
        else:
            positive, negative, beta = mine, other, np.zeros(len(X), Long)
            beta[mine], beta[other] = dual[j - 1, mine], dual[i, other]
        p = np.zeros(len(X), Long)
        p[positive], p[negative] = 1, -1
        hi, lo = np.where(p > 0, price, 0), np.where(p < 0, -price, 0)
        rows = np.flatnonzero(p)
        inner = K[np.ix_(rows, rows)]
        found = _balance(beta[rows], 0.0, p[rows], inner) or _violation(
            inner,
            p[rows],
            beta[rows],
            lo[rows],
            hi[rows],
            0.0,
            float(np.ravel(model.intercept_)[place]),
            slack * model.tol,
        )
        if found is not None:
            return found
    return None


def _regressing_machine(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    price = _prices(model.C, weight, len(X))
    (beta,) = _duals(model, len(X))
    K, p = _kernel(model, X, X), _long(y).ravel()
    return _balance(beta, 0.0, p, K) or _violation(
        K,
        p,
        beta,
        -price,
        price,
        model.epsilon,
        float(np.ravel(model.intercept_)[0]),
        slack * model.tol,
    )


def _one_class_machine(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    price = np.maximum(_weights(weight, len(X)), 0)
    (beta,) = _duals(model, len(X))
    K, p = _kernel(model, X, X), np.zeros(len(X), Long)
    return _balance(beta, float(model.nu * price.sum()), p, K) or _violation(
        K,
        p,
        beta,
        0 * price,
        price,
        0.0,
        float(np.ravel(model.intercept_)[0]),
        slack * model.tol,
    )


def _descent(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    """Hold a descent to the least it can claim: it is no worse than where it began."""
    longs, coef, intercept = _slopes(model, X)
    w = _weights(weight, len(longs))
    if (w < 0).any():
        return None
    eta = longs @ coef + intercept
    penalty = 0.5 * Long(model.alpha) * (coef**2).sum(axis=0)
    if hasattr(model, "classes_"):
        codes = np.searchsorted(model.classes_, np.asarray(y).ravel())
        if getattr(model, "multi_class", "") == "multinomial" and eta.shape[1] > 1:
            value = np.log(np.exp(eta - eta.max(1, keepdims=True)).sum(1)) + eta.max(1)
            value, start = (value - eta[np.arange(len(eta)), codes])[:, None], np.log(Long(eta.shape[1]))
            penalty = penalty.sum(keepdims=True)
        else:
            k = eta.shape[1]
            sign = np.where(codes[:, None] == (1 if k == 1 else np.arange(k)), 1, -1)
            margin = sign * eta
            hinge = model.loss == "hinge"
            value = np.maximum(0, 1 - margin) if hinge else np.logaddexp(0, -margin)
            start = Long(1.0) if hinge else np.log(Long(2))
        first = np.full(value.shape[1], start)
    else:
        y = _long(y).ravel()
        value = 0.5 * (y[:, None] - eta) ** 2
        first = np.array([np.sum(w * 0.5 * y**2) / w.sum()])
    last = (w @ value) / w.sum() + penalty
    # The last pass may sway about the minimum by the size of a step, but not beyond where it began.
    if (last > first * 1.1 + 1e-12).any():
        return f"objective {float(last.max()):.3g} above that of no learning, {float(first.max()):.3g}"
    return None


def _components(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    X = _long(X)
    V = _long(model.components_)
    single = model.components_.dtype == np.float32
    approximate = getattr(model, "_fit_svd_solver", "") in ("randomized",)
    eps = slack * (2e-4 if single else 1e-8)
    if len(V) and np.abs(V @ V.T - np.eye(len(V))).max() > eps:
        return "components are not orthonormal"
    centred = X - X.mean(axis=0)
    total = (centred**2).sum()
    if total == 0 or not len(V):
        return None
    along = centred.T @ (centred @ V.T) - V.T * (_long(model.explained_variance_) * (len(X) - 1))
    # A column far from nought loses what its mean takes.
    lost = Long(1e-15) * np.abs(X).max() ** 2 * X.size / total
    worst = np.sqrt((along**2).sum(axis=0)).max() / total
    if worst > (0.05 if approximate else eps) + lost:
        return f"C v − λ v is {float(worst):.1e} of C"
    if (np.asarray(model.explained_variance_) < 0).any() or np.sum(
        model.explained_variance_ratio_
    ) > 1 + 1e-5:
        return "variances are not variances"
    return None


def _kernel_components(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    K = _kernel(model, X, X)
    n = len(K)
    K = K - K.mean(0) - K.mean(1)[:, None] + K.mean()
    A, values = _long(model.eigenvectors_), _long(model.eigenvalues_)
    size = np.abs(K).sum(0).max()
    if size == 0 or not len(values):
        return None
    worst = float(np.abs(K @ A - A * values).max() / size)
    rounding = 1e-4 if model.eigenvectors_.dtype == np.float32 else 1e-8
    return f"K a − λ a is {worst:.1e} of K" if worst > slack * rounding * n else None


def _network(model: Any, X: Any, y: Any, weight: Any, slack: float) -> str | None:
    """Hold a network of tanh units to its loss, worked out again, and to the slope L-BFGS claims."""
    if model.activation != "tanh" or np.size(y) != len(X):
        return None
    X, w = _long(X), _weights(weight, len(X))
    there = w > 0
    X, w, y = X[there], w[there], np.asarray(y).ravel()[there]
    layers = [_long(part) for part in model.coefs_]
    biases = [_long(part) for part in model.intercepts_]
    acts = [X]
    for A, b in zip(layers[:-1], biases[:-1], strict=True):
        acts.append(np.tanh(acts[-1] @ A + b))
    eta = acts[-1] @ layers[-1] + biases[-1]
    if hasattr(model, "classes_"):
        codes = np.searchsorted(model.classes_, y)
        if eta.shape[1] == 1:
            loss = np.logaddexp(0, np.where(codes == 1, -1, 1) * eta[:, 0])
            delta = 1 / (1 + np.exp(-eta)) - (codes == 1)[:, None]
        else:
            top = eta - eta.max(1, keepdims=True)
            p = np.exp(top) / np.exp(top).sum(1, keepdims=True)
            loss = np.log(np.exp(top).sum(1)) - top[np.arange(len(top)), codes]
            delta = p - np.eye(eta.shape[1])[codes]
    else:
        loss = 0.5 * (eta[:, 0] - _long(y)) ** 2
        delta = eta - _long(y)[:, None]
    total = w.sum()
    # Of ours the penalty is shared by the weights, so that a weight of two is a row twice.
    n = total if hasattr(model, "status_") else Long(len(X))
    penalty = 0.5 * model.alpha * sum((A**2).sum() for A in layers) / n
    value = float((w * loss).sum() / total + penalty)
    single = model.coefs_[0].dtype == np.float32
    if model.solver != "lbfgs":
        first = model.loss_curve_[0]
        # An output near 2**62 is a multiple of the spacing there: half its square is no loss gained.
        rounding = 0.0 if hasattr(model, "classes_") else (4 * np.spacing(float(np.abs(y).max()))) ** 2
        return (
            f"loss {value:.3g} above that of the first epoch, {first:.3g}"
            if value > 1.5 * first + 1e-6 + rounding
            else None
        )
    if abs(value - float(model.loss_)) > (1e-3 if single else 1e-6) * (1 + abs(value)):
        return f"loss_ {float(model.loss_):.4g} is {value:.4g} when worked out again"
    delta = delta * (w / total)[:, None]
    steepest = Long(0)
    for place in range(len(layers) - 1, -1, -1):
        steepest = max(
            steepest,
            np.abs(acts[place].T @ delta + model.alpha * layers[place] / n).max(initial=0),
            np.abs(delta.sum(0)).max(initial=0),
        )
        delta = (delta @ layers[place].T) * (1 - acts[place] ** 2) if place else delta
    allowed = slack * (1.1 * model.tol + (1e-4 if single else 1e-9) * (1 + abs(value)))
    return f"gradient {float(steepest):.1e} against tol {model.tol:.1e}" if steepest > allowed else None
