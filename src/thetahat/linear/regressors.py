"""Linear, ridge and Poisson regression with the interface of scikit-learn."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from thetahat.checked import finite, some_columns
from thetahat.contracts import FloatArray, Sample
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.described import Described
from thetahat.linear.inference import describe_least_squares, describe_likelihood
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.objective import columns, weight_unit
from thetahat.linear.poisson import Poisson

__all__ = ["LinearRegression", "PoissonRegression", "Ridge"]

TOO_LARGE = (
    "X: times the roots of the weights it is beyond the largest number; scale the columns or the weights"
)
RIDGE_SOLVERS = {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}


class LinearRegression(MultiOutputMixin, RegressorMixin, Described):  # type: ignore[misc]
    """Least squares: maximum likelihood when y is normal about a linear mean, with one variance.

    Parameters
    ----------
    fit_intercept : bool
        Whether there is an intercept.
    copy_X : bool
        Taken for compatibility; X is never written to.
    tol : float
        Taken for compatibility; the solution is exact to rounding.
    n_jobs : int or None
        Taken for compatibility.
    positive : bool
        Whether the coefficients must not be negative; such a fit has no standard errors.

    Attributes
    ----------
    coef_ : ndarray of shape (d,) or (k, d)
        Slopes.
    intercept_ : float or ndarray of shape (k,)
        Intercept.
    result_ : LikelihoodResult
        The coefficient table, for one output.
    rank_ : int
        Rank of the centred columns.
    status_ : Status
        How the fit ended.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
    }

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d) and y of shape (n,) or (n, k)."""
        self._validate_params()
        X, y, weight = _rows_of(self, X, y, sample_weight)
        _fit_least_squares(self, X, y, weight, np.inf)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the mean of y at the rows of X."""
        return _linear_predictor(self, X)

    def point_estimator(self, classes: int | None, /) -> LeastSquares | None:
        """Return the point estimator underneath, which shares work; None where slopes are held positive."""
        return None if self.positive else LeastSquares(np.inf, self.fit_intercept)

    def _describe(self, rows: Any) -> LikelihoodResult:
        return _describe_linear(self, rows, np.inf)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags


class Ridge(MultiOutputMixin, RegressorMixin, Described):  # type: ignore[misc]
    """Least squares with a penalty on the squared slopes: Σ w (y − b − xᵀβ)² + alpha ‖β‖².

    Parameters
    ----------
    alpha : float or array of shape (k,)
        The penalty, of each output where there are several; 0 is maximum likelihood.
    fit_intercept : bool
        Whether there is an intercept; it is not penalised.
    copy_X, max_iter, tol, solver, random_state : object
        Taken for compatibility; whatever the solver, the solution is exact to rounding.
    positive : bool
        Whether the coefficients must not be negative; such a fit has no standard errors.

    Attributes
    ----------
    coef_ : ndarray of shape (d,) or (k, d)
        Slopes.
    intercept_ : float or ndarray of shape (k,)
        Intercept.
    result_ : LikelihoodResult
        The coefficient table, for one output; it says that it is of a penalised fit.
    status_ : Status
        How the fit ended.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions(RIDGE_SOLVERS)],
        "positive": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d) and y of shape (n,) or (n, k)."""
        self._validate_params()
        X, y, weight = _rows_of(self, X, y, sample_weight)
        alpha = np.asarray(self.alpha, dtype=np.float64)
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if alpha.size not in (1, outputs):
            raise UsageError(
                "alpha: Number of targets and number of penalties do not correspond: "
                f"{alpha.size} != {outputs}"
            )
        with np.errstate(divide="ignore"):
            _fit_least_squares(self, X, y, weight, 1 / alpha)
        self.n_iter_ = 1
        self.solver_ = "cholesky" if self.solver == "auto" else self.solver
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the mean of y at the rows of X."""
        return _linear_predictor(self, X)

    def point_estimator(self, classes: int | None, /) -> LeastSquares | None:
        """Return the point estimator underneath, which shares work; None where alpha is no single number."""
        if self.positive or np.size(self.alpha) != 1:
            return None
        alpha = float(np.ravel(self.alpha)[0])
        return LeastSquares(1 / alpha if alpha > 0 else np.inf, self.fit_intercept)

    def _describe(self, rows: Any) -> LikelihoodResult:
        with np.errstate(divide="ignore"):
            return _describe_linear(
                self, rows, float(1 / np.asarray(self.alpha, dtype=np.float64).ravel()[0])
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class PoissonRegression(RegressorMixin, Described):  # type: ignore[misc]
    """Counts with mean exp(b + xᵀβ): mean negative log-likelihood + ½ alpha ‖β‖².

    Parameters
    ----------
    alpha : float
        The penalty, of the mean over rows; 0 is maximum likelihood.
    fit_intercept : bool
        Whether there is an intercept; it is not penalised.
    solver : {"lbfgs", "newton-cholesky"}
        Taken for compatibility; Newton's method is used.
    max_iter : int
        Most steps.
    tol : float
        Distance from the optimum, in standard errors, at which the work is done.
    warm_start, verbose : bool
        Taken for compatibility.

    Attributes
    ----------
    coef_ : ndarray of shape (d,)
        Slopes.
    intercept_ : float
        Intercept.
    n_iter_ : int
        Steps taken.
    result_ : LikelihoodResult
        The coefficient table.
    status_ : Status
        How the fit ended.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"lbfgs", "newton-cholesky"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "lbfgs",
        max_iter: int = 100,
        tol: float = 1e-8,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d) and counts y of shape (n,)."""
        self._validate_params()
        X, y, weight = _rows_of(self, X, y, sample_weight, many=False)
        if (y < 0).any():
            raise UsageError("y: a negative value is out of the valid range of a count")
        if not y.any():
            raise UsageError("y: every count is 0, so the mean is 0 and has no logarithm")
        model = self._core()
        fit = model.estimate(Sample(X, y, weight), rng=np.random.default_rng(0))
        self.coef_ = fit.theta.coef[:, 0].astype(self._dtype)
        self.intercept_ = self._dtype.type(fit.theta.intercept[0])
        self.n_iter_ = int(fit.stats["iterations"])
        self._ended(fit.status, fit.detail)
        self._rows = (model, Sample(X, y, weight), fit)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the mean of y at the rows of X."""
        return np.asarray(np.exp(_linear_predictor(self, X)))

    def point_estimator(self, classes: int | None, /) -> Poisson:
        """Return the point estimator underneath, which shares work."""
        return self._core()

    def _core(self) -> Poisson:
        C = 1 / float(self.alpha) if self.alpha > 0 else np.inf
        return Poisson(C, self.max_iter, float(self.tol), self.fit_intercept, averaged=True)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the part of the deviance explained, D²."""
        y = np.asarray(y, dtype=np.float64)
        mean = np.average(y, weights=sample_weight)

        def deviance(fitted: Any) -> float:
            each = special.xlogy(y, y) - special.xlogy(y, fitted) - y + fitted
            return float(np.average(each, weights=sample_weight))

        return 1 - deviance(self.predict(X)) / deviance(mean)

    def _describe(self, rows: Any) -> LikelihoodResult:
        model, sample, fit = rows
        theta = np.vstack([fit.theta.intercept, fit.theta.coef]) if self.fit_intercept else fit.theta.coef
        penalty = f"L2, alpha = {self.alpha:g}" if self.alpha else ""
        loss = model.loss(sample)
        return describe_likelihood(
            "Poisson regression", loss, theta, fit.status, fit.detail, self._names(), penalty
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.regressor_tags.poor_score = True
        tags.target_tags.positive_only = True
        return tags


def _rows_of(
    model: Any, X: Any, y: Any, sample_weight: Any, many: bool = True
) -> tuple[Any, Any, FloatArray]:
    positive = isinstance(model, LinearRegression) and model.positive
    some_columns(X)
    X, y = validate_data(
        model,
        X,
        y,
        accept_sparse=False if positive else ["csr", "csc", "coo"],
        dtype=[np.float64, np.float32],
        multi_output=many,
        y_numeric=True,
    )
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    # Single precision comes back as it was given; the arithmetic between is in double.
    model._dtype = X.dtype
    target = np.asarray(y, dtype=np.float64)
    # None among objects becomes NaN only now.
    finite(target, "y")
    return columns(X), target, weight


def _fit_least_squares(model: Any, X: Any, y: FloatArray, weight: FloatArray, C: Any) -> None:
    outputs = y.reshape(len(y), -1)
    penalties = np.broadcast_to(np.asarray(C, dtype=np.float64).ravel(), outputs.shape[1:])
    coef, intercept = np.empty(outputs.shape[1:] + (X.shape[1],)), np.empty(outputs.shape[1])
    worst = None
    for c in np.unique(penalties):
        here = np.flatnonzero(penalties == c)
        solver = LeastSquares(float(c), model.fit_intercept)
        if model.positive:
            for k in here:
                coef[k], intercept[k] = _not_negative(solver, X, outputs[:, k], weight)
            continue
        try:
            fit = solver.estimate_columns(X, outputs[:, here], weight)
        except (ValueError, np.linalg.LinAlgError):
            if np.isfinite(_largest(X) * np.sqrt(weight.max())):
                raise
            raise UsageError(TOO_LARGE) from None
        coef[here], intercept[here] = fit.theta.coef.T, fit.theta.intercept
        worst = fit if worst is None or not fit.status.ok else worst
    if not (np.abs(coef) <= np.finfo(model._dtype).max).all() and np.isfinite(coef).all():
        raise UsageError(f"y: the slopes are beyond the largest number of {model._dtype}; scale y or X")
    if worst is not None:
        model._ended(worst.status, worst.detail)
        model.rank_ = int(worst.stats.get("rank", X.shape[1])) - (model.fit_intercept and worst.status.ok)
        if y.ndim == 1:
            model._rows = (X, y, weight)
    else:
        model._rows = model._record = None
    # As scikit-learn has it: ridge gives one output, in however many dimensions, a flat coefficient.
    flat = y.ndim == 1 or (outputs.shape[1] == 1 and isinstance(model, Ridge))
    intercept = intercept.astype(model._dtype)
    model.coef_ = (coef[0] if flat else coef).astype(model._dtype)
    model.intercept_ = (intercept[0] if y.ndim == 1 else intercept) if model.fit_intercept else 0.0


def _largest(X: Any) -> float:
    return float(abs(X).max()) if X.shape[1] else 0.0


def _not_negative(
    solver: LeastSquares, X: Any, y: FloatArray, weight: FloatArray
) -> tuple[FloatArray, float]:
    """Minimise with no slope below 0, by the active sets of Lawson and Hanson."""
    X = X.toarray() if sparse.issparse(X) else X
    mean_x, mean_y = np.zeros(X.shape[1]), 0.0
    unit_of_weight = weight_unit(weight)
    weight = weight / unit_of_weight
    if solver.intercept:
        mean_x, mean_y = np.average(X, axis=0, weights=weight), float(np.average(y, weights=weight))
    root = np.sqrt(weight)
    A = np.vstack([(X - mean_x) * root[:, None], np.sqrt(1 / solver.C / unit_of_weight) * np.eye(X.shape[1])])
    if not np.isfinite(A).all():
        raise UsageError(TOO_LARGE)
    right = np.r_[(y - mean_y) * root, np.zeros(X.shape[1])]
    # Columns whose squares are no numbers are looked for in their own unit.
    unit, size = np.abs(A).max(axis=0, initial=0.0), float(np.abs(right).max(initial=0.0)) or 1.0
    unit = np.where((unit > 1e140) | ((unit > 0) & (unit < 1e-140)), unit, 1.0)
    size = size if size > 1e140 or size < 1e-140 else 1.0
    with np.errstate(over="ignore"):
        slopes = optimize.nnls(A / unit, right / size)[0] / unit * size
    if not np.isfinite(slopes).all():
        raise UsageError("X: the slopes are beyond the largest number; scale the columns")
    return slopes, mean_y - float(mean_x @ slopes)


def _describe_linear(model: Any, rows: Any, C: float) -> LikelihoodResult:
    if rows is None:
        raise UsageError(
            "result_: only a fit of one output, its slopes free, has a record; fit each by itself"
        )
    X, y, weight = rows
    X = X.toarray() if sparse.issparse(X) else X
    return describe_least_squares(LeastSquares(C, model.fit_intercept), X, y, weight, model._names())


def _linear_predictor(model: Any, X: Any) -> NDArray[Any]:
    check_is_fitted(model)
    kept = [np.float64, np.float32]
    X = validate_data(model, X, accept_sparse=["csr", "csc", "coo"], dtype=kept, reset=False)
    flat = model.coef_.ndim == 1
    coef = model.coef_[:, None] if flat else model.coef_.T
    eta = Coefficients(np.atleast_1d(model.intercept_), coef).eta(columns(X)).astype(X.dtype, copy=False)
    return eta[:, 0] if flat else eta
