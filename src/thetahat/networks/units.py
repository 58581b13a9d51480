"""Hidden units: what a layer does to its sums, and how its weights should start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from scipy import special

from thetahat.autodiff import softmax
from thetahat.errors import UsageError

__all__ = ["UNITS", "Unit", "unit_named"]

LEAK = 0.01


@dataclass(frozen=True, slots=True)
class Unit:
    """A hidden unit h = f(z), z the weighted sum of its inputs.

    Parameters
    ----------
    name : str
        What it is called.
    function : callable
        ``f(z, slope)`` of a batch of shape (n, width), plain NumPy; ``slope`` is None unless learned.
    start : {"he", "glorot"}
        The initialisation that keeps the variance from layer to layer.
    rectified : bool
        Whether it is off over half of the line, so that a small positive bias lets it start active.
    bounded : tuple of float or None
        The values that it saturates at.
    slope : float or None
        Where the learned slope of each unit starts; None where none is learned.
    """

    name: str
    function: Callable[[Any, Any], Any]
    start: Literal["he", "glorot"] = "glorot"
    rectified: bool = False
    bounded: tuple[float, float] | None = None
    slope: float | None = None


def _relu(z: Any, _slope: Any) -> Any:
    return np.maximum(z, 0.0)


def _leaky_relu(z: Any, _slope: Any) -> Any:
    return np.maximum(z, LEAK * z)


def _prelu(z: Any, slope: Any) -> Any:
    return np.maximum(z, 0.0) + slope * np.minimum(z, 0.0)


def _absolute(z: Any, _slope: Any) -> Any:
    return np.abs(z)


def _tanh(z: Any, _slope: Any) -> Any:
    return np.tanh(z)


def _sigmoid(z: Any, _slope: Any) -> Any:
    return special.expit(z)


def _softmax(z: Any, _slope: Any) -> Any:
    return softmax(z, axis=1)


def _identity(z: Any, _slope: Any) -> Any:
    return z


#: Every hidden unit by its name.
UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        unit.name: unit
        for unit in (
            Unit("relu", _relu, "he", rectified=True),
            Unit("leaky_relu", _leaky_relu, "he", rectified=True),
            Unit("prelu", _prelu, "he", rectified=True, slope=0.25),
            Unit("abs", _absolute, "he"),
            Unit("tanh", _tanh, bounded=(-1.0, 1.0)),
            Unit("sigmoid", _sigmoid, bounded=(0.0, 1.0)),
            Unit("softmax", _softmax),
            Unit("identity", _identity),
        )
    }
)
# scikit-learn's name of the sigmoid.
_ALSO = {"logistic": "sigmoid"}


def unit_named(name: str) -> Unit:
    """Return the unit of this name.

    Raises
    ------
    UsageError
        There is none.
    """
    unit = UNITS.get(_ALSO.get(name, name))
    if unit is None:
        raise UsageError(f"hidden: there is no unit {name!r}; choose from {', '.join(UNITS)}")
    return unit
