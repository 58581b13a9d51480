"""Which interval a measure and a difference of two models get, where none was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from thetahat.contracts import Draw
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure
from thetahat.resampling.bootstrap632 import Bootstrap632, Bootstraps
from thetahat.resampling.clusters import FEWEST, Clustered, blocks
from thetahat.resampling.conservative_z import ConservativeZ, Halves
from thetahat.resampling.intervals import METHODS, IntervalMethod
from thetahat.resampling.nested import Nested, NestedFolds
from thetahat.resampling.plans import Plan, Rows

__all__ = ["OWN_DRAWS", "check_rule", "choose_interval", "choose_pairs"]

FEWEST_FOR_ROWS = 60
FEWEST_GROUPS = 30
PAIRS = ("auto", "clt", "corrected-t", "groups", "blocks")


@dataclass(frozen=True, slots=True)
class OwnDraws:
    """The plan of an interval that has draws of its own, how it is typed, and the interval on its draws."""

    plan: type[Any]
    form: str
    method: Callable[[Any, Sequence[Draw]], IntervalMethod]


OWN_DRAWS: Mapping[str, OwnDraws] = MappingProxyType(
    {
        "nested": OwnDraws(NestedFolds, "nested:RxK", lambda plan, draws: Nested(plan)),
        "conservative-z": OwnDraws(Halves, "halves:MxJ", lambda plan, draws: ConservativeZ(plan)),
        "bootstrap632+": OwnDraws(Bootstraps, "bootstrap:B", lambda plan, draws: Bootstrap632(draws)),
    }
)


def choose_interval(name: str, plan: Plan, draws: Sequence[Draw], rows: Rows) -> IntervalMethod:
    """Return the interval asked for, or the usual one for these draws.

    Raises
    ------
    UsageError
        There is no such interval, or the rows have no groups or times for it.
    """
    for own, draws_of in OWN_DRAWS.items():
        if isinstance(plan, draws_of.plan):
            if name not in ("auto", own):
                raise UsageError(f"interval: {name} is not for {plan.spec}; use interval={own!r} or cv:K")
            return draws_of.method(plan, draws)
    if name in ("groups", "blocks"):
        return _clustered(name, draws, rows)
    if rows.times is not None:
        if name not in ("auto", "none"):
            raise UsageError(
                f"interval: {name} takes rows for independent, and these are ordered in time; use blocks"
            )
        clustered = _clustered("blocks", draws, rows)
        few = len(np.unique(clustered.codes[clustered.codes >= 0])) < FEWEST
        return METHODS["none"] if few or name == "none" else clustered
    if name == "auto" and len(draws) == 1 and rows.groups is not None:
        # The rows of one split are no more independent than their groups.
        few = len(np.unique(rows.groups[draws[0].test])) < FEWEST
        return METHODS["none"] if few else _clustered("groups", draws, rows)
    if name == "auto":
        return METHODS["holdout" if len(draws) == 1 else "corrected-t"]
    if name not in METHODS:
        known = ", ".join(("auto", *METHODS, *OWN_DRAWS, "groups", "blocks"))
        raise UsageError(f"interval: there is no {name!r}; choose {known}")
    return METHODS[name]


def choose_pairs(
    name: str, single: IntervalMethod, draws: Sequence[Draw], rows: Rows
) -> tuple[IntervalMethod, IntervalMethod | None]:
    """Return the interval of a difference, and another one whose verdict is given too.

    By rows (``clt``) from FEWEST_FOR_ROWS rows on: there it rejects a true null in at most .06 of
    simulated cases and finds far more than the corrected t over folds, which is kept below. For grouped
    rows by groups of rows from FEWEST_GROUPS groups on; for rows ordered in time by stretches of it.
    docs/coverage.md has the figures.

    Raises
    ------
    UsageError
        There is no such interval, or it needs folds, groups or times.
    """
    if name not in PAIRS:
        raise UsageError(f"pairs: choose {', '.join(PAIRS[:-1])} or {PAIRS[-1]}, not {name!r}")
    if rows.times is not None:
        if name not in ("auto", "blocks"):
            raise UsageError(f"pairs: {name} is not for rows ordered in time; use blocks or leave it at auto")
        return (_clustered("blocks", draws, rows) if name == "blocks" else single), None
    if name == "blocks" or (name == "groups" and len(draws) < 2):
        return _clustered(name, draws, rows), None
    if len(draws) < 2 or single.name in ("none", *OWN_DRAWS):
        if name != "auto":
            raise UsageError(f"pairs: {name} needs the draws of cv:K; leave it at auto")
        return single, None
    groups = 0 if rows.groups is None else len(np.unique(rows.groups))
    if name == "auto" and groups:
        name = "groups" if groups >= FEWEST_GROUPS else "corrected-t"
    elif name == "auto":
        name = "clt" if rows.n >= FEWEST_FOR_ROWS else "corrected-t"
    by_rows = _clustered("groups", draws, rows) if groups or name == "groups" else METHODS["clt"]
    if name == "clt":
        return METHODS["clt"], METHODS["corrected-t"]
    if name == "corrected-t":
        return METHODS["corrected-t"], by_rows
    return by_rows, METHODS["corrected-t"]


def check_rule(method: IntervalMethod, measure: Measure, weighted: bool) -> None:
    """Refuse an interval that a measure, or weights, have no form of.

    Raises
    ------
    UsageError
        Names the interval and those that hold.
    """
    if method.name not in ("nested", "bootstrap632+"):
        return
    if measure.losses is None:
        raise UsageError(
            f"interval: {method.name} is for a mean over rows, and {measure.name} is a measure of a set of "
            "rows; use corrected-t or clt on cv:K"
        )
    if weighted:
        raise UsageError(f"interval: {method.name} takes no weights; use corrected-t or clt on cv:K")


def _clustered(name: str, draws: Sequence[Draw], rows: Rows) -> Clustered:
    if name == "blocks":
        if rows.times is None:
            raise UsageError("interval, pairs: blocks are stretches of time; name the column with time")
        return Clustered(blocks(rows.times, np.concatenate([draw.test for draw in draws])), name)
    if rows.groups is None:
        raise UsageError("interval, pairs: groups are those of the table; name the column with group")
    return Clustered(rows.groups, name, len(draws) == 1)
