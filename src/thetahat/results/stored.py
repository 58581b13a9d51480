"""Objects in a packed file: what a class holds, as a description and arrays, and back.

Nothing in a file is code, and reading one runs none: a description may name only the kinds that the reader
hands in, and an object is made of its parts by that kind's own function. A class joins by one line, a
:func:`learner` or a :func:`record`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, RandomState
from numpy.typing import NDArray
from scipy import sparse

from thetahat.errors import ResultFileError, UsageError
from thetahat.results.packed import read_packed, write_packed

__all__ = [
    "FORMAT",
    "Kind",
    "check_labels",
    "check_names",
    "check_shapes",
    "learner",
    "member",
    "read_object",
    "record",
    "write_object",
]

FORMAT, SCHEMA = "thetahat model", 2
# An array without numbers costs nothing and may claim any shape, which what is made of it may not.
LARGEST_EMPTY = 1_000_000
# Where scikit-learn keeps what set_output asked for.
OUTPUT = "_sklearn_output_config"
# Where it keeps what set_fit_request and its like asked for.
REQUESTS = "_metadata_request"
HIGHEST_CHARACTER = 0x10FFFF
GENERATORS: Mapping[str, Any] = {
    each.__name__: each for each in (np.random.PCG64, np.random.PCG64DXSM, np.random.SFC64, np.random.MT19937)
}
_DAMAGE = (
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A class that a file may name.

    Parameters
    ----------
    made : type
        The class.
    take : callable
        An object to the parts that are kept of it.
    make : callable
        Those parts to an object; raises ValueError or TypeError where they cannot be such a one.
    """

    made: type[Any]
    take: Callable[[Any], Mapping[str, Any]]
    make: Callable[[dict[str, Any]], Any]


def record(made: type[Any], check: Callable[[Any], None] | None = None) -> Kind:
    """Return the kind of a dataclass: its fields, and a check of what was made of them."""
    names = [each.name for each in fields(made)]

    def make(parts: dict[str, Any]) -> Any:
        one = made(**parts)
        if check is not None:
            check(one)
        return one

    return Kind(made, lambda one: {name: getattr(one, name) for name in names}, make)


def member(made: type[Enum]) -> Kind:
    """Return the kind of an enum: the name of its member."""
    return Kind(made, lambda one: {"name": one.name}, lambda parts: made[parts["name"]])


def learner(
    made: type[Any],
    *private: str,
    leave: Sequence[str] = (),
    check: Callable[[Any], None] | None = None,
) -> Kind:
    """Return the kind of a class with scikit-learn's interface.

    Parameters
    ----------
    made : type
        The class. Kept are its constructor's arguments and the attributes of a fit, whose names end in an
        underscore.
    *private : str
        Other attributes to keep.
    leave : sequence of str
        Arguments that belong to the machine and not to the model; a file may not set them.
    check : callable, optional
        Raises ValueError where what a compiled loop would be given has wrong shapes.
    """
    private = (*private, OUTPUT)

    def kept(name: str) -> bool:
        # Only what a fit sets: a file must not replace a method.
        fitted = name.endswith("_") and not name.startswith("_")
        return (fitted or name in private) and not hasattr(made, name)

    def take(model: Any) -> dict[str, Any]:
        state, parameters = model.__getstate__(), model.get_params(deep=False)
        if not any(kept(name) and name != OUTPUT for name in state):
            raise UsageError("model: is not fitted; call fit first")
        asked = {"requests": _requests(state[REQUESTS])} if REQUESTS in state else {}
        return {
            "parameters": {name: value for name, value in parameters.items() if name not in leave},
            "attributes": {name: state[name] for name in state if kept(name) and name not in parameters},
            **asked,
        }

    def make(parts: dict[str, Any]) -> Any:
        parameters, attributes = parts["parameters"], parts["attributes"]
        wrong = [name for name in leave if name in parameters]
        wrong += [name for name in attributes if not kept(name) or name in parameters]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no attribute of a fitted model")
        if not isinstance(attributes.get("n_features_in_"), int):
            raise ValueError("it does not say how many columns it was fitted to")
        model = made(**parameters)
        model._validate_params()
        for name, value in attributes.items():
            setattr(model, name, value)
        if "requests" in parts:
            _ask(model, parts["requests"])
        if check is not None:
            check(model)
        return model

    return Kind(made, take, make)


def _requests(routing: Any) -> dict[str, dict[str, Any]]:
    """Return what a model asks of metadata routing: the alias of each argument of each method."""
    return {name: dict(each.requests) for name, each in vars(routing).items() if hasattr(each, "requests")}


def _ask(model: Any, requests: Mapping[str, Mapping[str, Any]]) -> None:
    """Let a model ask for what :func:`_requests` was told, where its class takes such arguments."""
    routing = model.get_metadata_routing()
    for method, aliases in requests.items():
        request = getattr(routing, method)
        for argument, alias in aliases.items():
            if argument not in request.requests or not isinstance(alias, bool | str | None):
                raise ValueError(f"{method} does not take {argument!r} as {alias!r}")
            request.add_request(param=argument, alias=alias)
    setattr(model, REQUESTS, routing)


def write_object(path: str | os.PathLike[str], one: Any, kinds: Iterable[Kind], form: str = FORMAT) -> None:
    """Write an object to a file, whole or not at all.

    Parameters
    ----------
    path : path
        Where to; a file that is there is replaced.
    one : object
        Of one of the kinds.
    kinds : iterable of Kind
        What it and its parts may be.
    form : str
        What the file says that it holds.

    Raises
    ------
    UsageError
        Some part is of no kind, or the file cannot be written.
    """
    writing = _Writing({kind.made: kind for kind in kinds})
    model = writing.pack("model", one)
    said = {"format": form, "schema_version": SCHEMA, "class": type(one).__name__, "model": model}
    write_packed(path, said, writing.arrays)


def read_object(
    path: str | os.PathLike[str],
    kinds: Iterable[Kind],
    expected: type[Any] | None = None,
    form: str = FORMAT,
) -> Any:
    """Read an object that :func:`write_object` wrote.

    Parameters
    ----------
    path : path
        The file.
    kinds : iterable of Kind
        What it and its parts may be.
    expected : type, optional
        What it has to be.
    form : str
        What the file has to say that it holds.

    Raises
    ------
    ResultFileError
        The file is missing, is no saved model, is damaged, or is of another schema.
    """
    said, arrays = read_packed(path, form, SCHEMA)
    reading = _Reading({kind.made.__name__: kind for kind in kinds}, arrays)
    if said.get("class") not in (reading.kinds if expected is None else (expected.__name__,)):
        raise ResultFileError(f"{path}: holds a model of class {said.get('class')!r}, which is not read here")
    try:
        with np.errstate(all="ignore"):
            found = reading.unpack(said["model"])
        if type(found).__name__ != said["class"]:
            raise ValueError(f"it holds a {type(found).__name__}")
    except _DAMAGE as error:
        cause = f"{type(error).__name__} {error}" if isinstance(error, KeyError) else str(error)
        raise ResultFileError(f"{path}: is damaged: {cause}") from None
    return found


@dataclass(slots=True)
class _Writing:
    kinds: Mapping[type[Any], Kind]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def pack(self, at: str, value: Any) -> Any:
        """Return what JSON can hold; numbers in bulk go to the arrays, and stay there under a name."""
        if value is None or type(value) in (str, int, float, bool):
            return value
        kind = self.kinds.get(type(value))
        if kind is not None:
            parts = kind.take(value)
            return {
                "of": kind.made.__name__,
                "holds": {k: self.pack(f"{at}.{k}", v) for k, v in parts.items()},
            }
        if isinstance(value, np.ndarray):
            return self._array(at, value)
        if isinstance(value, np.str_):
            return str(value)
        if isinstance(value, np.generic):
            if value.dtype.kind not in "biuf" or value.dtype.itemsize > 8:
                raise UsageError(f"model: {at} holds {value.dtype}, which cannot be saved")
            # Exact: a double holds every smaller decimal number, and a whole number is written out.
            return {"scalar": value.item(), "dtype": value.dtype.name}
        if isinstance(value, list | tuple | Mapping):
            return self._container(at, value)
        if sparse.issparse(value):
            return self._sparse(at, value)
        if isinstance(value, Generator | RandomState):
            return self._random(at, value)
        if isinstance(value, os.PathLike):
            return {"path": os.fspath(value)}
        named = re.sub(r"^model\.|parameters\.|attributes\.", "", at)
        if callable(value):
            raise UsageError(f"model: {named} is a function, and a saved model holds no code")
        raise UsageError(f"model: {named} of type {type(value).__name__} cannot be saved")

    def _container(self, at: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            said = [self.pack(f"{at}.{place}", each) for place, each in enumerate(value)]
            return {"tuple" if isinstance(value, tuple) else "list": said}
        held = [self.pack(f"{at}.{key}", each) for key, each in value.items()]
        if all(type(key) is str for key in value):
            return {"named": dict(zip(value, held, strict=True))}
        keys = [self.pack(f"{at}.{place}.key", key) for place, key in enumerate(value)]
        return {"pairs": [list(pair) for pair in zip(keys, held, strict=True)]}

    def _keep(self, at: str, array: NDArray[Any]) -> str:
        name = at.removeprefix("model.")
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise UsageError(f"model: {name} holds {array.dtype}, which cannot be saved")
        self.arrays[name] = np.ascontiguousarray(array) if array.ndim else array.copy()
        return name

    def _array(self, at: str, array: NDArray[Any]) -> dict[str, Any]:
        if array.dtype.kind == "O":
            labels = [label.item() if isinstance(label, np.generic) else label for label in array.ravel()]
            if not all(label is None or isinstance(label, str | int | float | bool) for label in labels):
                raise UsageError(f"model: {at} holds labels that are neither text nor numbers")
            return {"labels": labels, "shape": list(array.shape)}
        if array.dtype.kind == "U":
            # As numbers, so that a long text costs its own length alone.
            width = array.dtype.itemsize // 4
            flat = np.ascontiguousarray(array).reshape(-1)
            letters = flat.view(np.uint32) if flat.size and width else np.zeros(0, np.uint32)
            return {"text": self._keep(at, letters.reshape(*array.shape, width))}
        # A product of a transposed array is summed in another order, so its order is part of the model.
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            return {"array": self._keep(at, array.T), "order": "F"}
        return {"array": self._keep(at, array)}

    def _sparse(self, at: str, value: Any) -> dict[str, Any]:
        rows = value.tocsr()
        parts = {
            name: self._keep(f"{at}.{name}", getattr(rows, name)) for name in ("data", "indices", "indptr")
        }
        return {"sparse": parts, "shape": list(rows.shape), "matrix": isinstance(value, sparse.spmatrix)}

    def _random(self, at: str, value: Generator | RandomState) -> dict[str, Any]:
        state = value.bit_generator.state if isinstance(value, Generator) else value.get_state(legacy=False)
        if state["bit_generator"] not in GENERATORS:
            raise UsageError(f"model: {at} is a generator of another kind; use {', '.join(GENERATORS)}")
        return {"random": self.pack(at, state), "legacy": isinstance(value, RandomState)}


@dataclass(slots=True)
class _Reading:
    kinds: Mapping[str, Kind]
    arrays: Mapping[str, NDArray[Any]]

    def unpack(self, said: Any) -> Any:
        """Return what :meth:`_Writing.pack` was given."""
        if isinstance(said, list):
            raise ValueError("a list stands where a value should")
        if not isinstance(said, dict):
            return said
        for tag, read in READERS.items():
            if tag in said:
                return read(self, said)
        raise ValueError("a value is of no known kind")

    def _object(self, said: dict[str, Any]) -> Any:
        return self.kinds[said["of"]].make({k: self.unpack(v) for k, v in said["holds"].items()})

    def _array(self, said: dict[str, Any]) -> NDArray[Any]:
        array = self._numbers(said["array"])
        return array.T if said.get("order") == "F" else array

    def _numbers(self, name: str) -> NDArray[Any]:
        array = self.arrays[name]
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} holds no numbers")
        if array.size == 0 and max(array.shape, default=0) > LARGEST_EMPTY:
            raise ValueError(f"{name} is empty and claims the shape {array.shape}")
        # Not the buffer that was read: a model that goes on writes into its arrays, and wants them aligned.
        return np.array(array, order="C")

    def _scalar(self, said: dict[str, Any]) -> Any:
        kind = np.dtype(str(said["dtype"]))
        if kind.kind not in "biuf" or not isinstance(said["scalar"], bool | int | float):
            raise ValueError("a number is none")
        return kind.type(said["scalar"])

    def _text(self, said: dict[str, Any]) -> NDArray[Any]:
        letters = self._numbers(said["text"])
        if letters.dtype != np.uint32 or letters.max(initial=0) > HIGHEST_CHARACTER:
            raise ValueError("text holds what is no character")
        width = letters.shape[-1]
        if not letters.size:
            return np.zeros(letters.shape[:-1], f"<U{max(width, 1)}")
        return letters.reshape(-1).view(f"<U{width}").reshape(letters.shape[:-1])

    def _labels(self, said: dict[str, Any]) -> NDArray[Any]:
        labels, shape = said["labels"], said["shape"]
        if not all(label is None or isinstance(label, str | int | float | bool) for label in labels):
            raise ValueError("labels are neither text nor numbers")
        found = np.empty(len(labels), dtype=object)
        found[:] = labels
        return found.reshape(tuple(int(n) for n in shape))

    def _sparse(self, said: dict[str, Any]) -> Any:
        parts = tuple(self._numbers(said["sparse"][name]) for name in ("data", "indices", "indptr"))
        rows, columns = (int(n) for n in said["shape"])
        made = sparse.csr_matrix if said["matrix"] else sparse.csr_array
        if len(parts[2]) != rows + 1 or any(part.dtype.kind not in "iu" for part in parts[1:]):
            raise ValueError("a sparse array does not fit its shape")
        found = made(parts, shape=(rows, columns))
        # Compiled loops trust the places, so each is looked at.
        found.check_format(full_check=True)
        return found

    def _random(self, said: dict[str, Any]) -> Generator | RandomState:
        state = self.unpack(said["random"])
        # NumPy reads numbers from this place on without a look at how many there are.
        if state["bit_generator"] == "MT19937" and not 0 <= int(state["state"]["pos"]) <= 624:
            raise ValueError("a random state is at a place that it does not have")
        if said["legacy"]:
            legacy = RandomState()
            legacy.set_state(state)
            return legacy
        bits = GENERATORS[state["bit_generator"]](0)
        bits.state = state
        return Generator(bits)


READERS: Mapping[str, Callable[[_Reading, Any], Any]] = {
    "of": _Reading._object,
    "array": _Reading._array,
    "scalar": _Reading._scalar,
    "text": _Reading._text,
    "labels": _Reading._labels,
    "list": lambda reading, said: [reading.unpack(each) for each in said["list"]],
    "tuple": lambda reading, said: tuple(reading.unpack(each) for each in said["tuple"]),
    "named": lambda reading, said: {name: reading.unpack(each) for name, each in said["named"].items()},
    "pairs": lambda reading, said: {reading.unpack(k): reading.unpack(v) for k, v in said["pairs"]},
    "sparse": _Reading._sparse,
    "random": _Reading._random,
    "path": lambda _, said: Path(said["path"]),
}


def check_shapes(**arrays: tuple[NDArray[Any], Sequence[int]]) -> None:
    """Raise ValueError where an array does not have the shape that it should."""
    for name, (array, shape) in arrays.items():
        if array.shape != tuple(shape) or array.dtype.kind != "f":
            raise ValueError(f"{name} has the shape {array.shape} instead of {tuple(shape)}")


def check_labels(model: Any) -> NDArray[Any]:
    """Return the classes of a model; raise ValueError where they are no list of labels."""
    classes: Any = model.classes_
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise ValueError("its classes are no list of labels")
    return classes


def check_names(columns: Iterable[tuple[str, int]], rows: int) -> None:
    """Raise ValueError where names of (column, how often) would take far more room than the numbers."""
    if sum(len(name) * times for name, times in columns) > 1_000_000 + 1_000 * rows:
        raise ValueError("names of columns are too long")
