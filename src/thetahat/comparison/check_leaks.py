"""Columns that give the target away: each looked at alone, by a cheap screen and then on held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from thetahat.comparison.check_sums import Sum, sum_leak
from thetahat.comparison.schema import Feature
from thetahat.contracts import FloatArray, IntArray
from thetahat.tables.phrases import shown

__all__ = ["class_leaks", "missing_leaks", "number_leaks", "sum_of_columns"]

MOST_ROWS = 5_000
MOST_LEAKS = 10
# With fewer rows, or fewer outside the commonest class, one of many columns fits them all by chance.
FEWEST_ROWS = 20
FEWEST_OTHERS = 10
# Levels to be learned by heart are no leak; each needs other rows that confirm it.
ROWS_A_LEVEL = 3
FEW_LEVELS = 20

LEAKY_ERROR = 0.005
LEAKY_SHARE_OF_BASE = 0.1
LEAKY_RANK_CORRELATION = 0.999
LEAKY_R2 = 0.999
# Mean squared step of y along x over twice its variance: about 1 − R² of any smooth curve through it.
ROUGH = 0.02
# Cells are missing where a class is, except in this share of the rarer of the two.
EXCEPT_MISSING = 0.1
MOST_SHOWN = 3


def class_leaks(
    frame: pl.DataFrame, features: Sequence[Feature], codes: IntArray, classes: Sequence[object] = ()
) -> dict[str, str]:
    """Return the columns that alone predict a class, with how well, in words.

    A column is one when a learner that sees it alone errs on at most one held-out row in two hundred,
    and at most a tenth as often as the guess of the commonest class.

    Parameters
    ----------
    frame : polars.DataFrame
        The features, without rows that have no target.
    features : sequence of Feature
        Which of its columns to look at.
    codes : ndarray of shape (n,)
        Class codes 0 … K-1.
    classes : sequence, optional
        Their labels, for the words.
    """
    rows = _some_rows(len(codes))
    codes = codes[rows]
    counts = np.bincount(codes)
    others = len(codes) - int(counts.max())
    if len(codes) < FEWEST_ROWS or others < FEWEST_OTHERS:
        return {}
    tolerated = min(LEAKY_ERROR, LEAKY_SHARE_OF_BASE * others / len(codes))
    leaks: dict[str, str] = {}
    for feature in features:
        column = frame.get_column(feature.name)[rows]
        errors = [_level_error(levels, codes, len(counts)) for levels in _levels(column, feature)]
        if feature.kind in ("number", "date") and min(errors, default=1.0) > tolerated:
            errors.append(_curve_error(_filled(column), codes, len(counts), tolerated))
        if errors and min(errors) <= tolerated:
            said = f"held-out error {min(errors):.1%}, {others / len(codes):.0%} by guessing"
            leaks[feature.name] = _recoded(column, codes, classes) + said
        if len(leaks) == MOST_LEAKS:
            break
    return leaks


def number_leaks(frame: pl.DataFrame, features: Sequence[Feature], target: FloatArray) -> dict[str, str]:
    """Return the columns that alone predict a number, with how well, in words.

    A column is one when its ranks correlate with the target's by 0.999 or more, or when a learner
    that sees it alone reaches R² = 0.999 on held-out rows.

    Parameters
    ----------
    frame : polars.DataFrame
        The features, without rows that have no target.
    features : sequence of Feature
        Which of its columns to look at.
    target : ndarray of shape (n,)
        Finite numbers.
    """
    rows = _some_rows(len(target))
    target = target[rows]
    leaks: dict[str, str] = {}
    for feature in features:
        column = frame.get_column(feature.name)[rows]
        said = ""
        for levels in _levels(column, feature):
            r2 = _level_r2(levels, target)
            if r2 >= LEAKY_R2:
                said = f"R² {r2:.4f} on held-out rows"
        if not said and feature.kind in ("number", "date"):
            here = column.is_not_null().to_numpy()
            if here.sum() >= max(FEWEST_ROWS, len(target) / 2):
                said = _curve_r2(_filled(column)[here], target[here])
        if said:
            leaks[feature.name] = said
        if len(leaks) == MOST_LEAKS:
            break
    return leaks


def missing_leaks(
    frame: pl.DataFrame, features: Sequence[Feature], codes: IntArray, labels: Sequence[object]
) -> dict[str, str]:
    """Return the columns whose cells are missing in one class, or in all others, in words.

    Such a column is usually filled in once the outcome is known.

    Parameters
    ----------
    frame : polars.DataFrame
        The features.
    features : sequence of Feature
        Which of its columns to look at.
    codes : ndarray of shape (n,)
        Class codes 0 … K-1; those without a label are not looked for.
    labels : sequence
        Labels of the classes that are looked for.
    """
    leaks: dict[str, str] = {}
    for feature in features:
        missing = frame.get_column(feature.name).is_null().to_numpy()
        for code, label in enumerate(labels):
            inside = codes == code
            for absent, what in ((missing, "missing"), (~missing, "filled in")):
                rarest = min(int(inside.sum()), int((~inside).sum()), int(absent.sum()), int((~absent).sum()))
                wrong = int((absent != inside).sum())
                if rarest < FEWEST_OTHERS or wrong > EXCEPT_MISSING * rarest or feature.name in leaks:
                    continue
                here, there = int((absent & inside).sum()), int((absent & ~inside).sum())
                leaks[feature.name] = (
                    f"it is {what} in {here} of {inside.sum()} rows with {shown(label)} and in {there} of "
                    f"{(~inside).sum()} others, as a column that is known only afterwards"
                )
    return leaks


def sum_of_columns(
    frame: pl.DataFrame, features: Sequence[Feature], target: FloatArray, name: str
) -> Sum | None:
    """Return two or three columns that add up to the target, if there are any.

    Parameters
    ----------
    frame : polars.DataFrame
        The features.
    features : sequence of Feature
        Which of its columns to look at, without those that give the target away alone.
    target : ndarray of shape (n,)
        Finite numbers; classes as codes.
    name : str
        The target's name.
    """
    rows = _some_rows(len(target))
    return sum_leak(frame[rows], features, target[rows], name)


def _recoded(column: pl.Series, codes: IntArray, classes: Sequence[object]) -> str:
    """Say that the values of a column stand for the classes one to one; empty if they do not."""
    values: list[set[object]] = [set() for _ in classes]
    if not classes or column.n_unique() != len(classes):
        return ""
    for value, code in set(zip(column.to_list(), codes.tolist(), strict=True)):
        values[code].add(value)
    if any(len(each) != 1 for each in values) or len(set().union(*values)) != len(classes):
        return ""
    pairs = [
        f"{shown(next(iter(each)))} for {shown(label)}" for label, each in zip(classes, values, strict=True)
    ]
    more = ", …" if len(pairs) > MOST_SHOWN else ""
    return f"its values stand for the classes one to one, {', '.join(pairs[:MOST_SHOWN])}{more}: "


def _some_rows(count: int) -> IntArray:
    if count <= MOST_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, MOST_ROWS, replace=False))


def _levels(column: pl.Series, feature: Feature) -> list[IntArray]:
    """Return the column as level codes, missing a level too, where its levels have rows enough."""
    if feature.kind == "date" or column.dtype == pl.Float64:
        return []
    different = column.n_unique()
    most = FEW_LEVELS if feature.kind == "number" else len(column)
    if not 1 < different <= min(most, len(column) / ROWS_A_LEVEL):
        return []
    codes: IntArray = np.unique(column.rank("dense").fill_null(0).to_numpy(), return_inverse=True)[1]
    return [codes]


def _filled(column: pl.Series) -> FloatArray:
    """Return numbers, missing ones below all others, so that being missing can tell too."""
    physical = column.to_physical().cast(pl.Float64)
    below = float(np.asarray(physical.min(), dtype=float)) if physical.null_count() < len(physical) else 0.0
    return physical.fill_null(below - 1.0 - abs(below)).to_numpy()


def _level_error(levels: IntArray, codes: IntArray, classes: int) -> float:
    """Return the error of the commonest other class in the row's level, the row itself left out."""
    table = np.zeros((int(levels.max()) + 1, classes), dtype=np.int64)
    np.add.at(table, (levels, codes), 1)
    others = table[levels]
    each = np.arange(len(codes))
    own = others[each, codes] - 1
    others[each, codes] = -1
    return float(np.mean(own <= np.maximum(others.max(axis=1), 0)))


def _curve_error(x: FloatArray, codes: IntArray, classes: int, tolerated: float) -> float:
    leaves = max(8, 2 * classes)
    # Along x the class changes at each leaf's edge, and twice at most for each row that errs.
    along = codes[np.lexsort((codes, x))]
    if np.count_nonzero(np.diff(along)) > leaves - 1 + 2 * tolerated * len(codes):
        return 1.0
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
    return float(np.mean(_held_out(tree, x, codes) != codes))


def _level_r2(levels: IntArray, target: FloatArray) -> float:
    """Return R² of the mean of the other rows of the level."""
    counts = np.bincount(levels)[levels]
    sums = np.bincount(levels, weights=target)[levels]
    mean = target.mean()
    predicted = np.where(counts > 1, (sums - target) / np.maximum(counts - 1, 1), mean)
    return _r2(predicted, target)


def _curve_r2(x: FloatArray, target: FloatArray) -> str:
    if np.ptp(x) == 0 or np.ptp(target) == 0:
        return ""
    correlation = float(np.corrcoef(rankdata(x), rankdata(target))[0, 1])
    if abs(correlation) >= LEAKY_RANK_CORRELATION:
        if abs(correlation) < 1 - 1e-9:
            return f"rank correlation {correlation:.4f}"
        way = "rises" if correlation > 0 else "falls"
        return (
            f"it {way} with the target in every row, as a transform of it: rank correlation {correlation:.4f}"
        )
    along = target[np.lexsort((target, x))]
    if np.mean(np.diff(along) ** 2) / 2 > ROUGH * np.var(target):
        return ""
    r2 = _r2(_held_out(DecisionTreeRegressor(max_depth=12, random_state=0), x, target), target)
    return f"R² {r2:.4f} on held-out rows" if r2 >= LEAKY_R2 else ""


def _held_out(tree: Any, x: FloatArray, y: NDArray[Any]) -> NDArray[Any]:
    folds = KFold(5, shuffle=True, random_state=0)
    predicted: NDArray[Any] = cross_val_predict(tree, x[:, None], y, cv=folds)
    return predicted


def _r2(predicted: FloatArray, target: FloatArray) -> float:
    spread = float(np.sum((target - target.mean()) ** 2))
    return 1.0 - float(np.sum((target - predicted) ** 2)) / spread if spread else 0.0
