"""``save`` and ``load``: every learner of the package in one format, and those of scikit-learn by skops.

A class joins by one line in ``KINDS``.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from thetahat.errors import ResultFileError, UsageError
from thetahat.estimation.regression import TABLE_KINDS
from thetahat.estimation.stream_model import STREAM_KINDS
from thetahat.linear import stored as linear
from thetahat.networks.architecture import Architecture
from thetahat.networks.classifier import MLPClassifier
from thetahat.networks.engine import EngineState
from thetahat.networks.history import History, check_history
from thetahat.networks.output import Output
from thetahat.networks.regressor import MLPRegressor
from thetahat.networks.units import Unit, unit_named
from thetahat.numerics.kernels import KernelFunction
from thetahat.pca.classes import PCA, IncrementalPCA
from thetahat.pca.kernel import KernelPCA
from thetahat.pca.spectrum import Spread
from thetahat.results.saving import replace_file
from thetahat.results.stored import (
    Kind,
    check_labels,
    check_shapes,
    learner,
    read_object,
    record,
    write_object,
)
from thetahat.svm.classification import SVC
from thetahat.svm.novelty import OneClassSVM
from thetahat.svm.regression import SVR

__all__ = ["KINDS", "load", "save"]

# What a skops file may unpack to: so many bytes for each of its own, and a little for the smallest.
SWELLS, SPARE = 200, 1_000_000


def _check_spread(model: Any) -> None:
    d = model.n_features_in_
    spread = model._spread
    check_shapes(mean=(spread.mean, (d,)), scatter=(spread.scatter, (d, d)))
    if np.shape(spread.low) != ():
        check_shapes(low=(spread.low, (d,)))


def _check_pairs(model: Any) -> None:
    classes = len(check_labels(model))
    machines = classes * (classes - 1) // 2
    if classes < 2 or model.dual_coef_.shape[0] != classes - 1 or model.intercept_.shape != (machines,):
        raise ValueError(f"its machines are not those of {classes} classes")
    if model._codes.dtype.kind != "i" or not ((model._codes >= 0) & (model._codes < classes)).all():
        raise ValueError("a support vector is of no class")


def _check_labels_out(model: Any) -> None:
    classes, targets = len(check_labels(model)), model.architecture_.output.targets
    two = model.out_activation_ == "logistic" and not model._multilabel
    if targets != (1 if two else classes) or (two and classes > 2) or not classes:
        raise ValueError(f"{targets} outputs for {classes} classes")


def _check_layers(model: Any) -> None:
    architecture = model.architecture_
    parts: tuple[tuple[Any, Any], ...] = (
        (architecture, Architecture), (model._history, History), (model._rng, np.random.Generator),
        (model._memory, EngineState | None),
    )  # fmt: skip
    if not all(isinstance(part, kind) for part, kind in parts):
        raise ValueError("a part of it is of another kind")
    if hasattr(model, "classes_"):
        _check_labels_out(model)
    sizes = architecture.sizes
    if not len(model.coefs_) == len(model.intercepts_) == architecture.layers:
        raise ValueError("its layers are not those of its architecture")
    if len(architecture.units) != len(architecture.widths) or sizes[0] != model.n_features_in_:
        raise ValueError("its architecture does not fit together")
    for i, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        check_shapes(weights=(W, sizes[i : i + 2]), biases=(b, sizes[i + 1 : i + 2]))
    for extra in model.extras_:
        check_shapes(extra=(extra, extra.shape))
    if model._theta_shapes(architecture) != [part.shape for part in model._theta()]:
        raise ValueError("its parameters are not those of its architecture")


MACHINE = ("_sparse", "_gamma", "_function", "_carried", "_violations")
NETWORK = ("_history", "_memory", "_rng")
# A path is of the machine: a file from elsewhere must not say where a later fit writes.
HERE = ("checkpoint",)
KINDS: tuple[Kind, ...] = tuple(
    {
        kind.made: kind
        for kind in (
            *linear.KINDS,
            *STREAM_KINDS,
            *TABLE_KINDS,
            record(KernelFunction),
            learner(SVC, *MACHINE, "_codes", "_n_support", "_platt", check=_check_pairs),
            learner(SVR, *MACHINE),
            learner(OneClassSVM, *MACHINE),
            record(Spread),
            learner(PCA, "_scale", "_fit_svd_solver"),
            learner(IncrementalPCA, "_scale", "_spread", check=_check_spread),
            learner(KernelPCA, "_columns_mean", "_mean"),
            Kind(Unit, lambda unit: {"name": unit.name}, lambda parts: unit_named(parts["name"])),
            record(Output),
            record(Architecture),
            record(History, check_history),
            record(EngineState),
            learner(MLPClassifier, *NETWORK, "_announced", "_multilabel", leave=HERE, check=_check_layers),
            learner(MLPRegressor, *NETWORK, "_flat", leave=HERE, check=_check_layers),
        )
    }.values()
)
OURS = {kind.made for kind in KINDS}


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted model to a file, whole or not at all.

    Parameters
    ----------
    model : estimator or StreamFit
        A fitted learner of this package, or any estimator or pipeline of scikit-learn (by skops, which is
        installed with ``pip install thetahat[skops]``).
    path : path
        Where to; a file that is there is replaced.

    Raises
    ------
    UsageError
        The model is no estimator, is not fitted, holds a function or labels other than text and numbers, or
        the file cannot be written.

    Notes
    -----
    Nothing in the file is code. Random generators are in it, the rows of the fit are not, but for those that
    are part of the model: support vectors, and all rows of :class:`KernelPCA`. A network's ``checkpoint`` is
    left out, for it is a path of this machine.
    """
    if type(model) in OURS:
        write_object(path, model, KINDS)
        return
    if not isinstance(model, BaseEstimator):
        raise UsageError(f"model: only estimators can be saved, not {type(model).__name__}")
    io = _skops()
    try:
        content = io.dumps(model)
    except Exception as error:  # skops raises what the part it cannot write raises
        raise UsageError(f"model: {type(model).__name__} cannot be saved: {error}") from None
    replace_file(path, content)


def load(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Read a model that :func:`save` wrote.

    Parameters
    ----------
    path : path
        The file.
    trusted : sequence of str
        Types that a file of scikit-learn's estimators may hold beside those known to be safe, by their full
        names; the error that refuses a file lists them. A file of this package's learners needs none.

    Returns
    -------
    estimator or StreamFit
        Predicts as the model that was saved, to the bit, and goes on where the class can.

    Raises
    ------
    ResultFileError
        The file is missing, is not a saved model, is damaged, or is of a later schema.
    UsageError
        The file holds types that are not known to be safe and not in ``trusted``.

    Notes
    -----
    Loading runs no code of the file: a description may name only the classes of a list, and numbers are
    checked against each other before a model is made of them.
    """
    if _is_skops(path):
        return _load_skops(path, trusted)
    model = read_object(path, KINDS)
    try:
        _try(model, Path(path).stat().st_size)
    except Exception as error:
        raise ResultFileError(f"{path}: is damaged: its model cannot predict a row: {error}") from None
    return model


def _try(model: Any, size: int) -> None:
    """Predict a row of zeros, which finds arrays that do not belong together."""
    columns = getattr(model, "n_features_in_", None)
    # A hashed table may have columns by the million, and few numbers in the file.
    if columns is None or columns > size:
        return
    rows: Any = np.zeros((1, columns))
    if getattr(model, "_sparse", False):
        rows = sparse.csr_matrix(rows)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # The row has no names.
        warnings.simplefilter("ignore")
        found = model.predict(rows) if hasattr(model, "predict") else model.transform(rows)
    if found.shape[0] != 1:
        raise ValueError(f"one row gives {found.shape[0]} predictions")


def _skops() -> Any:
    try:
        from skops import io  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "model: estimators of other libraries are saved and loaded by skops; "
            "pip install 'thetahat[skops]'"
        ) from None
    return io


def _is_skops(path: str | os.PathLike[str]) -> bool:
    try:
        if not Path(path).is_file():
            return False
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except Exception:
        # The reading that follows says what is wrong with the file.
        return False


def _load_skops(path: str | os.PathLike[str], trusted: Sequence[str]) -> Any:
    io = _skops()
    source = Path(path)
    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > SPARE + SWELLS * source.stat().st_size:
            raise ValueError(f"would unpack to {unpacked} bytes, too many for its size")
        strange = [name for name in io.get_untrusted_types(file=source) if name not in trusted]
        if not strange:
            return io.load(source, trusted=list(trusted))
    except Exception as error:  # a damaged file makes skops raise whatever its parts raise
        raise ResultFileError(f"{source}: cannot be loaded: {error}") from None
    raise UsageError(
        f"trusted: {source} holds types that are not known to be safe: {', '.join(strange)}; look at "
        f"each, and where you trust the file load it with trusted={strange}"
    )
