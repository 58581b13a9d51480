"""Class labels as codes, without a sort of the rows where two values are all there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets

from thetahat.contracts import IntArray
from thetahat.errors import UsageError

__all__ = ["encoded", "places_among"]


def encoded(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the classes, sorted, and each row's place among them.

    Raises
    ------
    ValueError
        The labels are numbers of a continuous kind.
    """
    two = _two(y)
    if two is not None:
        return two
    check_classification_targets(y)
    classes, codes = np.unique(y, return_inverse=True)
    places: IntArray = codes.reshape(-1)
    return classes, places.astype(np.int8) if len(classes) <= 127 else places


def places_among(classes: NDArray[Any], y: NDArray[Any]) -> IntArray:
    """Return each row's place among the classes of an earlier fit, which are sorted.

    Raises
    ------
    UsageError
        A label is none of them.
    """
    try:
        places: IntArray = np.searchsorted(classes, y)
    except TypeError:
        raise UsageError(f"y: labels of another kind than the classes {classes}") from None
    strange = classes[np.minimum(places, len(classes) - 1)] != y
    if strange.any():
        label = y[np.argmax(strange)]
        raise UsageError(
            f"y: has the class {label!s:.80}, which is not among {classes}; classes= of the first call of "
            "partial_fit has to name every class"
        )
    return places


def _two(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return classes and codes of whole numbers or truth values that are two; None of anything else."""
    if y.dtype.kind not in "biuf" or not len(y):
        return None
    low, high = y.min(), y.max()
    upper: NDArray[np.bool_] = y == high
    # A float that is not whole is no label: what else is wrong with it is said by the longer way.
    whole = y.dtype.kind != "f" or (low == np.floor(low) and high == np.floor(high))
    if low == high or not whole or not (upper | (y == low)).all():
        return None
    return np.array([low, high], dtype=y.dtype), upper.view(np.int8)
