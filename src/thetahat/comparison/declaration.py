"""How an option is declared: its type, help and check, from which everything else follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, dataclass, field
from typing import Any

__all__ = [
    "Declared",
    "above",
    "between",
    "brief",
    "column",
    "declared",
    "flag_of",
    "names",
    "option",
    "text",
    "whole",
]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of an option beside its name and default.

    Parameters
    ----------
    kind : str
        Its type in words, as in a docstring.
    help : str
        What it does; on the command line too.
    metavar : str
        What stands for its value on the command line.
    choices : tuple of str
        All values, where it has a few.
    type : type
        Of a value on the command line.
    short : str
        A one-letter flag.
    flag : str
        The flag without its dashes, where it is not the name.
    multiple : bool
        Whether it may be given several times.
    check : callable, optional
        Says what is expected of a value where it is wrong: ``check(value)`` returns "" or the complaint.
    result : bool
        Whether the result depends on it.
    typed : bool
        Whether the command line has it.
    """

    kind: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    type: type = str
    short: str = ""
    flag: str = ""
    multiple: bool = False
    check: Callable[[Any], str] | None = None
    result: bool = True
    typed: bool = True


def option(default: Any, kind: str, help: str, **more: Any) -> Any:
    """Return the field of an option: its default, type and help; see :class:`Declared` for the rest."""
    return field(default=default, metadata={"declared": Declared(kind, help, **more)})


def between(low: float, high: float) -> Callable[[Any], str]:
    """Return a check that a number lies between two others."""

    def check(value: Any) -> str:
        inside = _is_number(value) and low < value < high
        return "" if inside else f"must lie between {low:g} and {high:g}, not {brief(value)}"

    return check


def above(low: float, words: str) -> Callable[[Any], str]:
    """Return a check that a number, if any, lies above another; ``words`` say what it must do."""

    def check(value: Any) -> str:
        if value is None or (_is_number(value) and value > low):
            return ""
        return f"must {words}, not {brief(value)}"

    return check


def whole(least: int, words: str) -> Callable[[Any], str]:
    """Return a check that a whole number, if any, is at least so large; ``words`` say what it must do."""

    def check(value: Any) -> str:
        if value is None or (_is_number(value) and value == int(value) and value >= least):
            return ""
        return f"must {words}, not {brief(value)}"

    return check


def column(value: Any) -> str:
    """Say what is wrong with the name of a column."""
    return (
        "" if value is None or isinstance(value, str) else f"expects the name of a column, not {brief(value)}"
    )


def text(value: Any) -> str:
    """Say what is wrong with a text."""
    return "" if value is None or isinstance(value, str) else f"expects text, not {brief(value)}"


def names(value: Any) -> str:
    """Say what is wrong with a list of names."""
    if value is None or (isinstance(value, Collection) and not isinstance(value, str | Mapping)):
        wrong = [each for each in value or () if not isinstance(each, str)]
        return "" if not wrong else f"expects names, not {brief(wrong[0])}"
    return (
        f"a list is expected, as [{value!r}]"
        if isinstance(value, str)
        else f"a list is expected, not {brief(value)}"
    )


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool | str) and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def brief(value: Any) -> str:
    """Return a value as a message shows it."""
    if isinstance(value, int | float):
        return f"{value:g}"
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"


def flag_of(option: Field[Any]) -> str:
    """Return the flag of an option on the command line."""
    return "--" + (declared(option).flag or option.name.replace("_", "-"))


def declared(option: Field[Any]) -> Declared:
    """Return what is declared of a field of :class:`Settings`."""
    found: Declared = option.metadata["declared"]
    return found
