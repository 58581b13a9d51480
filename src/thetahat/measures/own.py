"""Measures from a user's function: how it is called, what it may return, and the influence of each row."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.leave_out import GROUPS, SINGLE_ROWS, influence_by_leaving_out
from thetahat.measures.values import MeasureValue, MissingPrediction, Target, Undefined

if TYPE_CHECKING:
    from thetahat.measures.measure import Measure

__all__ = ["LEFT_OUT", "BoundRows", "BoundSet", "BoundToFind", "OwnSet", "name_of"]

LEFT_OUT = (
    f"its standard error is that of the jackknife: single rows are left out, or one of {GROUPS} groups of "
    f"rows where there are more than {SINGLE_ROWS:,} rows"
)
WEIGHTS = ("weight", "sample_weight")
PROBED = 12  # rows of the trial call


def name_of(function: Any, name: Any) -> str:
    """Return the name that was given, or that of the function.

    Raises
    ------
    UsageError
        It cannot be called, or the name is no text.
    """
    if not callable(function):
        raise UsageError(f"measure: a function of (y, prediction) is expected, not {function!r}")
    if name is None:
        name = str(getattr(function, "__name__", "measure"))
        return "measure" if name == "<lambda>" else name
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"measure: name is a text that is not empty, not {name!r}")
    return name


def _weight_parameter(function: Callable[..., Any]) -> inspect.Parameter | None:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # functions written in C may have no signature
        return None
    return next((parameters[each] for each in WEIGHTS if each in parameters), None)


def _labels(target: Target) -> NDArray[Any] | None:
    return np.array(target.labels) if target.task == "classification" and target.labels else None


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """A user's function with what calling it needs: plain data, so that it can be sent to other processes."""

    function: Callable[..., Any]
    name: str
    labels: NDArray[Any] | None

    def call(self, y: NDArray[Any], prediction: Prediction, **more: Any) -> Any:
        """Call the function, with labels in place of codes."""
        if self.labels is not None:
            y = self.labels[y.astype(np.int64)]
            prediction = replace(prediction, value=self.labels[prediction.value.astype(np.int64)])
        return self.function(y, prediction, **more)

    def refused(self, error: Exception) -> UsageError:
        """Return the error that names the function that raised."""
        return UsageError(f"metric: {self.name} raised {type(error).__name__}: {error}")


def _rows(result: Any, n: int, name: str) -> FloatArray:
    expected = (
        f"metric: {name} is a measure of rows and must return an array of shape ({n},), one number per row"
    )
    try:
        losses = np.asarray(result)
        numeric = losses.dtype.kind in "biuf"
    except ValueError:  # rows of unequal lengths
        raise UsageError(f"{expected}, not {type(result).__name__}") from None
    if losses.ndim == 0:
        raise UsageError(
            f"{expected}, not {result!r}; use Measure.of_set for a function that returns one number"
        )
    if losses.shape != (n,):
        raise UsageError(f"{expected}, not an array of shape {losses.shape}")
    if not numeric:
        raise UsageError(f"{expected}, not an array of {losses.dtype}")
    losses = losses.astype(np.float64)
    if not np.all(np.isfinite(losses)):
        row = int(np.flatnonzero(~np.isfinite(losses))[0])
        raise Undefined(
            f"{name} is {losses[row]} in held-out row {row + 1} of this part (counted from 1); return a "
            "finite number for every row"
        )
    return losses


def _number(result: Any, name: str) -> float:
    if isinstance(result, np.ndarray) and result.ndim == 0:
        result = result[()]
    if isinstance(result, Real | np.bool_):
        return float(result)
    came = (
        f"an array of shape {result.shape}; use Measure.of_rows for a function that returns one per row"
        if isinstance(result, np.ndarray)
        else repr(result)
    )
    raise UsageError(f"metric: {name} is a measure of a set of rows and must return one number, not {came}")


@dataclass(frozen=True, slots=True, eq=False)
class OwnRows(_Own):
    """``losses`` of a measure from a user's function."""

    def __call__(self, y: NDArray[Any], prediction: Prediction) -> FloatArray:
        """Return the number of each row."""
        try:
            result = self.call(y, prediction)
        except (UsageError, MissingPrediction, Undefined):
            raise
        except Exception as error:
            raise self.refused(error) from error
        return _rows(result, len(y), self.name)


@dataclass(frozen=True, slots=True, eq=False)
class OwnSet(_Own):
    """``whole`` of a measure from a user's function."""

    def number(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None) -> float:
        """Return the value, letting through whatever the function raises.

        Raises
        ------
        UsageError
            There are weights and the function has no parameter for them, or it returned no number.
        """
        parameter = _weight_parameter(self.function)
        if parameter is None and weight is not None:
            raise UsageError(
                f"metric: {self.name} takes no weights, and the rows have them; give it a parameter called "
                "weight"
            )
        more = {} if parameter is None else {parameter.name: weight}
        return _number(self.call(y, prediction, **more), self.name)

    def value(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None) -> float:
        """Return the value of all rows."""
        try:
            value = self.number(y, prediction, weight)
        except (UsageError, MissingPrediction, Undefined):
            raise
        except Exception as error:
            raise self.refused(error) from error
        if not np.isfinite(value):
            raise Undefined(
                f"{self.name} is {value} on these rows; use fewer folds, or return a finite number"
            )
        return value

    def __call__(self, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None) -> MeasureValue:
        """Return the value and the influence of each row."""
        value = self.value(y, prediction, weight)

        def of(rows: NDArray[Any]) -> float:
            return self.number(y[rows], prediction.take(rows), None if weight is None else weight[rows])

        try:
            influence = influence_by_leaving_out(of, self.name, value, len(y), weight)
        except (UsageError, MissingPrediction, Undefined):
            raise
        except Exception as error:
            raise self.refused(error) from error
        return MeasureValue(value, influence)


@dataclass(frozen=True, slots=True, eq=False)
class BoundRows:
    """Binds a measure of rows to a target."""

    function: Callable[..., Any]
    name: str

    def __post_init__(self) -> None:
        parameter = _weight_parameter(self.function)
        if parameter is not None and parameter.default is inspect.Parameter.empty:
            raise UsageError(
                f"measure: {self.name} requires {parameter.name}, which a measure of rows is not given: its "
                "mean is weighted for it; drop the parameter, or use Measure.of_set"
            )

    def __call__(self, measure: Measure, target: Target) -> Measure:
        """Return the measure that is ready for this target."""
        return replace(
            measure, losses=OwnRows(self.function, self.name, _labels(target)), notice="", bind=None
        )


@dataclass(frozen=True, slots=True, eq=False)
class BoundSet:
    """Binds a measure of a set of rows to a target."""

    function: Callable[..., Any]
    name: str

    def __call__(self, measure: Measure, target: Target) -> Measure:
        """Return the measure that is ready for this target."""
        own = OwnSet(self.function, self.name, _labels(target))
        return replace(measure, whole=own, plain=own.value, bind=None)


@dataclass(frozen=True, slots=True, eq=False)
class BoundToFind:
    """Binds a measure from a function that returns an array or a number: a trial call finds which."""

    function: Callable[..., Any]
    name: str

    def __call__(self, measure: Measure, target: Target) -> Measure:
        """Return the measure that is ready for this target."""
        parameter = _weight_parameter(self.function)
        more: dict[str, Any] = {} if parameter is None else {parameter.name: None}
        own = _Own(self.function, self.name, _labels(target))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                of_rows = np.shape(own.call(*_made_up(target), **more)) == (PROBED,)
        except Exception:
            # These rows may not suit the function; the real call reports what is wrong.
            of_rows = False
        bind = BoundRows if of_rows else BoundSet
        return bind(self.function, self.name)(measure, target)


def _made_up(target: Target) -> tuple[NDArray[Any], Prediction]:
    if target.task == "regression":
        y = np.linspace(1.0, 2.0, PROBED)
        return y, Prediction(y[::-1] + 0.25)
    classes = max(target.classes, 2)
    codes = np.arange(PROBED) % classes
    value = np.where(np.arange(PROBED) % 5 == 0, (codes + 1) % classes, codes)
    probability = np.full((PROBED, classes), 0.5 / classes)
    probability[np.arange(PROBED), value] += 0.5
    return codes, Prediction(value, probability, np.log(probability))
