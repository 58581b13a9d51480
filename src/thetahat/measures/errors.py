"""The error rate, its complement, and the log-loss of class predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.measure import Measure, MissingPrediction, Target

__all__ = ["accuracy", "error", "log_loss", "probability_of"]

# A probability of exactly zero for the class that occurred would make the mean loss infinite.
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def _wrong(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray(prediction.value != y, dtype=np.float64)


def _right(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    return np.asarray(prediction.value == y, dtype=np.float64)


def _surprise(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    given = probability_of(prediction, "log-loss")[np.arange(len(y)), y]
    surprise: FloatArray = -np.log(np.maximum(given, SMALLEST_PROBABILITY))
    return surprise


def probability_of(prediction: Prediction, measure: str) -> FloatArray:
    """Return the probabilities of a prediction.

    Raises
    ------
    MissingPrediction
        There are none.
    """
    if prediction.probability is None:
        raise MissingPrediction(
            f"gives no probabilities, which {measure} needs; wrap it in CalibratedClassifierCV"
        )
    return prediction.probability


def error(target: Target, argument: str) -> Measure:
    """Return the share of rows that are predicted wrongly."""
    return Measure(
        "error", "error rate", "share of rows", "classification", _wrong, bounds=(0.0, 1.0), scale="logit"
    )


def accuracy() -> Measure:
    """Return the share of rows that are predicted rightly, for show: a verdict uses the error rate."""
    return Measure(
        "accuracy",
        "accuracy",
        "share of rows",
        "classification",
        _right,
        higher_is_better=True,
        bounds=(0.0, 1.0),
        scale="logit",
    )


def log_loss(target: Target, argument: str) -> Measure:
    """Return the mean −log probability of the class that occurred."""
    return Measure("log-loss", "log-loss", "nats per row", "classification", _surprise, bounds=(0.0, np.inf))
