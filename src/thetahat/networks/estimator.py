"""A network as a point estimator: its seed is drawn from the generator, so seeds are part of its spread."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status
from thetahat.networks.architecture import Architecture
from thetahat.networks.classifier import MLPClassifier
from thetahat.networks.regressor import MLPRegressor

__all__ = ["Network", "TrainedNetwork"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """The estimate: layers and their parameters."""

    architecture: Architecture
    theta: list[FloatArray]


@dataclass(frozen=True, slots=True)
class Network:
    """A feed-forward network of one or more hidden layers, trained by Adam.

    Parameters
    ----------
    classes : int or None
        How many classes; None for a regression.
    hidden_layer_sizes : tuple of int
        Units of each hidden layer.
    hidden : str
        Unit of the hidden layers.
    alpha : float
        Penalty on the weights.
    max_iter : int
        Most epochs.
    learning_rate_init : float
        Learning rate.
    dropout : float
        Probability that a hidden unit is left out of a step.
    early_stopping : bool
        Whether a tenth of the rows decides when to stop.
    time_limit : float or None
        Most seconds of a fit.
    """

    classes: int | None = None
    hidden_layer_sizes: tuple[int, ...] = (100,)
    hidden: str = "relu"
    alpha: float = 1e-4
    max_iter: int = 500
    learning_rate_init: float = 1e-3
    dropout: float = 0.0
    early_stopping: bool = False
    time_limit: float | None = None

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[TrainedNetwork]:
        """Train on the sample; weights, order and dropout are drawn from ``rng``."""
        settings: dict[str, Any] = {
            "hidden_layer_sizes": self.hidden_layer_sizes,
            "hidden": self.hidden,
            "alpha": self.alpha,
            "max_iter": self.max_iter,
            "learning_rate_init": self.learning_rate_init,
            "dropout": self.dropout,
            "early_stopping": self.early_stopping,
            "time_limit": self.time_limit,
            "random_state": int(rng.integers(2**31 - 1)),
        }
        with warnings.catch_warnings():
            # The status says the same, and is what a reader of many fits is shown.
            warnings.simplefilter("ignore")
            if self.classes is None:
                model: Any = MLPRegressor(**settings).fit(sample.X, sample.y, sample.weight)
            else:
                model = MLPClassifier(**settings).fit_of_classes(
                    sample.X, sample.y, np.arange(self.classes), sample.weight
                )
        stats = {"iterations": float(model.n_iter_), "loss": float(model.loss_)}
        theta = TrainedNetwork(model.architecture_, model.parameters_)
        status: Status = model.status_
        return Fit(theta, status, stats, "" if status.ok else model.stop_reason_)

    def predict(self, theta: TrainedNetwork, X: Any, /) -> Prediction:
        """Predict numbers, or class codes with probabilities."""
        rows = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        mean = theta.architecture.output.mean(np.asarray(theta.architecture.eta(theta.theta, rows)))
        if self.classes is None:
            return Prediction(mean[:, 0])
        probability = mean if mean.shape[1] == self.classes else np.hstack([1 - mean, mean])
        return Prediction(probability.argmax(axis=1), probability)
