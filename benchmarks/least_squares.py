"""Least squares to the last digits against scikit-learn's LinearRegression."""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from sklearn.linear_model import LinearRegression

from benchmarks.pairing import alternate
from thetahat.linear import regressors


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks least_squares", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args(argv).runs
    rng = np.random.default_rng(0)
    for rows, columns in ((100_000, 50), (10_000, 200), (1_000, 10)):
        X = rng.normal(size=(rows, columns)) + 1
        # Whole numbers, so that the true coefficients are known to the last digit.
        X, beta = np.round(8 * X), np.round(8 * rng.normal(size=columns))
        y = X @ beta + 3
        mine, theirs = regressors.LinearRegression(), LinearRegression()
        ratio = alternate(partial(mine.fit, X, y), partial(theirs.fit, X, y), runs)
        off = [float(np.abs(model.coef_ - beta).max()) for model in (mine, theirs)]
        print(f"n = {rows:,}, d = {columns}: {ratio}")
        print(f"  largest error of a coefficient: ours {off[0]:.1e}, peer {off[1]:.1e}")
    print("target: a ratio of at least 1, at smaller errors. Again: python -m benchmarks least_squares")
