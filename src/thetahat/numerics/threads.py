"""Spread pieces of work over as many threads as BLAS may use, so that a limit set for the one holds for both.

Each piece runs with BLAS on one thread, and pieces write to places of their own: results are the same to the
bit whatever the number of threads. Some builds of BLAS heed a limit set on the main thread only; a call from
another thread then goes through its pieces one by one, with BLAS as it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from thetahat.deadline import check_time

__all__ = ["available", "spread"]

Piece = TypeVar("Piece")
_lock = threading.Lock()
_open = 0
_limit: Any = None


def _after_fork() -> None:
    # What another thread held is held by none in the child.
    global _lock, _open
    _lock, _open = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@lru_cache(maxsize=1)
def _blas() -> Any:
    np.dot(np.ones((2, 2)), np.ones((2, 2)))  # a library is listed once it is loaded
    return ThreadpoolController().select(user_api="blas")


def available() -> int:
    """Return how many threads BLAS may use now: OMP_NUM_THREADS, threadpool_limits, or the cores."""
    return max((int(each.get_num_threads()) for each in _blas().lib_controllers), default=1)


@contextmanager
def _one_each() -> Iterator[None]:
    """Hold BLAS to one thread; calls may overlap, and the last to leave lifts the limit."""
    global _open, _limit
    with _lock:
        if _open == 0:
            _limit = _blas().limit(limits=1)
        _open += 1
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if _open == 0:
                _limit.restore_original_limits()


def spread(run: Callable[[Piece], object], pieces: Sequence[Piece], worth: bool = True) -> None:
    """Call ``run`` of every piece, on several threads where there are more than one.

    Parameters
    ----------
    run : callable
        It must write to what no other piece touches.
    pieces : sequence
        What it is called with.
    worth : bool
        Whether the work takes longer than threads take to start, about a third of a millisecond.
    """
    most = available()
    if most <= 1 and _open == 0:
        _one_by_one(run, pieces)
        return
    with _one_each():
        threads = min(most, len(pieces))
        if threads <= 1 or not worth or available() > 1:
            _one_by_one(run, pieces)
            return
        with ThreadPoolExecutor(threads) as pool:
            # A thread has no deadline but the one that it is handed.
            for done in [pool.submit(copy_context().run, _in_time, run, piece) for piece in pieces]:
                done.result()


def _one_by_one(run: Callable[[Piece], object], pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        _in_time(run, piece)


def _in_time(run: Callable[[Piece], object], piece: Piece) -> None:
    check_time()
    run(piece)
