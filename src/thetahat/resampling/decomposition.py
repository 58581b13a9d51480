"""Bias and variance of a learner, each with its error bar, by training it on many draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from thetahat.checked import generator, level_of, target, whole_number
from thetahat.contracts import Fit, FloatArray, Sample
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure
from thetahat.resampling.adapter import point_estimator, rows_for
from thetahat.resampling.bootstrap632 import Bootstraps
from thetahat.resampling.plans import Rows
from thetahat.resampling.population import fresh_samples
from thetahat.resampling.replicate import replicate
from thetahat.resampling.scoring import Scoring, choose_scoring
from thetahat.resampling.spread import jackknife_error
from thetahat.resampling.terms import DECOMPOSITIONS

__all__ = ["Decomposition", "decompose", "summarise"]

# Groups of draws that the jackknife leaves out in turn, for the error of finitely many draws.
GROUPS = 25


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """A learner's mean loss as a sum of terms, each with its interval.

    Parameters
    ----------
    loss : str
        Which loss.
    terms : mapping of str to float
        Mean of each term over rows; their sum is ``total``.
    se, low, high : mapping of str to float
        Standard error and interval of each term and of ``"loss"``.
    total : float
        Mean loss over draws and rows.
    by_row : mapping of str to ndarray of shape (n,)
        Each term of each row.
    draws, rows : int
        How many training draws and predicted rows.
    level : float
        Of the intervals.
    """

    loss: str
    terms: Mapping[str, float]
    se: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    total: float
    by_row: Mapping[str, FloatArray] = field(repr=False)
    draws: int
    rows: int
    level: float

    def table(self) -> dict[str, list[Any]]:
        """Return by column: term, value, se, lower, upper; the loss last."""
        names = [*self.terms, "loss"]
        values = {**self.terms, "loss": self.total}
        return {
            "term": names,
            "value": [values[name] for name in names],
            "se": [self.se[name] for name in names],
            "lower": [self.low[name] for name in names],
            "upper": [self.high[name] for name in names],
        }

    def plot(self, ax: Any = None) -> Any:
        """Draw each term as a bar with its interval; return the axes."""
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(figsize=(6.4, 1.2 + 0.45 * (len(self.terms) + 1)), layout="constrained")
        table = self.table()
        places = np.arange(len(table["term"]))[::-1]
        value, low, high = (np.array(table[name]) for name in ("value", "lower", "upper"))
        colors = ["#0072b2"] * len(self.terms) + ["#1a1b1c"]
        ax.barh(places, value, height=0.5, color=colors, alpha=0.35)
        ax.hlines(places, low, high, color=colors, linewidth=2)
        ax.plot(value, places, "o", color="#1a1b1c", markersize=4)
        ax.set_yticks(places, table["term"])
        ax.axvline(0, color="#6e7074", linewidth=1)
        ax.set_xlabel(f"{self.loss} loss, with {100 * self.level:g} % intervals")
        most = max(self.terms, key=lambda name: self.terms[name])
        share = f"{100 * self.terms[most] / self.total:.0f} % of the loss is {most}" if self.total else ""
        ax.set_title(share, loc="left")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax


def decompose(
    estimator: Any,
    X: Any,
    y: Any,
    X_test: Any = None,
    y_test: Any = None,
    *,
    loss: str | Measure = "auto",
    draws: int = 200,
    population: Callable[[Generator], tuple[Any, Any]] | None = None,
    truth: Any = None,
    level: float = 0.95,
    jobs: int = 1,
    rng: Generator | None = None,
) -> Decomposition:
    """Split a learner's loss into bias and variance, by training it on many draws.

    Parameters
    ----------
    estimator : object
        A scikit-learn compatible estimator, or a ``Predictor``. If it shares work, many draws are fitted at
        once.
    X, y : array of shape (n, d) and (n,)
        Rows to draw training sets from, with replacement. With ``population`` they are the rows predicted.
    X_test, y_test : array, optional
        Rows to predict; otherwise each row is predicted by the draws that left it out.
    loss : {"auto", "squared", "zero-one", "kohavi-wolpert", "log"}
        ``auto`` is zero-one for classes and squared for numbers. Other names of these measures are taken too;
        other measures have no decomposition.
    draws : int
        How many training sets.
    population : callable, optional
        ``population(rng)`` gives a fresh training set ``(X, y)``: the variance is then that of the algorithm.
        With draws from one table it is the bootstrap's estimate of that.
    truth : array of shape (n,), optional
        E[y | x] of the rows predicted; noise is then separated from bias² (squared loss).
    level : float
        Of the intervals: normal, over rows and over draws. With draws from one table, they do not include
        the sampling error of that table.
    jobs : int
        Worker processes; the result does not depend on it.
    rng : Generator, optional
        Of the draws and the fits; seeded with 0 by default.

    Returns
    -------
    Decomposition
        The terms and the loss, each with its interval.

    Raises
    ------
    UsageError
        An argument is invalid.

    Notes
    -----
    Terms of squared loss and of Kohavi and Wolpert are unbiased in the number of draws. See
    :mod:`thetahat.resampling.terms` for each formula and its source.
    """
    draws, level = whole_number(draws, "draws", least=3), level_of(level)
    if (X_test is None) != (y_test is None):
        raise UsageError("X_test, y_test: give both or neither")
    if population is not None and X_test is not None:
        raise UsageError("population: X and y are the rows predicted; leave X_test and y_test out")
    rng_draws, rng_fits = generator(rng).spawn(2)
    X, y = rows_for(estimator, X, y)
    fixed, test_y = (None, y) if X_test is None else rows_for(estimator, X_test, y_test, least=1)
    scoring, kind = _loss(loss, y, test_y)
    test_y = scoring.encode(test_y, "y_test")
    known = None if truth is None else target(truth, len(test_y), "truth").astype(np.float64)
    learner = point_estimator(estimator, scoring.classes)
    if population is None:
        sample = Sample(X, scoring.y)
        parts = Bootstraps(draws, apparent=False).draws(Rows(len(y)), rng=rng_draws)
    else:
        sample, parts = fresh_samples(population, draws, scoring.encode, rng_draws)
        fixed = X

    def predictions_of(fit: Fit[Any], train: Sample, held_out: Sample, /) -> FloatArray:
        rows = held_out.X if fixed is None else fixed
        if not rows.shape[0]:
            # A resample that holds every row leaves none to predict.
            return np.empty((0, len(scoring.labels)) if kind == "log" else 0)
        return scoring.decomposed(learner.predict(fit.theta, rows))

    values = replicate(learner, sample, parts, predictions_of, rng=rng_fits, jobs=jobs).complete
    places = [draw.test if fixed is None else np.arange(len(test_y)) for draw in parts]
    predictions, seen = _side_by_side(values, places, len(test_y))
    known = None if known is None else known[seen]
    return summarise(predictions[:, seen], test_y[seen], kind, scoring.classes or 0, level, known)


def _loss(loss: Any, y: NDArray[Any], test_y: NDArray[Any]) -> tuple[Scoring, str]:
    """Return the loss for classes of both targets, and the name of its decomposition."""
    cure = f"choose auto, {', '.join(DECOMPOSITIONS)}"
    try:
        scoring = choose_scoring(loss, y, argument="loss")
        if scoring.classes is not None:
            labels = np.unique(np.concatenate([y, test_y]))
            scoring = choose_scoring(loss, y, labels=labels, argument="loss")
    except UsageError as error:
        if isinstance(loss, str) and str(error).startswith("loss: there is no"):
            raise UsageError(f"loss: {cure}, not {loss!r}") from error
        raise
    if not scoring.decomposable:
        raise UsageError(
            f"loss: {cure}; {scoring.name} has no bias and variance, but th.capacity_curve and "
            "th.learning_curve take it as metric"
        )
    return scoring, "kohavi-wolpert" if loss == "kohavi-wolpert" else scoring.name


def summarise(
    predictions: FloatArray,
    y: Any,
    loss: str,
    classes: int = 0,
    level: float = 0.95,
    truth: FloatArray | None = None,
) -> Decomposition:
    """Decompose the loss of predictions already made.

    Parameters
    ----------
    predictions : ndarray of shape (D, n), or (D, n, K) for ``log``
        Of D training draws; NaN where a draw did not predict a row.
    y : ndarray of shape (n,)
        Numbers, or codes 0 … K − 1.
    loss : {"squared", "zero-one", "kohavi-wolpert", "log"}
    classes : int
        K.
    level : float
        Of the intervals.
    truth : ndarray of shape (n,), optional
        E[y | x].

    Returns
    -------
    Decomposition
        The standard error of a term is the root of two variances: of its mean over rows, and by a grouped
        jackknife over the draws.
    """
    additive = DECOMPOSITIONS[loss](predictions, y, truth if loss == "squared" else classes)
    by_row = additive.terms()
    whole = {**by_row, "loss": np.sum(list(by_row.values()), axis=0)}
    draws, n = len(predictions), len(y)
    left = [{name: float(value.mean()) for name, value in part.items()} for part in additive.left_out(GROUPS)]
    left = [{**part, "loss": sum(part.values())} for part in left]
    if not all(np.isfinite(value).all() for value in whole.values()):
        raise UsageError(f"y: the {loss} losses are beyond the largest number; scale y")
    z = float(stats.norm.ppf(0.5 + level / 2))
    se = {}
    for name, value in whole.items():
        over_rows = float(np.var(value, ddof=1)) / n
        over_draws = float(jackknife_error(np.array([part[name] for part in left])))
        se[name] = float(np.hypot(np.sqrt(over_rows), over_draws))
    mean = {name: float(value.mean()) for name, value in whole.items()}
    return Decomposition(
        loss,
        {name: mean[name] for name in by_row},
        se,
        {name: mean[name] - z * se[name] for name in whole},
        {name: mean[name] + z * se[name] for name in whole},
        mean["loss"],
        by_row,
        draws,
        n,
        level,
    )


def _side_by_side(
    values: Sequence[FloatArray], places: Sequence[Any], n: int
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return all predictions, NaN where a draw made none, and which of n rows were predicted at all."""
    predictions = np.full((len(values), n, *values[0].shape[1:]), np.nan)
    for number, (place, value) in enumerate(zip(places, values, strict=True)):
        predictions[number, place] = value
    seen = ~np.isnan(predictions.reshape(len(values), n, -1)[:, :, 0]).all(axis=0)
    if seen.sum() < 2:
        raise UsageError("draws: fewer than two rows were ever left out; raise draws or bring more rows")
    return predictions, np.asarray(seen, dtype=np.bool_)
