"""What is predicted, and from which columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Feature", "Kind", "Label", "Schema"]

Kind = Literal["number", "boolean", "category", "date"]
Label = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Feature:
    """A column that a learner sees, and what it holds."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Schema:
    """The roles of a table's columns.

    Parameters
    ----------
    task : {"classification", "regression"}
        Whether the target names a class or measures a number.
    target : str
        The column that is predicted.
    classes : tuple of str, int, float or bool
        The labels as the table has them, sorted; empty for a regression.
    class_counts : tuple of int
        Rows of each class, in the same order, among the rows used.
    features : tuple of Feature
        The columns it is predicted from, in the table's order.
    group : str or None
        The column whose equal values must stay together.
    time : str or None
        The column that orders the rows.
    why : str
        Why this task, as a sentence without its full stop.
    weight, fold, split : str or None
        Columns of weights, of folds, and of which rows are held out.
    """

    task: Literal["classification", "regression"]
    target: str
    classes: tuple[Label, ...]
    class_counts: tuple[int, ...]
    features: tuple[Feature, ...]
    group: str | None
    time: str | None
    why: str
    weight: str | None = None
    fold: str | None = None
    split: str | None = None
