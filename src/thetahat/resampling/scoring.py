"""The measure of a curve or a decomposition: chosen by name for a target, read on the rows of each draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, MeasureValue, MissingPrediction, Target, Task, Undefined
from thetahat.measures.registry import choose_measure
from thetahat.resampling.adapter import finite_predictions
from thetahat.resampling.own_plans import naming
from thetahat.resampling.terms import DECOMPOSITIONS

__all__ = ["Scoring", "choose_scoring"]

# Names of losses with a decomposition: the measure and the task of each, whatever the type of y.
LOSSES: MappingProxyType[str, tuple[str, Task]] = MappingProxyType(
    {
        "squared": ("squared-error", "regression"),
        "zero-one": ("error", "classification"),
        "kohavi-wolpert": ("error", "classification"),
        "log": ("log-loss", "classification"),
    }
)
_SHORT: MappingProxyType[str, str] = MappingProxyType(
    {measure: name for name, (measure, _) in LOSSES.items() if name != "kohavi-wolpert"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """A measure with the target that it is for.

    Parameters
    ----------
    measure : Measure
        What is measured.
    y : ndarray of shape (n,)
        The target: float64, or codes 0 … K − 1.
    labels : ndarray of shape (K,)
        The classes, sorted; empty for numbers.
    argument : str
        The argument that chose the measure, for messages.
    """

    measure: Measure
    y: NDArray[Any]
    labels: NDArray[Any]
    argument: str = "metric"

    @property
    def classes(self) -> int | None:
        """How many classes there are; None for numbers."""
        return len(self.labels) or None

    @property
    def codes(self) -> NDArray[Any] | None:
        """The target where it is class codes, else None."""
        return self.y if len(self.labels) else None

    @property
    def name(self) -> str:
        """The measure as results name it: squared, zero-one or log, or its own name."""
        return _SHORT.get(self.measure.name, self.measure.name)

    @property
    def decomposable(self) -> bool:
        """Whether the mean of the measure is a sum of bias and variance."""
        return self.name in DECOMPOSITIONS and self.measure.losses is not None

    @property
    def label(self) -> str:
        """The measure as the axis of a plot names it."""
        if self.name in DECOMPOSITIONS:
            return f"mean {self.name} loss of a row"
        name = f"mean {self.measure.name} of a row" if self.measure.losses is not None else self.measure.name
        return f"{name} (higher is better)" if self.measure.higher_is_better else name

    def encode(self, y: NDArray[Any], argument: str = "y") -> NDArray[Any]:
        """Return another target as float64 or class codes.

        Raises
        ------
        UsageError
            It has a class that is not among the labels, or text in place of numbers.
        """
        if not len(self.labels):
            return _numbers(y, argument)
        places = np.searchsorted(self.labels, y)
        known = self.labels[np.minimum(places, len(self.labels) - 1)] == y
        if not known.all():
            raise UsageError(
                f"{argument}: gave the class {y[~known][0]!r}, which y does not have; let y hold every class"
            )
        return places

    def of(self, y: NDArray[Any], prediction: Prediction) -> MeasureValue:
        """Return the measure of these rows with the influence of each.

        Raises
        ------
        UsageError
            The estimator does not predict what the measure needs, a prediction or the measure is not finite,
            or the measure has no value on these rows.
        """
        finite_predictions(prediction.value)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                value = self.measure.of(y, prediction)
        except MissingPrediction as error:
            raise UsageError(f"{self.argument}: the estimator {error}") from error
        except Undefined as error:
            raise UsageError(
                f"{self.argument}: {self.measure.name} has no value on {len(y)} rows of a draw: {error}; "
                "hold out more rows by fewer folds, or choose another metric"
            ) from error
        if not np.isfinite(value.value):
            if prediction.probability is not None:
                finite_predictions(prediction.probability)
            if self.measure.losses is None:
                raise UsageError(
                    f"{self.argument}: {self.measure.name} is {value.value} on {len(y)} rows of a draw; "
                    "choose another metric"
                )
            raise UsageError(
                f"y: a {self.name} loss is beyond the largest number; scale the columns of X and y"
            )
        return value

    def value(self, y: NDArray[Any], prediction: Prediction) -> float:
        """Return the measure of these rows; see :meth:`of`."""
        return float(self.of(y, prediction).value)

    def decomposed(self, prediction: Prediction) -> FloatArray:
        """Return what a decomposition needs of a prediction: probabilities for log-loss, else the values.

        Raises
        ------
        UsageError
            There are no probabilities, or a number is not finite.
        """
        if self.name != "log":
            return finite_predictions(prediction.value)
        if prediction.probability is None:
            raise UsageError(
                f"{self.argument}: log needs probabilities, which this estimator does not give; "
                "wrap it in CalibratedClassifierCV"
            )
        return finite_predictions(prediction.probability)


def choose_scoring(
    asked: Any, y: NDArray[Any], *, labels: NDArray[Any] | None = None, argument: str = "metric"
) -> Scoring:
    """Return the measure that was asked for, and the target as it takes it.

    A target of floats is of numbers, any other is of classes, unless the measure is for the other task alone.

    Parameters
    ----------
    asked : str or Measure
        A name of the registry, ``"squared"``, ``"zero-one"``, ``"kohavi-wolpert"``, ``"log"``, or ``"auto"``:
        the error rate of classes and the squared error of numbers.
    y : ndarray of shape (n,)
        The target.
    labels : ndarray, optional
        Every class that there is, where y may lack some.
    argument : str
        The argument, for messages.

    Raises
    ------
    UsageError
        There is no such measure, or it cannot be used for this target.
    """
    natural: Task = "regression" if y.dtype.kind == "f" else "classification"
    if isinstance(asked, type):
        raise UsageError(f"{argument}: {asked.__name__} is a class; give a name or a Measure")
    if isinstance(asked, Measure):
        return _scoring(asked, asked.task or natural, y, labels, argument)
    if isinstance(asked, str) and asked in LOSSES:
        name, task = LOSSES[asked]
        return _scoring(name, task, y, labels, argument)
    try:
        return _scoring(asked, natural, y, labels, argument)
    except UsageError:
        other: Task = "classification" if natural == "regression" else "regression"
        # Numbers with digits after the point are no classes, and text is no number.
        if y.dtype.kind not in "fiub" or (natural == "regression" and (y != np.round(y)).any()):
            raise
        try:
            return _scoring(asked, other, y, labels, argument)
        except UsageError:
            pass
        raise


def _scoring(asked: Any, task: Task, y: NDArray[Any], labels: NDArray[Any] | None, argument: str) -> Scoring:
    if task == "regression":
        names: NDArray[Any] = np.arange(0)
        y = _numbers(y, "y")
    else:
        names = np.unique(y) if labels is None else labels
    measure = asked
    if not isinstance(asked, Measure):
        with naming(argument, of="metric"):
            measure = choose_measure(asked, Target(task, tuple(names.tolist())))
    found = Scoring(measure, y, names, argument)
    return replace(found, y=found.encode(y))


def _numbers(y: NDArray[Any], argument: str) -> NDArray[Any]:
    try:
        return y.astype(np.float64)
    except (ValueError, TypeError):
        raise UsageError(
            f"{argument}: numbers are expected, not {y.dtype}; choose a metric of classes"
        ) from None
