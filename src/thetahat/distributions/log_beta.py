"""The logarithm of the beta function to its own last digits, differentiable.

As a difference of logarithms of gamma functions it has the rounding of those, which for one argument of 10⁵
are 10⁵ times as large. So beyond a small size Stirling's series are subtracted, term by term.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

__all__ = ["LARGE", "log_beta"]

# Beyond this argument four terms of Stirling's series are exact to the last digit.
LARGE = 50.0


def _stirling(z: Any) -> Any:
    """Return log Γ(z) − (z − ½) log z + z − log √2π."""
    r = 1.0 / z
    s = r * r
    return r * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680))))


def log_beta(a: Any, b: Any) -> Any:
    """Return log B(a, b) for positive arrays, traced or plain."""
    turned = b < a
    less, more = np.where(turned, b, a), np.where(turned, a, b)
    both, far = less > LARGE, more > LARGE
    if not np.any(far):
        return special.betaln(a, b)
    near = special.betaln(np.where(far, 1.0, less), np.where(far, 1.0, more))
    large, small = np.where(far, more, 2 * LARGE), np.where(both, 1.0, less)
    rise = (large - 0.5) * np.log1p(small / large) + small * np.log(large + small) - small
    one = special.gammaln(small) - rise - _stirling(large + small) + _stirling(large)
    second = np.where(both, less, 2 * LARGE)
    total = large + second
    two = (
        0.5 * np.log(2 * np.pi)
        - (second - 0.5) * np.log1p(large / second)
        - large * np.log1p(second / large)
        - 0.5 * np.log(large)
        + _stirling(second)
        + _stirling(large)
        - _stirling(total)
    )
    return np.where(both, two, np.where(far, one, near))
