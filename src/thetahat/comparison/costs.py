"""Tables of the cost of each true class and predicted class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from thetahat.contracts import FloatArray
from thetahat.errors import DataError, UsageError
from thetahat.tables.frames import from_frame

__all__ = ["read_costs"]

FORM = "give one row per true class and one column per predicted class"


def read_costs(source: Any, labels: tuple[Any, ...]) -> FloatArray:
    """Return the costs of each true class (row) and predicted class (column).

    Parameters
    ----------
    source : path, frame or array of shape (K, K)
        A CSV file whose header names the predicted classes and whose first column names the true ones, both
        in any order; the same as a data frame (of pandas also with the true classes as its index); or an
        array in the order of ``labels``.
    labels : tuple
        The K classes, sorted. They are matched by their text.

    Returns
    -------
    ndarray of shape (K, K)
        In the order of ``labels``.

    Raises
    ------
    UsageError
        A class is missing, unknown or named twice, a cost is no finite number, or the file cannot be read.
    """
    if isinstance(source, str | Path):
        rows, columns, cells = _of_file(Path(source))
    elif isinstance(source, np.ndarray | list | tuple):
        return _of_array(source, labels)
    else:
        rows, columns, cells = _of_frame(source, len(labels))
    names = [str(label) for label in labels]
    down = _order(rows, names, "rows (true classes)")
    across = _order(columns, names, "columns (predicted classes)")
    costs = np.empty((len(names), len(names)))
    for i, row in enumerate(down):
        for j, column in enumerate(across):
            costs[i, j] = _number(cells[column][row], f"row {names[i]!r}, column {names[j]!r}")
    return costs


def _of_file(path: Path) -> tuple[list[str], list[str], list[list[Any]]]:
    try:
        frame = pl.read_csv(path, has_header=False, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"cost: {path} cannot be read ({reason}); give a CSV file with a header: {FORM}"
        ) from error
    # The header is read as a row, because polars renames columns that have the same name.
    header, *body = frame.rows()
    cells = [[line[column] for line in body] for column in range(1, len(header))]
    return [_text(line[0]) for line in body], [_text(cell) for cell in header[1:]], cells


def _of_frame(source: Any, classes: int) -> tuple[list[str], list[str], list[list[Any]]]:
    try:
        frame, backend = from_frame(source)
    except DataError as error:
        raise UsageError(
            f"cost: a path, a data frame or an array is expected, not {type(source).__name__} ({error})"
        ) from error
    columns = frame.columns
    if backend == "pandas" and len(columns) == classes:
        rows = [_text(each) for each in source.index]
    else:
        rows, columns = [_text(each) for each in frame.to_series(0)], columns[1:]
    return rows, [_text(each) for each in columns], [frame[each].to_list() for each in columns]


def _of_array(source: Any, labels: tuple[Any, ...]) -> FloatArray:
    classes = len(labels)
    try:
        costs = np.asarray(source, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"cost: the array holds what is no number ({error}); {FORM}") from error
    if costs.shape != (classes, classes):
        raise UsageError(
            f"cost: an array of shape ({classes}, {classes}) is expected, not {costs.shape}; {FORM}, in the "
            f"order {', '.join(map(str, labels))}"
        )
    for i, j in np.argwhere(~np.isfinite(costs)):
        _number(costs[i, j], f"row {str(labels[i])!r}, column {str(labels[j])!r}")
    return costs


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _order(given: list[str], names: list[str], where: str) -> list[int]:
    for label in given:
        if label not in names:
            raise UsageError(
                f"cost: the {where} name {label!r}, which is no class of the target; use {', '.join(names)}"
            )
        if given.count(label) > 1:
            raise UsageError(f"cost: the {where} name {label!r} more than once; keep one")
    for label in names:
        if label not in given:
            raise UsageError(f"cost: the {where} lack the class {label!r}; {FORM}")
    return [given.index(label) for label in names]


def _number(cell: Any, where: str) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        shown = "empty" if cell is None or cell == "" else repr(cell)
        raise UsageError(f"cost: the cell at {where} is {shown}; give a finite number")
    return number
