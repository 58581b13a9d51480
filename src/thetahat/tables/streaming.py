"""Sources that hand out a table batch by batch, so that it need not fit in memory."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from thetahat.errors import Code, DataError, Problem, UsageError
from thetahat.tables.files import ARROW, PARQUET, as_path, no_table
from thetahat.tables.frames import from_frame
from thetahat.tables.inference import NA_VALUES, WEAK_TOKENS, typed
from thetahat.tables.libsvm import LibsvmFiles, is_libsvm
from thetahat.tables.phrases import listed, shown

__all__ = ["BatchSource", "open_source"]

# Text files tell their types by the first so many rows.
TYPED_FROM = 10_000


class BatchSource(Protocol):
    """A table that is read in batches of rows."""

    @property
    def name(self) -> str:
        """What the reader calls it."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names, in order."""
        ...

    @property
    def n_rows(self) -> int | None:
        """How many rows there are, where that is known before reading them."""
        ...

    @property
    def nbytes(self) -> int | None:
        """Bytes of the files, where there are any."""
        ...

    def batches(self, size: int, /) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``size`` at a time."""
        ...


@dataclass(frozen=True, slots=True)
class _Lazy:
    """Batches of a polars lazy frame, run by its streaming engine."""

    frame: pl.LazyFrame
    name: str
    columns: tuple[str, ...]
    n_rows: int | None = None
    nbytes: int | None = None

    def batches(self, size: int, /) -> Iterator[pl.DataFrame]:
        try:
            pieces = self.frame.collect_batches(chunk_size=size, maintain_order=True)
            yield from _cut(iter(pieces), size)
        except (pl.exceptions.PolarsError, OSError) as error:
            said = (str(error).strip().splitlines() or ["no reason given"])[0]
            no_table(
                self.name,
                f"a batch cannot be read ({said[:160]})",
                f"Mend the file; text columns are typed by their first {TYPED_FROM} rows",
            )


@dataclass(slots=True)
class _Pieces:
    """Batches of an iterable of frames or of (X, y) or (X, y, weight) arrays."""

    pieces: Iterator[pl.DataFrame]
    name: str
    columns: tuple[str, ...]
    n_rows: int | None = None
    nbytes: int | None = None
    read: bool = False

    def batches(self, size: int, /) -> Iterator[pl.DataFrame]:
        if self.read:
            raise UsageError("data: an iterator can be read once only; give a file, or a new iterator")
        self.read = True
        yield from _cut(self.pieces, size)


def open_source(data: Any) -> BatchSource:
    """Return a source of batches for whatever holds a table.

    Parameters
    ----------
    data : path, glob, lazy frame, dataset, frame, or iterable of batches
        A path or glob of Parquet, Arrow (IPC), CSV or TSV (also compressed), or LIBSVM files of the same
        columns; a polars lazy frame; a pyarrow dataset; a frame in memory; or an iterable of frames or of
        ``(X, y)`` or ``(X, y, weight)`` arrays, whose columns are then ``x0`` …, ``y`` and ``weight``.

    Returns
    -------
    BatchSource
        Rewindable where the data are.

    Raises
    ------
    DataError
        TH108: there is no table.
    """
    if isinstance(data, str | os.PathLike):
        return _of_files(_files(data))
    if isinstance(data, pl.LazyFrame):
        return _Lazy(data, "lazy frame", tuple(data.collect_schema().names()))
    if hasattr(data, "scanner") and hasattr(data, "count_rows"):
        lazy = pl.scan_pyarrow_dataset(data)
        return _Lazy(lazy, "dataset", tuple(lazy.collect_schema().names()), int(data.count_rows()))
    if hasattr(data, "batches") and hasattr(data, "columns"):
        source: BatchSource = data
        return source
    if isinstance(data, Iterable) and not hasattr(data, "columns") and not isinstance(data, np.ndarray):
        return _of_iterable(iter(data))
    frame, _ = from_frame(data)
    return _Lazy(frame.lazy(), "data frame", tuple(frame.columns), frame.height)


def _files(data: str | os.PathLike[str]) -> list[Path]:
    path = as_path(data)
    if path.is_file():
        return [path]
    if path.is_dir():
        no_table(shown(path), "this is a folder, not a file", "Name its files by a glob, as folder/*.parquet")
    found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True)) if Path(name).is_file()]
    if not found:
        no_table(shown(path), "there is no such file", "Check the path, from the folder you are in")
    return found


def _of_files(paths: list[Path]) -> BatchSource:
    name = paths[0].name if len(paths) == 1 else f"{len(paths)} files from {paths[0].name}"
    nbytes = sum(path.stat().st_size for path in paths)
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        no_table(
            name, f"the files are of several kinds: {', '.join(sorted(kinds))}", "Read one kind at a time"
        )
    kind = kinds.pop()
    if kind == "LIBSVM":
        return LibsvmFiles.of(paths, name, nbytes)
    try:
        if kind == "Parquet":
            lazy = pl.scan_parquet(paths)
        elif kind == "Arrow":
            lazy = pl.scan_ipc(paths)
        else:
            tabbed = {".tsv", ".tab"} & {suffix.lower() for suffix in paths[0].suffixes}
            lazy = _of_text(paths, "\t" if tabbed else ",", name)
        columns = tuple(lazy.collect_schema().names())
        if kind == "text":
            _refuse_duplicates(columns, name)
        counted = None if kind == "text" else int(lazy.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        said = (str(error).strip().splitlines() or ["no reason given"])[0]
        no_table(name, f"the {kind} cannot be read ({said[:160]})", "Write or download the file again")
    return _Lazy(lazy, name, columns, counted, nbytes)


def _of_text(paths: list[Path], mark: str, name: str) -> pl.LazyFrame:
    """Return the rows of text files, with the types that the first of them have in a table read whole."""
    try:
        head = pl.scan_csv(paths, separator=mark, infer_schema=False).head(TYPED_FROM).collect()
    except pl.exceptions.PolarsError:
        # The batch that cannot be read says so, where there is one.
        head = pl.DataFrame()
    tokens = [token for token in NA_VALUES if token]
    found = {column.name: typed(column, tokens, WEAK_TOKENS) for column in head.iter_columns()}
    written = [name for name, each in found.items() if each.forms or each.two_ways or _weak(each.missing)]
    if written:
        cause = f"{listed(written)}: a stream reads plain numbers, and missing ones as blank or NA"
        cure = "Fit without --stream, or write the file again with plain numbers, or as Parquet"
        raise DataError([Problem(Code.STRAY_TEXT, cause, name, cure)])
    text = {name: pl.String for name, each in found.items() if each.column.dtype == pl.String}
    return pl.scan_csv(
        paths,
        separator=mark,
        null_values=tokens,
        infer_schema_length=TYPED_FROM,
        schema_overrides=text,
    )


def _weak(missing: dict[str, int]) -> bool:
    return any(token in WEAK_TOKENS for token in missing)


def _refuse_duplicates(columns: tuple[str, ...], name: str) -> None:
    """Refuse a header that stands twice, to which the reader gives a name of its own."""
    for column in columns:
        first, mark, _ = column.rpartition("_duplicated_")
        if mark and first in columns:
            cause = f"the header {shown(first)} stands twice"
            cure = "Rename one of the two, or leave one out"
            raise DataError([Problem(Code.DUPLICATE_HEADER, cause, name, cure)])


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        no_table(shown(path), "the file is empty", "Give a file with a header and rows")
    if head.startswith(PARQUET):
        return "Parquet"
    if head.startswith(ARROW):
        return "Arrow"
    return "LIBSVM" if is_libsvm(head) else "text"


def _of_iterable(pieces: Iterator[Any]) -> BatchSource:
    first = next(pieces, None)
    if first is None:
        no_table("the iterator of batches", "it yields no batch", "Give an iterator with rows")
    frame = _frame(first)

    def rest() -> Iterator[pl.DataFrame]:
        yield frame
        for piece in pieces:
            yield _frame(piece)

    return _Pieces(rest(), "iterator of batches", tuple(frame.columns))


def _frame(piece: Any) -> pl.DataFrame:
    if not isinstance(piece, tuple):
        return from_frame(piece)[0]
    if not 2 <= len(piece) <= 3:
        raise UsageError(f"data: a batch is (X, y) or (X, y, weight), not a tuple of {len(piece)}")
    X = np.asarray(piece[0])
    if X.ndim != 2:
        raise UsageError(f"data: X of a batch must have two dimensions, not {X.ndim}")
    columns = {f"x{j}": X[:, j] for j in range(X.shape[1])}
    columns["y"] = np.asarray(piece[1])
    if len(piece) == 3:
        columns["weight"] = np.asarray(piece[2])
    return pl.DataFrame(columns)


def _cut(pieces: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of these pieces again, exactly ``size`` at a time."""
    held: list[pl.DataFrame] = []
    rows = 0
    for piece in pieces:
        start = 0
        while piece.height - start >= size - rows:
            held.append(piece.slice(start, size - rows))
            start += size - rows
            yield pl.concat(held, how="vertical_relaxed") if len(held) > 1 else held[0]
            held, rows = [], 0
        if start < piece.height:
            held.append(piece.slice(start))
            rows += piece.height - start
    if held:
        yield pl.concat(held, how="vertical_relaxed") if len(held) > 1 else held[0]
