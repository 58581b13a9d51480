"""Loss against rows: what more data would bring, with an interval on the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from thetahat.contracts import Draw, Fit, FloatArray, IntArray, Sample
from thetahat.errors import UsageError
from thetahat.resampling.adapter import point_estimator, rows_for
from thetahat.resampling.bands import critical_value
from thetahat.resampling.capacity import CurveMetric, losses_of_rows, plan_of, target_of
from thetahat.resampling.plans import KFold, Plan, Rows
from thetahat.resampling.replicate import replicate

__all__ = [
    "LearningCurve",
    "PowerLaw",
    "RowsNeeded",
    "curve_of",
    "growing_draws",
    "learning_curve",
    "sizes_within",
]

# Exponents of the power law that are looked at: slower cannot be told from no progress.
EXPONENTS = np.geomspace(0.1, 2.0, 400)
SIMULATED = 1000
SMALLEST_SIZE = 10
MOST_ROWS = 1e9


@dataclass(frozen=True, slots=True)
class RowsNeeded:
    """Training rows that a question asks for, with its interval; infinite where none would do."""

    rows: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isinf(self.rows):
            return "no number of rows, as far as this curve can say"
        high = "no limit" if np.isinf(self.high) else f"{self.high:,.0f}"
        return f"about {self.rows:,.0f} rows ({self.low:,.0f} to {high})".replace(",", "\N{THIN SPACE}")


@dataclass(frozen=True, slots=True, eq=False)
class PowerLaw:
    """a + b (n / n₀)^−c, fitted by maximum likelihood under normal errors of known variances.

    Parameters
    ----------
    a, b, c : ndarray of shape (S,)
        The fit first, then those of simulated curves.
    scale : float
        n₀, the largest size.
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    scale: float

    def __call__(self, n: Any) -> FloatArray:
        """Return the curves at these numbers of rows, shape (S, …)."""
        part = (np.asarray(n, dtype=float) / self.scale)[None, ...]
        shape = (-1,) + (1,) * (part.ndim - 1)
        return np.asarray(self.a.reshape(shape) + self.b.reshape(shape) * part ** -self.c.reshape(shape))

    def reach(self, goal: FloatArray | float) -> FloatArray:
        """Return the rows at which each curve comes down to the goal; infinite where it never does."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rows = self.scale * ((goal - self.a) / self.b) ** (-1 / self.c)
        never = (goal <= self.a) | ~(self.b > 0)
        return np.where(never & (self.a + self.b > goal), np.inf, np.where(np.isnan(rows), 1.0, rows))


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """How a learner's errors move with the rows that train it.

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
        Which loss.
    level : float
        Of each interval and band.
    """

    sizes: IntArray
    estimate: Mapping[str, FloatArray]
    se: Mapping[str, FloatArray] = field(repr=False)
    lower: Mapping[str, FloatArray] = field(repr=False)
    upper: Mapping[str, FloatArray] = field(repr=False)
    law: PowerLaw = field(repr=False)
    metric: str = "squared"
    level: float = 0.95

    def predict(self, n: float) -> tuple[float, float, float]:
        """Return the loss (or gap) expected of n training rows, with its interval.

        Beyond the largest size it is an extrapolation, and holds if the power law does.
        """
        curves = self.law(n)
        low, high = np.quantile(curves[1:], self._tails())
        return float(curves[0]), float(low), float(high)

    def rows_for(self, goal: float) -> RowsNeeded:
        """Return the training rows at which the held-out error comes down to a goal."""
        rows = self.law.reach(goal)
        low, high = self._ends(rows[1:])
        return RowsNeeded(_bounded(rows[0]), low, high)

    def rows_to_decide(self, se: float | None = None) -> RowsNeeded:
        """Return the training rows, at least those there are, at which the gap stands out of its own noise.

        The gap follows its power law, and its standard error falls as 1 / √n from that of the largest size.

        Parameters
        ----------
        se : float, optional
            Standard error of the gap at the largest size, where a sharper one than the curve's is known.

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
            A loss whose number of rows is marked.
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
            words, colour, style = shown[name]
            ax.plot(self.sizes, value, style, color=colour, label=words, markersize=4)
            ax.fill_between(
                self.sizes, self.lower[name], self.upper[name], color=colour, alpha=0.14, linewidth=0
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
            title = f"To tell them apart takes {self.rows_to_decide()}"
        elif goal is not None:
            needed = self.rows_for(goal)
            ax.axhline(goal, color="#d55e00", linewidth=1, label=f"goal {goal:.4g}")
            title = f"The goal of {goal:.4g} asks for {needed}"
        else:
            now, then = self.predict(self.sizes[-1])[0], self.predict(end)
            title = f"At {end:,.0f} rows: {then[0]:.3g} ({then[1]:.3g} to {then[2]:.3g}), now {now:.3g}"
        ax.set_xscale("log")
        ax.set_xlabel("training rows (dashed: the most there are)")
        ax.set_ylabel(f"mean {self.metric} loss of a row")
        ax.set_title(title.replace(",", "\N{THIN SPACE}"), loc="left", fontsize=11)
        ax.legend(frameon=False)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax

    def _tails(self) -> tuple[float, float]:
        return 0.5 - self.level / 2, 0.5 + self.level / 2

    def _ends(self, rows: FloatArray) -> tuple[float, float]:
        # A quantile of infinite numbers is one of them, never between them.
        low, high = np.quantile(rows, self._tails(), method="inverted_cdf")
        return _bounded(low), _bounded(high)


def learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    sizes: Sequence[int] | None = None,
    *,
    against: Any = None,
    cv: int | str | Plan | None = None,
    metric: CurveMetric = "auto",
    level: float = 0.95,
    jobs: int = 1,
    rng: Generator | None = None,
) -> LearningCurve:
    """Fit a learner on more and more rows, and say what still more would bring.

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
    cv : int, str or plan, optional
        Which rows are held out: folds, or a plan such as ``"cv:10x5"``; ten repeats of five folds by default.
    metric : {"auto", "squared", "zero-one", "log"}
        Loss of a row; ``auto`` is zero-one for classes and squared for numbers.
    level : float
        Of intervals and bands.
    jobs : int
        Worker processes.
    rng : Generator, optional
        Of the draws and the fits; seeded with 0 by default.

    Returns
    -------
    LearningCurve
        Errors at each size, with bands, and the law fitted to them.

    Raises
    ------
    UsageError
        An argument cannot be meant.

    Notes
    -----
    Within a draw a larger training set holds the smaller ones, each class in its proportion. The covariance
    over sizes is that of the corrected resampled t. The power law is fitted to the means, and again to curves
    drawn from their joint distribution: intervals of an extrapolation, and of a number of rows, are
    percentiles of those. They hold if the law does (Viering and Loog, 2023, The shape of learning curves).
    """
    rng = np.random.default_rng(0) if rng is None else rng
    rng_draws, rng_fits, rng_bands = rng.spawn(3)
    X, y = rows_for(estimator, X, y)
    kind, labels, y = target_of(metric, y)
    plan = plan_of(cv, KFold(5, 10))
    folds = plan.draws(Rows(len(y), y if len(labels) else None), rng=rng_draws)
    if len(folds) < 3:
        raise UsageError("cv: a curve with error bars needs at least 3 draws; use cv:5x5")
    most = min(len(fold.train) for fold in folds)
    asked = sizes_within(sizes, most, max(SMALLEST_SIZE, 2 * len(labels)))
    draws = growing_draws(folds, asked, y if len(labels) else None, rng_draws)
    losses = [
        _losses(each, Sample(X, y), draws, kind, len(labels) or None, child, jobs).reshape(
            len(folds), len(asked), 2
        )
        for each, child in zip(
            [estimator] if against is None else [estimator, against], rng_fits.spawn(2), strict=False
        )
    ]
    if against is None:
        columns = {"train_error": losses[0][:, :, 0], "held_out_error": losses[0][:, :, 1]}
    else:
        columns = {"gap": losses[0][:, :, 1] - losses[1][:, :, 1]}
    return curve_of(columns, folds, asked, kind, level, rng_bands)


def curve_of(
    columns: Mapping[str, FloatArray],
    folds: Sequence[Draw],
    sizes: IntArray,
    metric: str,
    level: float,
    rng: Generator,
) -> LearningCurve:
    """Return the curve of losses already measured.

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
    """
    share = float(np.mean([len(fold.test) / len(fold.train) for fold in folds]))
    factor = 1 / len(folds) + share
    mean = {name: value.mean(axis=0) for name, value in columns.items()}
    covariance = {
        name: factor * np.atleast_2d(np.cov(value, rowvar=False)) for name, value in columns.items()
    }
    se = {name: np.sqrt(np.diagonal(value)) for name, value in covariance.items()}
    wide = {name: critical_value(covariance[name], level, len(folds) - 1.0, rng) * se[name] for name in mean}
    main = "gap" if "gap" in columns else "held_out_error"
    law = _power_law(sizes, mean[main], covariance[main], main != "gap", rng)
    return LearningCurve(
        sizes,
        mean,
        se,
        {name: mean[name] - wide[name] for name in mean},
        {name: mean[name] + wide[name] for name in mean},
        law,
        metric,
        level,
    )


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
    found = np.unique(np.asarray(sizes, dtype=np.int64))
    if len(found) < 3 or found[0] < 2 or found[-1] > most:
        raise UsageError(f"sizes: name at least three different ones, from 2 to {most}, the rows that train")
    return found


def _order(train: IntArray, labels: NDArray[Any] | None, rng: Generator) -> IntArray:
    """Return the rows in an order whose every beginning holds the classes in about their proportion."""
    shuffled = rng.permutation(train)
    if labels is None:
        return shuffled
    place = np.empty(len(shuffled))
    for label in np.unique(labels[shuffled]):
        members = np.flatnonzero(labels[shuffled] == label)
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    # The first of each class stand first, so that no training set lacks one.
    first = np.unique(labels[shuffled], return_index=True)[1]
    place[first] = -1.0
    return shuffled[np.argsort(place, kind="stable")]


def _losses(
    estimator: Any,
    sample: Sample,
    draws: Sequence[Draw],
    kind: str,
    classes: int | None,
    rng: Generator,
    jobs: int,
) -> FloatArray:
    learner = point_estimator(estimator, classes)

    def read(fit: Fit[Any], train: Sample, held_out: Sample, /) -> tuple[float, float]:
        seen, new = (
            float(np.mean(losses_of_rows(kind, part.y, learner.predict(fit.theta, part.X))))
            for part in (train, held_out)
        )
        return seen, new

    return np.array(replicate(learner, sample, draws, read, rng=rng, jobs=jobs).values)


def _power_law(
    sizes: IntArray, mean: FloatArray, covariance: FloatArray, falling: bool, rng: Generator
) -> PowerLaw:
    """Fit a + b (n / n₀)^−c to the means, and to curves drawn from their distribution.

    For each exponent a and b are weighted least squares; of a loss both are held at or above 0.
    """
    simulated = rng.multivariate_normal(mean, covariance, size=SIMULATED, method="eigh")
    curves = np.vstack([mean, simulated])
    variance = np.diagonal(covariance)
    weight = 1 / np.maximum(variance, 1e-12 * variance.max() + np.finfo(float).tiny)
    part = (sizes / sizes[-1])[None, :] ** -EXPONENTS[:, None]
    total = weight.sum()
    middle = part @ weight / total
    spread = ((part - middle[:, None]) ** 2) @ weight
    level = curves @ weight / total
    slope = ((part - middle[:, None]) * weight) @ curves.T / spread[:, None]
    a = level[None, :] - middle[:, None] * slope
    b = slope
    if falling:
        through = (part * weight) @ curves.T / ((part**2) @ weight)[:, None]
        a, b = np.where(a < 0, 0.0, a), np.where(a < 0, np.maximum(through, 0.0), b)
        a, b = np.where(b < 0, level[None, :], a), np.maximum(b, 0.0)
    away = a[:, :, None] + b[:, :, None] * part[:, None, :] - curves[None, :, :]
    best = ((away**2) @ weight).argmin(axis=0)
    at = np.arange(len(curves))
    return PowerLaw(a[best, at], b[best, at], EXPONENTS[best], float(sizes[-1]))


def _bounded(rows: float) -> float:
    return float(rows) if rows < MOST_ROWS else float("inf")
