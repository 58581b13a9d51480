"""How a loop is compiled: one set of options for every numba kernel, cached on disk.

numba takes cached code for fresh while the file of the loop itself is as it was. A loop also holds those that
it calls, so here its stamp is a digest of its file and of the files of all kernels that its module knows: if
one of them is of another version, the loop is compiled anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import sigutils
from numba.core.ccallback import CFunc

__all__ = ["contracting_kernel", "entry", "inlined", "kernel", "reassociating_kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a loop that keeps the order of its arithmetic, so that results do not depend on the processor.

    The compiled code is cached on disk, holds no interpreter lock, and divides as NumPy does.
    """
    # Said outright: else it takes the licence of whoever calls it first, and is cached with that.
    return _cached(function, fastmath=False)


def contracting_kernel(function: Function) -> Function:
    """Compile a loop in which a product and a sum may be one rounding, and nothing else is changed."""
    return _cached(function, fastmath={"contract"})


def reassociating_kernel(function: Function) -> Function:
    """Compile a loop whose sums may be reordered for vector units; infinities and NaN keep their meaning."""
    return _cached(function, fastmath={"reassoc", "contract", "arcp", "nsz"})


def inlined(function: Function) -> Function:
    """Make a piece of loops that call it: compiled in their place, with the licence of each."""
    _stamp(function)
    return cast(Function, njit(inline="always")(function))


def entry(function: Callable[..., Any], signature: Any) -> Any:
    """Compile a kernel for one signature; its ``address`` is that of a C function for compiled callers.

    The code lives as long as the object that is returned.
    """
    options = {"error_model": "numpy", "fastmath": False}
    untyped: Any = sigutils
    compiled = CFunc(function, untyped.normalize_signature(signature), locals={}, options=options)
    compiled.enable_caching()
    _stamp_cache(compiled, function)
    compiled.compile()
    return compiled


def _cached(function: Function, fastmath: bool | set[str]) -> Function:
    compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function)
    _stamp_cache(compiled, function)
    return cast(Function, compiled)


def _stamp_cache(compiled: Any, function: Callable[..., Any]) -> None:
    file: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, _stamp(function))


# Of each module with kernels: its file and those of the kernels that it calls.
_STAMPS: dict[str, str] = {}


def _stamp(function: Callable[..., Any]) -> str:
    """Return the digest of the function's module; what it imports was stamped when it was imported."""
    module = function.__module__
    if module not in _STAMPS:
        known = function.__globals__.values()
        called = {each.py_func.__module__ for each in known if hasattr(each, "py_func")}
        called |= {each.__name__ for each in known if isinstance(each, ModuleType)}
        # A plain function may stand for a kernel of each precision.
        called |= {each.__module__ for each in known if isinstance(each, FunctionType)}
        parts = [_STAMPS[name] for name in sorted(called & _STAMPS.keys() - {module})]
        own = Path(function.__code__.co_filename).read_bytes()
        _STAMPS[module] = hashlib.sha256(own + "".join(parts).encode()).hexdigest()
    return _STAMPS[module]
