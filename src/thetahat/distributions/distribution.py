"""What every distribution can say; a family writes its density and overrides nothing concrete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.autodiff import grad
from thetahat.contracts import FloatArray
from thetahat.distributions.quadrature import expectation
from thetahat.distributions.spaces import Space
from thetahat.errors import UsageError
from thetahat.numerics.moments import centred

__all__ = ["Distribution", "Support"]


@dataclass(frozen=True, slots=True)
class Support:
    """Where a distribution puts its mass: an interval, or the whole numbers in it.

    Parameters
    ----------
    low, high : float
        The ends.
    discrete : bool
        Whether only whole numbers.
    low_closed, high_closed : bool
        Whether the ends belong to it.
    """

    low: float = -np.inf
    high: float = np.inf
    discrete: bool = False
    low_closed: bool = True
    high_closed: bool = True

    def contains(self, x: Any) -> NDArray[np.bool_]:
        """Return for each number whether it lies in the support; never for NaN."""
        x = np.asarray(x)
        above = x >= self.low if self.low_closed else x > self.low
        below = x <= self.high if self.high_closed else x < self.high
        inside = above & below & np.isfinite(x)
        return np.asarray(inside & (x == np.floor(x)) if self.discrete else inside)

    def __str__(self) -> str:
        if self.discrete:
            top = "…" if self.high == np.inf else f"… {self.high:g}"
            return f"whole numbers {self.low:g}, {self.low + 1:g} {top}"
        left = "[" if self.low_closed and self.low > -np.inf else "("
        right = "]" if self.high_closed and self.high < np.inf else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


class Distribution(ABC):
    """A parametric family p(x; θ); a parameter that is ``None`` is unknown, to be estimated.

    Attributes
    ----------
    spaces : mapping of str to Space
        The parameters in order, and where each lives.
    """

    spaces: ClassVar[Mapping[str, Space]]

    def __post_init__(self) -> None:
        for name, space in self.spaces.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, int | float | np.number) or not space.contains(value):
                raise UsageError(f"{name}: {type(self).__name__} takes {space.words}, not {value!r}")
            object.__setattr__(self, name, float(np.float64(value)))

    @abstractmethod
    def log_density(self, x: Any, /, *theta: Any) -> Any:
        """Return log p(x; θ) inside the support, differentiable in θ; nothing is checked."""

    @abstractmethod
    def support(self) -> Support:
        """Return the support."""

    @abstractmethod
    def mean(self) -> float:
        """Return E[x]; NaN or infinite where there is none."""

    @abstractmethod
    def variance(self) -> float:
        """Return Var[x]; NaN or infinite where there is none."""

    @abstractmethod
    def cdf(self, x: Any, /) -> FloatArray:
        """Return P(X ≤ x)."""

    @abstractmethod
    def ppf(self, q: Any, /) -> FloatArray:
        """Return the smallest x with P(X ≤ x) ≥ q."""

    @abstractmethod
    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw."""

    @abstractmethod
    def entropy(self) -> float:
        """Return −E[log p(x)], in nats."""

    @abstractmethod
    def start(self, x: FloatArray, weight: FloatArray, /) -> tuple[float, ...]:
        """Return parameters near the maximum of the likelihood, to begin from."""

    @property
    def exact(self) -> bool:
        """Whether :meth:`start` is the maximum itself, in closed form."""
        return False

    @property
    def theta(self) -> tuple[float, ...]:
        """The values of the parameters.

        Raises
        ------
        UsageError
            One of them is unknown.
        """
        values = tuple(getattr(self, name) for name in self.spaces)
        unknown = [name for name, value in zip(self.spaces, values, strict=True) if value is None]
        if unknown:
            raise UsageError(
                f"{type(self).__name__}: {', '.join(unknown)} unknown; give a value, or estimate it with mle"
            )
        return values

    def with_theta(self, *theta: float) -> Self:
        """Return the same family with these parameters."""
        return replace(self, **dict(zip(self.spaces, theta, strict=True)))  # type: ignore[type-var]

    def log_prob(self, x: Any, /) -> FloatArray:
        """Return log p(x), −∞ outside the support and NaN for NaN.

        Parameters
        ----------
        x : array
            Any shape.
        """
        x = np.asarray(x, dtype=np.float64)
        theta = self.theta
        inside = self.support().contains(x)
        with np.errstate(divide="ignore"):
            value = self.log_density(x if inside.all() else np.where(inside, x, self.ppf(0.5)), *theta)
        outside = np.where(np.isnan(x), np.nan, -np.inf)
        return np.asarray(np.where(inside, value, outside))[()]

    def score(self, x: Any, /) -> FloatArray:
        """Return ∂ log p(x; θ)/∂θ for each x, shape (n, p).

        Parameters
        ----------
        x : array of shape (n,)
            Inside the support.
        """
        x = np.asarray(x, dtype=np.float64)
        rows = [np.full(x.shape, value) for value in self.theta]
        # Each row has parameters of its own, so the gradient of the sum is the score of every row.
        slopes = grad(lambda *theta: np.sum(self.log_density(x, *theta)), tuple(range(len(rows))))(*rows)
        return np.stack(slopes, axis=-1)

    def expectation(self, function: Any, /) -> Any:
        """Return E[f(x)] by quadrature, or by summation over whole numbers.

        Parameters
        ----------
        function : callable
            Of an array of x, shape (m,), to shape (m, …).
        """
        return expectation(self, function)

    def fisher_information(self) -> FloatArray:
        """Return the expected information of one x about θ, shape (p, p): the variance of the score.

        By quadrature. A family whose support depends on θ has none: NaN.
        """
        p = len(self.theta)
        if not self.regular:
            return np.full((p, p), np.nan)

        def squared(x: FloatArray) -> FloatArray:
            slopes = self.score(x)
            return slopes[:, :, None] * slopes[:, None, :]

        return np.asarray(self.expectation(squared))

    @property
    def regular(self) -> bool:
        """Whether the support is the same for every θ, so that the usual theory of errors holds."""
        return True

    def __str__(self) -> str:
        given = [(f.name, getattr(self, f.name)) for f in fields(self)]  # type: ignore[arg-type]
        values = ", ".join(f"{name}={value:.6g}" for name, value in given if value is not None)
        return f"{type(self).__name__}({values})"


def weighted_mean(x: Any, weight: FloatArray) -> float:
    """Return Σ w x / Σ w, also where a sum of such numbers or weights is beyond the largest number."""
    small, size = _shrunk(np.asarray(x, dtype=np.float64))
    return float(np.ldexp(centred(small, _shrunk(weight)[0])[0], size))


def weighted_variance(x: Any, weight: FloatArray) -> float:
    """Return Σ w (x − x̄)² / Σ w."""
    small, size = _shrunk(np.asarray(x, dtype=np.float64))
    _, away = centred(small, _shrunk(weight)[0])
    return float(np.ldexp(weighted_mean(away**2, weight), 2 * size))


def _shrunk(x: FloatArray) -> tuple[FloatArray, int]:
    """Return numbers of size 1 at most, and the power of two they were divided by, which rounds nothing."""
    size = int(np.frexp(np.abs(x).max())[1])
    return np.ldexp(x, -size), size
