"""The squared and the absolute error of predicted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.measure import Measure, Target

__all__ = ["absolute_error", "squared_error"]

UNIT = "unit of the target"


def _squared(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray((y - prediction.value) ** 2, dtype=np.float64)


def _absolute(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray(np.abs(y - prediction.value), dtype=np.float64)


def squared_error(target: Target, argument: str) -> Measure:
    """Return the mean squared error, shown as RMSE."""
    return Measure("squared-error", "RMSE", UNIT, "regression", _squared, bounds=(0.0, np.inf), root=True)


def absolute_error(target: Target, argument: str) -> Measure:
    """Return the mean absolute error."""
    return Measure("absolute-error", "absolute error", UNIT, "regression", _absolute, bounds=(0.0, np.inf))
