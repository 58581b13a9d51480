"""Stochastic gradient descent, plain, with momentum, or with Nesterov's."""

from __future__ import annotations

from dataclasses import dataclass

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.numerics.compiled import kernel

__all__ = ["SGD", "sgd_step"]


@dataclass(frozen=True, slots=True)
class SGD:
    """Settings of stochastic gradient descent.

    v ← μ v − rate · g, then θ ← θ + v, or θ ← θ + μ v − rate · g with Nesterov's momentum (Sutskever
    et al., 2013, equations 1 to 4, at the shifted point).

    Parameters
    ----------
    learning_rate : float
        Length of a step.
    momentum : float
        μ, in [0, 1).
    nesterov : bool
        Whether the gradient is that ahead of the step.
    """

    learning_rate: float = 1e-2
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise UsageError(f"learning_rate is {self.learning_rate}; it must be positive")
        if not 0 <= self.momentum < 1:
            raise UsageError(f"momentum is {self.momentum}; it must lie in [0, 1)")

    @property
    def slots(self) -> int:
        """How many vectors it remembers."""
        return 1

    @property
    def coefficients(self) -> tuple[float, float, float, float]:
        """What the compiled step needs: its kind, then μ and whether Nesterov's."""
        return (0.0, self.momentum, float(self.nesterov and self.momentum > 0), 0.0)


@kernel
def sgd_step(
    theta: FloatArray, gradient: FloatArray, velocity: FloatArray, numbers: FloatArray, nesterov: bool
) -> None:
    """Take one step in place; ``numbers`` in the arrays' precision: μ, then the rate times the clipping."""
    momentum, rate = numbers[0], numbers[1]
    for i in range(theta.size):
        push = rate * gradient[i]
        v = momentum * velocity[i] - push
        velocity[i] = v
        theta[i] += momentum * v - push if nesterov else v
