"""scikit-learn's own tests of its classes, run on ours.

The tests are those installed with scikit-learn: nothing is copied. A module is imported while the public
names mean our classes, and run in a process of its own, so that no other test sees the exchange.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Suite", "check_own_tests"]


@dataclass(frozen=True, slots=True)
class Suite:
    """One module of scikit-learn's tests, and what of it does not apply to ours.

    Parameters
    ----------
    package : str
        Where the tests are: ``sklearn.linear_model``.
    module : str
        The module of tests.
    homes : tuple of str
        Its modules in which the names are exchanged.
    ours : mapping of str to str
        Our class, as ``package.module:Class``, for each public name.
    excluded : mapping of str to str
        Which tests do not apply, as a pattern of the name and its parameters, and why. One that passes, or
        names no test that fails, is an error.
    at_least : int
        How many must pass: fewer would mean that the tests were not found, or were skipped.
    throughout : bool
        Whether the names stay exchanged while the tests run, for tests that look them up as they run.
    either : tuple of str
        Patterns of excluded tests whose outcome rounding decides.
    """

    package: str
    module: str
    homes: tuple[str, ...]
    ours: Mapping[str, str]
    excluded: Mapping[str, str]
    at_least: int
    throughout: bool = False
    either: tuple[str, ...] = ()


def check_own_tests(suite: Suite, folder: Path) -> Counter[str]:
    """Run a module on our classes in a folder, and return how many tests passed, failed and were skipped.

    Raises
    ------
    AssertionError
        A test fails that is not excluded, an exclusion is of no use, or too few pass.
    """
    spec = json.dumps(
        {
            "package": suite.package,
            "homes": suite.homes,
            "ours": dict(suite.ours),
            "module": suite.module,
            "throughout": suite.throughout,
        }
    )
    command = [sys.executable, str(Path(__file__).resolve()), spec, str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=folder
    )
    assert (folder / "outcomes.json").exists(), done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads((folder / "outcomes.json").read_text())
    outcome = {name.partition("::")[2]: what for name, what in told["of"].items()}
    said = {name.partition("::")[2]: line for name, line in told["said"].items()}

    failed = {name for name, what in outcome.items() if what == "failed"}
    named = {name for name in outcome if any(re.match(pattern, name) for pattern in suite.excluded)}
    red = {name: said.get(name) for name in sorted(failed - named)}
    assert not red, f"scikit-learn's tests fail on our classes: {red}"
    open_ended = {name for name in outcome if any(re.match(pattern, name) for pattern in suite.either)}
    idle = sorted(name for name in named - open_ended if outcome[name] == "passed")
    assert not idle, f"remove the exclusion, for these pass: {idle}"
    unused = [pattern for pattern in suite.excluded if not any(re.match(pattern, name) for name in failed)]
    assert not unused, f"remove the exclusion, for no test fails that it names: {unused}"
    counts = Counter(outcome.values())
    assert counts["passed"] >= suite.at_least
    return counts


@contextmanager
def exchanged(package: str, homes: tuple[str, ...], ours: Mapping[str, str]) -> Iterator[None]:
    """Let scikit-learn's names mean our classes while a test module is imported, and no longer."""
    before = []
    for home in homes:
        module = importlib.import_module(f"{package}{home}")
        for name, path in ours.items():
            if hasattr(module, name):
                where, _, what = path.partition(":")
                before.append((module, name, getattr(module, name)))
                setattr(module, name, getattr(importlib.import_module(where), what))
    try:
        yield
    finally:
        for module, name, theirs in before:
            setattr(module, name, theirs)


class Outcomes:
    """What became of each test: passed, failed or skipped."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.said: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of what setting up, calling and tearing down said."""
        name = report.nodeid.rpartition("/")[2]
        if report.failed or name not in self.of or self.of[name] == "passed":
            self.of[name] = report.outcome
        if report.failed:
            self.said[name] = str(report.longrepr).splitlines()[-1]


def run(spec: dict, out: Path) -> None:
    """Run one module of tests on our classes and write what became of each."""
    name = f"{spec['package']}.tests.{spec['module']}"
    with ExitStack() as open_while:
        with ExitStack() as importing:
            stack = open_while if spec["throughout"] else importing
            stack.enter_context(exchanged(spec["package"], tuple(spec["homes"]), spec["ours"]))
            importlib.import_module(name)
        (out / "pytest.ini").write_text("[pytest]\n")
        outcomes = Outcomes()
        quiet = ["-q", "-c", str(out / "pytest.ini"), "-p", "no:cacheprovider", "--tb=line", "-W", "ignore"]
        pytest.main([*quiet, "--pyargs", name], plugins=[outcomes])
    (out / "outcomes.json").write_text(json.dumps({"of": outcomes.of, "said": outcomes.said}))


if __name__ == "__main__":
    run(json.loads(sys.argv[1]), Path(sys.argv[2]))
