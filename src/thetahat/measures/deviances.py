"""Deviances of predicted means: Poisson and gamma."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thetahat.contracts import FloatArray, Prediction
from thetahat.measures.measure import Measure, Target, Undefined

__all__ = ["gamma_deviance", "poisson_deviance", "require"]

OTHER = "choose squared-error or absolute-error, or models whose predictions stay there"


def _so_many(rows: int) -> str:
    return "one held-out row has" if rows == 1 else f"{rows} held-out rows have others, the first"


def require(holds: NDArray[np.bool_], numbers: NDArray[Any], measure: str, what: str, cure: str) -> None:
    """Refuse numbers outside of the domain of a measure.

    Parameters
    ----------
    holds : ndarray of shape (n,)
        Which numbers are inside.
    numbers : ndarray of shape (n,)
        The numbers.
    measure, what, cure : str
        Name of the measure, what it needs, and what to do, for the message.

    Raises
    ------
    Undefined
        One is outside.
    """
    if not np.all(holds):
        # No number of the row: these rows are a held-out part, counted in another way than the table.
        wrong = numbers[~holds]
        raise Undefined(f"{measure} needs {what}, and {_so_many(len(wrong))} {wrong[0]:.6g}; {cure}")


def _poisson(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    mean = prediction.value
    require(y >= 0, y, "poisson-deviance", "targets of at least 0", "choose squared-error or absolute-error")
    require(mean > 0, mean, "poisson-deviance", "predictions above 0", OTHER)
    return np.asarray(2 * (special.xlogy(y, y / mean) - y + mean))


def _gamma(y: NDArray[Any], prediction: Prediction) -> FloatArray:
    mean = prediction.value
    require(y > 0, y, "gamma-deviance", "targets above 0", "choose poisson-deviance or squared-error")
    require(mean > 0, mean, "gamma-deviance", "predictions above 0", OTHER)
    ratio = y / mean
    return np.asarray(2 * (ratio - 1 - np.log(ratio)))


def poisson_deviance(target: Target, argument: str) -> Measure:
    """Return the mean Poisson deviance 2 (y log(y / μ) − y + μ), with y ≥ 0 and predictions μ > 0."""
    return Measure(
        "poisson-deviance",
        "Poisson deviance",
        "deviance per row",
        "regression",
        _poisson,
        bounds=(0.0, np.inf),
    )


def gamma_deviance(target: Target, argument: str) -> Measure:
    """Return the mean gamma deviance 2 (y / μ − 1 − log(y / μ)), with y > 0 and predictions μ > 0."""
    return Measure(
        "gamma-deviance", "gamma deviance", "deviance per row", "regression", _gamma, bounds=(0.0, np.inf)
    )
