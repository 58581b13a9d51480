"""Linear models on rows that lie in many places: what each place adds is summed, and the sum is solved.

Least squares: the triangular factor of each part's [1, X, y] holds all that the solution needs, and factors
are stacked and solved by the same solver as rows. Likelihoods: each Newton step sums values, gradients and
Hessians. Nothing is approximated; only the order of additions differs from one machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from thetahat.contracts import FloatArray, Sample, Status
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.described import StoredCovariances
from thetahat.linear.logistic import Logistic
from thetahat.linear.objective import columns, with_penalty
from thetahat.linear.poisson import Poisson
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge
from thetahat.numerics.least_squares import solve_least_squares
from thetahat.numerics.positive import HIDDEN, positive_inverse
from thetahat.optimisers.newton import newton

__all__ = ["Everywhere", "fit_likelihood", "fit_squares"]

# ``everywhere(work)`` does ``work(X, y)`` where the rows of each part lie, and returns what each gave.
Everywhere = Callable[[Callable[[Any, Any], Any]], Sequence[Any]]
# Odds beyond exp of this, without a penalty, say that the classes may be separable.
SUSPECT = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class _Factor:
    """The triangular factor of a part's [1, X, y], its rows, and Σ y and Σ y²."""

    R: FloatArray
    n: int


def _triangle(rows: FloatArray) -> FloatArray:
    R: FloatArray = linalg.qr(rows, mode="r", check_finite=False)[0]
    return R[: min(rows.shape)]


def _factor(X: Any, y: Any, *, intercept: bool) -> _Factor:
    X, y = columns(X), np.asarray(y, dtype=np.float64)
    X = X if isinstance(X, np.ndarray) else X.toarray()
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise UsageError("X, y: a part holds NaN or infinity; drop or fill those rows first")
    parts = [np.ones((len(X), 1))] if intercept else []
    return _Factor(_triangle(np.column_stack([*parts, X, y])), len(X))


def fit_squares(model: LinearRegression | Ridge, everywhere: Everywhere, names: Sequence[str]) -> Any:
    """Fit least squares or ridge to parts; sets the attributes of the model, and returns it."""
    core = model.point_estimator(None)
    if core is None:
        raise UsageError("model: parts are fitted with one alpha and without positive")
    factors = everywhere(partial(_factor, intercept=core.intercept))
    n = sum(factor.n for factor in factors)
    stacked = _triangle(np.vstack([factor.R for factor in factors]))
    width = stacked.shape[1] - 1
    Z, target = stacked[:, :width], stacked[:, width:]
    slopes = width - core.intercept
    penalty = np.zeros((slopes if np.isfinite(core.C) else 0, width))
    if np.isfinite(core.C):
        penalty[:, core.intercept :] = np.eye(slopes) / np.sqrt(core.C)
    solved = solve_least_squares(np.vstack([Z, penalty]), np.vstack([target, np.zeros((len(penalty), 1))]))
    theta = solved.x[:, 0]
    if solved.rank < width:
        status = Status.NOT_IDENTIFIED
    else:
        status = Status.SOLVED if solved.settled else Status.NOT_CONVERGED
    residual = float(np.sum((target[:, 0] - Z @ theta) ** 2))
    matrices, freedom, sigma2 = {}, float(n - width), np.nan
    if status.ok:
        inverse = solved.inverse_root @ solved.inverse_root.T
        # A penalised fit spends fewer degrees of freedom than it has parameters.
        freedom = n - float(np.trace(inverse @ (Z.T @ Z)))
        if freedom > 0:
            sigma2 = residual / freedom
            matrices["observed"] = sigma2 * inverse @ (Z.T @ Z) @ inverse
            matrices["expected"] = matrices["observed"]
    ml = residual / n
    record = LikelihoodResult(
        "Least squares" if np.isinf(core.C) else "Ridge regression",
        names if core.intercept else names[1:],
        theta,
        -0.5 * n * (np.log(2 * np.pi * ml) + 1) if ml > 0 else np.inf,
        float(n),
        status,
        StoredCovariances(matrices),
        free=width + 1,
        freedom=freedom,
        penalty="" if np.isinf(core.C) else f"L2, alpha = {1 / core.C:g}",
        measures={"sigma2": sigma2},
    )
    model.coef_ = theta[core.intercept :]
    model.intercept_ = float(theta[0]) if core.intercept else 0.0
    _finish(model, record, slopes)
    return model


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    value: float
    gradient: FloatArray
    information: FloatArray
    reach: float
    weight: float


def _sums(
    X: Any, y: Any, *, core: Logistic | Poisson, labels: NDArray[Any] | None, theta: FloatArray
) -> _Sums:
    X, y = columns(X), np.asarray(y)
    if labels is not None:
        y = np.searchsorted(labels, y)
    loss = core.loss(Sample(X, y))
    loss = replace(loss, penalty=np.zeros_like(loss.penalty))
    point = loss.at(theta)
    eta = loss.design.eta(theta.reshape(-1, loss.classes))
    reach = np.abs(eta).max() if loss.classes == 1 else np.ptp(eta, axis=1).max()
    return _Sums(point.value, point.gradient, point.information(), float(reach), float(len(y)))


@dataclass(slots=True, eq=False)
class _Summed:
    """The penalised loss of all parts as Newton's method takes it."""

    everywhere: Everywhere
    core: Logistic | Poisson
    labels: NDArray[Any] | None
    penalty: FloatArray
    classes: int
    reach: float = 0.0

    def at(self, theta: FloatArray, /) -> _SummedPoint:
        """Evaluate at θ, flattened, in one pass over all parts."""
        found = self.everywhere(partial(_sums, core=self.core, labels=self.labels, theta=theta))
        self.reach = max(part.reach for part in found)
        matrix = theta.reshape(len(self.penalty), self.classes)
        weighted = self.penalty[:, None] * matrix
        return _SummedPoint(
            sum(part.value for part in found) + 0.5 * float(np.vdot(matrix, weighted)),
            np.sum([part.gradient for part in found], axis=0) + weighted.ravel(),
            np.sum([part.information for part in found], axis=0),
            self.penalty,
            self.classes,
            sum(part.value for part in found),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _SummedPoint:
    value: float
    gradient: FloatArray
    information: FloatArray
    penalty: FloatArray
    classes: int
    likelihood: float

    def hessian(self) -> FloatArray:
        """Return the second derivatives of the penalised loss."""
        return with_penalty(self.information.copy(), self.penalty, self.classes)


def fit_likelihood(
    model: LogisticRegression | PoissonRegression, everywhere: Everywhere, names: Sequence[str]
) -> Any:
    """Fit logistic, softmax or Poisson regression to parts; sets its attributes, and returns the model."""
    labels = None
    found = everywhere(_labels_and_shape if isinstance(model, LogisticRegression) else _shape)
    n = sum(part[1] for part in found)
    d = found[0][2]
    core: Logistic | Poisson
    if isinstance(model, LogisticRegression):
        labels = np.unique(np.concatenate([part[0] for part in found]))
        if len(labels) < 2:
            raise UsageError("y: needs at least 2 classes in the data")
        chosen = model.point_estimator(len(labels))
        if chosen is None:
            raise UsageError("model: parts are fitted without class_weight")
        core = chosen
        classes = 1 if len(labels) == 2 else len(labels)
    else:
        with np.errstate(divide="ignore"):
            core = Poisson(
                float(1 / np.float64(model.alpha * n)), model.max_iter, model.tol, model.fit_intercept
            )
        classes = 1
    width = d + core.intercept
    penalty = np.full(width, 1 / core.C)
    if core.intercept:
        penalty[0] = 0.0
    objective = _Summed(everywhere, core, labels, penalty, classes)
    found_at = newton(objective, np.zeros(width * classes), max_iter=core.max_iter, tol=core.tol)
    status, detail = found_at.status, ""
    last = objective.at(found_at.theta)
    if np.isinf(core.C) and objective.reach > SUSPECT and status.ok:
        status, detail = Status.NOT_CONVERGED, "the odds are so large that the classes may be separable"
    matrix = found_at.theta.reshape(width, classes)
    matrices = _covariances(last) if classes == 1 and status.ok else {}
    if classes == 1 and status.ok and not np.isfinite(matrices["observed"]).all():
        status, detail, matrices = Status.NOT_IDENTIFIED, HIDDEN, {}
    penalised = "" if np.isinf(core.C) else f"L2, C = {core.C:g}"
    record = None
    if classes == 1:
        record = LikelihoodResult(
            "Logistic regression" if labels is not None else "Poisson regression",
            names if core.intercept else names[1:],
            matrix[:, 0],
            -last.likelihood,
            float(n),
            status,
            StoredCovariances(matrices),
            penalty=penalised,
            detail=detail,
        )
    intercept = matrix[0] if core.intercept else np.zeros(classes)
    slopes = matrix[core.intercept :]
    if isinstance(model, LogisticRegression):
        assert labels is not None
        model.classes_, model.coef_, model.intercept_ = labels, np.ascontiguousarray(slopes.T), intercept
        model.n_iter_ = np.array([found_at.iterations], dtype=np.int32)
    else:
        model.coef_, model.intercept_, model.n_iter_ = slopes[:, 0], float(intercept[0]), found_at.iterations
    model._ended(status, detail)
    _finish(model, record, d, status)
    return model


def _labels_and_shape(X: Any, y: Any) -> tuple[NDArray[Any], int, int]:
    return np.unique(np.asarray(y)), X.shape[0], X.shape[1]


def _shape(X: Any, y: Any) -> tuple[None, int, int]:
    y = np.asarray(y)
    if (y < 0).any():
        raise UsageError("y: a negative value is out of the valid range of a count")
    return None, X.shape[0], X.shape[1]


def _covariances(point: _SummedPoint) -> dict[str, FloatArray]:
    inverse = positive_inverse(point.hessian())
    observed = inverse if not point.penalty.any() else inverse @ point.information @ inverse
    return {"observed": observed, "expected": observed}


def _finish(model: Any, record: LikelihoodResult | None, d: int, status: Status | None = None) -> None:
    model.n_features_in_ = d
    model._rows, model._record = None, record
    model._dtype = np.dtype(np.float64)
    model.status_ = record.status if record is not None else status
