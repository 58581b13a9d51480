"""Output families p(y | η): what a conditional model's output is a parameter of, and so its loss.

Each gives the negative log-likelihood of a row with its first and second derivative in η, from one
pass and in forms that stay finite, and whose slope stays large where the answer is wrong, for |η| up
to 10⁴ in single precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import special

from thetahat.autodiff import log_softmax
from thetahat.contracts import FloatArray, NLLTerms
from thetahat.errors import UsageError

__all__ = ["BernoulliOutput", "CategoricalOutput", "NormalOutput", "PoissonOutput"]


@dataclass(frozen=True, slots=True)
class NormalOutput:
    """y normal with mean η of shape (n, 1) and a known standard deviation: squared error.

    Parameters
    ----------
    sd : float
        Standard deviation, in the unit of y.
    """

    sd: float = 1.0

    def nll_terms(self, y: NDArray[Any], eta: FloatArray, /) -> NLLTerms:
        """Return −log p(y | η) a row with its derivatives."""
        gap = (eta[:, 0] - y) / self.sd
        value = 0.5 * gap**2 + np.log(self.sd) + 0.5 * np.log(2 * np.pi)
        curve = np.full((len(eta), 1, 1), 1 / self.sd**2, dtype=eta.dtype)
        return NLLTerms(value.astype(eta.dtype), (gap / self.sd)[:, None].astype(eta.dtype), curve)

    def mean(self, eta: FloatArray, /) -> FloatArray:
        """Return E[y | η], shape (n,)."""
        return eta[:, 0]

    def sample(self, eta: FloatArray, /, *, rng: Generator) -> NDArray[Any]:
        """Draw one y for each row of η."""
        return rng.normal(eta[:, 0], self.sd)

    def check_support(self, y: NDArray[Any], /) -> None:
        """Raise a ``UsageError`` where y is not finite."""
        _check(np.isfinite(y), y, "a finite number")


@dataclass(frozen=True, slots=True)
class BernoulliOutput:
    """y in {0, 1} with P(y = 1) = σ(η), η of shape (n, 1): binary cross-entropy."""

    def nll_terms(self, y: NDArray[Any], eta: FloatArray, /) -> NLLTerms:
        """Return −log p(y | η) a row with its derivatives."""
        sign = (2 * y - 1).astype(eta.dtype)
        # −log σ(±η), so that nothing is ever subtracted from one.
        value = -special.log_expit(sign * eta[:, 0])
        p = special.expit(eta[:, 0])
        slope = -sign * special.expit(-sign * eta[:, 0])
        curve = p * special.expit(-eta[:, 0])
        return NLLTerms(value, slope[:, None], curve[:, None, None])

    def mean(self, eta: FloatArray, /) -> FloatArray:
        """Return P(y = 1 | η), shape (n,)."""
        p: FloatArray = special.expit(eta[:, 0])
        return p

    def sample(self, eta: FloatArray, /, *, rng: Generator) -> NDArray[Any]:
        """Draw one y for each row of η."""
        return (rng.random(len(eta)) < self.mean(eta)).astype(np.int64)

    def check_support(self, y: NDArray[Any], /) -> None:
        """Raise a ``UsageError`` where y is neither 0 nor 1."""
        _check((y == 0) | (y == 1), y, "0 or 1")


@dataclass(frozen=True, slots=True)
class CategoricalOutput:
    """y a class code 0 … K−1 with probabilities softmax(η), η of shape (n, K): softmax cross-entropy.

    Parameters
    ----------
    classes : int
        K.
    """

    classes: int

    def nll_terms(self, y: NDArray[Any], eta: FloatArray, /) -> NLLTerms:
        """Return −log p(y | η) a row with its derivatives."""
        rows = np.arange(len(eta))
        logs = log_softmax(eta, axis=1)
        p = np.exp(logs)
        slope = p.copy()
        # p − 1 of the class that happened, as minus the sum of the others, which keeps its digits.
        slope[rows, y] = 0
        slope[rows, y] = -slope.sum(axis=1)
        curve = -p[:, :, None] * p[:, None, :]
        k = np.arange(eta.shape[1])
        curve[:, k, k] = 0
        curve[:, k, k] = -curve.sum(axis=2)
        return NLLTerms(-logs[rows, y], slope, curve)

    def mean(self, eta: FloatArray, /) -> FloatArray:
        """Return the probabilities of the classes, shape (n, K)."""
        p: FloatArray = special.softmax(eta, axis=1)
        return p

    def sample(self, eta: FloatArray, /, *, rng: Generator) -> NDArray[Any]:
        """Draw one y for each row of η."""
        below = np.cumsum(self.mean(eta), axis=1)[:, :-1]
        return np.asarray((rng.random((len(eta), 1)) > below).sum(axis=1))

    def check_support(self, y: NDArray[Any], /) -> None:
        """Raise a ``UsageError`` where y is not a class code."""
        y = np.asarray(y)
        _check((y == np.floor(y)) & (y >= 0) & (y < self.classes), y, f"a code 0 … {self.classes - 1}")


@dataclass(frozen=True, slots=True)
class PoissonOutput:
    """y a count with mean e^η, η of shape (n, 1)."""

    def nll_terms(self, y: NDArray[Any], eta: FloatArray, /) -> NLLTerms:
        """Return −log p(y | η) a row with its derivatives."""
        linear = eta[:, 0]
        # Beyond the largest exponential the loss is as large as a number of this precision can be.
        top = np.log(np.finfo(eta.dtype).max) - 2
        mean = np.exp(np.minimum(linear, top))
        value = mean - y * linear + special.gammaln(y + 1.0)
        slope = mean - y
        return NLLTerms(
            value.astype(eta.dtype), slope[:, None].astype(eta.dtype), mean[:, None, None].astype(eta.dtype)
        )

    def mean(self, eta: FloatArray, /) -> FloatArray:
        """Return E[y | η], shape (n,)."""
        mean: FloatArray = np.exp(eta[:, 0])
        return mean

    def sample(self, eta: FloatArray, /, *, rng: Generator) -> NDArray[Any]:
        """Draw one y for each row of η."""
        return rng.poisson(self.mean(eta))

    def check_support(self, y: NDArray[Any], /) -> None:
        """Raise a ``UsageError`` where y is not a count."""
        y = np.asarray(y)
        _check((y == np.floor(y)) & (y >= 0) & np.isfinite(y), y, "a whole number, 0 or more")


def _check(good: NDArray[np.bool_], y: NDArray[Any], wanted: str) -> None:
    if not np.all(good):
        row = int(np.argmin(good))
        raise UsageError(f"y: row {row} is {np.asarray(y)[row]}, and this family takes {wanted}")
