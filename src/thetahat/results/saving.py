"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thetahat.errors import UsageError

__all__ = ["replace_file", "replacing"]


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader ever finds half of it.

    Parameters
    ----------
    path : path
        Where to; a file that is there is replaced.
    content : bytes
        What to write.

    Raises
    ------
    UsageError
        The folder does not exist, cannot be written, or is full. What stood at the path is unharmed.
    """
    with replacing(path) as beside, open(beside, "wb") as file:
        file.write(content)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a file to write beside the place, and move it there when the block ends well.

    Parameters
    ----------
    path : path
        Where to; a file that is there is replaced.

    Yields
    ------
    Path
        An empty file in the same folder.

    Raises
    ------
    UsageError
        The folder does not exist, cannot be written, or is full. What stood at the path is unharmed.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from None
    beside = Path(name)
    try:
        os.close(handle)
        yield beside
        with open(beside, "rb+") as file:
            # Some disks say only now that they are full.
            os.fsync(file.fileno())
        os.chmod(beside, _mode_of_new_files())
        os.replace(beside, target)
    except BaseException as error:
        # Also when interrupted: nothing is left beside the target.
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageError(
                f"{target}: cannot be written: {error.strerror or error}; free space or name another place"
            ) from None
        raise


def _mode_of_new_files() -> int:
    # mkstemp makes files that only their owner can read; a result is as open as any new file.
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
