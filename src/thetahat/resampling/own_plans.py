"""Draws that a person brings: a scikit-learn splitter, index arrays, a column of folds, a column of a split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import Draw, IntArray
from thetahat.errors import UsageError
from thetahat.resampling.plans import KFold, Plan, Rows, parse

__all__ = ["FoldColumn", "OwnDraws", "Splitter", "as_plan"]


@dataclass(frozen=True, slots=True, eq=False)
class FoldColumn:
    """Each value of a column is a fold: held out once, all other rows train.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Fold of each row.
    name : str
        The column.
    """

    codes: IntArray
    name: str

    @property
    def spec(self) -> str:
        """What was given."""
        return f"fold:{self.name}"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows are drawn."""
        return f"{len(np.unique(self.codes))} folds of your own, the values of column {self.name}"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return a draw for each value, in sorted order."""
        folds = np.unique(self.codes)
        if len(folds) < 2:
            raise UsageError(f"fold: column {self.name} has one value, so no rows would be left to train on")
        return [Draw(np.flatnonzero(self.codes != f), np.flatnonzero(self.codes == f)) for f in folds]


@dataclass(frozen=True, slots=True, eq=False)
class OwnDraws:
    """Row indices of your own, as (train, test) pairs.

    Parameters
    ----------
    pairs : sequence of (train, test)
        Integer indices of rows of the table, counted from 0, or truth values with one entry per row.
    words : str
        What they are, in words.
    spec : str
        What was given.
    """

    pairs: Sequence[tuple[Any, Any]]
    words: str = ""
    spec: str = "own splits"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows are drawn."""
        if self.words:
            return self.words
        count = len(self.pairs)
        return "one split of your own" if count == 1 else f"{count} splits of your own"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the draws among the rows that are used; rows that are not used are left out of them."""
        if not len(self.pairs):
            raise UsageError("resampling: there is no split; give at least one (train, test) pair")
        given = rows.n if rows.given is None else rows.given
        place = np.full(given, -1)
        place[np.arange(rows.n) if rows.row is None else rows.row] = np.arange(rows.n)
        return [_draw(number, pair, place) for number, pair in enumerate(self.pairs, 1)]


@dataclass(frozen=True, slots=True, eq=False)
class Splitter:
    """The splits of a scikit-learn splitter.

    Parameters
    ----------
    splitter : object
        With ``split(X, y, groups)``.
    """

    splitter: Any

    @property
    def spec(self) -> str:
        """The splitter as Python shows it."""
        return " ".join(repr(self.splitter).split())

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows are drawn."""
        return f"splits of your own, by scikit-learn's {type(self.splitter).__name__}"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the splits; a splitter that shuffles without a seed takes one from ``rng``."""
        splitter = self.splitter
        if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
            from sklearn.base import clone  # noqa: PLC0415

            try:
                splitter = clone(splitter, safe=False)
                splitter.random_state = int(rng.integers(2**31 - 1))
            except (TypeError, AttributeError):
                splitter = self.splitter
        columns: NDArray[Any] = np.zeros((rows.n, 1))
        y = np.zeros(rows.n) if rows.labels is None else rows.labels
        try:
            pairs = list(splitter.split(columns, y, rows.groups))
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"resampling: {type(splitter).__name__} cannot split these rows: {error}"
            ) from error
        place = np.arange(rows.n)
        return [_draw(number, pair, place) for number, pair in enumerate(pairs, 1)]


def as_plan(asked: Any, usual: Plan | None = None, *, repeats: int = 1, what: str = "cv") -> Plan:
    """Return the plan that was meant.

    Parameters
    ----------
    asked : None, int, str, Plan, splitter or iterable of (train, test)
        A number of folds; a plan as typed on the command line; a plan; a scikit-learn splitter; or pairs of
        row indices.
    usual : Plan, optional
        What None stands for; ``cv:10`` by default.
    repeats : int
        Of a number of folds.
    what : str
        The argument, for messages.

    Raises
    ------
    UsageError
        It is none of these.
    """
    if asked is None:
        return KFold(10) if usual is None else usual
    if isinstance(asked, bool | np.bool_):
        raise UsageError(f"{what}: {_FORMS}, not {asked!r}")
    if isinstance(asked, int | np.integer):
        return KFold(int(asked), repeats)
    if isinstance(asked, str):
        return parse(asked, what=what)
    if isinstance(asked, type):
        raise UsageError(f"{what}: {asked.__name__} is a class; give an object, {asked.__name__}()")
    if hasattr(asked, "draws") and hasattr(asked, "describe"):
        plan: Plan = asked
        return plan
    if hasattr(asked, "split") and hasattr(asked, "get_n_splits"):
        return Splitter(asked)
    if isinstance(asked, Iterable) and not hasattr(asked, "columns") and not hasattr(asked, "str"):
        pairs = list(asked)
        if all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            return OwnDraws([(pair[0], pair[1]) for pair in pairs])
    raise UsageError(f"{what}: {_FORMS}, not {type(asked).__name__}")


_FORMS = (
    'a plan such as "cv:10" is expected, a scikit-learn splitter, or a list of (train, test) index arrays'
)


def _draw(number: int, pair: tuple[Any, Any], place: IntArray) -> Draw:
    parts = [
        _indices(part, f"resampling: the {name} rows of split {number}", len(place))
        for part, name in zip(pair, ("training", "held-out"), strict=True)
    ]
    both = np.intersect1d(parts[0], parts[1])
    if len(both):
        raise UsageError(
            f"resampling: row {both[0]} (counted from 0) both trains and is held out in split {number}"
            + (f", and {len(both) - 1} more" if len(both) > 1 else "")
            + "; a model must not be judged on rows that it was trained on"
        )
    if len(np.unique(parts[1])) < len(parts[1]):
        raise UsageError(f"resampling: a row is held out twice in split {number}; name each row once")
    train, test = (rows[rows >= 0] for rows in (place[parts[0]], place[parts[1]]))
    for rows, name in ((train, "trains"), (test, "is held out")):
        if not len(rows):
            raise UsageError(f"resampling: no row {name} in split {number}")
    return Draw(train, test)


def _indices(part: Any, what: str, n: int) -> IntArray:
    rows = np.asarray(part)
    if rows.dtype == np.bool_ and rows.shape == (n,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
        raise UsageError(
            f"{what} must be integer indices, or {n} truth values, not {rows.dtype} of shape {rows.shape}"
        )
    rows = rows.astype(np.int64)
    if len(rows) and not (0 <= rows.min() and rows.max() < n):
        bad = rows[(rows < 0) | (rows >= n)][0]
        raise UsageError(f"{what} name row {bad}, and the table has rows 0 to {n - 1}")
    return rows
