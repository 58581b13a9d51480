"""Comparisons, commands and statements of the theory, as work that is done twice."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import thetahat as th
from tests.torture.circumstances import Found, How, Rows, Work, laid_out
from tests.torture.seeded_functions import own

__all__ = ["seeded_commands"]

# Who stands beside the two that are looked at, and in what order.
COMPANIES: tuple[list[str], ...] = (
    ["logistic", "svm-rbf", "own"],
    ["own", "logistic"],
    ["svm-linear", "logistic", "own", "pca+logistic"],
    ["mlp", "svm-rbf", "own", "logistic", "dummy"],
)
PLANS = ("cv:2x3", "holdout:0.3", "cv:4", "cv:5")


def _settings(seed: int) -> dict[str, Any]:
    return {
        "resampling": PLANS[seed % 4],
        "tune": "svm-rbf.C=1,10" if seed % 3 == 0 else "none",
        # A set has no order of its own.
        "drop": {"z", "c", "x3"},
        "na_values": {"NA", "none", "-"},
        "max_rows": 70,
        "seed": seed,
    }


def _models(how: How) -> list[Any]:
    return [("own", own()) if name == "own" else name for name in COMPANIES[how.company]]


def _compare(seed: int, how: How) -> Found:
    """Compare; where it is stopped it is interrupted between two draws and goes on from its checkpoint."""
    rows = Rows.of(seed, how)
    data = laid_out(rows.frame, how.layout)
    settings = _settings(seed) | {"jobs": how.jobs}
    if how.large:
        settings |= {"max_rows": None, "resampling": "cv:3", "drop": {"z", "c"}}

    def stop(done: int, of: int) -> None:
        if done == max(1, of // 2):
            raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as folder:
        more = {}
        if how.stopped:
            more = {"checkpoint": Path(folder) / "c", "resume": True}
            th.compare(data, "y", _models(how), progress=stop, **settings, **more)
        record = th.compare(data, "y", _models(how), **settings, **more).record
    return Found(record.verdict, record)


def _candidate(seed: int, how: How) -> Found:
    """Return what a comparison says of two models alone, in whatever company."""
    settings = _settings(seed) | {"tune": "none"}
    record = th.compare(Rows.of(seed).frame, "y", _models(how), **settings).record
    found = {
        each.name: [each.loss, each.shown, each.train_loss, each.scores, each.status]
        for each in record.models
        if each.name in ("logistic", "own", "dummy")
    }
    found = dict(sorted(found.items()))
    return Found(found, found)


def _pair(seed: int, how: How) -> Found:
    """Return the difference of two models, before it is adjusted for the number of pairs."""
    settings = _settings(seed) | {"tune": "none", "correction": "none"}
    record = th.compare(Rows.of(seed).frame, "y", _models(how), **settings).record
    pair = next(each for each in record.pairs if {each.a, each.b} == {"logistic", "own"})
    found = [pair.a, pair.b, pair.difference, pair.low, pair.high, pair.p, pair.verdict]
    return Found(found, found)


COMMANDS = (
    "compare t.csv --target y --drop z --drop c -m logistic,svm-rbf,dummy --resampling cv:2x3 --tune none "
    "--json out.json --report out.html",
    "compare t.csv --target z --drop y --drop c -m linear,forest --resampling cv:4 --tune none --bayes "
    "--json out.json",
    "fit t.csv --target z --model linear --drop y --drop c --save out.model",
    "fit t.csv --model sgd-logistic --target y --drop z --drop c --stream --epochs 2 --save out.model",
    "fit t.csv --model poisson --target c --drop y --drop z --save out.model",
    "calibrate t.csv --target y --drop z --drop c --runs 5 --rows 40",
    "mle t.csv --column x0 --family normal --json out.json --report out.html",
    "check t.csv --target y",
    "theory point-estimate saturation-in-depth --json out.json --report out.html",
)


@contextmanager
def _inside(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _command(seed: int, how: How) -> Found:
    """Run a command and return what it printed and wrote, but for clocks."""
    from thetahat.cli import main

    words = COMMANDS[seed % len(COMMANDS)].split()
    words += (
        ["--seed", str(seed)]
        if words[0] in ("compare", "calibrate", "theory", "mle") or "--stream" in words
        else []
    )
    words += ["--jobs", str(how.jobs)] if how.jobs > 1 and words[0] in ("compare", "calibrate") else []
    with tempfile.TemporaryDirectory() as folder, _inside(folder):
        Rows.of(seed).frame.write_csv("t.csv")
        ran = CliRunner().invoke(main, words)
        if ran.exit_code:
            raise RuntimeError(f"{' '.join(words)} ended with {ran.exit_code}: {ran.output[-300:]}")
        found = {"printed": _without_clocks(ran.output)}
        if os.path.exists("out.json"):
            said = _without_clocks(Path("out.json").read_text("utf-8"))
            found["json"] = said.replace(" --jobs 2", "")
            if words[0] == "compare":
                # The page of a record without clocks.
                Path("out.json").write_text(found["json"], "utf-8")
                again = CliRunner().invoke(main, ["report", "out.json", "-o", "again.html"])
                assert again.exit_code == 0, again.output
                found["page"] = Path("again.html").read_text("utf-8")
        if os.path.exists("out.model"):
            found["model"] = _members(Path("out.model"))
    return Found(found["printed"], found)


def _without_clocks(text: str) -> str:
    text = re.sub(r'("(?:seconds|fit_seconds|tuning_seconds)": )[^\n,]*', r"\g<1>0.0", text)
    text = re.sub(r'("created": )"[^"]*"', r'\1"2026-01-01T00:00:00+00:00"', text)
    return text


def _members(path: Path) -> dict[str, bytes]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {
            each.filename: re.sub(rb'"seconds": *[^,}]*', b"", archive.read(each))
            for each in archive.infolist()
        }


# Those that take seconds, or measure time.
LEFT_OUT = {
    "small-holdout", "sample-variance", "asymptotic-unbiasedness", "confidence-interval", "bias-can-pay",
    "cross-validation-or-mse", "double-descent", "consistency-and-bias", "kernel-is-cheaper",
    "prediction-cost", "eigendecomposition-cost", "sgd-step-cost", "sgd-cost-is-constant",
    "training-ends-early", "better-by-intervals",
}  # fmt: skip


def _statement(seed: int, how: How) -> Found:
    from thetahat.theory import registry
    from thetahat.theory.statement import examine

    named = [(part, each) for part, each in registry.statements() if each.name not in LEFT_OUT]
    part, each = named[seed % len(named)]
    found = examine(each, part.number, seed)
    return Found(found.verdict, found)


def seeded_commands() -> dict[str, Work]:
    """Return comparisons, commands and statements."""
    workers = {"jobs": 0.0, "other executors": 0.0, "BLAS threads": 0.0}
    return {
        "compare": Work(_compare, workers | {"kind of frame": 0.0, "resumed": 0.0}, 3),
        "a model among others": Work(_candidate, {"company": 0.0}),
        "a pair among others": Work(_pair, {"company": 0.0}),
        "command line": Work(_command, {"jobs of commands": 0.0}, 3),
        "statement of the theory": Work(_statement, {"BLAS threads": 0.0}, 6),
    }
