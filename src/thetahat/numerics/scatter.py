"""Sums, and sums of products, of the rows of a table: added and subtracted without loss.

The moments of most rows are those of all rows less those of the few left out. Each part is an ordinary matrix
product; the total is kept as a head and a tail, so that what is left after subtraction is as good as if the
remaining parts had been added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from thetahat.contracts import FloatArray
from thetahat.numerics.doubled import add_exactly

__all__ = ["Moments", "Total", "moments", "moments_at_once", "products", "weighted_products"]

# So many entries of X stay in the cache while they are weighted and multiplied.
ENTRIES_AT_ONCE = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Moments of rows z = [1, x, y], weighted: one symmetric matrix Σ w z zᵀ of them all.

    Parameters
    ----------
    matrix : ndarray of shape (1 + d + k, 1 + d + k)
        The sums; the entry at the top is the total weight.
    columns : int
        How many of the columns are x, d.
    """

    matrix: FloatArray
    columns: int

    @property
    def weight(self) -> float:
        """Total weight."""
        return float(self.matrix[0, 0])

    @property
    def sum_x(self) -> FloatArray:
        """Σ w x, shape (d,)."""
        return self.matrix[0, 1 : 1 + self.columns]

    @property
    def sum_y(self) -> FloatArray:
        """Σ w y, shape (k,)."""
        return self.matrix[0, 1 + self.columns :]

    @property
    def xx(self) -> FloatArray:
        """Σ w x xᵀ, shape (d, d)."""
        return self.matrix[1 : 1 + self.columns, 1 : 1 + self.columns]

    @property
    def xy(self) -> FloatArray:
        """Σ w x yᵀ, shape (d, k)."""
        return self.matrix[1 : 1 + self.columns, 1 + self.columns :]

    @property
    def yy(self) -> FloatArray:
        """Σ w y², shape (k,)."""
        return np.diagonal(self.matrix)[1 + self.columns :]


def moments(rows: FloatArray, columns: int, weight: FloatArray | None = None) -> Moments:
    """Return the moments of rows [1, x, y], of shape (n, 1 + d + k)."""
    if weight is None:
        return Moments(rows.T @ rows, columns)
    rooted = rows * np.sqrt(weight)[:, None]
    return Moments(rooted.T @ rooted, columns)


def products(rows: FloatArray) -> FloatArray:
    """Return the products of all pairs of columns, row by row: shape (n, q (q + 1) / 2)."""
    up, across = np.triu_indices(rows.shape[1])
    return rows[:, up] * rows[:, across]


def moments_at_once(pairs: FloatArray, counts: FloatArray, width: int) -> FloatArray:
    """Return the moments of many draws in one matrix product, shape (D, q, q).

    Parameters
    ----------
    pairs : ndarray of shape (n, q (q + 1) / 2)
        From :func:`products`.
    counts : ndarray of shape (D, n)
        How often each draw holds each row, times the row's weight.
    width : int
        q.
    """
    up, across = np.triu_indices(width)
    sums = counts @ pairs
    out = np.empty((len(counts), width, width))
    out[:, up, across] = sums
    out[:, across, up] = sums
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """A sum of moments in doubled precision."""

    head: FloatArray
    tail: FloatArray
    columns: int

    @classmethod
    def of(cls, parts: Iterable[Moments]) -> Total:
        """Add the parts, at least one."""
        first, *others = parts
        head, tail = first.matrix, np.zeros_like(first.matrix)
        for part in others:
            head, tail = add_exactly(head, tail, part.matrix)
        return cls(head, tail, first.columns)

    def without(self, part: Moments) -> Moments:
        """Return the moments of the rows that are not in this part."""
        head, tail = add_exactly(self.head, self.tail, part.matrix, -1.0)
        return Moments(head + tail, self.columns)


def weighted_products(X: Any, weight: FloatArray) -> FloatArray:
    """Return Xᵀ diag(weight) X for an ndarray or CSR matrix X and weights of at least 0."""
    if sparse.issparse(X):
        return np.asarray((X.T @ X.multiply(weight[:, None]).tocsr()).toarray())
    n, d = X.shape
    root = np.sqrt(weight)[:, None]
    block = max(1, ENTRIES_AT_ONCE // max(d, 1))
    out, rows = np.zeros((d, d)), np.empty((min(block, n), d))
    for start in range(0, n, block):
        stop = min(start + block, n)
        part = np.multiply(X[start:stop], root[start:stop], out=rows[: stop - start])
        out += part.T @ part  # one array on both sides, so half the work
    return out
