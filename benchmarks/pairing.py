"""Time two pieces of work in turn, so that what slows the machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ratio:
    """Seconds of each run of both sides; ``value`` is how many times quicker ours is."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def value(self) -> float:
        """The peer's median time over ours."""
        return statistics.median(self.peer) / statistics.median(self.ours)

    def __str__(self) -> str:
        ours, peer = statistics.median(self.ours), statistics.median(self.peer)
        spread = [p / o for o, p in zip(self.ours, self.peer, strict=True)]
        return (
            f"ours {ours:.4g} s, peer {peer:.4g} s, ratio {self.value:.3g}x "
            f"(pairs {min(spread):.3g} to {max(spread):.3g}, {len(self.ours)} runs)"
        )


def alternate(
    ours: Callable[[], Any],
    peer: Callable[[], Any],
    runs: int = 5,
    warm_up: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Ratio:
    """Time both, one after the other and the first to go changing with each run.

    ``clock=time.process_time`` counts the CPU seconds of this process, which other processes do not lengthen
    except through shared caches.
    """
    if warm_up:
        ours()
        peer()
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs):
        order = (0, 1) if run % 2 == 0 else (1, 0)
        for side in order:
            began = clock()
            (ours, peer)[side]()
            times[side].append(clock() - began)
    return Ratio(tuple(times[0]), tuple(times[1]))
