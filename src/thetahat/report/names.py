"""Names that fit a width and stay apart from each other."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence

__all__ = ["ELLIPSIS", "LONGEST_NAME", "on_one_line", "shortened", "shortened_apart"]

LONGEST_NAME = 34
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def on_one_line(text: str) -> str:
    """Return the text with control characters, among them line breaks, replaced."""
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def shortened(name: str, most: int = LONGEST_NAME) -> str:
    """Return a name on one line, its middle left out where it has more letters than fit."""
    name = on_one_line(name)
    half = max(2, (most - 1) // 2)
    return name if len(name) <= most else f"{name[:half]}{ELLIPSIS}{name[-half:]}"


def shortened_apart(names: Sequence[str], most: int = LONGEST_NAME) -> list[str]:
    """Return the names, each with at most so many letters and no two alike unless they were.

    Names that would be alike are cut to show where they first differ, and numbered if that is not enough.
    """
    short = [shortened(name, most) for name in names]
    for alike in {text for text in short if short.count(text) > 1}:
        places = [k for k, text in enumerate(short) if text == alike]
        group = [on_one_line(names[k]) for k in places]
        differ = len(os.path.commonprefix(group))
        for k, name in zip(places, group, strict=True):
            short[k] = _around(name, differ, most)
    for k, text in enumerate(short):
        if short.count(text) > 1:
            number = f"#{k + 1} "
            short[k] = number + shortened(names[k], most - len(number))
    return short


def _around(name: str, place: int, most: int) -> str:
    """Return a name cut so that the letters from a place on are among those left."""
    if len(name) <= most:
        return name
    rest = min(most - 2, max(10, most // 3))
    head = most - 1 - rest
    if place <= head:
        return name[: most - 1] + ELLIPSIS
    if place + rest >= len(name):
        return name[:head] + ELLIPSIS + name[-rest:]
    return name[:head] + ELLIPSIS + name[place : place + rest - 1] + ELLIPSIS
