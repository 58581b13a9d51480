"""A network as a point estimator: its seed is drawn from the generator, so seeds are part of its spread.

A seed that the user has fixed stays what it is, and is no part of the spread.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status
from thetahat.networks.architecture import Architecture
from thetahat.networks.classifier import MLPClassifier
from thetahat.networks.output import Variance
from thetahat.networks.regressor import MLPRegressor
from thetahat.networks.training import Schedule

__all__ = ["Network", "TrainedNetwork", "network_under"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """The estimate: layers and their parameters."""

    architecture: Architecture
    theta: list[FloatArray]


@dataclass(frozen=True, slots=True)
class Network:
    """A feed-forward network of one or more hidden layers, trained by maximum likelihood.

    Parameters
    ----------
    classes : int or None
        How many classes; None for a regression.
    hidden_layer_sizes : tuple of int
        Units of each hidden layer.
    hidden : str or tuple of str
        Unit of the hidden layers, or of each.
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
    solver, batch_size, learning_rate, power_t, shuffle, tol, momentum : object
        As in :class:`thetahat.MLPClassifier`, defaults included.
    nesterovs_momentum, validation_fraction, beta_1, beta_2, epsilon : object
        As in :class:`thetahat.MLPClassifier`, defaults included.
    n_iter_no_change, max_fun, clip_norm, init, bias : object
        As in :class:`thetahat.MLPClassifier`, defaults included.
    output : str or None
        Family of y: "bernoulli" or "categorical" of classes, "normal" or "poisson" of numbers.
    variance : {"fixed", "learned", "per-example"}
        Of a normal output.
    random_state : int or None
        Seed; None takes one from the generator of the fit.
    """

    classes: int | None = None
    hidden_layer_sizes: tuple[int, ...] = (100,)
    hidden: str | tuple[str, ...] = "relu"
    alpha: float = 1e-4
    max_iter: int = 500
    learning_rate_init: float = 1e-3
    dropout: float = 0.0
    early_stopping: bool = False
    time_limit: float | None = None
    solver: Literal["adam", "sgd", "lbfgs"] = "adam"
    batch_size: int | Literal["auto"] = "auto"
    learning_rate: Schedule = "constant"
    power_t: float = 0.5
    shuffle: bool = True
    tol: float = 1e-4
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000
    clip_norm: float | None = None
    init: Literal["unit", "he", "glorot", "orthogonal"] = "unit"
    bias: bool = True
    output: str | None = None
    variance: Variance = "fixed"
    random_state: int | None = None

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[TrainedNetwork]:
        """Train on the sample; weights, order and dropout are drawn from ``rng``."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        del settings["classes"]
        if self.random_state is None:
            settings["random_state"] = int(rng.integers(2**31 - 1))
        with warnings.catch_warnings():
            # The status says the same, and is what a reader of many fits is shown.
            warnings.simplefilter("ignore")
            if self.classes is None:
                model: Any = MLPRegressor(**settings).fit(sample.X, sample.y, sample.weight)
            else:
                # Classes have no variance.
                del settings["variance"]
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
        eta, mean = np.asarray(theta.architecture.eta(theta.theta, rows)), theta.architecture.output.mean
        if self.classes is None:
            return Prediction(mean(eta)[:, 0])
        # The probability of the first of two by its own formula, not as a difference from one.
        probability = mean(eta) if eta.shape[1] == self.classes else np.hstack([mean(-eta), mean(eta)])
        return Prediction(probability.argmax(axis=1), probability)


def network_under(model: MLPClassifier | MLPRegressor, classes: int | None) -> Network | None:
    """Return the point estimator of the same settings; None where it has no equal.

    These have none: weights of classes, a checkpoint, and a seed that is a generator.
    """
    settings = model.get_params()
    seed = settings["random_state"]
    weighed = settings.get("class_weight") is not None
    if weighed or settings["checkpoint"] is not None or not (seed is None or isinstance(seed, Integral)):
        return None
    sizes, hidden = settings["hidden_layer_sizes"], settings["hidden"]
    settings["hidden_layer_sizes"] = tuple(sizes) if hasattr(sizes, "__iter__") else (int(sizes),)
    if hidden is None:
        hidden = settings["activation"]
    settings["hidden"] = hidden if isinstance(hidden, str) else tuple(hidden)
    if isinstance(model, MLPRegressor):
        settings["output"] = settings["output"] or ("poisson" if model.loss == "poisson" else None)
    known = {field.name for field in fields(Network)}
    return Network(classes, **{name: value for name, value in settings.items() if name in known})
