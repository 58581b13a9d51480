"""What can be wrong with weights, and with rows that a person has split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thetahat.comparison.check_columns import missing_cells
from thetahat.contracts import Draw, IntArray
from thetahat.errors import Code, Problem, Severity
from thetahat.tables.phrases import counted, listed, option, rows_named, shown

__all__ = [
    "HELD_OUT",
    "TRAINING",
    "draw_problems",
    "fold_problems",
    "repeated_across",
    "split_problems",
    "weight_problems",
]

# What the cells of a column of a split may say, in any case.
TRAINING, HELD_OUT = ("train", "training", "false", "0"), ("test", "true", "1")


def weight_problems(frame: pl.DataFrame, name: str | None, at: IntArray) -> list[Problem]:
    """Return what is wrong with a column of weights: text, missing or negative cells, nothing above 0.

    ``at`` is the place of each row in the table, for messages.
    """
    if name is None or name not in frame.columns:
        return []
    column, place = frame.get_column(name), f"weight {shown(name)}"
    if not column.dtype.is_numeric():
        return [
            Problem(Code.WRONG_WEIGHT, "it holds no numbers", place, "Name a column of numbers by --weight")
        ]
    found = [missing_cells(column, "Fill the cells or delete these rows; every row needs a weight", at)]
    known = column.cast(pl.Float64).fill_null(1.0)
    wrong = np.flatnonzero(~(known >= 0).to_numpy())
    if len(wrong):
        cause = f"{rows_named(at[wrong].tolist())} {'has' if len(wrong) == 1 else 'have'} a weight below 0"
        found.append(Problem(Code.WRONG_WEIGHT, cause, place, "A weight says how many rows a row stands for"))
    elif len(column) and not (known > 0).any():
        found.append(Problem(Code.WRONG_WEIGHT, "no row has a weight above 0", place, "Name another column"))
    return [problem for problem in found if problem is not None]


def fold_problems(frame: pl.DataFrame, name: str | None, at: IntArray) -> list[Problem]:
    """Return what is wrong with a column of folds: missing cells, a single value."""
    if name is None or name not in frame.columns:
        return []
    column = frame.get_column(name)
    found = [missing_cells(column, "Fill the cells or delete these rows; every row needs its fold", at)]
    if column.drop_nulls().n_unique() < 2:
        cause = "it has one value, so no rows would be left to train on"
        cure = "Name a column whose values are the folds"
        found.append(Problem(Code.WRONG_SPLIT, cause, f"fold {shown(name)}", cure))
    return [problem for problem in found if problem is not None]


def split_problems(frame: pl.DataFrame, name: str | None, at: IntArray) -> list[Problem]:
    """Return what is wrong with a column of a split: missing or unknown cells, a part without rows."""
    if name is None or name not in frame.columns:
        return []
    column, place = frame.get_column(name), f"split {shown(name)}"
    found = [missing_cells(column, "Fill the cells or delete these rows", at)]
    words = _words(column)
    strange = words.drop_nulls().filter(~words.drop_nulls().is_in([*TRAINING, *HELD_OUT])).unique().sort()
    if len(strange):
        cause = f"{listed(strange.to_list())} {'says' if len(strange) == 1 else 'say'} neither train nor test"
        cure = (
            "Rows of test, true or 1 are held out, those of train, false or 0 train; --fold takes any values"
        )
        found.append(Problem(Code.WRONG_SPLIT, cause, place, cure))
    elif not words.is_in(HELD_OUT).any() or not words.is_in(TRAINING).any():
        part = "held out" if words.is_in(TRAINING).any() else "left to train on"
        found.append(Problem(Code.WRONG_SPLIT, f"no row is {part}", place, "Name a column with both"))
    return [problem for problem in found if problem is not None]


def held_out(column: pl.Series) -> IntArray:
    """Return the rows that a column of a split holds out."""
    return np.flatnonzero(_words(column).is_in(HELD_OUT).fill_null(False).to_numpy())


def _words(column: pl.Series) -> pl.Series:
    if column.dtype.is_numeric():
        # 1 and 1.0 are the same; 0.7 stays as it is and is refused.
        exact = column.cast(pl.Int64, strict=False)
        whole = (exact.cast(pl.Float64) == column.cast(pl.Float64)).fill_null(False)
        column = exact.cast(pl.String).zip_with(whole, column.cast(pl.String))
    return column.cast(pl.String).str.strip_chars().str.to_lowercase()


def repeated_across(frame: pl.DataFrame, held: IntArray, columns: Sequence[str]) -> list[Problem]:
    """Return a warning where rows held out stand in the training rows too, cell by cell."""
    mask = np.zeros(frame.height, dtype=bool)
    mask[held] = True
    hashes = frame.select(columns).hash_rows(seed=0).to_numpy()
    both = np.flatnonzero(mask & np.isin(hashes, hashes[~mask]))
    if not len(both):
        return []
    stand = "stands" if len(both) == 1 else "stand"
    cause = f"{counted(len(both), 'held-out row')} of {len(held)} {stand} among the training rows too"
    cure = "Remove them from one side: a model is not judged fairly on rows that it was trained on"
    return [Problem(Code.WRONG_SPLIT, cause, "the held-out rows", cure, Severity.WARNING)]


def draw_problems(
    draws: Sequence[Draw],
    codes: IntArray | None,
    classes: Sequence[object],
    groups: IntArray | None,
    times: NDArray[Any] | None = None,
) -> list[Problem]:
    """Return what is wrong with draws that a person brought: of their classes, groups and times."""
    found: list[Problem] = []
    cure = "Split so that each class is on both sides"
    for number, draw in enumerate(draws, 1):
        place = f"split {number} of {len(draws)}"
        if codes is not None:
            here, there = np.unique(codes[draw.train]), np.unique(codes[draw.test])
            absent = np.setdiff1d(there, here)
            if len(here) < 2:
                cause = f"its training rows are all of class {shown(classes[here[0]])}"
                found.append(Problem(Code.WRONG_SPLIT, cause, place, cure))
            elif len(absent):
                cause = (
                    f"no training row is of class {listed([classes[c] for c in absent])}, which is held out"
                )
                found.append(Problem(Code.WRONG_SPLIT, cause, place, cure, Severity.WARNING))
            if len(there) < 2 and len(draw.test) > 1:
                cause = f"its held-out rows are all of class {shown(classes[there[0]])}"
                found.append(Problem(Code.WRONG_SPLIT, cause, place, cure, Severity.WARNING))
        if groups is not None and len(both := np.intersect1d(groups[draw.train], groups[draw.test])):
            stand = "stands" if len(both) == 1 else "stand"
            cause = f"{counted(len(both), 'group')} {stand} on both sides"
            more = "Keep the rows of a group together, or leave the group out"
            found.append(Problem(Code.WRONG_SPLIT, cause, place, more, Severity.WARNING))
        if times is not None and (later := int(np.sum(times[draw.train] > np.min(times[draw.test])))):
            verb = "is" if later == 1 else "are"
            cause = f"{counted(later, 'training row')} {verb} later than the first held-out row"
            more = "Train each split on earlier rows alone, or leave the time out"
            found.append(Problem(Code.WRONG_SPLIT, cause, place, more, Severity.WARNING))
    return found


def test_table_problems(data: pl.DataFrame, test: pl.DataFrame, wanted: Sequence[str]) -> list[Problem]:
    """Return what keeps the rows of a test table from being rows of the data: columns that lack or differ."""
    found = []
    for name in wanted:
        if name not in test.columns:
            cause, cure = "the test table has no such column", "Add it, or leave it out of both"
            found.append(
                Problem(Code.WRONG_SPLIT, cause, f"column {shown(name)}", f"{cure}: {option('drop', name)}")
            )
            continue
        here, there = data.get_column(name).dtype, test.get_column(name).dtype
        if here != there and not _alike(here, there):
            kinds = _kind(here), _kind(there)
            if kinds[0] == kinds[1]:
                kinds = f"{kinds[0]} ({here})", f"{kinds[1]} ({there})"
            cause = f"it holds {kinds[0]} in the data and {kinds[1]} in the test table"
            cure = "Give it the same type in both; --na-values names text that means missing"
            found.append(Problem(Code.WRONG_SPLIT, cause, f"column {shown(name)}", cure))
    return found


def _alike(a: pl.DataType, b: pl.DataType) -> bool:
    return (a.is_numeric() and b.is_numeric()) or pl.Null in (a, b)


def _kind(dtype: pl.DataType) -> str:
    if dtype.is_numeric():
        return "numbers"
    if dtype == pl.Boolean:
        return "truth values"
    return "dates" if dtype.is_temporal() else "text or categories"
