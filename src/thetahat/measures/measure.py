"""What is measured of predictions of a set of rows, and how far each row moves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thetahat.contracts import FloatArray, IntArray, Prediction

__all__ = ["Measure", "MeasureValue", "MissingPrediction", "Scale", "Target", "Task", "Undefined"]

Task: TypeAlias = Literal["classification", "regression"]
Scale: TypeAlias = Literal["identity", "logit", "fisher", "complement"]
Losses: TypeAlias = Callable[[NDArray[Any], Prediction], FloatArray]
OfSet: TypeAlias = "Callable[[NDArray[Any], Prediction, FloatArray | None], MeasureValue]"

# The scale on which an interval of a bounded measure is symmetric, and the way back.
_SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float], Callable[[float], float]]] = {
    "identity": (lambda x: x, lambda u: u, lambda x: 1.0),
    "logit": (special.logit, special.expit, lambda x: 1 / (x * (1 - x))),
    "fisher": (math.atanh, math.tanh, lambda x: 1 / (1 - x * x)),
    # log(1 − x), for what is at most 1 and has no lower bound.
    "complement": (lambda x: -math.log1p(-x), lambda u: -math.expm1(-u), lambda x: 1 / (1 - x)),
}


class MissingPrediction(ValueError):
    """A model does not predict what a measure needs."""


class Undefined(ValueError):
    """A measure has no value on a set of rows; the text says why, and the cure."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a measure may know of the target.

    Parameters
    ----------
    task : {"classification", "regression"}
        Whether y holds codes 0 … K − 1 of classes, or numbers.
    labels : tuple
        The classes as the table has them, sorted: code k is ``labels[k]``.
    positive : int
        Code of the class that a measure of two classes looks for.
    costs : ndarray of shape (K, K), optional
        Cost of each true class (row) and predicted class (column).
    """

    task: Task
    labels: tuple[Any, ...] = ()
    positive: int = 1
    costs: FloatArray | None = None

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for numbers."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureValue:
    """A measure of a set of n rows.

    Parameters
    ----------
    value : float
        The measure.
    influence : ndarray of shape (n,)
        n ∂value/∂wᵢ at the weights of the rows, times the weight of the row: its mean is 0, and the variance
        of the value is Σ influence² / n², whatever the measure.
    strata : ndarray of shape (n,), optional
        Codes of the parts of the rows whose sizes the variance takes as given (the classes of an AUC, as
        DeLong does). Within each the influences have mean 0.
    """

    value: float
    influence: FloatArray
    strata: IntArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A measure of predictions: a loss for each row, or a value of a set of rows.

    One of ``losses`` and ``of_set`` is given. Everything after it needs only the losses, or the value with
    the influence of each row.

    Parameters
    ----------
    name : str
        Its name on the command line, with its argument: ``"pinball:0.9"``.
    shown_as : str
        Its name for people.
    unit : str
        Unit in which people are shown it.
    task : {"classification", "regression"} or None
        What it can be used for; None is both.
    losses : callable, optional
        ``losses(y, prediction)`` gives the loss of each row, shape (n,); the measure is their weighted mean.
    of_set : callable, optional
        ``of_set(y, prediction, weight)`` gives a :class:`MeasureValue`; ``weight`` may be None.
    higher_is_better : bool
        Direction.
    bounds : tuple of float
        Smallest and largest value that it can have.
    scale : {"identity", "logit", "fisher", "complement"}
        Scale on which an interval is symmetric: of x itself, of log(x / (1 − x)), of artanh x, or of
        −log(1 − x).
    root : bool
        Whether people are shown the square root (RMSE of a squared error).
    notice : str
        What the reader must know of it: how the influence was found.
    """

    name: str
    shown_as: str
    unit: str
    task: Task | None
    losses: Losses | None = None
    of_set: OfSet | None = None
    higher_is_better: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)
    scale: Scale = "identity"
    root: bool = False
    notice: str = ""

    @property
    def sign(self) -> float:
        """1 where lower is better, −1 where higher is: ``sign * value`` is always to be made small."""
        return -1.0 if self.higher_is_better else 1.0

    def of(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None = None) -> MeasureValue:
        """Return the measure of these rows, with the influence of each.

        Parameters
        ----------
        y : ndarray of shape (n,)
            Codes of classes, or numbers.
        prediction : Prediction
            Of the same rows.
        weight : ndarray of shape (n,), optional
            A row of weight two counts as two rows.

        Raises
        ------
        MissingPrediction
            The prediction lacks what the measure needs.
        Undefined
            The measure has no value on these rows.
        """
        if self.of_set is not None:
            return self.of_set(y, prediction, weight)
        assert self.losses is not None
        losses = self.losses(y, prediction)
        if weight is None:
            mean = float(np.mean(losses))
            return MeasureValue(mean, losses - mean)
        total = float(np.sum(weight))
        mean = float(np.sum(weight * losses)) / total
        return MeasureValue(mean, len(losses) * weight / total * (losses - mean))

    def value(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None = None) -> float:
        """Return the measure of these rows; see :meth:`of`."""
        return self.of(y, prediction, weight).value

    def show(self, value: float) -> float:
        """Return a value in the form for people, within the bounds."""
        value = min(max(value, self.bounds[0]), self.bounds[1])
        return math.sqrt(max(value, 0.0)) if self.root else value

    def show_error(self, value: float, se: float) -> float:
        """Return the standard error of :meth:`show` of a value, by the delta method."""
        if not self.root:
            return se
        return se / (2 * math.sqrt(value)) if value > 0 else se

    def interval(self, value: float, se: float, quantile: float) -> tuple[float, float]:
        """Return the ends of an interval, within the bounds.

        Parameters
        ----------
        value, se : float
            The estimate and its standard error.
        quantile : float
            How many standard errors the interval reaches to either side, on its scale.
        """
        low, high = self.bounds
        if self.scale == "identity" or not low < value < high or not math.isfinite(se):
            return max(value - quantile * se, low), min(value + quantile * se, high)
        there, back, slope = _SCALES[self.scale]
        centre, half = there(value), quantile * se * slope(value)
        return float(back(centre - half)), float(back(centre + half))
