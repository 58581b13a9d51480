"""Frames of any library turned into the one normal form."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from thetahat.errors import DataError
from thetahat.tables.files import no_table
from thetahat.tables.text import duplicates

__all__ = ["from_frame", "normal"]

PLACE = "the data frame"


def from_frame(source: Any) -> tuple[pl.DataFrame, str]:
    """Return any eager frame as a polars frame not yet in normal form, and its library's name.

    Raises
    ------
    DataError
        TH105: two columns have one name. TH108: it is not a frame.
    """
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    _refuse_duplicates(source)
    try:
        frame = nw.from_native(source, eager_only=True)
    except TypeError:
        no_table(
            f"an object of type {type(source).__name__}",
            "this is neither a path nor a data frame held in memory",
            "Give a path, or a pandas, polars or Arrow table (collect or compute it first if it is lazy)",
        )
    backend = str(frame.implementation.value)
    if backend == "polars":
        return frame.to_native(), backend
    if backend == "pyarrow":
        return pl.DataFrame(pl.from_arrow(frame.to_native())), backend
    try:
        columns = [_column(frame, name) for name in frame.columns]
    except (ValueError, pl.exceptions.PolarsError) as error:
        no_table(
            "a data frame",
            f"a column of it cannot be read: {error}",
            "Convert that column to numbers or text",
        )
    return pl.DataFrame(
        {str(name): column for name, column in zip(frame.columns, columns, strict=True)}
    ), backend


def normal(column: pl.Series, na_values: Collection[str] = ()) -> pl.Series:
    """Return a column in normal form: see :class:`~thetahat.tables.Table`.

    Parameters
    ----------
    column : polars.Series
        Any column.
    na_values : collection of str
        Text that means "missing", beside blank cells.
    """
    dtype = column.dtype
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        column = column.cast(pl.String)
    elif isinstance(dtype, pl.Decimal):
        column = column.cast(pl.Float64)
    elif dtype.is_integer():
        column = _whole(column)
    elif isinstance(dtype, pl.Datetime):
        column = _moment(column)
    if column.dtype.is_float():
        column = _decimal(column.cast(pl.Float64).fill_nan(None))
    elif column.dtype == pl.String:
        words = column.str.strip_chars()
        column = column.set((words == "") | words.is_in(list(na_values)), None)
    return column.cast(pl.Null) if column.null_count() == len(column) else column


def _refuse_duplicates(source: Any) -> None:
    """Look at the names before any library renames or refuses them in words of its own."""
    names = getattr(source, "column_names", None)
    names = getattr(source, "columns", None) if names is None else names
    if names is None or callable(names):
        return
    try:
        header = [str(name) for name in names]
    except TypeError:
        return
    twice = duplicates(header, PLACE)
    if twice is not None:
        raise DataError([twice])


def _column(frame: nw.DataFrame[Any], name: str) -> pl.Series:
    """Return a column without Arrow's help, which a pandas user need not have."""
    column = frame.get_column(name)
    if column.dtype.is_numeric() and not column.dtype.is_decimal() and not column.null_count():
        return pl.Series(column.to_numpy())
    if isinstance(column.dtype, nw.Datetime) and column.dtype.time_zone is None:
        return pl.Series(column.to_numpy())
    values = [None if _is_missing(value) else value for value in column.to_list()]
    if isinstance(column.dtype, nw.Categorical | nw.Enum):
        return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    return _inferred(values)


def _inferred(values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool, np.bool_}:
        return pl.Series([None if value is None else bool(value) for value in values], dtype=pl.Boolean)
    if any(issubclass(kind, str) for kind in kinds):
        return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    try:
        return pl.Series(values, strict=False)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(values, dtype=pl.Object)


def _is_missing(value: Any) -> bool:
    # NaN, NaT and pandas.NA are the values that do not equal themselves; NA does not even answer.
    if value is None:
        return True
    if isinstance(value, str | bytes | list | dict | tuple | set | np.ndarray):
        return False
    try:
        return not bool(value == value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _whole(column: pl.Series) -> pl.Series:
    whole = column.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == column.null_count() else column.cast(pl.Float64)


def _decimal(column: pl.Series) -> pl.Series:
    """Return numbers, whole ones where a library without missing whole numbers had made them decimals."""
    if not column.null_count() or not (column.drop_nulls() == column.drop_nulls().floor()).all():
        return column
    whole = column.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == column.null_count() else column


def _moment(column: pl.Series) -> pl.Series:
    """Return moments in UTC microseconds, or days where every one of them is a midnight."""
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
    column = column.cast(pl.Datetime("us"))
    days = column.cast(pl.Date)
    return days if (days.cast(pl.Datetime("us")) == column).all() else column
