"""Eigenvalues and directions of a covariance: by singular values, by eigenvalues, or the first few alone.

With X̃ the centred rows, X̃ = U S Vᵀ: the rows of Vᵀ are the directions, S² / (n − 1) the variances along
them, and Var[X V] is diagonal (Goodfellow, Bengio and Courville, *Deep Learning*, section 5.8.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, svds
from sklearn.utils import assert_all_finite

from thetahat.contracts import FloatArray
from thetahat.deadline import check_time
from thetahat.numerics.compiled import reassociating_kernel
from thetahat.numerics.moments import centred
from thetahat.numerics.operators import in_steps
from thetahat.pca.krylov import leading_directions

__all__ = [
    "Spectrum",
    "Spread",
    "by_eigenvalues",
    "by_singular_values",
    "first_few",
    "merged",
    "of_spread",
    "spread_of",
]

# Beyond these the squares of the entries leave the range of a double.
LARGEST, TINIEST = 1e100, 1e-100
# A sum of squares about the mean this small a part of that about 0 has lost half of its digits.
FEWEST_DIGITS = 1e-8
# Rows that are centred and multiplied while they are in the cache.
BLOCK = 1024
# Below this share of all directions more power iterations are worth their time.
FEW = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Directions of variance, largest first.

    Parameters
    ----------
    n : int
        Rows.
    mean : ndarray of shape (d,)
        Of the rows.
    singular : ndarray of shape (k,)
        √((n − 1) · variance) along each direction, in units of 2 to the ``exponent``.
    components : ndarray of shape (k, d)
        Unit vectors, the entry of largest size positive.
    total : float
        Sum of all variances, also of directions left out, in units of 4 to the ``exponent``.
    exponent : int
        Power of two that the rows were divided by.
    weight : float, optional
        Sum of the weights of the rows, where they have weights.
    """

    n: int
    mean: FloatArray
    singular: FloatArray
    components: FloatArray
    total: float
    exponent: int = 0
    weight: float | None = None

    @property
    def degrees(self) -> float:
        """Divisor of a variance: rows, or the sum of their weights, less one."""
        return max((self.n if self.weight is None else self.weight) - 1, 1)

    @property
    def variances(self) -> FloatArray:
        """Variance along each direction; infinite or 0 where a double cannot hold it."""
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(np.ldexp(self.singular**2 / self.degrees, 2 * self.exponent))

    @property
    def ratios(self) -> FloatArray:
        """Share of each direction in the sum of all variances; 0 where the rows are all the same."""
        part = self.singular**2 / self.degrees
        return np.asarray(part / self.total if self.total > 0 else np.zeros_like(part))

    @property
    def singular_values(self) -> FloatArray:
        """Singular values of the centred rows."""
        return np.asarray(np.ldexp(self.singular, self.exponent))


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Sums of rows: how many, their mean, and Σ (x − mean)(x − mean)ᵀ, each row times its weight.

    ``low`` is what the rounding of the mean left out: the difference of two means far from 0 needs it.
    """

    n: int
    mean: FloatArray
    scatter: FloatArray
    low: FloatArray = field(default_factory=lambda: np.zeros(()))
    weight: float | None = None


def spread_of(X: Any) -> Spread:
    """Return the sums of rows, dense or CSR, added up in double precision block by block.

    Each block is centred near the mean while it is in the cache, so nothing is lost to a large one and X is
    not copied.
    """
    if sparse.issparse(X):
        return _sparse_spread(X)
    n, d = X.shape
    rows = min(n, BLOCK if X.dtype == np.float64 else 4 * BLOCK)
    shift = X[:rows].mean(axis=0)
    sums, scatter = np.zeros(d), np.zeros((d, d))
    room = np.empty((rows, d), dtype=X.dtype)
    for start in range(0, n, rows):
        check_time()
        part = X[start : start + rows]
        away = room[: len(part)]
        _centre(part, shift, away, sums)
        scatter += away.T @ away
    off = sums / n
    scatter -= n * np.outer(off, off)
    shift = shift.astype(np.float64)
    mean = shift + off
    return Spread(n, mean, scatter, (shift - mean) + off)


def _weighted_spread(X: Any, weight: FloatArray) -> Spread:
    total = float(np.sum(weight))
    if not sparse.issparse(X):
        mean, away = centred(X, weight)
        away *= np.sqrt(weight)[:, None]
        return Spread(len(X), mean, away.T @ away, weight=total)
    mean = np.asarray(X.T @ weight, dtype=np.float64) / total
    scaled = sparse.diags(np.sqrt(weight)) @ X
    gram = np.asarray((scaled.T @ scaled).toarray(), dtype=np.float64)
    scatter = gram - total * np.outer(mean, mean)
    # Centering cancels in a column far from 0. It has few zeros, if any, so it is centered as a dense one.
    far = np.flatnonzero(np.diagonal(scatter) < FEWEST_DIGITS * np.diagonal(gram))
    if far.size:
        dense = X[:, far].toarray().astype(np.float64)
        mean[far], away = centred(dense, weight)
        heavy = away * weight[:, None]
        scatter[far] = heavy.T @ X - np.outer(heavy.sum(axis=0), mean)
        scatter[:, far] = scatter[far].T
        scatter[np.ix_(far, far)] = heavy.T @ away
    return Spread(X.shape[0], mean, scatter, weight=total)


def _sparse_spread(X: Any) -> Spread:
    n = X.shape[0]
    mean = np.asarray(X.mean(axis=0), dtype=np.float64).ravel()
    gram = np.asarray((X.T @ X).toarray(), dtype=np.float64)
    scatter = gram - n * np.outer(mean, mean)
    # Of a column that is far from 0 beside its spread the difference has no digits. It has few zeros, if any.
    far = np.flatnonzero(np.diagonal(scatter) < FEWEST_DIGITS * np.diagonal(gram))
    low = np.zeros_like(mean)
    if far.size:
        dense = X[:, far].toarray().astype(np.float64)
        mean[far], away = centred(dense)
        low[far] = (dense - mean[far]).mean(axis=0)
        scatter[far] = away.T @ X - np.outer(away.sum(axis=0), mean)
        scatter[:, far] = scatter[far].T
        scatter[np.ix_(far, far)] = away.T @ away
    return Spread(n, mean, scatter, low)


@reassociating_kernel
def _centre(X: NDArray[Any], shift: NDArray[Any], away: NDArray[Any], sums: FloatArray) -> None:
    """Write the rows less the shift, and add them to the sums."""
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            difference = X[i, j] - shift[j]
            away[i, j] = difference
            sums[j] += difference


def merged(parts: Iterable[Spread]) -> Spread:
    """Return the sums of all rows from those of their parts.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, Amer. Statist. 37.
    """
    first, *others = parts
    for part in others:
        n = first.n + part.n
        gap = (part.mean - first.mean) + (part.low - first.low)
        move = first.low + gap * (part.n / n)
        mean = first.mean + move
        lift = np.outer(gap, gap) * (first.n * part.n / n)
        first = Spread(n, mean, first.scatter + part.scatter + lift, (first.mean - mean) + move)
    return first


def by_singular_values(
    X: NDArray[Any], exponent: int | None = None, weight: FloatArray | None = None
) -> Spectrum:
    """Return the whole spectrum of dense rows by a singular value decomposition, to the last digits."""
    X, power = _scaled(X) if exponent is None else (np.ldexp(X, -exponent), exponent)
    mean, away = centred(X, weight)
    total = None
    if weight is not None:
        # The covariance is Σ w (x − mean)(x − mean)ᵀ: that of rows times √w.
        total = float(np.sum(weight))
        away *= np.sqrt(weight)[:, None]
    check_time()
    _, S, Vt = linalg.svd(away, full_matrices=False, check_finite=False)
    n = len(X)
    degrees = max((n if total is None else total) - 1, 1)
    return Spectrum(n, np.ldexp(mean, power), S, signed(Vt), float(S @ S) / degrees, power, total)


def by_eigenvalues(X: Any, asked_by: str | None = None, weight: FloatArray | None = None) -> Spectrum:
    """Return the whole spectrum of many rows of few columns by the eigenvalues of their scatter.

    Directions whose singular value is below √ε of the largest keep fewer digits than
    :func:`by_singular_values` gives them.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Where an entry is not finite, neither is the scatter: so it need not be checked before.
    asked_by : str, optional
        Who is named in an error.
    weight : ndarray of shape (n,), optional
        A row of weight two counts as two rows.

    Raises
    ------
    ValueError
        X holds NaN or infinity.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        spread = spread_of(X) if weight is None else _weighted_spread(X, weight)
        size = float(np.trace(spread.scatter)) / X.shape[0]
    tiny, large = (TINIEST**2, LARGEST**2) if X.dtype == np.float64 else (1e-25, 1e25)
    power = 0
    if not tiny < size < large:
        assert_all_finite(X, estimator_name=asked_by, input_name="X")
        X, power = _scaled(X)
        spread = spread_of(X) if weight is None else _weighted_spread(X, weight)
    return of_spread(spread, X.dtype, power)


def of_spread(spread: Spread, dtype: Any = np.float64, exponent: int = 0) -> Spectrum:
    """Return the whole spectrum from sums of rows."""
    check_time()
    values, vectors = linalg.eigh(spread.scatter, check_finite=False, driver="evd")
    kept = min(spread.n, len(values))
    values = np.maximum(values[::-1], 0.0)
    Vt = signed(np.ascontiguousarray(vectors.T[::-1]))
    total = float(values.sum()) / max((spread.n if spread.weight is None else spread.weight) - 1, 1)
    singular = np.sqrt(values[:kept]).astype(dtype)
    mean = np.ldexp(spread.mean, exponent).astype(dtype)
    return Spectrum(spread.n, mean, singular, Vt[:kept].astype(dtype), total, exponent, spread.weight)


def first_few(
    X: Any,
    count: int,
    solver: str,
    seed: Any,
    options: dict[str, Any],
    weight: FloatArray | None = None,
) -> Spectrum:
    """Return the first directions alone, by random projections or by Lanczos' method.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    count : int
        How many.
    solver : {"randomized", "arpack"}
    seed : RandomState
        Of the projections, or of the start.
    options : mapping
        ``n_oversamples`` and ``n_iter`` of the projections, or ``tol`` of ``scipy.sparse.linalg.svds``.
    weight : ndarray of shape (n,), optional
        A row of weight two counts as two rows.
    """
    X, power = _scaled(X)
    n = X.shape[0]
    mean = np.asarray(X.mean(axis=0)).ravel()
    total = None
    away: Any
    if weight is not None:
        total = float(np.sum(weight))
        mean, away, squares = _weighted(X, weight, total)
    elif sparse.issparse(X):
        # What is stored, and the zeros that are not.
        stored = X.tocsc()
        counts = np.diff(stored.indptr)
        squares = float(np.sum((stored.data - np.repeat(mean, counts)) ** 2) + (n - counts) @ mean**2)
        away = _centred(X, mean)
    else:
        mean, away = centred(X)
        squares = float(np.einsum("ij,ij->i", away, away).sum(dtype=np.float64))
    if solver == "arpack":
        start = seed.uniform(-1, 1, size=min(X.shape))
        try:
            _, S, Vt = svds(in_steps(away), k=count, tol=options["tol"], v0=start)
        except ArpackNoConvergence:
            raise
        except ArpackError:
            # It runs out of directions where nearly all singular values are one and the same.
            start = seed.uniform(-1, 1, size=n)
            _, S, Vt = svds(in_steps(away), k=count, tol=options["tol"], v0=start, solver="propack")
        S, Vt = S[::-1], np.ascontiguousarray(Vt[::-1])
    else:
        least = min(X.shape)
        rounds = options["n_iter"]
        if rounds == "auto":
            rounds = 7 if count < FEW * least else 4
        width = min(count + options["n_oversamples"], least)
        # So many blocks hold more than the last of so many power iterations.
        V = leading_directions(away, count, width, rounds // 2 + 2, seed)
        # The best directions within those found, so that scores have exactly the variances told.
        _, S, turn = linalg.svd(away @ V, full_matrices=False, check_finite=False)
        Vt = turn @ V.T
    degrees = max((n if total is None else total) - 1, 1)
    return Spectrum(n, np.ldexp(mean, power), S, signed(Vt), squares / degrees, power, total)


def _weighted(X: Any, weight: FloatArray, total: float) -> tuple[FloatArray, Any, float]:
    """Return the weighted mean, the rows less it times √w, and the sum of their squares."""
    root = np.sqrt(weight)
    if not sparse.issparse(X):
        mean, away = centred(X, weight)
        away *= root[:, None]
        return mean, away, float(np.einsum("ij,ij->i", away, away).sum(dtype=np.float64))
    mean = np.asarray(X.T @ weight).ravel() / total
    stored = X.tocsc()
    here, columns = weight[stored.indices], np.repeat(np.arange(X.shape[1]), np.diff(stored.indptr))
    absent = total - np.bincount(columns, here, minlength=X.shape[1])
    squares = float(np.sum(here * (stored.data - mean[columns]) ** 2) + absent @ mean**2)
    return mean, _centred(sparse.diags(root) @ X, mean, root), squares


def signed(Vt: FloatArray) -> FloatArray:
    """Turn each direction so that its entry of largest size is positive, the first of those that tie."""
    largest = np.abs(Vt).argmax(axis=1)
    signs = np.sign(Vt[np.arange(len(Vt)), largest])
    return np.asarray(Vt * np.where(signs == 0, 1, signs)[:, None], dtype=Vt.dtype)


def _scaled(X: Any) -> tuple[Any, int]:
    """Return the rows divided by a power of two where their squares would overflow or vanish."""
    values = X.data if sparse.issparse(X) else X
    most = float(max(values.max(), -values.min())) if values.size else 0.0
    wide = X.dtype == np.float64
    large, tiny = (LARGEST, TINIEST) if wide else (1e15, 1e-15)
    if most == 0 or tiny < most < large:
        return X, 0
    power = int(np.frexp(most)[1])
    if sparse.issparse(X):
        X = X.copy()
        X.data = np.ldexp(X.data, -power)
        return X, power
    return np.ldexp(X, -power), power


def _centred(X: Any, mean: FloatArray, ones: FloatArray | None = None) -> Any:
    """Return sparse rows less their mean, as an operator that never forms them.

    Of rows that are scaled ``ones`` holds the factors.
    """
    turned = X.T.tocsr()
    if ones is None:
        ones = np.ones(X.shape[0], dtype=X.dtype)
    return LinearOperator(
        X.shape,
        matvec=lambda v: X @ v.ravel() - (mean @ v.ravel()) * ones,
        rmatvec=lambda u: turned @ u.ravel() - mean * (ones @ u.ravel()),
        matmat=lambda V: X @ V - ones[:, None] * (mean @ V),
        rmatmat=lambda U: turned @ U - mean[:, None] * (ones @ U),
        dtype=X.dtype,
    )
