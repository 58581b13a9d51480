"""What a comparison works on: the rows of a table, their roles, and who holds out which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.random import Generator

from thetahat.comparison.check_rows import (
    draw_problems,
    held_out,
    repeated_across,
    test_table_problems,
)
from thetahat.comparison.checks import Examined, examine
from thetahat.comparison.costs import read_costs
from thetahat.comparison.imbalance import rare_class
from thetahat.comparison.options import Settings
from thetahat.comparison.planning import asked_plan, class_needs
from thetahat.comparison.rare_classes import TWO_ROWS, ClassNeeds
from thetahat.comparison.schema import Schema
from thetahat.comparison.table_rows import TableRows
from thetahat.contracts import Draw, IntArray, Sample
from thetahat.errors import DataError, Problem, UsageError
from thetahat.measures.measure import Target
from thetahat.resampling.own_plans import FoldColumn, OwnDraws, Splitter
from thetahat.resampling.plans import Plan, Rows
from thetahat.results.comparison import WarningRecord
from thetahat.tables import Table, read
from thetahat.tables.kinds import asked_kinds, with_kinds
from thetahat.tables.phrases import listed

__all__ = ["Subject", "read_subject"]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Rows of a table, ready to be drawn.

    Parameters
    ----------
    table : Table
        The rows that were read and kept, the test table's included.
    examined : Examined
        What examining it found.
    schema : Schema
        Roles of its columns.
    sample : Sample
        The rows that are used.
    rows : Rows
        What a plan may know of them.
    target : Target
        What a measure may know of them.
    asked : Plan or None
        The plan that was asked for; None leaves the choice free.
    whose : str
        Whose split it is, where it is the user's own; else "".
    given : int
        Rows that were read, before any were left out.
    sha256 : str
        Hash of all that was read.
    notices : tuple of WarningRecord
        What the reader must know of the rows.
    """

    table: Table
    examined: Examined
    schema: Schema
    sample: Sample
    rows: Rows
    target: Target
    asked: Plan | None
    whose: str
    given: int
    sha256: str
    notices: tuple[WarningRecord, ...]

    def own_draw_problems(self, draws: list[Draw], *, strict: bool = False) -> tuple[Problem, ...]:
        """Return what is wrong with the draws where they are the user's own.

        Raises
        ------
        DataError
            A draw cannot be used, or with ``strict`` there is a warning.
        """
        if not self.whose:
            return ()
        problems = draw_problems(
            draws, self.rows.labels, self.schema.classes, self.rows.groups, self.rows.times
        )
        stop = [problem for problem in problems if strict or problem.severity.value == "error"]
        if stop:
            raise DataError(stop)
        return tuple(problems)


def read_subject(data: Any, target: str, settings: Settings, rng: Generator) -> Subject:
    """Read a table and all that was named beside it, examine it, and give its rows their roles.

    Raises
    ------
    DataError
        The table cannot be used; every problem is named.
    UsageError
        An argument is invalid for this table.
    """
    how: dict[str, Any] = {
        "sep": settings.sep,
        "encoding": settings.encoding,
        "na_values": settings.na_values,
        "decimal": settings.decimal,
        "thousands": settings.thousands,
    }
    kinds = asked_kinds(settings.kinds)
    table = whole = with_kinds(read(data, **how), kinds, target)
    sha256, given = table.sha256, table.frame.height
    # Number of each row in the table as it was given, whatever is left out below.
    numbers = np.arange(given)
    notices: list[WarningRecord] = []
    if settings.max_rows is not None and table.frame.height > settings.max_rows:
        numbers = np.sort(rng.choice(given, settings.max_rows, replace=False))
        table = replace(table, frame=table.frame[numbers])
        notices.append(_rows_notice(whole, table, settings.seed))
    held: IntArray | None = None
    drop = tuple(settings.drop)
    if settings.test is not None:
        # The joined table lacks these columns already; an unknown name is still reported.
        drop = tuple(name for name in drop if name not in table.frame.columns)
        other = with_kinds(read(settings.test, **how), kinds, target)
        numbers = np.concatenate([numbers, given + np.arange(other.frame.height)])
        sha256, given = f"{sha256}+{other.sha256}", given + other.frame.height
        held = np.arange(table.frame.height, table.frame.height + other.frame.height)
        table = _joined(table, other, target, settings)
    asked, needs = _asked(settings)
    found = examine(
        table,
        target,
        task=settings.task,  # type: ignore[arg-type]
        group=settings.group,
        time=settings.time,
        drop=drop,
        missing=settings.missing,  # type: ignore[arg-type]
        weight=settings.weight,
        fold=settings.fold,
        split=settings.split,
        missing_target=settings.missing_target,  # type: ignore[arg-type]
        rare=settings.rare,  # type: ignore[arg-type]
        needs=needs,
        draws=_whose_draws(settings, asked),
    )
    stop = found.errors + (found.warnings if settings.strict else ())
    if stop or found.schema is None:
        raise DataError(stop or found.problems)
    schema = found.schema
    keep = _whose_draws(settings, asked) == "ours"
    sample, rows = _sample(table, schema, found, numbers, given, keep_copies=keep)
    whose = ""
    if settings.fold is not None:
        codes = table.frame[found.rows].get_column(settings.fold).rank("dense").to_numpy().astype(np.int64)
        asked, whose = FoldColumn(codes, settings.fold), "the folds are your own"
    elif settings.split is not None:
        held = held_out(table.frame.get_column(settings.split))
        asked = _one_split(numbers, held, rows, settings.split)
        whose = f"the split is your own, column {settings.split}"
    elif held is not None:
        named = str(settings.test) if isinstance(settings.test, str | Path) else "the test table"
        asked, whose = _one_split(numbers, held, rows, "test"), f"the split is your own, {named}"
    elif _is_own(asked):
        whose = "the splits are your own"
    if held is not None:
        columns = [schema.target, *(feature.name for feature in schema.features)]
        places = np.flatnonzero(np.isin(found.rows, held))
        repeated = repeated_across(table.frame[found.rows], places, columns)
        if repeated and settings.strict:
            raise DataError(repeated)
        found = replace(found, problems=(*found.problems, *repeated))
    return Subject(
        table,
        found,
        schema,
        sample,
        rows,
        _target(schema, settings),
        asked,
        whose,
        given,
        sha256,
        tuple(notices),
    )


def _asked(settings: Settings) -> tuple[Plan | None, ClassNeeds]:
    asked = asked_plan(settings.resampling, settings.interval)
    if isinstance(asked, OwnDraws) and settings.max_rows is not None:
        raise UsageError("max_rows, resampling: index arrays name rows of the whole table; give one of them")
    own = settings.fold or settings.split or settings.test is not None
    if own and settings.interval in ("nested", "conservative-z", "bootstrap632+"):
        raise UsageError(f"interval: {settings.interval} needs draws of its own, not yours; use auto")
    if own or _is_own(asked):
        return asked, TWO_ROWS
    return asked, class_needs(asked)


def _whose_draws(settings: Settings, asked: Plan | None) -> Literal["ours", "own", "test table"]:
    if settings.test is not None:
        return "test table"
    return "own" if _is_own(asked) else "ours"


def _is_own(asked: Plan | None) -> bool:
    """Return whether the splits are the user's, and not those of a plan of this package."""
    if asked is None or isinstance(asked, OwnDraws | Splitter):
        return asked is not None
    return type(asked).__module__.partition(".")[0] != __name__.partition(".")[0]


def _one_split(numbers: IntArray, held: IntArray, rows: Rows, spec: str) -> OwnDraws:
    mask = np.zeros(len(numbers), dtype=bool)
    mask[held] = True
    pair = (numbers[~mask], numbers[mask])
    assert rows.row is not None
    used = int(np.isin(pair[1], rows.row).sum())
    words = f"one split, {used} of {rows.n} rows held out"
    return OwnDraws([pair], words, f"split:{spec}")


def _joined(table: Table, other: Table, target: str, settings: Settings) -> Table:
    """Return the rows of the data, then those of the test table, in the columns of the data.

    Raises
    ------
    DataError
        A column is missing from the test table, or is of another type there.
    """
    wanted = [name for name in table.frame.columns if name not in settings.drop]
    problems = test_table_problems(table.frame, other.frame, wanted)
    if problems:
        raise DataError(problems)
    parts = [table.frame.select(wanted), other.frame.select(wanted)]
    return replace(table, frame=pl.concat(parts, how="vertical_relaxed"))


def _rows_notice(whole: Table, used: Table, seed: int) -> WarningRecord:
    cause = f"{used.frame.height} of its {whole.frame.height} rows were drawn at random (seed {seed})"
    return WarningRecord("", "notice", whole.name, cause, "Raise max_rows for narrower intervals")


def _sample(
    table: Table,
    schema: Schema,
    found: Examined,
    numbers: IntArray,
    given: int,
    *,
    keep_copies: bool,
) -> tuple[Sample, Rows]:
    frame = table.frame[found.rows]
    values = frame.get_column(schema.target) if found.labels is None else found.labels
    labels = None
    if schema.task == "classification":
        code = {label: place for place, label in enumerate(schema.classes)}
        y = labels = np.array([code[label] for label in values.to_list()], dtype=np.int64)
    else:
        y = values.to_numpy().astype(np.float64)
    groups: IntArray | None = None
    times = weight = None
    if schema.group is not None:
        groups = frame.get_column(schema.group).rank("dense").to_numpy().astype(np.int64)
    copies = keep_copies and _copies_are_groups(schema, found, labels)
    if copies:
        assert found.repeats is not None
        groups = found.repeats.codes
    if schema.time is not None:
        times = frame.get_column(schema.time).rank("dense").to_numpy()
    if schema.weight is not None:
        weight = frame.get_column(schema.weight).cast(pl.Float64).to_numpy()
        if (weight == 1).all():
            # The result is then that without weights, to the bit.
            weight = None
    rows = Rows(
        frame.height,
        labels,
        groups,
        times,
        numbers[found.rows],
        given,
        copies,
        _left_out(len(numbers), frame.height, given),
    )
    return Sample(TableRows.of(frame), y, weight, groups, times), rows


def _copies_are_groups(schema: Schema, found: Examined, labels: IntArray | None) -> bool:
    """Return whether copies can be kept together: no other role splits the rows, no class is one row."""
    roles = (schema.group, schema.time, schema.fold, schema.split)
    if found.repeats is None or any(role is not None for role in roles):
        return False
    codes = found.repeats.codes
    parts = [codes] if labels is None else [codes[labels == label] for label in np.unique(labels)]
    return all(len(np.unique(part)) > 1 for part in parts)


def _left_out(drawn: int, used: int, given: int) -> str:
    said = ["max_rows"] if drawn < given else []
    return " and ".join([*said, "missing=drop"] if used < drawn else said)


def _target(schema: Schema, settings: Settings) -> Target:
    labels = schema.classes
    positive, rare = 1, rare_class(schema)
    if rare is not None and len(labels) == 2 and settings.metric == "auto":
        positive = rare
    if settings.positive is not None:
        if schema.task != "classification":
            raise UsageError("positive: the target is numbers, so no class is positive")
        same = [k for k, label in enumerate(labels) if label == settings.positive]
        same = same or [k for k, label in enumerate(labels) if str(label) == str(settings.positive)]
        if not same:
            raise UsageError(
                f"positive: there is no class {settings.positive!r}; the classes are {listed(labels, 12)}"
            )
        if len(labels) > 2:
            raise UsageError(
                f"positive: there are {len(labels)} classes, and measures then look for each in turn"
            )
        positive = same[0]
    if settings.cost is not None and schema.task != "classification":
        raise UsageError("cost: the target is numbers, so there are no classes; leave cost out")
    costs = None if settings.cost is None else read_costs(settings.cost, labels)
    return Target(schema.task, labels, positive, costs)
