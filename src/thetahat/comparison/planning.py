"""Which plan a comparison uses where none was asked for, and why."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from thetahat.comparison.rare_classes import ClassNeeds
from thetahat.comparison.schema import Schema
from thetahat.errors import UsageError
from thetahat.judgment.rule import OWN_DRAWS
from thetahat.resampling.bootstrap632 import Bootstraps
from thetahat.resampling.conservative_z import Halves
from thetahat.resampling.nested import NestedFolds
from thetahat.resampling.own_plans import as_plan
from thetahat.resampling.plans import Holdout, KFold, Plan, Rows

__all__ = ["asked_plan", "choose_plan", "class_needs"]

FOLDS_IF_FREE = 5


def asked_plan(resampling: Any, interval: str) -> Plan | None:
    """Return the plan asked for; some intervals ask for their own. None leaves the choice free.

    Parameters
    ----------
    resampling : str, splitter, plan or iterable of (train, test)
        As in :func:`thetahat.compare`.
    interval : str
        The interval that was asked for.

    Raises
    ------
    UsageError
        There is no such plan, or an interval with draws of its own is asked for on others.
    """
    if not isinstance(resampling, str):
        if interval in OWN_DRAWS:
            raise UsageError(
                f"resampling: the {interval} interval needs draws of its own ({OWN_DRAWS[interval].form}), "
                "not yours; use interval='auto'"
            )
        return as_plan(resampling, what="resampling")
    wanted = resampling.strip().lower()
    if match := re.fullmatch(r"(nested|halves)(?::(?:(\d+)x)?(\d+))?", wanted):
        if match[3] is None:
            return NestedFolds() if match[1] == "nested" else Halves()
        times, size = int(match[2] or 1), int(match[3])
        return NestedFolds(size, times) if match[1] == "nested" else Halves(size, times)
    if match := re.fullmatch(r"bootstrap(?::(\d+))?", wanted):
        return Bootstraps(int(match[1])) if match[1] else Bootstraps()
    if interval in OWN_DRAWS:
        if wanted != "auto":
            raise UsageError(
                f"resampling: the {interval} interval has draws of its own; use auto or "
                f"{OWN_DRAWS[interval].form}"
            )
        own: Plan = OWN_DRAWS[interval].plan()
        return own
    return None if wanted == "auto" else as_plan(resampling, what="resampling")


def class_needs(plan: Plan | None) -> ClassNeeds:
    """Return what a plan needs of each class, and which plan of fewer folds would need less."""
    folds = plan.folds if isinstance(plan, KFold | NestedFolds) else FOLDS_IF_FREE if plan is None else 2
    reason = f"one for each of {folds} folds" if folds > 2 else "one to train on and one to be held out"
    if isinstance(plan, NestedFolds):
        return ClassNeeds(folds, reason, "nested", 3)
    return ClassNeeds(folds, reason, "cv" if folds > 2 else "")


def choose_plan(asked: Plan | None, schema: Schema, rows: Rows) -> tuple[Plan, str]:
    """Return the plan asked for, or one that fits the table's size and kind, and why."""
    if asked is not None:
        return asked, "as asked"
    if rows.times is not None:
        return KFold(5), f"{schema.time} orders the rows"
    most = rows.n if rows.groups is None else len(np.unique(rows.groups))
    if rows.groups is not None and not rows.copies:
        folds = min(10, most)
        return KFold(max(2, folds)), f"{schema.group} groups the rows"
    if schema.class_counts and min(schema.class_counts) < 10:
        return KFold(min(FOLDS_IF_FREE, most), 2), f"the smallest class has {min(schema.class_counts)} rows"
    if rows.n <= 1000:
        return KFold(
            min(10, most), 3
        ), "below 1\N{THIN SPACE}000 rows a single split leaves too much to chance"
    if rows.n <= 100_000:
        return KFold(
            min(10 if rows.n <= 20_000 else 5, most)
        ), "enough rows that one pass over the folds suffices"
    return Holdout(0.2), "above 100\N{THIN SPACE}000 rows a single split is precise enough"
