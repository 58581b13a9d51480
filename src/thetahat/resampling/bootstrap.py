"""The bootstrap and the jackknife: bias, standard error and interval of any statistic of rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.checked import column, generator, level_of, matrix, squarable, whole_number
from thetahat.contracts import FloatArray
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.numerics.moments import centred
from thetahat.resampling import bootstrap_kernels as kernels
from thetahat.resampling import spread

__all__ = ["Bootstrap", "Jackknife", "bootstrap", "jackknife"]

Method = Literal["bca", "percentile", "basic", "normal", "studentized"]
METHODS = ("bca", "percentile", "basic", "normal", "studentized")
# A statistic is taken for an extreme one if this share of its resamples has their largest or smallest value.
# The share is .08 for the third largest row, and .06 for the median of five rows, which is not extreme.
ON_THE_EDGE = 0.07
INNER = 50


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """A statistic with its error bar from resampled rows.

    Of a statistic of k numbers, every value is an array of shape (k,).

    Parameters
    ----------
    estimate : float or ndarray of shape (k,)
        On the rows themselves.
    bias : float or ndarray of shape (k,)
        Mean over resamples less the estimate.
    se : float or ndarray of shape (k,)
        Standard deviation over resamples.
    low, high : float or ndarray of shape (k,)
        The interval of each number by itself.
    method, level : str, float
        Which interval.
    distribution : ndarray of shape (B,) or (B, k)
        The statistic on each resample.
    warning : str
        Why the bootstrap cannot be trusted here; empty if nothing speaks against it.
    """

    estimate: Any
    bias: Any
    se: Any
    low: Any
    high: Any
    method: str
    level: float
    distribution: FloatArray = field(repr=False)
    warning: str = ""

    def plot(self, ax: Any = None) -> Any:
        """Draw the distribution over resamples, the estimate and the interval; return the axes.

        Several numbers are drawn as intervals, one below the other.
        """
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(layout="constrained")
        if self.distribution.ndim == 2:
            places = np.arange(len(self.estimate))
            ax.hlines(places, self.low, self.high, color="#0072b2", linewidth=2)
            ax.plot(self.estimate, places, "o", color="#0072b2", markersize=4)
            ax.set_yticks(places, [str(place) for place in places])
            ax.invert_yaxis()
            ax.set_xlabel(f"statistic with {100 * self.level:g} % intervals")
            ax.set_ylabel("number of the statistic")
            return ax
        ax.hist(self.distribution, bins=50, color="#dcebf5", edgecolor="none")
        ax.axvspan(self.low, self.high, color="#0072b2", alpha=0.12, linewidth=0)
        ax.axvline(self.estimate, color="#0072b2")
        ax.set_xlabel("statistic on resampled rows")
        ax.set_ylabel(f"resamples of {len(self.distribution)}")
        title = f"{self.estimate:.4g}, {100 * self.level:g} % interval {self.low:.4g} to {self.high:.4g}"
        ax.set_title(title + (" (cannot be trusted)" if self.warning else ""), loc="left")
        return ax


@dataclass(frozen=True, slots=True, eq=False)
class Jackknife:
    """A statistic with its error from leaving out one row at a time.

    Of a statistic of k numbers, every value is an array of shape (k,).

    Parameters
    ----------
    estimate, corrected : float or ndarray of shape (k,)
        On all rows, and less the jackknife's estimate of the bias.
    bias, se : float or ndarray of shape (k,)
        (n − 1)(mean of leave-one-out values − estimate), and the jackknife standard error.
    warning : str
        Why there is no error; empty if nothing speaks against it.
    """

    estimate: Any
    corrected: Any
    bias: Any
    se: Any
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
        compiled (``np.mean`` and its kin are recognized); or any function of rows to a number, or to an
        array of k numbers, each of which then has its own interval.
    method : {"bca", "percentile", "basic", "normal", "studentized"}
        Bias-corrected and accelerated; percentiles; percentiles reflected about the estimate; estimate less
        bias ± z · SE; or studentized by an inner bootstrap of 50 resamples.
    level : float
        Of the interval.
    resamples : int
        B; for studentized a tenth of the default is enough.
    rng : Generator, optional
        Of seed 0 by default. The compiled statistics draw one number from it as their own seed.

    Returns
    -------
    Bootstrap
        With a warning if many resamples share the most extreme value: the bootstrap of a maximum, or of
        another extreme, is known to fail.

    Raises
    ------
    UsageError
        An argument is invalid, or the statistic gives something other than real numbers.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 12–14.
    """
    rows = _rows(data)
    if method not in METHODS:
        raise UsageError(f"method: choose one of {', '.join(METHODS)}, not {method!r}")
    level = level_of(level)
    resamples = whole_number(resamples, "resamples", least=2)
    rng = generator(rng)
    name = kernels.named(statistic, rows)
    value = kernels.plain(name, statistic) if name else _Numbers(statistic)
    estimate = value(rows)
    if method == "studentized":
        replicates, low, high = _studentized(rows, value, estimate, level, resamples, rng)
    else:
        replicates = kernels.resampled(name, value, rows, resamples, rng)
        left_out = kernels.left_out(name, value, rows) if method == "bca" else None
        low, high = spread.interval(replicates, level, method, estimate=estimate, left_out=left_out)
    doubt = _doubt(replicates, rows, estimate, low, high)
    if doubt:
        warnings.warn(f"bootstrap: {doubt}", ThetaHatWarning, stacklevel=2)
    return Bootstrap(
        _plain(estimate),
        _plain(replicates.mean(axis=0) - estimate),
        _plain(spread.standard_error(replicates)),
        _plain(low),
        _plain(high),
        method,
        level,
        replicates,
        doubt,
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
        The estimate, its bias and standard error, and the estimate less its bias; with a warning if the
        statistic is not finite on all rows or without one of them.

    Raises
    ------
    UsageError
        There are fewer than two rows, or the statistic gives something other than real numbers.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.
    """
    rows = _rows(data)
    name = kernels.named(statistic, rows)
    value = kernels.plain(name, statistic) if name else _Numbers(statistic)
    estimate = center = value(rows)
    if name in ("mean", "median"):
        # Centering keeps the digits of differences between leave-one-out values when |mean| ≫ spread.
        _, rows = centred(rows)
        center = value(rows)
    left_out = kernels.left_out(name, value, rows)
    bias = spread.jackknife_bias(left_out, center)
    doubt = "" if np.isfinite(estimate).all() else "the statistic is not finite on the rows"
    finite = np.isfinite(left_out).reshape(len(left_out), -1).all(axis=1)
    if not doubt and not finite.all():
        doubt = f"the statistic is not finite without row {int(np.argmin(finite))}"
    if doubt:
        warnings.warn(f"jackknife: {doubt}", ThetaHatWarning, stacklevel=2)
    return Jackknife(
        _plain(estimate),
        _plain(estimate - bias),
        _plain(bias),
        _plain(spread.jackknife_error(left_out)),
        doubt,
    )


class _Numbers:
    """A statistic of one's own, checked: always one number, or always as many numbers.

    Parameters
    ----------
    statistic : callable
        Of rows.
    """

    def __init__(self, statistic: Any) -> None:
        self._statistic = statistic
        self._shape: tuple[int, ...] | None = None

    def __call__(self, rows: FloatArray) -> Any:
        given = np.asarray(self._statistic(rows))
        if given.dtype.kind not in "fiub" or given.ndim > 1 or given.size == 0:
            what = (
                f"{given.dtype} of shape {given.shape}" if given.dtype.kind != "O" else f"{given.tolist()!r}"
            )
            cure = (
                "complex numbers have no order; return the real and imaginary parts as two numbers"
                if given.dtype.kind == "c"
                else "return a number, or a one-dimensional array of numbers"
            )
            raise UsageError(f"statistic: gave {what}; {cure}")
        if given.size == 1:
            given = given.reshape(())
        if self._shape is None:
            self._shape = given.shape
        elif given.shape != self._shape:
            raise UsageError(
                f"statistic: gave {given.size} numbers on some rows and {max(self._shape, default=1)} on "
                "others; it must always give as many"
            )
        return float(given) if given.ndim == 0 else given.astype(np.float64)


def _plain(value: Any) -> float | NDArray[Any]:
    """Return one number as a float, several as an array."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def _rows(data: Any) -> FloatArray:
    rows = matrix(data, "data", least=2) if np.ndim(data) == 2 else column(data, "data", least=2)
    squarable(rows, "data")
    return np.ascontiguousarray(rows)


def _studentized(
    rows: FloatArray,
    value: Callable[[FloatArray], Any],
    estimate: Any,
    level: float,
    resamples: int,
    rng: Generator,
) -> tuple[FloatArray, Any, Any]:
    n = len(rows)
    shape = (resamples, *np.shape(estimate))
    replicates, ratio = np.empty(shape), np.zeros(shape)
    for b in range(resamples):
        sample = rows[rng.integers(n, size=n)]
        replicates[b] = value(sample)
        inner = np.array([value(sample[rng.integers(n, size=n)]) for _ in range(INNER)])
        error = spread.standard_error(inner)
        known = error > 0
        ratio[b] = np.where(known, (replicates[b] - estimate) / np.where(known, error, 1.0), 0.0)
    low, high = spread.interval(ratio, level, "percentile")
    se = spread.standard_error(replicates)
    return replicates, estimate - high * se, estimate - low * se


def _doubt(replicates: FloatArray, rows: FloatArray, estimate: Any, low: Any, high: Any) -> str:
    """Say why the bootstrap cannot be trusted; empty if nothing speaks against it."""
    if replicates.ndim == 1:
        return _doubt_of_one(replicates, rows, estimate, low, high)
    doubts = [
        (j, _doubt_of_one(replicates[:, j], rows, estimate[j], low[j], high[j]))
        for j in range(replicates.shape[1])
    ]
    return "; ".join(f"number {j} of the statistic: {doubt}" for j, doubt in doubts if doubt)


def _doubt_of_one(replicates: FloatArray, rows: FloatArray, estimate: float, low: float, high: float) -> str:
    if not np.isfinite(replicates).all():
        return "the statistic is not finite on every resample"
    edge = max(np.mean(replicates == replicates.max()), np.mean(replicates == replicates.min()))
    if edge == 1:
        return ""
    # If most rows are ties, any statistic has ties; that alone is no failure.
    if edge > ON_THE_EDGE and len(np.unique(rows, axis=0)) > len(rows) / 2:
        return (
            f"{100 * edge:.0f} % of the resamples give the most extreme value of all, as with a maximum, "
            "a minimum or a far quantile, where the bootstrap is known to fail; use a model of the tail"
        )
    if not (np.isfinite(low) and np.isfinite(high)):
        why = (
            "the statistic is not finite without one of the rows"
            if replicates.min() <= estimate <= replicates.max()
            else "every resample lies on one side of the estimate"
        )
        return f"{why}, so bca has no interval; use method='basic' or 'normal', or more resamples"
    return ""
