"""Much at once, often, and large: memory, threads and the clock."""

from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator

import thetahat as th
from tests.torture.record import Record
from thetahat.contracts import Status

# Seconds of a comparison with a model of another library, and with one of ours; in the short form too.
LIMITS, SHORT_LIMITS = (30.0, 15.0), (3.0, 2.0)
# No step of ours is to take longer, on a machine that does other things too.
STEP, SOON = 5.0, 0.5
CUT = Status.OUT_OF_TIME.value

TITLE = "Load"
CLAIM = (
    "Many comparisons one after the other in one process, threads that fit and predict with every learner at "
    "once, a table of 2,000 columns and one of 1,000,000 rows. A fault is memory that grows, a result that "
    "differs from the same work alone, memory beyond its bound, a fit begun after the time limit, or one of "
    f"ours that goes on for more than {STEP:g} s after it. Ours are fitted again and again, so they would "
    "never end, and are to leave within one step of their solver; fits of other libraries are waited for."
)
NOT_COVERED = (
    "threads that share one unfitted object (as in scikit-learn, an object is fitted by one at a time)."
)
SHORT, LONG = 30, 1_060

# Of the cases, so many are threads times learners' rounds and two are large tables; the rest are comparisons.
THREADS = 64
WARM = 15
# A process may settle; a leak of one small table a comparison would be more.
GROWTH = 5_000.0
LARGE = {
    # rows, columns
    "2,000 columns": (1_000, 2_000),
    "1,000,000 rows": (1_000_000, 8),
}
SMALL = {"200 columns": (200, 200)}
# Bytes for each byte of the table, and what the libraries take without one.
TIMES, LIBRARIES = 30, 450_000_000


def _rss() -> int:
    gc.collect()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def _comparisons(count: int) -> tuple[float, list[str]]:
    """Return by how many bytes memory grows a comparison, over the second half, and what is wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    frame = pl.DataFrame({f"x{k}": c for k, c in enumerate(X.T)}).with_columns(
        y=pl.Series(np.where(X[:, 0] + rng.normal(size=80) > 0, "a", "b"))
    )
    first = None
    sizes = []
    wrong = []
    for number in range(count):
        found = th.compare(frame, "y", ["logistic"], resampling="cv:2", tune="none")
        said = [(m.name, m.loss) for m in found.record.models]
        first = first or said
        if said != first:
            wrong.append(f"comparison {number} differs from the first")
        if number >= WARM:
            sizes.append(_rss())
    half = np.array(sizes[len(sizes) // 2 :], dtype=float)
    growth = float(np.polyfit(np.arange(len(half)), half, 1)[0]) if len(half) > 4 else 0.0
    if count >= 500 and growth > GROWTH:
        wrong.append(f"memory grows by {growth:.0f} bytes a comparison")
    return growth, wrong


def _learners() -> dict[str, tuple[Callable[[], Any], str]]:
    return {
        "LinearRegression": (th.LinearRegression, "number"),
        "Ridge": (th.Ridge, "number"),
        "LogisticRegression": (th.LogisticRegression, "label"),
        "PoissonRegression": (th.PoissonRegression, "count"),
        "SGDClassifier": (lambda: th.SGDClassifier(random_state=0), "label"),
        "SGDRegressor": (lambda: th.SGDRegressor(random_state=0), "number"),
        "SVC": (th.SVC, "label"),
        "SVR": (th.SVR, "number"),
        "OneClassSVM": (th.OneClassSVM, "none"),
        "PCA": (lambda: th.PCA(2, random_state=0), "none"),
        "IncrementalPCA": (lambda: th.IncrementalPCA(2), "none"),
        "KernelPCA": (lambda: th.KernelPCA(2, kernel="rbf", random_state=0), "none"),
        "MLPClassifier": (lambda: th.MLPClassifier((5,), max_iter=5, random_state=0), "label"),
        "MLPRegressor": (
            lambda: th.MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0),
            "number",
        ),
    }


def _one(name: str, seed: int) -> bytes:
    make, kind = _learners()[name]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 4))
    eta = X[:, 0] - X[:, 1]
    y = {
        "number": eta + rng.normal(size=120),
        "label": np.where(eta > 0, "a", "b"),
        "count": rng.poisson(3, 120),
    }
    model = make().fit(X) if kind == "none" else make().fit(X, y[kind])
    found = model.predict(X) if hasattr(model, "predict") else model.transform(X)
    return np.ascontiguousarray(found).tobytes()


def _threads(rounds: int) -> tuple[int, list[str]]:
    """Fit and predict with every learner from all threads at once; hold each to the same work alone."""
    work = [(name, seed) for seed in range(rounds) for name in _learners()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = {each: _one(*each) for each in work}
    gate = threading.Barrier(THREADS)

    def all_of_it(number: int) -> list[str]:
        gate.wait()
        wrong = []
        # Each thread begins elsewhere, so that unlike learners meet.
        for place in range(len(work)):
            each = work[(place + number) % len(work)]
            try:
                if _one(*each) != alone[each]:
                    wrong.append(f"thread {number}: {each[0]} differs from the same fit alone")
            except Exception as error:
                wrong.append(f"thread {number}: {each[0]}: {type(error).__name__}: {error}")
        return wrong

    # Filters of warnings are of the process: one thread must not set them for another.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(all_of_it, range(THREADS)))
    return THREADS * len(work), [line for lines in found for line in lines]


LARGE_RUN = """
import json, re, sys, time, numpy as np, polars as pl, thetahat as th
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from thetahat.comparison.compare import compare

rows, columns, limit, ours_limit = int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:])
fits = []

class Timed(ClassifierMixin, BaseEstimator):
    def __init__(self, inner=None, forever=False):
        self.inner = inner
        self.forever = forever

    def fit(self, X, y):
        times = [time.monotonic() - began, None]
        fits.append(times)
        try:
            self.model_ = clone(self.inner).fit(X, y)
            while self.forever:
                self.model_ = clone(self.inner).fit(X, y)
        finally:
            times[1] = time.monotonic() - began
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

OURS = [
    th.LogisticRegression(), th.LinearRegression(), th.SGDClassifier(random_state=0),
    th.SVC(), th.SVC(kernel="linear"), th.MLPClassifier(random_state=0), th.PCA(5, random_state=0),
]
rng = np.random.default_rng(0)
frame = pl.DataFrame({f"x{k}": rng.normal(size=rows) for k in range(columns)})
frame = frame.with_columns(y=pl.col("x0") + pl.Series(rng.normal(size=rows)) > 0)
frame = frame.with_columns(pl.when("y").then(pl.lit("a")).otherwise(pl.lit("b")).alias("y"))
told = []
for name, model, seconds in [
    ("HistGradientBoosting of scikit-learn", Timed(HistGradientBoostingClassifier()), limit),
    *((repr(each), Timed(each, forever=True), ours_limit) for each in OURS),
]:
    fits.clear()
    began = time.monotonic()
    found = compare(frame, "y", [(name, model)], resampling="cv:5", tune="none", time_limit=seconds).record
    took = time.monotonic() - began
    status = {each.name: each.status for each in found.models}[name]
    told.append([name, seconds, fits[-1] if fits else None, took, found.partial, found.plan.draws, status])
peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(json.dumps([peak, frame.estimated_size(), told]))
"""


def _large(
    name: str, shape: tuple[int, int], limits: tuple[float, float]
) -> tuple[dict[str, list[str]], list[str], str]:
    """Return a row for each model on this table, what is wrong, and a sentence with the memory."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", LARGE_RUN, *map(str, (*shape, *limits))],
                capture_output=True, text=True, cwd=folder, timeout=120 + 20 * limits[0], check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {}, [f"{name}: a comparison did not end, long after its limit"], ""
    if done.returncode != 0:
        return {}, [f"{name}: ended with {done.returncode}: {done.stderr[-300:]}"], ""
    peak, size, told = json.loads(done.stdout)
    parts, wrong = {}, []
    if peak > LIBRARIES + TIMES * size:
        wrong.append(f"{name}: {peak / 1e6:.0f} MB for a table of {size / 1e6:.0f} MB")
    for model, limit, fit, took, partial, draws, status in told:
        if fit is None:
            wrong.append(f"{name}: no fit of {model} was begun within {limit:g} s")
            continue
        begun, ended = fit
        parts[f"{name}, {model}"] = [
            f"{limit:g} s", f"{begun:.1f} s", f"{ended:.1f} s", f"{ended - limit:+.2f} s", f"{took:.1f} s",
            f"{draws}", partial or "whole",
        ]  # fmt: skip
        # Between the clock that is asked and the first line of the fit there is a clone of the model.
        if begun > limit + SOON:
            wrong.append(f"{name}: a fit of {model} began after {begun:.1f} s at a limit of {limit:g} s")
        if not model.startswith("Hist") and ended > limit + STEP:
            wrong.append(f"{name}: a fit of {model} ended {ended - limit:.1f} s after the limit")
        if not model.startswith("Hist") and not status.startswith(CUT):
            wrong.append(f"{name}: the fit of {model} that was cut is told as {status}")
    return (
        parts,
        wrong,
        f"{name}: {size / 1e6:.0f} MB, and at the peak of all its comparisons {peak / 1e6:.0f} MB.",
    )


def run(cases: int, rng: Generator) -> Record:
    """Run that many comparisons and what stands beside them."""
    long = cases >= 500
    count = cases - 2 - 56 if long else max(1, cases - 2 - 14)
    growth, wrong = _comparisons(count)
    fits, mixed = _threads(4 if long else 1)
    parts: dict[str, list[str]] = {}
    findings = [*wrong, *mixed]
    memory = []
    for name, shape in (LARGE if long else SMALL).items():
        found, faults, used = _large(name, shape, LIMITS if long else SHORT_LIMITS)
        parts |= found
        findings += faults
        memory.append(used)
    notes = [
        f"Comparisons: {count:,} in one process; over the second half its memory grows by {growth:,.0f} "
        "bytes a comparison.",
        f"Threads: {THREADS} at once, {fits:,} fits and predictions of {len(_learners())} learners, "
        f"{len(mixed)} unlike the same work alone.",
        *memory,
    ]
    return Record(
        cases,
        crashes=len(findings) - len(mixed),
        dishonest=len(mixed),
        heads=(
            "table, model",
            "limit",
            "last fit begun",
            "ended",
            "after the limit",
            "all",
            "draws",
            "result",
        ),
        parts=parts,
        findings=findings,
        notes=notes,
    )
