"""Predictions of any learner for the rows of a table."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors
from scipy import sparse

from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.tables import read

__all__ = ["in_place", "predict_rows", "warn_of"]


def predict_rows(
    model: Any,
    data: Any,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> pl.DataFrame:
    """Predict the rows of a table by a fitted learner.

    Parameters
    ----------
    model : estimator
        With scikit-learn's interface. The columns are those of its fit by name; all columns of the table, in
        their order, where it was fitted to an array.
    data : path or frame
        As for ``compare``.
    sep, encoding, na_values, decimal, thousands
        How to read a text file.

    Returns
    -------
    polars.DataFrame
        ``prediction``, and for classes the probability of each where there is one; of what only transforms,
        its columns. Null in a row with a missing value.

    Raises
    ------
    UsageError
        The table lacks a column of the fit, or has another number of columns.
    """
    frame = read(
        data, sep=sep, encoding=encoding, na_values=na_values, decimal=decimal, thousands=thousands
    ).frame
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        lacking = [str(name) for name in names if name not in frame.columns]
        if lacking:
            raise UsageError(f"data: the table has no column {lacking[0]!r}, which the model was fitted to")
        frame = frame.select([str(name) for name in names])
    elif frame.width != getattr(model, "n_features_in_", frame.width):
        raise UsageError(
            f"data: the table has {frame.width} columns and the model was fitted to {model.n_features_in_} "
            "without names; keep those columns alone, in their order"
        )
    wordy = [name for name in frame.columns if not frame[name].dtype.is_numeric()]
    if wordy and type(model).__module__.startswith("thetahat."):
        raise UsageError(f"data: column {wordy[0]!r} holds {frame[wordy[0]].dtype}, the model takes numbers")
    frame = frame.with_columns(selectors.float().fill_nan(None))
    whole = frame.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    rows = frame.filter(pl.Series(whole))
    X: Any = rows if names is not None else rows.to_numpy()
    if not rows.height:
        raise UsageError("data: no row is complete")
    return in_place(pl.DataFrame(_columns(model, X)), whole)


def _columns(model: Any, X: Any) -> dict[str, Any]:
    if not hasattr(model, "predict"):
        scores = model.transform(X)
        dense = np.asarray(scores.toarray() if sparse.issparse(scores) else scores)
        return dict(zip(model.get_feature_names_out(), dense.T, strict=True))
    predicted = np.asarray(model.predict(X))
    if predicted.ndim > 1:
        return {f"prediction[{place}]": part.tolist() for place, part in enumerate(predicted.T)}
    columns: dict[str, Any] = {"prediction": predicted.tolist()}
    if hasattr(model, "predict_proba"):
        for label, p in zip(model.classes_, np.asarray(model.predict_proba(X)).T, strict=True):
            columns[f"probability[{label}]"] = p
    return columns


def warn_of(sentences: Sequence[str]) -> None:
    """Warn of each of these."""
    for sentence in sentences:
        warnings.warn(sentence, ThetaHatWarning, stacklevel=3)


def in_place(predicted: pl.DataFrame, whole: NDArray[Any]) -> pl.DataFrame:
    """Return predictions of the whole rows where they stand, with null rows between.

    Parameters
    ----------
    predicted : polars.DataFrame
        A row for each that is whole.
    whole : ndarray of bool of shape (n,)
        Which rows were predicted.
    """
    place = np.cumsum(whole) - 1
    return predicted.select(pl.all().gather(pl.Series(np.where(whole, place, 0)))).select(
        pl.when(pl.Series(whole)).then(pl.all())
    )
