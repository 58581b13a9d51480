"""Steps of softmax cross-entropy: all classes move at once, so that weights are kept as (d, K)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thetahat.linear.sgd_kernels import pulled
from thetahat.linear.sgd_losses import step_size
from thetahat.numerics.compiled import kernel, reassociating_kernel

__all__ = ["softmax_steps", "sparse_softmax_steps"]


@kernel
def _to_residuals(eta: Any, label: int) -> float:
    """Replace η by the probabilities less the indicator of the label; return −log p of the label."""
    most = eta[0]
    for c in range(1, eta.size):
        most = max(most, eta[c])
    rest, own = 0.0, float(eta[label] - most)
    eta[label] = most - np.inf
    for c in range(eta.size):
        eta[c] = math.exp(eta[c] - most)
        rest += eta[c]
    total = math.exp(own) + rest
    # p − 1 as minus the others, and log(1 + the others) of the likeliest, which keep their digits.
    for c in range(eta.size):
        eta[c] /= total
    eta[label] = -rest / total
    return math.log1p(rest) if own == 0.0 else math.log(total) - own


@reassociating_kernel
def softmax_steps(  # noqa: C901
    X: Any, y: Any, weight: Any, rows: Any, W: Any, W_sum: Any, Q: Any, b: Any, b_sum: Any, s: Any,
    schedule: int, eta0: float, alpha: float, ratio: float, start: float, power: float, intercept: int,
    average_from: int, penalised: int, batch: int,
) -> None:  # fmt: skip
    """Take a step for each so many dense rows, along the mean of their gradients.

    W, its sum and Q, the L1 pulls that are paid, are of shape (d, K). ``rows`` and ``weight`` may be empty,
    as in the steps of one function.
    """
    d, classes = W.shape
    count = y.size if rows.size == 0 else rows.size
    residuals = np.empty((batch, classes))
    for first in range(0, count, batch):
        m = min(batch, count - first)
        eta = step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        for q in range(m):
            i = rows[first + q] if rows.size else first + q
            mine = residuals[q]
            x = X[i]
            mine[:] = b
            for j in range(d):
                for c in range(classes):
                    mine[c] += x[j] * W[j, c]
            s[3] += _to_residuals(mine, int(y[i]))
            length = -eta / m * weight[i] if weight.size else -eta / m
            for c in range(classes):
                mine[c] *= length
        if penalised:
            keep = max(0.0, 1.0 - (1.0 - ratio) * eta * alpha)
            for j in range(d):
                for c in range(classes):
                    W[j, c] *= keep
        for q in range(m):
            x = X[rows[first + q] if rows.size else first + q]
            for j in range(d):
                for c in range(classes):
                    W[j, c] += residuals[q, c] * x[j]
            if intercept:
                for c in range(classes):
                    b[c] += residuals[q, c]
        if penalised == 2:
            s[4] += ratio * eta * alpha
            for j in range(d):
                for c in range(classes):
                    before = W[j, c]
                    W[j, c] = pulled(before, s[4], Q[j, c])
                    Q[j, c] += W[j, c] - before
        if average_from > 0 and s[2] >= average_from:
            for j in range(d):
                for c in range(classes):
                    W_sum[j, c] += W[j, c]
            for c in range(classes):
                b_sum[c] += b[c]
            s[7] += 1.0
        s[2] += 1.0


@kernel
def _rescale(W: Any, W_sum: Any, since: Any, scale: float, scales: float) -> None:
    """Multiply the weights out, before their scale is too small for a number."""
    for j in range(W.shape[0]):
        for c in range(W.shape[1]):
            W_sum[j, c] += W[j, c] * (scales - since[j])
            W[j, c] *= scale
        since[j] = 0.0


@reassociating_kernel
def sparse_softmax_steps(  # noqa: C901
    data: Any, indices: Any, indptr: Any, y: Any, weight: Any, rows: Any, W: Any, W_sum: Any, since: Any,
    Q: Any, b: Any, b_sum: Any, s: Any, schedule: int, eta0: float, alpha: float, ratio: float, start: float,
    power: float, intercept: int, average_from: int, penalised: int, decay: float,
) -> None:  # fmt: skip
    """Take a step for each of these rows of a CSR matrix; the weights are ``s[5] * W``.

    ``since`` of shape (d,) says up to where the sums of a column's weights are.
    """
    classes = W.shape[1]
    count = y.size if rows.size == 0 else rows.size
    residual = np.empty(classes)
    for k in range(count):
        i = rows[k] if rows.size else k
        residual[:] = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            for c in range(classes):
                residual[c] += data[e] * W[indices[e], c]
        for c in range(classes):
            residual[c] = residual[c] * s[5] + b[c]
        s[3] += _to_residuals(residual, int(y[i]))
        eta = step_size(schedule, s[8], eta0, alpha, start, power, s[2])
        length = -eta * weight[i] if weight.size else -eta
        for c in range(classes):
            residual[c] *= length
        if penalised:
            s[5] *= max(0.0, 1.0 - (1.0 - ratio) * eta * alpha)
            if s[5] < 1e-9:
                _rescale(W, W_sum, since, s[5], s[6])
                s[5], s[6] = 1.0, 0.0
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            for c in range(classes):
                W_sum[j, c] += W[j, c] * (s[6] - since[j])
                W[j, c] += residual[c] * data[e] / s[5]
            since[j] = s[6]
        if intercept:
            for c in range(classes):
                b[c] += decay * residual[c]
        if penalised == 2:
            s[4] += ratio * eta * alpha
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                for c in range(classes):
                    before = W[j, c] * s[5]
                    after = pulled(before, s[4], Q[j, c])
                    Q[j, c] += after - before
                    W[j, c] = after / s[5]
        if average_from > 0 and s[2] >= average_from:
            s[6] += s[5]
            for c in range(classes):
                b_sum[c] += b[c]
            s[7] += 1.0
        s[2] += 1.0
