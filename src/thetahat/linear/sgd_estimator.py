"""Linear models by stochastic gradient descent as point estimators.

The order of the rows is drawn from the generator of the fit, so it is part of the spread. A seed that the
user has fixed stays what it is.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import Fit, FloatArray, IntArray, Prediction, Sample
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.logistic import probabilities
from thetahat.linear.sgd import PROBABLE, SGDClassifier, SGDRegressor
from thetahat.linear.sgd_descent import Descent
from thetahat.linear.sgd_losses import probabilities_by_clipping

__all__ = ["Descended", "StochasticDescent", "descent_under"]


@dataclass(frozen=True, slots=True, eq=False)
class Descended:
    """The estimate.

    Parameters
    ----------
    coefficients : Coefficients
        One function of two classes or of numbers, else one a class.
    present : ndarray of shape (k,)
        Codes of the classes that the sample held; empty of numbers.
    """

    coefficients: Coefficients
    present: IntArray


@dataclass(frozen=True, slots=True)
class StochasticDescent:
    """Minimise Σ w loss(y, b + x · w) / Σ w + alpha · penalty by stochastic gradient descent.

    Parameters
    ----------
    classes : int or None
        How many classes; None for numbers.
    loss : str
        Of classes or of numbers.
    penalty, alpha, l1_ratio, fit_intercept, max_iter, tol, shuffle, epsilon : object
        As in :class:`thetahat.SGDClassifier`.
    learning_rate, eta0, power_t, early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`thetahat.SGDClassifier`; the defaults are those of :class:`thetahat.SGDRegressor`.
    average, batch_size, multi_class : object
        As in :class:`thetahat.SGDClassifier`.
    random_state : int or None
        Seed; None takes one from the generator of the fit.
    """

    classes: int | None = None
    loss: str = "squared_error"
    penalty: Literal["l2", "l1", "elasticnet"] | None = "l2"
    alpha: float = 1e-4
    l1_ratio: float | None = 0.15
    fit_intercept: bool = True
    max_iter: int = 1000
    tol: float | None = 1e-3
    shuffle: bool = True
    epsilon: float = 0.1
    learning_rate: str = "invscaling"
    eta0: float | Literal["auto"] = 0.01
    power_t: float = 0.25
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    average: bool | int = False
    batch_size: int = 1
    multi_class: Literal["ovr", "multinomial"] = "ovr"
    random_state: int | None = None

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Descended]:
        """Descend; the order of the rows is drawn from ``rng``."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        del settings["classes"]
        if self.random_state is None:
            settings["random_state"] = int(rng.integers(2**31 - 1))
        model: SGDClassifier | SGDRegressor
        with warnings.catch_warnings():
            # The status says the same, and is what a reader of many fits is shown.
            warnings.simplefilter("ignore")
            if self.classes is None:
                del settings["multi_class"]
                model = SGDRegressor(**settings)
            else:
                model = SGDClassifier(**settings)
            model.fit(sample.X, sample.y, sample_weight=sample.weight)
        present = model.classes_.astype(np.int64) if isinstance(model, SGDClassifier) else np.arange(0)
        coef, intercept = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
        stats = {"iterations": float(model.n_iter_)}
        return Fit(Descended(Coefficients(intercept, coef), present), model.status_, stats)

    def predict(self, theta: Descended, X: Any, /) -> Prediction:
        """Predict numbers, or class codes with probabilities where the loss has them, else with scores."""
        eta = theta.coefficients.eta(X)
        if self.classes is None:
            return Prediction(np.exp(eta[:, 0]) if self.loss == "poisson" else eta[:, 0])
        place = (eta[:, 0] > 0).astype(np.int64) if eta.shape[1] == 1 else eta.argmax(axis=1)
        value = theta.present[place]
        if self.loss in PROBABLE:
            return Prediction(value, self._spread(theta, self._probability(eta), 0.0))
        score = np.hstack([-eta, eta]) if eta.shape[1] == 1 else eta
        return Prediction(value, score=self._spread(theta, score, -np.inf))

    def _probability(self, eta: FloatArray) -> FloatArray:
        if self.loss != "log_loss":
            return probabilities_by_clipping(eta)
        joint = eta.shape[1] == 1 or self.multi_class == "multinomial"
        return probabilities(eta if joint else np.asarray(special.log_expit(eta)))

    def _spread(self, theta: Descended, columns: FloatArray, absent: float) -> FloatArray:
        assert self.classes is not None
        wide = np.full((len(columns), self.classes), absent)
        wide[:, theta.present] = columns
        return wide


def descent_under(model: Descent, classes: int | None) -> StochasticDescent | None:
    """Return the point estimator of the same settings; None where it has no equal.

    These have none: weights of classes, a seed that is a generator, and a classifier of numbers.
    """
    if isinstance(model, SGDRegressor):
        classes = None
    elif classes is None:
        return None
    settings = model.get_params()
    seed = settings["random_state"]
    if settings.get("class_weight") is not None or not (seed is None or isinstance(seed, Integral)):
        return None
    known = {field.name for field in fields(StochasticDescent)}
    return StochasticDescent(classes, **{name: value for name, value in settings.items() if name in known})
