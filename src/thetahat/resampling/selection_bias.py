"""Selection bias: the optimism of the best of several candidates, from losses already computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.numerics.threads import single_threaded
from thetahat.resampling.spread import interval

__all__ = ["CorrectedWinner", "corrected_winner"]

# Counts of resamples that are held at a time: their memory does not grow with the rows.
BLOCK = 500_000


@dataclass(frozen=True, slots=True)
class CorrectedWinner:
    """Loss of the selected candidate on rows that were not used to select it.

    Parameters
    ----------
    estimate : float
        Mean over resamples.
    low, high : float
        Percentile interval.
    naive : float
        The winner's own mean loss.
    level : float
        Nominal coverage.
    """

    estimate: float
    low: float
    high: float
    naive: float
    level: float


def corrected_winner(
    losses: FloatArray, *, rng: Generator, level: float = 0.95, resamples: int = 2000
) -> CorrectedWinner:
    """Correct the loss of a selected winner by the bootstrap over rows.

    Each resample of the rows selects a candidate, whose loss is then computed on the rows left out. Ties are
    broken at random.

    Parameters
    ----------
    losses : ndarray of shape (n, c)
        Held-out loss of each row under each candidate; a row held out several times stands with its mean.
    rng : Generator
        Draws the resamples.
    level : float
        Of the interval.
    resamples : int
        How many.

    Raises
    ------
    UsageError
        There are fewer than two rows.

    References
    ----------
    Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the out-of-sample predictions for
    efficient and accurate cross-validation, Machine Learning 107.
    """
    n, c = losses.shape
    if n < 2:
        raise UsageError("losses: at least two rows are needed, to select on some and evaluate on the others")
    inside, left, rows = np.empty((resamples, c)), np.empty((resamples, c)), np.empty(resamples)
    # On one thread sums are rounded alike on any machine.
    with single_threaded():
        for start in range(0, resamples, max(1, BLOCK // n)):
            part = slice(start, min(start + max(1, BLOCK // n), resamples))
            counts = _counts(n, part.stop - start, rng)
            inside[part] = counts.astype(np.float64) @ losses
            absent = (counts == 0).astype(np.float64)
            left[part], rows[part] = absent @ losses, absent.sum(axis=1)
    # Break ties by random numbers below any difference of two sums of losses.
    scale = np.abs(inside).max(initial=0.0) * 1e-12 + 1e-300
    chosen = np.argmin(inside + scale * rng.random(inside.shape), axis=1)
    outside = left[np.arange(resamples), chosen]
    replicates = outside[rows > 0] / rows[rows > 0]
    low, high = interval(replicates, level, "percentile")
    return CorrectedWinner(
        float(replicates.mean()), float(low), float(high), float(losses.mean(axis=0).min()), level
    )


def _counts(n: int, resamples: int, rng: Generator) -> IntArray:
    """Return how often each of n rows is drawn in each resample of n rows, shape (resamples, n)."""
    drawn = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n)
