"""Losses a verdict may rest on, one number a row and lower is better, and the scores shown beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError

__all__ = ["LOSSES", "Loss", "NoProbabilities", "Score", "choose_loss", "scores_of"]

Task = Literal["classification", "regression"]
LossName = Literal["error", "log-loss", "squared-error", "absolute-error"]

# A probability of exactly zero for what then happened would make one row's loss infinite.
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


class NoProbabilities(ValueError):
    """A candidate that gives no probabilities was asked for its log-loss."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss a row.

    Parameters
    ----------
    name : str
        Its name on the command line.
    shown_as : str
        Its form for people.
    unit : str
        Unit of that form.
    task : str
        What it can be used for.
    of_rows : callable
        ``of_rows(y, prediction)`` gives the loss of each row, shape (n,).
    squared : bool
        Whether people are shown the square root of the mean.
    """

    name: LossName
    shown_as: str
    unit: str
    task: Task
    of_rows: Callable[[NDArray[Any], Prediction], FloatArray]
    squared: bool = False

    def show(self, mean_loss: float) -> float:
        """Return a mean loss in the form for people; an interval's end below zero shows as zero."""
        return math.sqrt(max(mean_loss, 0.0)) if self.squared else mean_loss


@dataclass(frozen=True, slots=True)
class Score:
    """A metric shown beside the loss, computed once for each held-out fold."""

    name: str
    higher_is_better: bool
    of_fold: Callable[[NDArray[Any], Prediction, int], float]


def _wrong(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray(prediction.value != y, dtype=np.float64)


def _surprise(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    if prediction.probability is None:
        raise NoProbabilities(
            "gives no probabilities, which log-loss needs; wrap it in CalibratedClassifierCV"
        )
    given = prediction.probability[np.arange(len(y)), y]
    surprise: FloatArray = -np.log(np.maximum(given, SMALLEST_PROBABILITY))
    return surprise


def _squared(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray((y - prediction.value) ** 2, dtype=np.float64)


def _absolute(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray(np.abs(y - prediction.value), dtype=np.float64)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            Loss("error", "error rate", "share of rows", "classification", _wrong),
            Loss("log-loss", "log-loss", "nats a row", "classification", _surprise),
            Loss("squared-error", "RMSE", "unit of the target", "regression", _squared, squared=True),
            Loss("absolute-error", "absolute error", "unit of the target", "regression", _absolute),
        )
    }
)

_ALSO_CALLED = {
    "accuracy": "error",
    "error-rate": "error",
    "zero-one": "error",
    "logloss": "log-loss",
    "neg-log-loss": "log-loss",
    "cross-entropy": "log-loss",
    "mse": "squared-error",
    "rmse": "squared-error",
    "r2": "squared-error",
    "mae": "absolute-error",
}
_NOT_A_MEAN = {"auc", "roc-auc", "f1", "f1-macro", "balanced-accuracy"}


def choose_loss(name: str, task: Task) -> Loss:
    """Return the loss that was asked for, or the usual one of the task for ``auto``.

    Raises
    ------
    UsageError
        There is no such loss, it belongs to the other task, or it is not a mean over rows.
    """
    asked = name.strip().lower().replace("_", "-")
    if asked == "auto":
        return LOSSES["error" if task == "classification" else "squared-error"]
    usual = ", ".join(loss.name for loss in LOSSES.values() if loss.task == task)
    if asked in _NOT_A_MEAN:
        raise UsageError(
            f"metric: {name} is not a mean over rows, so a verdict cannot rest on it; "
            f"it is shown beside the loss. Choose one of {usual}"
        )
    loss = LOSSES.get(_ALSO_CALLED.get(asked, asked))
    if loss is None:
        raise UsageError(f"metric: there is no {name!r}; choose one of auto, {usual}")
    if loss.task != task:
        raise UsageError(
            f"metric: {loss.name} is for a {loss.task}, and this is a {task}; choose one of {usual}"
        )
    return loss


def _auc(y: NDArray[Any], prediction: Prediction, classes: int) -> float:
    belief = prediction.score if prediction.probability is None else prediction.probability
    if belief is None or len(np.unique(y)) < classes:
        return math.nan
    if classes == 2:
        return _rank_sum(y == 1, belief[:, 1])
    # One class against the rest, each class counting the same.
    return float(np.mean([_rank_sum(y == c, belief[:, c]) for c in range(classes)]))


def _rank_sum(positive: NDArray[np.bool_], belief: FloatArray) -> float:
    """Return the chance that a positive row ranks above a negative one, a tie counting half."""
    ones = int(np.count_nonzero(positive))
    ranks = rankdata(belief)[positive].sum()
    return float((ranks - ones * (ones + 1) / 2) / (ones * (len(positive) - ones)))


def _log_loss(y: NDArray[Any], prediction: Prediction, classes: int) -> float:
    return math.nan if prediction.probability is None else float(np.mean(_surprise(y, prediction)))


def _confusion(y: NDArray[Any], prediction: Prediction, classes: int) -> NDArray[np.int64]:
    """Return the rows of each true class (down) by predicted class (across)."""
    cells = np.bincount(y * classes + prediction.value.astype(np.int64), minlength=classes**2)
    return cells.reshape(classes, classes)


def _recalls(y: NDArray[Any], prediction: Prediction, classes: int) -> float:
    counts = _confusion(y, prediction, classes)
    present = counts.sum(axis=1) > 0
    return float(np.mean(np.diag(counts)[present] / counts.sum(axis=1)[present]))


def _f1(y: NDArray[Any], prediction: Prediction, classes: int) -> float:
    counts = _confusion(y, prediction, classes)
    seen = counts.sum(axis=1) + counts.sum(axis=0)
    # Of two classes the second is the one sought; of more, every class that occurs counts the same.
    asked = np.array([False, True]) if classes == 2 else seen > 0
    return float(np.mean(2 * np.diag(counts)[asked] / np.maximum(seen[asked], 1)))


def _r2(y: NDArray[Any], prediction: Prediction, classes: int) -> float:
    if len(y) < 2 or np.ptp(y) == 0:
        return math.nan
    return float(1 - np.sum(_squared(y, prediction)) / np.sum((y - np.mean(y)) ** 2))


_SCORES: Mapping[Task, tuple[Score, ...]] = MappingProxyType(
    {
        "classification": (
            Score("accuracy", True, lambda y, p, k: 1 - float(np.mean(_wrong(y, p)))),
            Score("balanced accuracy", True, _recalls),
            Score("F1", True, _f1),
            Score("AUC", True, _auc),
            Score("log-loss", False, _log_loss),
        ),
        "regression": (
            Score("R²", True, _r2),
            Score("MAE", False, lambda y, p, k: float(np.mean(_absolute(y, p)))),
            Score("RMSE", False, lambda y, p, k: math.sqrt(float(np.mean(_squared(y, p))))),
        ),
    }
)
OVER_ROWS = frozenset({"accuracy", "log-loss", "MAE"})


def scores_of(task: Task) -> tuple[Score, ...]:
    """Return the scores that are shown for a task, in the order they are shown."""
    return _SCORES[task]


def fold_scores(task: Task, y: NDArray[Any], prediction: Prediction, classes: int) -> dict[str, float]:
    """Return every score of one held-out fold; NaN where it does not exist there."""
    return {score.name: score.of_fold(y, prediction, classes) for score in scores_of(task)}
