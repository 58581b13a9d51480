"""Whether what a page quotes is what was printed: words alike, numbers to the digits that are quoted."""

from __future__ import annotations

import re
import unicodedata

NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
# Of the last digit quoted: another processor may round the other way.
UNITS = 2.0


def plain(text: str) -> str:
    """Return the text with one kind of space and of minus, and dots that stand for anything as one sign."""
    text = re.sub(r"[─━]+", "", text.replace("\N{MINUS SIGN}", "-").replace("...", "…"))
    text = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\d+ % of the time", "… of the time", text)  # clocks are held to nothing


def close(quoted: str, found: str) -> bool:
    """Return whether a number is one that is quoted with fewer digits; whole numbers must be equal."""
    if re.fullmatch(r"\d+", quoted) and re.fullmatch(r"\d+", found):
        return int(quoted) == int(found)
    mantissa, _, power = quoted.partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return abs(float(quoted) - float(found)) <= UNITS * unit


def disagreement(quoted: str, printed: str) -> str | None:
    """Return what is wrong with a quotation, ``None`` if nothing is; ``…`` in it stands for anything."""
    quoted, printed = plain(quoted), plain(printed)
    numbers = re.findall(NUMBER, quoted)
    pattern = "".join(
        f"({NUMBER})" if re.fullmatch(NUMBER, part) else r"\s*.*?\s*" if part == "…" else re.escape(part)
        for part in re.split(rf"({NUMBER}|…)", quoted)
    ).replace(r"\ ", r"\s+")
    match = re.fullmatch(pattern, printed)
    if match is None:
        return f"the page quotes\n{quoted}\nbut this was printed\n{printed}"
    for mine, theirs in zip(numbers, match.groups(), strict=True):
        if not close(mine, theirs):
            return f"the page quotes {mine} where {theirs} was printed:\n{printed}"
    return None


def missing_number(comment: str, value: str) -> str | None:
    """Return a number of a comment that is nowhere in the value beside it, ``None`` if there is none.

    A comment that is a word in quotes, or True, False or None, must be the value itself. What follows a colon
    or a semicolon is explanation, and not held to the value.
    """
    said = re.split(r"[:;]", plain(comment), maxsplit=1)[0]
    if re.fullmatch(r"True|False|None|'.*'|\".*\"", said):
        return None if said in value else said
    found = re.findall(NUMBER, plain(value))
    for number in re.findall(rf"(?<![\w.]){NUMBER}", said):
        if not any(close(number, other) for other in found):
            return number
    return None
