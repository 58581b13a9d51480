"""The Bayesian correlated t: how probable it is that a mean over draws is below, within or above a margin."""

from __future__ import annotations

import numpy as np
from scipy import stats

from thetahat.numerics.moments import variance
from thetahat.resampling.intervals import OverDraws

__all__ = ["posterior"]


def posterior(quantity: OverDraws, margin: float = 0.0) -> tuple[float, float, float]:
    """Return the posterior probabilities of a mean below −margin, within ±margin, and above it.

    Under the usual uninformative prior the mean has Student's t distribution with J − 1 degrees of
    freedom about the mean of the draws and squared scale (1/J + ρ/(1 − ρ)) S², with ρ the share of
    rows held out, which stands for the correlation of the draws.

    Parameters
    ----------
    quantity : OverDraws
        At least two draws.
    margin : float
        The smallest value that matters.

    References
    ----------
    Corani and Benavoli (2015), A Bayesian approach for comparing cross-validated algorithms on
    multiple data sets, Machine Learning 100.
    """
    draws = len(quantity.values)
    share = float(np.mean(quantity.n_test / (quantity.n_train + quantity.n_test)))
    mean, spread = float(np.mean(quantity.values)), variance(quantity.values, ddof=1)
    scale = float(np.sqrt((1 / draws + share / (1 - share)) * spread))
    if scale == 0:
        return float(mean < -margin), float(abs(mean) <= margin), float(mean > margin)
    below = float(stats.t.cdf(-margin, draws - 1, mean, scale))
    above = float(stats.t.sf(margin, draws - 1, mean, scale))
    return below, max(0.0, 1 - below - above), above
