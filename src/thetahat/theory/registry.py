"""Every chapter of the notes, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version

from thetahat.errors import UsageError
from thetahat.results.theory import SCHEMA_VERSION, ChapterRecord, TheoryRecord
from thetahat.theory import (
    bias,
    chain_rule,
    conditional_likelihood,
    consistency,
    cross_entropy,
    hidden_units,
    maximum_likelihood,
    point_estimates,
    principal_components,
    softmax_output,
    stochastic_gradient,
    support_vectors,
    trade_off,
    variance,
)
from thetahat.theory.errata import ERRATA
from thetahat.theory.statement import Chapter, Statement, examine

__all__ = ["CHAPTERS", "examine_all", "find", "statements"]

CHAPTERS: Sequence[Chapter] = (
    point_estimates.CHAPTER,
    bias.CHAPTER,
    variance.CHAPTER,
    trade_off.CHAPTER,
    consistency.CHAPTER,
    maximum_likelihood.CHAPTER,
    support_vectors.CHAPTER,
    principal_components.CHAPTER,
    stochastic_gradient.CHAPTER,
    conditional_likelihood.CHAPTER,
    cross_entropy.CHAPTER,
    cross_entropy.SIGMOID,
    softmax_output.CHAPTER,
    hidden_units.CHAPTER,
    chain_rule.CHAPTER,
)


def statements() -> Iterator[tuple[Chapter, Statement]]:
    """Yield every statement with its chapter."""
    for chapter in CHAPTERS:
        for each in chapter.statements:
            yield chapter, each


def find(name: str) -> tuple[Chapter, Statement]:
    """Return a statement by its name.

    Raises
    ------
    UsageError
        There is none of this name.
    """
    for chapter, each in statements():
        if each.name == name:
            return chapter, each
    near = sorted((len(_shared(name, each.name)), each.name) for _, each in statements())
    raise UsageError(
        f"statement: there is no {name!r}; did you mean {near[-1][1]}? `thetahat theory` lists them all"
    )


def _shared(one: str, other: str) -> set[str]:
    return {one[i : i + 3] for i in range(len(one))} & {other[i : i + 3] for i in range(len(other))}


def examine_all(names: Sequence[str] = (), *, seed: int = 0, command: str = "") -> TheoryRecord:
    """Run experiments and return what they found.

    Parameters
    ----------
    names : sequence of str
        Which statements; all of them by default.
    seed : int
        Of all randomness.
    command : str
        How it was asked for, to be shown.

    Raises
    ------
    UsageError
        There is no statement of one of the names.
    """
    wanted = {find(name)[1].name for name in names} or {each.name for _, each in statements()}
    chapters = []
    for chapter in CHAPTERS:
        found = tuple(
            examine(each, chapter.number, seed) for each in chapter.statements if each.name in wanted
        )
        if found:
            chapters.append(ChapterRecord(chapter.number, chapter.title, found))
    return TheoryRecord(
        SCHEMA_VERSION, "theory", seed, command, version("thetahat"), tuple(chapters), tuple(ERRATA)
    )
