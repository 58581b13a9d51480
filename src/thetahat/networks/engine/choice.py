"""Which executor runs a problem."""

from __future__ import annotations

import warnings

from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.networks.engine.executor import DynamicExecutor, Executor, Optimiser
from thetahat.networks.engine.problem import TrainingProblem
from thetahat.networks.engine.static import StaticExecutor

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

    Returns
    -------
    Executor
        The static one, which records a step and runs it as a program; where the loss has an
        operation that it cannot run, the dynamic one.

    Warns
    -----
    ThetaHatWarning
        Where the dynamic one is returned: which operation is the reason.
    """
    try:
        static = StaticExecutor(problem, optimiser, clip_norm=clip_norm)
        static.prepare(min(problem.rows, 3))
    except (UsageError, AttributeError, TypeError) as refusal:
        warnings.warn(
            f"Every step is recorded anew, which is many times slower: {refusal}",
            ThetaHatWarning,
            stacklevel=2,
        )
        return DynamicExecutor(problem, optimiser, clip_norm=clip_norm)
    return static
