"""Large linear models by stochastic gradient descent, with the interface of scikit-learn."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Hidden, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import check_is_fitted

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.labels import encoded, places_among
from thetahat.linear.logistic import log_probabilities, probabilities
from thetahat.linear.sgd_descent import Descent
from thetahat.linear.sgd_errors import sandwich
from thetahat.linear.sgd_losses import LOSSES, probabilities_by_clipping
from thetahat.linear.sgd_rows import SpooledRows, class_targets, class_weights, is_source
from thetahat.linear.sgd_state import WEIGHTLESS
from thetahat.tables.spool import Spool

__all__ = ["SGDClassifier", "SGDRegressor"]

PROBABLE = {"log_loss", "modified_huber"}


def _has_probabilities(model: Any) -> bool:
    if model.loss not in PROBABLE:
        raise AttributeError(f"probability estimates are not available for loss={model.loss!r}")
    return True


class SGDClassifier(ClassifierMixin, Descent):  # type: ignore[misc]
    """Linear classification by stochastic gradient descent.

    Minimises Σ w loss(y, b + x · w) / Σ w + alpha · penalty, one function a class against the rest, or all
    jointly by softmax.

    Parameters
    ----------
    loss : str
        ``hinge``, ``log_loss``, ``modified_huber``, ``squared_hinge``, ``perceptron``, or a loss of numbers.
    penalty : {"l2", "l1", "elasticnet", None}
        ½‖w‖², ‖w‖₁, a mixture, or nothing.
    alpha, l1_ratio : float
        Size of the penalty, and the share of L1 in the mixture.
    fit_intercept : bool
        Whether there is an intercept.
    max_iter : int
        Most epochs.
    tol : float or None
        An epoch that does not lower the objective by this much has not improved.
    shuffle : bool
        Whether each epoch has its own order.
    verbose : int
        Whether epochs are told.
    epsilon : float
        The ε of the losses that have one.
    n_jobs : int or None
        Taken for compatibility.
    random_state : int, RandomState or None
        Of the orders.
    learning_rate : {"optimal", "constant", "invscaling", "adaptive", "pa1", "pa2"}
        How the step moves.
    eta0 : float or "auto"
        First step; ``auto`` is the best of several on a pass over some rows.
    power_t : float
        Of ``invscaling``.
    early_stopping, validation_fraction, n_iter_no_change : bool, float, int
        Whether rows set aside say when to end, which share of them, and how many epochs to wait.
    class_weight : dict or "balanced" or None
        Weight of each class.
    warm_start : bool
        Whether to begin at the weights of the fit before.
    average : bool or int
        Whether iterates are averaged, or from which step on.
    batch_size : int
        Rows of a step.
    multi_class : {"ovr", "multinomial"}
        Each class against the rest, or softmax (``log_loss`` alone).
    memory : float
        Megabytes of rows held at a time where ``fit`` is given a source.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (K, d)
    intercept_ : ndarray of shape (1,) or (K,)
    classes_ : ndarray of shape (K,)
    n_iter_ : int
        Epochs.
    t_ : float
        Rows seen, plus 1.
    eta0_ : float
        The first step in use.
    status_ : Status
        How the work ended.

    References
    ----------
    Bottou (2012), Stochastic gradient descent tricks. Tsuruoka, Tsujii and Ananiadou (2009), for L1.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Descent._parameter_constraints,
        "loss": [StrOptions(set(LOSSES) - {"poisson"})],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "n_jobs": [None, Integral],
        "multi_class": [StrOptions({"ovr", "multinomial"}), Hidden(None)],
    }

    def __init__(
        self,
        loss: str = "hinge",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: Any = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: Any = False,
        batch_size: int = 1,
        multi_class: str = "ovr",
        memory: float = 64.0,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size
        self.multi_class = multi_class
        self.memory = memory

    def fit(
        self,
        X: Any,
        y: Any = None,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Fit to rows X of shape (n, d), dense or CSR, and class labels y of shape (n,).

        X may be a source that is read batch by batch: a path or glob of Parquet, Arrow, CSV or LIBSVM files,
        a polars lazy frame, a pyarrow dataset, or an iterator of frames or of (X, y) arrays. Then y names its
        target (``"y"`` for arrays), ``sample_weight`` its column of weights, texts become 0/1 columns, and
        ``encoder_`` tells how; no more than ``memory`` megabytes of rows are held.
        """
        self._check_settings(False)
        start = self._start(coef_init, intercept_init)
        if is_source(X, y):
            self._descend_source(X, y, sample_weight, start)
            return self
        X, y, weight = self._rows_of(X, y, sample_weight, True, self.early_stopping)
        self.classes_, codes = encoded(y)
        if weight.any() and np.ptp(codes) > 0 and np.ptp(codes[weight > 0]) == 0:
            raise UsageError("sample_weight: the rows that weigh are all of one class; at least 2 are needed")
        self._fit_rows(X, y, codes, weight, False, True, start)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Pass once over these rows; ``classes`` names all classes at the first call."""
        self._check_settings(True)
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' "
                "weights, use compute_class_weight('balanced', classes=classes, y=y). In place of y you can "
                "use a large enough sample of the full training set target to properly estimate the class "
                "frequency distributions. Pass the resulting weights as the class_weight parameter."
            )
        first = not hasattr(self, "classes_") or not hasattr(self, "_state")
        X, y, weight = self._rows_of(X, y, sample_weight, first, True)
        _check_partial_fit_first_call(self, classes)
        self._fit_rows(X, y, places_among(self.classes_, y), weight, True, first, (None, None))
        return self

    def _fit_rows(
        self,
        X: Any,
        y: Any,
        codes: NDArray[Any],
        weight: FloatArray,
        partial: bool,
        first: bool,
        start: tuple[Any, Any],
    ) -> None:
        count = len(self.classes_)
        if count < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {count} class")
        self._check_start(start, 1 if count == 2 else count, X.shape[1])
        if self._loss() == "softmax":
            targets = [codes]
        else:
            own = [1] if count == 2 else range(count)
            targets = [2 * (codes == k).view(np.int8) - 1 for k in own]
        weights = [weight] * len(targets)
        if self.class_weight is not None:
            by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            whole = np.ones(len(y)) if weight is WEIGHTLESS else weight
            if len(targets) == 1:
                weights = [whole * by_class[codes]]
            else:
                weights = [whole * np.where(codes == k, by_class[k], 1.0) for k in range(count)]
        self._descend(X, targets, weights, y, weight, self._epochs(partial), first, start)

    def _of_spool(self, spool: Spool, weighted: bool) -> tuple[int, Any, Any]:
        self.classes_ = np.array(spool.classes)
        count = len(self.classes_)
        functions = 1 if count == 2 or self._loss() == "softmax" else count
        own = (lambda weight, y, function: weight) if weighted else None
        if self.class_weight == "balanced":
            own = class_weights(1 / (count * spool.shares), functions)
        elif self.class_weight is not None:
            by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_)
            own = class_weights(by_class, functions)
        return functions, class_targets(count, self._loss() == "softmax"), own

    def _score_spooled(self, rows: SpooledRows) -> float:
        self._take_weights()
        right = total = 0.0
        for X, y, weight in rows.set_aside():
            right += float(weight @ (self._places(self._linear(X)) == y))
            total += float(weight.sum())
        return right / total

    def _check_start(self, start: tuple[Any, Any], functions: int, columns: int) -> None:
        rows = self._functions(functions)
        for value, shape, name in (
            (start[0], (rows, columns), "coef_init"),
            (start[1], (rows,), "intercept_init"),
        ):
            if value is not None and np.size(value) != np.prod(shape):
                raise ValueError(f"Provided {name} does not match dataset.")

    def _loss(self) -> str:
        joint = self.multi_class == "multinomial" and len(getattr(self, "classes_", ())) > 2
        if not joint:
            return str(self.loss)
        if self.loss != "log_loss":
            raise UsageError(f"multi_class: multinomial is of log_loss, not of {self.loss}; use ovr")
        return "softmax"

    def _score_aside(self, X: Any, y: Any, weight: Any) -> float:
        return float(self.score(X, y, sample_weight=weight))

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return η: one number a row for two classes, one a class for more."""
        eta = self._eta(X)
        return eta[:, 0] if eta.shape[1] == 1 else eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row."""
        places = self._places(self._eta(X))
        return np.asarray(self.classes_[places])

    def _places(self, eta: FloatArray) -> NDArray[Any]:
        return np.asarray((eta[:, 0] > 0).astype(np.int64) if eta.shape[1] == 1 else eta.argmax(axis=1))

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> FloatArray:
        """Return P(class), of ``log_loss`` and ``modified_huber``; one against the rest, scaled to 1."""
        if self.loss == "log_loss":
            return probabilities(self._logits(X))
        return probabilities_by_clipping(self._eta(X))

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithms of the probabilities."""
        if self.loss == "log_loss":
            return log_probabilities(self._logits(X))
        return np.asarray(np.log(self.predict_proba(X)))

    def _logits(self, X: Any) -> FloatArray:
        eta = self._eta(X)
        joint = eta.shape[1] == 1 or self._loss() == "softmax"
        return eta if joint else np.asarray(special.log_expit(eta))

    def describe(self, X: Any, y: Any) -> LikelihoodResult:
        """Return the coefficients with standard errors by the sandwich at the averaged iterate.

        Averaged iterates have the asymptotic covariance H⁻¹ S H⁻¹ / n of the minimiser, with H the mean
        curvature and S the mean square of the gradients of the rows (Polyak and Juditsky, 1992).

        Raises
        ------
        UsageError
            Not ``log_loss`` on two classes, or the iterates were not averaged.
        """
        check_is_fitted(self)
        if self.loss != "log_loss" or len(self.classes_) != 2:
            raise UsageError("describe: standard errors are offered for log_loss on two classes")
        blocks = ((Z, 2.0 * np.searchsorted(self.classes_, t) - 1.0) for Z, t in self._described(X, y))
        return sandwich(self, blocks, "log_loss")


class SGDRegressor(RegressorMixin, Descent):  # type: ignore[misc]
    """Linear regression by stochastic gradient descent.

    Minimises Σ w loss(y, b + x · w) / Σ w + alpha · penalty.

    Parameters
    ----------
    loss : str
        ``squared_error``, ``huber``, ``epsilon_insensitive``, ``squared_epsilon_insensitive`` or ``poisson``
        (then the prediction is exp(b + x · w)).
    penalty, alpha, l1_ratio, fit_intercept, max_iter, tol, shuffle, verbose, epsilon, random_state : object
        As of :class:`SGDClassifier`.
    learning_rate, eta0, power_t, early_stopping, validation_fraction, n_iter_no_change, warm_start : object
        As of :class:`SGDClassifier`.
    average, batch_size, memory : object
        As of :class:`SGDClassifier`.

    Attributes
    ----------
    coef_, intercept_, n_iter_, t_, eta0_, status_
        As of :class:`SGDClassifier`.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Descent._parameter_constraints,
        "loss": [
            StrOptions(
                {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive", "poisson"}
            )
        ],
    }

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        random_state: Any = None,
        learning_rate: str = "invscaling",
        eta0: Any = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: Any = False,
        batch_size: int = 1,
        memory: float = 64.0,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size
        self.memory = memory

    def fit(
        self,
        X: Any,
        y: Any = None,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Fit to rows X of shape (n, d), dense or CSR, and numbers y of shape (n,).

        X may be a source that is read batch by batch: a path or glob of Parquet, Arrow, CSV or LIBSVM files,
        a polars lazy frame, a pyarrow dataset, or an iterator of frames or of (X, y) arrays. Then y names its
        target (``"y"`` for arrays), ``sample_weight`` its column of weights, texts become 0/1 columns, and
        ``encoder_`` tells how; no more than ``memory`` megabytes of rows are held.
        """
        self._check_settings(False)
        start = self._start(coef_init, intercept_init)
        if is_source(X, y):
            self._descend_source(X, y, sample_weight, start)
            return self
        X, y, weight = self._rows_of(X, y, sample_weight, True, self.early_stopping)
        self._check_start(start, 1, X.shape[1])
        self._descend(X, [self._target(y)], [weight], y, weight, self._epochs(False), True, start)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Pass once over these rows."""
        self._check_settings(True)
        first = not hasattr(self, "_state")
        X, y, weight = self._rows_of(X, y, sample_weight, first, True)
        self._descend(X, [self._target(y)], [weight], y, weight, self._epochs(True), first)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the prediction of each row."""
        eta = self._eta(X)[:, 0]
        return np.asarray(np.exp(eta) if self.loss == "poisson" else eta)

    def describe(self, X: Any, y: Any) -> LikelihoodResult:
        """Return the coefficients with standard errors by the sandwich at the averaged iterate.

        Raises
        ------
        UsageError
            Not ``squared_error`` or ``poisson``, or the iterates were not averaged.
        """
        check_is_fitted(self)
        if self.loss not in ("squared_error", "poisson"):
            raise UsageError("describe: standard errors are offered for squared_error and poisson")
        return sandwich(
            self, ((Z, np.asarray(t, dtype=np.float64)) for Z, t in self._described(X, y)), self.loss
        )

    def _of_spool(self, spool: Spool, weighted: bool) -> tuple[int, Any, Any]:
        if self.loss == "poisson" and spool.target_low < 0:
            raise UsageError("y: a negative value is out of the valid range of a count")
        own = (lambda weight, y, function: weight) if weighted else None
        return 1, lambda y, function: np.ascontiguousarray(y), own

    def _score_spooled(self, rows: SpooledRows) -> float:
        self._take_weights()
        sums = np.zeros(4)
        for X, y, weight in rows.set_aside():
            eta = self._linear(X)[:, 0]
            away = y - (np.exp(eta) if self.loss == "poisson" else eta)
            sums += [weight.sum(), weight @ y, weight @ y**2, weight @ away**2]
        return float(1 - sums[3] / (sums[2] - sums[1] ** 2 / sums[0]))

    def _check_start(self, start: tuple[Any, Any], functions: int, columns: int) -> None:
        for value, size, name in ((start[0], columns, "coef_init"), (start[1], 1, "intercept_init")):
            if value is not None and np.size(value) != size:
                raise ValueError(f"Provided {name} does not match dataset.")

    def _target(self, y: Any) -> FloatArray:
        if self.loss == "poisson" and (y < 0).any():
            raise UsageError("y: a negative value is out of the valid range of a count")
        return np.ascontiguousarray(y, dtype=np.float64)

    def _loss(self) -> str:
        return str(self.loss)

    def _score_aside(self, X: Any, y: Any, weight: Any) -> float:
        return float(self.score(X, y, sample_weight=weight))

    def _take_weights(self) -> None:
        super()._take_weights()
        self.coef_ = self.coef_[0]
