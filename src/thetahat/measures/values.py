"""What a measure may know of the target, and what it returns of a set of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from thetahat.contracts import FloatArray, IntArray

__all__ = ["MeasureValue", "MissingPrediction", "Target", "Task", "Undefined"]

Task: TypeAlias = Literal["classification", "regression"]


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
