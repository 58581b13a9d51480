"""Files of sparse rows, ``label index:value …``, read in pieces of bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.datasets import load_svmlight_file

from thetahat.tables.files import no_table

__all__ = ["LibsvmFiles", "is_libsvm"]

# Rows are handed on dense; a file of more columns is one for a sparse learner.
MOST_COLUMNS = 4096
PIECE = 1 << 22
LINE = re.compile(rb"^[+-]?[\d.eE+-]+(\s+qid:\d+)?(\s+\d+:[^\s:]+)+\s*(#.*)?$")


def is_libsvm(head: bytes) -> bool:
    """Tell from the first bytes of a file, by its first whole lines."""
    lines = [line for line in head.split(b"\n")[:6] if line.strip() and not line.startswith(b"#")]
    lines = lines[:-1] if len(lines) > 1 and len(head) == 4096 else lines
    return bool(lines) and all(LINE.match(line.strip()) for line in lines)


@dataclass(frozen=True, slots=True)
class LibsvmFiles:
    """Batches of LIBSVM files as dense frames of ``x0`` … and ``y``.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    first : int
        The smallest index in use, 0 or 1.
    name, columns, n_rows, nbytes
        As of every source of batches.
    """

    paths: tuple[Path, ...]
    first: int
    name: str
    columns: tuple[str, ...]
    n_rows: int | None
    nbytes: int | None

    @classmethod
    def of(cls, paths: Sequence[Path], name: str, nbytes: int) -> LibsvmFiles:
        """Read the files once for the number of rows and of columns.

        Raises
        ------
        DataError
            TH108: a line is not of this format, or there are too many columns to hand them on dense.
        """
        rows, last, first = 0, 0, 1
        for X, _ in _parsed(paths, name, None):
            rows += X.shape[0]
            last = max(last, X.shape[1] - 1)
            if X.nnz and int(X.indices.min()) == 0:
                first = 0
        count = last + 1 - first
        if count > MOST_COLUMNS:
            no_table(
                name,
                f"it has {count} columns, and a stream is handed on dense up to {MOST_COLUMNS}",
                "Keep the columns that matter, or hash them to fewer",
            )
        columns = (*(f"x{j}" for j in range(first, last + 1)), "y")
        return cls(tuple(paths), first, name, columns, rows, nbytes)

    def batches(self, size: int, /) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``size`` at a time."""
        width = len(self.columns) - 1 + self.first
        for X, y in _parsed(self.paths, self.name, width):
            for start in range(0, X.shape[0], size):
                dense = X[start : start + size].toarray()[:, self.first :]
                frame = pl.DataFrame(dense, schema=list(self.columns[:-1]))
                yield frame.with_columns(pl.Series("y", y[start : start + size]))


def _parsed(paths: Sequence[Path], name: str, width: int | None) -> Iterator[tuple[Any, Any]]:
    for path in paths:
        with path.open("rb") as file:
            while lines := file.readlines(PIECE):
                try:
                    yield load_svmlight_file(
                        io.BytesIO(b"".join(lines)), n_features=width, zero_based=True, dtype=np.float64
                    )
                except ValueError as error:
                    no_table(name, f"a line is not 'label index:value …' ({error})", "Mend the line")
