"""What is trained: a loss, the data its batches come from, and the state of the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError

__all__ = ["Dropout", "EngineState", "TrainingProblem", "batches", "draw_mask"]


@dataclass(frozen=True, slots=True)
class Dropout:
    """A mask that is drawn anew for each batch: 0 with probability ``rate``, else 1/(1 − rate).

    Parameters
    ----------
    shape : tuple of int
        Shape of one row of the mask; a batch has ``(batch, *shape)``.
    rate : float
        Probability of a zero, in [0, 1).
    """

    shape: tuple[int, ...]
    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise UsageError(f"dropout: the rate is {self.rate}; it must lie in [0, 1)")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingProblem:
    """A loss to be made small over batches of rows.

    Parameters
    ----------
    loss : callable
        ``(parameters, batch) -> scalar``, written in plain NumPy and :mod:`thetahat.autodiff`:
        ``parameters`` is a list of arrays shaped as below, ``batch`` a mapping with the rows of each
        array of ``data`` and a mask for each name of ``masks``. The scalar is the loss of the batch as
        it should be stepped on: its mean, with any penalty.
    parameters : sequence of ndarray
        Where training starts; all float32 or all float64, which is the precision of the work.
    data : mapping of str to ndarray
        Arrays of n rows each, numbers or whole-number codes. Numbers take the parameters' precision.
    masks : mapping of str to Dropout
        Random masks that come with a batch.

    Raises
    ------
    UsageError
        Where precisions are mixed, or arrays have different numbers of rows.
    """

    loss: Callable[[list[Any], Mapping[str, Any]], Any]
    parameters: Sequence[FloatArray]
    data: Mapping[str, NDArray[Any]]
    masks: Mapping[str, Dropout] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {np.asarray(p).dtype for p in self.parameters}
        if len(kinds) != 1 or next(iter(kinds)) not in (np.dtype(np.float32), np.dtype(np.float64)):
            names = ", ".join(sorted(map(str, kinds))) or "none"
            raise UsageError(f"parameters: give arrays of one precision, float32 or float64, not {names}")
        rows = {name: len(array) for name, array in self.data.items()}
        if len(set(rows.values())) != 1:
            raise UsageError(f"data: the arrays have different numbers of rows, {rows}")
        both = set(self.data) & set(self.masks)
        if both:
            raise UsageError(f"masks: {sorted(both)} is also a name in data; give the mask another name")
        ours = {name: self._owned(name, np.asarray(array)) for name, array in self.data.items()}
        object.__setattr__(self, "data", ours)

    def _owned(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind == "f":
            return np.ascontiguousarray(array, dtype=self.dtype)
        if array.dtype.kind in "iub":
            return np.ascontiguousarray(array, dtype=np.int64)
        raise UsageError(f"data: {name} is an array of {array.dtype}; a network takes numbers or codes")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the work."""
        return np.asarray(self.parameters[0]).dtype

    @property
    def rows(self) -> int:
        """Rows of the data."""
        return len(next(iter(self.data.values())))

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(int(np.size(p)) for p in self.parameters)

    def views(self, flat: FloatArray) -> list[FloatArray]:
        """Cut a vector of all parameters into their shapes, without copying."""
        views, start = [], 0
        for parameter in self.parameters:
            stop = start + int(np.size(parameter))
            views.append(flat[start:stop].reshape(np.shape(parameter)))
            start = stop
        return views

    def batch(self, rows: IntArray | None, rng: Generator | None) -> dict[str, NDArray[Any]]:
        """Return the rows of a batch, all of them for None, with its masks; ones without ``rng``."""
        found = {name: array if rows is None else array[rows] for name, array in self.data.items()}
        count = self.rows if rows is None else len(rows)
        for name, dropout in self.masks.items():
            mask = np.ones((count, *dropout.shape), self.dtype)
            found[name] = mask if rng is None else draw_mask(dropout, mask, rng)
        return found


def draw_mask(dropout: Dropout, out: FloatArray, rng: Generator) -> FloatArray:
    """Fill ``out`` with a fresh mask. Every executor draws by it, in the order of ``masks``, step by step."""
    np.multiply(
        rng.random(out.shape, dtype=np.float32) >= np.float32(dropout.rate), 1 / (1 - dropout.rate), out=out
    )
    return out


def batches(order: IntArray, batch_size: int) -> Iterator[IntArray]:
    """Cut an order of rows into batches, the last perhaps shorter."""
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


@dataclass(frozen=True, slots=True, eq=False)
class EngineState:
    """All that training remembers; restoring it continues bit for bit.

    Parameters
    ----------
    parameters : ndarray of shape (m,)
        All parameters in one vector.
    moments : ndarray of shape (slots, m)
        The optimiser's memory.
    step : int
        Steps taken.
    gradient : ndarray of shape (m,)
        Of the last step.
    """

    parameters: FloatArray
    moments: FloatArray
    step: int
    gradient: FloatArray
