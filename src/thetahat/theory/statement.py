"""A statement of the notes, and how it is examined."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from thetahat.numerics.threads import single_threaded
from thetahat.results.theory import StatementRecord, Verdict, Words
from thetahat.theory.evidence import Evidence, verdict_of

__all__ = ["Chapter", "Statement", "examine", "statement"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim and the experiment that tries it.

    Parameters
    ----------
    name : str
        As typed on a command line.
    title, claim : Words
        What is claimed, in our own words.
    expected : str
        The verdict: ``holds``, ``holds only if`` or ``fails``.
    rests_on : str
        The function of the library under it, ``package.module:name``: were it wrong, the verdict would
        be another.
    calls : str
        How a program does it; it can be run as it stands.
    remark : Words
        The condition, or why it fails, or what to make of it.
    measure : callable
        The experiment: a generator to its evidence.
    """

    name: str
    title: Words
    claim: Words
    expected: Verdict
    rests_on: str
    calls: str
    remark: Words
    measure: Callable[[Generator], Evidence]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the notes."""

    number: str
    title: Words
    statements: Sequence[Statement]


def statement(
    name: str,
    *,
    title: Words,
    claim: Words,
    expected: Verdict,
    rests_on: str,
    calls: str,
    remark: Words,
) -> Callable[[Callable[[Generator], Evidence]], Statement]:
    """Make an experiment a statement; the parameters are those of :class:`Statement`."""
    return lambda measure: Statement(name, title, claim, expected, rests_on, calls.strip(), remark, measure)


def examine(each: Statement, section: str, seed: int = 0) -> StatementRecord:
    """Run an experiment and return what follows from it.

    Parameters
    ----------
    each : Statement
        What to examine.
    section : str
        Where the notes state it.
    seed : int
        Of all randomness. Each statement has a generator of its own, so that it finds the same
        whether it is run alone or among all.
    """
    rng = np.random.default_rng([seed, zlib.crc32(each.name.encode())])
    began = time.perf_counter()
    with single_threaded():
        evidence = each.measure(rng)
    return StatementRecord(
        each.name,
        section,
        each.title,
        each.claim,
        verdict_of(evidence.measures),
        each.remark,
        tuple(evidence.measures),
        evidence.plot,
        each.calls,
        time.perf_counter() - began,
    )
