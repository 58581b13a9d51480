"""The .632+ bootstrap of an error, with the standard error of its influence function.

References
----------
Efron and Tibshirani (1997), Improvements on cross-validation: the .632+ bootstrap method, J. Amer.
    Statist. Assoc. 92, sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Draw
from thetahat.errors import UsageError
from thetahat.resampling.intervals import MeanEstimate, OverDraws
from thetahat.resampling.plans import Rows

__all__ = ["Bootstrap632", "Bootstraps"]

# Probability that a row is in a resample of many rows.
INSIDE = 0.632
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Bootstraps:
    """Resamples of the rows with replacement, the rows left out of each held out.

    Parameters
    ----------
    resamples : int
        B.
    apparent : bool
        Whether the draws are those of the .632+ estimate: a resample that leaves no row out is drawn again,
        there are at least FEWEST, and the last draw trains on all rows and holds them all out. Otherwise they
        are plain resamples, and one that leaves no row out holds none out.
    """

    resamples: int = 200
    apparent: bool = True

    def __post_init__(self) -> None:
        least = FEWEST if self.apparent else 1
        if self.resamples < least:
            raise UsageError(f"resampling: bootstrap takes at least {least} resamples, not {self.resamples}")

    @property
    def spec(self) -> str:
        """The plan as typed on a command line."""
        return f"bootstrap:{self.resamples}"

    def describe(self, rows: Rows) -> str:
        """Say in words how these rows would be drawn."""
        what = "rows" if rows.groups is None else "whole groups"
        what = "rows with their copies" if rows.copies else what
        return f"{self.resamples} bootstrap resamples of {what}, each judged on what it left out"

    def draws(self, rows: Rows, *, rng: Generator) -> list[Draw]:
        """Return B resamples with their left-out rows; with ``apparent``, then all rows on all rows."""
        if rows.times is not None:
            raise UsageError("resampling: bootstrap would train on the future; use cv:K or holdout:F")
        every = np.arange(rows.n)
        codes = None if rows.groups is None else np.unique(rows.groups, return_inverse=True)[1]
        count = rows.n if codes is None else int(codes.max()) + 1
        if count < 2 and self.apparent:
            what = "rows" if codes is None else "groups"
            raise UsageError(f"resampling: bootstrap takes at least two {what}, not {count}")
        draws: list[Draw] = []
        while len(draws) < self.resamples:
            times = np.bincount(rng.integers(count, size=count), minlength=count)
            times = times if codes is None else times[codes]
            left_out = np.flatnonzero(times == 0)
            if len(left_out) or not self.apparent:
                draws.append(Draw(every.repeat(times), left_out))
        return [*draws, Draw(every, every)] if self.apparent else draws


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap632:
    """.632+ estimate ± z · SE, for draws of :class:`Bootstraps`.

    Let E₁ be the loss on rows left out, Ē the loss on training rows, and γ the loss if y and prediction are
    independent. E₁ is too high, since a resample holds .632 of the rows, and Ē too low; their weights follow
    from the relative overfitting R = (E₁ − Ē)/(γ − Ē). The standard error is that of E₁ by its influence
    function, less the noise of finitely many resamples, scaled to the estimate. A quantity without γ (a
    difference of two losses) is estimated by E₁.

    Parameters
    ----------
    draws : sequence of Draw
        The resamples, and last the draw of all rows.
    """

    draws: Sequence[Draw]
    name: str = "bootstrap632+"
    covers: str = "the expected loss of the algorithm when trained on this many rows"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the .632+ estimate with its standard error; none for what is not a mean over rows."""
        if len(quantity.values) != len(self.draws):
            raise UsageError("interval: bootstrap632+ needs every draw of its own plan")
        apparent = float(quantity.values[-1])
        if quantity.rows is None or quantity.tests is None:
            return MeanEstimate(float(quantity.values[:-1].mean()), np.nan, np.nan)
        n, resamples = len(quantity.rows[-1]), len(self.draws) - 1
        sums, times, left, inside = np.zeros(n), np.zeros(n), np.empty(resamples), np.empty((resamples, n))
        for b, draw in enumerate(self.draws[:-1]):
            sums[draw.test] += quantity.rows[b]
            times[draw.test] += 1
            left[b] = quantity.rows[b].sum() / n
            inside[b] = np.bincount(draw.train, minlength=n)
        seen = times > 0
        each = sums[seen] / times[seen]
        outside = float(each.mean())
        spread = (inside - inside.mean(axis=0))[:, seen] * (left - left.mean())[:, None]
        scale = (1 - 1 / n) ** -n
        influence = (2 + 1 / (n - 1)) * (each - outside) / n + scale * spread.mean(axis=0)
        # The noise of finitely many resamples adds its variance to the square of each influence.
        noise = scale**2 * float(spread.var(axis=0, ddof=1).sum()) / resamples
        least = float(np.sum((each - outside) ** 2)) / n**2
        se = float(np.sqrt(max(influence @ influence - noise, least)))
        if quantity.no_information is None:
            return MeanEstimate(outside, se, np.inf)
        estimate = weighed(outside, apparent, quantity.no_information)
        return MeanEstimate(estimate, se * estimate / outside if outside > 0 else 0.0, np.inf)


def weighed(outside: float, apparent: float, no_information: float) -> float:
    """Return the .632+ estimate from the losses on left-out rows, on training rows, and by chance."""
    capped = min(outside, no_information)
    overfit = (capped - apparent) / (no_information - apparent) if capped > apparent else 0.0
    share = INSIDE / (1 - (1 - INSIDE) * overfit)
    return (1 - share) * apparent + share * capped
