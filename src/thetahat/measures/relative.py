"""Errors relative to the size of the target: on the scale of log(1 + y), and as a share of y."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.deviances import OTHER, require
from thetahat.measures.measure import Measure, Target

__all__ = ["mape", "squared_log_error"]


def _squared_log(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    value = prediction.value
    require(y > -1, y, "squared-log-error", "targets above -1", "choose squared-error or absolute-error")
    require(value > -1, value, "squared-log-error", "predictions above -1", OTHER)
    return np.asarray((np.log1p(y) - np.log1p(value)) ** 2)


def _share(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    cure = "choose absolute-error or squared-log-error, or drop the rows whose target is 0"
    require(y != 0, y, "mape", "targets that are not 0, for it divides by them", cure)
    return np.asarray(np.abs((y - prediction.value) / y), dtype=np.float64)


def squared_log_error(target: Target, argument: str) -> Measure:
    """Return the mean of (log(1 + y) − log(1 + ŷ))², shown as RMSLE; y and ŷ above −1."""
    return Measure(
        "squared-log-error",
        "RMSLE",
        "log of the target",
        "regression",
        _squared_log,
        bounds=(0.0, np.inf),
        root=True,
    )


def mape(target: Target, argument: str) -> Measure:
    """Return the mean of |y − ŷ| / |y|, a share and no percentage; y must not be 0."""
    return Measure("mape", "MAPE", "share of the target", "regression", _share, bounds=(0.0, np.inf))
