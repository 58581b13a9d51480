"""All that is wrong with a table, found in one go, and the roles of its columns."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from thetahat.comparison.check_columns import (
    Finding,
    feature_finding,
    infinities,
    joined_strays,
    kind_of,
    missing_cells,
    suspected_codes,
)
from thetahat.comparison.check_dependence import dependence_problems
from thetahat.comparison.check_leaks import class_leaks, missing_leaks, number_leaks, sum_of_columns
from thetahat.comparison.check_repeats import Repeats, repeated_rows, repeats_problem
from thetahat.comparison.check_rows import fold_problems, split_problems, weight_problems
from thetahat.comparison.check_sums import EXACT, Sum
from thetahat.comparison.check_target import FEWEST_ROWS, Target, examine_target
from thetahat.comparison.imbalance import rare_class, rare_class_problem
from thetahat.comparison.rare_classes import TWO_ROWS, ClassNeeds
from thetahat.comparison.schema import Feature, Schema
from thetahat.contracts import IntArray
from thetahat.errors import Code, Problem, Severity, UsageError
from thetahat.results.comparison import ColumnRecord
from thetahat.tables import Table
from thetahat.tables.phrases import counted, listed, option, shown

__all__ = ["Examined", "examine"]

SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)
# A table of no more columns than this has all of them listed when a name is not among them.
FEW_COLUMNS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What examining a table found.

    Parameters
    ----------
    schema : Schema or None
        The task and the roles of the columns; None where there is no target to predict.
    problems : tuple of Problem
        All that was found, errors first, then warnings, then notices.
    columns : tuple of ColumnRecord
        Every column of the table, in its order.
    rows : ndarray of int
        The rows that are used: those with a target, where asked for without a missing feature and without
        those of rare classes.
    repeats : Repeats or None
        Copies among the rows that are used, where chance does not explain them.
    labels : polars.Series or None
        The target of these rows, rare classes merged.
    """

    schema: Schema | None
    problems: tuple[Problem, ...]
    columns: tuple[ColumnRecord, ...]
    rows: IntArray
    repeats: Repeats | None = None
    labels: pl.Series | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop the work."""
        return self._of(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that stop under ``--strict``."""
        return self._of(Severity.WARNING)

    @property
    def notices(self) -> tuple[Problem, ...]:
        """What the reader should know."""
        return self._of(Severity.NOTICE)

    def _of(self, severity: Severity) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is severity)


def examine(
    table: Table,
    target: str,
    *,
    task: Literal["auto", "classification", "regression"] = "auto",
    group: str | None = None,
    time: str | None = None,
    drop: Collection[str] = (),
    missing: Literal["impute", "drop", "error"] = "impute",
    weight: str | None = None,
    fold: str | None = None,
    split: str | None = None,
    missing_target: Literal["drop", "error"] = "drop",
    rare: Literal["error", "drop", "merge"] = "error",
    needs: ClassNeeds = TWO_ROWS,
    draws: Literal["ours", "own", "test table"] = "ours",
) -> Examined:
    """Look for everything that is wrong with a table, and give its columns their roles.

    Nothing is estimated here that a training fold should estimate: features are looked at for their
    structure, and with the target only to warn of one that gives it away.

    Parameters
    ----------
    table : Table
        The table.
    target : str
        The column to predict.
    task : {"auto", "classification", "regression"}
        With "auto", text, booleans, and whole numbers of at most 20 different values, each on three
        rows or more on average, are classes; other numbers are a regression.
    group : str, optional
        The column whose equal values must stay together.
    time : str, optional
        The column that orders the rows.
    drop : collection of str
        Columns to leave out.
    missing : {"impute", "drop", "error"}
        What becomes of missing values in features: filled in each training fold, their rows left out,
        or refused.
    weight, fold, split : str, optional
        Columns of weights, of folds, and of which rows are held out.
    missing_target : {"drop", "error"}
        Whether rows without a target are left out or refused.
    rare : {"error", "drop", "merge"}
        Whether classes of too few rows are refused, left out, or merged into one class.
    needs : ClassNeeds
        What the plan needs of each class.
    draws : {"ours", "own", "test table"}
        Whose splits the rows get. Copies of the rows of a test table are looked for elsewhere.

    Returns
    -------
    Examined
        Problems, roles and rows.

    Raises
    ------
    UsageError
        An argument that is invalid whatever the table.
    """
    roles = {"target": target, "group": group, "time": time, "weight": weight, "fold": fold, "split": split}
    _check_arguments(roles, task, drop, missing, missing_target, rare)
    frame = table.frame
    problems = [*table.notes, *_unknown_names(frame.columns, roles, drop)]
    taken = {name for name in roles.values() if name is not None}
    dropped = set(drop)
    free = [name for name in frame.columns if name not in taken | dropped]
    with_target = _with_target(frame, target, missing_target)
    seen = frame if len(with_target) == frame.height else frame[with_target]
    findings = {
        name: feature_finding(seen.get_column(name), with_target, asked=name in table.kinds) for name in free
    }
    for finding in findings.values():
        problems += finding.problems
    problems += _not_finite(seen, [name for name in frame.columns if name not in dropped], with_target)
    features = [name for name in free if not findings[name].excluded]
    if not features:
        problems.append(_no_feature(table, findings))
    problems += suspected_codes(seen, [name for name in features if name not in table.kinds])
    if missing == "error":
        problems += _refused_missing(seen, features, with_target)
    rows = with_target[_rows_used(seen, features, missing)]
    problems += _row_problems(seen, features, rows, missing)
    problems += _order_problems(seen, group, time, with_target)
    problems += weight_problems(seen, weight, with_target) + fold_problems(seen, fold, with_target)
    problems += split_problems(seen, split, with_target)

    schema, found = None, Target(None)
    if target in frame.columns and len(rows):
        whole = frame.get_column(target)
        asked = table.kinds.get(target)
        if asked is not None and task == "auto":
            task = "regression" if asked.kind == "number" else "classification"
        order = () if asked is None else asked.levels
        found = examine_target(whole, whole[rows], task, needs, missing_target, rare, order)
        problems += found.problems
        if found.kept is not None:
            enough, rows = len(rows) >= FEWEST_ROWS, rows[found.kept.to_numpy()]
            problems += _row_problems(seen, features, rows, missing) if enough else []
    leaks: dict[str, str] = {}
    repeats = None
    if found.task is not None:
        kinds = {name: findings[name].kind for name in features}
        chosen = tuple(Feature(name, kind) for name, kind in kinds.items() if kind != "unknown")
        schema = Schema(
            found.task,
            target,
            found.classes,
            found.counts,
            chosen,
            group,
            time,
            found.why,
            weight,
            fold,
            split,
        )
        leaks, of_leaks = _leaks(frame[rows], schema, found.labels)
        problems += of_leaks
        compared = [*(feature.name for feature in chosen), target] if chosen else []
        repeats = None if draws == "test table" else repeated_rows(frame[rows], compared)
        if repeats is not None:
            cure = _copies_cure(group or time or fold or split, draws == "own")
            problems.append(repeats_problem(repeats, rows, cure))
            repeats = None if repeats.by_chance else repeats
        smallest = rare_class(schema)
        said = None if smallest is None else rare_class_problem(schema, smallest)
        problems += [] if said is None else [said]
        if not any((group, time, fold, split)):
            problems += _dependence(frame[rows], findings, target)
    problems = joined_strays(problems)
    ordered = tuple(p for severity in SEVERITIES for p in problems if p.severity is severity)
    orders = {name: asked.levels for name, asked in table.kinds.items() if asked.levels}
    records = _records(frame, roles, dropped, findings, found, leaks, orders)
    return Examined(schema, ordered, records, rows, repeats, found.labels)


def _check_arguments(
    roles: dict[str, str | None],
    task: str,
    drop: Collection[str],
    missing: str,
    missing_target: str,
    rare: str,
) -> None:
    for role, name in roles.items():
        given: Any = name
        if not isinstance(given, str) and (given is not None or role == "target"):
            said = repr(given) if isinstance(given, int | float) else f"a {type(given).__name__}"
            raise UsageError(f"{role}: the name of one column is expected, not {said}")
    for name, value, allowed in (
        ("task", task, ("auto", "classification", "regression")),
        ("missing", missing, ("impute", "drop", "error")),
        ("missing_target", missing_target, ("drop", "error")),
        ("rare", rare, ("error", "drop", "merge")),
    ):
        if value not in allowed:
            raise UsageError(f"{name}: one of {', '.join(allowed)} is expected, not {value!r}")
    if isinstance(drop, str):
        raise UsageError(f"drop: a list of columns is expected, as [{drop!r}]")
    named = [(role, name) for role, name in roles.items() if name is not None]
    for at, (role, name) in enumerate(named):
        twice = [other for other, same in named[:at] if same == name]
        if name in drop:
            twice.append("drop")
        if twice:
            raise UsageError(f"{role}: {shown(name)} is named by {twice[0]} too; a column has one role")


def _unknown_names(
    columns: list[str], roles: dict[str, str | None], drop: Collection[str]
) -> Iterable[Problem]:
    wanted = [(role, name) for role, name in roles.items() if name is not None]
    wanted += [("drop", name) for name in drop]
    for role, name in wanted:
        if name in columns:
            continue
        folded = {column.strip().casefold(): column for column in reversed(columns)}
        near = difflib.get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.6)
        if near:
            cure = f"Did you mean {shown(folded[near[0]])}? Use {option(role, folded[near[0]])}"
        elif len(columns) <= FEW_COLUMNS:
            cure = f"The columns are {listed(columns, FEW_COLUMNS)}"
        else:
            cure = f"The {len(columns)} columns begin with {listed(columns, FEW_COLUMNS)}"
        yield Problem(Code.NO_TARGET, "there is no such column", f"{role} {shown(name)}", cure)


def _with_target(frame: pl.DataFrame, target: str, missing_target: str) -> IntArray:
    """Return the rows that have a target; all of them where the others are refused, or none has one."""
    if missing_target == "error" or target not in frame.columns:
        return np.arange(frame.height)
    known = frame.get_column(target).is_not_null()
    return np.flatnonzero(known.to_numpy()) if known.any() else np.arange(frame.height)


def _not_finite(frame: pl.DataFrame, names: Iterable[str], at: IntArray) -> list[Problem]:
    found = (infinities(frame.get_column(name), at) for name in names)
    return [problem for problem in found if problem is not None]


def _refused_missing(frame: pl.DataFrame, features: list[str], at: IntArray) -> list[Problem]:
    cure = f"Fill the cells, or use {option('missing', 'impute')} or {option('missing', 'drop')}"
    found = (missing_cells(frame.get_column(name), cure, at) for name in features)
    return [problem for problem in found if problem is not None]


def _rows_used(frame: pl.DataFrame, features: list[str], missing: str) -> IntArray:
    if missing != "drop" or not features:
        return np.arange(frame.height)
    whole = frame.select(pl.all_horizontal(pl.col(features).is_not_null()).alias("whole"))
    return np.flatnonzero(whole.get_column("whole").to_numpy())


def _row_problems(frame: pl.DataFrame, features: list[str], rows: IntArray, missing: str) -> list[Problem]:
    if len(rows) >= FEWEST_ROWS:
        return []
    cause = f"{counted(len(rows), 'row')}, and {FEWEST_ROWS} are the fewest that can be split"
    cure = "Give a table with more rows"
    if missing == "drop" and frame.height >= FEWEST_ROWS:
        empty = max(features, key=lambda name: frame.get_column(name).null_count())
        cause = f"of {counted(frame.height, 'row')} only {len(rows)} have every feature"
        cure = f"Use {option('missing', 'impute')}, or leave out the emptiest column: {option('drop', empty)}"
    return [Problem(Code.TOO_FEW_ROWS, cause, "the table", cure)]


def _order_problems(frame: pl.DataFrame, group: str | None, time: str | None, at: IntArray) -> list[Problem]:
    found: list[Problem | None] = []
    for role, name in (("group", group), ("time", time)):
        if name is None or name not in frame.columns:
            continue
        column = frame.get_column(name)
        found.append(
            missing_cells(column, f"Fill the cells or delete these rows; the {role} needs every row", at)
        )
        if role == "group" and column.drop_nulls().n_unique() == 1:
            cause, cure = (
                "all rows are of one group, so no group can be held out",
                "Name another column by --group",
            )
            found.append(Problem(Code.TOO_FEW_ROWS, cause, f"group {shown(name)}", cure))
        if role == "time" and column.null_count() < len(column) and kind_of(column) not in ("number", "date"):
            cause, cure = (
                "it holds neither dates nor numbers, so it has no order",
                "Write dates as 2026-01-31",
            )
            found.append(Problem(Code.STRAY_TEXT, cause, f"time {shown(name)}", cure))
    return [problem for problem in found if problem is not None]


def _no_feature(table: Table, findings: dict[str, Finding]) -> Problem:
    cause = "no column is left to predict from"
    if findings:
        cause += f": {listed(findings)} {'is' if len(findings) == 1 else 'are'} of no use"
        cause += f" ({next(iter(findings.values())).excluded})"
    return Problem(
        Code.NO_TABLE, cause, shown(table.name), "Give a table with a column that varies, or drop less"
    )


def _leaks(
    frame: pl.DataFrame, schema: Schema, labels: pl.Series | None
) -> tuple[dict[str, str], list[Problem]]:
    """Return the columns that give the target away, with the evidence, and a warning for each."""
    name = schema.target
    column = frame.get_column(name) if labels is None else labels
    known = column.is_not_null()
    if schema.task == "regression":
        numbers = column.cast(pl.Float64)
        known &= numbers.is_finite().fill_null(False)
        frame, y = frame.filter(known), numbers.filter(known).to_numpy()
        alone = number_leaks(frame, schema.features, y)
        values, counts = np.unique(y, return_counts=True)
        # A value that many rows have, as 0, may be a class of its own.
        common = values[counts.argmax()] if len(y) else 0.0
        codes, names = (y != common).astype(np.int64), [f"{common:g}"]
    else:
        codes = column.filter(known).rank("dense").cast(pl.Int64).to_numpy() - 1
        frame, y = frame.filter(known), codes.astype(float)
        if column.dtype in (pl.Int64, pl.Float64):
            y = column.filter(known).cast(pl.Float64).to_numpy()
        alone = class_leaks(frame, schema.features, codes, schema.classes)
        names = [str(each) for each in schema.classes]
    missing = missing_leaks(frame, schema.features, codes, names)
    leaks = alone | missing
    problems = [_leak(feature, name, said, feature not in missing) for feature, said in leaks.items()]
    others = [feature for feature in schema.features if feature.name not in alone]
    ordered = len(schema.classes) == 2 or column.dtype in (pl.Int64, pl.Float64)
    added = sum_of_columns(frame, others, y, name) if ordered else None
    if added is not None:
        problems.append(_sum(added, name))
        leaks |= {part: added.formula for part in added.names if part not in leaks}
    return leaks, problems


def _leak(name: str, target: str, said: str, alone: bool) -> Problem:
    cause = f"it alone predicts {shown(target)} ({said}), which is likely a leak"
    if not alone:
        cause = f"{said}, which is likely a leak"
    cure = f"If it is not known when predicting, leave it out: {option('drop', name)}"
    return Problem(Code.TELLTALE_COLUMN, cause, f"column {shown(name)}", cure, Severity.WARNING)


def _sum(added: Sum, target: str) -> Problem:
    left = (
        "nothing" if added.left < EXACT else f"a part in {1 / added.left:,.0f}".replace(",", "\N{THIN SPACE}")
    )
    cause = (
        f"together they give {shown(target)}: {added.formula} (least squares on {counted(added.rows, 'row')} "
        f"leaves {left} of its spread), which is likely a leak"
    )
    cure = f"If they are not known when predicting, leave one out: {option('drop', added.names[0])}"
    place = f"columns {listed(added.names)}"
    return Problem(Code.TELLTALE_COLUMN, cause, place, cure, Severity.WARNING)


def _dependence(frame: pl.DataFrame, findings: dict[str, Finding], target: str) -> list[Problem]:
    whole = frame.filter(frame.get_column(target).is_not_null())
    excluded = {name: finding.excluded for name, finding in findings.items() if finding.excluded}
    return dependence_problems(whole, list(findings), excluded, whole.get_column(target))


def _copies_cure(named: str | None, own: bool) -> str:
    remove = "Remove the copies if they are not observations of their own"
    if own or named:
        whose = "are your own" if own else f"follow {shown(named)}"
        return f"{remove}; the splits {whose}, so a copy of a held-out row may train"
    return f"A comparison keeps copies on one side of every split that it draws. {remove}"


def _records(
    frame: pl.DataFrame,
    roles: dict[str, str | None],
    dropped: set[str],
    findings: dict[str, Finding],
    target: Target,
    leaks: dict[str, str],
    orders: Mapping[str, Sequence[str]],
) -> tuple[ColumnRecord, ...]:
    role_of: dict[str, Any] = {name: role for role, name in roles.items() if name is not None}
    records = []
    shape: Literal["feature", "excluded"]
    for column in frame.iter_columns():
        name, empty = column.name, column.null_count()
        if name in findings:
            finding = findings[name]
            note = finding.excluded or (f"gives the target away: {leaks[name]}" if name in leaks else "")
            shape = "excluded" if finding.excluded else "feature"
            if name in orders and not note:
                note = f"ordinal: {' < '.join(orders[name])}"
            records.append(ColumnRecord(name, finding.kind, shape, empty, finding.levels, note))
            continue
        kind = kind_of(column)
        counted_kind = kind in ("category", "boolean") or (roles["target"] == name and bool(target.classes))
        levels = column.drop_nulls().n_unique() if counted_kind or name == roles["group"] else None
        if name in dropped:
            records.append(ColumnRecord(name, kind, "excluded", empty, levels, "dropped as asked"))
        else:
            records.append(ColumnRecord(name, kind, role_of[name], empty, levels, ""))
    return tuple(records)
