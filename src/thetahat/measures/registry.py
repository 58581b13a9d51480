"""Every measure by name: a line here makes one known to verdicts, tuning, curves, the page and the JSON."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from thetahat.errors import UsageError
from thetahat.measures import distances, errors
from thetahat.measures.measure import Measure, Target, Task

__all__ = ["MEASURES", "Entry", "choose_measure"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A measure that can be named.

    Parameters
    ----------
    name : str
        Its name.
    task : {"classification", "regression"}
        What it is for.
    make : callable
        ``make(target, argument)`` builds it; ``argument`` is what follows the colon, or "".
    others : tuple of str
        Other names.
    form : str
        How it is typed where it takes an argument: ``"pinball:Q"``.
    """

    name: str
    task: Task
    make: Callable[[Target, str], Measure]
    others: tuple[str, ...] = ()
    form: str = ""


MEASURES: Mapping[str, Entry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            Entry("error", "classification", errors.error, ("accuracy", "error-rate", "zero-one")),
            Entry(
                "log-loss",
                "classification",
                errors.log_loss,
                ("logloss", "log", "neg-log-loss", "cross-entropy"),
            ),
            Entry("squared-error", "regression", distances.squared_error, ("squared", "mse", "rmse")),
            Entry("absolute-error", "regression", distances.absolute_error, ("absolute", "mae")),
        )
    }
)
_NAMES = MappingProxyType(
    {other: entry for entry in MEASURES.values() for other in (entry.name, *entry.others)}
)
USUAL: Mapping[Task, str] = MappingProxyType({"classification": "error", "regression": "squared-error"})


def choose_measure(asked: Any, target: Target) -> Measure:
    """Return the measure that was asked for, or the usual one of the task for ``"auto"``.

    Raises
    ------
    UsageError
        There is no such measure, or it belongs to the other task.
    """
    if not isinstance(asked, str):
        raise UsageError(f"metric: a name is expected, not {asked!r}")
    name, _, argument = asked.strip().lower().replace("_", "-").partition(":")
    if name == "auto":
        name = USUAL[target.task]
    entry = _NAMES.get(name)
    usual = ", ".join(each.form or each.name for each in MEASURES.values() if each.task == target.task)
    if entry is None:
        near = difflib.get_close_matches(name, _NAMES, n=1)
        close = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"metric: there is no {asked!r}{close}; choose one of auto, {usual}")
    if entry.task != target.task:
        raise UsageError(
            f"metric: {entry.name} is for a {entry.task}, and this is a {target.task}; choose one of {usual}"
        )
    if argument and not entry.form:
        raise UsageError(f"metric: {entry.name} takes no argument, and {asked!r} has one")
    return entry.make(target, argument)
