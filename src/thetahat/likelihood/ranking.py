"""Which family describes a column best: by AIC, and by the log-likelihood of rows held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.checked import column
from thetahat.contracts import FloatArray, Status
from thetahat.distributions.beta import Beta
from thetahat.distributions.distribution import Distribution
from thetahat.distributions.exponential import Exponential
from thetahat.distributions.gamma import Gamma
from thetahat.distributions.laplace import Laplace
from thetahat.distributions.lognormal import LogNormal
from thetahat.distributions.negative_binomial import NegativeBinomial
from thetahat.distributions.normal import Normal
from thetahat.distributions.poisson import Poisson
from thetahat.distributions.student import StudentT
from thetahat.distributions.weibull import Weibull
from thetahat.errors import UsageError
from thetahat.likelihood.families import fit_family, name_of
from thetahat.likelihood.result import LikelihoodResult

__all__ = ["Ranked", "Ranking", "families_for", "rank_families"]

# Counts with a median beyond this may be a rounded measurement.
LARGE_COUNT = 30


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A family on a column.

    Parameters
    ----------
    name : str
        The family.
    fit : LikelihoodResult
        Fitted to all rows.
    weight : float
        Akaike weight exp(−½ ΔAIC) / Σ exp(−½ ΔAIC); 0 where the fit has not ended well.
    held_out : float
        Mean log-likelihood of a held-out row, in nats; −∞ where a fold could not be fitted.
    held_out_se : float
        Its standard error over rows.
    behind : float
        How far behind the best held-out mean, on the same rows.
    behind_se : float
        Standard error of that difference.
    """

    name: str
    fit: LikelihoodResult
    weight: float
    held_out: float
    held_out_se: float
    behind: float
    behind_se: float


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Families by AIC, best first.

    Parameters
    ----------
    families : sequence of Ranked
        Best first; families that could not be fitted, or whose likelihood has no maximum, are last.
    rows : int
        How many rows.
    """

    families: Sequence[Ranked]
    rows: int

    @property
    def best(self) -> Ranked:
        """The family of the lowest AIC."""
        return self.families[0]

    @property
    def sentence(self) -> str:
        """Which family is best, and which cannot be told apart from it on held-out rows."""
        near = [f.name for f in self.families[1:] if np.isfinite(f.behind) and f.behind < 2 * f.behind_se]
        best = f"{self.best.name} has the lowest AIC on {self.rows} rows"
        if not near:
            return f"{best}, and on held-out rows every other family is more than two standard errors behind."
        others = near[0] if len(near) == 1 else f"{', '.join(near[:-1])} and {near[-1]}"
        return f"{best}; on held-out rows it cannot be told apart from {others}."

    def table(self) -> dict[str, list[Any]]:
        """Return the ranking by column."""
        return {
            "family": [f.name for f in self.families],
            "aic": [f.fit.aic for f in self.families],
            "weight": [f.weight for f in self.families],
            "held_out": [f.held_out for f in self.families],
            "held_out_se": [f.held_out_se for f in self.families],
            "behind": [f.behind for f in self.families],
            "behind_se": [f.behind_se for f in self.families],
            "status": [f.fit.status.value for f in self.families],
        }


def families_for(x: FloatArray) -> list[Distribution]:
    """Return the families whose support holds all the numbers.

    Whole numbers from 0 are counts. Where some are large they may as well be a measurement rounded to
    its unit, and both kinds are tried: over a unit a density is nearly the mass, so that they compare.
    """
    found: list[Distribution] = []
    if np.all((x == np.floor(x)) & (x >= 0)):
        found = [Poisson(), NegativeBinomial()]
        if np.median(x) <= LARGE_COUNT:
            return found
    found += [Normal(), StudentT(), Laplace()]
    if np.all(x > 0):
        found += [LogNormal(), Gamma(), Weibull(), Exponential()]
    if np.all((x > 0) & (x < 1)):
        found.append(Beta())
    return found


def rank_families(
    x: Any,
    families: Sequence[Distribution] | None = None,
    *,
    folds: int = 10,
    rng: Generator | None = None,
) -> Ranking:
    """Fit families to numbers and rank them.

    Parameters
    ----------
    x : array of shape (n,)
        Finite numbers.
    families : sequence of Distribution, optional
        By default those whose support holds all of x: for counts Poisson and negative binomial; for
        other and for large whole numbers normal, Student t, Laplace, and for positive numbers
        log-normal, gamma, Weibull, exponential, and for numbers between 0 and 1 beta.
    folds : int
        For the held-out log-likelihood.
    rng : Generator, optional
        Draws the folds; of seed 0 by default.

    Returns
    -------
    Ranking
        The families, best first, with AIC and held-out log-likelihood.

    Raises
    ------
    UsageError
        There are fewer rows than folds, or a number that no family holds.
    """
    numbers = column(x, "x")
    if len(numbers) < 2 * folds:
        raise UsageError(
            f"folds: {len(numbers)} rows are too few for {folds} folds; give folds=2 or more rows"
        )
    rng = np.random.default_rng(0) if rng is None else rng
    fold = rng.permutation(np.arange(len(numbers)) % folds)
    candidates = families_for(numbers) if families is None else list(families)
    ones = np.ones(len(numbers))
    fits = [fit_family(family, numbers, ones, "observed") for family in candidates]
    logs = [_held_out(family, numbers, fold, folds) for family in candidates]
    means = np.array([each.mean() for each in logs])
    # A likelihood without a maximum is as large as one likes: its value ranks nothing.
    ranks = np.array([fit.fitted is not None and fit.status is not Status.UNBOUNDED for fit in fits])
    top = int(np.argmax(np.where(ranks, means, -np.inf)))
    aic = np.array([fit.aic if there else np.inf for fit, there in zip(fits, ranks, strict=True)])
    finite = np.isfinite(aic)
    shares = np.where(finite, np.exp(-0.5 * (aic - aic[finite].min(initial=np.inf))), 0.0)
    n = len(numbers)
    ranked = []
    for k in np.argsort(aic, kind="stable"):
        with np.errstate(invalid="ignore"):
            behind = logs[top] - logs[k]
            ranked.append(
                Ranked(
                    name_of(candidates[k]),
                    fits[k],
                    float(shares[k] / max(shares.sum(), 1e-300)),
                    float(means[k]),
                    float(np.std(logs[k], ddof=1) / np.sqrt(n)),
                    float(np.mean(behind)),
                    float(np.std(behind, ddof=1) / np.sqrt(n)),
                )
            )
    return Ranking(tuple(ranked), n)


def _held_out(family: Distribution, x: FloatArray, fold: Any, folds: int) -> FloatArray:
    logs = np.full(len(x), -np.inf)
    for k in range(folds):
        train = x[fold != k]
        fit = fit_family(family, train, np.ones(len(train)), "observed")
        if fit.fitted is not None and fit.status is not Status.UNBOUNDED:
            logs[fold == k] = fit.fitted.log_prob(x[fold == k])
    return logs
