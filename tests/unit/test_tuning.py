"""Tuning inside a training fold."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import KNeighborsClassifier

import thetahat as th
from thetahat.comparison.options import typed_grids as typed
from thetahat.comparison.standardised import StandardisedTarget
from thetahat.comparison.tuning import Grid, Tuned, asked_grids, choose, with_parameters
from thetahat.contracts import Fit, Prediction, Sample, Status
from thetahat.deadline import Deadline, OutOfTime, within
from thetahat.errors import UsageError
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.measures.measure import Target
from thetahat.measures.registry import choose_measure
from thetahat.resampling.adapter import SklearnPredictor
from thetahat.svm.estimator import SupportVectorMachine

PRICES = Grid({"C": (0.01, 0.1, 1.0, 10.0)})
LOSSES = {
    **{name: choose_measure(name, Target("classification", ("a", "b"))) for name in ("error", "log-loss")},
    "squared-error": choose_measure("squared-error", Target("regression")),
}


@dataclass(frozen=True)
class Alone:
    """A learner that hides that it can share work."""

    learner: object
    C: float = 1.0

    def estimate(self, sample, *, rng):
        return with_parameters(self.learner, {"C": self.C}).estimate(sample, rng=rng)

    def predict(self, theta, X, /):
        return self.learner.predict(theta, X)


@dataclass(frozen=True)
class ByChance:
    """Classes by the sign of a random projection: there is nothing to learn, and much to choose from."""

    seed: int = 0

    def estimate(self, sample, *, rng):
        return Fit(np.random.default_rng(self.seed).normal(size=sample.X.shape[1]))

    def predict(self, theta, X, /):
        return Prediction((X @ theta > 0).astype(np.int64))


def classes(rows=120, seed=0, width=4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, width))
    return Sample(X, (X[:, 0] + X[:, 1] * rng.normal(size=rows) > 0).astype(np.int64))


@pytest.mark.parametrize(
    ("learner", "loss", "y"),
    [
        (Logistic(), "log-loss", None),
        (LeastSquares(), "squared-error", "numbers"),
        (SupportVectorMachine(2, "rbf"), "error", None),
        (SupportVectorMachine(None, "rbf"), "squared-error", "numbers"),
    ],
)
def test_tuning_by_shared_work_equals_tuning_by_refitting(learner, loss, y):
    sample = classes()
    if y:
        sample = replace(sample, y=sample.X[:, 0] ** 2 + sample.X[:, 1])
    one, other = (
        Tuned(each, PRICES, LOSSES[loss]).estimate(sample, rng=np.random.default_rng(3))
        for each in (learner, Alone(learner))
    )
    assert one.stats["choice"] == other.stats["choice"]
    at_one = Tuned(learner, PRICES, LOSSES[loss]).predict(one.theta, sample.X).value
    at_other = Tuned(Alone(learner), PRICES, LOSSES[loss]).predict(other.theta, sample.X).value
    np.testing.assert_allclose(at_one, at_other, rtol=1e-6, atol=1e-6)


def test_the_inner_losses_are_those_of_refitting_each_fold():
    sample = classes()
    loss = LOSSES["log-loss"]
    points = PRICES.points
    tuned, alone = Tuned(Logistic(), PRICES, loss), Tuned(Alone(Logistic()), PRICES, loss)
    draws = tuned._draws(sample, np.random.default_rng(0))
    found, _ = tuned._losses(sample, draws, points, np.random.default_rng(1))
    expected, _ = alone._losses(sample, draws, points, np.random.default_rng(1))
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    assert sorted(np.concatenate([draw.test for draw in draws])) == list(range(120))


def test_a_tie_goes_to_the_simpler_point():
    assert choose(np.array([[0.3, 0.2, 0.2], [0.3, 0.2, 0.2]]), "best") == 1


def test_the_one_standard_error_rule_takes_the_simplest_within_one_of_the_least():
    losses = np.array([[0.50, 0.33, 0.30], [0.52, 0.31, 0.28], [0.48, 0.31, 0.35]])
    assert choose(losses, "best") == 2
    # The least is 0.31 with a standard error of 0.021, and 0.3167 lies within it.
    assert choose(losses, "one-se") == 1


def test_rows_of_a_group_stay_together_in_the_inner_folds():
    group = np.repeat(np.arange(30), 4)
    sample = replace(classes(), group=group)
    draws = Tuned(Logistic(), PRICES, LOSSES["error"])._draws(sample, np.random.default_rng(0))
    assert draws
    for draw in draws:
        assert not set(group[draw.train]) & set(group[draw.test])


def test_rows_ordered_in_time_are_trained_on_before_they_are_predicted():
    sample = replace(classes(), time=np.arange(120)[::-1])
    draws = Tuned(Logistic(), PRICES, LOSSES["error"])._draws(sample, np.random.default_rng(0))
    assert draws
    for draw in draws:
        assert sample.time[draw.train].max() < sample.time[draw.test].min()


@dataclass(frozen=True)
class Counted:
    """A learner that never asks for the time; its fits are counted."""

    begun: list
    C: float = 1.0

    def estimate(self, sample, *, rng):
        self.begun.append(self.C)
        return Fit(0.0)

    def predict(self, theta, X, /):
        return Prediction(np.zeros(len(X), dtype=np.int64))


@dataclass(frozen=True)
class CountedTogether(Counted):
    """The same, and all values of C of a fold are one fit."""

    def prepare(self, sample):
        return self

    def capacities(self, estimators):
        return [each.C for each in estimators]

    def solve(self, draws, capacities, *, rngs):
        for _ in draws:
            self.begun.append(capacities)
            yield from [Fit(0.0) for _ in capacities]


@pytest.mark.parametrize(("kind", "whole"), [(Counted, 20), (CountedTogether, 5)])
@pytest.mark.parametrize("late", [True, False])
def test_no_fit_is_begun_after_the_deadline(kind, whole, late):
    fits = []
    tuned = Tuned(kind(fits), PRICES, LOSSES["error"])
    tuned.estimate(classes(), rng=np.random.default_rng(0))
    assert len(fits) == whole + 1
    fits.clear()
    # Late is before the fit to the whole sample.
    most = whole if late else 2
    with within(Deadline(most, lambda: len(fits))), pytest.raises(OutOfTime):
        tuned.estimate(classes(), rng=np.random.default_rng(0))
    assert len(fits) == most


def test_the_point_of_least_inner_loss_is_taken_with_all_rows():
    sample, loss = classes(), LOSSES["error"]
    grid = Grid({"n_neighbors": (90, 60, 1, 15)})
    tuned = Tuned(SklearnPredictor(KNeighborsClassifier(), 2), grid, loss)
    fit = tuned.estimate(sample, rng=np.random.default_rng(0))
    inner, _ = np.random.default_rng(0).spawn(2)
    draws = tuned._draws(sample, inner)
    losses, _ = tuned._losses(sample, draws, grid.points, inner)
    assert fit.stats["choice"] == losses.mean(axis=0).argmin() != 0
    assert fit.theta.theta.n_neighbors == grid.points[int(fit.stats["choice"])]["n_neighbors"]
    assert fit.theta.theta.n_samples_fit_ == 120


def test_a_learner_without_probabilities_cannot_be_tuned_by_log_loss():
    fit = Tuned(SupportVectorMachine(2), PRICES, LOSSES["log-loss"]).estimate(
        classes(), rng=np.random.default_rng(0)
    )
    assert fit.status is Status.FAILED
    assert "probabilities" in fit.detail


def test_on_pure_noise_tuning_inside_is_unbiased_and_tuning_outside_is_not():
    """The best of many settings on the rows that chose it looks better than chance; on others it is not."""
    grid, loss = Grid({"seed": tuple(range(40))}), LOSSES["error"]
    inside, outside = [], []
    for table in range(120):
        rng = np.random.default_rng(table)
        sample = Sample(rng.normal(size=(80, 5)), rng.integers(2, size=80))
        halves = rng.permutation(80).reshape(2, 40)
        errors = []
        for train, test in (halves, halves[::-1]):
            tuned = Tuned(ByChance(), grid, loss)
            fit = tuned.estimate(sample.take(train), rng=rng)
            new = sample.take(test)
            errors.append(loss.losses(new.y, tuned.predict(fit.theta, new.X)).mean())
        inside.append(np.mean(errors))
        rules = [ByChance(seed) for seed in range(40)]
        outside.append(
            min(
                loss.losses(sample.y, r.predict(r.estimate(sample, rng=rng).theta, sample.X)).mean()
                for r in rules
            )
        )
    se = np.std(inside) / np.sqrt(len(inside))
    assert abs(np.mean(inside) - 0.5) < 3 * se
    assert np.mean(outside) < 0.42


def test_a_standardised_target_does_not_change_with_its_unit():
    sample = replace(classes(), y=classes().X[:, 0] ** 2)
    X = sample.X[:5]
    values = []
    for unit, shift in ((1.0, 0.0), (1e6, 3e6)):
        learner = StandardisedTarget(SupportVectorMachine(None))
        fit = learner.estimate(replace(sample, y=sample.y * unit + shift), rng=np.random.default_rng(0))
        values.append((learner.predict(fit.theta, X).value - shift) / unit)
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6)


def test_a_grid_is_read_from_a_command_line_and_written_back():
    usual, grids = asked_grids(["none", "svm-rbf.C=0.1,1,10", "mlp.hidden_layer_sizes=(50,),(50, 50)"])
    assert not usual
    assert grids["svm-rbf"].points == [{"C": 0.1}, {"C": 1}, {"C": 10}]
    assert grids["mlp"].values["hidden_layer_sizes"] == ((50,), (50, 50))
    assert asked_grids("forest.max_features=sqrt,0.5")[1]["forest"].values["max_features"] == ("sqrt", 0.5)
    asked = {"forest": {"max_features": ("sqrt", 0.5)}}
    assert asked_grids(typed(asked))[1]["forest"].values["max_features"] == ("sqrt", 0.5)


@pytest.mark.parametrize("word", ["some", "C=1", "svm-rbf.C=", "svm-rbf.C", ".C=1"])
def test_what_is_no_grid_is_refused(word):
    with pytest.raises(UsageError, match="neither auto, none nor MODEL"):
        asked_grids(word)


def test_a_parameter_that_a_learner_lacks_is_named():
    with pytest.raises(UsageError, match="Logistic has no parameter 'gamma'; it has C"):
        with_parameters(Logistic(), {"gamma": 1})
    with pytest.raises(UsageError, match="KNeighborsClassifier has no parameter 'k'"):
        with_parameters(SklearnPredictor(KNeighborsClassifier(), 2), {"k": 1})


def test_a_comparison_says_what_tuning_chose_and_its_command_repeats_it():
    sample = classes(90)
    frame = pl.DataFrame({"y": sample.y}).with_columns(pl.Series(f"x{k}", sample.X[:, k]) for k in range(4))
    asked = ["logistic", ("near", KNeighborsClassifier())]
    result = th.compare(
        frame,
        "y",
        asked,
        resampling="cv:4",
        task="classification",
        tune={"near": {"n_neighbors": (15, 5, 1)}},
    )
    models = {model.name: model for model in result.record.models}
    near, logistic = models["near"].tuning, models["logistic"].tuning
    assert near.grid == {"n_neighbors": ("15", "5", "1")}
    assert sum(choice.draws for choice in near.choices) == 4
    assert len(logistic.grid["C"]) == 7
    assert models["dummy"].tuning is None
    assert "--tune near.n_neighbors=15,5,1" in result.record.provenance.command
    with pytest.raises(UsageError, match="tune: no model is called far"):
        th.compare(frame, "y", asked, tune={"far": {"C": (1,)}})
    plain = th.compare(frame, "y", ["logistic"], resampling="cv:4", task="classification", tune="none")
    assert all(model.tuning is None for model in plain.record.models)
    assert "--tune none" in plain.record.provenance.command


@pytest.mark.parametrize("times", [2, 3, 6, 7, 9, 10, 14, 15, 120])
def test_inner_folds_are_as_few_as_the_times_allow(times):
    sample = replace(classes(), time=np.arange(120) * times // 120)
    tuned = Tuned(Logistic(), PRICES, LOSSES["error"])
    draws = tuned._draws(sample, np.random.default_rng(0))
    assert bool(draws) == (times > 2)
    assert len(draws) <= 5
    assert tuned.estimate(sample, rng=np.random.default_rng(0)).status.ok


def test_inner_folds_are_none_where_one_group_is_all_there_is():
    sample = replace(classes(), group=np.zeros(120, dtype=int))
    tuned = Tuned(Logistic(), PRICES, LOSSES["error"])
    assert tuned._draws(sample, np.random.default_rng(0)) == []
    assert tuned.estimate(sample, rng=np.random.default_rng(0)).stats["choice"] == 0
