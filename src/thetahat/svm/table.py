"""The kernel matrix of n rows, whole or by tiles: float32 for the steps, float64 for the verdict."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.numerics.kernels import TILE_COLUMNS, TILE_ROWS, KernelFunction, in_threads
from thetahat.svm.blocks import mirror
from thetahat.svm.interior import MOST_COLUMNS
from thetahat.svm.steps import padded

__all__ = ["KernelTable"]

# A product of so few columns costs less than copying the other triangle.
CHEAP_COLUMNS = 50
# A sparse table of so few numbers is worked on as a dense one.
MOST_DENSE = 30_000_000
Put = Callable[[int, int, NDArray[Any]], None]


class KernelTable:
    """k of each pair of n rows.

    Parameters
    ----------
    function : KernelFunction or None
        The kernel; None where ``X`` is the kernel matrix itself.
    X : ndarray or CSR matrix of shape (n, d), or ndarray of shape (n, n)
        Rows of data, or their kernel matrix.
    """

    def __init__(self, function: KernelFunction | None, X: Any) -> None:
        self.function = function
        if function is not None:
            if sp.issparse(X) and X.shape[0] * X.shape[1] <= MOST_DENSE:
                X = X.toarray()
            if function.name == "rbf" and not sp.issparse(X):
                X = X - function.middle(X)
        self.X = X
        self.n = int(X.shape[0])

    @property
    def narrow(self) -> bool:
        """Whether its rows have so few columns that computing a kernel value costs less than copying it."""
        return self.function is not None and not sp.issparse(self.X) and self.X.shape[1] < CHEAP_COLUMNS

    @property
    def linear(self) -> bool:
        """Whether the kernel is the product of the rows, so that Kβ = X(Xᵀβ) costs no kernel value."""
        return self.function is not None and self.function.name == "linear"

    @property
    def slender(self) -> bool:
        """Whether the kernel is linear in so few columns that no kernel value is ever needed."""
        return self.linear and self.X.shape[1] <= min(MOST_COLUMNS, self.n - 1)

    @cached_property
    def diagonal(self) -> FloatArray:
        """K of each row with itself."""
        if self.function is None:
            return np.ascontiguousarray(np.diagonal(self.X), dtype=np.float64)
        return self.function.diagonal(self.X)

    @property
    def bounded(self) -> bool:
        """Whether the products that the kernel is a function of are finite numbers."""
        return self.function is None or self.function.bounded(self.X)

    @cached_property
    def _single(self) -> tuple[Any, Any]:
        assert self.function is not None
        return self.function.left(self.X, np.float32), self.function.right(self.X, np.float32)

    @cached_property
    def _double(self) -> tuple[Any, Any]:
        assert self.function is not None
        return self.function.left(self.X), self.function.right(self.X)

    def tiles(
        self, rows: IntArray, columns: IntArray | None, put: Put, dtype: Any = np.float32, by: str = "columns"
    ) -> None:
        """Give ``put(r, c, block)`` the matrix of these rows and columns, tile by tile.

        Tiles of the same columns, or by="rows" of the same rows, come one after the other; others may come
        at the same time on another thread.
        """
        if self.function is None:
            for r in range(0, len(rows), TILE_ROWS):
                some = rows[r : r + TILE_ROWS]
                block = self.X[some] if columns is None else self.X[np.ix_(some, columns)]
                put(r, 0, block.astype(dtype))
            return
        left, right = self._single if dtype == np.float32 else self._double
        many = self.n if columns is None else len(columns)
        left, product, finish = left[rows], self.function.product, self.function.finish

        def strip(c: int) -> Any:
            chosen = slice(c, c + TILE_COLUMNS) if columns is None else columns[c : c + TILE_COLUMNS]
            return right[:, chosen] if sp.issparse(right) else np.ascontiguousarray(right[:, chosen])

        def tile(r: int, c: int, strip: Any) -> None:
            block = product(left[r : r + TILE_ROWS], strip)
            finish(block)
            put(r, c, block)

        def below(c: int) -> None:
            right_of = strip(c)
            for r in down:
                tile(r, c, right_of)

        down, across = range(0, len(rows), TILE_ROWS), range(0, many, TILE_COLUMNS)
        if by == "columns":
            in_threads(below, across, len(rows) * many)
        else:
            strips = [(c, strip(c)) for c in across]

            def beside(r: int) -> None:
                for c, right_of in strips:
                    tile(r, c, right_of)

            in_threads(beside, down, len(rows) * many)

    def whole(self, out: NDArray[Any]) -> None:
        """Write the matrix into the n first columns of ``out``, nought into the rest."""
        out[:, self.n :] = 0
        every = np.arange(self.n)

        def put(r: int, c: int, block: NDArray[Any]) -> None:
            out[r : r + block.shape[0], c : c + block.shape[1]] = block

        if self.function is None or sp.issparse(self.X) or self.narrow:
            self.tiles(every, None, put, out.dtype)
        else:
            left, right = self._single if out.dtype == np.float32 else self._double
            product, finish = self.function.product, self.function.finish

            def above(r: int) -> None:
                for c in range(r, self.n, TILE_COLUMNS):
                    block = product(left[r : r + TILE_ROWS], right[:, c : c + TILE_COLUMNS])
                    finish(block)
                    put(r, c, block)

            in_threads(above, range(0, self.n, TILE_ROWS), self.n**2 // 2)
        # The product of a row with another may round otherwise than the other way round.
        mirror(out, self.n)

    def gram(self, dtype: Any) -> NDArray[Any]:
        """Return the matrix with its rows padded to whole vectors."""
        out = np.empty((self.n, padded(self.n)), dtype)
        self.whole(out)
        return out

    def times(self, beta: FloatArray, rows: IntArray | None = None) -> FloatArray:
        """Return (Kβ) of these rows in float64."""
        carried = np.flatnonzero(beta)
        chosen = np.arange(self.n) if rows is None else rows
        out = np.zeros(len(chosen))
        if not len(carried):
            return out
        weight = beta[carried]
        if self.linear:
            return np.asarray(self.X[chosen] @ (self.X[carried].T @ weight))

        def put(r: int, c: int, block: NDArray[Any]) -> None:
            out[r : r + len(block)] += block @ weight[c : c + block.shape[1]]

        self.tiles(chosen, carried, put, np.float64, by="rows")
        return out
