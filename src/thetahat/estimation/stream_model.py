"""A model fitted to a stream: its table, its file, and its predictions batch by batch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from thetahat.contracts import Family, FloatArray, Status
from thetahat.distributions.output import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.errors import UsageError
from thetahat.estimation.prediction import warn_of
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.described import StoredCovariances
from thetahat.results.stored import check_names, member, read_object, record, write_object
from thetahat.tables.encoding import Encoder, StreamColumn
from thetahat.tables.phrases import unseen_levels
from thetahat.tables.streaming import open_source

__all__ = ["MODELS", "STREAM_KINDS", "StreamFit", "family_of", "load_stream_fit", "predict_stream"]

MODELS: Mapping[str, str] = {
    "sgd-linear": "squared_error",
    "sgd-logistic": "log_loss",
    "sgd-softmax": "softmax",
    "sgd-poisson": "poisson",
    "sgd-hinge": "hinge",
}


def family_of(model: str, classes: int) -> Family | None:
    """Return p(y | η) of a model, or None for the hinge, which is no likelihood."""
    if model == "sgd-softmax":
        return CategoricalOutput(classes)
    found: dict[str, Family] = {
        "sgd-linear": NormalOutput(),
        "sgd-logistic": BernoulliOutput(),
        "sgd-poisson": PoissonOutput(),
    }
    return found.get(model)


@dataclass(frozen=True, slots=True, eq=False)
class StreamFit:
    """A linear model fitted to a stream.

    Parameters
    ----------
    model : str
        One of ``sgd-linear``, ``sgd-logistic``, ``sgd-softmax``, ``sgd-poisson``, ``sgd-hinge``.
    target : str
        The column explained.
    encoder : Encoder
        How a table's columns become the design's.
    classes : tuple or None
        Of the target, in the order of the coefficients.
    coefficients : ndarray of shape (1 + d, k)
        The intercept and the weights of the raw columns, for each function.
    covariance : ndarray of shape (k (1 + d), k (1 + d)) or None
        Of the coefficients, function by function: the sandwich H⁻¹ G H⁻¹.
    status : Status
        How the work ended.
    log_likelihood : float
        At the estimate; NaN where the model is no likelihood or there was no time.
    rows, weight : float
        Rows used, and the sum of their weights.
    left_out : int
        Rows with a missing value.
    alpha : float
        Penalty on the weights of standardised columns.
    losses : tuple of float
        Mean loss along each epoch.
    stats : mapping of str to float
        Counts and measures of the work.
    notes : tuple of str
        What was left out beside rows.
    """

    model: str
    target: str
    encoder: Encoder
    classes: tuple[Any, ...] | None
    coefficients: FloatArray
    covariance: FloatArray | None
    status: Status
    log_likelihood: float
    rows: int
    weight: float
    left_out: int
    alpha: float
    losses: tuple[float, ...] = ()
    stats: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def result(self) -> LikelihoodResult:
        """Estimates with their errors, as of every fit by maximum likelihood."""
        names = ["intercept", *self.encoder.names]
        k = self.coefficients.shape[1]
        if k > 1 and self.classes is not None:
            names = [f"{label}: {name}" for label in self.classes for name in names]
        matrices = {} if self.covariance is None else {"HC0": self.covariance}
        return LikelihoodResult(
            f"{self.model} by stochastic gradient descent: {self.target}",
            tuple(names),
            self.coefficients.T.ravel(),
            self.log_likelihood,
            self.weight,
            self.status,
            StoredCovariances(matrices),
            errors="HC0",
            penalty=f"L2 of standardised columns, alpha={self.alpha:g}" if self.alpha else "",
        )

    def summary(self, level: float = 0.95) -> str:
        """Return the coefficient table as text, with what was left out and what the work took."""
        lines = []
        against = {c.name: c.levels[0] for c in self.encoder.columns if c.levels is not None}
        if against:
            lines.append("Categories: " + ", ".join(f"{name} against {of!r}" for name, of in against.items()))
        if self.left_out:
            lines.append(f"{self.left_out} rows with a missing value were left out")
        lines += self.notes
        if self.losses:
            lines.append("Mean loss along each epoch: " + ", ".join(f"{loss:.6g}" for loss in self.losses))
        if self.covariance is None:
            lines.append(f"No error bars: {self.status.value}")
        return "\n".join([*lines, self.result.summary(level)])

    def predict(
        self, frame: pl.DataFrame, level: float = 0.95, unseen: Counter[tuple[str, str]] | None = None
    ) -> pl.DataFrame:
        """Predict the rows of a frame.

        Parameters
        ----------
        frame : polars.DataFrame
            With the columns of the fit.
        level : float
            Of the intervals.
        unseen : Counter, optional
            Counts the rows of each level of a column that the fit has not seen, in place of a warning.

        Returns
        -------
        polars.DataFrame
            ``prediction``; for classes the probability of each (a margin for the hinge); for one function
            with error bars ``low`` and ``high`` of the mean. Null in a row with a missing value or a level
            that the fit has not seen, of which a warning tells.

        Raises
        ------
        UsageError
            A column is not there.
        """
        if not 0 < level < 1:
            raise UsageError(f"level: must lie between 0 and 1, not {level}")
        counts: Counter[tuple[str, str]] = Counter() if unseen is None else unseen
        X = self.encoder.encode(frame, counts)
        if unseen is None:
            warn_of(self.unseen(counts))
        whole: NDArray[np.bool_] = np.asarray(np.isfinite(X).all(axis=1))
        Z = np.column_stack([np.ones(len(X)), np.where(whole[:, None], X, 0.0)])
        eta = Z @ self.coefficients
        columns = self._columns(eta)
        if self.covariance is not None and eta.shape[1] == 1:
            half = special.ndtri(0.5 + level / 2) * np.sqrt(np.sum((Z @ self.covariance) * Z, axis=1))
            family = family_of(self.model, 2)
            if family is not None:
                columns["low"] = family.mean(eta - half[:, None])
                columns["high"] = family.mean(eta + half[:, None])
        found = pl.DataFrame(columns)
        return found if whole.all() else found.select(pl.when(pl.Series(whole)).then(pl.all()))

    def unseen(self, counts: Counter[tuple[str, str]]) -> list[str]:
        """Return what must be said of levels that the fit has not seen."""
        known = {column.name: column.levels or () for column in self.encoder.columns}
        return unseen_levels(counts, known)

    def _columns(self, eta: FloatArray) -> dict[str, Any]:
        if self.classes is None:
            family = family_of(self.model, 1)
            return {"prediction": eta[:, 0] if family is None else family.mean(eta)}
        if self.model == "sgd-hinge":
            return {"prediction": self._labels(eta[:, 0] > 0), "margin": eta[:, 0]}
        family = family_of(self.model, len(self.classes))
        mean = eta if family is None else family.mean(eta)
        both = np.column_stack([1 - mean, mean]) if mean.ndim == 1 else mean
        named = {f"probability[{label}]": p for label, p in zip(self.classes, both.T, strict=True)}
        return {"prediction": self._labels(np.argmax(both, axis=1)), **named}

    def _labels(self, places: NDArray[Any]) -> pl.Series:
        return pl.Series(list(self.classes or ())).gather(pl.Series(places.astype(np.int64)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, whole or not at all; nothing in it is code.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        write_object(path, self, STREAM_KINDS)


def _check(fit: StreamFit) -> None:
    """Raise ValueError where the parts of a fit do not belong together."""
    rows = 1 + sum(column.width for column in fit.encoder.columns)
    check_names(((column.name, column.width) for column in fit.encoder.columns), rows)
    if fit.model not in MODELS or fit.coefficients.ndim != 2:
        raise ValueError(f"there is no stream model {fit.model!r}")
    k = fit.coefficients.shape[1]
    if fit.coefficients.shape[0] != rows or (fit.classes is not None and k not in (1, len(fit.classes))):
        raise ValueError(f"coefficients of shape {fit.coefficients.shape} for {rows} columns")
    if fit.covariance is not None and fit.covariance.shape != (k * rows, k * rows):
        raise ValueError(f"a covariance of shape {fit.covariance.shape} for {k * rows} coefficients")


STREAM_KINDS = (member(Status), record(StreamColumn), record(Encoder), record(StreamFit, _check))


def load_stream_fit(path: str | os.PathLike[str]) -> StreamFit:
    """Read a fit that :meth:`StreamFit.save` wrote.

    Parameters
    ----------
    path : path
        Of the file.

    Returns
    -------
    StreamFit
        The fit that was saved.

    Raises
    ------
    ResultFileError
        The file is not such a fit, or is damaged.
    """
    found: StreamFit = read_object(path, STREAM_KINDS, StreamFit)
    return found


def predict_stream(
    fit: StreamFit, data: Any, level: float = 0.95, *, batch: int = 16_384
) -> Iterator[pl.DataFrame]:
    """Yield the predictions of a stream, batch by batch, in the order of its rows.

    Parameters
    ----------
    fit : StreamFit
        The model.
    data : path, glob, lazy frame, dataset, frame, or iterable of batches
        As for the fit.
    level : float
        Of the intervals.
    batch : int
        Rows at a time.

    Yields
    ------
    polars.DataFrame
        The columns of ``StreamFit.predict`` for the next rows.
    """
    unseen: Counter[tuple[str, str]] = Counter()
    for frame in open_source(data).batches(batch):
        yield fit.predict(frame, level, unseen)
    warn_of(fit.unseen(unseen))
