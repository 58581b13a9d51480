"""Support vector machines against scikit-learn's and scikit-learn-intelex's.

Every cell of n, d and C, a linear kernel, and a search of folds and C. Each cell is a process of its own, so
that a first fit is the first; a process before them touches the memory, which a virtual machine may be slow
to hand out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

HELD_OUT = 10_000
TOL = 1e-3
MEMORY = 4e9
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def table(n: int, d: int) -> tuple[Any, Any, Any]:
    from sklearn.datasets import make_classification
    from sklearn.preprocessing import StandardScaler

    X, y = make_classification(
        n_samples=n + HELD_OUT,
        n_features=d,
        n_informative=d // 2,
        n_redundant=d // 5,
        n_clusters_per_class=4,
        class_sep=1.0,
        flip_y=0.02,
        random_state=0,
    )
    X = StandardScaler().fit_transform(X)
    return X[:n], y[:n], X[n:]


def timed(call: Callable[[], Any], threads: int) -> tuple[float, Any]:
    # On one thread the seconds of this process's own work: what else the machine does is on neither side.
    clock = time.process_time if threads == 1 else time.perf_counter
    began = clock()
    result = call()
    return clock() - began, result


def violation(fit: Any, X: Any, y: Any, C: float, gamma: float | None) -> float:
    """Return the worst violation of the whole problem, in float64; the kernel is linear without gamma."""
    sign = np.where(y == fit.classes_[1], 1.0, -1.0)
    beta, support = np.zeros(len(y)), np.asarray(fit.support_)
    beta[support] = np.asarray(fit.dual_coef_, dtype=np.float64)[0]
    F = sign.copy()
    if gamma is None:
        F -= X @ (X.T @ beta)
    else:
        squares = (X**2).sum(axis=1)
        for r in range(0, len(y), 500):
            distance = squares[r : r + 500, None] + squares[support] - 2 * X[r : r + 500] @ X[support].T
            F[r : r + 500] -= np.exp(-gamma * np.maximum(distance, 0)) @ beta[support]
    # A coefficient that float32 has rounded is at its bound.
    edge = 1e-6 * C
    up = beta < np.maximum(0, sign * C) - edge
    low = beta > np.minimum(0, sign * C) + edge
    return float(F[up].max() - F[low].min())


def sides(which: list[str]) -> dict[str, Any]:
    """Return the classes to time, each with the type of its rows."""
    out: dict[str, Any] = {}
    for name in which:
        if name == "ours":
            from thetahat.svm.classification import SVC

            out[name] = (SVC, np.float64)
        elif name == "scikit-learn":
            from sklearn.svm import SVC as Peer

            out[name] = (Peer, np.float64)
        else:
            from sklearnex.svm import SVC as Other

            out[name] = (Other, np.float32)
    return out


def cell(n: int, d: int, C: float, kernel: str, runs: int, which: list[str], threads: int) -> dict[str, Any]:
    """Time fits in turn; the first to go changes with each run."""
    X, y, held_out = table(n, d)
    options = {"C": C, "tol": TOL, "kernel": kernel, **({"gamma": 1.0 / d} if kernel == "rbf" else {})}
    found: dict[str, Any] = {name: {"fit": [], "predict": []} for name in which}
    classes = sides(which)
    for run in range(runs):
        for name in which if run % 2 == 0 else which[::-1]:
            made, dtype = classes[name]
            rows, asked = X.astype(dtype), held_out.astype(dtype)
            seconds, fit = timed(lambda made=made, rows=rows: made(**options).fit(rows, y), threads)
            found[name]["fit"].append(seconds)
            found[name]["predict"].append(timed(lambda fit=fit, asked=asked: fit.predict(asked), threads)[0])
            found[name]["gap"] = violation(fit, X, y, C, options.get("gamma"))
    return found


def apart(arguments: list[str], threads: int) -> Any:
    """Run one cell in a process of its own, on so many threads and cores."""
    code = "import sys; from benchmarks.svm import one; one(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **dict.fromkeys(THREADS, str(threads))},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def one(arguments: list[str]) -> None:
    n, d, C, kernel, runs, which, threads = arguments
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: int(threads)]))
    if kernel == "search":
        print(json.dumps(search(int(runs), int(threads))))
        return
    print(json.dumps(cell(int(n), int(d), float(C), kernel, int(runs), which.split(","), int(threads))))


def later(seconds: list[float]) -> float:
    return statistics.median(seconds[1:] or seconds)


def compare(
    peer: str, cells: list[tuple[int, int, float, str]], runs: int, threads: int
) -> list[tuple[float, float, float]]:
    """Print a row for each cell; return the ratios of first fits, later fits and predictions."""
    print(f"\nours and {peer}, {'CPU' if threads == 1 else 'wall-clock'} seconds, threads: {threads}")
    print("| n | d | C | ours first, s | later, s | peer first, s | later, s | first × | later × | predict × "
          "| our gap | peer's gap |")  # fmt: skip
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    ratios = []
    for n, d, C, kernel in cells:
        times = runs if n <= 5_000 else max(2, runs // 2)
        found = apart([str(n), str(d), str(C), kernel, str(times), f"ours,{peer}", str(threads)], threads)
        mine, other = found["ours"], found[peer]
        first, after = other["fit"][0] / mine["fit"][0], later(other["fit"]) / later(mine["fit"])
        asked = statistics.median(other["predict"]) / statistics.median(mine["predict"])
        ratios.append((first, after, asked))
        figures = [mine["fit"][0], later(mine["fit"]), other["fit"][0], later(other["fit"]), first]
        row = [f"{n:,}", f"{d}", f"{C:g}", *(f"{each:.2f}" for each in figures)]
        row += [f"{after:.1f}", f"{asked:.1f}", f"{mine['gap']:.2g}", f"{other['gap']:.2g}"]
        print(f"| {' | '.join(row)} |", flush=True)
    mean, least = np.exp(np.log(ratios).mean(axis=0)), np.min(ratios, axis=0)
    print(f"geometric mean: first {mean[0]:.1f}x, later {mean[1]:.1f}x, predict {mean[2]:.1f}x; ", end="")
    print(f"least: first {least[0]:.2f}x, later {least[1]:.1f}x, predict {least[2]:.1f}x")
    return ratios


def search(runs: int, threads: int) -> dict[str, Any]:
    """Five folds of seven prices: one kernel matrix against GridSearchCV."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.svm import SVC as Peer

    from thetahat.contracts import Draw, Sample
    from thetahat.svm.estimator import SupportVectorMachine

    X, y, _ = table(5_000, 20)
    prices = np.logspace(-2, 2, 7)
    splits = list(StratifiedKFold(5).split(X, y))
    draws = [Draw(train, test) for train, test in splits]
    machine = SupportVectorMachine(2, gamma=0.05, tol=TOL)

    def ours() -> Any:
        fits = machine.prepare(Sample(X, y)).solve(draws, prices)
        return [
            float(np.mean(machine.predict(fit.theta, X[draws[k // 7].test]).value == y[draws[k // 7].test]))
            for k, fit in enumerate(fits)
        ]

    def theirs() -> Any:
        jobs = None if threads == 1 else threads
        grid = GridSearchCV(Peer(gamma=0.05, tol=TOL), {"C": prices}, cv=splits, refit=False, n_jobs=jobs)
        found = grid.fit(X, y).cv_results_
        return [float(found[f"split{k // 7}_test_score"][k % 7]) for k in range(35)]

    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    scores: dict[str, Any] = {}
    for run in range(runs):
        for name in ("ours", "peer") if run % 2 == 0 else ("peer", "ours"):
            spent, scores[name] = timed(ours if name == "ours" else theirs, threads)
            seconds[name].append(spent)
    return {**seconds, "apart": float(np.abs(np.array(scores["ours"]) - scores["peer"]).max())}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks svm", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="fits of each side; half as many of 20,000 rows")
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--threads", type=int, default=1, help="threads and cores of both sides")
    parser.add_argument(
        "--parts",
        nargs="+",
        default=["scikit-learn", "intelex", "linear", "search"],
        help="which of scikit-learn, intelex, linear, search",
    )
    options = parser.parse_args(argv)
    subprocess.run([sys.executable, "-c", f"import numpy as np; np.ones(int({MEMORY}) // 8)"], check=True)
    # What is measured is a process on a machine that has compiled before, as the code is kept on disk.
    apart(["300", "20", "1", "rbf", "1", "ours", "1"], 1)
    apart(["4000", "20", "1", "rbf", "1", "ours", "1"], 1)
    cells = [(n, d, C, "rbf") for n in options.rows for d in (20, 100) for C in (1.0, 100.0)]
    if "scikit-learn" in options.parts:
        compare("scikit-learn", cells, options.runs, options.threads)
        print("targets: later 5x in the mean, first never below 1x, predict 10x")
    if "intelex" in options.parts:
        try:
            import sklearnex  # noqa: F401 -- a peer that not every machine can install
        except ImportError:
            print("\nscikit-learn-intelex is not installed: pip install scikit-learn-intelex")
        else:
            compare("intelex", cells, options.runs, options.threads)
            print(
                "its rows are float32; targets: 2x in the mean of all fits, 1x in every cell, first fits too"
            )
    if "linear" in options.parts:
        print("\nlinear kernel", end="")
        few = [(5_000, 20, 1.0, "linear"), (5_000, 100, 1.0, "linear"), (5_000, 20, 100.0, "linear")]
        more = [(20_000, 20, 1.0, "linear")] if 20_000 in options.rows else []
        compare("scikit-learn", few + more, min(options.runs, 3), options.threads)
    if "search" in options.parts:
        found = apart(["0", "0", "0", "search", str(options.runs), "", str(options.threads)], options.threads)
        mine, peers = statistics.median(found["ours"]), statistics.median(found["peer"])
        print(
            f"\n5 folds x 7 prices, n = 5,000, d = 20: ours {mine:.2f} s, GridSearchCV {peers:.2f} s, ",
            end="",
        )
        print(
            f"ratio {peers / mine:.1f} (held-out accuracies differ by at most {found['apart']:.2g}; target 8)"
        )
    print(f"\nAgain: python -m benchmarks svm {' '.join(argv)}")


if __name__ == "__main__":
    raise SystemExit("run it as: python -m benchmarks svm")
