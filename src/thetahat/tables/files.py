"""The bytes of a file: found, decompressed, and known by their first ones rather than by the name."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import polars as pl

from thetahat.errors import Code, DataError, Problem
from thetahat.tables.phrases import shown

__all__ = ["as_path", "binary_frame", "content_of", "no_table"]

GZIP, ZSTD, ZIP, PDF = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"%PDF"
PARQUET, ARROW, ARROW_STREAM, FEATHER_1 = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
# A file may be compressed inside a compressed one by mistake; deeper than this it is no table.
DEEPEST = 2
# What a file may unpack to: so many bytes for each of its own, and some for the smallest.
SWELLS, SPARE = 200, 10_000_000


def no_table(place: str, cause: str, cure: str) -> NoReturn:
    """Raise the error that this is not a table."""
    raise DataError([Problem(Code.NO_TABLE, cause, place, cure)])


def content_of(path: Path) -> bytes:
    """Return what is in a file, decompressed.

    Raises
    ------
    DataError
        TH108: there is no such file, it cannot be read, or it holds nothing.
    """
    place = shown(path)
    if path.is_dir():
        no_table(place, "this is a folder, not a file", "Name one file in it")
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        no_table(place, f"the file cannot be read: {cause}", "Check the path, from the folder you are in")
    most = SPARE + SWELLS * len(content)
    for _ in range(DEEPEST):
        if content.startswith(GZIP):
            content = _decompressed(content, _ungzip, "gzip", place, most)
        elif content.startswith(ZSTD):
            content = _decompressed(content, _unzstd, "zstd", place, most)
    if not content or content.isspace():
        no_table(place, "the file is empty", "Give a file with a header and rows")
    return content


def binary_frame(content: bytes, path: Path) -> pl.DataFrame | None:
    """Return the frame in the bytes of a Parquet, Arrow or Feather file, or None for text.

    Raises
    ------
    DataError
        TH108: the bytes are those of another kind of file, or broken. TH105: a header twice.
    """
    place = shown(path)
    for magic, kind, reader, scan in (
        (PARQUET, "Parquet", pl.read_parquet, pl.scan_parquet),
        (ARROW, "Arrow", pl.read_ipc, pl.scan_ipc),
        (ARROW_STREAM, "Arrow stream", pl.read_ipc_stream, None),
    ):
        if content.startswith(magic):
            return _parsed(content, reader, scan, kind, place)
    if content.startswith(FEATHER_1):
        no_table(
            place, "this is a Feather file of version 1", "Write it again as Feather version 2 or Parquet"
        )
    if content.startswith(ZIP):
        cause = "this is a zip archive or a spreadsheet"
        no_table(place, cause, "Unpack it, or save the sheet as CSV")
    if content.startswith(PDF):
        no_table(place, "this is a PDF", "Give the table itself, as CSV or Parquet")
    suffixes = {suffix.lower() for suffix in path.suffixes}
    for suffix, kind in ((".parquet", "Parquet"), (".feather", "Feather"), (".arrow", "Arrow")):
        if suffix in suffixes:
            cause = f"the name says {kind}, but the content is not {kind}"
            no_table(place, cause, "Write the file again, or name it .csv if it is text")
    return None


def _parsed(
    content: bytes,
    reader: Callable[[io.BytesIO], pl.DataFrame],
    scan: Callable[[io.BytesIO], pl.LazyFrame] | None,
    kind: str,
    place: str,
) -> pl.DataFrame:
    try:
        if scan is not None:
            # Equal numbers take no room in these files: a few bytes may stand for a billion rows.
            lazy = scan(io.BytesIO(content))
            cells = lazy.select(pl.len()).collect().item() * len(lazy.collect_schema())
            if 8 * cells > SPARE + SWELLS * len(content):
                no_table(
                    place,
                    f"the {kind} file of {len(content)} bytes says that it holds {cells} cells",
                    "If it does, read it with polars yourself and give the frame",
                )
        return reader(io.BytesIO(content))
    except pl.exceptions.DuplicateError:
        cause = f"the same header stands twice in this {kind} file"
        cure = "Rename one of the two, or leave one out"
        raise DataError([Problem(Code.DUPLICATE_HEADER, cause, place, cure)]) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        said = (str(error).strip().splitlines() or ["no reason given"])[0]
        no_table(place, f"the {kind} file is damaged ({said[:120]})", "Write or download the file again")


def _decompressed(
    content: bytes, decompress: Callable[[bytes, int], bytes], kind: str, place: str, most: int
) -> bytes:
    try:
        found = decompress(content, most + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        no_table(place, f"the {kind} file is damaged ({error})", "Compress or download the file again")
    if len(found) > most:
        no_table(
            place,
            f"the {kind} file unpacks to more than {most // 1_000_000} MB, {SWELLS} times its size and more",
            "Unpack it yourself if you trust it, and name what was in it",
        )
    return found


def _ungzip(content: bytes, most: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        return file.read(most)


def _unzstd(content: bytes, most: int) -> bytes:
    # Only a .zst file needs it, and a Python from 3.14 on has its own.
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415

    try:
        with zstd.ZstdFile(io.BytesIO(content)) as file:
            return bytes(file.read(most))
    except zstd.ZstdError as error:
        raise ValueError(error) from None


def as_path(source: str | os.PathLike[str]) -> Path:
    """Return the path, the home folder's tilde written out."""
    return Path(source).expanduser()
