"""Functions that estimate, resample and simulate, as work that is done twice."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import thetahat as th
from tests.torture.circumstances import Found, How, Rows, Work, laid_out, source_of
from tests.torture.seeded_learners import DUAL, MAXIMUM, ROUNDING, fitted, said_of

__all__ = ["own", "seeded_functions"]

# A streamed fit ends when its last step is below so many standard errors.
STEP = 1e-4


def _normal_terms(theta: Any, rows: Any) -> Any:
    return -0.5 * (rows - theta[0]) ** 2 * np.exp(-2 * theta[1]) - theta[1]


def _line(theta: Any, X: Any) -> Any:
    return theta[0] + X @ theta[1:]


def _drawn(name: str, rows: Rows, seed: int) -> Any:
    rng = np.random.default_rng([7, seed])
    columns = {
        "positive": lambda: rng.gamma(2.0, 1.5, 80),
        "share": lambda: rng.beta(2.0, 3.0, 80),
        "two humps": lambda: np.where(rng.random(80) < 0.4, rng.normal(-4, 1, 80), rng.normal(2, 1, 80)),
        "heavy": lambda: rng.standard_t(3, 80),
        "number": lambda: rows.number,
        "count": lambda: rng.negative_binomial(2, 0.4, 80),
        "pair": lambda: (rows.X[:, :2], rows.number),
        "vectors": lambda: rows.X[:, :2],
    }
    return columns[name]()


def _mle(model: Callable[[], Any], data: str, theta0: Any, seed: int, how: How) -> Found:
    given = _drawn(data, Rows.of(seed), seed)
    if how.permuted:
        order = np.random.default_rng(seed).permutation(80)
        given = tuple(each[order] for each in given) if isinstance(given, tuple) else given[order]
    found = th.mle(model(), given, theta0, rng=np.random.default_rng(seed))
    # What has no maximum has no answer.
    answer = [found.params, found.log_likelihood] if found.status.ok else "no maximum"
    return Found(answer, [found.params, found.standard_errors, found.covariance, found.log_likelihood,
                          found.status, found.summary()])  # fmt: skip


def _likelihoods() -> dict[str, Work]:
    cases: dict[str, tuple[Callable[[], Any], str, Any]] = {
        "Normal": (th.Normal, "number", None),
        "Laplace": (th.Laplace, "number", None),
        "StudentT": (th.StudentT, "heavy", None),
        "Exponential": (th.Exponential, "positive", None),
        "Gamma": (th.Gamma, "positive", None),
        "LogNormal": (th.LogNormal, "positive", None),
        "Weibull": (th.Weibull, "positive", None),
        "Beta": (th.Beta, "share", None),
        "Uniform": (th.Uniform, "share", None),
        "Poisson": (th.Poisson, "count", None),
        "NegativeBinomial": (th.NegativeBinomial, "count", None),
        "MultivariateNormal": (th.MultivariateNormal, "vectors", None),
        "Mixture": (lambda: th.Mixture([th.Normal(), th.Normal()]), "two humps", None),
        "a function": (lambda: _normal_terms, "number", [0.0, 0.0]),
        "Conditional": (lambda: th.Conditional(_line, th.Normal()), "pair", [0.0, 0.0, 0.0]),
    }
    return {
        f"mle of {name}": Work(partial(_mle, *case), {"row order": MAXIMUM}) for name, case in cases.items()
    }


STATISTICS: tuple[Any, ...] = ("mean", "median", "variance", "std", "correlation", np.ptp)


def _bootstrap(method: Any, seed: int, how: How) -> Any:
    rows = Rows.of(seed)
    statistic = STATISTICS[seed % len(STATISTICS)]
    data = rows.X[:, :2] if statistic == "correlation" else rows.number
    count = 60 if method == "studentized" else 299
    with warnings.catch_warnings():
        # The bootstrap of a range is known to fail, and says so.
        warnings.simplefilter("ignore", th.ThetaHatWarning)
        return th.bootstrap(data, statistic, method=method, resamples=count, rng=np.random.default_rng(seed))


def _jackknife(seed: int, how: How) -> Any:
    return th.jackknife(Rows.of(seed).number, STATISTICS[seed % 4])


def _assess(seed: int, how: How) -> Any:
    rng = np.random.default_rng(seed)
    return th.assess(np.median, th.Normal(1.0, 2.0), [10, 20], 1.0, repeats=40, rng=rng).table()


def own() -> Any:
    """Return a learner of another library whose seed comes of the generator of the fit."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(3, n_jobs=2)


def _learner(seed: int, rows: Rows) -> tuple[Any, str, Any, Any]:
    return (
        (th.Ridge(), "alpha", rows.X, rows.number),
        (th.LogisticRegression(), "C", rows.X, rows.label),
        (own(), "max_depth", rows.X, rows.label),
        (th.SVC(), "C", rows.X, rows.label),
        (th.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5), "alpha", rows.X, rows.number),
    )[seed % 5]


def _decompose(seed: int, how: How) -> Any:
    learner, _, X, y = _learner(seed, Rows.of(seed, how))
    return th.decompose(learner, X, y, draws=8, jobs=how.jobs, rng=np.random.default_rng(seed))


def _capacity_curve(seed: int, how: How) -> Any:
    learner, name, X, y = _learner(seed, Rows.of(seed, how))
    rng = np.random.default_rng(seed)
    return th.capacity_curve(learner, name, [1, 3], X, y, cv="cv:2x3", jobs=how.jobs, rng=rng)


def _learning_curve(seed: int, how: How) -> Any:
    learner, _, X, y = _learner(seed, Rows.of(seed, how))
    rng = np.random.default_rng(seed)
    return th.learning_curve(learner, X, y, [20, 30, 40], cv="cv:2x3", jobs=how.jobs, rng=rng)


def _calibrate(seed: int, how: How) -> Any:
    frame = Rows.of(seed, how).frame
    return th.calibrate(frame, "yz"[seed % 2], runs=6, rows=40, drop={"c", "x3"}, jobs=how.jobs, seed=seed)


def _rank(seed: int, how: How) -> Any:
    families = [th.Normal(), th.Laplace(), th.Gamma(), th.LogNormal(), th.Weibull()][: 2 + 3 * (seed % 2)]
    data = _drawn("positive", Rows.of(seed), seed)
    return th.rank_families(data, families, folds=3, rng=np.random.default_rng(seed)).table()


def _divergence(seed: int, how: How) -> Any:
    p = th.Mixture([th.Normal(0.0, 1.0), th.Normal(2.0, 1.0 + seed % 5)], [0.5, 0.5])
    q = (th.Normal(1.0, 3.0), th.StudentT(5.0, 0.0, 1.0), th.Laplace(0.0, 2.0))[seed % 3]
    name = (th.kl_divergence, th.cross_entropy)[seed % 2]
    return name(p, q, rng=np.random.default_rng(seed), draws=500)


def _samples(seed: int, how: How) -> Any:
    rng = np.random.default_rng(seed)
    made = (
        th.Normal(1.0, 2.0), th.Laplace(0.0, 1.0), th.StudentT(4.0, 0.0, 1.0), th.Exponential(2.0),
        th.Gamma(2.0, 3.0), th.LogNormal(0.0, 1.0), th.Weibull(1.5, 2.0), th.Beta(2.0, 3.0),
        th.Uniform(-1.0, 2.0), th.Poisson(4.0), th.NegativeBinomial(3.0, 0.4), th.Bernoulli(0.3),
        th.Binomial(0.3, 7), th.Categorical([0.2, 0.5, 0.3]),
        th.MultivariateNormal([0.0, 1.0], [[1.0, 0.2], [0.2, 2.0]]),
        th.Mixture([th.Normal(0.0, 1.0), th.Normal(2.0, 1.0)], [0.3, 0.7]),
    )  # fmt: skip
    return [each.sample(50, rng=rng) for each in made]


def _components(seed: int, how: How) -> Any:
    X = Rows.of(seed, how).X
    solver: Any = ("full", "randomized", "arpack")[seed % 3]
    model = th.PCA(2, svd_solver=solver, random_state=seed).fit(X)
    rng = np.random.default_rng(seed)
    chosen = th.choose_components(X, cv=3, rng=rng)
    described = model.describe(X, errors=("robust", "normal", "bootstrap")[seed % 3], rng=rng)
    return [chosen, described, vars(model), model.transform(X)]


def _regress(seed: int, how: How) -> Found:
    frame = laid_out(Rows.of(seed, how).frame, how.layout)
    formula, family = (("z ~ x0 + x1", None), ("c ~ x0", "poisson"), ("z ~ C(y) + x2", None))[seed % 3]
    result = th.regress(formula, frame, family).result
    return Found(
        [result.params, result.standard_errors], [result.params, result.covariance, result.summary()]
    )


def _predict_interval(seed: int, how: How) -> Found:
    rows = Rows.of(seed, how)
    model, y = ((th.Ridge(), rows.number), (th.PoissonRegression(), rows.count))[seed % 2]
    found = th.predict_interval(model.fit(rows.X, y), rows.probe)
    return Found([found.low, found.high], found)


def _held_out(seed: int, how: How) -> Any:
    rows = Rows.of(seed)
    found = th.held_out_probability(th.SVC(), rows.X, rows.label, folds=3, rng=np.random.default_rng(seed))
    return [found.scores, found.predict_proba(rows.probe)]


def _leave_one_out(seed: int, how: How) -> Found:
    rows = Rows.of(seed, how)
    machine, y = ((th.SVC(tol=1e-10), rows.label), (th.SVR(tol=1e-10), rows.number))[seed % 2]
    found = th.leave_one_out(machine, rows.X, y)
    return Found(found.error, found)


def _eta(theta: Any, X: Any) -> Any:
    return np.tanh(X @ theta[0]) @ theta[1]


def _train(seed: int, how: How) -> Any:
    rows = Rows.of(seed, how)
    start = [np.full((rows.X.shape[1], 3), 0.1), np.full((3, 1), 0.1)]
    X, y = laid_out(rows.X, how.layout), rows.number
    found = th.train(_eta, start, X, y, rng=np.random.default_rng(seed), epochs=5, batch_size=16)
    return [found.theta, found.history.losses]


STREAMS = {
    "sgd-linear": "z", "sgd-logistic": "y", "sgd-poisson": "c", "sgd-softmax": "k", "sgd-hinge": "y",
}  # fmt: skip


class _Stop(Exception):
    """Ends a fit on its way."""


def _fit_stream(seed: int, how: How) -> Found:
    model = list(STREAMS)[seed % len(STREAMS)]
    rows = Rows.of(seed, how, n=300)
    frame = rows.frame.with_columns(k=pl.Series(rows.three))
    told = 0

    def stop(phase: str, done: int, of: int | None, loss: float | None) -> None:
        nonlocal told
        told += phase != "Reading"
        if how.stopped and told == 3 + seed % 9:
            raise _Stop

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # A buffer too small to mix the rows is what is tried here.
        warnings.simplefilter("ignore", th.ThetaHatWarning)
        kept = Path(folder) / "checkpoint"
        settings: dict[str, Any] = {
            "drop": {"y", "z", "c", "k"} - {STREAMS[model]}, "epochs": 3, "seed": seed, "batch_size": 8,
            "memory": how.memory or 64.0, "checkpoint": kept, "checkpoint_every": 0.0,
        }  # fmt: skip
        source = source_of(frame, how, Path(folder))
        try:
            found = th.fit_stream(source, STREAMS[model], model, progress=stop, **settings)
        except _Stop:
            found = th.fit_stream(source, STREAMS[model], model, resume=True, **settings)
        if how.stopped:
            found.save(Path(folder) / "model")
            found = th.load_stream_fit(Path(folder) / "model")
        said = pl.concat(list(th.predict_stream(found, source_of(frame, how, Path(folder)))))
    whole = [found.coefficients, found.covariance, found.status, found.log_likelihood, found.losses, said]
    # The hinge has no maximum of a likelihood that the last passes would end at.
    answer: Any = "no maximum"
    if found.covariance is not None:
        errors = np.sqrt(np.diagonal(found.covariance))
        answer = found.coefficients.T.ravel() / errors.max()
    return Found(answer, whole)


def _partitions(seed: int, how: How) -> Found:
    import dask
    import dask.array as da

    rows = Rows.of(seed, n=200)
    model, y = (
        (th.LinearRegression(), rows.number),
        (th.Ridge(), rows.number),
        (th.LogisticRegression(), rows.three),
        (th.PoissonRegression(), rows.count),
        (th.PCA(2), None),
    )[seed % 5]
    size = how.pieces or 200
    given = () if y is None else (da.from_array(y, chunks=size),)
    with dask.config.set(scheduler="threads" if how.jobs > 1 else "synchronous", num_workers=how.jobs):
        found = th.fit_partitions(model, da.from_array(rows.X, chunks=(size, -1)), *given)
    said = said_of(found, rows.probe)
    return Found([np.abs(each) for each in said], [said, fitted(found)])


def _plain(run: Callable[[int, How], Any], heeds: dict[str, float] | None = None, share: int = 1) -> Work:
    def found(seed: int, how: How) -> Found:
        came = run(seed, how)
        return came if isinstance(came, Found) else Found(came, came)

    return Work(found, heeds or {}, share)


def seeded_functions() -> dict[str, Work]:
    """Return every function that takes a seed or a generator, and those that estimate."""
    workers = {"jobs": 0.0, "other executors": 0.0, "BLAS threads": 0.0}
    methods = ("bca", "percentile", "basic", "normal", "studentized")
    made = {f"bootstrap, {name}": _plain(partial(_bootstrap, name)) for name in methods}
    return _likelihoods() | made | {
        "jackknife": _plain(_jackknife),
        "assess": _plain(_assess),
        "decompose": _plain(_decompose, workers, 2),
        "capacity_curve": _plain(_capacity_curve, workers, 2),
        "learning_curve": _plain(_learning_curve, workers, 2),
        "calibrate": _plain(_calibrate, workers),
        "rank_families": _plain(_rank),
        "kl_divergence, cross_entropy": _plain(_divergence),
        "samples of distributions": _plain(_samples),
        "principal components": _plain(_components, {"BLAS threads": ROUNDING}, 2),
        "regress": _plain(_regress, {"kind of frame": 0.0, "row order": ROUNDING}),
        "predict_interval": _plain(_predict_interval, {"row order": MAXIMUM}),
        "held_out_probability": _plain(_held_out),
        "leave_one_out": _plain(_leave_one_out, {"row order": DUAL}),
        "train": _plain(_train, {"memory layout": 0.0, "BLAS threads": 0.0}),
        "fit_stream": _plain(
            _fit_stream,
            {"kind of source": 0.0, "resumed": 0.0, "memory": STEP, "row order": STEP, "BLAS threads": STEP},
            2,
        ),
        "fit_partitions": _plain(_partitions, {"partitions": ROUNDING, "workers of partitions": 0.0}, 2),
    }  # fmt: skip
