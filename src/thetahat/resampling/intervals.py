"""Intervals for a mean loss over draws, one small contract and a method a class.

A method turns the values of a functional over the draws into an estimate with its error bar, and says
in words what the interval covers. The same methods serve one learner's loss, the difference of two
learners' losses, and a metric that is not a mean over rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from scipy import stats

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.numerics.moments import centred, variance

__all__ = [
    "METHODS",
    "Clt",
    "CorrectedT",
    "HoldoutRows",
    "Influence",
    "IntervalMethod",
    "MeanEstimate",
    "NoInterval",
    "OverDraws",
    "PlainNormal",
]


@dataclass(frozen=True, slots=True, eq=False)
class OverDraws:
    """A quantity over J draws.

    Parameters
    ----------
    values : ndarray of shape (J,)
        Its value on each draw: for a loss, the mean over the held-out rows.
    n_train, n_test : ndarray of shape (J,)
        How many rows trained and how many were held out.
    rows : sequence of J ndarrays, optional
        The value on each held-out row, where the quantity is a mean over rows.
    tests : sequence of J ndarrays of int, optional
        Which rows were held out, in the order of ``rows``.
    no_information : float, optional
        The mean loss where y and prediction have nothing to do with each other, where it was asked for.
    linearized : bool
        Whether ``rows`` are the influences of the rows on a measure of a set, about its mean over the draws.
    strata : ndarray of int, optional
        Of a single draw: the parts of its rows whose sizes the variance takes as given.
    """

    values: FloatArray
    n_train: FloatArray
    n_test: FloatArray
    rows: Sequence[FloatArray] | None = None
    tests: Sequence[IntArray] | None = None
    no_information: float | None = None
    linearized: bool = False
    strata: IntArray | None = None

    def deviations(self) -> tuple[FloatArray, IntArray]:
        """Return the rows of all draws less the mean over draws, and which rows they are; their mean is 0.

        Where n_j of N held-out rows are in draw j of J, deviations are multiplied by N / (J n_j): a sum over
        rows is then that of the mean over draws, which weighs all draws alike.
        """
        assert self.rows is not None
        assert self.tests is not None
        sizes = np.array([len(rows) for rows in self.rows])
        _, away = centred(np.concatenate(self.rows))
        if (sizes != sizes[0]).any():
            count, mean = sizes.sum(), np.mean(self.values)
            scaled = [count / (len(sizes) * len(rows)) * (rows - mean) for rows in self.rows]
            _, away = centred(np.concatenate(scaled))
        return away, np.concatenate(self.tests)


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """A mean with its standard error and Student degrees of freedom (∞ for the normal).

    ``se`` and ``df`` are NaN where the method offers none. ``skewness`` is the standardized third moment of
    a mean over rows, 0 over draws: it enters the interval of a measure, and neither :meth:`interval` nor
    :meth:`p_value`.
    """

    estimate: float
    se: float
    df: float
    skewness: float = 0.0

    def quantile(self, level: float) -> float:
        """Return how many standard errors a two-sided interval at this level reaches to either side."""
        return float(stats.t.ppf(0.5 + level / 2, self.df))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the two-sided interval at this level; NaN where there is no standard error."""
        half = self.quantile(level) * self.se
        return self.estimate - half, self.estimate + half

    def p_value(self) -> float:
        """Return the two-sided p-value of a mean of zero; NaN where there is no standard error.

        A mean of exactly zero gives 1, spread or no spread.
        """
        if self.estimate == 0 and not np.isnan(self.se):
            return 1.0
        if self.se == 0:
            return 0.0
        return float(2 * stats.t.sf(abs(self.estimate) / self.se, self.df))


class IntervalMethod(Protocol):
    """How the spread over draws becomes an error bar."""

    @property
    def name(self) -> str:
        """The method as typed on a command line."""
        ...

    @property
    def covers(self) -> str:
        """What the interval covers, in words."""
        ...

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean with its error bar."""
        ...


@dataclass(frozen=True, slots=True)
class CorrectedT:
    """Corrected resampled t.

    The variance of the mean over draws is (1/J + mean(n_test/n_train)) S², with S² the variance over
    the draws and J − 1 degrees of freedom. The second term stands for the rows that training sets
    share, which the plain S²/J leaves out.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52.
    """

    name: str = "corrected-t"
    covers: str = "the expected loss of the algorithm when trained on this many rows"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over draws with its corrected standard error."""
        draws = len(quantity.values)
        if draws < 2:
            raise UsageError(
                "interval: corrected-t needs at least two draws; use cv:K, or interval='holdout'"
            )
        factor = 1 / draws + float(np.mean(quantity.n_test / quantity.n_train))
        spread = variance(quantity.values, ddof=1)
        return MeanEstimate(float(np.mean(quantity.values)), float(np.sqrt(factor * spread)), draws - 1)


@dataclass(frozen=True, slots=True)
class HoldoutRows:
    """Student's t over the held-out rows of a single split: the error of this one fitted model.

    A measure of a set has the normal interval of its influences, each part of the rows whose size is taken as
    given with its own mean: for an AUC that is the variance of DeLong.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach, Biometrics 44.
    """

    name: str = "holdout"
    covers: str = "the loss, on new rows, of the one model fitted to the training rows"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over rows with its standard error; none for what is not a mean over rows."""
        if len(quantity.values) != 1:
            raise UsageError("interval: holdout is for a single split; use corrected-t with cv:K")
        if quantity.rows is None or len(quantity.rows[0]) < 2:
            return MeanEstimate(float(quantity.values[0]), np.nan, np.nan)
        rows = quantity.rows[0]
        if quantity.linearized:
            se = _error_of_influences(rows, quantity.strata)
            return MeanEstimate(float(quantity.values[0]), se, np.inf, _skewness(centred(rows)[1], len(rows)))
        away = centred(rows)[1]
        se = float(np.sqrt(variance(rows, ddof=1) / len(rows)))
        return MeanEstimate(float(np.mean(rows)), se, len(rows) - 1, _skewness(away, len(rows)))


def _skewness(away: FloatArray, count: int) -> float:
    """Return the skewness of a mean of ``count`` rows, of the deviations from it."""
    largest = float(np.max(np.abs(away)))
    if not 0 < largest < np.inf:
        return 0.0
    away = away / largest
    return float(np.mean(away**3) / (np.mean(away**2) ** 1.5 * np.sqrt(count)))


def _error_of_influences(rows: FloatArray, strata: IntArray | None) -> float:
    """Return √(Σ over strata of m / (m − 1) Σ away²) / n, away from the mean of the stratum of m rows."""
    total = 0.0
    for stratum in (0,) if strata is None else np.unique(strata):
        part = rows if strata is None else rows[strata == stratum]
        if len(part) > 1:
            total += len(part) * variance(part, ddof=1)
    return float(np.sqrt(total)) / len(rows)


@dataclass(frozen=True, slots=True)
class PlainNormal:
    """Mean ± z · S/√J over the draws: kept for study, too narrow since draws share training rows."""

    name: str = "plain"
    covers: str = "nothing reliably: draws share training rows, so it is too narrow; kept for study"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over draws with its plain standard error."""
        draws = len(quantity.values)
        if draws < 2:
            raise UsageError("interval: plain needs at least two draws; use cv:K, or interval='holdout'")
        spread = float(np.sqrt(variance(quantity.values, ddof=1)))
        return MeanEstimate(float(np.mean(quantity.values)), spread / np.sqrt(draws), np.inf)


def _within(quantity: OverDraws) -> list[FloatArray]:
    """Return the deviations of rows from the mean of their draw, scaled so that all draws weigh alike."""
    assert quantity.rows is not None
    count, draws = sum(map(len, quantity.rows)), len(quantity.rows)
    return [count / (draws * len(rows)) * centred(rows)[1] for rows in quantity.rows]


@dataclass(frozen=True, slots=True)
class Clt:
    """Central limit theorem of k-fold cross-validation: m ± z σ/√n over held-out rows.

    m is the mean over draws. A row that is held out several times enters with the sum of its deviations.
    With ``within`` the variance is that about the mean of each fold, otherwise about the mean of all.

    References
    ----------
    Bayle, Bayle, Janson and Mackey (2020), Cross-validation confidence intervals for test error.
    """

    within: bool = False

    @property
    def name(self) -> str:
        """The method as typed on a command line."""
        return "clt-within" if self.within else "clt"

    @property
    def covers(self) -> str:
        """What the interval covers, in words."""
        return "the mean error of the k models fitted to the folds (the k-fold test error)"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over rows; over draws, corrected, for what is not a mean over rows."""
        if quantity.rows is None or quantity.tests is None:
            return CorrectedT()(quantity)
        if len(quantity.values) < 2:
            raise UsageError(f"interval: {self.name} needs folds; use cv:K, or interval='holdout'")
        away, held = quantity.deviations()
        mean = float(np.mean(quantity.values))
        seen = np.bincount(held) > 0
        rows = int(np.sum(seen))
        if self.within:
            away = np.concatenate(_within(quantity))
            spread = float(np.sum(away**2) / (len(away) - len(quantity.rows)))
            return MeanEstimate(mean, float(np.sqrt(spread / rows)), np.inf, _skewness(away, rows))
        # A row that is held out in several draws enters with the sum of its deviations.
        sums = np.asarray(np.bincount(held, away)[seen], dtype=np.float64)
        return MeanEstimate(mean, float(np.sqrt(sums @ sums)) / len(away), np.inf, _skewness(sums, rows))


@dataclass(frozen=True, slots=True)
class Influence:
    """Infinitesimal jackknife of the mean over draws: m ± z √(Σ a²) / n over held-out rows.

    For each row, a is n times the derivative of the mean over draws with respect to the row's weight, with
    the fitted models fixed. Draw j of J, which holds out n_j of the n rows, contributes n / (J n_j) times the
    row's influence on the value of that draw; a row held out several times has the sum of these. On balanced
    folds this is the error of a cross-validated AUC of LeDell, Petersen and van der Laan.

    References
    ----------
    Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.
    LeDell, Petersen and van der Laan (2015), Computationally efficient confidence intervals for
    cross-validated area under the ROC curve estimates, Electronic Journal of Statistics 9.
    """

    name: str = "influence"
    covers: str = "the mean measure of the models fitted to the draws, on new rows"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over draws; over draws, corrected, for what has no rows."""
        if quantity.rows is None or quantity.tests is None:
            return CorrectedT()(quantity)
        held = np.concatenate(quantity.tests)
        counts = np.bincount(held)
        sums: FloatArray = np.bincount(held, np.concatenate(_within(quantity))).astype(np.float64)[counts > 0]
        se = float(np.sqrt(sums @ sums)) / len(held)
        return MeanEstimate(float(np.mean(quantity.values)), se, np.inf, _skewness(sums, len(sums)))


@dataclass(frozen=True, slots=True)
class NoInterval:
    """The mean alone, where no interval is known to be honest."""

    name: str = "none"
    covers: str = "too few groups, stretches of time, or draws, for an interval"

    def __call__(self, quantity: OverDraws, /) -> MeanEstimate:
        """Return the mean over draws without an error bar."""
        return MeanEstimate(float(np.mean(quantity.values)), np.nan, np.nan)


METHODS: Mapping[str, IntervalMethod] = MappingProxyType(
    {
        method.name: method
        for method in (
            CorrectedT(),
            HoldoutRows(),
            Clt(),
            Clt(within=True),
            Influence(),
            PlainNormal(),
            NoInterval(),
        )
    }
)
