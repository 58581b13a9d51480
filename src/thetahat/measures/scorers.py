"""Measures from scikit-learn's scorers: a stand-in estimator returns the predictions that are at hand."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils.metaestimators import available_if

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.leave_out import influence_by_leaving_out
from thetahat.measures.measure import Measure, MeasureValue, MissingPrediction, Target, Task, Undefined
from thetahat.measures.own import LEFT_OUT

__all__ = ["is_scorer", "of_scorer", "scorer_called"]

# Every other scorer of scikit-learn that is not among our own measures is for classes.
OF_NUMBERS = frozenset(
    {"d2_absolute_error_score", "explained_variance", "neg_max_error", "neg_median_absolute_error"}
)


def is_scorer(asked: Any) -> bool:
    """Return whether an object is a scorer, as ``sklearn.metrics.make_scorer`` makes them."""
    return callable(asked) and hasattr(asked, "_score_func") and hasattr(asked, "_sign")


def scorer_called(name: str) -> tuple[Any, Task] | None:
    """Return scikit-learn's scorer of this name and its task, or None; ``-`` equals ``_``."""
    name = name.replace("-", "_")
    if name not in get_scorer_names():
        return None
    return get_scorer(name), "regression" if name in OF_NUMBERS else "classification"


class _Standing(BaseEstimator):  # type: ignore[misc]
    """An estimator whose X is the row numbers of a prediction."""

    def __init__(self, prediction: Prediction, labels: NDArray[Any] | None = None) -> None:
        self.prediction = prediction
        self.labels = labels

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the predicted numbers or labels of these rows."""
        value: NDArray[Any] = self.prediction.value[X[:, 0]]
        return value if self.labels is None else self.labels[value.astype(np.int64)]


class _StandingRegressor(RegressorMixin, _Standing):  # type: ignore[misc]
    """Predicts numbers."""


class _StandingClassifier(ClassifierMixin, _Standing):  # type: ignore[misc]
    """Predicts labels, and probabilities or scores where the prediction has them."""

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted."""
        assert self.labels is not None
        return self.labels

    @available_if(lambda self: self.prediction.probability is not None)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: NDArray[Any]) -> FloatArray:
        """Return the probabilities of these rows."""
        probability = self.prediction.probability
        assert probability is not None
        rows: FloatArray = probability[X[:, 0]]
        return rows

    @available_if(lambda self: self.prediction.score is not None)  # type: ignore[untyped-decorator]
    def decision_function(self, X: NDArray[Any]) -> FloatArray:
        """Return the scores of these rows, of two classes those of the second."""
        score = self.prediction.score
        assert score is not None
        rows: FloatArray = score[X[:, 0]]
        return rows[:, 1] if rows.shape[1] == 2 else rows


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """``whole`` of a measure from a scorer."""

    scorer: Any
    name: str
    labels: NDArray[Any] | None

    def number(self, rows: NDArray[Any], y: NDArray[Any], estimator: Any, weight: FloatArray | None) -> float:
        """Return the scorer's value on these rows."""
        more = {} if weight is None else {"sample_weight": weight[rows]}
        truth = y[rows] if self.labels is None else self.labels[y[rows].astype(np.int64)]
        return float(self.scorer(estimator, rows[:, None], truth, **more))

    def prepared(self, prediction: Prediction, weight: FloatArray | None) -> Any:
        """Return the estimator that stands in.

        Raises
        ------
        UsageError
            There are weights, and the scorer takes none.
        MissingPrediction
            The scorer needs what the prediction lacks.
        """
        if (
            weight is not None
            and "sample_weight" not in inspect.signature(self.scorer._score_func).parameters
        ):
            raise UsageError(
                f"metric: {self.name} takes no weights, and the rows have them; choose another measure"
            )
        if self.labels is None:
            return _StandingRegressor(prediction)
        estimator = _StandingClassifier(prediction, self.labels)
        methods = getattr(self.scorer, "_response_method", "predict")
        methods = (methods,) if isinstance(methods, str) else methods
        if not any(hasattr(estimator, method) for method in methods):
            raise MissingPrediction(
                f"has no {' or '.join(methods)}, which {self.name} needs; wrap it in CalibratedClassifierCV"
            )
        return estimator

    def value(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None) -> float:
        """Return the scorer's value on all rows."""
        estimator = self.prepared(prediction, weight)
        try:
            value = self.number(np.arange(len(y)), y, estimator, weight)
        except Exception as error:
            raise UsageError(f"metric: {self.name} raised {type(error).__name__}: {error}") from error
        if not np.isfinite(value):
            raise Undefined(
                f"{self.name} is {value} on these rows; use fewer folds, so that each has more rows"
            )
        return value

    def __call__(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None) -> MeasureValue:
        """Return the value and the influence of each row."""
        value = self.value(y, prediction, weight)
        estimator = self.prepared(prediction, weight)

        def of(rows: NDArray[Any]) -> float:
            return self.number(rows, y, estimator, weight)

        return MeasureValue(value, influence_by_leaving_out(of, self.name, value, len(y), weight))


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """Binds a measure from a scorer to a target."""

    scorer: Any

    def __call__(self, measure: Measure, target: Target) -> Measure:
        """Return the measure that is ready for this target."""
        labels, scorer = None, self.scorer
        if target.task == "classification":
            labels = np.array(target.labels) if target.labels else np.arange(2)
            scorer = _looking_for(scorer, target, labels)
        scored = _Scored(scorer, measure.name, labels)
        return replace(measure, whole=scored, plain=scored.value, bind=None)


def _looks_for_one(scorer: Any, classes: int) -> bool:
    """Return whether a scorer looks for a positive class and does not name it itself."""
    try:
        takes = "pos_label" in inspect.signature(scorer._score_func).parameters
    except (TypeError, ValueError):  # functions written in C may have no signature
        return False
    given = scorer._kwargs
    binary = given.get("average", "binary") == "binary"
    return classes == 2 and takes and "pos_label" not in given and binary


def _looking_for(scorer: Any, target: Target, labels: NDArray[Any]) -> Any:
    """Return the scorer with the positive label of the target, where it asks for one and has none."""
    if not _looks_for_one(scorer, len(labels)):
        return scorer
    given = scorer._kwargs
    scorer = copy.copy(scorer)
    scorer._kwargs = {**given, "pos_label": labels[target.positive].item()}
    return scorer


def of_scorer(scorer: Any, name: str | None = None, task: Task | None = None) -> Measure:
    """Return the measure of a scorer of scikit-learn: its own value, so that greater is better.

    The influence of each row is found by leaving rows out, see
    :func:`~thetahat.measures.leave_out.influence_by_leaving_out`.

    Parameters
    ----------
    scorer : object
        What ``sklearn.metrics.make_scorer`` or ``get_scorer`` returns.
    name : str, optional
        Its name; that of its function, with the arguments, if absent, after ``neg_`` for a negated loss.
    task : {"classification", "regression"}, optional
        What it can be used for.
    """
    shown_as = name or ""
    if name is None:
        function = getattr(scorer._score_func, "__name__", "measure")
        function = "measure" if function == "<lambda>" else function
        arguments = ", ".join(f"{key}={value}" for key, value in sorted(scorer._kwargs.items()))
        name = shown_as = f"{function}({arguments})" if arguments else function
        if scorer._sign < 0:
            # The scorer is the negated loss, so that greater is better.
            name, shown_as = f"neg_{name}", f"negative {name}"
    return Measure(
        name,
        shown_as,
        "",
        task,
        higher_is_better=True,
        of_positive=_looks_for_one(scorer, 2),
        notice=LEFT_OUT,
        bind=_Bound(scorer),
    )
