"""Training small and wide networks: ours against PyTorch eager, JAX's scan and scikit-learn.

``python -m benchmarks networks [a b c]``. Float32, Adam, one thread and one core; the same data everywhere,
and for PyTorch and JAX the same initial weights and batches, so that their final losses must equal ours.
PyTorch and JAX are compared where they are installed.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.pairing import alternate
from thetahat.distributions import CategoricalOutput
from thetahat.networks.engine import TrainingProblem, negative_log_likelihood
from thetahat.networks.engine.static import StaticExecutor
from thetahat.optimisers.adam import Adam

CASES = {
    "a": {"rows": 9984, "columns": 32, "hidden": (64, 64), "classes": 10, "batch": 64, "epochs": 6},
    "b": {"rows": 49920, "columns": 784, "hidden": (256, 128), "classes": 10, "batch": 128, "epochs": 1},
    "c": {"rows": 992, "columns": 10, "hidden": (32,), "classes": 3, "batch": 32, "epochs": 60},
}
TARGETS = {
    "torch": {"a": 11.0, "b": 1.35, "c": 90.0},
    "jax": {"a": 1.5, "b": 1.0, "c": 2.5},
    "sklearn": {"a": 9.0, "b": 1.9, "c": 60.0},
}
RUNS = 5


class Case:
    """Data, initial weights and batches of one comparison."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shape: dict[str, Any] = CASES[name]
        rng = np.random.default_rng(0)
        n, d, k = self.shape["rows"], self.shape["columns"], self.shape["classes"]
        self.X = rng.standard_normal((n, d), dtype=np.float32)
        mixing = rng.standard_normal((d, 24)) / np.sqrt(d)
        score = np.tanh(2 * self.X @ mixing) @ rng.standard_normal((24, k))
        self.y = np.argmax(score + 0.5 * rng.standard_normal((n, k)), axis=1)
        sizes = (d, *self.shape["hidden"], k)
        self.weights: list[np.ndarray[Any, Any]] = []
        for i, o in zip(sizes, sizes[1:], strict=False):
            limit = np.sqrt(6 / (i + o))
            self.weights.append(rng.uniform(-limit, limit, (i, o)).astype(np.float32))
            self.weights.append(rng.uniform(-limit, limit, o).astype(np.float32))
        self.orders = [rng.permutation(n) for _ in range(self.shape["epochs"])]

    @property
    def steps(self) -> int:
        return self.shape["epochs"] * (self.shape["rows"] // self.shape["batch"])

    def loss(self, weights: list[Any]) -> float:
        h = self.X.astype(float)
        for place in range(0, len(weights), 2):
            h = h @ weights[place] + weights[place + 1]
            if place < len(weights) - 2:
                h = np.maximum(h, 0)
        h -= h.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(h).sum(axis=1)) - h[np.arange(len(h)), self.y]))


def ours(case: Case) -> Callable[[], list[Any]]:
    family = CategoricalOutput(case.shape["classes"])

    def loss(p: list[Any], batch: Any) -> Any:
        h = batch["X"]
        for place in range(0, len(p), 2):
            h = h @ p[place] + p[place + 1]
            if place < len(p) - 2:
                h = np.maximum(h, 0.0)
        return np.mean(negative_log_likelihood(family, h, batch["y"]))

    problem = TrainingProblem(loss, case.weights, {"X": case.X, "y": case.y})

    def run() -> list[Any]:
        executor = StaticExecutor(problem, Adam())
        for order in case.orders:
            executor.run(order, case.shape["batch"])
        return executor.parameters

    return run


def torch_eager(case: Case) -> Callable[[], list[Any]]:
    import torch

    torch.set_num_threads(1)
    X, y, batch = torch.from_numpy(case.X), torch.from_numpy(case.y), case.shape["batch"]
    orders = [torch.from_numpy(order) for order in case.orders]

    def run() -> list[Any]:
        layers: list[Any] = []
        for place in range(0, len(case.weights), 2):
            W, b = case.weights[place : place + 2]
            layer = torch.nn.Linear(*W.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(W.T.copy()))
                layer.bias.copy_(torch.from_numpy(b))
            layers += [layer, torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers[:-1])
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
        cost = torch.nn.CrossEntropyLoss()
        for order in orders:
            for rows in order.split(batch):
                optimiser.zero_grad()
                cost(net(X[rows]), y[rows]).backward()
                optimiser.step()
        return [p.detach().numpy().T for p in net.parameters()]

    return run


def jax_scan(case: Case) -> Callable[[], list[Any]]:
    import jax
    import jax.numpy as jnp

    X, y, batch = jnp.asarray(case.X), jnp.asarray(case.y), case.shape["batch"]
    orders = [jnp.asarray(order.reshape(-1, batch)) for order in case.orders]

    def cost(p: Any, rows: Any) -> Any:
        h = X[rows]
        for place in range(0, len(p), 2):
            h = h @ p[place] + p[place + 1]
            if place < len(p) - 2:
                h = jax.nn.relu(h)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(h), y[rows][:, None], 1))

    def step(carry: Any, rows: Any) -> Any:
        p, m, v, t = carry
        g = jax.grad(cost)(p, rows)
        t = t + 1
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g, strict=True)]
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        p = [q - 1e-3 * (a / c1) / (jnp.sqrt(b / c2) + 1e-8) for q, a, b in zip(p, m, v, strict=True)]
        return (p, m, v, t), None

    epoch = jax.jit(lambda carry, rows: jax.lax.scan(step, carry, rows)[0])

    def run() -> list[Any]:
        p = [jnp.asarray(w) for w in case.weights]
        zeros = [jnp.zeros_like(w) for w in p]
        carry = (p, zeros, zeros, jnp.float32(0))
        for order in orders:
            carry = epoch(carry, order)
        return [np.asarray(w) for w in carry[0]]

    return run


def scikit_learn(case: Case) -> Callable[[], list[Any]]:
    from sklearn.neural_network import MLPClassifier

    def run() -> list[Any]:
        model = MLPClassifier(
            case.shape["hidden"], alpha=0.0, batch_size=case.shape["batch"], max_iter=case.shape["epochs"],
            n_iter_no_change=10**6, random_state=0,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(case.X, case.y)
        return [w for pair in zip(model.coefs_, model.intercepts_, strict=True) for w in pair]

    return run


PEERS = {"torch": torch_eager, "jax": jax_scan, "sklearn": scikit_learn}


def main(argv: list[str]) -> None:
    if hasattr(os, "sched_setaffinity"):
        # JAX counts cores and heeds no number of threads.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    names = [name for name in argv if name in CASES] or list(CASES)
    for name in names:
        case = Case(name)
        mine = ours(case)
        began = time.perf_counter()
        final = case.loss(mine())
        shape = case.shape
        print(
            f"{name}: {shape['rows']} x {shape['columns']}, hidden {shape['hidden']}, "
            f"batch {shape['batch']}, {case.steps} steps; first run {time.perf_counter() - began:.2f} s"
        )
        for peer, make in PEERS.items():
            try:
                theirs = make(case)
            except ImportError:
                print(f"  {peer:8s} not installed")
                continue
            reached = case.loss(theirs())
            ratio = alternate(mine, theirs, runs=RUNS)
            a, b = (statistics.median(times) / case.steps * 1e6 for times in (ratio.ours, ratio.peer))
            print(
                f"  {peer:8s} ours {a:8.2f} us/step, peer {b:8.2f}, ratio {ratio.value:7.2f}x "
                f"(wanted {TARGETS[peer][name]}x); final loss {final:.5f} and {reached:.5f}"
            )
