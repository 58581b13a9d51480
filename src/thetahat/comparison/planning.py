"""Which plan and which interval a comparison uses where none was asked for, and why."""

from __future__ import annotations

import re

import numpy as np

from thetahat.comparison.schema import Schema
from thetahat.errors import UsageError
from thetahat.resampling.intervals import METHODS, IntervalMethod
from thetahat.resampling.nested import Nested, NestedFolds
from thetahat.resampling.plans import Holdout, KFold, Plan, Rows, parse

__all__ = ["asked_plan", "choose_interval", "choose_pairs", "choose_plan", "fewest_class_rows"]

FOLDS_IF_FREE = 5
FEWEST_FOR_ROWS = 60


def asked_plan(resampling: str, interval: str) -> Plan | None:
    """Return the plan asked for; the nested interval asks for its own. None leaves the choice free.

    Raises
    ------
    UsageError
        There is no such plan, or the nested interval is asked for on other draws.
    """
    wanted = resampling.strip().lower()
    if match := re.fullmatch(r"nested(?::(?:(\d+)x)?(\d+))?", wanted):
        if match[2] is None:
            return NestedFolds()
        return NestedFolds(folds=int(match[2]), repeats=int(match[1] or 1))
    if interval == "nested":
        if wanted != "auto":
            raise UsageError("resampling: the nested interval has draws of its own; use auto or nested:RxK")
        return NestedFolds()
    return None if wanted == "auto" else parse(resampling)


def fewest_class_rows(plan: Plan | None) -> tuple[int, str]:
    """Return the fewest rows that each class must have under a plan, and why."""
    folds = plan.folds if isinstance(plan, KFold | NestedFolds) else FOLDS_IF_FREE if plan is None else 2
    return folds, f"one for each of {folds} folds" if folds > 2 else "one to train on and one to be held out"


def choose_plan(asked: Plan | None, schema: Schema, rows: Rows) -> tuple[Plan, str]:
    """Return the plan asked for, or one that fits the table's size and kind, and why."""
    if asked is not None:
        return asked, "as asked"
    if rows.times is not None:
        return KFold(5), f"{schema.time} orders the rows"
    if rows.groups is not None:
        folds = min(10, len(np.unique(rows.groups)))
        return KFold(max(2, folds)), f"{schema.group} groups the rows"
    if schema.class_counts and min(schema.class_counts) < 10:
        return KFold(FOLDS_IF_FREE, 2), f"the smallest class has {min(schema.class_counts)} rows"
    if rows.n <= 1000:
        return KFold(10, 3), "below 1\N{THIN SPACE}000 rows a single split leaves too much to chance"
    if rows.n <= 100_000:
        return KFold(10 if rows.n <= 20_000 else 5), "enough rows that one pass over the folds suffices"
    return Holdout(0.2), "above 100\N{THIN SPACE}000 rows a single split is precise enough"


def choose_pairs(
    name: str, single: IntervalMethod, rows: Rows, draws: int
) -> tuple[IntervalMethod, IntervalMethod | None]:
    """Return the interval of a difference, and the one whose verdict stands beside it.

    By rows (``clt``) from FEWEST_FOR_ROWS rows on: there it rejects a true null in at most .06 of
    simulated cases and finds far more than the corrected t over folds, which is kept below, and for
    grouped rows, whose losses are not independent. docs/coverage.md has the figures.

    Raises
    ------
    UsageError
        There is no such interval, or it needs folds.
    """
    if name not in ("auto", "clt", "corrected-t"):
        raise UsageError(f"pairs: choose auto, clt or corrected-t, not {name!r}")
    if draws < 2 or single.name in ("none", "nested"):
        if name != "auto":
            raise UsageError(f"pairs: {name} needs the draws of cv:K; leave it at auto")
        return single, None
    if name == "auto":
        name = "clt" if rows.groups is None and rows.n >= FEWEST_FOR_ROWS else "corrected-t"
    return METHODS[name], METHODS["corrected-t" if name == "clt" else "clt"]


def choose_interval(name: str, draws: int, time: str | None, plan: Plan) -> IntervalMethod:
    """Return the interval asked for, or the usual one for so many draws.

    Raises
    ------
    UsageError
        There is no such interval, or none for folds ordered in time.
    """
    if time is not None and draws > 1:
        if name not in ("auto", "none"):
            raise UsageError("interval: none is offered yet for folds ordered in time; use interval='auto'")
        return METHODS["none"]
    if isinstance(plan, NestedFolds):
        if name not in ("auto", "nested"):
            raise UsageError(f"interval: {name} is not for nested draws; use interval='nested' or cv:K")
        return Nested(plan)
    if name == "auto":
        return METHODS["holdout" if draws == 1 else "corrected-t"]
    if name not in METHODS:
        raise UsageError(f"interval: there is no {name!r}; choose auto, nested, {', '.join(METHODS)}")
    return METHODS[name]
