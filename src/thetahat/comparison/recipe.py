"""What stands between a table and a learner, fitted inside each training fold and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from thetahat.comparison.schema import Feature
from thetahat.comparison.table_rows import TableRows
from thetahat.contracts import FloatArray

__all__ = ["NoColumns", "FittedRecipe", "RawTable", "Recipe", "TableRecipe"]

# A category beyond the so many commonest of the training fold is coded as one of "the rest".
MOST_LEVELS = 50


@dataclass(frozen=True, slots=True, eq=False)
class SharedColumns:
    """All rows in columns that every draw can share.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Every row of the table.
    standardized : tuple of bool
        Which columns a recipe fitted to a draw would scale to variance 1 by the draw's training rows.
    """

    X: NDArray[Any]
    standardized: tuple[bool, ...]

    def of(self, X: TableRows) -> NDArray[Any]:
        """Return these rows."""
        return np.asarray(self.X[X.rows])


class FittedRecipe(Protocol):
    """A recipe that has seen its training rows."""

    def transform(self, X: TableRows, /) -> Any:
        """Return these rows in the form the learner takes."""
        ...


class Recipe(Protocol):
    """How rows of the table become what a learner takes."""

    def fit(self, X: TableRows, weight: FloatArray | None = None, /) -> FittedRecipe:
        """Learn from training rows alone what the recipe needs; a row of weight two counts as two."""
        ...

    def shared(self, X: TableRows, /) -> SharedColumns | None:
        """Return all rows in columns that draws share; None if more than centers and scales are learned."""
        ...

    def describe(self) -> str:
        """Say in words what the recipe does."""
        ...


@dataclass(frozen=True, slots=True)
class TableRecipe:
    """Numbers imputed by the median and standardised, categories one-hot, dates taken apart.

    Parameters
    ----------
    features : tuple of Feature
        Names and kinds of the columns. The kinds are those of the whole table; medians, means, scales
        and levels are those of the training rows.
    """

    features: tuple[Feature, ...]

    def fit(self, X: TableRows, weight: FloatArray | None = None, /) -> FittedTableRecipe:
        """Learn medians, means, scales and levels from training rows."""
        columns = self._prepared(X.frame)
        # Named after the place, since a column may have any name, an empty one included.
        numbers = [c for f, c in self._places() if f.kind in ("number", "boolean")]
        categories = [c for f, c in self._places() if f.kind == "category"]
        dates = [c for f, c in self._places() if f.kind == "date"]
        steps: list[tuple[str, Any, list[str]]] = []
        if numbers:
            steps.append(("numbers", _numbers(), numbers))
        if categories:
            one_hot = OneHotEncoder(
                handle_unknown="infrequent_if_exist", max_categories=MOST_LEVELS, sparse_output=False
            )
            steps.append(("categories", one_hot, categories))
        if dates:
            steps.append(("dates", _dates(), dates))
        transformer = ColumnTransformer(steps, sparse_threshold=0.0).fit(columns)
        if weight is not None:
            for name, step, used in transformer.transformers_:
                if name == "numbers":
                    _weigh(step, columns.select(used), weight)
                elif name == "dates":
                    _weigh(step[-1], step[0].transform(columns.select(used)), weight)
        return FittedTableRecipe(self, transformer)

    def shared(self, X: TableRows, /) -> SharedColumns | None:
        """Return all rows in columns that draws share.

        None where a number is missing, since each draw has its own medians; where a column has so many levels
        that each draw merges its own rare ones; and where there are dates. A level that a draw's training
        rows lack is a column of zeros there, and a penalized coefficient of it is 0: as if the column were
        absent.
        """
        frame = X.frame.select([feature.name for feature in self.features])
        for feature in self.features:
            column = frame.get_column(feature.name)
            if feature.kind == "date" or (feature.kind != "category" and column.null_count()):
                return None
            if feature.kind == "category" and column.n_unique() > MOST_LEVELS:
                return None
        matrix = np.asarray(self.fit(X).columns.transform(self._prepared(X.frame)))
        numbers = sum(feature.kind in ("number", "boolean") for feature in self.features)
        return SharedColumns(matrix, tuple(k < numbers for k in range(matrix.shape[1])))

    def describe(self) -> str:
        """Say in words what the recipe does."""
        kinds = {feature.kind for feature in self.features}
        words = []
        if kinds & {"number", "boolean"}:
            words.append("numbers: missing values take the median, then mean 0 and variance 1")
        if "category" in kinds:
            words.append("categories: one-hot, a missing value is a level of its own")
        if "date" in kinds:
            words.append("dates: year, month, day, weekday and seconds, then as numbers")
        return "; ".join(words)

    def _places(self) -> list[tuple[Feature, str]]:
        return [(feature, f"x{place}") for place, feature in enumerate(self.features)]

    def _prepared(self, X: pl.DataFrame) -> pl.DataFrame:
        columns = []
        for feature, place in self._places():
            column = X.get_column(feature.name).alias(place)
            if feature.kind in ("number", "boolean"):
                column = column.cast(pl.Float64)
            elif feature.kind == "category":
                column = column.cast(pl.String)
            columns.append(column)
        return pl.DataFrame(columns)


@dataclass(frozen=True, slots=True, eq=False)
class FittedTableRecipe:
    """A table recipe with the medians, means, scales and levels of its training rows."""

    recipe: TableRecipe
    columns: ColumnTransformer

    def transform(self, X: TableRows, /) -> NDArray[Any]:
        """Return the rows as a float64 matrix."""
        matrix: NDArray[Any] = self.columns.transform(self.recipe._prepared(X.frame))
        return matrix


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """The rows as they are, in the user's own frame library: for pipelines that prepare for themselves.

    Parameters
    ----------
    names : tuple of str
        The feature columns.
    to_native : callable
        From a polars frame to the user's own.
    """

    names: tuple[str, ...]
    to_native: Callable[[pl.DataFrame], Any]

    def fit(self, X: TableRows, weight: FloatArray | None = None, /) -> RawTable:
        """Learn nothing."""
        return self

    def shared(self, X: TableRows, /) -> None:
        """Return nothing: the learner is given a frame."""
        return None

    def describe(self) -> str:
        """Say in words what the recipe does."""
        return "the columns as they are; the pipeline prepares them itself"

    def transform(self, X: TableRows, /) -> Any:
        """Return the rows in the user's own frame library."""
        return self.to_native(X.frame.select(self.names))


@dataclass(frozen=True, slots=True)
class NoColumns:
    """Nothing of the table: for a learner that ignores the features."""

    def fit(self, X: TableRows, weight: FloatArray | None = None, /) -> NoColumns:
        """Learn nothing."""
        return self

    def shared(self, X: TableRows, /) -> None:
        """Return nothing: there is no work to share."""
        return None

    def describe(self) -> str:
        """Say in words what the recipe does."""
        return "no columns: the features are ignored"

    def transform(self, X: TableRows, /) -> NDArray[Any]:
        """Return a column of zeros."""
        return np.zeros((X.shape[0], 1))


def _numbers() -> Any:
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())


def _weigh(numbers: Any, X: Any, weight: FloatArray) -> None:
    """Give a fitted pipeline of :func:`_numbers` the medians, means and scales of weighted rows."""
    imputer, scaler = numbers[0], numbers[1]
    matrix = np.asarray(X, dtype=np.float64)
    imputer.statistics_ = np.array([_median(column, weight) for column in matrix.T])
    scaler.fit(imputer.transform(X), sample_weight=weight)


def _median(x: FloatArray, weight: FloatArray) -> float:
    """Return the median of the rows as often as they count; 0 where none does, as the imputer has it."""
    known = ~np.isnan(x) & (weight > 0)
    if not known.any():
        return 0.0
    low, high = (
        float(np.quantile(sign * x[known], 0.5, weights=weight[known], method="inverted_cdf"))
        for sign in (1, -1)
    )
    return (low - high) / 2


def _dates() -> Any:
    # skrub brings pandas and takes most of a second to import: only a table with dates waits for it.
    from skrub import ApplyToCols, DatetimeEncoder  # noqa: PLC0415

    return make_pipeline(ApplyToCols(DatetimeEncoder(add_weekday=True)), _numbers())
