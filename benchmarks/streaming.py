"""Seconds and peak memory of fits of files that need not fit in memory, each in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

STREAM = """
from thetahat.estimation.streaming import fit_stream
fit_stream({source!r}, "y", "sgd-logistic", epochs=2)
"""
CLASS = """
from thetahat import SGDClassifier
model = SGDClassifier("log_loss", max_iter=2, tol=None, learning_rate="constant", eta0="auto")
model.fit({source!r}, "y")
"""
PEER = """
import pandas as pd
from sklearn.linear_model import SGDClassifier
frame = pd.read_parquet({source!r})
X = frame.drop(columns="y").to_numpy()
SGDClassifier(loss="log_loss", max_iter=2, tol=None).fit(X, frame["y"])
"""
MEASURED = """
import json, resource, time
began = time.perf_counter()
{work}
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
PARTS = 10


def table(n: int, seed: int) -> pl.DataFrame:
    """Return n rows of 20 columns of very different scale and of two classes."""
    rng = np.random.default_rng(seed)
    scale = np.geomspace(0.1, 100, 20)
    Z = rng.standard_normal((n, 20))
    w = np.linspace(0.6, -0.6, 20) / np.sqrt(20)
    y = rng.random(n) < 1 / (1 + np.exp(-Z @ w))
    X = 3 * scale + Z * scale
    return pl.DataFrame({f"a{j}": X[:, j] for j in range(20)} | {"y": np.where(y, "yes", "no")})


def write(folder: Path, n: int) -> dict[str, str]:
    """Write the files, a part at a time, and return what they are called."""
    size = n // PARTS
    for part in range(PARTS):
        table(size, part).write_parquet(folder / f"part{part}.parquet", row_group_size=100_000)
    whole = pl.scan_parquet(folder / "part*.parquet")
    whole.sink_parquet(folder / "rows.parquet", row_group_size=100_000)
    whole.sink_csv(folder / "rows.csv")
    # A stable sort by the label, class by class so that it need not fit either.
    pl.concat([whole.filter(pl.col("y") == label) for label in ("no", "yes")]).sink_parquet(
        folder / "sorted.parquet", row_group_size=100_000
    )
    (folder / "twice").mkdir()
    for copy in range(2):
        os.link(folder / "rows.parquet", folder / "twice" / f"{copy}.parquet")
    return {
        f"{size} rows, Parquet": str(folder / "part0.parquet"),
        f"{n} rows, Parquet": str(folder / "rows.parquet"),
        f"{n} rows, Parquet, sorted by label": str(folder / "sorted.parquet"),
        f"{n} rows, CSV": str(folder / "rows.csv"),
        f"{2 * n} rows, two Parquet files by a glob": str(folder / "twice" / "*.parquet"),
    }


def measured(work: str) -> tuple[float, float]:
    """Return the seconds and the peak of megabytes of a piece of work in a new process."""
    command = [sys.executable, "-W", "ignore", "-c", MEASURED.format(work=work)]
    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout
    seconds, peak = json.loads(told.splitlines()[-1])
    return seconds, peak


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks streaming", description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    options = parser.parse_args(argv)
    _, libraries = measured("from thetahat.estimation.streaming import fit_stream")
    print(f"Libraries alone: {libraries:.0f} MB. Times are with those of importing them.\n")
    print("| what | file | seconds | peak |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), options.rows)
        work = [(f"`fit_stream`, {name}", STREAM, source) for name, source in files.items()]
        whole = files[f"{options.rows} rows, Parquet"]
        work.append((f"`SGDClassifier.fit`, {options.rows} rows, Parquet", CLASS, whole))
        work.append((f"in memory: pandas and scikit-learn, {options.rows} rows, Parquet", PEER, whole))
        for name, code, source in work:
            seconds, peak = measured(code.format(source=source))
            paths = Path(source).parent.glob(Path(source).name)
            size = sum(path.stat().st_size for path in paths) / 1e6
            print(f"| {name} | {size:.0f} MB | {seconds:.1f} | {peak:.0f} MB |", flush=True)
