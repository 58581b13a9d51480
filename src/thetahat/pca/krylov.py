"""The first directions of many, from a block Krylov space: random directions and what X Xᵀ makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import linalg

from thetahat.deadline import check_time

__all__ = ["leading_directions"]


def leading_directions(
    X: NDArray[Any], count: int, width: int, blocks: int, seed: RandomState
) -> NDArray[Any]:
    """Return orthonormal directions near those of the largest singular values of rows.

    With S the shorter side of X and K = S Sᵀ, the space is that of Q, K Q, …, K^(blocks − 1) Q for random Q;
    within it the best directions are found exactly. As many products find more digits than power iterations,
    which keep the last block alone.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Centred rows.
    count : int
        How many directions.
    width : int
        Columns of a block, at least ``count``.
    blocks : int
        How many blocks; where all of them would fill the space, the directions are exact.
    seed : RandomState
        Of Q.

    Returns
    -------
    ndarray of shape (d, count)
        In the order of their singular values, largest first.

    References
    ----------
    Musco and Musco (2015), Randomized block Krylov methods for stronger and faster approximate singular value
    decomposition, NeurIPS.
    """
    wide = X.shape[0] <= X.shape[1]
    S = X if wide else X.T
    short = S.shape[0]
    if width * blocks >= short:
        return np.asarray(linalg.svd(X, full_matrices=False, check_finite=False)[2][:count].T)
    kept: list[NDArray[Any]] = []
    images: list[NDArray[Any]] = []
    block = _orthonormal(seed.normal(size=(short, width)).astype(X.dtype))
    while True:
        check_time()
        kept.append(block)
        images.append(S.T @ block)
        if len(kept) == blocks:
            break
        block = S @ images[-1]
        before = np.hstack(kept)
        # Twice is enough: the first pass leaves rounding errors of the directions it takes out.
        for _ in range(2):
            block = _orthonormal(block - before @ (before.T @ block))
    image = np.hstack(images)
    last = image.shape[1] - 1
    _, turn = linalg.eigh(image.T @ image, subset_by_index=[last + 1 - count, last], check_finite=False)
    turn = turn[:, ::-1]
    return _orthonormal(image @ turn) if wide else np.asarray(np.hstack(kept) @ turn)


def _orthonormal(block: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(linalg.qr(block, mode="economic", check_finite=False)[0])
