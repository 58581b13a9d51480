"""Training in a file: killed and taken up again, it ends with the same bits.

A zip of a JSON description (losses, counters, the state of the random generator, a fingerprint of the
data and the settings) and the parameters and moments as safetensors. No code, no pickle.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from thetahat.errors import ResultFileError, UsageError
from thetahat.networks.engine import EngineState, Executor
from thetahat.networks.history import History
from thetahat.results.saving import replace_file

__all__ = ["Checkpoint", "fingerprint"]

FORMAT = "thetahat checkpoint"
SCHEMA = 1
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
        arrays = {"parameters": state.parameters, "moments": state.moments}
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
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("training.json", json.dumps(description))
            archive.writestr("arrays.safetensors", save_arrays(arrays))
        replace_file(self.path, packed.getvalue())

    def read(self, executor: Executor, history: History, rng: Generator) -> bool:
        """Go back to where training stood; false where there is no file yet.

        Raises
        ------
        ResultFileError
            The file is no checkpoint, or is damaged.
        UsageError
            It belongs to other data or other settings.
        """
        if not self.path.exists():
            return False
        try:
            with zipfile.ZipFile(self.path) as archive:
                description = json.loads(archive.read("training.json"))
                arrays = load_arrays(archive.read("arrays.safetensors"))
            if (description["format"], description["schema_version"]) != (FORMAT, SCHEMA):
                raise ValueError("of another format")
        except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, SafetensorError) as error:
            raise ResultFileError(f"{self.path}: is not a checkpoint, or is damaged ({error})") from None
        if description["fingerprint"] != self.of:
            raise UsageError(
                f"checkpoint: {self.path} belongs to other data or other settings; name another file, or "
                "remove this one to begin anew"
            )
        executor.restore(EngineState(arrays["parameters"], arrays["moments"], description["step"]))
        rng.bit_generator.state = description["rng"]
        for key, value in description["history"].items():
            setattr(history, key, value)
        history.best = arrays.get("best")
        return True
