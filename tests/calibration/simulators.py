"""Populations where the truth is known, fitted fast: held-out residuals of least squares without refitting.

Leaving a set S out of least squares changes its residuals to (I − H_SS)⁻¹ r_S, with H the hat matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from scipy import signal

from thetahat.contracts import Draw
from thetahat.resampling.intervals import IntervalMethod, OverDraws
from thetahat.resampling.plans import KFold, Rows


def hat(X, y):
    A = np.column_stack([np.ones(len(X)), X])
    Q, R = np.linalg.qr(A)
    return Q @ Q.T, y - Q @ (Q.T @ y), np.linalg.solve(R, Q.T @ y)


def held_out_residuals(H, r, tests: Sequence) -> list:
    """Return the residuals of each set of rows, had it not been fitted on; sets of one size together."""
    found: list = [None] * len(tests)
    sizes = np.array([len(test) for test in tests])
    for size in np.unique(sizes):
        places = np.flatnonzero(sizes == size)
        S = np.stack([tests[k] for k in places])
        M = np.eye(size) - H[S[:, :, None], S[:, None, :]]
        for k, residual in zip(places, np.linalg.solve(M, r[S][..., None])[..., 0], strict=True):
            found[k] = residual
    return found


def over(draws: Sequence[Draw], losses: Sequence, n: int) -> OverDraws:
    test = np.array([float(len(draw.test)) for draw in draws])
    train = np.array([float(len(np.unique(draw.train))) for draw in draws])
    tests = [draw.test for draw in draws]
    return OverDraws(np.array([rows.mean() for rows in losses]), train, test, list(losses), tests)


def random_splits(n: int, share: float, count: int, rng: Generator) -> list[Draw]:
    draws = []
    for _ in range(count):
        order = rng.permutation(n)
        cut = round(share * n)
        draws.append(Draw(np.sort(order[cut:]), np.sort(order[:cut])))
    return draws


def coverage(
    n: int,
    method: IntervalMethod,
    draw: Callable[[Generator], Sequence[Draw]],
    runs: int,
    rng: Generator,
    *,
    p: int = 20,
    level: float = 0.95,
) -> dict[str, float]:
    """Return how often the interval covers the error of the fitted model, and that of the algorithm.

    Least squares of unit noise on p standard normal features that do not matter: the error of a fit is
    1 + |b|², intercept and all, in closed form.
    """
    ends, truths, widths = [], [], []
    for _ in range(runs):
        X, y = rng.normal(size=(n, p)), rng.normal(size=n)
        H, r, b = hat(X, y)
        draws = draw(rng)
        losses = [e**2 for e in held_out_residuals(H, r, [d.test for d in draws])]
        low, high = method(over(draws, losses, n)).interval(level)
        ends.append((low, high))
        truths.append(1 + b @ b)
        widths.append(high - low)
    low, high = np.array(ends).T
    truth = np.array(truths)
    return {
        "fitted": float(np.mean((low <= truth) & (truth <= high))),
        "expected": float(np.mean((low <= truth.mean()) & (truth.mean() <= high))),
        "width": float(np.median(widths)),
    }


def paired_rejections(
    n: int, gap: float, rules: dict[str, Callable], plan, runs: int, rng: Generator
) -> dict[str, float]:
    """Return how often each rule tells two least-squares learners on disjoint halves of 20 features apart.

    With ``gap`` 0 both halves say nothing of y, and the learners are equally bad.
    """
    told = dict.fromkeys(rules, 0)
    for _ in range(runs):
        X = rng.normal(size=(n, 20))
        y = rng.normal(size=n) + gap * X[:, 0]
        draws = plan.draws(Rows(n), rng=rng)
        tests = [d.test for d in draws]
        sides = []
        for half in (X[:, :10], X[:, 10:]):
            H, r, _ = hat(half, y)
            sides.append(over(draws, [e**2 for e in held_out_residuals(H, r, tests)], n))
        for name, rule in rules.items():
            told[name] += bool(rule(*sides))
    return {name: count / runs for name, count in told.items()}


def selected_winner(n: int, candidates: int, runs: int, rng: Generator, correct) -> dict[str, float]:
    """Return the optimism of both estimates, and coverage, for candidates of Beta(9, 6) accuracy."""
    naive, corrected, covered = [], [], []
    for _ in range(runs):
        truth = 1 - rng.beta(9, 6, candidates)
        losses = (rng.random((n, candidates)) < truth).astype(float)
        means = losses.mean(axis=0)
        best = rng.choice(np.flatnonzero(means == means.min()))
        found = correct(losses, rng)
        naive.append(truth[best] - means[best])
        corrected.append(truth[best] - found.estimate)
        covered.append(found.low <= truth[best] <= found.high)
    return {"naive": np.mean(naive), "corrected": np.mean(corrected), "covered": np.mean(covered)}


def grouped_rejections(
    groups: int, each: int, rules: dict[str, Callable], runs: int, rng: Generator
) -> dict[str, float]:
    """Return how often each rule tells two equally bad learners apart on rows that hang together in groups.

    Half of the variance of the target and of every feature is common to a group. ``rules[name](codes)``
    gives the rule for these group codes.
    """
    codes, n = np.repeat(np.arange(groups), each), groups * each
    told = dict.fromkeys(rules, 0)
    judges = {name: rule(codes) for name, rule in rules.items()}
    for _ in range(runs):
        both = np.sqrt(0.5) * (rng.normal(size=(groups, 21))[codes] + rng.normal(size=(n, 21)))
        draws = KFold(10).draws(Rows(n, groups=codes), rng=rng)
        tests = [d.test for d in draws]
        sides = []
        for half in (both[:, :10], both[:, 10:20]):
            H, r, _ = hat(half, both[:, 20])
            sides.append(over(draws, [e**2 for e in held_out_residuals(H, r, tests)], n))
        for name, judge in judges.items():
            told[name] += bool(judge(*sides))
    return {name: count / runs for name, count in told.items()}


def ordered_rejections(
    n: int, rho: float, rules: dict[str, Callable], runs: int, rng: Generator
) -> dict[str, float]:
    """Return how often each rule tells two equally bad learners apart on rows ordered in time.

    The target and three features a learner are autoregressions of coefficient ``rho`` and variance 1.
    ``rules[name](times, draws)`` gives the rule for these draws.
    """
    times = np.arange(n)
    draws = KFold(5).draws(Rows(n, times=times), rng=rng)
    told = dict.fromkeys(rules, 0)
    judges = {name: rule(times, draws) for name, rule in rules.items()}
    for _ in range(runs):
        steps = rng.normal(size=(n, 7)) * np.sqrt(1 - rho**2)
        series = signal.lfilter([1.0], [1.0, -rho], steps, axis=0, zi=rho * rng.normal(size=(1, 7)))[0]
        sides = []
        for half in (series[:, :3], series[:, 3:6]):
            A = np.column_stack([np.ones(n), half])
            losses = []
            for draw in draws:
                b = np.linalg.lstsq(A[draw.train], series[draw.train, 6])[0]
                losses.append((series[draw.test, 6] - A[draw.test] @ b) ** 2)
            sides.append(over(draws, losses, n))
        for name, judge in judges.items():
            told[name] += bool(judge(*sides))
    return {name: count / runs for name, count in told.items()}


def refitted_coverage(
    n: int, method: Callable, plan, runs: int, rng: Generator, *, p: int = 20, level: float = 0.95
) -> dict[str, float]:
    """Return as :func:`coverage` for draws that repeat rows or leave some out of both sides.

    ``method(draws)`` is the interval. Beside it: the ratio of the mean standard error to the spread of the
    estimate, and its bias for the error of the algorithm.
    """
    found, truths = [], []
    for _ in range(runs):
        X, y = rng.normal(size=(n, p)), rng.normal(size=n)
        A = np.column_stack([np.ones(n), X])
        draws, losses = plan.draws(Rows(n), rng=rng), []
        for draw in draws:
            b = np.linalg.lstsq(A[draw.train], y[draw.train])[0]
            losses.append((y[draw.test] - A[draw.test] @ b) ** 2)
        b = np.linalg.lstsq(A, y)[0]
        by_chance = float(np.mean((y[:, None] - (A @ b)[None, :]) ** 2))
        mean = method(draws)(replace(over(draws, losses, n), no_information=by_chance))
        found.append((mean.estimate, mean.se, *mean.interval(level)))
        truths.append(1 + b @ b)
    estimate, se, low, high = np.array(found).T
    truth = np.array(truths)
    return {
        "fitted": float(np.mean((low <= truth) & (truth <= high))),
        "expected": float(np.mean((low <= truth.mean()) & (truth.mean() <= high))),
        "se ratio": float(se.mean() / estimate.std(ddof=1)),
        "bias": float(estimate.mean() - truth.mean()),
    }
