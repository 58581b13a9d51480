"""Where to begin with a mixture: expectation–maximisation from several splits of the rows."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray
from thetahat.distributions.mixture import Mixture

__all__ = ["mixture_starts"]

# A component on fewer rows than this, or narrower than this share of the whole, has fallen on a point.
FEWEST_ROWS, NARROWEST = 1.5, 1e-4
# A run ends when it gains less than this share of the log-likelihood; runs within that share found the same.
GAINED, SAME = 1e-8, 1e-7


def mixture_starts(
    model: Mixture, x: FloatArray, weight: FloatArray, starts: int, rng: Generator
) -> tuple[list[Mixture], int]:
    """Return mixtures near local maxima, best first, and how many runs collapsed on a point.

    Among those of the same maximum the first run comes first.

    Parameters
    ----------
    model : Mixture
        Its components' families; parameters are not looked at.
    x, weight : ndarray of shape (n,)
        The rows.
    starts : int
        How many splits: by quantiles first, then at random.
    rng : Generator
        Draws the random splits.
    """
    found: list[tuple[float, Mixture]] = []
    collapsed = 0
    for run in range(starts):
        fitted = _climb(model, x, weight, _split(len(model.components), x, run, rng))
        if fitted is None:
            collapsed += 1
            continue
        found.append((float(weight @ fitted.log_prob(x)), fitted))
    most = max((value for value, _ in found), default=0.0)
    # Which of the runs to one maximum is a rounding error higher decides nothing: the first is taken.
    found.sort(key=lambda pair: min(most - SAME * abs(most), pair[0]), reverse=True)
    return [fitted for _, fitted in found], collapsed


def _split(k: int, x: FloatArray, run: int, rng: Generator) -> FloatArray:
    if run == 0:
        edges = np.quantile(x, np.linspace(0, 1, k + 1)[1:-1])
        return np.asarray(np.searchsorted(edges, x)[:, None] == np.arange(k), dtype=float)
    centres = rng.choice(np.unique(x), k, replace=len(np.unique(x)) < k)
    return np.asarray(np.abs(x[:, None] - centres).argmin(axis=1)[:, None] == np.arange(k), dtype=float)


def _climb(model: Mixture, x: FloatArray, weight: FloatArray, shares: FloatArray) -> Mixture | None:
    whole = float(np.sqrt(np.var(x)))
    last = -np.inf
    fitted: Mixture | None = None
    for _ in range(500):
        heads = weight @ shares
        if np.any(heads < FEWEST_ROWS):
            return None
        components = []
        for j, component in enumerate(model.components):
            theta = component.start(x, weight * shares[:, j] + 1e-300)
            if not all(
                space.contains(value) for space, value in zip(component.spaces.values(), theta, strict=True)
            ):
                return None
            components.append(component.with_theta(*theta))
            if (
                np.sqrt(components[-1].variance()) < NARROWEST * whole
                and not components[-1].support().discrete
            ):
                return None
        fitted = Mixture(components, heads / heads.sum())
        value = float(weight @ fitted.log_prob(x))
        if not np.isfinite(value):
            return None
        if value - last < GAINED * abs(value):
            return fitted
        last = value
        shares = fitted.responsibilities(x)
    return fitted
