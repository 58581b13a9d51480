"""Columns that name the rows: another value in every row, from which nothing can be learned."""

from __future__ import annotations

import numpy as np
import polars as pl

from thetahat.contracts import IntArray
from thetahat.tables.phrases import as_kind, shown

__all__ = ["RowNames", "identifier_note", "names_rows"]

# Below so many rows every column may well differ in all of them by chance.
IDENTIFIER_ROWS = 10
# Values of a stream that are kept to be compared: 80 MB of hashes.
MOST_KEPT = 10_000_000


def names_rows(column: pl.Series) -> bool:
    """Tell whether a column names the rows: text, or whole numbers without a gap, that differ in every row.

    Parameters
    ----------
    column : polars.Series
        In normal form, on the rows that are used.
    """
    rows = len(column) - column.null_count()
    if rows < IDENTIFIER_ROWS or not (
        _is_text(column) or (column.dtype.is_integer() and rows == len(column))
    ):
        return False
    return column.drop_nulls().n_unique() == rows


def identifier_note(name: str, text: bool) -> str:
    """Say that a column was left out, and how to keep it."""
    what, kind = ("text", "category") if text else ("whole number", "number")
    return (
        f"Column {shown(name)} was left out: another {what} in every row, so it names the rows; "
        f"{as_kind(name, kind)} keeps it"
    )


class RowNames:
    """Whether a column of a stream names the rows, learned batch by batch."""

    def __init__(self) -> None:
        self.possible = True
        self.text = False
        self._rows = self._held = self._checked = 0
        self._hashes: list[IntArray] = []
        self._last: int | None = None
        self._sign, self._ordered = 0, True

    def see(self, values: pl.Series) -> None:
        """Look at a batch of the rows that have a target."""
        if not self.possible or not len(values):
            return
        self.text = self.text or _is_text(values)
        present = values.drop_nulls()
        if not len(present) and self.text:
            return
        whole = values.dtype.is_integer() and len(present) == len(values)
        if not (whole or _is_text(values)) or present.n_unique() < len(present):
            self._stop()
            return
        self._rows += len(present)
        self._follow(present)
        if self._held < MOST_KEPT:
            hashes = present.hash(seed=0).to_numpy().view(np.int64)
            self._hashes.append(hashes)
            self._held += len(hashes)
            # Checked when twice as many are held: a sort of all of them for each batch would cost n².
            if self._held >= 2 * self._checked:
                self._check()
        elif not self._ordered:
            self._stop()

    def found(self) -> bool:
        """Whether all rows that were seen differ."""
        if self.possible and not self._ordered:
            self._check()
        return self.possible and self._rows >= IDENTIFIER_ROWS

    def _follow(self, values: pl.Series) -> None:
        """Note whether whole numbers only rise, or only fall: then they differ, however many there are."""
        if self.text:
            self._ordered = False
            return
        numbers = values.cast(pl.Int64, strict=False).to_numpy()
        if self._last is not None:
            numbers = np.concatenate([[self._last], numbers])
        steps = np.sign(np.diff(numbers))
        if len(steps):
            self._sign = self._sign or int(steps[0])
            self._ordered = self._ordered and bool((steps == self._sign).all())
        self._last = numbers[-1]

    def _check(self) -> None:
        held = np.concatenate(self._hashes) if self._hashes else np.empty(0, dtype=np.int64)
        self._checked = len(held)
        if len(np.unique(held)) < len(held):
            self._stop()

    def _stop(self) -> None:
        self.possible = False
        self._hashes.clear()


def _is_text(column: pl.Series) -> bool:
    return isinstance(column.dtype, pl.String | pl.Categorical | pl.Enum)
