"""Classes of fewer rows than a plan can split: refused with cures that work, left out, or merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from thetahat.comparison.schema import Label
from thetahat.errors import Code, Problem, Severity
from thetahat.tables.phrases import counted, option, shown

__all__ = ["TWO_ROWS", "ClassNeeds", "RarePolicy", "Split", "split_rare"]

RarePolicy = Literal["error", "drop", "merge"]
OTHER = "other"
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ClassNeeds:
    """What a plan needs of each class.

    Parameters
    ----------
    rows : int
        The fewest rows of a class that the plan can split.
    reason : str
        Why, in the plan's words.
    folds : str
        The plan of fewer folds, as "cv"; empty where the folds are not free.
    fewest_folds : int
        The fewest that this plan takes.
    """

    rows: int = 2
    reason: str = "one to train on and one to be held out"
    folds: str = "cv"
    fewest_folds: int = 2


# What a plan needs whose folds are not known, or are the user's own.
TWO_ROWS = ClassNeeds(folds="")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The target without its rare classes.

    Parameters
    ----------
    labels : polars.Series
        The class of each row that is kept.
    kept : polars.Series of bool
        Which rows those are.
    classes : tuple of Label
        In order.
    counts : tuple of int
        Rows of each.
    problems : tuple of Problem
        What stands in the way, or what was done.
    """

    labels: pl.Series
    kept: pl.Series
    classes: tuple[Label, ...]
    counts: tuple[int, ...]
    problems: tuple[Problem, ...] = ()


def split_rare(
    labels: pl.Series,
    classes: tuple[Label, ...],
    counts: tuple[int, ...],
    needs: ClassNeeds,
    rare: RarePolicy,
    place: str,
) -> Split:
    """Find the classes of too few rows and treat them as asked.

    Parameters
    ----------
    labels : polars.Series
        The class of each row, none missing.
    classes, counts : tuple
        The classes in order, and the rows of each.
    needs : ClassNeeds
        What the plan needs of each.
    rare : {"error", "drop", "merge"}
        What to do with the others.
    place : str
        The target, as messages name it.
    """
    every = pl.repeat(True, len(labels), dtype=pl.Boolean, eager=True)
    small = [(label, rows) for label, rows in zip(classes, counts, strict=True) if rows < needs.rows]
    whole = Split(labels, every, classes, counts)
    if not small:
        return whole
    left = len(classes) - len(small)
    together = sum(rows for _, rows in small)
    if rare == "drop" and left >= 2:
        return _dropped(whole, small, needs, place)
    if rare == "merge" and left >= 1 and together >= needs.rows:
        return _merged(whole, small, needs, place)
    cause = f"{_named(small)}, and {needs.rows} are needed: {needs.reason}"
    if rare == "merge":
        cause += f"; together they have {counted(together, 'row')}"
    if rare == "drop":
        cause += f"; without them {counted(left, 'class', 'classes')} would be left"
    cure = _cures(small, left, needs)
    return Split(labels, every, classes, counts, (Problem(Code.TOO_FEW_ROWS, cause, place, cure),))


def _dropped(whole: Split, small: Sequence[tuple[Label, int]], needs: ClassNeeds, place: str) -> Split:
    names = {label for label, _ in small}
    kept = ~whole.labels.is_in(pl.Series([label for label, _ in small], dtype=whole.labels.dtype).implode())
    pairs = [(c, n) for c, n in zip(whole.classes, whole.counts, strict=True) if c not in names]
    rows = counted(sum(n for _, n in small), "row")
    cause = f"{_named(small)}, fewer than the {needs.rows} needed, so {rows} were left out"
    cure = f"{option('rare', 'merge')} makes one class of them"
    notice = Problem(Code.TOO_FEW_ROWS, cause, place, cure, Severity.NOTICE)
    classes, counts = zip(*pairs, strict=True)
    return Split(whole.labels.filter(kept), kept, classes, counts, (notice,))


def _merged(whole: Split, small: Sequence[tuple[Label, int]], needs: ClassNeeds, place: str) -> Split:
    names = {label for label, _ in small}
    large = [(c, n) for c, n in zip(whole.classes, whole.counts, strict=True) if c not in names]
    other = OTHER
    while other in {str(label) for label, _ in large}:
        other += "′"
    text = {label: other if label in names else str(label) for label in whole.classes}
    labels = pl.Series(whole.labels.name, [text[label] for label in whole.labels.to_list()], dtype=pl.String)
    together = sum(rows for _, rows in small)
    cause = f"{_named(small)}, fewer than the {needs.rows} needed, so they were merged into one class, "
    cause += f"{shown(other)}, of {counted(together, 'row')}"
    cure = f"{option('rare', 'drop')} leaves their rows out"
    notice = Problem(Code.TOO_FEW_ROWS, cause, place, cure, Severity.NOTICE)
    return Split(
        labels,
        whole.kept,
        (*(str(label) for label, _ in large), other),
        (*(rows for _, rows in large), together),
        (notice,),
    )


def _named(small: Sequence[tuple[Label, int]]) -> str:
    """Return the classes with their rows: "class 'a' has 1 row and class 'b' has 2 rows"."""
    first = [f"class {shown(label)} has {counted(rows, 'row')}" for label, rows in small[:MOST_NAMED]]
    if len(small) > MOST_NAMED:
        first.append(f"{len(small) - MOST_NAMED} more have as few")
    return first[0] if len(first) == 1 else ", ".join(first[:-1]) + " and " + first[-1]


def _cures(small: Sequence[tuple[Label, int]], left: int, needs: ClassNeeds) -> str:
    """Return the cures that work for these counts."""
    fewest, together = min(rows for _, rows in small), sum(rows for _, rows in small)
    cures = []
    if needs.folds and fewest >= needs.fewest_folds:
        cures.append(f"use fewer folds: {option('resampling', f'{needs.folds}:{fewest}')}")
    if left >= 2:
        cures.append(f"leave the rows out: {option('rare', 'drop')}")
    if len(small) > 1 and left >= 1 and together >= needs.rows:
        cures.append(f"make one class of them: {option('rare', 'merge')}")
    cures.append("join the class to another in the table" if len(small) == 1 else "join classes in the table")
    text = "; or ".join(cures)
    return text[0].upper() + text[1:]
