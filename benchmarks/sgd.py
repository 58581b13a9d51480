"""One epoch of stochastic gradient descent against scikit-learn: same steps, so the same final loss."""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from scipy import sparse
from sklearn.linear_model import SGDClassifier as Peer

import thetahat as th
from benchmarks.pairing import alternate


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


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks sgd", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
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
    print("| rows | order | times | log-loss: ours, peer |")
    print("|---|---|---|---|")
    tables = {
        f"dense {options.rows} x 50": dense(options.rows, 50, rng),
        f"sparse {options.rows // 5} x 100000, 50 a row": thin(options.rows // 5, 100_000, 50, rng),
    }
    for name, (X, y) in tables.items():
        for shuffle in (False, True):
            ours = th.SGDClassifier(**common, shuffle=shuffle)
            peer = Peer(**common, shuffle=shuffle)
            ratio = alternate(
                lambda ours=ours, X=X, y=y: ours.fit(X, y),
                lambda peer=peer, X=X, y=y: peer.fit(X, y),
                options.runs,
            )
            order = "shuffled" if shuffle else "in order"
            print(
                f"| {name} | {order} | {ratio} | {log_loss(ours, X, y):.5f}, {log_loss(peer, X, y):.5f} |",
                flush=True,
            )
    X, y = tables[f"dense {options.rows} x 50"]
    few = th.SGDClassifier(**{**common, "eta0": 0.2}, shuffle=False, batch_size=32)
    peer = Peer(**common, shuffle=False)
    ratio = alternate(lambda: few.fit(X, y), lambda: peer.fit(X, y), options.runs)
    print(
        f"| dense, 32 rows a step | in order | {ratio} | "
        f"{log_loss(few, X, y):.5f}, {log_loss(peer, X, y):.5f} |"
    )
