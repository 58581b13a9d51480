"""How a loop is compiled: one set of options for every numba kernel, cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["contracting_kernel", "inlined", "kernel", "reassociating_kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a loop that keeps the order of its arithmetic, so that results do not depend on the processor.

    The compiled code is cached on disk, holds no interpreter lock, and divides as NumPy does.
    """
    # Said outright: else it takes the licence of whoever calls it first, and is cached with that.
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy", fastmath=False)(function))


def contracting_kernel(function: Function) -> Function:
    """Compile a loop in which a product and a sum may be one rounding, and nothing else is changed."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function))


def reassociating_kernel(function: Function) -> Function:
    """Compile a loop whose sums may be reordered for vector units; infinities and NaN keep their meaning."""
    options = {"reassoc", "contract", "arcp", "nsz"}
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy", fastmath=options)(function))


def inlined(function: Function) -> Function:
    """Make a piece of loops that call it: compiled in their place, with the licence of each."""
    return cast(Function, njit(inline="always")(function))
