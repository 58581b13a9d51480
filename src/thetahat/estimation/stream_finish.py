"""The end of a streamed fit: passes that certify the maximum of the likelihood and give its error bars.

Descent ends near the maximum. Each pass adds up loss, gradient, information and the outer products of the
scores over all rows, in memory of p × p; Newton's step from there squares the distance, and the sandwich
H⁻¹ G H⁻¹ (White, 1982) is the covariance of the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from thetahat.contracts import Family, FloatArray, Status

__all__ = ["Finish", "LikelihoodSums", "newton_passes", "sums_of"]

# Newton's step in standard errors at which the maximum is found, and the most passes to get there.
CLOSE, MOST_PASSES = 1e-4, 25
# Eigenvalues below this part of the largest belong to directions that the rows do not tell apart.
FLAT = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodSums:
    """Weighted sums over all rows at one θ of shape (p, k), flattened function by function.

    Parameters
    ----------
    loss, weight, worst : float
        Σ w (−log p), Σ w, and the largest −log p of a row.
    gradient : ndarray of shape (kp,)
    information, scores : ndarray of shape (kp, kp)
        Second derivatives, and outer products of each row's gradient.
    """

    loss: float
    weight: float
    worst: float
    gradient: FloatArray
    information: FloatArray
    scores: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Finish:
    """Where the passes stand.

    Parameters
    ----------
    theta : ndarray of shape (p, k)
        The next θ to look at.
    base, step : ndarray of shape (p, k)
        The best so far, and the step from it to ``theta``.
    loss : float
        At the best so far; infinite before the first pass.
    passes : int
        Done so far.
    sums : LikelihoodSums or None
        At the best, once ended.
    covariance : ndarray of shape (kp, kp) or None
        The sandwich, once solved.
    status : Status or None
        How it ended; None while it goes on.
    gap : float
        The longest part of Newton's step in standard errors.
    """

    theta: FloatArray
    base: FloatArray
    step: FloatArray
    loss: float = math.inf
    passes: int = 0
    sums: LikelihoodSums | None = None
    covariance: FloatArray | None = None
    status: Status | None = None
    gap: float = math.inf


def sums_of(
    blocks: Iterable[tuple[FloatArray, NDArray[Any], FloatArray]], theta: FloatArray, family: Family
) -> LikelihoodSums:
    """Add up the likelihood over blocks of (Z, y, weight), Z of shape (n, p) with its column of ones."""
    p, k = theta.shape
    loss = total = 0.0
    worst = -math.inf
    gradient, information, scores = np.zeros((k, p)), np.zeros((k, p, k, p)), np.zeros((k * p, k * p))
    for Z, y, weight in blocks:
        terms = family.nll_terms(y, Z @ theta)
        loss += float(weight @ terms.value)
        total += float(weight.sum())
        worst = max(worst, float(terms.value[weight > 0].max(initial=-math.inf)))
        slopes = weight[:, None] * terms.d_eta
        gradient += slopes.T @ Z
        for a in range(k):
            for b in range(a + 1):
                part = (Z * (weight * terms.d2_eta[:, a, b])[:, None]).T @ Z
                information[a, :, b] += part
                if a != b:
                    information[b, :, a] += part.T
        # A row of weight two is a row that stands twice.
        rooted = np.sqrt(weight)[:, None] * terms.d_eta
        each = (rooted[:, :, None] * Z[:, None, :]).reshape(len(Z), k * p)
        scores += each.T @ each
    return LikelihoodSums(loss, total, worst, gradient.ravel(), information.reshape(k * p, k * p), scores)


def newton_passes(
    start: Finish,
    blocks: Callable[[], Iterator[tuple[FloatArray, NDArray[Any], FloatArray]]],
    family: Family,
    alpha: float,
    separable: bool,
) -> Iterator[Finish]:
    """Yield where the work stands after each pass; the last has a status.

    Parameters
    ----------
    start : Finish
        Where to begin, or to go on.
    blocks : callable
        The rows, again for each pass.
    family : Family
        Of y given η.
    alpha : float
        L2 penalty on all but the intercept: Σ w (−log p) / Σ w + ½ alpha ‖w‖².
    separable : bool
        Whether the family is one of classes, whose likelihood may have no maximum.
    """
    now = start
    while now.status is None:
        sums = sums_of(blocks(), now.theta, family)
        now = _judged(now, sums, alpha, separable)
        yield now


def _judged(now: Finish, sums: LikelihoodSums, alpha: float, separable: bool) -> Finish:
    theta = now.theta
    p, k = theta.shape
    pull = np.repeat([[0.0] + [alpha * sums.weight] * (p - 1)], k, axis=0).ravel()
    flat = theta.T.ravel()
    loss = sums.loss + 0.5 * float(pull @ flat**2)
    passes = now.passes + 1
    if not np.isfinite(loss) or loss > now.loss + 1e-12 * abs(now.loss):
        if passes >= MOST_PASSES or not np.isfinite(now.loss):
            status = Status.NOT_CONVERGED if np.isfinite(loss) else Status.NOT_FINITE
            return Finish(now.base, now.base, now.step, now.loss, passes, sums, None, status)
        half = now.step / 2
        return Finish(now.base - half, now.base, half, now.loss, passes)
    if separable and alpha == 0 and sums.worst < math.log(2):
        return Finish(theta, theta, now.step, loss, passes, sums, None, Status.SEPARABLE)
    inverse, rank = _inverse(sums.information + np.diag(pull))
    # Adding one vector to all functions of softmax changes nothing: so many directions are flat by nature.
    by_nature = p if k > 1 and alpha == 0 else int(k > 1)
    if rank < k * p - by_nature:
        return Finish(theta, theta, now.step, loss, passes, sums, None, Status.NOT_IDENTIFIED)
    covariance = inverse @ sums.scores @ inverse
    move = inverse @ (sums.gradient + pull * flat)
    errors = np.sqrt(np.maximum(np.diagonal(inverse), 0))
    gap = float(np.max(np.abs(move) / np.where(errors > 0, errors, 1.0)))
    step = move.reshape(k, p).T
    if gap <= CLOSE or passes >= MOST_PASSES:
        status = Status.SOLVED if gap <= CLOSE else Status.MAX_ITER
        return Finish(theta, theta, step, loss, passes, sums, covariance, status, gap)
    return Finish(theta - step, theta, step, loss, passes, gap=gap)


def _inverse(matrix: FloatArray) -> tuple[FloatArray, int]:
    """Return the inverse on the directions that are not flat, and their number."""
    size = np.sqrt(np.maximum(np.diagonal(matrix), 1e-300))
    values, vectors = linalg.eigh(matrix / np.outer(size, size))
    kept = values > FLAT * len(values) * values[-1]
    part = vectors[:, kept] / size[:, None]
    return (part / values[kept]) @ part.T, int(kept.sum())
