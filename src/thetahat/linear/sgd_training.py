"""Epochs of stochastic gradient descent, and when they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetahat.contracts import FloatArray, IntArray, Status
from thetahat.deadline import check_time
from thetahat.errors import UsageError
from thetahat.linear.sgd_losses import LOSSES, loss_of, mean_loss, slope_of
from thetahat.linear.sgd_state import IN_ORDER, SgdSettings, SgdState, advance, begin

__all__ = [
    "PROBE_ROWS",
    "Epochs",
    "Passes",
    "Runaway",
    "Trained",
    "diverged",
    "loss_at_nothing",
    "loss_at_nothing_of",
    "step_that_works",
    "train",
    "worse_than_nothing",
]

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
# What the last steps sway by is no rise.
MORE = 1e-3
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


class Passes(Protocol):
    """Rows that can be gone through again and again, in memory or not."""

    @property
    def learned(self) -> int:
        """How many are learned from in an epoch."""
        ...

    @property
    def at_nothing(self) -> float:
        """The mean loss of predicting 0, near enough: the scale that a runaway is seen against."""
        ...

    def epoch(self, function: int, /) -> Iterator[tuple[Any, NDArray[Any], FloatArray, IntArray]]:
        """Yield X, y and weight of the rows of the next epoch, and the order in which to take them."""
        ...


def train(
    state: SgdState,
    rows: Passes,
    settings: SgdSettings,
    epochs: Epochs,
    *,
    function: int = 0,
    score: Callable[[], float] | None = None,
    told: Callable[[int, float], None] | None = None,
) -> Trained:
    """Pass over the rows until the objective no longer falls; the state is changed.

    Parameters
    ----------
    state, settings, function
        As for :func:`thetahat.linear.sgd_state.advance`.
    rows : Passes
    epochs : Epochs
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
    before = penalty_of(state, settings, function)
    # The losses on the way cost a little, so they are summed for who needs them.
    summed = told is not None or (epochs.tol is not None and score is None) or settings.loss == "softmax"
    for epoch in range(1, epochs.most + 1):
        for X, y, weight, order in rows.epoch(function):
            check_time()
            advance(state, X, y, weight, settings, order, function, summed)
        if summed:
            mean = state.take_loss() / max(rows.learned, 1)
        else:
            mean = _on_some(state, X, y, settings, function)
        said = diverged(state, mean, rows.at_nothing, settings)
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


def worse_than_nothing(
    X: Any,
    targets: list[NDArray[Any]],
    weights: list[FloatArray],
    settings: SgdSettings,
    coef: FloatArray,
    intercept: FloatArray,
) -> bool:
    """Say whether the objective at these weights is above that of weights of nought, where it began.

    A descent ends when its loss no longer falls, and so also where it rises. Losses of no model that are
    nought, as the perceptron's, say nothing.
    """
    coef, intercept = np.atleast_2d(coef), np.atleast_1d(intercept)
    etas = np.asarray(X @ coef.T, dtype=np.float64) + intercept
    squares = 0.5 * (coef.astype(np.float64) ** 2).sum(axis=1)
    sizes = (1 - settings.share) * squares + settings.share * np.abs(coef).sum(axis=1, dtype=np.float64)
    penalties = settings.alpha * sizes * settings.penalised
    weights = [each if each.size else np.ones(len(etas)) for each in weights]
    if settings.loss == "softmax":
        y, weight = targets[0].astype(np.int64), weights[0]
        top = etas.max(axis=1)
        logs = np.log(np.exp(etas - top[:, None]).sum(axis=1)) + top - etas[np.arange(len(y)), y]
        ended = weight @ logs / weight.sum() + penalties.sum()
        return bool(ended > np.log(len(coef)) * (1 + MORE))
    for place, (y, weight) in enumerate(zip(targets, weights, strict=True)):
        target = np.asarray(y, dtype=np.float64)
        if (weight < 0).any():
            continue
        ended, begun = (
            mean_loss(LOSSES[settings.loss], target, np.ascontiguousarray(eta), weight, settings.epsilon)
            for eta in (etas[:, place], np.zeros(len(target)))
        )
        if begun > 0 and ended + penalties[place] > begun * (1 + MORE):
            return True
    return False


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
    X: Any, y: NDArray[Any], weight: FloatArray, settings: SgdSettings, functions: int
) -> float:
    """Return the step of least loss on a pass over these rows, among steps about 1 / curvature.

    Parameters
    ----------
    X, y, weight, settings
        As for ``advance``, of a few thousand rows; of ``settings`` all but eta0.
    functions : int
        K.
    """
    squares = X.multiply(X).sum(axis=1) if sparse.issparse(X) else (X**2).sum(axis=1)
    curvature = {"log_loss": 0.25, "softmax": 0.5}.get(settings.loss, 1.0)
    middle = 1.0 / (curvature * (float(np.mean(squares)) + 1.0))
    best, found = np.inf, middle
    at_nothing = loss_at_nothing(settings, y)
    for power in range(-PROBES // 2, PROBES // 2 + 1):
        trial = replace(settings, eta0=middle * 4.0**power, average=0)
        state = begin(trial, functions, X.shape[1], X.dtype)
        with np.errstate(all="ignore"):
            advance(state, X, y, weight, trial, IN_ORDER)
        mean = state.take_loss() / len(y)
        if not diverged(state, mean, at_nothing, settings) and mean < best:
            best, found = mean, trial.eta0
    return found


def loss_at_nothing(settings: SgdSettings, y: NDArray[Any]) -> float:
    """Return the mean loss of predicting 0, near enough: the scale that a runaway is seen against."""
    code = LOSSES.get(settings.loss, 0)
    if code <= LOSSES["log_loss"]:
        return loss_at_nothing_of(settings, 0.0, 0.0, int(np.max(y, initial=1)) + 1)
    y = np.asarray(y, dtype=np.float64)
    return loss_at_nothing_of(settings, float(np.mean(np.abs(y))), float(np.mean(y**2)), 0)


def loss_at_nothing_of(settings: SgdSettings, size: float, square: float, classes: int) -> float:
    """Return the same, by the mean |y|, the mean y², and, for softmax, the classes."""
    if settings.loss == "softmax":
        return float(np.log(max(2, classes)))
    if LOSSES[settings.loss] <= LOSSES["log_loss"]:
        return 1.0
    if settings.loss == "poisson":
        return 1.0 + size
    slope = abs(float(slope_of(LOSSES[settings.loss], 0.0, 1.0, settings.epsilon)))
    return max(square, slope)
