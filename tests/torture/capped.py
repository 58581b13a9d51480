"""Cases run in processes of their own: one that never returns, or takes its process along, is counted."""

from __future__ import annotations

import faulthandler
import multiprocessing as mp
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

__all__ = ["Lost", "run_capped"]

# faulthandler leaves by 1 when the cap is passed.
HUNG, RAISED = 1, 70


@dataclass(frozen=True, slots=True)
class Lost:
    """A case that gave no answer: ``hung``, or the process died of ``cause``."""

    hung: bool
    cause: str


def _serve(work: Callable[[Any], Any], cases: Sequence[Any], cap: float, pipe: Connection) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.stderr = open(os.devnull, "w")
    with open(os.devnull, "w") as nowhere:
        for place, case in enumerate(cases):
            # Also ends a compiled loop, which no signal handler written in Python could.
            faulthandler.dump_traceback_later(cap, exit=True, file=nowhere)
            pipe.send((place, None, False))
            try:
                answer = work(case)
            except BaseException:
                os._exit(RAISED)
            faulthandler.cancel_dump_traceback_later()
            pipe.send((place, answer, True))
    pipe.close()


def run_capped(
    work: Callable[[Any], Any], cases: Sequence[Any], *, cap: float, workers: int = 2
) -> list[Any]:
    """Return ``work(case)`` of each case, or :class:`Lost`, in order.

    ``work`` is a function of a module, so that a fresh process finds it. It catches what it expects to be
    raised; an exception that leaves it ends the process and is a loss. The cap holds for compiled loops too.
    """
    context = mp.get_context("spawn")
    answers: list[Any] = [None] * len(cases)
    queues = [list(range(first, len(cases), workers)) for first in range(workers)]
    running: dict[Connection, tuple[Any, list[int]]] = {}

    def start(rows: list[int]) -> None:
        if rows:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_serve, args=(work, [cases[row] for row in rows], cap, theirs))
            process.start()
            theirs.close()
            running[ours] = process, rows

    for rows in queues:
        start(rows)
    at: dict[Connection, int] = {}
    while running:
        for pipe in wait(list(running)):
            process, rows = running[pipe]
            try:
                place, answer, done = pipe.recv()
            except EOFError:
                process.join()
                del running[pipe]
                place = at.pop(pipe, 0)
                if process.exitcode != 0 and place < len(rows):
                    answers[rows[place]] = Lost(process.exitcode == HUNG, f"exit code {process.exitcode}")
                    start(rows[place + 1 :])
                continue
            at[pipe] = place + done
            if done:
                answers[rows[place]] = answer
    return answers
