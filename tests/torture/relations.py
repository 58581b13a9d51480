"""What must hold by theory between two fits of every learner: no reference is needed, only a second fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

import numpy as np
from numpy.random import Generator
from sklearn import decomposition, linear_model, svm
from sklearn.base import clone

import thetahat as th
from tests.learners import LEARNERS
from tests.torture.trials import Part, Trial, spoken

__all__ = ["PARTS", "RELATIONS"]

# What a second fit may differ by, relative to the largest value: a direct solution by its condition; a
# likelihood by its tolerance in standard errors; a machine by the root of its duality gap, its distance to
# the optimum; steps that are the same steps by the order of their sums, or not at all.
DIRECT, LIKELIHOOD, MACHINE, STEPS, BITS = 1e-9, 1e-7, 1e-4, 1e-9, 1e-15
FAMILIES = {
    "LinearRegression": DIRECT,
    "Ridge": DIRECT,
    "PCA": DIRECT,
    "IncrementalPCA": DIRECT,
    "KernelPCA": DIRECT,
    "PoissonRegression": LIKELIHOOD,
    "LogisticRegression": LIKELIHOOD,
    "SVC": MACHINE,
    "SVR": MACHINE,
    "OneClassSVM": MACHINE,
    "SGDClassifier": STEPS,
    "SGDRegressor": STEPS,
    "MLPClassifier": BITS,
    "MLPRegressor": BITS,
}
PEERS = {
    "LinearRegression": linear_model.LinearRegression,
    "Ridge": linear_model.Ridge,
    "PoissonRegression": linear_model.PoissonRegressor,
    "LogisticRegression": linear_model.LogisticRegression,
    "SVC": svm.SVC,
    "SVR": svm.SVR,
    "OneClassSVM": svm.OneClassSVM,
    "PCA": decomposition.PCA,
    "IncrementalPCA": decomposition.IncrementalPCA,
    "KernelPCA": decomposition.KernelPCA,
}
BATCHED = ("SGDClassifier", "SGDRegressor", "MLPClassifier", "MLPRegressor")
COMPONENTS = ("PCA", "IncrementalPCA", "KernelPCA")
CLASSIFIERS = ("LogisticRegression", "SVC", "SGDClassifier", "MLPClassifier")
REGRESSORS = ("LinearRegression", "Ridge", "SVR")
KERNELS = ("SVC", "SVR", "OneClassSVM")


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows, a target, weights or none, rows to predict, and settings of the learner that differ."""

    X: Any
    y: Any
    probe: Any
    weight: Any = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Relation:
    """A change of the problem, and what it does to the answer.

    Parameters
    ----------
    change : callable
        From a generator, a learner and a problem to the first problem, the second, and what turns the first
        answer into the second.
    holds : callable
        Of which learners, by the name of the class and the estimator.
    """

    change: Callable[[Generator, Any, Problem], tuple[Problem, Problem, Callable[[Any], Any]]]
    holds: Callable[[str, Any], bool]


def same(answer: Any) -> Any:
    return answer


def _takes(one: Problem, **changes: Any) -> Problem:
    parts = {name: getattr(one, name) for name in ("X", "y", "probe", "weight", "settings")}
    return Problem(**{**parts, **changes})


def row_permutation(rng: Generator, learner: Any, one: Problem) -> Any:
    order = rng.permutation(len(one.X))
    weight = None if one.weight is None else one.weight[order]
    return one, _takes(one, X=one.X[order], y=one.y[order], weight=weight), same


def repetition(rng: Generator, learner: Any, one: Problem) -> Any:
    counts = rng.integers(1, 4, len(one.X))
    rows = np.repeat(np.arange(len(one.X)), counts)
    weighed = _takes(one, weight=counts.astype(float))
    return weighed, _takes(one, X=one.X[rows], y=one.y[rows], weight=None), same


def zero_weight(rng: Generator, learner: Any, one: Problem) -> Any:
    weight = np.r_[np.ones(len(one.X)), np.zeros(3)]
    X = np.vstack([one.X, rng.normal(size=(3, one.X.shape[1])) * 100])
    return one, _takes(one, X=X, y=np.r_[one.y, one.y[:3][::-1]], weight=weight), same


# What a penalty becomes where every weight is c times as large.
PRICE = {
    "Ridge": ("alpha", 1),
    "LogisticRegression": ("C", -1),
    "SVC": ("C", -1),
    "SVR": ("C", -1),
    "MLPClassifier": ("alpha", 1),
    "MLPRegressor": ("alpha", 1),
}


def weight_scale(rng: Generator, learner: Any, one: Problem) -> Any:
    c = 2.0 ** rng.integers(-3, 4)
    weight = rng.uniform(0.5, 2, len(one.X))
    settings = {}
    if type(learner).__name__ in PRICE:
        name, power = PRICE[type(learner).__name__]
        settings[name] = getattr(learner, name) * c**power
    first = _takes(one, weight=weight)
    return first, _takes(one, weight=c * weight, settings={**one.settings, **settings}), same


def column_scale(rng: Generator, learner: Any, one: Problem) -> Any:
    size = 10.0 ** rng.uniform(-3, 3, one.X.shape[1])
    return one, _takes(one, X=one.X * size, probe=one.probe * size), same


def common_scale(rng: Generator, learner: Any, one: Problem) -> Any:
    """Scale all columns alike; a penalty, a kernel's width and variances follow."""
    c, name = 10.0 ** rng.uniform(-3, 3), type(learner).__name__
    settings: dict[str, Any] = {}
    turn: Callable[[Any], Any] = same
    if name == "Ridge":
        settings["alpha"] = learner.alpha * c**2
    elif name == "LogisticRegression":
        settings["C"] = learner.C / c**2
    elif name == "PoissonRegression":
        settings["alpha"] = learner.alpha * c**2
    elif name in KERNELS:
        settings |= {"C": learner.C / c**2} if getattr(learner, "kernel", "") == "linear" else {}
    elif name in ("PCA", "IncrementalPCA"):
        turn = partial(np.multiply, c**2)
    return one, _takes(one, X=c * one.X, probe=c * one.probe, settings={**one.settings, **settings}), turn


def target_scale(rng: Generator, learner: Any, one: Problem) -> Any:
    c, shift = 10.0 ** rng.uniform(-3, 3), float(rng.normal() * 10)
    shift = shift if getattr(learner, "fit_intercept", True) else 0.0
    settings = {"C": learner.C * c, "epsilon": learner.epsilon * c} if type(learner).__name__ == "SVR" else {}
    second = _takes(one, y=c * one.y + shift, settings={**one.settings, **settings})
    return one, second, lambda answer: c * answer + shift


def translation(rng: Generator, learner: Any, one: Problem) -> Any:
    shift = rng.normal(size=one.X.shape[1]) * 10
    if getattr(learner, "gamma", None) == "scale":
        shift = np.full_like(shift, shift[0])
    return one, _takes(one, X=one.X + shift, probe=one.probe + shift), same


def column_permutation(rng: Generator, learner: Any, one: Problem) -> Any:
    order = rng.permutation(one.X.shape[1])
    return one, _takes(one, X=one.X[:, order], probe=one.probe[:, order]), same


def reflection(rng: Generator, learner: Any, one: Problem) -> Any:
    sign = rng.choice([-1.0, 1.0], one.X.shape[1])
    if getattr(learner, "gamma", None) == "scale":
        # The variance of all numbers together changes with the sign of some.
        one = _takes(one, settings={**one.settings, "gamma": 0.3})
    return one, _takes(one, X=one.X * sign, probe=one.probe * sign), same


def rotation(rng: Generator, learner: Any, one: Problem) -> Any:
    Q = np.linalg.qr(rng.normal(size=(one.X.shape[1],) * 2))[0]
    if type(learner).__name__ in KERNELS:
        one = _takes(one, settings={**one.settings, "gamma": 0.3})
    return one, _takes(one, X=one.X @ Q, probe=one.probe @ Q), same


def constant_column(rng: Generator, learner: Any, one: Problem) -> Any:
    c = float(rng.normal() * 3)
    X, probe = (np.column_stack([rows, np.full(len(rows), c)]) for rows in (one.X, one.probe))
    if type(learner).__name__ in KERNELS:
        one = _takes(one, settings={**one.settings, "gamma": 0.3})
    if type(learner).__name__ == "KernelPCA" and learner.kernel == "rbf":
        one = _takes(one, settings={**one.settings, "gamma": 0.3})
    return one, _takes(one, X=X, probe=probe, settings=one.settings), same


def relabelling(rng: Generator, learner: Any, one: Problem) -> Any:
    names = np.array(sorted("pear apple fig plum".split()))
    return one, _takes(one, y=names[one.y]), same


def swapped_classes(rng: Generator, learner: Any, one: Problem) -> Any:
    top = int(one.y.max())
    negated = top == 1 and type(learner).__name__ == "SVC"
    return one, _takes(one, y=top - one.y), (np.negative if negated else lambda answer: answer[:, ::-1])


def _penalty_free(name: str, learner: Any) -> bool:
    return name == "LinearRegression" and not learner.positive


def _not_batched(name: str, learner: Any) -> bool:
    return name not in BATCHED


def _weighed(name: str, learner: Any) -> bool:
    return name not in (*BATCHED, *COMPONENTS, "OneClassSVM")


def _with_intercept(name: str, learner: Any) -> bool:
    return getattr(learner, "fit_intercept", True) and not getattr(learner, "positive", False)


RELATIONS: dict[str, Relation] = {
    "rows in another order": Relation(row_permutation, _not_batched),
    "a weight is a repetition": Relation(repetition, _weighed),
    "a weight of 0 is an absent row": Relation(zero_weight, _weighed),
    "all weights larger": Relation(
        weight_scale,
        lambda name, learner: name not in (*COMPONENTS, "OneClassSVM", "SGDClassifier", "SGDRegressor"),
    ),
    "each column in another unit": Relation(column_scale, _penalty_free),
    "all columns in another unit": Relation(
        common_scale,
        lambda name, learner: name not in (*BATCHED, "KernelPCA") and not getattr(learner, "whiten", False),
    ),
    "the target in another unit": Relation(target_scale, lambda name, learner: name in REGRESSORS),
    "rows moved": Relation(
        translation,
        lambda name, learner: _not_batched(name, learner) and getattr(learner, "fit_intercept", True),
    ),
    "columns in another order": Relation(
        column_permutation, lambda name, learner: name not in ("MLPClassifier", "MLPRegressor")
    ),
    "columns of another sign": Relation(
        reflection,
        lambda name, learner: (
            name not in ("MLPClassifier", "MLPRegressor") and not getattr(learner, "positive", False)
        ),
    ),
    "a rotation": Relation(
        rotation,
        lambda name, learner: _not_batched(name, learner) and not getattr(learner, "positive", False),
    ),
    "a constant column more": Relation(
        constant_column,
        lambda name, learner: (
            _not_batched(name, learner)
            and _with_intercept(name, learner)
            and not getattr(learner, "whiten", False)
        ),
    ),
    "classes of other names": Relation(relabelling, lambda name, learner: name in CLASSIFIERS),
    "classes in another order": Relation(
        swapped_classes, lambda name, learner: name in ("LogisticRegression", "SVC")
    ),
}
PAIRS = [
    (relation, place)
    for relation, each in RELATIONS.items()
    for place, learner in enumerate(LEARNERS)
    if each.holds(type(learner.estimator).__name__, learner.estimator)
]


def _problem(rng: Generator, name: str, relation: str) -> Problem:
    n, d = int(rng.integers(24, 50)), int(rng.integers(2, 5))
    X, probe = rng.normal(size=(n, d)), rng.normal(size=(7, d))
    weight = rng.uniform(0.5, 2, n) if relation == "rows in another order" and _weighed(name, None) else None
    if FAMILIES[name] in (DIRECT, LIKELIHOOD) and rng.random() < 0.4:
        # Columns of other units, and not about 0.
        unit, shift = 10.0 ** rng.uniform(-2, 2, d), rng.normal(size=d) * 10
        X, probe = (X + shift) * unit, (probe + shift) * unit
    away = (X - X.mean(axis=0)) / X.std(axis=0)
    signal = away @ rng.normal(size=d) + rng.normal(size=n)
    if name in CLASSIFIERS:
        two = name == "SVC" or rng.random() < 0.5
        y = (signal > 0).astype(int) if two else np.digitize(signal, np.quantile(signal, [0.3, 0.6]))
        y[: 2 + (not two)] = np.arange(2 + (not two))
    elif name == "PoissonRegression":
        y = rng.poisson(np.exp(0.3 * signal)).astype(float)
    else:
        y = signal
    return Problem(X, y, probe, weight)


def _made(estimator: Any) -> Any:
    """Return a learner that goes on until a second fit can be told from it."""
    made = clone(estimator)
    name = type(made).__name__
    if name in ("LogisticRegression", "PoissonRegression", "PoissonRegressor"):
        made.set_params(tol=1e-9, max_iter=10_000)
    elif name.startswith("MLP"):
        made.set_params(max_iter=8, random_state=0)
    elif name.startswith("SGD"):
        made.set_params(max_iter=5, tol=None)
    return made


def _peer(estimator: Any) -> Any:
    """Return scikit-learn's learner of the same settings, where there is one."""
    made = PEERS.get(type(estimator).__name__)
    if made is None:
        return None
    known = made().get_params()
    return made(
        **{
            key: value
            for key, value in estimator.get_params().items()
            if key in known and value != "deprecated"
        }
    )


def answer(model: Any, problem: Problem) -> tuple[Any, bool]:
    """Return what a fit says of the probe rows, and whether it warned that it is not what was asked for."""
    model.set_params(**{key: value for key, value in problem.settings.items() if key in model.get_params()})
    given = {} if problem.weight is None else {"sample_weight": problem.weight}
    unsupervised = type(model).__name__ in (*COMPONENTS, "OneClassSVM")
    _, said = spoken(lambda: model.fit(problem.X, None if unsupervised else problem.y, **given))
    name = type(model).__name__
    if name in ("PCA", "IncrementalPCA"):
        values = model.explained_variance_
        # Directions without variance may be left out.
        return values[values > 1e-9 * values[0]], said
    if name == "KernelPCA":
        return model.eigenvalues_[:3], said
    if hasattr(model, "predict_proba") and not isinstance(model, svm.SVC | th.SVC):
        return model.predict_proba(problem.probe), said
    if hasattr(model, "decision_function"):
        return model.decision_function(problem.probe), said
    return model.predict(problem.probe), said


def _distance(first: Any, second: Any) -> float:
    if first.shape != second.shape or not np.isfinite(second).all():
        return inf
    size = float(np.abs(first).max(initial=0.0))
    return float(np.abs(first - second).max(initial=0.0)) / (size or 1.0)


def relation(rng: Generator, names: tuple[str, ...]) -> Trial:
    known = [pair for pair in PAIRS if pair[0] in names]
    name, place = known[int(rng.integers(len(known)))]
    learner = LEARNERS[place].estimator
    kind = type(learner).__name__
    first, second, turn = RELATIONS[name].change(rng, learner, _problem(rng, kind, name))

    def off(make: Callable[[], Any]) -> tuple[float, bool]:
        (one, before), (other, after) = answer(make(), first), answer(make(), second)
        return _distance(turn(one), other), before or after

    error, said = off(lambda: _made(learner))
    peers = {}
    if _peer(learner) is not None:
        try:
            away, warned = off(lambda: _made(_peer(learner)))
            peers["scikit-learn"] = 0.0 if warned else away
        except (TypeError, ValueError):
            # It does not take these settings.
            pass
    said = said and kind not in BATCHED
    return Trial(f"{name}: {learner}", error, FAMILIES[kind], said, peers)


GROUPS = {
    "rows and weights": tuple(RELATIONS)[:4],
    "units of columns and target": tuple(RELATIONS)[4:7],
    "moved, turned and rotated columns": tuple(RELATIONS)[7:12],
    "names and order of classes": tuple(RELATIONS)[12:],
}
PARTS = {
    f"relations: {group}": Part(partial(relation, names=names), "of the largest", share)
    for (group, names), share in zip(GROUPS.items(), (4, 3, 4, 2), strict=True)
}
