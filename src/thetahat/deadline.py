"""The time that a piece of work has, asked for between the steps of whatever works.

Who limits the work says so round it; who takes steps asks before each, and need not be told by whom, or
whether, it was limited. Work that is cut leaves by an exception: nothing half done is taken for done::

    with within(Deadline(30.0)):   # a comparison
        fit()
    ...
    for step in range(max_iter):   # a solver
        check_time()

The deadline is that of the thread, and of those that :func:`thetahat.numerics.threads.spread` starts from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Never

__all__ = ["Deadline", "OutOfTime", "check_time", "leave", "seconds_left", "within"]


class OutOfTime(BaseException):
    """The time that the work had is over.

    No error of the work, so that ``except Exception`` does not take it for one: a search that scores a failed
    fit as bad must not score one so that was cut.

    Parameters
    ----------
    deadline : Deadline
        Which one has passed.
    """

    def __init__(self, deadline: Deadline) -> None:
        super().__init__("the time limit was reached")
        self.deadline = deadline

    def __reduce__(self) -> tuple[type[OutOfTime], tuple[Deadline]]:
        return type(self), (self.deadline,)


class Deadline:
    """So many seconds from now.

    Another process of this machine is given the same moment. One of another machine has another clock: it is
    given the seconds left, and does not see those that pass on the way.

    Parameters
    ----------
    seconds : float
        From now.
    clock : callable
        Tells seconds that never go back.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def __reduce__(self) -> tuple[Callable[..., Deadline], tuple[float, float, str]]:
        of_machine = self._clock is time.monotonic
        return _handed_over, (self.left, self._at, _boot() if of_machine else "")

    @property
    def left(self) -> float:
        """Seconds left; negative afterwards."""
        return self._at - self._clock()

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.left <= 0


def _handed_over(left: float, at: float, boot: str) -> Deadline:
    deadline = Deadline(left)
    if boot and boot == _boot():
        # Never later, should two containers see the machine's clock differently.
        deadline._at = min(deadline._at, at)
    return deadline


def _boot() -> str:
    """Return what tells this machine since it was started from any other; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return ""


_nearest: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(deadline: Deadline | None) -> Iterator[None]:
    """Limit what is done inside; of this deadline and one round it, the nearer holds.

    Parameters
    ----------
    deadline : Deadline or None
        None leaves that round it, if there is any.
    """
    outer = _nearest.get()
    nearer = deadline is not None and (outer is None or deadline.left < outer.left)
    token = _nearest.set(deadline if nearer else outer)
    try:
        yield
    finally:
        _nearest.reset(token)


def check_time() -> None:
    """Take leave if the time is over: to be called before every step.

    Raises
    ------
    OutOfTime
        It is.
    """
    deadline = _nearest.get()
    if deadline is not None and deadline.passed:
        raise OutOfTime(deadline)


def seconds_left() -> float | None:
    """Return the seconds left, at least 0, for a library that takes a limit; None where there is none."""
    deadline = _nearest.get()
    return None if deadline is None else max(deadline.left, 0.0)


def leave() -> Never:
    """Take leave, where a library that was given the seconds left says by its own clock that they are over.

    Raises
    ------
    OutOfTime
        Always.
    """
    deadline = _nearest.get()
    assert deadline is not None
    raise OutOfTime(deadline)
