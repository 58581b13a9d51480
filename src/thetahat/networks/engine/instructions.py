"""The instructions that a program is made of: a compiled kernel for each, found by its address.

A kernel is compiled when a program first needs it, once for each precision on a machine, and kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numba import from_dtype, types

from thetahat.networks.engine import costs, layers, loops, update
from thetahat.numerics.compiled import entry

__all__ = ["COMMUTES", "FAMILIES", "WIDTH", "kernel_address"]

#: Whole numbers an instruction takes: the address of its kernel, and the kernel's arguments.
WIDTH = 24

COMMUTES = frozenset({"add", "multiply", "maximum", "minimum"})

#: Kernels of output families.
FAMILIES: Mapping[str, Callable[[int, Any], None]] = MappingProxyType(
    {
        "normal": costs.normal,
        "bernoulli": costs.bernoulli,
        "categorical": costs.categorical,
        "poisson": costs.poisson,
    }
)

_KERNELS: dict[str, Callable[[int, Any], None]] = {
    **{name: getattr(layers, name) for name in layers.__all__},
    **loops.ELEMENTWISE,
    **{f"{name} number": kernel for name, kernel in loops.WITH_NUMBER.items()},
    **FAMILIES,
    "walk": loops.walk,
    "adam": update.adam,
    "sgd": update.sgd,
}

_keep: list[Any] = []


@cache
def kernel_address(name: str, dtype: np.dtype[Any]) -> int:
    """Return the address of an instruction's kernel in this precision, compiled where it was not yet."""
    kind: Any = types
    compiled = entry(_KERNELS[name], kind.void(kind.int64, from_dtype(dtype)))
    _keep.append(compiled)
    return int(compiled.address)
