"""What a result must not depend on, and the seeded tables that it is a result of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

__all__ = ["Found", "How", "Rows", "Work", "laid_out", "source_of"]


@dataclass(frozen=True, slots=True)
class How:
    """Under what circumstances a piece of work is done; none of them may matter.

    Parameters
    ----------
    jobs : int
        Worker processes.
    layout : str
        How the same table lies in memory or on disk, see :func:`laid_out` and :func:`source_of`.
    permuted : bool
        Whether the rows come in another order.
    pieces : int
        How many rows come, or are predicted, at a time; 0 is all.
    batch : int
        How many rows a learner takes in at a time; 0 is as many as by default.
    memory : float
        Megabytes that may be held; 0 is as many as by default.
    company : int
        Who else is compared, and in what order.
    stopped : bool
        Whether the work is ended on its way and taken up again, or saved and loaded.
    large : bool
        Whether the table is large enough that BLAS takes several threads for it.
    """

    jobs: int = 1
    layout: str = "C"
    permuted: bool = False
    pieces: int = 0
    batch: int = 0
    memory: float = 0.0
    company: int = 0
    stopped: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it: the answer, numbers that may be held to a bound, and all of it, for bits."""

    answer: Any
    all: Any


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work.

    Parameters
    ----------
    run : callable
        From a seed and the circumstances to what came of it.
    heeds : mapping of str to float
        What can be varied beyond a second run and a fresh process, and how far the answer may then be apart:
        0 promises all of it to the bit.
    share : int
        How many seeds of it are taken where the others have one.
    """

    run: Callable[[int, How], Found]
    heeds: Mapping[str, float] = field(default_factory=dict)
    share: int = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A seeded table: X and a target of each kind, and rows to predict."""

    X: NDArray[Any]
    number: NDArray[Any]
    label: NDArray[Any]
    count: NDArray[Any]
    three: NDArray[Any]
    probe: NDArray[Any]

    @classmethod
    def of(cls, seed: int, how: How | None = None, n: int = 80) -> Rows:
        """Draw them: columns of unlike scale, every target a noisy function of two of them."""
        how = how or How()
        n, d = (700, 40) if how.large else (n, 4)
        rng = np.random.default_rng([12, seed])
        scales = np.geomspace(0.5, 5, d)
        X = rng.normal(size=(n, d)) * scales + rng.normal(size=d)
        eta = X[:, 0] - 0.3 * X[:, 1]
        eta = eta - eta.mean()
        noisy = eta + rng.normal(size=n)
        number, label = eta + rng.normal(size=n), np.where(noisy > 0, "yes", "no")
        count = rng.poisson(np.exp(0.5 + 0.2 * eta))
        three = np.array(["a", "b", "c"])[np.digitize(noisy, [-0.7, 0.7])]
        order = np.random.default_rng(seed + 1).permutation(n) if how.permuted else np.arange(n)
        probe = rng.normal(size=(20, d)) * scales
        return cls(X[order], number[order], label[order], count[order], three[order], probe)

    @property
    def frame(self) -> pl.DataFrame:
        """The columns, the label y, the number z and the count c."""
        columns = {f"x{k}": column for k, column in enumerate(self.X.T)}
        return pl.DataFrame(columns | {"y": self.label, "z": self.number, "c": self.count})


def laid_out(table: Any, layout: str) -> Any:
    """Return the same matrix or frame as it may lie in memory, or as another library's frame."""
    if isinstance(table, pl.DataFrame):
        return {"pandas": table.to_pandas, "arrow": table.to_arrow}.get(layout, lambda: table)()
    X = np.ascontiguousarray(table)
    names = [f"x{k}" for k in range(X.shape[1])]
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        wide = np.full((2 * X.shape[0], 3 * X.shape[1]), np.nan)
        wide[::2, ::3] = X
        return wide[::2, ::3]
    if layout == "reversed":
        return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    if layout == "read-only":
        X.setflags(write=False)
        return X
    if layout == "pandas":
        return pd.DataFrame(X, columns=names)
    if layout == "polars":
        return pl.DataFrame(X, schema=names)
    return X.tolist() if layout == "list" else X


def source_of(frame: pl.DataFrame, how: How, folder: Path) -> Any:
    """Return the same rows from another kind of source."""
    pieces = how.pieces or frame.height
    starts = range(0, frame.height, pieces)
    if how.layout in ("Parquet", "dataset"):
        path = folder / "t.parquet"
        frame.write_parquet(path, row_group_size=pieces)
        if how.layout == "Parquet":
            return path
        import pyarrow.dataset as ds

        return ds.dataset(path)
    if how.layout == "Arrow":
        frame.write_ipc(folder / "t.arrow", record_batch_size=pieces)
        return folder / "t.arrow"
    if how.layout == "CSV":
        frame.write_csv(folder / "t.csv")
        return folder / "t.csv"
    if how.layout == "files":
        for number, start in enumerate(starts):
            frame[start : start + pieces].write_parquet(folder / f"t{number:04}.parquet")
        return str(folder / "t*.parquet")
    if how.layout == "lazy":
        return frame.lazy()
    if how.layout == "batches":
        return iter([frame[start : start + pieces] for start in starts])
    return laid_out(frame, how.layout)
