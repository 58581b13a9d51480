"""How a loop is compiled: one set of options for every numba kernel, cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["kernel", "reassociating_kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a loop that keeps the order of its arithmetic, so that results do not depend on the processor.

    The compiled code is cached on disk, holds no interpreter lock, and divides as NumPy does.
    """
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def reassociating_kernel(function: Function) -> Function:
    """Compile a loop whose sums may be reordered for vector units; infinities and NaN keep their meaning."""
    options = {"reassoc", "contract", "arcp", "nsz"}
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy", fastmath=options)(function))
