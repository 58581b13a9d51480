"""Rows that stochastic gradient descent goes through: held in memory, or read from a spool on disk."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.linear.sgd_state import IN_ORDER, WEIGHTLESS
from thetahat.tables.spool import BLOCK, Spool, spool
from thetahat.tables.streaming import open_source

__all__ = ["HeldRows", "SpooledRows", "class_targets", "class_weights", "is_source", "spooled"]

# Rows handed on at a time.
CHUNK = 8192


@dataclass(eq=False)
class HeldRows:
    """Rows in memory.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    targets : list of ndarray of shape (n,)
        One a function, or one for all of softmax.
    weights : list of ndarray
        Likewise; empty arrays where every row weighs one.
    at_nothing : float
        The mean loss without any model.
    orders : list of Generator, or None
        Of the order of each function's epochs; None takes the rows as they come.
    aside : ndarray of bool of shape (n,), optional
        Rows that are not learned from.
    """

    X: Any
    targets: list[NDArray[Any]]
    weights: list[FloatArray]
    at_nothing: float
    orders: list[Generator] | None
    aside: NDArray[np.bool_] | None = None

    @property
    def learned(self) -> int:
        """How many are learned from."""
        return self.X.shape[0] if self.aside is None else int((~self.aside).sum())

    def epoch(self, function: int, /) -> Iterator[tuple[Any, NDArray[Any], FloatArray, IntArray]]:
        """Yield all rows at once, and a new order."""
        order = IN_ORDER if self.aside is None else np.flatnonzero(~self.aside)
        if self.orders is not None:
            order = np.arange(self.X.shape[0], dtype=np.int64)
            self.orders[function].shuffle(order)
            order = order if self.aside is None else order[~self.aside[order]]
        yield self.X, self.targets[function], self.weights[function], order


@dataclass(eq=False)
class SpooledRows:
    """Rows on disk, of which ``held`` are in memory at a time to be shuffled.

    Parameters
    ----------
    spool : Spool
    target_of : callable
        From y as spooled, and the function, to what its loss takes.
    weight_of : callable or None
        From the weights and y as spooled, and the function, to the weights of its steps; None: every row
        weighs one.
    at_nothing : float
        The mean loss without any model.
    orders : list of Generator, or None
        Of the order of each function's epochs; None takes the rows as they come.
    held : int
    aside : ndarray of int
        Blocks of rows, by their first, that are not learned from.
    """

    spool: Spool
    target_of: Callable[[FloatArray, int], NDArray[Any]]
    weight_of: Callable[[FloatArray, FloatArray, int], FloatArray] | None
    at_nothing: float
    orders: list[Generator] | None
    held: int
    aside: IntArray = field(default_factory=lambda: IN_ORDER)

    @cached_property
    def _starts(self) -> IntArray:
        return np.setdiff1d(self.spool.starts, self.aside)

    @cached_property
    def learned(self) -> int:
        """How many are learned from."""
        return int(self.spool.sizes(self._starts).sum())

    def epoch(self, function: int, /) -> Iterator[tuple[Any, NDArray[Any], FloatArray, IntArray]]:
        """Yield the rows some at a time."""
        if self.orders is None:
            parts = self.spool.of_blocks(self._starts, min(CHUNK, self.held))
        else:
            parts = self.spool.shuffled(CHUNK, self.held, self.orders[function], self._starts)
        for X, y, weight in parts:
            weights = WEIGHTLESS if self.weight_of is None else self.weight_of(weight, y, function)
            yield np.ascontiguousarray(X), self.target_of(y, function), weights, IN_ORDER

    def some(self, count: int, rng: Generator) -> tuple[Any, NDArray[Any], FloatArray]:
        """Return X, target and weight of the first function for some rows from all over the file."""
        starts = rng.permutation(self._starts)[: max(1, count // BLOCK)]
        X, y, weight = next(self.spool.of_blocks(starts, count))
        weights = WEIGHTLESS if self.weight_of is None else self.weight_of(weight, y, 0)
        return np.ascontiguousarray(X), self.target_of(y, 0), weights

    def set_aside(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield X, y and weight, as spooled, of the rows that are not learned from."""
        return self.spool.of_blocks(self.aside, min(CHUNK, self.held))


def class_targets(count: int, softmax: bool) -> Callable[[FloatArray, int], NDArray[Any]]:
    """Return what makes, of places of classes, codes for softmax, or −1 and 1 for a class and the others."""
    first, kind = (1 if count == 2 else 0), np.int8 if count <= 127 else np.int64

    def target_of(y: FloatArray, function: int) -> NDArray[Any]:
        if softmax:
            return y.astype(kind)
        return np.asarray(2 * (y == function + first).view(np.int8) - 1)

    return target_of


def class_weights(
    by_class: FloatArray, functions: int
) -> Callable[[FloatArray, FloatArray, int], FloatArray]:
    """Return what multiplies weights by those of classes: of one class alone where each has a function."""

    def weight_of(weight: FloatArray, y: FloatArray, function: int) -> FloatArray:
        own = by_class[y.astype(np.int64)]
        return weight * (own if functions == 1 else np.where(y == function, own, 1.0))

    return weight_of


def is_source(X: Any, y: Any = None) -> bool:
    """Tell whether X is to be read batch by batch: y is then the name of the target."""
    if isinstance(X, str | os.PathLike | pl.LazyFrame):
        return True
    if hasattr(X, "scanner") or hasattr(X, "__next__") or (hasattr(X, "batches") and hasattr(X, "columns")):
        return True
    return isinstance(y, str) and hasattr(X, "columns")


def spooled(
    source: Any, target: Any, weight: Any, *, classify: bool, memory: float, shuffle: bool
) -> tuple[Spool, int]:
    """Read a source once, and return its rows on disk and how many of them to hold at a time.

    Raises
    ------
    UsageError
        The target or the weight is not named.
    DataError
        The table cannot be used.
    """
    if target is None and hasattr(source, "__next__"):
        target = "y"
    if not isinstance(target, str):
        raise UsageError("y: name the column of the target, where X is a file, a lazy frame or a dataset")
    if weight is not None and not isinstance(weight, str):
        raise UsageError("sample_weight: name the column of the weights, where X is read batch by batch")
    opened = open_source(source)
    held = max(1, int(memory * 1e6 / (8 * (len(opened.columns) + 2))))
    rows = spool(opened, target, classify=classify, weight=weight, missing="error", batch=min(held, 16_384))
    if shuffle and not rows.mixes(held):
        warnings.warn(
            f"{held} rows at a time cannot mix rows that are sorted; raise memory from {memory:g} MB",
            ThetaHatWarning,
            stacklevel=4,
        )
    return rows, held
