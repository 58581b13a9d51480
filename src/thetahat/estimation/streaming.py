"""Linear models fitted to data that does not fit: one pass to learn the columns, then stochastic descent.

The descent minimises the mean of −log p(y | b + x · w), read off the family of the model, or the hinge; its
last passes certify the maximum of the likelihood and give its error bars.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, replace
from typing import Any, Literal

import numpy as np

from thetahat.contracts import FloatArray, Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.estimation.stream_descent import CHUNK, Checkpoint, Place, Rows, descend, first_step
from thetahat.estimation.stream_finish import Finish, newton_passes
from thetahat.estimation.stream_model import MODELS, StreamFit, family_of
from thetahat.linear.sgd_state import SgdSettings, SgdState, begin
from thetahat.tables.kinds import asked_kinds
from thetahat.tables.spool import Spool, spool
from thetahat.tables.streaming import open_source

__all__ = ["fit_stream"]

# More numbers than this have an information matrix too large to keep.
MOST_FINISHED = 3000
Progress = Callable[[str, int, int | None, float | None], None]


def _stream_kinds(kinds: Any, columns: Collection[str]) -> dict[str, str]:
    """Return the kinds that were asked for, of those that a stream has."""
    asked = asked_kinds(kinds)
    for name, each in asked.items():
        if each.kind not in ("number", "category"):
            raise UsageError(f"kinds: {name!r}: a stream takes number and category, not {each.kind}")
        if name not in columns:
            raise UsageError(f"kinds: there is no column {name!r}")
    return {name: each.kind for name, each in asked.items()}


def _silent(phase: str, done: int, of: int | None, loss: float | None) -> None:
    """Say nothing."""


def fit_stream(
    data: Any,
    target: str = "y",
    model: str = "sgd-logistic",
    *,
    weight: str | None = None,
    drop: Collection[str] = (),
    classes: Collection[str] | None = None,
    missing: Literal["drop", "mean", "error"] = "drop",
    kinds: Any = None,
    epochs: int = 5,
    batch_size: int = 32,
    memory: float = 64.0,
    alpha: float = 0.0,
    eta0: float | Literal["auto"] = "auto",
    finish: bool = True,
    time_limit: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 10.0,
    resume: bool = False,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> StreamFit:
    """Fit a linear model to a table that need not fit in memory.

    A first pass learns levels, classes, means and scales, and keeps the rows in a temporary file from which
    they are read in a shuffled order: neither the kind of the source nor the order of its rows matters.

    Parameters
    ----------
    data : path, glob, lazy frame, dataset, frame, or iterable of batches
        See :func:`thetahat.tables.streaming.open_source`.
    target : str
        The column to explain.
    model : str
        ``sgd-linear``, ``sgd-logistic``, ``sgd-softmax``, ``sgd-poisson`` or ``sgd-hinge``.
    weight : str, optional
        The column of the rows' weights.
    drop : collection of str
        Columns to leave out.
    classes : collection of str, optional
        The classes; found by the first pass if not given.
    missing : {"drop", "mean", "error"}
        What becomes of rows with a missing value.
    kinds : mapping, optional
        "number" or "category" of a column, which is then used whatever it holds.
    epochs : int
        Times that descent goes through the rows.
    batch_size : int
        Rows of a step.
    memory : float
        Megabytes of rows that are held at a time, to be shuffled.
    alpha : float
        L2 penalty on the weights of standardised columns; 0 is maximum likelihood.
    eta0 : float or "auto"
        First step, on standardised columns.
    finish : bool
        Whether passes of Newton's method certify the maximum and give error bars.
    time_limit : float, optional
        Seconds, after which the fit is returned as it is, with the status OUT_OF_TIME.
    checkpoint : path, optional
        Where the state is kept while it runs.
    checkpoint_every : float
        Seconds between two writings.
    resume : bool
        Go on from the checkpoint, if it is there: to the same bits as without an interruption.
    folder : path, optional
        Where the temporary file of rows lies; it takes 8 bytes a cell.
    seed : int
        Of the order of the rows.
    progress : callable
        Told the phase, the rows done, their number where known, and the mean loss along the epoch.

    Returns
    -------
    StreamFit
        Coefficients with their covariance, status and losses.

    Raises
    ------
    DataError
        The table cannot be used.
    UsageError
        An argument cannot be meant, the target is not one of the family, or the steps diverge.
    """
    begun = time.monotonic()
    _check_arguments(model, epochs, batch_size, memory, alpha, eta0, time_limit, checkpoint, resume)
    source = open_source(data)
    cells = max(1, len(source.columns) + 2)
    held = max(1, int(memory * 1e6 / (8 * cells)))
    rows = spool(
        source,
        target,
        classify=model in ("sgd-logistic", "sgd-softmax", "sgd-hinge"),
        weight=weight,
        drop=drop,
        classes=classes,
        missing=missing,
        row_names=True,
        kinds=_stream_kinds(kinds, source.columns),
        batch=min(held, 16_384),
        folder=folder,
        progress=lambda done, of: progress("Reading", done, of, None),
    )
    try:
        _check_target(rows, model, target)
        if not rows.mixes(held):
            warnings.warn(
                f"{held} rows at a time cannot mix rows that are sorted; raise memory from {memory:g} MB",
                ThetaHatWarning,
                stacklevel=2,
            )
        said = {
            "model": model, "target": target, "epochs": epochs, "batch_size": batch_size, "held": held,
            "alpha": alpha, "eta0": eta0, "seed": seed,
        }  # fmt: skip
        kept = Checkpoint(checkpoint, _fingerprint(rows, said), checkpoint_every)
        work = _Work(rows, model, target, Rows(rows, held, seed), kept, alpha, epochs, progress)
        work.deadline = None if time_limit is None else begun + time_limit
        return work.run(batch_size, eta0, resume, finish, begun)
    finally:
        rows.close()


class _Work:
    """One fit under way."""

    deadline: float | None = None

    def __init__(
        self,
        spooled: Spool,
        model: str,
        target: str,
        rows: Rows,
        checkpoint: Checkpoint,
        alpha: float,
        epochs: int,
        progress: Progress,
    ) -> None:
        self.spool, self.model, self.target, self.rows = spooled, model, target, rows
        self.checkpoint, self.alpha, self.epochs, self.progress = checkpoint, alpha, epochs, progress
        self.classes = len(spooled.classes or ())
        self.functions = self.classes if model == "sgd-softmax" else 1
        self.family = family_of(model, self.classes)

    def run(
        self, batch: int, eta0: float | Literal["auto"], resume: bool, finish: bool, begun: float
    ) -> StreamFit:
        """Descend, finish, and return the fit on the raw columns."""
        columns = len(self.spool.encoder.names)
        found = self.checkpoint.read(self.functions, columns) if resume else None
        total, done = self.spool.rows * self.epochs, 0
        if found is not None:
            within = min(found[1].chunk * CHUNK, self.spool.rows)
            done = min(total, found[1].epoch * self.spool.rows + within)
        self.progress("Fitting", done, total, None)
        curvature, start, worst = _beginning(self.spool, self.model)
        step = first_step(self.rows, curvature, batch) if eta0 == "auto" else float(eta0)
        per_epoch = -(-self.spool.rows // batch)
        settings = SgdSettings(
            MODELS[self.model],
            penalty="l2" if self.alpha else None,
            alpha=self.alpha,
            schedule="invscaling",
            eta0=step,
            power_t=0.25,
            average=1 + (per_epoch if self.epochs > 1 else per_epoch // 2),
            batch=batch,
        )
        if found is None:
            state, place = begin(settings, self.functions, columns, b=start), Place()
        else:
            state, place = found
        whole = descend(
            self.rows,
            state,
            place,
            settings,
            epochs=self.epochs,
            signed=self.model in ("sgd-logistic", "sgd-hinge"),
            checkpoint=self.checkpoint,
            deadline=self.deadline,
            progress=lambda done, loss: self.progress("Fitting", done, total, loss),
            worst_loss=worst,
            start=start,
        )
        w, b = state.coefficients(settings)
        theta = np.concatenate([b[None, :], w.T])
        end = Finish(theta, theta, np.zeros_like(theta))
        size = theta.size
        if not whole:
            end = replace(end, status=Status.OUT_OF_TIME)
        elif not finish or self.family is None or size > MOST_FINISHED:
            end = replace(end, status=Status.MAX_ITER)
        else:
            end = self._finished(end, state, place)
        return self._fit(end, tuple(place.losses), step, time.monotonic() - begun)

    def _finished(self, end: Finish, state: SgdState, place: Place) -> Finish:
        assert self.family is not None
        if place.extra:
            loss, passes, gap = place.extra["numbers"]
            end = Finish(
                place.extra["theta"], place.extra["base"], place.extra["step"], float(loss), int(passes),
                gap=float(gap),
            )  # fmt: skip
        separable = self.model in ("sgd-logistic", "sgd-softmax")
        start = end
        for end in newton_passes(start, self._blocks, self.family, self.alpha, separable):
            if end.status is None:
                numbers = np.array([end.loss, end.passes, end.gap])
                place.extra = {"theta": end.theta, "base": end.base, "step": end.step, "numbers": numbers}
                self.checkpoint.write(state, place, now=True)
                if self.deadline is not None and time.monotonic() > self.deadline:
                    return replace(end, theta=end.base, status=Status.OUT_OF_TIME)
        return end

    def _blocks(self) -> Iterator[tuple[FloatArray, Any, FloatArray]]:
        done = 0
        for X, y, weight in self.spool.blocks(min(8192, max(1, self.rows.buffer))):
            Z = np.column_stack([np.ones(len(X)), self.rows.standardised(X)])
            yield Z, y.astype(np.int64) if self.spool.classes else y, weight
            done += len(X)
            self.progress("Finishing", done, self.spool.rows, None)

    def _fit(self, end: Finish, losses: tuple[float, ...], step: float, seconds: float) -> StreamFit:
        centre, scale = self.spool.encoder.centre, self.spool.encoder.scale
        p = 1 + len(scale)
        back = np.zeros((p, p))
        back[0, 0] = 1.0
        back[0, 1:] = -centre / scale
        back[np.arange(1, p), np.arange(1, p)] = 1 / scale
        theta, covariance = end.theta, end.covariance
        k = theta.shape[1]
        if k > 1:
            # The same probabilities have many coefficients: those given sum to nought over the classes.
            theta = theta - theta.mean(axis=1, keepdims=True)
        likelihood = math.nan
        weight = float(self.spool.rows) if end.sums is None else end.sums.weight
        if end.sums is not None and end.status is Status.SOLVED:
            likelihood = -end.sums.loss
            if self.model == "sgd-linear":
                squares = 2 * end.sums.loss - weight * math.log(2 * math.pi)
                likelihood = -0.5 * weight * (math.log(2 * math.pi * squares / weight) + 1)
        if covariance is not None:
            wide = np.kron(np.eye(k), back)
            if k > 1:
                wide = wide @ np.kron(np.eye(k) - 1 / k, np.eye(p))
            covariance = wide @ covariance @ wide.T
        return StreamFit(
            self.model,
            self.target,
            self.spool.encoder,
            self.spool.classes,
            back @ theta,
            covariance if end.status is Status.SOLVED else None,
            end.status or Status.NOT_CONVERGED,
            likelihood,
            self.spool.rows,
            weight,
            self.spool.left_out,
            self.alpha,
            losses,
            {"seconds": seconds, "eta0": step, "passes": float(end.passes)},
            self.spool.notes,
        )


def _beginning(rows: Spool, model: str) -> tuple[float, FloatArray, float | None]:
    """Return the bound of the curvature in η, the first intercepts, and a loss only divergence has."""
    if model == "sgd-linear":
        return 1.0, np.array([rows.y_mean]), 10 * (0.5 * rows.y_deviation**2) + 1e-300
    if model == "sgd-poisson":
        mean = max(rows.y_mean, 1e-12)
        return max(1.0, 4 * mean), np.array([math.log(mean)]), None
    shares = np.maximum(rows.shares, 1e-9)
    logs = np.log(shares)
    null = 10 * float(-(rows.shares @ logs)) + 1
    if model == "sgd-softmax":
        return 0.5, logs - logs.mean(), null
    if model == "sgd-hinge":
        return 1.0, np.zeros(1), 100.0
    return 0.25, np.array([logs[1] - logs[0]]), null


def _fingerprint(rows: Spool, said: dict[str, Any]) -> str:
    columns = [asdict(column) for column in rows.encoder.columns]
    moments = [rows.y_mean, rows.y_deviation, *map(float, rows.shares)]
    text = json.dumps([said, columns, rows.rows, rows.left_out, rows.classes, moments])
    return hashlib.sha256(text.encode()).hexdigest()


def _check_target(rows: Spool, model: str, target: str) -> None:
    count = len(rows.classes or ())
    if model in ("sgd-logistic", "sgd-hinge") and count != 2:
        raise UsageError(f"model: {model} is for two classes, and {target} has {count}; use sgd-softmax")
    if model == "sgd-poisson" and not (rows.target_whole and rows.target_low >= 0):
        raise UsageError(f"target: {target} holds numbers that are no counts; use sgd-linear")
    if model == "sgd-linear" and rows.y_deviation == 0:
        raise UsageError(f"target: {target} is constant; there is nothing to explain")


def _check_arguments(
    model: str,
    epochs: int,
    batch_size: int,
    memory: float,
    alpha: float,
    eta0: float | Literal["auto"],
    time_limit: float | None,
    checkpoint: Any,
    resume: bool,
) -> None:
    if model not in MODELS:
        raise UsageError(f"model: choose from {', '.join(MODELS)}, not {model!r}")
    if resume and checkpoint is None:
        raise UsageError("resume: name the checkpoint to go on from")
    if eta0 != "auto" and not float(eta0) > 0:
        raise UsageError(f"eta0: must be positive or auto, not {eta0}")
    if time_limit is not None and not time_limit > 0:
        raise UsageError(f"time_limit: must be positive, not {time_limit}")
    if not alpha >= 0:
        raise UsageError(f"alpha: must be 0 or more, not {alpha}")
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("memory", memory)):
        if not value > 0:
            raise UsageError(f"{name}: must be positive, not {value}")
