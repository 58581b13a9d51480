"""Networks that a person writes as a plain NumPy function, trained as ours are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from thetahat.contracts import FloatArray, Status
from thetahat.errors import UsageError
from thetahat.networks.engine import TrainingProblem, executor_for
from thetahat.networks.history import History
from thetahat.networks.objective import penalised_mean
from thetahat.networks.output import FamilyName, Output, Variance
from thetahat.networks.training import Plan, by_steps
from thetahat.optimisers.adam import Adam
from thetahat.optimisers.sgd import SGD

__all__ = ["Trained", "train"]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Where training came to rest.

    Parameters
    ----------
    theta : list of ndarray
        The parameters, in the order they were given.
    log_sd : ndarray of shape (k,) or None
        Learned log σ.
    history : History
        Losses, with ``.plot()``.
    status : Status
        SOLVED where the loss no longer improved by ``tol``.
    detail : str
        The same in words.
    """

    theta: list[FloatArray]
    log_sd: FloatArray | None
    history: History
    status: Status
    detail: str


def train(
    eta: Callable[[list[Any], Any], Any],
    start: Sequence[ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    *,
    rng: Generator,
    family: FamilyName = "normal",
    variance: Variance = "fixed",
    classes: int | None = None,
    weight: ArrayLike | None = None,
    alpha: float = 0.0,
    optimiser: Adam | SGD | None = None,
    epochs: int = 200,
    batch_size: int = 200,
    tol: float = 1e-4,
    patience: int = 10,
    clip_norm: float | None = None,
) -> Trained:
    """Train p(y | x; θ) = family(η(θ, x)), with η any function written in NumPy, by maximum likelihood.

    Minimises the mean of −log p(y | x) over batches (half the squared error of a normal with fixed σ²)
    plus α ‖θ‖² / (2 · rows of a batch).

    Parameters
    ----------
    eta : callable
        ``(theta, X) -> array (n, k)``; of variance "per-example" k means, then k values of log σ. Choices
        between rows are written with ``np.where`` or ``np.maximum``.
    start : sequence of array
        First parameters; float32 works in single precision, anything else in double.
    X : array of shape (n, ...)
        Rows.
    y : array of shape (n,) or (n, k)
        The target; class codes 0 … K−1 of a categorical family.
    rng : Generator
        Order of the rows.
    family : {"normal", "bernoulli", "categorical", "poisson"}
        The distribution of y.
    variance : {"fixed", "learned", "per-example"}
        Of a normal.
    classes : int, optional
        K; as many as ``y`` has without.
    weight : array of shape (n,), optional
        Weight of each row, positive.
    alpha : float
        Strength of the penalty, on every parameter.
    optimiser : Adam or SGD, optional
        Adam with its defaults without.
    epochs, batch_size : int
        Most passes over the rows, and rows of a step.
    tol, patience : float, int
        Training ends after more than ``patience`` epochs that improved the loss by less than ``tol``.
    clip_norm : float, optional
        Longest gradient of a step.

    Returns
    -------
    Trained
        Its status is NOT_FINITE where training diverged; nothing is raised then.

    Raises
    ------
    UsageError
        y is outside the family's support, weights are not positive, or shapes do not agree.
    """
    rows = np.asarray(X)
    if rows.dtype.kind not in "fiub" or rows.ndim < 1 or not len(rows):
        raise UsageError(
            f"X: an array of numbers with at least one row is expected, not {rows.dtype} {rows.shape}"
        )
    if not np.isfinite(rows).all():
        raise UsageError("X: has NaN or infinite numbers; leave missing values out")
    try:
        target: NDArray[Any] = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"y: numbers, or class codes, are expected: {error}") from None
    if target.ndim not in (1, 2) or len(target) != len(rows) or not np.isfinite(target).all():
        raise UsageError(
            f"y: finite numbers for each of {len(rows)} rows are expected, not shape {target.shape}"
        )
    if family == "categorical":
        columns = int(target.max()) + 1 if classes is None else classes
        target = target.astype(np.int64).ravel()
    else:
        target = target.astype(np.float64).reshape(len(target), -1)
        columns = target.shape[1]
    output = Output(family, columns, variance)
    output.check(target)
    data: dict[str, NDArray[Any]] = {"X": rows, "y": target}
    if weight is not None:
        if np.shape(weight) != (len(rows),):
            raise UsageError(
                f"weight: one for each of {len(rows)} rows is expected, not shape {np.shape(weight)}"
            )
        data["weight"] = np.asarray(weight, dtype=np.float64)
        if not ((data["weight"] > 0) & np.isfinite(data["weight"])).all():
            raise UsageError("weight: every row needs a positive, finite weight; leave the others out")
    theta = [np.asarray(part) for part in start]
    single = all(part.dtype == np.float32 for part in theta)
    theta = [part.astype(np.float32 if single else np.float64) for part in theta]
    count = len(theta)
    if variance == "learned":
        theta.append(output.first_log_sd(target, data.get("weight")).astype(theta[0].dtype))
    width = np.shape(eta(list(theta[:count]), data["X"][:2]))
    if width != (min(2, len(target)), output.width):
        raise UsageError(f"eta: returns shape {width} of two rows; this family takes {output.width} columns")

    def objective(parameters: list[Any], batch: Mapping[str, Any]) -> Any:
        log_sd = parameters[-1] if variance == "learned" else None
        own = parameters[:count]
        rows = output.row_loss(eta(own, batch["X"]), log_sd, batch["y"])
        return penalised_mean(rows, own, batch, alpha)

    optimiser = Adam() if optimiser is None else optimiser
    problem = TrainingProblem(objective, theta, data)
    executor = executor_for(problem, optimiser, clip_norm=clip_norm)
    plan = Plan(epochs, min(batch_size, problem.rows), optimiser.learning_rate, tol=tol, patience=patience)
    history = History()
    stop = by_steps(executor, problem.rows, plan, history, rng=rng)
    found = [part.copy() for part in executor.parameters]
    log_sd = found[-1] if variance == "learned" else None
    return Trained(found[:count], log_sd, history, stop.status, stop.detail)
