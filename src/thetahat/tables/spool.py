"""A table written once to disk as numbers, and read again in any order with little memory.

The first pass over a source writes each row as numbers (a category as the place of its level), and notes
what a fit needs to know before it begins: levels, classes, means and scales. Later passes read small blocks
of rows from all over the file into a buffer and shuffle it, so that rows sorted by their target come mixed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Literal

import numpy as np
import polars as pl
from numpy.random import Generator

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import Code, UsageError
from thetahat.tables.encoding import Encoder, refuse, weights_of
from thetahat.tables.first_pass import ColumnPass, TargetPass
from thetahat.tables.identifiers import identifier_note
from thetahat.tables.phrases import counted
from thetahat.tables.streaming import BatchSource

__all__ = ["BLOCK", "Spool", "spool"]

# Rows that stay together when the order is shuffled, and the fewest such blocks that make a fair mixture.
BLOCK, FEWEST_BLOCKS = 64, 32

NO_KINDS: Mapping[str, str] = {}


class Spool:
    """Rows on disk as float64: the columns of the table, then y and the weight.

    Parameters
    ----------
    file : binary file
        Holds the rows; deleted when closed.
    rows : int
        How many.
    encoder : Encoder
        What the columns are.
    recode : list of ndarray or None
        For each column of the file that is a category, from the place in order of appearance to the place of
        its level.
    classes : tuple of str or float, or None
        Of the target, sorted; None where it is a number.
    left_out : int
        Rows with a missing value, not used.
    used : sequence of int
        Which columns of the file the encoder has.
    notes : tuple of str
        What was left out beside rows.
    y_mean, y_deviation : float
        Weighted mean and standard deviation of a target that is a number.
    shares : ndarray of shape (K,)
        Weighted share of each class.
    """

    def __init__(
        self,
        file: IO[bytes],
        rows: int,
        encoder: Encoder,
        recode: list[FloatArray | None],
        target: TargetPass,
        left_out: int,
        used: Sequence[int],
        notes: tuple[str, ...] = (),
    ) -> None:
        self._file, self.rows, self.encoder, self._recode = file, rows, encoder, recode
        self._used, self._width, self.notes = list(used), len(recode) + 2, notes
        self.left_out = left_out
        self.classes = target.classes
        self._y_recode = target.recode
        self.y_mean, self.y_deviation, self.shares = target.mean, target.deviation, target.shares
        self.target_low, self.target_whole = target.low, target.whole

    def blocks(self, size: int) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield (X, y, weight) of the rows in the order of the source, at most ``size`` at a time."""
        for start in range(0, self.rows, size):
            yield self._decoded(self._read(start, min(size, self.rows - start)))

    @property
    def starts(self) -> IntArray:
        """The first row of each block of rows that stay together when the order is shuffled."""
        return np.arange(0, self.rows, BLOCK)

    def sizes(self, starts: IntArray) -> IntArray:
        """Return how many rows each of these blocks has."""
        return np.minimum(BLOCK, self.rows - starts)

    def of_blocks(self, starts: IntArray, size: int) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield (X, y, weight) of the rows of these blocks, in their order, about ``size`` at a time."""
        at_once = max(1, size // BLOCK)
        for first in range(0, len(starts), at_once):
            yield self._decoded(self._blocks_at(starts[first : first + at_once]))

    def shuffled(
        self, size: int, buffer: int, rng: Generator, starts: IntArray | None = None
    ) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield (X, y, weight) of all rows once, mixed: blocks from all over the file, then rows.

        Parameters
        ----------
        size : int
            Rows at a time; the last of a buffer may be fewer.
        buffer : int
            Rows held in memory.
        rng : Generator
            Decides the order.
        starts : ndarray of int, optional
            The blocks whose rows are meant; all if not given.
        """
        order = self.starts if starts is None else starts.copy()
        rng.shuffle(order)
        at_once = max(1, buffer // BLOCK)
        for first in range(0, len(order), at_once):
            held = self._blocks_at(order[first : first + at_once])
            rng.shuffle(held, axis=0)
            for start in range(0, len(held), size):
                yield self._decoded(held[start : start + size])

    def mixes(self, buffer: int) -> bool:
        """Whether a buffer of so many rows mixes rows from enough places, or holds them all."""
        return buffer >= min(self.rows, FEWEST_BLOCKS * BLOCK)

    def _blocks_at(self, starts: IntArray) -> FloatArray:
        return np.concatenate(
            [self._read(int(at), int(n)) for at, n in zip(starts, self.sizes(starts), strict=True)]
        )

    def close(self) -> None:
        """Free the disk."""
        self._file.close()

    def _read(self, start: int, count: int) -> FloatArray:
        step = 8 * self._width
        content = os.pread(self._file.fileno(), count * step, start * step)
        return np.frombuffer(content, dtype=np.float64).reshape(count, self._width)

    def _decoded(self, raw: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows = raw[:, [*self._used, -2, -1]]
        for j, recode in enumerate(self._recode[k] for k in self._used):
            if recode is not None:
                rows[:, j] = recode[rows[:, j].astype(np.int64)]
            else:
                # The recipe "mean": a missing number is the mean of the others.
                missing = np.isnan(rows[:, j])
                if missing.any():
                    rows[missing, j] = self.encoder.columns[j].mean
        y = rows[:, -2]
        if self._y_recode is not None:
            y = self._y_recode[y.astype(np.int64)]
        return self.encoder.expand(rows[:, :-2]), y, rows[:, -1]


def spool(
    source: BatchSource,
    target: str,
    *,
    classify: bool,
    weight: str | None = None,
    drop: Collection[str] = (),
    classes: Collection[str] | None = None,
    missing: Literal["drop", "mean", "error"] = "drop",
    row_names: bool = False,
    kinds: Mapping[str, str] = NO_KINDS,
    batch: int = 16_384,
    folder: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int | None], None] = lambda done, of: None,
) -> Spool:
    """Read a source once and write its rows to a temporary file.

    Parameters
    ----------
    source : BatchSource
        The table.
    target : str
        The column to explain.
    classify : bool
        Whether it holds classes rather than numbers.
    weight : str, optional
        The column of the rows' weights.
    drop : collection of str
        Columns to leave out.
    classes : collection of str, optional
        The classes; those that the pass finds if not given.
    missing : {"drop", "mean", "error"}
        Rows with a missing value are left out, or missing numbers become the mean of the others (a row
        without its target, weight or category is left out), or they are refused.
    row_names : bool
        Whether columns that only name the rows are looked for and left out.
    kinds : mapping of str to str
        "number" or "category" of columns that are used whatever they hold.
    batch : int
        Rows at a time.
    folder : path, optional
        Where the temporary file lies.
    progress : callable
        Told the rows done and, where known, their number.

    Raises
    ------
    DataError
        A column is not there, holds what no regression takes, or nothing is left.
    """
    wrong = [name for name in (target, weight, *drop) if name is not None and name not in source.columns]
    if wrong:
        known = ", ".join(map(repr, source.columns[:12]))
        refuse(Code.NO_TARGET, f"column {wrong[0]!r}", "there is no such column", f"Choose from {known}")
    names = [name for name in source.columns if name not in (target, weight, *drop)]
    if not names:
        refuse(Code.NO_TABLE, source.name, "no column is left to explain the target by", "Drop fewer columns")
    columns = [ColumnPass(name, row_names, kinds.get(name)) for name in names]
    goal = TargetPass(target, classify, classes)
    rows = left_out = seen = 0
    file: IO[bytes] | None = None
    try:
        file = tempfile.TemporaryFile(dir=folder, prefix="thetahat-rows-")
        for frame in source.batches(batch):
            raw = np.empty((frame.height, len(columns) + 2))
            raw[:, -2] = goal.numbers(frame.get_column(target))
            with_target = pl.Series(~np.isnan(raw[:, -2]))
            for j, column in enumerate(columns):
                raw[:, j] = column.numbers(frame.get_column(column.name), with_target)
            raw[:, -1] = 1.0 if weight is None else weights_of(frame.get_column(weight), weight)
            needed = np.isnan(raw)
            if missing == "mean":
                needed &= [column.levels is not None for column in columns] + [True, True]
            bad = needed.any(axis=1)
            if missing == "error" and bad.any():
                row = int(np.argmax(bad))
                where = [*names, target, weight or "weight"][int(np.argmax(needed[row]))]
                refuse(
                    Code.NOT_FINITE,
                    f"column {where!r}, row {seen + row}",
                    "the value is missing",
                    "Use missing drop (leave such rows out) or mean, or drop the column",
                )
            kept = raw[~bad]
            for column, values in zip(columns, kept.T, strict=False):
                column.note(values)
            goal.note(kept[:, -2], kept[:, -1])
            file.write(kept.tobytes())
            seen += frame.height
            rows += len(kept)
            left_out += int(bad.sum())
            progress(seen, source.n_rows)
        file.flush()
        if rows < 2:
            refuse(
                Code.TOO_FEW_ROWS,
                source.name,
                f"{counted(rows, 'complete row')} of {seen}",
                "Drop the columns that are mostly missing",
            )
        encoder, recode, used, notes = _learnt(columns, source.name)
        goal.settle()
    except OSError as error:
        _discard(file)
        raise UsageError(
            f"folder: the rows cannot be written to {tempfile.gettempdir() if folder is None else folder}: "
            f"{error.strerror}; name a folder with room"
        ) from None
    except BaseException:
        _discard(file)
        raise
    return Spool(file, rows, encoder, recode, goal, left_out, used, notes)


def _learnt(
    columns: Sequence[ColumnPass], place: str
) -> tuple[Encoder, list[FloatArray | None], list[int], tuple[str, ...]]:
    """Return what the pass learnt of the columns that do not only name the rows, and of which those are."""
    used = [j for j, column in enumerate(columns) if not column.names_rows()]
    notes = tuple(identifier_note(c.name, c.row_names.text) for c in columns if c.names_rows())
    if not used:
        refuse(Code.NO_TABLE, place, "no column is left to explain the target by", " ".join(notes))
    learnt = [columns[j].learnt() for j in used]
    recode: list[FloatArray | None] = [None] * len(columns)
    for j, (_, places) in zip(used, learnt, strict=True):
        recode[j] = places
    return Encoder(tuple(one for one, _ in learnt)), recode, used, notes


def _discard(file: IO[bytes] | None) -> None:
    if file is not None:
        # What is still to be written fails again on a full disk.
        with suppress(OSError):
            file.close()
