"""Kernel functions: each is a product of two lists of rows and a function of every number of the product.

=========  ===============================  =========================
kernel     k(x, z)                          product, function
=========  ===============================  =========================
linear     xᵀz                              xᵀz, itself
poly       (γ xᵀz + c)ᵈ                     γ xᵀz + c, power
rbf        exp(−γ ‖x − z‖²)                 −γ ‖x − z‖², exponential
sigmoid    tanh(γ xᵀz + c)                  γ xᵀz + c, tanh
=========  ===============================  =========================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.numerics.compiled import contracting_kernel, kernel
from thetahat.numerics.elementary import exponential_within
from thetahat.numerics.threads import spread

__all__ = ["BLUR", "TILE_COLUMNS", "TILE_ROWS", "KernelFunction", "KernelName", "in_threads"]

KernelName = Literal["linear", "poly", "rbf", "sigmoid"]
# Numbers in a tile of a product: what stays in the cache between the product and the function.
TILE_ROWS, TILE_COLUMNS = 128, 2048
# γ (‖x‖² + ‖z‖²) beyond this leaves fewer than 13 digits in γ ‖x − z‖² of rows near each other.
FAR = 1e3
EPS = float(np.finfo(np.float64).eps)
# Distances whose rounding is beyond this are said to be blurred.
BLURRED = 1e-4
BLUR = (
    "rows lie so far apart that the kernel keeps few digits of the distances between near ones; scale the "
    "columns (StandardScaler) or look for outliers"
)
# So many kernel values take several times as long as threads take to start.
WORTH_THREADS = 1 << 20


@dataclass(frozen=True, slots=True)
class KernelFunction:
    """A kernel with its parameters.

    Parameters
    ----------
    name : {"linear", "poly", "rbf", "sigmoid"}
        Which.
    gamma, degree, coef0 : float
        γ, d and c of the table above; those that a kernel does not have are left aside.
    """

    name: KernelName
    gamma: float = 1.0
    degree: int = 3
    coef0: float = 0.0

    def left(self, X: Any, dtype: Any = np.float64) -> Any:
        """Return the left factor of the product, a row for each row of X."""
        if self.name == "linear":
            return X.astype(dtype)
        if self.name == "rbf":
            extra = [-self.gamma * _squares(X), np.ones(X.shape[0])]
            return _beside(X * (2.0 * self.gamma), extra, dtype)
        return _beside(X * self.gamma, [np.full(X.shape[0], self.coef0)], dtype)

    def right(self, X: Any, dtype: Any = np.float64) -> Any:
        """Return the right factor of the product, a column for each row of X."""
        if self.name == "linear":
            factor = X.astype(dtype)
        elif self.name == "rbf":
            factor = _beside(X, [np.ones(X.shape[0]), -self.gamma * _squares(X)], dtype)
        else:
            factor = _beside(X, [np.ones(X.shape[0])], dtype)
        return factor.T.tocsr() if sp.issparse(factor) else np.ascontiguousarray(factor.T)

    def finish(self, block: NDArray[Any]) -> None:
        """Apply the function to every number of a product, in place."""
        if self.name == "rbf":
            if block.dtype == np.float32:
                _exponentials(block)
            else:
                np.exp(np.minimum(block, 0.0, out=block), out=block)
        elif self.name == "poly":
            block[...] = block**self.degree
        elif self.name == "sigmoid":
            np.tanh(block, out=block)

    def diagonal(self, X: Any) -> FloatArray:
        """Return k(x, x) of each row."""
        if self.name == "rbf":
            return np.ones(X.shape[0])
        squares = _squares(X)
        if self.name == "linear":
            return squares
        product = self.gamma * squares + self.coef0
        with np.errstate(over="ignore"):
            return np.asarray(product**self.degree if self.name == "poly" else np.tanh(product))

    def bounded(self, X: Any) -> bool:
        """Return whether γ ‖x‖², and so every product of two rows, is a finite number."""
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(2.0 * self.gamma * _squares(X)).all())

    def matrix(self, X: Any, Z: Any) -> FloatArray:
        """Return k of each row of X with each row of Z."""
        out = np.empty((X.shape[0], Z.shape[0]))
        left, right = self.factors(X, Z)
        for r in range(0, len(out), TILE_ROWS):
            out[r : r + TILE_ROWS] = self.product(left[r : r + TILE_ROWS], right)
            self.finish(out[r : r + TILE_ROWS])
        return out

    def expansion(self, X: Any, Z: Any, coef: FloatArray) -> FloatArray:
        """Return k(X, Z) coef without keeping the matrix; coef has a row for each row of Z."""
        out = np.zeros((X.shape[0], coef.shape[1]))
        left, right = self.factors(X, Z)
        strips = []
        for c in range(0, Z.shape[0], TILE_COLUMNS):
            strip = right[:, c : c + TILE_COLUMNS]
            strip = strip if sp.issparse(strip) else np.ascontiguousarray(strip)
            strips.append((strip, coef[c : c + TILE_COLUMNS]))

        def rows(r: int) -> None:
            for strip, weight in strips:
                block = self.product(left[r : r + TILE_ROWS], strip)
                self.finish(block)
                out[r : r + TILE_ROWS] += block @ weight

        in_threads(rows, range(0, len(out), TILE_ROWS), X.shape[0] * Z.shape[0])
        return out

    def factors(self, X: Any, Z: Any) -> tuple[Any, Any]:
        """Return both factors; distances are taken from the middle of Z, which costs them no digits."""
        if self.name == "rbf" and not sp.issparse(X) and not sp.issparse(Z) and len(Z):
            X, Z = X.astype(np.float64, copy=False), Z.astype(np.float64, copy=False)
            middle = self.middle(Z)
            X, Z = X - middle, Z - middle
        return self.left(X), self.right(Z)

    def middle(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return where distances between rows are best taken from: amid most, if some are very far off."""
        middle = X.mean(axis=0)
        return np.asarray(np.median(X, axis=0) if self.gamma * _reach(X, middle) > FAR else middle)

    def blurred(self, X: Any) -> bool:
        """Return whether rows lie so far apart that distances of near ones have fewer than four digits."""
        if self.name != "rbf" or not X.shape[0]:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            if sp.issparse(X):
                lost = EPS * self.gamma * _squares(X).max()
            else:
                lost = EPS * np.sqrt(self.gamma * _reach(X, self.middle(X)))
        # What overflows is refused elsewhere.
        return bool(BLURRED < lost < np.inf)

    def product(self, left: Any, right: Any) -> NDArray[Any]:
        """Return left · right; in float64 distances much smaller than the rows are taken by differences."""
        out = left @ right
        if sp.issparse(out):
            return np.asarray(out.toarray())
        if self.name == "rbf" and out.size and out.dtype == np.float64:
            dense = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
            if dense and left[:, -2].min() + right[-1].min() < -FAR:
                _by_differences(out, left, right, self.gamma)
        return np.asarray(out)

    @property
    def positive(self) -> bool:
        """Whether every matrix of this kernel is positive semi-definite."""
        return self.name in ("linear", "rbf") or (self.name == "poly" and self.coef0 >= 0)


def _squares(X: Any) -> FloatArray:
    if sp.issparse(X):
        return np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
    return np.asarray(np.einsum("ij,ij->i", X, X))


def _beside(X: Any, extra: list[FloatArray], dtype: Any) -> Any:
    if sp.issparse(X):
        return sp.hstack([X, *(each[:, None] for each in extra)], format="csr", dtype=dtype)
    out = np.empty((X.shape[0], X.shape[1] + len(extra)), dtype)
    out[:, : X.shape[1]] = X
    for k, each in enumerate(extra):
        out[:, X.shape[1] + k] = each
    return out


def _reach(X: NDArray[Any], middle: NDArray[Any]) -> float:
    """Return what ‖x − middle‖² of no row exceeds, from the ends of the columns: no copy of the rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        far = np.maximum(X.max(axis=0) - middle, middle - X.min(axis=0))
        return float(far @ far)


def in_threads(run: Callable[[int], object], starts: Sequence[int], values: int) -> None:
    """Call ``run`` of each start, on several threads where so many kernel values are worth starting them."""
    spread(run, starts, values >= WORTH_THREADS)


@contracting_kernel
def _exponentials(block: Any) -> None:
    """Replace float32 numbers at most nought, but for rounding, by their exponential."""
    nought, least = np.float32(0), np.float32(-87.3)
    for r in range(block.shape[0]):
        row = block[r]
        for c in range(row.shape[0]):
            row[c] = exponential_within(max(min(row[c], nought), least))


@kernel
def _by_differences(block: Any, left: Any, right: Any, gamma: float) -> None:
    """Replace −γ ‖x − z‖² that is not far below nought by the same number from the differences x − z.

    ``left`` holds 2γ x, −γ ‖x‖² and 1 in a row, ``right`` z, 1 and −γ ‖z‖² in a column: their product is the
    difference of numbers of the size of the squares, and has only the digits that these leave it.
    """
    d, twice = left.shape[1] - 2, 2 * gamma
    for r in range(block.shape[0]):
        for c in range(block.shape[1]):
            # Of what exponentials below e⁻⁴⁰ lose nothing is seen.
            if block[r, c] > -40 + 1e-12 * (left[r, d] + right[d + 1, c]):
                square = 0.0
                for k in range(d):
                    # Rounded as the left factor was, so that what is equal differs by nought.
                    off = left[r, k] - twice * right[k, c]
                    square += off * off
                block[r, c] = -square / (2 * twice)
