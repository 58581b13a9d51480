"""Error bars of principal components: eigenvalues, shares, directions, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from scipy import stats

from thetahat.checked import generator, matrix, squarable, whole_number
from thetahat.contracts import Fit, FloatArray, Sample
from thetahat.errors import UsageError
from thetahat.numerics.moments import centred
from thetahat.pca.estimator import PrincipalComponents
from thetahat.pca.spectrum import Spectrum, by_singular_values
from thetahat.resampling.bootstrap632 import Bootstraps
from thetahat.resampling.own_plans import as_plan, draws_of
from thetahat.resampling.plans import Plan, Rows
from thetahat.resampling.replicate import replicate
from thetahat.resampling.spread import standard_error

__all__ = ["ComponentsResult", "NumberOfComponents", "choose_components", "describe_components"]

Errors = Literal["robust", "normal", "bootstrap"]
ERRORS = ("robust", "normal", "bootstrap")
# Square of the rounding error of a number of size 1: a smaller variance is indistinguishable from zero.
ROUNDED = (64 * float(np.finfo(np.float64).eps)) ** 2
# Eigenvalues below this share of the largest are computed from singular values.
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
        Degrees, root mean square, by which a sample of this size turns a direction; 90 means that it cannot
        be distinguished from its neighbors.
    errors : {"robust", "normal", "bootstrap"}
        How the errors are computed.
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
        title = f"{half} of {len(place)} components hold half of the variance of {self.n} rows"
        ax.set_title(title if np.sum(self.ratio) >= 0.5 else "", loc="left")
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
        ``robust``: from the influence z² − λ of each row on an eigenvalue, z its score; valid for any
        distribution of the rows. ``normal``: λ √(2 / (n − 1)), valid for normal rows only. ``bootstrap``: the
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
        value_se, ratio_se, angle = _resampled(spectrum, X, resamples, generator(rng))
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
    """Return bootstrap errors of eigenvalues and shares, and the angle of each direction."""
    resamples = whole_number(resamples, "resamples", least=2)
    rng_draws, rng_fits = rng.spawn(2)
    draws = Bootstraps(resamples, apparent=False).draws(Rows(spectrum.n), rng=rng_draws)

    def read(fit: Fit[Spectrum], train: Sample, held_out: Sample, /) -> FloatArray:
        one, k = fit.theta, len(spectrum.singular)
        many = min(k, len(one.singular))
        numbers = np.zeros((3, k))
        numbers[0, :many], numbers[1, :many] = one.variances[:many], one.ratios[:many]
        # A direction equals its opposite, and is compared with that of the same rank.
        cosine = np.einsum("kd,kd->k", one.components[:many], spectrum.components[:many])
        numbers[2, :many] = np.maximum(1 - cosine**2, 0.0)
        return numbers

    replicates = np.array(
        replicate(PrincipalComponents(), Sample(X), draws, read, rng=rng_fits).complete
    ).transpose(1, 0, 2)
    angle = np.degrees(np.arcsin(np.sqrt(np.minimum(replicates[2].mean(axis=0), 1.0))))
    return standard_error(replicates[0]), standard_error(replicates[1]), angle


@dataclass(frozen=True, slots=True, eq=False)
class NumberOfComponents:
    """Number of components that maximizes the likelihood of held-out rows.

    Parameters
    ----------
    count : int
        The number of largest held-out log-likelihood.
    count_one_se : int
        The least number within one standard error of it, where the error is that of the paired difference.
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
    X: Any,
    *,
    cv: int | str | Plan | Iterable[Any] | None = 10,
    most: int | None = None,
    rng: Generator | None = None,
) -> NumberOfComponents:
    """Choose the number of components by the likelihood of held-out rows under probabilistic PCA.

    x is normal of covariance W Wᵀ + σ² I, W of k columns, fitted by maximum likelihood to the training rows
    of each draw. One decomposition for each draw gives every k.

    Parameters
    ----------
    X : array of shape (n, d)
        The rows.
    cv : int, str, plan, splitter or pairs of index arrays
        Which rows are held out: a number of folds, a plan such as ``"cv:5x10"``, a scikit-learn splitter, or
        (train, test) index arrays. A row that is held out several times counts with its mean, one that is
        never held out not at all.
    most : int, optional
        Most components to try; by default one fewer than the columns, or two fewer than the training rows.
    rng : Generator, optional
        Of the folds; seeded with 0 by default.

    Returns
    -------
    NumberOfComponents
        Held-out log-likelihood of each number, and the numbers that follow from it.

    Raises
    ------
    UsageError
        There are too few rows or columns, or the training rows of a draw are all the same.

    Notes
    -----
    The variance along a direction is taken to be at least the rounding error of the largest number of X. The
    likelihood would have no maximum otherwise if columns are linear functions of others.

    References
    ----------
    Tipping and Bishop (1999), Probabilistic principal component analysis, J. R. Statist. Soc. B 61.
    """
    X = matrix(X, "X", least=2)
    squarable(X, "X")
    n, d = X.shape
    rng_draws, rng_fits = generator(rng), np.random.default_rng(0)
    draws = draws_of(as_plan(cv), Rows(n), rng=rng_draws)
    limit = min(d - 1, min(len(draw.train) for draw in draws) - 2)
    top = limit if most is None else min(whole_number(most, "most"), limit)
    if top < 1:
        raise UsageError(f"X: {n} rows of {d} columns are too few to choose a number of components from")
    # In units of the largest number, a power of two, nothing overflows and nothing is rounded.
    power = int(np.frexp(np.abs(X).max())[1])

    def read(fit: Fit[Spectrum], train: Sample, held_out: Sample, /) -> FloatArray:
        if (train.X == train.X[0]).all():
            raise UsageError("X: the rows that a fold trains on are all the same; add rows that differ")
        value = fit.theta.variances
        # The eigenvalues of a scatter matrix lose the digits of what is much smaller than the largest.
        steep = value[min(d, len(train) - 1) - 1] < STEEP * value[0]
        spectrum = by_singular_values(train.X, 0) if steep else fit.theta
        return _log_likelihoods(spectrum, held_out.X, top)

    values = replicate(PrincipalComponents(), Sample(np.ldexp(X, -power)), draws, read, rng=rng_fits).complete
    held = np.concatenate([draw.test for draw in draws])
    times = np.bincount(held, minlength=n)
    sums = np.zeros((n, top + 1))
    np.add.at(sums, held, np.concatenate(values))
    rows = sums[times > 0] / times[times > 0, None] - d * power * np.log(2)
    if len(rows) < 2:
        raise UsageError("cv: at least two rows must be held out; use cv:10")
    mean = rows.mean(axis=0)
    # Numbers of components that leave no variance differ by rounding only.
    same = 1e-9 * abs(float(mean.max()))
    best = int(np.argmax(mean >= mean.max() - same))
    root = np.sqrt(len(rows))
    below = standard_error(rows[:, [best]] - rows) / root
    least = int(np.argmax(mean >= mean[best] - below - same))
    return NumberOfComponents(best, least, mean, standard_error(rows) / root)


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
    # Summing from the smallest up: a difference of large sums would be rounding error.
    noise = np.maximum(np.cumsum(value[::-1])[::-1][: top + 1] / (d - kept), ROUNDED)
    left = np.cumsum(squares[:, ::-1], axis=1)[:, ::-1][:, : top + 1] + beyond[:, None]
    along = np.maximum(value[:top], ROUNDED)
    inside = np.concatenate([np.zeros((len(X), 1)), np.cumsum(squares[:, :top] / along, axis=1)], axis=1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(along))])
    return np.asarray(
        -0.5 * (d * np.log(2 * np.pi) + logs + (d - kept) * np.log(noise) + inside + left / noise)
    )
