"""Poisson regression: maximum likelihood, or with an L2 penalty, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status, differing_in
from thetahat.errors import UsageError
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.design import Design
from thetahat.linear.objective import POISSON, PenalisedLoss, columns, minimise, weight_unit, weights
from thetahat.linear.scaling import Standardise, standardised, units
from thetahat.linear.separation import separated_counts
from thetahat.linear.shared_likelihood import SharedLikelihood
from thetahat.optimisers.minimum import Minimum

__all__ = ["Poisson"]

# A mean this small has passed for 0; only then is it asked whether it is.
SUSPECT = -12.0


@dataclass(frozen=True, slots=True)
class Poisson:
    """Minimise Σ wᵢ (e^ηᵢ − yᵢ ηᵢ) + ‖β‖² / (2C), η = b + xᵀβ; the intercept b is not penalised.

    Parameters
    ----------
    C : float
        Inverse of the penalty; infinite is maximum likelihood.
    max_iter : int
        Most Newton steps.
    tol : float
        Distance from the optimum, in standard errors, at which the work is done.
    intercept : bool
        Whether there is a b.
    averaged : bool
        Whether the penalty is of the mean over rows: Σ wᵢ (e^ηᵢ − yᵢ ηᵢ) / Σ wᵢ + ‖β‖² / (2C).

    standardise : bool or tuple of bool
        Whether the penalty is on the slopes of columns in units of their standard deviation: of all columns,
        or of each. The deviation is that of the sample's rows without their weights, see
        :mod:`thetahat.linear.scaling`.

    Raises
    ------
    UsageError
        ``C`` is not positive.
    """

    C: float = np.inf
    max_iter: int = 100
    tol: float = 1e-8
    intercept: bool = True
    averaged: bool = False
    standardise: Standardise = False

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise UsageError(f"C: must be positive, not {self.C:g}")

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Coefficients]:
        """Take Newton steps until the minimum is reached; the status says whether it was, or is at all."""
        return self.estimate_from(sample, None)

    def estimate_from(
        self,
        sample: Sample,
        start: Coefficients | None,
        factor: FloatArray | None = None,
        unit: FloatArray | None = None,
    ) -> Fit[Coefficients]:
        """Estimate, beginning at another estimate of the same shape, and with a factor of its Hessian.

        The penalty is on the slopes of columns in these units, by default those that ``standardise`` says.
        """
        if unit is None and np.any(self.standardise):
            X, mean, unit = standardised(columns(sample.X), self.standardise, self.intercept)
            plain = replace(self, standardise=False)
            near = None if start is None else start.of_scaled(mean, unit)
            fit = plain.estimate_from(replace(sample, X=X), near)
            return replace(fit, theta=fit.theta.of_unscaled(mean, unit))
        if np.isinf(self.C):
            weight = weights(sample)
            sample = Sample(sample.X, sample.y, weight / weight_unit(weight))
        loss = self.loss(sample, unit)
        begin = self._start(loss) if start is None else self.flat(start)
        found = minimise(loss, begin, max_iter=self.max_iter, tol=self.tol, factor=factor)
        theta = found.theta[:, None]
        status, detail = self._existence(loss, found) if np.isinf(self.C) else (found.status, "")
        stats = {
            "iterations": float(found.iterations),
            "gradient": found.gradient_norm,
            "value": found.value,
        }
        return Fit(self.split(theta), status, stats, detail)

    def standardizing(self, columns: tuple[bool, ...], /) -> Poisson | None:
        """Return the same, its penalty in units of these columns; None where it has no free intercept."""
        if not self.intercept or self.standardise:
            return None
        return replace(self, standardise=columns)

    def prepare(self, sample: Sample) -> SharedLikelihood:
        """Return a workspace that fits many draws, and values of C, each begun where all rows ended."""
        return SharedLikelihood(self, sample)

    def capacities(self, estimators: Sequence[Any], /) -> list[Any] | None:
        """Return C of each of these estimators; None where one differs in anything else."""
        return differing_in(self, "C", estimators)

    def flat(self, theta: Coefficients) -> FloatArray:
        """Return the parameters as the objective takes them."""
        rows = np.vstack([theta.intercept, theta.coef]) if self.intercept else theta.coef
        return rows.ravel()

    def split(self, theta: FloatArray) -> Coefficients:
        """Return the objective's parameters as intercepts and slopes."""
        matrix = theta.reshape(-1, 1)
        return Coefficients(matrix[0], matrix[1:]) if self.intercept else Coefficients(0 * matrix[0], matrix)

    def predict(self, theta: Coefficients, X: Any, /) -> Prediction:
        """Predict the mean of y."""
        return Prediction(np.exp(theta.eta(columns(X))[:, 0]))

    def loss(self, sample: Sample, unit: FloatArray | None = None) -> PenalisedLoss:
        """Return the objective on this sample."""
        design = Design(columns(sample.X), self.intercept)
        weight = weights(sample)
        unit = units(design.X, self.standardise) if unit is None else unit
        slopes = unit**2 * ((weight.sum() if self.averaged else 1.0) / self.C)
        penalty = np.concatenate([np.zeros(int(self.intercept)), slopes])
        return PenalisedLoss(design, np.asarray(sample.y, dtype=np.float64), weight, penalty, POISSON)

    def _existence(self, loss: PenalisedLoss, found: Minimum) -> tuple[Status, str]:
        immense = loss.design.immense()
        if immense:
            return Status.NOT_FINITE, f"the squares of {immense} are beyond the largest or smallest number"
        seen = loss.weight > 0
        if found.status is not Status.SOLVED or loss.design.eta(found.theta[:, None])[seen].min() < SUSPECT:
            separation = separated_counts(loss.design.with_ones()[seen], loss.y[seen])
            if separation is not None:
                return Status.SEPARABLE, f"counts of 0 set apart by {loss.design.listed(separation.columns)}"
        tangled = loss.design.dependences(loss.weight)
        return (Status.NOT_IDENTIFIED, tangled) if tangled else (found.status, "")

    def _start(self, loss: PenalisedLoss) -> FloatArray:
        begin = np.zeros(loss.design.width)
        if self.intercept and loss.y.any():
            # The mean itself: a Newton step from η = 0 would overshoot where counts are large.
            begin[0] = np.log(np.average(loss.y, weights=loss.weight))
        return begin
