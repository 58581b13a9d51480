"""How often the interval of each measure covers its truth, on the populations of populations.py."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from tests.calibration.populations import MEASURED, POPULATIONS
from thetahat.contracts import Draw, Status
from thetahat.errors import UsageError
from thetahat.judgment.pairs import ends, paired
from thetahat.measures.registry import choose_measure
from thetahat.resampling.evidence import Evidence, Outcome, measured
from thetahat.resampling.intervals import METHODS
from thetahat.resampling.plans import Rows, parse

LEVEL = 0.95
NAMES = tuple((population, name) for population, names in MEASURED.items() for name in names)


@cache
def chosen(population, name):
    return choose_measure(name, POPULATIONS[population].target)


def _evidence(draws: Sequence[Draw], predictions, y) -> Evidence:
    outcomes = [
        [Outcome(Status.SOLVED, prediction=each) for each in by_model]
        for by_model in zip(*predictions, strict=True)
    ]
    models = tuple(f"m{place}" for place in range(len(predictions)))
    return Evidence(models, draws, outcomes, y)


def _covered(found, truth):
    """Return by key the share of runs whose interval holds the truth, too high and too low ones, and runs."""
    said = {}
    for key, intervals in found.items():
        low, high = np.array(intervals).T
        target = truth[key] if np.ndim(truth[key]) == 0 else np.asarray(truth[key])
        said[key] = {
            "covered": float(np.mean((low <= target) & (target <= high))),
            "above": float(np.mean(low > target)),
            "below": float(np.mean(high < target)),
            "runs": len(low),
        }
    return said


def on_one_split(population: str, n: int, runs: int, rng, names: Sequence[str] | None = None):
    """Return by measure the coverage of the measure of the fitted model: n rows train, n are held out."""
    people, names = POPULATIONS[population], names or MEASURED[population]
    found, truths = {name: [] for name in names}, {name: [] for name in names}
    for _ in range(runs):
        X, y = people.rows(2 * n, rng)
        draw = Draw(np.arange(n), np.arange(n, 2 * n))
        fit = people.fit(X[draw.train], y[draw.train])
        evidence = _evidence([draw], [[people.predict(fit, X[draw.test])]], y)
        grid = people.grid(fit)
        for name in names:
            measure = chosen(population, name)
            try:
                mean = METHODS["holdout"](measured(evidence, "m0", measure))
            except UsageError:  # a table of one class
                continue
            found[name].append(ends(mean, LEVEL, measure))
            truths[name].append(measure.value(grid.y, grid.prediction, grid.weight))
    return _covered(found, truths)


def on_folds(
    population: str,
    n: int,
    runs: int,
    rng,
    plan: str = "cv:10",
    methods: Sequence[str] = ("clt", "influence", "corrected-t"),
    names: Sequence[str] | None = None,
):
    """Return by (measure, interval) the coverage of the mean measure of the fold models.

    For corrected-t it is that of the expected measure of the algorithm on tables of the size of the folds,
    which is the mean truth over all models fitted here.
    """
    people, names = POPULATIONS[population], names or MEASURED[population]
    found = {(name, method): [] for name in names for method in methods}
    truths = {name: [] for name in names}
    labels = people.target.task == "classification"
    for _ in range(runs):
        X, y = people.rows(n, rng)
        draws = parse(plan).draws(Rows(n, y if labels else None), rng=rng)
        fits = [people.fit(X[draw.train], y[draw.train]) for draw in draws]
        evidence = _evidence(
            draws, [[people.predict(fit, X[d.test]) for fit, d in zip(fits, draws, strict=True)]], y
        )
        grids = [people.grid(fit) for fit in fits]
        for name in names:
            measure = chosen(population, name)
            try:
                over = measured(evidence, "m0", measure)
            except UsageError:  # a fold of one class
                continue
            for method in methods:
                found[name, method].append(ends(METHODS[method](over), LEVEL, measure))
            truths[name].append(np.mean([measure.value(g.y, g.prediction, g.weight) for g in grids]))
    target = {
        (name, method): float(np.mean(truths[name])) if method == "corrected-t" else truths[name]
        for name, method in found
    }
    return _covered(found, target)


__all__ = ["NAMES", "chosen", "on_folds", "on_one_split", "paired"]
