"""Rows that stand more than once, and whether chance explains how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import Code, Problem, Severity
from thetahat.tables.phrases import counted, rows_named

__all__ = ["Repeats", "repeated_rows", "repeats_problem"]

# Numbers are equal if they differ by less than this part of the column's spread.
TOLERANCE = 1e-6
# Two grids whose lines never coincide: numbers that a line of one parts are together in the other. Both are
# shifted by parts of a cell that round decimals do not fall on.
GRIDS = (0.3819660113, 0.8819660113)
# The coincidences that chance makes are counted on at most this many rows, in so many blocks of columns.
MOST_ROWS = 20_000
MOST_BLOCKS = 8
# Copies are too many for chance beyond this multiple of the pairs that it makes likely. Honest tables of few
# values reach 1 to 10 (dependent columns, mixtures of kinds of rows), copies with a number 100 and more.
BEYOND_CHANCE = 12.0
# Below this share of the rows, copies change no estimate that matters.
MATERIAL = 0.01

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Rows that equal another row in every feature and the target.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Equal for rows that are copies of one another.
    rows : int
        Rows that have a copy.
    distinct : int
        Rows that are left if each is taken once.
    pairs : float
        Pairs of equal rows.
    expected : float
        Pairs that chance makes likely.
    example : tuple of int
        The first rows that are equal, counted from 0.
    """

    codes: IntArray
    rows: int
    distinct: int
    pairs: float
    expected: float
    example: tuple[int, ...]

    @property
    def by_chance(self) -> bool:
        """Whether chance explains them, or they are too few to matter."""
        few = len(self.codes) - self.distinct < MATERIAL * len(self.codes)
        return few or self.pairs <= BEYOND_CHANCE * self.expected + 2


def repeated_rows(frame: pl.DataFrame, names: Sequence[str]) -> Repeats | None:
    """Find the rows that are equal in these columns; None if there are none.

    Under independence of the columns, n (n − 1) / 2 · Π_j q_j pairs of rows are equal, where q_j is the
    share of pairs that are equal in column j. Columns of a table depend on one another, so near misses are
    counted too: with N_j pairs that differ in column j alone and N_jk in j and k alone, the odds that such
    pairs agree in j are Σ_k N_k / Σ_k N_jk, and N_j times these odds would be equal in all columns. Copies
    add to the pairs that are equal, and few to the near misses. The column that foresees fewest counts.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows.
    names : sequence of str
        The features and the target.
    """
    n = frame.height
    if n < 2 or not names:
        return None
    some = _some_rows(n)
    grids = [_hashed(frame, names, some, grid) for grid in GRIDS]
    codes = _joined([_codes(sum_of) for sum_of, _ in grids])
    sizes = np.bincount(codes)
    if len(sizes) == n:
        return None
    pairs = float((sizes * (sizes - 1.0) / 2).sum())
    first = int(np.flatnonzero(sizes[codes] > 1)[0])
    expected = _expected(grids[0][1], n)
    return Repeats(
        codes,
        int(sizes[sizes > 1].sum()),
        len(sizes),
        pairs,
        expected,
        tuple(np.flatnonzero(codes == codes[first]).tolist()),
    )


def repeats_problem(repeats: Repeats, rows: IntArray, cure: str) -> Problem:
    """Return the notice of rows that chance repeats, or the warning of copies.

    Parameters
    ----------
    repeats : Repeats
        What was found.
    rows : ndarray of int
        The row of the table that each of the rows is, counted from 0.
    cure : str
        What becomes of copies, and what to do about them.
    """
    n = len(repeats.codes)
    example = rows_named(rows[list(repeats.example)].tolist())
    cause = f"{counted(repeats.rows, 'row')} of {n} stand more than once"
    if repeats.by_chance:
        many = n - repeats.distinct >= MATERIAL * n
        why = ", as few different values make likely" if many else ""
        more = "Nothing need be done if they are observations of their own; remove them if they are copies"
        return Problem(
            Code.REPEATED_ROWS, f"{cause}{why} ({example} are equal)", "the table", more, Severity.NOTICE
        )
    likely = f"{repeats.expected:.0f}" if repeats.expected >= 1 else "fewer than 1"
    cause += (
        f", which chance does not explain: {example} are equal "
        f"({counted(int(repeats.pairs), 'pair')} of equal rows, and {likely} would be likely)"
    )
    return Problem(Code.REPEATED_ROWS, cause, "the table", cure, Severity.WARNING)


def _some_rows(n: int) -> IntArray:
    if n <= MOST_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, MOST_ROWS, replace=False))


def _hashed(
    frame: pl.DataFrame, names: Sequence[str], some: IntArray, grid: float
) -> tuple[Hashes, list[Hashes]]:
    """Return the sum of the hashes of each row's cells, and the hashes of some rows by column."""
    total = np.zeros(frame.height, dtype=np.uint64)
    parts = []
    for place, name in enumerate(names):
        hashes = _cells(frame.get_column(name), some, grid).hash(seed=place).to_numpy()
        # Sums wrap: a hash of a row is then a sum from which that of a column can be taken away.
        total += hashes
        parts.append(hashes[some])
    return total, parts


def _cells(column: pl.Series, some: IntArray, grid: float) -> pl.Series:
    """Return the column in which numbers that differ by rounding are equal."""
    if column.dtype in (pl.Float64, pl.Int64):
        sample = column.cast(pl.Float64)
        known = sample[some].drop_nulls()
        known = known.filter(known.is_finite())
        if len(known):
            numbers = known.to_numpy()
            low, middle, high = np.quantile(numbers, [0.05, 0.5, 0.95])
            spread = high - low if high > low else float(np.ptp(numbers))
            if np.isfinite(spread) and spread > 0:
                cells: pl.Series = ((sample - middle) / (TOLERANCE * spread) + grid).floor() + 0.0
                return cells
        return sample
    if column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype in (pl.String, pl.Boolean):
        return column
    return pl.Series(column.name, [repr(cell) for cell in column.to_list()])


def _codes(hashes: Hashes) -> IntArray:
    codes: IntArray = np.unique(hashes, return_inverse=True)[1]
    return codes


def _joined(grids: Sequence[IntArray]) -> IntArray:
    """Return codes that are equal where those of either grid are."""
    first, second = grids
    n = len(first)
    if np.array_equal(first, second):
        return first
    head = np.zeros(int(second.max()) + 1, dtype=np.int64)
    head[second[::-1]] = first[::-1]
    links = head[second]
    apart = links != first
    count = int(first.max()) + 1
    graph = coo_array((np.ones(int(apart.sum())), (first[apart], links[apart])), shape=(count, count))
    joined: Any = connected_components(graph, directed=False)[1]
    codes: IntArray = joined[first].astype(np.int64)
    assert len(codes) == n
    return codes


def _expected(parts: Sequence[Hashes], n: int) -> float:
    """Return how many pairs of n rows chance makes equal, from the cells of some of them."""
    of_columns = [_equal_pairs(part) for part in parts]
    m = len(parts[0])
    every = m * (m - 1) / 2
    scale = (n * (n - 1) / 2) / every
    independent = every * float(np.prod(np.array(of_columns) / every))
    # The columns that tell most rows apart stand alone, the others are taken together.
    order = np.argsort(of_columns, kind="stable")
    blocks = [parts[k] for k in order[: MOST_BLOCKS - 1]]
    if len(order) >= MOST_BLOCKS:
        blocks.append(_sum([parts[k] for k in order[MOST_BLOCKS - 1 :]]))
    return scale * max(independent, _near_misses(blocks))


def _near_misses(blocks: Sequence[Hashes]) -> float:
    """Return the pairs that the rate at which near misses agree in one more block makes likely."""
    count = len(blocks)
    if count < 3:
        return 0.0
    total = _sum(blocks)
    equal = _equal_pairs(total)
    if equal == 0:
        return 0.0
    one = np.array([_equal_pairs(total - block) - equal for block in blocks])
    two = np.zeros((count, count))
    for a, b in combinations(range(count), 2):
        two[a, b] = two[b, a] = _equal_pairs(total - blocks[a] - blocks[b]) - one[a] - one[b] - equal
    # Of the pairs that differ in another block alone, or there and here, how many agree here?
    others = one.sum() - one + 1.0
    commoner = np.array([_odds_ratio(block, total) for block in blocks])
    return float(np.min(one * others / np.maximum(two.sum(axis=1), 1.0) * commoner))


def _odds_ratio(block: Hashes, total: Hashes) -> float:
    """Return by how much equal rows hold commoner values than other rows do, as a ratio of odds, at least 1.

    A value is as common as the rows outside of the own copies that hold it.
    """
    _, row, copies = np.unique(total, return_inverse=True, return_counts=True)
    _, cell, count = np.unique(block, return_inverse=True, return_counts=True)
    own = copies[row].astype(float)
    share = (count[cell] - own) / np.maximum(len(total) - own, 1.0)
    here, everywhere = float(np.average(share, weights=own - 1)), float(np.mean(share))
    if not 0 < everywhere < here < 1:
        return 1.0
    return here / (1 - here) / (everywhere / (1 - everywhere))


def _sum(hashes: Sequence[Hashes]) -> Hashes:
    total: Hashes = np.add.reduce(hashes, axis=0)
    return total


def _equal_pairs(hashes: Hashes) -> float:
    sizes: FloatArray = np.unique(hashes, return_counts=True)[1].astype(float)
    return float((sizes * (sizes - 1) / 2).sum())
