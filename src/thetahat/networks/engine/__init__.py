"""Training steps of any network written as a plain NumPy function.

``problem`` says what is trained, ``likelihood`` what an output family costs, ``executor`` who runs
it, and ``executor_for`` chooses.
"""

from thetahat.networks.engine.choice import executor_for
from thetahat.networks.engine.executor import DynamicExecutor, Executor
from thetahat.networks.engine.graph import NotStatic
from thetahat.networks.engine.likelihood import negative_log_likelihood, normal_nll
from thetahat.networks.engine.problem import Dropout, EngineState, TrainingProblem
from thetahat.networks.engine.static import StaticExecutor

__all__ = [
    "Dropout",
    "DynamicExecutor",
    "EngineState",
    "Executor",
    "NotStatic",
    "StaticExecutor",
    "TrainingProblem",
    "executor_for",
    "negative_log_likelihood",
    "normal_nll",
]
