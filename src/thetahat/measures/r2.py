"""The coefficient of determination."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.measure import Measure, MeasureValue, Target, Undefined

__all__ = ["r2"]

CURE = "use fewer folds, or cv:K, so that each held-out part has two or more rows with different targets"


def _r2(y: NDArray[Any], prediction: Prediction, weight: FloatArray | None) -> MeasureValue:
    w = np.ones(len(y)) if weight is None else weight
    counted = y[w > 0]
    if len(counted) < 2:
        raise Undefined(f"r2 has no value of fewer than two rows; {CURE} (leave-one-out cannot have one)")
    if np.ptp(counted) == 0:
        raise Undefined(f"r2 has no value where the target of the held-out rows is constant; {CURE}")
    errors, deviations = (y - prediction.value) ** 2, (y - np.average(y, weights=w)) ** 2
    spread = float(np.sum(w * deviations))
    ratio = float(np.sum(w * errors)) / spread
    return MeasureValue(1 - ratio, len(y) * w * (ratio * deviations - errors) / spread)


def r2(target: Target, argument: str) -> Measure:
    """Return 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)², with ȳ the weighted mean of the same rows."""
    return Measure(
        "r2",
        "R²",
        "share of the variance",
        "regression",
        whole=_r2,
        higher_is_better=True,
        bounds=(-np.inf, 1.0),
        scale="complement",
    )
