"""Principal components as a point estimator; many draws from sums of products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Draw, Fit, FloatArray, Sample
from thetahat.deadline import check_time
from thetahat.numerics.scatter import Moments, Total, moments
from thetahat.pca.spectrum import Spectrum, Spread, by_eigenvalues, by_singular_values, of_spread

__all__ = ["PrincipalComponents", "SharedComponents"]


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """Maximise Σ_j Var[x · v_j] over orthonormal v: θ̂ is the spectrum of the sample."""

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Spectrum]:
        """Decompose the rows; by eigenvalues where they are many, else by singular values."""
        X = np.asarray(sample.X, dtype=np.float64)
        tall = X.shape[0] >= 10 * X.shape[1]
        return Fit(by_eigenvalues(X) if tall else by_singular_values(X))

    def prepare(self, sample: Sample) -> SharedComponents:
        """Return a workspace that fits many draws from sums of products."""
        return SharedComponents(sample)


class SharedComponents:
    """Principal components of many draws of one sample.

    Every row is centred once near the mean of all, which changes no component. The sums of a draw that
    leaves some rows out are those of all rows less theirs, in doubled precision.

    Parameters
    ----------
    sample : Sample
        The rows that are drawn from.
    """

    def __init__(self, sample: Sample) -> None:
        X = np.asarray(sample.X, dtype=np.float64)
        self._mean = X.mean(axis=0)
        self._rows = np.empty((len(X), 1 + X.shape[1]))
        self._rows[:, 0] = 1.0
        np.subtract(X, self._mean, out=self._rows[:, 1:])
        blocks = np.array_split(np.arange(len(X)), max(1, len(X) // 10_000))
        self._total = Total.of(self._of(block) for block in blocks)

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[Any] = (), *, rngs: Sequence[Generator] = ()
    ) -> Iterator[Fit[Spectrum]]:
        """Return a fit for each draw; there are no capacities, and ``rngs`` are not needed."""
        n, d = len(self._rows), self._rows.shape[1] - 1
        for draw in draws:
            counts = np.bincount(draw.train, minlength=n)
            left = np.flatnonzero(counts == 0)
            if counts.max() == 1 and len(left) < n - len(left):
                sums = self._total.without(self._of(left)) if len(left) else self._of(draw.train)
            else:
                sums = moments(self._rows, d, counts.astype(np.float64))
            yield Fit(self._spectrum(sums))

    def _of(self, rows: Any) -> Moments:
        check_time()
        return moments(self._rows[rows], self._rows.shape[1] - 1)

    def _spectrum(self, sums: Moments) -> Spectrum:
        n = int(round(sums.weight))
        mean: FloatArray = sums.sum_x / sums.weight
        scatter = sums.xx - np.outer(mean, sums.sum_x)
        return of_spread(Spread(n, self._mean + mean, scatter))
