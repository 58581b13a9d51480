"""Logistic and softmax regression: maximum likelihood, or with an L2 penalty, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.autodiff import log_softmax
from thetahat.contracts import Fit, FloatArray, Prediction, Sample, Status, differing_in
from thetahat.errors import UsageError
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.design import Design
from thetahat.linear.objective import (
    BERNOULLI,
    CATEGORICAL,
    PenalisedLoss,
    columns,
    minimise,
    weight_unit,
    weights,
)
from thetahat.linear.scaling import Standardise, standardised, units
from thetahat.linear.separation import Separation, separated_classes
from thetahat.linear.shared_likelihood import SharedLikelihood
from thetahat.optimisers.minimum import Minimum

__all__ = ["Logistic", "log_probabilities", "probabilities"]

# A class that is not in the sample has no best intercept; this is its largest probability there.
ABSENT = 1e-8
# Newton's steps along a direction of separation are of length one or so, and its decrement falls with
# exp(−η / 2): whatever it stopped at below tolerance has passed this on its way.
SUSPECT = 12.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """Minimise Σ wᵢ (−log p(yᵢ | xᵢ)) + ‖β‖² / (2C), p the softmax of η = b + xᵀβ over K classes.

    The intercepts are not penalised. Two classes are fitted with one η for class 1, so that β is that of
    binary logistic regression; more have one η each, and without a penalty those with Σₖ βₖ = 0 are taken.

    Parameters
    ----------
    C : float
        Inverse of the penalty; infinite is maximum likelihood.
    classes : int
        How many classes there are, K; a class that the sample lacks keeps its place.
    max_iter : int
        Most Newton steps.
    tol : float
        Distance from the optimum, in standard errors, at which the work is done.
    intercept : bool
        Whether there is a b.

    standardise : bool or tuple of bool
        Whether the penalty is on the slopes of columns in units of their standard deviation: of all columns,
        or of each. The deviation is that of the sample's rows without their weights, see
        :mod:`thetahat.linear.scaling`.

    Raises
    ------
    UsageError
        ``C`` is not positive, or there are fewer than two classes.
    """

    C: float = 1.0
    classes: int = 2
    max_iter: int = 100
    tol: float = 1e-8
    intercept: bool = True
    standardise: Standardise = False

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise UsageError(f"C: must be positive, not {self.C:g}")
        if self.classes < 2:
            raise UsageError(f"classes: must be at least 2, not {self.classes}")

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
        codes = np.asarray(sample.y, dtype=np.int64)
        weight = weights(sample)
        if np.isinf(self.C):
            weight = weight / weight_unit(weight)
        present = np.unique(codes[weight > 0])
        if len(present) == 1:
            return self._one_class(int(present[0]), sample)
        relabelled = np.searchsorted(present, codes)
        # Rows of weight 0 may hold a class that no other row has; where they are sent changes nothing.
        loss = self.loss(
            Sample(sample.X, np.minimum(relabelled, len(present) - 1), weight), len(present), unit
        )
        whole = len(present) == self.classes
        begin: FloatArray = np.zeros((loss.design.width, loss.classes))
        if start is not None and whole:
            begin = self.flat(start).reshape(begin.shape)
        found = minimise(loss, begin, max_iter=self.max_iter, tol=self.tol, factor=factor if whole else None)
        status, detail = found.status, ""
        if np.isinf(self.C):
            status, detail = self._existence(loss, found)
        theta = found.theta.reshape(begin.shape)
        if not whole:
            theta = self._with_absent(theta, loss, present)
            absent = ", ".join(str(k) for k in range(self.classes) if k not in present)
            detail = detail or f"no row of class {absent}"
        stats = {
            "iterations": float(found.iterations),
            "gradient": found.gradient_norm,
            "value": found.value,
        }
        return Fit(self.split(theta), status, stats, detail)

    def standardizing(self, columns: tuple[bool, ...], /) -> Logistic | None:
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
        matrix = theta.reshape(-1, 1 if self.classes == 2 else self.classes)
        return Coefficients(matrix[0], matrix[1:]) if self.intercept else Coefficients(0 * matrix[0], matrix)

    def predict(self, theta: Coefficients, X: Any, /) -> Prediction:
        """Predict the probability of each class and the likeliest one."""
        probability = probabilities(theta.eta(columns(X)))
        return Prediction(probability.argmax(axis=1), probability)

    def loss(
        self, sample: Sample, present: int | None = None, unit: FloatArray | None = None
    ) -> PenalisedLoss:
        """Return the objective on this sample, whose classes are 0 … present − 1."""
        k = self.classes if present is None else present
        design = Design(columns(sample.X), self.intercept)
        unit = units(design.X, self.standardise) if unit is None else unit
        penalty = np.concatenate([np.zeros(int(self.intercept)), unit**2 / self.C])
        y = np.asarray(sample.y, dtype=np.int64)
        family, etas = (BERNOULLI, 1) if k == 2 else (CATEGORICAL, k)
        return PenalisedLoss(design, y, weights(sample), penalty, family, etas)

    def separation(self, loss: PenalisedLoss) -> Separation | None:
        """Look for a direction in which the likelihood of this loss has no maximum."""
        seen = loss.weight > 0
        return separated_classes(loss.design.with_ones()[seen], loss.y[seen], max(loss.classes, 2))

    def _existence(self, loss: PenalisedLoss, found: Minimum) -> tuple[Status, str]:
        immense = loss.design.immense()
        if immense:
            return Status.NOT_FINITE, f"the squares of {immense} are beyond the largest or smallest number"
        eta = loss.design.eta(found.theta.reshape(-1, loss.classes))
        reach = np.abs(eta).max() if loss.classes == 1 else np.ptp(eta, axis=1).max()
        suspicious = found.status is not Status.SOLVED or reach > SUSPECT
        separation = self.separation(loss) if suspicious else None
        if separation is None:
            tangled = loss.design.dependences(loss.weight)
            return (Status.NOT_IDENTIFIED, tangled) if tangled else (found.status, "")
        kind = "completely" if separation.complete else "quasi-completely"
        return Status.SEPARABLE, f"{kind} separated by {loss.design.listed(separation.columns)}"

    def _one_class(self, only: int, sample: Sample) -> Fit[Coefficients]:
        etas = 1 if self.classes == 2 else self.classes
        level = np.log(ABSENT)
        if self.classes == 2:
            intercept = np.array([level if only == 0 else -level])
        else:
            intercept = np.full(etas, level)
            intercept[only] = 0.0
        coef = np.zeros((sample.X.shape[1], etas))
        intercept = intercept * self.intercept
        return Fit(Coefficients(intercept, coef), Status.SEPARABLE, {}, f"every row is of class {only}")

    def _with_absent(self, theta: FloatArray, loss: PenalisedLoss, present: Any) -> FloatArray:
        """Give the classes that have no rows their place, all but impossible on the rows there are."""
        eta = loss.design.eta(theta)
        if loss.classes == 1:
            theta, eta = np.hstack([0 * theta, theta]), np.hstack([0 * eta, eta])
        out = np.zeros((len(theta), self.classes))
        out[:, present] = theta
        if self.intercept:
            absent = np.setdiff1d(np.arange(self.classes), present)
            out[0, absent] = special.logsumexp(eta, axis=1).min() + np.log(ABSENT)
        return out


def probabilities(eta: FloatArray) -> FloatArray:
    """Return the probability of each class, shape (n, K), from η of shape (n, 1) or (n, K)."""
    if eta.shape[1] == 1:
        return np.column_stack([special.expit(-eta), special.expit(eta)])
    return np.asarray(special.softmax(eta, axis=1))


def log_probabilities(eta: FloatArray) -> FloatArray:
    """Return their logarithms, which are finite where a probability is below the smallest number."""
    if eta.shape[1] == 1:
        return np.asarray(special.log_expit(np.column_stack([-eta, eta])))
    return np.asarray(log_softmax(eta, axis=1))
