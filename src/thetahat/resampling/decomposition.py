"""Bias and variance of a learner, each with its error bar, by training it on many draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from thetahat.contracts import Draw, Fit, FloatArray, Predictor, Sample, SharesWork
from thetahat.errors import UsageError
from thetahat.numerics.threads import single_threaded
from thetahat.resampling.adapter import finite_predictions, point_estimator, rows_for
from thetahat.resampling.replicate import replicate
from thetahat.resampling.terms import kohavi_wolpert, log, squared, zero_one

__all__ = ["Decomposition", "decompose", "drawn", "summarise"]

LossName = Literal["auto", "squared", "zero-one", "kohavi-wolpert", "log"]
LOSSES = ("auto", "squared", "zero-one", "kohavi-wolpert", "log")
# The error that comes of finitely many draws is found by leaving out one of so many groups of them.
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
        colours = ["#0072b2"] * len(self.terms) + ["#1a1b1c"]
        ax.barh(places, value, height=0.5, color=colours, alpha=0.35)
        ax.hlines(places, low, high, color=colours, linewidth=2)
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
    loss: LossName = "auto",
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
        A scikit-learn compatible estimator, or a ``Predictor``. Where it shares work, all draws are fitted
        at once.
    X, y : array of shape (n, d) and (n,)
        Rows to draw training sets from, with replacement. With ``population`` they are the rows predicted.
    X_test, y_test : array, optional
        Rows to predict; otherwise each row is predicted by the draws that left it out.
    loss : {"auto", "squared", "zero-one", "kohavi-wolpert", "log"}
        ``auto`` is zero-one for classes and squared for numbers.
    draws : int
        How many training sets.
    population : callable, optional
        ``population(rng)`` gives a fresh training set ``(X, y)``: then variance is that of the algorithm.
        Drawn from one table with replacement, it is the bootstrap's estimate of it.
    truth : array of shape (n,), optional
        E[y | x] of the rows predicted: then noise is told from bias² (squared loss).
    level : float
        Of the intervals: normal, over rows and over draws. Drawn from one table, they do not hold the
        chance that brought that table.
    jobs : int
        Worker processes.
    rng : Generator, optional
        Of the draws and the fits; seeded with 0 by default.

    Returns
    -------
    Decomposition
        The terms and the loss, each with its interval.

    Raises
    ------
    UsageError
        An argument cannot be meant.

    Notes
    -----
    Terms of squared loss and of Kohavi and Wolpert are unbiased in the number of draws. See
    :mod:`thetahat.resampling.terms` for each formula and its source.
    """
    if loss not in LOSSES:
        raise UsageError(f"loss: choose {', '.join(LOSSES)}, not {loss!r}")
    if draws < 3:
        raise UsageError(f"draws: must be at least 3, not {draws}")
    if (X_test is None) != (y_test is None):
        raise UsageError("X_test, y_test: give both or neither")
    if population is not None and X_test is not None:
        raise UsageError("population: X and y are the rows predicted; leave X_test and y_test out")
    rng = np.random.default_rng(0) if rng is None else rng
    rng_draws, rng_fits = rng.spawn(2)
    X, y = rows_for(estimator, X, y)
    fixed, test_y = (None, y) if X_test is None else rows_for(estimator, X_test, y_test, least=1)
    numeric = loss == "squared" or (loss == "auto" and y.dtype.kind == "f")
    labels = None
    if not numeric:
        labels = np.unique(np.concatenate([y, test_y]))
        y, test_y = np.searchsorted(labels, y), np.searchsorted(labels, test_y)
    kind = ("squared" if numeric else "zero-one") if loss == "auto" else loss
    learner: Predictor[Any] = point_estimator(estimator, None if labels is None else len(labels))
    if population is None:
        sample, plan = Sample(X, y), _resamples(len(y), draws, rng_draws, left_out=fixed is None)
    else:
        sample, plan = drawn(population, draws, labels, rng_draws)
        fixed = X

    def predicted(fit: Fit[Any], rows: Any) -> FloatArray:
        if not rows.shape[0]:
            # A draw of every row leaves none out to predict.
            return np.empty((0, len(labels)) if kind == "log" and labels is not None else 0)
        prediction = learner.predict(fit.theta, rows)
        if kind != "log":
            return np.asarray(prediction.value, dtype=np.float64)
        if prediction.probability is None:
            raise UsageError("loss: log needs probabilities, which this estimator does not give")
        return prediction.probability

    if isinstance(learner, SharesWork):
        # As many threads as in a draw of replicate: sums are rounded alike on any machine.
        with single_threaded():
            fits = learner.prepare(sample).solve(plan, (), rngs=rng_fits.spawn(draws))
            values: Sequence[FloatArray] = [
                predicted(fit, sample.X[draw.test] if fixed is None else fixed)
                for draw, fit in zip(plan, fits, strict=True)
            ]
    else:
        values = replicate(
            learner,
            sample,
            plan,
            lambda fit, train, held_out: predicted(fit, held_out.X if fixed is None else fixed),
            rng=rng_fits,
            jobs=jobs,
        ).values
    places = [draw.test if fixed is None else np.arange(len(test_y)) for draw in plan]
    predictions, seen = _side_by_side(values, places, len(test_y))
    known = None if truth is None else np.asarray(truth, dtype=np.float64)[seen]
    return summarise(
        predictions[:, seen], test_y[seen], kind, len(labels) if labels is not None else 0, level, known
    )


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
    if loss == "squared":
        additive = squared(predictions, y, truth)
    else:
        additive = {"zero-one": zero_one, "kohavi-wolpert": kohavi_wolpert, "log": log}[loss](
            predictions, y, classes
        )
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
        over_draws = (len(left) - 1) * float(np.var([part[name] for part in left]))
        se[name] = float(np.sqrt(over_rows + over_draws))
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
        predictions[number, place] = finite_predictions(value)
    seen = ~np.isnan(predictions.reshape(len(values), n, -1)[:, :, 0]).all(axis=0)
    if seen.sum() < 2:
        raise UsageError("draws: fewer than two rows were ever left out; raise draws or bring more rows")
    return predictions, np.asarray(seen, dtype=np.bool_)


def _resamples(n: int, draws: int, rng: Generator, *, left_out: bool) -> list[Draw]:
    taken = rng.integers(n, size=(draws, n))
    if not left_out:
        nothing = np.arange(0)
        return [Draw(train, nothing) for train in taken]
    return [Draw(train, np.flatnonzero(np.bincount(train, minlength=n) == 0)) for train in taken]


def drawn(
    population: Callable[[Generator], tuple[Any, Any]], draws: int, labels: Any, rng: Generator
) -> tuple[Sample, list[Draw]]:
    """Return samples of a population one after the other, and the draws that take them apart."""
    samples = [population(child) for child in rng.spawn(draws)]
    ends = np.cumsum([0, *(len(y) for _, y in samples)])
    y = np.concatenate([np.asarray(y) for _, y in samples])
    if labels is not None:
        y = np.searchsorted(labels, y)
    plan = [Draw(np.arange(start, end), np.arange(0)) for start, end in zip(ends[:-1], ends[1:], strict=True)]
    return Sample(np.concatenate([np.asarray(X) for X, _ in samples]), y), plan
