"""Rows of one table by their indices, so that a draw copies no cell before a recipe asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from thetahat.contracts import IntArray

__all__ = ["TableRows"]


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """Rows of a table; ``X[rows]`` takes some of them again.

    Parameters
    ----------
    table : polars.DataFrame
        All rows that are used.
    rows : ndarray of int
        Which of them, in this order, repeats included.
    """

    table: pl.DataFrame
    rows: IntArray

    @classmethod
    def of(cls, table: pl.DataFrame) -> TableRows:
        """Return all rows of a table."""
        return cls(table, np.arange(table.height))

    def __getitem__(self, rows: IntArray) -> TableRows:
        return TableRows(self.table, self.rows[rows])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), self.table.width

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a frame."""
        return self.table[self.rows]
