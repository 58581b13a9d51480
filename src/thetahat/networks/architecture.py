"""Layers of a feed-forward network, and its parameters as a flat list of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.autodiff import vjp
from thetahat.contracts import Family, FloatArray, Sample
from thetahat.networks.engine import Dropout
from thetahat.networks.initialisation import RECTIFIED_BIAS, Start, first_weights
from thetahat.networks.objective import penalised_mean
from thetahat.networks.output import Output
from thetahat.networks.units import Unit

__all__ = ["Architecture"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A conditional model p(y | x; θ) = family(η(θ, x)).

    η = W_L h_{L−1} + b_L with h_l = f_l(W_l h_{l−1} + b_l) and h_0 = x.

    θ is a list: the weights of every layer of shape (inputs, outputs), then the biases, then learned
    slopes, then learned log σ.

    Parameters
    ----------
    inputs : int
        Columns of X.
    widths : tuple of int
        Units of each hidden layer; none makes a linear model.
    units : tuple of Unit
        The unit of each hidden layer.
    output : Output
        What η is a parameter of.
    bias : bool
        Whether layers have biases.
    dropout : float
        Probability that a hidden unit is left out of a row of a step, in [0, 1).
    start : {"unit", "he", "glorot", "orthogonal"}
        Initialisation of the weights.
    """

    inputs: int
    widths: tuple[int, ...]
    units: tuple[Unit, ...]
    output: Output
    bias: bool = True
    dropout: float = 0.0
    start: Start = "unit"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Columns of X, units of the hidden layers, columns of η."""
        return (self.inputs, *self.widths, self.output.width)

    @property
    def layers(self) -> int:
        """Number of weight matrices."""
        return len(self.widths) + 1

    @property
    def family(self) -> Family:
        """The output's family."""
        return self.output.law

    @property
    def masks(self) -> Mapping[str, Dropout]:
        """The masks that a training step draws."""
        if self.dropout == 0:
            return {}
        return {f"mask{i}": Dropout((width,), self.dropout) for i, width in enumerate(self.widths)}

    def weights(self, theta: Sequence[Any]) -> list[Any]:
        """Return the weight matrices of θ."""
        return list(theta[: self.layers])

    def biases(self, theta: Sequence[Any]) -> list[Any]:
        """Return the biases of θ, one array a layer; none without bias."""
        return list(theta[self.layers : 2 * self.layers]) if self.bias else []

    def log_sd(self, theta: Sequence[Any]) -> Any:
        """Return the learned log σ of θ, or None."""
        return theta[-1] if self.output.variance == "learned" else None

    def init(self, sample: Sample, /, *, rng: Generator) -> list[FloatArray]:
        """Draw the first parameters, in float64: weights at random, output biases at the best constant."""
        y = np.asarray(sample.y)
        sizes = self.sizes
        theta = [
            first_weights(a, b, self.units[i] if i < len(self.units) else None, self.start, rng=rng)
            for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False))
        ]
        if self.output.variance == "per-example":
            # The log σ of every row starts at that of the target, so that no early row is trusted too much.
            theta[-1][:, self.output.targets :] = 0.0
        if self.bias:
            theta += [
                np.full(width, RECTIFIED_BIAS if unit.rectified else 0.0)
                for width, unit in zip(self.widths, self.units, strict=True)
            ]
            theta.append(self.output.first_bias(y, sample.weight))
        theta += [
            np.full(width, unit.slope)
            for width, unit in zip(self.widths, self.units, strict=True)
            if unit.slope is not None
        ]
        if self.output.variance == "learned":
            theta.append(self.output.first_log_sd(y, sample.weight))
        return theta

    def hidden(self, theta: Sequence[Any], X: Any, masks: Mapping[str, Any] | None = None) -> list[Any]:
        """Return X and the values of every hidden layer, shapes (n, width)."""
        weights, biases = self.weights(theta), self.biases(theta)
        slopes = iter(theta[self.layers * (2 if self.bias else 1) :])
        values = [X]
        for i, unit in enumerate(self.units):
            z = values[-1] @ weights[i]
            if self.bias:
                z = z + biases[i]
            h = unit.function(z, None if unit.slope is None else next(slopes))
            if masks is not None and self.dropout > 0:
                h = h * masks[f"mask{i}"]
            values.append(h)
        return values

    def eta(self, theta: Sequence[Any], X: Any, /, *, masks: Mapping[str, Any] | None = None) -> Any:
        """Return η of each row, shape (n, width of the output); with the masks of a training step."""
        eta = self.hidden(theta, X, masks)[-1] @ theta[self.layers - 1]
        return eta + self.biases(theta)[-1] if self.bias else eta

    def pullback(self, theta: Sequence[FloatArray], X: Any, d_eta: FloatArray, /) -> list[FloatArray]:
        """Return the derivatives in θ of Σ d_eta · η(θ, X), by the tape."""
        _, pull = vjp(lambda *parts: self.eta(parts, X), *theta)
        return list(pull(d_eta))

    def loss(self, alpha: float) -> Any:
        """Return the objective of a batch: the weighted mean loss plus α ‖W‖² / (2 · sum of weights).

        Biases, slopes and log σ are not penalised. The batch has "X", "y" and, where weighted, "weight".
        """

        def objective(theta: list[Any], batch: Mapping[str, Any]) -> Any:
            eta = self.eta(theta, batch["X"], masks=batch)
            rows = self.output.row_loss(eta, self.log_sd(theta), batch["y"])
            return penalised_mean(rows, self.weights(theta), batch, alpha)

        return objective
