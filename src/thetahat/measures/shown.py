"""The measures that are shown beside the one that a verdict uses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from thetahat.measures.errors import accuracy
from thetahat.measures.measure import Measure, Target, Task
from thetahat.measures.registry import choose_measure

__all__ = ["SHOWN", "shown_beside"]

# The label for people and the name of the measure, in the order in which they are shown.
SHOWN: Mapping[Task, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "classification": (
            ("accuracy", "accuracy"),
            ("balanced accuracy", "balanced-accuracy"),
            ("F1", "f1"),
            ("AUC", "auc"),
            ("log-loss", "log-loss"),
        ),
        "regression": (("R²", "r2"), ("MAE", "absolute-error"), ("RMSE", "squared-error")),
    }
)


def shown_beside(target: Target) -> tuple[tuple[str, Measure], ...]:
    """Return the label and the measure of each that is shown for a target.

    Accuracy is 1 − error, though ``"accuracy"`` typed as a metric is the error rate; F1 is the macro mean
    where there are more than two classes.
    """
    return tuple((label, _shown(name, target)) for label, name in SHOWN[target.task])


def _shown(name: str, target: Target) -> Measure:
    if name == "accuracy":
        return accuracy()
    return choose_measure("f1-macro" if name == "f1" and target.classes > 2 else name, target)
