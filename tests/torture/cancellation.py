"""Spreads of data far from nought, and least squares on designs that are nearly singular."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
from numpy.random import Generator
from scipy import linalg

import thetahat as th
from tests.certified import LINEAR
from tests.certified import columns as nist_columns
from tests.torture.trials import Part, Trial, digits, exactly, spoken, worst_of
from thetahat.estimation.stream_finish import CLOSE
from thetahat.resampling.conservative_z import ConservativeZ, Halves
from thetahat.resampling.intervals import METHODS, OverDraws

__all__ = ["PARTS", "certified", "kept"]

# Relative errors of a spread, however far off the data, and of least squares that say they are solved.
SPREAD, SOLVED = 1e-12, 1e-11


def far(rng: Generator, shape: Any) -> tuple[float, Any]:
    """Return data whose offset is up to 10¹⁵ times their spread, as the doubles nearest to them."""
    offset = 10.0 ** rng.uniform(8, 15) * rng.choice([-1, 1])
    unit = 10.0 ** rng.integers(-6, 7)
    while True:
        x = unit * (offset + rng.normal(size=shape))
        # At the far end few numbers are left between one and the next.
        if (np.ptp(x, axis=0) > 0).all():
            return abs(offset), x


def rational(x: Any) -> list[Fraction]:
    return [Fraction(float(value)) for value in x]


def moments_of(x: Any, weight: Any = None) -> tuple[Any, Any]:
    """Return mean and Σ w (x − mean)² / Σ w, exact."""
    rows = rational(x)
    w = [Fraction(1)] * len(rows) if weight is None else rational(weight)
    total = sum(w)
    mean = sum((a * b for a, b in zip(w, rows, strict=True)), Fraction(0)) / total
    return mean, sum((a * (b - mean) ** 2 for a, b in zip(w, rows, strict=True)), Fraction(0)) / total


def mpf(value: Any) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator


# Columns.


def _column(rng: Generator) -> tuple[str, Any, dict[str, Any], Any]:
    """Return x, what is found of it and what a peer finds, by name, and the exact answers."""
    n = int(rng.integers(4, 40))
    offset, x = far(rng, n)
    mean, square = moments_of(x)
    variance = mpf(square)
    root = mpmath.sqrt(variance)
    sample = mpmath.sqrt(variance * n / (n - 1))
    which = int(rng.integers(8))
    words = f"n = {n}, offset {offset:.1e}"
    exact: list[Any]
    if which == 0:
        found = th.moments(x)
        exact = [mpf(mean), sample]
        return (
            f"moments, {words}",
            x,
            {"": [found.mean, found.standard_deviation], "NumPy": [x.mean(), x.std(ddof=1)]},
            exact,
        )
    if which == 1:
        name = ("mean", "variance", "std")[int(rng.integers(3))]
        estimate = th.bootstrap(x, name, resamples=20, method="percentile", rng=rng).estimate
        exact = [{"mean": mpf(mean), "variance": variance, "std": root}[name]]
        peer = {"mean": x.mean(), "variance": x.var(), "std": x.std()}[name]
        return f"bootstrap of the {name}, {words}", x, {"": [estimate], "NumPy": [peer]}, exact
    if which == 2:
        found = th.jackknife(x, "mean")
        return f"jackknife of the mean, {words}", x, {"": [found.se]}, [sample / mpmath.sqrt(n)]
    if which == 3:
        found = th.jackknife(x, "variance")
        m = n - 1
        away = [Fraction(float(v)) - mean for v in x]
        without = [(n * square - a * a) / m - (a / m) ** 2 for a in away]
        middle = sum(without, Fraction(0)) / n
        se = mpmath.sqrt(mpf(sum(((w - middle) ** 2 for w in without), Fraction(0)) * m / n))
        return f"jackknife of the variance, {words}", x, {"": [found.estimate, found.se]}, [variance, se]
    if which == 4:
        weight = rng.integers(1, 5, n).astype(float) if rng.random() < 0.7 else None
        mean, square = moments_of(x, weight)
        root, total = mpmath.sqrt(mpf(square)), n if weight is None else float(weight.sum())
        found = th.mle(th.Normal(), x, weight=weight)
        exact = [mpf(mean), root, root / mpmath.sqrt(total), root / mpmath.sqrt(2 * total)]
        answers = [*found.params, *found.standard_errors]
        peers: dict[str, Any] = {}
        if weight is not None:
            from statsmodels.stats.weightstats import DescrStatsW

            theirs = DescrStatsW(x, weight)
            peers["statsmodels"] = [
                theirs.mean,
                theirs.std,
                theirs.std / np.sqrt(total),
                theirs.std / np.sqrt(2 * total),
            ]
        else:
            from scipy import stats

            loc, sd = stats.norm.fit(x)
            peers["SciPy"] = [loc, sd, sd / np.sqrt(n), sd / np.sqrt(2 * n)]
        if not found.status.ok:
            answers = None
        return (
            f"mle of a normal{', weighted' if weight is not None else ''}, {words}",
            x,
            {"": answers, **peers},
            exact,
        )
    if which == 5:
        X = np.column_stack([x, far(rng, n)[1]])
        columns = [rational(c) for c in X.T]
        means = [sum(c, Fraction(0)) / n for c in columns]
        exact = [
            mpf(
                sum(
                    ((a - means[i]) * (b - means[j]) for a, b in zip(columns[i], columns[j], strict=True)),
                    Fraction(0),
                )
                / n
            )
            for i in range(2)
            for j in range(2)
        ]
        try:
            answers = th.MultivariateNormal().fit(X).covariance.ravel()
        except th.UsageError:
            answers = None
        return (
            f"fit of a bivariate normal, {words}",
            x,
            {"": answers, "NumPy": np.cov(X.T, ddof=0).ravel()},
            exact,
        )
    if which == 6:
        weight = rng.integers(1, 4, n).astype(float)
        mean, square = moments_of(x, weight)
        found = (
            th.mle(th.Normal(), x, weight=weight, covariance="expected") if False else th.mle(th.Laplace(), x)
        )
        middle = sorted(rational(x))[(n - 1) // 2 : n // 2 + 1]
        centre = sum(middle, Fraction(0)) / len(middle)
        scale = sum((abs(v - centre) for v in rational(x)), Fraction(0)) / n
        return (
            f"mle of a Laplace, {words}",
            x,
            {"": [found.params[1]] if found.status.ok else None},
            [mpf(scale)],
        )
    low, high = min(rational(x)), max(rational(x))
    found = th.mle(th.Uniform(), x)
    answers = [found.params[1] - found.params[0]]
    return f"mle of a uniform, {words}", x, {"": answers}, [mpf(high - low)]


def columns(rng: Generator) -> Trial:
    with mpmath.workdps(60), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        words, x, answers, exact = _column(rng)
        mean = float(x.mean())
        ours = answers.pop("")

        def off(found: Any) -> float:
            if words.startswith("fit of a bivariate"):
                # A covariance is relative to the two deviations.
                size = [mpmath.sqrt(exact[0] * exact[3]) if k in (1, 2) else exact[k] for k in range(4)]
                return worst_of(
                    [float(abs(a - b) / s) for a, b, s in zip(exactly(found), exact, size, strict=True)]
                )
            return digits(found, exact)

        peers = {name: off(found) for name, found in answers.items()}
        # Standard errors of a likelihood are those at the rounded mean, whose square they depend on.
        rounded = 4 * float(np.spacing(abs(mean)) / exact[1]) ** 2 if "of a normal" in words else 0.0
        return Trial(words, 0.0 if ours is None else off(ours), SPREAD + rounded, ours is None, peers)


def intervals(rng: Generator) -> Trial:
    """Standard errors of a mean loss, where the losses lie far from nought beside their spread."""
    name = (*METHODS, "conservative-z")[int(rng.integers(len(METHODS) + 1))]
    folds, rows = int(rng.integers(3, 8)), int(rng.integers(3, 9))
    if name in ("none",):
        name = "corrected-t"
    if name == "conservative-z":
        plan = Halves(3, 4)
        offset, values = far(rng, plan.fits)
        found = ConservativeZ(plan)(OverDraws(values, np.full(plan.fits, 40.0), np.full(plan.fits, 5.0)))
        exact = rational(values)
        halves = [sum(exact[3 + 3 * k : 6 + 3 * k], Fraction(0)) / 3 for k in range(8)]
        square = sum(((halves[2 * k] - halves[2 * k + 1]) ** 2 for k in range(4)), Fraction(0)) / 8
        # A mean of a few is rounded once, and that rounding is of the size of the offset.
        allowed = SPREAD + 4e-16 * offset
    elif name == "holdout":
        offset, losses = far(rng, rows)
        quantity = OverDraws(np.array([losses.mean()]), np.ones(1), np.ones(1), [losses], [np.arange(rows)])
        found = METHODS[name](quantity)
        square, allowed = moments_of(losses)[1] / (rows - 1), SPREAD
    elif name.startswith("clt") or name == "influence":
        offset, losses = far(rng, (folds, rows))
        tests = np.arange(folds * rows).reshape(folds, rows)
        quantity = OverDraws(losses.mean(axis=1), np.ones(folds), np.ones(folds), list(losses), list(tests))
        found = METHODS[name](quantity)
        if name == "clt":
            square = moments_of(losses.ravel())[1] / losses.size
        else:
            inside = sum((moments_of(each)[1] * rows for each in losses), Fraction(0))
            square = inside / (losses.size - (folds if name == "clt-within" else 0)) / losses.size
        allowed = SPREAD
    else:
        offset, values = far(rng, folds)
        train, test = np.full(folds, 90.0), np.full(folds, 10.0)
        found = METHODS[name](OverDraws(values, train, test))
        factor = Fraction(1, folds) + (Fraction(float(np.mean(test / train))) if name == "corrected-t" else 0)
        square, allowed = moments_of(values)[1] * folds / (folds - 1) * factor, SPREAD
    with mpmath.workdps(60):
        se = mpmath.sqrt(mpf(square))
        return Trial(f"interval {name}, offset {offset:.1e}", digits([found.se], [se]), allowed)


def components(rng: Generator) -> Trial:
    """Variances along principal components, against eigenvalues in 60 digits."""
    from sklearn.decomposition import PCA, IncrementalPCA

    n, d = int(rng.integers(6, 30)), int(rng.integers(1, 4))
    offset, X = far(rng, (n, d))
    which = int(rng.integers(4))
    batch = max(d + 1, n // 3)
    ours: Any = (
        th.PCA(),
        th.PCA(svd_solver="full"),
        th.PCA(svd_solver="covariance_eigh"),
        th.IncrementalPCA(batch_size=batch),
    )[which]
    theirs = (
        PCA(),
        PCA(svd_solver="full"),
        PCA(svd_solver="covariance_eigh"),
        IncrementalPCA(batch_size=batch),
    )[which]
    columns = [rational(c) for c in X.T]
    means = [sum(c, Fraction(0)) / n for c in columns]
    away = [[v - m for v in c] for c, m in zip(columns, means, strict=True)]
    with mpmath.workdps(60), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        C = mpmath.matrix(d, d)
        for i in range(d):
            for j in range(d):
                C[i, j] = mpf(
                    sum((a * b for a, b in zip(away[i], away[j], strict=True)), Fraction(0)) / (n - 1)
                )
        exact = sorted(mpmath.eigsy(C, eigvals_only=True), reverse=True)

        def off(model: Any) -> float:
            found = model.fit(X).explained_variance_
            # Small variances are relative to the largest, as of any eigenvalues.
            return worst_of(
                [float(abs(a - b) / exact[0]) for a, b in zip(exactly(found), exact, strict=False)]
            )

        return Trial(
            f"variances of {ours}, n = {n}, d = {d}, offset {offset:.1e}",
            off(ours),
            SPREAD,
            peers={"scikit-learn": off(theirs)},
        )


# Least squares.


def solution(X: Any, y: Any, alpha: float = 0.0) -> tuple[list[Any], list[Any]]:
    """Return coefficients and standard errors of y on the columns of X, in 120 digits.

    ``alpha`` is a penalty on the coefficients but the first.
    """
    n, p = X.shape
    with mpmath.workdps(120):
        A = mpmath.matrix([[mpmath.mpf(float(v)) for v in row] for row in X])
        b = mpmath.matrix([mpmath.mpf(float(v)) for v in y])
        gram = A.T * A
        for j in range(1, p):
            gram[j, j] += mpmath.mpf(alpha)
        inverse = gram**-1
        beta = inverse * (A.T * b)
        rest = b - A * beta
        sigma2 = mpmath.fsum(r * r for r in rest) / (n - p)
        return list(beta), [mpmath.sqrt(sigma2 * inverse[k, k]) for k in range(p)]


def ours_least_squares(X: Any, y: Any) -> tuple[Any, Any] | None:
    """Return coefficients and errors of ours, the intercept first; None where it says it is not solved."""
    model = th.LinearRegression().fit(X, y)
    if not model.status_.ok:
        return None
    record = model.result_
    return np.r_[model.intercept_, model.coef_], record.standard_errors if record.status.ok else None


def by_formula(X: Any, y: Any) -> tuple[Any, Any] | None:
    """Return the same by a formula."""
    import pandas as pd

    names = [f"x{j}" for j in range(X.shape[1])]
    fit = th.regress("y ~ " + " + ".join(names), pd.DataFrame(X, columns=names).assign(y=y))
    return (fit.result.params, fit.result.standard_errors) if fit.result.status.ok else None


WAYS = {"LinearRegression": ours_least_squares, "regress": by_formula}


def _errors_by(solve: Callable[[Any, Any], Any], Z: Any, y: Any) -> tuple[Any, Any]:
    beta = solve(Z, y)
    rest = y - Z @ beta
    inverse = np.linalg.pinv(Z)
    return beta, np.sqrt(rest @ rest / (len(y) - Z.shape[1]) * (inverse**2).sum(axis=1))


def _scikit_learn(Z: Any, y: Any) -> Any:
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(Z[:, 1:], y)
    return np.r_[model.intercept_, model.coef_]


def _statsmodels(Z: Any, y: Any) -> tuple[Any, Any]:
    import statsmodels.api as sm

    fit = sm.OLS(y, Z).fit()
    return fit.params, fit.bse


PEERS: Mapping[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "NumPy": lambda Z, y: _errors_by(lambda A, b: np.linalg.lstsq(A, b, rcond=None)[0], Z, y),
    "SciPy": lambda Z, y: _errors_by(lambda A, b: linalg.lstsq(A, b)[0], Z, y),
    "scikit-learn": lambda Z, y: (_scikit_learn(Z, y), None),
    "statsmodels": _statsmodels,
}


def against(found: tuple[Any, Any] | None, exact: tuple[list[Any], list[Any]], of_errors: bool) -> float:
    """Return the relative error of the coefficients, to the largest of them, or of their standard errors."""
    if found is None or (of_errors and found[1] is None):
        return 0.0
    if of_errors:
        return digits(found[1], exact[1])
    most = max(map(abs, exact[0]))
    return worst_of([float(abs(a - b) / most) for a, b in zip(exactly(found[0]), exact[0], strict=True)])


def _unless_said(solve: Callable[[Any, Any], Any], Z: Any, y: Any) -> Any:
    found, said = spoken(lambda: solve(Z, y))
    return None if said else found


def nearly_collinear(rng: Generator) -> Trial:
    n, d = int(rng.integers(8, 20)), int(rng.integers(2, 4))
    X = rng.normal(size=(n, d))
    near = 10.0 ** rng.uniform(-9, -2)
    X[:, -1] = X[:, 0] + near * X[:, -1]
    y = X @ np.ones(d) + rng.normal(size=n) * 10.0 ** rng.integers(-3, 2)
    return _least_squares(rng, X, y, f"columns {near:.0e} from collinear, n = {n}, d = {d}")


def offset_columns(rng: Generator) -> Trial:
    n, d = int(rng.integers(8, 20)), int(rng.integers(1, 4))
    offset = 10.0 ** rng.uniform(3, 11)
    X = offset * rng.choice([-1, 1], d) + rng.normal(size=(n, d))
    y = (X - offset) @ np.ones(d) + rng.normal(size=n) + offset * rng.integers(0, 2)
    return _least_squares(rng, X, y, f"columns {offset:.0e} from 0, n = {n}, d = {d}")


def _least_squares(rng: Generator, X: Any, y: Any, words: str) -> Trial:
    Z = np.column_stack([np.ones(len(X)), X])
    exact = solution(Z, y)
    way = tuple(WAYS)[int(rng.random() < 0.3)]
    of_errors = rng.random() < 0.5
    # Coefficients are refined; an inverse has the digits that the condition number leaves.
    condition = float(np.linalg.cond(Z / linalg.norm(Z, axis=0)))
    allowed = SOLVED + (20 * np.finfo(float).eps * condition if of_errors else 0.0)
    with mpmath.workdps(60), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = WAYS[way](X, y)
        peers = {
            name: against(_unless_said(solve, Z, y), exact, bool(of_errors))
            for name, solve in PEERS.items()
            if not of_errors or name != "scikit-learn"
        }
        return Trial(
            f"{'standard errors' if of_errors else 'coefficients'} of {way}, {words}",
            against(found, exact, bool(of_errors)),
            allowed,
            found is None,
            peers,
        )


def ridge_far(rng: Generator) -> Trial:
    from sklearn.linear_model import Ridge

    n, d = int(rng.integers(8, 20)), int(rng.integers(1, 4))
    offset, alpha = 10.0 ** rng.uniform(3, 11), float(10.0 ** rng.uniform(-3, 3))
    X = offset * rng.choice([-1, 1], d) + rng.normal(size=(n, d))
    y = (X - offset) @ np.ones(d) + rng.normal(size=n)
    exact, _ = solution(np.column_stack([np.ones(n), X]), y, alpha)
    with mpmath.workdps(60), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = th.Ridge(alpha=alpha).fit(X, y)
        theirs, said = spoken(lambda: Ridge(alpha=alpha).fit(X, y))

        def off(model: Any) -> float:
            return against((np.r_[model.intercept_, model.coef_], None), (exact, []), False)

        return Trial(
            f"coefficients of Ridge({alpha:.1e}), columns {offset:.0e} from 0, n = {n}, d = {d}",
            off(ours),
            SOLVED,
            not ours.status_.ok,
            {"scikit-learn": 0.0 if said else off(theirs)},
        )


def streamed(rng: Generator) -> Trial:
    """A stream ends within its tolerance in standard errors, whatever the offset and the collinearity."""
    import polars as pl

    n, d = int(rng.integers(12, 30)), int(rng.integers(1, 4))
    offset, near = 10.0 ** rng.uniform(0, 11), 10.0 ** rng.uniform(-5, 0)
    X = rng.normal(size=(n, d))
    if d > 1:
        X[:, -1] = X[:, 0] + near * X[:, -1]
    y = X @ np.ones(d) + rng.normal(size=n) + offset * rng.integers(0, 2)
    X = X + offset * rng.integers(0, 2, d)
    exact, errors = solution(np.column_stack([np.ones(n), X]), y)
    frame = pl.DataFrame({f"x{j}": column for j, column in enumerate(X.T)}).with_columns(y=pl.Series(y))
    batches = [frame.slice(0, n // 3), frame.slice(n // 3, n // 3), frame.slice(2 * (n // 3))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = th.fit_stream(batches, model="sgd-linear", epochs=1)
    found = exactly(fit.result.params) if fit.status.ok else exact
    off = [float(abs(a - b) / s) for a, b, s in zip(found, exact, errors, strict=True)]
    words = f"fit_stream, offset {offset:.0e}, columns {near:.0e} from collinear, n = {n}, d = {d}"
    return Trial(words, worst_of(off), CLOSE, not fit.status.ok)


@cache
def certified(name: str) -> tuple[Any, Any, bool, tuple[list[Any], list[Any]]]:
    """Return columns, target, whether there is an intercept, and certified coefficients and errors."""
    table = LINEAR[name]
    X, y, intercept = nist_columns(name)
    with mpmath.workdps(60):
        exact = (
            [mpf(Fraction(v)) for v in table["exact_beta"]],
            [mpf(Fraction(v)) for v in table["exact_se"]],
        )
    return X, y, intercept, exact


def _certified_by(name: str, X: Any, y: Any, intercept: bool) -> Any:
    Z = np.column_stack([np.ones(len(X)), X]) if intercept else X
    if name != "thetahat":
        if name == "scikit-learn":
            from sklearn.linear_model import LinearRegression

            model = LinearRegression(fit_intercept=intercept).fit(X, y)
            return np.r_[model.intercept_, model.coef_] if intercept else model.coef_, None
        return PEERS[name](Z, y)
    ours = th.LinearRegression(fit_intercept=intercept).fit(X, y)
    assert ours.status_.ok, ours.status_
    return np.r_[ours.intercept_, ours.coef_] if intercept else ours.coef_, ours.result_.standard_errors


def kept(name: str, solver: str) -> tuple[float, float]:
    """Return the fewest certified digits that a solver keeps of coefficients and of standard errors."""
    X, y, intercept, exact = certified(name)
    with mpmath.workdps(60), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beta, errors = _certified_by(solver, X, y, intercept)
        off = digits(beta, exact[0])
        of_errors = float("nan") if errors is None else digits(errors, exact[1])
    # A value that is off by more than itself has no digit.
    of_coef, of_errors = np.clip(-np.log10(np.maximum([off, of_errors], 1e-16)), 0.0, 16.0).tolist()
    return of_coef, of_errors


def certified_sets(rng: Generator) -> Trial:
    """Solve a certified problem with its rows in another order and its columns in other units."""
    name = tuple(LINEAR)[int(rng.integers(len(LINEAR)))]
    X, y, intercept, (beta, errors) = certified(name)
    order = rng.permutation(len(X))
    power = 2.0 ** rng.integers(-20, 21, X.shape[1])
    turn = np.r_[np.ones(int(intercept)), power]
    with mpmath.workdps(60), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scaled = (
            [b / float(t) for b, t in zip(beta, turn, strict=True)],
            [e / float(t) for e, t in zip(errors, turn, strict=True)],
        )

        def off(solver: str) -> float:
            (coef, its_errors), said = spoken(
                lambda: _certified_by(solver, X[order] * power, y[order], intercept)
            )
            if said:
                return 0.0
            of_coef = digits(coef, scaled[0])
            if its_errors is None:
                return of_coef
            # Where the fit is exact an error is rounding, and relative to its coefficient.
            sizes = [e if e else abs(b) for b, e in zip(*scaled, strict=True)]
            gaps = [abs(a - e) / s for a, e, s in zip(exactly(its_errors), scaled[1], sizes, strict=True)]
            return worst_of([of_coef, *map(float, gaps)])

        found = off("thetahat")
        peers = {solver: off(solver) for solver in PEERS}
        # The certified answer is that of the decimals; the tenth powers of Filip's column are rounded to
        # doubles, and that alone leaves eight digits.
        allowed = 10**-7.5 if name == "Filip" else SOLVED
        return Trial(f"certified set {name}, rows and units changed", found, allowed, peers=peers)


PARTS = {
    "means, spreads and their errors, offset 10⁸ to 10¹⁵": Part(columns, "digits"),
    "intervals of a mean loss, the same": Part(intervals, "digits", 2),
    "variances of principal components, the same": Part(components, "digits", 2),
    "least squares, certified sets": Part(certified_sets, "digits", 2),
    "least squares, columns nearly collinear": Part(nearly_collinear, "digits", 2),
    "least squares, columns far from 0": Part(offset_columns, "digits", 2),
    "ridge, columns far from 0": Part(ridge_far, "digits", 2),
    "streamed least squares, far from 0 and collinear": Part(streamed, "standard errors", 2),
}
