"""Where a parameter lives, and the map between that set and unconstrained numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

__all__ = ["POSITIVE", "REAL", "UNIT", "Interval", "Space"]


class Space(Protocol):
    """A set of numbers and its map to the real line, both ways, in functions that can be differentiated."""

    @property
    def words(self) -> str:
        """The set in words."""
        ...

    def contains(self, value: Any) -> bool:
        """Whether a number lies inside."""
        ...

    def to_free(self, value: Any) -> Any:
        """Map to the real line."""
        ...

    def from_free(self, free: Any) -> Any:
        """Map back."""
        ...


@dataclass(frozen=True, slots=True)
class _Real:
    words: str = "a finite number"

    def contains(self, value: Any) -> bool:
        return bool(np.isfinite(value))

    def to_free(self, value: Any) -> Any:
        return value

    def from_free(self, free: Any) -> Any:
        return free


@dataclass(frozen=True, slots=True)
class _Positive:
    words: str = "a positive number"

    def contains(self, value: Any) -> bool:
        return bool(np.isfinite(value) and value > 0)

    def to_free(self, value: Any) -> Any:
        return np.log(value)

    def from_free(self, free: Any) -> Any:
        return np.exp(free)


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval; its ends count as inside, and map to infinity."""

    low: float
    high: float

    @property
    def words(self) -> str:
        """The set in words."""
        return f"a number from {self.low:g} to {self.high:g}"

    def contains(self, value: Any) -> bool:
        """Whether a number lies inside."""
        return bool(self.low <= value <= self.high)

    def to_free(self, value: Any) -> Any:
        """Map to the real line."""
        return special.logit((value - self.low) / (self.high - self.low))

    def from_free(self, free: Any) -> Any:
        """Map back."""
        return self.low + (self.high - self.low) * special.expit(free)


REAL: Space = _Real()
POSITIVE: Space = _Positive()
UNIT: Space = Interval(0.0, 1.0)
