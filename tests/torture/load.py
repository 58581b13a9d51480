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

TITLE = "Load"
CLAIM = (
    "Many comparisons one after the other in one process, threads that fit and predict with every learner at "
    "once, a table of 2,000 columns and one of 1,000,000 rows. A fault is memory that grows, a result that "
    "differs from the same work alone, memory beyond its bound, or a fit begun after the time limit."
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
# Bytes for each byte of the table, and what the libraries take without one.
TIMES, LIBRARIES = 30, 450_000_000
LIMIT, PREPARATION = 30.0, 5.0


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

rows, columns, limit = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
fits = []

class Timed(ClassifierMixin, BaseEstimator):
    def __init__(self, inner=None):
        self.inner = inner

    def fit(self, X, y):
        start = time.monotonic()
        self.model_ = clone(self.inner).fit(X, y)
        self.classes_ = self.model_.classes_
        fits.append([start - began, time.monotonic() - began])
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

rng = np.random.default_rng(0)
frame = pl.DataFrame({f"x{k}": rng.normal(size=rows) for k in range(columns)})
frame = frame.with_columns(y=pl.col("x0") + pl.Series(rng.normal(size=rows)) > 0)
frame = frame.with_columns(pl.when("y").then(pl.lit("a")).otherwise(pl.lit("b")).alias("y"))
models = [("ours", Timed(th.LogisticRegression())), ("theirs", Timed(HistGradientBoostingClassifier()))]
began = time.monotonic()
found = th.compare(frame, "y", models, resampling="cv:20x5", tune="none", time_limit=limit)
seconds = time.monotonic() - began
peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
record = found.record
print(json.dumps([seconds, peak, frame.estimated_size(), record.partial, record.plan.draws, fits]))
"""


def _large(name: str, limit: float, most: int) -> tuple[list[str], str]:
    rows, columns = LARGE[name]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", LARGE_RUN, str(min(rows, most)), str(columns), str(limit)],
            capture_output=True, text=True, cwd=folder, timeout=600, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        return ["-"] * 7, f"{name}: ended with {done.returncode}: {done.stderr[-300:]}"
    seconds, peak, size, partial, draws, fits = json.loads(done.stdout)
    last = max((start for start, _ in fits), default=0.0)
    row = [
        f"{size / 1e6:.0f} MB", f"{peak / 1e6:.0f} MB", f"{len(fits)}", f"{last:.1f} s", f"{seconds:.1f} s",
        f"{draws}", partial or "whole",
    ]  # fmt: skip
    if peak > LIBRARIES + TIMES * size:
        return row, f"{name}: {peak / 1e6:.0f} MB for a table of {size / 1e6:.0f} MB"
    # Between the clock that is asked and the first line of the fit there is its rows' preparation.
    if last > limit + PREPARATION:
        return row, f"{name}: a fit began after {last:.1f} s at a limit of {limit:.0f} s"
    return row, ""


def run(cases: int, rng: Generator) -> Record:
    """Run that many comparisons and what stands beside them."""
    long = cases >= 500
    count = cases - 2 - 56 if long else max(1, cases - 2 - 14)
    growth, wrong = _comparisons(count)
    fits, mixed = _threads(4 if long else 1)
    parts: dict[str, list[str]] = {}
    findings = [*wrong, *mixed]
    for name in LARGE if long else ["2,000 columns"]:
        parts[name], fault = _large(name, *((LIMIT, 10**9) if long else (3.0, 200)))
        findings += [fault] if fault else []
    notes = [
        f"Comparisons: {count:,} in one process; over the second half its memory grows by {growth:,.0f} "
        "bytes a comparison.",
        f"Threads: {THREADS} at once, {fits:,} fits and predictions of {len(_learners())} learners, "
        f"{len(mixed)} unlike the same work alone.",
    ]
    return Record(
        cases,
        crashes=len(findings) - len(mixed),
        dishonest=len(mixed),
        heads=("table", "size", "peak", "fits", "last begun after", "time", "draws", "result"),
        parts=parts,
        findings=findings,
        notes=notes,
    )
