"""How names, cells, rows and options are written in a message."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["as_kind", "counted", "listed", "option", "rows_named", "shown", "unseen_levels"]

WIDEST = 40
MOST_NAMED = 3


def shown(value: object) -> str:
    """Return a name or a cell in quotes: at most 40 characters, control characters escaped."""
    text = str(value)
    if len(text) > WIDEST:
        text = text[: WIDEST - 1] + "…"
    return f"'{_printable(text)}'"


def option(name: str, value: str) -> str:
    """Return an option as a shell takes it, and as the argument of a Python call.

    ``drop`` takes a list in Python, and so does ``na_values``; every other option one string.
    """
    flag = name.replace("_", "-")
    if value.isprintable():
        word = shlex.quote(value)
    else:
        word = "$'" + _printable(value.replace("\\", "\\\\").replace("'", "\\'")) + "'"
    meant = f"[{value!r}]" if name in ("drop", "na_values") else repr(value)
    return f"--{flag}{'=' if value.startswith('-') else ' '}{word} (in Python {name}={meant})"


def as_kind(names: str | Sequence[str], kind: str) -> str:
    """Return the option that gives columns a kind, as a shell takes it and as the argument of a call."""
    several = [names] if isinstance(names, str) else list(names)
    word = shlex.quote(f"{kind}:{','.join(several)}")
    return f"--as {word} (in Python kinds={dict.fromkeys(several, kind)!r})"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: "1 row", "12 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}".replace(",", "\N{THIN SPACE}")


def rows_named(rows: Sequence[int], total: int | None = None) -> str:
    """Return "row 3", "rows 3, 8 and 9", or "rows 3, 8, 9 and 41 more" for rows counted from 0."""
    total = len(rows) if total is None else total
    named = [str(row + 1) for row in rows[:MOST_NAMED]]
    return ("row " if total == 1 else "rows ") + _and(named, total - len(named))


def listed(values: Iterable[object], most: int = MOST_NAMED) -> str:
    """Return the first values in quotes, and how many more there are."""
    everything = list(values)
    return _and([shown(value) for value in everything[:most]], len(everything) - min(most, len(everything)))


def unseen_levels(unseen: Mapping[tuple[str, str], int], known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each level that a fit has not seen.

    Parameters
    ----------
    unseen : mapping of (column, level) to int
        How many rows hold it.
    known : mapping of str to sequence of str
        The levels of the fit, by column.
    """
    return [
        f"column {shown(name)}: the fit has not seen {shown(level)}, so {counted(rows, 'prediction')} "
        f"{'is' if rows == 1 else 'are'} missing; it knows {listed(known[name], 8)}"
        for (name, level), rows in sorted(unseen.items())
    ]


def _and(words: list[str], more: int) -> str:
    if more:
        words = [*words, f"{more} more"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
