"""Replication: one estimator on many draws, one functional read off each fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.random import Generator

from thetahat.contracts import Draw, Fit, Functional, PointEstimator, Sample, SharesWork, Workspace
from thetahat.deadline import Deadline, OutOfTime, check_time, within
from thetahat.errors import UsageError
from thetahat.numerics.threads import single_threaded

__all__ = ["TIME_LIMIT", "Replicates", "replicate"]

# Draws that share their work in one piece: fixed, so that the values do not depend on the workers.
TOGETHER = 64
# Why the work of too little time ended.
TIME_LIMIT = "the time limit was reached"
# A draw whose worker is killed so many times is given up.
MOST_DEATHS = 3

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
    numbers : sequence of int
        The number of each in the plan.
    """

    draws: Sequence[Draw]
    values: Sequence[Value]
    planned: int
    stopped: str = ""
    numbers: Sequence[int] = ()

    @property
    def by_number(self) -> dict[int, Value]:
        """The values by the number of their draw."""
        return dict(zip(self.numbers, self.values, strict=True))


def replicate(
    estimator: PointEstimator[Theta],
    sample: Sample,
    draws: Sequence[Draw],
    functional: Functional[Theta, Value],
    *,
    rng: Generator,
    jobs: int = 1,
    shared_work: bool = True,
    deadline: Deadline | None = None,
    finished: Callable[[int], None] = lambda count: None,
    known: Mapping[int, Value] | None = None,
    keep: Callable[[Mapping[int, Value]], None] = lambda done: None,
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
    shared_work : bool
        Whether an estimator that can fit many draws at once does, a fixed number of them at a time; the
        values are those of refitting each, to rounding.
    deadline : Deadline, optional
        Once it has passed no further draw is begun, and our own solvers leave theirs before the next step: a
        draw that is left is not done, unless the estimator makes something of it. With one, a draw is handed
        out only to a worker that is free.
    finished : callable
        Told how many draws are done, as they end.
    known : mapping of int to value, optional
        Draws that an earlier run has finished, by their number; they are not fitted again.
    keep : callable
        Handed the values of all finished draws by their number, as draws end.

    Returns
    -------
    Replicates
        Of the finished draws: all of them, unless time ran out or the user pressed Ctrl-C, which is
        then said in ``stopped``.

    Raises
    ------
    UsageError
        Worker processes were killed again and again, and no draw was finished between.
    """
    done: dict[int, Value] = dict(known or {})
    stopped = ""
    children = rng.spawn(len(draws))
    workspace: Workspace[Theta] | None = None
    at_once = 1
    if shared_work and isinstance(estimator, SharesWork):
        workspace, at_once = estimator.prepare(sample), TOGETHER

    def tasks() -> Iterator[Any]:
        for start in range(0, len(draws), at_once):
            part, rngs = draws[start : start + at_once], children[start : start + at_once]
            if all(start + place in done for place in range(len(part))):
                continue
            if deadline is not None and deadline.passed:
                return
            yield joblib.delayed(_some)(start, estimator, workspace, sample, part, functional, rngs, deadline)

    workers = max(1, min(joblib.effective_n_jobs(jobs), len(draws) - len(done)))
    deaths = 0
    while True:
        before = len(done)
        # Made anew, for one whose worker was killed takes no more work.
        pool = joblib.Parallel(
            n_jobs=workers,
            return_as="generator_unordered",
            # A draw that waits for a worker does not see the seconds go by.
            pre_dispatch="2*n_jobs" if deadline is None else "n_jobs",
            batch_size=1,
        )
        try:
            with closing(pool(tasks())) as results:
                for found in results:
                    done.update(found)
                    keep(done)
                    finished(len(done))
                    check_time()
            break
        except KeyboardInterrupt:
            stopped = "interrupted by the user"
            break
        except TerminatedWorkerError:
            deaths = 1 if len(done) > before else deaths + 1
            if deaths == MOST_DEATHS:
                raise UsageError(
                    f"jobs: worker processes were killed {MOST_DEATHS} times and finished no draw between, "
                    "by the system for want of memory or by a model that crashes; try fewer jobs, or leave a "
                    "model out"
                ) from None
    if len(done) < len(draws) and not stopped:
        stopped = TIME_LIMIT
    order = sorted(done)
    return Replicates([draws[i] for i in order], [done[i] for i in order], len(draws), stopped, order)


def _some(
    start: int,
    estimator: PointEstimator[Theta],
    workspace: Workspace[Theta] | None,
    sample: Sample,
    draws: Sequence[Draw],
    functional: Functional[Theta, Value],
    rngs: Sequence[Generator],
    deadline: Deadline | None,
) -> dict[int, Value]:
    values = {}
    with single_threaded():
        trains = [sample.take(draw.train) for draw in draws]
        fits: Iterable[Fit[Theta]]
        if workspace is not None:
            fits = workspace.solve(draws, (), rngs=rngs)
        else:
            fits = (estimator.estimate(train, rng=rng) for train, rng in zip(trains, rngs, strict=True))
        coming = iter(fits)
        for number, (draw, train) in enumerate(zip(draws, trains, strict=True), start):
            try:
                with within(deadline):
                    fit = next(coming)
            except OutOfTime as out:
                if out.deadline is not deadline:
                    raise
                break
            values[number] = functional(fit, train, sample.take(draw.test))
    return values
