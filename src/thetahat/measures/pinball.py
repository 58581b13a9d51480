"""The pinball loss of a predicted quantile."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, Prediction
from thetahat.errors import UsageError
from thetahat.measures.measure import Measure, Target

__all__ = ["pinball", "quantile_of"]

SAME_LEVEL = 1e-12


def quantile_of(level: float, prediction: Prediction) -> FloatArray | None:
    """Return the predicted quantile of a level, or None if it is not predicted."""
    for given, quantile in (prediction.quantile or {}).items():
        if abs(given - level) <= SAME_LEVEL:
            return quantile
    return None


def _pinball(level: float, y: NDArray[Any], prediction: Prediction) -> FloatArray:
    quantile = quantile_of(level, prediction)
    above = y - (prediction.value if quantile is None else quantile)
    return np.asarray(np.maximum(level * above, (level - 1) * above), dtype=np.float64)


def _stands_in(level: float, prediction: Prediction) -> str:
    if quantile_of(level, prediction) is not None:
        return ""
    return f"judged by its predicted value, for it gives no {_short(level)} quantile"


def _short(level: float) -> str:
    return f"{level:.12g}".removeprefix("0")


def pinball(target: Target, argument: str) -> Measure:
    """Return the mean pinball loss at level Q: Q (y − q) above the quantile q, (1 − Q)(q − y) below it.

    A prediction without this quantile is judged by its value, which ``stands_in`` of the measure reports.

    Raises
    ------
    UsageError
        The argument is no level between 0 and 1.

    Notes
    -----
    Koenker, R. and Bassett, G. (1978). Regression quantiles. *Econometrica* 46, 33–50.
    """
    cure = "type the level of the quantile, between 0 and 1, after the colon, as in pinball:0.9"
    if not argument:
        raise UsageError(f"metric: pinball needs a level; {cure}")
    try:
        level = float(argument)
    except ValueError:
        raise UsageError(f"metric: the level of pinball:{argument} is not a number; {cure}") from None
    if not 0 < level < 1:
        raise UsageError(f"metric: the level of pinball:{argument} is not between 0 and 1; {cure}")
    return Measure(
        f"pinball:{level:.12g}",
        f"pinball loss at {_short(level)}",
        "unit of the target",
        "regression",
        partial(_pinball, level),
        bounds=(0.0, np.inf),
        stands_in=partial(_stands_in, level),
    )
