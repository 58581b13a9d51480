"""The tables that the pages name, small, under the names that they use."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from sklearn import datasets


def write_tables(folder: Path) -> None:
    """Write every table that a page reads into a folder."""
    penguins = str(files("thetahat.datasets") / "penguins.csv")
    shutil.copy(penguins, folder / "penguins.csv")
    some = pl.read_csv(penguins, null_values="NA").rename({"species": "y"}).gather_every(3)
    some.write_csv(folder / "data.csv")
    for name in ("diabetes", "wine"):
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        pl.from_pandas(bunch.frame).write_csv(folder / f"{name}.csv")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 3))
    chance = 1 / (1 + np.exp(-(0.5 * X[:, 0] - 0.4 * X[:, 1])))
    big = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": rng.uniform(size=20_000) < chance})
    big = big.with_columns(pl.col("y").cast(pl.Int64))
    big.write_parquet(folder / "big.parquet", row_group_size=5_000)
    for part in range(2):
        big[part * 10_000 : (part + 1) * 10_000].write_parquet(folder / f"part-{part}.parquet")
