"""The tables that the pages name, small, under the names that they use."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from sklearn import datasets

BUSINESS = '''\
import numpy as np


def late(y, prediction):
    """Cost of a forecast: a unit that is missing costs three times one that is left over."""
    short = y - prediction.value
    return np.where(short > 0, 3 * short, -short)
'''


def write_tables(folder: Path) -> None:
    """Write every table that a page reads into a folder."""
    penguins = str(files("thetahat.datasets") / "penguins.csv")
    shutil.copy(penguins, folder / "penguins.csv")
    some = pl.read_csv(penguins, null_values="NA").rename({"species": "y"}).gather_every(3)
    some.write_csv(folder / "data.csv")
    for name in ("diabetes", "wine"):
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        pl.from_pandas(bunch.frame).write_csv(folder / f"{name}.csv")
    (folder / "business.py").write_text(BUSINESS)
    _write_own_rows(folder)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 3))
    chance = 1 / (1 + np.exp(-(0.5 * X[:, 0] - 0.4 * X[:, 1])))
    big = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": rng.uniform(size=20_000) < chance})
    big = big.with_columns(pl.col("y").cast(pl.Int64))
    big.write_parquet(folder / "big.parquet", row_group_size=5_000)
    for part in range(2):
        big[part * 10_000 : (part + 1) * 10_000].write_parquet(folder / f"part-{part}.parquet")


def _write_own_rows(folder: Path) -> None:
    """Write the diabetes table with columns that say who holds out which rows, and its two parts."""
    table = pl.read_csv(folder / "diabetes.csv")
    n, last = table.height, 100
    people = np.random.default_rng(1).integers(1, 6, n)
    site = [("north", "south", "east", "west")[row % 4] for row in range(n)]
    part = ["train" if row < n - last else "test" for row in range(n)]
    visits = table.with_columns(pl.Series("site", site), pl.Series("part", part), pl.Series("people", people))
    visits.write_csv(folder / "visits.csv")
    table.head(n - last).write_csv(folder / "before.csv")
    table.tail(last).write_csv(folder / "after.csv")
