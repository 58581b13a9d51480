"""Processes ended by signal 9 at random moments, and started again."""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import psutil
from numpy.random import Generator

from tests.torture.record import Record

TITLE = "Kills"
CLAIM = (
    "A comparison, a streamed fit and a network's training are ended by signal 9 at a random moment of "
    "their run and started again from their checkpoint; a joblib worker and a Dask worker of a comparison "
    "are ended so while it goes on. A fault is a run that does not end well, a result that differs in a bit "
    "from that of a run left alone (but for the seconds it took), a file left in the folder or among the "
    "temporary files, or a worker that outlives its parent."
)
NOT_COVERED = (
    "power cuts (files are synced before they are renamed, folders are not); kills of a Dask scheduler."
)
SHORT, LONG = 3, 100

# In turn; the first three are those of continuous integration, where workers have tests of their own.
TURN = (
    "comparison", "streamed fit", "network", "joblib worker", "comparison", "streamed fit", "network",
    "comparison", "streamed fit", "Dask worker",
)  # fmt: skip
COMPARE = (
    "-m", "thetahat", "compare", "t.csv", "--target", "y", "-m", "logistic,svm-rbf", "--resampling",
    "cv:20x5", "--tune", "none", "--json", "out.json", "--report", "out.html", "--quiet", "--checkpoint", "c",
)  # fmt: skip
STREAM = """
import thetahat as th
th.fit_stream("t.csv", target="y", model="sgd-logistic", epochs=1500, checkpoint="c", checkpoint_every=0.05,
              resume={resume}).save("out.model")
"""
NETWORK = """
import warnings, numpy as np, thetahat as th
warnings.simplefilter("ignore")
X = np.load("X.npy")
net = th.MLPRegressor(hidden_layer_sizes=(60, 60), max_iter=150, tol=0, n_iter_no_change=1000, random_state=0,
                      batch_size=32, checkpoint="c")
net.fit(X, X[:, 0] ** 2)
th.save(net, "out.model")
"""
# What may be there at the end. The other checkpoint is gone when its comparison is whole.
LEFT = {"t.csv", "X.npy", "out.json", "out.html", "out.model"}
KEEPS = {"streamed fit": {"c"}, "network": {"c"}}
PATIENCE = 300.0


@dataclass(slots=True)
class Trial:
    """One part in one folder."""

    part: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(3000 if self.part == "streamed fit" else 400, 6))
        noisy = X[:, 0] + rng.normal(size=len(X)) > 0
        columns = {f"x{k}": column for k, column in enumerate(X.T)}
        pl.DataFrame(columns | {"y": np.where(noisy, "a", "b")}).write_csv(self.folder / "t.csv")
        np.save(self.folder / "X.npy", X)
        temporary = self.folder.with_name(f"{self.folder.name}-tmp")
        temporary.mkdir()
        self.environment = os.environ | {"TMPDIR": str(temporary), "JOBLIB_TEMP_FOLDER": str(temporary)}

    def command(self, resume: bool) -> list[str]:
        if self.part == "streamed fit":
            return [sys.executable, "-c", STREAM.format(resume=resume)]
        if self.part == "network":
            return [sys.executable, "-c", NETWORK]
        more = {"joblib worker": ["--jobs", "2"], "Dask worker": ["--cluster", "local:2"]}.get(self.part, [])
        return [sys.executable, *COMPARE, *more, *(["--resume"] if resume else [])]

    def start(self, resume: bool) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(resume), cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def result(self) -> str:
        """Return a digest of what the run wrote, but for clocks."""
        digest = hashlib.sha256()
        for name in ("out.json", "out.model"):
            path = self.folder / name
            content = path.read_bytes() if path.exists() else b""
            if name == "out.model" and content:
                with zipfile.ZipFile(path) as archive:
                    content = b"".join(archive.read(member) for member in archive.infolist())
            digest.update(re.sub(rb'"(created|seconds|fit_seconds)": [^\n]*', b"", content))
        return digest.hexdigest()

    def leftovers(self) -> list[str]:
        beside = {path.name for path in self.folder.iterdir()} - LEFT - KEEPS.get(self.part, set())
        return sorted(beside) + sorted(os.listdir(self.environment["TMPDIR"]))


def _workers(process: psutil.Process, part: str) -> list[psutil.Process]:
    word = "loky" if part == "joblib worker" else "distributed"
    found = []
    for child in process.children(recursive=True):
        try:
            line = " ".join(child.cmdline())
            spawned = "popen_loky" in line if word == "loky" else "spawn_main" in line
            if spawned and "resource_tracker" not in line:
                found.append(child)
        except psutil.Error:
            continue
    return found


def _killed(trial: Trial, after: float) -> tuple[bool, list[psutil.Process]]:
    """Run, end it or a worker of it after so many seconds; whether there was one to end, and its family."""
    running = trial.start(resume=False)
    process = psutil.Process(running.pid)
    time.sleep(after)
    family: list[psutil.Process] = []
    hit = False
    if running.poll() is None:
        if "worker" in trial.part:
            workers = _workers(process, trial.part)
            while not workers and running.poll() is None:
                time.sleep(0.05)
                workers = _workers(process, trial.part)
            if workers:
                random.Random(after).choice(workers).kill()
                hit = True
        else:
            family = process.children(recursive=True)
            running.kill()
            hit = True
    if "worker" in trial.part:
        said = running.communicate(timeout=PATIENCE)[1]
        if running.returncode != 0:
            raise AssertionError(f"ended with {running.returncode}: {said[-300:]}")
    else:
        running.communicate(timeout=PATIENCE)
    return hit, family


def _case(part: str, after: float, expected: str, folder: Path) -> tuple[bool, str]:
    """Return whether something was killed, and what is wrong; nothing where all is well."""
    trial = Trial(part, folder)
    trial.prepare()
    try:
        hit, family = _killed(trial, after)
        if "worker" not in part:
            again = trial.start(resume=True)
            said = again.communicate(timeout=PATIENCE)[1]
            if again.returncode != 0:
                return hit, f"started again it ended with {again.returncode}: {said[-300:]}"
    except subprocess.TimeoutExpired:
        return True, "did not end"
    except AssertionError as error:
        return True, str(error)
    _, alive = psutil.wait_procs(family, timeout=20)
    if alive:
        return hit, f"{len(alive)} of its processes outlive it"
    if trial.result() != expected:
        return hit, "another result than the run that was left alone"
    # Those that clean up after a dead parent need a moment.
    for _ in range(50):
        left = trial.leftovers()
        if not left:
            return hit, ""
        time.sleep(0.1)
    return hit, f"left behind: {', '.join(left)}"


def _alone(part: str, folder: Path) -> tuple[str, float]:
    trial = Trial(part, folder)
    trial.prepare()
    began = time.perf_counter()
    running = trial.start(resume=False)
    said = running.communicate(timeout=PATIENCE)[1]
    if running.returncode != 0:
        raise RuntimeError(f"{part} left alone ended with {running.returncode}: {said}")
    return trial.result(), time.perf_counter() - began


def run(cases: int, rng: Generator) -> Record:
    """Kill that many times."""
    hung, crashed, wrong = Counter(), Counter(), Counter()
    tried, hits = Counter(), Counter()
    findings: list[str] = []
    alone: dict[str, tuple[str, float]] = {}
    for number in range(cases):
        part = TURN[number % len(TURN)]
        with tempfile.TemporaryDirectory(prefix="kills-") as name:
            if part not in alone:
                (Path(name) / "alone").mkdir()
                alone[part] = _alone(part, Path(name) / "alone")
            expected, seconds = alone[part]
            after = float(rng.uniform(0.0, 0.95 * seconds))
            (Path(name) / "case").mkdir()
            hit, fault = _case(part, after, expected, Path(name) / "case")
        tried[part] += 1
        hits[part] += hit
        if fault:
            (hung if fault == "did not end" else wrong if "result" in fault else crashed)[part] += 1
            findings.append(f"{part} killed after {after:.3f} s of {seconds:.1f}: {fault}")
    return Record(
        cases,
        crashed.total(),
        hung.total(),
        wrong.total(),
        heads=("killed", "runs", "ended by signal 9", "faults"),
        parts={
            part: _row(tried[part], hits[part], crashed[part] + hung[part] + wrong[part])
            for part in dict.fromkeys(TURN)
            if tried[part]
        },
        findings=findings,
        notes=["A run that ended before its moment came was not killed, and is in the first column alone."],
    )


def _row(*numbers: int) -> Sequence[str]:
    return [f"{number:,}" for number in numbers]
