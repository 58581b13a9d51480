"""Delimited text: its encoding, its delimiter, its header and its rows, each held to account."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

import charset_normalizer
import polars as pl

from thetahat.errors import Code, DataError, Problem, UsageError
from thetahat.tables.files import no_table
from thetahat.tables.phrases import counted, listed, option, rows_named, shown

__all__ = ["Cells", "cells_of", "decoded", "duplicates"]

DELIMITERS = (",", ";", "\t", "|", " ")
# The first line by which a spreadsheet tells the delimiter.
SEP_LINE = re.compile(r'"?sep=(?P<mark>[^"\r\n])"?[,;\t]*\r?\n', re.IGNORECASE)
SPELLED = {"tab": "\t", r"\t": "\t", "space": " "}
# Rows looked at when another delimiter is tried, and rows turned into columns at a time.
GLANCE = 200
BATCH = 50_000
# Bytes shown to the guess of an encoding: more does not make it better, only slower.
GUESSED_FROM = 200_000
FEW_ACCENTS = 40


@dataclass(frozen=True, slots=True)
class Cells:
    """The header and the cells of a text file, all of them text, and its delimiter."""

    header: tuple[str, ...]
    columns: tuple[pl.Series, ...]
    sep: str = ","


@dataclass(slots=True)
class _Ragged:
    """The rows that do not have the header's number of cells."""

    rows: list[int] = field(default_factory=list)
    widths: Counter[int] = field(default_factory=Counter)
    total: int = 0


def decoded(content: bytes, encoding: str | None, place: str) -> str:
    """Return bytes as text.

    Raises
    ------
    DataError
        TH109: the bytes are not in this encoding; the one they seem to be in is named. TH108: they
        are not text at all.
    UsageError
        There is no encoding of this name.
    """
    if encoding is not None:
        try:
            encoding = codecs.lookup(encoding).name
            text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except LookupError:
            raise UsageError(
                f"encoding: no encoding is called {encoding!r}; try 'utf-8' or 'cp1252'"
            ) from None
        except UnicodeError as error:
            wrong = _guess(content)
            raise _wrong_encoding(f"the file is not {encoding} ({error})", wrong, content, place) from None
        return text.removeprefix("\ufeff")
    wide = _utf16(content)
    if wide is not None:
        raise _wrong_encoding("the file is UTF-16, and UTF-8 is expected", wide, content, place)
    if b"\0" in content[:8192]:
        no_table(place, "the file is not text", "Give a CSV, TSV, Parquet, Arrow or Feather file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        cause = f"the file is not UTF-8: byte {error.object[error.start]:#x} in line {line}"
        raise _wrong_encoding(cause, _guess(content, error.start), content, place, error.start) from None


def cells_of(text: str, sep: str | None, place: str, usual: str = ",") -> Cells:
    """Return the header and the cells.

    Parameters
    ----------
    text : str
        The content of the file.
    sep : str, optional
        The delimiter: one character, or the words "tab" and "space". By default that of a first line
        ``sep=;``, as spreadsheets write it, or the usual one.
    place : str
        The file, as messages name it.
    usual : str
        The delimiter where none is named.

    Raises
    ------
    DataError
        TH105: a header stands twice. TH108: there is no row. TH109: the delimiter is another one,
        or rows differ in their number of cells, or a quotation mark is left open.
    UsageError
        ``sep`` is not one character.
    """
    said = SEP_LINE.match(text)
    if said is not None:
        text = text[said.end() :]
        sep = said["mark"] if sep is None else sep
    sep = usual if sep is None else sep
    mark = SPELLED.get(sep, sep)
    if len(mark) != 1 or mark in '"\r\n\0':
        raise UsageError(f"sep: one character is expected ('tab' for a tab), not {sep!r}")
    records = _records(text, mark, place)
    header = tuple(next(records, ()))
    if not header:
        no_table(place, "the file is empty", "Give a file with a header and rows")
    other = _other_delimiter(text, mark, header)
    if len(header) == 1 and other is not None:
        raise _wrong_delimiter(f"with {_named(mark)} as delimiter there is one column", other, place)
    columns, height, ragged = _columns(records, len(header))
    if ragged.total:
        if other is not None:
            cause = f"with {_named(mark)} as delimiter {_say(ragged, len(header))}"
            raise _wrong_delimiter(cause, other, place)
        raise DataError(
            [Problem(Code.WRONG_FORMAT, _say(ragged, len(header)), place, _mend(ragged, header, mark))]
        )
    twice = duplicates(header, place)
    if twice is not None:
        raise DataError([twice])
    if not height:
        no_table(place, "the file has a header and no row", "Give a file with rows under the header")
    return Cells(header, columns, mark)


def duplicates(header: Sequence[str], place: str) -> Problem | None:
    """Return the problem of headers that stand more than once, if there are any."""
    twice = [name for name, count in Counter(header).items() if count > 1]
    if not twice:
        return None
    at = [str(i + 1) for i, name in enumerate(header) if name == twice[0]][:5]
    cause = (
        f"the same header stands twice: {listed(twice)}"
        if any(twice)
        else "more than one column has no header"
    )
    cure = f"Rename or leave out all but one (the first of them: columns {' and '.join(at)})"
    return Problem(Code.DUPLICATE_HEADER, cause, place, cure)


def _records(text: str, mark: str, place: str) -> Iterator[list[str]]:
    """Yield the rows that are not blank, the header first."""
    count = 0
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True):
            if record:
                yield record
                count += 1
    except csv.Error as error:
        where = f"row {count}" if count else "the header"
        cause = (
            f"{where} cannot be told into cells ({error}): a quotation mark is left open, or stands inside"
        )
        cure = 'Close the quotation mark, or double it ("") inside a quoted cell'
        raise DataError([Problem(Code.WRONG_FORMAT, cause, place, cure)]) from None


def _columns(records: Iterator[list[str]], width: int) -> tuple[tuple[pl.Series, ...], int, _Ragged]:
    ragged = _Ragged()
    parts: list[list[pl.Series]] = [[] for _ in range(width)]
    height = 0
    while batch := list(islice(records, BATCH)):
        if any(len(record) != width for record in batch):
            for row, record in enumerate(batch, start=height):
                if len(record) != width:
                    ragged.total += 1
                    ragged.widths[len(record)] += 1
                    if len(ragged.rows) < GLANCE:
                        ragged.rows.append(row)
        elif not ragged.total:
            for part, cells in zip(parts, zip(*batch, strict=True), strict=True):
                part.append(pl.Series("", cells, dtype=pl.String))
        height += len(batch)
    empty = pl.Series("", [], dtype=pl.String)
    columns = tuple(pl.concat(part) if part else empty for part in parts)
    return columns, height, ragged


def _other_delimiter(text: str, mark: str, header: Sequence[str]) -> str | None:
    """Return a delimiter that cuts the header and the first rows into more than one cell, and all alike."""
    glance = io.StringIO(text, newline="")
    lines = list(islice((line for line in glance if line.strip()), GLANCE))
    best, most = None, 1
    for other in DELIMITERS:
        if other == mark or not any(other in name for name in header):
            continue
        try:
            widths = {len(record) for record in csv.reader(lines, delimiter=other) if record}
        except csv.Error:
            continue
        if len(widths) == 1 and max(widths) > most:
            best, most = other, max(widths)
    return best


def _wrong_delimiter(cause: str, other: str, place: str) -> DataError:
    cause = f"{cause}, and {_named(other)} cuts all rows alike"
    value = "tab" if other == "\t" else "space" if other == " " else other
    return DataError([Problem(Code.WRONG_FORMAT, cause, place, f"Use {option('sep', value)}")])


def _say(ragged: _Ragged, width: int) -> str:
    rows = rows_named(ragged.rows, ragged.total)
    have = "has" if ragged.total == 1 else "have"
    if len(ragged.widths) == 1:
        return f"{rows} {have} {counted(next(iter(ragged.widths)), 'cell')}, and the header {width}"
    least, most = min(ragged.widths), max(ragged.widths)
    return f"{rows} have {least} to {most} cells, and the header {width}"


def _mend(ragged: _Ragged, header: Sequence[str], mark: str) -> str:
    if set(ragged.widths) == {len(header) + 1} and ragged.total > 1:
        return "Give the column of row names a header too, or write the file without row names"
    return f"Quote the cells that hold {_named(mark)}, and fill short rows up; or name the delimiter by --sep"


def _named(mark: str) -> str:
    return {"\t": "a tab", " ": "a space", ",": "a comma", ";": "a semicolon"}.get(mark, shown(mark))


def _utf16(content: bytes) -> str | None:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = content[:4096]
    for name, nulls, letters in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if len(head) >= 4 and nulls.count(0) > 0.8 * len(nulls) and not letters.count(0):
            return name
    return None


def _guess(content: bytes, around: int = 0) -> str | None:
    start = max(0, around - GUESSED_FROM // 2)
    piece = content[start : start + GUESSED_FROM]
    best = charset_normalizer.from_bytes(piece).best()
    # A few lone accented letters fit a dozen code pages, of which the Western one is by far the most used.
    accents = [at for at, byte in enumerate(piece) if byte > 127]
    pairs = sum(after - before == 1 for before, after in pairwise(accents))
    sparse = len(accents) < FEW_ACCENTS and pairs <= len(accents) / 5
    if sparse or (best is not None and "cp1252" in best.could_be_from_charset):
        try:
            piece.decode("cp1252")
        except UnicodeDecodeError:
            pass
        else:
            return "cp1252"
    return None if best is None else best.encoding


def _wrong_encoding(
    cause: str, guess: str | None, content: bytes, place: str, at: int | None = None
) -> DataError:
    if guess is None:
        cure = "Save the file as UTF-8, or name its encoding by --encoding"
    else:
        cure = f"Use {option('encoding', guess)}, or save the file as UTF-8"
        if at is not None:
            piece = content[max(0, at - 12) : at + 12].decode(guess, errors="replace").strip()
            cure += f"; read so, the place says {shown(piece)}"
    return DataError([Problem(Code.WRONG_FORMAT, cause, place, cure)])
