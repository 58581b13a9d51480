"""Loss against capacity: training and held-out error, bias² and variance, with bands over the whole grid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.base import clone

from thetahat.checked import generator, level_of, whole_number
from thetahat.contracts import Draw, Fit, FloatArray, IntArray, Prediction, Predictor, Sample
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure
from thetahat.resampling.adapter import point_estimator, rows_for
from thetahat.resampling.bands import critical_value
from thetahat.resampling.own_plans import as_plan, draws_of
from thetahat.resampling.plans import KFold, Plan, Rows
from thetahat.resampling.population import fresh_samples
from thetahat.resampling.replicate import replicate
from thetahat.resampling.scoring import Scoring, choose_scoring
from thetahat.resampling.spread import corrected_covariance, covariance, jackknife_covariance
from thetahat.resampling.terms import DECOMPOSITIONS

__all__ = ["CapacityCurve", "capacity_curve"]

# Groups of draws that the jackknife leaves out in turn.
GROUPS = 25
STYLES = {
    "train_error": ("training error", "#6e7074", "o:"),
    "held_out_error": ("held-out error", "#1a1b1c", "o-"),
    "bias2": ("bias² (with noise)", "#d55e00", "s--"),
    "variance": ("variance", "#0072b2", "^-."),
}


@dataclass(frozen=True, slots=True, eq=False)
class CapacityCurve:
    """How a learner's errors change with one of its parameters.

    Parameters
    ----------
    parameter : str
        Which.
    values : tuple
        Its values, in the order given.
    estimate, se, lower, upper : mapping of str to ndarray of shape (V,)
        Of ``train_error`` and ``held_out_error`` and, where the metric has a bias–variance decomposition and
        rows are held out repeatedly, of ``bias2`` and ``variance``. A band from lower to upper holds at every
        value of the grid at once at the level.
    metric : str
        Which loss, or other measure. Where every row is held out at least twice, bias2 + variance =
        held_out_error; bias2 includes the noise.
    level : float
        Of each band.
    draws, rows : int
        Training draws, and rows that were predicted.
    higher_is_better : bool
        Direction of the metric: ``held_out_error`` is then a score.
    label : str
        The metric, as the axis of the plot names it.
    notice : str
        Why bias2 and variance are missing, or which rows they are of; empty otherwise.
    """

    parameter: str
    values: tuple[Any, ...]
    estimate: Mapping[str, FloatArray]
    se: Mapping[str, FloatArray] = field(repr=False)
    lower: Mapping[str, FloatArray] = field(repr=False)
    upper: Mapping[str, FloatArray] = field(repr=False)
    metric: str = "squared"
    level: float = 0.95
    draws: int = 0
    rows: int = 0
    higher_is_better: bool = False
    label: str = ""
    notice: str = ""

    @property
    def best(self) -> Any:
        """The value of best held-out error, the first of those that tie."""
        held_out = self.estimate["held_out_error"]
        return self.values[int(np.argmax(held_out) if self.higher_is_better else np.argmin(held_out))]

    def table(self) -> dict[str, list[Any]]:
        """Return by column: value, then each quantity with its lower and upper end."""
        columns: dict[str, list[Any]] = {"value": list(self.values)}
        for name in self.estimate:
            columns[name] = self.estimate[name].tolist()
            columns[f"{name}_lower"] = self.lower[name].tolist()
            columns[f"{name}_upper"] = self.upper[name].tolist()
        return columns

    def plot(self, ax: Any = None) -> Any:
        """Draw each quantity with its band against the values; return the axes.

        The axis is logarithmic for positive numbers that span more than a factor of 20; values that are not
        numbers are drawn at equal distances.
        """
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(figsize=(7.2, 4.4), layout="constrained")
        numeric = all(isinstance(v, int | float | np.number) for v in self.values)
        x = np.array(self.values, dtype=float) if numeric else np.arange(len(self.values), dtype=float)
        for name, value in self.estimate.items():
            words, color, style = STYLES[name]
            words = words.replace("error", "score") if self.higher_is_better else words
            ax.plot(x, value, style, color=color, label=words, markersize=4)
            ax.fill_between(x, self.lower[name], self.upper[name], color=color, alpha=0.14, linewidth=0)
        if numeric and (x > 0).all() and x.max() > 20 * x.min():
            ax.set_xscale("log")
        if not numeric:
            ax.set_xticks(x, [str(value) for value in self.values])
        ax.set_xlabel(self.parameter)
        ax.set_ylabel(self.label or f"mean {self.metric} loss of a row")
        best = "score is greatest" if self.higher_is_better else "error is least"
        ax.set_title(f"Held-out {best} at {self.parameter} = {_short(self.best)}", loc="left")
        ax.legend(frameon=False)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax


def capacity_curve(
    estimator: Any,
    parameter: str,
    values: Sequence[Any],
    X: Any,
    y: Any,
    *,
    cv: int | str | Plan | Iterable[Any] | None = None,
    metric: str | Measure = "auto",
    population: Callable[[Generator], tuple[Any, Any]] | None = None,
    draws: int = 50,
    level: float = 0.95,
    jobs: int = 1,
    rng: Generator | None = None,
) -> CapacityCurve:
    """Fit a learner at every value of a parameter, on the same draws, and split its held-out error.

    Parameters
    ----------
    estimator : object
        A scikit-learn compatible estimator, or a ``Predictor``.
    parameter : str
        ``"alpha"``, ``"C"``, ``"n_components"``, … as ``set_params`` takes it.
    values : sequence
        The grid.
    X, y : array of shape (n, d) and (n,)
        The rows. With ``population`` they are those predicted.
    cv : int, str, plan, splitter or pairs of index arrays, optional
        Which draws: a number of folds, repeated ten times; a plan such as ``"cv:10x5"``; a scikit-learn
        splitter; or (train, test) index arrays. Ten repeats of five folds by default. Bias² and variance
        require rows that are held out at least twice; without them the curve has the two errors alone, and a
        notice. The draws share rows, so the variance is less than that of fresh samples.
    metric : str or Measure
        ``"auto"`` is zero-one for classes and squared for numbers; any measure of ``th.compare`` by name, or
        a measure. Squared, zero-one and log have bias² and variance (those of zero-one loss by Kohavi and
        Wolpert); any other has training and held-out error alone.
    population : callable, optional
        ``population(rng)`` gives a fresh training set ``(X, y)``.
    draws : int
        How many of these.
    level : float
        Probability with which a band holds at all values at once.
    jobs : int
        Worker processes; the result does not depend on it.
    rng : Generator, optional
        Of the draws and the fits; seeded with 0 by default.

    Returns
    -------
    CapacityCurve
        Up to four quantities at each value, with bands.

    Raises
    ------
    UsageError
        An argument is invalid, or the metric has no value on the rows of a draw.

    Notes
    -----
    Errors: the covariance over draws is that of the corrected resampled t (Nadeau and Bengio, 2003). Terms:
    that of means over rows plus that of a grouped jackknife over draws. Bands use the maximum of a
    multivariate t with the correlation over the grid. Values that share work with each other are fitted
    together.
    """
    level, rng = level_of(level), generator(rng)
    if population is not None and cv is not None:
        raise UsageError("cv: with population the training sets are fresh samples; leave one of the two out")
    rng_draws, rng_fits, rng_bands = rng.spawn(3)
    X, y = rows_for(estimator, X, y)
    scoring = choose_scoring(metric, y)
    y = scoring.y
    grid = _grid(values)
    learners = [_at(estimator, parameter, value, scoring.classes) for value in grid]
    fixed = None if population is None else Sample(X, y)
    if population is None:
        sample = Sample(X, y)
        plan = as_plan(cv, KFold(5, 10), repeats=10)
        parts = draws_of(plan, Rows(len(y), scoring.codes), rng=rng_draws)
        if len(parts) < 2:
            raise UsageError("cv: a curve with error bars needs at least 2 draws; use cv:5x10")
        held = np.bincount(np.concatenate([part.test for part in parts]), minlength=len(y))
    else:
        draws = whole_number(draws, "draws", least=3)
        sample, parts = fresh_samples(population, draws, scoring.encode, rng_draws)
        held = np.full(len(y), draws)
    reading = _Reading(tuple(learners), scoring, fixed)
    rows = replicate(
        learners[0], sample, parts, reading, rng=rng_fits, capacities=learners, jobs=jobs
    ).complete
    return _assembled(parameter, grid, rows, parts, fixed is not None, held, scoring, level, rng_bands)


def _grid(values: Any) -> tuple[Any, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise UsageError(f"values: a list of values is expected, not {values!r}")
    grid = tuple(values)
    if not grid:
        raise UsageError("values: name at least one")
    return grid


def _at(estimator: Any, parameter: Any, value: Any, classes: int | None) -> Predictor[Any]:
    if isinstance(estimator, type):
        point_estimator(estimator, classes)
    if isinstance(estimator, Predictor):
        if not is_dataclass(estimator) or parameter not in {f.name for f in fields(estimator)}:
            raise UsageError(f"parameter: {type(estimator).__name__} has no {parameter!r}")
        changed: Predictor[Any] = replace(estimator, **{parameter: value})
        return changed
    if not hasattr(estimator, "get_params"):
        return point_estimator(estimator, classes)
    known = estimator.get_params(deep=True)
    if not isinstance(parameter, str) or parameter not in known:
        raise UsageError(
            f"parameter: {type(estimator).__name__} has no {parameter!r}; it has {', '.join(sorted(known))}"
        )
    return point_estimator(clone(estimator).set_params(**{parameter: value}), classes)


@dataclass(frozen=True, slots=True, eq=False)
class _OfDraw:
    """What is read of the fit of one value to one draw.

    Parameters
    ----------
    train, held_out : float
        The measure of the rows that trained and of those held out.
    predictions : ndarray, optional
        Of the rows held out, where the measure has a decomposition.
    influence : ndarray of shape (n,), optional
        Of each row on ``held_out``, where all draws predict the same rows.
    """

    train: float
    held_out: float
    predictions: FloatArray | None
    influence: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """The functional: errors and predictions of each value's fit."""

    learners: tuple[Predictor[Any], ...]
    scoring: Scoring
    fixed: Sample | None

    def __call__(self, fit: Fit[Any], train: Sample, held_out: Sample, /) -> list[_OfDraw]:
        return [
            self._of(learner, each.theta, train, held_out if self.fixed is None else self.fixed)
            for learner, each in zip(self.learners, fit.theta, strict=True)
        ]

    def _of(self, learner: Predictor[Any], theta: Any, train: Sample, test: Sample) -> _OfDraw:
        assert train.y is not None
        assert test.y is not None
        prediction: Prediction = learner.predict(theta, test.X)
        predictions = self.scoring.decomposed(prediction) if self.scoring.decomposable else None
        held_out = self.scoring.of(test.y, prediction)
        return _OfDraw(
            self.scoring.value(train.y, learner.predict(theta, train.X)),
            held_out.value,
            predictions,
            None if self.fixed is None else held_out.influence,
        )


def _assembled(
    parameter: str,
    values: tuple[Any, ...],
    rows: Sequence[Sequence[_OfDraw]],
    parts: Sequence[Draw],
    fixed: bool,
    held: IntArray,
    scoring: Scoring,
    level: float,
    rng: Generator,
) -> CapacityCurve:
    draws = len(parts)
    share = 0.0 if fixed else float(np.mean([len(part.test) / len(part.train) for part in parts]))
    columns = {
        "train_error": np.array([[each.train for each in row] for row in rows]),
        "held_out_error": np.array([[each.held_out for each in row] for row in rows]),
    }
    estimate = {name: value.mean(axis=0) for name, value in columns.items()}
    spread = {name: corrected_covariance(value, share) for name, value in columns.items()}
    df = dict.fromkeys(columns, draws - 1.0)
    if fixed:
        # Fresh training sets, but the same rows predicted by all: their sampling error counts too.
        influence = np.array([[each.influence for each in row] for row in rows], dtype=np.float64).mean(
            axis=0
        )
        spread["held_out_error"] = spread["held_out_error"] + covariance(influence.T) / len(held)
    often = held >= 2
    notice = _notice(scoring, often, held)
    if scoring.decomposable and often.sum() >= 2:
        by_row, by_group = _terms(rows, parts, fixed, often, scoring)
        for place, name in enumerate(("bias2", "variance")):
            of_rows, of_groups = by_row[:, place], by_group[:, :, place]
            estimate[name] = of_rows.mean(axis=1)
            spread[name] = covariance(of_rows.T) / of_rows.shape[1] + jackknife_covariance(of_groups.T)
            df[name] = of_groups.shape[1] - 1.0
        if (often | (held == 0)).all():
            estimate["held_out_error"] = by_row.sum(axis=1).mean(axis=1)
    se = {name: np.sqrt(np.diagonal(spread[name])) for name in estimate}
    wide = {name: critical_value(spread[name], level, df[name], rng) * se[name] for name in estimate}
    return CapacityCurve(
        parameter,
        values,
        estimate,
        se,
        {name: estimate[name] - wide[name] for name in estimate},
        {name: estimate[name] + wide[name] for name in estimate},
        scoring.name,
        level,
        draws,
        int(np.sum(held > 0)),
        scoring.measure.higher_is_better,
        scoring.label,
        notice,
    )


def _notice(scoring: Scoring, often: NDArray[np.bool_], held: IntArray) -> str:
    """Say why bias² and variance are missing, or which rows they are of."""
    if not scoring.decomposable:
        return f"{scoring.name} has no bias² and variance; use squared, zero-one or log for these"
    if often.sum() < 2:
        return "no bias² and variance: no rows are held out twice; repeat the folds, as cv:5x10"
    once = int(np.sum(held == 1))
    if once:
        return f"bias² and variance leave out {once} rows that are held out only once"
    return ""


def _terms(
    rows: Sequence[Sequence[_OfDraw]],
    parts: Sequence[Draw],
    fixed: bool,
    often: NDArray[np.bool_],
    scoring: Scoring,
) -> tuple[FloatArray, FloatArray]:
    """Return bias² and variance of each row, shape (V, 2, n), and without each group of draws, (V, G, 2)."""
    # Zero-one loss has no variance of its own that adds up; that of Kohavi and Wolpert does.
    decomposition = DECOMPOSITIONS["kohavi-wolpert" if scoring.name == "zero-one" else scoring.name]
    terms, left = [], []
    for v in range(len(rows[0])):
        of_draws = [row[v].predictions for row in rows]
        assert of_draws[0] is not None
        predictions = np.full((len(parts), len(scoring.y), *of_draws[0].shape[1:]), np.nan)
        for number, (part, values) in enumerate(zip(parts, of_draws, strict=True)):
            predictions[number, slice(None) if fixed else part.test] = values
        classes = () if scoring.classes is None else (scoring.classes,)
        additive = decomposition(predictions[:, often], scoring.y[often], *classes)
        terms.append(list(additive.terms().values()))
        left.append([[value.mean() for value in part.values()] for part in additive.left_out(GROUPS)])
    return np.array(terms), np.array(left)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
