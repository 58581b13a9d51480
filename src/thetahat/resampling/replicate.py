"""Replication: one estimator on many draws, one functional read off each fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.random import Generator

from thetahat.contracts import (
    Draw,
    Fit,
    Functional,
    PointEstimator,
    Sample,
    SharesCapacities,
    SharesWork,
    Workspace,
)
from thetahat.deadline import Deadline, OutOfTime, check_time, within
from thetahat.errors import UsageError
from thetahat.numerics.threads import single_threaded

__all__ = ["TIME_LIMIT", "Replicates", "replicate"]

# Bounds on the number of draws that share their work in one piece.
FEWEST, MOST = 10, 64
# The value of ``stopped`` after a time limit.
TIME_LIMIT = "the time limit was reached"
# Give up after workers were killed this many times in a row.
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

    @property
    def complete(self) -> Sequence[Value]:
        """The values of all draws; raises ``KeyboardInterrupt`` if the user stopped the work."""
        if self.stopped:
            raise KeyboardInterrupt(self.stopped)
        return self.values


def replicate(
    estimator: PointEstimator[Theta],
    sample: Sample,
    draws: Sequence[Draw],
    functional: Functional[Any, Value],
    *,
    rng: Generator,
    capacities: Sequence[PointEstimator[Any]] = (),
    jobs: int = 1,
    shared_work: bool = True,
    together: int | None = None,
    deadline: Deadline | None = None,
    finished: Callable[[int], None] = lambda count: None,
    known: Mapping[int, Value] | None = None,
    keep: Callable[[Mapping[int, Value]], None] = lambda done: None,
) -> Replicates[Value]:
    """Fit each draw's training rows and read the functional off each fit.

    The one place where shared work is dispatched. Each draw has its own generator, spawned in the order of
    the draws, and each capacity its own, spawned from that of the draw; numerical libraries run one thread
    inside a draw. So the values are the same to the bit for any number of jobs.

    Parameters
    ----------
    estimator : PointEstimator
        θ̂ = g(sample).
    sample : Sample
        The rows that are drawn from.
    draws : sequence of Draw
        Which rows train and which are held out, draw by draw.
    functional : Functional
        What is read off each fit. With ``capacities`` it is called once for each draw, and the ``theta`` of
        the fit that it is given is the tuple of the fits of all capacities.
    rng : Generator
        Parent of the draws' generators.
    capacities : sequence of PointEstimator
        The estimators that are fitted to each draw, in place of ``estimator`` itself: the same learner at
        other values of a parameter. Those whose work can be shared are fitted together.
    jobs : int
        Worker processes; −1 is one per processor.
    shared_work : bool
        Whether an estimator that can fit many draws at once does; the values are those of refitting each, to
        rounding.
    together : int, optional
        How many draws a worker is given at once; those that share work do so within such a piece. By default
        one, or with shared work an eighth of the draws, between FEWEST and MOST: that depends on the draws
        alone, so that the values do not depend on the workers. Without shared work the values do not depend
        on it.
    deadline : Deadline, optional
        Once it has passed, no further draw is started, and our own solvers stop before their next step: a
        draw that stopped is not done, unless the estimator makes something of it. With a deadline, a draw is
        handed only to a worker that is free.
    finished : callable
        Called with the number of finished draws, as they end.
    known : mapping of int to value, optional
        Draws that an earlier run has finished, by their number; they are not fitted again.
    keep : callable
        Called with the values of all finished draws by their number, as draws end.

    Returns
    -------
    Replicates
        Of the finished draws: all of them, unless time ran out or the user pressed Ctrl-C; ``stopped`` then
        says so.

    Raises
    ------
    UsageError
        ``jobs`` is no number of workers, or worker processes were killed repeatedly, and no draw was finished
        in between.
    """
    _check_jobs(jobs)
    done: dict[int, Value] = dict(known or {})
    stopped = ""
    children = rng.spawn(len(draws))
    work = _Work(estimator, tuple(capacities), shared_work, sample, functional, deadline)
    at_once = 1 if together is None else together
    if work.shares and together is None:
        at_once = min(max(FEWEST, -(-len(draws) // 8)), MOST)

    def tasks() -> Iterator[Any]:
        for start in range(0, len(draws), at_once):
            part, rngs = draws[start : start + at_once], children[start : start + at_once]
            if all(start + place in done for place in range(len(part))):
                continue
            if deadline is not None and deadline.passed:
                return
            yield joblib.delayed(work.values)(start, part, rngs)

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


def _check_jobs(jobs: Any) -> None:
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int | np.integer) or jobs == 0):
        raise UsageError(f"jobs: a number of worker processes is expected, or -1 for all cores, not {jobs!r}")


class _Work(Generic[Value]):
    """What is done with each draw, the preparation that all draws share included."""

    def __init__(
        self,
        estimator: PointEstimator[Any],
        capacities: tuple[PointEstimator[Any], ...],
        shared_work: bool,
        sample: Sample,
        functional: Functional[Any, Value],
        deadline: Deadline | None,
    ) -> None:
        self.many = bool(capacities)
        self.estimators = capacities or (estimator,)
        self.sample, self.functional, self.deadline = sample, functional, deadline
        self.families = list(_families(self.estimators)) if shared_work else []
        self.workspaces: list[Workspace[Any]] = []
        if self.families:
            with single_threaded():
                self.workspaces = [
                    self.estimators[places[0]].prepare(sample)  # type: ignore[attr-defined]
                    for places, _ in self.families
                ]

    @property
    def shares(self) -> bool:
        """Whether any work is shared."""
        return bool(self.families)

    def values(self, start: int, draws: Sequence[Draw], rngs: Sequence[Generator]) -> dict[int, Value]:
        """Return the functional of each of these draws that time sufficed for, by its number."""
        values: dict[int, Value] = {}
        with single_threaded():
            trains = [self.sample.take(draw.train) for draw in draws]
            coming = self._fits(draws, trains, rngs)
            for number, (draw, train) in enumerate(zip(draws, trains, strict=True), start):
                try:
                    with within(self.deadline):
                        fits = next(coming)
                except OutOfTime as out:
                    if out.deadline is not self.deadline:
                        raise
                    break
                fit = Fit(fits) if self.many else fits[0]
                values[number] = self.functional(fit, train, self.sample.take(draw.test))
        return values

    def _fits(
        self, draws: Sequence[Draw], trains: Sequence[Sample], rngs: Sequence[Generator]
    ) -> Iterator[tuple[Fit[Any], ...]]:
        """Return the fits of all capacities, draw by draw."""
        own = [rng.spawn(len(self.estimators)) if self.many else [rng] for rng in rngs]
        shared = [
            iter(workspace.solve(draws, values, rngs=[own[d][p] for d in range(len(draws)) for p in places]))
            for workspace, (places, values) in zip(self.workspaces, self.families, strict=True)
        ]
        alone = set(range(len(self.estimators))) - {p for places, _ in self.families for p in places}
        for number, train in enumerate(trains):
            fits: dict[int, Fit[Any]] = {}
            for family, (places, _) in zip(shared, self.families, strict=True):
                for place in places:
                    check_time()
                    fits[place] = next(family)
            for place in sorted(alone):
                check_time()
                fits[place] = self.estimators[place].estimate(train, rng=own[number][place])
            yield tuple(fits[place] for place in range(len(self.estimators)))


def _families(estimators: Sequence[Any]) -> Iterator[tuple[list[int], Sequence[Any]]]:
    """Return the places of estimators that share the work of the first of them, with their capacities."""
    left = [place for place, each in enumerate(estimators) if isinstance(each, SharesWork)]
    while left:
        first = estimators[left[0]]
        places, values = left[:1], None
        if len(estimators) > 1 and isinstance(first, SharesCapacities):
            own = {place: first.capacities([estimators[place]]) for place in left}
            places = [place for place in left if own[place] is not None]
            values = [value for place in places for value in own[place] or ()]
        if values is None or not values:
            places, values = left[:1], []
        yield places, values
        left = [place for place in left if place not in places]
