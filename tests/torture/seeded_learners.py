"""Learners as work that is done twice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import clone

import thetahat as th
from tests.learners import LEARNERS
from tests.torture.circumstances import Found, How, Rows, Work, laid_out, source_of

__all__ = ["fitted", "said_of", "seeded_learners"]

# Scores of support vector machines that are solved to a tolerance of 1e-10 in the dual variables.
DUAL = 1e-7
# Kernel matrices have eigenvalues near nought, whose directions are divided by their roots.
SPECTRAL = 1e-9
ROUNDING = 1e-12
# How many times a rounding error of the table may come back in an iterative maximum of a likelihood.
MAXIMUM = 1e-10
TOL = 1e-4


def target_for(model: Any, rows: Rows) -> tuple[Any, ...]:
    """Return what the learner is to explain, where it explains anything."""
    name = type(model).__name__
    if name == "PoissonRegression":
        return (rows.count,)
    if name in ("SVC", "LogisticRegression") or getattr(model, "multi_class", None) == "multinomial":
        return (rows.three,)
    if "Classifier" in name:
        return (rows.label,)
    return () if name == "OneClassSVM" or not hasattr(model, "predict") else (rows.number,)


def said_of(model: Any, X: Any, pieces: int = 0) -> list[Any]:
    """Return what a fitted model says of rows, so many at a time."""
    methods = ["decision_function", "predict_proba", "transform"]
    if type(model).__name__ == "OneClassSVM":
        methods = ["score_samples"]
    elif not hasattr(model, "classes_"):
        methods.insert(0, "predict")
    starts = range(0, len(X), pieces or len(X))
    return [
        np.concatenate([np.asarray(getattr(model, name)(X[at : at + (pieces or len(X))])) for at in starts])
        for name in methods
        if hasattr(model, name)
    ]


def fitted(model: Any) -> dict[str, Any]:
    """Return what a fit left in a model, but for the rows and the names of the columns."""
    found = {key: value for key, value in vars(model).items() if key not in ("feature_names_in_", "_rows")}
    try:
        record = model.result_
    except (AttributeError, th.UsageError):
        return found
    return found | {"result_": [record.params, record.covariance, record.log_likelihood, record.interval()]}


def _learn(make: Callable[[int], Any], seed: int, how: How) -> Found:
    rows = Rows.of(seed, how)
    model = make(seed)
    if how.memory:
        model.set_params(cache_size=how.memory)
    if how.batch:
        model.set_params(batch_size=how.batch)
    model.fit(laid_out(rows.X, how.layout), *target_for(model, rows))
    left = fitted(model)
    if how.stopped:
        model = _loaded(model)
    X = laid_out(rows.probe, how.layout if how.layout in ("pandas", "polars") else "C")
    said = said_of(model, X, how.pieces)
    if hasattr(model, "transform"):
        # A direction has no sign.
        return Found([np.abs(each) for each in said], [left, said])
    ended = getattr(model, "status_", None)
    # Where a fit did not end it says so, and what it stopped at is no answer.
    return Found(said if ended is None or ended.ok else "did not end", [left, said])


def _loaded(model: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        th.save(model, Path(folder) / "model")
        return th.load(Path(folder) / "model")


def _file(seed: int, how: How) -> Found:
    """Return the bytes of a saved model."""
    rows = Rows.of(seed)
    model = _seeded(LEARNERS[seed % len(LEARNERS)].estimator, seed)
    model.fit(pd.DataFrame(rows.X, columns=list("abcd")), *target_for(model, rows))
    with tempfile.TemporaryDirectory() as folder:
        th.save(model, Path(folder) / "model")
        content = (Path(folder) / "model").read_bytes()
    return Found(content, content)


def _seeded(estimator: Any, seed: int) -> Any:
    made = clone(estimator)
    return made.set_params(random_state=seed) if "random_state" in made.get_params() else made


def _goes_on(make: Callable[[int], Any], seed: int, how: How) -> Found:
    """Learn batch by batch, saved and loaded between."""
    rows = Rows.of(seed)
    model = make(seed)
    target = target_for(model, rows)
    for start in range(0, len(rows.X), 20):
        part = [each[start : start + 20] for each in (rows.X, *target)]
        more = {"classes": np.unique(target[0])} if "Classifier" in type(model).__name__ else {}
        model.partial_fit(*part, **more)
        if how.stopped:
            model = _loaded(model)
    said = said_of(model, rows.probe)
    return Found(
        said, [said, {key: fitted(model)[key] for key in ("coef_", "coefs_") if hasattr(model, key)}]
    )


def _from_source(make: Callable[[int], Any], seed: int, how: How) -> Found:
    rows = Rows.of(seed, n=300)
    model = make(seed)
    how = replace(how, layout="lazy") if how.layout == "C" else how
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(model, th.IncrementalPCA):
            source = source_of(rows.frame.drop("y", "z", "c"), how, Path(folder))
            model.fit_stream(source)
        else:
            name = "y" if isinstance(model, th.SGDClassifier) else "z"
            frame = rows.frame.drop(*({"y", "z", "c"} - {name})).with_columns(pl.col("x0").alias("x4"))
            model.fit(source_of(frame, how, Path(folder)), name)
    said = said_of(model, rows.probe if isinstance(model, th.IncrementalPCA) else _wider(rows.probe))
    return Found(said, said)


def _wider(X: Any) -> Any:
    return np.column_stack([X, X[:, 0]])


def _resumed(make: Callable[[int], Any], seed: int, how: How) -> Found:
    """Train a network, ended after some epochs and taken up again from its checkpoint."""
    rows = Rows.of(seed)
    model = make(seed)
    with tempfile.TemporaryDirectory() as folder:
        if how.stopped:
            model.set_params(checkpoint=Path(folder) / "c")
            clone(model).set_params(max_iter=1 + seed % 8).fit(rows.X, *target_for(model, rows))
        model.fit(rows.X, *target_for(model, rows))
    said = said_of(model, rows.probe)
    return Found(said, [said, model.coefs_, model.intercepts_, model.loss_curve_])


def _bounds(estimator: Any) -> dict[str, float]:
    name = type(estimator).__name__
    machine = name in ("SVC", "SVR", "OneClassSVM")
    bound = SPECTRAL if name == "KernelPCA" else ROUNDING
    heeds = {
        "memory layout": bound,
        "BLAS threads": bound,
        "predicted in pieces": bound,
        "saved and loaded": 0.0,
    }
    if machine:
        # Kernel machines promise more: see docs/svm.md.
        heeds["BLAS threads"] = DUAL if estimator.kernel == "linear" else 0.0
    if not any(word in name for word in ("SGD", "MLP")):
        heeds["row order"] = DUAL if machine else bound
    if name == "IncrementalPCA":
        heeds["batches"] = bound
    return heeds


def seeded_learners() -> dict[str, Work]:
    """Return every learner of tests/learners.py, and what learns in steps."""
    made = {}
    for each in LEARNERS:
        name = " ".join(repr(each.estimator).split())
        make = partial(_seeded, each.estimator)
        made[name] = Work(partial(_learn, make), _bounds(each.estimator))
        if hasattr(each.estimator, "cache_size"):
            # Less memory than the kernel matrix takes more steps, so that it is tried at a usual tolerance.
            loose = partial(_seeded, clone(each.estimator).set_params(tol=TOL))
            made[f"{name} in little memory"] = Work(partial(_learn, loose), {"memory": 10 * TOL})
    made["file of a model"] = Work(_file, share=6)
    steps: dict[str, Any] = {
        "SGDClassifier": th.SGDClassifier(loss="log_loss"),
        "SGDRegressor": th.SGDRegressor(),
        "MLPClassifier": th.MLPClassifier((6,)),
        "MLPRegressor": th.MLPRegressor(hidden_layer_sizes=(6,)),
        "IncrementalPCA": th.IncrementalPCA(3),
    }
    for name, estimator in steps.items():
        make = partial(_seeded, estimator)
        made[f"{name}.partial_fit"] = Work(partial(_goes_on, make), {"saved and loaded": 0.0})
        if "MLP" not in name:
            made[f"{name} of a source"] = Work(partial(_from_source, make), {"kind of source": 0.0})
    for name, solver in (("MLPClassifier", "adam"), ("MLPRegressor", "sgd")):
        estimator = clone(steps[name]).set_params(
            solver=solver, max_iter=10, early_stopping=True, dropout=0.1
        )
        made[f"{name} with dropout"] = Work(
            partial(_resumed, partial(_seeded, estimator)), {"resumed": 0.0, "BLAS threads": 0.0}
        )
    return made
