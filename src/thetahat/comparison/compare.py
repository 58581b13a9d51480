"""The main job: which learner is better on this table, and how sure that is."""

from __future__ import annotations

import os
import platform
import time as clock
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from thetahat.comparison import verdict as judging
from thetahat.comparison.aliases import default_names
from thetahat.comparison.assemble import leader_record, losses_of, model_records, of_whole_draws
from thetahat.comparison.candidates import Panel
from thetahat.comparison.checkpoint import Checkpoint, fingerprint
from thetahat.comparison.checks import Examined, examine
from thetahat.comparison.cluster import on_cluster
from thetahat.comparison.held_out import HeldOutLoss
from thetahat.comparison.metrics import choose_loss
from thetahat.comparison.models import resolve
from thetahat.comparison.more_rows import with_curve, worth_a_curve
from thetahat.comparison.planning import (
    OWN_DRAWS,
    asked_plan,
    choose_interval,
    choose_pairs,
    choose_plan,
    fewest_class_rows,
)
from thetahat.comparison.recipe import RawTable, TableRecipe
from thetahat.comparison.result import Comparison
from thetahat.comparison.schema import Schema
from thetahat.comparison.settings import Settings
from thetahat.comparison.tuning import Tuning, asked_grids, typed
from thetahat.comparison.why import explained, training_of
from thetahat.contracts import Draw, Sample
from thetahat.deadline import Deadline
from thetahat.errors import DataError, Problem, Severity, UsageError
from thetahat.resampling.intervals import METHODS
from thetahat.resampling.plans import Plan, Rows
from thetahat.resampling.replicate import Replicates, replicate
from thetahat.results import comparison as record
from thetahat.tables import Table, read

__all__ = ["compare", "read_examined"]

# Always among the models: what can be had without looking at the features.
FLOOR = "dummy"
# Below so many rows every report carries a warning.
FEW_ROWS = 100


def compare(
    data: Any,
    target: str,
    models: Iterable[Any] | None = None,
    *,
    baseline: str = "dummy",
    metric: str = "auto",
    resampling: str = "auto",
    interval: str = "auto",
    pairs: str = "auto",
    level: float = 0.95,
    margin: float | None = None,
    correction: Literal["holm", "none"] = "holm",
    bayes: bool = False,
    rows_needed: bool = False,
    tune: str | Iterable[str] | Mapping[str, Mapping[str, Iterable[Any]]] = "auto",
    tune_rule: Literal["best", "one-se"] = "best",
    task: Literal["auto", "classification", "regression"] = "auto",
    group: str | None = None,
    time: str | None = None,
    drop: Collection[str] = (),
    missing: Literal["impute", "drop", "error"] = "impute",
    sep: str | None = None,
    encoding: str | None = None,
    na_values: Collection[str] | None = None,
    max_rows: int | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
    cluster: str | None = None,
    seed: int = 0,
    strict: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
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
    baseline : str
        The model that the others are held against; added where it is not among them.
    metric : str
        ``auto``, ``error``, ``log-loss``, ``squared-error`` or ``absolute-error``.
    resampling : str
        ``auto``, ``holdout:F``, ``cv:K``, ``cv:RxK`` (R repeats of K folds), ``nested:RxK``,
        ``halves:MxJ`` (J splits of all rows and of each half of M halvings), ``bootstrap:B`` or ``loo``.
    interval : str
        Of a model's loss: ``auto``, ``corrected-t``, ``clt``, ``clt-within``, ``groups`` (over groups of
        rows), ``blocks`` (over stretches of time), ``holdout`` or ``plain``; with draws of their own
        ``nested``, ``conservative-z`` and ``bootstrap632+``.
    pairs : str
        Of the difference of two models: ``auto``, ``clt`` (over rows), ``corrected-t`` (over folds),
        ``groups`` or ``blocks``; the verdict of another is shown beside.
    level : float
        Level of the intervals.
    margin : float, optional
        The smallest difference of mean loss that matters.
    correction : {"holm", "none"}
        Adjustment of the pairs' p-values.
    bayes : bool
        Whether pairs carry the probabilities of better, equivalent and worse (Bayesian correlated t).
    rows_needed : bool
        Whether the rows that would part the first and the model farthest behind it, of those that cannot be
        told from it, are found from both learning curves, with an interval; at most a hundred more fits
        of the two.
    tune : str, iterable of str, or mapping
        ``auto``: a model known by a short name chooses its parameters by 5-fold cross-validation inside
        each training fold, over its usual grid. ``none``: as given. ``"svm-rbf.C=0.1,1,10"``, several of
        these, or ``{"svm-rbf": {"C": (0.1, 1, 10)}}``: the grid of that model, simplest first.
    tune_rule : {"best", "one-se"}
        The point of least inner loss, or the simplest within one standard error of it.
    task : {"auto", "classification", "regression"}
        What the target is.
    group, time : str, optional
        Columns whose equal values stay together, and that order the rows.
    drop : collection of str
        Columns to leave out.
    missing : {"impute", "drop", "error"}
        What to do with missing features.
    sep, encoding, na_values : str, optional
        How to read a text file.
    max_rows : int, optional
        The most rows to use; of a longer table so many are drawn at random, and the result says so.
    time_limit : float, optional
        Seconds after which no further fit is begun, and a fit of ours that is under way ends before its next
        step; one of another library is waited for. The result then says that it is partial, and is of the
        draws that every model was fitted to, where there are any.
    jobs : int
        Worker processes; −1 is one a processor. The result does not depend on it.
    cluster : str, optional
        ``tcp://host:8786`` of a Dask scheduler, or ``local:N`` for N processes: where the fits run. The
        result does not depend on it.
    seed : int
        Seed of all randomness.
    strict : bool
        Whether warnings about the table stop the work.
    checkpoint : path, optional
        A file that holds the finished draws while the work goes on: from its first second, whole or not at
        all. It is removed when the result is whole, and stays when that is partial.
    resume : bool
        Whether to go on from the checkpoint, where there is one: the result has the same bits as if
        nothing had come between, but for seconds.
    progress : callable
        Told how many draws are done, of how many.

    Returns
    -------
    Comparison
        Models, pairs, verdict.

    Raises
    ------
    DataError
        The table cannot be used; every problem is named.
    UsageError
        An argument cannot be meant; the checkpoint is of another comparison.
    ResultFileError
        The checkpoint is damaged.
    """
    began = clock.monotonic()
    deadline = None if time_limit is None else Deadline(time_limit)
    settings = Settings(
        models=None if models is None else tuple(models),
        baseline=baseline,
        metric=metric,
        resampling=resampling,
        interval=interval,
        pairs=pairs,
        level=level,
        margin=margin,
        correction=correction,
        bayes=bayes,
        rows_needed=rows_needed,
        tune=typed(tune),
        tune_rule=tune_rule,
        task=task,
        group=group,
        time=time,
        drop=drop,
        missing=missing,
        sep=sep,
        encoding=encoding,
        na_values=na_values,
        max_rows=max_rows,
        time_limit=time_limit,
        seed=seed,
        strict=strict,
    )
    settings.check()
    if resume and checkpoint is None:
        raise UsageError("resume: name the checkpoint to go on from")
    asked = asked_plan(resampling, interval)
    tuning = Tuning(*asked_grids(tune), tune_rule)
    rng_plan, rng_fits, rng_rows, rng_winner, rng_curve = np.random.default_rng(seed).spawn(5)
    table = read(data, sep=sep, encoding=encoding, na_values=na_values)
    whole = table
    if max_rows is not None and table.frame.height > max_rows:
        table = _some_rows(table, max_rows, rng_rows)
    found = _examined(table, target, asked, settings)
    assert found.schema is not None
    schema = found.schema
    sample, rows = _sample(table, schema, found)
    plan, why = choose_plan(asked, schema, rows)
    draws = plan.draws(rows, rng=rng_plan)
    method = choose_interval(interval, plan, draws, rows)
    loss = choose_loss(metric, schema.task)
    recipe = TableRecipe(schema.features)
    raw = RawTable(tuple(feature.name for feature in schema.features), table.native)
    classes = len(schema.classes)
    candidates = resolve(_named(settings, schema, rows.n), loss, classes, recipe, raw, tuning)
    panel = Panel(candidates)
    of = "" if checkpoint is None else fingerprint(whole.sha256, target, settings, _versions())
    kept = Checkpoint(checkpoint, of, began)
    if resume:
        kept.read(len(draws), len(candidates))
    with on_cluster(cluster):
        replicates = replicate(
            panel,
            sample,
            draws,
            HeldOutLoss(panel, loss, classes),
            rng=rng_fits,
            jobs=jobs,
            deadline=deadline,
            finished=lambda done: progress(done, len(draws)),
            known=kept.known,
            keep=kept.keep,
        )
        replicates = of_whole_draws(replicates)
        if replicates.stopped:
            kept.keep(replicates.by_number, now=True)
        done = len(replicates.values)
        if done < len(draws) and (done < 2 or method.name in OWN_DRAWS):
            method = METHODS["none"]
        losses = losses_of(candidates, replicates, method)
        by, beside = choose_pairs(pairs, method, draws, rows)
        if method.name == "none":
            by, beside = method, None
        judged = judging.judge(losses, judging.Rule(method, level, margin, correction, by, beside, bayes))
        names = list(losses)
        uncertain = worth_a_curve(judged, names, FLOOR) if rows_needed and not replicates.stopped else None
        if uncertain is not None:
            by_curve = with_curve(
                uncertain,
                {candidate.name: candidate for candidate in candidates},
                sample,
                draws,
                rows.labels,
                loss,
                classes,
                level,
                rng=rng_curve,
                jobs=jobs,
                deadline=deadline,
            )
            judged = tuple(by_curve if pair is uncertain else pair for pair in judged)
    best = judging.winner(judged, names, FLOOR)
    said = [judging.sentence(judged, names, FLOOR, rows.n, best)]
    if baseline != FLOOR:
        said.append(judging.held_against(judged, names, baseline))
    finished = record.ComparisonRecord(
        schema_version=record.SCHEMA_VERSION,
        data=record.DataRecord(whole.name, whole.frame.height, rows.n, found.columns, missing, whole.sha256),
        task=_task(schema),
        metric=record.MetricRecord(loss.name, loss.shown_as, loss.unit),
        plan=_plan_record(plan, rows, why, draws, replicates),
        interval=method.name,
        interval_covers=method.covers,
        level=level,
        margin=margin,
        correction=correction,
        baseline=baseline,
        models=explained(
            model_records(candidates, replicates, losses, loss, method, level),
            losses,
            training_of(candidates, replicates),
            judged,
            judging.Rule(method, level, margin, correction, by, beside, bayes),
            loss,
        ),
        pairs=judged,
        verdict=" ".join(said),
        would_change=judging.would_change(judged, names, rows.n, best),
        winner=best,
        partial=replicates.stopped,
        warnings=tuple(
            [
                *_few_rows(rows.n),
                *(_warning(p) for p in (*found.warnings, *found.notices)),
                *_rows_notice(whole, table, seed),
            ]
        ),
        provenance=_provenance(settings.command(data, target), seed, kept.seconds),
        pair_interval=by.name,
        other_pair_interval="" if beside is None else beside.name,
        leader=leader_record(losses, loss, level, rng_winner, FLOOR),
    )
    if not replicates.stopped:
        kept.remove()
    return Comparison(finished, table.backend)


def read_examined(
    data: Any, target: str, plan: Plan | None, settings: Settings
) -> tuple[Schema, Sample, Rows]:
    """Read a table, examine it, and return what it holds as rows to be drawn.

    Raises
    ------
    DataError
        The table cannot be used.
    """
    table = read(data, sep=settings.sep, encoding=settings.encoding, na_values=settings.na_values)
    found = _examined(table, target, plan, settings)
    assert found.schema is not None
    return found.schema, *_sample(table, found.schema, found)


def _examined(table: Table, target: str, plan: Plan | None, settings: Settings) -> Examined:
    fewest, reason = fewest_class_rows(plan)
    found = examine(
        table,
        target,
        task=settings.task,
        group=settings.group,
        time=settings.time,
        drop=settings.drop,
        missing=settings.missing,
        min_class_rows=fewest,
        min_class_reason=reason,
    )
    stop = found.errors + (found.warnings if settings.strict else ())
    if stop or found.schema is None:
        raise DataError(stop or found.problems)
    return found


def _named(settings: Settings, schema: Schema, rows: int) -> Sequence[Any]:
    models = default_names(schema.task, rows) if settings.models is None else list(settings.models)
    known = [model[0] if isinstance(model, tuple) else getattr(model, "name", model) for model in models]
    return models if settings.baseline in (FLOOR, *known) else [*models, settings.baseline]


def _some_rows(table: Table, most: int, rng: Generator) -> Table:
    kept = np.sort(rng.choice(table.frame.height, most, replace=False))
    return replace(table, frame=table.frame[kept])


def _rows_notice(whole: Table, used: Table, seed: int) -> list[record.WarningRecord]:
    if used is whole:
        return []
    cause = f"{used.frame.height} of its {whole.frame.height} rows were drawn at random (seed {seed})"
    cure = "Raise max_rows for narrower intervals"
    return [record.WarningRecord("", "notice", whole.name, cause, cure)]


def _few_rows(rows: int) -> list[record.WarningRecord]:
    if rows >= FEW_ROWS:
        return []
    cause = f"on {rows} rows intervals of a loss cover less than they say"
    cure = f"Read them as a guide below {FEW_ROWS} rows; docs/coverage.md has the measured coverage"
    return [record.WarningRecord("", "warning", "the table", cause, cure)]


def _sample(table: Table, schema: Schema, found: Examined) -> tuple[Sample, Rows]:
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
    return Sample(frame, y, group=groups, time=times), Rows(frame.height, labels, groups, times)


def _plan_record(
    plan: Plan, rows: Rows, why: str, draws: Sequence[Draw], replicates: Replicates[Any]
) -> record.PlanRecord:
    return record.PlanRecord(
        plan.spec,
        plan.describe(rows),
        why,
        len(replicates.values),
        len(draws),
        float(np.mean([len(d.train) for d in draws])),
        float(np.mean([len(d.test) for d in draws])),
    )


def _task(schema: Schema) -> record.TaskRecord:
    classes = tuple(
        record.ClassCount(str(label), count)
        for label, count in zip(schema.classes, schema.class_counts, strict=True)
    )
    return record.TaskRecord(schema.task, schema.target, classes, schema.why)


def _warning(problem: Problem) -> record.WarningRecord:
    severity: Literal["warning", "notice"] = "notice" if problem.severity is Severity.NOTICE else "warning"
    return record.WarningRecord(problem.code.value, severity, problem.place, problem.cause, problem.cure)


def _provenance(command: str, seed: int, seconds: float) -> record.ProvenanceRecord:
    return record.ProvenanceRecord(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=seconds,
        seed=seed,
        command=command,
        python=platform.python_version(),
        platform=platform.system(),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("thetahat", "numpy", "scipy", "scikit-learn", "polars")}
