"""Ridge regression on many draws and penalties from sums of products.

Every row is centred once, near the mean of all rows, which changes no fit. The moments of a draw's training
rows are those of all rows less those of its held-out rows, or are formed directly where that is less work.
Centring and scaling by the training rows are arithmetic on the moments. One eigendecomposition a draw gives
every penalty. Where the moments cannot carry the digits, the draw is refitted; where they alone cannot tell a
constant column, its rows do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import linalg

from thetahat.contracts import Draw, Fit, FloatArray, Sample, Status
from thetahat.deadline import check_time
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.objective import columns
from thetahat.linear.scaling import constant_columns, standardised_columns, units_from_sums
from thetahat.numerics.scatter import Moments, Total, moments, moments_at_once, products

if TYPE_CHECKING:
    from thetahat.linear.least_squares import LeastSquares

__all__ = ["SharedLeastSquares"]

EPS = float(np.finfo(np.float64).eps)
# Relative error that the moments may bring; beyond it a fit is made from the rows themselves.
WORST_ERROR = 1e-10
# A held-out sum of squares this small a part of Σy² has lost digits to subtraction.
SMALLEST_PART = 1e-3
MOST_PARTS_KEPT = 64
# Many draws of one penalty are summed in one matrix product of all pairs of columns, where these fit so
# many numbers; a draw of few columns costs less to sum than to handle.
MOST_PAIRS = 8_000_000
FEWEST_AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """The solutions of one draw for every penalty, in centred columns: β of shape (k, d, penalties)."""

    coef: FloatArray
    intercept: FloatArray
    error: FloatArray


class SharedLeastSquares:
    """Least squares on many draws of one sample.

    Parameters
    ----------
    model : LeastSquares
        What is fitted; its C is used where no capacities are given.
    sample : Sample
        The rows that are drawn from.
    """

    def __init__(self, model: LeastSquares, sample: Sample) -> None:
        self.model = model
        self.sample = sample
        X = columns(sample.X)
        X = X if isinstance(X, np.ndarray) else X.toarray()
        y = np.asarray(sample.y, dtype=np.float64).reshape(len(X), -1)
        self._weight = None if sample.weight is None else np.asarray(sample.weight, dtype=np.float64)
        # Without an intercept the origin means something, so nothing is moved.
        self._mean_x = X.mean(axis=0) * model.intercept
        self._mean_y = y.mean(axis=0) * model.intercept
        self._X, self._d = X, X.shape[1]
        self._scaled = standardised_columns(model.standardise, self._d)
        self._rows = np.empty((len(X), 1 + self._d + y.shape[1]))
        self._rows[:, 0] = 1.0
        np.subtract(X, self._mean_x, out=self._rows[:, 1 : 1 + self._d])
        np.subtract(y, self._mean_y, out=self._rows[:, 1 + self._d :])
        self._total: Total | None = None
        self._pairs: FloatArray | None = None
        self._squares: FloatArray | None = None

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[float] = (), *, rngs: Sequence[Generator] = ()
    ) -> Iterator[Fit[Coefficients]]:
        """Return a fit for each draw and, within a draw, each C; ``rngs`` are not needed."""
        C = np.asarray(capacities if len(capacities) else [self.model.C], dtype=np.float64)
        width = self._rows.shape[1]
        few = len(self._rows) * width * (width + 1) // 2 <= MOST_PAIRS
        if len(C) == 1 and len(draws) >= FEWEST_AT_ONCE and few:
            yield from self._at_once(draws, float(C[0]))
            return
        for draw, path, _ in self._paths(draws, C):
            for place, c in enumerate(C):
                if path is None or path.error[place] > WORST_ERROR:
                    yield self._refitted(draw, c)
                    continue
                coef = np.ascontiguousarray(path.coef[:, :, place].T)
                intercept = self._mean_y + path.intercept[:, place] - self._mean_x @ coef
                yield Fit(Coefficients(intercept, coef), Status.SOLVED, {"rank": float(self._d)})

    def squared_errors(self, draws: Sequence[Draw], capacities: Sequence[float] = ()) -> FloatArray:
        """Return the mean squared error on the held-out rows, shape (draws, capacities, outputs).

        Read off the moments of the held-out rows, without predicting a row, where that keeps the digits.
        """
        C = np.asarray(capacities if len(capacities) else [self.model.C], dtype=np.float64)
        out = np.empty((len(draws), len(C), self._rows.shape[1] - 1 - self._d))
        for number, (draw, path, held_out) in enumerate(self._paths(draws, C)):
            if path is None or path.error.max() > WORST_ERROR:
                out[number] = self._errors_by_row(draw, C)
                continue
            part = self._moments(draw.test) if held_out is None else held_out
            for k in range(out.shape[2]):
                B, b = path.coef[k], path.intercept[k]
                squares = (
                    part.yy[k]
                    - 2 * (part.xy[:, k] @ B)
                    - 2 * b * part.sum_y[k]
                    + (B * (part.xx @ B)).sum(axis=0)
                    + 2 * b * (part.sum_x @ B)
                    + part.weight * b**2
                )
                out[number, :, k] = squares / part.weight
                if squares.min() < SMALLEST_PART * part.yy[k]:
                    out[number, :, k] = self._errors_of(path, draw, k)
        return out

    def _at_once(self, draws: Sequence[Draw], C: float) -> Iterator[Fit[Coefficients]]:
        """Solve the normal equations of all draws together; refit where their digits may not do.

        The largest eigenvalue is at most the trace, and the smallest at least the penalty: an error bound
        that costs nothing. Without a penalty the eigenvalues are computed.
        """
        check_time()
        if self._pairs is None:
            self._pairs = products(self._rows)
        n, d = len(self._rows), self._d
        counts = np.stack([np.bincount(draw.train, minlength=n) for draw in draws]).astype(np.float64)
        weighted = counts if self._weight is None else counts * self._weight
        sums = moments_at_once(self._pairs, weighted, self._rows.shape[1])
        gram, cross = sums[:, 1 : 1 + d, 1 : 1 + d], sums[:, 1 : 1 + d, 1 + d :]
        total = np.maximum(sums[:, 0, 0], np.finfo(np.float64).tiny)[:, None]
        mean_x = mean_y = np.zeros((len(draws), 1))
        if self.model.intercept:
            mean_x, mean_y = sums[:, 0, 1 : 1 + d] / total, sums[:, 0, 1 + d :] / total
            gram = gram - mean_x[:, :, None] * sums[:, 0, None, 1 : 1 + d]
            cross = cross - mean_x[:, :, None] * sums[:, 0, None, 1 + d :]
        # Squares of the largest numbers are beyond them: such draws are refitted, their columns scaled.
        whole = np.isfinite(sums).all(axis=(1, 2)) & np.isfinite(gram).all(axis=(1, 2))
        unit: FloatArray = np.ones((1, d))
        if self._scaled.any():
            unit, flat, sure = self._units_at_once(draws, counts, sums)
            whole &= sure
            gram = np.where(flat[:, :, None] | flat[:, None, :], 0.0, gram)
            gram /= unit[:, :, None] * unit[:, None]
            cross = np.where(flat[:, :, None], 0.0, cross) / unit[:, :, None]
        bounded = np.asarray(whole, dtype=np.bool_)
        gram = np.where(bounded[:, None, None], gram, np.eye(d))
        cross = np.where(bounded[:, None, None], cross, 0.0)
        error = EPS * np.trace(gram, axis1=1, axis2=2) * C
        if not (error <= WORST_ERROR).all():
            values = np.linalg.eigvalsh(gram)
            least = values[:, 0] + 1 / C
            with np.errstate(divide="ignore", invalid="ignore"):
                error = np.where(least > 0, EPS * values[:, -1] / least, np.inf)
        sound = bounded & (error <= WORST_ERROR)
        gram = np.where(sound[:, None, None], gram + np.eye(d) / C, np.eye(d))
        coef = np.linalg.solve(gram, cross) / unit[:, :, None]
        if self.model.intercept:
            intercept = self._mean_y + mean_y - np.einsum("nd,ndk->nk", mean_x + self._mean_x, coef)
        else:
            intercept = np.zeros((len(draws), cross.shape[2]))
        for place, draw in enumerate(draws):
            if sound[place]:
                yield Fit(Coefficients(intercept[place], coef[place]), Status.SOLVED, {"rank": float(d)})
            else:
                yield self._refitted(draw, C)

    def _paths(
        self, draws: Sequence[Draw], C: FloatArray
    ) -> Iterator[tuple[Draw, _Path | None, Moments | None]]:
        parts = self._parts(draws)
        for draw, part in zip(draws, parts, strict=True):
            train, held_out = self._training(draw, part)
            yield draw, self._path(draw, train, C), held_out

    def _units_at_once(
        self, draws: Sequence[Draw], counts: FloatArray, sums: FloatArray
    ) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return each draw's units, the columns that centering makes zero, and whether sums are enough."""
        d = self._d
        flat = np.zeros((len(draws), d), dtype=np.bool_)
        if self._weight is None:
            sum_x, squares = sums[:, 0, 1 : 1 + d], np.diagonal(sums, axis1=1, axis2=2)[:, 1 : 1 + d]
        else:
            if self._squares is None:
                self._squares = self._rows[:, 1 : 1 + d] ** 2
            sum_x, squares = counts @ self._rows[:, 1 : 1 + d], counts @ self._squares
        with np.errstate(over="ignore", invalid="ignore"):
            found, sure = units_from_sums(counts.sum(axis=1, keepdims=True), sum_x, squares, self._mean_x)
        unit = np.where(self._scaled & sure, found, 1.0)
        sure |= ~self._scaled
        for place in np.flatnonzero(~sure.all(axis=1)).tolist():
            unsure = np.flatnonzero(~sure[place])
            flat[place, unsure] = constant_columns(self._X[np.ix_(draws[place].train, unsure)])
        enough = np.asarray((sure | flat).all(axis=1))
        # Centering leaves nothing of a constant column but rounding; without it, the column is an intercept.
        return unit, flat & self.model.intercept, enough

    def _parts(self, draws: Sequence[Draw]) -> Sequence[Moments | None]:
        """Return the moments of the held-out rows where they make up the sample, and take the total of them.

        The sum of the parts is then exact to the last digit, and no row is read twice.
        """
        tests = [draw.test for draw in draws]
        n = len(self._rows)
        if not 1 < len(draws) <= MOST_PARTS_KEPT or sum(map(len, tests)) != n:
            return [None] * len(draws)
        if not (np.bincount(np.concatenate(tests), minlength=n) == 1).all():
            return [None] * len(draws)
        parts = [self._moments(test) for test in tests]
        self._total = Total.of(parts)
        return parts

    def _training(self, draw: Draw, part: Moments | None) -> tuple[Moments, Moments | None]:
        n = len(self._rows)
        rest = len(draw.test) <= len(draw.train) and len(draw.train) + len(draw.test) == n
        if not rest or not (np.bincount(np.concatenate([draw.train, draw.test]), minlength=n) == 1).all():
            return self._moments(draw.train), part
        part = self._moments(draw.test) if part is None else part
        if self._total is None:
            blocks = np.array_split(np.arange(n), max(1, n // 10_000))
            self._total = Total.of(self._moments(block) for block in blocks)
        return self._total.without(part), part

    def _moments(self, rows: Any) -> Moments:
        check_time()
        taken = slice(int(rows[0]), int(rows[-1]) + 1) if _consecutive(rows) else rows
        return moments(self._rows[taken], self._d, None if self._weight is None else self._weight[taken])

    def _path(self, draw: Draw, train: Moments, C: FloatArray) -> _Path | None:
        centre_x: FloatArray = np.zeros(self._d)
        centre_y: FloatArray = np.zeros(len(train.sum_y))
        gram, cross = train.xx, train.xy
        if train.weight <= 0 or not (np.isfinite(gram).all() and np.isfinite(cross).all()):
            return None
        if self.model.intercept:
            centre_x, centre_y = train.sum_x / train.weight, train.sum_y / train.weight
            gram = gram - np.outer(centre_x, train.sum_x)
            cross = cross - np.outer(centre_x, train.sum_y)
        unit: FloatArray = np.ones(self._d)
        if self._scaled.any():
            counts = np.ones((1, 1)) * len(draw.train)
            if self._weight is not None:
                counts = np.bincount(draw.train, minlength=len(self._rows))[None].astype(np.float64)
            by_draw, flat, sure = self._units_at_once([draw], counts, train.matrix[None])
            if not sure[0]:
                return None
            unit = by_draw[0]
            gram = np.where(flat[0][:, None] | flat[0], 0.0, gram) / np.outer(unit, unit)
            cross = np.where(flat[0][:, None], 0.0, cross) / unit[:, None]
        check_time()
        values, vectors = linalg.eigh(gram, check_finite=False, driver="evd")
        shrunk = values[:, None] + 1 / C
        turned = vectors.T @ cross
        with np.errstate(divide="ignore", invalid="ignore"):
            coef = np.stack(
                [vectors @ (turned[:, k, None] / shrunk) / unit[:, None] for k in range(cross.shape[1])]
            )
            error = EPS * max(values[-1], 0.0) / shrunk.min(axis=0)
        # What was lost is no number to compare with: negative or zero curvature counts as all lost.
        error = np.where(shrunk.min(axis=0) > 0, error, np.inf)
        return _Path(coef, centre_y[:, None] - np.einsum("d,kdc->kc", centre_x, coef), error)

    def _refitted(self, draw: Draw, c: float) -> Fit[Coefficients]:
        # The estimator draws nothing, so any generator is the right one.
        return replace(self.model, C=float(c)).estimate(
            self.sample.take(draw.train), rng=np.random.default_rng(0)
        )

    def _errors_by_row(self, draw: Draw, C: FloatArray) -> FloatArray:
        test = self.sample.take(draw.test)
        y = np.asarray(test.y, dtype=np.float64).reshape(len(test), -1)
        out = [
            np.average(
                (y - self._refitted(draw, c).theta.eta(columns(test.X))) ** 2, axis=0, weights=test.weight
            )
            for c in C
        ]
        return np.array(out)

    def _errors_of(self, path: _Path, draw: Draw, k: int) -> FloatArray:
        rows = self._rows[draw.test]
        off = rows[:, 1 : 1 + self._d] @ path.coef[k] + path.intercept[k] - rows[:, 1 + self._d + k, None]
        weight = None if self._weight is None else self._weight[draw.test]
        return np.asarray(np.average(off**2, axis=0, weights=weight))


def _consecutive(rows: Any) -> bool:
    return len(rows) > 0 and rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all())
