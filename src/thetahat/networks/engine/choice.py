"""Which executor runs a problem."""

from __future__ import annotations

from thetahat.networks.engine.executor import DynamicExecutor, Executor, Optimiser
from thetahat.networks.engine.problem import TrainingProblem

__all__ = ["executor_for"]


def executor_for(
    problem: TrainingProblem, optimiser: Optimiser, *, clip_norm: float | None = None
) -> Executor:
    """Return the fastest executor that can run this problem.

    Parameters
    ----------
    problem : TrainingProblem
        What is trained.
    optimiser : Adam or SGD
        How.
    clip_norm : float, optional
        The gradient of all parameters together is shortened to this length.
    """
    return DynamicExecutor(problem, optimiser, clip_norm=clip_norm)
