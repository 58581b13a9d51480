"""Errors of the linear models' coefficients: information, sandwiches, profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

from thetahat.contracts import FloatArray, Status
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.objective import BERNOULLI, PenalisedLoss
from thetahat.numerics.least_squares import LeastSquaresSolution
from thetahat.numerics.positive import HIDDEN, positive_inverse
from thetahat.optimisers.newton import newton

__all__ = ["describe_least_squares", "describe_likelihood"]


@dataclass(frozen=True, eq=False)
class _Sandwich:
    """Covariance matrices of an estimate whose score is a sum over rows.

    A row's weight is how often it stands, so its score enters so many times with its own square.

    Parameters
    ----------
    factor : ndarray of shape (p, p)
        From the coordinates of the scores to the parameters: the inverse of the (penalized) information where
        the scores are those of the parameters, its root where they are those of orthonormal columns.
    model : ndarray of shape (p, p)
        Covariance under the model.
    scores : ndarray of shape (n, p)
        Score of one row standing once.
    leverage : ndarray of shape (n,)
        Pull of each row on its own fit.
    weight : ndarray of shape (n,)
        How often each row stands.
    lost : float
        Parameters fitted.
    """

    factor: FloatArray
    model: FloatArray
    scores: FloatArray
    leverage: FloatArray
    weight: FloatArray
    lost: float

    def __call__(self, kind: str, groups: NDArray[Any] | None) -> FloatArray:
        if kind in ("observed", "expected"):
            return self.model
        if kind == "clustered":
            return self._clustered(np.asarray(groups))
        n = float(self.weight.sum())
        inflation = {
            "HC0": np.ones(1),
            "HC1": np.full(1, n / (n - self.lost)),
            "HC2": 1 / (1 - self.leverage),
            "HC3": 1 / (1 - self.leverage) ** 2,
        }[kind]
        half: FloatArray = self.scores * np.sqrt(self.weight * inflation)[:, None]
        return self._outside(half.T @ half)

    def _clustered(self, groups: NDArray[Any]) -> FloatArray:
        if groups.shape != self.weight.shape:
            raise UsageError(f"groups: must have one entry for each of {len(self.weight)} rows")
        _, codes = np.unique(groups, return_inverse=True)
        count, n = int(codes.max()) + 1, float(self.weight.sum())
        if count < 2:
            raise UsageError("groups: clustered errors need at least two groups")
        sums = np.zeros((count, self.scores.shape[1]))
        np.add.at(sums, codes, self.scores * self.weight[:, None])
        correction = count / (count - 1) * (n - 1) / (n - self.lost)
        return correction * self._outside(sums.T @ sums)

    def _outside(self, meat: FloatArray) -> FloatArray:
        return np.asarray(self.factor @ meat @ self.factor.T)


def describe_least_squares(
    model: LeastSquares,
    X: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    names: Sequence[str],
) -> LikelihoodResult:
    """Fit one output by least squares and return its record.

    Parameters
    ----------
    model : LeastSquares
        The estimator.
    X : ndarray of shape (n, d)
        The columns.
    y : ndarray of shape (n,)
        The output.
    weight : ndarray of shape (n,)
        How often each row stands.
    names : sequence of str
        Names of the parameters, the intercept's first.
    """
    fit = model.estimate_columns(X, y[:, None], weight)
    theta = np.r_[fit.theta.intercept[: model.intercept], fit.theta.coef[:, 0]]
    penalised = bool(np.isfinite(model.C))
    rows, p = float(weight.sum()), len(theta)
    residual: FloatArray = y - fit.theta.eta(X)[:, 0]
    rss = float(weight @ residual**2)
    measures, freedom = {}, rows - p
    lost = float(p)
    covariance: Any = _unknown
    if fit.status.ok:
        solved = model.solve(X, y[:, None], weight)
        residual = _row_residual(solved, weight)
        rss = float(weight @ residual**2)
        root = _rows_over(solved, len(X))
        leverage = (root**2).sum(axis=1)
        lost = float(leverage.sum())
        freedom = rows - lost
        sigma2 = rss / freedom if freedom > 0 else np.nan
        # Scores of orthonormal columns: sums of those of the columns themselves cancel.
        once = root / np.sqrt(np.where(weight > 0, weight, 1.0))[:, None]
        half = solved.inverse_root @ root.T if penalised else solved.inverse_root
        inner = half @ half.T
        covariance = _Sandwich(
            solved.inverse_root,
            sigma2 * inner,
            residual[:, None] * once,
            leverage / np.where(weight > 0, weight, 1.0),
            weight,
            lost,
        )
        measures["sigma2"] = sigma2
    centre = np.average(y, weights=weight) if model.intercept else 0.0
    total = float(weight @ (y - centre) ** 2)
    measures["r2"] = 1 - rss / total if total > 0 else np.nan
    status, detail = fit.status, fit.detail
    if status.ok and freedom <= 0:
        status, detail = Status.NOT_IDENTIFIED, "as many parameters as rows leave no residual"
    elif status.ok and not np.isfinite(covariance("observed", None)).all():
        status, detail = (
            Status.NOT_FINITE,
            "squares of the residuals, or of a column, are beyond the largest number",
        )
    with np.errstate(divide="ignore"):
        log_likelihood = float(-0.5 * rows * (np.log(2 * np.pi * rss / rows) + 1))
    result = LikelihoodResult(
        title="Least squares",
        names=tuple(names),
        params=theta,
        log_likelihood=log_likelihood,
        rows=rows,
        status=status,
        covariance_of=covariance,
        free=p + 1,
        freedom=freedom,
        penalty=f"L2, C = {model.C:g}" if penalised else "",
        measures=measures,
        profile_of=None if penalised or not fit.status.ok else _QuadraticProfile(theta, covariance, freedom),
        detail=detail,
    )
    return result


def _row_residual(solved: LeastSquaresSolution, weight: FloatArray) -> FloatArray:
    residual: FloatArray = solved.residual[: len(weight), 0]
    return residual / np.sqrt(np.where(weight > 0, weight, 1.0))


def _rows_over(solved: LeastSquaresSolution, n: int) -> FloatArray:
    """Return the n data rows times the inverse root: orthonormal columns, were there no penalty rows."""
    return np.asarray(solved.A[:n] @ (solved.inverse_root * solved.scale[:, None]))


def _unknown(kind: str, groups: NDArray[Any] | None) -> FloatArray:
    raise UsageError("errors: a fit that failed has none")


@dataclass(frozen=True, slots=True, eq=False)
class _QuadraticProfile:
    """The profile likelihood of least squares, σ² profiled too: its interval has a closed form."""

    theta: FloatArray
    covariance: _Sandwich
    freedom: float

    def __call__(self, index: int, level: float) -> tuple[float, float]:
        rows = float(self.covariance.weight.sum())
        worst = special.chdtri(1, 1 - level)
        t = np.sqrt(self.freedom * np.expm1(worst / rows))
        reach = float(t * np.sqrt(self.covariance.model[index, index]))
        return float(self.theta[index]) - reach, float(self.theta[index]) + reach


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """A loss with the parameters as they are reported: of each class but the first, less the first's."""

    loss: PenalisedLoss
    matrix: FloatArray

    @property
    def width(self) -> int:
        return self.loss.design.width

    @property
    def reported(self) -> FloatArray:
        if self.loss.classes == 1:
            return self.matrix[:, 0]
        return (self.matrix[:, 1:] - self.matrix[:, :1]).T.ravel()

    @cached_property
    def sandwich(self) -> _Sandwich:
        loss, k = self.loss, self.loss.classes
        point = loss.at(self.matrix.ravel())
        to_reported = self._to_reported()
        bread = to_reported @ positive_inverse(point.hessian()) @ to_reported.T
        # The likelihood's information in the reported parameters: their columns of the symmetric one.
        kept = self._places()
        information = point.information()[np.ix_(kept, kept)]
        Z = loss.design.with_ones()
        each = point.slope / np.where(loss.weight > 0, loss.weight, 1.0)[:, None]
        shown = each[:, 1:] if k > 1 else each
        scores = (shown[:, :, None] * Z[:, None, :]).reshape(len(Z), -1)
        model = bread
        if loss.penalty.any():
            # A product of one factor with itself, so that rounding makes no variance negative.
            values, vectors = linalg.eigh(information)
            half = bread @ (vectors * np.sqrt(np.maximum(values, 0.0)))
            model = half @ half.T
        leverage = self._leverage(Z, bread, point.curvature)
        lost = float(np.trace(bread @ information))
        return _Sandwich(bread, model, scores, leverage, loss.weight, lost)

    def _places(self) -> NDArray[np.int64]:
        k = self.loss.classes
        if k == 1:
            return np.arange(self.width)
        return np.concatenate([np.arange(self.width) * k + c for c in range(1, k)])

    def _to_reported(self) -> FloatArray:
        k, width = self.loss.classes, self.width
        if k == 1:
            return np.eye(width)
        out = np.zeros(((k - 1) * width, width * k))
        for c in range(1, k):
            rows = np.arange((c - 1) * width, c * width)
            out[rows, np.arange(width) * k + c] = 1.0
            out[rows, np.arange(width) * k] = -1.0
        return out

    def _leverage(self, Z: FloatArray, bread: FloatArray, curvature: FloatArray) -> FloatArray:
        """Return the trace of each row's information times the bread, standing once."""
        k, width = self.loss.classes, self.width
        if k == 1:
            once = curvature / np.where(self.loss.weight > 0, self.loss.weight, 1.0)
            return np.asarray(once * ((Z @ bread) * Z).sum(axis=1))
        out, p = np.zeros(len(Z)), curvature[:, 1:]
        for a in range(k - 1):
            for b in range(k - 1):
                block = bread[a * width : (a + 1) * width, b * width : (b + 1) * width]
                out += p[:, a] * ((a == b) - p[:, b]) * ((Z @ block) * Z).sum(axis=1)
        return out

    def covariance(self, kind: str, groups: NDArray[Any] | None) -> FloatArray:
        # These links are canonical, so observed and expected information are one.
        return self.sandwich(kind, groups)

    def profile(self, index: int, level: float) -> tuple[float, float]:
        """Return where the profile likelihood has fallen by half the quantile of χ²."""
        best, centre = self.loss.at(self.matrix.ravel()).value, float(self.reported[index])
        fall = 0.5 * float(special.chdtri(1, 1 - level))
        error = float(np.sqrt(self.sandwich.model[index, index]))
        start = self.reported

        def excess(value: float) -> float:
            nonlocal start
            pinned = _Pinned(self, index, value)
            found = newton(pinned, np.delete(start, index), tol=1e-7)
            start = np.insert(found.theta, index, value)
            return found.value - best - fall

        ends = []
        for side in (-1.0, 1.0):
            start, reach = self.reported, 2 * np.sqrt(2 * fall) * error
            for _ in range(60):
                if excess(centre + side * reach) > 0:
                    break
                reach *= 1.6
            else:
                ends.append(side * np.inf)
                continue
            ends.append(
                optimize.brentq(excess, centre, centre + side * reach, xtol=1e-10 * error, rtol=1e-14)
            )
        return float(ends[0]), float(ends[1])


@dataclass(frozen=True, slots=True, eq=False)
class _PinnedPoint:
    value: float
    gradient: FloatArray
    whole: FloatArray

    def hessian(self) -> FloatArray:
        return self.whole


@dataclass(frozen=True, slots=True, eq=False)
class _Pinned:
    """The loss in the reported parameters, one of them held."""

    likelihood: _Likelihood
    index: int
    value: float

    def at(self, theta: FloatArray, /) -> _PinnedPoint:
        likelihood, loss = self.likelihood, self.likelihood.loss
        full = np.zeros(likelihood.width * loss.classes)
        places = likelihood._places()
        full[places] = np.insert(theta, self.index, self.value)
        point = loss.at(full)
        free = np.delete(places, self.index)
        return _PinnedPoint(point.value, point.gradient[free], point.information()[np.ix_(free, free)])


def describe_likelihood(
    title: str,
    loss: PenalisedLoss,
    matrix: FloatArray,
    status: Status,
    detail: str,
    names: Sequence[str],
    penalty: str,
) -> LikelihoodResult:
    """Return the record of a logistic, softmax or Poisson fit.

    Parameters
    ----------
    title : str
        What was fitted, in words.
    loss : PenalisedLoss
        The objective, on the rows it was fitted to.
    matrix : ndarray of shape (width, k)
        Its minimiser.
    status, detail : Status, str
        How the work ended.
    names : sequence of str
        Of the parameters reported: of several classes, those of each class but the first in turn.
    penalty : str
        In words; empty for maximum likelihood.
    """
    likelihood = _Likelihood(loss, matrix)
    if status.ok and not np.isfinite(likelihood.sandwich.factor).all():
        status, detail = Status.NOT_IDENTIFIED, HIDDEN
    eta = loss.design.eta(matrix)
    value = loss.terms(eta, loss.y, loss.weight)[0]
    rows = float(loss.weight.sum())
    constant, saturated = 0.0, 0.0
    if not (loss.terms is BERNOULLI or loss.classes > 1):
        y, w = loss.y, loss.weight
        constant = float(w @ special.gammaln(y + 1))
        saturated = float(w @ (y - special.xlogy(y, y)))
    return LikelihoodResult(
        title=title,
        names=tuple(names),
        params=likelihood.reported,
        log_likelihood=-(value + constant),
        rows=rows,
        status=status,
        covariance_of=likelihood.covariance,
        penalty=penalty,
        measures={"deviance": 2 * (value - saturated)},
        profile_of=None if penalty else likelihood.profile,
        detail=detail,
    )
