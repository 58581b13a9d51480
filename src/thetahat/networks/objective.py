"""What training makes small: the mean loss of a batch, with a penalty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["penalised_mean"]


def penalised_mean(rows: Any, penalised: Sequence[Any], batch: Mapping[str, Any], alpha: float) -> Any:
    """Return Σ w · loss / Σ w + α Σ θ² / (2 Σ w), differentiable.

    Parameters
    ----------
    rows : array of shape (n,)
        Loss of each row.
    penalised : sequence of array
        Parameters that the penalty holds.
    batch : mapping
        With "weight" of shape (n,) where rows are weighted.
    alpha : float
        Strength of the penalty.
    """
    if "weight" in batch:
        total = np.sum(batch["weight"])
        value = np.sum(batch["weight"] * rows) / total
    else:
        total = float(rows.shape[0])
        value = np.sum(rows) / total
    if alpha > 0:
        value = value + (0.5 * alpha) * sum(np.sum(part * part) for part in penalised) / total
    return value
