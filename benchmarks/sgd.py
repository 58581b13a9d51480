"""One epoch of stochastic gradient descent against scikit-learn: same steps, so the same final loss."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.linear_model import SGDClassifier as Peer
from threadpoolctl import threadpool_limits

import thetahat as th
from benchmarks.pairing import alternate
from thetahat.linear.sgd_state import IN_ORDER, WEIGHTLESS, SgdSettings, advance, begin

COLD = """
import time
began = time.perf_counter()
import numpy as np
{import_}
rng = np.random.default_rng(0)
X = rng.standard_normal((1000, 20), dtype=np.float32)
y = (X[:, 0] > 0).astype(np.int8)
imported = time.perf_counter()
Model("log_loss", max_iter=5, tol=None).fit(X, y)
print(imported - began, time.perf_counter() - imported)
"""
SIDES = {
    "thetahat": "from thetahat import SGDClassifier as Model",
    "scikit-learn": "from sklearn.linear_model import SGDClassifier as Model",
}


def dense(n, d, rng):
    X = rng.standard_normal((n, d), dtype=np.float32)
    w = rng.standard_normal(d).astype(np.float32) / 7
    return X, (rng.random(n) < 1 / (1 + np.exp(-2 * X @ w))).astype(np.int8)


def thin(n, d, k, rng):
    indices = np.minimum((d * rng.random((n, k)) ** 2).astype(np.int32), d - 1)
    indices.sort(axis=1)
    data = rng.standard_normal((n, k), dtype=np.float32)
    w = rng.standard_normal(d).astype(np.float32) / 4
    y = (rng.random(n) < 1 / (1 + np.exp(-(data * w[indices]).sum(axis=1)))).astype(np.int8)
    start = np.arange(0, n * k + 1, k, dtype=np.int32)
    return sparse.csr_matrix((data.ravel(), indices.ravel(), start), shape=(n, d)), y


def log_loss(model, X, y):
    eta = np.asarray(X @ model.coef_[0]).ravel() + model.intercept_[0]
    return float(np.mean(np.logaddexp(0, -(2.0 * y - 1) * eta)))


def loop_alone(X, y, shuffle, batch=1):
    """Return the seconds of our loop by itself: no checks, no labels, no order to be drawn."""
    settings = SgdSettings("log_loss", None, schedule="constant", eta0=0.01, batch=batch)
    target, n = (2 * y - 1).astype(np.int8), X.shape[0]
    order = np.random.default_rng(0).permutation(n) if shuffle else IN_ORDER
    times = []
    for _ in range(5):
        state = begin(settings, 1, X.shape[1], X.dtype)
        began = time.perf_counter()
        advance(state, X, target, WEIGHTLESS, settings, order, told=False)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def processes(runs: int) -> None:
    """Print the seconds that a new process takes to import and to fit, its loops compiled before."""
    print("\n| a new process | import | first fit, 1 000 x 20 |")
    print("|---|---|---|")
    for name, line in SIDES.items():
        told = []
        for _ in range(runs + 1):
            command = [sys.executable, "-c", COLD.format(import_=line)]
            out = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
            told.append([float(word) for word in out.split()])
        imported, fitted = np.median(told[1:], axis=0)
        print(f"| {name} | {imported:.2f} s | {fitted:.2f} s |", flush=True)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks sgd", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        epochs(options.rows, options.runs)
    processes(5)


def epochs(n: int, runs: int) -> None:
    rng = np.random.default_rng(0)
    common = {
        "loss": "log_loss",
        "penalty": None,
        "learning_rate": "constant",
        "eta0": 0.01,
        "max_iter": 1,
        "tol": None,
        "random_state": 0,
    }
    print("| rows | order | times of `fit` | our loop alone | log-loss: ours, peer |")
    print("|---|---|---|---|---|")
    tables = {
        f"dense {n} x 50": dense(n, 50, rng),
        f"sparse {n // 5} x 100000, 50 a row": thin(n // 5, 100_000, 50, rng),
    }
    cases = [(name, shuffle, 1) for name in tables for shuffle in (False, True)]
    cases.append((f"dense {n} x 50", False, 32))
    for name, shuffle, batch in cases:
        X, y = tables[name]
        ours = th.SGDClassifier(
            **common | ({"eta0": 0.2} if batch > 1 else {}), shuffle=shuffle, batch_size=batch
        )
        peer = Peer(**common, shuffle=shuffle)
        ratio = alternate(
            lambda ours=ours, X=X, y=y: ours.fit(X, y), lambda peer=peer, X=X, y=y: peer.fit(X, y), runs
        )
        order = "shuffled" if shuffle else "in order"
        losses = f"{log_loss(ours, X, y):.5f}, {log_loss(peer, X, y):.5f}"
        what = name if batch == 1 else f"{name}, {batch} rows a step against 1"
        alone = loop_alone(X, y, shuffle, batch)
        print(f"| {what} | {order} | {ratio} | {alone:.4f} s | {losses} |", flush=True)
