"""The same seed, the same bytes: what a result must not depend on, varied one at a time."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.random import Generator
from threadpoolctl import threadpool_limits

import thetahat as th
from tests.torture.circumstances import Found, How, Work
from tests.torture.record import Record
from tests.torture.sameness import apart, digests
from tests.torture.seeded_commands import seeded_commands
from tests.torture.seeded_functions import seeded_functions
from tests.torture.seeded_learners import seeded_learners

TITLE = "Determinism"
CLAIM = (
    "Every learner, every function that takes a seed or a generator, comparisons and commands are run again "
    "with the same seed while one thing is another: the process (with another `PYTHONHASHSEED` and the work "
    "in another order), numba's cache (empty, then filled), the number of workers and what runs them, BLAS's "
    "threads, how the table lies in memory or on disk, the order of its rows, the pieces in which it is read "
    "or predicted, the memory that may be used, the company of other models, or that the work was ended and "
    "taken up again. The global generators of NumPy and Python are in another state each time. A fault is a "
    "broken promise: another bit, or, where only rounding is promised, a difference beyond the bound, over "
    "the largest number of its array (of a streamed fit: over a standard error)."
)
NOT_COVERED = (
    "other processors, operating systems and versions of the libraries, which may round otherwise; fits with "
    "a time limit; models of other libraries that draw from a global generator; networks whose products are "
    "large enough for BLAS to share them out, where training enlarges what rounding began."
)
SHORT, LONG = 160, 2_000
MODULE = "tests.torture.determinism"

WORK: dict[str, Work] = {**seeded_learners(), **seeded_functions(), **seeded_commands()}


@dataclass(frozen=True, slots=True)
class Variation:
    """One thing that is another.

    Parameters
    ----------
    settings : sequence of How
        The circumstances, one a case.
    base : How
        What they are held against.
    under : callable
        A context in which the other run is done.
    base_under : callable
        One in which the first is done.
    """

    settings: Sequence[How]
    base: How = field(default_factory=How)
    under: Callable[[], Any] = ExitStack
    base_under: Callable[[], Any] = ExitStack


def _how(name: str, *values: Any, **more: Any) -> list[How]:
    return [How(**{name: value}, **more) for value in values]


LARGE = How(large=True)
SOURCES = [
    *(How(layout=layout, pieces=pieces) for layout in ("Parquet", "Arrow", "files", "dataset", "batches")
      for pieces in (37, 128)),
    How(layout="CSV"), How(layout="lazy"),
]  # fmt: skip
# "again" and the processes are for all work; the rest for work that names it.
VARIED: dict[str, Variation] = {
    "run again": Variation([How()]),
    "fresh process": Variation([How()]),
    "numba's cache empty": Variation([How()]),
    "numba's cache just filled": Variation([How()]),
    "jobs": Variation(_how("jobs", 2, 3)),
    "jobs of commands": Variation(_how("jobs", 2)),
    "other executors": Variation(
        _how("jobs", 2), under=lambda: joblib.parallel_config(backend="threading", n_jobs=2)
    ),
    # Inside a cluster that is started once.
    "Dask workers": Variation([How()], base_under=lambda: joblib.parallel_config(backend="loky")),
    "BLAS threads": Variation(
        [LARGE],
        base=LARGE,
        under=lambda: threadpool_limits(1),
        base_under=lambda: threadpool_limits(2),
    ),
    "memory layout": Variation(
        _how("layout", "F", "strided", "reversed", "read-only", "list", "pandas", "polars")
    ),
    "kind of frame": Variation(_how("layout", "pandas", "arrow")),
    "kind of source": Variation(SOURCES),
    "row order": Variation(_how("permuted", True)),
    "predicted in pieces": Variation(_how("pieces", 1, 7)),
    "batches": Variation(_how("batch", 7, 19, 80)),
    "partitions": Variation(_how("pieces", 50, 33)),
    "workers of partitions": Variation(_how("jobs", 2, 4, pieces=33), base=How(pieces=33)),
    "memory": Variation(_how("memory", 0.002, 0.01)),
    "company": Variation(_how("company", 1, 2, 3)),
    "resumed": Variation(_how("stopped", True)),
    "saved and loaded": Variation(_how("stopped", True)),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A piece of work, its seed, and what is another: which of the variation's settings."""

    work: str
    seed: int
    varied: str
    place: int = 0

    def __str__(self) -> str:
        how = VARIED[self.varied].settings[self.place]
        said = [
            f"{name}={getattr(how, name)!r}"
            for name in How.__slots__
            if getattr(how, name) != getattr(How(), name)
        ]
        return f"{self.work}, seed {self.seed}, {self.varied} {' '.join(said)}".strip()


@dataclass(slots=True)
class Count:
    """What came of the cases of a variation that promise bits, or of those that promise rounding."""

    cases: int = 0
    equal: int = 0
    rounded: int = 0
    most: float = 0.0
    bound: float = 1.0
    faults: int = 0
    moved: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)


@contextmanager
def _stirred(seed: int) -> Iterator[None]:
    """Put the global generators into a state that no other run has."""
    np.random.seed(seed)  # noqa: NPY002 -- whoever uses the global generator is to be seen
    random.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# Empty caches are filled in seconds by these, in a minute by all.
COLD = ("bootstrap, percentile", "jackknife")
# How many cases a fresh process is given.
AT_ONCE = 60
PATIENCE = 900.0
ELSEWHERE = ("fresh process", "numba's cache empty", "numba's cache just filled")


def drawn(cases: int, rng: Generator, work: Mapping[str, Work]) -> list[Case]:
    """Return so many cases: each work under each thing that it heeds, round after round with other seeds."""
    long = cases > 2 * SHORT
    found: list[Case] = []
    rounds = 0
    while len(found) < cases:
        lines = []
        for name, each in work.items():
            heeds = ["run again", "fresh process", *each.heeds]
            if rounds == 0 and (long or name in COLD):
                heeds += ELSEWHERE[1:]
            if long and rounds < 2 and "other executors" in each.heeds:
                heeds.append("Dask workers")
            for number in range(each.share):
                # What a work does goes by the remainder of its seed: all kinds in turn.
                seed = 360 * int(rng.integers(1000)) + rounds * each.share + number
                places = (int(rng.integers(len(VARIED[varied].settings))) for varied in heeds)
                lines += [Case(name, seed, *pair) for pair in zip(heeds, places, strict=True)]
        found += [lines[place] for place in rng.permutation(len(lines))]
        rounds += 1
    return found[:cases]


def elsewhere(cases: Sequence[Case], registry: str, **environment: str) -> list[Any]:
    """Do the work of these cases in a new process, last first; return what came of each."""
    asked = json.dumps([registry, [[case.work, case.seed] for case in reversed(cases)]])
    try:
        done = subprocess.run(
            [sys.executable, "-m", MODULE], input=asked, capture_output=True, text=True,
            env=os.environ | environment, timeout=PATIENCE, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [f"a new process did not end within {PATIENCE:.0f} s"] * len(cases)
    if done.returncode:
        return [f"a new process ended with {done.returncode}: {done.stderr[-300:]}"] * len(cases)
    answers: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return answers[::-1]


def registered(path: str) -> Mapping[str, Work]:
    """Return the work that is known under this name."""
    module, _, name = path.partition(":")
    found: Mapping[str, Work] = getattr(import_module(module), name)
    return found


class _Run:
    """One run of the item."""

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.work = registered(registry)
        self.counts: dict[tuple[str, bool], Count] = defaultdict(Count)
        self.findings: list[str] = []
        self.stirs = 0

    def result(self, case: Case, how: How, under: Callable[[], Any]) -> Found:
        """Do the work under these circumstances."""
        self.stirs += 1
        with _stirred(self.stirs), under():
            return self.work[case.work].run(case.seed, how)

    def bound(self, case: Case) -> float:
        """Return how far apart a case may be; 0 promises bits."""
        return self.work[case.work].heeds.get(case.varied, 0.0)

    def judge(self, case: Case, whole: tuple[float, str], answer: Callable[[], tuple[float, str]]) -> None:
        """Count a case by how far apart all of it is, and the answer."""
        bound = self.bound(case)
        count = self.counts[case.varied, bound == 0]
        (count.moved if whole[0] else count.kept).add(case.work)
        far, where = answer() if whole[0] and bound else whole
        if far > bound:
            self.fault(case, f"apart by {far:.1e} at {where or 'its root'}, where {bound:g} is promised")
            return
        count.cases += 1
        count.equal += whole[0] == 0
        count.rounded += whole[0] != 0
        if bound and far / bound > count.most / count.bound:
            count.most, count.bound = far, bound

    def fault(self, case: Case, words: str) -> None:
        """Count a broken promise."""
        count = self.counts[case.varied, self.bound(case) == 0]
        count.cases += 1
        count.faults += 1
        self.findings.append(f"{case}: {words}")

    def here(self, cases: Sequence[Case]) -> None:
        """Try cases of one work and seed in this process."""
        bases: dict[Any, Found] = {}
        for case in cases:
            varied = VARIED[case.varied]
            key = varied.base, varied.base_under
            try:
                if key not in bases:
                    bases[key] = self.result(case, varied.base, varied.base_under)
                base, other = bases[key], self.result(case, varied.settings[case.place], varied.under)
            except Exception as error:
                self.fault(case, f"{type(error).__name__}: {error}")
                continue
            self.judge(case, apart(base.all, other.all), partial(apart, base.answer, other.answer))

    def there(self, cases: Sequence[Case], **environment: str) -> None:
        """Try cases in a new process."""
        for case, found in zip(cases, elsewhere(cases, self.registry, **environment), strict=True):
            try:
                base = digests(self.result(case, How(), ExitStack).all)
            except Exception as error:
                base = [[str(error), ""]]
            if isinstance(found, str):
                self.fault(case, found)
                continue
            differ = [one[0] for one, other in zip(base, found, strict=False) if one != other]
            same = not differ and len(base) == len(found)
            self.judge(
                case,
                (0.0, "") if same else (np.inf, differ[0] if differ else "what it holds"),
                lambda: (np.inf, ""),
            )


def run(cases: int, rng: Generator, registry: str = f"{MODULE}:WORK") -> Record:
    """Hold that many results to those of another run."""
    trial = _Run(registry)
    todo = drawn(cases, rng, trial.work)
    by_work: dict[tuple[str, int], list[Case]] = defaultdict(list)
    by_process: dict[str, list[Case]] = defaultdict(list)
    for case in todo:
        if case.varied in (*ELSEWHERE, "Dask workers"):
            by_process[case.varied].append(case)
        else:
            by_work[case.work, case.seed].append(case)
    for group in by_work.values():
        trial.here(group)
    fresh = by_process.pop("fresh process", [])
    for start in range(0, len(fresh), AT_ONCE):
        trial.there(fresh[start : start + AT_ONCE], PYTHONHASHSEED=str(int(rng.integers(1, 2**31))))
    with tempfile.TemporaryDirectory(prefix="numba-") as cache:
        for varied in ELSEWHERE[1:]:
            if varied in by_process:
                trial.there(by_process[varied], NUMBA_CACHE_DIR=cache)
    if dask := by_process.get("Dask workers"):
        with th.on_cluster("local:2"):
            for case in dask:
                trial.here([case])
    return Record(
        sum(count.cases for count in trial.counts.values()),
        dishonest=sum(count.faults for count in trial.counts.values()),
        heads=("what is another", "cases", "equal to the bit", "within rounding", "largest", "faults"),
        parts={
            f"{varied}, bits promised" if bits else f"{varied}, to rounding": _row(trial.counts[varied, bits])
            for varied in VARIED
            for bits in (True, False)
            if (varied, bits) in trial.counts
        },
        findings=trial.findings,
        notes=[
            f"{len(trial.work)} pieces of work: {len(seeded_learners())} of learners, "
            f"{len(seeded_functions())} of functions, {len(seeded_commands())} of comparisons, commands and "
            "statements of the theory. A false success is here a broken promise; the largest difference "
            "stands beside its bound.",
            *_same(trial.counts),
        ],
    )


def _row(count: Count) -> Sequence[str]:
    largest = f"{count.most:.1e} of {count.bound:.0e}" if count.most else "-"
    return [f"{count.cases:,}", f"{count.equal:,}", f"{count.rounded:,}", largest, f"{count.faults:,}"]


def _same(counts: Mapping[tuple[str, bool], Count]) -> Iterator[str]:
    """Say which work kept every bit where only rounding is promised."""
    for (varied, bits), count in counts.items():
        kept = sorted(count.kept - count.moved)
        if kept and not bits:
            yield f"Not promised, but equal to the bit in every case of *{varied}*: {', '.join(kept)}."


def main() -> None:
    """Do the work that is asked for on stdin, and say what came of it."""
    registry, asked = json.load(sys.stdin)
    work = registered(registry)
    answers: list[Any] = []
    for number, (name, seed) in enumerate(asked):
        with _stirred(10**6 + number):
            try:
                answers.append(digests(work[name].run(seed, How()).all))
            except Exception as error:
                answers.append(f"{type(error).__name__}: {error}")
    print(f"\n{json.dumps(answers)}")


if __name__ == "__main__":
    main()
