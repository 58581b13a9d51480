"""An interval for losses that hang together: rows of one group, or rows near in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import IntArray
from thetahat.errors import UsageError
from thetahat.resampling.intervals import MeanEstimate, OverDraws

__all__ = ["FEWEST", "Clustered", "blocks"]

# Below so many groups, or blocks of time, their spread says too little of the next one.
FEWEST = 10
BLOCKS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """Mean over held-out rows, with the spread of its sums over groups of rows.

    With n held-out rows of mean loss m, G groups and S_g the sum over group g of loss − m, the variance of
    m is G/(G − 1) · Σ S_g² / n², with G − 1 degrees of freedom. A row held out several times stands with
    the sum of its deviations, and m is the mean over draws.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Group of each row of the sample; −1 for a row that is never held out.
    name : {"groups", "blocks"}
        What the groups are: those of the table, or stretches of time.
    split : bool
        Whether the rows are those of a single split.

    References
    ----------
    Liang and Zeger (1986), Longitudinal data analysis using generalized linear models, Biometrika 73.
    Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression with multi-stage
    samples, Survey Methodology 28.
    """

    codes: IntArray
    name: str
    split: bool = False

    @property
    def covers(self) -> str:
        """What the interval covers, in words."""
        if self.name == "groups" and self.split:
            return "the mean error, on rows of new groups, of the one model fitted to the training rows"
        if self.name == "groups":
            return "the mean error, on rows of new groups, of the k models fitted to the folds"
        return "the mean error of these models, each fitted to the past, over such stretches of time"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over rows with the standard error over groups of rows."""
        if quantity.tests is None or quantity.rows is None:
            # An F1 or an AUC has no value a row, and a fold holds many groups: no interval is honest.
            return MeanEstimate(float(np.mean(quantity.values)), np.nan, np.nan)
        away, held = quantity.deviations()
        mean = float(np.mean(quantity.values))
        _, codes = np.unique(self.codes[held], return_inverse=True)
        sums = np.bincount(codes, away)
        groups = len(sums)
        if groups < 2:
            raise UsageError(f"interval: {self.name} needs at least two of them among the held-out rows")
        variance = groups / (groups - 1) * float(sums @ sums) / len(away) ** 2
        return MeanEstimate(mean, float(np.sqrt(variance)), groups - 1)


def blocks(times: NDArray[Any], held: IntArray) -> IntArray:
    """Return stretches of time of about equally many held-out rows; equal times stay together.

    Parameters
    ----------
    times : ndarray of shape (n,)
        What orders the rows.
    held : ndarray of int
        Rows that are held out in some draw.

    Returns
    -------
    ndarray of shape (n,)
        Code of each row, −1 where it is never held out. There are at most BLOCKS of them, of at least
        five rows each.
    """
    codes = np.full(len(times), -1)
    rows = np.unique(held)
    _, rank = np.unique(times[rows], return_inverse=True)
    before = np.concatenate([[0], np.cumsum(np.bincount(rank))])
    count = max(1, min(BLOCKS, len(rows) // 5))
    codes[rows] = before[rank] * count // len(rows)
    return codes
