"""Section 3.4: hidden units."""

from __future__ import annotations

from thetahat.results.theory import Words
from thetahat.theory import rectified_units, saturating_units, trained_units
from thetahat.theory.statement import Chapter

__all__ = ["CHAPTER"]

CHAPTER = Chapter(
    "3.4",
    Words("Hidden units", "Скрытые блоки"),
    (*rectified_units.STATEMENTS, *saturating_units.STATEMENTS, *trained_units.STATEMENTS),
)
