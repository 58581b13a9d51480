"""The inverse of a positive definite matrix, or the answer that rounding leaves none."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from thetahat.contracts import FloatArray

__all__ = ["HIDDEN", "positive_inverse"]

# What to say where there is none.
HIDDEN = "rounding hides some parameters behind others; scale the columns"
EPS = float(np.finfo(np.float64).eps)


def positive_inverse(H: FloatArray) -> FloatArray:
    """Return H⁻¹ of a symmetric H of shape (p, p); NaN where H is not positive definite beyond rounding.

    Rows and columns are first brought to a diagonal of ones, so that units of the parameters take no part.
    """
    nothing = np.full(H.shape, np.nan)
    diagonal = np.diagonal(H)
    if not len(H) or not np.isfinite(H).all() or not (diagonal > 0).all():
        return nothing
    unit = 1 / np.sqrt(diagonal)
    try:
        R = linalg.cholesky(H * unit * unit[:, None], check_finite=False)
    except linalg.LinAlgError:
        return nothing
    reciprocal, _ = linalg.lapack.dtrcon(R, norm="1", uplo="U")
    # The condition number of H is the square of that of its root.
    if reciprocal**2 < len(H) * EPS:
        return nothing
    half = linalg.solve_triangular(R, np.eye(len(R)), check_finite=False) * unit[:, None]
    return np.asarray(half @ half.T)
