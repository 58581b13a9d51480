"""Nested cross-validation of ridge regression by shared work, against refitting each of its fits."""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.pairing import alternate
from thetahat.contracts import Sample
from thetahat.linear.least_squares import LeastSquares
from thetahat.resampling.intervals import OverDraws
from thetahat.resampling.nested import Nested, NestedFolds
from thetahat.resampling.plans import Rows
from thetahat.resampling.replicate import replicate

RIDGE = LeastSquares(C=1.0)


def squared_errors(fit, train, held_out):
    return (held_out.y - RIDGE.predict(fit.theta, held_out.X).value) ** 2


def nested(sample, plan, shared_work):
    """Return the held-out losses of every draw and the interval."""
    rng = np.random.default_rng(0)
    draws = plan.draws(Rows(len(sample)), rng=rng)
    rows = replicate(RIDGE, sample, draws, squared_errors, rng=rng, shared_work=shared_work).values
    sizes = [
        np.array([float(len(part)) for part in parts])
        for parts in ([d.train for d in draws], [d.test for d in draws])
    ]
    over = OverDraws(np.array([r.mean() for r in rows]), *sizes, rows, [d.test for d in draws])
    return np.concatenate(rows), Nested(plan)(over)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks nested", description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 20))
    sample = Sample(X, X[:, 0] + rng.normal(size=200))
    plan = NestedFolds(10, options.repeats)
    nested(sample, NestedFolds(10, 1), True)
    began = time.perf_counter()
    ours, interval = nested(sample, plan, True)
    seconds = time.perf_counter() - began
    theirs, other = nested(sample, plan, False)
    ratio = alternate(lambda: nested(sample, plan, True), lambda: nested(sample, plan, False), options.runs)
    fits = plan.fits * plan.repeats
    print(f"Nested cross-validation of ridge, n = 200, d = 20, {options.repeats} x 10 folds, {fits} fits")
    print(f"shared work: {seconds:.2f} s; refitting takes {ratio.value:.1f} times as long")
    gap = np.abs(ours - theirs).max() / theirs.mean()
    print(f"largest difference of a held-out loss, over its mean: {gap:.1e}")
    for name, found in (("shared", interval), ("refitted", other)):
        print(f"{name}: {found.estimate:.6f} ± {found.se:.6f}")
