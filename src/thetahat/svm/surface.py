"""The decision surface of a classifier of two columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.errors import UsageError
from thetahat.svm.classification import SVC

__all__ = ["plot_surface"]

STEPS = 200


def plot_surface(machine: SVC, X: Any, y: Any, ax: Any = None) -> Any:
    """Draw a fitted classifier of two columns: its regions, its margin and its support vectors.

    Parameters
    ----------
    machine : SVC
        Fitted to rows of two columns.
    X : ndarray of shape (n, 2)
        Rows to draw.
    y : array of shape (n,)
        Their labels.
    ax : matplotlib axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib axes
        What was drawn on.

    Raises
    ------
    UsageError
        There are not two columns.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415 -- imported where a person first needs it

    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] != 2:
        raise UsageError(f"X: a surface is drawn over two columns, not an array of shape {X.shape}")
    if ax is None:
        _, ax = plt.subplots()
    low, high = X.min(axis=0), X.max(axis=0)
    edge = 0.05 * (high - low) + 1e-12
    across, upward = (np.linspace(low[k] - edge[k], high[k] + edge[k], STEPS) for k in (0, 1))
    grid = np.column_stack([each.ravel() for each in np.meshgrid(across, upward)])
    codes = np.searchsorted(machine.classes_, machine.predict(grid)).reshape(STEPS, STEPS)
    count = len(machine.classes_)
    ax.contourf(across, upward, codes, levels=np.arange(count + 1) - 0.5, alpha=0.2, cmap="viridis")
    if count == 2:
        f = machine.decision_function(grid).reshape(STEPS, STEPS)
        ax.contour(across, upward, f, levels=[-1, 0, 1], colors="black", linestyles=["--", "-", "--"])
    for code, label in enumerate(machine.classes_):
        rows = np.asarray(y) == label
        shade = code / max(count - 1, 1)
        ax.scatter(X[rows, 0], X[rows, 1], s=14, color=plt.get_cmap("viridis")(shade), label=str(label))
    vectors = X[machine.support_[machine.support_ < len(X)]]
    ax.scatter(vectors[:, 0], vectors[:, 1], s=60, facecolors="none", edgecolors="black", linewidths=0.6)
    ax.set_title(f"{len(machine.support_)} support vectors, C = {machine.C:g}")
    ax.legend()
    return ax
