"""Every prediction of held-out rows as a table."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from thetahat.errors import UsageError
from thetahat.measures.measure import Target
from thetahat.resampling.evidence import Evidence
from thetahat.results.saving import replace_file

__all__ = ["prediction_columns", "write_predictions"]


def prediction_columns(evidence: Evidence, target: Target) -> dict[str, Any]:
    """Return by column: row, draw, model, y, value, a probability for each class, weight.

    Parameters
    ----------
    evidence : Evidence
        What the models predicted.
    target : Target
        The classes, whose labels stand in ``y`` and ``value``.
    """
    parts: dict[str, list[Any]] = {name: [] for name in ("row", "draw", "model", "y", "value", "weight")}
    probabilities: list[list[Any]] = [[] for _ in target.labels]
    row = np.arange(len(evidence.y)) if evidence.row is None else evidence.row
    weight = np.ones(len(evidence.y)) if evidence.weight is None else evidence.weight
    for number, (draw, outcomes) in enumerate(zip(evidence.draws, evidence.outcomes, strict=True)):
        for model, outcome in zip(evidence.models, outcomes, strict=True):
            if outcome.prediction is None:
                continue
            n = len(draw.test)
            parts["row"].append(row[draw.test])
            parts["draw"].append(np.full(n, number))
            parts["model"].append(np.full(n, model, dtype=object))
            parts["y"].append(evidence.y[draw.test])
            parts["value"].append(outcome.prediction.value)
            parts["weight"].append(weight[draw.test])
            given = outcome.prediction.probability
            for k, columns in enumerate(probabilities):
                columns.append(np.full(n, np.nan) if given is None else given[:, k])
    whole = {name: np.concatenate(each) if each else np.empty(0) for name, each in parts.items()}
    table: dict[str, Any] = {
        "row": whole["row"].astype(np.int64),
        "draw": whole["draw"].astype(np.int64),
        "model": whole["model"].astype(str).tolist(),
        "y": _labels(whole["y"], target),
        "value": _labels(whole["value"], target),
    }
    for label, each in zip(target.labels, probabilities, strict=True):
        table[f"probability_{label}"] = np.concatenate(each) if each else np.empty(0)
    return {**table, "weight": whole["weight"]}


def _labels(values: Any, target: Target) -> Any:
    if not target.labels:
        return values
    return [target.labels[int(code)] for code in values]


def write_predictions(columns: dict[str, Any], path: str | Path) -> None:
    """Write the columns as Parquet or, by the ending ``.csv``, as CSV.

    Raises
    ------
    UsageError
        The ending is neither, or the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    frame = pl.DataFrame(columns)
    if ending == ".csv":
        replace_file(path, frame.write_csv().encode())
        return
    if ending not in (".parquet", ".pq"):
        raise UsageError(f"predictions: {path} ends in neither .parquet nor .csv; name one of them")
    content = BytesIO()
    frame.write_parquet(content)
    replace_file(path, content.getvalue())
