"""What both public networks share: the training of coefs_ and intercepts_ with scikit-learn's parameters."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from contextlib import ExitStack
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from thetahat.checked import some_columns
from thetahat.contracts import FloatArray, Sample, Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.networks.architecture import Architecture
from thetahat.networks.checkpoint import Checkpoint, fingerprint
from thetahat.networks.diagnosis import Diagnosis, diagnose, gradient_norms
from thetahat.networks.engine import EngineState, Executor, TrainingProblem, executor_for
from thetahat.networks.history import History
from thetahat.networks.output import Output
from thetahat.networks.progress import bar_of_epochs
from thetahat.networks.training import Plan, Stop, by_lbfgs, by_steps
from thetahat.networks.units import unit_named
from thetahat.optimisers.adam import Adam
from thetahat.optimisers.sgd import SGD

__all__ = ["CONSTRAINTS", "Perceptron", "may_continue"]

CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({"identity", "logistic", "tanh", "relu"})],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "hidden": [str, "array-like", None],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "init": [StrOptions({"unit", "he", "glorot", "orthogonal"})],
    "bias": ["boolean"],
    "checkpoint": [str, os.PathLike, None],
    "time_limit": [Interval(Real, 0, None, closed="neither"), None],
}
# What may change between a checkpoint and its resumption.
_FREE = ("max_iter", "time_limit", "checkpoint", "verbose", "warm_start")


class Perceptron(BaseEstimator):  # type: ignore[misc]
    """A feed-forward network with scikit-learn's attributes."""

    _numeric_target: ClassVar[bool]
    _rng: Generator
    _history: History
    _memory: EngineState | None
    _parameter_constraints: ClassVar[dict[str, Any]] = CONSTRAINTS

    @abstractmethod
    def _prepare(self, y: Any, weight: Any, fresh: bool) -> tuple[Output, NDArray[Any], FloatArray | None]:
        """Return the output, y as the objective takes it, and the weights, class weights included."""

    @abstractmethod
    def _score_of(self, eta: FloatArray, y: NDArray[Any], weight: FloatArray | None) -> float:
        """Return accuracy or R² of rows held out for early stopping."""

    @abstractmethod
    def _finish(self, eta: FloatArray, y: NDArray[Any], weight: FloatArray | None) -> None:
        """Set what is estimated after the training."""

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Self:
        self._validate_params()
        fresh = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        some_columns(X)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=self._numeric_target,
            dtype=(np.float64, np.float32),
            reset=fresh,
        )
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        output, target, weight = self._prepare(y, weight, fresh)
        X = X.toarray() if sparse.issparse(X) else X
        if weight is not None:
            # A row of weight 0 is a row that is not there: it takes part in no batch.
            there = weight > 0
            if not there.any():
                raise UsageError("sample_weight: every weight is zero; give some row a positive one")
            X, target, weight = X[there], target[there], weight[there]
        architecture = self._architecture_of(X.shape[1], output)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        rng = self._rng if incremental and not fresh else np.random.default_rng(seed)
        if fresh:
            start = architecture.init(Sample(X, target, weight), rng=rng)
            self._set(architecture, [part.astype(X.dtype) for part in start])
            self._history, self._memory = History(), None
        elif self._theta_shapes(architecture) != [part.shape for part in self._theta()]:
            raise UsageError(
                "hidden_layer_sizes: the network fitted before has other layers; set warm_start=False"
            )
        self._history.epochs = 0
        if not incremental:
            self._history.waited, self._history.divisor, self._memory = 0, 1.0, None
        self._rng = rng
        stop = self._train(X, target, weight, seed, incremental)
        self._say(stop)
        self._finish(self._eta(X), target, weight)
        return self

    def _architecture_of(self, inputs: int, output: Output) -> Architecture:
        sizes = self.hidden_layer_sizes
        widths = tuple(int(w) for w in (sizes if hasattr(sizes, "__iter__") else [sizes]))
        if any(w <= 0 for w in widths):
            raise UsageError(f"hidden_layer_sizes must be > 0, got {list(widths)}")
        hidden = self.activation if self.hidden is None else self.hidden
        names = [hidden] * len(widths) if isinstance(hidden, str) else list(hidden)
        if len(names) != len(widths):
            raise UsageError(f"hidden: names {len(names)} units for {len(widths)} layers; give one a layer")
        units = tuple(unit_named(name) for name in names)
        return Architecture(inputs, widths, units, output, self.bias, float(self.dropout), self.init)

    def _theta_shapes(self, architecture: Architecture) -> list[tuple[int, ...]]:
        rows = np.zeros((1, architecture.inputs))
        y = (
            np.zeros(1, np.int64)
            if architecture.output.family == "categorical"
            else np.zeros((1, architecture.output.targets))
        )
        return [part.shape for part in architecture.init(Sample(rows, y), rng=np.random.default_rng(0))]

    def _train(
        self, X: FloatArray, y: NDArray[Any], weight: FloatArray | None, seed: int, incremental: bool
    ) -> Stop:
        arrays = {"X": X, "y": y} if weight is None else {"X": X, "y": y, "weight": weight}
        held: dict[str, Any] | None = None
        if self.early_stopping and self.solver != "lbfgs":
            if incremental:
                raise UsageError("early_stopping: partial_fit does not support early_stopping=True")
            arrays, held = self._split(arrays, seed)
        architecture = self.architecture_
        problem = TrainingProblem(
            architecture.loss(float(self.alpha)),
            self._theta(),
            arrays,
            architecture.masks,
        )
        executor = executor_for(problem, self._optimiser(), clip_norm=self.clip_norm)
        if incremental and self._memory is not None:
            executor.restore(self._memory)
        if self.solver == "lbfgs":
            stop = by_lbfgs(
                problem,
                executor,
                self._history,
                max_iter=self.max_iter,
                max_fun=self.max_fun,
                tol=self.tol,
            )
        else:
            stop = self._steps(problem, executor, arrays, held, incremental)
        if stop.status is Status.NOT_FINITE:
            raise UsageError(stop.detail if self.solver != "lbfgs" else stop.status.value)
        self._set(architecture, [part.copy() for part in executor.parameters])
        self._memory = executor.state if incremental else None
        self.gradient_norms_ = gradient_norms(architecture, executor.gradients)
        self._report()
        return stop

    def _steps(
        self,
        problem: TrainingProblem,
        executor: Executor,
        arrays: dict[str, Any],
        held: dict[str, Any] | None,
        incremental: bool,
    ) -> Stop:
        rows, history, rng = problem.rows, self._history, self._rng
        plan = self._plan(rows, incremental)

        def score() -> float:
            assert held is not None
            eta = self.architecture_.eta(executor.parameters, held["X"])
            return self._score_of(eta, held["y"], held.get("weight"))

        kept = None
        if self.checkpoint is not None and not incremental:
            settings = {key: repr(value) for key, value in self.get_params().items() if key not in _FREE}
            begun = {f"theta{i}": part for i, part in enumerate(problem.parameters)}
            kept = Checkpoint(self.checkpoint, fingerprint({**arrays, **begun}, settings))
            kept.read(executor, history, rng)
        with ExitStack() as stack:
            show = stack.enter_context(bar_of_epochs(plan.epochs)) if self.verbose else None

            def watch(history: History) -> None:
                if kept is not None:
                    kept.write(executor, history, rng)
                if show is not None:
                    show(history)

            try:
                return by_steps(
                    executor,
                    rows,
                    plan,
                    history,
                    rng=rng,
                    score=None if held is None else score,
                    watch=watch,
                )
            except KeyboardInterrupt:
                return Stop(Status.NOT_CONVERGED, f"interrupted after {history.epochs} epochs")

    def _plan(self, rows: int, incremental: bool) -> Plan:
        size = min(200, rows) if self.batch_size == "auto" else int(self.batch_size)
        if size > rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
                UserWarning,
                stacklevel=5,
            )
        return Plan(
            epochs=self.max_iter,
            batch_size=min(size, rows),
            rate=float(self.learning_rate_init),
            # As in scikit-learn, schedules are those of plain gradient descent.
            schedule=self.learning_rate if self.solver == "sgd" else "constant",
            power=float(self.power_t),
            tol=float(self.tol),
            patience=self.n_iter_no_change,
            shuffle=bool(self.shuffle),
            time_limit=self.time_limit,
            once=incremental,
        )

    def _optimiser(self) -> Adam | SGD:
        if self.solver == "sgd":
            return SGD(self.learning_rate_init, float(self.momentum), bool(self.nesterovs_momentum))
        return Adam(self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)

    def _split(self, arrays: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        y = arrays["y"]
        # Rows of several labels at once cannot be stratified.
        classes = not self._numeric_target and (y.ndim == 1 or y.shape[1] == 1)
        train, test = train_test_split(
            np.arange(len(y)),
            test_size=self.validation_fraction,
            random_state=seed,
            stratify=y.ravel() if classes else None,
        )
        if len(test) < 2:
            raise UsageError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return (
            {name: array[train] for name, array in arrays.items()},
            {name: array[test] for name, array in arrays.items()},
        )

    def _say(self, stop: Stop) -> None:
        """Keep how training ended, and say it where it is not as it should be."""
        self.status_, self.stop_reason_ = stop.status, stop.detail
        if stop.status.ok:
            return
        kind = ThetaHatWarning if stop.status is Status.OUT_OF_TIME else ConvergenceWarning
        warnings.warn(f"{type(self).__name__}: {stop.status.value} ({stop.detail})", kind, stacklevel=4)

    def _set(self, architecture: Architecture, theta: list[FloatArray]) -> None:
        layers = architecture.layers
        self.architecture_ = architecture
        self.coefs_ = theta[:layers]
        self.intercepts_ = (
            theta[layers : 2 * layers]
            if architecture.bias
            else [np.zeros(width, theta[0].dtype) for width in architecture.sizes[1:]]
        )
        self.extras_ = theta[2 * layers if architecture.bias else layers :]
        self.n_layers_ = layers + 1
        self.n_outputs_ = architecture.output.targets

    def _theta(self) -> list[FloatArray]:
        return [*self.coefs_, *(self.intercepts_ if self.architecture_.bias else []), *self.extras_]

    def _report(self) -> None:
        history = self._history
        self.loss_curve_ = history.losses
        self.loss_ = history.losses[-1] if history.losses else np.inf
        self.n_iter_ = history.epochs
        self.t_ = history.rows_seen
        stopped_early = self.early_stopping and self.solver != "lbfgs"
        self.best_loss_ = None if stopped_early else history.best_loss
        self.validation_scores_ = history.scores if stopped_early else None
        self.best_validation_score_ = history.best_score if stopped_early else None

    def _eta(self, X: Any) -> FloatArray:
        return np.asarray(self.architecture_.eta(self._theta(), X))

    def _rows(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=False)
        return np.asarray(X.toarray() if sparse.issparse(X) else X)

    @property
    def history_(self) -> History:
        """Losses and held-out scores of every epoch, with ``.plot()``."""
        check_is_fitted(self)
        return self._history

    @property
    def parameters_(self) -> list[FloatArray]:
        """All parameters as one list: weights, biases, learned slopes, learned log σ."""
        check_is_fitted(self)
        return self._theta()

    def diagnose(self, X: Any) -> Diagnosis:
        """Look at every hidden layer on rows X: dead units, saturation, gradients; with causes and cures."""
        rows = self._rows(X)
        return diagnose(self.architecture_, self._theta(), rows, self.gradient_norms_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def may_continue(network: Perceptron) -> bool:
    """Return whether ``partial_fit`` exists: L-BFGS looks at all rows at once."""
    if network.solver not in ("sgd", "adam"):
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {network.solver} is not stochastic."
        )
    return True
