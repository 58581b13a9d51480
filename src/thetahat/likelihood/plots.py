"""Pictures of a maximum-likelihood fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from thetahat.contracts import FloatArray

if TYPE_CHECKING:
    from thetahat.likelihood.result import LikelihoodResult

__all__ = ["Quantiles", "draw", "quantiles"]

MOST_POINTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Quantiles of data against those of a distribution, with a pointwise band.

    Parameters
    ----------
    expected, observed : ndarray of shape (m,)
        Quantiles of the distribution and of the data.
    low, high : ndarray of shape (m,)
        Where an observed quantile lies, one at a time, if the distribution is the right one.
    """

    expected: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray


def quantiles(x: FloatArray, distribution: Any, level: float = 0.95) -> Quantiles:
    """Return at most 200 quantiles of data against those of a distribution.

    The k-th of n sorted numbers has a Beta(k, n − k + 1) distribution function value.

    Parameters
    ----------
    x : ndarray of shape (n,)
        The data.
    distribution : Distribution
        Its parameters known.
    level : float
        Of the band.
    """
    n = len(x)
    k = np.unique(np.linspace(1, n, min(n, MOST_POINTS)).round().astype(int))
    band = [special.betaincinv(k, n - k + 1, q) for q in ((1 - level) / 2, (1 + level) / 2)]
    low, high = (np.asarray(distribution.ppf(q)) for q in band)
    return Quantiles(np.asarray(distribution.ppf((k - 0.5) / n)), np.sort(x)[k - 1], low, high)


def draw(fit: LikelihoodResult, ax: Any, level: float) -> Any:
    """Draw a fit on matplotlib axes, made where none are given."""
    if ax is None:
        from matplotlib import pyplot  # noqa: PLC0415

        _, ax = pyplot.subplots(layout="constrained")
    if fit.fitted is not None and fit.data is not None:
        return _against(quantiles(fit.data, fit.fitted, level), str(fit.fitted), level, ax)
    low, high = fit.interval(level).T
    place = np.arange(len(fit.params))
    ax.hlines(place, low, high, color="#0072b2")
    ax.plot(fit.params, place, "o", color="#0072b2")
    ax.axvline(0, color="#6e7074", linewidth=1, linestyle="--")
    ax.set_yticks(place, list(fit.names))
    ax.invert_yaxis()
    ax.set_xlabel(f"estimate and {100 * level:g} % interval")
    ax.set_title(fit.title, loc="left")
    return ax


def _against(q: Quantiles, name: str, level: float, ax: Any) -> Any:
    inside = np.mean((q.observed >= q.low) & (q.observed <= q.high))
    ax.fill_between(q.expected, q.low, q.high, color="#dcebf5", linewidth=0)
    ends = [min(q.expected[0], q.observed[0]), max(q.expected[-1], q.observed[-1])]
    ax.plot(ends, ends, color="#6e7074", linewidth=1)
    ax.plot(q.expected, q.observed, ".", color="#0072b2", markersize=4)
    ax.set_xlabel(f"quantile of {name}")
    ax.set_ylabel("quantile of the data")
    share = f"{100 * inside:.0f} % of the quantiles lie in their {100 * level:g} % band"
    ax.set_title(share[0].upper() + share[1:], loc="left")
    return ax
