"""What shared work saves: untuned linear learners, fits shared over folds against refitting each fold."""

from __future__ import annotations

import argparse
import time
import warnings
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

import thetahat as th
from benchmarks.pairing import alternate
from thetahat.comparison.candidates import Panel, PanelWorkspace
from thetahat.contracts import Sample

# Task, learner and measure of each line; dummy is always fitted too.
LINES = (
    ("regression", "linear", "squared-error"),
    ("classification", "logistic", "log-loss"),
    ("classification", "svm-linear", "auc"),
)


def table(task: str, rows: int, features: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, features))
    y = X @ rng.normal(size=features) + np.sqrt(features) * rng.normal(size=rows)
    columns = {f"x{k}": X[:, k] for k in range(features)}
    return pl.DataFrame({**columns, "y": y if task == "regression" else np.where(y > 0, "yes", "no")})


def without_workspaces(self: PanelWorkspace, panel: Panel, sample: Sample) -> None:
    """Prepare nothing, so that every candidate is fitted draw by draw."""
    self.panel, self.sample, self.shared, self.workspaces = panel, sample, {}, {}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks shared", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--resampling", default="cv:3x10")
    given = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    about = f"{given.rows} x {given.features}, untuned, {given.resampling}"
    print(f"compare, {about}: shared against refitting, CPU seconds")
    for task, model, metric in LINES:
        data = table(task, given.rows, given.features)
        results: dict[str, th.Comparison] = {}
        compared = partial(
            th.compare, data, "y", [model], metric=metric, tune="none", resampling=given.resampling
        )

        def shared(compared: Any = compared, results: Any = results) -> None:
            results["shared"] = compared()

        def refitted(compared: Any = compared, results: Any = results) -> None:
            with patch.object(PanelWorkspace, "__init__", without_workspaces):
                results["refitted"] = compared()

        timed = alternate(shared, refitted, given.runs, clock=time.process_time)
        print(f"{model:10s} {timed}; estimates differ by at most {_apart(**results):.1e}", flush=True)


def _apart(shared: th.Comparison, refitted: th.Comparison) -> float:
    """Return the largest relative difference of an estimate between the two results."""
    pairs = zip(shared.record.models, refitted.record.models, strict=True)
    losses = [(a.loss.estimate, b.loss.estimate) for a, b in pairs if a.loss and b.loss]
    return max(abs(a - b) / abs(b) for a, b in losses)
