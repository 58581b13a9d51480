"""Probabilities of a support vector classifier: Bernoulli maximum likelihood on scores of held-out rows.

Scores of training rows are pushed apart by the training itself, so a curve fitted to them is too sure. Here
log-odds = a + b·score is fitted to held-out scores (Platt 1999, with the unsmoothed likelihood).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from thetahat.contracts import FloatArray
from thetahat.distributions.bernoulli import Bernoulli
from thetahat.errors import UsageError
from thetahat.likelihood.mle import Conditional, mle
from thetahat.likelihood.result import LikelihoodResult
from thetahat.svm.classification import SVC

__all__ = ["Calibrated", "held_out_probability"]


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A classifier of two classes with probabilities.

    Parameters
    ----------
    machine : SVC
        Fitted to all rows.
    curve : LikelihoodResult
        a and b with their standard errors.
    scores : ndarray of shape (n,)
        Score of each row from the machine that did not see it.
    positive : ndarray of shape (n,)
        Whether the row is of the second class.
    """

    machine: SVC
    curve: LikelihoodResult
    scores: FloatArray
    positive: NDArray[np.bool_]

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class, shape (n, 2)."""
        second = self._probability(self.machine.decision_function(X))
        return np.column_stack([1 - second, second])

    def calibration(self, bins: int = 10) -> FloatArray:
        """Return, for bins of equal count, the mean probability said, the share seen and the rows.

        Shape (bins, 3), on the held-out scores; a good curve has the first two columns alike.
        """
        said = self._probability(self.scores)
        parts = [part for part in np.array_split(np.argsort(said, kind="stable"), bins) if len(part)]
        return np.array([[said[part].mean(), self.positive[part].mean(), len(part)] for part in parts])

    def _probability(self, score: FloatArray) -> FloatArray:
        a, b = self.curve.params
        return np.asarray(expit(a + b * score))


def held_out_probability(machine: SVC, X: Any, y: Any, *, folds: int = 5, rng: Generator) -> Calibrated:
    """Fit a classifier and the curve from its scores to probabilities.

    Parameters
    ----------
    machine : SVC
        What is fitted; it is not changed.
    X : ndarray or CSR matrix of shape (n, d)
        Rows.
    y : array of shape (n,)
        Labels of two classes.
    folds : int
        Parts that are held out in turn.
    rng : Generator
        Deals the rows into the folds.

    Raises
    ------
    UsageError
        There are not two classes.
    """
    y = np.asarray(y)
    classes = np.unique(y)
    if len(classes) != 2:
        raise UsageError(f"y: probabilities are of two classes, not {len(classes)}")
    positive = y == classes[1]
    scores = np.empty(len(y))
    deal = StratifiedKFold(folds, shuffle=True, random_state=int(rng.integers(2**31 - 1)))
    for train, test in deal.split(np.zeros(len(y)), y):
        scores[test] = clone(machine).fit(X[train], y[train]).decision_function(X[test])
    curve = mle(
        Conditional(_mean, Bernoulli()),
        (scores[:, None], positive.astype(float)),
        {"a": 0.0, "b": 1.0 / max(float(np.std(scores)), 1e-300)},
    )
    return Calibrated(clone(machine).fit(X, y), curve, scores, positive)


def _mean(theta: Any, X: Any) -> Any:
    # The hyperbolic tangent is the logistic curve in a form that cannot overflow.
    return 0.5 + 0.5 * np.tanh(0.5 * (theta[0] + theta[1] * X[:, 0]))
