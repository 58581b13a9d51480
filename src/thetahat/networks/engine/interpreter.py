"""The one loop that runs every program: a chunk of training steps in a single call."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.networks.engine.memory import call_kernel
from thetahat.numerics.compiled import kernel

__all__ = ["run_steps"]


@kernel
def run_steps(
    program: Any, first: int, last: int, cursor: Any, batch: int, step: int, loss: Any, losses: Any, zero: Any
) -> None:
    """Run the instructions from ``first`` up to ``last`` once for each of ``losses``.

    Parameters
    ----------
    program : ndarray of shape (m, WIDTH), int64
        One instruction a row: the address of its kernel, then the kernel's arguments.
    first, last : int
        Which of them.
    cursor : ndarray of int64
        Where the kernels read which rows and which step it is: address of the order of rows (set by the
        caller), start of the batch in it, rows of a batch, number of the step from 1.
    batch, step : int
        Rows of a batch, and steps taken before.
    loss : ndarray of shape (1,)
        Where the program leaves the loss.
    losses : ndarray of shape (steps,)
        Filled with the loss of each step.
    zero : float
        In the precision of the work.
    """
    base = np.int64(program.ctypes.data)
    width = np.int64(8) * program.shape[1]
    for s in range(losses.size):
        cursor[1] = s * batch
        cursor[2] = batch
        cursor[3] = step + s + 1
        for q in range(first, last):
            call_kernel(program[q, 0], base + q * width + 8, zero)
        losses[s] = loss[0]
