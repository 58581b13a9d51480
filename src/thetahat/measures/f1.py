"""F1 of the positive class, averaged over the classes, and balanced accuracy."""

from __future__ import annotations

from functools import partial

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.measures.confusion import Statistic, of_confusion
from thetahat.measures.measure import Measure, Target

__all__ = ["balanced_accuracy", "f1", "f1_macro", "f1_weighted"]


def _of_classes(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the F1 of each class, 0 for 0 / 0, and 1 / (true + predicted rows), 0 for 1 / 0."""
    seen = np.sum(matrix, axis=0) + np.sum(matrix, axis=1)
    per_seen = np.divide(1.0, seen, out=np.zeros(len(seen)), where=seen > 0)
    scores = np.divide(2 * np.diag(matrix), seen, out=np.zeros(len(seen)), where=seen > 0)
    return scores, per_seen


def _slope(share: FloatArray, scores: FloatArray, per_seen: FloatArray) -> FloatArray:
    """Return the derivative of Σ share × F1 by each cell, at fixed shares."""
    down = share * scores * per_seen
    return np.asarray(np.diag(2 * share * per_seen) - down[:, None] - down[None, :])


def _one(positive: int, matrix: FloatArray) -> tuple[float, FloatArray]:
    scores, per_seen = _of_classes(matrix)
    if positive >= len(scores):
        return 0.0, np.zeros_like(matrix)
    share = (np.arange(len(scores)) == positive).astype(np.float64)
    return float(scores[positive]), _slope(share, scores, per_seen)


def _macro(matrix: FloatArray) -> tuple[float, FloatArray]:
    scores, per_seen = _of_classes(matrix)
    share = (per_seen > 0) / np.count_nonzero(per_seen)
    return float(np.sum(share * scores)), _slope(share, scores, per_seen)


def _weighted(matrix: FloatArray) -> tuple[float, FloatArray]:
    scores, per_seen = _of_classes(matrix)
    total = np.sum(matrix)
    share = np.sum(matrix, axis=1) / total
    value = float(np.sum(share * scores))
    # The shares are those of the true classes, and move with the weights.
    return value, _slope(share, scores, per_seen) + ((scores - value) / total)[:, None]


def _recalls(matrix: FloatArray) -> tuple[float, FloatArray]:
    true = np.sum(matrix, axis=1)
    per_true = np.divide(1.0, true, out=np.zeros(len(true)), where=true > 0)
    recall = np.divide(np.diag(matrix), true, out=np.zeros(len(true)), where=true > 0)
    present = np.count_nonzero(true)
    slope = (np.diag(per_true) - (recall * per_true)[:, None]) / present
    return float(np.sum(recall)) / present, slope


def _measure(
    name: str, shown_as: str, unit: str, statistic: Statistic, target: Target, of_positive: bool = False
) -> Measure:
    return Measure(
        name,
        shown_as,
        unit,
        "classification",
        whole=partial(of_confusion, statistic, name, target.labels),
        higher_is_better=True,
        bounds=(0.0, 1.0),
        scale="logit",
        of_positive=of_positive,
    )


def f1(target: Target, argument: str) -> Measure:
    """Return F1 of the positive of two classes, 2 TP / (2 TP + FP + FN); 0 for 0 / 0, as in scikit-learn.

    Raises
    ------
    UsageError
        There are more than two classes.
    """
    if target.classes > 2:
        raise UsageError(
            f"metric: f1 is for two classes, and there are {target.classes}; use f1-macro or f1-weighted"
        )
    return _measure("f1", "F1", "F1", partial(_one, target.positive), target, of_positive=True)


def f1_macro(target: Target, argument: str) -> Measure:
    """Return the mean F1 of the classes that occur among the true or the predicted ones."""
    return _measure("f1-macro", "macro F1", "mean F1 of the classes", _macro, target)


def f1_weighted(target: Target, argument: str) -> Measure:
    """Return the mean F1 of the classes, weighted by their rows."""
    return _measure("f1-weighted", "weighted F1", "mean F1 of the rows' classes", _weighted, target)


def balanced_accuracy(target: Target, argument: str) -> Measure:
    """Return the mean recall of the classes that occur among the true ones."""
    return _measure("balanced-accuracy", "balanced accuracy", "mean recall of the classes", _recalls, target)
