"""Loss against capacity: training and held-out error, bias² and variance, with bands over the whole grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.base import clone

from thetahat.contracts import Draw, Fit, FloatArray, Predictor, Sample, SharesWork
from thetahat.errors import UsageError
from thetahat.numerics.threads import single_threaded
from thetahat.resampling.adapter import finite_predictions, point_estimator, rows_for
from thetahat.resampling.bands import critical_value
from thetahat.resampling.decomposition import drawn
from thetahat.resampling.plans import KFold, Plan, Rows, parse
from thetahat.resampling.replicate import replicate
from thetahat.resampling.terms import Additive, kohavi_wolpert, log, squared

__all__ = ["CapacityCurve", "CurveMetric", "capacity_curve", "losses_of_rows", "plan_of", "target_of"]

CurveMetric = Literal["auto", "squared", "zero-one", "log"]
METRICS = ("auto", "squared", "zero-one", "log")
QUANTITIES = ("train_error", "held_out_error", "bias2", "variance")
GROUPS = 25
SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class CapacityCurve:
    """How a learner's errors move with one of its parameters.

    Parameters
    ----------
    parameter : str
        Which.
    values : tuple
        Its values, in the order given.
    estimate, se, lower, upper : mapping of str to ndarray of shape (V,)
        Of ``train_error``, ``held_out_error``, ``bias2`` and ``variance``. A band from lower to upper holds
        at every value of the grid at once at the level.
    metric : str
        Which loss. bias2 + variance = held_out_error; bias2 holds the noise.
    level : float
        Of each band.
    draws, rows : int
        Training draws, and rows that were predicted.
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

    @property
    def best(self) -> Any:
        """The value of least held-out error, the first of those that tie."""
        return self.values[int(np.argmin(self.estimate["held_out_error"]))]

    def table(self) -> dict[str, list[Any]]:
        """Return by column: value, then each quantity with its lower and upper end."""
        columns: dict[str, list[Any]] = {"value": list(self.values)}
        for name in QUANTITIES:
            columns[name] = self.estimate[name].tolist()
            columns[f"{name}_lower"] = self.lower[name].tolist()
            columns[f"{name}_upper"] = self.upper[name].tolist()
        return columns

    def plot(self, ax: Any = None) -> Any:
        """Draw the four quantities with their bands against the values; return the axes.

        Numbers whose steps grow are drawn on a logarithmic axis; anything else stands at equal distances.
        """
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(figsize=(7.2, 4.4), layout="constrained")
        numeric = all(isinstance(v, int | float | np.number) for v in self.values)
        x = np.array(self.values, dtype=float) if numeric else np.arange(len(self.values), dtype=float)
        for name, words, colour, style in (
            ("train_error", "training error", "#6e7074", "o:"),
            ("held_out_error", "held-out error", "#1a1b1c", "o-"),
            ("bias2", "bias² (with noise)", "#d55e00", "s--"),
            ("variance", "variance", "#0072b2", "^-."),
        ):
            ax.plot(x, self.estimate[name], style, color=colour, label=words, markersize=4)
            ax.fill_between(x, self.lower[name], self.upper[name], color=colour, alpha=0.14, linewidth=0)
        if numeric and (x > 0).all() and x.max() > 20 * x.min():
            ax.set_xscale("log")
        if not numeric:
            ax.set_xticks(x, [str(value) for value in self.values])
        ax.set_xlabel(self.parameter)
        ax.set_ylabel(f"mean {self.metric} loss of a row")
        ax.set_title(f"Held-out error is least at {self.parameter} = {_short(self.best)}", loc="left")
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
    cv: int | str | Plan | None = None,
    metric: CurveMetric = "auto",
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
    cv : int, str or plan, optional
        Which draws: folds, or a plan such as ``"cv:10x5"``; ten repeats of five folds by default. Every row
        must be held out at least twice, or there is no variance. The draws share rows, so the variance is
        less than that of fresh samples.
    metric : {"auto", "squared", "zero-one", "log"}
        Loss of a row; ``auto`` is zero-one for classes and squared for numbers. The terms of zero-one loss
        are those of Kohavi and Wolpert.
    population : callable, optional
        ``population(rng)`` gives a fresh training set ``(X, y)``.
    draws : int
        How many of these.
    level : float
        Probability with which a band holds at all values at once.
    jobs : int
        Worker processes, where work is not shared.
    rng : Generator, optional
        Of the draws and the fits; seeded with 0 by default.

    Returns
    -------
    CapacityCurve
        Four quantities at each value, with bands.

    Raises
    ------
    UsageError
        An argument cannot be meant.

    Notes
    -----
    Errors: the covariance over draws is that of the corrected resampled t (Nadeau and Bengio, 2003). Terms:
    that of means over rows plus that of a grouped jackknife over draws. Bands are of the maximum of a
    multivariate t with the correlation over the grid. Where the estimator shares work over the parameter,
    all values and draws are fitted at once.
    """
    if metric not in METRICS:
        raise UsageError(f"metric: choose {', '.join(METRICS)}, not {metric!r}")
    if not len(values):
        raise UsageError("values: name at least one")
    rng = np.random.default_rng(0) if rng is None else rng
    rng_draws, rng_fits, rng_bands = rng.spawn(3)
    X, y = rows_for(estimator, X, y)
    kind, labels, y = target_of(metric, y)
    learners = [_at(estimator, parameter, value, len(labels) or None) for value in values]
    if population is None:
        plan = plan_of(cv, KFold(5, 10))
        sample = Sample(X, y)
        parts = plan.draws(Rows(len(y), y if len(labels) else None), rng=rng_draws)
        fixed = None
        share = float(np.mean([len(part.test) / len(part.train) for part in parts]))
        if np.bincount(np.concatenate([p.test for p in parts]), minlength=len(y)).max() < 2:
            raise UsageError("cv: no row is held out twice, so there is no variance; repeat it, as cv:5x10")
    else:
        sample, parts = drawn(population, draws, labels if len(labels) else None, rng_draws)
        fixed, share = Sample(X, y), 0.0

    def read(learner: Predictor[Any], fit: Fit[Any], train: Sample, held_out: Sample) -> tuple[float, Any]:
        test = held_out if fixed is None else fixed
        return (
            float(np.mean(losses_of_rows(kind, train.y, learner.predict(fit.theta, train.X)))),
            _seen(kind, learner.predict(fit.theta, test.X)),
        )

    found = _fitted(learners, sample, parts, read, rng_fits, jobs)
    measured = []
    for per_value in found:
        shape = (len(parts), len(y), *per_value[0][1].shape[1:])
        predictions = np.full(shape, np.nan)
        for number, (part, (_, value)) in enumerate(zip(parts, per_value, strict=True)):
            predictions[number, part.test if fixed is None else slice(None)] = value
        measured.append((np.array([train for train, _ in per_value]), predictions))
    return _assembled(
        parameter, tuple(values), measured, y, kind, len(labels), level, share, rng_bands, len(parts)
    )


def target_of(metric: str, y: NDArray[Any]) -> tuple[str, NDArray[Any], NDArray[Any]]:
    """Return the loss, the classes (none for numbers) and the target as codes or as it is."""
    numeric = metric == "squared" or (metric == "auto" and y.dtype.kind == "f")
    if numeric:
        return "squared", np.arange(0), y.astype(np.float64)
    labels, codes = np.unique(y, return_inverse=True)
    return ("zero-one" if metric == "auto" else metric), labels, codes


def plan_of(cv: int | str | Plan | None, usual: Plan) -> Plan:
    """Return the plan that was meant: a number of folds, a plan as typed, or a plan."""
    if cv is None:
        return usual
    if isinstance(cv, int):
        return KFold(cv, 10)
    return parse(cv) if isinstance(cv, str) else cv


def losses_of_rows(kind: str, y: Any, prediction: Any) -> FloatArray:
    """Return the loss of each row.

    Raises
    ------
    UsageError
        Log-loss was asked of a learner that gives no probabilities, or a squared loss overflows.
    """
    if kind == "squared":
        with np.errstate(over="ignore", invalid="ignore"):
            return _of_numbers(np.asarray((y - prediction.value) ** 2, dtype=np.float64))
    if kind == "zero-one":
        return np.asarray(y != prediction.value, dtype=np.float64)
    given = _seen(kind, prediction)[np.arange(len(y)), y]
    return np.asarray(-np.log(np.maximum(given, SMALLEST)))


def _of_numbers(squares: FloatArray) -> FloatArray:
    if not np.isfinite(squares).all():
        raise UsageError("y: a squared loss is beyond the largest number; scale the columns of X and y")
    return squares


def _seen(kind: str, prediction: Any) -> FloatArray:
    if kind != "log":
        return finite_predictions(prediction.value)
    if prediction.probability is None:
        raise UsageError("metric: log needs probabilities, which this estimator does not give")
    return finite_predictions(prediction.probability)


def _at(estimator: Any, parameter: str, value: Any, classes: int | None) -> Predictor[Any]:
    if isinstance(estimator, Predictor):
        if not is_dataclass(estimator) or parameter not in {f.name for f in fields(estimator)}:
            raise UsageError(f"parameter: {type(estimator).__name__} has no {parameter!r}")
        changed: Predictor[Any] = replace(estimator, **{parameter: value})
        return changed
    known = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    if parameter not in known:
        raise UsageError(
            f"parameter: {type(estimator).__name__} has no {parameter!r}; it has {', '.join(sorted(known))}"
        )
    return point_estimator(clone(estimator).set_params(**{parameter: value}), classes)


def _fitted(
    learners: Sequence[Predictor[Any]],
    sample: Sample,
    parts: Sequence[Draw],
    read: Callable[[Predictor[Any], Fit[Any], Sample, Sample], Any],
    rng: Generator,
    jobs: int,
) -> list[list[Any]]:
    """Return what is read of each value's fit to each draw, value by value."""
    shared = _one_workspace(learners)
    if shared is None:
        return [
            list(replicate(learner, sample, parts, _Reading(learner, read), rng=child, jobs=jobs).values)
            for learner, child in zip(learners, rng.spawn(len(learners)), strict=True)
        ]
    found: list[list[Any]] = [[] for _ in learners]
    # As many threads as in a draw of replicate: sums are rounded alike on any machine.
    with single_threaded():
        workspace = shared[0].prepare(sample)
        rngs = rng.spawn(len(parts) * len(learners))
        fits = iter(workspace.solve(parts, shared[1], rngs=rngs))
        for part in parts:
            train, test = sample.take(part.train), sample.take(part.test)
            for place, learner in enumerate(learners):
                found[place].append(read(learner, next(fits), train, test))
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    learner: Predictor[Any]
    read: Callable[..., Any]

    def __call__(self, fit: Fit[Any], train: Sample, held_out: Sample, /) -> Any:
        return self.read(self.learner, fit, train, held_out)


def _one_workspace(learners: Sequence[Predictor[Any]]) -> tuple[SharesWork[Any], list[float]] | None:
    """Return a learner that shares work and its values of C, where C is all that differs."""
    first = learners[0]
    if not isinstance(first, SharesWork) or not is_dataclass(first) or not hasattr(first, "C"):
        return None
    prices = [float(getattr(learner, "C", np.nan)) for learner in learners]
    if any(replace(first, C=price) != other for price, other in zip(prices, learners, strict=True)):
        return None
    return first, prices


def _assembled(
    parameter: str,
    values: tuple[Any, ...],
    measured: Sequence[tuple[FloatArray, FloatArray]],
    y: NDArray[Any],
    kind: str,
    classes: int,
    level: float,
    share: float,
    rng: Generator,
    draws: int,
) -> CapacityCurve:
    train = np.column_stack([each for each, _ in measured])
    terms, left, held = [], [], []
    for _, predictions in measured:
        additive = _additive(kind, predictions, y, classes)
        terms.append(list(additive.terms().values()))
        left.append([[v.mean() for v in part.values()] for part in additive.left_out(GROUPS)])
        held.append(_loss_by_draw(kind, predictions, y))
    # Each of shape (V, 2, n) and (V, G, 2): bias² first, then variance.
    by_row, by_group = _of_numbers(np.array(terms)), np.array(left)
    columns = {"train_error": train, "held_out_error": np.column_stack(held)}
    estimate, covariance, df = {}, {}, {}
    for name, per_draw in columns.items():
        estimate[name] = per_draw.mean(axis=0)
        spread = np.atleast_2d(np.cov(per_draw, rowvar=False))
        covariance[name] = (1 / draws + share) * spread
        df[name] = draws - 1.0
    estimate["held_out_error"] = by_row.sum(axis=1).mean(axis=1)
    if share == 0:
        # Fresh training sets, but the same rows predicted by all: their chance counts too.
        losses = by_row.sum(axis=1)
        covariance["held_out_error"] += np.atleast_2d(np.cov(losses)) / len(y)
    for place, name in enumerate(("bias2", "variance")):
        rows, groups = by_row[:, place], by_group[:, :, place]
        estimate[name] = rows.mean(axis=1)
        over_rows = np.atleast_2d(np.cov(rows)) / rows.shape[1]
        away = groups - groups.mean(axis=1, keepdims=True)
        count = groups.shape[1]
        covariance[name] = over_rows + (count - 1) / count * away @ away.T
        df[name] = count - 1.0
    se = {name: np.sqrt(np.diagonal(covariance[name])) for name in QUANTITIES}
    wide = {name: critical_value(covariance[name], level, df[name], rng) * se[name] for name in QUANTITIES}
    return CapacityCurve(
        parameter,
        values,
        {name: estimate[name] for name in QUANTITIES},
        se,
        {name: estimate[name] - wide[name] for name in QUANTITIES},
        {name: estimate[name] + wide[name] for name in QUANTITIES},
        kind,
        level,
        draws,
        len(y),
    )


def _additive(kind: str, predictions: FloatArray, y: NDArray[Any], classes: int) -> Additive:
    if kind == "squared":
        return squared(predictions, y)
    return (log if kind == "log" else kohavi_wolpert)(predictions, y, classes)


def _loss_by_draw(kind: str, predictions: FloatArray, y: NDArray[Any]) -> FloatArray:
    seen = ~np.isnan(predictions.reshape(len(predictions), len(y), -1)[:, :, 0])
    if kind == "squared":
        losses = (predictions - y) ** 2
    elif kind == "zero-one":
        losses = (predictions != y).astype(float)
    else:
        losses = -np.log(np.maximum(predictions[:, np.arange(len(y)), y], SMALLEST))
    return np.asarray(np.where(seen, losses, 0.0).sum(axis=1) / seen.sum(axis=1))


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
