"""Processor time of several pieces of work, taken in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thetahat.contracts import FloatArray

__all__ = ["least_seconds", "power"]


def least_seconds(works: Sequence[Callable[[], Any]], rounds: int = 9) -> FloatArray:
    """Return the least processor time of each, over rounds that run all of them in turn.

    That of all threads together: what others at work on the machine keep waiting is not counted.

    Parameters
    ----------
    works : sequence of callable
        What is timed.
    rounds : int
        How often each is run.
    """
    found = np.empty((rounds, len(works)))
    for times in found:
        for place, work in enumerate(works):
            began = time.process_time()
            work()
            times[place] = time.process_time() - began
    least: FloatArray = found.min(axis=0)
    return least


def power(x: Any, y: Any) -> float:
    """Return b of y = a xᵇ by least squares of logarithms."""
    u = np.log(x) - np.log(x).mean()
    return float(u @ np.log(y) / (u @ u))
