"""The point estimator underneath a public class predicts what the class itself predicts."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import thetahat as th
from thetahat.contracts import Draw, Sample, SharesCapacities
from thetahat.pca import classes
from thetahat.resampling.adapter import SklearnPredictor, point_estimator
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.replicate import replicate

RNG = np.random.default_rng(7)
N = 90
X = RNG.normal(size=(N, 4)) * [1.0, 3.0, 0.5, 1.0] + [0.0, 1.0, 0.0, -2.0]
ETA = X[:, 0] - 0.3 * X[:, 1] + RNG.normal(size=N)
TARGETS = {
    None: ETA,
    0: RNG.poisson(np.exp(0.3 * ETA)).astype(float),
    2: (ETA > 0).astype(int),
    3: np.digitize(ETA, [-0.5, 0.7]),
}
WEIGHT = RNG.uniform(0.5, 2.0, size=N)


@dataclass(frozen=True)
class Case:
    """A public learner, its target (None: numbers, 0: counts, K: classes) and whether it shares work."""

    learner: Any
    target: int | None
    shares: bool = True
    weighted: str = "sample_weight"
    fitted: dict[str, Any] = field(default_factory=dict)


CASES = {
    "linear": Case(th.LinearRegression(), None),
    "ridge": Case(th.Ridge(0.3, fit_intercept=False), None),
    "Poisson": Case(th.PoissonRegression(), 0),
    "Poisson, no penalty": Case(th.PoissonRegression(alpha=0), 0),
    "logistic": Case(th.LogisticRegression(C=0.5), 2),
    "softmax": Case(th.LogisticRegression(), 3),
    "SVC": Case(th.SVC(), 2),
    "SVC of three classes": Case(th.SVC(gamma="auto", C=4.0, shrinking=False), 3),
    "SVC, linear": Case(th.SVC(kernel="linear"), 2),
    "SVR": Case(th.SVR(epsilon=0.2), None),
    "SVR, hard": Case(th.SVR(kernel="poly", gamma=0.1, coef0=1.0, C=np.inf, epsilon=3.0), None),
    "network": Case(th.MLPClassifier((5,), max_iter=4), 2, shares=False),
    "network of three classes": Case(
        th.MLPClassifier((4, 3), hidden=["prelu", "tanh"], solver="lbfgs", max_iter=5), 3, shares=False
    ),
    "network of numbers": Case(
        th.MLPRegressor(
            hidden_layer_sizes=5, variance="per-example", early_stopping=True, dropout=0.1, max_iter=5
        ),
        None,
        shares=False,
    ),
    "network of counts": Case(
        th.MLPRegressor("poisson", solver="sgd", activation="logistic", max_iter=3, batch_size=30),
        0,
        shares=False,
    ),
    "descent": Case(th.SGDClassifier(alpha=0.01), 2, shares=False),
    "descent of three classes": Case(
        th.SGDClassifier("log_loss", learning_rate="constant", eta0=0.01, max_iter=5), 3, shares=False
    ),
    "descent of softmax": Case(
        th.SGDClassifier("log_loss", multi_class="multinomial", average=True, eta0="auto", max_iter=5),
        3,
        shares=False,
    ),
    "descent of clipped probabilities": Case(
        th.SGDClassifier("modified_huber", penalty="l1", alpha=0.01, early_stopping=True), 3, shares=False
    ),
    "descent of numbers": Case(th.SGDRegressor(eta0=1e-3), None, shares=False),
    "descent of counts": Case(
        th.SGDRegressor("poisson", learning_rate="constant", eta0=1e-3, batch_size=4, max_iter=9),
        0,
        shares=False,
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "weighted"),
    [(name, False) for name in CASES] + [(name, True) for name, case in CASES.items() if case.weighted],
)
def test_the_core_predicts_what_the_class_predicts(name, weighted):
    case = CASES[name]
    y, classes = TARGETS[case.target], case.target or None
    core = point_estimator(case.learner, classes)
    assert not isinstance(core, SklearnPredictor)
    assert isinstance(core, SharesCapacities) is case.shares
    sample = Sample(X[:70], y[:70], WEIGHT[:70] if weighted else None)
    said = core.predict(core.estimate(sample, rng=np.random.default_rng(5)).theta, X)
    # What the generator would give for the seed that is left open.
    seeds = {"random_state": int(np.random.default_rng(5).integers(2**31 - 1))}
    known = {key: value for key, value in seeds.items() if key in case.learner.get_params()}
    public = clone(case.learner).set_params(**{**known, **case.fitted})
    public.fit(sample.X, sample.y, **({case.weighted: sample.weight} if weighted else {}))
    near = partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12)
    near(said.value, public.predict(X))
    if hasattr(public, "predict_proba"):
        near(said.probability, public.predict_proba(X))
    elif classes:
        scores = public.decision_function(X)
        near(said.score if classes > 2 else said.score[:, 1], scores)


NO_EQUAL = {
    "weights of classes": (th.SVC(class_weight="balanced"), 2),
    "ties broken": (th.SVC(break_ties=True), 3),
    "a decision a pair": (th.SVC(decision_function_shape="ovo"), 3),
    "a callable kernel": (th.SVR(kernel=lambda X, Z: X @ Z.T), None),
    "a kernel matrix": (th.SVC(kernel="precomputed"), 2),
    "weights of classes of a network": (th.MLPClassifier(class_weight="balanced"), 2),
    "weights of classes of a descent": (th.SGDClassifier(class_weight={0: 2.0}), 2),
    "a checkpoint": (th.MLPRegressor(checkpoint="training"), None),
    "a generator for a seed": (th.MLPRegressor(random_state=np.random.RandomState(0)), None),
}


@pytest.mark.parametrize("name", NO_EQUAL)
def test_settings_without_an_equal_are_left_to_the_class(name):
    learner, classes = NO_EQUAL[name]
    assert isinstance(point_estimator(learner, classes), SklearnPredictor)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["network", "descent", "descent of numbers"])
def test_only_a_seed_left_open_is_drawn_from_the_generator(name):
    case = CASES[name]
    sample = Sample(X, TARGETS[case.target])

    def spread(learner):
        core = point_estimator(learner, case.target or None)
        fits = [core.estimate(sample, rng=np.random.default_rng(seed)) for seed in (0, 1)]
        one, two = (core.predict(fit.theta, X) for fit in fits)
        first, second = ((x.score if x.score is not None else x.probability) for x in (one, two))
        return float(np.abs(one.value - two.value if first is None else first - second).max())

    assert spread(clone(case.learner).set_params(random_state=3)) == 0
    assert spread(clone(case.learner)) > 0


def test_a_class_that_a_sample_lacks_keeps_its_place():
    core = point_estimator(th.SGDClassifier("log_loss", alpha=0.1), 3)
    rows = TARGETS[3] != 1
    fit = core.estimate(Sample(X[rows], TARGETS[3][rows]), rng=np.random.default_rng(0))
    said = core.predict(fit.theta, X)
    assert set(said.value) == {0, 2}
    np.testing.assert_array_equal(said.probability.argmax(axis=1), said.value)
    assert not said.probability[:, 1].any()


COUNTS = [0.5, 1, 0.95, 3]
SOLVERS = ["full", "auto", "covariance_eigh", "randomized"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("last", "target"), [(th.Ridge(), None), (th.LogisticRegression(), 3)])
def test_components_before_a_learner_are_one_point_estimator_that_shares_its_spectrum(
    last, target, solver, weighted
):
    counts = [1, 2, 3] if solver == "randomized" else COUNTS
    pipes = [
        Pipeline([("pca", th.PCA(count, svd_solver=solver, random_state=0)), ("last", last)])
        for count in counts
    ]
    cores = [point_estimator(pipe, target) for pipe in pipes]
    assert isinstance(cores[0], SharesCapacities)
    assert cores[0].capacities(cores) == counts
    y = TARGETS[target]
    sample = Sample(X, y, np.ceil(WEIGHT) if weighted else None)
    digits = 1e-8 if weighted else 1e-12
    draws = [Draw(np.arange(70), np.arange(70, N)), Draw(RNG.integers(N, size=N), np.arange(9))]
    shared = iter(cores[0].prepare(sample).solve(draws, counts))
    for draw in draws:
        train = sample.take(draw.train)
        for pipe, core in zip(pipes, cores, strict=True):
            # The class gives weights to its last step alone; the estimator counts rows in the components too.
            times = np.ones(len(train), dtype=int) if train.weight is None else train.weight.astype(int)
            pipe = clone(pipe).fit(np.repeat(train.X, times, axis=0), np.repeat(train.y, times))
            for fit in (core.estimate(train, rng=np.random.default_rng(0)), next(shared)):
                said = core.predict(fit.theta, X)
                np.testing.assert_allclose(said.value, pipe.predict(X), rtol=digits, atol=digits)
                if target:
                    np.testing.assert_allclose(said.probability, pipe.predict_proba(X), rtol=digits)


def test_a_draw_is_decomposed_once_for_all_numbers_of_components(monkeypatch):
    calls = []
    real = classes.by_singular_values
    monkeypatch.setattr(
        classes, "by_singular_values", lambda rows, **more: calls.append(1) or real(rows, **more)
    )
    cores = [
        point_estimator(Pipeline([("pca", th.PCA(count, svd_solver="full")), ("last", th.Ridge())]), None)
        for count in (1, 2, 3)
    ]
    draws = KFold(6).draws(Rows(N), rng=np.random.default_rng(0))
    done = replicate(
        cores[0],
        Sample(X, TARGETS[None]),
        draws,
        lambda fits, train, test: [fit.theta.components.n_components_ for fit in fits.theta],
        rng=np.random.default_rng(0),
        capacities=cores,
    )
    assert done.values == [[1, 2, 3]] * 6
    assert len(calls) == 6


def test_a_pipeline_with_another_step_is_left_to_itself():
    scaled = Pipeline([("scale", StandardScaler()), ("pca", th.PCA()), ("last", th.Ridge())])
    assert isinstance(point_estimator(scaled, None), SklearnPredictor)
    balanced = Pipeline([("pca", th.PCA()), ("last", th.LogisticRegression(class_weight="balanced"))])
    assert isinstance(point_estimator(balanced, 2), SklearnPredictor)


def test_a_capacity_curve_of_a_public_machine_shares_its_kernel_matrices(monkeypatch):
    def refit(*_):
        raise AssertionError("a draw was refitted from its rows")

    monkeypatch.setattr("thetahat.svm.estimator.train", refit)
    monkeypatch.setattr(th.SVC, "fit", refit)
    curve = th.capacity_curve(th.SVC(), "C", [0.1, 1.0], X, TARGETS[2], cv="cv:2x2")
    assert curve.draws == 4
