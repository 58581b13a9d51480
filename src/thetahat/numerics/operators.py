"""Matrices that an iterative method of SciPy sees through their products alone."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from thetahat.deadline import check_time

__all__ = ["in_steps"]


def in_steps(A: Any) -> LinearOperator:
    """Return A as an operator whose every product is a step, before which the time is checked.

    Parameters
    ----------
    A : ndarray, sparse matrix or LinearOperator
    """
    whole = aslinearoperator(A)

    def timed(product: Any) -> Any:
        def step(v: NDArray[Any]) -> Any:
            check_time()
            return product(v)

        return step

    return LinearOperator(
        whole.shape,
        matvec=timed(whole.matvec),
        rmatvec=timed(whole.rmatvec),
        matmat=timed(whole.matmat),
        rmatmat=timed(whole.rmatmat),
        dtype=whole.dtype,
    )
