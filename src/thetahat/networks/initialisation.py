"""Where the weights of a layer start."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from thetahat.contracts import FloatArray
from thetahat.networks.units import Unit

__all__ = ["RECTIFIED_BIAS", "Start", "first_weights"]

Start = Literal["unit", "he", "glorot", "orthogonal"]

#: Bias of rectified units at the start, so that most of them answer to most rows.
RECTIFIED_BIAS = 0.1


def first_weights(
    inputs: int, outputs: int, unit: Unit | None, start: Start, *, rng: Generator
) -> FloatArray:
    """Draw the weights of a layer.

    Parameters
    ----------
    inputs, outputs : int
        Widths before and after.
    unit : Unit or None
        The layer's unit; None for the output.
    start : {"unit", "he", "glorot", "orthogonal"}
        He's normal with variance 2 / inputs (He et al., 2015), Glorot's uniform with variance
        2 / (inputs + outputs) (Glorot and Bengio, 2010), or an orthogonal matrix (Saxe et al., 2014),
        times √2 for units that halve the variance; "unit" is He's or Glorot's as the unit asks for.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (inputs, outputs)
        In float64.
    """
    halves = unit is not None and unit.rectified
    if start == "unit":
        start = "glorot" if unit is None else unit.start
    if start == "he":
        # Absolute rectification keeps the whole second moment, so it needs only half of He's variance.
        variance = 1.0 if unit is not None and unit.name == "abs" else 2.0
        return rng.normal(scale=np.sqrt(variance / inputs), size=(inputs, outputs))
    if start == "glorot":
        bound = np.sqrt(6.0 / (inputs + outputs))
        return rng.uniform(-bound, bound, size=(inputs, outputs))
    tall, wide = max(inputs, outputs), min(inputs, outputs)
    q, r = np.linalg.qr(rng.standard_normal((tall, wide)))
    # Without the signs the factor would not be uniform over orthogonal matrices.
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (np.sqrt(2.0) if halves else 1.0) * (q if inputs >= outputs else q.T)
