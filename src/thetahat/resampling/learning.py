"""Loss against rows: what more data would bring, with an interval on the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from thetahat.checked import generator, level_of
from thetahat.contracts import Draw, Fit, FloatArray, IntArray, Predictor, Sample
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure
from thetahat.resampling.adapter import point_estimator, rows_for
from thetahat.resampling.bands import critical_value
from thetahat.resampling.own_plans import as_plan, draws_of
from thetahat.resampling.plans import KFold, Plan, Rows
from thetahat.resampling.power_law import PowerLaw, RowsNeeded, fit_power_law
from thetahat.resampling.replicate import replicate
from thetahat.resampling.scoring import Scoring, choose_scoring
from thetahat.resampling.spread import corrected_covariance

__all__ = [
    "LearningCurve",
    "PowerLaw",
    "RowsNeeded",
    "curve_of",
    "growing_draws",
    "learning_curve",
    "sizes_within",
]

SMALLEST_SIZE = 10
MOST_ROWS = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """How a learner's errors change with the number of training rows.

    Parameters
    ----------
    sizes : ndarray of shape (m,)
        Training rows.
    estimate, se, lower, upper : mapping of str to ndarray of shape (m,)
        Of ``train_error`` and ``held_out_error``; with ``against``, of ``gap``, the held-out error of the
        first less that of the second. Bands hold at every size at once.
    law : PowerLaw
        Fitted to the held-out error, or to the gap.
    metric : str
        Which loss, or other measure.
    level : float
        Of each interval and band.
    higher_is_better : bool
        Direction of the metric: ``held_out_error`` is then a score.
    label : str
        The metric, as the axis of the plot names it.
    """

    sizes: IntArray
    estimate: Mapping[str, FloatArray]
    se: Mapping[str, FloatArray] = field(repr=False)
    lower: Mapping[str, FloatArray] = field(repr=False)
    upper: Mapping[str, FloatArray] = field(repr=False)
    law: PowerLaw = field(repr=False)
    metric: str = "squared"
    level: float = 0.95
    higher_is_better: bool = False
    label: str = ""

    def predict(self, n: float) -> tuple[float, float, float]:
        """Return the held-out error (or gap) expected of n training rows, with its interval.

        Beyond the largest size it is an extrapolation, and is valid if the power law is.
        """
        curves = self.law(n)
        low, high = np.quantile(curves[1:], self._tails())
        return float(curves[0]), float(low), float(high)

    def rows_for(self, goal: float) -> RowsNeeded:
        """Return the training rows at which the held-out error reaches a goal."""
        rows = self.law.reach(goal)
        low, high = self._ends(rows[1:])
        return RowsNeeded(_bounded(rows[0]), low, high)

    def rows_to_decide(self, se: float | None = None) -> RowsNeeded:
        """Return the training rows, from the largest size on, at which the gap exceeds its own error.

        The gap follows its power law, and its standard error falls as 1 / √n from that of the largest size.

        Parameters
        ----------
        se : float, optional
            Standard error of the gap at the largest size, if a better one than the curve's is known.

        Raises
        ------
        UsageError
            The curve is not of a gap.
        """
        if "gap" not in self.estimate:
            raise UsageError(
                "rows_to_decide: this is the curve of one learner; give learning_curve an against"
            )
        z = float(stats.norm.ppf(0.5 + self.level / 2))
        grid = np.geomspace(self.sizes[-1], MOST_ROWS, 400)
        noise = z * (self.se["gap"][-1] if se is None else se) * np.sqrt(self.sizes[-1] / grid)
        clear = np.abs(self.law(grid)) > noise
        rows = np.where(clear.any(axis=1), grid[clear.argmax(axis=1)], np.inf)
        low, high = self._ends(rows[1:])
        return RowsNeeded(_bounded(rows[0]), low, high)

    def table(self) -> dict[str, list[Any]]:
        """Return by column: n, then each quantity with its lower and upper end."""
        columns: dict[str, list[Any]] = {"n": self.sizes.tolist()}
        for name, value in self.estimate.items():
            columns[name] = value.tolist()
            columns[f"{name}_lower"] = self.lower[name].tolist()
            columns[f"{name}_upper"] = self.upper[name].tolist()
        return columns

    def plot(self, ax: Any = None, *, until: float | None = None, goal: float | None = None) -> Any:
        """Draw the curve with its bands and its extrapolation; return the axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        until : float, optional
            The most rows to extrapolate to; four times the largest size by default.
        goal : float, optional
            A held-out error whose number of rows is marked.
        """
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(figsize=(7.2, 4.4), layout="constrained")
        shown = {
            "train_error": ("training error", "#6e7074", "o:"),
            "held_out_error": ("held-out error", "#1a1b1c", "o"),
            "gap": ("gap (first less second)", "#1a1b1c", "o"),
        }
        for name, value in self.estimate.items():
            words, color, style = shown[name]
            words = words.replace("error", "score") if self.higher_is_better else words
            ax.plot(self.sizes, value, style, color=color, label=words, markersize=4)
            ax.fill_between(
                self.sizes, self.lower[name], self.upper[name], color=color, alpha=0.14, linewidth=0
            )
        end = 4 * self.sizes[-1] if until is None else until
        grid = np.geomspace(self.sizes[0], end, 100)
        curves = self.law(grid)
        low, high = np.quantile(curves[1:], self._tails(), axis=0)
        ax.plot(grid, curves[0], color="#0072b2", label="power law")
        ax.fill_between(grid, low, high, color="#0072b2", alpha=0.14, linewidth=0)
        ax.axvline(self.sizes[-1], color="#6e7074", linewidth=1, linestyle=(0, (4, 3)))
        title = ""
        if "gap" in self.estimate:
            ax.axhline(0, color="#6e7074", linewidth=1)
            title = f"To distinguish them takes {self.rows_to_decide()}"
        elif goal is not None:
            needed = self.rows_for(goal)
            ax.axhline(goal, color="#d55e00", linewidth=1, label=f"goal {goal:.4g}")
            title = f"The goal of {goal:.4g} asks for {needed}"
        else:
            now, then = self.predict(self.sizes[-1])[0], self.predict(end)
            title = f"At {end:,.0f} rows: {then[0]:.3g} ({then[1]:.3g} to {then[2]:.3g}), now {now:.3g}"
        ax.set_xscale("log")
        ax.set_xlabel("training rows (dashed: the most there are)")
        ax.set_ylabel(self.label or f"mean {self.metric} loss of a row")
        ax.set_title(title.replace(",", "\N{THIN SPACE}"), loc="left", fontsize=11)
        ax.legend(frameon=False)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax

    def _tails(self) -> tuple[float, float]:
        return 0.5 - self.level / 2, 0.5 + self.level / 2

    def _ends(self, rows: FloatArray) -> tuple[float, float]:
        # Interpolation between infinite numbers would give NaN.
        low, high = np.quantile(rows, self._tails(), method="inverted_cdf")
        return _bounded(low), _bounded(high)


def learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    sizes: Sequence[int] | None = None,
    *,
    against: Any = None,
    cv: int | str | Plan | Iterable[Any] | None = None,
    metric: str | Measure = "auto",
    level: float = 0.95,
    jobs: int = 1,
    rng: Generator | None = None,
) -> LearningCurve:
    """Fit a learner on more and more rows, and extrapolate its error to still more.

    Parameters
    ----------
    estimator : object
        A scikit-learn compatible estimator, or a ``Predictor``.
    X, y : array of shape (n, d) and (n,)
        The rows.
    sizes : sequence of int, optional
        Training rows, at least three sizes; eight in equal ratios up to all that a draw has by default.
    against : object, optional
        A second learner: the curve is then that of the gap between them, on the same rows.
    cv : int, str, plan, splitter or pairs of index arrays, optional
        Which rows are held out: a number of folds, repeated ten times; a plan such as ``"cv:10x5"``; a
        scikit-learn splitter; or (train, test) index arrays. Ten repeats of five folds by default.
    metric : str or Measure
        ``"auto"`` is zero-one for classes and squared for numbers; any measure of ``th.compare`` by name, or
        a measure. The power law is fitted to its distance from its best possible value where it has one.
    level : float
        Of intervals and bands.
    jobs : int
        Worker processes; the result does not depend on it.
    rng : Generator, optional
        Of the draws and the fits; seeded with 0 by default.

    Returns
    -------
    LearningCurve
        Errors at each size, with bands, and the law fitted to them.

    Raises
    ------
    UsageError
        An argument is invalid, or the metric has no value on the rows of a draw.

    Notes
    -----
    Within a draw a larger training set holds the smaller ones, each class in its proportion. The covariance
    over sizes is that of the corrected resampled t. The power law is fitted to the means, and again to curves
    simulated from their joint distribution: intervals of an extrapolation, and of a number of rows, are
    percentiles of those. They are valid if the law is (Viering and Loog, 2023, The shape of learning curves).
    """
    level, rng = level_of(level), generator(rng)
    rng_draws, rng_fits, rng_bands = rng.spawn(3)
    X, y = rows_for(estimator, X, y)
    scoring = choose_scoring(metric, y)
    y = scoring.y
    learners = [
        point_estimator(each, scoring.classes)
        for each in ((estimator,) if against is None else (estimator, against))
    ]
    plan = as_plan(cv, KFold(5, 10), repeats=10)
    folds = draws_of(plan, Rows(len(y), scoring.codes), rng=rng_draws)
    if len(folds) < 3:
        raise UsageError("cv: a curve with error bars needs at least 3 draws; use cv:5x5")
    most = min(len(fold.train) for fold in folds)
    asked = sizes_within(sizes, most, max(SMALLEST_SIZE, 2 * len(scoring.labels)))
    draws = growing_draws(folds, asked, scoring.codes, rng_draws)
    reading = _Reading(tuple(learners), scoring)
    values = replicate(
        learners[0], Sample(X, y), draws, reading, rng=rng_fits, capacities=learners, jobs=jobs
    ).complete
    # Of shape (draws, sizes, learners, training and held-out).
    errors = np.array(values).reshape(len(folds), len(asked), len(learners), 2)
    if against is None:
        columns = {"train_error": errors[:, :, 0, 0], "held_out_error": errors[:, :, 0, 1]}
    else:
        columns = {"gap": errors[:, :, 0, 1] - errors[:, :, 1, 1]}
    return curve_of(columns, folds, asked, scoring.name, level, rng_bands, scoring.measure, scoring.label)


def curve_of(
    columns: Mapping[str, FloatArray],
    folds: Sequence[Draw],
    sizes: IntArray,
    metric: str,
    level: float,
    rng: Generator,
    measure: Measure | None = None,
    label: str = "",
) -> LearningCurve:
    """Return the curve of errors already measured.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (J, m)
        ``held_out_error``, or ``gap``, and what else is shown, of J draws at m sizes.
    folds : sequence of J Draw
        The draws, with all their training rows.
    sizes : ndarray of shape (m,)
        Training rows.
    metric, level
        As in :class:`LearningCurve`.
    rng : Generator
        Of the simulated curves.
    measure : Measure, optional
        Its direction and bounds say which loss the power law is of; a loss of at least 0 by default.
    label : str
        As in :class:`LearningCurve`.
    """
    share = float(np.mean([len(fold.test) / len(fold.train) for fold in folds]))
    mean = {name: value.mean(axis=0) for name, value in columns.items()}
    covariance = {name: corrected_covariance(value, share) for name, value in columns.items()}
    se = {name: np.sqrt(np.diagonal(value)) for name, value in covariance.items()}
    wide = {name: critical_value(covariance[name], level, len(folds) - 1.0, rng) * se[name] for name in mean}
    main = "gap" if "gap" in columns else "held_out_error"
    if main == "gap":
        law = fit_power_law(sizes, mean[main], covariance[main], False, rng)
    else:
        offset, sign, bounded = _as_loss(measure)
        loss = sign * (mean[main] - offset)
        law = replace(
            fit_power_law(sizes, loss, covariance[main], True, rng, bounded), offset=offset, sign=sign
        )
    return LearningCurve(
        sizes,
        mean,
        se,
        {name: mean[name] - wide[name] for name in mean},
        {name: mean[name] + wide[name] for name in mean},
        law,
        metric,
        level,
        measure is not None and measure.higher_is_better,
        label,
    )


def _as_loss(measure: Measure | None) -> tuple[float, float, bool]:
    """Return offset and sign of the loss sign · (value − offset), and whether that is at least 0."""
    if measure is None:
        return 0.0, 1.0, True
    best = measure.bounds[1] if measure.higher_is_better else measure.bounds[0]
    return (best if np.isfinite(best) else 0.0), measure.sign, bool(np.isfinite(best))


def growing_draws(
    folds: Sequence[Draw], sizes: IntArray, labels: NDArray[Any] | None, rng: Generator
) -> list[Draw]:
    """Return each draw at each size: its training rows cut short, the larger sets holding the smaller."""
    draws = []
    for fold in folds:
        order = _order(fold.train, labels, rng)
        draws += [Draw(order[:size], fold.test) for size in sizes]
    return draws


def sizes_within(sizes: Sequence[int] | None, most: int, fewest: int) -> IntArray:
    """Return the sizes asked for, or eight in equal ratios, none above what a draw has.

    Raises
    ------
    UsageError
        There are too few rows, or too few sizes.
    """
    if sizes is None:
        if most < 3 * fewest:
            raise UsageError(f"X: a learning curve needs more rows; a draw trains on {most} here")
        return np.unique(np.round(np.geomspace(max(fewest, most // 32), most, 8)).astype(np.int64))
    given = np.asarray(sizes)
    if given.ndim != 1 or given.dtype.kind not in "iuf" or (given != np.round(given)).any():
        raise UsageError(f"sizes: a list of whole numbers is expected, not {sizes!r}")
    distinct = np.unique(given.astype(np.int64))
    if len(distinct) < 3 or distinct[0] < 2 or distinct[-1] > most:
        raise UsageError(f"sizes: name at least three different ones, from 2 to {most}, the rows that train")
    return distinct


def _order(train: IntArray, labels: NDArray[Any] | None, rng: Generator) -> IntArray:
    """Return the rows in an order whose every prefix holds the classes in about their proportion."""
    shuffled = rng.permutation(train)
    if labels is None:
        return shuffled
    place = np.empty(len(shuffled))
    for label in np.unique(labels[shuffled]):
        members = np.flatnonzero(labels[shuffled] == label)
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    # One row of each class comes first, so that no training set lacks a class.
    first = np.unique(labels[shuffled], return_index=True)[1]
    place[first] = -1.0
    return shuffled[np.argsort(place, kind="stable")]


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """The functional: training and held-out error of each learner's fit, shape (learners, 2)."""

    learners: tuple[Predictor[Any], ...]
    scoring: Scoring

    def __call__(self, fit: Fit[Any], train: Sample, held_out: Sample, /) -> FloatArray:
        return np.array(
            [
                [
                    self.scoring.value(part.y, learner.predict(each.theta, part.X))
                    for part in (train, held_out)
                    if part.y is not None
                ]
                for learner, each in zip(self.learners, fit.theta, strict=True)
            ]
        )


def _bounded(rows: float) -> float:
    return float(rows) if rows < MOST_ROWS else float("inf")
