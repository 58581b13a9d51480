"""Files written whole or not at all."""

from __future__ import annotations

import os
import platform
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thetahat.errors import UsageError

__all__ = ["remove_file", "replace_file", "replacing", "sweep"]


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
    sweep(target)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{_prefix(target)}{os.getpid()}.")
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


def remove_file(path: str | os.PathLike[str]) -> None:
    """Remove a file that :func:`replacing` wrote, and what a process killed while writing it left beside."""
    Path(path).unlink(missing_ok=True)
    sweep(path)


def sweep(path: str | os.PathLike[str]) -> None:
    """Remove what processes of this machine left beside a file when they were killed while writing it."""
    target = Path(path)
    prefix = _prefix(target)
    try:
        beside = [entry for entry in os.scandir(target.parent) if entry.name.startswith(prefix)]
    except OSError:
        # The reading or writing that comes next says what is wrong with the folder.
        return
    for entry in beside:
        process = entry.name.removeprefix(prefix).partition(".")[0]
        if process.isdecimal() and not _lives(int(process)):
            Path(entry.path).unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    # The machine is in the name since the number of a process says nothing on another that shares the disk.
    name, machine = (
        os.fsencode(text)[:60].decode(errors="ignore") for text in (target.name, platform.node())
    )
    return f".{name}.{zlib.crc32(os.fsencode(target.name)):08x}.{machine}."


def _lives(process: int) -> bool:
    if os.name == "nt":
        # There a signal of nought ends a process.
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _mode_of_new_files() -> int:
    # mkstemp makes files that only their owner can read; a result is as open as any new file.
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
