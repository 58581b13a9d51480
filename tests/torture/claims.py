"""What a subject of the torture runs is, and what it says of its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.torture.tables import Case, Table

__all__ = ["Claim", "Subject"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a subject says of its result.

    Parameters
    ----------
    converged : bool
        Whether it says that the result is what it should be; whether it warned is seen elsewhere.
    wrong : str or None
        What contradicts that.
    """

    converged: bool
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom to try.

    Parameters
    ----------
    run : callable
        From a table to a claim; it raises what the subject raises.
    classes : bool
        Whether the target is of classes.
    peer : callable, optional
        The same work by a peer.
    share : int
        How often it is drawn; slow ones less.
    """

    run: Callable[[Table, Case], Claim]
    classes: bool = False
    peer: Callable[[Table, Case], Claim] | None = None
    share: int = 4
