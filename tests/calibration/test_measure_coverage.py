"""The interval of every measure covers its truth, and equal learners are told apart as seldom as said."""

import numpy as np
import pytest

from tests.calibration.measure_coverage import NAMES, chosen, of_pairs, on_folds, on_one_split
from tests.calibration.populations import MEASURED, POPULATIONS
from thetahat.measures.registry import MEASURES

LOWEST, HIGHEST = 0.93, 0.97
SHORT, LONG = 300, 2000


FOLDED = ("two classes", "two classes, AUC .99", "three classes", "numbers", "positive numbers")
# Measured coverage that lies outside, by interval, population, measure and n; docs/coverage.md says why.
OUTSIDE: dict[tuple[str, str, str, int], float] = {
    ("holdout", "two classes, AUC .99, 5 % positive", "auc", 200): 0.85,
    ("holdout", "two classes, AUC .99, 5 % positive", "average-precision", 200): 0.881,
    ("holdout", "two classes, AUC .99, 5 % positive", "balanced-accuracy", 200): 0.858,
    ("holdout", "two classes, AUC .99, 5 % positive", "cost", 200): 0.874,
    ("holdout", "two classes, AUC .99, 5 % positive", "auc", 1000): 0.883,
    ("holdout", "positive numbers", "squared-error", 200): 0.903,
    ("holdout", "positive numbers", "r2", 200): 0.915,
    ("holdout", "positive numbers", "squared-error", 1000): 0.922,
    ("clt", "two classes", "average-precision", 200): 0.861,
    ("influence", "two classes", "average-precision", 200): 0.852,
    ("influence", "two classes", "mcc", 200): 0.919,
    ("clt", "three classes", "average-precision", 200): 0.567,
    ("influence", "three classes", "average-precision", 200): 0.537,
    ("clt", "three classes", "average-precision", 1000): 0.84,
    ("influence", "three classes", "average-precision", 1000): 0.84,
    ("clt", "three classes", "balanced-accuracy", 200): 0.922,
    ("influence", "three classes", "balanced-accuracy", 200): 0.912,
    ("clt", "three classes", "f1-macro", 200): 0.928,
    ("influence", "three classes", "f1-macro", 200): 0.92,
    ("clt", "numbers", "r2", 200): 0.81,
    ("influence", "numbers", "r2", 200): 0.793,
    ("clt", "numbers", "r2", 1000): 0.906,
    ("influence", "numbers", "r2", 1000): 0.906,
    ("clt", "positive numbers", "r2", 200): 0.756,
    ("influence", "positive numbers", "r2", 200): 0.727,
    ("clt", "positive numbers", "r2", 1000): 0.884,
    ("influence", "positive numbers", "r2", 1000): 0.884,
    ("clt", "positive numbers", "squared-error", 200): 0.897,
    ("influence", "positive numbers", "squared-error", 200): 0.883,
    ("clt", "positive numbers", "pinball:0.9", 200): 0.916,
    ("influence", "positive numbers", "pinball:0.9", 200): 0.912,
    ("clt", "positive numbers", "poisson-deviance", 200): 0.914,
    ("influence", "positive numbers", "poisson-deviance", 200): 0.908,
    ("clt", "two classes, AUC .99", "balanced-accuracy", 200): 0.925,
    ("influence", "two classes, AUC .99", "balanced-accuracy", 200): 0.914,
    ("corrected-t", "two classes", "average-precision", 200): 0.91,
    ("corrected-t", "three classes", "average-precision", 200): 0.81,
    ("corrected-t", "numbers", "r2", 200): 0.893,
    ("corrected-t", "positive numbers", "squared-error", 200): 0.863,
}


def known(interval, population, name, n):
    """Return the range that the coverage lies in, but for the noise of the simulation."""
    outside = OUTSIDE.get((interval, population, name, n))
    return (LOWEST, HIGHEST) if outside is None else (outside, outside)


def slack(share, runs):
    return 4 * np.sqrt(share * (1 - share) / runs)


def test_every_measure_of_the_registry_has_a_population():
    assert {name.partition(":")[0] for _, name in NAMES} == set(MEASURES)


@pytest.mark.parametrize("population", ["two classes", "three classes", "numbers", "positive numbers"])
def test_the_truth_on_the_grid_is_that_of_a_large_table(population):
    people, rng = POPULATIONS[population], np.random.default_rng(3)
    fit = people.fit(*people.rows(200, rng))
    X, y = people.rows(100_000, rng)
    grid, prediction = people.grid(fit), people.predict(fit, X)
    for name in MEASURED[population]:
        of = chosen(population, name).of(y, prediction)
        se = np.sqrt(np.sum(of.influence**2)) / len(y)
        truth = chosen(population, name).value(grid.y, grid.prediction, grid.weight)
        assert abs(of.value - truth) < 5 * se, name


@pytest.mark.parametrize("population", ["two classes", "three classes", "numbers", "positive numbers"])
def test_every_measure_on_one_split_covers_its_truth_in_short(population):
    for name, of in on_one_split(population, 200, SHORT, np.random.default_rng(11), refit=False).items():
        low, high = known("holdout", population, name, 200)
        assert low - slack(low, SHORT) < of["covered"] < high + slack(high, SHORT), name


def test_an_auc_near_99_on_one_split_covers_its_truth_in_short():
    rng = np.random.default_rng(12)
    (of,) = on_one_split("two classes, AUC .99", 200, SHORT, rng, ["auc"], refit=False).values()
    assert LOWEST - slack(LOWEST, SHORT) < of["covered"] < HIGHEST + slack(HIGHEST, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize("population", POPULATIONS)
def test_every_measure_on_one_split_covers_its_truth(population, n):
    for name, of in on_one_split(population, n, LONG, np.random.default_rng(n + 1)).items():
        low, high = known("holdout", population, name, n)
        assert low - slack(low, of["runs"]) < of["covered"] < high + slack(high, of["runs"]), name


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize("population", FOLDED)
def test_every_measure_on_folds_covers_the_mean_of_the_fold_models(population, n):
    found = on_folds(population, n, LONG // 2, np.random.default_rng(n + 1), methods=("clt", "influence"))
    for (name, method), of in found.items():
        low, high = known(method, population, name, n)
        assert low - slack(low, of["runs"]) < of["covered"] < high + slack(high, of["runs"]), (name, method)


@pytest.mark.slow
@pytest.mark.parametrize(("plan", "n"), [("cv:3x10", 200), ("cv:10", 200), ("cv:10", 1000)])
@pytest.mark.parametrize("population", FOLDED)
def test_the_default_interval_covers_the_expected_measure_at_least_as_often_as_it_says(population, plan, n):
    """It is wide here: these learners hardly differ between training sets, and it allows for more."""
    found = on_folds(population, n, LONG // 4, np.random.default_rng(n + 2), plan, ("corrected-t",))
    for (name, _), of in found.items():
        low, _ = known("corrected-t", population, name, n)
        assert of["covered"] > low - slack(low, of["runs"]), name


def test_equal_learners_on_one_split_are_told_apart_as_seldom_as_said_in_short():
    for task in ("classification", "regression"):
        for name, share in of_pairs(task, 200, SHORT, np.random.default_rng(13)).items():
            assert share < 0.07 + slack(0.07, SHORT), name


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize(("plan", "method"), [("holdout", "holdout"), ("cv:10", "clt")])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_equal_learners_are_told_apart_as_seldom_as_said(task, plan, method, n):
    for name, share in of_pairs(task, n, LONG, np.random.default_rng(n), plan, method).items():
        assert 0.03 - slack(0.03, LONG) < share < 0.07 + slack(0.07, LONG), name
