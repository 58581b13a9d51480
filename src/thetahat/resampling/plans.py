"""How rows are drawn: hold-out, k-fold, leave-one-out; stratified, grouped or ordered in time.

A plan is a small value that prints as what a person typed (``cv:5x10``). Stratification follows
from labels being given, grouping from groups, order from times: one plan, three ways to draw.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import Draw, IntArray, Sample
from thetahat.errors import UsageError

__all__ = ["Holdout", "KFold", "LeaveOneOut", "Plan", "Rows", "inner_draws", "parse"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a plan may know of the rows it draws.

    Parameters
    ----------
    n : int
        How many there are.
    labels : ndarray of shape (n,), optional
        Class codes; every fold then holds each class in the proportion of the whole.
    groups : ndarray of shape (n,), optional
        Group codes; a group is never on both sides of a draw.
    times : ndarray of shape (n,), optional
        Anything sortable; training rows then come before held-out rows, and rows of equal time
        stay together.
    row : ndarray of shape (n,), optional
        Number of each row in the table as it was given, counted from 0; None if they are all of its rows, in
        its order.
    given : int, optional
        How many rows the table had as it was given.
    copies : bool
        Whether the groups are copies of one row each, which the table does not name as groups.
    left_out : str
        The options by which rows were left out, for messages.
    """

    n: int
    labels: IntArray | None = None
    groups: IntArray | None = None
    times: NDArray[Any] | None = None
    row: IntArray | None = None
    given: int | None = None
    copies: bool = False
    left_out: str = ""

    @property
    def kept_together(self) -> str:
        """What the groups are, for a sentence on whole groups: "whole groups held out"."""
        held = "copies of a row kept together" if self.copies else "whole groups held out"
        stratified = self.labels is not None and self.groups is not None and _pure(self.groups, self.labels)
        return f"{held}, stratified by class" if stratified else held


class Plan(Protocol):
    """Draws of the rows."""

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        ...

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        ...

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the draws; the same generator state gives the same draws."""
        ...


@dataclass(frozen=True, slots=True)
class Holdout:
    """One split: a fraction of the rows (of the groups; of the latest times) is held out."""

    fraction: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise UsageError(
                f"resampling: a hold-out takes a fraction between 0 and 1, not {self.fraction:g}"
            )

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        return f"holdout:{self.fraction:g}"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        share = f"{100 * self.fraction:g} %"
        if rows.times is not None:
            return f"hold-out: the latest {share} of the rows"
        if rows.groups is not None:
            return f"hold-out: {share} of the rows, " + rows.kept_together.removesuffix(" held out")
        return f"hold-out: {share} of the rows" + ("" if rows.labels is None else ", stratified by class")

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the one draw."""
        if rows.times is not None:
            ranks = _time_ranks(rows.times)
            cut = np.quantile(ranks, 1 - self.fraction, method="inverted_cdf")
            return [_split(ranks > cut)]
        if rows.groups is not None:
            pieces = max(2, round(1 / self.fraction))
            return [_split(_grouped_folds(rows.groups, pieces, rng, rows.labels) == 0)]
        held = np.zeros(rows.n, dtype=bool)
        labels = np.zeros(rows.n, dtype=int) if rows.labels is None else rows.labels
        for label in np.unique(labels):
            members = rng.permutation(np.flatnonzero(labels == label))
            size = min(len(members) - 1, max(1, round(self.fraction * len(members))))
            held[members[:size]] = True
        return [_split(held)]


@dataclass(frozen=True, slots=True)
class KFold:
    """k-fold cross-validation, repeated with fresh shuffles; ordered rows are never shuffled.

    With times, fold j of k holds out the (j+1)-th of k + 1 equal stretches of time and trains on
    every stretch before it; repeating it would repeat the same draws and is refused.
    """

    folds: int = 10
    repeats: int = 1

    def __post_init__(self) -> None:
        if self.folds < 2 or self.repeats < 1:
            raise UsageError(
                f"resampling: cross-validation takes at least 2 folds and 1 repeat, not {self.spec}"
            )

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        return f"cv:{self.folds}" if self.repeats == 1 else f"cv:{self.repeats}x{self.folds}"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        if rows.times is not None:
            return f"{self.folds} folds ordered in time, each trained on all that came before it"
        words = f"{self.folds}-fold cross-validation"
        if self.repeats > 1:
            words += f", repeated {self.repeats} times"
        if rows.groups is not None:
            return f"{words}, {rows.kept_together}"
        return words if rows.labels is None else words + ", stratified by class"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return folds × repeats draws."""
        if rows.times is not None:
            return self._ordered(rows.times)
        if self.folds > rows.n:
            raise UsageError(f"resampling: {self.folds} folds of {rows.n} rows; choose fewer folds")
        draws = []
        for _ in range(self.repeats):
            fold = self._assign(rows, rng)
            draws += [_split(fold == f) for f in range(self.folds)]
        return draws

    def _assign(self, rows: Rows, rng: Generator) -> IntArray:
        if rows.groups is not None:
            return _grouped_folds(rows.groups, self.folds, rng, rows.labels)
        order = rng.permutation(rows.n)
        if rows.labels is not None:
            # Dealing the rows out class by class keeps both the folds and each class in them level.
            order = order[np.argsort(rows.labels[order], kind="stable")]
        fold = np.empty(rows.n, dtype=np.int64)
        fold[order] = np.arange(rows.n) % self.folds
        return fold

    def _ordered(self, times: NDArray[Any]) -> list[Draw]:
        if self.repeats > 1:
            raise UsageError("resampling: folds ordered in time cannot be repeated; use cv:K")
        ranks = _time_ranks(times)
        cuts = np.quantile(ranks, np.linspace(0, 1, self.folds + 2)[1:-1], method="inverted_cdf")
        stretch = np.searchsorted(cuts, ranks, side="left")
        if len(np.unique(stretch)) < self.folds + 1:
            raise UsageError(
                f"resampling: too few distinct times for {self.folds} folds ordered in time; choose fewer"
            )
        return [
            Draw(np.flatnonzero(stretch < f), np.flatnonzero(stretch == f)) for f in range(1, self.folds + 1)
        ]


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """Each row (each group) held out once."""

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        return "loo"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        return "leave one row out" if rows.groups is None else "leave one group out"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return one draw for each row or group."""
        if rows.times is not None:
            raise UsageError("resampling: loo would train on the future; use cv:K or holdout:F with a time")
        groups = np.arange(rows.n) if rows.groups is None else rows.groups
        return [_split(groups == group) for group in np.unique(groups)]


def inner_draws(sample: Sample, folds: int, labels: IntArray | None, *, rng: Generator) -> list[Draw]:
    """Return folds within a sample, as many as its rows, groups or times allow, or none.

    Parameters
    ----------
    sample : Sample
        Rows of one group stay together, and rows ordered in time train before they are predicted.
    folds : int
        The most folds.
    labels : ndarray of shape (n,), optional
        Class codes, whose proportions every fold keeps.
    rng : Generator
        Of the shuffle.
    """
    rows = Rows(len(sample), labels, sample.group, sample.time)
    if sample.group is not None:
        folds = min(folds, len(np.unique(sample.group)))
    for count in range(min(folds, len(sample)), 1, -1):
        try:
            return KFold(count).draws(rows, rng=rng)
        except UsageError:
            # Too few distinct times for so many folds.
            continue
    return []


def parse(text: str, *, what: str = "resampling") -> Plan:
    """Read a plan as typed: ``holdout:F``, ``cv:K``, ``cv:RxK`` or ``loo``.

    Raises
    ------
    UsageError
        The text is none of these.
    """
    wanted = text.strip().lower()
    if wanted == "loo":
        return LeaveOneOut()
    if match := re.fullmatch(r"holdout(?::(\d*\.?\d+)(%?))?", wanted):
        if match[1] is None:
            return Holdout()
        return Holdout(float(match[1]) / (100 if match[2] else 1))
    if match := re.fullmatch(r"cv(?::(?:(\d+)x)?(\d+))?", wanted):
        if match[2] is None:
            return KFold()
        return KFold(folds=int(match[2]), repeats=int(match[1] or 1))
    raise UsageError(
        f"{what}: {text!r} is not a plan; use auto, holdout:0.2, cv:10, "
        "cv:5x10 (5 repeats of 10 folds) or loo"
    )


def _split(held: NDArray[np.bool_]) -> Draw:
    return Draw(np.flatnonzero(~held), np.flatnonzero(held))


def _time_ranks(times: NDArray[Any]) -> IntArray:
    return np.unique(times, return_inverse=True)[1]


def _grouped_folds(groups: IntArray, folds: int, rng: Generator, labels: IntArray | None = None) -> IntArray:
    """Return the fold of each row: whole groups, level in rows, and in classes where no group mixes them."""
    names, first, code, size = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise UsageError(f"resampling: {folds} folds of {len(names)} groups; choose fewer folds")
    label: IntArray = np.zeros(len(names), dtype=np.int64)
    if labels is not None and _pure(groups, labels):
        label = labels[first]
    fold_of_group = np.empty(len(names), dtype=np.int64)
    rows_in_fold = np.zeros(folds, dtype=np.int64)
    shuffled = rng.permutation(len(names))
    for each in np.unique(label):
        of_class = np.zeros(folds, dtype=np.int64)
        members = shuffled[label[shuffled] == each]
        # The largest groups first, each to the fold that has the fewest rows of the class, then the fewest
        # rows; ties in shuffled order.
        for group in members[np.argsort(-size[members], kind="stable")]:
            fold = int(np.argmin(of_class * (len(groups) + 1) + rows_in_fold))
            fold_of_group[group] = fold
            of_class[fold] += size[group]
            rows_in_fold[fold] += size[group]
    return fold_of_group[code]


def _pure(groups: IntArray, labels: IntArray) -> bool:
    """Return whether the rows of each group are of one class."""
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    return bool((labels[first][code] == labels).all())
