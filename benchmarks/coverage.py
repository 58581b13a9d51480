"""How often intervals cover and verdicts err, on populations where the truth is known: docs/coverage.md."""

from __future__ import annotations

import argparse
import time

import numpy as np

from tests.calibration import cases
from tests.calibration.measure_coverage import of_pairs, on_folds, on_one_split
from tests.calibration.populations import MEASURED


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--measures", action="store_true", help="the tables of the measures, alone")
    given = parser.parse_args(argv)
    runs, began = given.runs, time.perf_counter()
    if given.measures:
        _measures(runs)
        _pairs(runs)
    else:
        _intervals_and_verdicts(runs)
    print(f"\n{time.perf_counter() - began:.0f} s")


def _measures(runs: int) -> None:
    few = runs // 4
    print(f"Coverage by measure, nominal .95: {runs} tables on one split, {few} on folds")
    heads = [
        f"{name}, n = {n}" for name in ("holdout", "clt, cv:10", "corrected-t, cv:10") for n in (200, 1000)
    ]
    print("| population | measure | " + " | ".join([*heads, "corrected-t, cv:3x10, n = 200"]) + " |")
    print("|---|---|" + "---|" * 7)
    for population, names in MEASURED.items():
        split = [on_one_split(population, n, runs, np.random.default_rng(n)) for n in (200, 1000)]
        folds = [
            on_folds(population, n, few, np.random.default_rng(n), methods=("clt", "corrected-t"))
            for n in (200, 1000)
        ]
        repeated = on_folds(population, 200, few, np.random.default_rng(3), "cv:3x10", ("corrected-t",))
        for name in names:
            each = [of[name] for of in split]
            each += [of[name, method] for method in ("clt", "corrected-t") for of in folds]
            each.append(repeated[name, "corrected-t"])
            covered = " | ".join(f"{of['covered']:.3f}" for of in each)
            print(f"| {population} | {name} | {covered} |", flush=True)


def _pairs(runs: int) -> None:
    print(f"\nHow often two equally good models are told apart at level .05, {runs} tables")
    print("| measure | holdout, n = 200 | holdout, n = 1000 | clt, cv:10, n = 200 | clt, cv:10, n = 1000 |")
    print("|---|---|---|---|---|")
    for task in ("classification", "regression"):
        columns = [
            of_pairs(task, n, runs, np.random.default_rng(n), *by)
            for by in (("holdout", "holdout"), ("cv:10", "clt"))
            for n in (200, 1000)
        ]
        for name in columns[0]:
            print(f"| {name} | " + " | ".join(f"{of[name]:.3f}" for of in columns) + " |", flush=True)


def _intervals_and_verdicts(runs: int) -> None:
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


def _table(corner: str, heads: list[str], columns: list[dict[str, float]]) -> None:
    print(f"| {corner} | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for rule in columns[0]:
        print(f"| {rule} | " + " | ".join(f"{found[rule]:.3f}" for found in columns) + " |", flush=True)
