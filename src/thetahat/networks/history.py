"""What training saw, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from thetahat.contracts import FloatArray

__all__ = ["History", "check_history"]


@dataclass(slots=True, eq=False)
class History:
    """The losses of training and where it stands.

    Parameters
    ----------
    losses : list of float
        Mean loss of each epoch, penalty included, measured step by step while the parameters moved.
    scores : list of float
        Held-out score after each epoch, with early stopping.
    epochs : int
        Epochs of this call.
    rows_seen : int
        Rows that training took a step on, repeats included.
    waited : int
        Epochs in a row without an improvement.
    best_loss, best_score : float
        Best so far.
    divisor : float
        What an adaptive schedule has divided the learning rate by.
    best : ndarray or None
        Parameters of the best held-out score, in one vector.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    epochs: int = 0
    rows_seen: int = 0
    waited: int = 0
    best_loss: float = np.inf
    best_score: float = -np.inf
    divisor: float = 1.0
    best: FloatArray | None = None

    def noted(self, loss: float, score: float | None, tol: float) -> bool:
        """Add an epoch; whether its score is the best so far."""
        self.losses.append(loss)
        self.epochs += 1
        if score is None:
            self.waited = self.waited + 1 if loss > self.best_loss - tol else 0
            self.best_loss = min(self.best_loss, loss)
            return False
        self.scores.append(score)
        self.waited = self.waited + 1 if score < self.best_score + tol else 0
        better = score > self.best_score
        self.best_score = max(self.best_score, score)
        return better

    def plot(self, ax: Any = None) -> Any:
        """Draw the loss of every epoch, and the held-out score where there is one.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to; a new figure without.

        Returns
        -------
        matplotlib.axes.Axes
            Those drawn on.
        """
        if ax is None:
            from matplotlib.figure import Figure  # noqa: PLC0415

            ax = Figure(figsize=(6, 3.6), layout="constrained").add_subplot()
        epochs = np.arange(1, len(self.losses) + 1)
        ax.plot(epochs, self.losses, color="#0072b2", lw=1.5)
        ax.set_xlabel("epoch")
        ax.set_ylabel("training loss")
        ax.spines[["top", "right"]].set_visible(False)
        if self.scores:
            beside = ax.twinx()
            beside.plot(epochs[-len(self.scores) :], self.scores, color="#6e7074", lw=1.2, ls="--")
            beside.set_ylabel("held-out score (dashed)")
            beside.spines["top"].set_visible(False)
        return ax


def check_history(history: History) -> None:
    """Raise ValueError where a file holds what no training saw."""
    said: dict[str, Any] = {each.name: getattr(history, each.name) for each in fields(history)}
    numbers = [said[name] for name in ("best_loss", "best_score", "divisor")]
    for name in ("losses", "scores"):
        if type(said[name]) is not list:
            raise ValueError(f"{name} is no list")
        numbers += said[name]
    counts = [said[name] for name in ("epochs", "rows_seen", "waited")]
    best = said["best"]
    if (
        any(type(count) is not int or count < 0 for count in counts)
        or any(not isinstance(number, float) for number in numbers)
        or not (best is None or (isinstance(best, np.ndarray) and best.ndim == 1 and best.dtype.kind == "f"))
    ):
        raise ValueError("a history holds what is no number")
