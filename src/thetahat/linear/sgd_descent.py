"""What both public classes of stochastic gradient descent share."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import SparseCoefMixin
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from thetahat.contracts import FloatArray, IntArray, Status
from thetahat.errors import UsageError
from thetahat.linear.sgd_state import WEIGHTLESS, SgdSettings, SgdState, begin
from thetahat.linear.sgd_training import Epochs, Runaway, step_that_works, train

__all__ = ["Descent"]

# A first step that runs away is made ten times shorter, and the work begun again, so often at most.
RESTARTS = 20
SCHEDULES = {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}


class Descent(SparseCoefMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """What both public classes do: checked settings, epochs, and weights kept in a state that can go on."""

    coef_: FloatArray
    intercept_: FloatArray
    t_: float

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "learning_rate": [StrOptions(SCHEDULES)],
        "eta0": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "power_t": [Interval(Real, None, None, closed="neither")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "average": [Interval(Integral, 0, None, closed="neither"), "boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    @abstractmethod
    def _loss(self) -> str:
        """Return the loss by the name the loops know it by."""

    @abstractmethod
    def _score_aside(self, X: Any, y: Any, weight: Any) -> float:
        """Return the score of rows set aside."""

    def _settings(self, eta0: float) -> SgdSettings:
        average = int(self.average) if self.average else 0
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise ValueError(
                "alpha must be > 0 since learning_rate is 'optimal'. alpha is used to compute the optimal "
                "learning rate."
            )
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio must be set when penalty is 'elasticnet'")
        return SgdSettings(
            self._loss(),
            self.penalty,
            float(self.alpha),
            0.15 if self.l1_ratio is None else float(self.l1_ratio),
            self.learning_rate,
            eta0,
            float(self.power_t),
            float(self.epsilon),
            bool(self.fit_intercept),
            average,
            int(self.batch_size),
        )

    def _check_settings(self, partial: bool) -> None:
        self._validate_params()
        if self.early_stopping and partial:
            raise ValueError("early_stopping should be False with partial_fit")
        if self.batch_size > 1 and (
            self.penalty in ("l1", "elasticnet") or self.learning_rate in ("pa1", "pa2")
        ):
            raise UsageError(
                "batch_size: more than one row a step goes with l2 or no penalty, and not with pa1, pa2"
            )
        passive = "hinge" if isinstance(self, ClassifierMixin) else "epsilon_insensitive"
        if self.learning_rate in ("pa1", "pa2") and self.loss != passive:
            raise UsageError(f"learning_rate: {self.learning_rate} goes with loss={passive!r} alone")
        if self.power_t < 0:
            warnings.warn(
                "Negative values for `power_t` are deprecated in version 1.8 and will raise an error in "
                "1.10. Use values in the range [0.0, inf) instead.",
                FutureWarning,
                stacklevel=3,
            )

    def _descend(
        self,
        X: Any,
        targets: list[NDArray[Any]],
        weights: list[FloatArray],
        y: NDArray[Any],
        sample_weight: FloatArray,
        epochs: Epochs,
        first: bool,
        start: tuple[Any, Any] = (None, None),
    ) -> None:
        """Move the state over the rows; targets and weights one a function, or one for all of softmax."""
        seeds = check_random_state(self.random_state)
        functions = len(self.classes_) if self._loss() == "softmax" else len(targets)
        fresh = first or not hasattr(self, "_state")
        if fresh:
            eta0 = self.eta0
            if eta0 == "auto":
                probe = np.random.default_rng(seeds.randint(2**31 - 1))
                eta0 = step_that_works(X, targets[0], weights[0], self._settings(0.01), functions, probe)
            self.eta0_ = float(eta0)
        aside, score = self._aside(X, y, sample_weight, seeds)
        orders = [seeds.randint(2**31 - 1) for _ in targets]
        seen = 0.0 if first else float(getattr(self, "t_", 1.0)) - 1.0
        before = getattr(self, "_state", None)
        for attempt in range(RESTARTS + 1):
            if fresh:
                self._state: SgdState = begin(
                    self._settings(self.eta0_), functions, X.shape[1], X.dtype, *start
                )
            try:
                done, status = self._passes(X, targets, weights, orders, epochs, aside, score)
                break
            except Runaway as error:
                if fresh and before is not None:
                    self._state = before
                # Not looked at before: NaN or infinity in a column leaves its weight no number.
                assert_all_finite(X, input_name="X", estimator_name=type(self).__name__)
                if not fresh or attempt == RESTARTS or self.learning_rate == "optimal":
                    raise
                self.eta0_ /= 10
                warnings.warn(
                    f"{error}. Begun again with eta0={self.eta0_:g}", ConvergenceWarning, stacklevel=3
                )
        self.n_iter_, self.status_ = done, status
        self.t_ = 1.0 + seen + done * X.shape[0]
        self._take_weights()
        if status is Status.MAX_ITER:
            warnings.warn(
                "Maximum number of iteration reached before convergence. Consider increasing max_iter to "
                "improve the fit.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _passes(
        self,
        X: Any,
        targets: list[NDArray[Any]],
        weights: list[FloatArray],
        orders: list[int],
        epochs: Epochs,
        aside: NDArray[np.bool_] | None,
        score: Callable[[], float] | None,
    ) -> tuple[int, Status]:
        done, status = 0, Status.SOLVED
        for place, (target, weight) in enumerate(zip(targets, weights, strict=True)):
            trained = train(
                self._state,
                X,
                target,
                weight,
                self._settings(self.eta0_),
                epochs,
                partial(_order, len(target), np.random.default_rng(orders[place])),
                function=place,
                aside=aside,
                score=score,
                told=self._told if self.verbose else None,
            )
            done = max(done, trained.epochs)
            status = trained.status if not trained.status.ok else status
        return done, status

    def _take_weights(self) -> None:
        coef, intercept = self._state.coefficients(self._settings(self.eta0_))
        dtype = self._state.w.dtype
        self.coef_, self.intercept_ = coef.astype(dtype), intercept.astype(dtype)

    def _aside(
        self, X: Any, y: Any, sample_weight: FloatArray, seeds: Any
    ) -> tuple[Any, Callable[[], float] | None]:
        """Return which rows are set aside for early stopping, and their score."""
        if not self.early_stopping:
            return None, None
        split = StratifiedShuffleSplit if isinstance(self, ClassifierMixin) else ShuffleSplit
        usable = np.flatnonzero(sample_weight > 0) if sample_weight.size else np.arange(len(y))
        if not len(usable):
            raise ValueError(
                "The sample weights for validation set are all zero, consider using a different random state."
            )
        chooser = split(test_size=self.validation_fraction, random_state=self.random_state)
        _, held = next(chooser.split(np.zeros((len(usable), 1)), y[usable]))
        if not 0 < len(held) < len(usable):
            raise ValueError(
                f"Splitting {len(usable)} samples into a train set and a validation set with "
                f"validation_fraction={self.validation_fraction!r} led to an empty set. Please either change "
                "validation_fraction, increase number of samples, or disable early_stopping."
            )
        aside = np.zeros(len(y), dtype=np.bool_)
        aside[usable[held]] = True
        rows = np.flatnonzero(aside)

        def score() -> float:
            self._take_weights()
            return self._score_aside(X[rows], y[rows], sample_weight[rows] if sample_weight.size else None)

        return aside, score

    def _told(self, epoch: int, loss: float) -> None:
        print(f"-- Epoch {epoch}: mean loss {loss:.6g}")  # noqa: T201

    def _eta(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        coef: Any = self.coef_
        coef = np.atleast_2d(coef.toarray() if sparse.issparse(coef) else coef)
        return np.asarray(X @ coef.T + np.atleast_1d(self.intercept_))

    def _rows_of(
        self, X: Any, y: Any, sample_weight: Any, first: bool, checked: bool
    ) -> tuple[Any, Any, FloatArray]:
        """Return clean rows; NaN and infinities are left for the first epoch to find unless ``checked``."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            reset=first,
            ensure_all_finite=checked,
        )
        if self.batch_size > 1 and sparse.issparse(X):
            raise UsageError("batch_size: sparse rows are taken one a step; leave it 1, or give dense rows")
        if sample_weight is None:
            return X, y, WEIGHTLESS
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, allow_all_zero_weights=self.early_stopping
        )
        return X, y, np.ascontiguousarray(weight)

    def _epochs(self, partial: bool) -> Epochs:
        if partial:
            return Epochs(1, None, 1, self.shuffle)
        return Epochs(self.max_iter, self.tol, self.n_iter_no_change, self.shuffle)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _order(n: int, rng: Generator) -> IntArray:
    order: IntArray = np.arange(n, dtype=np.int64)
    rng.shuffle(order)
    return order
