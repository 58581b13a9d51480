"""What the first pass over a stream learns: levels of categories, classes, means and scales."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

import numpy as np
import polars as pl

from thetahat.contracts import FloatArray
from thetahat.errors import Code, UsageError
from thetahat.tables.encoding import StreamColumn, numbers_of, refuse, text_of
from thetahat.tables.frames import normal
from thetahat.tables.identifiers import RowNames
from thetahat.tables.phrases import shown

__all__ = ["ColumnPass", "TargetPass"]

# A category of more levels than this is text.
MOST_LEVELS = 1000


class LevelPlaces:
    """Places of values in the order in which they appear."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.overflowed = False

    def of(self, values: pl.Series, name: str, row_names: bool = False) -> FloatArray:
        """Return the place of each value, NaN where it is missing.

        Values that may all be names of rows may be any number; they have no place then.
        """
        text = text_of(values)
        if row_names and (self.overflowed or len(self.places) + text.n_unique() > MOST_LEVELS):
            self.overflowed = True
            return np.where(text.is_null().to_numpy(), np.nan, 0.0)
        if self.overflowed:
            _too_many(name)
        for value in text.unique(maintain_order=True).drop_nulls().to_list():
            self.places.setdefault(value, len(self.places))
            if len(self.places) > MOST_LEVELS:
                _too_many(name)
        if not self.places:
            return np.full(len(text), np.nan)
        places = text.replace_strict(
            list(self.places), list(self.places.values()), default=None, return_dtype=pl.Float64
        )
        return np.asarray(places.fill_null(np.nan).to_numpy())

    def settled(self, order: list[str]) -> FloatArray:
        """Return, for each place of appearance, the place in this order."""
        return np.array([order.index(value) for value in self.places], dtype=np.float64)


def _too_many(name: str) -> NoReturn:
    refuse(
        Code.TOO_MANY_LEVELS,
        f"column {name!r}",
        f"it holds more than {MOST_LEVELS} different texts",
        f"Drop it by --drop {name}, or group its values",
    )


class ColumnPass:
    """What the first pass learns of one column."""

    def __init__(self, name: str, row_names: bool = False, kind: str | None = None) -> None:
        self.name = name
        self.levels: LevelPlaces | None = None
        self.known = False
        self.row_names = RowNames()
        self.row_names.possible = row_names and kind is None
        if kind == "category":
            self.known, self.levels = True, LevelPlaces()
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def names_rows(self) -> bool:
        """Whether it only names the rows."""
        return self.row_names.found()

    def numbers(self, values: pl.Series, with_target: pl.Series) -> FloatArray:
        """Return a batch as numbers: values as they are, or places of levels; NaN where missing."""
        if self.row_names.possible:
            self.row_names.see(normal(values).filter(with_target))
        if not self.known and values.null_count() < len(values):
            self.known = True
            if not values.dtype.is_numeric():
                if not isinstance(values.dtype, pl.String | pl.Categorical | pl.Enum | pl.Boolean):
                    refuse(
                        Code.STRAY_TEXT,
                        f"column {self.name!r}",
                        f"a regression takes numbers and categories, not {values.dtype}",
                        f"Drop it by --drop {self.name}",
                    )
                self.levels = LevelPlaces()
        if self.levels is not None:
            return self.levels.of(values, self.name, self.row_names.possible)
        return numbers_of(values, self.name)

    def note(self, values: FloatArray) -> None:
        """Merge the moments of a batch (Chan, Golub & LeVeque, 1983)."""
        if self.levels is not None:
            return
        values = values[~np.isnan(values)]
        n = len(values)
        if not n:
            return
        # What overflows here is refused, by the column's name, at the end of the pass.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean())
            away = values - mean
            gap, total = mean - self.mean, self.count + n
            self.squares += float(away @ away) + gap * gap * self.count * n / total
            self.mean += gap * n / total
        self.count = total

    def learnt(self) -> tuple[StreamColumn, FloatArray | None]:
        """Return the column, and for a category the sorted place of each place of appearance."""
        if self.levels is None:
            if not self.count:
                refuse(
                    Code.NOT_FINITE,
                    f"column {self.name!r}",
                    "it has no value",
                    f"Drop it by --drop {self.name}",
                )
            scale = (self.squares / self.count) ** 0.5
            if not (np.isfinite(scale) and np.isfinite(self.mean)):
                refuse(
                    Code.NOT_FINITE,
                    f"column {self.name!r}",
                    "its numbers are so large that their squares are infinite",
                    "Divide it by its unit",
                )
            constant = scale <= 1e-13 * abs(self.mean)
            return StreamColumn(self.name, None, self.mean, 1.0 if constant else scale), None
        if self.levels.overflowed:
            _too_many(self.name)
        order = sorted(self.levels.places)
        return StreamColumn(self.name, tuple(order)), self.levels.settled(order)


class TargetPass:
    """What the first pass learns of the target."""

    def __init__(self, name: str, classify: bool, given: Collection[str] | None) -> None:
        self.name, self.classify = name, classify
        self.given = None if given is None else sorted(map(str, given))
        self.levels = LevelPlaces()
        self.numeric = False
        self.sums = np.zeros(MOST_LEVELS + 1)
        self.weight = self.mean = self.squares = 0.0
        self.low, self.whole = np.inf, True
        self.classes: tuple[str | float | int, ...] | None = None
        self.recode: FloatArray | None = None
        self.shares = np.ones(1)
        self.deviation = 0.0

    def numbers(self, values: pl.Series) -> FloatArray:
        """Return a batch as numbers: values as they are, or places of levels; NaN where missing."""
        if not self.classify:
            return numbers_of(values, self.name)
        self.numeric = values.dtype.is_numeric()
        if values.dtype.is_float():
            values = values.fill_nan(None)
            whole = values.cast(pl.Int64, strict=False)
            if whole.null_count() == values.null_count() and (whole == values).all():
                values = whole
        codes = self.levels.of(values, self.name)
        strange = sorted(set(self.levels.places) - set(self.given or self.levels.places))
        if strange:
            raise UsageError(f"classes: the target holds {strange[0]!r}, which is not among those given")
        return codes

    def note(self, values: FloatArray, weights: FloatArray) -> None:
        """Add a batch to the shares of the classes, or merge its moments."""
        if not len(values):
            return
        if self.classify:
            self.sums += np.bincount(values.astype(np.int64), weights, minlength=len(self.sums))
            return
        total = float(weights.sum())
        if total <= 0:
            return
        mean = float(weights @ values) / total
        gap, both = mean - self.mean, self.weight + total
        self.squares += float(weights @ (values - mean) ** 2) + gap * gap * self.weight * total / both
        self.mean += gap * total / both
        self.weight = both
        self.low = min(self.low, float(values.min()))
        self.whole = self.whole and bool((values == np.floor(values)).all())

    def settle(self) -> None:
        """Sort the classes, or round the moments off."""
        if not self.classify:
            self.deviation = (self.squares / self.weight) ** 0.5 if self.weight else 0.0
            return
        found = self.given or list(self.levels.places)
        order = sorted(found, key=(lambda v: (float(v), v)) if self.numeric else str)
        if len(order) < 2:
            refuse(
                Code.CONSTANT_TARGET,
                f"column {self.name!r}",
                f"the target holds only {shown(order[0]) if order else 'nothing'}",
                "Choose a target with two classes or more",
            )
        self.recode = self.levels.settled(order)
        sums = np.zeros(len(order))
        sums[self.recode.astype(np.int64)] = self.sums[: len(self.recode)]
        self.shares = sums / sums.sum()
        self.classes = tuple(_number(v) for v in order) if self.numeric else tuple(order)


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value == int(value) else value
