"""Conformance: what scikit-learn's users rely on, learner by learner."""

from __future__ import annotations

import tempfile
import unittest
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.decomposition as sd
import sklearn.linear_model as sl
import sklearn.neural_network as sn
import sklearn.svm as ss
from numpy.random import Generator
from sklearn.utils.estimator_checks import estimator_checks_generator

from tests.conformance.sklearn_own import check_own_tests
from tests.learners import LEARNERS, Learner
from tests.torture.capped import Lost, run_capped
from tests.torture.promises import PARTS, PROMISES
from tests.torture.record import Peer, Record

__all__ = ["CLAIM", "LONG", "NOT_COVERED", "SHORT", "TITLE", "Case", "counterpart", "judge", "pairs", "run"]

TITLE = "Conformance"
CLAIM = """Every public learner, in several settings, is given to scikit-learn's estimator checks, all of
them, and to further promises that scikit-learn's users rely on (`tests/torture/promises`): clones, alone and
nested; frames out by `set_output`; weights by metadata routing through pipelines and searches; pickles of
every protocol, joblib, cloudpickle and `th.save`, read by a new interpreter that has to predict the same
bits; names of columns; HTML and text; pandas and polars in, with every kind of column; tags that say what the
learner does; and work inside pipelines, searches, ensembles, calibration and selection. A case is a learner
and a check. A crash is an error that the check does not ask for; a false success a check that finds a wrong
answer, or an expected failure that passes. scikit-learn's counterparts are given the same promises."""
NOT_COVERED = """the array API; checks that scikit-learn does not yield for these tags; other versions of
scikit-learn, pandas and polars than those installed; other settings than those of `tests/learners.py`."""
# In continuous integration scikit-learn's checks are tests of their own (tests/conformance), each run once;
# this is a sample of the promises, every one on some learners.
SHORT = 150
# Or more: every pair that there is.
LONG = 2_000
CAP = 300.0
CHECKS = "scikit-learn's estimator checks"

COUNTERPARTS: Mapping[str, Any] = {
    "PoissonRegression": sl.PoissonRegressor,
    **{
        name: getattr(home, name)
        for home, names in (
            (sl, ("LinearRegression", "Ridge", "LogisticRegression", "SGDClassifier", "SGDRegressor")),
            (ss, ("SVC", "SVR", "OneClassSVM")),
            (sd, ("PCA", "IncrementalPCA", "KernelPCA")),
            (sn, ("MLPClassifier", "MLPRegressor")),
        )
        for name in names
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """A learner and one check of it; the check is one of scikit-learn's where it is of no promise."""

    estimator: Any
    check: str
    expected: str | None = None

    @property
    def part(self) -> str:
        """Return which part of the item this is."""
        return PROMISES[self.check].part if self.check in PROMISES else CHECKS


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a case: held, skipped, failed as expected, crash or false success; and its words."""

    kind: str
    words: str = ""

    @property
    def fault(self) -> bool:
        """Whether this must not be."""
        return self.kind in ("crash", "false success")


def _checks(estimator: Any) -> dict[str, Any]:
    """Return every check that scikit-learn has of an estimator, by name and settings."""
    found = {}
    for instance, check in estimator_checks_generator(estimator):
        settings = ",".join(f"{name}={value}" for name, value in check.keywords.items())
        # Some checks are of the same estimator under another setting.
        changed = "" if instance is estimator or repr(instance) == repr(estimator) else f" of {instance!r}"
        found[f"{check.func.__name__}({settings}){changed}"] = partial(check, instance)
    return found


def counterpart(estimator: Any) -> Any:
    """Return scikit-learn's estimator with the settings that differ from our defaults, where it has them."""
    made = COUNTERPARTS[type(estimator).__name__]
    known, default = made().get_params(), type(estimator)().get_params()
    # Not the tolerance, which ours reach cheaply.
    settings = {name: value for name, value in estimator.get_params(deep=False).items() if name != "tol"}
    return made(
        **{name: value for name, value in settings.items() if name in known and value != default[name]}
    )


def pairs(learners: Sequence[Learner], *, checks: bool = True) -> list[Case]:
    """Return every learner with every check of it."""
    out = []
    for learner in learners:
        if checks:
            out += [
                Case(learner.estimator, name, learner.expected.get(name.partition("(")[0]))
                for name in _checks(learner.estimator)
            ]
        out += [
            Case(learner.estimator, each.name)
            for each in PROMISES.values()
            if each.applies(learner.estimator)
        ]
    return out


def judge(case: Case) -> Found:
    """Run one case."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if case.check in PROMISES:
                PROMISES[case.check].keep(case.estimator)
            else:
                _checks(case.estimator)[case.check]()
    except unittest.SkipTest as skipped:
        return Found("skipped", str(skipped))
    except Exception as error:
        if case.expected is not None:
            return Found("failed as expected", case.expected)
        kind = "false success" if isinstance(error, AssertionError) else "crash"
        return Found(kind, f"{type(error).__name__}: {error}"[:400])
    return Found("held") if case.expected is None else Found("false success", "passes, and is listed to fail")


def _sample(cases: list[Case], count: int, rng: Generator) -> list[Case]:
    """Return some cases of every check in turn, with learners at random."""
    shuffled = [cases[k] for k in rng.permutation(len(cases))]
    turn: Counter[str] = Counter()
    order = []
    for case in shuffled:
        order.append((turn[case.check], case))
        turn[case.check] += 1
    return [case for _, case in sorted(order, key=lambda pair: pair[0])[:count]]


def run(cases: int, rng: Generator, learners: Sequence[Learner] = LEARNERS) -> Record:
    """Run every pair from ``LONG`` on, peers and scikit-learn's own tests included; below, some promises."""
    whole = cases >= LONG
    drawn = pairs(learners, checks=whole)
    if not whole:
        drawn = _sample(drawn, cases, rng)
    found = run_capped(judge, drawn, cap=CAP)
    rows = list(zip(drawn, found, strict=True))
    counts = _counts(rows)
    peer, theirs = _peer(learners) if whole else (None, "")
    return Record(
        len(rows),
        crashes=counts["crash"] + counts["lost"],
        hangs=counts["hang"],
        dishonest=counts["false success"],
        heads=("promise", "cases", "held", "fail as expected", "skipped", "faults"),
        parts=_parts(rows),
        findings=[f"{case.estimator}: {case.check}: {_words(each)}" for case, each in rows if _fault(each)],
        peers=[peer] if peer else (),
        notes=[*_notes(rows), *([theirs, _own_tests()] if whole else [])],
    )


def _fault(each: Any) -> bool:
    return isinstance(each, Lost) or each.fault


def _words(each: Any) -> str:
    return (
        f"{'hang' if each.hung else 'lost'}: {each.cause}"
        if isinstance(each, Lost)
        else f"{each.kind}: {each.words}"
    )


def _counts(rows: Sequence[tuple[Case, Any]]) -> Counter[str]:
    return Counter(
        ("hang" if each.hung else "lost") if isinstance(each, Lost) else each.kind for _, each in rows
    )


def _parts(rows: Sequence[tuple[Case, Any]]) -> dict[str, list[str]]:
    out = {}
    for part in (CHECKS, *PARTS):
        here = [(case, each) for case, each in rows if case.part == part]
        kinds = _counts(here)
        numbers = [len(here), kinds["held"], kinds["failed as expected"], kinds["skipped"]]
        if here:
            out[part] = [f"{number:,}" for number in (*numbers, sum(_fault(each) for _, each in here))]
    return out


def _notes(rows: Sequence[tuple[Case, Any]]) -> list[str]:
    """Return what fails as expected and what is skipped, each with its reason."""
    out = []
    for kind, said in (("failed as expected", "Fail as expected"), ("skipped", "Skipped by scikit-learn")):
        reasons: dict[tuple[str, str], list[str]] = {}
        for case, each in rows:
            if isinstance(each, Found) and each.kind == kind:
                key = case.check.partition("(")[0], each.words
                reasons.setdefault(key, []).append(type(case.estimator).__name__)
        lines = [
            f"- `{check}` ({len(names)}: {', '.join(dict.fromkeys(names))}): {reason}"
            for (check, reason), names in reasons.items()
        ]
        if lines:
            out.append(f"{said}:\n\n" + "\n".join(lines))
    return out


def _peer(learners: Sequence[Learner]) -> tuple[Peer, str]:
    """Return what the counterparts did, and a sentence that names their faults."""
    theirs = [Learner(counterpart(learner.estimator)) for learner in learners]
    # Settings that only ours has leave the same counterpart twice.
    distinct = list({repr(learner.estimator): learner for learner in theirs}.values())
    cases = pairs(distinct, checks=False)
    rows = list(zip(cases, run_capped(judge, cases, cap=CAP), strict=True))
    counts = _counts(rows)
    faults = [f"`{case.estimator}`, `{case.check}` ({_words(each)})" for case, each in rows if _fault(each)]
    peer = Peer(
        "scikit-learn's counterparts, the promises alone",
        len(rows),
        counts["crash"] + counts["lost"],
        counts["hang"],
        counts["false success"],
    )
    return peer, f"Faults of the counterparts: {'; '.join(faults) or 'none'}."


def _own_tests() -> str:
    """Return what became of scikit-learn's own tests of its classes, run on ours as in tests/conformance."""
    suites = [
        suite
        for name in ("linear", "mlp", "pca", "sgd", "svm")
        for suite in import_module(f"tests.conformance.test_sklearn_own_{name}").SUITES
    ]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folders = [Path(name) / str(number) for number in range(len(suites))]
        for folder in folders:
            folder.mkdir()
        counts = list(pool.map(check_own_tests, suites, folders))
    lines = [
        f"- `{suite.package}.tests.{suite.module}`: {count['passed']:,} pass, {count['failed']:,} are "
        f"excluded with a reason, {count['skipped']:,} skip themselves"
        for suite, count in zip(suites, counts, strict=True)
    ]
    total = sum(counts, Counter())
    return (
        f"scikit-learn's own tests of its classes, run on ours: {total['passed']:,} pass, "
        f"{total['failed']:,} are excluded with a reason that stands in `tests/conformance`, where an "
        "exclusion that is of no use is an error.\n\n" + "\n".join(lines)
    )
