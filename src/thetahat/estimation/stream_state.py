"""Arrays and a description in one zip, for checkpoints and models of streams; nothing in it is code."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from thetahat.errors import ResultFileError
from thetahat.results.saving import replace_file

__all__ = ["read_packed", "write_packed"]

# The names that saved models of the linear room have inside too.
DESCRIPTION, ARRAYS = "model.json", "arrays.safetensors"


def write_packed(
    path: str | os.PathLike[str], description: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    """Write a description and arrays to a file, whole or not at all."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(DESCRIPTION), json.dumps(description, indent=1))
        archive.writestr(zipfile.ZipInfo(ARRAYS), save_arrays(arrays))
    replace_file(path, packed.getvalue())


def read_packed(
    path: str | os.PathLike[str], form: str, schema: int
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`write_packed` wrote.

    Raises
    ------
    ResultFileError
        The file is missing, is damaged, holds another form, or is of a later schema.
    """
    source = Path(path)
    try:
        with zipfile.ZipFile(source) as archive:
            description = json.loads(archive.read(DESCRIPTION))
            arrays = load_arrays(archive.read(ARRAYS))
    except OSError as error:
        raise ResultFileError(f"{source}: cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, KeyError, ValueError, SafetensorError, NotImplementedError):
        raise ResultFileError(f"{source}: is not a {form}, or is damaged") from None
    if not isinstance(description, dict) or description.get("format") != form:
        raise ResultFileError(f"{source}: is not a {form}")
    if description.get("schema_version") != schema:
        raise ResultFileError(f"{source}: has another schema version than {schema}; upgrade thetahat")
    return description, arrays
