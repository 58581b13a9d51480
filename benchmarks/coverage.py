"""How often intervals cover and verdicts err, on populations where the truth is known: docs/coverage.md."""

from __future__ import annotations

import argparse
import time

import numpy as np

from tests.calibration import cases


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    runs = parser.parse_args(argv).runs
    began = time.perf_counter()
    print(f"Coverage of the error of the fitted model, nominal .95, {runs} runs (nested: {runs // 4})")
    print("| method | " + " | ".join(f"n = {n}" for n in cases.SIZES) + " |")
    print("|---|" + "---|" * len(cases.SIZES))
    for name in cases.INTERVALS:
        each = runs // 4 if name == "nested" else runs
        found = [cases.covered(name, n, each, np.random.default_rng(n))["fitted"] for n in cases.SIZES]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in found) + " |", flush=True)
    each = runs // 10
    print(f"\nThe same for intervals whose draws must be refitted, {each} runs")
    print("| method | n = 100: fitted model | the algorithm | n = 200: fitted model | the algorithm |")
    print("|---|---|---|---|---|")
    for name in cases.REFITTED:
        found = [cases.covered_by_refitting(name, n, each, np.random.default_rng(n)) for n in (100, 200)]
        said = " | ".join(f"{f['fitted']:.3f} | {f['expected']:.3f}" for f in found)
        print(f"| {name} | {said} |", flush=True)
    print(f"\nHow often two learners are told apart at level .05, {runs} runs")
    print("| plan | rule | " + " | ".join(f"gap {g}, n = {n}" for g, n in cases.PAIRED) + " |")
    print("|---|---|" + "---|" * len(cases.PAIRED))
    for plan in cases.PLANS:
        columns = [cases.told_apart(plan, n, gap, runs, np.random.default_rng(n)) for gap, n in cases.PAIRED]
        for rule in cases.RULES:
            print(f"| {plan} | {rule} | " + " | ".join(f"{c[rule]:.3f}" for c in columns) + " |", flush=True)
    print(f"\nTwo equally bad learners on rows in groups, {runs // 2} runs")
    _table(
        "groups × rows",
        [f"{groups} × {each}" for groups, each in cases.GROUPS],
        [cases.told_apart_by_groups(*at, runs // 2, np.random.default_rng(at)) for at in cases.GROUPS],
    )
    print(f"\nTwo equally bad learners on rows ordered in time, {runs // 4} runs")
    _table(
        "rows, autocorrelation",
        [f"{n}, {rho}" for n, rho in cases.SERIES],
        [cases.told_apart_in_time(n, rho, runs // 4, np.random.default_rng(n)) for n, rho in cases.SERIES],
    )
    print(f"\nThe winner among 500 candidates of Beta(9, 6) accuracy, {runs // 8} runs")
    print("| rows | optimism of the naive estimate | of the corrected one | its 95 % interval covers |")
    print("|---|---|---|---|")
    for n in (20, 100, 500):
        found = cases.winner(n, runs // 8, np.random.default_rng(n))
        said = f"{found['naive']:+.3f} | {found['corrected']:+.3f} | {found['covered']:.3f}"
        print(f"| {n} | {said} |", flush=True)
    print(f"\n{time.perf_counter() - began:.0f} s")


def _table(corner: str, heads: list[str], columns: list[dict[str, float]]) -> None:
    print(f"| {corner} | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for rule in columns[0]:
        print(f"| {rule} | " + " | ".join(f"{found[rule]:.3f}" for found in columns) + " |", flush=True)
