"""The influence of each row on a function of a set of rows, by leaving rows out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.measures.values import MissingPrediction, Undefined

__all__ = ["GROUPS", "SINGLE_ROWS", "influence_by_leaving_out"]

SINGLE_ROWS = 5000
GROUPS = 500


def influence_by_leaving_out(
    function: Callable[[NDArray[Any]], float], name: str, value: float, n: int, weight: FloatArray | None
) -> FloatArray:
    """Return the influence of each row of a function of the rows.

    Parameters
    ----------
    function : callable
        ``function(rows)`` gives its value on these rows.
    name : str
        Name of the function in messages.
    value : float
        The function of all rows.
    n : int
        Number of rows.
    weight : ndarray of shape (n,), optional
        Their weights.

    Returns
    -------
    ndarray of shape (n,)
        Up to ``SINGLE_ROWS`` rows n (1 − wᵢ / Σw)(value − value without row i), centered; with unit weights
        this is (n − 1)(mean of the values − value without row i), and Σ influence² / (n (n − 1)) is the
        jackknife's variance. Beyond, one of ``GROUPS`` interleaved groups is left out at a time and each
        row of a group gets an equal part of its influence, of the size at which the same sum is the
        variance of the delete-a-group jackknife.

    Raises
    ------
    Undefined
        The function has no value without a row or a group.

    Notes
    -----
    Efron, B. (1982). *The Jackknife, the Bootstrap and Other Resampling Plans*, chapters 3 and 4.
    """
    if n < 2:
        raise Undefined(
            f"{name}: no standard error from one row; use fewer folds, so that each has more rows"
        )
    groups = np.arange(n) % (n if n <= SINGLE_ROWS else GROUPS)
    count = int(groups.max()) + 1
    left = np.empty(count)
    with warnings.catch_warnings():
        # The first call has already shown each of these warnings.
        warnings.simplefilter("ignore")
        for group in range(count):
            left[group] = _without(function, np.flatnonzero(groups != group), name, group, single=count == n)
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    share = np.bincount(groups, weights, minlength=count) / np.sum(weights)
    of_group = n * (1 - share) * (value - left)
    of_group -= share * np.sum(of_group)
    if count == n:
        return of_group
    sizes = np.bincount(groups, minlength=count)
    spread = (of_group / np.sqrt(sizes))[groups]
    spread -= np.mean(spread)
    # Groups of unequal sizes: centering changed the sum of squares by a little.
    wanted = np.sum(of_group**2) * count / (count - 1) * (n - 1) / n
    reached = float(np.sum(spread**2))
    return spread if reached == 0 else np.asarray(spread * np.sqrt(wanted / reached))


def _without(
    function: Callable[[NDArray[Any]], float], rows: NDArray[Any], name: str, group: int, *, single: bool
) -> float:
    what = f"row {group}" if single else f"group {group} of {GROUPS} groups of rows"
    cure = "use fewer folds, so that each held-out part has more rows"
    try:
        value = function(rows)
    except (UsageError, MissingPrediction):
        raise
    except ValueError as error:
        raise Undefined(
            f"{name}: no standard error, for without {what} it has no value ({error}); {cure}"
        ) from error
    if not np.isfinite(value):
        raise Undefined(f"{name}: no standard error, for without {what} its value is {value}; {cure}")
    return value
