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
from thetahat.networks.engine.interpreter import fetch, run_steps
from thetahat.networks.engine.memory import gemm_address
from thetahat.networks.engine.problem import EngineState, TrainingProblem, draw_mask
from thetahat.networks.engine.program import Program
from thetahat.networks.engine.recorder import record
from thetahat.networks.engine.update import update

__all__ = ["StaticExecutor"]

_CHUNK_SECONDS = 0.1
_MASK_NUMBERS = 2**20
_WIDE = 2**22  # multiplications of the largest product of a step, from which on NumPy's is used

_NO_ROWS, _NO_LOSSES = np.zeros(0, np.int64), np.zeros(0)


@dataclass(slots=True, eq=False)
class _Ready:
    """A program with the table of where its inputs come from."""

    program: Program
    sources: NDArray[np.int64]
    masks: list[str]
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
        self._gemm = gemm_address(problem.dtype)
        self._integers = np.zeros(8, np.int32)
        self._numbers = np.array([1, 0], problem.dtype)
        self._letters = np.frombuffer(b"NT", np.uint8).copy()
        one = self._numbers.ctypes.data
        self._where = np.array(
            [self._integers.ctypes.data, one, one + problem.dtype.itemsize, self._letters.ctypes.data]
        )

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
        self._fetch(ready, order, 0, len(order), 0)
        self._once(ready)
        del masks
        return float(ready.program.loss[0]), self._weights.gradient.copy()

    # How a chunk is run.

    def _chunk(
        self, ready: _Ready, order: IntArray, batch: int, losses: FloatArray, rng: Generator | None
    ) -> None:
        w, program = self._weights, ready.program
        masks = self._draw(ready, len(losses), batch, rng)
        if ready.compiled:
            self._run(ready, 0, len(program.instructions), order, batch, losses)
        else:
            for s in range(len(losses)):
                self._fetch(ready, order, s * batch, batch, s * batch)
                self._once(ready)
                losses[s] = program.loss[0]
                update(w.theta, w.gradient, w.moments, w.numbers, w.settings, w.step + s + 1)
        w.step += len(losses)
        del masks

    def _fetch(self, ready: _Ready, order: IntArray, start: int, count: int, serial: int) -> None:
        fetch(ready.sources, order, start, count, serial, ready.program.scratch)

    def _once(self, ready: _Ready) -> None:
        for first, last, factors in ready.pieces:
            if last > first:
                self._run(ready, first, last, _NO_ROWS, 0, _NO_LOSSES)
            if factors is not None:
                np.matmul(factors[0], factors[1], out=factors[2])

    def _run(
        self, ready: _Ready, first: int, last: int, order: IntArray, batch: int, losses: FloatArray
    ) -> None:
        w, program = self._weights, ready.program
        run_steps(
            program.instructions, first, last, ready.sources, order, batch, self._gemm, self._integers,
            self._where, program.scratch, program.loss, losses, w.theta, w.gradient, w.moments, w.numbers,
            w.settings, w.step,
        )  # fmt: skip

    def _draw(self, ready: _Ready, steps: int, batch: int, rng: Generator | None) -> list[NDArray[Any]]:
        """Draw the masks of a chunk, step by step as every executor does, and point the program at them."""
        masks = self.problem.masks
        if not masks:
            return []
        drawn = {name: np.ones((steps, batch, *m.shape), self.problem.dtype) for name, m in masks.items()}
        if rng is not None:
            for s in range(steps):
                for name, mask in masks.items():
                    draw_mask(mask, drawn[name][s], rng)
        for row, name in enumerate(ready.masks):
            if name:
                ready.sources[row, 0] = drawn[name].ctypes.data
        return list(drawn.values())

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
        recording = record(problem, [p.copy() for p in self.parameters], rows)
        gradients = differentiate(recording.graph, recording.loss, recording.parameters)
        program = Program(
            recording.graph,
            recording.loss,
            gradients,
            recording.inputs,
            self.parameters,
            self.gradients,
        )
        sources, masks = [], []
        for name, place in program.inputs.items():
            width = place.size // batch
            drawn = name in problem.masks
            of = 0 if drawn else self._data[name].ctypes.data
            sources.append([of, place.ctypes.data, width, int(drawn)])
            masks.append(name if drawn else "")
        largest = max((row[1] * row[2] * row[3] for row in program.instructions if row[0] == 0), default=0)
        compiled = self._products == "scipy" or (self._products == "auto" and largest < _WIDE)
        table = np.array(sources, np.int64).reshape(-1, 4)
        return _Ready(program, table, masks, compiled, _pieces(program, compiled))


def _pieces(program: Program, compiled: bool) -> list[tuple[int, int, Any]]:
    """Cut a program at its matrix products: runs of instructions, each with the product after it."""
    if compiled:
        return [(0, len(program.instructions), None)]
    pieces: list[tuple[int, int, Any]] = []
    start = 0
    for place, a, b, out in program.products:
        pieces.append((start, place, (a, b, out)))
        start = place + 1
    return [*pieces, (start, len(program.instructions), None)]
