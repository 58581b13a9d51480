"""Average precision: the precision at each threshold, weighted by the recall gained there."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.auc import belief_of, require_classes
from thetahat.measures.measure import Measure, MeasureValue, Target

__all__ = ["average_precision"]


def _one_class(positive: NDArray[np.bool_], belief: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
    """Return the average precision of one class, and w ∂AP/∂w of each row.

    With a_k the weight of the positive rows and t_k that of all rows at threshold k, from the highest down,
    AP = Σ_k a_k P_k / A, P_k = Σ_{j ≤ k} a_j / T_k, T_k = Σ_{j ≤ k} t_j. A row at threshold g enters every
    P_k with k ≥ g.
    """
    levels, level = np.unique(-belief, return_inverse=True)
    a = np.bincount(level, w * positive, minlength=len(levels))
    total = np.cumsum(np.bincount(level, w, minlength=len(levels)))
    # Thresholds before the first row of positive weight count for nothing, and theirs may be 0 / 0.
    per_total = np.divide(1.0, total, out=np.zeros(len(levels)), where=total > 0)
    precision = np.divide(np.cumsum(a), total, out=np.zeros(len(levels)), where=total > 0)
    mass = float(np.sum(a))
    value = float(np.sum(a * precision)) / mass
    from_here = np.cumsum((a * per_total)[::-1])[::-1]
    lost = np.cumsum((a * precision * per_total)[::-1])[::-1]
    derivative = (positive * (precision[level] + from_here[level] - value) - lost[level]) / mass
    return value, np.asarray(w * derivative)


def _binary(
    target: Target, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None
) -> MeasureValue:
    belief = belief_of(prediction, "average-precision")
    w = np.ones(len(y)) if weight is None else weight
    require_classes(np.bincount(y, w, minlength=2), "average-precision", target.labels, every=True)
    value, derivative = _one_class(y == target.positive, belief[:, target.positive], w)
    return MeasureValue(value, len(y) * derivative)


def _macro(
    target: Target, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None
) -> MeasureValue:
    belief = belief_of(prediction, "average-precision")
    classes = belief.shape[1]
    w = np.ones(len(y)) if weight is None else weight
    require_classes(np.bincount(y, w, minlength=classes), "average-precision", target.labels, every=True)
    parts = [_one_class(y == code, belief[:, code], w) for code in range(classes)]
    value = float(np.mean([value for value, _ in parts]))
    return MeasureValue(value, len(y) * np.mean([derivative for _, derivative in parts], axis=0))


def average_precision(target: Target, argument: str) -> Measure:
    """Return the average precision Σ (R_k − R_{k−1}) P_k over the distinct thresholds, as in scikit-learn.

    Of two classes it is that of the positive class; of more, the mean over the classes of each against the
    rest. It uses probabilities, or scores if there are none.
    """
    return Measure(
        "average-precision",
        "average precision",
        "mean precision",
        "classification",
        whole=partial(_macro if target.classes > 2 else _binary, target),
        higher_is_better=True,
        bounds=(0.0, 1.0),
        scale="logit",
        of_positive=target.classes == 2,
    )
