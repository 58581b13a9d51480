"""The main job: which learner is better on this table, and how sure that is."""

from __future__ import annotations

import platform
import time as clock
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from thetahat.comparison import verdict as judging
from thetahat.comparison.aliases import default_names
from thetahat.comparison.assemble import losses_of, model_records
from thetahat.comparison.candidates import Panel
from thetahat.comparison.checks import Examined, examine
from thetahat.comparison.held_out import HeldOutLoss
from thetahat.comparison.metrics import choose_loss
from thetahat.comparison.models import resolve
from thetahat.comparison.recipe import RawTable, TableRecipe
from thetahat.comparison.schema import Schema
from thetahat.contracts import Sample
from thetahat.errors import DataError, Problem, Severity, UsageError
from thetahat.resampling.intervals import METHODS, IntervalMethod
from thetahat.resampling.plans import Holdout, KFold, Plan, Rows, parse
from thetahat.resampling.replicate import replicate
from thetahat.results import comparison as record
from thetahat.tables import Table, frame_like, read

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What :func:`compare` found.

    Parameters
    ----------
    record : ComparisonRecord
        All of it, as saved.
    backend : str
        The library that result tables are made in.
    """

    record: record.ComparisonRecord
    backend: str = "polars"

    @property
    def verdict(self) -> str:
        """The verdict as a sentence."""
        return self.record.verdict

    @property
    def winner(self) -> str | None:
        """The model that is better than every other, or ``None``."""
        return self.record.winner

    def table(self) -> Any:
        """Return the models, best first, as a frame of the caller's own library."""
        models = self.record.models
        shown = [m.shown for m in models]
        return frame_like(
            self.backend,
            {
                "model": [m.name for m in models],
                self.record.metric.shown_as: [s and s.estimate for s in shown],
                "se": [s and s.se for s in shown],
                "low": [s and s.low for s in shown],
                "high": [s and s.high for s in shown],
                "train": [m.train_shown for m in models],
                "fit_seconds": [m.fit_seconds for m in models],
                "status": [m.status for m in models],
            },
        )

    def pairs(self) -> Any:
        """Return the pairs as a frame of the caller's own library."""
        fields = ("a", "b", "difference", "low", "high", "p", "p_adjusted", "verdict", "textbook")
        return frame_like(
            self.backend, {name: [getattr(pair, name) for pair in self.record.pairs] for name in fields}
        )

    def to_json(self, path: str | Path) -> None:
        """Save the result as JSON, schema version 1."""
        Path(path).write_bytes(record.encode(self.record))


def compare(
    data: Any,
    target: str,
    models: Iterable[Any] | None = None,
    *,
    metric: str = "auto",
    resampling: str = "auto",
    interval: str = "auto",
    level: float = 0.95,
    margin: float | None = None,
    correction: Literal["holm", "none"] = "holm",
    task: Literal["auto", "classification", "regression"] = "auto",
    group: str | None = None,
    time: str | None = None,
    drop: Collection[str] = (),
    missing: Literal["impute", "drop", "error"] = "impute",
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
    seed: int = 0,
    strict: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Comparison:
    """Compare learners on a table by their loss on held-out rows, with an error bar on everything.

    Parameters
    ----------
    data : path or frame
        A CSV, TSV, Parquet or Arrow file, or a frame of pandas, polars or pyarrow.
    target : str
        The column to predict.
    models : iterable, optional
        Aliases, ``"package.module:Class"``, estimators, ``(name, estimator)`` pairs.
    metric : str
        ``auto``, ``error``, ``log-loss``, ``squared-error`` or ``absolute-error``.
    resampling : str
        ``auto``, ``holdout:F``, ``cv:K``, ``cv:RxK`` (R repeats of K folds) or ``loo``.
    interval : str
        ``auto``, ``corrected-t``, ``holdout`` or ``plain``.
    level : float
        Level of the intervals.
    margin : float, optional
        The smallest difference of mean loss that matters.
    correction : {"holm", "none"}
        Adjustment of the pairs' p-values.
    task : {"auto", "classification", "regression"}
        What the target is.
    group, time : str, optional
        Columns whose equal values stay together, and that order the rows.
    drop : collection of str
        Columns to leave out.
    missing : {"impute", "drop", "error"}
        What to do with missing features.
    sep, encoding, na_values
        How to read a text file.
    time_limit : float, optional
        Seconds after which no further fit is begun; the result then says that it is partial.
    jobs : int
        Worker processes; −1 is one a processor. The result does not depend on it.
    seed : int
        Seed of all randomness.
    strict : bool
        Whether warnings about the table stop the work.
    progress : callable
        Told how many draws are done.

    Returns
    -------
    Comparison
        Models, pairs, verdict.

    Raises
    ------
    DataError
        The table cannot be used; every problem is named.
    UsageError
        An argument cannot be meant.
    """
    began = clock.time()
    _check(level, margin, correction)
    plan = None if resampling == "auto" else parse(resampling)
    table = read(data, sep=sep, encoding=encoding, na_values=na_values)
    found = examine(
        table, target, task=task, group=group, time=time, drop=drop, missing=missing, **_class_rows(plan)
    )
    stop = found.errors + (found.warnings if strict else ())
    if stop or found.schema is None:
        raise DataError(stop or found.problems)
    schema = found.schema
    rng_plan, rng_fits = np.random.default_rng(seed).spawn(2)
    sample, rows = _sample(table, found)
    plan, why = _plan(plan, schema, rows)
    draws = plan.draws(rows, rng=rng_plan)
    method = _interval(interval, len(draws), time)
    loss = choose_loss(metric, schema.task)
    recipe = TableRecipe(schema.features)
    raw = RawTable(tuple(feature.name for feature in schema.features), table.native)
    named = default_names(schema.task, rows.n) if models is None else models
    classes = len(schema.classes)
    candidates = resolve(named, schema.task, classes, loss.name, recipe, raw)
    deadline = None if time_limit is None else began + time_limit
    panel = Panel(candidates, deadline)
    replicates = replicate(
        panel,
        sample,
        draws,
        HeldOutLoss(panel, loss, classes),
        rng=rng_fits,
        jobs=jobs,
        out_of_time=lambda: deadline is not None and clock.time() > deadline,
        finished=progress,
    )
    losses = losses_of(candidates, replicates)
    if plan.spec != "loo" and len(replicates.values) < 2 and len(draws) > 1:
        method = METHODS["none"]
    pairs = judging.judge(losses, judging.Rule(method, level, margin, correction))
    names = list(losses)
    best = judging.winner(pairs, names, "dummy")
    finished = record.ComparisonRecord(
        schema_version=record.SCHEMA_VERSION,
        data=record.DataRecord(table.name, table.frame.height, rows.n, found.columns, missing, table.sha256),
        task=_task(schema),
        metric=record.MetricRecord(loss.name, loss.shown_as, loss.unit),
        plan=record.PlanRecord(
            plan.spec,
            plan.describe(rows),
            why,
            len(replicates.values),
            len(draws),
            float(np.mean([len(d.train) for d in draws])),
            float(np.mean([len(d.test) for d in draws])),
        ),
        interval=method.name,
        interval_covers=method.covers,
        level=level,
        margin=margin,
        correction=correction,
        baseline="dummy",
        models=model_records(candidates, replicates, losses, loss, method, level),
        pairs=pairs,
        verdict=judging.sentence(pairs, names, "dummy", rows.n, best),
        would_change=judging.would_change(pairs, names, rows.n, best),
        winner=best,
        partial=replicates.stopped,
        warnings=tuple(_warning(p) for p in (*found.warnings, *found.notices)),
        provenance=_provenance(data, target, models, resampling, metric, seed, began),
    )
    return Comparison(finished, table.backend)


def _check(level: float, margin: float | None, correction: str) -> None:
    if not 0.5 < level < 1:
        raise UsageError(f"level: must lie between 0.5 and 1, not {level:g}")
    if margin is not None and not margin > 0:
        raise UsageError(f"margin: must be positive, not {margin:g}")
    if correction not in ("holm", "none"):
        raise UsageError(f"correction: choose holm or none, not {correction!r}")


def _class_rows(plan: Plan | None) -> dict[str, Any]:
    folds = plan.folds if isinstance(plan, KFold) else 5 if plan is None else 2
    return (
        {"min_class_rows": folds, "min_class_reason": f"one for each of {folds} folds"} if folds > 2 else {}
    )


def _sample(table: Table, found: Examined) -> tuple[Sample, Rows]:
    assert found.schema is not None
    schema = found.schema
    frame = table.frame[found.rows]
    values = frame.get_column(schema.target)
    labels = None
    if schema.task == "classification":
        code = {label: place for place, label in enumerate(schema.classes)}
        y = labels = np.array([code[label] for label in values.to_list()], dtype=np.int64)
    else:
        y = values.to_numpy().astype(np.float64)
    groups = times = None
    if schema.group is not None:
        groups = frame.get_column(schema.group).rank("dense").to_numpy().astype(np.int64)
    if schema.time is not None:
        times = frame.get_column(schema.time).rank("dense").to_numpy()
    return Sample(frame, y), Rows(frame.height, labels, groups, times)


def _plan(plan: Plan | None, schema: Schema, rows: Rows) -> tuple[Plan, str]:
    if schema.group is not None and schema.time is not None:
        raise UsageError("group, time: name one of them, not both")
    if plan is not None:
        return plan, "as asked"
    if rows.times is not None:
        return KFold(5), f"{schema.time} orders the rows"
    if rows.groups is not None:
        folds = min(10, len(np.unique(rows.groups)))
        return KFold(max(2, folds)), f"{schema.group} groups the rows"
    if schema.class_counts and min(schema.class_counts) < 10:
        return KFold(5, 2), f"the smallest class has {min(schema.class_counts)} rows"
    if rows.n <= 1000:
        return KFold(10, 3), "below 1,000 rows a single split leaves too much to chance"
    if rows.n <= 100_000:
        return KFold(10 if rows.n <= 20_000 else 5), "enough rows that one pass over the folds suffices"
    return Holdout(0.2), "above 100,000 rows a single split is precise enough"


def _interval(name: str, draws: int, time: str | None) -> IntervalMethod:
    if time is not None and draws > 1:
        if name not in ("auto", "none"):
            raise UsageError("interval: none is offered yet for folds ordered in time; use interval='auto'")
        return METHODS["none"]
    if name == "auto":
        return METHODS["holdout" if draws == 1 else "corrected-t"]
    if name not in METHODS:
        raise UsageError(f"interval: there is no {name!r}; choose auto, {', '.join(METHODS)}")
    return METHODS[name]


def _task(schema: Schema) -> record.TaskRecord:
    classes = tuple(
        record.ClassCount(str(label), count)
        for label, count in zip(schema.classes, schema.class_counts, strict=True)
    )
    return record.TaskRecord(schema.task, schema.target, classes, schema.why)


def _warning(problem: Problem) -> record.WarningRecord:
    severity: Literal["warning", "notice"] = "notice" if problem.severity is Severity.NOTICE else "warning"
    return record.WarningRecord(problem.code.value, severity, problem.place, problem.cause, problem.cure)


def _provenance(
    data: Any,
    target: str,
    models: Iterable[Any] | None,
    resampling: str,
    metric: str,
    seed: int,
    began: float,
) -> record.ProvenanceRecord:
    source = str(data) if isinstance(data, (str, Path)) else "DATA"
    named = "".join(f" -m {m}" for m in models or () if isinstance(m, str))
    return record.ProvenanceRecord(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=clock.time() - began,
        seed=seed,
        command=f"thetahat compare {source} --target {target}{named} --resampling {resampling} "
        f"--metric {metric} --seed {seed}",
        python=platform.python_version(),
        platform=platform.system(),
        versions={name: version(name) for name in ("thetahat", "numpy", "scipy", "scikit-learn", "polars")},
    )
