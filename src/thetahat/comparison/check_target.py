"""What the target says: numbers or classes, and whether there are rows enough of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from thetahat.comparison.check_columns import kind_of, missing_cells, stray_text, too_many_levels
from thetahat.comparison.rare_classes import ClassNeeds, RarePolicy, split_rare
from thetahat.comparison.schema import Label
from thetahat.errors import Code, Problem, Severity
from thetahat.tables.phrases import counted, option, shown

__all__ = ["FEWEST_ROWS", "Target", "examine_target"]

# Whole numbers are classes when there are few different ones, each on three rows or more on average.
MOST_CODES = 20
ROWS_A_CODE = 3
# Two rows to train on and two to be held out: the least that has a spread on either side.
FEWEST_ROWS = 4


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted.

    Parameters
    ----------
    task : {"classification", "regression"} or None
        None where the column cannot be predicted at all.
    classes : tuple of Label
        Sorted labels; empty for a regression.
    counts : tuple of int
        Rows of each class.
    why : str
        Why this task.
    problems : tuple of Problem
        What is wrong with it.
    labels : polars.Series, optional
        The values of the rows that are kept, rare classes merged; None where nothing can be predicted.
    kept : polars.Series of bool, optional
        Which of the rows that are used are kept; None for all of them.
    """

    task: Literal["classification", "regression"] | None
    classes: tuple[Label, ...] = ()
    counts: tuple[int, ...] = ()
    why: str = ""
    problems: tuple[Problem, ...] = ()
    labels: pl.Series | None = None
    kept: pl.Series | None = None


def examine_target(
    whole: pl.Series,
    used: pl.Series,
    task: Literal["auto", "classification", "regression"],
    needs: ClassNeeds,
    missing_target: Literal["drop", "error"],
    rare: RarePolicy,
    order: tuple[str, ...] = (),
) -> Target:
    """Pick the task and look for what stands in its way.

    Parameters
    ----------
    whole : polars.Series
        The target column.
    used : polars.Series
        The same on the rows that are used, none missing unless they are refused.
    task : {"auto", "classification", "regression"}
        What the user asks for.
    needs : ClassNeeds
        What the plan needs of each class.
    missing_target : {"drop", "error"}
        Whether rows without a target are left out or refused.
    rare : {"error", "drop", "merge"}
        What becomes of classes of too few rows.
    order : tuple of str
        The classes of an ordinal target from the lowest to the highest.
    """
    place = f"target {shown(whole.name)}"
    missing = missing_cells(
        whole, f"Fill the cells, or leave the rows out: {option('missing_target', 'drop')}"
    )
    if whole.null_count() == len(whole):
        return Target(None, problems=(missing,) if missing else ())
    if missing is not None and missing_target == "drop":
        missing = _left_out(whole.null_count(), place)
    found = [missing] if missing else []
    if used.null_count() == len(used):
        return Target(None, problems=tuple(found))
    kind = kind_of(whole)
    if kind in ("date", "unknown"):
        cause = "it holds dates" if kind == "date" else f"it holds values of type {whole.dtype}"
        cure = "Name a column of numbers or classes by --target (in Python target=…)"
        return Target(None, problems=(*found, Problem(Code.NO_TARGET, cause, place, cure)))
    stray = stray_text(whole) if kind == "category" and task != "classification" else None
    if stray is not None:
        return Target(None, problems=(*found, stray))
    present = used.drop_nulls()
    different = present.n_unique()
    if different == 1:
        cause = f"every row has the value {shown(present[0])}, so there is nothing to predict"
        cure = "Name another column by --target (in Python target=…)"
        return Target(None, problems=(*found, Problem(Code.CONSTANT_TARGET, cause, place, cure)))
    if kind == "category" and task == "regression":
        cause = "it holds text, and a regression needs numbers"
        cure = f"Mend the cells, or use {option('task', 'classification')}"
        return Target(None, problems=(*found, Problem(Code.STRAY_TEXT, cause, place, cure)))
    chosen, why = _task(present, different, task)
    if chosen == "regression":
        return Target(chosen, why=why, problems=tuple(found), labels=used)
    classes, counts = _classes(present, order)
    split = split_rare(present, classes, counts, needs, rare, place)
    many = too_many_levels(split.labels, len(split.classes))
    if many is not None:
        cure = "Join rare classes, or name another column by --target (in Python target=…)"
        if kind == "number":
            cure += f", or predict the number: {option('task', 'regression')}"
        found.append(Problem(Code.TOO_MANY_LEVELS, many.cause, place, cure))
    else:
        found += split.problems
    if used.null_count():
        # Refused above; what else is wrong is still to be found.
        return Target(chosen, classes, counts, why, tuple(found), used)
    return Target(chosen, split.classes, split.counts, why, tuple(found), split.labels, split.kept)


def _left_out(rows: int, place: str) -> Problem:
    have = "row has" if rows == 1 else "rows have"
    was = "was" if rows == 1 else "were"
    return Problem(
        Code.NOT_FINITE,
        f"{rows} {have} no target and {was} left out",
        place,
        f"{option('missing_target', 'error')} refuses such rows",
        Severity.NOTICE,
    )


def _task(
    present: pl.Series, different: int, task: Literal["auto", "classification", "regression"]
) -> tuple[Literal["classification", "regression"], str]:
    name = shown(present.name)
    if task != "auto":
        return task, f"asked for by task={task!r}"
    if present.dtype == pl.String:
        return "classification", f"{name} holds text, so its {different} values are classes"
    if present.dtype == pl.Boolean:
        return "classification", f"{name} is true or false"
    values = counted(different, "different value")
    rows = counted(len(present), "row")
    if _is_whole(present) and different <= MOST_CODES and different * ROWS_A_CODE <= len(present):
        why = f"{name} holds whole numbers, only {values} in {rows}, so they are taken for classes"
        return "classification", why
    return "regression", f"{name} holds numbers, {values} in {rows}"


def _is_whole(present: pl.Series) -> bool:
    return present.dtype == pl.Int64 or bool((present.is_finite() & (present == present.floor())).all())


def _classes(present: pl.Series, order: tuple[str, ...]) -> tuple[tuple[Label, ...], tuple[int, ...]]:
    counts = present.value_counts().sort(present.name)
    labels = counts.get_column(present.name)
    if labels.dtype == pl.Float64 and _is_whole(labels):
        labels = labels.cast(pl.Int64)
    found = dict(zip(labels.to_list(), counts.get_column(counts.columns[1]).to_list(), strict=True))
    names = [label for label in order if label in found] or list(found)
    return tuple(names), tuple(found[label] for label in names)
