"""The executor that records a step once for each batch size and then runs it as a program.

Small networks run whole chunks of steps inside one compiled loop. Wide ones run the same program from
Python with NumPy's matrix product in place of scipy's, which is the faster of the two for large
matrices; what that costs in calls is then too little to matter.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.networks.engine.derivative import differentiate
from thetahat.networks.engine.executor import Between, Optimiser, Weights
from thetahat.networks.engine.graph import NotStatic
from thetahat.networks.engine.instructions import kernel_address
from thetahat.networks.engine.interpreter import run_steps
from thetahat.networks.engine.problem import EngineState, TrainingProblem, draw_mask
from thetahat.networks.engine.program import Program, address_of, as_table
from thetahat.networks.engine.recorder import record

__all__ = ["StaticExecutor"]

_CHUNK_SECONDS = 0.1
_MASK_NUMBERS = 2**20
_WIDE = 2**22  # multiplications of the largest product of a step, from which on NumPy's is used


@dataclass(slots=True, eq=False)
class _Ready:
    """A program between the instructions that bring a batch and the one that takes the step."""

    program: Program
    table: NDArray[np.int64]
    masks: list[tuple[int, str]]  # instructions that bring a mask
    compiled: bool
    pieces: list[tuple[int, int, Any]]
    chunk: int = 1  # steps that take about as long as a person waits


class StaticExecutor:
    """Records the step once and runs it as a program, equal to :class:`DynamicExecutor` to rounding.

    Parameters
    ----------
    problem : TrainingProblem
        What is trained.
    optimiser : Adam or SGD
        How.
    clip_norm : float, optional
        The gradient of all parameters together is shortened to this length.
    products : {"auto", "scipy", "numpy"}
        Whose matrix product; ``auto`` chooses by size.

    Raises
    ------
    NotStatic
        When a step is first recorded, where it has an operation that cannot run as a program.
    """

    def __init__(
        self,
        problem: TrainingProblem,
        optimiser: Optimiser,
        *,
        clip_norm: float | None = None,
        products: Literal["auto", "scipy", "numpy"] = "auto",
    ) -> None:
        self.problem = problem
        self._weights = Weights(problem, optimiser, clip_norm)
        self._products = products
        self._ready: dict[int, _Ready] = {}
        self._data = {name: self._as_numbers(name, array) for name, array in problem.data.items()}
        self._cursor = np.zeros(4, np.int64)
        self._zero = problem.dtype.type(0)
        self._one_loss = np.zeros(1)

    def _as_numbers(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        if (
            array.dtype.kind == "i"
            and array.size
            and np.abs(array).max() >= 2 ** np.finfo(self.problem.dtype).nmant
        ):
            raise NotStatic(f"{name} holds whole numbers too large for {self.problem.dtype}")
        return np.ascontiguousarray(array, self.problem.dtype)

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

    def prepare(self, batch: int) -> None:
        """Record and lay out the step for batches of this many rows, if that has not been done."""
        self._for(batch)

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
        self._weights.set_rate(learning_rate)
        order = np.ascontiguousarray(order, np.int64)
        whole = len(order) // batch_size
        losses = np.zeros(-(-len(order) // batch_size))
        done = 0
        while done < len(losses):
            began = time.monotonic()
            batch = batch_size if done < whole else len(order) - done * batch_size
            ready = self._for(batch)
            steps = max(1, min(ready.chunk, self._most(ready, batch), whole - done if done < whole else 1))
            start = done * batch_size
            self._chunk(ready, order[start : start + steps * batch], batch, losses[done : done + steps], rng)
            done += steps
            seconds = time.monotonic() - began
            ready.chunk = max(1, int(steps * min(8.0, _CHUNK_SECONDS / max(seconds, 1e-6))))
            if between is not None and not between(done):
                break
        return losses[:done]

    def value_and_grad(
        self, rows: IntArray | None = None, *, rng: Generator | None = None
    ) -> tuple[float, FloatArray]:
        """Return the loss of these rows and its gradient in one vector; nothing moves."""
        order = np.arange(self.problem.rows) if rows is None else np.ascontiguousarray(rows, np.int64)
        ready = self._for(len(order))
        masks = self._draw(ready, 1, len(order), rng)
        self._cursor[0] = address_of(order)
        self._once(ready, len(order), self._one_loss)
        del masks
        return float(ready.program.loss[0]), self._weights.gradient.copy()

    # How a chunk is run.

    def _chunk(
        self, ready: _Ready, order: IntArray, batch: int, losses: FloatArray, rng: Generator | None
    ) -> None:
        weights = self._weights
        masks = self._draw(ready, len(losses), batch, rng)
        self._cursor[0] = address_of(order)
        last = len(ready.table)
        if ready.compiled:
            self._run(ready, 0, last, batch, losses)
            weights.step += len(losses)
        else:
            start = address_of(order)
            for s in range(len(losses)):
                # One step at a time: the order, and the masks, are seen from where this one begins.
                self._cursor[0] = start + s * batch * order.itemsize
                self._once(ready, batch, losses[s : s + 1])
                self._run(ready, last - 1, last, batch, losses[s : s + 1])
                weights.step += 1
                for row, name in ready.masks:
                    ready.table[row, 1] += masks[name][s].nbytes
        del masks

    def _once(self, ready: _Ready, batch: int, losses: FloatArray) -> None:
        for first, last, factors in ready.pieces:
            if last > first:
                self._run(ready, first, last, batch, losses)
            if factors is not None:
                np.matmul(factors[0], factors[1], out=factors[2])

    def _run(self, ready: _Ready, first: int, last: int, batch: int, losses: FloatArray) -> None:
        run_steps(
            ready.table, first, last, self._cursor, batch, self._weights.step, ready.program.loss, losses,
            self._zero,
        )  # fmt: skip

    def _draw(self, ready: _Ready, steps: int, batch: int, rng: Generator | None) -> dict[str, NDArray[Any]]:
        """Draw the masks of a chunk, step by step as every executor does, and point the program at them."""
        masks = self.problem.masks
        if not masks:
            return {}
        drawn = {name: np.ones((steps, batch, *m.shape), self.problem.dtype) for name, m in masks.items()}
        if rng is not None:
            for s in range(steps):
                for name, mask in masks.items():
                    draw_mask(mask, drawn[name][s], rng)
        for row, name in ready.masks:
            ready.table[row, 1] = address_of(drawn[name])
        return drawn

    def _most(self, ready: _Ready, batch: int) -> int:
        if not self.problem.masks:
            return sys.maxsize
        width = sum(int(np.prod(mask.shape)) for mask in self.problem.masks.values())
        return max(1, _MASK_NUMBERS // max(1, width * batch))

    # How a program comes about.

    def _for(self, batch: int) -> _Ready:
        ready = self._ready.get(batch)
        if ready is None:
            ready = self._ready[batch] = self._compile(batch)
        return ready

    def _compile(self, batch: int) -> _Ready:
        problem = self.problem
        rows = np.arange(batch) % problem.rows
        recording = record(problem, [p.copy() for p in self.parameters], rows, check=not self._ready)
        gradients = differentiate(recording.graph, recording.loss, recording.parameters)
        program = Program(
            recording.graph,
            recording.loss,
            gradients,
            recording.inputs,
            self.parameters,
            self.gradients,
        )
        rows_of: list[list[int]] = []
        masks = []
        fetch, cursor = kernel_address("fetch", problem.dtype), address_of(self._cursor)
        for name, place in program.inputs.items():
            drawn = name in problem.masks
            if drawn:
                masks.append((len(rows_of), name))
            of = 0 if drawn else address_of(self._data[name])
            width, size = place.size // batch, place.itemsize
            rows_of.append([fetch, of, address_of(place), width, int(drawn), cursor, size])
        w = self._weights
        step = [kernel_address(w.kernel, problem.dtype), w.theta.size]
        step += [address_of(x) for x in (w.theta, w.gradient, w.moments, w.numbers, w.settings, self._cursor)]
        table = np.concatenate([as_table(rows_of), program.instructions, as_table([step])])
        largest = max((a.size * b.shape[1] for _, a, b, _ in program.products), default=0)
        compiled = self._products == "scipy" or (self._products == "auto" and largest < _WIDE)
        return _Ready(program, table, masks, compiled, _pieces(program, len(rows_of), compiled))


def _pieces(program: Program, before: int, compiled: bool) -> list[tuple[int, int, Any]]:
    """Cut all before the last instruction at its matrix products: runs, each with the product after it."""
    last = before + len(program.instructions)
    if compiled:
        return [(0, last, None)]
    pieces: list[tuple[int, int, Any]] = []
    start = 0
    for place, a, b, out in program.products:
        pieces.append((start, before + place, (a, b, out)))
        start = before + place + 1
    return [*pieces, (start, last, None)]
