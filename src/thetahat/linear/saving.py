"""Models in a file: arrays as safetensors and a JSON description, in one zip.

Nothing in the file is code, and loading runs none: the description names one of the classes below, its
constructor's arguments, and its attributes, which are numbers, text or names of arrays. No pickle. The rows a
model was fitted to are not in it; the covariance matrices of its table are.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from thetahat.contracts import Status
from thetahat.errors import ResultFileError, UsageError
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.described import Described, StoredCovariances
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge
from thetahat.results.packed import read_packed, write_packed

__all__ = ["load", "save"]

SCHEMA = 1
FORMAT = "thetahat model"
CLASSES: dict[str, type[Described]] = {
    one.__name__: one for one in (LinearRegression, Ridge, PoissonRegression, LogisticRegression)
}
RECORD_TEXT = ("title", "errors", "penalty", "detail")
RECORD_NUMBERS = ("log_likelihood", "rows", "freedom", "free")


def save(model: Described, path: str | os.PathLike[str]) -> None:
    """Write a fitted linear model to a file, whole or not at all.

    Parameters
    ----------
    model : LinearRegression, Ridge, LogisticRegression or PoissonRegression
        A fitted model.
    path : path
        Where to; a file that is there is replaced.

    Raises
    ------
    UsageError
        The model is of another class, not fitted, holds labels other than text and numbers, or the file
        cannot be written.
    """
    name = type(model).__name__
    if CLASSES.get(name) is not type(model):
        raise UsageError(f"model: only {', '.join(CLASSES)} can be saved, not {name}")
    if not hasattr(model, "coef_"):
        raise UsageError("model: is not fitted; call fit first")
    arrays: dict[str, Any] = {}
    state = model.__getstate__()
    record = state.pop("_record", None)
    parameters = {key: _packed(key, value, arrays) for key, value in model.get_params(deep=False).items()}
    attributes = {
        key: _packed(key, value, arrays)
        for key, value in state.items()
        if key.endswith("_") and key not in parameters
    }
    description = {
        "format": FORMAT,
        "schema_version": SCHEMA,
        "class": name,
        "parameters": parameters,
        "attributes": attributes,
        "record": None if record is None else _packed_record(record, arrays),
    }
    write_packed(path, description, arrays)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a model that :func:`save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    LinearRegression, Ridge, LogisticRegression or PoissonRegression
        Predicts as the model that was saved, and has its table.

    Raises
    ------
    ResultFileError
        The file is missing, is not a saved model, is damaged, or is of a later schema.
    """
    description, arrays = read_packed(path, FORMAT, SCHEMA)
    try:
        return _unpacked_model(description, arrays)
    except (
        AttributeError,
        IndexError,
        KeyError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ResultFileError(f"{path}: is damaged: {error}") from None


def _unpacked_model(description: dict[str, Any], arrays: dict[str, Any]) -> Any:
    made = CLASSES[description["class"]]
    parameters = {key: _unpacked(value, arrays) for key, value in description["parameters"].items()}
    model = made(**parameters)
    for key, value in description["attributes"].items():
        # Only what a fit sets: a file must not replace a method.
        if not key.endswith("_") or key.startswith("_") or hasattr(made, key):
            raise ValueError(f"{key!r} is no attribute of a fitted model")
        setattr(model, key, _unpacked(value, arrays))
    record = description["record"]
    model._rows = None
    model._record = None if record is None else _unpacked_record(record, arrays)
    return model


def _packed(key: str, value: Any, arrays: dict[str, Any]) -> Any:
    """Return what JSON can hold; numbers in bulk go to the arrays, and stay there under a name."""
    if isinstance(value, Status):
        return {"status": value.name}
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OUS":
            labels = value.tolist()
            if not all(isinstance(label, str | int | float | bool) for label in labels):
                raise UsageError(f"model: {key} holds labels that are neither text nor numbers")
            return {"labels": labels, "text": value.dtype.kind == "U"}
        arrays[key] = np.ascontiguousarray(value)
        return {"array": key}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return {"list": [_packed(f"{key}.{place}", entry, arrays) for place, entry in enumerate(value)]}
    if isinstance(value, dict):
        pairs = [
            [_packed(f"{key}.key", k, arrays), _packed(f"{key}.{k}", v, arrays)] for k, v in value.items()
        ]
        return {"pairs": pairs}
    raise UsageError(f"model: {key} of type {type(value).__name__} cannot be saved")


def _unpacked(value: Any, arrays: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if "status" in value:
        return Status[value["status"]]
    if "array" in value:
        return arrays[value["array"]]
    if "list" in value:
        return [_unpacked(entry, arrays) for entry in value["list"]]
    if "pairs" in value:
        return {_unpacked(k, arrays): _unpacked(v, arrays) for k, v in value["pairs"]}
    return np.array(value["labels"], dtype=None if value["text"] else object)


def _packed_record(record: LikelihoodResult, arrays: dict[str, Any]) -> dict[str, Any]:
    arrays["record.params"] = np.ascontiguousarray(record.params)
    stored = record.covariance_of
    kinds = stored.matrices if isinstance(stored, StoredCovariances) else {}
    for kind, matrix in kinds.items():
        arrays[f"record.covariance.{kind}"] = np.ascontiguousarray(matrix)
    return {
        **{key: getattr(record, key) for key in RECORD_TEXT},
        **{key: _packed(key, getattr(record, key), arrays) for key in RECORD_NUMBERS},
        "names": list(record.names),
        "status": record.status.name,
        "measures": {key: float(value) for key, value in record.measures.items()},
        "kinds": list(kinds),
    }


def _unpacked_record(record: dict[str, Any], arrays: dict[str, Any]) -> LikelihoodResult:
    return LikelihoodResult(
        **{key: record[key] for key in (*RECORD_TEXT, *RECORD_NUMBERS)},
        names=tuple(record["names"]),
        params=arrays["record.params"],
        status=Status[record["status"]],
        covariance_of=StoredCovariances(
            {kind: arrays[f"record.covariance.{kind}"] for kind in record["kinds"]}
        ),
        measures=dict(record["measures"]),
    )
