"""A finite mixture of distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.optimize import brentq

from thetahat.autodiff import logsumexp
from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution, Support
from thetahat.distributions.quadrature import expectation
from thetahat.errors import UsageError

__all__ = ["Mixture"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """p(x) = Σ weights[j] components[j](x).

    Parameters
    ----------
    components : sequence of Distribution
        All over the reals, or all over whole numbers.
    weights : sequence of float, optional
        Their shares, summing to one; unknown where left out.
    """

    components: Sequence[Distribution]
    weights: FloatArray | None = None

    def __post_init__(self) -> None:
        components = tuple(self.components)
        kinds = {
            component.__class__(*component.theta).support().discrete
            for component in components
            if all(getattr(component, name) is not None for name in component.spaces)
        }
        if not components or len(kinds) > 1:
            raise UsageError(
                "components: a Mixture takes one or more distributions, all continuous or all discrete"
            )
        object.__setattr__(self, "components", components)
        if self.weights is not None:
            weights = np.asarray(self.weights, dtype=np.float64)
            if (
                weights.shape != (len(components),)
                or not np.all(weights >= 0)
                or not np.isclose(weights.sum(), 1)
            ):
                raise UsageError("weights: one of 0 or more for each component, summing to 1")
            object.__setattr__(self, "weights", weights)

    @property
    def shares(self) -> FloatArray:
        """The weights.

        Raises
        ------
        UsageError
            They are unknown.
        """
        if self.weights is None:
            raise UsageError("Mixture: weights unknown; give them, or estimate them with mle")
        return self.weights

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters: the weights but the last, then each component's."""
        k = len(self.components)
        return (
            *(f"weight[{j}]" for j in range(k - 1)),
            *(f"{name}[{j}]" for j in range(k) for name in self.components[j].spaces),
        )

    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; θ), differentiable in θ: the weights but the last, then each component's."""
        k = len(self.components)
        last = 1.0 - sum(theta[: k - 1]) if k > 1 else 1.0
        shares = (*theta[: k - 1], last)
        rest = list(theta[k - 1 :])
        terms = []
        for component, share in zip(self.components, shares, strict=True):
            own = [rest.pop(0) for _ in component.spaces]
            terms.append(np.log(share) + component.log_density(x, *own))
        return logsumexp(np.stack(terms), axis=0)

    def support(self) -> Support:
        """Return the smallest interval that holds every component's."""
        each = [component.support() for component in self.components]
        return Support(min(s.low for s in each), max(s.high for s in each), each[0].discrete)

    def log_prob(self, x: Any, /) -> FloatArray:
        """Return log p(x), −∞ where no component has mass."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = [np.log(w) + c.log_prob(x) for w, c in zip(self.shares, self.components, strict=True)]
            return np.asarray(np.logaddexp.reduce(np.stack(logs), axis=0))[()]

    def responsibilities(self, x: Any, /) -> FloatArray:
        """Return P(component j | x), shape (n, k)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = [np.log(w) + c.log_prob(x) for w, c in zip(self.shares, self.components, strict=True)]
        joint = np.stack(logs, axis=-1)
        top = joint.max(axis=-1, keepdims=True)
        share = np.exp(joint - np.where(np.isfinite(top), top, 0.0))
        return np.asarray(share / share.sum(axis=-1, keepdims=True))

    def mean(self) -> float:
        """Return E[x]."""
        return float(self.shares @ [component.mean() for component in self.components])

    def variance(self) -> float:
        """Return Var[x]: the mean of the variances plus the variance of the means."""
        means = np.array([component.mean() for component in self.components])
        inside = self.shares @ [component.variance() for component in self.components]
        return float(inside + self.shares @ (means - self.mean()) ** 2)

    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""
        parts = [w * c.cdf(x) for w, c in zip(self.shares, self.components, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    def ppf(self, q: Any, /) -> FloatArray:
        """Return the quantile, by bisection between those of the components."""
        q = np.asarray(q, dtype=np.float64)
        ends = np.stack([component.ppf(q) for component in self.components])
        low, high = ends.min(axis=0), ends.max(axis=0)
        found = np.empty(q.shape)
        for at in np.ndindex(q.shape):
            found[at] = self._quantile(float(q[at]), float(low[at]), float(high[at]))
        return found[()]

    def _quantile(self, q: float, low: float, high: float) -> float:
        if not low < high:
            return low
        if self.support().discrete:
            return float(next(x for x in np.arange(low, high + 1) if self.cdf(x) >= q))
        return float(brentq(lambda x: float(self.cdf(x)) - q, low, high, xtol=1e-14 * max(1.0, abs(high))))

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""
        which = rng.choice(len(self.components), size, p=self.shares)
        drawn = np.stack([np.asarray(component.sample(size, rng=rng)) for component in self.components])
        return np.take_along_axis(drawn, np.asarray(which)[None], axis=0)[0]

    def entropy(self) -> float:
        """Return −E[log p(x)], by quadrature or summation."""
        return -float(expectation(self, self.log_prob))

    def __str__(self) -> str:
        parts = (f"{w:.3g} {c}" for w, c in zip(self.shares, self.components, strict=True))
        return " + ".join(parts)
