"""Logistic and softmax regression: one fit at the same gradient norm, and a grid of folds and penalties."""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold

from benchmarks.pairing import alternate
from thetahat.contracts import Draw, Sample
from thetahat.linear.logistic import Logistic

# Gradient a row, largest entry, that every solver must reach.
GRADIENT = 1e-8


def table(rows: int, columns: int, classes: int, correlation: float) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(rows, 1))
    X = np.sqrt(1 - correlation) * rng.normal(size=(rows, columns)) + np.sqrt(correlation) * shared
    y = (0.3 * X @ rng.normal(size=(columns, classes)) + rng.gumbel(size=(rows, classes))).argmax(axis=1)
    return X, y


def gradient(X: Any, y: Any, coef: Any, intercept: Any) -> float:
    """Largest entry of the gradient of a fit with C = 1, a row."""
    binary = len(coef) == 1
    eta = X @ coef.T + intercept
    if binary:
        residual = 1 / (1 + np.exp(-eta)) - y[:, None]
    else:
        p = np.exp(eta - eta.max(axis=1, keepdims=True))
        residual = p / p.sum(axis=1, keepdims=True) - np.eye(len(coef))[y]
    return float(max(np.abs(residual.T @ X + coef).max(), np.abs(residual.sum(axis=0)).max()) / len(X))


def one_fit(classes: int, correlation: float, runs: int) -> None:
    X, y = table(100_000, 50, classes, correlation)
    reached = {}

    def ours() -> None:
        theta = Logistic(classes=classes, tol=1e-5).estimate(Sample(X, y), rng=np.random.default_rng(0)).theta
        reached["ours"] = gradient_later(theta.coef.T, theta.intercept)

    def gradient_later(coef: Any, intercept: Any) -> tuple[Any, Any]:
        return np.array(coef), np.array(intercept)

    print(f"one fit, n = 100,000, d = 50, {classes} classes, columns correlated {correlation:g}")
    for solver in ("lbfgs", "newton-cholesky"):

        def peer(solver: str = solver) -> None:
            fit = LogisticRegression(solver=solver, tol=GRADIENT, max_iter=1000).fit(X, y)
            reached[solver] = gradient_later(fit.coef_, fit.intercept_)

        slow = solver == "newton-cholesky" and classes > 2
        ratio = alternate(ours, peer, 1 if slow else runs, warm_up=not slow)
        norms = [gradient(X, y, *reached[side]) for side in ("ours", solver)]
        print(f"  {solver:15} {ratio}; gradient a row: ours {norms[0]:.1e}, peer {norms[1]:.1e}")


def grid(runs: int) -> None:
    X, y = table(20_000, 30, 2, 0.3)
    folds = list(KFold(10).split(X))
    draws = [Draw(train, test) for train, test in folds]
    C = np.logspace(-4, 2, 20)
    errors = {}

    def ours() -> None:
        fits = iter(Logistic(tol=1e-6).prepare(Sample(X, y)).solve(draws, C))
        found = np.empty((len(draws), len(C)))
        for row, draw in zip(found, draws, strict=True):
            thetas = [next(fits).theta for _ in C]
            coef = np.column_stack([theta.coef[:, 0] for theta in thetas])
            eta = X[draw.test] @ coef + np.array([theta.intercept[0] for theta in thetas])
            row[:] = ((eta > 0) == (y[draw.test] == 1)[:, None]).mean(axis=0)
        errors["ours"] = found

    def peer() -> None:
        search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": C}, cv=folds, refit=False).fit(X, y)
        errors["peer"] = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(10)])

    ratio = alternate(ours, peer, runs)
    print("10 folds x 20 penalties, n = 20,000, d = 30, two classes, accuracy on each fold")
    print(f"  GridSearchCV    {ratio}")
    print(f"  accuracies differ by at most {np.abs(errors['ours'] - errors['peer']).max():.2g}")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks logistic", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args(argv).runs
    warnings.simplefilter("ignore")
    for classes in (2, 10):
        for correlation in (0.0, 0.5):
            one_fit(classes, correlation, runs)
    grid(runs)
    print("targets: one fit at least 1x the fastest solver; the grid at least 5x")
    print("again: python -m benchmarks logistic")
