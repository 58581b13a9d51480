"""Designs without full column rank: what is not identified is said, and what is identified is right."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

import mpmath
import numpy as np
from numpy.random import Generator

import thetahat as th
from tests.torture.cancellation import solution
from tests.torture.trials import Part, Trial, spoken, worst_of

__all__ = ["PARTS"]

# Relative errors of fitted values: of direct solutions, and of what is iterated to a tolerance.
DIRECT, ITERATED = 1e-10, 1e-6
KINDS = (
    "duplicated",
    "one-hot with an intercept",
    "fewer rows than columns",
    "constant column",
    "sum of two",
)


def independent(Z: Any) -> list[int]:
    """Return the columns that do not depend on those before them, by exact elimination."""
    rows = [[Fraction(float(v)) for v in row] for row in Z]
    kept, top = [], 0
    for j in range(len(rows[0])):
        place = next((i for i in range(top, len(rows)) if rows[i][j]), None)
        if place is None:
            continue
        rows[top], rows[place] = rows[place], rows[top]
        for i in range(top + 1, len(rows)):
            if rows[i][j]:
                factor = rows[i][j] / rows[top][j]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[top], strict=True)]
        kept.append(j)
        top += 1
    return kept


def design(rng: Generator, kind: str) -> Any:
    """Return columns of whole numbers that, with an intercept, are dependent."""
    n, d = int(rng.integers(8, 15)), int(rng.integers(2, 5))
    while True:
        X = rng.integers(-9, 10, (n, d)).astype(float)
        if kind == "duplicated":
            X = np.column_stack([X, X[:, rng.integers(d)] * rng.choice([1.0, -3.0])])
        elif kind == "one-hot with an intercept":
            X = np.column_stack([X[:, :1], np.eye(3)[np.r_[0, 1, 2, rng.integers(0, 3, n - 3)]]])
        elif kind == "fewer rows than columns":
            X = rng.integers(-9, 10, (d, d + int(rng.integers(1, 4)))).astype(float)
        elif kind == "constant column":
            X = np.column_stack([X, np.full(n, float(rng.integers(1, 5)))])
        else:
            X = np.column_stack([X, X[:, 0] + X[:, 1]])
        Z = np.column_stack([np.ones(len(X)), X])
        if len(independent(Z)) < Z.shape[1] and (kind != "duplicated" or np.ptp(X, axis=0).all()):
            return X


def off(found: Any, exact: Any) -> float:
    """Return the largest difference, relative to the largest exact value."""
    found = np.asarray(found, dtype=float)
    if not np.isfinite(found).all():
        return inf
    size = float(np.abs(exact).max())
    return float(np.abs(found - exact).max()) / (size if size else 1.0)


def projection(X: Any, y: Any) -> tuple[Any, int]:
    """Return the fitted values of y on the columns and an intercept, and the rank."""
    Z = np.column_stack([np.ones(len(X)), X])
    kept = independent(Z)
    if len(kept) == len(X):
        return y, len(kept)
    with mpmath.workdps(60):
        beta, _ = solution(Z[:, kept], y)
        return np.array(
            [float(mpmath.fsum(float(v) * b for v, b in zip(row, beta, strict=True))) for row in Z[:, kept]]
        ), len(kept)


def least_squares(rng: Generator) -> Trial:
    """Fitted values are the projection; the rank is told; coefficients have no standard error."""
    import pandas as pd
    import statsmodels.api as sm
    from sklearn.linear_model import LinearRegression

    kind = KINDS[int(rng.integers(len(KINDS)))]
    X = design(rng, kind)
    y = rng.normal(size=len(X)) * 10.0 ** rng.integers(-3, 4) + 5
    exact, rank = projection(X, y)
    formula = kind != "fewer rows than columns" and rng.random() < 0.3
    broken = ""
    if formula:
        names = [f"x{j}" for j in range(X.shape[1])]
        frame = pd.DataFrame(X, columns=names).assign(y=y)
        found, _ = spoken(lambda: th.regress("y ~ " + " + ".join(names), frame))
        model, record = found.model, found.result
    else:
        model, _ = spoken(lambda: th.LinearRegression().fit(X, y))
        record = model.result_
    if model.status_.ok or record.status.ok:
        broken = "the status is well"
    if np.isfinite(record.standard_errors).any():
        broken = "a standard error is a number"
    if not formula and model.rank_ != rank - 1:
        broken = f"the rank beside the intercept is told as {model.rank_}, not {rank - 1}"
    Z = np.column_stack([np.ones(len(X)), X])
    theirs, said = spoken(lambda: sm.OLS(y, Z).fit())
    told = bool(theirs.df_resid > 0 and np.isfinite(theirs.bse).any())
    return Trial(
        f"{'regress' if formula else 'LinearRegression'}, {kind}, {X.shape}{': ' + broken if broken else ''}",
        inf if broken else off(model.predict(X), exact),
        DIRECT,
        peers={
            "scikit-learn": off(LinearRegression().fit(X, y).predict(X), exact),
            # It tells standard errors of what is not identified.
            "statsmodels": 0.0 if said else inf if told else off(theirs.fittedvalues, exact),
        },
    )


LIKELIHOODS: dict[str, Callable[[], Any]] = {
    "LogisticRegression": lambda: th.LogisticRegression(C=np.inf, tol=1e-10, max_iter=500),
    "PoissonRegression": lambda: th.PoissonRegression(alpha=0.0, tol=1e-10, max_iter=500),
}


def likelihoods(rng: Generator) -> Trial:
    """Without a penalty the fitted mean is that without the dependent columns, and the status says so."""
    name = tuple(LIKELIHOODS)[int(rng.integers(2))]
    kind = KINDS[int(rng.integers(4))]
    # In units of a power of two whole numbers stay exact, and so do their dependences.
    X = np.tile(design(rng, kind), (3, 1)) / 8
    Z = np.column_stack([np.ones(len(X)), X])
    kept = [j - 1 for j in independent(Z) if j]
    if name == "LogisticRegression":
        y = np.r_[np.arange(len(X) // 3) % 2, np.arange(len(X) // 3) % 2, (np.arange(len(X) // 3) + 1) % 2]
    else:
        y = rng.poisson(2.0, len(X))
    whole, _ = spoken(lambda: LIKELIHOODS[name]().fit(X, y))
    part, _ = spoken(lambda: LIKELIHOODS[name]().fit(X[:, kept], y))
    if not part.status_.ok:
        return Trial(f"{name}, {kind}: no maximum", 0.0, ITERATED, said=True)
    broken = ""
    if whole.status_.ok or whole.result_.status.ok:
        broken = ": the status is well"
    elif np.isfinite(whole.result_.standard_errors).any():
        broken = ": a standard error is a number"

    def mean(model: Any, rows: Any) -> Any:
        return model.predict_proba(rows)[:, 1] if name == "LogisticRegression" else model.predict(rows)

    error = off(mean(whole, X), mean(part, X[:, kept]))
    return Trial(f"{name} without a penalty, {kind}{broken}", inf if broken else error, ITERATED)


# A column that is split into two of 1/√2 of it is as good as whole, under a penalty on squares too.
SPLIT: dict[str, tuple[Callable[[], Any], str, float]] = {
    "Ridge": (lambda: th.Ridge(alpha=0.7), "y", DIRECT),
    "LogisticRegression": (lambda: th.LogisticRegression(tol=1e-10), "two", ITERATED),
    "LogisticRegression of three": (lambda: th.LogisticRegression(tol=1e-10), "three", ITERATED),
    "PoissonRegression": (lambda: th.PoissonRegression(tol=1e-10), "counts", ITERATED),
    "SVC": (lambda: th.SVC(kernel="linear", tol=1e-10), "two", ITERATED),
    "SVR": (lambda: th.SVR(kernel="linear", tol=1e-10), "y", ITERATED),
    "SVC with a Gaussian kernel": (lambda: th.SVC(gamma=0.3, tol=1e-10), "two", ITERATED),
    "SGDRegressor": (lambda: th.SGDRegressor(random_state=0, max_iter=5, tol=None), "y", DIRECT),
    "SGDClassifier": (
        lambda: th.SGDClassifier(loss="log_loss", random_state=0, max_iter=5, tol=None),
        "two",
        DIRECT,
    ),
}


def split_columns(rng: Generator) -> Trial:
    name = tuple(SPLIT)[int(rng.integers(len(SPLIT)))]
    make, target, allowed = SPLIT[name]
    n, d = int(rng.integers(15, 40)), int(rng.integers(2, 5))
    X = rng.normal(size=(n, d))
    y = {
        "y": X @ np.ones(d) + rng.normal(size=n),
        "two": (X[:, 0] + rng.normal(size=n) > 0).astype(int),
        "three": np.r_[0, 1, 2, rng.integers(0, 3, n - 3)],
        "counts": rng.poisson(2.0, n),
    }[target]
    if target == "two":
        y[:2] = 0, 1
    column = int(rng.integers(d))
    half = X[:, column] / np.sqrt(2)
    S = np.column_stack([np.delete(X, column, axis=1), half, half])

    def said(rows: Any) -> tuple[Any, bool]:
        model, warned = spoken(lambda: make().fit(rows, y))
        values = model.decision_function(rows) if target in ("two", "three") else model.predict(rows)
        return values, warned and name[:3] != "SGD"

    (one, first), (other, second) = said(X), said(S)
    return Trial(f"{name}, a column split into two", off(other, one), allowed, first or second)


def components(rng: Generator) -> Trial:
    """Directions without variance have none, and the others are those of the columns that stay."""
    kind = ("duplicated", "constant column", "sum of two")[int(rng.integers(3))]
    X = design(rng, kind) * 10.0 ** rng.integers(-3, 4)
    model: Any = (th.PCA(), th.PCA(svd_solver="covariance_eigh"), th.IncrementalPCA())[int(rng.integers(3))]
    found = model.fit(X)
    rank = len(independent(np.column_stack([np.ones(len(X)), X]))) - 1
    values = found.explained_variance_
    most = values[0] if len(values) and values[0] > 0 else 1.0
    errors = [float(np.abs(values[rank:]).max(initial=0.0) / most)]
    # A singular value that is nothing may be √ε of the largest where the scatter was formed.
    scores = found.transform(X)
    back = found.inverse_transform(scores)
    errors.append(off(back, X))
    errors.append(abs(float(values.sum() - X.var(axis=0, ddof=1).sum())) / float(X.var(axis=0, ddof=1).sum()))
    errors.append(abs(float(found.explained_variance_ratio_.sum()) - 1.0))
    return Trial(f"{model}, {kind}, rank {rank} of {X.shape[1]}", worst_of(errors), DIRECT)


PARTS = {
    "least squares without full rank": Part(least_squares, "of the fitted values", 3),
    "likelihoods without full rank": Part(likelihoods, "of the fitted values", 2),
    "a column split into two": Part(split_columns, "of the fitted values", 3),
    "principal components without full rank": Part(components, "of the largest", 2),
}
