"""From what a person names to candidates: aliases, import paths, estimators, pipelines."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from thetahat.comparison.aliases import Task, alias_for
from thetahat.comparison.calibrated import Calibrated, gives_scores_alone, needs_probabilities
from thetahat.comparison.candidates import Candidate, Notes
from thetahat.comparison.recipe import NoColumns, Recipe
from thetahat.comparison.standardised import StandardisedTarget
from thetahat.comparison.tuning import Grid, Tuning
from thetahat.contracts import HasPointEstimator, Predictor
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, Target
from thetahat.measures.registry import choose_measure
from thetahat.resampling.adapter import (
    SklearnPredictor,
    fixed_seeds,
    point_estimator,
    weight_argument,
)

__all__ = ["Model", "resolve"]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A learner of the user's own, with what cannot be seen from it.

    Parameters
    ----------
    estimator : object
        A scikit-learn compatible estimator or pipeline, or a ``Predictor``.
    name : str, optional
        How it is called in the result; its class otherwise.
    raw : bool, optional
        Whether it takes the columns of the table as they are, in the caller's own frame library, rather
        than the prepared matrix. By default a pipeline that begins with a ``ColumnTransformer`` or a
        transformer of skrub does, and nothing else.
    """

    estimator: Any
    name: str = ""
    raw: bool | None = None


def resolve(
    models: Iterable[Any],
    measures: Sequence[Measure],
    target: Target,
    recipe: Recipe,
    raw: Recipe,
    tuning: Tuning,
) -> list[Candidate]:
    """Turn what a person named into candidates, the dummy among them.

    Parameters
    ----------
    models : iterable
        Each an alias, ``"package.module:Class"``, an estimator, a ``(name, estimator)`` pair, or a
        :class:`Model`.
    measures : sequence of Measure
        What is measured; by the first parameters are tuned.
    target : Target
        What is predicted.
    recipe, raw : Recipe
        For learners that take a matrix, and for pipelines that take the table.
    tuning : Tuning
        Which of them choose their parameters inside each training fold.

    Raises
    ------
    UsageError
        A name is unknown, stands twice, or cannot do the task; all such are named together.
    """
    found: list[Candidate] = []
    complaints: list[str] = []
    for model in models:
        try:
            found.append(_candidate(model, measures, target, recipe, raw, tuning))
        except UsageError as error:
            complaints.append(str(error))
    names = [candidate.name for candidate in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        complaints.append(
            f"models: {', '.join(twice)} more than once; give each its own name with ('name', estimator)"
        )
    unknown = sorted(tuning.grids.keys() - set(names))
    if unknown:
        complaints.append(f"tune: no model is called {unknown[0]}; choose from {', '.join(names)}")
    if complaints:
        raise UsageError("\n".join(complaints))
    if "dummy" not in names:
        found.insert(0, _candidate("dummy", measures, target, recipe, raw, tuning))
    return found


def _candidate(
    model: Any,
    measures: Sequence[Measure],
    target: Target,
    recipe: Recipe,
    raw: Recipe,
    tuning: Tuning,
) -> Candidate:
    task, classes, measure = target.task, target.classes, measures[0]
    if isinstance(model, str) and ":" not in model:
        alias = alias_for(model, task)
        grid = tuning.grid(model, alias.grid)
        learner, note = _made(alias.make[task](classes, measure.name), grid, measures, target, tuning, model)
        if alias.standardised and task == "regression":
            learner = StandardisedTarget(learner)
        columns = NoColumns() if alias.blind else recipe
        return Candidate(model, alias.description, columns, learner, grid, Notes(calibrated=note))
    if isinstance(model, str):
        model = Model(_import(model), name=model.rpartition(":")[2])
    elif isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], str):
        model = Model(model[1], name=model[0])
    elif not isinstance(model, Model):
        model = Model(model)
    learner, kind = _learner(model.estimator, task, classes)
    takes_table = _prepares_for_itself(model.estimator) if model.raw is None else model.raw
    name = model.name or kind
    grid = tuning.grid(name, {})
    if grid is None and isinstance(learner, SklearnPredictor):
        # One of ours shares its work, and is tuned by the names of its own parameters.
        learner = point_estimator(model.estimator, classes or None)
    learner, note = _made(learner, grid, measures, target, tuning, name)
    notes = replace(_notes(name, model.estimator), calibrated=note)
    return Candidate(name, kind, raw if takes_table else recipe, learner, grid, notes)


def _made(
    learner: Predictor[Any],
    grid: Grid | None,
    measures: Sequence[Measure],
    target: Target,
    tuning: Tuning,
    name: str,
) -> tuple[Predictor[Any], str]:
    """Return the learner tuned, with probabilities where a measure needs them, and what is said of that."""
    if not (gives_scores_alone(learner) and any(needs_probabilities(each, target) for each in measures)):
        return tuning.tuned(learner, grid, measures[0]), ""
    by = measures[0]
    note = f"{name} gives no probabilities; they are calibrated on its scores inside each training fold"
    if grid is not None and needs_probabilities(by, target):
        by = choose_measure("error", target)
        note += ", and its parameters are chosen by the error rate"
    return Calibrated(tuning.tuned(learner, grid, by), target.classes), note


def _notes(name: str, estimator: Any) -> Notes:
    """Return what must be said of a user's estimator: what it does with seeds, and with weights."""
    seeds = fixed_seeds(estimator)
    own = isinstance(estimator, Predictor) or isinstance(estimator, HasPointEstimator)
    said = ", ".join(f"{parameter}={seed}" for parameter, seed in seeds.items())
    return Notes(
        f"{name} has {said}, so the verdict is for that seed" if seeds else "",
        "" if own or weight_argument(estimator) else f"{name} takes no weights and is fitted without them",
    )


def _import(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"models: cannot import {path}: {error}") from None
    try:
        return made() if isinstance(made, type) else made
    except TypeError as error:
        raise UsageError(f"models: {path} needs arguments ({error}); give an object from Python") from None


def _learner(estimator: Any, task: Task, classes: int) -> tuple[Predictor[Any], str]:
    if isinstance(estimator, type):
        raise UsageError(f"models: {estimator.__name__} is a class; give an object, {estimator.__name__}()")
    if isinstance(estimator, Predictor):
        return estimator, type(estimator).__name__
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict") and hasattr(estimator, "get_params")):
        raise UsageError(
            f"models: {estimator!r} is neither a known name nor an estimator with fit, predict and get_params"
        )
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    kind = type(last).__name__
    wrong = is_regressor(estimator) if task == "classification" else is_classifier(estimator)
    if wrong or is_outlier_detector(estimator):
        raise UsageError(f"models: {kind} cannot do a {task}, which this target asks for (see task)")
    return SklearnPredictor(estimator, classes or None), kind


def _prepares_for_itself(estimator: Any) -> bool:
    if not isinstance(estimator, Pipeline) or not estimator.steps:
        return False
    first = estimator.steps[0][1]
    return isinstance(first, ColumnTransformer) or type(first).__module__.startswith("skrub")
