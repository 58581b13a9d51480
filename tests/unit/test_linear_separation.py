"""Separation against certificates from the other side of duality."""

import numpy as np
import pytest
from scipy.optimize import linprog

from thetahat.contracts import Sample, Status
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson
from thetahat.linear.separation import separated_classes, separated_counts

RNG = np.random.default_rng(0)


def oracle(rows):
    """Overlap: positive multiples of the rows sum to 0 (Stiemke). Complete: every row has a margin of 1."""
    n, p = rows.shape
    overlap = linprog(np.zeros(n), A_eq=rows.T, b_eq=np.zeros(p), bounds=(1, None), method="highs")
    if overlap.status == 0:
        return "overlap"
    margin = linprog(np.zeros(p), A_ub=-rows, b_ub=-np.ones(n), bounds=(None, None), method="highs")
    return "complete" if margin.status == 0 else "quasi"


def said(found):
    return "overlap" if found is None else "complete" if found.complete else "quasi"


def random_design(kind, rng):
    n, d = rng.integers(8, 31), rng.integers(1, 5)
    # Few values, so that many rows lie on the border of a quasi-complete separation.
    X = (
        rng.integers(-1, 2, size=(n, d)).astype(float)
        if kind == "quasi"
        else rng.integers(-3, 4, size=(n, d))
    )
    score = X @ rng.integers(-2, 3, size=d) + rng.integers(-1, 2)
    chance = rng.random(n) < 0.5
    y = {"random": chance, "complete": score + 0.5 > 0, "quasi": (score > 0) | ((score == 0) & chance)}[kind]
    return X, y.astype(int)


def test_a_thousand_random_designs_are_told_apart_without_a_mistake():
    seen = {"overlap": 0, "complete": 0, "quasi": 0}
    for number in range(1000):
        rng = np.random.default_rng(number)
        X, y = random_design(["random", "complete", "quasi"][number % 3], rng)
        if len(np.unique(y)) < 2:
            continue
        Z = np.column_stack([np.ones(len(X)), X])
        truth = oracle((2 * y - 1)[:, None] * Z)
        assert said(separated_classes(Z, y, 2)) == truth, number
        fit = Logistic(C=np.inf).estimate(Sample(X, y), rng=rng)
        full_rank = np.linalg.matrix_rank(Z) == Z.shape[1]
        assert (fit.status is Status.SEPARABLE) == (truth != "overlap"), number
        assert (fit.status is Status.SOLVED) == (truth == "overlap" and full_rank), number
        seen[truth] += 1
    assert min(seen.values()) >= 100, seen


def test_three_classes_are_told_apart_as_the_oracle_says():
    seen = {"overlap": 0, "complete": 0, "quasi": 0}
    for number in range(200):
        rng = np.random.default_rng(number)
        n, d = 30, 2
        X = rng.integers(-3, 4, size=(n, d)).astype(float)
        score = X @ rng.integers(-2, 3, size=(d, 3)) + [0.1, 0.2, 0.3]
        y = score.argmax(axis=1)
        if number % 2:
            y[:6] = rng.integers(0, 3, size=6)
        if len(np.unique(y)) < 3:
            continue
        Z = np.column_stack([np.ones(n), X])
        rows = []
        for z, own in zip(Z, y, strict=True):
            for other in range(3):
                if other != own:
                    block = np.zeros((3, 3))
                    block[own], block[other] = z, -z
                    rows.append(block.ravel()[3:])
        truth = oracle(np.array(rows))
        assert said(separated_classes(Z, y, 3)) == truth, number
        fit = Logistic(C=np.inf, classes=3).estimate(Sample(X, y), rng=rng)
        assert (fit.status is Status.SEPARABLE) == (truth != "overlap"), number
        seen[truth] += 1
    assert min(seen["overlap"], seen["complete"]) >= 20, seen


def test_the_columns_that_separate_are_named():
    X = RNG.normal(size=(60, 3))
    y = (RNG.random(60) < 0.5).astype(int)
    X[:, 1] = np.where(RNG.random(60) < 0.3, y, 0)  # 1 only where y is 1
    fit = Logistic(C=np.inf).estimate(Sample(X, y), rng=RNG)
    assert fit.status is Status.SEPARABLE
    assert fit.detail == "quasi-completely separated by column 1"


def test_a_penalty_makes_separated_classes_estimable():
    X = np.arange(10.0)[:, None]
    y = (X[:, 0] > 4).astype(int)
    assert Logistic(C=1.0).estimate(Sample(X, y), rng=RNG).status is Status.SOLVED
    assert Logistic(C=np.inf).estimate(Sample(X, y), rng=RNG).status is Status.SEPARABLE


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_cross_entropy_falls_for_ever_on_separable_classes_only_without_a_penalty(C):
    X, y = np.arange(-5.0, 5.0)[:, None] + 0.5, np.repeat([0, 1], 5)
    loss = Logistic(C=C, intercept=False).loss(Sample(X, y))
    values = [loss.at(np.array([b])).value for b in (1.0, 4.0, 16.0, 64.0)]
    assert (np.diff(values) < 0).all() == np.isinf(C)


def test_counts_of_zero_set_apart_by_a_column_are_found():
    X = np.column_stack([RNG.normal(size=50), np.arange(50) < 10])
    y = RNG.poisson(np.exp(1 + 0.3 * X[:, 0]))
    y[:10] = 0
    fit = Poisson().estimate(Sample(X, y), rng=RNG)
    assert fit.status is Status.SEPARABLE
    assert fit.detail == "counts of 0 set apart by column 1"
    y[0] = 1
    assert separated_counts(np.column_stack([np.ones(50), X]), y) is None
    assert Poisson().estimate(Sample(X, y), rng=RNG).status is Status.SOLVED


@pytest.mark.parametrize("model", [Logistic(C=np.inf), Poisson()], ids=["logistic", "poisson"])
def test_collinear_columns_are_named_and_not_called_solved(model):
    X = RNG.normal(size=(80, 4))
    X[:, 3] = 2 * X[:, 0] + 1
    fit = model.estimate(Sample(X, RNG.integers(0, 2, size=80)), rng=RNG)
    assert fit.status is Status.NOT_IDENTIFIED
    for name in ("intercept", "column 0", "column 3"):
        assert name in fit.detail
    assert "column 1" not in fit.detail
