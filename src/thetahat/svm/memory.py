"""Large buffers that are kept between fits.

The first touch of fresh memory costs more than the arithmetic of a fit on many rows, so a buffer that is
given back is handed out again. At most two are kept, the largest.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["borrowed", "release_memory"]

KEPT = 2
_lock = threading.Lock()
_idle: list[NDArray[np.float32]] = []


@contextmanager
def borrowed(rows: int, columns: int, dtype: Any = np.float32) -> Iterator[NDArray[Any]]:
    """Lend a matrix of float32 or float64 whose content is left over from before."""
    size = rows * columns * np.dtype(dtype).itemsize // 4
    with _lock:
        fitting = [k for k, each in enumerate(_idle) if each.size >= size]
        found = min(fitting, key=lambda k: _idle[k].size, default=None)
        flat = _idle.pop(found) if found is not None else None
    if flat is None:
        flat = np.empty(size, np.float32)
    try:
        yield flat[:size].view(dtype).reshape(rows, columns)
    finally:
        with _lock:
            _idle.append(flat)
            _idle.sort(key=lambda each: -each.size)
            del _idle[KEPT:]


def release_memory() -> None:
    """Let go of the buffers that are kept for the next fit."""
    with _lock:
        _idle.clear()
