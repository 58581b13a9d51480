"""The mean cost of predicted classes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, Target

__all__ = ["cost"]


def _cost(costs: FloatArray, y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray(costs[y.astype(np.int64), prediction.value.astype(np.int64)])


def cost(target: Target, argument: str) -> Measure:
    """Return the mean cost per row, by the true and the predicted class of each.

    Raises
    ------
    UsageError
        There is no table of costs.
    """
    if target.costs is None:
        raise UsageError(
            "metric: cost needs a table of costs; give it with --cost FILE (true classes in rows, predicted "
            "classes in columns)"
        )
    costs = np.asarray(target.costs, dtype=np.float64)
    bounds = float(np.min(costs)), float(np.max(costs))
    return Measure(
        "cost", "cost", "cost per row", "classification", partial(_cost, costs), bounds=bounds, scale="logit"
    )
