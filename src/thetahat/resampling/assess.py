"""Bias, variance, standard error, coverage and consistency of any estimator on a known population."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from thetahat.checked import squarable
from thetahat.contracts import FloatArray, Sample
from thetahat.errors import UsageError

__all__ = ["Assessment", "Population", "assess"]

PROPERTIES = ("bias", "variance", "se", "mse", "coverage")


class Population(Protocol):
    """What samples can be drawn from: a distribution, or anything with this method."""

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
        What is estimated.
    bias, variance, se, mse, coverage : ndarray of shape (m,)
        E[θ̂] − θ; the variance of θ̂ with divisor R, and its root; E[(θ̂ − θ)²] = bias² + variance, to
        rounding; how often the estimator's interval holds θ, NaN where it gives none.
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
        for value, error, name, colour, style in (
            (np.abs(self.bias), self.bias_se, "|bias|", "#d55e00", "s--"),
            (self.se, self.se_se, "standard error", "#0072b2", "o-"),
            (root, self.mse_se / (2 * root), "root mean squared error", "#1a1b1c", "^:"),
        ):
            ax.errorbar(self.n, value, 2 * error, fmt=style, color=colour, label=name, capsize=2)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("rows, n")
        ax.set_ylabel(f"error of θ̂ (truth {self.truth:.4g}), ± 2 Monte-Carlo SE")
        slope, error = self.rate
        found = "" if np.isnan(slope) else f"The error falls as n to the power {slope:.2f} ± {error:.2f}"
        ax.set_title(found, loc="left")
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
    rng: Generator | None = None,
) -> Assessment:
    """Draw samples of known truth and look at how an estimator does.

    Parameters
    ----------
    estimator : callable or object
        A function of a sample; one of our point estimators; or a scikit-learn estimator, fitted anew
        to each sample ``(X, y)``. A function may return a number, ``(estimate, low, high)``, or a fit
        with ``params`` and ``interval(level)``, whose first parameter is then taken.
    population : object
        With ``sample(size, rng=rng)``, as the distributions have.
    n : int or sequence of int
        Sample sizes.
    truth : float
        The value that is estimated.
    functional : callable, optional
        What is read off each fit, of the same forms; needed for scikit-learn estimators.
    repeats : int
        Samples of each size.
    level : float
        Of the intervals that a fit gives.
    interval : callable, optional
        From a sample to ``(low, high)``, in place of the interval that the fit gives.
    rng : Generator, optional
        Of seed 0 by default.

    Returns
    -------
    Assessment
        Bias, variance, standard error, mean squared error and coverage at each size, each with its own error.

    Raises
    ------
    UsageError
        An argument cannot be meant, or the estimator gives something that is not a finite number.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), Deep Learning, section 5.4.
    """
    sizes = np.atleast_1d(np.asarray(n, dtype=np.int64))
    if (sizes < 1).any():
        raise UsageError("n: sizes must be positive")
    if repeats < 2:
        raise UsageError(f"repeats: at least 2 are needed, not {repeats}")
    rng = np.random.default_rng(0) if rng is None else rng
    fit = _fitter(estimator, functional)
    if interval is not None:
        fit = _with_interval(fit, interval, level)
    rows = [_properties(fit, population, int(size), truth, repeats, level, rng) for size in sizes]
    columns = np.array(rows).T
    names = [name for prop in PROPERTIES for name in (prop, f"{prop}_se")]
    found: dict[str, Any] = dict(zip(names, columns, strict=True))
    return Assessment(n=sizes.astype(np.float64), truth=float(truth), repeats=repeats, **found)


def _fitter(estimator: Any, functional: Callable[[Any], Any] | None) -> Callable[[Any, Generator], Any]:
    def read(fitted: Any) -> Any:
        return fitted if functional is None else functional(fitted)

    if hasattr(estimator, "estimate"):
        return lambda sample, rng: read(estimator.estimate(_sample(sample), rng=rng).theta)
    if hasattr(estimator, "fit") and hasattr(estimator, "get_params"):
        if functional is None:
            raise UsageError("functional: say what is read off the fit of a scikit-learn estimator")
        from sklearn.base import clone  # noqa: PLC0415

        return lambda sample, rng: read(clone(estimator).fit(*sample))
    if not callable(estimator):
        raise UsageError("estimator: a function of a sample, or an estimator, is expected")
    return lambda sample, rng: read(estimator(sample))


def _with_interval(
    fit: Callable[[Any, Generator], Any], interval: Callable[[Any], Any], level: float
) -> Callable[[Any, Generator], Any]:
    def both(sample: Any, rng: Generator) -> Any:
        low, high = interval(sample)
        return _read(fit(sample, rng), level)[0], low, high

    return both


def _sample(drawn: Any) -> Sample:
    if isinstance(drawn, Sample):
        return drawn
    return Sample(*drawn) if isinstance(drawn, tuple) else Sample(np.asarray(drawn))


def _properties(
    fit: Callable[[Any, Generator], Any],
    population: Population,
    size: int,
    truth: float,
    repeats: int,
    level: float,
    rng: Generator,
) -> tuple[float, ...]:
    found = np.array([_read(fit(population.sample(size, rng=rng), rng), level) for _ in range(repeats)])
    estimates, low, high = found.T
    if not np.isfinite(estimates).all():
        raise UsageError(f"estimator: gave {estimates[~np.isfinite(estimates)][0]} on a sample of {size}")
    squarable(estimates, "estimator")
    away = estimates - truth
    bias, variance = float(away.mean()), float(estimates.var())
    fourth = float(np.mean((estimates - estimates.mean()) ** 4))
    variance_se = float(np.sqrt(max(fourth - variance * variance, 0.0) / repeats))
    se = float(np.sqrt(variance))
    covered = np.nan if np.isnan(low).any() else float(np.mean((low <= truth) & (truth <= high)))
    return (
        bias,
        se / float(np.sqrt(repeats)),
        variance,
        variance_se,
        se,
        variance_se / (2 * se) if se > 0 else 0.0,
        bias**2 + variance,
        float(np.std(away**2) / np.sqrt(repeats)),
        covered,
        float(np.sqrt(covered * (1 - covered) / repeats)),
    )


def _read(value: Any, level: float) -> tuple[float, float, float]:
    if hasattr(value, "params") and hasattr(value, "interval"):
        low, high = np.asarray(value.interval(level))[0]
        return float(value.params[0]), float(low), float(high)
    if isinstance(value, tuple) and len(value) == 3:
        return float(value[0]), float(value[1]), float(value[2])
    number = np.asarray(value, dtype=np.float64)
    if number.size != 1:
        raise UsageError(f"functional: must give a number, not shape {number.shape}")
    return float(number.reshape(-1)[0]), np.nan, np.nan
