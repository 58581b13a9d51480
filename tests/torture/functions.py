"""The public functions as subjects: what each is called with for a table, and what its result must hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

import numpy as np

from tests.torture.claims import Claim, Subject
from tests.torture.tables import Case, Table

__all__ = ["functions", "holes"]

Long = np.longdouble
FAMILIES = (
    "Normal",
    "Gamma",
    "Poisson",
    "StudentT",
    "LogNormal",
    "Weibull",
    "Beta",
    "Exponential",
    "Laplace",
)


def holes(value: Any, allowed: tuple[str, ...] = (), name: str = "result") -> str | None:
    """Return the name of the first field, at any depth, that holds NaN."""
    if isinstance(value, float | np.floating | np.ndarray):
        array = np.asarray(value)
        return f"{name} holds NaN" if array.dtype.kind == "f" and np.isnan(array).any() else None
    inner: dict[str, Any] = {}
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Enum):
        inner = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, dict):
        inner = value
    elif isinstance(value, list | tuple):
        inner = {str(place): each for place, each in enumerate(value)}
    for key, each in inner.items():
        if key not in allowed:
            found = holes(each, allowed, f"{name}.{key}")
            if found is not None:
                return found
    return None


def _column(table: Table) -> Any:
    X = table.X
    if hasattr(X, "columns"):
        return X[X.columns[0]] if len(X.columns) else X
    if isinstance(X, list):
        return [row[0] for row in X] if X and X[0] else X
    return X[:, 0] if getattr(X, "ndim", 0) == 2 and X.shape[1] else X


def _long_column(table: Table) -> Any:
    return None if table.dense is None or not table.dense.size else np.asarray(table.dense[:, 0], Long)


def _mle(name: str, table: Table, case: Case) -> Claim:
    import thetahat as th

    data = _column(table)
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "fiu":
        pass
    elif name in ("Gamma", "LogNormal", "Weibull", "Exponential") and case.seed % 2:
        data = np.abs(data)
    elif name == "Beta" and case.seed % 2:
        data = 1 / (1 + np.exp(-np.asarray(data, dtype=float)))
    elif name == "Poisson" and case.seed % 2:
        data = np.floor(np.abs(data))
    result = th.mle(getattr(th, name)(), data, weight=table.weight)
    if not result.status.ok:
        return Claim(False)
    if not np.isfinite(result.params).all() or not np.isfinite(result.log_likelihood):
        return Claim(True, "estimates are not finite")
    if not np.isfinite(result.standard_errors).all():
        return Claim(True, "standard errors are not finite")
    return Claim(True, _higher(result, np.asarray(data, dtype=np.float64), table.weight))


def _higher(result: Any, x: Any, weight: Any) -> str | None:
    """Return where, a thousandth of a standard error away, the likelihood is higher: nowhere at a maximum."""
    w = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float)
    family = type(result.fitted)

    def at(theta: Any) -> Any:
        with np.errstate(all="ignore"):
            return w * np.asarray(family(*theta).log_prob(x))

    # Differences of terms, not of sums: a constant of the terms costs no digits.
    here = at(result.params)
    for k, error in enumerate(result.standard_errors):
        for sign in (-1, 1):
            theta = result.params.copy()
            theta[k] += sign * 1e-3 * error
            there = at(theta)
            gain = float(np.sum((there - here).astype(Long)))
            rounding = 1e-13 * float(np.sum(np.abs(here)) + np.sum(np.abs(there)))
            if np.isfinite(gain) and gain > rounding + 1e-7:
                return f"the likelihood is higher by {gain:.1e} a thousandth of a standard error away"
    return None


def _scipy_fit(name: str, table: Table, case: Case) -> Claim:
    from scipy import stats

    x = np.asarray(_column(table))
    if name in ("gamma", "lognorm", "weibull_min", "expon") and case.seed % 2:
        x = np.abs(x)
    held = {"floc": 0.0} if name in ("gamma", "lognorm", "weibull_min", "expon") else {}
    theta = getattr(stats, name).fit(x, **held)
    return Claim(True, None if np.isfinite(theta).all() else "estimates are not finite")


def _mixture(table: Table, case: Case) -> Claim:
    import thetahat as th

    result = th.mle(th.Mixture([th.Normal(), th.Normal()]), _column(table), weight=table.weight, starts=3)
    return Claim(result.status.ok, None if np.isfinite(result.params).all() else "estimates are not finite")


def _function_likelihood(table: Table, case: Case) -> Claim:
    import thetahat as th

    def terms(theta: Any, rows: Any) -> Any:
        return -0.5 * (rows - theta[0]) ** 2 * np.exp(-2 * theta[1]) - theta[1]

    x = np.asarray(_column(table))
    if x.dtype.kind not in "fiub":
        return Claim(False)
    result = th.mle(terms, x, [0.0, 0.0], weight=table.weight)
    if not result.status.ok:
        return Claim(False)
    if not np.isfinite(result.params).all() or not np.isfinite(result.standard_errors).all():
        return Claim(True, "estimates or errors are not finite")
    longs = np.asarray(x, Long)
    w = np.ones(len(longs), Long) if table.weight is None else np.asarray(table.weight, Long)
    mean, size = (w * longs).sum() / w.sum(), (w * np.abs(longs)).sum() / w.sum()
    # Weights of 1e300 make standard errors that are far below the last digit of a double.
    off = abs(mean - result.params[0]) > 1e-3 * result.standard_errors[0] + 1e-15 * size
    return Claim(True, "the mean is not the mean" if off else None)


def _rank_families(table: Table, case: Case) -> Claim:
    import thetahat as th

    ranking = th.rank_families(_column(table), [th.Normal(), th.Laplace()], folds=2)
    return Claim(True, None if ranking.table() else "an empty table")


def case_rows(X: Any) -> int:
    """Return how many rows there are."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _frame(table: Table) -> Any:
    import pandas as pd
    import polars as pl

    X = table.X
    # What no frame can be made of is handed over as it is.
    if (
        not isinstance(X, pl.DataFrame | pd.DataFrame)
        and np.ndim(X.toarray() if hasattr(X, "toarray") else X) != 2
    ):
        return X
    if table.y is not None and (np.ndim(table.y) != 1 or len(table.y) != case_rows(X)):
        return X
    if isinstance(X, pl.DataFrame):
        return X.with_columns(pl.Series("y", table.y)) if table.y is not None else X
    if not isinstance(X, pd.DataFrame):
        X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        X = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])] if X.ndim == 2 else None)
    return X.assign(y=table.y) if table.y is not None else X


def _regress(table: Table, case: Case) -> Claim:
    import thetahat as th
    from tests.torture.audit import audit

    family = (None, "normal", "bernoulli", "poisson")[case.seed % 4]
    formula = "y ~ x0" if case.columns < 2 else "y ~ x0 + x1"
    fit = th.regress(formula, _frame(table), family)
    status = fit.result.status
    if not status.ok:
        return Claim(False)
    errors = fit.result.standard_errors
    if not np.isfinite(fit.result.params).all():
        return Claim(True, "estimates are not finite")
    if not np.isfinite(errors).all() and (fit.result.freedom is None or fit.result.freedom > 0):
        return Claim(True, "standard errors are not finite")
    frame = _frame(table)
    return Claim(True, audit(fit.model, fit.design(frame), np.asarray(frame["y"]), None))


def _statsmodels(table: Table, case: Case) -> Claim:
    import statsmodels.formula.api as smf

    frame = _frame(table)
    frame = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    formula = "y ~ x0" if case.columns < 2 else "y ~ x0 + x1"
    name = ("ols", "ols", "logit", "poisson")[case.seed % 4]
    fit = getattr(smf, name)(formula, frame).fit(**({} if name == "ols" else {"disp": 0}))
    converged = getattr(fit, "mle_retvals", {}).get("converged", True)
    wrong = None if np.isfinite(np.asarray(fit.params)).all() else "estimates are not finite"
    return Claim(bool(converged), wrong)


STATISTICS = (
    "mean",
    "median",
    "variance",
    "std",
    "correlation",
    np.max,
    lambda rows: float(np.mean(rows[:1])),
)


def _bootstrap(table: Table, case: Case) -> Claim:
    import thetahat as th

    statistic = STATISTICS[case.seed % len(STATISTICS)]
    method = ("bca", "percentile", "basic", "normal")[case.seed % 4]
    data = table.X if case.columns == 2 or statistic == "correlation" else _column(table)
    found = th.bootstrap(data, statistic, method=method, resamples=199)
    wrong = holes(found)
    if wrong is None and not found.low <= found.high:
        wrong = "the interval is upside down"
    column = _long_column(table)
    if wrong is None and statistic == "mean" and data is not table.X and column is not None:
        if abs(column.mean() - found.estimate) > 1e-12 * np.abs(column).mean():
            wrong = "the mean is not the mean"
        width = float(np.sqrt(((column - column.mean()) ** 2).sum()) / len(column))
        if (
            not wrong
            and not 0.5 * width <= found.se <= 2 * width
            and width > 1e-12 * float(np.abs(column).max())
        ):
            wrong = f"the standard error {found.se:.3g} is far from {width:.3g}"
    return Claim(not found.warning, wrong)


def _scipy_bootstrap(table: Table, case: Case) -> Claim:
    from scipy import stats

    x = np.asarray(_column(table))
    found = stats.bootstrap((x,), np.mean, n_resamples=199, rng=np.random.default_rng(0))
    return Claim(
        True, holes((found.standard_error, found.confidence_interval.low, found.confidence_interval.high))
    )


def _jackknife(table: Table, case: Case) -> Claim:
    import thetahat as th

    statistic = STATISTICS[case.seed % len(STATISTICS)]
    data = table.X if case.columns == 2 or statistic == "correlation" else _column(table)
    found = th.jackknife(data, statistic)
    wrong = holes(found)
    column = _long_column(table)
    if wrong is None and statistic == "mean" and data is not table.X and column is not None:
        n = len(column)
        exact = np.sqrt(((column - column.mean()) ** 2).sum() / (n * (n - 1)))
        if abs(found.se - exact) > 1e-7 * exact + 1e-12 * np.abs(column).max():
            wrong = f"the standard error {found.se:.6g} is {float(exact):.6g}"
    return Claim(not found.warning, wrong)


def _moments(table: Table, case: Case) -> Claim:
    import thetahat as th

    found = th.moments(_column(table))
    column = _long_column(table)
    wrong = holes(found, ("autocorrelation", "standard_deviation") if np.ptp(column) == 0 else ())
    if wrong is None and len(column) > 1:
        mean = column.mean()
        spread = np.sqrt(((column - mean) ** 2).sum() / (len(column) - 1))
        if abs(found.mean - mean) > 1e-15 * np.abs(column).max() + 1e-323:
            wrong = "the mean is not the mean"
        elif abs(found.standard_deviation - spread) > 1e-13 * spread + 1e-16 * np.abs(column).max() + 1e-323:
            wrong = f"the standard deviation {found.standard_deviation:.6g} is {float(spread):.6g}"
    return Claim(True, wrong)


def _assess(table: Table, case: Case) -> Claim:
    import thetahat as th

    if table.dense is None or not len(table.dense):
        return Claim(False)
    rows = table.dense
    statistic = (np.mean, np.median, np.var, lambda x: x[0] / x[-1], lambda x: np.log(x).sum())[case.seed % 5]

    class Rows:
        def sample(self, size: Any = None, *, rng: Any) -> Any:
            return rows[rng.integers(len(rows), size=size)]

    found = th.assess(statistic, Rows(), [3, 5], 0.0, repeats=20)
    return Claim(True, holes(found, ("coverage", "coverage_se")))


def _decompose(table: Table, case: Case) -> Claim:
    import thetahat as th

    learner = th.Ridge() if case.seed % 2 else th.LogisticRegression(max_iter=20)
    return Claim(True, holes(th.decompose(learner, table.X, table.y, draws=12).table()))


def _capacity_curve(table: Table, case: Case) -> Claim:
    import thetahat as th

    which = [(th.Ridge(), "alpha"), (th.LogisticRegression(max_iter=20), "C")][case.seed % 2]
    found = th.capacity_curve(*which, [0.1, 1.0], table.X, table.y, cv="cv:3x2")
    return Claim(True, holes(found.table()))


def _learning_curve(table: Table, case: Case) -> Claim:
    import thetahat as th

    learner = th.Ridge() if case.seed % 2 else th.LogisticRegression(max_iter=20)
    found = th.learning_curve(learner, table.X, table.y, cv="cv:3x2")
    return Claim(True, holes(found.table()))


def _sklearn_learning_curve(table: Table, case: Case) -> Claim:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import learning_curve

    learner = Ridge() if case.seed % 2 else LogisticRegression(max_iter=20)
    _, train, test = learning_curve(learner, table.X, table.y, cv=3)
    return Claim(True, holes((train, test)))


ODD = (0.0, 1.0, -1.0, 1e300, 1e-300, 5e-324, np.nan, np.inf, 0.5, 1e8)


def _distribution(case: Case, offset: int) -> Any:
    import thetahat as th

    rng = np.random.default_rng([case.seed, case.rows, case.columns, offset, len(case.cells)])
    kinds = (
        "Normal",
        "Gamma",
        "Poisson",
        "Exponential",
        "Laplace",
        "Beta",
        "Uniform",
        "LogNormal",
        "Weibull",
    )
    family = getattr(
        th, kinds[int(rng.integers(len(kinds)))] if case.seed % 3 == 0 else kinds[case.columns % 9]
    )
    given = [
        ODD[int(rng.integers(len(ODD)))] if rng.random() < 0.3 else rng.uniform(0.5, 3) for _ in family.spaces
    ]
    return family(*given)


def _divergence(name: str, table: Table, case: Case) -> Claim:
    import thetahat as th

    p, q = _distribution(case, 1), _distribution(case, 2)
    found = getattr(th, name)(p, q, rng=np.random.default_rng(0), draws=2000)
    wrong = holes(found)
    if wrong is None and name == "kl_divergence" and found.value < -4 * found.error - 1e-9:
        wrong = f"a divergence below nought, {found.value:.3g}, from {p} to {q}"
    return Claim(True, wrong)


def _choose_components(table: Table, case: Case) -> Claim:
    import thetahat as th

    return Claim(True, holes(th.choose_components(table.X, cv=3)))


def _held_out_probability(table: Table, case: Case) -> Claim:
    import thetahat as th

    found = th.held_out_probability(th.SVC(), table.X, table.y, folds=2, rng=np.random.default_rng(0))
    said = found.predict_proba(table.X)
    return Claim(found.curve.status.ok, holes((found.scores, said)))


def _sklearn_calibrated(table: Table, case: Case) -> Claim:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    said = CalibratedClassifierCV(SVC(), cv=2, ensemble=False).fit(table.X, table.y).predict_proba(table.X)
    return Claim(True, holes(said))


def _leave_one_out(table: Table, case: Case) -> Claim:
    from thetahat import SVC, SVR, leave_one_out

    found = leave_one_out(SVC() if case.seed % 2 else SVR(), table.X, table.y)
    return Claim(found.status.ok, holes((found.value, found.error)))


def _predict_interval(table: Table, case: Case) -> Claim:
    import thetahat as th

    learner = (th.LinearRegression(), th.Ridge(), th.PoissonRegression(), th.LogisticRegression())[
        case.seed % 4
    ]
    learner.fit(table.X, table.y)
    found = th.predict_interval(learner, table.X)
    free = learner.result_.freedom
    bare = free is not None and free <= 0
    return Claim(learner.status_.ok and learner.result_.status.ok and not bare, holes(found))


def _compare(table: Table, case: Case) -> Claim:
    import thetahat as th

    found = th.compare(
        _frame(table),
        "y",
        ["dummy", "ridge" if case.seed % 2 else "logistic"],
        resampling="cv:3",
        tune="none",
    )
    return Claim(True, None if found.verdict else "no verdict")


def _cross_validate(table: Table, case: Case) -> Claim:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import cross_validate

    learner = Ridge() if case.seed % 2 else LogisticRegression()
    return Claim(True, holes(cross_validate(learner, table.X, table.y, cv=3)))


def _fit_stream(table: Table, case: Case) -> Claim:
    import thetahat as th

    model = ("sgd-logistic", "least-squares", "pca")[case.seed % 3]
    frame = _frame(table)
    target = {} if model == "pca" else {"target": "y"}
    found = th.fit_stream(frame, model=model, epochs=2, **target)
    return Claim(True, holes(getattr(found, "theta", None)))


def _train(table: Table, case: Case) -> Claim:
    import thetahat as th

    # Rows of any shape, laid out flat.
    d = int(np.prod(np.shape(table.X)[1:]))

    def eta(theta: Any, X: Any) -> Any:
        return np.tanh(X.reshape(len(X), -1) @ theta[0]) @ theta[1]

    start = [np.full((d, 3), 0.1), np.full((3, 1), 0.1)]
    family = ("normal", "bernoulli", "poisson")[case.seed % 3]
    found = th.train(
        eta,
        start,
        table.X,
        table.y,
        rng=np.random.default_rng(0),
        family=family,
        weight=table.weight,
        epochs=10,
    )
    return Claim(found.status.ok, holes(found.theta))


def functions() -> dict[str, Subject]:
    """Return the functions, the name of each that of the package."""
    scipys = {
        "Normal": "norm",
        "Gamma": "gamma",
        "StudentT": "t",
        "LogNormal": "lognorm",
        "Weibull": "weibull_min",
    }
    made: dict[str, Subject] = {}
    for name in FAMILIES:
        peer: Callable[..., Claim] | None = partial(_scipy_fit, scipys[name]) if name in scipys else None
        made[f"mle {name}"] = Subject(partial(_mle, name), peer=peer, share=2)
    made |= {
        "mle Mixture": Subject(_mixture, share=1),
        "mle of a function": Subject(_function_likelihood, share=2),
        "rank_families": Subject(_rank_families, share=1),
        "regress": Subject(_regress, peer=_statsmodels),
        "regress of classes": Subject(_regress, classes=True, peer=_statsmodels),
        "bootstrap": Subject(_bootstrap, peer=_scipy_bootstrap),
        "jackknife": Subject(_jackknife),
        "moments": Subject(_moments),
        "assess": Subject(_assess),
        "decompose": Subject(_decompose, share=1),
        "decompose of classes": Subject(_decompose, classes=True, share=1),
        "capacity_curve": Subject(_capacity_curve, share=1),
        "capacity_curve of classes": Subject(_capacity_curve, classes=True, share=1),
        "learning_curve": Subject(_learning_curve, peer=_sklearn_learning_curve, share=1),
        "learning_curve of classes": Subject(
            _learning_curve, classes=True, peer=_sklearn_learning_curve, share=1
        ),
        "kl_divergence": Subject(partial(_divergence, "kl_divergence"), share=2),
        "cross_entropy": Subject(partial(_divergence, "cross_entropy"), share=2),
        "choose_components": Subject(_choose_components, share=2),
        "held_out_probability": Subject(
            _held_out_probability, classes=True, peer=_sklearn_calibrated, share=2
        ),
        "leave_one_out": Subject(_leave_one_out, share=2),
        "predict_interval": Subject(_predict_interval, share=4),
        "compare": Subject(_compare, peer=_cross_validate, share=1),
        "compare of classes": Subject(_compare, classes=True, peer=_cross_validate, share=1),
        "fit_stream": Subject(_fit_stream, share=1),
        "train": Subject(_train, share=2),
    }
    return made
