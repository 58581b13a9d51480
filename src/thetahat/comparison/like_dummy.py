"""Models that predict what the dummy predicts in every held-out row, and why where it can be known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thetahat.comparison.candidates import Candidate
from thetahat.contracts import Prediction
from thetahat.resampling.evidence import Evidence
from thetahat.results.comparison import WarningRecord

__all__ = ["like_dummy"]

# Predictions that differ by less than this part of their size differ by rounding.
ROUNDING = 1e-9
MOST_WRAPPERS = 10


def like_dummy(candidates: Sequence[Candidate], evidence: Evidence, floor: str) -> list[WarningRecord]:
    """Return a notice at each model that equals the dummy in every prediction.

    Parameters
    ----------
    candidates : sequence of Candidate
        What was compared.
    evidence : Evidence
        What they predicted.
    floor : str
        The dummy's name.
    """
    said: list[WarningRecord] = []
    if floor not in evidence.complete:
        return said
    lowest = [outcome.prediction for outcome in evidence.of(floor)]
    rows = max(len(draw.train) for draw in evidence.draws)
    for candidate in candidates:
        if candidate.name == floor or candidate.name not in evidence.complete:
            continue
        pairs = list(
            zip([outcome.prediction for outcome in evidence.of(candidate.name)], lowest, strict=True)
        )
        if not all(a is not None and b is not None and _same(a, b) for a, b in pairs):
            continue
        cause = f"it predicts what {floor} predicts in every held-out row"
        if any(a is not None and _varies(a) for a, _ in pairs):
            cause += ", although its probabilities or scores differ between rows"
            cure = "Another measure, as log-loss or auc, may show what it learned"
        else:
            why, cure = _reason(candidate, rows)
            cause += why
        said.append(WarningRecord("", "notice", f"model {candidate.name}", cause, cure))
    return said


def _same(a: Prediction, b: Prediction) -> bool:
    if a.value.dtype.kind == "f":
        return bool(np.allclose(a.value, b.value, rtol=ROUNDING, atol=0))
    return bool(np.array_equal(a.value, b.value))


def _varies(prediction: Prediction) -> bool:
    """Return whether a prediction of classes has probabilities or scores that depend on the row."""
    belief = prediction.score if prediction.probability is None else prediction.probability
    return belief is not None and bool((np.ptp(belief, axis=0) > ROUNDING).any())


def _reason(candidate: Candidate, rows: int) -> tuple[str, str]:
    """Return why a learner of its parameters is constant on so many training rows, and the cure."""
    parameters = _parameters(candidate.learner)
    tuned = () if candidate.grid is None else tuple(candidate.grid.values)
    leaf = parameters.get("min_samples_leaf")
    if isinstance(leaf, int) and "min_samples_leaf" not in tuned and rows < 2 * leaf:
        why = (
            f": min_samples_leaf={leaf} asks for {leaf} rows on either side of a split, which at most "
            f"{rows} training rows do not have"
        )
        return why, "Lower min_samples_leaf, or leave the model out on so few rows"
    if "C" in parameters:
        return (
            ": it is constant, as with a penalty that outweighs the losses",
            "Raise C, or scale the columns",
        )
    if "alpha" in parameters:
        return ": it is constant, as with a penalty that outweighs the losses", "Lower alpha"
    return "", "Look at its parameters: it has learned nothing from these rows"


def _parameters(learner: Any) -> dict[str, Any]:
    """Return the parameters of the estimator inside of a learner."""
    for _ in range(MOST_WRAPPERS):
        inside = getattr(learner, "learner", None) or getattr(learner, "estimator", None)
        steps = getattr(learner, "steps", None)
        if inside is None and isinstance(steps, list) and steps:
            inside = steps[-1][1]
        if inside is None or isinstance(inside, type):
            break
        learner = inside
    if hasattr(learner, "get_params"):
        return dict(learner.get_params(deep=False))
    return {name: getattr(learner, name) for name in ("C", "alpha") if hasattr(learner, name)}
