"""The finished draws of a comparison in a file: killed and started again, it ends with the same bits."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import time
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

import joblib
import numpy as np

from thetahat.comparison.declaration import declared
from thetahat.comparison.options import Settings
from thetahat.contracts import Prediction, Status
from thetahat.errors import ResultFileError, UsageError
from thetahat.measures.measure import Measure
from thetahat.measures.scorers import is_scorer
from thetahat.resampling.evidence import Outcome, cut_short
from thetahat.results.saving import remove_file, sweep
from thetahat.results.stored import member, read_object, record, write_object

__all__ = ["Checkpoint", "fingerprint"]

FORM = "thetahat comparison checkpoint"
# Writing takes at most one part of so many of the time, and the first second is not worth keeping.
FIRST, SHARE = 1.0, 20.0
# What a run may change and still be the same comparison.
FREE = ("models", "time_limit", "strict")


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What the file holds: of which comparison, the seconds spent, and every finished draw by its number."""

    fingerprint: str
    seconds: float
    draws: dict[int, list[Outcome]]


def _check(kept: Kept) -> None:
    """Raise ValueError where a file holds what no draw has; what it says of itself is not believed."""
    draws: Any = kept.draws
    sound = all(type(number) is int for number in draws) and all(
        type(held) is list for held in draws.values()
    )
    held: list[Any] = [each for of_draw in draws.values() for each in of_draw] if sound else []
    if not (sound and all(map(_is_sound, held)) and all(map(_is_number, [kept.seconds]))):
        raise ValueError("a draw holds what is no result")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _is_sound(outcome: Any) -> bool:
    if not isinstance(outcome, Outcome):
        return False
    held: dict[str, Any] = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
    prediction, training = held["prediction"], held["training"]
    sound = isinstance(held["status"], Status) and isinstance(held["detail"], str)
    sound &= all(_is_number(held[name]) for name in ("seconds", "tuning_seconds"))
    sound &= held["choice"] is None or _is_number(held["choice"])
    sound &= isinstance(training, dict) and all(map(_is_number, training.values()))
    return sound and (prediction is None or _is_prediction(prediction))


def _is_prediction(prediction: Any) -> bool:
    if not isinstance(prediction, Prediction):
        return False
    value: Any = prediction.value
    quantile: Any = {} if prediction.quantile is None else prediction.quantile
    if not (isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "fi"):
        return False
    if not (isinstance(quantile, dict) and all(map(_is_number, quantile))):
        return False
    tables: list[Any] = [each for each in (prediction.probability, prediction.score) if each is not None]
    columns: list[Any] = list(quantile.values())
    return all(
        isinstance(each, np.ndarray)
        and each.dtype.kind == "f"
        and each.ndim == wanted
        and len(each) == len(value)
        for wanted, several in ((2, tables), (1, columns))
        for each in several
    )


KINDS = (member(Status), record(Prediction), record(Outcome), record(Kept, _check))


def fingerprint(data: str, target: str, settings: Settings, versions: Mapping[str, str]) -> str:
    """Return a digest of all that the values of a comparison's draws depend on.

    Parameters
    ----------
    data : str
        Digest of the table.
    target : str
        The column that is predicted.
    settings : Settings
        What was asked for.
    versions : mapping of str to str
        Of the libraries that fit: another version may give other bits.
    """
    asked = {
        each.name: _option(getattr(settings, each.name))
        for each in fields(settings)
        if declared(each).result and each.name not in FREE
    }
    models = None if settings.models is None else [_described(model) for model in settings.models]
    said = [data, target, asked, models, dict(versions)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=_plain).encode()).hexdigest()


def _option(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, AbstractSet) and all(isinstance(each, str) for each in value):
        # A set of texts has another order in another process.
        return sorted(value)
    if isinstance(value, list | tuple):
        # The order counts: the first measure carries the verdict.
        return [_option(each) for each in value]
    return _described(value)


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, Collection) else str(value)


def _described(model: Any) -> str:
    if isinstance(model, str):
        return model
    name, one = model if isinstance(model, tuple) else (getattr(model, "name", ""), model)
    if (code := _code_of(one)) is not None:
        return f"{name} {code}"
    one = getattr(one, "estimator", one)
    kind = f"{name} {type(one).__module__}:{type(one).__qualname__}"
    try:
        return f"{kind} {joblib.hash(one)}"
    except (AttributeError, TypeError, pickle.PicklingError):
        # An address is another one in another process.
        return f"{kind} {re.sub(r' at 0x[0-9a-f]+', '', repr(one))}"


def _code_of(value: Any) -> str | None:
    """Return a digest of what a function or a measure computes, or None for another object.

    A pickle names a function and does not hold its body, so an edited one would pass for the same.
    """
    if not isinstance(value, FunctionType | MethodType | partial | Measure) and not is_scorer(value):
        return None
    return hashlib.sha256(repr(_parts(value, ())).encode()).hexdigest()


def _parts(value: Any, seen: tuple[int, ...]) -> Any:
    """Return what identifies a value in any process: of a function its code and all that it is bound to."""
    if id(value) in seen:
        return "itself"
    seen = (*seen, id(value))

    def of(*values: Any) -> list[Any]:
        return [_parts(each, seen) for each in values]

    if isinstance(value, FunctionType):
        cells = [_of_cell(cell) for cell in value.__closure__ or ()]
        bound = value.__defaults__, value.__kwdefaults__, cells
        return [value.__module__, value.__qualname__, *of(value.__code__, *bound)]
    if isinstance(value, CodeType):
        return [value.co_code.hex(), value.co_names, value.co_varnames, *of(*value.co_consts)]
    if isinstance(value, MethodType):
        return of(value.__func__, value.__self__)
    if isinstance(value, partial):
        return of(value.func, value.args, value.keywords)
    if isinstance(value, list | tuple):
        return of(*value)
    if isinstance(value, Mapping):
        return [[repr(key), _parts(each, seen)] for key, each in value.items()]
    if isinstance(value, AbstractSet):
        return sorted(map(repr, value))
    if is_scorer(value):
        return [type(value).__qualname__, *of(vars(value))]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__qualname__, *of(*(getattr(value, each.name) for each in fields(value)))]
    return _plain_value(value)


def _of_cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return None


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes | int | float | complex | bool):
        return value
    try:
        return f"{type(value).__qualname__} {joblib.hash(value)}"
    except (AttributeError, TypeError, pickle.PicklingError):
        return f"{type(value).__qualname__} {re.sub(r' at 0x[0-9a-f]+', '', repr(value))}"


@dataclass(slots=True, eq=False)
class Checkpoint:
    """The file of one comparison.

    Parameters
    ----------
    path : path or None
        Where; written whole or not at all. None keeps nothing.
    of : str
        Fingerprint of the comparison.
    began : float
        A ``time.monotonic()`` at which this run began.
    """

    path: str | os.PathLike[str] | None
    of: str
    began: float
    spent: float = 0.0
    known: dict[int, list[Outcome]] = field(default_factory=dict)
    _next: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._next = self.began + FIRST

    @property
    def seconds(self) -> float:
        """Seconds of work, those of earlier runs included."""
        return self.spent + time.monotonic() - self.began

    def read(self, draws: int, candidates: int) -> None:
        """Take up what an earlier run has finished, if there is a file.

        Raises
        ------
        ResultFileError
            The file is no checkpoint of a comparison, or is damaged.
        UsageError
            It belongs to other data, other settings or other versions.
        """
        if self.path is None:
            return
        sweep(self.path)
        if not Path(self.path).exists():
            return
        kept: Kept = read_object(self.path, KINDS, Kept, FORM)
        if kept.fingerprint != self.of:
            raise UsageError(
                f"resume: {self.path} is of other data, settings or versions; give those of its beginning, "
                "or leave resume out to begin anew"
            )
        if any(not 0 <= number < draws or len(held) != candidates for number, held in kept.draws.items()):
            raise ResultFileError(f"{self.path}: is damaged; leave resume out to begin anew")
        self.known, self.spent = dict(kept.draws), kept.seconds

    def keep(self, done: Mapping[int, list[Outcome]], *, now: bool = False) -> None:
        """Write the finished draws if it is time to, or now.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        begun = time.monotonic()
        if self.path is None or not (now or begun >= self._next):
            return
        whole = {number: held for number, held in sorted(done.items()) if not cut_short(held)}
        write_object(self.path, Kept(self.of, self.seconds, whole), KINDS, FORM)
        ended = time.monotonic()
        self._next = ended + max(FIRST, SHARE * (ended - begun))

    def remove(self) -> None:
        """Remove the file of a comparison that is whole."""
        if self.path is not None:
            remove_file(self.path)
