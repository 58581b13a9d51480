"""Error bars of principal components: eigenvalues, shares, directions, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from scipy import stats

from thetahat.checked import matrix, squarable
from thetahat.contracts import Draw, FloatArray, Sample
from thetahat.errors import UsageError
from thetahat.numerics.moments import centred
from thetahat.pca.estimator import PrincipalComponents
from thetahat.pca.spectrum import Spectrum, by_singular_values
from thetahat.resampling.plans import KFold, Rows

__all__ = ["ComponentsResult", "NumberOfComponents", "choose_components", "describe_components"]

Errors = Literal["robust", "normal", "bootstrap"]
ERRORS = ("robust", "normal", "bootstrap")
# The square of what rounding moves a number of size 1 by: less variance than this cannot be told from none.
ROUNDED = (64 * float(np.finfo(np.float64).eps)) ** 2
# Below this share of the largest, eigenvalues are found by singular values.
STEEP = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ComponentsResult:
    """The table of principal components, each with its error bar.

    Parameters
    ----------
    eigenvalue, eigenvalue_se, eigenvalue_low, eigenvalue_high : ndarray of shape (k,)
        Variance along each direction. Its interval is symmetric on the scale of logarithms.
    ratio, ratio_se, ratio_low, ratio_high : ndarray of shape (k,)
        Share in the sum of all variances. Its interval is symmetric on the scale of log-odds.
    angle : ndarray of shape (k,)
        Degrees, root mean square, by which a sample of this size turns a direction; 90 says that it cannot
        be told from its neighbours.
    errors : {"robust", "normal", "bootstrap"}
        What the errors rest on.
    level : float
        Of the intervals.
    n : int
        Rows.
    """

    eigenvalue: FloatArray
    eigenvalue_se: FloatArray
    eigenvalue_low: FloatArray
    eigenvalue_high: FloatArray
    ratio: FloatArray
    ratio_se: FloatArray
    ratio_low: FloatArray
    ratio_high: FloatArray
    angle: FloatArray
    errors: str
    level: float
    n: int

    def first(self, count: int) -> ComponentsResult:
        """Return the first components alone."""
        arrays = (f.name for f in fields(self) if f.name not in ("errors", "level", "n"))
        return replace(self, **{name: getattr(self, name)[:count] for name in arrays})

    def table(self) -> dict[str, list[Any]]:
        """Return everything by column, a row for each component."""
        columns: dict[str, list[Any]] = {"component": list(range(1, len(self.eigenvalue) + 1))}
        for name in ("eigenvalue", "ratio"):
            for part in ("", "_se", "_low", "_high"):
                columns[name + part] = getattr(self, name + part).tolist()
        return {**columns, "angle": self.angle.tolist()}

    def plot(self, ax: Any = None) -> Any:
        """Draw the shares with their intervals, a scree plot; return the axes."""
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
        place = np.arange(1, len(self.ratio) + 1)
        low, high = self.ratio - self.ratio_low, self.ratio_high - self.ratio
        ax.bar(place, self.ratio, color="#dcebf5", width=0.7)
        ax.errorbar(place, self.ratio, [low, high], fmt="o", color="#0072b2", markersize=4, capsize=3)
        ax.set_xlabel("component")
        ax.set_ylabel(f"share of the variance, with {100 * self.level:g} % intervals ({self.errors})")
        half = int(np.searchsorted(np.cumsum(self.ratio), 0.5) + 1)
        said = f"{half} of {len(place)} components hold half of the variance of {self.n} rows"
        ax.set_title(said if np.sum(self.ratio) >= 0.5 else "", loc="left")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax


def describe_components(
    spectrum: Spectrum,
    X: FloatArray,
    *,
    errors: Errors = "robust",
    level: float = 0.95,
    resamples: int = 500,
    rng: Generator | None = None,
) -> ComponentsResult:
    """Return the components with standard errors and intervals.

    Parameters
    ----------
    spectrum : Spectrum
        Of these rows.
    X : ndarray of shape (n, d)
        The rows.
    errors : {"robust", "normal", "bootstrap"}
        ``robust``: from the influence z² − λ of each row on an eigenvalue, z its score; right whatever the
        law of the rows. ``normal``: λ √(2 / (n − 1)), right for normal rows alone. ``bootstrap``: the
        spread over resamples.
    level : float
        Of the intervals.
    resamples : int
        Of the bootstrap.
    rng : Generator, optional
        Of the bootstrap; seeded with 0 by default.

    References
    ----------
    Anderson (1963), Asymptotic theory for principal component analysis, Ann. Math. Statist. 34.
    Critchley (1985), Influence in principal components analysis, Biometrika 72.
    """
    if errors not in ERRORS:
        raise UsageError(f"errors: choose {', '.join(ERRORS)}, not {errors!r}")
    n, k = spectrum.n, len(spectrum.singular)
    value, ratio, total = spectrum.variances, spectrum.ratios, float(spectrum.total)
    _, away = centred(X)
    scores = away @ spectrum.components.T
    whole = (away**2).sum(axis=1)
    if errors == "bootstrap":
        values, shares, angle = _resampled(
            spectrum, X, resamples, np.random.default_rng(0) if rng is None else rng
        )
        value_se, ratio_se = values.std(axis=0, ddof=1), shares.std(axis=0, ddof=1)
    elif errors == "normal":
        value_se = value * np.sqrt(2 / max(n - 1, 1))
        rest = spectrum.variances**2
        others = rest.sum() - rest
        ratio_se = np.sqrt(2 / max(n - 1, 1) * (rest * (1 - ratio) ** 2 + ratio**2 * others)) / total
        angle = _angles(value, n)
    else:
        value_se = (scores**2).std(axis=0, ddof=1) / np.sqrt(n)
        ratio_se = (scores**2 - ratio * whole[:, None]).std(axis=0, ddof=1) / np.sqrt(n) / total
        angle = _angles(value, n)
    z = float(stats.norm.ppf(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        wide = np.exp(np.where(value > 0, z * value_se / value, 0.0))
        odds = np.where((ratio > 0) & (ratio < 1), z * ratio_se / (ratio * (1 - ratio)), 0.0)
        turned = np.exp(odds)
        ratio_low = ratio / (ratio + (1 - ratio) * turned)
        ratio_high = ratio / (ratio + (1 - ratio) / turned)
    return ComponentsResult(
        value,
        value_se,
        value / wide,
        value * wide,
        ratio,
        ratio_se,
        ratio_low,
        ratio_high,
        angle[:k],
        errors,
        level,
        n,
    )


def _angles(value: FloatArray, n: int) -> FloatArray:
    """Return by how many degrees a sample turns each direction, to first order.

    The expected squared sine is Σ_k λ_j λ_k / (λ_j − λ_k)² / n over the other directions, at most 1.
    """
    gap = value[:, None] - value[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(np.eye(len(value), dtype=bool), 0.0, value[:, None] * value[None, :] / gap**2)
    squared = np.nan_to_num(terms.sum(axis=1), nan=np.inf, posinf=np.inf) / n
    return np.asarray(np.degrees(np.arcsin(np.sqrt(np.minimum(squared, 1.0)))))


def _resampled(
    spectrum: Spectrum, X: FloatArray, resamples: int, rng: Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    k, n = len(spectrum.singular), spectrum.n
    draws = [Draw(rng.integers(n, size=n), np.arange(0)) for _ in range(resamples)]
    values, shares, sines = np.zeros((resamples, k)), np.zeros((resamples, k)), np.zeros(k)
    fits = PrincipalComponents().prepare(Sample(X)).solve(draws, (), rngs=())
    for place, fit in enumerate(fits):
        found = fit.theta
        many = min(k, len(found.singular))
        values[place, :many], shares[place, :many] = found.variances[:many], found.ratios[:many]
        # A direction is the same as its opposite, and is compared with that of the same rank.
        cosine = np.einsum("kd,kd->k", found.components[:many], spectrum.components[:many])
        sines[:many] += np.maximum(1 - cosine**2, 0.0)
    return values, shares, np.degrees(np.arcsin(np.sqrt(np.minimum(sines / resamples, 1.0))))


@dataclass(frozen=True, slots=True, eq=False)
class NumberOfComponents:
    """How many components held-out rows are likeliest under.

    Parameters
    ----------
    count : int
        The number of largest held-out log-likelihood.
    count_one_se : int
        The least number within one standard error of it, the error that of the paired difference.
    log_likelihood, se : ndarray of shape (m,)
        Mean of a held-out row for 0, 1, … components, in nats, and its standard error.
    """

    count: int
    count_one_se: int
    log_likelihood: FloatArray = field(repr=False)
    se: FloatArray = field(repr=False)

    def table(self) -> dict[str, list[Any]]:
        """Return by column: components, log_likelihood, se."""
        return {
            "components": list(range(len(self.log_likelihood))),
            "log_likelihood": self.log_likelihood.tolist(),
            "se": self.se.tolist(),
        }

    def plot(self, ax: Any = None) -> Any:
        """Draw the held-out log-likelihood against the number of components; return the axes."""
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
        place = np.arange(len(self.log_likelihood))
        ax.errorbar(place, self.log_likelihood, self.se, fmt="o-", color="#0072b2", markersize=4, capsize=3)
        ax.axvline(self.count, color="#6e7074", linewidth=1, linestyle=(0, (4, 3)))
        ax.set_xlabel("components")
        ax.set_ylabel("held-out log-likelihood of a row, nats ± SE")
        ax.set_title(f"Held-out rows are likeliest under {self.count} components", loc="left")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax


def choose_components(
    X: Any, *, cv: int = 10, most: int | None = None, rng: Generator | None = None
) -> NumberOfComponents:
    """Choose the number of components by the likelihood of held-out rows under probabilistic PCA.

    x is normal of covariance W Wᵀ + σ² I, W of k columns, fitted by maximum likelihood to the training rows
    of each fold. All folds and all k come from one decomposition a fold.

    Parameters
    ----------
    X : array of shape (n, d)
        The rows.
    cv : int
        Folds.
    most : int, optional
        Most components to try; one fewer than columns and training rows by default.
    rng : Generator, optional
        Of the folds; seeded with 0 by default.

    Returns
    -------
    NumberOfComponents
        Held-out log-likelihood of each number, and the numbers that follow from it.

    Raises
    ------
    UsageError
        There are too few rows or columns, or the rows that a fold trains on are all the same.

    Notes
    -----
    The variance of no direction is taken for less than the rounding of the largest number of X: where columns
    follow from others the likelihood would have no maximum, and so it has a large one.

    References
    ----------
    Tipping and Bishop (1999), Probabilistic principal component analysis, J. R. Statist. Soc. B 61.
    """
    X = matrix(X, "X", least=2)
    squarable(X, "X")
    n, d = X.shape
    draws = KFold(cv).draws(Rows(n), rng=np.random.default_rng(0) if rng is None else rng)
    limit = min(d - 1, min(len(draw.train) for draw in draws) - 2)
    top = limit if most is None else min(most, limit)
    if top < 1:
        raise UsageError(f"X: {n} rows of {d} columns are too few to choose a number of components from")
    rows = np.empty((n, top + 1))
    # In units of the largest number, a power of two, nothing overflows and nothing is rounded.
    power = int(np.frexp(np.abs(X).max())[1])
    X = np.ldexp(X, -power)
    fits = PrincipalComponents().prepare(Sample(X)).solve(draws, (), rngs=())
    for draw, fit in zip(draws, fits, strict=True):
        train = X[draw.train]
        if (train == train[0]).all():
            raise UsageError("X: the rows that a fold trains on are all the same; bring rows that differ")
        value = fit.theta.variances
        # The eigenvalues of a scatter keep no digits of what is small beside the largest.
        steep = value[min(d, len(train) - 1) - 1] < STEEP * value[0]
        spectrum = by_singular_values(train, 0) if steep else fit.theta
        rows[draw.test] = _log_likelihoods(spectrum, X[draw.test], top)
    rows -= d * power * np.log(2)
    mean = rows.mean(axis=0)
    # Rounding alone tells numbers apart that leave no variance.
    same = 1e-9 * abs(float(mean.max()))
    best = int(np.argmax(mean >= mean.max() - same))
    below = (rows[:, [best]] - rows).std(axis=0, ddof=1) / np.sqrt(n)
    least = int(np.argmax(mean >= mean[best] - below - same))
    return NumberOfComponents(best, least, mean, rows.std(axis=0, ddof=1) / np.sqrt(n))


def _log_likelihoods(spectrum: Spectrum, X: FloatArray, top: int) -> FloatArray:
    """Return log p of each row under 0 … top components, shape (m, top + 1)."""
    d = X.shape[1]
    value = np.zeros(d)
    # Maximum likelihood divides by n.
    value[: len(spectrum.singular)] = spectrum.variances * (spectrum.n - 1) / spectrum.n
    away = X - spectrum.mean
    scores = away @ spectrum.components.T
    squares = np.zeros_like(X)
    squares[:, : scores.shape[1]] = scores**2
    beyond = ((away - scores @ spectrum.components) ** 2).sum(axis=1)
    kept = np.arange(top + 1)
    # Sums of what is left, from the smallest up: a difference of large sums would be rounding.
    noise = np.maximum(np.cumsum(value[::-1])[::-1][: top + 1] / (d - kept), ROUNDED)
    left = np.cumsum(squares[:, ::-1], axis=1)[:, ::-1][:, : top + 1] + beyond[:, None]
    along = np.maximum(value[:top], ROUNDED)
    inside = np.concatenate([np.zeros((len(X), 1)), np.cumsum(squares[:, :top] / along, axis=1)], axis=1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(along))])
    return np.asarray(
        -0.5 * (d * np.log(2 * np.pi) + logs + (d - kept) * np.log(noise) + inside + left / noise)
    )
