"""Bias and variance of predictions, row by row, from predictions of many training draws.

Every decomposition is a function of sums over draws: of predictions and their squares, of votes, or of
log-probabilities. So the terms without some of the draws follow from the sums less those of these draws. The
terms of a row add to its mean loss over the draws, to rounding. NaN marks a row that a draw did not predict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thetahat.contracts import FloatArray

__all__ = ["DECOMPOSITIONS", "Additive", "kohavi_wolpert", "log", "squared", "zero_one"]

Terms = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Additive:
    """A decomposition as a function of sums over draws.

    Parameters
    ----------
    parts : ndarray of shape (D, s, n)
        What each draw adds to the s sums of each row.
    of : callable
        ``of(sums)``, shape (s, n), gives each term of each row.
    """

    parts: FloatArray
    of: Callable[[FloatArray], Terms]

    def terms(self) -> Terms:
        """Return the terms with all draws."""
        return self.of(self.parts.sum(axis=0))

    def left_out(self, groups: int) -> list[Terms]:
        """Return the terms without each of so many groups of draws."""
        starts = np.linspace(0, len(self.parts), min(groups, len(self.parts)), endpoint=False).astype(int)
        sums = np.add.reduceat(self.parts, starts, axis=0)
        total = sums.sum(axis=0)
        return [self.of(total - part) for part in sums]


def squared(predictions: FloatArray, y: FloatArray, truth: FloatArray | None = None) -> Additive:
    """Return the terms of squared error: noise + bias² + variance.

    With p̄ the mean prediction and s² the variance of D predictions with divisor D − 1: variance s², bias²
    (y − p̄)² − s²/D, both unbiased. Without ``truth`` the noise cannot be told from bias², and the term is
    called by both names. With it, bias² is of p̄ − E[y | x], and noise is the rest: (y − E[y | x])² and its
    product with the bias, whose mean is 0.

    Parameters
    ----------
    predictions : ndarray of shape (D, n)
    y : ndarray of shape (n,)
    truth : ndarray of shape (n,), optional
        E[y | x] of each row.
    """
    seen = ~np.isnan(predictions)
    # Centering first: subtracting sums of squares then cancels no digits.
    centre = np.where(seen, predictions, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    away = np.where(seen, predictions - centre, 0.0)

    def of(sums: FloatArray) -> Terms:
        count, first, second = np.maximum(sums[0], 1), sums[1], sums[2]
        mean = centre + first / count
        variance = (second - first**2 / count) / np.maximum(count - 1, 1)
        if truth is None:
            return {"noise + bias²": (y - mean) ** 2 - variance / count, "variance": variance}
        return {
            "noise": (y - truth) ** 2 + 2 * (y - truth) * (truth - mean),
            "bias²": (truth - mean) ** 2 - variance / count,
            "variance": variance,
        }

    return Additive(np.stack([seen.astype(float), away, away**2], axis=1), of)


def zero_one(predictions: FloatArray, y: NDArray[Any], classes: int) -> Additive:
    """Return the terms of the error rate: bias + unbiased variance − biased variance.

    The main prediction of a row is its commonest one, the lowest code of those that tie. Bias is 1 where it
    is wrong. Where it is right, draws that differ from it add to the loss; where it is wrong, draws that
    happen to be right take from it. Noise stands in the bias.

    Parameters
    ----------
    predictions : ndarray of shape (D, n)
        Codes 0 … K − 1 as floats.
    y : ndarray of shape (n,)
        Codes.
    classes : int
        K.

    References
    ----------
    Domingos (2000), A unified bias-variance decomposition for zero-one and squared loss, AAAI.
    """

    def of(votes: FloatArray) -> Terms:
        share = votes / np.maximum(votes.sum(axis=0), 1)
        wrong = share.argmax(axis=0) != y
        right = share[y, np.arange(len(y))]
        return {
            "bias": wrong.astype(float),
            "unbiased variance": np.where(wrong, 0.0, 1 - right),
            "biased variance": -np.where(wrong, right, 0.0),
        }

    return Additive(_votes(predictions, classes), of)


def kohavi_wolpert(predictions: FloatArray, y: NDArray[Any], classes: int) -> Additive:
    """Return the terms of the error rate after Kohavi and Wolpert, both unbiased: bias² + variance.

    With P(c) the share of draws that predict c: variance ½ (1 − Σ P²), bias² ½ Σ (1[y = c] − P)², each less
    what finitely many draws bring. Noise stands in bias².

    Parameters
    ----------
    predictions, y, classes
        As for :func:`zero_one`.

    References
    ----------
    Kohavi and Wolpert (1996), Bias plus variance decomposition for zero-one loss functions, ICML.
    """

    def of(votes: FloatArray) -> Terms:
        count = np.maximum(votes.sum(axis=0), 1)
        share = votes / count
        impurity = 0.5 * (1 - (share**2).sum(axis=0))
        excess = impurity / np.maximum(count - 1, 1)
        distance = 0.5 * ((share - np.eye(classes)[:, y]) ** 2).sum(axis=0)
        return {"noise + bias²": distance - excess, "variance": impurity + excess}

    return Additive(_votes(predictions, classes), of)


def log(probability: FloatArray, y: NDArray[Any], classes: int) -> Additive:
    """Return the terms of log-loss: that of the mean prediction, and the mean divergence from it.

    The mean prediction q̄ is the normalised geometric mean of the draws' probabilities, the mean in log
    space: then mean −log q(y) = −log q̄(y) + mean KL(q̄ ‖ q), and −log q̄(y) holds noise and bias.

    Parameters
    ----------
    probability : ndarray of shape (D, n, K)
        Rows sum to one; NaN for a row that its draw did not predict.
    y : ndarray of shape (n,)
        Codes 0 … K − 1.
    classes : int
        K.

    References
    ----------
    Heskes (1998), Bias/variance decompositions for likelihood-based estimators, Neural Computation 10.
    """
    seen = ~np.isnan(probability[:, :, 0])
    logs = np.log(np.maximum(probability, np.finfo(np.float64).eps))
    logs -= special.logsumexp(logs, axis=2, keepdims=True)
    parts = np.concatenate([seen[:, None], np.where(seen[:, :, None], logs, 0.0).transpose(0, 2, 1)], axis=1)

    def of(sums: FloatArray) -> Terms:
        mean = sums[1:] / np.maximum(sums[0], 1)
        spread = -np.asarray(special.logsumexp(mean, axis=0))
        return {"noise + bias": -mean[y, np.arange(len(y))] - spread, "variance": spread}

    return Additive(parts, of)


def _votes(predictions: FloatArray, classes: int) -> FloatArray:
    return np.stack([predictions == c for c in range(classes)], axis=1).astype(float)


DECOMPOSITIONS: Mapping[str, Callable[..., Additive]] = MappingProxyType(
    {"squared": squared, "zero-one": zero_one, "kohavi-wolpert": kohavi_wolpert, "log": log}
)
