"""Correlation and chance-corrected agreement of true and predicted classes: MCC and Cohen's kappa."""

from __future__ import annotations

from functools import partial

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.measures.confusion import of_confusion
from thetahat.measures.measure import Measure, Target

__all__ = ["kappa", "mcc"]

POWERS = {"": 2.0, "quadratic": 2.0, "linear": 1.0, "unweighted": 0.0}


def _mcc(matrix: FloatArray) -> tuple[float, FloatArray]:
    true, predicted = np.sum(matrix, axis=1), np.sum(matrix, axis=0)
    if np.count_nonzero(true) < 2 or np.count_nonzero(predicted) < 2:
        return 0.0, np.zeros_like(matrix)
    total, right = np.sum(true), np.trace(matrix)
    covariance = right * total - true @ predicted
    of_true, of_predicted = total**2 - true @ true, total**2 - predicted @ predicted
    root = np.sqrt(of_true * of_predicted)
    value = min(max(float(covariance / root), -1.0), 1.0)
    slope = (total * np.eye(len(matrix)) + right - predicted[:, None] - true[None, :]) / root
    slope -= value * ((total - true) / of_true)[:, None] + value * ((total - predicted) / of_predicted)
    return value, slope


def _kappa(power: float, matrix: FloatArray) -> tuple[float, FloatArray]:
    true, predicted = np.sum(matrix, axis=1), np.sum(matrix, axis=0)
    total = np.sum(true)
    codes = np.arange(len(matrix))
    apart = np.abs(codes[:, None] - codes[None, :]).astype(np.float64)
    apart = apart**power if power else (apart > 0).astype(np.float64)
    observed = np.sum(apart * matrix)
    expected = true @ apart @ predicted / total
    of_expected = ((apart @ predicted)[:, None] + (true @ apart)[None, :] - expected) / total
    return float(1 - observed / expected), observed / expected**2 * of_expected - apart / expected


def mcc(target: Target, argument: str) -> Measure:
    """Return Matthews' correlation coefficient, of two or more classes (Gorodkin's R_K).

    It is 0 where the predicted classes are constant (0 / 0), as in scikit-learn, and has no value where the
    true ones are.

    Notes
    -----
    Gorodkin, J. (2004). Comparing two K-category assignments by a K-category correlation coefficient.
    *Computational Biology and Chemistry* 28, 367–374.
    """
    return Measure(
        "mcc",
        "MCC",
        "correlation",
        "classification",
        whole=partial(of_confusion, _mcc, "mcc", target.labels),
        higher_is_better=True,
        bounds=(-1.0, 1.0),
        scale="fisher",
    )


def kappa(target: Target, argument: str) -> Measure:
    """Return Cohen's kappa with quadratic weights.

    It is 1 − Σ d O / Σ d E with O the observed cells, E those of independent classes, and d the squared
    difference of the codes of the classes, which are in sorted order. The argument ``"linear"`` takes the
    absolute difference, ``"unweighted"`` counts every wrong class the same.

    Raises
    ------
    UsageError
        The argument is another.

    Notes
    -----
    Cohen, J. (1968). Weighted kappa. *Psychological Bulletin* 70, 213–220.
    """
    if argument not in POWERS:
        raise UsageError(
            f"metric: kappa:{argument} does not exist; use kappa (quadratic weights), kappa:linear or "
            "kappa:unweighted"
        )
    plain = argument in ("", "quadratic")
    name = "kappa" if plain else f"kappa:{argument}"
    return Measure(
        name,
        "quadratic kappa" if plain else f"{argument} kappa",
        "agreement",
        "classification",
        whole=partial(of_confusion, partial(_kappa, POWERS[argument]), name, target.labels),
        higher_is_better=True,
        bounds=(-1.0, 1.0),
        scale="fisher",
    )
