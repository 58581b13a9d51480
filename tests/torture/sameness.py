"""Whether two results are the same: to the bit, or how far apart their numbers are."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.random import Generator, RandomState

__all__ = ["CLOCKS", "apart", "digests", "leaves"]

# What tells how long something took, and where it lies, is no part of a result.
CLOCKS = frozenset({"seconds", "fit_seconds", "tuning_seconds", "created"})


def leaves(value: Any, name: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield what a result is made of, each under its place: arrays of numbers, and bytes of all else."""
    if id(value) in above:
        yield name, b"within itself"
        return
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        yield name, value
    elif isinstance(value, float | complex | np.number | np.bool_):
        yield name, np.asarray(value)
    elif value is None or isinstance(value, int | str | Enum | np.dtype | os.PathLike | type | FunctionType):
        yield name, str(getattr(value, "__qualname__", value)).encode()
    elif isinstance(value, bytes):
        yield name, value
    elif isinstance(value, ModuleType):
        yield name, value.__name__.encode()
    else:
        for place, each in _inside(value):
            if place not in CLOCKS:
                yield from leaves(each, f"{name}.{place}", (*above, id(value)))


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Generator):
        yield "state", value.bit_generator.state
    elif isinstance(value, RandomState):
        yield "state", value.get_state(legacy=False)
    elif isinstance(value, Mapping):
        # The order of a mapping is part of a result: it is what is printed.
        for key, each in value.items():
            yield str(key), each
    elif isinstance(value, AbstractSet):
        yield "members", sorted(map(repr, value))
    elif isinstance(value, np.ndarray | Sequence):
        for place, each in enumerate(value.tolist() if isinstance(value, np.ndarray) else value):
            yield str(place), each
    elif hasattr(value, "tocsr"):
        rows = value.tocsr()
        yield from (("data", rows.data), ("indices", rows.indices), ("indptr", rows.indptr))
    elif hasattr(value, "write_csv"):
        yield "csv", value.write_csv()
    else:
        yield "class", type(value)
        names = [f.name for f in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else []
        names += [key for key in getattr(value, "__dict__", ()) if key not in names]
        names += [key for kind in type(value).__mro__ for key in getattr(kind, "__slots__", ())]
        for key in dict.fromkeys(names):
            if hasattr(value, key):
                yield key, getattr(value, key)


def digests(value: Any) -> list[list[str]]:
    """Return the places of a result and a digest of the bits of each, but of no clock."""
    return [[name, hashlib.sha256(_said(leaf)).hexdigest()[:16]] for name, leaf in leaves(value)]


def _said(leaf: Any) -> bytes:
    if isinstance(leaf, bytes):
        return leaf
    return f"{leaf.dtype} {leaf.shape}".encode() + np.ascontiguousarray(leaf).tobytes()


def apart(one: Any, other: Any) -> tuple[float, str]:
    """Return how far two results are apart, and where most.

    0 is to the bit. Else it is the largest difference of two numbers over the largest number of their array,
    at least the smallest positive number; infinite where anything but a number with a fraction differs.
    """
    first, second = list(leaves(one)), list(leaves(other))
    if [name for name, _ in first] != [name for name, _ in second]:
        names = {name for name, _ in first} ^ {name for name, _ in second}
        return np.inf, min(names, default="the order of its parts")
    most, where = 0.0, ""
    for (name, a), (_, b) in zip(first, second, strict=True):
        far = _far(a, b)
        if far > most:
            most, where = far, name
    return most, where


def _far(a: Any, b: Any) -> float:
    if _said(a) == _said(b):
        return 0.0
    if isinstance(a, bytes) or isinstance(b, bytes) or a.dtype.kind not in "fc":
        return np.inf
    if a.dtype != b.dtype or a.shape != b.shape:
        return np.inf
    odd = ~(np.isfinite(a) & np.isfinite(b))
    if not np.array_equal(a[odd], b[odd], equal_nan=True):
        return np.inf
    a, b = a[~odd].astype(np.float64), b[~odd].astype(np.float64)
    largest = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    # Zeros of two signs, or NaN of two kinds, are apart by nothing but their bits.
    return max(float(np.abs(a - b).max(initial=0.0) / largest) if largest else 0.0, 5e-324)
