"""Ridge on many folds and penalties from sums of products, against GridSearchCV(Ridge) refitting each."""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold

from thetahat.contracts import Draw, Sample
from thetahat.linear.least_squares import LeastSquares

ROWS, COLUMNS, FOLDS, PENALTIES = 100_000, 100, 10, 100


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ridge", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--penalties-of-peer",
        type=int,
        default=4,
        help="how many of the 100 penalties the peer fits in a run; its time is scaled to 100",
    )
    options = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    mixing = np.eye(COLUMNS) + 0.03 * rng.standard_normal((COLUMNS, COLUMNS))
    X = rng.standard_normal((ROWS, COLUMNS)) @ mixing + 1.0
    y = X @ rng.standard_normal(COLUMNS) + 5 * rng.standard_normal(ROWS) + 3
    alphas = np.logspace(-3, 6, PENALTIES)
    splits = list(KFold(FOLDS).split(X))
    draws = [Draw(train, test) for train, test in splits]
    some = np.unique(np.linspace(0, PENALTIES - 1, options.penalties_of_peer).astype(int))

    seconds: tuple[list[float], list[float]] = ([], [])
    worst = 0.0
    for run in range(options.runs + 1):
        began = time.perf_counter()
        ours = LeastSquares().prepare(Sample(X, y)).squared_errors(draws, 1 / alphas)[:, :, 0]
        between = time.perf_counter()
        grid = GridSearchCV(
            Ridge(),
            {"alpha": alphas[some]},
            cv=splits,
            scoring="neg_mean_squared_error",
            refit=False,
        ).fit(X, y)
        ended = time.perf_counter()
        if run:  # the first run warms both up
            seconds[0].append(between - began)
            seconds[1].append((ended - between) * PENALTIES / len(some))
        theirs = -np.array([grid.cv_results_[f"split{fold}_test_score"] for fold in range(FOLDS)])
        worst = max(worst, float(np.abs(ours[:, some] / theirs - 1).max()))
    mine, peer = map(statistics.median, seconds)
    print(f"ridge, n = {ROWS:,}, d = {COLUMNS}, {FOLDS} folds x {PENALTIES} penalties, one thread")
    print(f"ours {mine:.4g} s, GridSearchCV(Ridge) {peer:.4g} s, ratio {peer / mine:.4g}x")
    print(f"(the peer fitted {len(some)} penalties a run, scaled to {PENALTIES}; {options.runs} runs)")
    print(f"held-out errors differ by at most {worst:.2g} of their size")
    print("target: a ratio of at least 500. Again: python -m benchmarks ridge")
