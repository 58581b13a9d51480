"""Writes that fail half way, and files that were cut."""

from __future__ import annotations

import errno
import io
import os
import resource
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from click.testing import CliRunner
from numpy.random import Generator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import thetahat as th
from tests.torture.record import Record
from thetahat.cli import main
from thetahat.results import saving

TITLE = "Models and results on disk"
CLAIM = (
    "Every writer (models of each room and of skops, results, pages, predictions, checkpoints) replaces "
    "a file while one of its calls fails with ENOSPC or EIO, or the kernel refuses further bytes; and "
    "saved models are cut short. A fault is a previous file that changed, a file left beside it, an "
    "error that does not name the cause, or a cut file that loads."
)
NOT_COVERED = "disks that say a write is done and lose it; network file systems."
SHORT, LONG = 120, 1_500
CALLS = ("mkstemp", "write", "fsync", "chmod", "replace", "limit")


class _Failing(io.FileIO):
    code = errno.ENOSPC

    def write(self, content: Any) -> int:
        super().write(bytes(content)[: len(content) // 2])
        raise OSError(self.code, os.strerror(self.code))


@contextmanager
def _failing(call: str, code: int, size: int) -> Iterator[None]:
    """Make one call of every writing fail, or let the kernel take so many bytes a file and no more."""

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    if call == "limit":
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    place: Any = saving if call == "write" else saving.tempfile if call == "mkstemp" else saving.os
    name = "open" if call == "write" else call
    before = getattr(place, name, None)
    setattr(place, name, type("Failing", (_Failing,), {"code": code}) if call == "write" else fail)
    try:
        yield
    finally:
        if before is None:
            delattr(place, name)
        else:
            setattr(place, name, before)


def _writers(folder: Path) -> dict[str, Callable[[Path, int], None]]:
    """Return what writes a file of each kind, in one version or another."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = np.where(X[:, 0] + rng.normal(size=60) > 0, "a", "b")
    frame = pl.DataFrame({f"x{k}": c for k, c in enumerate(X.T)}).with_columns(y=pl.Series(y))
    for version in (0, 1):
        frame.head(40 + 10 * version).write_csv(folder / f"t{version}.csv")
    small = {"models": ["logistic"], "resampling": "cv:2", "tune": "none"}
    results = [th.compare(frame, "y", seed=seed, **small) for seed in (0, 1)]
    streams = [th.fit_stream(frame, target="y", model="sgd-logistic", epochs=n) for n in (1, 2)]
    models: dict[str, list[Any]] = {
        "linear model": [th.Ridge(alpha=a).fit(X, X[:, 1]) for a in (1.0, 2.0)],
        "support vectors": [th.SVC(C=c).fit(X, y) for c in (1.0, 2.0)],
        "network": [th.MLPClassifier((3,), max_iter=2, random_state=s).fit(X, y) for s in (0, 1)],
        "stream model": streams,
        "skops model": [LinearDiscriminantAnalysis(tol=t).fit(X, y) for t in (1e-4, 1e-3)],
    }
    th.save(th.LogisticRegression().fit(frame.drop("y"), y), folder / "for.rows")
    streams[0].save(folder / "for.stream")

    def saved(pair: list[Any]) -> Callable[[Path, int], None]:
        return lambda path, version: th.save(pair[version], path)

    def predicted(model: str) -> Callable[[Path, int], None]:
        def write(path: Path, version: int) -> None:
            table = folder / f"t{version}.csv"
            found = CliRunner().invoke(main, ["predict", str(folder / model), str(table), "-o", str(path)])
            if found.exit_code == 2:
                raise th.UsageError(found.output)
            assert found.exit_code == 0, found.output

        return write

    return {
        **{name: saved(pair) for name, pair in models.items()},
        "result": lambda path, version: results[version].to_json(path),
        "page": lambda path, version: results[version].to_html(path),
        "predictions": predicted("for.rows"),
        "streamed predictions": predicted("for.stream"),
        "predictions.parquet": predicted("for.stream"),
        "training": lambda path, version: th.MLPClassifier(
            (3,), max_iter=1 + version, random_state=0, checkpoint=path
        ).fit(X, y),
        "streamed fit": lambda path, version: th.fit_stream(
            frame,
            target="y",
            model="sgd-logistic",
            epochs=1,
            seed=version,
            checkpoint=path,
            checkpoint_every=0,
        ),
        "comparison": lambda path, version: th.compare(
            frame, "y", seed=version, checkpoint=path, time_limit=1e-9, **small
        ),
    }


def _failed_write(
    write: Callable[[Path, int], None], path: Path, call: str, code: int, rng: Generator
) -> str:
    """Let a writing fail over a sound file, and return what is wrong after it."""
    for old in path.parent.iterdir():
        old.unlink()
    write(path, 0)
    before = path.read_bytes()
    size = int(rng.integers(len(before)))
    try:
        with _failing(call, code, size):
            write(path, 1)
    except th.UsageError as error:
        if "cannot be written" not in str(error):
            return f"an error that names no cause: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    else:
        # A shorter new version may fit where the old one was cut.
        return "" if call == "limit" and path.stat().st_size <= size else "the write was called done"
    if path.read_bytes() != before:
        return "the previous file is changed"
    beside = [other.name for other in path.parent.iterdir() if other != path]
    return f"left beside: {', '.join(beside)}" if beside else ""


def run(cases: int, rng: Generator) -> Record:
    """Fail or cut that many times."""
    counts: dict[str, Counter[str]] = {}
    findings = []
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder, place = Path(name), Path(name) / "place"
        place.mkdir()
        writers = _writers(folder)
        kinds = list(writers)
        for number in range(cases // 2):
            kind = kinds[number % len(kinds)]
            call = CALLS[number // len(kinds) % len(CALLS)]
            if call == "write" and kind in ("streamed predictions", "predictions.parquet"):
                # Those are written by polars, which no patch of ours reaches.
                call = "limit"
            code = (errno.ENOSPC, errno.EIO)[int(rng.integers(2))]
            path = place / ("out.parquet" if kind.endswith("parquet") else "out")
            fault = _failed_write(writers[kind], path, call, code, rng)
            counts.setdefault(kind, Counter()).update(failed=1, faults=bool(fault))
            if fault:
                findings.append(f"{kind}: {call} {errno.errorcode[code]}: {fault[:300]}")
        loads = [kind for kind in kinds if "model" in kind or kind in ("support vectors", "network")]
        for number in range(cases - cases // 2):
            kind = loads[number % len(loads)]
            path = place / "cut"
            writers[kind](path, 0)
            whole = path.read_bytes()
            cut = int(rng.integers(len(whole)))
            path.write_bytes(whole[:cut])
            counts[kind]["cut"] += 1
            try:
                th.load(path)
                fault = "a cut file loads"
            except th.ResultFileError:
                fault = ""
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
            if fault:
                counts[kind]["faults"] += 1
                findings.append(f"{kind}: cut to {cut} of {len(whole)} bytes: {fault}")
    return Record(
        cases,
        crashes=len(findings),
        heads=("file", "writes that fail", "cut files", "faults"),
        parts={
            kind: [f"{count[name]:,}" for name in ("failed", "cut", "faults")]
            for kind, count in counts.items()
        },
        findings=findings,
    )
