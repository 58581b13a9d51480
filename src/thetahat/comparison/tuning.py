"""Tuning inside a training fold, so that what is compared is the algorithm as people use it.

The capacity is chosen by cross-validation within the rows that train; the rows held out have no say in
it. Chosen on all rows instead, the best of many settings looks better than it is.
"""

from __future__ import annotations

import ast
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from sklearn.base import clone

from thetahat.contracts import AbsorbsScaling, Draw, Fit, FloatArray, Prediction, Predictor, Sample, Status
from thetahat.deadline import check_time
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, MissingPrediction, Undefined
from thetahat.resampling.adapter import SklearnPredictor, point_estimator
from thetahat.resampling.plans import inner_draws
from thetahat.resampling.replicate import replicate

__all__ = [
    "CHOICE",
    "FOLDS",
    "SPENT",
    "Grid",
    "Tuned",
    "TuneRule",
    "Tuning",
    "asked_grids",
    "with_parameters",
]

TuneRule = Literal["best", "one-se"]
# Under these names a tuned fit says which point of its grid it chose, and how long the choice took.
CHOICE, SPENT = "choice", "tuning_seconds"
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Grid:
    """The values that are tried of some parameters.

    Parameters
    ----------
    values : mapping of str to tuple
        The values of each parameter, the simplest model first.
    """

    values: Mapping[str, tuple[Any, ...]]

    @property
    def points(self) -> list[dict[str, Any]]:
        """Every combination, the simplest first."""
        return [
            dict(zip(self.values, point, strict=True)) for point in itertools.product(*self.values.values())
        ]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was asked of tuning.

    Parameters
    ----------
    usual : bool
        Whether a model without a grid of its own is tuned over its usual one.
    grids : mapping of str to Grid
        The grids that were named, by model.
    rule : {"best", "one-se"}
        How a point is chosen.
    """

    usual: bool
    grids: Mapping[str, Grid]
    rule: TuneRule = "best"

    def grid(self, name: str, usual: Mapping[str, tuple[Any, ...]]) -> Grid | None:
        """Return the grid of a model, or None where it is taken as it is."""
        if name in self.grids:
            return self.grids[name]
        return Grid(usual) if self.usual and usual else None

    def tuned(self, learner: Predictor[Any], grid: Grid | None, measure: Measure) -> Predictor[Any]:
        """Return the learner, tuned over the grid where there is one.

        Raises
        ------
        UsageError
            The learner has no such parameter, or refuses a value.
        """
        if grid is None:
            return learner
        for point in grid.points:
            with_parameters(learner, point)
        return Tuned(learner, grid, measure, self.rule)


@dataclass(frozen=True, slots=True, eq=False)
class TunedFit:
    """The learner with the parameters that were chosen, and its estimate from all the training rows."""

    learner: Predictor[Any]
    theta: Any


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """A learner that chooses its parameters by cross-validation within the sample it is given.

    The point of the grid with the best mean of the measure over the inner folds is taken, then fitted to all
    rows of the sample. A tie goes to the simpler point. Rows of one group stay together in the inner
    folds too, and rows ordered in time are trained on before they are predicted. What prepares the columns
    is not fitted again inside the inner folds, since it has not seen the target; a learner that absorbs
    scaling scales them by the rows of each inner fold.

    Parameters
    ----------
    learner : Predictor
        What is tuned. Points that share work are fitted together.
    grid : Grid
        The points, the simplest first.
    measure : Measure
        By which they are compared.
    rule : {"best", "one-se"}
        The best point, or the simplest within one standard error of it (Breiman and others, 1984, section
        3.4.3).
    folds : int
        Inner folds; fewer where there are fewer groups.
    """

    learner: Predictor[Any]
    grid: Grid
    measure: Measure
    rule: TuneRule = "best"
    folds: int = FOLDS

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[TunedFit | None]:
        """Choose, then fit to the whole sample; the fit's ``stats`` say which point, and what it took."""
        began = time.perf_counter()
        points = self.grid.points
        inner, last = rng.spawn(2)
        draws = self._draws(sample, inner)
        chosen = 0
        if draws and len(points) > 1:
            losses, failed = self._losses(sample, draws, points, inner)
            if not np.isfinite(losses).any():
                return failed
            chosen = choose(losses, self.rule)
        spent = time.perf_counter() - began
        check_time()
        learner = with_parameters(self.learner, points[chosen])
        fit = learner.estimate(sample, rng=last)
        stats = {**fit.stats, CHOICE: float(chosen), SPENT: spent}
        return Fit(TunedFit(learner, fit.theta), fit.status, stats, fit.detail)

    def standardizing(self, columns: tuple[bool, ...], /) -> Tuned | None:
        """Return the same, its learner scaling these columns; None where the learner cannot."""
        if not isinstance(self.learner, AbsorbsScaling):
            return None
        learner: Any = self.learner.standardizing(columns)
        return None if learner is None else replace(self, learner=learner)

    def prepare(self, sample: Sample) -> TunedWorkspace:
        """Return a workspace that tunes on each draw; the points of a draw share their work."""
        return TunedWorkspace(self, sample)

    def predict(self, theta: TunedFit, X: Any, /) -> Prediction:
        """Predict with the parameters that were chosen."""
        return theta.learner.predict(theta.theta, X)

    def _draws(self, sample: Sample, rng: Generator) -> list[Draw]:
        numbers = sample.y is None or sample.y.dtype.kind == "f"
        return inner_draws(sample, self.folds, None if numbers else sample.y, rng=rng)

    def _losses(
        self, sample: Sample, draws: Sequence[Draw], points: Sequence[dict[str, Any]], rng: Generator
    ) -> tuple[FloatArray, Fit[Any]]:
        """Return the measure, lower is better, of each draw (down) and point (across).

        It is infinite where a fit failed, and NaN where the measure is undefined. The last fit that failed is
        returned too.
        """
        learners = [with_parameters(self.learner, point) for point in points]
        found = replicate(
            self.learner,
            sample,
            draws,
            _Compared(learners, self.measure),
            rng=rng,
            capacities=learners,
            together=len(draws),
        )
        losses = np.array([[loss for loss, _ in row] for row in found.complete])
        failed = [fit for row in found.complete for _, fit in row if fit is not None]
        return losses, failed[-1] if failed else Fit(None, Status.FAILED)


@dataclass(frozen=True, slots=True, eq=False)
class TunedWorkspace:
    """A tuned learner on many draws of one sample."""

    tuned: Tuned
    sample: Sample

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[Any] = (), *, rngs: Sequence[Generator]
    ) -> Iterator[Fit[TunedFit | None]]:
        """Return the fit to each draw."""
        for draw, rng in zip(draws, rngs, strict=True):
            yield self.tuned.estimate(self.sample.take(draw.train), rng=rng)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """The measure of each point on the rows held out of an inner draw, and the fit where it failed."""

    learners: Sequence[Predictor[Any]]
    measure: Measure

    def __call__(
        self, fit: Fit[tuple[Fit[Any], ...]], train: Sample, held_out: Sample, /
    ) -> list[tuple[float, Fit[Any] | None]]:
        return [
            self._of(learner, each, held_out) for learner, each in zip(self.learners, fit.theta, strict=True)
        ]

    def _of(self, learner: Predictor[Any], fit: Fit[Any], held_out: Sample) -> tuple[float, Fit[Any] | None]:
        if fit.theta is None:
            return np.inf, fit
        assert held_out.y is not None
        try:
            prediction = learner.predict(fit.theta, held_out.X)
            value = self.measure.sign * self.measure.value(held_out.y, prediction, held_out.weight)
        except MissingPrediction as error:
            return np.inf, Fit(None, Status.FAILED, detail=str(error))
        except Undefined as error:
            return np.nan, Fit(None, Status.FAILED, detail=f"{self.measure.name} is undefined: {error}")
        if np.isfinite(value):
            return value, None
        return np.inf, Fit(None, Status.NOT_FINITE, detail="a prediction is not a finite number")


def choose(losses: FloatArray, rule: TuneRule) -> int:
    """Return the point to take, of losses by draw (down) and point (across), the simplest point first.

    A draw on which no point has a value is left out.
    """
    losses = losses[~np.isnan(losses).all(axis=1)]
    means = losses.mean(axis=0)
    least = int(np.nanargmin(means))
    if rule == "best":
        return least
    se = losses[:, least].std(ddof=1) / np.sqrt(len(losses))
    return int(np.argmax(means <= means[least] + se))


def with_parameters(learner: Predictor[Any], point: Mapping[str, Any]) -> Predictor[Any]:
    """Return the learner with these parameters.

    Raises
    ------
    UsageError
        It has no such parameter, or refuses the value.
    """
    if isinstance(learner, SklearnPredictor):
        known = learner.estimator.get_params(deep=True)
        _refuse_unknown(point, known, learner.estimator)
        return point_estimator(clone(learner.estimator).set_params(**point), learner.classes)
    assert is_dataclass(learner)
    _refuse_unknown(point, [field.name for field in fields(learner)], learner)
    changed: Predictor[Any] = replace(learner, **point)
    return changed


def _refuse_unknown(point: Mapping[str, Any], known: Iterable[str], learner: Any) -> None:
    unknown = [name for name in point if name not in known]
    if unknown:
        raise UsageError(
            f"tune: {type(learner).__name__} has no parameter {unknown[0]!r}; "
            f"it has {', '.join(sorted(known))}"
        )


def asked_grids(
    asked: str | Iterable[str] | Mapping[str, Mapping[str, Iterable[Any]]],
) -> tuple[bool, Mapping[str, Grid]]:
    """Return whether models without a grid of their own are tuned over the usual one, and the grids named.

    Parameters
    ----------
    asked : str, iterable of str, or mapping
        ``"auto"``, ``"none"``, ``"model.parameter=value,value,…"``, several of these, or a mapping of model
        to parameter to values, simplest first.

    Raises
    ------
    UsageError
        It is none of these.
    """
    if isinstance(asked, Mapping):
        grids = {model: Grid({name: tuple(v) for name, v in grid.items()}) for model, grid in asked.items()}
        empty = [model for model, grid in grids.items() if not grid.points or not grid.values]
        if empty:
            raise UsageError(f"tune: the grid of {empty[0]} is empty; name at least one value")
        return True, MappingProxyType(grids)
    words = [asked] if isinstance(asked, str) else list(asked)
    named: dict[str, dict[str, tuple[Any, ...]]] = {}
    for word in words:
        if word in ("auto", "none"):
            continue
        model, values = _parsed(word)
        named.setdefault(model, {}).update(values)
    return "none" not in words, MappingProxyType({model: Grid(grid) for model, grid in named.items()})


def _parsed(word: str) -> tuple[str, dict[str, tuple[Any, ...]]]:
    left, equals, right = word.partition("=")
    model, dot, name = left.strip().rpartition(".")
    if not (equals and dot and model and name and right.strip()):
        raise UsageError(
            f"tune: {word!r} is neither auto, none nor MODEL.PARAMETER=VALUE,VALUE (as svm-rbf.C=0.1,1,10)"
        )
    try:
        return model, {name: tuple(ast.literal_eval(f"[{right}]"))}
    except (ValueError, SyntaxError):
        return model, {name: tuple(_value(text.strip()) for text in right.split(","))}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
