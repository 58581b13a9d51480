"""Any scikit-learn estimator as a point estimator of ours.

The class codes 0 … K−1 are what an estimator is given for a classification, whatever the labels of
the table, and its columns of probability are put back in their places when a training set lacks a class.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from thetahat.checked import matrix, target
from thetahat.contracts import (
    Fit,
    FloatArray,
    HasPointEstimator,
    Precedes,
    Prediction,
    Predictor,
    Sample,
    Status,
)
from thetahat.errors import UsageError

__all__ = [
    "SklearnPredictor",
    "finite_predictions",
    "fixed_seeds",
    "point_estimator",
    "rows_for",
    "weight_argument",
]


def point_estimator(estimator: Any, classes: int | None) -> Predictor[Any]:
    """Return an estimator as a point estimator: our own where it is one underneath, else adapted.

    Parameters
    ----------
    estimator : object
        A ``Predictor``, or anything with ``fit``, ``predict`` and ``get_params``.
    classes : int or None
        How many classes; None for numbers.

    Raises
    ------
    UsageError
        It is neither.
    """
    if isinstance(estimator, type):
        raise UsageError(
            f"estimator: {estimator.__name__} is a class; give an object, {estimator.__name__}()"
        )
    if isinstance(estimator, Predictor):
        return estimator
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict") and hasattr(estimator, "get_params")):
        raise UsageError(f"estimator: {estimator!r} has no fit, predict and get_params")
    own = _own(estimator, classes)
    return SklearnPredictor(estimator, classes) if own is None else own


def _own(estimator: Any, classes: int | None) -> Predictor[Any] | None:
    """Return the point estimator of ours that this is underneath, if it is one."""
    if isinstance(estimator, HasPointEstimator):
        return estimator.point_estimator(classes)
    if type(estimator) is not Pipeline or not all(isinstance(step, tuple) for step in estimator.steps):
        return None
    *before, last = [step for _, step in estimator.steps]
    learner = _own(last, classes)
    for step in reversed(before):
        if learner is None or not isinstance(step, Precedes):
            return None
        learner = step.before(learner)
    return learner


def rows_for(estimator: Any, X: Any, y: Any, *, least: int = 2) -> tuple[Any, NDArray[Any]]:
    """Return the rows and the target, checked as the estimator requires.

    Estimators with scikit-learn's interface may take missing values and text, and check them themselves; our
    own point estimators take finite numbers.

    Raises
    ------
    UsageError
        X is not of shape (n, d), y has not one value for each row, or there are fewer rows than ``least``.
    """
    bare = isinstance(estimator, Predictor) or isinstance(estimator, HasPointEstimator)
    if bare:
        X = matrix(X, "X", least=least, sparse=True)
    else:
        X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
        if X.ndim < 2:
            raise UsageError(f"X: rows of shape (n, d) are expected, not shape {X.shape}")
        if X.shape[0] < least:
            raise UsageError(f"X: {least} rows or more are needed, not {X.shape[0]}")
    return X, target(y, X.shape[0])


def finite_predictions(values: Any) -> FloatArray:
    """Return predictions, or probabilities, as they are.

    Raises
    ------
    UsageError
        One of them is not finite.
    """
    predictions: FloatArray = np.asarray(values, dtype=np.float64)
    if not np.isfinite(predictions).all():
        raise UsageError("estimator: its predictions are not finite; scale the columns of X and y")
    return predictions


@dataclass(frozen=True, slots=True, eq=False)
class SklearnPredictor:
    """A scikit-learn classifier or regressor as a :class:`~thetahat.contracts.Predictor`.

    Parameters
    ----------
    estimator : object
        Anything with ``fit`` and ``predict`` that ``sklearn.base.clone`` can clone. It is never fitted
        itself. Every ``random_state`` that is ``None`` is drawn from the generator of the fit, and every
        ``n_jobs`` is one, so that a fit depends on its data and its generator alone. Weights are passed to
        an estimator, or to the last step of a pipeline, whose ``fit`` takes ``sample_weight``; others are
        fitted without them.
    classes : int or None
        How many classes there are; ``None`` for a regression.
    """

    estimator: Any
    classes: int | None = None

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Any]:
        """Fit a clone to the sample; a ``ConvergenceWarning`` becomes the status of the fit."""
        model = clone(self.estimator)
        model.set_params(**_settled(model, rng))
        argument = None if sample.weight is None else weight_argument(model)
        extra = {} if argument is None else {argument: sample.weight}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(sample.X, sample.y, **extra)
        complaint = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
        return Fit(
            model,
            Status.NOT_CONVERGED if complaint else Status.SOLVED,
            detail=str(complaint[0].message).strip().splitlines()[0] if complaint else "",
        )

    def predict(self, theta: Any, X: Any, /) -> Prediction:
        """Predict; probabilities where the estimator has them, else its decision scores."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.classes is None:
                value = np.asarray(theta.predict(X), dtype=float).reshape(X.shape[0])
                level = _quantile_of(theta)
                return Prediction(value, quantile=None if level is None else {level: value})
            probability = score = None
            if hasattr(theta, "predict_proba"):
                probability = self._spread(theta, np.asarray(theta.predict_proba(X)), 0.0)
            elif hasattr(theta, "decision_function"):
                score = self._spread(theta, _one_column_a_class(theta.decision_function(X)), -np.inf)
            return Prediction(np.asarray(theta.predict(X)).astype(np.int64), probability, score)

    def _spread(self, theta: Any, columns: FloatArray, absent: float) -> FloatArray | None:
        seen = np.asarray(theta.classes_, dtype=np.int64)
        if columns.shape[1] != len(seen):
            return None
        assert self.classes is not None
        if len(seen) == self.classes:
            return columns
        wide = np.full((len(columns), self.classes), absent)
        wide[:, seen] = columns
        return wide


def weight_argument(estimator: Any) -> str | None:
    """Return the argument of ``fit`` that takes weights of rows; None where there is none."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        argument = weight_argument(last)
        return None if argument is None else f"{name}__{argument}"
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None


def fixed_seeds(estimator: Any) -> dict[str, int]:
    """Return the parameters of an estimator that fix a seed, with the seeds."""
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        return {}
    return {
        name: int(value)
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and isinstance(value, int | np.integer)
    }


def _quantile_of(model: Any) -> float | None:
    """Return the level of the quantile that a regression predicts, where it predicts one."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    level = getattr(last, "quantile", getattr(last, "alpha", None))
    asked = getattr(last, "loss", "quantile" if type(last).__name__ == "QuantileRegressor" else None)
    if type(last).__name__ == "QuantileRegressor":
        level = last.quantile
    return float(level) if asked == "quantile" and isinstance(level, int | float) else None


def _settled(model: Any, rng: Generator) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, value in sorted(model.get_params(deep=True).items()):
        last = name.rpartition("__")[2]
        if last == "random_state" and value is None:
            settings[name] = int(rng.integers(2**31 - 1))
        elif last == "n_jobs" and value not in (None, 1):
            settings[name] = 1
    return settings


def _one_column_a_class(scores: NDArray[Any]) -> FloatArray:
    scores = np.asarray(scores, dtype=float)
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
