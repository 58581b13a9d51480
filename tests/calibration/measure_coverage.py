"""How often the interval of each measure covers its truth, on the populations of populations.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

from tests.calibration.populations import MEASURED, POPULATIONS, Classes, Numbers
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


def on_one_split(
    population: str, n: int, runs: int, rng, names: Sequence[str] | None = None, *, refit: bool = True
):
    """Return by measure the coverage of the measure of the fitted model: n rows train, n are held out.

    Without ``refit`` one fit is measured on all tables, so that its truth is found once.
    """
    people, names = POPULATIONS[population], names or MEASURED[population]
    found, truths = {name: [] for name in names}, {name: [] for name in names}
    draw, fit, truth = Draw(np.arange(n, 2 * n), np.arange(n)), None, {}
    for _ in range(runs):
        if fit is None or refit:
            fit = people.fit(*people.rows(n, rng))
            grid = people.grid(fit)
            truth = {
                name: chosen(population, name).value(grid.y, grid.prediction, grid.weight) for name in names
            }
        X, y = people.rows(n, rng)
        evidence = _evidence([draw], [[people.predict(fit, X)]], y)
        for name in names:
            measure = chosen(population, name)
            try:
                mean = METHODS["holdout"](measured(evidence, "m0", measure))
            except UsageError:  # a table of one class
                continue
            found[name].append(ends(mean, LEVEL, measure))
            truths[name].append(truth[name])
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
        # The expected measure needs no more than one fit a table.
        grids = [people.grid(fit) for fit in (fits[:1] if tuple(methods) == ("corrected-t",) else fits)]
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


@dataclass(frozen=True)
class Rivals:
    """Two learners, each on its own ``each`` features of equal use, so that neither is better.

    Classes are Bernoulli by the logistic of ``signal`` times the sum of all features; the rivals are linear
    discriminants, or least squares of numbers with unit noise.
    """

    task: str
    each: int = 4
    signal: float = 0.5

    def rows(self, n, rng):
        X = rng.normal(size=(n, 2 * self.each))
        eta = self.signal * X.sum(axis=1)
        if self.task == "regression":
            return X, eta + rng.normal(size=n)
        return X, (rng.random(n) < special.expit(eta)).astype(np.int64)

    def sides(self, X):
        """Return the features of each of the two."""
        return X[:, : self.each], X[:, self.each :]

    def rule(self, rng):
        """Return one fit to many rows, which is as good on the features of either."""
        X, y = self.rows(100_000, rng)
        return LEARNERS[self.task].fit(self.sides(X)[0], y)

    def predictions(self, X, y, draw, rule=None):
        """Return what each of the two says of the held-out rows of a draw."""
        people = LEARNERS[self.task]
        return [
            people.predict(people.fit(Z[draw.train], y[draw.train]) if rule is None else rule, Z[draw.test])
            for Z in self.sides(X)
        ]


LEARNERS = {"classification": Classes((0.5, 0.5), 1.0), "regression": Numbers(1.0, 1.0)}
PAIRED = (
    ("classification", "auc"), ("classification", "f1"), ("classification", "log-loss"), ("regression", "r2"),
)  # fmt: skip


def of_pairs(task: str, n: int, runs: int, rng, plan: str = "holdout", method: str = "holdout"):
    """Return by measure how often two equally good learners are told apart at level .05.

    The interval of their difference misses 0 as often, and 0 is the difference in the population: of two
    fixed rules on one split, and of two algorithms in expectation on folds. So coverage is 1 less it.
    """
    rivals, names = Rivals(task), [name for of, name in PAIRED if of == task]
    labels, one_split = task == "classification", plan == "holdout"
    rule = rivals.rule(rng) if one_split else None
    told = dict.fromkeys(names, 0)
    for _ in range(runs):
        X, y = rivals.rows(n, rng)
        split = [Draw(np.arange(0), np.arange(n))]
        draws = split if one_split else parse(plan).draws(Rows(n, y if labels else None), rng=rng)
        both = [rivals.predictions(X, y, draw, rule) for draw in draws]
        evidence = _evidence(draws, list(zip(*both, strict=True)), y)
        for name in names:
            measure = choose_measure(name, LEARNERS[task].target)
            gap = METHODS[method](paired(*(measured(evidence, model, measure) for model in evidence.models)))
            told[name] += gap.p_value() < 1 - LEVEL
    return {name: count / runs for name, count in told.items()}
