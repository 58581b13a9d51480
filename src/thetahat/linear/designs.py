"""From columns of a table to columns of a regression: numbers as they are, categories by their levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError

__all__ = ["DesignColumn", "TableDesign"]

# A category of more levels than this is no factor of a regression.
MOST_LEVELS = 200


@dataclass(frozen=True, slots=True)
class DesignColumn:
    """A column of the table.

    Parameters
    ----------
    name : str
        Its name.
    levels : tuple of str, optional
        Of a category, the reference first; None for numbers.
    order : tuple of str, optional
        Levels of an ordinal from the lowest, which enter as 0, 1, 2, …; None for other columns.
    """

    name: str
    levels: tuple[str, ...] | None = None
    order: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TableDesign:
    """The columns that a regression is on.

    Parameters
    ----------
    columns : tuple of DesignColumn
        In the order of the table.
    """

    columns: tuple[DesignColumn, ...]

    @classmethod
    def of(
        cls, frame: Any, names: Sequence[str], orders: Mapping[str, Sequence[str]] | None = None
    ) -> TableDesign:
        """Read kinds and levels off a table.

        Parameters
        ----------
        frame : pandas or polars frame
            The table.
        names : sequence of str
            The columns to use.
        orders : mapping of str to sequence of str, optional
            The levels of ordinals, from the lowest.

        Raises
        ------
        UsageError
            A column is neither numbers nor a category of a few levels.
        """
        table = nw.from_native(frame, eager_only=True)
        columns = []
        for name in names:
            if orders and name in orders:
                columns.append(DesignColumn(name, order=tuple(orders[name])))
                continue
            column = table[name]
            if column.dtype.is_numeric():
                columns.append(DesignColumn(name))
                continue
            if column.dtype not in (nw.String, nw.Categorical, nw.Boolean, nw.Enum):
                raise UsageError(
                    f"{name}: a regression takes numbers and categories, not {column.dtype}; drop it"
                )
            levels = sorted({str(value) for value in column.drop_nulls().to_list()})
            if not 2 <= len(levels) <= MOST_LEVELS:
                raise UsageError(f"{name}: has {len(levels)} levels, which no regression can use; drop it")
            columns.append(DesignColumn(name, tuple(levels)))
        return cls(tuple(columns))

    @property
    def names(self) -> list[str]:
        """Names of the columns of the matrix."""
        return [
            name
            for column in self.columns
            for name in (
                [column.name]
                if column.levels is None
                else [f"{column.name}[{level}]" for level in column.levels[1:]]
            )
        ]

    @property
    def references(self) -> dict[str, str]:
        """The level of each category that the others are compared with."""
        return {column.name: column.levels[0] for column in self.columns if column.levels is not None}

    def matrix(self, frame: Any, unseen: Counter[tuple[str, str]] | None = None) -> FloatArray:
        """Return the rows of a table as rows of the design, shape (n, d); NaN where a value is missing.

        Parameters
        ----------
        frame : pandas or polars frame
            The table.
        unseen : Counter, optional
            Counts the rows of each level of a column that was not in the fit; they are NaN then.

        Raises
        ------
        UsageError
            A column is not there, or, where they are not counted, holds a level that was not in the fit.
        """
        table = nw.from_native(frame, eager_only=True)
        absent = [column.name for column in self.columns if column.name not in table.columns]
        if absent:
            raise UsageError(f"data: lacks {', '.join(absent)}, which the model was fitted on")
        parts = [self._part(column, table[column.name], unseen) for column in self.columns]
        return np.column_stack(parts) if parts else np.empty((len(table), 0))

    @staticmethod
    def _part(column: DesignColumn, values: Any, unseen: Counter[tuple[str, str]] | None) -> FloatArray:
        if column.order is not None:
            codes = {level: float(k) for k, level in enumerate(column.order)}
            found = np.full(len(values), np.nan)
            for row, value in enumerate(values.to_list()):
                if value is None or value != value:
                    continue
                found[row] = codes.get(str(value), np.nan)
                if str(value) not in codes and unseen is None:
                    raise UsageError(f"{column.name}: {value!r} is none of {', '.join(column.order)}")
                if str(value) not in codes and unseen is not None:
                    unseen[column.name, str(value)] += 1
            return found[:, None]
        if column.levels is None:
            if not values.dtype.is_numeric():
                raise UsageError(f"{column.name}: numbers are expected, as in the fit, not {values.dtype}")
            numbers = values.cast(nw.Float64).to_list()
            return np.array([np.nan if v is None else v for v in numbers], dtype=np.float64)[:, None]
        place = {level: k for k, level in enumerate(column.levels)}
        out = np.zeros((len(values), len(column.levels)))
        for row, value in enumerate(values.to_list()):
            if value is None or value != value:
                out[row] = np.nan
                continue
            if str(value) not in place and unseen is not None:
                unseen[column.name, str(value)] += 1
                out[row] = np.nan
                continue
            if str(value) not in place:
                known = ", ".join(column.levels[:8])
                raise UsageError(f"{column.name}: {value!r} was not among the levels of the fit ({known})")
            out[row, place[str(value)]] = 1.0
        return out[:, 1:]
