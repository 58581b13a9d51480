"""Training in a file: killed and taken up again, it ends with the same bits.

A zip of a JSON description (losses, counters, the state of the random generator, a fingerprint of the
data and the settings) and the parameters and moments as safetensors. No code, no pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.errors import ResultFileError, UsageError
from thetahat.networks.engine import EngineState, Executor
from thetahat.networks.history import History, check_history
from thetahat.results.packed import read_packed, write_packed
from thetahat.results.saving import sweep

__all__ = ["Checkpoint", "fingerprint"]

FORMAT = "thetahat checkpoint"
SCHEMA = 2
INSIDE = "training.json"
_COUNTERS = ("losses", "scores", "epochs", "rows_seen", "waited", "best_loss", "best_score", "divisor")


def fingerprint(data: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> str:
    """Return a digest of the rows, their order and the settings of a training."""
    digest = hashlib.sha256(json.dumps(dict(settings), sort_keys=True, default=str).encode())
    for name in sorted(data):
        array = np.ascontiguousarray(data[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.view(np.uint8).data if array.size else b"")
    return digest.hexdigest()


class Checkpoint:
    """The file of one training.

    Parameters
    ----------
    path : path
        Where; written whole or not at all.
    of : str
        Fingerprint of the training.
    """

    def __init__(self, path: str | os.PathLike[str], of: str) -> None:
        self.path = Path(path)
        self.of = of

    def write(self, executor: Executor, history: History, rng: Generator) -> None:
        """Keep where training stands."""
        state = executor.state
        arrays = {"parameters": state.parameters, "moments": state.moments, "gradient": state.gradient}
        if history.best is not None:
            arrays["best"] = history.best
        description = {
            "format": FORMAT,
            "schema_version": SCHEMA,
            "fingerprint": self.of,
            "step": state.step,
            "rng": rng.bit_generator.state,
            "history": {key: getattr(history, key) for key in _COUNTERS},
        }
        write_packed(self.path, description, arrays, called=INSIDE)

    def read(self, executor: Executor, history: History, rng: Generator) -> bool:
        """Go back to where training stood; false where there is no file yet.

        Raises
        ------
        ResultFileError
            The file is no checkpoint, or is damaged.
        UsageError
            It belongs to other data or other settings.
        """
        sweep(self.path)
        if not self.path.exists():
            return False
        description, arrays = read_packed(self.path, FORMAT, SCHEMA, called=INSIDE)
        if description.get("fingerprint") != self.of:
            raise UsageError(
                f"checkpoint: {self.path} belongs to other data or other settings; name another file, or "
                "remove this one to begin anew"
            )
        try:
            kept = {key: description["history"][key] for key in _COUNTERS}
            check_history(History(**kept))
            state = EngineState(
                arrays["parameters"], arrays["moments"], description["step"], arrays["gradient"]
            )
            rng.bit_generator.state = description["rng"]
            best = arrays.get("best")
            if best is not None and best.shape != state.parameters.shape:
                raise ValueError("the best parameters are not those of this network")
            executor.restore(state)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ResultFileError(f"{self.path}: is damaged: {error}; remove it to begin anew") from None
        for key, value in kept.items():
            setattr(history, key, value)
        history.best = best
        return True
