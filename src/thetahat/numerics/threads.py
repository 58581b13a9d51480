"""Threads of numerical libraries: work on one alone, or spread over as many as BLAS may use.

Each piece runs with BLAS on one thread, and pieces write to places of their own: results are the same to the
bit whatever the number of threads. Where BLAS heeds no limit, a call goes through its pieces one by one, with
BLAS as it is.
"""

from __future__ import annotations

import os
import sys
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

__all__ = ["available", "single_threaded", "spread"]

Piece = TypeVar("Piece")
_lock = threading.Lock()
_open = 0
_limit: Any = None
_held: Any = None


def _after_fork() -> None:
    # What another thread held is held by none in the child.
    global _lock, _open
    _lock, _open = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@lru_cache(maxsize=1)
def _loaded(modules: int) -> Any:
    """Return the controller of the libraries loaded by this many modules.

    Listing them takes a millisecond or two, and importing a module is what loads another.
    """
    return ThreadpoolController()


@lru_cache(maxsize=1)
def _blas() -> Any:
    np.dot(np.ones((2, 2)), np.ones((2, 2)))  # a library is listed once it is loaded
    return ThreadpoolController().select(user_api="blas")


def available() -> int:
    """Return how many threads BLAS may use now: OMP_NUM_THREADS, threadpool_limits, or the cores."""
    return max((int(each.get_num_threads()) for each in _blas().lib_controllers), default=1)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Hold numerical libraries to one thread, so that sums are rounded alike on any machine.

    BLAS is held for the whole process, and OpenMP for this thread. Calls may overlap in several threads: the
    last to leave lifts the limit.
    """
    every = _loaded(len(sys.modules))
    with _one_each(every.select(user_api="blas")), every.limit(limits=1, user_api="openmp"):
        yield


@contextmanager
def _one_each(blas: Any) -> Iterator[None]:
    """Hold BLAS to one thread; calls may overlap, and the last to leave lifts the limit."""
    global _open, _limit, _held
    with _lock:
        if _open == 0:
            _let_any_thread_limit(blas)
            _limit, _held = blas.limit(limits=1), blas
        _open += 1
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if _open == 0:
                _let_any_thread_limit(_held)
                _limit.restore_original_limits()
                _let_any_thread_limit(_held)


def _let_any_thread_limit(blas: Any) -> None:
    # threadpoolctl does nothing, and says nothing, where another thread was the last to set a limit.
    for library in blas.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


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
    with _one_each(_blas()):
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
