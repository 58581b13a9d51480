"""Replication: one estimator on many draws, one functional read off each fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import joblib
from numpy.random import Generator
from threadpoolctl import threadpool_limits

from thetahat.contracts import Draw, Functional, PointEstimator, Sample

__all__ = ["Replicates", "replicate"]

Theta = TypeVar("Theta")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, eq=False)
class Replicates(Generic[Value]):
    """The value of a functional on each draw.

    Parameters
    ----------
    draws : sequence of Draw
        The draws that were finished, in the order of the plan.
    values : sequence
        The value of each.
    planned : int
        How many draws there were to be.
    stopped : str
        Why the work ended early; empty when it did not.
    """

    draws: Sequence[Draw]
    values: Sequence[Value]
    planned: int
    stopped: str = ""


def replicate(
    estimator: PointEstimator[Theta],
    sample: Sample,
    draws: Sequence[Draw],
    functional: Functional[Theta, Value],
    *,
    rng: Generator,
    jobs: int = 1,
    out_of_time: Callable[[], bool] = lambda: False,
    finished: Callable[[int], None] = lambda count: None,
) -> Replicates[Value]:
    """Fit each draw's training rows and read the functional off each fit.

    Each draw has its own generator, spawned in the order of the draws, and numerical libraries run
    one thread inside a draw. So the values are the same to the bit for any number of jobs.

    Parameters
    ----------
    estimator : PointEstimator
        θ̂ = g(sample).
    sample : Sample
        The rows that are drawn from.
    draws : sequence of Draw
        Which rows train and which are held out, draw by draw.
    functional : Functional
        What is read off each fit.
    rng : Generator
        Parent of the draws' generators.
    jobs : int
        Worker processes; −1 is one a processor.
    out_of_time : callable
        Asked before each draw is handed out; once it is true no further draw is begun.
    finished : callable
        Told how many draws are done, as they end.

    Returns
    -------
    Replicates
        Of the finished draws: all of them, unless time ran out or the user pressed Ctrl-C, which is
        then said in ``stopped``.
    """
    done: dict[int, Value] = {}
    stopped = ""
    handed_out = 0

    def tasks() -> Iterator[Any]:
        nonlocal handed_out
        for number, (draw, child) in enumerate(zip(draws, rng.spawn(len(draws)), strict=True)):
            if out_of_time():
                return
            handed_out += 1
            yield joblib.delayed(_one)(number, estimator, sample, draw, functional, child)

    workers = min(joblib.effective_n_jobs(jobs), len(draws))
    pool = joblib.Parallel(
        n_jobs=workers, return_as="generator_unordered", pre_dispatch="2*n_jobs", batch_size=1
    )
    try:
        with closing(pool(tasks())) as results:
            for number, value in results:
                done[number] = value
                finished(len(done))
    except KeyboardInterrupt:
        stopped = "interrupted by the user"
    if handed_out < len(draws) and not stopped:
        stopped = "the time limit was reached"
    order = sorted(done)
    return Replicates([draws[i] for i in order], [done[i] for i in order], len(draws), stopped)


def _one(
    number: int,
    estimator: PointEstimator[Theta],
    sample: Sample,
    draw: Draw,
    functional: Functional[Theta, Value],
    rng: Generator,
) -> tuple[int, Value]:
    with threadpool_limits(1):
        train = sample.take(draw.train)
        fit = estimator.estimate(train, rng=rng)
        return number, functional(fit, train, sample.take(draw.test))
