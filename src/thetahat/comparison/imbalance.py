"""A class with very few of the rows: which measure sees it, and how that is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thetahat.comparison.schema import Schema
from thetahat.contracts import Draw, IntArray
from thetahat.errors import Code, Problem, Severity
from thetahat.measures.measure import Measure, Target
from thetahat.measures.registry import choose_measures
from thetahat.tables.phrases import counted, option, shown

__all__ = ["RARE_MEASURES", "measures_for", "rare_class", "rare_class_problem"]

# The error rate hardly sees a class with a smaller share, where another class has several times as many rows.
RARE_SHARE = 0.05
TIMES_COMMONER = 5
# What judges then, and what is shown beside it.
RARE_MEASURES = ("log-loss", "auc", "average-precision")


def rare_class(schema: Schema | None) -> int | None:
    """Return the code of the smallest class, if it is rare."""
    counts = () if schema is None else schema.class_counts
    if len(counts) < 2 or min(counts) >= RARE_SHARE * sum(counts):
        return None
    return counts.index(min(counts)) if max(counts) >= TIMES_COMMONER * min(counts) else None


def measures_for(
    asked: Any, target: Target, rare: int | None, labels: IntArray | None, draws: Sequence[Draw], own: bool
) -> tuple[Measure, ...]:
    """Return the measures asked for; with "auto" those that see the rare class.

    Parameters
    ----------
    asked : object
        The option ``metric``.
    target : Target
        What they are for.
    rare : int or None
        The rare class, if there is one.
    labels : ndarray of int, optional
        The class of each row.
    draws : sequence of Draw
        A measure of a set needs every class among the rows that each holds out.
    own : bool
        Whether the interval has draws of its own, and takes no measure of a set.
    """
    if rare is None or not (isinstance(asked, str) and asked.strip().lower() == "auto"):
        return choose_measures(asked, target)
    assert labels is not None
    every = not own and all(len(set(labels[draw.test].tolist())) == target.classes for draw in draws)
    return choose_measures(RARE_MEASURES if every else RARE_MEASURES[:1], target)


def rare_class_problem(
    schema: Schema, rare: int, measure: str = "", *, chosen: bool = False
) -> Problem | None:
    """Return the notice of a rare class; None where a measure was asked for that sees it.

    Parameters
    ----------
    schema : Schema
        The classes and their rows.
    rare : int
        The smallest.
    measure : str
        The measure that carries the verdict; empty before one is chosen.
    chosen : bool
        Whether it was chosen for the rare class, and not asked for.
    """
    if measure and measure != "error" and not chosen:
        return None
    total, few, most = sum(schema.class_counts), schema.class_counts[rare], max(schema.class_counts)
    cause = (
        f"class {shown(schema.classes[rare])} has {few} of {counted(total, 'row')} ({few / total:.1%}), "
        f"which the error rate hardly sees: the commonest class alone errs on {1 - most / total:.1%}"
    )
    beside = "auc and average-precision see it too"
    if chosen:
        cause += "; log-loss therefore carries the verdict"
        cure = f"The measures {beside}; {option('metric', 'error')} judges by the error rate"
    elif measure:
        cure = f"Use {option('metric', 'log-loss')}; {beside}"
    else:
        cure = f"A comparison is by log-loss unless a metric is named; {beside}"
    place = f"target {shown(schema.target)}"
    return Problem(Code.RARE_CLASS, cause, place, cure, Severity.NOTICE)
