"""The saved form of the notes' experiments: what was claimed, what was measured, what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

__all__ = [
    "ChapterRecord",
    "ErratumRecord",
    "Language",
    "MeasureRecord",
    "PlotRecord",
    "SeriesRecord",
    "StatementRecord",
    "TheoryRecord",
    "Verdict",
    "Words",
    "encode",
]

SCHEMA_VERSION = 1

Language = Literal["en", "ru"]
Verdict = Literal["holds", "holds only if", "fails"]


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    en: str
    ru: str

    def of(self, language: Language) -> str:
        """Return the text in one of them."""
        return self.en if language == "en" else self.ru


@dataclass(frozen=True, slots=True)
class MeasureRecord:
    """A measured number beside what the statement says it is.

    Parameters
    ----------
    what : Words
        What was measured.
    value : float or None
        The number; ``None`` where it is not finite, and then ``said`` says so.
    error : float
        Monte-Carlo standard error; 0 where nothing is random.
    low, high : float or None
        What the statement says: at least, at most; ``None`` where it is silent.
    counter : bool
        Whether this was measured outside the condition of the statement.
    agrees : bool
        Whether the number is what the statement says.
    said : str
        ``"inf"``, ``"-inf"`` or ``"nan"``; empty for a finite number.
    """

    what: Words
    value: float | None
    error: float
    low: float | None
    high: float | None
    counter: bool
    agrees: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """Points of one colour; ``error`` is one standard error each."""

    name: Words
    x: tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...] | None
    joined: bool


@dataclass(frozen=True, slots=True)
class PlotRecord:
    """A figure: its finding as a sentence, its axes, its points.

    Parameters
    ----------
    finding : Words
        What it shows.
    x, y : Words
        Labels of the axes, with units.
    series : tuple of SeriesRecord
        What is drawn.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.
    level : float or None
        A horizontal line.
    level_name : Words or None
        What the line is.
    ticks : tuple of Words
        Names in place of the numbers 0, 1, … of x.
    """

    finding: Words
    x: Words
    y: Words
    series: tuple[SeriesRecord, ...]
    log: str
    level: float | None
    level_name: Words | None
    ticks: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """A statement of the notes with its verdict.

    Parameters
    ----------
    name : str
        As typed on a command line.
    section : str
        Of the notes.
    title, claim : Words
        What is claimed, in our own words.
    verdict : str
        ``holds``, ``holds only if`` or ``fails``.
    remark : Words
        The condition, or why it fails, or what to make of it.
    measures : tuple of MeasureRecord
        The numbers that the verdict rests on.
    plot : PlotRecord
        The figure.
    calls : str
        How a program does it.
    seconds : float
        Time it took; 0 in a record that must not depend on the clock.
    """

    name: str
    section: str
    title: Words
    claim: Words
    verdict: Verdict
    remark: Words
    measures: tuple[MeasureRecord, ...]
    plot: PlotRecord
    calls: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ErratumRecord:
    """A slip of the notes: where, what is written, what is meant."""

    section: str
    written: Words
    meant: Words
    why: Words
    statement: str


@dataclass(frozen=True, slots=True)
class ChapterRecord:
    """A section of the notes and its statements."""

    number: str
    title: Words
    statements: tuple[StatementRecord, ...]


@dataclass(frozen=True, slots=True)
class TheoryRecord:
    """Everything that one run found."""

    schema_version: int
    kind: str
    seed: int
    command: str
    version: str
    chapters: tuple[ChapterRecord, ...]
    errata: tuple[ErratumRecord, ...]


def encode(record: TheoryRecord) -> bytes:
    """Return the record as UTF-8 JSON, two spaces deep; equal records give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
