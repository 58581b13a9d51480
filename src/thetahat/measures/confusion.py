"""A measure that is a function of the confusion matrix, and the influence of each row on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.auc import require_classes
from thetahat.measures.measure import MeasureValue, Undefined

__all__ = ["Statistic", "of_confusion"]

# The value of a confusion matrix of shape (K, K), and its derivative by each cell.
Statistic: TypeAlias = Callable[[NDArray[Any]], tuple[float, FloatArray]]


def of_confusion(
    statistic: Statistic,
    measure: str,
    labels: tuple[Any, ...],
    y: NDArray[Any],
    prediction: Prediction,
    weight: FloatArray | None,
) -> MeasureValue:
    """Return a function of the confusion matrix of these rows.

    Parameters
    ----------
    statistic : callable
        ``statistic(matrix)`` gives the value and its derivative by each cell. The matrix holds the weight of
        the rows of each true class (row) and predicted class (column). The value must not change if the
        matrix is multiplied by a number, so that the influences have mean 0.
    measure : str
        Name in the messages.
    labels : tuple
        Names of the classes.
    y, prediction, weight
        See :meth:`~thetahat.measures.measure.Measure.of`.

    Raises
    ------
    Undefined
        No row has weight, or all that have some are of one class: such a measure is then 0, 1 or 0 / 0
        whatever is predicted, so that a mean over such draws says nothing.
    """
    predicted = np.asarray(prediction.value, dtype=np.int64)
    codes = np.asarray(y, dtype=np.int64)
    w = np.ones(len(codes)) if weight is None else weight
    if not np.sum(w) > 0:
        raise Undefined("no held-out row has weight; use fewer folds, or drop the rows of weight 0")
    classes = 1 + int(max(np.max(codes), np.max(predicted)))
    matrix = np.bincount(codes * classes + predicted, w, minlength=classes**2).reshape(classes, classes)
    require_classes(np.bincount(codes, w, minlength=len(labels)), measure, labels, every=False)
    value, slope = statistic(matrix)
    return MeasureValue(value, len(codes) * w * slope[codes, predicted])
