"""The decision surface of a classifier of two columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.errors import UsageError
from thetahat.svm.classification import SVC

__all__ = ["plot_surface"]

STEPS = 200
# Okabe and Ito's colours, each with a mark of its own; more classes than these begin again.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
MARKS = "os^Dvp"


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
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] != 2:
        raise UsageError(f"X: a surface is drawn over two columns, not an array of shape {X.shape}")
    if ax is None:
        from matplotlib.figure import Figure  # noqa: PLC0415 -- imported where a person first needs it

        ax = Figure(figsize=(5.6, 4.4), layout="constrained").add_subplot()
    low, high = X.min(axis=0), X.max(axis=0)
    edge = 0.05 * (high - low) + 1e-12
    across, upward = (np.linspace(low[k] - edge[k], high[k] + edge[k], STEPS) for k in (0, 1))
    grid = np.column_stack([each.ravel() for each in np.meshgrid(across, upward)])
    codes = np.searchsorted(machine.classes_, machine.predict(grid)).reshape(STEPS, STEPS)
    count = len(machine.classes_)
    shades = [COLOURS[code % len(COLOURS)] for code in range(count)]
    ax.contourf(across, upward, codes, levels=np.arange(count + 1) - 0.5, alpha=0.2, colors=shades)
    if count == 2:
        f = machine.decision_function(grid).reshape(STEPS, STEPS)
        ax.contour(across, upward, f, levels=[-1, 0, 1], colors="#333333", linestyles=["--", "-", "--"])
    for code, label in enumerate(machine.classes_):
        rows = np.asarray(y) == label
        mark = MARKS[code % len(MARKS)]
        ax.scatter(X[rows, 0], X[rows, 1], s=16, color=shades[code], marker=mark, label=str(label))
    vectors = X[machine.support_[machine.support_ < len(X)]]
    ax.scatter(vectors[:, 0], vectors[:, 1], s=60, facecolors="none", edgecolors="#333333", linewidths=0.6)
    found = len(machine.support_)
    ax.set_title(
        f"{found} of {len(X)} rows carry the boundary (ringed), C = {machine.C:g}", fontsize="medium"
    )
    names = getattr(machine, "feature_names_in_", ("first column", "second column"))
    ax.set_xlabel(str(names[0]))
    ax.set_ylabel(str(names[1]))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax
