"""How the columns of a table become those of a design, when levels, means and scales are known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import polars as pl

from thetahat.contracts import FloatArray
from thetahat.errors import Code, DataError, Problem, UsageError
from thetahat.tables.frames import normal
from thetahat.tables.phrases import listed

__all__ = ["Encoder", "StreamColumn", "numbers_of", "refuse", "text_of", "weights_of"]


@dataclass(frozen=True, slots=True)
class StreamColumn:
    """A column of the table and what the first pass learnt of it.

    Parameters
    ----------
    name : str
        Its name.
    levels : tuple of str, optional
        Of a category, sorted, the reference first; None for numbers.
    mean, scale : float
        Of numbers: mean and standard deviation over the rows that have one (scale 1 for a constant).
    """

    name: str
    levels: tuple[str, ...] | None = None
    mean: float = 0.0
    scale: float = 1.0

    @property
    def width(self) -> int:
        """How many columns of the design it makes."""
        return 1 if self.levels is None else len(self.levels) - 1


@dataclass(frozen=True, slots=True)
class Encoder:
    """How the columns of a table become those of a design.

    Parameters
    ----------
    columns : tuple of StreamColumn
        In the order of the table.
    """

    columns: tuple[StreamColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the design."""
        return tuple(
            name
            for c in self.columns
            for name in ([c.name] if c.levels is None else [f"{c.name}[{v}]" for v in c.levels[1:]])
        )

    @property
    def centre(self) -> FloatArray:
        """Mean of each column of the design; nought for the columns of a category."""
        return np.array([c.mean if c.levels is None else 0.0 for c in self.columns for _ in range(c.width)])

    @property
    def scale(self) -> FloatArray:
        """Standard deviation of each column of the design; one for the columns of a category."""
        return np.array([c.scale if c.levels is None else 1.0 for c in self.columns for _ in range(c.width)])

    def expand(self, raw: FloatArray) -> FloatArray:
        """Return the design, shape (n, d), of rows of numbers and places of levels, shape (n, columns)."""
        if all(c.levels is None for c in self.columns):
            return raw
        parts = []
        for column, values in zip(self.columns, raw.T, strict=True):
            if column.levels is None:
                parts.append(values[:, None])
            else:
                part = (values[:, None] == np.arange(1, len(column.levels))).astype(np.float64)
                part[np.isnan(values)] = np.nan
                parts.append(part)
        return np.concatenate(parts, axis=1)

    def encode(self, frame: pl.DataFrame, unseen: Counter[tuple[str, str]] | None = None) -> FloatArray:
        """Return the design of a frame; NaN where a value is missing.

        Parameters
        ----------
        frame : polars.DataFrame
            The table.
        unseen : Counter, optional
            Counts the rows of each level of a column that the fit has not seen; they are NaN then.

        Raises
        ------
        UsageError
            A column is not there, is of another kind, or, where they are not counted, holds a level that the
            fit has not seen.
        """
        absent = [c.name for c in self.columns if c.name not in frame.columns]
        if absent:
            raise UsageError(f"data: lacks {listed(absent)}, which the model was fitted on")
        raw = np.empty((frame.height, len(self.columns)))
        for j, column in enumerate(self.columns):
            values = frame.get_column(column.name)
            if column.levels is None:
                raw[:, j] = numbers_of(values, column.name)
                continue
            text = text_of(values)
            places = text.replace_strict(
                list(column.levels), list(range(len(column.levels))), default=None, return_dtype=pl.Float64
            )
            strange = text.filter(places.is_null() & text.is_not_null())
            if unseen is not None:
                unseen.update((column.name, str(value)) for value in strange.to_list())
            elif len(strange):
                known = ", ".join(column.levels[:8])
                raise UsageError(
                    f"{column.name}: {strange[0]!r} was not among the levels of the fit ({known})"
                )
            raw[:, j] = places.fill_null(np.nan).to_numpy()
        return self.expand(raw)


def text_of(values: pl.Series) -> pl.Series:
    """Return a column as text; as in tables read whole, blank text is missing."""
    return normal(values.cast(pl.String)).cast(pl.String)


def numbers_of(values: pl.Series, name: str) -> FloatArray:
    """Return a column as finite float64, NaN where it is missing; or refuse it by name."""
    if values.null_count() == len(values):
        found = np.full(len(values), np.nan)
    elif values.dtype.is_numeric() or values.dtype == pl.Boolean:
        found = np.asarray(values.cast(pl.Float64).fill_null(np.nan).to_numpy())
    else:
        refuse(
            Code.STRAY_TEXT,
            f"column {name!r}",
            f"numbers are expected here, not {values.dtype}",
            "Write numbers, or drop the column",
        )
    if np.isinf(found).any():
        refuse(
            Code.NOT_FINITE, f"column {name!r}", "it holds an infinite number", "Leave it empty, or mend it"
        )
    return found


def weights_of(values: pl.Series, name: str) -> FloatArray:
    """Return a column as weights, 0 or more; or refuse it by name."""
    found = numbers_of(values, name)
    if (found < 0).any():
        refuse(Code.NOT_FINITE, f"column {name!r}", "it holds a negative weight", "Weights are 0 or more")
    return found


def refuse(code: Code, place: str, cause: str, cure: str) -> NoReturn:
    """Raise the error that a table cannot be used."""
    raise DataError([Problem(code, cause, place, cure)])
