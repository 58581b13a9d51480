"""Arrays and a description in one zip, for models and checkpoints; nothing in it is code.

Members are stored, not compressed, so a file is as large as what it holds, and one that is compressed is
refused before it swells.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from thetahat.errors import ResultFileError
from thetahat.results.saving import replace_file

__all__ = ["read_packed", "write_packed"]

DESCRIPTION, ARRAYS = "model.json", "arrays.safetensors"
# RuntimeError: an encrypted member, an unknown compression, JSON nested too deep.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    SafetensorError,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


def write_packed(
    path: str | os.PathLike[str],
    description: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
    *,
    called: str = DESCRIPTION,
) -> None:
    """Write a description and arrays to a file, whole or not at all.

    Parameters
    ----------
    path : path
        Where to; a file that is there is replaced.
    description : dict
        What JSON can hold.
    arrays : dict of str to ndarray
        Contiguous arrays of numbers.
    called : str
        Name of the description inside.

    Raises
    ------
    UsageError
        The file cannot be written; what stood at the path is unharmed.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # A fixed time, so that the same model is the same file.
        archive.writestr(zipfile.ZipInfo(called), json.dumps(description, indent=1))
        archive.writestr(zipfile.ZipInfo(ARRAYS), save_arrays(arrays))
    replace_file(path, packed.getvalue())


def read_packed(
    path: str | os.PathLike[str], form: str, schema: int, *, called: str = DESCRIPTION
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`write_packed` wrote.

    Parameters
    ----------
    path : path
        The file.
    form : str
        What the file must say that it holds.
    schema : int
        The version that the caller reads.
    called : str
        Name of the description inside.

    Returns
    -------
    description : dict
    arrays : dict of str to ndarray

    Raises
    ------
    ResultFileError
        The file is missing, is damaged or compressed, holds another form, or is of
        another schema.
    """
    source, kind = Path(path), form.replace("thetahat", "saved")
    try:
        if source.exists() and not source.is_file():
            # A pipe would be waited for without end.
            raise ResultFileError(f"{source}: cannot be read: is not a file; name the file that was saved")
        size = source.stat().st_size
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != sorted((called, ARRAYS)):
                raise KeyError(called)
            swelling = [m for m in members if m.compress_type != zipfile.ZIP_STORED or m.file_size > size]
            if swelling:
                raise ResultFileError(
                    f"{source}: is compressed, or claims more than its {size} bytes; it is no {kind}"
                )
            description = json.loads(archive.read(called))
            arrays = load_arrays(archive.read(ARRAYS))
    except ResultFileError:
        raise
    except OSError as error:
        raise ResultFileError(f"{source}: cannot be read: {error.strerror or error}") from None
    except _DAMAGE:
        raise ResultFileError(f"{source}: is not a {kind}, or is damaged; save the original again") from None
    if not isinstance(description, dict) or description.get("format") != form:
        raise ResultFileError(f"{source}: is not a {kind}")
    version = description.get("schema_version")
    if version != schema:
        cure = "upgrade thetahat"
        if isinstance(version, int) and version < schema:
            cure = "it was written before the first release; fit and save again"
        raise ResultFileError(
            f"{source}: has schema version {version!r}, this package reads {schema}; {cure}"
        )
    return description, arrays
