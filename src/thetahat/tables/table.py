"""A table as the package sees it: a polars frame in one normal form, and where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import narwhals as nw
import polars as pl

from thetahat.errors import Problem

__all__ = ["Table", "frame_like"]


@dataclass(frozen=True)
class Table:
    """A table read once.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows in normal form: whole numbers are ``Int64``, other numbers ``Float64``, text and
        categories ``String``, days ``Date``, moments ``Datetime`` in microseconds (UTC where the
        source has a time zone), a column without any value ``Null``. Missing is null, never NaN and
        never blank text. Decimals that are whole beside missing cells are whole numbers, since some
        libraries have no other way to keep them. Columns of any other kind stand as they were.
    name : str
        What the reader calls it: the file's name, or "data frame".
    backend : str
        The library of the caller's frames: "polars", "pandas", "pyarrow", "modin"…
    notes : tuple of Problem
        Notices from reading.
    kinds : mapping of str to object
        The kind of each column that was asked for.
    """

    frame: pl.DataFrame
    name: str
    backend: str = "polars"
    notes: tuple[Problem, ...] = ()
    kinds: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        """Hash of names, types and values, the same whatever file or library they came from."""
        digest = hashlib.sha256(f"thetahat table 1, {self.frame.height} rows".encode())
        for column in self.frame.iter_columns():
            for part in _parts(column):
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)
        return digest.hexdigest()

    def native(self, frame: pl.DataFrame) -> Any:
        """Return a frame in the caller's own library.

        Parameters
        ----------
        frame : polars.DataFrame
            Rows of this table, or any other frame.
        """
        if self.backend == "polars":
            return frame
        if self.backend == "pyarrow":
            return frame.to_arrow()
        columns = {column.name: _plain(column) for column in frame.iter_columns()}
        return frame_like(self, columns)


def frame_like(like: Table | str, columns: Mapping[str, Any]) -> Any:
    """Return a frame of these columns in the library of a table.

    Parameters
    ----------
    like : Table or str
        A table, or the name of its library.
    columns : mapping of str to sequence or ndarray
        Values by column name, all of one length.
    """
    backend: Any = like.backend if isinstance(like, Table) else like
    return nw.from_dict(dict(columns), backend=backend).to_native()


def _parts(column: pl.Series) -> Iterator[bytes]:
    """Yield the bytes of a column: its name, its type, where it is null, what it holds."""
    dtype = column.dtype
    yield column.name.encode()
    yield str(dtype).encode()
    if dtype not in (pl.Int64, pl.Float64, pl.Boolean, pl.String, pl.Date, pl.Datetime("us")):
        yield repr(column.to_list()).encode(errors="backslashreplace")
        return
    yield column.is_null().to_numpy().tobytes()
    if dtype == pl.String:
        filled = column.fill_null("")
        yield filled.str.len_bytes().cast(pl.Int64).to_numpy().astype("<i8").tobytes()
        yield "".join(filled.to_list()).encode()
    elif dtype == pl.Float64:
        # -0.0 and 0.0 are one value to every learner, and formats differ in keeping the sign.
        yield (column.fill_null(0.0).to_numpy() + 0.0).astype("<f8").tobytes()
    else:
        yield column.cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()


def _plain(column: pl.Series) -> Any:
    """Return a column in a form that any library takes without Arrow's help."""
    numeric = column.dtype in (pl.Int64, pl.Float64)
    if numeric or isinstance(column.dtype, pl.Datetime):
        return column.to_numpy()
    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("us")).to_numpy()
    if column.dtype == pl.Boolean and not column.null_count():
        return column.to_numpy()
    return column.to_list()
