"""Populations with a known measure of every fitted model: the truth that intervals have to cover.

Each population draws rows, fits a cheap learner and evaluates a fit on a grid that stands for the whole
population. Given the fit, what the learner says depends on one or two normal variables, so the grid has as
many dimensions and its error is far below the standard error of a table of 1,000 rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy import special, stats

from thetahat.contracts import Prediction
from thetahat.measures.values import Target

COSTS = np.array([[0.0, 1.0], [5.0, 0.0]])
# Points of the grid a class, and a normal variable.
POINTS, PER_VARIABLE = 2000, 81
# Rows that each class of a table has at least: a table with fewer is drawn anew.
FEWEST = 3


@dataclass(frozen=True)
class Grid:
    """Rows with weights that stand for a population, as one fit predicts them."""

    y: Any
    prediction: Prediction
    weight: Any


class Population(Protocol):
    """Rows at random, a learner, and the whole population as a fit predicts it."""

    target: Target

    def rows(self, n: int, rng) -> tuple[Any, Any]: ...

    def fit(self, X, y) -> Any: ...

    def predict(self, fit, X) -> Prediction: ...

    def grid(self, fit) -> Grid: ...


@dataclass(frozen=True)
class Classes:
    """Normal classes of unit covariance on a line of equidistant means; linear discriminant analysis.

    ``noise`` further features say nothing, so that fits differ in direction too. Given a fit, the scores of
    the classes depend on the row through K − 1 or fewer directions; with two classes through one.
    """

    shares: tuple[float, ...]
    distance: float
    noise: int = 2
    target: Target = field(init=False)

    def __post_init__(self):
        costs = COSTS if len(self.shares) == 2 else None
        object.__setattr__(
            self, "target", Target("classification", tuple("abcd"[: len(self.shares)]), costs=costs)
        )

    def rows(self, n, rng):
        y = rng.choice(len(self.shares), n, p=self.shares)
        while np.bincount(y, minlength=len(self.shares)).min() < FEWEST:
            y = rng.choice(len(self.shares), n, p=self.shares)
        X = rng.normal(size=(n, 1 + self.noise))
        X[:, 0] += self.distance * y
        return X, y

    def fit(self, X, y):
        indicator = (y[:, None] == np.arange(len(self.shares))).astype(float)
        counts = indicator.sum(axis=0)
        means = indicator.T @ X / counts[:, None]
        away = X - means[y]
        slope = np.linalg.solve(away.T @ away / (len(y) - len(counts)), means.T)
        return slope, np.log(counts / len(y)) - np.sum(means.T * slope, axis=0) / 2

    def predict(self, fit, X):
        return _of_scores(X @ fit[0] + fit[1])

    def grid(self, fit):
        slope, intercept = fit
        classes, z = len(self.shares), stats.norm.ppf((np.arange(POINTS) + 0.5) / POINTS)
        y = np.repeat(np.arange(classes), POINTS)
        weight = np.repeat(self.shares, POINTS) / POINTS
        if classes == 2:
            direction = slope[:, 1] - slope[:, 0]
            center = intercept[1] - intercept[0] + self.distance * direction[0] * np.arange(2)
            margin = (center[:, None] + np.linalg.norm(direction) * z).ravel()
            return Grid(y, _of_scores(np.column_stack([-margin / 2, margin / 2])), weight)
        assert len(slope) == 1  # one feature: the line of the means itself
        X = (z + self.distance * np.arange(classes)[:, None]).reshape(-1, 1)
        return Grid(y, self.predict(fit, X), weight)


def _of_scores(scores):
    return Prediction(np.argmax(scores, axis=1), special.softmax(scores, axis=1))


@dataclass(frozen=True)
class Numbers:
    """A linear model with normal noise, or the exponential of it; least squares of y, or of its logarithm.

    Parameters
    ----------
    sd : float
        Of the noise; the features are worth a standard deviation of ``signal``.
    signal : float
        Standard deviation of the mean.
    logarithm : bool
        Whether y is the exponential; predicted is then the mean exp(η + s² / 2).
    """

    sd: float
    signal: float
    logarithm: bool = False
    features: int = 3
    target: Target = Target("regression")

    def rows(self, n, rng):
        X = rng.normal(size=(n, self.features))
        y = self.signal * X[:, 0] + self.sd * rng.normal(size=n)
        return X, np.exp(y) if self.logarithm else y

    def fit(self, X, y):
        y = np.log(y) if self.logarithm else y
        A = np.column_stack([np.ones(len(X)), X])
        b = np.linalg.solve(A.T @ A, A.T @ y)
        away = y - A @ b
        return b, float(np.sqrt(away @ away / (len(y) - len(b))))

    def predict(self, fit, X):
        b, sd = fit
        return self._said(b[0] + X @ b[1:], sd)

    def _said(self, eta, sd):
        high = eta + stats.norm.ppf(0.9) * sd
        if not self.logarithm:
            return Prediction(eta, quantile={0.9: high})
        return Prediction(np.exp(eta + sd**2 / 2), quantile={0.9: np.exp(high)})

    def grid(self, fit):
        b, sd = fit
        z = np.linspace(-6, 6, PER_VARIABLE)
        density = stats.norm.pdf(z) / np.sum(stats.norm.pdf(z))
        one, other = (each.ravel() for each in np.meshgrid(z, z))
        # eta = b0 + b·x is normal; given eta, y is normal about a regression on it.
        size = np.linalg.norm(b[1:])
        eta = b[0] + size * one
        share = self.signal * b[1] / size if size else 0.0
        y = share * one + np.sqrt(self.signal**2 + self.sd**2 - share**2) * other
        return Grid(
            np.exp(y) if self.logarithm else y, self._said(eta, sd), np.outer(density, density).ravel()
        )


def separation(auc):
    """Return the distance of two normal classes of unit variance with this area under the ROC curve."""
    return float(np.sqrt(2) * stats.norm.ppf(auc))


POPULATIONS: dict[str, Population] = {
    "two classes": Classes((0.7, 0.3), separation(0.85)),
    "two classes, AUC .99": Classes((0.7, 0.3), separation(0.99)),
    "two classes, AUC .99, 5 % positive": Classes((0.95, 0.05), separation(0.99)),
    "three classes": Classes((0.5, 0.3, 0.2), 1.5, noise=0),
    "numbers": Numbers(1.0, 1.0),
    "positive numbers": Numbers(0.5, 0.5, logarithm=True),
}
OF_CLASSES = (
    "error", "log-loss", "brier", "auc", "average-precision", "f1", "f1-macro", "f1-weighted",
    "balanced-accuracy", "mcc", "kappa",
)  # fmt: skip
MEASURED: dict[str, tuple[str, ...]] = {
    "two classes": (*OF_CLASSES, "cost"),
    "two classes, AUC .99": (*OF_CLASSES, "cost"),
    "two classes, AUC .99, 5 % positive": (*OF_CLASSES, "cost"),
    "three classes": (*(name for name in OF_CLASSES if name != "f1"), "auc:weighted", "kappa:unweighted"),
    "numbers": ("squared-error", "absolute-error", "r2", "pinball:0.9"),
    "positive numbers": (
        "squared-error", "absolute-error", "r2", "pinball:0.9", "poisson-deviance", "gamma-deviance",
        "squared-log-error", "mape",
    ),
}  # fmt: skip
