"""The categorical distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.contracts import FloatArray
from thetahat.distributions.output import CategoricalOutput
from thetahat.errors import UsageError

__all__ = ["Categorical"]


@dataclass(frozen=True, eq=False)
class Categorical:
    """P(x = k) = probabilities[k] for the codes k = 0 … K − 1.

    Parameters
    ----------
    probabilities : sequence of float, optional
        Of each code, summing to one.
    classes : int, optional
        K, where the probabilities are unknown; else their number.
    """

    probabilities: FloatArray | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        if self.probabilities is None:
            return
        p = np.asarray(self.probabilities, dtype=np.float64)
        if p.ndim != 1 or not np.all(p >= 0) or not np.isclose(p.sum(), 1, rtol=0, atol=1e-9):
            raise UsageError("probabilities: Categorical takes numbers of 0 or more that sum to 1")
        object.__setattr__(self, "probabilities", p / p.sum())
        object.__setattr__(self, "classes", len(p))

    @property
    def p(self) -> FloatArray:
        """The probabilities.

        Raises
        ------
        UsageError
            They are unknown.
        """
        if self.probabilities is None:
            raise UsageError("Categorical: probabilities unknown; give them, or estimate them with mle")
        return self.probabilities

    def log_prob(self, x: Any, /) -> FloatArray:
        """Return log P(x), −∞ for what is not a code."""
        x = np.asarray(x, dtype=np.float64)
        inside = (x == np.floor(x)) & (x >= 0) & (x < len(self.p))
        with np.errstate(divide="ignore"):
            logs = np.log(self.p)
        return np.asarray(np.where(inside, logs[np.where(inside, x, 0).astype(int)], -np.inf))[()]

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw codes."""
        return rng.choice(len(self.p), size, p=self.p)

    def mean(self) -> FloatArray:
        """Return the expectation of the indicator of each code: the probabilities."""
        return self.p

    def variance(self) -> FloatArray:
        """Return the covariance matrix of the indicators, diag(p) − ppᵀ."""
        return np.asarray(np.diag(self.p) - np.outer(self.p, self.p))

    def entropy(self) -> float:
        """Return −Σ p log p, in nats."""
        return float(np.sum(special.entr(self.p)))

    def score(self, x: Any, /) -> FloatArray:
        """Return the score of each x in the log-odds of codes 1 … K − 1 against code 0, shape (n, K − 1)."""
        x = np.asarray(x)
        return np.asarray((x[:, None] == np.arange(1, len(self.p))) - self.p[1:], dtype=np.float64)

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x about those log-odds, shape (K − 1, K − 1)."""
        return self.variance()[1:, 1:]

    def fit(self, x: Any, weight: FloatArray | None = None) -> Categorical:
        """Return the maximum-likelihood estimate: the shares of the codes."""
        codes = np.asarray(x).astype(int)
        counts = np.bincount(codes, weight, minlength=self.classes or 0)
        return Categorical(counts / counts.sum())

    def output(self) -> CategoricalOutput:
        """Return the output family: softmax of K numbers."""
        if self.classes is None:
            raise UsageError("classes: Categorical needs to know how many there are; give classes=K")
        return CategoricalOutput(self.classes)
