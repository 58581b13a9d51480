"""What both public classes of stochastic gradient descent share."""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

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

from thetahat.checked import some_columns
from thetahat.contracts import FloatArray, IntArray, Status
from thetahat.errors import UsageError
from thetahat.linear.sgd_rows import HeldRows, SpooledRows, is_source, spooled
from thetahat.linear.sgd_state import IN_ORDER, WEIGHTLESS, SgdSettings, SgdState, begin
from thetahat.linear.sgd_training import (
    PROBE_ROWS,
    Epochs,
    Passes,
    Runaway,
    loss_at_nothing,
    loss_at_nothing_of,
    step_that_works,
    train,
    worse_than_nothing,
)
from thetahat.tables.encoding import Encoder
from thetahat.tables.spool import Spool
from thetahat.tables.streaming import open_source

if TYPE_CHECKING:
    from thetahat.linear.sgd_estimator import StochasticDescent

__all__ = ["Descent"]

# A first step that runs away is made ten times shorter, and the work begun again, so often at most.
RESTARTS = 20
# Rows of a source that are predicted at a time.
BLOCK_ROWS = 16_384
SCHEDULES = {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}


class Descent(SparseCoefMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """What both public classes do: checked settings, epochs, and weights kept in a state that can go on."""

    coef_: FloatArray
    intercept_: FloatArray
    t_: float
    status_: Status
    encoder_: Encoder

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
        "memory": [Interval(Real, 0, None, closed="neither")],
    }

    @abstractmethod
    def _loss(self) -> str:
        """Return the loss by the name the loops know it by."""

    @abstractmethod
    def _score_aside(self, X: Any, y: Any, weight: Any) -> float:
        """Return the score of rows set aside."""

    def point_estimator(self, classes: int | None, /) -> StochasticDescent | None:
        """Return the point estimator of the same settings; None where it has no equal."""
        # It is made of the public classes, so it cannot be imported before them.
        from thetahat.linear.sgd_estimator import descent_under  # noqa: PLC0415

        return descent_under(self, classes)

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
        fresh = first or not hasattr(self, "_state")
        if fresh:
            self.__dict__.pop("encoder_", None)

            def some(rng: Generator) -> tuple[Any, NDArray[Any], FloatArray]:
                rows = rng.permutation(X.shape[0])[:PROBE_ROWS]
                return X[rows], targets[0][rows], weights[0][rows] if weights[0].size else WEIGHTLESS

            self._choose_step(some, self._functions(len(targets)), seeds)
        aside, score = self._aside(X, y, sample_weight, seeds)
        orders = self._orders(len(targets), seeds)
        at_nothing = loss_at_nothing(self._settings(self.eta0_), targets[0])
        rows = HeldRows(X, targets, weights, at_nothing, orders if epochs.shuffle else None, aside)
        seen = 0.0 if first else float(getattr(self, "t_", 1.0)) - 1.0
        self._settle(rows, len(targets), (X.shape[1], X.dtype, start) if fresh else None, epochs, score)
        self.t_ = 1.0 + seen + self.n_iter_ * X.shape[0]
        if not self.status_.ok or score is not None or epochs.tol is None:
            return
        settings = self._settings(self.eta0_)
        if worse_than_nothing(X, targets, weights, settings, self.coef_, self.intercept_):
            self.status_ = Status.NOT_CONVERGED
            warnings.warn(
                "The loss stopped falling above that of no model at all, where the descent began; scale the "
                "columns (StandardScaler), lower eta0 or choose eta0='auto'",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _descend_source(self, source: Any, y: Any, sample_weight: Any, start: tuple[Any, Any]) -> None:
        """Move a new state over rows that are read from disk."""
        seeds = check_random_state(self.random_state)
        classify = isinstance(self, ClassifierMixin)
        spool, held = spooled(
            source, y, sample_weight, classify=classify, memory=self.memory, shuffle=self.shuffle
        )
        with closing(spool):
            functions, target_of, weight_of = self._of_spool(spool, sample_weight is not None)
            self._check_start(start, functions, len(spool.encoder.names))
            settings = self._settings(0.01)
            square = spool.y_mean**2 + spool.y_deviation**2
            at_nothing = loss_at_nothing_of(settings, abs(spool.y_mean), square, len(spool.classes or ()))
            aside = self._blocks_aside(spool, seeds)
            rows = SpooledRows(spool, target_of, weight_of, at_nothing, None, held, aside)
            self._choose_step(partial(rows.some, PROBE_ROWS), self._functions(functions), seeds)
            rows.orders = self._orders(functions, seeds) if self.shuffle else None
            score = partial(self._score_spooled, rows) if self.early_stopping else None
            names = spool.encoder.names
            begun = (len(names), np.float64, start)
            self._settle(rows, functions, begun, self._epochs(False), score)
            self.encoder_, self.n_features_in_ = spool.encoder, len(names)
            self.t_ = 1.0 + self.n_iter_ * spool.rows
        self.__dict__.pop("feature_names_in_", None)
        if not all(re.fullmatch(r"x\d+", name) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)

    @abstractmethod
    def _of_spool(self, spool: Spool, weighted: bool) -> tuple[int, Any, Any]:
        """Return how many functions there are, and what each takes for its target and its weights."""

    @abstractmethod
    def _score_spooled(self, rows: SpooledRows) -> float:
        """Return the score of the rows set aside on disk."""

    @abstractmethod
    def _check_start(self, start: tuple[Any, Any], functions: int, columns: int) -> None:
        """Refuse weights to begin at that are not of this shape."""

    def _functions(self, targets: int) -> int:
        return len(self.classes_) if self._loss() == "softmax" else targets

    def _orders(self, targets: int, seeds: Any) -> list[Generator]:
        return [np.random.default_rng(seeds.randint(2**31 - 1)) for _ in range(targets)]

    def _choose_step(self, some: Callable[[Generator], Any], functions: int, seeds: Any) -> None:
        eta0 = self.eta0
        if eta0 == "auto":
            probe = np.random.default_rng(seeds.randint(2**31 - 1))
            X, y, weight = some(probe)
            eta0 = step_that_works(X, y, weight, self._settings(0.01), functions)
        self.eta0_ = float(eta0)
        self._eta0_asked = self.eta0

    def _settle(
        self,
        rows: Passes,
        targets: int,
        fresh: tuple[int, Any, tuple[Any, Any]] | None,
        epochs: Epochs,
        score: Callable[[], float] | None,
    ) -> None:
        """Pass over the rows until it is enough, with a shorter step where one runs away."""
        before = getattr(self, "_state", None)
        if fresh is None and self.eta0 not in ("auto", getattr(self, "_eta0_asked", self.eta0)):
            self.eta0_, self._eta0_asked = float(self.eta0), self.eta0
            self._state.step_from_now(self.eta0_)
        for attempt in range(RESTARTS + 1):
            if fresh is not None:
                columns, dtype, start = fresh
                settings = self._settings(self.eta0_)
                self._state: SgdState = begin(settings, self._functions(targets), columns, dtype, *start)
            try:
                done, status = self._passes(rows, targets, epochs, score)
                break
            except Runaway as error:
                if fresh is not None:
                    # What ran away is no state to go on from.
                    del self._state
                    if before is not None:
                        self._state = before
                if isinstance(rows, HeldRows):
                    # Not looked at before: NaN or infinity in a column leaves its weight no number.
                    assert_all_finite(rows.X, input_name="X", estimator_name=type(self).__name__)
                if fresh is None or attempt == RESTARTS or self.learning_rate == "optimal":
                    raise
                self.eta0_ /= 10
                warnings.warn(
                    f"{error}. Begun again with eta0={self.eta0_:g}", ConvergenceWarning, stacklevel=4
                )
        self.n_iter_, self.status_ = done, status
        self._take_weights()
        if status is Status.MAX_ITER:
            warnings.warn(
                "Maximum number of iteration reached before convergence. Consider increasing max_iter to "
                "improve the fit.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _passes(
        self, rows: Passes, targets: int, epochs: Epochs, score: Callable[[], float] | None
    ) -> tuple[int, Status]:
        done, status = 0, Status.SOLVED
        for place in range(targets):
            trained = train(
                self._state,
                rows,
                self._settings(self.eta0_),
                epochs,
                function=place,
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

    def _blocks_aside(self, spool: Spool, seeds: Any) -> IntArray:
        """Return the blocks of rows on disk that are set aside for early stopping."""
        if not self.early_stopping:
            return IN_ORDER
        starts = np.random.default_rng(seeds.randint(2**31 - 1)).permutation(spool.starts)
        count = int(np.ceil(self.validation_fraction * len(starts)))
        if not 0 < count < len(starts):
            raise ValueError(
                f"validation_fraction={self.validation_fraction!r} of {spool.rows} rows, in blocks, leaves "
                "none to learn from or none to validate on; change it, or fit in memory"
            )
        return starts[:count]

    def _told(self, epoch: int, loss: float) -> None:
        print(f"-- Epoch {epoch}: mean loss {loss:.6g}")  # noqa: T201

    def _eta(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        if is_source(X) or (hasattr(self, "encoder_") and hasattr(X, "columns")):
            parts = [self._linear(encoded) for encoded, _ in self._blocks(X, None)]
            return np.concatenate(parts)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        return self._linear(X)

    def _described(self, X: Any, y: Any) -> Iterator[tuple[FloatArray, Any]]:
        """Yield rows and targets block by block, of arrays or of a source whose target y names."""
        check_is_fitted(self)
        if not self.average:
            raise UsageError("average: standard errors are those of averaged iterates; fit with average=True")
        if is_source(X, y):
            yield from self._blocks(X, "y" if y is None else y)
            return
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        for start in range(0, X.shape[0], BLOCK_ROWS):
            part = X[start : start + BLOCK_ROWS]
            yield part.toarray() if sparse.issparse(part) else part, np.asarray(y)[start : start + BLOCK_ROWS]

    def _linear(self, X: Any) -> FloatArray:
        coef: Any = self.coef_
        coef = np.atleast_2d(coef.toarray() if sparse.issparse(coef) else coef)
        return np.asarray(X @ coef.T + np.atleast_1d(self.intercept_))

    def _blocks(self, X: Any, target: str | None) -> Iterator[tuple[FloatArray, Any]]:
        """Yield the rows of a source as the fit had them, and the column of the target, if it is named."""
        if not hasattr(self, "encoder_"):
            raise UsageError("X: the model was fitted on arrays; give it arrays, or fit it on a file too")
        for frame in open_source(X).batches(BLOCK_ROWS):
            encoded = self.encoder_.encode(frame)
            assert_all_finite(encoded, input_name="X", estimator_name=type(self).__name__)
            yield encoded, None if target is None else frame.get_column(target).to_numpy()

    def _rows_of(
        self, X: Any, y: Any, sample_weight: Any, first: bool, checked: bool
    ) -> tuple[Any, Any, FloatArray]:
        """Return clean rows; NaN and infinities are left for the first epoch to find unless ``checked``."""
        some_columns(X)
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

    def _start(self, coef: Any, intercept: Any) -> tuple[Any, Any]:
        """Return the weights to begin at: those given, or those of the fit before where warm."""
        warm = self.warm_start and hasattr(self, "coef_")
        return (
            self.coef_ if coef is None and warm else coef,
            self.intercept_ if intercept is None and warm else intercept,
        )

    def _epochs(self, partial: bool) -> Epochs:
        if partial:
            return Epochs(1, None, 1, self.shuffle)
        return Epochs(self.max_iter, self.tol, self.n_iter_no_change, self.shuffle)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
