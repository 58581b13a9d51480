"""Logistic and softmax regression with the interface of scikit-learn."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.linear_model._base import SparseCoefMixin
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from thetahat.checked import some_columns
from thetahat.contracts import FloatArray, Sample
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.described import Described
from thetahat.linear.inference import describe_likelihood
from thetahat.linear.logistic import Logistic, log_probabilities
from thetahat.linear.objective import columns

__all__ = ["LogisticRegression"]

SOLVERS = {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}


class LogisticRegression(ClassifierMixin, SparseCoefMixin, Described):  # type: ignore[misc]
    """Logistic regression for two classes, softmax regression fitted jointly for more.

    Minimises C Σ w (−log p(y | x)) + ½ ‖β‖²; ``C=np.inf`` is maximum likelihood.

    Parameters
    ----------
    penalty : {"l2", None}
        Taken for compatibility: None is ``C=np.inf``.
    C : float
        Inverse of the penalty.
    l1_ratio : float
        Must be 0: there is no L1 penalty here.
    dual, intercept_scaling, random_state, verbose, n_jobs : object
        Taken for compatibility.
    tol : float
        Distance from the optimum, in standard errors, at which the work is done.
    fit_intercept : bool
        Whether there is an intercept; it is not penalised.
    class_weight : dict or "balanced" or None
        Weight of each class.
    solver : str
        Taken for compatibility; Newton's method is used, or L-BFGS where parameters are very many.
    max_iter : int
        Most steps.
    warm_start : bool
        Whether to begin at the coefficients of the fit before.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes.
    coef_ : ndarray of shape (1, d) or (K, d)
        Slopes of the second class's log-odds, or of each class.
    intercept_ : ndarray of shape (1,) or (K,)
        Intercepts.
    n_iter_ : ndarray of shape (1,)
        Steps taken.
    result_ : LikelihoodResult
        The coefficient table; of more than two classes, the log-odds of each against the first.
    status_ : Status
        How the fit ended.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "penalty": [StrOptions({"l2"}), None, Hidden(StrOptions({"deprecated"}))],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions(SOLVERS)],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-8,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d) and class labels y of shape (n,)."""
        self._validate_params()
        self._check_penalty()
        kept = [np.float64, np.float32]
        some_columns(X)
        X, y = validate_data(self, X, y, accept_sparse=["csr", "csc", "coo"], dtype=kept)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise UsageError(
                "y: needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{classes[0]!r}"
            )
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if len(np.unique(codes[weight > 0])) < 2:
            raise UsageError("sample_weight: the rows that weigh are all of one class; at least 2 are needed")
        before = self._before(classes)
        self.classes_ = classes
        # Weights of classes change the loss, but a row still stands for itself.
        weight = (
            weight
            * compute_class_weight(self.class_weight, classes=classes, y=y, sample_weight=weight)[codes]
        )
        model = Logistic(
            np.inf if self.penalty is None else self.C,
            len(classes),
            self.max_iter,
            self.tol,
            self.fit_intercept,
        )
        sample = Sample(columns(X), codes, weight)
        fit = model.estimate_from(sample, before)
        # Single precision comes back as it was given; the arithmetic between is in double.
        self.coef_ = np.ascontiguousarray(fit.theta.coef.T, dtype=X.dtype)
        self.intercept_ = fit.theta.intercept.astype(X.dtype)
        self.n_iter_ = np.array([int(fit.stats.get("iterations", 0))], dtype=np.int32)
        self._ended(fit.status, fit.detail)
        self._rows = (model, sample, fit)
        return self

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return η: the log-odds of the second class, or one number a class."""
        eta = self._eta(X)
        return eta[:, 0] if eta.shape[1] == 1 else eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest class of each row."""
        eta = self._eta(X)
        place = (eta[:, 0] > 0).astype(int) if eta.shape[1] == 1 else eta.argmax(axis=1)
        return np.asarray(self.classes_[place])

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class, shape (n, K)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], dtype=np.float64, reset=False)
        prediction = Logistic(classes=len(self.classes_)).predict(self._theta(), X)
        assert prediction.probability is not None
        return prediction.probability

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of the probability of each class, shape (n, K)."""
        return log_probabilities(self._eta(X))

    def point_estimator(self, classes: int | None, /) -> Logistic | None:
        """Return the point estimator underneath, which shares work; None where classes are weighed."""
        if classes is None or self.class_weight is not None or self.l1_ratio:
            return None
        C = np.inf if self.penalty is None else self.C
        return Logistic(C, classes, self.max_iter, self.tol, self.fit_intercept)

    def _check_penalty(self) -> None:
        """Refuse an L1 penalty, and say which arguments scikit-learn is about to remove."""
        if self.l1_ratio:
            raise UsageError(f"l1_ratio: must be 0, not {self.l1_ratio:g}: there is no L1 penalty here")
        going = []
        if self.penalty != "deprecated":
            going.append("'penalty' was deprecated: leave it out, and use C=np.inf for no penalty")
        if self.l1_ratio is None:
            going.append("'l1_ratio=None' was deprecated: leave it at 0")
        if self.n_jobs is not None:
            going.append("'n_jobs' has no effect and will be removed: leave it out")
        for said in going:
            warnings.warn(said, FutureWarning, stacklevel=3)
        if self.penalty is None and self.C not in (1.0, np.inf):
            warnings.warn("Setting penalty=None will ignore the C; leave one of them out", stacklevel=3)

    def _theta(self) -> Coefficients:
        coef: Any = self.coef_
        return Coefficients(self.intercept_, (coef.toarray() if sparse.issparse(coef) else coef).T)

    def _eta(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], dtype=np.float64, reset=False)
        return self._theta().eta(columns(X))

    def _before(self, classes: NDArray[Any]) -> Coefficients | None:
        fitted = self.warm_start and hasattr(self, "coef_") and self.coef_.shape[1] == self.n_features_in_
        return self._theta() if fitted and np.array_equal(classes, self.classes_) else None

    def _describe(self, rows: Any) -> LikelihoodResult:
        if rows is None:
            raise UsageError(
                "result_: a fit to parts has no record of more than two classes; fit the rows in one place"
            )
        model, sample, fit = rows
        theta = np.vstack([fit.theta.intercept, fit.theta.coef]) if self.fit_intercept else fit.theta.coef
        names, many = self._names(), len(self.classes_) > 2
        if many:
            names = [f"{label}: {name}" for label in self.classes_[1:] for name in names]
        title = f"Softmax regression, against {self.classes_[0]}" if many else "Logistic regression"
        penalty = f"L2, C = {model.C:g}" if np.isfinite(model.C) else ""
        loss = model.loss(sample)
        return describe_likelihood(title, loss, theta, fit.status, fit.detail, names, penalty)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
