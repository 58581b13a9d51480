"""Capacity curves and learning curves: what they show, and what their bands hold."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier

import thetahat as th
from thetahat.contracts import Fit, Prediction
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, MeasureValue, Undefined
from thetahat.resampling.bands import critical_value
from thetahat.resampling.capacity import capacity_curve
from thetahat.resampling.learning import learning_curve
from thetahat.resampling.power_law import PowerLaw, RowsNeeded, fit_power_law


class RandomFeatures(RegressorMixin, BaseEstimator):
    """Least squares of minimum norm on random cosines."""

    def __init__(self, features=10, seed=0):
        self.features = features
        self.seed = seed

    def _map(self, X):
        rng = np.random.default_rng(self.seed)
        W, shift = rng.normal(size=(X.shape[1], 400)), rng.uniform(0, 2 * np.pi, 400)
        return np.cos(X @ W + shift)[:, : self.features]

    def fit(self, X, y):
        self.coef_ = np.linalg.pinv(self._map(X)) @ y
        return self

    def predict(self, X):
        return self._map(X) @ self.coef_


def smooth(rng, n=40):
    X = rng.normal(size=(n, 5))
    return X, np.sin(X[:, 0]) + X[:, 1] + 0.3 * rng.normal(size=n)


def test_double_descent_at_the_interpolation_threshold():
    X, y = smooth(np.random.default_rng(9), 300)
    found = capacity_curve(
        RandomFeatures(), "features", [5, 15, 30, 40, 60, 150, 400], X, y, population=smooth, draws=25
    )
    error, variance, train = (found.estimate[n] for n in ("held_out_error", "variance", "train_error"))
    assert error.argmax() == variance.argmax() == 3
    assert error[6] < error[3] / 4
    assert (train[4:] < 1e-12).all()
    assert error[1] < error[2] < error[3]


def test_ridge_has_the_classical_u():
    rng = np.random.default_rng(0)
    X, y = load_diabetes(return_X_y=True)
    X = np.column_stack([X / X.std(axis=0), rng.normal(size=(442, 100))])
    found = capacity_curve(th.Ridge(), "alpha", np.geomspace(0.1, 1e5, 9).tolist(), X, y, cv="cv:4x5")
    error = found.estimate["held_out_error"]
    assert 0 < error.argmin() < 8
    assert error[0] > error.min() < error[-1]
    assert found.best == found.values[error.argmin()]
    assert (np.diff(found.estimate["variance"]) < 0.1).all()
    assert (np.diff(found.estimate["train_error"]) > 0).all()


def test_the_terms_add_to_the_held_out_error_at_every_value():
    X, y = load_wine(return_X_y=True)
    for metric in ("zero-one", "log"):
        found = capacity_curve(
            KNeighborsClassifier(), "n_neighbors", [3, 10, 40], X, y, cv="cv:3x4", metric=metric
        )
        total = found.estimate["bias2"] + found.estimate["variance"]
        np.testing.assert_allclose(total, found.estimate["held_out_error"], rtol=1e-10)
    table = found.table()
    assert list(table)[:4] == ["value", "train_error", "train_error_lower", "train_error_upper"]
    assert table["value"] == [3, 10, 40]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_held_out_loss_that_is_no_number_is_named():
    X, y = smooth(np.random.default_rng(0), 120)
    X[3, 1] = 1e200
    for curve in (
        lambda: capacity_curve(th.Ridge(), "alpha", [1.0], X, y, cv="cv:3x2"),
        lambda: learning_curve(th.Ridge(), X, y, cv="cv:3x2"),
    ):
        with pytest.raises(UsageError, match="squared loss is beyond the largest number"):
            curve()


@pytest.mark.parametrize("curve", [capacity_curve, learning_curve])
def test_probabilities_that_are_no_numbers_are_named(curve):
    class Lost(DummyClassifier):
        def predict_proba(self, X):
            return np.where(X[:, :1] > 1, np.nan, 0.5) * np.ones(2)

    X, y = smooth(np.random.default_rng(0), 120)
    grid = ("random_state", [0, 1]) if curve is capacity_curve else ()
    with pytest.raises(UsageError, match="^estimator: its predictions are not finite"):
        curve(Lost(), *grid, X, (y > 0).astype(int), metric="log", cv="cv:3x2")


def test_shared_work_over_the_capacity_equals_refitting():
    X, y = load_diabetes(return_X_y=True)
    values = [0.01, 1.0, 100.0]
    one = capacity_curve(th.Ridge(), "alpha", values, X, y, cv="cv:2x5")
    other = capacity_curve(Ridge(tol=1e-12), "alpha", values, X, y, cv="cv:2x5")
    for name, value in one.estimate.items():
        np.testing.assert_allclose(value, other.estimate[name], rtol=1e-7)
        np.testing.assert_allclose(one.se[name], other.se[name], rtol=1e-5)


def test_the_band_over_a_grid_is_sidaks_for_independent_points_and_free_for_equal_ones():
    rng = np.random.default_rng(0)
    independent = critical_value(np.eye(8), 0.95, np.inf, rng)
    assert independent == pytest.approx(stats.norm.ppf(0.5 + 0.95 ** (1 / 8) / 2), abs=0.04)
    equal = critical_value(np.full((8, 8), 4.0), 0.95, 9.0, rng)
    assert equal == pytest.approx(stats.t.ppf(0.975, 9), abs=0.06)


def test_the_bands_hold_over_the_whole_grid_of_polynomials_in_noise():
    """Held-out error of ridge on fresh samples: the truth by two thousand other training sets."""
    values = [0.1, 3.0, 30.0, 300.0]

    def population(rng, n=40):
        X = rng.normal(size=(n, 8))
        return X, X[:, 0] + 0.5 * X[:, 1] ** 2 + rng.normal(size=n)

    rng = np.random.default_rng(1)
    X, y = population(rng, 4000)
    exact = capacity_curve(th.Ridge(), "alpha", values, X, y, population=population, draws=2000, rng=rng)
    covered = dict.fromkeys(exact.estimate, 0)
    runs = 60
    for run in range(runs):
        rng = np.random.default_rng(100 + run)
        X, y = population(rng, 300)
        found = capacity_curve(th.Ridge(), "alpha", values, X, y, population=population, draws=30, rng=rng)
        for name in covered:
            inside = (found.lower[name] <= exact.estimate[name]) & (exact.estimate[name] <= found.upper[name])
            covered[name] += inside.all()
    for name, count in covered.items():
        assert count / runs >= 0.95 - 4 * np.sqrt(0.05 * 0.95 / runs), (name, count / runs)
        # Each point alone at the same width would be missed less often than the whole band.
        assert (found.upper[name] - found.estimate[name] >= 1.96 * found.se[name]).all()


def test_the_power_law_is_found_again():
    sizes = np.array([10, 20, 40, 80, 160, 320, 640])
    mean = 2.0 + 0.5 * (sizes / 640) ** -0.7
    law = fit_power_law(sizes, mean, np.eye(7) * 1e-8, True, np.random.default_rng(0))
    assert law.a[0] == pytest.approx(2.0, abs=0.02)
    assert law.b[0] == pytest.approx(0.5, abs=0.02)
    assert law.c[0] == pytest.approx(0.7, rel=0.03)
    assert law.reach(2.25)[0] == pytest.approx(640 * 0.5 ** (-1 / 0.7), rel=0.05)
    assert np.isinf(law.reach(1.9)[0])


def test_the_interval_of_an_extrapolation_covers_the_truth_of_least_squares():
    """E[error] of least squares on p normal columns and n rows is σ² (n − 1)(n + 1) / (n (n − p − 2))."""
    p = 5
    truth = 199 * 201 / (200 * (200 - p - 2))
    covered, runs = 0, 40
    for run in range(runs):
        rng = np.random.default_rng(run)
        X = rng.normal(size=(100, p))
        y = X[:, 0] + rng.normal(size=100)
        curve = learning_curve(th.LinearRegression(), X, y, [15, 22, 33, 50, 80], cv="cv:4x5", rng=rng)
        _, low, high = curve.predict(200)
        covered += low <= truth <= high
    assert covered / runs >= 0.95 - 4 * np.sqrt(0.05 * 0.95 / runs)


def test_a_learning_curve_of_classes_falls_and_its_table_holds_it():
    X, y = load_wine(return_X_y=True)
    curve = learning_curve(KNeighborsClassifier(3), X, y, [12, 30, 60, 120], cv="cv:3x5")
    assert curve.metric == "zero-one"
    error = curve.estimate["held_out_error"]
    assert error[0] > error[-1]
    assert list(curve.table()) == [
        "n",
        "train_error",
        "train_error_lower",
        "train_error_upper",
        "held_out_error",
        "held_out_error_lower",
        "held_out_error_upper",
    ]
    low, high = curve.predict(500)[1:]
    assert low <= curve.predict(500)[0] <= high
    needed = curve.rows_for(float(error[0]))
    assert needed.low <= needed.rows <= needed.high
    assert needed.rows < 60


def test_a_gap_that_is_there_is_decided_sooner_than_one_that_is_not():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 6))
    y = X[:, 0] + rng.normal(size=200)
    real = learning_curve(th.Ridge(1.0), X, y, against=th.Ridge(1000.0), cv="cv:3x5")
    assert real.rows_to_decide().rows == pytest.approx(160, rel=0.05)
    none = learning_curve(th.Ridge(1.0), X, y, against=th.Ridge(1.01), cv="cv:3x5")
    assert none.rows_to_decide().rows > 160
    with pytest.raises(UsageError, match="give learning_curve an against"):
        learning_curve(th.Ridge(1.0), X, y, cv="cv:1x5").rows_to_decide()


def test_rows_needed_reads_as_a_sentence():
    assert str(RowsNeeded(672.0, 86.0, np.inf)) == "about 672 rows (86 to no limit)"
    assert str(RowsNeeded(np.inf, 900.0, np.inf)).startswith("no number of rows")
    assert PowerLaw(np.array([1.0]), np.array([1.0]), np.array([1.0]), 10.0)(20.0)[0] == 1.5


def test_the_plots_say_what_they_show():
    X, y = load_diabetes(return_X_y=True)
    ax = capacity_curve(th.Ridge(), "alpha", [0.01, 1.0, 100.0], X, y, cv="cv:2x3").plot()
    assert ax.get_title(loc="left").startswith("Held-out error is least at alpha = ")
    assert ax.get_xscale() == "log"
    curve = learning_curve(th.Ridge(0.01), X, y, cv="cv:2x3")
    assert "asks for about" in curve.plot(goal=3200).get_title(loc="left")
    assert curve.plot(until=5000).get_title(loc="left").startswith("At 5\N{THIN SPACE}000 rows")


def area(y, prediction, weight):
    """AUC of two classes with the influence of each row (DeLong)."""
    score = prediction.probability[:, 1]
    if len(np.unique(y)) < 2:
        raise Undefined("all rows are of one class")
    ahead, behind = score[y == 1], score[y == 0]
    wins = (ahead[:, None] > behind) + 0.5 * (ahead[:, None] == behind)
    influence = np.empty(len(y))
    influence[y == 1] = (wins.mean(axis=1) - wins.mean()) * len(y) / len(ahead)
    influence[y == 0] = (wins.mean(axis=0) - wins.mean()) * len(y) / len(behind)
    return MeasureValue(float(wins.mean()), influence)


AREA = Measure(
    "area", "AUC", "probability", "classification", whole=area, higher_is_better=True, bounds=(0.0, 1.0)
)


def two_classes(rng, n=200):
    X = rng.normal(size=(n, 6))
    return X, (X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=n) > 0).astype(int)


def test_a_measure_of_a_set_has_a_curve_of_two_scores_and_its_best_is_the_greatest():
    X, y = two_classes(np.random.default_rng(0))
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    found = capacity_curve(LogisticRegression(), "C", [1e-4, 0.1, 10.0], X, y, metric=AREA, cv=folds)
    assert list(found.estimate) == ["train_error", "held_out_error"]
    assert "area has no bias² and variance" in found.notice
    assert found.metric == "area"
    assert found.best == found.values[found.estimate["held_out_error"].argmax()]
    expected = np.mean(
        [
            roc_auc_score(y[test], LogisticRegression(C=0.1).fit(X[a], y[a]).predict_proba(X[test])[:, 1])
            for a, test in folds
        ]
    )
    assert found.estimate["held_out_error"][1] == pytest.approx(expected, rel=1e-9)
    assert list(found.table()) == [
        "value",
        *(f"{name}{end}" for name in ("train_error", "held_out_error") for end in ("", "_lower", "_upper")),
    ]
    ax = found.plot()
    assert ax.get_title(loc="left").startswith("Held-out score is greatest at C = ")
    assert "higher is better" in ax.get_ylabel()


def test_a_loss_without_a_decomposition_has_a_curve_of_two_errors():
    X, y = load_diabetes(return_X_y=True)
    found = capacity_curve(th.Ridge(), "alpha", [0.01, 100.0], X, y, metric="mae", cv="cv:2x3")
    assert list(found.estimate) == ["train_error", "held_out_error"]
    assert found.metric == "absolute-error"
    assert found.best == 0.01


@pytest.mark.parametrize(
    ("names", "metric"),
    [(("auto", "squared", "mse", "squared-error"), "squared"), (("zero-one", "error"), "zero-one")],
)
def test_names_of_one_measure_give_one_curve(names, metric):
    X, y = smooth(np.random.default_rng(0), 60)
    y = y if metric == "squared" else (y > 0).astype(int)
    learner = th.Ridge() if metric == "squared" else th.LogisticRegression()
    name = "alpha" if metric == "squared" else "C"
    curves = [capacity_curve(learner, name, [0.1, 10.0], X, y, metric=each, cv="cv:2x3") for each in names]
    assert {curve.metric for curve in curves} == {metric}
    assert all(curve.table() == curves[0].table() for curve in curves)


def test_whole_numbers_are_numbers_for_a_measure_of_numbers():
    X, y = smooth(np.random.default_rng(0), 60)
    y = np.round(y).astype(int)
    for metric in ("squared", "absolute-error"):
        found = capacity_curve(th.Ridge(), "alpha", [1.0], X, y, metric=metric, cv="cv:2x3")
        other = capacity_curve(th.Ridge(), "alpha", [1.0], X, y.astype(float), metric=metric, cv="cv:2x3")
        # Folds of whole numbers are not stratified either.
        assert found.table() == other.table()


def test_the_error_of_a_set_measure_on_fresh_samples_includes_that_of_the_rows_predicted():
    def curve(n):
        X, y = two_classes(np.random.default_rng(1), n)
        return capacity_curve(
            LogisticRegression(), "C", [1.0], X, y, metric=AREA, population=two_classes, draws=10
        ).se["held_out_error"][0]

    assert curve(100) > 2.5 * curve(10_000)


def test_a_draw_on_which_a_measure_has_no_value_is_named_with_the_cure():
    X, y = two_classes(np.random.default_rng(0), 40)
    order = np.argsort(y, kind="stable")
    with pytest.raises(
        UsageError, match="^metric: area has no value on .* all rows are of one class; hold out"
    ):
        capacity_curve(LogisticRegression(), "C", [1.0], X[order], y[order], metric=AREA, cv=KFold(20))
    with pytest.raises(UsageError, match="^metric: area has no value on"):
        learning_curve(LogisticRegression(), X[order], y[order], [12, 20, 30], metric=AREA, cv=KFold(20))


def test_folds_that_hold_no_row_out_twice_give_the_errors_and_say_why_there_is_no_more():
    X, y = load_diabetes(return_X_y=True)
    found = capacity_curve(th.Ridge(), "alpha", [0.1, 10.0], X, y, cv=KFold(10))
    assert list(found.estimate) == ["train_error", "held_out_error"]
    assert "no rows are held out twice; repeat the folds, as cv:5x10" in found.notice
    expected = [
        np.mean(
            [np.mean((y[t] - Ridge(alpha).fit(X[a], y[a]).predict(X[t])) ** 2) for a, t in KFold(10).split(X)]
        )
        for alpha in (0.1, 10.0)
    ]
    np.testing.assert_allclose(found.estimate["held_out_error"], expected, rtol=1e-8)


def test_terms_are_those_of_the_rows_that_are_held_out_twice():
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:80], y[:80]
    splits = ShuffleSplit(6, test_size=0.3, random_state=0)
    found = capacity_curve(th.Ridge(), "alpha", [0.1], X, y, cv=splits)
    held = np.bincount(np.concatenate([test for _, test in splits.split(X)]), minlength=80)
    assert (
        found.notice == f"bias² and variance leave out {np.sum(held == 1)} rows that are held out only once"
    )
    assert found.rows == np.sum(held > 0)
    often = np.flatnonzero(held >= 2)
    predictions = np.full((6, 80), np.nan)
    for number, (train, test) in enumerate(splits.split(X)):
        predictions[number, test] = Ridge(0.1).fit(X[train], y[train]).predict(X[test])
    variance = np.nanvar(predictions[:, often], axis=0, ddof=1).mean()
    assert found.estimate["variance"][0] == pytest.approx(variance, rel=1e-8)


def test_every_form_of_draws_gives_a_curve():
    X, y = load_diabetes(return_X_y=True)
    folds = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    tables = [
        capacity_curve(th.Ridge(), "alpha", [1.0], X, y, cv=cv).table()
        for cv in (folds, list(folds.split(X)))
    ]
    assert tables[0] == tables[1]
    assert capacity_curve(th.Ridge(), "alpha", [1.0], X, y, cv=3).draws == 30
    curves = [learning_curve(th.Ridge(), X, y, cv=cv).table() for cv in (folds, list(folds.split(X)))]
    assert curves[0] == curves[1]


def test_a_curve_is_the_same_for_any_number_of_workers():
    learner = KNeighborsClassifier()
    X, y = load_wine(return_X_y=True)
    one, two = (
        capacity_curve(learner, "n_neighbors", [1, 5], X, y, cv="cv:2x3", metric="log", jobs=jobs).table()
        for jobs in (1, 2)
    )
    assert one == two
    one, two = (
        learning_curve(learner, X, y, [30, 60, 90], cv="cv:2x3", against=DummyClassifier(), jobs=jobs).table()
        for jobs in (1, 2)
    )
    assert one == two


@dataclass(frozen=True)
class Level:
    """Predicts a share of the mean of y; one preparation serves every share."""

    share: float = 1.0
    prepared: ClassVar[list] = []

    def estimate(self, sample, *, rng):
        return Fit(self.share * sample.y.mean())

    def predict(self, theta, X, /):
        return Prediction(np.full(X.shape[0], theta))

    def prepare(self, sample):
        self.prepared.append(self.share)
        return Levels(sample)

    def capacities(self, estimators, /):
        return [each.share for each in estimators] if all(isinstance(e, Level) for e in estimators) else None


class Levels:
    def __init__(self, sample):
        self.sample = sample

    def solve(self, draws, capacities, *, rngs):
        for draw in draws:
            mean = self.sample.y[draw.train].mean()
            yield from (Fit(share * mean) for share in capacities)


def test_curves_share_the_work_of_capacities():
    X, y = smooth(np.random.default_rng(0), 60)
    y = y + 5
    Level.prepared.clear()
    found = capacity_curve(Level(), "share", [0.5, 1.0, 1.5], X, y, cv="cv:2x3")
    curve = learning_curve(Level(1.0), X, y, [10, 20, 30], against=Level(0.9), cv="cv:2x3")
    assert Level.prepared == [0.5, 1.0]
    assert found.best == 1.0
    assert (curve.estimate["gap"] < 0).all()


def test_the_law_of_a_score_is_that_of_its_distance_from_the_best():
    X, y = two_classes(np.random.default_rng(0), 400)
    shortfall = Measure(
        "shortfall",
        "1 - AUC",
        "probability",
        "classification",
        whole=lambda y, p, w: MeasureValue(1 - area(y, p, w).value, -area(y, p, w).influence),
        bounds=(0.0, 1.0),
    )
    options = {"sizes": [20, 40, 80, 160, 300], "cv": "cv:2x4"}
    score, loss = (
        learning_curve(LogisticRegression(), X, y, metric=each, rng=np.random.default_rng(1), **options)
        for each in (AREA, shortfall)
    )
    assert score.higher_is_better
    assert not loss.higher_is_better
    for n in (300, 5000):
        (at, low, high), (other, other_low, other_high) = score.predict(n), loss.predict(n)
        assert at == pytest.approx(1 - other, abs=0.01)
        assert low == pytest.approx(1 - other_high, abs=0.03)
        assert high == pytest.approx(1 - other_low, abs=0.03)
        assert low <= at <= high <= 1
    assert score.predict(5000)[0] > score.predict(20)[0]
    middle = float(score.estimate["held_out_error"][1])
    assert score.rows_for(middle).rows == pytest.approx(loss.rows_for(1 - middle).rows, rel=0.1)
    assert np.isinf(score.rows_for(1.01).rows)
    assert "score" in score.plot().get_legend().get_texts()[0].get_text()


def test_a_score_without_a_bound_has_a_law_that_may_pass_any_level():
    sizes = np.array([10, 20, 40, 80, 160])
    loss = -3.0 + 2.0 * (sizes / 160) ** -0.5
    law = fit_power_law(sizes, loss, np.eye(5) * 1e-8, True, np.random.default_rng(0), bounded=False)
    assert law.a[0] == pytest.approx(-3.0, abs=0.05)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda X, y: capacity_curve(Ridge(), "alfa", [1], X, y), "Ridge has no 'alfa'"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [], X, y), "values: name at least one"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, cv="holdout:0.2"), "at least 2 draws"),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, metric="aux"),
            "^metric: there is no 'aux'",
        ),
        (
            lambda X, y: capacity_curve(Ridge, "alpha", [1], X, y),
            r"^estimator: Ridge is a class; .* Ridge\(\)",
        ),
        (lambda X, y: capacity_curve(None, "alpha", [1], X, y), "^estimator: None has no fit"),
        (lambda X, y: capacity_curve(Ridge(), ["alpha"], [1], X, y), "^parameter: Ridge has no"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", 1.0, X, y), "^values: a list of values"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", "auto", X, y), "^values: a list of values"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, metric=None), "^metric: .*give a name"),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, metric=Measure),
            "^metric: Measure is a class",
        ),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, metric="log"),
            "^metric: log needs probabilities",
        ),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, cv=KFold), r"^cv: KFold is a class"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, cv=1), "^cv: cross-validation takes"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, population=3), "^population: a function"),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, cv=5, population=smooth),
            "^cv: with population",
        ),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, population=smooth, draws=2),
            "^draws: must be",
        ),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, population=lambda rng: X),
            r"^population: must give \(X, y\)",
        ),
        (
            lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, population=lambda rng: (X, y[:-1])),
            "^population: must give X of shape",
        ),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, level=95), "^level: must lie"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, jobs=0), "^jobs: a number"),
        (lambda X, y: capacity_curve(Ridge(), "alpha", [1], X, y, rng=3), "^rng: a numpy Generator"),
        (lambda X, y: learning_curve(Ridge, X, y), "^estimator: Ridge is a class"),
        (lambda X, y: learning_curve(Ridge(), X, y, against=Ridge), "^estimator: Ridge is a class"),
        (lambda X, y: learning_curve(Ridge(), X, y, [10, 20.5, 30]), "^sizes: a list of whole numbers"),
        (lambda X, y: learning_curve(Ridge(), X, y, 30), "^sizes: a list of whole numbers"),
        (lambda X, y: learning_curve(Ridge(), X, y, metric=None), "^metric: .*give a name"),
        (lambda X, y: learning_curve(Ridge(), X, y, cv=True), "^cv: a plan such as"),
        (lambda X, y: learning_curve(Ridge(), X, y, [10, 20]), "at least three different"),
        (lambda X, y: learning_curve(Ridge(), X, y, [10, 20, 9999]), "the rows that train"),
        (lambda X, y: learning_curve(Ridge(), X[:20], y[:20]), "needs more rows"),
        (lambda X, y: learning_curve(Ridge(), X, y, cv="holdout:0.2"), "at least 3 draws"),
    ],
)
def test_what_cannot_be_meant_is_named(call, said):
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(UsageError, match=said):
        call(X, y)
