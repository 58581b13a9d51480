"""Whether an interval can be trusted at this size: its coverage on tables simulated after this one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from thetahat.comparison.options import Settings
from thetahat.comparison.planning import choose_plan
from thetahat.comparison.recipe import TableRecipe
from thetahat.comparison.subject import read_subject
from thetahat.contracts import Draw, Fit, FloatArray, Prediction, Sample, Status
from thetahat.judgment.pairs import ends
from thetahat.judgment.rule import choose_interval
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.measures.measure import Measure
from thetahat.measures.registry import choose_measure
from thetahat.resampling.evidence import Evidence, Outcome, measured
from thetahat.resampling.intervals import IntervalMethod
from thetahat.resampling.plans import Rows
from thetahat.resampling.replicate import replicate

__all__ = ["Calibration", "calibrate"]

# How far below its level a coverage may lie before the interval is called too narrow.
TOLERATED = 0.02


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often an interval covered, on tables simulated after a real one.

    Parameters
    ----------
    rows, runs : int
        Of each simulated table, and how many tables.
    method, plan, model : str
        The interval, the draws, and the learner.
    level : float
        What the interval says it covers.
    fitted, expected : float
        How often it covered the error of the model fitted to all rows, and the mean error of the
        algorithm over tables of this size.
    fitted_se, expected_se : float
        Monte-Carlo standard errors of these.
    width, error : float
        Median width of the interval, and the mean error.
    loss : str
        Of a row.
    """

    rows: int
    runs: int
    method: str
    plan: str
    model: str
    level: float
    fitted: float
    fitted_se: float
    expected: float
    expected_se: float
    width: float
    error: float
    loss: str

    @property
    def trusted(self) -> bool | None:
        """Whether the better coverage lies within .02 of the level; None where more runs must say."""
        best, se = max((self.fitted, self.fitted_se), (self.expected, self.expected_se))
        if best >= self.level - TOLERATED:
            return True
        return False if best + 2 * se < self.level - TOLERATED else None

    @property
    def sentence(self) -> str:
        """Whether to trust the interval here, in words."""
        said = (
            f"On {self.runs} simulated tables of {self.rows} rows the {100 * self.level:g} % interval of "
            f"{self.method} covered the error of the fitted model in {_percent(self.fitted, self.fitted_se)} "
            f"and the mean error of {self.model} in {_percent(self.expected, self.expected_se)}"
        )
        verdict = {
            True: "it can be trusted here",
            False: "it is too narrow here",
            None: "whether it is too narrow takes more tables to say (raise runs)",
        }
        return f"{said}: {verdict[self.trusted]}."

    def table(self) -> dict[str, list[Any]]:
        """Return both coverages by column."""
        return {
            "covers": ["error of the fitted model", f"mean error of {self.model}"],
            "coverage": [self.fitted, self.expected],
            "se": [self.fitted_se, self.expected_se],
        }


def _percent(share: float, se: float) -> str:
    return f"{100 * share:.1f} ± {100 * se:.1f} %"


def calibrate(
    data: Any,
    target: str,
    *,
    interval: str = "auto",
    resampling: str = "auto",
    level: float = 0.95,
    runs: int = 200,
    rows: int | None = None,
    task: Literal["auto", "classification", "regression"] = "auto",
    drop: Collection[str] = (),
    missing: Literal["impute", "drop", "error"] = "impute",
    missing_target: Literal["drop", "error"] = "drop",
    rare: Literal["error", "drop", "merge"] = "error",
    kinds: Any = None,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    jobs: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Calibration:
    """Simulate the coverage of an interval on tables like this one.

    The population: rows of this table drawn with replacement, their features prepared once, and a new
    target for each from a logistic or normal linear model fitted to this table. The learner is that
    model's, so the error of each of its fits is known exactly: the mean over this table's rows.

    Parameters
    ----------
    data, target, task, drop, missing, missing_target, rare, kinds : object
        As for ``compare``.
    sep, encoding, na_values, decimal, thousands : object
        As for ``compare``.
    interval : str
        ``auto``, ``corrected-t``, ``clt``, ``clt-within``, ``nested``, ``conservative-z``, ``holdout`` or
        ``plain``.
    resampling : str
        As for ``compare``; ``nested`` and ``conservative-z`` have their own.
    level : float
        Of the interval.
    runs : int
        Simulated tables.
    rows : int, optional
        Of each; as many as this table has by default.
    jobs, seed, progress : object
        As for ``compare``.

    Returns
    -------
    Calibration
        Coverage of the fitted model's error and of the algorithm's, with Monte-Carlo errors.

    Raises
    ------
    DataError
        The table cannot be used.
    UsageError
        An argument is invalid.
    """
    settings = Settings.of(
        {
            "interval": interval,
            "resampling": resampling,
            "level": level,
            "task": task,
            "drop": drop,
            "missing": missing,
            "missing_target": missing_target,
            "rare": rare,
            "kinds": kinds or None,
            "sep": sep,
            "encoding": encoding,
            "na_values": na_values,
            "decimal": decimal,
            "thousands": thousands,
            "seed": seed,
        }
    )
    subject = read_subject(data, target, settings, np.random.default_rng(seed))
    sample, classes = subject.sample, subject.target.classes
    n = subject.rows.n if rows is None else rows
    plan, _ = choose_plan(subject.asked, subject.schema, Rows(n, subject.rows.labels))
    probe = plan.draws(Rows(n), rng=np.random.default_rng(0))
    method = choose_interval(interval, plan, probe, Rows(n))
    Z = TableRecipe(subject.schema.features).fit(sample.X).transform(sample.X)
    learner: Any = Logistic(C=1.0, classes=classes) if classes else LeastSquares(C=1.0)
    population = _Population.of(learner, Z, sample.y, classes, np.random.default_rng(seed))
    measure = choose_measure("auto", subject.target)

    simulate = _Simulated(population, learner, plan, method, measure, n, level)
    nothing = np.arange(0)
    found = replicate(
        simulate,
        Sample(np.zeros((1, 1))),
        [Draw(nothing, nothing)] * runs,
        _theta,
        rng=np.random.default_rng(seed),
        jobs=jobs,
        finished=lambda done: progress(done, runs),
    ).values
    low, high, truth = np.array(found).T
    mean = float(truth.mean())
    fitted = float(np.mean((low <= truth) & (truth <= high)))
    expected = float(np.mean((low <= mean) & (mean <= high)))
    return Calibration(
        n,
        len(found),
        method.name,
        plan.spec,
        "logistic" if classes else "linear",
        level,
        fitted,
        _se(fitted, len(found)),
        expected,
        _se(expected, len(found)),
        float(np.median(high - low)),
        mean,
        measure.name,
    )


def _theta(fit: Fit[Any], train: Sample, held_out: Sample, /) -> Any:
    return fit.theta


def _se(share: float, runs: int) -> float:
    # With a success and a failure added, so that 0 and 1 have an error too.
    softened = (share * runs + 1) / (runs + 2)
    return float(np.sqrt(softened * (1 - softened) / runs))


@dataclass(frozen=True, slots=True, eq=False)
class _Population:
    """Rows drawn with replacement, and y given x: class probabilities, or a mean with normal noise."""

    Z: FloatArray
    probability: FloatArray | None
    mean: FloatArray | None
    sd: float

    @classmethod
    def of(cls, learner: Any, Z: FloatArray, y: Any, classes: int, rng: Generator) -> _Population:
        theta = learner.estimate(Sample(Z, y), rng=rng).theta
        said: Prediction = learner.predict(theta, Z)
        if classes:
            return cls(Z, said.probability, None, 0.0)
        spare = max(1, len(y) - Z.shape[1] - 1)
        return cls(Z, None, said.value, float(np.sqrt(np.sum((y - said.value) ** 2) / spare)))

    def draw(self, n: int, rng: Generator) -> Sample:
        rows = rng.integers(len(self.Z), size=n)
        if self.probability is not None:
            below = np.cumsum(self.probability[rows], axis=1)[:, :-1]
            return Sample(self.Z[rows], (rng.random((n, 1)) > below).sum(axis=1))
        assert self.mean is not None
        return Sample(self.Z[rows], self.mean[rows] + self.sd * rng.normal(size=n))

    def error(self, said: Prediction) -> float:
        """Return the expected loss of these predictions of every row of the population."""
        if self.probability is not None:
            right = self.probability[np.arange(len(self.Z)), said.value]
            return float(np.mean(1 - right))
        assert self.mean is not None
        return float(np.mean((said.value - self.mean) ** 2) + self.sd**2)


@dataclass(frozen=True, slots=True, eq=False)
class _Simulated:
    """One simulated table as a point estimate: the interval's ends, and the error it should cover."""

    population: _Population
    learner: Any
    plan: Any
    method: IntervalMethod
    measure: Measure
    n: int
    level: float

    def estimate(self, sample: Sample, *, rng: Generator) -> Any:
        """Return the ends and the error."""
        table = self.population.draw(self.n, rng)
        assert table.y is not None
        labels = table.y if self.population.probability is not None else None
        draws = self.plan.draws(Rows(self.n, labels), rng=rng)
        outcomes = []
        for draw in draws:
            theta = self.learner.estimate(table.take(draw.train), rng=rng).theta
            prediction = self.learner.predict(theta, table.X[draw.test])
            outcomes.append([Outcome(Status.SOLVED, prediction=prediction)])
        evidence = Evidence(("model",), draws, outcomes, table.y)
        low, high = ends(self.method(measured(evidence, "model", self.measure)), self.level, self.measure)
        theta = self.learner.estimate(table, rng=rng).theta
        error = self.population.error(self.learner.predict(theta, self.population.Z))
        return Fit((low, high, error))
