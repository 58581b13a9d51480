"""Probabilities for a classifier that gives scores alone, from its scores of rows it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Fit, Prediction, Predictor, Sample, Status
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.logistic import Logistic
from thetahat.measures.measure import Measure, MissingPrediction, Target
from thetahat.resampling.adapter import SklearnPredictor
from thetahat.resampling.plans import inner_draws
from thetahat.resampling.replicate import replicate
from thetahat.svm.estimator import SupportVectorMachine

__all__ = ["Calibrated", "gives_scores_alone", "needs_probabilities"]

FOLDS = 5


def needs_probabilities(measure: Measure, target: Target) -> bool:
    """Return whether a measure cannot be computed from predicted classes and scores."""
    if target.task != "classification" or measure.bind is not None:
        return False
    codes = np.tile(np.arange(target.classes), 2)
    scores = np.tile(np.eye(target.classes), (2, 1))
    try:
        measure.value(codes, Prediction(codes, score=scores))
    except MissingPrediction:
        return True
    return False


def gives_scores_alone(learner: Predictor[Any]) -> bool:
    """Return whether a classifier is known to give scores and no probabilities."""
    if isinstance(learner, SupportVectorMachine):
        return learner.classes is not None
    if isinstance(learner, SklearnPredictor):
        estimator = learner.estimator
        return hasattr(estimator, "decision_function") and not hasattr(estimator, "predict_proba")
    return False


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedFit:
    """The estimate from all rows, and the regression of the classes on scores."""

    theta: Any
    regression: Coefficients


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A classifier with probabilities by logistic (softmax) regression of the class on its scores.

    The regression is fitted to scores of rows held out of inner folds of the sample, and the classifier to
    all of its rows: no row held out of the comparison has a say. The targets of the regression are Platt's:
    (N + 1) / (N + 2) for the class of a row, where N is the number of rows of that class. The remainder is
    divided equally among the other classes. No probability is therefore 0, even if the scores separate them.

    Parameters
    ----------
    learner : Predictor
        The classifier.
    classes : int
        How many classes.
    folds : int
        Inner folds; fewer where there are fewer rows, groups or times.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers.
    """

    learner: Predictor[Any]
    classes: int
    folds: int = FOLDS

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[CalibratedFit | None]:
        """Fit the classifier to the sample, and the regression to held-out scores."""
        assert sample.y is not None
        inner, last = rng.spawn(2)
        draws = inner_draws(sample, self.folds, sample.y, rng=inner)
        if not draws:
            return Fit(None, Status.TOO_FEW_ROWS, detail="no inner folds to calibrate probabilities on")
        found = replicate(self.learner, sample, draws, self._scores, rng=inner, together=len(draws))
        rows = np.concatenate([draw.test for draw in draws])
        scores = np.concatenate(found.complete)
        held = sample.take(rows)
        regression = self._regression.estimate(self._softened(held, scores), rng=last)
        fit = self.learner.estimate(sample, rng=last)
        if fit.theta is None:
            return fit
        return replace(fit, theta=CalibratedFit(fit.theta, regression.theta))

    def predict(self, theta: CalibratedFit, X: Any, /) -> Prediction:
        """Predict the classifier's classes, with calibrated probabilities."""
        predicted = self.learner.predict(theta.theta, X)
        assert predicted.score is not None
        given = self._regression.predict(theta.regression, predicted.score[:, self.classes == 2 :])
        return replace(predicted, probability=given.probability)

    @property
    def _regression(self) -> Logistic:
        return Logistic(C=np.inf, classes=self.classes)

    def _softened(self, held: Sample, scores: Any) -> Sample:
        """Return each row once for each class, weighted by its target."""
        assert held.y is not None
        counts = np.bincount(held.y, minlength=self.classes)
        own = (counts[held.y] + 1.0) / (counts[held.y] + 2.0)
        targets = np.repeat(((1 - own) / (self.classes - 1))[:, None], self.classes, axis=1)
        targets[np.arange(len(own)), held.y] = own
        weight = targets if held.weight is None else targets * held.weight[:, None]
        y = np.tile(np.arange(self.classes), len(own))
        return Sample(np.repeat(scores, self.classes, axis=0), y, weight.ravel())

    def _scores(self, fit: Fit[Any], train: Sample, held_out: Sample, /) -> Any:
        score = self.learner.predict(fit.theta, held_out.X).score
        assert score is not None
        # Of two classes one score says it all.
        return score[:, self.classes == 2 :]
