"""The Brier score: squared error of predicted probabilities."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.errors import probability_of
from thetahat.measures.measure import Measure, Target

__all__ = ["brier"]


def _squares(positive: int, y: NDArray[Any], prediction: Prediction) -> FloatArray:
    probability = probability_of(prediction, "brier")
    occurred = y[:, None] == np.arange(probability.shape[1])
    squares = (probability - occurred) ** 2
    if probability.shape[1] == 2:
        return np.asarray(squares[:, positive])
    return np.asarray(np.sum(squares, axis=1))


def brier(target: Target, argument: str) -> Measure:
    """Return the Brier score.

    For two classes the mean of (p − 1{y = positive})² with p the probability of the positive class, at most
    1. For more classes the mean of Σₖ (pₖ − 1{y = k})², at most 2; for two classes that sum would be twice
    the form used here. Both are as in scikit-learn.

    Notes
    -----
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. *Monthly Weather
    Review* 78, 1–3.
    """
    return Measure(
        "brier",
        "Brier score",
        "squared probability",
        "classification",
        partial(_squares, target.positive),
        bounds=(0.0, 2.0 if target.classes > 2 else 1.0),
    )
