"""Adam: steps along the mean gradient over the root of its mean square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.numerics.compiled import kernel

__all__ = ["Adam", "adam_step"]


@dataclass(frozen=True, slots=True)
class Adam:
    """Settings of Adam (Kingma and Ba, 2015, algorithm 1).

    θ ← θ − rate · m̂ / (√v̂ + ε), with m̂ and v̂ the exponential means of the gradient and of its
    square, divided by 1 − β₁ᵗ and 1 − β₂ᵗ.

    Parameters
    ----------
    learning_rate : float
        Length of a step.
    beta1, beta2 : float
        How much of the past the two means keep, in [0, 1).
    epsilon : float
        Added to the root.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise UsageError(f"learning_rate is {self.learning_rate}; it must be positive")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; it must lie in [0, 1)")
        if self.epsilon <= 0:
            raise UsageError(f"epsilon is {self.epsilon}; it must be positive")

    @property
    def slots(self) -> int:
        """How many vectors it remembers."""
        return 2

    @property
    def coefficients(self) -> tuple[float, float, float, float]:
        """What the compiled step needs: its kind, then β₁, β₂ and ε."""
        return (1.0, self.beta1, self.beta2, self.epsilon)


@kernel
def adam_step(
    theta: FloatArray,
    gradient: FloatArray,
    first: FloatArray,
    second: FloatArray,
    numbers: FloatArray,
) -> None:
    """Take one step in place.

    ``numbers`` in the arrays' precision: β₁, 1 − β₁, β₂, 1 − β₂, rate/(1 − β₁ᵗ), 1/√(1 − β₂ᵗ), ε and
    the factor of clipping. They are computed in double precision by the caller: 1 − 0.999 has three
    digits in single.
    """
    b1, c1, b2, c2 = numbers[0], numbers[1], numbers[2], numbers[3]
    rate, root, epsilon, scale = numbers[4], numbers[5], numbers[6], numbers[7]
    for i in range(theta.size):
        g = gradient[i] * scale
        m = b1 * first[i] + c1 * g
        v = b2 * second[i] + c2 * (g * g)
        first[i] = m
        second[i] = v
        theta[i] -= rate * m / (np.sqrt(v) * root + epsilon)
