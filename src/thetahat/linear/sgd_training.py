"""Epochs of stochastic gradient descent, and when they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetahat.contracts import FloatArray, IntArray, Status
from thetahat.errors import UsageError
from thetahat.linear.sgd_losses import LOSSES, loss_of, slope_of
from thetahat.linear.sgd_state import IN_ORDER, SgdSettings, SgdState, advance, begin

__all__ = ["Epochs", "Runaway", "Trained", "diverged", "step_that_works", "train"]

# Below this the adaptive schedule has nothing left to divide.
LEAST_STEP = 1e-6
# A mean loss so many times that of no model at all is no descent. Losses of bounded slope cannot explode, and
# the long first steps of the optimal schedule are made good by the later ones.
RUNAWAY, BOUNDED = 1e6, 1e13
BOUNDED_SLOPES = {
    "hinge",
    "perceptron",
    "log_loss",
    "softmax",
    "huber",
    "epsilon_insensitive",
    "modified_huber",
}
PROBES, PROBE_ROWS = 9, 2000
SEEN = 200


@dataclass(frozen=True, slots=True)
class Epochs:
    """How many passes, in which order, and when they end.

    Parameters
    ----------
    most : int
        Most passes.
    tol : float or None
        An epoch that does not lower the best objective by this much has not improved; None never ends early.
    patience : int
        Epochs without improvement that end the work.
    shuffle : bool
        Whether each epoch has its own order.
    """

    most: int
    tol: float | None
    patience: int
    shuffle: bool


class Runaway(UsageError):
    """The steps are too long for these columns: the loss grows."""


@dataclass(frozen=True, slots=True)
class Trained:
    """How many epochs were done and how the work ended."""

    epochs: int
    status: Status


def train(
    state: SgdState,
    X: Any,
    y: NDArray[Any],
    weight: FloatArray,
    settings: SgdSettings,
    epochs: Epochs,
    draw: Callable[[], IntArray],
    *,
    function: int = 0,
    aside: NDArray[np.bool_] | None = None,
    score: Callable[[], float] | None = None,
    told: Callable[[int, float], None] | None = None,
) -> Trained:
    """Pass over the rows until the objective no longer falls; the state is changed.

    Parameters
    ----------
    state, X, y, weight, settings, function
        As for :func:`thetahat.linear.sgd_state.advance`.
    epochs : Epochs
    draw : callable
        The order of the next epoch.
    aside : ndarray of bool of shape (n,), optional
        Rows that are not learned from.
    score : callable, optional
        The score of the rows set aside, higher is better: it then decides instead of the objective.
    told : callable
        Told the epoch and the mean loss on its way.

    Raises
    ------
    Runaway
        The loss grows beyond all bounds.
    """
    best, waiting = np.inf, 0
    learned = len(y) if aside is None else len(y) - int(aside.sum())
    at_nothing = _loss_at_nothing(settings, y)
    before = penalty_of(state, settings, function)
    # The losses on the way cost as much as the steps, so they are summed for who needs them.
    summed = told is not None or (epochs.tol is not None and score is None) or settings.loss == "softmax"
    order = IN_ORDER if aside is None else np.flatnonzero(~aside)
    for epoch in range(1, epochs.most + 1):
        if epochs.shuffle:
            order = draw()
            order = order if aside is None else order[~aside[order]]
        advance(state, X, y, weight, settings, order, function, summed)
        mean = state.take_loss() / max(learned, 1) if summed else _on_some(state, X, y, settings, function)
        said = diverged(state, mean, at_nothing, settings)
        if said:
            raise Runaway(
                f"Floating-point under-/overflow occurred at epoch #{epoch}. Scaling input data with "
                "StandardScaler or MinMaxScaler might help. So might a smaller eta0, or "
                f"eta0='auto': {said}"
            )
        if told is not None:
            told(epoch, mean)
        # The mean loss is one along the epoch, so the penalty is taken half way too.
        after = penalty_of(state, settings, function)
        objective = -score() if score is not None else mean + 0.5 * (before + after)
        before = after
        if epochs.tol is None:
            continue
        waiting = waiting + 1 if objective > best - epochs.tol else 0
        best = min(best, objective)
        if waiting >= epochs.patience:
            if settings.schedule == "adaptive" and state.scalars[function, 8] > LEAST_STEP:
                state.scalars[function, 8] /= 5
                waiting = 0
                continue
            return Trained(epoch, Status.SOLVED)
    return Trained(epochs.most, Status.MAX_ITER if epochs.tol is not None else Status.SOLVED)


def _on_some(state: SgdState, X: Any, y: NDArray[Any], settings: SgdSettings, function: int) -> float:
    """Return the mean loss of some rows, to see a runaway by."""
    rows = np.linspace(0, len(y) - 1, min(len(y), SEEN)).astype(np.int64)
    scalars = state.scalars[function]
    with np.errstate(all="ignore"):
        eta = np.asarray(X[rows] @ state.w[function]).ravel() * scalars[5] + scalars[0]
    code = LOSSES[settings.loss]
    losses = [loss_of(code, float(y[i]), float(p), settings.epsilon) for i, p in zip(rows, eta, strict=True)]
    return float(np.mean(losses))


def penalty_of(state: SgdState, settings: SgdSettings, function: int) -> float:
    """Return alpha times the penalty of the weights."""
    if not settings.penalised:
        return 0.0
    w = state.w[function] if settings.loss != "softmax" else state.w
    scale = float(state.scalars[function, 5])
    share = settings.share
    square = float(np.vdot(w, w)) * scale**2
    return settings.alpha * ((1 - share) * 0.5 * square + share * scale * float(np.abs(w).sum()))


def diverged(state: SgdState, mean: float, at_nothing: float, settings: SgdSettings) -> str:
    """Say how a descent has run away; nothing where it has not."""
    if not (np.isfinite(mean) and np.isfinite(state.w).all() and np.isfinite(state.scalars[:, 0]).all()):
        return "a weight or the loss is not finite"
    if settings.schedule == "optimal":
        return ""
    if mean > (BOUNDED if settings.loss in BOUNDED_SLOPES else RUNAWAY) * max(at_nothing, 1e-3):
        return f"the mean loss is {mean:.3g}, and {at_nothing:.3g} without any model"
    return ""


def step_that_works(
    X: Any,
    y: NDArray[Any],
    weight: FloatArray,
    settings: SgdSettings,
    functions: int,
    rng: np.random.Generator,
) -> float:
    """Return the step of least loss on a pass over some rows, among steps about 1 / curvature.

    Parameters
    ----------
    X, y, weight, settings
        As for ``advance``; of ``settings`` all but eta0.
    functions : int
        K.
    rng : Generator
        Which rows.
    """
    rows = rng.permutation(X.shape[0])[:PROBE_ROWS].astype(np.int64)
    part = X[rows]
    squares = part.multiply(part).sum(axis=1) if sparse.issparse(part) else (part**2).sum(axis=1)
    curvature = {"log_loss": 0.25, "softmax": 0.5}.get(settings.loss, 1.0)
    middle = 1.0 / (curvature * (float(np.mean(squares)) + 1.0))
    best, found = np.inf, middle
    at_nothing = _loss_at_nothing(settings, y)
    for power in range(-PROBES // 2, PROBES // 2 + 1):
        trial = replace(settings, eta0=middle * 4.0**power, average=0)
        state = begin(trial, functions, X.shape[1], X.dtype)
        with np.errstate(all="ignore"):
            advance(state, X, y, weight, trial, rows)
        mean = state.take_loss() / len(rows)
        if not diverged(state, mean, at_nothing, settings) and mean < best:
            best, found = mean, trial.eta0
    return found


def _loss_at_nothing(settings: SgdSettings, y: NDArray[Any]) -> float:
    """Return the mean loss of predicting 0, near enough: the scale that a runaway is seen against."""
    if settings.loss == "softmax":
        return float(np.log(max(2, int(np.max(y, initial=1)) + 1)))
    if LOSSES[settings.loss] <= LOSSES["log_loss"]:
        return 1.0
    if settings.loss == "poisson":
        return 1.0 + float(np.mean(np.abs(y)))
    size = float(np.mean(np.asarray(y, dtype=np.float64) ** 2))
    slope = abs(float(slope_of(LOSSES[settings.loss], 0.0, 1.0, settings.epsilon)))
    return max(size, slope)
