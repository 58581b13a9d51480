"""The area under the ROC curve, with the influence of each row in O(n log n)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, MeasureValue, MissingPrediction, Target, Undefined

__all__ = ["auc", "belief_of", "require_classes"]

BoolArray = NDArray[np.bool_]


def belief_of(prediction: Prediction, measure: str) -> FloatArray:
    """Return the probabilities of a prediction, or its scores if it has none.

    Raises
    ------
    MissingPrediction
        There are neither.
    """
    belief = prediction.score if prediction.probability is None else prediction.probability
    if belief is None:
        raise MissingPrediction(
            f"gives neither probabilities nor scores, which {measure} needs; wrap it in "
            "CalibratedClassifierCV"
        )
    return belief


def require_classes(mass: NDArray[Any], measure: str, labels: tuple[Any, ...], *, every: bool) -> None:
    """Refuse rows of one class, or rows that lack a class.

    Parameters
    ----------
    mass : ndarray of shape (K,)
        Weight of the rows of each class.
    measure : str
        Name in the message.
    labels : tuple
        Names of the classes in the message.
    every : bool
        Whether every class has to occur.

    Raises
    ------
    Undefined
        Fewer classes occur than the measure needs.
    """
    cure = (
        "use fewer folds, or cv:K, so that each held-out part has {}; leave-one-out cannot have "
        f"{'an AUC' if measure == 'auc' else measure}"
    )
    if np.count_nonzero(mass) < 2:
        what = "both classes" if len(mass) == 2 else "every class"
        raise Undefined(
            f"{measure} has no value where all held-out rows are of one class; " + cure.format(what)
        )
    if every and not np.all(mass):
        code = int(np.flatnonzero(mass == 0)[0])
        label = repr(labels[code]) if code < len(labels) else str(code)
        raise Undefined(
            f"{measure} has no value where class {label} has no held-out row; " + cure.format("every class")
        )


def _one_class(positive: BoolArray, belief: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
    """Return the AUC of one class against the rest, and w ∂AUC/∂w of each row.

    The AUC is the weighted share of pairs of a positive and a negative row in which the positive one has the
    higher belief, ties counting one half. The derivative by the weight of a row is its placement (its share
    of won pairs) less the AUC, over the weight of its class.
    """
    levels, level = np.unique(belief, return_inverse=True)
    ones = np.bincount(level, w * positive, minlength=len(levels))
    zeros = np.bincount(level, w * ~positive, minlength=len(levels))
    # The masses are the last cumulative sums, so that perfect separation is 1 without a rounding error.
    ones_up_to, zeros_up_to = np.cumsum(ones), np.cumsum(zeros)
    mass1, mass0 = float(ones_up_to[-1]), float(zeros_up_to[-1])
    below = (zeros_up_to - zeros / 2) / mass0
    above = (mass1 - ones_up_to + ones / 2) / mass1
    area = float(np.sum(ones * below) / np.sum(ones))
    derivative = np.where(positive, (below[level] - area) / mass1, (above[level] - area) / mass0)
    return area, np.asarray(w * derivative)


def _binary(
    target: Target, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None
) -> MeasureValue:
    belief = belief_of(prediction, "auc")
    w = np.ones(len(y)) if weight is None else weight
    require_classes(np.bincount(y, w, minlength=2), "auc", target.labels, every=True)
    area, derivative = _one_class(y == target.positive, belief[:, target.positive], w)
    return MeasureValue(area, len(y) * derivative, np.asarray(y, dtype=np.int64))


def _one_against_rest(
    target: Target, weighted: bool, y: NDArray[Any], prediction: Prediction, weight: FloatArray | None
) -> MeasureValue:
    belief = belief_of(prediction, "auc")
    classes = belief.shape[1]
    w = np.ones(len(y)) if weight is None else weight
    mass = np.bincount(y, w, minlength=classes)
    require_classes(mass, "auc", target.labels, every=not weighted)
    total = float(np.sum(mass))
    shares = mass / total if weighted else np.full(classes, 1 / classes)
    areas, derivative = np.zeros(classes), np.zeros(len(y))
    for code in np.flatnonzero(shares):
        areas[code], of_class = _one_class(y == code, belief[:, code], w)
        derivative += shares[code] * of_class
    value = float(np.sum(shares * areas))
    if weighted:  # the shares of the classes move with the weights
        derivative += w * (areas[y] - value) / total
    return MeasureValue(value, len(y) * derivative)


def auc(target: Target, argument: str) -> Measure:
    """Return the area under the ROC curve.

    Of two classes it is that of the positive class, with the classes as strata: Σ over strata of
    n_c / (n_c − 1) Σ influence² / n² is DeLong's variance. Of more classes it is the mean over the classes
    of each against the rest, or the mean weighted by their rows for the argument ``"weighted"``. It uses
    probabilities, or scores if there are none. Tied pairs count one half.

    Raises
    ------
    UsageError
        The argument is another.

    Notes
    -----
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more
    correlated receiver operating characteristic curves. *Biometrics* 44, 837–845.
    """
    if argument not in ("", "weighted"):
        raise UsageError(f"metric: auc:{argument} does not exist; use auc or auc:weighted")
    several = target.classes > 2
    return Measure(
        "auc:weighted" if argument else "auc",
        "AUC",
        "share of pairs",
        "classification",
        whole=partial(_one_against_rest, target, bool(argument)) if several else partial(_binary, target),
        higher_is_better=True,
        bounds=(0.0, 1.0),
        scale="logit",
        of_positive=not several,
    )
