"""The main job: which learner is better on this table, and how sure that is."""

from __future__ import annotations

import platform
import time as clock
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from thetahat.comparison.aliases import default_names
from thetahat.comparison.candidates import Candidate, Panel
from thetahat.comparison.checkpoint import Checkpoint, fingerprint
from thetahat.comparison.cluster import on_cluster
from thetahat.comparison.imbalance import measures_for, rare_class, rare_class_problem
from thetahat.comparison.like_dummy import like_dummy
from thetahat.comparison.models import resolve
from thetahat.comparison.more_rows import too_few_for_a_curve, with_curve, worth_a_curve
from thetahat.comparison.options import Settings, with_declared_options
from thetahat.comparison.outcomes import HeldOutPredictions
from thetahat.comparison.planning import choose_plan
from thetahat.comparison.recipe import RawTable, TableRecipe
from thetahat.comparison.records import model_records
from thetahat.comparison.result import Comparison
from thetahat.comparison.subject import Subject, read_subject
from thetahat.comparison.tuning import Tuning, asked_grids
from thetahat.contracts import Draw
from thetahat.deadline import Deadline
from thetahat.errors import Code, Problem, Severity
from thetahat.judgment.estimates import training_of
from thetahat.judgment.judge import (
    Judgment,
    decide,
    disagreement,
    measure_record,
    metric_record,
    with_pair,
)
from thetahat.judgment.loss_attribution import explained
from thetahat.judgment.pairs import Rule
from thetahat.judgment.rule import OWN_DRAWS, check_rule, choose_interval, choose_pairs
from thetahat.measures.measure import Measure
from thetahat.measures.registry import choose_measures
from thetahat.measures.shown import shown_beside
from thetahat.resampling.evidence import Evidence, Outcome, cut_short
from thetahat.resampling.intervals import METHODS
from thetahat.resampling.plans import Plan
from thetahat.resampling.replicate import TIME_LIMIT, Replicates, replicate
from thetahat.results import comparison as record

__all__ = ["compare"]

# Always among the models: what can be had without looking at the features.
FLOOR = "dummy"
# Below this many rows every report carries a warning.
FEW_ROWS = 100
# What can make a verdict wrong altogether is said before what makes it uncertain.
FIRST = (Code.TELLTALE_COLUMN, Code.REPEATED_ROWS)


@with_declared_options
def compare(data: Any, target: str, models: Iterable[Any] | None = None, **options: Any) -> Comparison:
    """Compare learners on a table by a measure on held-out rows, with an error bar on everything.

    Parameters
    ----------
    data : path or frame
        A CSV, TSV, Parquet or Arrow file, or a frame of pandas, polars or pyarrow.
    target : str
        The column to predict.
    {options}

    Returns
    -------
    Comparison
        Models, pairs, verdict.

    Raises
    ------
    DataError
        The table cannot be used; every problem is named.
    UsageError
        An argument is invalid, or the checkpoint belongs to another comparison.
    ResultFileError
        The checkpoint is damaged.

    Examples
    --------
    >>> import numpy as np, polars as pl, thetahat as th
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=200)
    >>> table = pl.DataFrame({"x": x, "y": 2 * x + rng.normal(size=200)})
    >>> th.compare(table, "y", ["linear"], tune="none").winner
    'linear'
    """
    began = clock.monotonic()
    settings = Settings.of({"models": models, **options})
    deadline = None if settings.time_limit is None else Deadline(settings.time_limit)
    rngs = _Generators.of(settings.seed)
    subject = read_subject(data, target, settings, rngs.rows)
    # An invalid measure is refused before the rows are drawn.
    choose_measures(settings.metric, subject.target)
    stage = _drawn(subject, settings, rngs)
    measures = stage.measures
    candidates = _candidates(subject, settings, measures)
    kept = _checkpoint(subject, settings, target, len(stage.draws), len(candidates), began)
    with on_cluster(settings.cluster):
        replicates = _fitted(candidates, subject, stage, measures, settings, rngs.fits, kept, deadline)
        evidence = _evidence(candidates, subject, replicates)
        stopped = replicates.stopped or (TIME_LIMIT if any(map(cut_short, replicates.values)) else "")
        rule = _rule(subject, settings, stage, evidence)
        judgments = [
            decide(evidence, measure, each, floor=FLOOR, baseline=settings.baseline, rng=rng)
            for measure, each, rng in zip(
                measures,
                # A margin is in the units of the first measure.
                [rule, *[replace(rule, margin=None)] * len(measures)],
                [rngs.winner, *rngs.winner.spawn(len(measures))],
                strict=False,
            )
        ]
        if settings.rows_needed and not stopped:
            judgments[0] = _with_curve(
                judgments[0], candidates, subject, stage.draws, settings, rngs.curve, deadline
            )
    if stopped:
        kept.keep({n: list(o) for n, o in zip(replicates.numbers, replicates.values, strict=True)}, now=True)
    else:
        kept.remove()
    result = _record(subject, settings, stage, candidates, evidence, judgments, stopped)
    result = replace(
        result, provenance=_provenance(settings.command(data, target), settings.seed, kept.seconds)
    )
    return Comparison(result, subject.table.backend, evidence, subject.target)


@dataclass(frozen=True, slots=True)
class _Generators:
    """The random numbers of each stage, so that none depends on how many another draws."""

    plan: Generator
    fits: Generator
    rows: Generator
    winner: Generator
    curve: Generator

    @classmethod
    def of(cls, seed: int) -> _Generators:
        return cls(*np.random.default_rng(seed).spawn(5))


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """The draws, why they are these, and what is said of them."""

    plan: Plan
    why: str
    draws: list[Draw]
    measures: tuple[Measure, ...]
    problems: tuple[Problem, ...]


def _drawn(subject: Subject, settings: Settings, rngs: _Generators) -> _Stage:
    plan, why = choose_plan(subject.asked, subject.schema, subject.rows)
    draws = plan.draws(subject.rows, rng=rngs.plan)
    method = choose_interval(settings.interval, plan, draws, subject.rows)
    # Refused before anything is fitted, not after.
    choose_pairs(settings.pairs, method, draws, subject.rows)
    rare, own = rare_class(subject.schema), method.name in OWN_DRAWS
    measures = measures_for(settings.metric, subject.target, rare, subject.rows.labels, draws, own)
    for measure in measures:
        check_rule(method, measure, subject.sample.weight is not None)
    problems = subject.own_draw_problems(draws, strict=settings.strict)
    if rare is not None:
        asked = isinstance(settings.metric, str) and settings.metric.strip().lower() == "auto"
        said = rare_class_problem(subject.schema, rare, measures[0].name, chosen=asked)
        problems += () if said is None else (said,)
    return _Stage(plan, subject.whose or why, draws, measures, problems)


def _candidates(subject: Subject, settings: Settings, measures: Sequence[Measure]) -> list[Candidate]:
    schema = subject.schema
    models: Sequence[Any] = settings.models or default_names(schema.task, subject.rows.n)
    known = [model[0] if isinstance(model, tuple) else getattr(model, "name", model) for model in models]
    if settings.baseline not in (FLOOR, *[name for name in known if isinstance(name, str)]):
        models = [*models, settings.baseline]
    return resolve(
        models,
        measures,
        subject.target,
        TableRecipe(schema.features),
        RawTable(tuple(feature.name for feature in schema.features), subject.table.native),
        Tuning(*asked_grids(settings.tune), settings.tune_rule),  # type: ignore[arg-type]
    )


def _checkpoint(
    subject: Subject, settings: Settings, target: str, draws: int, candidates: int, began: float
) -> Checkpoint:
    of = "" if settings.checkpoint is None else fingerprint(subject.sha256, target, settings, _versions())
    kept = Checkpoint(settings.checkpoint, of, began)
    if settings.resume:
        kept.read(draws, candidates)
    return kept


def _fitted(
    candidates: Sequence[Candidate],
    subject: Subject,
    stage: _Stage,
    measures: Sequence[Measure],
    settings: Settings,
    rng: Generator,
    kept: Checkpoint,
    deadline: Deadline | None,
) -> Replicates[list[Outcome]]:
    panel = Panel(candidates)
    report: Callable[[int, int], None] = settings.progress or (lambda done, of: None)
    return replicate(
        panel,
        subject.sample,
        stage.draws,
        HeldOutPredictions(panel, measures),
        rng=rng,
        jobs=settings.jobs,
        together=1,
        deadline=deadline,
        finished=lambda done: report(done, len(stage.draws)),
        known=kept.known,
        keep=kept.keep,
    )


def _evidence(
    candidates: Sequence[Candidate], subject: Subject, replicates: Replicates[list[Outcome]]
) -> Evidence:
    assert subject.sample.y is not None
    return Evidence(
        tuple(candidate.name for candidate in candidates),
        replicates.draws,
        replicates.values,
        subject.sample.y,
        subject.sample.weight,
        subject.sample.group,
        subject.sample.time,
        subject.rows.row,
    ).whole_draws()


def _rule(subject: Subject, settings: Settings, stage: _Stage, evidence: Evidence) -> Rule:
    method = choose_interval(settings.interval, stage.plan, stage.draws, subject.rows)
    done = len(evidence.draws)
    if done < len(stage.draws):
        if done == 1 and method.name not in OWN_DRAWS:
            # One draw alone is a hold-out, and has the interval of one.
            method = choose_interval("auto", stage.plan, evidence.draws, subject.rows)
        elif done < 2 or method.name in OWN_DRAWS:
            method = METHODS["none"]
    pairs = settings.pairs if done > 1 or done == len(stage.draws) else "auto"
    by, other = choose_pairs(pairs, method, evidence.draws or stage.draws, subject.rows)
    if method.name == "none":
        by, other = method, None
    return Rule(
        method,
        settings.level,
        settings.margin,
        settings.correction,  # type: ignore[arg-type]
        by,
        other,
        settings.bayes,
    )


def _with_curve(
    judgment: Judgment,
    candidates: Sequence[Candidate],
    subject: Subject,
    draws: Sequence[Draw],
    settings: Settings,
    rng: Generator,
    deadline: Deadline | None,
) -> Judgment:
    """Return the judgment with the rows that would decide its least certain pair."""
    uncertain = worth_a_curve(judgment.pairs, list(judgment.values), FLOOR)
    if uncertain is None:
        return judgment
    pair = with_curve(
        uncertain,
        {candidate.name: candidate for candidate in candidates},
        subject.sample,
        draws,
        subject.rows.labels,
        judgment.measure,
        subject.target.classes,
        settings.level,
        rng=rng,
        jobs=settings.jobs,
        deadline=deadline,
    )
    return with_pair(judgment, pair, FLOOR, subject.rows.n)


def _record(
    subject: Subject,
    settings: Settings,
    stage: _Stage,
    candidates: Sequence[Candidate],
    evidence: Evidence,
    judgments: Sequence[Judgment],
    stopped: str,
) -> record.ComparisonRecord:
    first, others = judgments[0], judgments[1:]
    training = {name: training_of(evidence.of(name), first.measure) for name in first.values}
    models = model_records(candidates, evidence, first, shown_beside(subject.target))
    return record.ComparisonRecord(
        schema_version=record.SCHEMA_VERSION,
        data=record.DataRecord(
            subject.table.name,
            subject.given,
            subject.rows.n,
            subject.examined.columns,
            settings.missing,  # type: ignore[arg-type]
            subject.sha256,
        ),
        task=_task(subject, [first.measure, *(each.measure for each in others)]),
        metric=metric_record(first.measure),
        plan=_plan_record(subject, stage, evidence),
        interval=first.rule.method.name,
        interval_covers=first.rule.method.covers,
        level=settings.level,
        margin=settings.margin,
        correction=settings.correction,  # type: ignore[arg-type]
        baseline=settings.baseline,
        models=explained(models, first.values, training, first.pairs, first.rule, first.measure),
        pairs=first.pairs,
        verdict=" ".join([first.verdict, *disagreement(first, others)]),
        would_change=first.would_change,
        winner=first.winner,
        partial=stopped,
        warnings=tuple(_warnings(subject, settings, stage, candidates, judgments, evidence)),
        provenance=_provenance("", settings.seed, 0.0),
        pair_interval=first.rule.pairs.name,
        other_pair_interval="" if first.rule.other is None else first.rule.other.name,
        leader=first.leader,
        measures=tuple(measure_record(each, evidence) for each in others),
        weight=subject.schema.weight or "",
    )


def _plan_record(subject: Subject, stage: _Stage, evidence: Evidence) -> record.PlanRecord:
    return record.PlanRecord(
        stage.plan.spec,
        stage.plan.describe(subject.rows),
        stage.why,
        len(evidence.draws),
        len(stage.draws),
        float(np.mean([len(draw.train) for draw in stage.draws])),
        float(np.mean([len(draw.test) for draw in stage.draws])),
        bool(subject.whose),
    )


def _task(subject: Subject, measures: Sequence[Measure]) -> record.TaskRecord:
    schema = subject.schema
    classes = tuple(
        record.ClassCount(str(label), count)
        for label, count in zip(schema.classes, schema.class_counts, strict=True)
    )
    looked_for = len(classes) == 2 and any(measure.of_positive for measure in measures)
    positive = str(schema.classes[subject.target.positive]) if looked_for else ""
    return record.TaskRecord(schema.task, schema.target, classes, schema.why, positive)


def _warnings(
    subject: Subject,
    settings: Settings,
    stage: _Stage,
    candidates: Sequence[Candidate],
    judgments: Sequence[Judgment],
    evidence: Evidence,
) -> list[record.WarningRecord]:
    found = subject.examined
    # What is said of a rare class depends on the measure.
    notices = [problem for problem in found.notices if problem.code is not Code.RARE_CLASS]
    problems = (*found.warnings, *stage.problems, *notices)
    first = [problem for problem in found.warnings if problem.code in FIRST]
    return [
        *map(_warning, first),
        *_few_rows(subject.rows.n),
        *(_warning(problem) for problem in problems if problem not in first),
        *subject.notices,
        *_of_models(candidates, subject.sample.weight is not None),
        *_stood_in(judgments, evidence),
        *like_dummy(candidates, evidence, FLOOR),
        *_no_curve(settings, stage, subject.target.classes),
    ]


def _no_curve(settings: Settings, stage: _Stage, classes: int) -> list[record.WarningRecord]:
    """Return why the rows that would decide were not looked for, though they were asked for."""
    cause = too_few_for_a_curve(stage.draws, classes) if settings.rows_needed else ""
    if not cause:
        return []
    cure = "Use more folds, as resampling='cv:5', or leave rows_needed out"
    return [record.WarningRecord("", "notice", "rows_needed", cause, cure)]


def _of_models(candidates: Sequence[Candidate], weighted: bool) -> list[record.WarningRecord]:
    """Return what must be said of the learners: their seeds, and weights that they do not take."""
    said = []
    for candidate in candidates:
        notes, place = candidate.notes, f"model {candidate.name}"
        if notes.seed:
            cure = "Leave random_state at None for a verdict on the learner"
            said.append(record.WarningRecord("", "notice", place, notes.seed, cure))
        if notes.calibrated:
            cure = "Leave it out, or name a learner that gives probabilities of its own"
            said.append(record.WarningRecord("", "notice", place, notes.calibrated, cure))
        if weighted and notes.weight:
            cure = "Its measures are weighted all the same; use a learner whose fit takes sample_weight"
            said.append(record.WarningRecord("", "warning", place, notes.weight, cure))
    return said


def _stood_in(judgments: Sequence[Judgment], evidence: Evidence) -> list[record.WarningRecord]:
    """Return which models were measured by something that stands in for what a measure asks for."""
    said = []
    for judgment in judgments:
        stands_in = judgment.measure.stands_in
        for name in judgment.values if stands_in is not None else ():
            prediction = evidence.of(name)[0].prediction
            assert prediction is not None
            assert stands_in is not None
            cause = stands_in(prediction)
            if cause:
                cure = "Compare a learner that predicts quantiles, as QuantileRegressor"
                said.append(record.WarningRecord("", "notice", f"model {name}", cause, cure))
    return said


def _few_rows(rows: int) -> list[record.WarningRecord]:
    if rows >= FEW_ROWS:
        return []
    cause = f"on {rows} rows intervals of a loss cover less than they say"
    cure = f"Read them as a guide below {FEW_ROWS} rows; docs/coverage.md has the measured coverage"
    return [record.WarningRecord("", "warning", "the table", cause, cure)]


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
