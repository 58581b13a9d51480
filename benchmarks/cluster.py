"""What a Dask cluster of this machine's processes brings: a comparison, and a fit to partitions."""

from __future__ import annotations

import argparse
import logging
import time

import dask.array as da
import numpy as np
import polars as pl
from distributed import Client, LocalCluster

import thetahat as th


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cluster", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args(argv)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 10))
    frame = pl.DataFrame({f"x{j}": X[:, j] for j in range(10)}).with_columns(
        y=pl.Series(np.where(X[:, 0] + rng.normal(size=2000) > 0, "a", "b"))
    )
    print("| where | a comparison with forest and boosting, 30 draws |")
    print("|---|---|")
    for where in (None, "local:1", "local:2", "local:4"):
        began = time.perf_counter()
        th.compare(frame, "y", ["forest", "boosting"], resampling="cv:3x10", cluster=where)
        print(f"| {where or 'this process'} | {time.perf_counter() - began:.1f} s |", flush=True)
    n = options.rows
    X = rng.normal(size=(n, 20))
    y = (X[:, 0] + rng.normal(size=n) > 0).astype(int)
    began = time.perf_counter()
    alone = th.LogisticRegression().fit(X, y)
    print(f"\nLogistic regression on {n} x 20: one machine {time.perf_counter() - began:.2f} s")
    print("| partitions, workers | logistic regression of partitions held by the workers | off |")
    print("|---|---|---|")
    for parts in (1, 2, 4, 8):
        workers = min(parts, 2)
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster),
        ):
            chunk = -(-n // parts)
            A, b = (
                part.persist()
                for part in (da.from_array(X, chunks=(chunk, -1)), da.from_array(y, chunks=chunk))
            )
            times = []
            for _ in range(3):
                began = time.perf_counter()
                found = th.fit_partitions(th.LogisticRegression(), A, b)
                times.append(time.perf_counter() - began)
        off = np.abs(found.coef_ - alone.coef_).max()
        print(f"| {parts}, {workers} | {min(times):.2f} s | {off:.0e} |", flush=True)
