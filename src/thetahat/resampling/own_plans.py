"""Draws of your own: a scikit-learn splitter, index arrays, a column of folds, a column of a split."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import Draw, IntArray
from thetahat.errors import UsageError
from thetahat.resampling.plans import KFold, Plan, Rows, parse

__all__ = ["FoldColumn", "OwnDraws", "Splitter", "as_plan", "draws_of", "naming"]


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
        return f"{len(np.unique(self.codes))} folds, the values of column {self.name}"

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
        Integer indices of rows of the table, counted from 0, or truth values with one entry per row. A row
        may train several times in a pair, as in a bootstrap, and is held out at most once.
    words : str
        What they are, in words.
    spec : str
        What was given.
    argument : str
        The argument that gave them, for messages.
    """

    pairs: Sequence[tuple[Any, Any]]
    words: str = ""
    spec: str = "own splits"
    argument: str = "resampling"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows are drawn."""
        if self.words:
            return self.words
        count = len(self.pairs)
        return "one split by row indices" if count == 1 else f"{count} splits by row indices"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the draws among the rows that are used; rows that are not used are left out of them."""
        if not len(self.pairs):
            raise UsageError(f"{self.argument}: there is no split; give at least one (train, test) pair")
        given = rows.n if rows.given is None else rows.given
        place = np.full(given, -1)
        place[np.arange(rows.n) if rows.row is None else rows.row] = np.arange(rows.n)
        return [_draw(number, pair, place, self.argument) for number, pair in enumerate(self.pairs, 1)]


@dataclass(frozen=True, slots=True, eq=False)
class Splitter:
    """The splits of a scikit-learn splitter.

    Parameters
    ----------
    splitter : object
        With ``split(X, y, groups)``. It is given class codes and group codes, or None where there are none,
        and as many rows as there are, but not the columns of X or the numbers of a regression. The object
        itself is not changed: a copy splits.
    argument : str
        The argument that gave it, for messages.
    """

    splitter: Any
    argument: str = "resampling"

    @property
    def spec(self) -> str:
        """The splitter as Python shows it."""
        return " ".join(repr(self.splitter).split())

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows are drawn."""
        return f"splits by {type(self.splitter).__name__} of scikit-learn"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the splits; a splitter that shuffles without a seed gets one from ``rng``."""
        name = type(self.splitter).__name__
        # None in place of every number: a splitter that reads columns then fails rather than splits wrongly.
        columns: NDArray[Any] = np.full((rows.n, 1), None, dtype=object)
        try:
            pairs = list(self._seeded(rng).split(columns, rows.labels, rows.groups))
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{self.argument}: {name} cannot split these rows: {' '.join(str(error).split())} If it "
                "needs more than class and group codes, give the splits themselves: "
                "list(splitter.split(X, y, groups))"
            ) from error
        if not pairs:
            raise UsageError(f"{self.argument}: {name} gives no split; give at least one (train, test) pair")
        pairs = [_pair(pair, name, self.argument) for pair in pairs]
        self._check_rows(pairs, rows)
        place = np.arange(rows.n)
        return [_draw(number, pair, place, self.argument) for number, pair in enumerate(pairs, 1)]

    def _check_rows(self, pairs: Sequence[tuple[Any, Any]], rows: Rows) -> None:
        """Refuse splits of all rows where some were left out: a splitter sees the used rows alone."""
        left_out = 0 if rows.given is None else rows.given - rows.n
        if not left_out:
            return
        parts = [part for pair in pairs for part in pair if isinstance(part, np.ndarray)]
        sizes = [len(part) for part in parts if part.dtype == np.bool_]
        sizes += [int(part.max(initial=-1)) + 1 for part in parts if part.dtype.kind in "iu"]
        if max(sizes, default=0) > rows.n:
            why = f" ({rows.left_out})" if rows.left_out else ""
            verb = "row was" if left_out == 1 else "rows were"
            cure = "give the splits of the rows as index arrays instead"
            if rows.left_out.startswith("max_rows"):
                cure = "leave max_rows out"
            raise UsageError(
                f"{self.argument}: {type(self.splitter).__name__} splits all {rows.given} rows of the table, "
                f"and {left_out} {verb} left out{why}; {cure}"
            )

    def _seeded(self, rng: Generator) -> Any:
        """Return a copy of the splitter, so that a random state inside it is not consumed."""
        try:
            splitter = copy.deepcopy(self.splitter)
        except (TypeError, AttributeError, NotImplementedError):
            return self.splitter
        if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
            try:
                splitter.random_state = int(rng.integers(2**31 - 1))
            except AttributeError:
                return self.splitter
        return splitter


def as_plan(asked: Any, usual: Plan | None = None, *, repeats: int = 1, what: str = "cv") -> Plan:
    """Return the plan that was asked for.

    Parameters
    ----------
    asked : None, int, str, Plan, splitter or iterable of (train, test)
        A number of folds; a plan as typed on the command line; a plan; a scikit-learn splitter; or pairs of
        row indices.
    usual : Plan, optional
        The plan for None; ``cv:10`` by default.
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
        with naming(what):
            return KFold(int(asked), repeats)
    if isinstance(asked, str):
        with naming(what):
            return parse(asked, what=what)
    if isinstance(asked, type):
        raise UsageError(f"{what}: {asked.__name__} is a class; give an object, {asked.__name__}()")
    if hasattr(asked, "draws") and hasattr(asked, "describe"):
        plan: Plan = asked
        return plan
    if hasattr(asked, "split") and hasattr(asked, "get_n_splits"):
        return Splitter(asked, what)
    if isinstance(asked, Iterable) and not hasattr(asked, "columns") and not hasattr(asked, "str"):
        pairs = [(pair.train, pair.test) if isinstance(pair, Draw) else pair for pair in asked]
        if all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            return OwnDraws([(pair[0], pair[1]) for pair in pairs], argument=what)
    raise UsageError(f"{what}: {_FORMS}, not {type(asked).__name__}")


def draws_of(plan: Plan, rows: Rows, *, rng: Generator, what: str = "cv") -> list[Draw]:
    """Return the draws of a plan; a message about them names the argument ``what``."""
    with naming(what):
        return plan.draws(rows, rng=rng)


_FORMS = (
    'a plan such as "cv:10" is expected, a scikit-learn splitter, or a list of (train, test) index arrays'
)


@contextmanager
def naming(argument: str, *, of: str = "resampling") -> Iterator[None]:
    """Let a message about the argument ``of`` name this argument instead."""
    try:
        yield
    except UsageError as error:
        name, _, text = str(error).partition(": ")
        if name != of or argument == name:
            raise
        raise UsageError(f"{argument}: {text}") from error


def _pair(given: Any, name: str, argument: str) -> tuple[Any, Any]:
    try:
        train, test = given
    except (TypeError, ValueError):
        raise UsageError(
            f"{argument}: {name} must yield (train, test) pairs, not {type(given).__name__}"
        ) from None
    return train, test


def _draw(number: int, pair: tuple[Any, Any], place: IntArray, argument: str) -> Draw:
    parts = [
        _indices(part, f"{argument}: the {name} rows of split {number}", len(place))
        for part, name in zip(pair, ("training", "held-out"), strict=True)
    ]
    both = np.intersect1d(parts[0], parts[1])
    if len(both):
        raise UsageError(
            f"{argument}: row {both[0]} (counted from 0) both trains and is held out in split {number}"
            + (f", and {len(both) - 1} more" if len(both) > 1 else "")
            + "; a model must not be judged on rows that it was trained on"
        )
    if len(np.unique(parts[1])) < len(parts[1]):
        raise UsageError(f"{argument}: a row is held out twice in split {number}; name each row once")
    train, test = (rows[rows >= 0] for rows in (place[parts[0]], place[parts[1]]))
    for rows, name in ((train, "trains"), (test, "is held out")):
        if not len(rows):
            raise UsageError(f"{argument}: no row {name} in split {number}")
    return Draw(train, test)


def _indices(part: Any, what: str, n: int) -> IntArray:
    try:
        rows = np.asarray(part)
    except ValueError:
        raise UsageError(f"{what} must be integer indices, or {n} truth values") from None
    if rows.dtype == np.bool_ and rows.shape == (n,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
        raise UsageError(
            f"{what} must be integer indices, or {n} truth values, not {rows.dtype} of shape {rows.shape}"
        )
    rows = rows.astype(np.int64)
    if len(rows) and not (0 <= rows.min() and rows.max() < n):
        bad = rows[(rows < 0) | (rows >= n)][0]
        raise UsageError(f"{what} name row {bad}, but the table has rows 0 to {n - 1}")
    return rows
