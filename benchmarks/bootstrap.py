"""BCa intervals of mean, median and correlation, n = 1 000, 9 999 resamples, against scipy's bootstrap."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from scipy import stats

import thetahat as th
from benchmarks.pairing import alternate


def _correlation(a: Any, b: Any, axis: int = -1) -> Any:
    a, b = a - a.mean(axis, keepdims=True), b - b.mean(axis, keepdims=True)
    return (a * b).sum(axis) / np.sqrt((a * a).sum(axis) * (b * b).sum(axis))


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks bootstrap", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args(argv).runs
    rng = np.random.default_rng(1)
    x = rng.gamma(2.0, 1.0, 1000)
    y = 0.5 * x + rng.standard_normal(1000)
    both = np.column_stack([x, y])
    cases = {
        "mean": (x, "mean", (x,), np.mean, False),
        "median": (x, "median", (x,), np.median, False),
        "correlation": (both, "correlation", (x, y), _correlation, True),
    }
    for name, (rows, statistic, columns, peer, paired) in cases.items():

        def ours(rows: Any = rows, statistic: str = statistic) -> Any:
            return th.bootstrap(rows, statistic, rng=np.random.default_rng(7))

        def theirs(columns: Any = columns, peer: Any = peer, paired: bool = paired) -> Any:
            return stats.bootstrap(columns, peer, method="BCa", paired=paired, vectorized=True, rng=1)

        ratio = alternate(ours, theirs, runs)
        found, ends = ours(), theirs().confidence_interval
        print(f"{name:12s} {ratio}")
        print(f"             ours {found.low:.4f} to {found.high:.4f}, peer {ends[0]:.4f} to {ends[1]:.4f}")
    print("target: 10x")
