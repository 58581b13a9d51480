"""The bootstrap and the jackknife: bias, standard error and interval of any statistic of rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.checked import column, matrix, squarable
from thetahat.contracts import FloatArray
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.numerics.moments import centred, variance
from thetahat.resampling import bootstrap_kernels as kernels

__all__ = ["Bootstrap", "Jackknife", "bootstrap", "jackknife"]

Method = Literal["bca", "percentile", "basic", "normal", "studentized"]
METHODS = ("bca", "percentile", "basic", "normal", "studentized")
# Share of resamples on their own largest or smallest value that says the statistic is an extreme one.
# The third largest row has .08 there; the median of five rows, which is not extreme, .06.
ON_THE_EDGE = 0.07
INNER = 50


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """A statistic with its error bar from resampled rows.

    Parameters
    ----------
    estimate : float
        On the rows themselves.
    bias : float
        Mean over resamples less the estimate.
    se : float
        Standard deviation over resamples.
    low, high : float
        The interval.
    method, level : str, float
        What the interval is.
    distribution : ndarray of shape (B,)
        The statistic on each resample.
    warning : str
        Why the bootstrap is not to be believed here; empty where nothing speaks against it.
    """

    estimate: float
    bias: float
    se: float
    low: float
    high: float
    method: str
    level: float
    distribution: FloatArray = field(repr=False)
    warning: str = ""

    def plot(self, ax: Any = None) -> Any:
        """Draw the distribution over resamples, the estimate and the interval; return the axes."""
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(layout="constrained")
        ax.hist(self.distribution, bins=50, color="#dcebf5", edgecolor="none")
        ax.axvspan(self.low, self.high, color="#0072b2", alpha=0.12, linewidth=0)
        ax.axvline(self.estimate, color="#0072b2")
        ax.set_xlabel("statistic on resampled rows")
        ax.set_ylabel(f"resamples of {len(self.distribution)}")
        found = f"{self.estimate:.4g}, {100 * self.level:g} % interval {self.low:.4g} to {self.high:.4g}"
        ax.set_title(found + (" (not to be believed)" if self.warning else ""), loc="left")
        return ax


@dataclass(frozen=True, slots=True)
class Jackknife:
    """A statistic with its error from leaving out one row at a time.

    Parameters
    ----------
    estimate, corrected : float
        On all rows, and with the jackknife's bias taken off.
    bias, se : float
        (n − 1)(mean of leave-one-out values − estimate), and the jackknife standard error.
    warning : str
        Why there is none; empty where nothing speaks against it.
    """

    estimate: float
    corrected: float
    bias: float
    se: float
    warning: str = ""


def bootstrap(
    data: Any,
    statistic: str | Callable[[FloatArray], Any],
    *,
    method: Method = "bca",
    level: float = 0.95,
    resamples: int = 9999,
    rng: Generator | None = None,
) -> Bootstrap:
    """Resample rows with replacement and look at the spread of a statistic.

    Parameters
    ----------
    data : array of shape (n,) or (n, d)
        Rows.
    statistic : str or callable
        ``"mean"``, ``"median"``, ``"variance"``, ``"std"`` or, of two columns, ``"correlation"``, which are
        compiled (``np.mean`` and its kin are known as these); or any function of rows to a number.
    method : {"bca", "percentile", "basic", "normal", "studentized"}
        Bias-corrected and accelerated; percentiles; percentiles reflected about the estimate; estimate less
        bias ± z · SE; or studentized by an inner bootstrap of 50 resamples.
    level : float
        Of the interval.
    resamples : int
        B; for studentized a tenth of it is plenty.
    rng : Generator, optional
        Of seed 0 by default. The compiled statistics draw one number from it as their own seed.

    Returns
    -------
    Bootstrap
        With a warning where many resamples give one and the same most extreme value: the bootstrap of a
        maximum, and of its like, is known to fail.

    Raises
    ------
    UsageError
        An argument cannot be meant.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 12–14.
    """
    rows = _rows(data)
    if method not in METHODS:
        raise UsageError(f"method: choose one of {', '.join(METHODS)}, not {method!r}")
    if not 0 < level < 1:
        raise UsageError(f"level: must lie between 0 and 1, not {level:g}")
    if resamples < 2:
        raise UsageError(f"resamples: at least 2 are needed, not {resamples}")
    rng = np.random.default_rng(0) if rng is None else rng
    name = kernels.named(statistic, rows)
    value = kernels.plain(name, statistic)
    estimate = float(value(rows))
    ends = (1 - level) / 2, (1 + level) / 2
    if method == "studentized":
        drawn, low, high = _studentized(rows, value, estimate, ends, resamples, rng)
    else:
        drawn = kernels.resampled(name, value, rows, resamples, rng)
        low, high = _interval(method, drawn, estimate, ends, rows, name, value)
    said = _doubt(drawn, rows, estimate, low, high)
    if said:
        warnings.warn(f"bootstrap: {said}", ThetaHatWarning, stacklevel=2)
    return Bootstrap(
        estimate,
        float(drawn.mean() - estimate),
        float(drawn.std(ddof=1)),
        float(low),
        float(high),
        method,
        level,
        drawn,
        said,
    )


def jackknife(data: Any, statistic: str | Callable[[FloatArray], Any]) -> Jackknife:
    """Leave out one row at a time.

    Parameters
    ----------
    data, statistic : array, str or callable
        As for :func:`bootstrap`.

    Returns
    -------
    Jackknife
        The estimate, its bias and standard error, and the estimate less its bias; with a warning where the
        statistic is not finite on all rows or without one of them.

    Raises
    ------
    UsageError
        There are fewer than two rows.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.
    """
    rows = _rows(data)
    n = len(rows)
    name = kernels.named(statistic, rows)
    value = kernels.plain(name, statistic)
    estimate = float(value(rows))
    if name in ("mean", "median"):
        # Where the rows lie far from 0, values without one of them are rounded as far apart as they differ.
        _, rows = centred(rows)
        without = kernels.left_out(name, value, rows)
        bias = (n - 1) * float(without.mean() - value(rows))
    else:
        without = kernels.left_out(name, value, rows)
        bias = (n - 1) * float(without.mean() - estimate)
    se = math.sqrt((n - 1) * variance(without))
    said = "" if np.isfinite(estimate) else "the statistic is not finite on the rows"
    if not said and not np.isfinite(without).all():
        said = f"the statistic is not finite without row {int(np.argmin(np.isfinite(without)))}"
    if said:
        warnings.warn(f"jackknife: {said}", ThetaHatWarning, stacklevel=2)
    return Jackknife(estimate, estimate - bias, bias, se, said)


def _rows(data: Any) -> FloatArray:
    rows = matrix(data, "data", least=2) if np.ndim(data) == 2 else column(data, "data", least=2)
    squarable(rows, "data")
    return np.ascontiguousarray(rows)


def _interval(
    method: str,
    drawn: FloatArray,
    estimate: float,
    ends: tuple[float, float],
    rows: FloatArray,
    name: str,
    value: Callable[[FloatArray], Any],
) -> tuple[float, float]:
    if method == "normal":
        centre, se = 2 * estimate - drawn.mean(), drawn.std(ddof=1)
        low, high = (centre + special.ndtri(q) * se for q in ends)
        return float(low), float(high)
    if method == "bca":
        below = (np.mean(drawn < estimate) + np.mean(drawn <= estimate)) / 2
        if not 0 < below < 1:
            return float("nan"), float("nan")
        shift = special.ndtri(below)
        without = kernels.left_out(name, value, rows)
        away = without.mean() - without
        spread = np.sum(away**2)
        if not np.isfinite(spread):
            return float("nan"), float("nan")
        speed = np.sum(away**3) / (6 * spread**1.5) if spread > 0 else 0.0
        z = shift + special.ndtri(np.array(ends))
        low, high = np.quantile(drawn, special.ndtr(shift + z / (1 - speed * z)))
        return float(low), float(high)
    low, high = np.quantile(drawn, ends)
    return (float(low), float(high)) if method == "percentile" else (2 * estimate - high, 2 * estimate - low)


def _studentized(
    rows: FloatArray,
    value: Callable[[FloatArray], Any],
    estimate: float,
    ends: tuple[float, float],
    resamples: int,
    rng: Generator,
) -> tuple[FloatArray, float, float]:
    n = len(rows)
    drawn, ratio = np.empty(resamples), np.empty(resamples)
    for b in range(resamples):
        sample = rows[rng.integers(n, size=n)]
        drawn[b] = value(sample)
        inner = [value(sample[rng.integers(n, size=n)]) for _ in range(INNER)]
        error = np.std(inner, ddof=1)
        ratio[b] = (drawn[b] - estimate) / error if error > 0 else 0.0
    low, high = np.quantile(ratio, ends)
    se = drawn.std(ddof=1)
    return drawn, estimate - high * se, estimate - low * se


def _doubt(drawn: FloatArray, rows: FloatArray, estimate: float, low: float, high: float) -> str:
    """Say why the bootstrap is not to be believed; empty where nothing speaks against it."""
    if not np.isfinite(drawn).all():
        return "the statistic is not finite on every resample"
    edge = max(np.mean(drawn == drawn.max()), np.mean(drawn == drawn.min()))
    if edge == 1:
        return ""
    # Rows that are mostly ties make ties of any statistic; that alone is no failure.
    if edge > ON_THE_EDGE and len(np.unique(rows, axis=0)) > len(rows) / 2:
        return (
            f"{100 * edge:.0f} % of the resamples give the most extreme value of all, as with a maximum, "
            "a minimum or a far quantile, where the bootstrap is known to fail; use a model of the tail"
        )
    if not (np.isfinite(low) and np.isfinite(high)):
        why = (
            "the statistic is not finite without one of the rows"
            if drawn.min() <= estimate <= drawn.max()
            else "every resample lies on one side of the estimate"
        )
        return f"{why}, so bca has no interval; use method='basic' or 'normal', or more resamples"
    return ""
