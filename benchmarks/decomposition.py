"""Bias and variance by many draws, against mlxtend's bias_variance_decomp, with the same number of draws."""

from __future__ import annotations

import argparse

import numpy as np
from mlxtend.evaluate import bias_variance_decomp
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

import thetahat as th
from benchmarks.pairing import alternate


def made(n, d, rng):
    X = rng.normal(size=(n, d))
    return X, X[:, 0] + rng.normal(size=n)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks decomposition", description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    diabetes = load_diabetes(return_X_y=True)
    cases = [
        ("ridge, 200 x 5", made(200, 5, rng), th.Ridge(1.0), Ridge(1.0), 1),
        ("ridge, diabetes 442 x 10", diabetes, th.Ridge(1.0), Ridge(1.0), 1),
        ("ridge, 1 000 x 50", made(1000, 50, rng), th.Ridge(1.0), Ridge(1.0), 1),
        ("tree, 4 000 x 20, 2 workers", made(4000, 20, rng), *[DecisionTreeRegressor(random_state=0)] * 2, 2),
    ]
    print("| learner and rows | ours, peer | noise + bias² ± SE: ours, peer | variance: ours, peer |")
    print("|---|---|---|---|")
    for name, (X, y), ours, theirs, jobs in cases:
        half = len(y) // 2
        rows = (X[half:], y[half:], X[:half], y[:half])

        def our_side(ours=ours, rows=rows, jobs=jobs):
            return th.decompose(ours, *rows, loss="squared", draws=options.draws, jobs=jobs)

        def peer(theirs=theirs, rows=rows):
            return bias_variance_decomp(theirs, *rows, loss="mse", num_rounds=options.draws, random_seed=0)

        ratio, found, (_, bias, variance) = alternate(our_side, peer, options.runs), our_side(), peer()
        term, spread = found.terms["noise + bias²"], found.terms["variance"]
        said = f"{term:.4g} ± {found.se['noise + bias²']:.2g}, {bias:.4g} | {spread:.4g}, {variance:.4g}"
        print(f"| {name} | {ratio} | {said} |", flush=True)
