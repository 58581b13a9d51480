"""Epochs of steps until the loss, or a held-out score, no longer improves; or L-BFGS on all rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray, Status
from thetahat.deadline import check_time
from thetahat.errors import UsageError
from thetahat.networks.engine import Executor, TrainingProblem
from thetahat.networks.history import History
from thetahat.optimisers.lbfgs import lbfgs

__all__ = ["Plan", "Schedule", "Stop", "by_lbfgs", "by_steps", "set_parameters"]

_SMALLEST_RATE = 1e-6
# Batches sway the loss of an epoch by about this part of it.
_SWAY = 0.05

Schedule = Literal["constant", "invscaling", "adaptive"]
Watch = Callable[[History], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast.

    Parameters
    ----------
    epochs : int
        Most passes over the rows.
    batch_size : int
        Rows of a step.
    rate : float
        First learning rate.
    schedule : {"constant", "invscaling", "adaptive"}
        The rate over time: as it is; divided by (rows seen + 1)^power after each epoch; or divided by
        five each time that the loss stops improving, until it is below 10⁻⁶.
    power : float
        Of "invscaling".
    tol : float
        Least improvement that counts.
    patience : int
        Training ends after more than this many epochs without one.
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    time_limit : float or None
        Most seconds.
    once : bool
        Whether to take one pass only, whatever comes of it.
    """

    epochs: int
    batch_size: int
    rate: float
    schedule: Schedule = "constant"
    power: float = 0.5
    tol: float = 1e-4
    patience: int = 10
    shuffle: bool = True
    time_limit: float | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """How training ended.

    Parameters
    ----------
    status : Status
        SOLVED only where the improvement fell below ``tol``, and most of it was kept, or a gradient vanished.
    detail : str
        In words.
    """

    status: Status
    detail: str = ""


def set_parameters(executor: Executor, flat: FloatArray) -> None:
    """Write a vector of all parameters into the executor."""
    start = 0
    for part in executor.parameters:
        part[...] = flat[start : start + part.size].reshape(part.shape)
        start += part.size


def flat_parameters(executor: Executor) -> FloatArray:
    """Return all parameters in one new vector."""
    return np.concatenate([part.ravel() for part in executor.parameters])


def by_steps(
    executor: Executor,
    rows: int,
    plan: Plan,
    history: History,
    *,
    rng: Generator,
    score: Callable[[], float] | None = None,
    watch: Watch | None = None,
) -> Stop:
    """Train epoch after epoch.

    Parameters
    ----------
    executor : Executor
        Where the parameters are.
    rows : int
        Rows of the data.
    plan : Plan
        How long and how fast.
    history : History
        Continued, in place.
    rng : Generator
        Order of the rows and dropout.
    score : callable, optional
        Held-out score after an epoch; with it the best parameters are put back at the end.
    watch : callable, optional
        Called after each epoch, to show progress or to keep a checkpoint.
    """
    stop = _epochs(executor, rows, plan, history, rng=rng, score=score, watch=watch)
    if score is not None and history.best is not None and stop.status is not Status.NOT_FINITE:
        set_parameters(executor, history.best)
    return stop


def _epochs(
    executor: Executor,
    rows: int,
    plan: Plan,
    history: History,
    *,
    rng: Generator,
    score: Callable[[], float] | None,
    watch: Watch | None,
) -> Stop:
    sizes = np.diff(np.append(np.arange(0, rows, plan.batch_size), rows))
    deadline = np.inf if plan.time_limit is None else time.monotonic() + plan.time_limit
    order = np.arange(rows)
    while history.epochs < plan.epochs:
        if history.waited > plan.patience and not plan.once:
            # A checkpoint of a finished training is finished.
            return _ended(plan, history, score is not None)
        if plan.shuffle:
            order = rng.permutation(rows)
        losses = executor.run(
            order,
            plan.batch_size,
            learning_rate=_rate(plan, history),
            rng=rng,
            between=lambda _steps: _in_time(deadline),
        )
        if not (np.isfinite(losses).all() and np.isfinite(flat_parameters(executor)).all()):
            return Stop(Status.NOT_FINITE, _diverged(losses, history, plan))
        if len(losses) < len(sizes):
            return Stop(Status.OUT_OF_TIME, f"{plan.time_limit:g} s passed in epoch {history.epochs + 1}")
        history.rows_seen += rows
        if history.noted(float(losses @ sizes) / rows, None if score is None else score(), plan.tol):
            history.best = flat_parameters(executor)
        if history.waited > plan.patience and _slower(plan, history):
            history.waited = 0
        if watch is not None:
            watch(history)
        if plan.once:
            return Stop(Status.SOLVED, "one pass over the rows, as asked for")
        if time.monotonic() > deadline and history.waited <= plan.patience:
            return Stop(Status.OUT_OF_TIME, f"{plan.time_limit:g} s passed after epoch {history.epochs}")
    if history.waited > plan.patience:
        return _ended(plan, history, score is not None)
    late = (
        f"the last {history.waited} without an improvement by tol, too few to stop"
        if history.waited
        else "and the loss still improves by more than tol"
    )
    return Stop(Status.MAX_ITER, f"{history.epochs} epochs, {late}")


def _in_time(deadline: float) -> bool:
    check_time()
    return time.monotonic() < deadline


def _rate(plan: Plan, history: History) -> float:
    if plan.schedule == "invscaling":
        return float(plan.rate / (history.rows_seen + 1.0) ** plan.power)
    return plan.rate / history.divisor


def _slower(plan: Plan, history: History) -> bool:
    if plan.schedule != "adaptive" or plan.rate / history.divisor <= _SMALLEST_RATE:
        return False
    history.divisor *= 5.0
    return True


def _ended(plan: Plan, history: History, held_out: bool) -> Stop:
    losses = history.losses[-history.epochs :]
    # More than half of the way down that is lost again is no rest, wherever the training stopped.
    first, least, last = losses[0], min(losses), losses[-1]
    if not held_out and last - least > max(0.5 * (first - least), _SWAY * abs(least), plan.tol):
        return Stop(
            Status.NOT_CONVERGED,
            f"the training loss rose from {least:.3g} to {last:.3g} and stayed there; lower "
            "learning_rate_init or scale the columns of X",
        )
    what = "held-out score" if held_out else "training loss"
    return Stop(Status.SOLVED, f"the {what} did not improve by {plan.tol:g} for {plan.patience} epochs")


def _diverged(losses: FloatArray, history: History, plan: Plan) -> str:
    step = int(np.argmin(np.isfinite(losses))) + 1 if not np.isfinite(losses).all() else len(losses)
    return (
        f"training diverged in epoch {history.epochs + 1}, step {step}, at a learning rate of "
        f"{_rate(plan, history):g}; lower learning_rate_init, scale the columns of X, or set clip_norm"
    )


def by_lbfgs(
    problem: TrainingProblem,
    executor: Executor,
    history: History,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
) -> Stop:
    """Minimise the loss of all rows until its gradient vanishes; the lowest point is left in the executor."""
    if problem.masks:
        raise UsageError("dropout: L-BFGS needs the same loss at every step; use solver='adam' or 'sgd'")
    objective = _OfAllRows(executor)
    start = flat_parameters(executor).astype(np.float64)
    found = lbfgs(objective, start, max_iter=max_iter, tol=tol, max_evaluations=max_fun)
    set_parameters(executor, found.theta)
    history.losses.append(found.value)
    history.best_loss = min(history.best_loss, found.value)
    history.epochs += found.iterations
    history.rows_seen += problem.rows * objective.asked
    detail = f"largest slope {found.gradient_norm:.3g} after {found.iterations} iterations"
    if found.status is Status.MAX_ITER and found.iterations < max_iter:
        detail += f"; the loss was asked for {objective.asked} times, and max_fun is {max_fun}"
    return Stop(found.status, detail)


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    value: float
    gradient: FloatArray

    def hessian(self) -> FloatArray:
        raise UsageError("a network has no second derivatives here; use L-BFGS")


class _OfAllRows:
    """The loss of all rows, as a minimiser asks for it."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.asked = 0

    def at(self, theta: FloatArray, /) -> _Point:
        set_parameters(self.executor, theta)
        value, gradient = self.executor.value_and_grad()
        self.asked += 1
        return _Point(value, gradient.astype(np.float64))
