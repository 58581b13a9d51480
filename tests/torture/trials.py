"""What a numerical case shows: how far off, how far off it may be, and how far peers are."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
from numpy.random import Generator
from scipy.linalg import LinAlgWarning

__all__ = ["Part", "Trial", "digits", "exactly", "spoken", "ulps", "worst_of"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One case.

    Parameters
    ----------
    what : str
        The case in words.
    error : float
        In the unit of its part; NaN is beyond every bound.
    allowed : float
        The bound, the same for peers.
    said : bool
        Whether a status, a warning or an error with a cause says that the answer is none.
    peers : mapping of str to float
        Their errors.
    """

    what: str
    error: float
    allowed: float
    said: bool = False
    peers: Mapping[str, float] = field(default_factory=dict)

    def beyond(self, error: float) -> bool:
        """Whether an error is beyond the bound."""
        return not error <= self.allowed

    @property
    def fault(self) -> bool:
        """Whether a wrong answer calls itself right."""
        return not self.said and self.beyond(self.error)


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the item's table.

    Parameters
    ----------
    draw : callable
        From a generator to a trial.
    unit : str
        Of the errors: "ulp" of the working precision, "digits" (errors are relative, shown as the digits
        that are kept), or "of the bound".
    share : int
        How often its turn comes.
    """

    draw: Callable[[Generator], Trial]
    unit: str = "ulp"
    share: int = 4


def spoken(run: Callable[[], Any]) -> tuple[Any, bool]:
    """Return what a call gives, and whether it warned of it; arithmetic and deprecations say nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = run()
    silent = (RuntimeWarning, FutureWarning, DeprecationWarning)
    said = [w.category for w in caught]
    return found, any(issubclass(kind, LinAlgWarning) or not issubclass(kind, silent) for kind in said)


def exactly(values: Any) -> list[mpmath.mpf]:
    """Return numbers of any precision as they are."""
    return [mpmath.mpf(float(value)) for value in np.ravel(values)]


def ulps(found: Any, exact: Sequence[Any], scale: Sequence[Any] | None = None, dtype: Any = None) -> float:
    """Return the largest error, in units of the precision relative to the exact value, or to ``scale``.

    What is below eight times the smallest normal number may be lost, and what is beyond the largest number as
    anything that is of its size.
    """
    found = np.asarray(found)
    limits = np.finfo(found.dtype if dtype is None else dtype)
    eps, tiny, most = (mpmath.mpf(float(part)) for part in (limits.eps, limits.tiny, limits.max))
    worst = 0.0
    sizes = exact if scale is None else scale
    for value, true, size in zip(np.ravel(found), exact, sizes, strict=True):
        worst = worst_of([worst, _off(float(value), true, size, eps, tiny, most)])
    return worst


def _off(value: float, true: Any, size: Any, eps: Any, tiny: Any, most: Any) -> float:
    if math.isnan(value):
        return math.inf
    if mpmath.isinf(true) or abs(true) > most / 16:
        return 0.0 if value * mpmath.sign(true) > most / 32 else math.inf
    if math.isinf(value):
        return math.inf
    away = max(abs(mpmath.mpf(value) - true) - 8 * tiny, 0)
    return float(away / (eps * max(abs(size), tiny)))


def worst_of(errors: Sequence[float]) -> float:
    """Return the largest error; NaN counts as infinite."""
    return max((math.inf if math.isnan(error) else error for error in errors), default=0.0)


def digits(found: Any, exact: Sequence[Any]) -> float:
    """Return the largest relative error of float64 values; an exact 0 must be met to 10⁻¹⁶."""
    errors = []
    for value, true in zip(np.ravel(np.asarray(found, dtype=np.float64)), exact, strict=True):
        if not math.isfinite(value):
            return math.inf
        size = abs(true) if true else mpmath.mpf(1)
        errors.append(float(abs(mpmath.mpf(float(value)) - true) / size))
    return worst_of(errors)
