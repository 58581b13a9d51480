"""Every exception and warning of the package.

::

    ThetaHatError
    ├── UsageError        an invalid argument or option; names the argument
    ├── DataError         a table that cannot be used; holds every problem found in it
    └── ResultFileError   a saved result that cannot be read

    ThetaHatWarning (a UserWarning)

What is wrong with a table is a :class:`Problem`: a stable code, the cause, the place and the cure.
Problems are collected, so that a person mends them in one go rather than one a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Code",
    "DataError",
    "Problem",
    "ResultFileError",
    "Severity",
    "ThetaHatError",
    "ThetaHatWarning",
    "UsageError",
]


class Code(StrEnum):
    """Stable codes of what can be wrong with a table."""

    NO_TARGET = "TH101"
    CONSTANT_TARGET = "TH102"
    NOT_FINITE = "TH103"
    TOO_FEW_ROWS = "TH104"
    DUPLICATE_HEADER = "TH105"
    STRAY_TEXT = "TH106"
    TOO_MANY_LEVELS = "TH107"
    NO_TABLE = "TH108"
    WRONG_FORMAT = "TH109"
    TELLTALE_COLUMN = "TH110"
    WRONG_WEIGHT = "TH111"
    WRONG_SPLIT = "TH112"
    REPEATED_ROWS = "TH113"
    DEPENDENT_ROWS = "TH114"
    RARE_CLASS = "TH115"


class Severity(StrEnum):
    """How much a problem matters: an error stops, a warning stops under ``--strict``, a notice informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a table: which, why, where, and what to do about it.

    Parameters
    ----------
    code : Code
        Stable identifier, ``TH1xx``.
    cause : str
        What is wrong, as a sentence without its full stop.
    place : str
        Where: a column, a row, a file.
    cure : str
        What the reader can do, naming the option to change.
    severity : Severity
        Whether it stops the work.
    """

    code: Code
    cause: str
    place: str
    cure: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.code.value} {self.place}: {self.cause}. {self.cure}."


class ThetaHatError(Exception):
    """Parent of every error that the package raises on purpose."""


class UsageError(ThetaHatError, ValueError):
    """An invalid argument or option."""


class DataError(ThetaHatError, ValueError):
    """A table that cannot be used.

    Parameters
    ----------
    problems : iterable of Problem
        All that was found, at least one.

    Attributes
    ----------
    problems : tuple of Problem
        The same, in the order found.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class ResultFileError(ThetaHatError, ValueError):
    """A saved result that cannot be read."""


class ThetaHatWarning(UserWarning):
    """A result that stands, with something the reader must know about it."""
