"""Conservative z: the spread of an error between experiments on disjoint halves of the rows.

References
----------
Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Draw, IntArray
from thetahat.errors import UsageError
from thetahat.resampling.intervals import MeanEstimate, OverDraws
from thetahat.resampling.plans import Holdout, Rows

__all__ = ["ConservativeZ", "Halves"]


@dataclass(frozen=True, slots=True)
class Halves:
    """Random splits of all rows, then random splits within disjoint halves of them.

    Parameters
    ----------
    splits : int
        J, random splits of an experiment.
    halvings : int
        M, how often the rows are halved; each half is an experiment of its own.
    fraction : float
        Of all rows, held out of a split. In a half as many rows are held out, so fewer are left to train:
        that is what makes the spread conservative.
    """

    splits: int = 15
    halvings: int = 10
    fraction: float = 0.1

    def __post_init__(self) -> None:
        if self.splits < 1 or self.halvings < 1:
            raise UsageError(f"resampling: halves takes at least 1 halving and 1 split, not {self.spec}")

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        return f"halves:{self.halvings}x{self.splits}"

    @property
    def fits(self) -> int:
        """Fits in all."""
        return self.splits * (1 + 2 * self.halvings)

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        share = f"{100 * self.fraction:g} %"
        by = f", {rows.kept_together}" if rows.groups is not None else ""
        by = ", stratified by class" if rows.groups is None and rows.labels is not None else by
        return (
            f"{self.splits} random splits with {share} of the rows held out, and as many in either half of "
            f"{self.halvings} halvings: {self.fits} fits{by}"
        )

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return the splits of all rows, then for each halving those of one half and of the other."""
        if rows.times is not None:
            raise UsageError(
                "resampling: halves would train on the future; use cv:K or holdout:F with a time"
            )
        draws = self._splits(rows, np.arange(rows.n), self.fraction, rng)
        for _ in range(self.halvings):
            halved = Holdout(0.5).draws(rows, rng=rng)[0]
            for half in (halved.train, halved.test):
                draws += self._splits(rows, half, 2 * self.fraction, rng)
        return draws

    def _splits(self, rows: Rows, among: IntArray, fraction: float, rng: Generator) -> list[Draw]:
        labels = None if rows.labels is None else rows.labels[among]
        groups = None if rows.groups is None else rows.groups[among]
        part = Rows(len(among), labels, groups, copies=rows.copies)
        found = [Holdout(fraction).draws(part, rng=rng)[0] for _ in range(self.splits)]
        return [Draw(among[draw.train], among[draw.test]) for draw in found]


@dataclass(frozen=True, slots=True)
class ConservativeZ:
    """Mean over the splits of all rows ± z · S, for draws of :class:`Halves`.

    S² is half the mean squared difference between the experiments on the two halves of a halving. The
    halves share no row, so it is unbiased for the variance of an experiment on half the rows, which is at
    least about that on all of them.

    Parameters
    ----------
    plan : Halves
        What the draws are of.
    """

    plan: Halves = Halves()
    name: str = "conservative-z"
    covers: str = "the expected loss of the algorithm when trained on this many rows, rather too widely"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean of the first J draws with the spread between halves."""
        plan = self.plan
        if len(quantity.values) != plan.fits:
            raise UsageError("interval: conservative-z needs every draw of its own plan")
        whole = quantity.values[: plan.splits]
        halves = quantity.values[plan.splits :].reshape(plan.halvings, 2, plan.splits).mean(axis=2)
        spread = float(np.mean((halves[:, 0] - halves[:, 1]) ** 2)) / 2
        return MeanEstimate(float(whole.mean()), float(np.sqrt(spread)), np.inf)
