"""Who runs the training steps of a problem, and the naive one that the others are held to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.random import Generator

from thetahat.autodiff import value_and_grad
from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.networks.engine.problem import EngineState, TrainingProblem, batches
from thetahat.networks.engine.update import adam_update, sgd_update
from thetahat.optimisers.adam import Adam
from thetahat.optimisers.sgd import SGD

__all__ = ["Between", "DynamicExecutor", "Executor", "Optimiser", "Weights"]

Optimiser = Adam | SGD
Between = Callable[[int], bool]

_CHUNK_SECONDS = 0.1


class Executor(Protocol):
    """Runs steps of one problem with one optimiser, and remembers where it is."""

    @property
    def parameters(self) -> list[FloatArray]:
        """The parameters where they stand now: views, which the next step changes; write to set them."""
        ...

    @property
    def gradients(self) -> list[FloatArray]:
        """The gradient of the last step, before clipping, one array for each parameter."""
        ...

    @property
    def state(self) -> EngineState:
        """A copy of all that training remembers."""
        ...

    def restore(self, state: EngineState, /) -> None:
        """Go back to a state, exactly."""
        ...

    def run(
        self,
        order: IntArray,
        batch_size: int,
        *,
        learning_rate: float | None = None,
        rng: Generator | None = None,
        between: Between | None = None,
    ) -> FloatArray:
        """Take one step for each batch of ``order``, the last batch perhaps shorter.

        Parameters
        ----------
        order : ndarray of int
            Row numbers, in the order in which they are used; repeats allowed.
        batch_size : int
            Rows of a step.
        learning_rate : float, optional
            Instead of the optimiser's, for these steps.
        rng : Generator, optional
            Draws the masks; without it they are ones.
        between : callable, optional
            Called every tenth of a second or so with the number of steps done; a false answer ends
            the run. Chunks never change the result.

        Returns
        -------
        ndarray of float64
            The loss of each step taken, before the step; not finite where training diverged.
        """
        ...

    def value_and_grad(
        self, rows: IntArray | None = None, *, rng: Generator | None = None
    ) -> tuple[float, FloatArray]:
        """Return the loss of these rows (all for None) and its gradient, one new vector; nothing moves."""
        ...


class Weights:
    """The vectors that training changes, and the settings of its optimiser."""

    def __init__(self, problem: TrainingProblem, optimiser: Optimiser, clip_norm: float | None) -> None:
        if clip_norm is not None and not clip_norm > 0:
            raise UsageError(f"clip_norm is {clip_norm}; it must be positive, or None for no clipping")
        dtype = problem.dtype
        self.theta = np.concatenate([np.ravel(p) for p in problem.parameters]).astype(dtype)
        self.gradient = np.zeros_like(self.theta)
        self.moments = np.zeros((optimiser.slots, self.theta.size), dtype)
        self.numbers = np.zeros(8, dtype)
        bound = np.inf if clip_norm is None else float(clip_norm)
        self.settings = np.array([optimiser.learning_rate, bound, *optimiser.coefficients])
        self.default_rate = optimiser.learning_rate
        #: The kernel that takes a step, and the same as a compiled function.
        self.kernel, self.update = (
            ("adam", adam_update) if isinstance(optimiser, Adam) else ("sgd", sgd_update)
        )
        self.step = 0

    def set_rate(self, rate: float | None) -> None:
        """Use this learning rate from now on, the optimiser's own for None."""
        if rate is not None and not rate > 0:
            raise UsageError(f"learning_rate is {rate}; it must be positive")
        self.settings[0] = self.default_rate if rate is None else rate

    def state(self) -> EngineState:
        """Copy what training remembers."""
        return EngineState(self.theta.copy(), self.moments.copy(), self.step, self.gradient.copy())

    def restore(self, state: EngineState) -> None:
        """Go back to a state, exactly."""
        if state.moments.shape != self.moments.shape or any(
            part.shape != self.theta.shape for part in (state.parameters, state.gradient)
        ):
            raise UsageError("state: it belongs to a network or an optimiser of another shape")
        self.theta[:] = state.parameters
        self.moments[:] = state.moments
        self.gradient[:] = state.gradient
        self.step = int(state.step)


class DynamicExecutor:
    """Records every step anew on the tape: takes any network, and is what faster executors must equal.

    Parameters
    ----------
    problem : TrainingProblem
        What is trained.
    optimiser : Adam or SGD
        How.
    clip_norm : float, optional
        The gradient of all parameters together is shortened to this length.
    """

    def __init__(
        self, problem: TrainingProblem, optimiser: Optimiser, *, clip_norm: float | None = None
    ) -> None:
        self.problem = problem
        self._weights = Weights(problem, optimiser, clip_norm)

    @property
    def parameters(self) -> list[FloatArray]:
        """The parameters where they stand now."""
        return self.problem.views(self._weights.theta)

    @property
    def gradients(self) -> list[FloatArray]:
        """The gradient of the last step, before clipping."""
        return self.problem.views(self._weights.gradient)

    @property
    def state(self) -> EngineState:
        """A copy of all that training remembers."""
        return self._weights.state()

    def restore(self, state: EngineState, /) -> None:
        """Go back to a state, exactly."""
        self._weights.restore(state)

    def run(
        self,
        order: IntArray,
        batch_size: int,
        *,
        learning_rate: float | None = None,
        rng: Generator | None = None,
        between: Between | None = None,
    ) -> FloatArray:
        """Take one step for each batch of ``order``; see :class:`Executor`."""
        weights = self._weights
        weights.set_rate(learning_rate)
        losses: list[float] = []
        told = time.monotonic()
        for rows in batches(order, batch_size):
            value, gradient = self.value_and_grad(rows, rng=rng)
            weights.gradient[:] = gradient
            weights.step += 1
            weights.update(
                weights.theta,
                weights.gradient,
                weights.moments.ravel(),
                weights.numbers,
                weights.settings,
                weights.step,
            )
            losses.append(value)
            if between is not None and time.monotonic() - told > _CHUNK_SECONDS:
                if not between(len(losses)):
                    break
                told = time.monotonic()
        return np.array(losses)

    def value_and_grad(
        self, rows: IntArray | None = None, *, rng: Generator | None = None
    ) -> tuple[float, FloatArray]:
        """Return the loss of these rows and its gradient in one vector; nothing moves."""
        batch = self.problem.batch(rows, rng)
        places = tuple(range(len(self.problem.parameters)))
        both = value_and_grad(lambda *parameters: self.problem.loss(list(parameters), batch), places)
        value, parts = both(*self.parameters)
        return float(value), np.concatenate([np.ravel(part) for part in parts]).astype(self.problem.dtype)
