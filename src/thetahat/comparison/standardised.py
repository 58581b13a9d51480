"""A learner of numbers that is given its target in standard units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Fit, Prediction, Predictor, Sample

__all__ = ["StandardisedTarget"]


@dataclass(frozen=True, slots=True, eq=False)
class StandardisedFit:
    """An estimate in standard units, and those units."""

    theta: Any
    mean: float
    unit: float


@dataclass(frozen=True, slots=True, eq=False)
class StandardisedTarget:
    """Fit to (y − mean) / standard deviation of the training rows, and predict in the unit of y.

    For learners whose tolerances, tubes and step sizes are in the unit of the target.

    Parameters
    ----------
    learner : Predictor
        What is fitted.
    """

    learner: Predictor[Any]

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[StandardisedFit | None]:
        """Estimate from the standardised target."""
        y = np.asarray(sample.y, dtype=np.float64)
        mean, unit = float(y.mean()), float(y.std()) or 1.0
        if sample.weight is not None:
            mean = float(np.average(y, weights=sample.weight))
            unit = float(np.sqrt(np.average((y - mean) ** 2, weights=sample.weight))) or 1.0
        fit = self.learner.estimate(replace(sample, y=(y - mean) / unit), rng=rng)
        if fit.theta is None:
            return fit
        return replace(fit, theta=StandardisedFit(fit.theta, mean, unit))

    def predict(self, theta: StandardisedFit, X: Any, /) -> Prediction:
        """Predict in the unit of the target."""
        return Prediction(theta.mean + theta.unit * self.learner.predict(theta.theta, X).value)
