"""What is measured of predictions of a set of rows, and how far each row moves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.own import LEFT_OUT, BoundRows, BoundSet, BoundToFind, name_of
from thetahat.measures.values import MeasureValue, MissingPrediction, Target, Task, Undefined

__all__ = ["Measure", "MeasureValue", "MissingPrediction", "Scale", "Target", "Task", "Undefined"]

Scale: TypeAlias = Literal["identity", "logit", "fisher", "complement"]
Losses: TypeAlias = Callable[[NDArray[Any], Prediction], FloatArray]
Whole: TypeAlias = "Callable[[NDArray[Any], Prediction, FloatArray | None], MeasureValue]"
Plain: TypeAlias = "Callable[[NDArray[Any], Prediction, FloatArray | None], float]"

LARGEST_LOG = 709.0  # exp of more than this overflows
NO_SKEWNESS = 1e-8  # below, the correction cancels to rounding
# The scale on which an interval of a bounded measure is symmetric, the way back, and the slope. That of the
# logit is of the share of the way between the bounds.
_SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float], Callable[[float], float]]] = {
    "identity": (lambda x: x, lambda u: u, lambda x: 1.0),
    "logit": (special.logit, special.expit, lambda x: 1 / (x * (1 - x))),
    "fisher": (math.atanh, math.tanh, lambda x: 1 / (1 - x * x)),
    # log(1 − x), for what is at most 1 and has no lower bound.
    "complement": (
        lambda x: -math.log1p(-x),
        lambda u: -math.expm1(-u) if u > -LARGEST_LOG else -math.inf,
        lambda x: 1 / (1 - x),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A measure of predictions: a loss for each row, or a value of a set of rows.

    One of ``losses`` and ``whole`` is given, or ``bind``, which makes one of them. Everything after it needs
    only the losses, or the value with the influence of each row. Measures of your own come from
    :meth:`of_rows` and :meth:`of_set`.

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
    whole : callable, optional
        ``whole(y, prediction, weight)`` gives a :class:`MeasureValue`; ``weight`` may be None.
    higher_is_better : bool
        Direction.
    bounds : tuple of float
        Smallest and largest value that it can have.
    scale : {"identity", "logit", "fisher", "complement"}
        Scale on which an interval is symmetric: of x itself (corrected for skewness), of log(x / (1 − x)), x
        the share of the way between the bounds, of artanh x, or of −log(1 − x).
    root : bool
        Whether people are shown the square root (RMSE of a squared error).
    notice : str
        What the reader must know of it: how the influence was found.
    stands_in : callable, optional
        ``stands_in(prediction)`` says what was judged in place of a prediction that is absent; "" if nothing.
    plain : callable, optional
        ``plain(y, prediction, weight)`` gives the value of ``whole`` without the influence, where that is
        much cheaper.
    bind : callable, optional
        ``bind(measure, target)`` gives the measure that is ready for this target; see :meth:`bound`.
    of_positive : bool
        Whether it depends on which of two classes is the positive one.
    """

    name: str
    shown_as: str
    unit: str
    task: Task | None
    losses: Losses | None = None
    whole: Whole | None = None
    higher_is_better: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)
    scale: Scale = "identity"
    root: bool = False
    notice: str = ""
    stands_in: Callable[[Prediction], str] | None = None
    plain: Plain | None = None
    bind: Callable[[Measure, Target], Measure] | None = None
    of_positive: bool = False

    @classmethod
    def of_rows(
        cls,
        function: Callable[..., Any],
        name: str | None = None,
        *,
        shown_as: str = "",
        unit: str = "",
        higher_is_better: bool = False,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        task: Task | None = None,
    ) -> Measure:
        """Return a measure of your own that is the mean of a number per row.

        Parameters
        ----------
        function : callable
            ``function(y, prediction)`` returns the number of each row, shape (n,). ``prediction`` is a
            :class:`~thetahat.contracts.Prediction` with ``value``, ``probability``, ``score`` and
            ``quantile``. ``y`` and ``prediction.value`` of a classification are labels as the table has
            them, and the columns of ``probability`` are in their sorted order. Weights of rows enter the
            mean.
        name : str, optional
            Its name; that of the function if absent.
        shown_as : str
            Its name for people; ``name`` if empty.
        unit : str
            Unit in which people are shown it.
        higher_is_better : bool
            Direction.
        bounds : tuple of float
            Smallest and largest value that it can have.
        task : {"classification", "regression"}, optional
            What it can be used for; both if absent.

        Raises
        ------
        UsageError
            The function cannot be called, or it requires a weight.
        """
        name = name_of(function, name)
        bind = BoundRows(function, name)
        return cls(name, shown_as or name, unit, task, None, None, higher_is_better, bounds, bind=bind)

    @classmethod
    def of_set(
        cls,
        function: Callable[..., Any],
        name: str | None = None,
        *,
        shown_as: str = "",
        unit: str = "",
        higher_is_better: bool = False,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        task: Task | None = None,
    ) -> Measure:
        """Return a measure of your own that is a value of a set of rows.

        Its standard error is that of the jackknife, so the function is called about once per row, and at
        most 5,000 times.

        Parameters
        ----------
        function : callable
            ``function(y, prediction)`` returns a number; see :meth:`of_rows` for what it receives. A
            parameter called ``weight`` or ``sample_weight`` receives the weights of the rows, or None.
        name, shown_as, unit, higher_is_better, bounds, task
            See :meth:`of_rows`.

        Raises
        ------
        UsageError
            The function cannot be called.
        """
        name = name_of(function, name)
        bind = BoundSet(function, name)
        return cls(
            name,
            shown_as or name,
            unit,
            task,
            None,
            None,
            higher_is_better,
            bounds,
            notice=LEFT_OUT,
            bind=bind,
        )

    @classmethod
    def of_function(cls, function: Callable[..., Any]) -> Measure:
        """Return the measure of a plain function: of rows if it returns an array, else of a set.

        Which of them is found when the measure is bound to a target, by a call with a few made-up rows. If
        that call fails it is a measure of a set.
        """
        name = name_of(function, None)
        return cls(name, name, "", None, notice=LEFT_OUT, bind=BoundToFind(function, name))

    def bound(self, target: Target) -> Measure:
        """Return the measure ready for use with a target; the same measure if it needs nothing of it."""
        return self if self.bind is None else self.bind(self, target)

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
        _check_weight(weight)
        if self.whole is not None:
            return self.whole(y, prediction, weight)
        if self.losses is None:
            raise UsageError(
                f"{self.name}: not bound to a target; call bound(target) and use what it returns"
            )
        losses = self.losses(y, prediction)
        if weight is None:
            mean = float(np.mean(losses))
            return MeasureValue(mean, losses - mean)
        total = float(np.sum(weight))
        mean = float(np.sum(weight * losses)) / total
        return MeasureValue(mean, len(losses) * weight / total * (losses - mean))

    def value(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None = None) -> float:
        """Return the measure of these rows; see :meth:`of`."""
        _check_weight(weight)
        if self.plain is not None:
            return self.plain(y, prediction, weight)
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

    def interval(
        self, value: float, se: float, quantile: float, skewness: float = 0.0
    ) -> tuple[float, float]:
        """Return the ends of an interval, within the bounds.

        The ends are the value itself if the standard error is 0. A value on a bound has no place on another
        scale, so its interval is that of the identity, clipped.

        Parameters
        ----------
        value, se : float
            The estimate and its standard error.
        quantile : float
            How many standard errors the interval reaches to either side, on its scale.
        skewness : float
            Standardized third moment of the estimate. On the identity the ends are then those of Hall's
            transformation, which removes it; the other scales do so themselves.

        Notes
        -----
        Hall, P. (1992). On the removal of skewness by transformation. *Journal of the Royal Statistical
        Society B* 54, 221–228.
        """
        low, high = self.bounds
        if se == 0:
            return value, value
        if self.scale == "identity" or not low < value < high or not math.isfinite(se):
            below, above = _unskewed(quantile, skewness), _unskewed(-quantile, skewness)
            return max(value - below * se, low), min(value - above * se, high)
        there, back, slope = _SCALES[self.scale]
        origin, length = (low, high - low) if self.scale == "logit" else (0.0, 1.0)
        place = (value - origin) / length
        center, half = there(place), quantile * (se / length) * slope(place)
        return origin + length * float(back(center - half)), origin + length * float(back(center + half))


def _check_weight(weight: FloatArray | None) -> None:
    if weight is not None and not np.sum(weight) > 0:
        raise Undefined("the held-out rows have no weight above 0; hold out rows that count")


def _unskewed(quantile: float, skewness: float) -> float:
    """Return the root t of t + a t² + a² t³ / 3 + a / 2 = quantile, with a = skewness / 3."""
    a = skewness / 3
    if abs(a) < NO_SKEWNESS:
        return quantile
    return (math.cbrt(1 + 3 * a * (quantile - a / 2)) - 1) / a
