"""The distribution of a column by maximum likelihood."""

from __future__ import annotations

import platform
import shlex
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from thetahat import distributions
from thetahat.contracts import FloatArray
from thetahat.distributions.distribution import Distribution
from thetahat.errors import Code, DataError, Problem, UsageError
from thetahat.likelihood.families import fit_family
from thetahat.likelihood.plots import Quantiles, quantiles
from thetahat.likelihood.ranking import Ranking, rank_families
from thetahat.likelihood.result import LikelihoodResult
from thetahat.results import comparison, estimation
from thetahat.tables import read

__all__ = ["FAMILIES", "Estimation", "estimate_column", "named_family"]

#: Families by the name on a command line.
FAMILIES: dict[str, type[Distribution]] = {
    "normal": distributions.Normal,
    "lognormal": distributions.LogNormal,
    "laplace": distributions.Laplace,
    "student-t": distributions.StudentT,
    "uniform": distributions.Uniform,
    "exponential": distributions.Exponential,
    "gamma": distributions.Gamma,
    "weibull": distributions.Weibull,
    "beta": distributions.Beta,
    "bernoulli": distributions.Bernoulli,
    "poisson": distributions.Poisson,
    "negative-binomial": distributions.NegativeBinomial,
}


@dataclass(frozen=True, slots=True, eq=False)
class Estimation:
    """What was found of a column.

    Parameters
    ----------
    fit : LikelihoodResult
        The family asked for, or the best.
    ranking : Ranking or None
        All families tried, where none was asked for.
    record : EstimationRecord
        All of it, as saved.
    """

    fit: LikelihoodResult
    ranking: Ranking | None
    record: estimation.EstimationRecord


def named_family(name: str) -> Distribution:
    """Return a family by its name on a command line.

    Raises
    ------
    UsageError
        There is none.
    """
    asked = name.strip().lower().replace("_", "-")
    if asked not in FAMILIES:
        raise UsageError(f"family: there is no {name!r}; choose auto or one of {', '.join(FAMILIES)}")
    return FAMILIES[asked]()


def estimate_column(
    data: Any,
    column: str,
    family: str = "auto",
    *,
    errors: str = "observed",
    level: float = 0.95,
    seed: int = 0,
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> Estimation:
    """Fit a family to a column of a table, or the best of those that could hold it.

    Parameters
    ----------
    data : path or frame
        As for ``compare``.
    column : str
        A column of numbers; missing values are left out, and counted.
    family : str
        ``auto``, or a name of :data:`FAMILIES`.
    errors : {"observed", "expected", "sandwich"}
        Kind of the standard errors.
    level : float
        Of the intervals.
    seed : int
        Of the folds that families are ranked on.
    sep, encoding, na_values, decimal, thousands
        How to read a text file.

    Raises
    ------
    DataError
        The table or the column cannot be used.
    UsageError
        An argument cannot be meant, or a number lies outside the family's support.
    """
    if not 0.5 < level < 1:
        raise UsageError(f"level: must lie between 0.5 and 1, not {level:g}")
    if errors not in ("observed", "expected", "sandwich"):
        raise UsageError(f"errors: choose observed, expected or sandwich, not {errors!r}")
    wanted = None if family == "auto" else named_family(family)
    began = time.time()
    table = read(data, sep=sep, encoding=encoding, na_values=na_values, decimal=decimal, thousands=thousands)
    x, missing = _numbers(table, column)
    kind = "HC0" if errors == "sandwich" else errors
    ranking = None
    if wanted is None:
        ranking = rank_families(x, folds=min(10, len(x) // 2), rng=np.random.default_rng(seed))
        fit = ranking.best.fit.with_errors(kind)  # type: ignore[arg-type]
    else:
        fit = fit_family(wanted, x, np.ones(len(x)), kind)
    drawn = quantiles(x, fit.fitted, level) if fit.fitted is not None else None
    words = ["thetahat", "mle", str(data) if isinstance(data, str | Path) else "DATA", "--column", column]
    for name, value, usual in (
        ("family", family, "auto"),
        ("errors", errors, "observed"),
        ("level", level, 0.95),
    ):
        if value != usual:
            words += [f"--{name}", f"{value}"]
    provenance = comparison.ProvenanceRecord(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.time() - began,
        seed=seed,
        command=shlex.join([*words, "--seed", str(seed)]),
        python=platform.python_version(),
        platform=platform.system(),
        versions={name: version(name) for name in ("thetahat", "numpy", "scipy", "polars")},
    )
    return Estimation(
        fit,
        ranking,
        estimation.EstimationRecord(
            schema_version=estimation.SCHEMA_VERSION,
            kind="estimation",
            data=table.name,
            column=column,
            rows=len(x),
            missing=missing,
            sha256=table.sha256,
            family=fit.title.rpartition(", ")[2],
            fitted=str(fit.fitted) if fit.fitted is not None else "",
            support=str(fit.fitted.support()) if fit.fitted is not None else "",
            status=fit.status.value,
            ok=fit.status.ok,
            detail=fit.detail,
            errors=errors,
            level=level,
            parameters=_parameters(fit, level),
            log_likelihood=_finite(fit.log_likelihood),
            aic=_finite(fit.aic),
            aicc=_finite(fit.aicc),
            bic=_finite(fit.bic),
            ranking=() if ranking is None else _families(ranking),
            quantiles=() if drawn is None else _quantiles(drawn),
            inside=None if drawn is None else _inside(drawn),
            sentence=_sentence(fit, ranking, column, len(x)),
            provenance=provenance,
        ),
    )


def _numbers(table: Any, column: str) -> tuple[FloatArray, int]:
    frame = table.frame
    place = f"column {column!r}"
    if column not in frame.columns:
        known = ", ".join(repr(name) for name in frame.columns[:12])
        problem = Problem(Code.NO_TARGET, "there is no such column", place, f"Choose one of {known}")
        raise DataError([problem])
    values = frame.get_column(column)
    if not (values.dtype.is_numeric() or values.dtype == bool):
        cure = "Name a column of numbers, or mend the cells that are none"
        raise DataError([Problem(Code.STRAY_TEXT, f"it holds {values.dtype}, not numbers", place, cure)])
    kept = values.drop_nulls().cast(float).to_numpy()
    if not np.isfinite(kept).all():
        raise DataError([Problem(Code.NOT_FINITE, "it holds an infinite value", place, "Mend or remove it")])
    if len(kept) < 4:
        raise DataError(
            [Problem(Code.TOO_FEW_ROWS, f"it has {len(kept)} values", place, "Give at least 4 of them")]
        )
    return np.ascontiguousarray(kept, dtype=np.float64), values.null_count()


def _parameters(fit: LikelihoodResult, level: float) -> tuple[estimation.ParameterRecord, ...]:
    low, high = fit.interval(level).T
    ends = np.full((len(fit.params), 2), np.nan)
    if fit.profile_of is not None:
        ends = fit.interval(level, "profile")
    return tuple(
        estimation.ParameterRecord(name, *(_finite(v) for v in values))
        for name, *values in zip(
            fit.names, fit.params, fit.standard_errors, low, high, ends[:, 0], ends[:, 1], strict=True
        )
    )


def _families(ranking: Ranking) -> tuple[estimation.FamilyRecord, ...]:
    return tuple(
        estimation.FamilyRecord(
            f.name,
            "" if f.fit.fitted is None else str(f.fit.fitted),
            _finite(f.fit.aic),
            f.weight,
            _finite(f.held_out),
            _finite(f.held_out_se),
            _finite(f.behind),
            _finite(f.behind_se),
            f.fit.status.value,
        )
        for f in ranking.families
    )


def _quantiles(drawn: Quantiles) -> tuple[estimation.QuantileRecord, ...]:
    rows = zip(drawn.expected, drawn.observed, drawn.low, drawn.high, strict=True)
    return tuple(
        estimation.QuantileRecord(*map(float, row)) for row in rows if np.isfinite(np.array(row)).all()
    )


def _inside(drawn: Quantiles) -> float:
    return float(np.mean((drawn.observed >= drawn.low) & (drawn.observed <= drawn.high)))


def _sentence(fit: LikelihoodResult, ranking: Ranking | None, column: str, rows: int) -> str:
    if ranking is not None:
        return f"{column}: {ranking.sentence}"
    if fit.fitted is None or not fit.status.ok:
        return f"{column}: {fit.status.value}."
    name = fit.title.rpartition(", ")[2]
    return f"{column}: the most likely {name} on {rows} rows is {fit.fitted}."


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
