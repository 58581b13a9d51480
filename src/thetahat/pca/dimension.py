"""How many directions a spectrum has, by the evidence of probabilistic PCA."""

from __future__ import annotations

import numpy as np
from scipy import special

from thetahat.contracts import FloatArray

__all__ = ["likeliest_dimension"]

SMALLEST = 1e-15


def likeliest_dimension(spectrum: FloatArray, n: int) -> int:
    """Return the number of directions whose model has the largest evidence, by Laplace's method.

    Parameters
    ----------
    spectrum : ndarray of shape (d,)
        Variances, largest first.
    n : int
        Rows.

    References
    ----------
    Minka (2000), Automatic choice of dimensionality for PCA, NeurIPS 13.
    """
    d = len(spectrum)
    evidence = np.full(d, -np.inf)
    for k in range(1, d):
        if spectrum[k - 1] < SMALLEST:
            break
        evidence[k] = _evidence(spectrum, k, n)
    return int(evidence.argmax())


def _evidence(spectrum: FloatArray, k: int, n: int) -> float:
    d = len(spectrum)
    free = d - np.arange(k)
    uniform = -k * np.log(2.0) + float(np.sum(special.gammaln(free / 2) - np.log(np.pi) * free / 2))
    inside = -0.5 * n * float(np.log(spectrum[:k]).sum())
    noise = max(SMALLEST, float(spectrum[k:].mean()))
    outside = -0.5 * n * (d - k) * np.log(noise)
    parameters = d * k - k * (k + 1) / 2
    level = np.concatenate([spectrum[:k], np.full(d - k, noise)])
    i, j = np.triu_indices(d, 1)
    i, j = i[i < k], j[i < k]
    with np.errstate(divide="ignore", invalid="ignore"):
        curvature = np.log((spectrum[i] - spectrum[j]) * (1 / level[j] - 1 / level[i])) + np.log(n)
    total = 0.5 * np.log(2 * np.pi) * (parameters + k) - 0.5 * float(curvature.sum()) - 0.5 * k * np.log(n)
    return float(uniform + inside + outside + total)
