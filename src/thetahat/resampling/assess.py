"""Bias, variance, standard error, coverage and consistency of any estimator on a known population."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.checked import generator, level_of, squarable, whole_number
from thetahat.contracts import FloatArray, Sample
from thetahat.errors import UsageError
from thetahat.resampling.population import FreshSamples, draws_of_sizes
from thetahat.resampling.replicate import replicate
from thetahat.resampling.spread import monte_carlo_error

__all__ = ["Assessment", "Population", "assess"]

PROPERTIES = ("bias", "variance", "se", "mse", "coverage")
# Samples of a block share a generator; a worker is given whole blocks.
LARGEST_BLOCK, BLOCKS, MOST_TASKS = 50, 16, 100


class Population(Protocol):
    """A population that samples are drawn from: a distribution, or any object with this method."""

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw a sample of this size."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Properties of an estimator at each sample size, each with its Monte-Carlo standard error.

    Parameters
    ----------
    n : ndarray of shape (m,)
        Sample sizes.
    truth : float
        The true value.
    bias, variance, se, mse, coverage : ndarray of shape (m,)
        E[θ̂] − θ; the variance of θ̂ with divisor R, and its root; E[(θ̂ − θ)²] = bias² + variance, to
        rounding; how often the estimator's interval holds θ, NaN if it gives none.
    bias_se, variance_se, se_se, mse_se, coverage_se : ndarray of shape (m,)
        Monte-Carlo standard errors.
    repeats : int
        R, samples of each size.
    """

    n: FloatArray
    truth: float
    bias: FloatArray
    bias_se: FloatArray
    variance: FloatArray
    variance_se: FloatArray
    se: FloatArray
    se_se: FloatArray
    mse: FloatArray
    mse_se: FloatArray
    coverage: FloatArray
    coverage_se: FloatArray
    repeats: int

    @property
    def rate(self) -> tuple[float, float]:
        """Slope of log √MSE on log n, and its standard error: −½ for √n consistency; NaN for one size.

        An estimator that is not consistent has a slope near 0.
        """
        if len(self.n) < 2:
            return float("nan"), float("nan")
        x = np.log(self.n) - np.log(self.n).mean()
        y = 0.5 * np.log(self.mse)
        error = 0.5 * self.mse_se / self.mse
        return float(x @ y / (x @ x)), float(np.sqrt(np.sum((x * error) ** 2)) / (x @ x))

    def table(self) -> dict[str, list[float]]:
        """Return everything by column: n, then each property and its Monte-Carlo standard error."""
        columns = {"n": self.n.tolist()}
        for name in PROPERTIES:
            columns[name] = getattr(self, name).tolist()
            columns[f"{name}_se"] = getattr(self, f"{name}_se").tolist()
        return columns

    def plot(self, ax: Any = None) -> Any:
        """Draw bias, standard error and root mean squared error against n; return the axes."""
        if ax is None:
            from matplotlib import pyplot  # noqa: PLC0415

            _, ax = pyplot.subplots(layout="constrained")
        root = np.sqrt(self.mse)
        for value, error, name, color, style in (
            (np.abs(self.bias), self.bias_se, "|bias|", "#d55e00", "s--"),
            (self.se, self.se_se, "standard error", "#0072b2", "o-"),
            (root, self.mse_se / (2 * root), "root mean squared error", "#1a1b1c", "^:"),
        ):
            ax.errorbar(self.n, value, 2 * error, fmt=style, color=color, label=name, capsize=2)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("rows, n")
        ax.set_ylabel(f"error of θ̂ (truth {self.truth:.4g}), ± 2 Monte-Carlo SE")
        slope, error = self.rate
        title = "" if np.isnan(slope) else f"The error falls as n to the power {slope:.2f} ± {error:.2f}"
        ax.set_title(title, loc="left")
        ax.legend(frameon=False)
        return ax


def assess(
    estimator: Any,
    population: Population,
    n: int | Sequence[int],
    truth: float,
    *,
    functional: Callable[[Any], Any] | None = None,
    repeats: int = 1000,
    level: float = 0.95,
    interval: Callable[[Any], Any] | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
    rng: Generator | None = None,
) -> Assessment:
    """Draw samples from a known population and measure bias, error and coverage of an estimator.

    Parameters
    ----------
    estimator : callable or object
        A function of a sample; a point estimator; or a scikit-learn estimator, fitted anew to each sample
        ``(X, y)``. A function may return a number, ``(estimate, low, high)``, or a fit with ``params`` and
        ``interval(level)``, whose first parameter is then taken.
    population : object
        With ``sample(size, rng=rng)``, as the distributions have.
    n : int or sequence of int
        Sample sizes.
    truth : float
        The value that is estimated.
    functional : callable, optional
        A function of each fit that returns one of these forms; required for scikit-learn estimators.
    repeats : int
        Samples of each size.
    level : float
        Of the intervals that a fit gives.
    interval : callable, optional
        From a sample to ``(low, high)``, in place of the interval that the fit gives.
    jobs : int
        Worker processes; the result does not depend on it.
    progress : callable, optional
        ``progress(done, total)`` is called with the number of samples that are finished, of all sizes.
    rng : Generator, optional
        Of seed 0 by default.

    Returns
    -------
    Assessment
        Bias, variance, standard error, mean squared error and coverage at each size, each with its own error.

    Raises
    ------
    UsageError
        An argument is invalid, or the estimator gives something other than a finite number.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), Deep Learning, section 5.4.
    """
    sizes = _sizes(n)
    repeats, level = whole_number(repeats, "repeats", least=2), level_of(level)
    _check_population(population)
    _check_truth(truth)
    fit = _fitter(estimator, functional)
    if interval is not None:
        fit = _with_interval(fit, interval, level)
    values = _replicated(fit, population, sizes, repeats, level, generator(rng), jobs, progress)
    rows = [_properties(of_size, size, float(truth)) for of_size, size in zip(values, sizes, strict=True)]
    names = [name for prop in PROPERTIES for name in (prop, f"{prop}_se")]
    columns: dict[str, Any] = dict(zip(names, np.array(rows).T, strict=True))
    return Assessment(n=sizes.astype(np.float64), truth=float(truth), repeats=repeats, **columns)


def _check_population(population: Any) -> None:
    if isinstance(population, type) or not hasattr(population, "sample"):
        name = population.__name__ if isinstance(population, type) else repr(population)
        raise UsageError(f"population: an object with sample(size, rng=rng) is expected, not {name}")


def _check_truth(truth: Any) -> None:
    if isinstance(truth, bool) or not isinstance(truth, int | float | np.number) or not np.isfinite(truth):
        raise UsageError(f"truth: a finite number is expected, not {truth!r}")


def _sizes(n: Any) -> NDArray[Any]:
    sizes = np.atleast_1d(np.asarray(n))
    if sizes.ndim != 1 or not len(sizes) or sizes.dtype.kind not in "iuf" or (sizes != np.round(sizes)).any():
        raise UsageError(f"n: a whole number, or a list of them, is expected, not {n!r}")
    if (sizes < 1).any():
        raise UsageError("n: sizes must be positive")
    return sizes.astype(np.int64)


def _fitter(estimator: Any, functional: Any) -> Callable[[Any, Generator], Any]:
    """Return the estimate of a sample as a function of the sample and a generator."""
    if isinstance(estimator, type):
        raise UsageError(
            f"estimator: {estimator.__name__} is a class; give an object, {estimator.__name__}()"
        )
    if functional is not None and not callable(functional):
        raise UsageError(f"functional: a function of the fit is expected, not {functional!r}")

    def read(fitted: Any) -> Any:
        return fitted if functional is None else functional(fitted)

    if hasattr(estimator, "estimate"):
        return lambda sample, rng: read(estimator.estimate(_sample(sample), rng=rng).theta)
    if hasattr(estimator, "fit") and hasattr(estimator, "get_params"):
        if functional is None:
            raise UsageError("functional: say what is read off the fit of a scikit-learn estimator")
        from sklearn.base import clone  # noqa: PLC0415

        return lambda sample, rng: read(clone(estimator).fit(*_columns(sample)))
    if not callable(estimator):
        raise UsageError(
            f"estimator: a function of a sample, or an estimator, is expected, not {estimator!r}"
        )
    return lambda sample, rng: read(estimator(sample))


def _with_interval(
    fit: Callable[[Any, Generator], Any], interval: Any, level: float
) -> Callable[[Any, Generator], Any]:
    if not callable(interval):
        raise UsageError(f"interval: a function of the sample is expected, not {interval!r}")

    def both(sample: Any, rng: Generator) -> Any:
        ends = interval(sample)
        if np.shape(ends) != (2,):
            raise UsageError(f"interval: must give (low, high), not {ends!r}")
        return _read(fit(sample, rng), level)[0], ends[0], ends[1]

    return both


def _sample(drawn: Any) -> Sample:
    return drawn if isinstance(drawn, Sample) else Sample(*_columns(drawn))


def _columns(drawn: Any) -> tuple[Any, ...]:
    """Return a sample as the arguments of ``fit``."""
    if isinstance(drawn, Sample):
        return (drawn.X,) if drawn.y is None else (drawn.X, drawn.y)
    return drawn if isinstance(drawn, tuple) else (np.asarray(drawn),)


def _replicated(
    fit: Callable[[Any, Generator], Any],
    population: Population,
    sizes: NDArray[Any],
    repeats: int,
    level: float,
    rng: Generator,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> FloatArray:
    """Return estimate, low and high of each fresh sample, shape (sizes, repeats, 3)."""

    def one(size: int, rng: Generator) -> tuple[float, float, float]:
        return _read(fit(population.sample(size, rng=rng), rng), level)

    def finished(blocks: int) -> None:
        if progress is not None:
            progress(min(blocks * block, total), total)

    block, total = min(LARGEST_BLOCK, -(-repeats // BLOCKS)), repeats * len(sizes)
    samples, draws = draws_of_sizes(np.repeat(sizes, repeats), block)
    # One task holds all blocks if nobody waits for a part of them: a task costs more than a cheap estimate.
    together = len(draws) if jobs == 1 and progress is None else max(1, len(draws) // MOST_TASKS)
    values = replicate(
        FreshSamples(one),
        samples,
        draws,
        _estimates,
        rng=rng,
        jobs=jobs,
        together=together,
        finished=finished,
    ).complete
    return np.concatenate(values).reshape(len(sizes), repeats, 3)


def _estimates(fit: Any, train: Sample, held_out: Sample) -> FloatArray:
    estimates: FloatArray = fit.theta
    return estimates


def _properties(values: FloatArray, size: int, truth: float) -> tuple[float, ...]:
    estimates, low, high = values.T
    if not np.isfinite(estimates).all():
        raise UsageError(f"estimator: gave {estimates[~np.isfinite(estimates)][0]} on a sample of {size}")
    squarable(estimates, "estimator")
    away, centered = estimates - truth, estimates - estimates.mean()
    bias, variance = float(away.mean()), float(estimates.var())
    variance_se, se = float(monte_carlo_error(centered**2)), float(np.sqrt(variance))
    inside = (low <= truth) & (truth <= high)
    covered = np.full(len(inside), np.nan) if np.isnan(low).any() else inside.astype(np.float64)
    return (
        bias,
        float(monte_carlo_error(estimates)),
        variance,
        variance_se,
        se,
        variance_se / (2 * se) if se > 0 else 0.0,
        bias**2 + variance,
        float(monte_carlo_error(away**2)),
        float(covered.mean()),
        float(monte_carlo_error(covered)),
    )


def _read(value: Any, level: float) -> tuple[float, float, float]:
    """Return estimate, low and high of one of the forms of an estimate; NaN where there is no interval."""
    if isinstance(value, float):
        return value, np.nan, np.nan
    if hasattr(value, "params") and hasattr(value, "interval"):
        low, high = np.asarray(value.interval(level))[0]
        return float(value.params[0]), float(low), float(high)
    try:
        numbers = np.asarray(value)
    except ValueError:
        raise UsageError("functional: must give a number, not rows of different lengths") from None
    if numbers.dtype.kind not in "fiub":
        raise UsageError(f"functional: must give a number, not {type(value).__name__} of {numbers.dtype}")
    if isinstance(value, tuple) and numbers.shape == (3,):
        return float(value[0]), float(value[1]), float(value[2])
    if numbers.size != 1:
        raise UsageError(f"functional: must give a number, not shape {numbers.shape}")
    return float(numbers.reshape(-1)[0]), np.nan, np.nan
