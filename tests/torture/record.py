"""What a run of an item found, and what an item is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from numpy.random import Generator

__all__ = ["ITEMS", "Item", "Peer", "Record", "items"]

# In the order of the page. A module of this name in this package is the item.
ITEMS = (
    "conformance",
    "malformed",
    "files",
    "models",
    "kills",
    "determinism",
    "numerics",
    "honesty",
    "load",
    "supply",
)


@dataclass(frozen=True, slots=True)
class Peer:
    """What a peer did in the same cases."""

    name: str
    cases: int
    crashes: int = 0
    hangs: int = 0
    dishonest: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What one run of one item found.

    Parameters
    ----------
    cases, crashes, hangs, dishonest : int
        Cases tried; those that ended in an error without a cause (or lost a file, or the process), those that
        passed their cap of time, and those that called a wrong result good.
    seconds : float
        Wall time.
    parts : mapping of str to sequence of str
        Further rows of the table, one a part of the item, under ``heads``.
    heads : sequence of str
        What stands over the parts' columns; the first is the part's own name.
    findings : sequence of str
        One line a fault, so that it can be made again.
    peers : sequence of Peer
        What others do in the same cases.
    notes : sequence of str
        Further sentences with figures of this run.
    """

    cases: int
    crashes: int = 0
    hangs: int = 0
    dishonest: int = 0
    seconds: float = 0.0
    heads: Sequence[str] = ()
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    findings: Sequence[str] = ()
    peers: Sequence[Peer] = ()
    notes: Sequence[str] = ()

    @property
    def faults(self) -> int:
        """Return how many cases went wrong in any way."""
        return self.crashes + self.hangs + self.dishonest


class Item(Protocol):
    """What a module of this package offers."""

    TITLE: str  # of its section
    CLAIM: str  # one sentence: what is tried and what counts as a fault
    NOT_COVERED: str  # one sentence or more: what these figures do not speak of
    SHORT: int  # cases in continuous integration
    LONG: int  # cases of the page

    def run(self, cases: int, rng: Generator) -> Record:
        """Run that many cases."""
        ...


def items() -> dict[str, Item]:
    """Return every item that has a module, in the order of the page."""
    return {
        name: import_module(f"tests.torture.{name}") for name in ITEMS if find_spec(f"tests.torture.{name}")
    }
