"""Fresh samples of a population: each draw trains on rows that no other draw has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse

from thetahat.contracts import Draw, Fit, Sample
from thetahat.errors import UsageError

__all__ = ["FreshSamples", "draws_of_sizes", "fresh_samples"]


def fresh_samples(
    population: Callable[[Generator], tuple[Any, Any]],
    draws: int,
    encode: Callable[[NDArray[Any], str], NDArray[Any]],
    rng: Generator,
) -> tuple[Sample, list[Draw]]:
    """Return samples of a population as one sample, and the draws that take them apart.

    Parameters
    ----------
    population : callable
        ``population(rng)`` gives a fresh sample ``(X, y)``.
    draws : int
        How many samples.
    encode : callable
        ``encode(y, argument)`` gives a target as estimators take it.
    rng : Generator
        Each sample has a generator spawned from it.

    Raises
    ------
    UsageError
        The population is no function, or gives something else.
    """
    _check_function(population)
    samples = [_checked(population(child)) for child in rng.spawn(draws)]
    ends = np.cumsum([0, *(len(y) for _, y in samples)])
    plan = [Draw(np.arange(start, end), np.arange(0)) for start, end in zip(ends[:-1], ends[1:], strict=True)]
    rows = [X for X, _ in samples]
    if len({X.shape[1:] for X in rows}) > 1:
        raise UsageError("population: X must always have as many columns")
    whole = sparse.vstack(rows, format="csr") if hasattr(rows[0], "tocsr") else np.concatenate(rows)
    return Sample(whole, encode(np.concatenate([y for _, y in samples]), "population")), plan


def _check_function(population: Any) -> None:
    if not callable(population) or isinstance(population, type):
        raise UsageError(
            f"population: a function of a Generator that gives (X, y) is expected, not {population!r}"
        )


def _checked(given: Any) -> tuple[Any, NDArray[Any]]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise UsageError(f"population: must give (X, y), not {type(given).__name__}")
    X = given[0].tocsr() if hasattr(given[0], "tocsr") else np.asarray(given[0])
    y = np.asarray(given[1])
    if X.ndim < 2 or y.shape != (X.shape[0],) or not len(y):
        raise UsageError(
            "population: must give X of shape (n, d) and y of shape (n,), with at least one row, not shapes "
            f"{X.shape} and {y.shape}"
        )
    return X, y


@dataclass(frozen=True, slots=True, eq=False)
class FreshSamples:
    """A point estimator that draws its own samples, one for each row of a sample of sizes.

    Samples exist only while they are fitted, in the worker process that fits them. The samples of a draw
    share its generator, since spawning one for each costs more than a cheap estimate.

    Parameters
    ----------
    fit : callable
        ``fit(size, rng)`` draws one sample and gives what is read off its estimate, always as many numbers.
    """

    fit: Callable[[int, Generator], tuple[float, ...]]

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Any]:
        """Return what is read off the estimates, shape (rows, numbers)."""
        fit = self.fit
        return Fit(np.array([fit(size, rng) for size in sample.X.tolist()]))


def draws_of_sizes(sizes: NDArray[Any], block: int) -> tuple[Sample, list[Draw]]:
    """Return sizes of fresh samples as a sample, and draws of blocks of them."""
    numbers, nothing = np.arange(len(sizes)), np.arange(0)
    return Sample(sizes), [Draw(numbers[k : k + block], nothing) for k in range(0, len(sizes), block)]
