"""Nested cross-validation: its own draws, and an interval for the error of the fitted model.

A model fitted without folds i and j serves fold i held out from what excludes j, and fold j held out
from what excludes i, so one repetition takes K + K(K − 1)/2 fits rather than K².

References
----------
Bates, Hastie and Tibshirani (2023), Cross-validation: what does it estimate and how well does it do it?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Draw, FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.resampling.intervals import CorrectedT, MeanEstimate, OverDraws
from thetahat.resampling.plans import KFold, Rows

__all__ = ["Nested", "NestedFolds"]


@dataclass(frozen=True, slots=True)
class NestedFolds:
    """Folds held out one at a time, then two at a time.

    Parameters
    ----------
    folds, repeats : int
        K, and how often with fresh shuffles.
    """

    folds: int = 10
    repeats: int = 5

    def __post_init__(self) -> None:
        if self.folds < 3 or self.repeats < 1:
            raise UsageError(f"resampling: nested takes at least 3 folds and 1 repeat, not {self.spec}")

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        return f"nested:{self.repeats}x{self.folds}"

    @property
    def fits(self) -> int:
        """Fits of one repetition."""
        return self.folds + self.folds * (self.folds - 1) // 2

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        plain = KFold(self.folds, self.repeats).describe(rows)
        return f"nested {plain}: folds held out one and two at a time, {self.fits} fits a repetition"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return for each repetition the K folds, then the pairs of folds in order."""
        if rows.times is not None:
            raise UsageError(
                "resampling: nested would train on the future; use cv:K or holdout:F with a time"
            )
        draws = []
        for _ in range(self.repeats):
            folds = [draw.test for draw in KFold(self.folds).draws(rows, rng=rng)]
            draws += [_left_out(fold, rows.n) for fold in folds]
            draws += [_left_out(np.concatenate(pair), rows.n) for pair in combinations(folds, 2)]
        return draws


@dataclass(frozen=True, slots=True)
class Nested:
    """Interval of nested cross-validation, for draws of :class:`NestedFolds`.

    With a = (mean inner error − fold error)² and b = variance of the fold's losses over its size, the
    mean squared error of cross-validation is (K − 1)/K · max(0, mean(a − b)); its root is kept between
    sd/√n and √K · sd/√n. The estimate is the inner mean less the bias of training on fewer rows.

    Parameters
    ----------
    plan : NestedFolds
        What the draws are of.
    correction : {"full", "share", "none"}
        The bias taken off the inner mean: (1 + (K − 2)/K), or (K − 2)/K, times the inner mean less that
        of plain cross-validation; or nothing.
    """

    plan: NestedFolds = NestedFolds()
    correction: Literal["full", "share", "none"] = "full"
    name: str = "nested"
    covers: str = "the error, on new rows, of the model fitted to all of these rows"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the corrected mean; over the single folds for what is not a mean over rows."""
        plan = self.plan
        if len(quantity.values) != plan.fits * plan.repeats:
            raise UsageError("interval: nested needs every draw of its own plan")
        if quantity.rows is None:
            first = np.tile(np.arange(plan.fits) < plan.folds, plan.repeats)
            single = OverDraws(quantity.values[first], quantity.n_train[first], quantity.n_test[first])
            return CorrectedT()(single)
        blocks = [quantity.rows[k * plan.fits : (k + 1) * plan.fits] for k in range(plan.repeats)]
        gaps, noises, inner, outer = [], [], [], []
        for rows in blocks:
            one, two = rows[: plan.folds], rows[plan.folds :]
            without = _inner_losses(one, two)
            for fold, others in zip(one, without, strict=True):
                gaps.append((np.concatenate(others).mean() - fold.mean()) ** 2)
                noises.append(fold.var(ddof=1) / len(fold))
            inner.append(np.concatenate(two))
            outer.append(np.concatenate(one).mean())
        losses = np.concatenate(inner)
        n = sum(len(fold) for fold in blocks[0][: plan.folds])
        K = plan.folds
        least = float(losses.std(ddof=1)) / np.sqrt(n)
        squared = (K - 1) / K * max(0.0, float(np.mean(gaps) - np.mean(noises)))
        se = float(np.clip(np.sqrt(squared), least, least * np.sqrt(K)))
        gap = float(losses.mean() - np.mean(outer))
        factor = {"full": 1 + (K - 2) / K, "share": (K - 2) / K, "none": 0.0}[self.correction]
        return MeanEstimate(float(losses.mean()) - factor * gap, se, np.inf)


def _left_out(test: IntArray, n: int) -> Draw:
    train = np.ones(n, dtype=bool)
    train[test] = False
    return Draw(np.flatnonzero(train), test)


def _inner_losses(one: Sequence[FloatArray], two: Sequence[FloatArray]) -> list[list[FloatArray]]:
    """Return, for each fold, the losses on every other fold of models that saw neither."""
    K = len(one)
    found: list[list[FloatArray]] = [[] for _ in range(K)]
    for (i, j), rows in zip(combinations(range(K), 2), two, strict=True):
        found[j].append(rows[: len(one[i])])
        found[i].append(rows[len(one[i]) :])
    return found
