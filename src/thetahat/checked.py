"""Arguments of public functions as clean arrays and numbers, or an error that names argument and cause.

For functions that take bare arrays; the classes with scikit-learn's interface use its validation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError

__all__ = [
    "column",
    "finite",
    "generator",
    "level_of",
    "matrix",
    "some_columns",
    "squarable",
    "target",
    "whole_number",
]

# Sums of squares of larger numbers, or of inverse squares of smaller ones, may overflow.
LARGEST = 1e140


def column(data: Any, name: str, *, least: int = 1) -> FloatArray:
    """Return finite numbers of shape (n,) as float64.

    Parameters
    ----------
    data : array-like
        What was handed in.
    name : str
        The argument.
    least : int
        Fewest rows.

    Raises
    ------
    UsageError
        It is not that.
    """
    x = _numbers(data, name)
    if x.ndim != 1:
        raise UsageError(f"{name}: numbers of shape (n,) are expected, not shape {x.shape}")
    _enough(len(x), name, least)
    finite(x, name)
    return x


def matrix(data: Any, name: str, *, least: int = 1, sparse: bool = False) -> Any:
    """Return finite numbers of shape (n, d) as float64, or as CSR where they are sparse and may be."""
    if hasattr(data, "tocsr"):
        if not sparse:
            raise UsageError(f"{name}: is sparse; give {name}.toarray()")
        rows = data.tocsr().astype(np.float64)
        inside = rows.data
    else:
        rows = inside = _numbers(data, name)
    if rows.ndim != 2:
        raise UsageError(f"{name}: rows of shape (n, d) are expected, not shape {rows.shape}")
    _enough(rows.shape[0], name, least)
    if rows.shape[1] == 0:
        raise UsageError(f"{name}: has no columns")
    finite(inside, name)
    return rows


def target(y: Any, n: int, name: str = "y") -> NDArray[Any]:
    """Return numbers or labels of shape (n,), none of them missing."""
    if y is None:
        raise UsageError(f"{name}: is missing; one value a row is needed")
    try:
        array = np.asarray(y)
    except ValueError as error:
        raise UsageError(f"{name}: cannot be an array: {error}") from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n,):
        raise UsageError(f"{name}: one value for each of {n} rows is expected, not shape {array.shape}")
    if array.dtype.kind == "f":
        finite(array, name)
    elif array.dtype.kind == "c":
        raise UsageError(f"{name}: complex numbers are not supported")
    elif array.dtype == object and any(value is None or value != value for value in array):
        raise UsageError(f"{name}: has missing values; leave those rows out")
    return array


def some_columns(X: Any) -> None:
    """Raise an error where a table has no columns, which scikit-learn does not name in a frame."""
    shape: Any = getattr(X, "shape", ())
    if len(shape) == 2 and shape[1] == 0 and hasattr(X, "columns"):
        raise UsageError(f"X: 0 feature(s) (shape={tuple(shape)}) while a minimum of 1 is required")


def squarable(array: Any, name: str) -> None:
    """Raise an error where the squares of the numbers are beyond the largest number, or vanish."""
    largest = float(np.abs(array).max(initial=0.0))
    if largest > LARGEST or 0 < largest < 1 / LARGEST:
        raise UsageError(
            f"{name}: the squares of numbers of size {largest:.1g} are no numbers; rescale {name}"
        )


def finite(array: NDArray[Any], name: str) -> None:
    """Raise an error that names the first number that is not finite."""
    bad = ~np.isfinite(array)
    if bad.any():
        place = np.unravel_index(int(np.argmax(bad)), array.shape)
        where = f"row {place[0]}" if array.ndim == 1 else f"row {place[0]}, column {place[1]}"
        raise UsageError(
            f"{name}: {where} is {array[place]}; finite numbers are expected, so leave missing values out"
        )


def _numbers(data: Any, name: str) -> FloatArray:
    if hasattr(data, "tocsr"):
        raise UsageError(f"{name}: is sparse; give {name}.toarray()")
    try:
        array = np.asarray(data)
        if array.dtype.kind == "c":
            raise UsageError(f"{name}: complex numbers are not supported")
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array, dtype=np.float64) if array.ndim else array.astype(np.float64)
    except (ValueError, TypeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{name}: numbers are expected: {error}") from None


def _enough(n: int, name: str, least: int) -> None:
    if n == 0:
        raise UsageError(f"{name}: there are no rows")
    if n < least:
        raise UsageError(f"{name}: {least} rows or more are needed, not {n}")


def whole_number(value: Any, name: str, *, least: int = 1) -> int:
    """Return a whole number of at least ``least``.

    Raises
    ------
    UsageError
        It is not that.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise UsageError(f"{name}: a whole number is expected, not {value!r}")
    if value < least:
        raise UsageError(f"{name}: must be at least {least}, not {value}")
    return int(value)


def level_of(value: Any, name: str = "level") -> float:
    """Return a probability strictly between 0 and 1.

    Raises
    ------
    UsageError
        It is not that.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        raise UsageError(f"{name}: a number between 0 and 1 is expected, not {value!r}")
    if not 0 < value < 1:
        raise UsageError(f"{name}: must lie between 0 and 1, not {value:g}")
    return float(value)


def generator(rng: Any) -> Generator:
    """Return the generator that was given, or one of seed 0 for None.

    Raises
    ------
    UsageError
        It is not a ``numpy.random.Generator``.
    """
    if rng is None:
        return np.random.default_rng(0)
    if not isinstance(rng, Generator):
        seed = rng if isinstance(rng, int) else 0
        raise UsageError(
            f"rng: a numpy Generator is expected, not {type(rng).__name__}; "
            f"give np.random.default_rng({seed})"
        )
    return rng
