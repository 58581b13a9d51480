"""Columns that tie rows together: values that group them, and times that order them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import f as f_distribution

from thetahat.comparison.check_columns import kind_of
from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import Code, Problem, Severity
from thetahat.tables.phrases import counted, option, shown

__all__ = ["dependence_problems"]

MOST_ROWS = 50_000
FEWEST_ROWS = 30
# Values that name what rows are of have several rows each, and are more than the levels of a treatment.
FEWEST_VALUES, FEWEST_NAMED_VALUES = 10, 5
ROWS_A_VALUE = 2.5
# Rows of the value of a mean row over those of a mean value, beyond which numbers are a quantity.
MOST_UNEVEN = 2.0
NAMES_GROUPS = re.compile(
    r"(^|_|\b)(id|ids|subject|patient|person|participant|user|customer|client|family|household|group|"
    r"cluster|site|center|centre|clinic|hospital|school|class|animal|mouse|plate|batch|session|device|"
    r"sensor|machine|store|shop|company|firm|station|plot|farm|author|speaker|driver)(_|\b|id$|no$|$)",
    re.IGNORECASE,
)
NAMES_TIME = re.compile(
    r"(^|_|\b)(time|timestamp|date|datetime|year|quarter|month|week|day|hour|minute|second|step|t|index|"
    r"period|order|seq|sequence)(_|\b|$)",
    re.IGNORECASE,
)
# Alike beyond chance, and enough to matter: intervals too narrow by a tenth.
CHANCE = 1e-4
LEAST_FACTOR = 1.1
# Lag-1 autocorrelation, and how many standard errors of an independent sequence it must pass.
LEAST_LAG, LAG_ERRORS = 0.1, 4.0
MOST_NAMED = 2


@dataclass(frozen=True, slots=True)
class _Alike:
    """How alike the target is within the values of a column."""

    name: str
    values: int
    rows: float
    correlation: float
    factor: float


def dependence_problems(
    frame: pl.DataFrame, names: Sequence[str], excluded: Mapping[str, str], target: pl.Series
) -> list[Problem]:
    """Return a notice of each column whose values group the rows, or whose order makes neighbors alike.

    With intraclass correlation ρ of the target and m rows per group (the mean over rows), the variance of
    a mean is 1 + (m − 1) ρ times that of independent rows: the design effect.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows with a target.
    names : sequence of str
        Columns to look at.
    excluded : mapping of str to str
        Why a column among them is not a feature.
    target : polars.Series
        The target on these rows, numbers or classes.

    References
    ----------
    Kish (1965), Survey Sampling, section 5.4.
    """
    n = frame.height
    if n < FEWEST_ROWS:
        return []
    if n > MOST_ROWS:
        # Whole stretches of rows: groups and neighbors stay as they are.
        frame, target, n = frame[:MOST_ROWS], target[:MOST_ROWS], MOST_ROWS
    scores = _scores(target)
    if not scores.shape[1]:
        return []
    ordered = [each for name in names if (each := _ordered(frame.get_column(name), scores, excluded))]
    times = {name for name, _ in ordered}
    alike = [
        found
        for name in names
        if name not in times and (found := _alike(frame.get_column(name), scores)) is not None
    ]
    alike.sort(key=lambda each: -each.factor)
    return [
        *(_group_problem(each, target.name) for each in alike[:MOST_NAMED]),
        *(_time_problem(name, lag, target.name) for name, lag in ordered[:MOST_NAMED]),
    ]


def _scores(target: pl.Series) -> FloatArray:
    """Return the target as standardized numbers: its own, or an indicator of each class but the last."""
    if target.dtype in (pl.Float64, pl.Int64):
        columns = target.cast(pl.Float64).to_numpy()[:, None]
    else:
        codes = target.rank("dense").to_numpy().astype(np.int64) - 1
        classes = np.arange(max(1, min(int(codes.max()), 20)))
        columns = (codes[:, None] == classes).astype(float)
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    scores: FloatArray = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scores[:, np.isfinite(scores).all(axis=0)]


def _alike(column: pl.Series, scores: FloatArray) -> _Alike | None:
    kind = kind_of(column)
    if kind != "category" and column.dtype != pl.Int64:
        return None
    present = column.is_not_null().to_numpy()
    values, codes = np.unique(column.filter(pl.Series(present)).rank("dense").to_numpy(), return_inverse=True)
    count, n = len(values), len(codes)
    named = bool(NAMES_GROUPS.search(column.name))
    if count < (FEWEST_NAMED_VALUES if named else FEWEST_VALUES) or n < ROWS_A_VALUE * count:
        return None
    best = max((_intraclass(codes, count, z) for z in scores[present].T), key=lambda each: each[0])
    rho, p, means = best
    sizes = np.bincount(codes)
    rows = float((sizes**2).sum() / n)
    if kind == "number" and not named and rows > MOST_UNEVEN * n / count:
        # A quantity with a few common values; numbers that name what rows are of have about equally many.
        return None
    factor = math.sqrt(1 + (rows - 1) * max(rho, 0.0))
    if p > CHANCE or factor < LEAST_FACTOR or (kind == "number" and _smooth(means)):
        return None
    return _Alike(column.name, count, rows, rho, factor)


def _intraclass(codes: IntArray, count: int, z: FloatArray) -> tuple[float, float, FloatArray]:
    """Return the intraclass correlation by analysis of variance, its p-value, and the means of groups."""
    n = len(z)
    sizes = np.bincount(codes, minlength=count).astype(float)
    means: FloatArray = np.bincount(codes, z, count) / sizes
    between = float((sizes * (means - z.mean()) ** 2).sum()) / (count - 1)
    within = float(((z - means[codes]) ** 2).sum()) / (n - count)
    usual = (n - float((sizes**2).sum()) / n) / (count - 1)
    if between <= 0:
        return 0.0, 1.0, means
    rho = (between - within) / (between + (usual - 1) * within)
    p = float(f_distribution.sf(between / within, count - 1, n - count)) if within > 0 else 0.0
    return rho, p, means


def _smooth(means: FloatArray) -> bool:
    """Return whether group means follow the order of the numbers, as those of a quantity do."""
    ratio = float(np.mean(np.diff(means) ** 2) / (2 * np.var(means)))
    return ratio < 1 - 2.3 / math.sqrt(len(means))


def _ordered(column: pl.Series, scores: FloatArray, excluded: Mapping[str, str]) -> tuple[str, float] | None:
    """Return a column that orders rows whose neighbors are alike, with the lag-1 autocorrelation."""
    if column.null_count():
        return None
    date = kind_of(column) == "date"
    if not date:
        named = bool(NAMES_TIME.search(column.name)) or column.name in excluded
        if column.dtype not in (pl.Int64, pl.Float64) or not named or not column.is_sorted():
            return None
    if column.n_unique() < FEWEST_ROWS / 2:
        return None
    order = np.argsort(column.to_physical().to_numpy(), kind="stable")
    z = scores[order]
    steps = np.diff(z, axis=0)
    sorted_by_target = (steps >= 0).all() or (steps <= 0).all() or (np.abs(steps) > 0).sum() <= 2 * z.shape[1]
    if sorted_by_target and not date:
        # A table that was sorted by its target, and then numbered.
        return None
    lag = float(np.max(np.mean(z[1:] * z[:-1], axis=0)))
    return (column.name, lag) if lag >= max(LEAST_LAG, LAG_ERRORS / math.sqrt(len(z))) else None


def _group_problem(found: _Alike, target: str) -> Problem:
    cause = (
        f"{counted(found.values, 'value')} of about {found.rows:.0f} rows each, and {shown(target)} is alike "
        f"within them (intraclass correlation {found.correlation:.2f}); for rows of new "
        f"values, intervals would be about {found.factor:.1f} times too narrow"
    )
    cure = f"If new rows will be of new values, hold whole groups out: {option('group', found.name)}"
    return Problem(Code.DEPENDENT_ROWS, cause, f"column {shown(found.name)}", cure, Severity.NOTICE)


def _time_problem(name: str, lag: float, target: str) -> Problem:
    factor = math.sqrt((1 + min(lag, 0.99)) / (1 - min(lag, 0.99)))
    cause = (
        f"it orders the rows, and {shown(target)} of neighboring rows is alike (lag-1 autocorrelation "
        f"{lag:.2f}); intervals would be up to {factor:.1f} times too narrow, and models "
        "train on the future"
    )
    cure = f"If later rows are to be predicted from earlier ones, use {option('time', name)}"
    return Problem(Code.DEPENDENT_ROWS, cause, f"column {shown(name)}", cure, Severity.NOTICE)
