"""The output of a network: a family of distributions, and how η makes its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import Family, FloatArray
from thetahat.distributions import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.errors import UsageError
from thetahat.networks.engine import negative_log_likelihood, normal_nll

__all__ = ["FamilyName", "Output", "Variance"]

FamilyName = Literal["normal", "bernoulli", "categorical", "poisson"]
Variance = Literal["fixed", "learned", "per-example"]

_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))
_NAMES = {"normal": "identity", "bernoulli": "logistic", "categorical": "softmax", "poisson": "exponential"}


@dataclass(frozen=True, slots=True)
class Output:
    """p(y | η) of a network with k targets, independent given x.

    Parameters
    ----------
    family : {"normal", "bernoulli", "categorical", "poisson"}
        The distribution of y.
    targets : int
        k; of a categorical output the number of classes.
    variance : {"fixed", "learned", "per-example"}
        Of a normal output: σ² that the training does not need, a parameter for each target, or a
        function of x with outputs of its own.
    """

    family: FamilyName
    targets: int
    variance: Variance = "fixed"

    def __post_init__(self) -> None:
        if self.family not in _NAMES:
            raise UsageError(f"output: there is no {self.family!r}; choose from {', '.join(_NAMES)}")
        if self.variance not in ("fixed", "learned", "per-example"):
            raise UsageError(
                f"variance: is {self.variance!r}; choose from 'fixed', 'learned' and 'per-example'"
            )
        if self.variance != "fixed" and self.family != "normal":
            raise UsageError(f"variance: a {self.family} output has none of its own; leave it at 'fixed'")

    @property
    def width(self) -> int:
        """Columns of η."""
        return 2 * self.targets if self.variance == "per-example" else self.targets

    @property
    def link(self) -> str:
        """What turns η into a mean: "identity", "logistic", "softmax" or "exponential"."""
        return _NAMES[self.family]

    @property
    def law(self) -> Family:
        """The family; of a normal one with σ = 1."""
        if self.family == "categorical":
            return CategoricalOutput(self.targets)
        if self.family == "bernoulli":
            return BernoulliOutput()
        return PoissonOutput() if self.family == "poisson" else NormalOutput()

    def row_loss(self, eta: Any, log_sd: Any, y: Any) -> Any:
        """Return the loss of each row, differentiable: what training makes small.

        −log p(y | η) in nats; of a normal output with fixed σ² half the squared error, averaged over
        the targets, which has the same minimum.

        Parameters
        ----------
        eta : array of shape (n, width)
            Output of the last layer.
        log_sd : array of shape (k,) or None
            Logarithms of learned standard deviations.
        y : array of shape (n, k), or codes of shape (n,)
            The target.
        """
        if self.variance == "learned":
            return normal_nll(eta, log_sd, y)
        if self.variance == "per-example":
            return normal_nll(eta[:, : self.targets], eta[:, self.targets :], y)
        nll = negative_log_likelihood(self.law, eta, y)
        return nll / self.targets - _HALF_LOG_2PI if self.family == "normal" else nll

    def nll(self, eta: FloatArray, sd: FloatArray | None, y: NDArray[Any]) -> FloatArray:
        """Return −log p(y) of each row in nats, constants included; a normal takes ``sd`` of (n, k)."""
        if self.family == "normal":
            return np.asarray(normal_nll(self.mean(eta), np.log(np.asarray(sd)), y))
        return np.asarray(negative_log_likelihood(self.law, eta, y))

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return E[y | η] of each row, shape (n, k): means, counts or probabilities."""
        if self.family == "normal":
            return eta[:, : self.targets]
        if self.family == "categorical":
            return self.law.mean(eta)
        return self.law.mean(eta.reshape(-1, 1)).reshape(eta.shape)

    def check(self, y: NDArray[Any]) -> None:
        """Raise a ``UsageError`` that names the first y outside the family's support."""
        self.law.check_support(y if self.family == "categorical" else y.ravel())

    def first_bias(self, y: NDArray[Any], weight: FloatArray | None) -> FloatArray:
        """Return η of the best constant, for regressions; zeros for classes."""
        if self.family in ("bernoulli", "categorical"):
            return np.zeros(self.width)
        mean = np.average(y, axis=0, weights=weight)
        if self.family == "poisson":
            return np.log(np.maximum(mean, 1e-3))
        if self.variance == "per-example":
            return np.concatenate([mean, self.first_log_sd(y, weight)])
        return np.asarray(mean)

    def first_log_sd(self, y: NDArray[Any], weight: FloatArray | None) -> FloatArray:
        """Return log σ of the best constant, shape (k,); 0 for a constant target."""
        mean = np.average(y, axis=0, weights=weight)
        sd = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        return np.log(np.where(sd > 0, sd, 1.0))
