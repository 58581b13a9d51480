"""The negative log-likelihood of a linear model, with or without a penalty, as Newton's method takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from thetahat.contracts import FloatArray, Sample, Status
from thetahat.deadline import check_time
from thetahat.linear.design import Design
from thetahat.linear.fused import bernoulli_terms, categorical_terms, poisson_terms
from thetahat.optimisers.lbfgs import lbfgs
from thetahat.optimisers.minimum import Minimum
from thetahat.optimisers.newton import newton
from thetahat.optimisers.preconditioned import preconditioned_lbfgs

__all__ = [
    "CATEGORICAL",
    "BERNOULLI",
    "POISSON",
    "PenalisedLoss",
    "columns",
    "minimise",
    "penalised_factor",
    "rough_information",
    "weight_unit",
    "weights",
    "with_penalty",
]

# A Hessian of more parameters than this costs more than the gradients it saves.
MOST_FOR_NEWTON = 2000
# Up to so many multiplications, a Hessian a step is not worth avoiding.
CHEAP_HESSIAN = 5e7
# Beyond so many, not even one that many fits share.
DEAR_HESSIAN = 5e9
# So many rows a parameter give a Hessian near that of all rows.
ROWS_A_PARAMETER = 20
FEWEST_ROWS = 5000

Terms = Callable[[FloatArray, NDArray[Any], FloatArray], tuple[float, FloatArray, FloatArray]]


def _bernoulli(eta: FloatArray, y: NDArray[Any], weight: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    value, slope, curvature = bernoulli_terms(eta[:, 0], y, weight)
    return value, slope[:, None], curvature


def _poisson(eta: FloatArray, y: NDArray[Any], weight: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    value, slope, curvature = poisson_terms(eta[:, 0], y, weight)
    return value, slope[:, None], curvature


BERNOULLI: Terms = _bernoulli
CATEGORICAL: Terms = categorical_terms
POISSON: Terms = _poisson


@dataclass(frozen=True, slots=True, eq=False)
class PenalisedLoss:
    """Σ wᵢ (−log p(yᵢ | ηᵢ)) + ½ Σ penaltyⱼ ‖θⱼ‖², η = Z θ with θ of shape (width, k), taken row by row.

    With the categorical family there is one η a class, so a constant added to the same parameter of every
    class changes no probability; without a penalty on it that direction is flat. The Hessian is given
    curvature along it, which moves no Newton step, since gradients are orthogonal to it.

    Parameters
    ----------
    design : Design
        The columns.
    y : ndarray of shape (n,)
        Class codes, or counts.
    weight : ndarray of shape (n,)
        Weight of each row.
    penalty : ndarray of shape (width,)
        Of each column of the design; 0 is none.
    terms : callable
        The family: value, slope and, a family of one η, curvature; the categorical one, probabilities.
    classes : int
        Columns of η.
    """

    design: Design
    y: NDArray[Any]
    weight: FloatArray
    penalty: FloatArray
    terms: Terms
    classes: int = 1

    def at(self, theta: FloatArray, /) -> LossPoint:
        """Evaluate at θ, flattened."""
        matrix = theta.reshape(self.design.width, self.classes)
        value, slope, curvature = self.terms(self.design.eta(matrix), self.y, self.weight)
        weighted = self.penalty[:, None] * matrix
        gradient = (self.design.pullback(slope) + weighted).ravel()
        return LossPoint(self, value + 0.5 * float(np.vdot(matrix, weighted)), gradient, slope, curvature)


@dataclass(frozen=True, slots=True, eq=False)
class LossPoint:
    """The loss at one θ; the slopes and curvatures of the rows wait for whoever asks for the Hessian."""

    loss: PenalisedLoss
    value: float
    gradient: FloatArray
    slope: FloatArray
    curvature: FloatArray

    def hessian(self) -> FloatArray:
        """Return the second derivatives of the penalised loss, the flat directions filled."""
        return with_penalty(self.information(), self.loss.penalty, self.loss.classes)

    def information(self) -> FloatArray:
        """Return the second derivatives of the likelihood's part alone."""
        design, k = self.loss.design, self.loss.classes
        if k == 1:
            return design.gram(self.curvature)
        p, weight = self.curvature, self.loss.weight
        blocks = np.empty((design.width, k, design.width, k))
        for a in range(k):
            for b in range(a):
                check_time()
                blocks[:, a, :, b] = blocks[:, b, :, a] = -design.gram(weight * p[:, a] * p[:, b])
        for a in range(k):
            # Probabilities sum to one, so the rows of blocks sum to zero, and the diagonal costs nothing.
            blocks[:, a, :, a] = -sum(blocks[:, a, :, b] for b in range(k) if b != a)
        return blocks.reshape(design.width * k, design.width * k)


def with_penalty(information: FloatArray, penalty: FloatArray, classes: int) -> FloatArray:
    """Return the Hessian of the penalised loss from that of the likelihood, the flat directions filled.

    Parameters
    ----------
    information : ndarray of shape (width · k, width · k)
        Of the likelihood; it is written to.
    penalty : ndarray of shape (width,)
        Of each column of the design.
    classes : int
        k.
    """
    width, k = len(penalty), classes
    information[np.diag_indices_from(information)] += np.repeat(penalty, k)
    if k > 1:
        blocks = information.reshape(width, k, width, k)
        free = np.flatnonzero(penalty == 0)
        lift = np.einsum("jkjk->j", blocks)[free] / k**2
        blocks[free, :, free, :] += np.where(lift > 0, lift, 1.0)[:, None, None]
    return information


def minimise(
    loss: PenalisedLoss, start: FloatArray, *, max_iter: int, tol: float, factor: FloatArray | None = None
) -> Minimum:
    """Minimise within ``tol`` standard errors of the minimum, by the way that costs least.

    Newton's method where a Hessian is cheap. Where it is not, one Hessian, of as many rows as it takes, makes
    the loss round for L-BFGS, and Newton's method takes over should that fail. Where there are too many
    parameters for any Hessian, L-BFGS alone, until no entry of the gradient exceeds ``tol`` times the total
    weight. Where the factor of a Hessian near the minimum is known already, it is used for the second way.
    """
    theta = start.ravel()
    if theta.size > MOST_FOR_NEWTON:
        return lbfgs(loss, theta, max_iter=20 * max_iter, tol=tol * float(loss.weight.sum()))
    if len(loss.y) * theta.size**2 <= CHEAP_HESSIAN:
        return newton(loss, theta, max_iter=max_iter, tol=tol)
    found = _rounded(loss, theta, factor, max_iter=(max_iter + 1) // 2, tol=tol)
    if found is not None and found.status is Status.SOLVED:
        return found
    spent = 0 if found is None else found.iterations
    theta = theta if found is None or not np.isfinite(found.value) else found.theta
    last = newton(loss, theta, max_iter=max_iter - spent, tol=tol)
    return replace(last, iterations=last.iterations + spent)


def rough_information(loss: PenalisedLoss, theta: FloatArray) -> FloatArray | None:
    """Return the Hessian of the likelihood's part, of fewer rows where all would cost too much.

    None where no Hessian is worth forming.
    """
    if theta.size > MOST_FOR_NEWTON:
        return None
    few = len(loss.y) * theta.size**2 > DEAR_HESSIAN
    return (_few(loss, theta.size) if few else loss).at(theta).information()


def penalised_factor(information: FloatArray, penalty: FloatArray, classes: int) -> FloatArray | None:
    """Return the Cholesky factor of the Hessian with its penalty, the flat directions filled.

    None where it is not finite or not positive definite. The information is written to.
    """
    hessian = with_penalty(information, penalty, classes)
    if not np.isfinite(hessian).all():
        return None
    try:
        factor: FloatArray = linalg.cholesky(hessian, check_finite=False)
    except linalg.LinAlgError:
        return None
    return factor


def _rounded(
    loss: PenalisedLoss, theta: FloatArray, factor: FloatArray | None, *, max_iter: int, tol: float
) -> Minimum | None:
    if factor is not None:
        return preconditioned_lbfgs(loss, theta, factor, max_iter=max_iter, tol=tol)
    some = _few(loss, theta.size)
    if not theta.any():
        # Near enough is within the standard errors of the few rows; the rest is for all of them.
        if theta.size**2 * len(some.y) <= CHEAP_HESSIAN:
            near = newton(some, theta, max_iter=8, tol=0.1)
        else:
            near = lbfgs(some, theta, max_iter=12, tol=1e-3 * float(some.weight.sum()))
        theta = near.theta if np.isfinite(near.value) else theta
    factor = penalised_factor(some.at(theta).information(), some.penalty, some.classes)
    return None if factor is None else preconditioned_lbfgs(loss, theta, factor, max_iter=max_iter, tol=tol)


def _few(loss: PenalisedLoss, parameters: int) -> PenalisedLoss:
    """Return the loss on every so-manieth row, its weights scaled up to those of all."""
    step = len(loss.y) // max(ROWS_A_PARAMETER * parameters, FEWEST_ROWS)
    if step <= 1:
        return loss
    weight = loss.weight[::step]
    part = float(weight.sum())
    return replace(
        loss,
        design=Design(loss.design.X[::step], loss.design.intercept),
        y=loss.y[::step],
        weight=weight * (float(loss.weight.sum()) / part if part > 0 else 1.0),
    )


def columns(X: Any) -> Any:
    """Return X as float64: CSR if it is sparse, otherwise an array."""
    return sparse.csr_array(X, dtype=np.float64) if sparse.issparse(X) else np.asarray(X, dtype=np.float64)


def weights(sample: Sample) -> FloatArray:
    """Return the weight of each row, 1 where none was given."""
    if sample.weight is None:
        return np.ones(len(sample))
    return np.asarray(sample.weight, dtype=np.float64)


def weight_unit(weight: FloatArray) -> float:
    """Return the power of two that weights too small for products are better measured in, or 1."""
    largest = float(weight.max())
    return 1.0 if largest > 1e-100 else float(np.ldexp(1.0, np.frexp(largest)[1]))
