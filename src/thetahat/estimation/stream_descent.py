"""Stochastic gradient descent over a spool: a kill at any moment sets it back a little and changes nothing.

The order of the rows is a function of the seed and of the epoch; the state is arrays. A checkpoint is the
state and the place in the order, so what goes on from it takes the same steps on the same rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from thetahat.contracts import FloatArray
from thetahat.errors import ResultFileError, UsageError
from thetahat.linear.sgd_state import IN_ORDER, SgdSettings, SgdState, advance
from thetahat.results.packed import read_packed, write_packed
from thetahat.results.saving import sweep
from thetahat.tables.spool import Spool

__all__ = ["CHUNK", "Checkpoint", "Place", "Rows", "descend", "first_step"]

FORMAT, SCHEMA = "thetahat checkpoint", 1
# Weights of standardised columns beyond this are no estimate of anything.
FARTHEST = 1e6
CHUNK = 8192


@dataclass(slots=True, eq=False)
class Place:
    """How far a fit has come.

    Parameters
    ----------
    epoch, chunk : int
        The next part of the order.
    losses : list of float
        Mean loss along each epoch so far.
    loss : float
        Sum of losses in the epoch that is under way.
    extra : dict of str to ndarray
        Where the last passes stand.
    """

    epoch: int = 0
    chunk: int = 0
    losses: list[float] = field(default_factory=list)
    loss: float = 0.0
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Checkpoint:
    """A file that holds the state every so many seconds.

    Parameters
    ----------
    path : path or None
        Where; None keeps nothing.
    fingerprint : str
        Of the settings and the rows; a checkpoint of others is refused.
    seconds : float
        Between two writings; 0 writes after every part.
    """

    path: str | os.PathLike[str] | None
    fingerprint: str
    seconds: float = 10.0
    last: float = field(default_factory=time.monotonic)

    def write(self, state: SgdState, place: Place, *, now: bool = False) -> None:
        """Write the state if it is time to, or now."""
        if self.path is None or not (now or time.monotonic() - self.last >= self.seconds):
            return
        said = {
            "format": FORMAT,
            "schema_version": SCHEMA,
            "fingerprint": self.fingerprint,
            "epoch": place.epoch,
            "chunk": place.chunk,
        }
        held = {f"state.{name}": np.ascontiguousarray(value) for name, value in state.arrays().items()}
        held["losses"] = np.array(place.losses, dtype=np.float64)
        held["loss"] = np.array([place.loss])
        held |= {f"extra.{name}": np.ascontiguousarray(value) for name, value in place.extra.items()}
        write_packed(self.path, said, held)
        self.last = time.monotonic()

    def read(self, functions: int, columns: int) -> tuple[SgdState, Place] | None:
        """Return the state of so many functions and columns, or None where there is no checkpoint yet.

        Raises
        ------
        UsageError
            It is of other settings or other rows.
        ResultFileError
            It is no checkpoint, or is damaged.
        """
        if self.path is None:
            return None
        sweep(self.path)
        if not os.path.exists(self.path):
            return None
        said, held = read_packed(self.path, FORMAT, SCHEMA)
        if said.get("fingerprint") != self.fingerprint:
            raise UsageError(
                f"resume: {self.path} is of other data or settings; give those of its beginning, or remove it"
            )
        try:
            state, place = self._unpacked(said, held)
            if state.w.shape != (functions, columns):
                raise ValueError(f"weights of shape {state.w.shape} instead of {(functions, columns)}")
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise ResultFileError(f"{self.path}: is damaged: {error}; remove it to begin anew") from None
        return state, place

    def _unpacked(self, said: dict[str, Any], held: dict[str, NDArray[Any]]) -> tuple[SgdState, Place]:
        parts: dict[str, dict[str, NDArray[Any]]] = {"state": {}, "extra": {}}
        for name, value in held.items():
            kind, _, rest = name.partition(".")
            if rest:
                parts[kind][rest] = value
        losses = [float(v) for v in held["losses"]]
        place = Place(int(said["epoch"]), int(said["chunk"]), losses, float(held["loss"][0]), parts["extra"])
        return SgdState.of(parts["state"]), place


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a spool on standardised columns.

    Parameters
    ----------
    spool : Spool
        The rows.
    buffer : int
        How many are shuffled at a time.
    seed : int
        Of their order.
    """

    spool: Spool
    buffer: int
    seed: int

    def standardised(self, X: FloatArray) -> FloatArray:
        """Return columns of mean 0 and deviation 1 over the whole of the spool."""
        return np.ascontiguousarray((X - self.spool.encoder.centre) / self.spool.encoder.scale)


def first_step(rows: Rows, curvature: float, batch: int) -> float:
    """Return a step that is stable for losses whose second derivative in η is at most ``curvature``.

    A step longer than 2 / λ overshoots, λ being the largest eigenvalue of the second derivative of a batch's
    mean loss: at most that of all rows and, by chance, the part of one row among the few.
    """
    X, _, _ = next(rows.spool.shuffled(4096, 4096, np.random.default_rng([rows.seed, 1 << 20])))
    Z = np.column_stack([np.ones(len(X)), rows.standardised(X)])
    gram = Z.T @ Z / len(Z)
    largest = float(linalg.eigvalsh(gram)[-1]) if len(gram) <= 1000 else float(np.trace(gram))
    longest = float(np.quantile((Z**2).sum(axis=1), 0.99))
    return 0.5 / (curvature * (largest + 2 * longest / batch))


def descend(
    rows: Rows,
    state: SgdState,
    place: Place,
    settings: SgdSettings,
    *,
    epochs: int,
    signed: bool,
    checkpoint: Checkpoint,
    deadline: float | None,
    progress: Callable[[int, float], None],
    worst_loss: float | None,
    start: FloatArray,
) -> bool:
    """Go through the rows so many times; return whether there was time for it.

    Parameters
    ----------
    rows : Rows
        In the order of the seed.
    state, place : SgdState, Place
        Where the work stands; both are changed.
    settings : SgdSettings
        Of the descent.
    epochs : int
        Passes over the rows.
    signed : bool
        Whether y is 0 and 1 here and −1 and 1 to the loss.
    checkpoint : Checkpoint
        Written on the way.
    deadline : float, optional
        Of ``time.monotonic``.
    progress : callable
        Told the rows done, and the mean loss along the epoch.
    worst_loss : float, optional
        A mean loss beyond which the steps have diverged.
    start : ndarray of shape (K,)
        The first intercepts, from which far is measured.

    Raises
    ------
    UsageError
        The steps diverge.
    """
    spool = rows.spool
    while place.epoch < epochs:
        done = 0
        rng = np.random.default_rng([rows.seed, place.epoch])
        for number, (X, y, weight) in enumerate(spool.shuffled(CHUNK, rows.buffer, rng)):
            done += len(X)
            if number < place.chunk:
                continue
            target = (2 * y - 1).astype(np.int8) if signed else y
            advance(state, rows.standardised(X), target, weight, settings, IN_ORDER)
            place.chunk = number + 1
            place.loss += state.take_loss()
            _check(state, place.loss / done, worst_loss, start)
            checkpoint.write(state, place)
            progress(place.epoch * spool.rows + done, place.loss / done)
            if deadline is not None and time.monotonic() > deadline:
                checkpoint.write(state, place, now=True)
                return False
        place.losses.append(place.loss / spool.rows)
        place.epoch, place.chunk, place.loss = place.epoch + 1, 0, 0.0
    checkpoint.write(state, place, now=True)
    return True


def _check(state: SgdState, loss: float, worst: float | None, start: FloatArray) -> None:
    moved = float(np.max(np.abs(state.scalars[:, 0] - start)))
    far = max(float(np.max(np.abs(state.w), initial=0.0)), moved)
    bound = FARTHEST if worst is None else FARTHEST * max(1.0, worst)
    if np.isfinite(far) and far < bound and np.isfinite(loss) and (worst is None or loss < worst):
        return
    raise UsageError(
        f"eta0: the steps diverge (loss {loss:.3g}, largest weight {far:.3g}); lower it, or leave it auto"
    )
