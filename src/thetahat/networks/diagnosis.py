"""What a trained network looks like inside, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.networks.architecture import Architecture

__all__ = ["Diagnosis", "LayerState", "diagnose", "gradient_norms"]

# A unit within this share of its range from an end no longer answers to its input.
_NEAR = 0.01
_MANY_DEAD, _MANY_SATURATED = 0.3, 0.5
_VANISHED = 1e-4


@dataclass(frozen=True, slots=True)
class LayerState:
    """One hidden layer on some rows.

    Parameters
    ----------
    place : int
        From 1, the layer next to X.
    unit : str
        Its unit.
    width : int
        How many.
    dead : float
        Share of units of "relu" that are off for every row, and so cannot learn; 0 for other units.
    saturated : float
        Share of values within a hundredth of the range from an end; 0 for units without ends.
    gradient : float
        Norm of the last step's gradient in the layer's weights; NaN where it is not known.
    """

    place: int
    unit: str
    width: int
    dead: float
    saturated: float
    gradient: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All hidden layers, and what is wrong with them.

    Parameters
    ----------
    layers : tuple of LayerState
        In order.
    findings : tuple of str
        Each a cause with its cure; none where nothing is wrong.
    """

    layers: tuple[LayerState, ...]
    findings: tuple[str, ...]

    def table(self) -> str:
        """Return the layers as lines of text, and the findings under them."""
        lines = [f"{'layer':>5}  {'unit':<10}  {'width':>5}  {'dead':>5}  {'saturated':>9}  {'gradient':>9}"]
        lines += [
            f"{one.place:>5}  {one.unit:<10}  {one.width:>5}  {one.dead:>5.0%}  {one.saturated:>9.0%}  "
            f"{one.gradient:>9.2g}"
            for one in self.layers
        ]
        return "\n".join([*lines, *self.findings])

    def __str__(self) -> str:
        return self.table()


def gradient_norms(architecture: Architecture, gradients: Sequence[FloatArray]) -> FloatArray:
    """Return the norm of the gradient in the weights of each layer, the output's last."""
    return np.array([_length(part) for part in architecture.weights(gradients)])


def _length(part: FloatArray) -> float:
    # In units of the largest entry: squares of a gradient of 1e200 are beyond the largest number.
    largest = float(np.abs(part).max(initial=0.0))
    return largest * float(np.linalg.norm(part / largest)) if largest > 0 else 0.0


def diagnose(
    architecture: Architecture,
    theta: Sequence[FloatArray],
    X: FloatArray,
    gradients: FloatArray | None = None,
) -> Diagnosis:
    """Look at every hidden layer on these rows.

    Parameters
    ----------
    architecture : Architecture
        The network.
    theta : sequence of ndarray
        Its parameters.
    X : ndarray of shape (n, d)
        Rows, best those of the training.
    gradients : ndarray of shape (layers,), optional
        Norms from :func:`gradient_norms`.
    """
    layers = []
    for i, (unit, h) in enumerate(zip(architecture.units, architecture.hidden(theta, X)[1:], strict=True)):
        dead = saturated = 0.0
        if unit.name == "relu":
            dead = float(np.mean(~(h > 0).any(axis=0)))
        if unit.bounded is not None:
            low, high = unit.bounded
            edge = _NEAR * (high - low)
            saturated = float(np.mean((h < low + edge) | (h > high - edge)))
        norm = np.nan if gradients is None else float(gradients[i])
        layers.append(LayerState(i + 1, unit.name, h.shape[1], dead, saturated, norm))
    return Diagnosis(tuple(layers), tuple(_findings(layers, gradients)))


def _findings(layers: Sequence[LayerState], gradients: FloatArray | None) -> list[str]:
    found = []
    for layer in layers:
        if layer.dead > _MANY_DEAD:
            found.append(
                f"layer {layer.place}: {layer.dead:.0%} of its {layer.unit} units are off for every row and "
                "can no longer learn; lower learning_rate_init, or use hidden='leaky_relu'"
            )
        if layer.saturated > _MANY_SATURATED:
            found.append(
                f"layer {layer.place}: {layer.saturated:.0%} of its {layer.unit} values lie at an end of "
                "their range, where the slope is nearly 0; scale the columns of X, or raise alpha"
            )
    if gradients is not None and len(gradients) > 1 and gradients[0] < _VANISHED * gradients[-1]:
        found.append(
            f"the gradient of the first layer is {gradients[0]:.2g}, that of the output {gradients[-1]:.2g}: "
            "it vanishes on the way; use rectified units or fewer layers"
        )
    return found
