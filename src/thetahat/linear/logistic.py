"""Logistic and softmax regression by Newton's method with a line search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import linalg, special

from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status
from thetahat.errors import UsageError
from thetahat.linear.coefficients import Coefficients

__all__ = ["Logistic"]


@dataclass(frozen=True, slots=True)
class Logistic:
    """Minimise Σ wᵢ (−log p(yᵢ | xᵢ)) + ‖β‖² / (2C), p the softmax of η = b + xᵀβ over K classes.

    The intercepts are not penalised. Two classes are fitted with one η for class 1, so that β is that of
    binary logistic regression.

    Parameters
    ----------
    C : float
        Inverse of the penalty, finite: without a penalty a maximum need not exist.
    classes : int
        How many classes there are, K; a class that the sample lacks keeps its place.
    max_iter : int
        Most Newton steps.
    tol : float
        The gradient's largest entry at which the work is done, a row.

    Raises
    ------
    UsageError
        ``C`` is not positive and finite, or there are fewer than two classes.
    """

    C: float = 1.0
    classes: int = 2
    max_iter: int = 100
    tol: float = 1e-8

    def __post_init__(self) -> None:
        if not 0 < self.C < np.inf:
            raise UsageError(f"C: must be positive and finite, not {self.C:g}")
        if self.classes < 2:
            raise UsageError(f"classes: must be at least 2, not {self.classes}")

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Coefficients]:
        """Take Newton steps until the gradient vanishes; the status says whether it did."""
        problem = _problem(sample, self.C, self.classes)
        theta = np.zeros((problem.Z.shape[1], problem.Y.shape[1]))
        value, slope = problem.value(theta), problem.gradient(theta)
        steps = 0
        while steps < self.max_iter and np.abs(slope).max() > self.tol * len(problem.Z):
            direction = problem.newton_step(theta, slope)
            descent = float(np.vdot(slope, direction))
            length = 1.0
            while length > 1e-10:
                trial = theta - length * direction
                reached = problem.value(trial)
                if reached <= value - 1e-4 * length * descent:
                    break
                length /= 2
            else:
                break
            theta, value, slope = trial, reached, problem.gradient(trial)
            steps += 1
        gradient = float(np.abs(slope).max())
        done = gradient <= self.tol * len(problem.Z)
        return Fit(
            Coefficients(theta[0], theta[1:]),
            Status.SOLVED if done else Status.MAX_ITER,
            {"iterations": float(steps), "gradient": gradient},
        )

    def predict(self, theta: Coefficients, X: Any, /) -> Prediction:
        """Predict the probability of each class and the likeliest one."""
        probability = _probabilities(theta.eta(np.asarray(X, dtype=np.float64)))
        return Prediction(probability.argmax(axis=1), probability)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The objective on a design Z with a leading column of ones; Y and η have k columns."""

    Z: FloatArray
    Y: FloatArray
    weight: FloatArray
    penalty: FloatArray

    def value(self, theta: FloatArray) -> float:
        eta = self.Z @ theta
        if eta.shape[1] == 1:
            normaliser = np.logaddexp(0.0, eta[:, 0])
        else:
            normaliser = special.logsumexp(eta, axis=1)
        rows = normaliser - (eta * self.Y).sum(axis=1)
        return float(self.weight @ rows + 0.5 * (self.penalty[:, None] * theta**2).sum())

    def gradient(self, theta: FloatArray) -> FloatArray:
        residual = self.weight[:, None] * (self._fitted(theta) - self.Y)
        slope: FloatArray = self.Z.T @ residual + self.penalty[:, None] * theta
        return slope

    def newton_step(self, theta: FloatArray, slope: FloatArray) -> FloatArray:
        p = self._fitted(theta)
        width, k = theta.shape
        hessian = np.empty((k, width, k, width))
        for a in range(k):
            for b in range(a, k):
                curvature = self.weight * p[:, a] * ((a == b) - p[:, b])
                hessian[a, :, b, :] = hessian[b, :, a, :] = (self.Z * curvature[:, None]).T @ self.Z
            hessian[a, :, a, :] += np.diag(self.penalty)
        matrix = hessian.reshape(k * width, k * width)
        # Adding one constant to every class's intercept changes nothing, and curvature can underflow.
        matrix[np.diag_indices_from(matrix)] += 1e-10 * max(1.0, float(np.trace(matrix)) / len(matrix))
        solved: FloatArray = linalg.solve(matrix, slope.T.ravel(), assume_a="pos")
        return solved.reshape(k, width).T

    def _fitted(self, theta: FloatArray) -> FloatArray:
        eta = self.Z @ theta
        return np.asarray(special.expit(eta) if eta.shape[1] == 1 else special.softmax(eta, axis=1))


def _problem(sample: Sample, C: float, classes: int) -> _Problem:
    X = np.asarray(sample.X, dtype=np.float64)
    y = np.asarray(sample.y)
    weight = np.ones(len(X)) if sample.weight is None else np.asarray(sample.weight, dtype=np.float64)
    Y = np.eye(classes)[y]
    penalty = np.full(X.shape[1] + 1, 1 / C)
    penalty[0] = 0.0
    return _Problem(np.column_stack([np.ones(len(X)), X]), Y[:, 1:] if classes == 2 else Y, weight, penalty)


def _probabilities(eta: FloatArray) -> FloatArray:
    if eta.shape[1] == 1:
        return np.column_stack([special.expit(-eta), special.expit(eta)])
    return np.asarray(special.softmax(eta, axis=1))
