"""The saved record of each model of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from thetahat.comparison.calibrated import Calibrated
from thetahat.comparison.candidates import Candidate
from thetahat.comparison.standardised import StandardisedTarget
from thetahat.comparison.tuning import Tuned
from thetahat.contracts import Status
from thetahat.judgment.estimates import score_of, training_of
from thetahat.judgment.judge import Judgment
from thetahat.measures.measure import Measure, MissingPrediction, Undefined
from thetahat.resampling.evidence import Evidence, Outcome, measured
from thetahat.results.comparison import ChoiceRecord, ModelRecord, Score, TuningRecord

__all__ = ["model_records"]


def model_records(
    candidates: Sequence[Candidate],
    evidence: Evidence,
    judgment: Judgment,
    beside: Sequence[tuple[str, Measure]],
) -> tuple[ModelRecord, ...]:
    """Return a record for each candidate, best first, those without a result last.

    Parameters
    ----------
    candidates : sequence of Candidate
        What was compared.
    evidence : Evidence
        What they predicted.
    judgment : Judgment
        By the measure that carries the verdict.
    beside : sequence of (str, Measure)
        What is shown beside it, by its label.
    """
    by_name = {candidate.name: candidate for candidate in candidates}
    measure, values = judgment.measure, judgment.values
    records = []
    for name in [*values, *(name for name in by_name if name not in values)]:
        outcomes = evidence.of(name)
        description = by_name[name].description
        if name not in values:
            status = judgment.failed.get(name)
            status = _status(outcomes) if status is None else f"{Status.FAILED.value}: {status}"
            records.append(ModelRecord(name, description, status, False, None, None, None, None, None))
            continue
        train = float(np.mean(training_of(outcomes, measure)))
        known = bool(np.isfinite(train))
        records.append(
            ModelRecord(
                name,
                description,
                _status(outcomes),
                all(outcome.status.ok for outcome in outcomes),
                judgment.estimates[name],
                judgment.shown[name],
                train if known else None,
                measure.show(train) if known else None,
                float(np.mean([outcome.seconds for outcome in outcomes])),
                _scores(evidence, name, beside, judgment),
                _tuning(by_name[name], outcomes),
            )
        )
    return tuple(records)


def _status(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return Status.OUT_OF_TIME.value
    bad = [outcome for outcome in outcomes if not outcome.status.ok]
    if not bad:
        return Status.SOLVED.value
    detail = f": {bad[0].detail}" if bad[0].detail else ""
    return f"{bad[0].status.value}{detail} (in {len(bad)} of {len(outcomes)} draws)"


def _scores(
    evidence: Evidence, name: str, beside: Sequence[tuple[str, Measure]], judgment: Judgment
) -> dict[str, Score]:
    scores = {}
    for label, measure in beside:
        try:
            over = measured(evidence, name, measure)
        except (MissingPrediction, Undefined):
            over = None
        scores[label] = score_of(over, measure, judgment.rule.method, judgment.rule.level)
    return scores


def _tuning(candidate: Candidate, outcomes: Sequence[Outcome]) -> TuningRecord | None:
    grid, learner = candidate.grid, candidate.learner
    if grid is None:
        return None
    if isinstance(learner, StandardisedTarget | Calibrated):
        learner = learner.learner
    assert isinstance(learner, Tuned)
    points = grid.points
    chosen = Counter(outcome.choice for outcome in outcomes if outcome.choice is not None)
    ends: Sequence[set[str]] = [
        {repr(values[0]), repr(values[-1])} if len(values) > 1 else set() for values in grid.values.values()
    ]
    at_end = [
        any(repr(value) in end for value, end in zip(point.values(), ends, strict=True)) for point in points
    ]
    return TuningRecord(
        {name: tuple(map(str, values)) for name, values in grid.values.items()},
        learner.rule,
        learner.folds,
        tuple(ChoiceRecord(_words(points[at]), draws) for at, draws in chosen.most_common()),
        sum(draws for at, draws in chosen.items() if at_end[at]) / max(chosen.total(), 1),
        float(np.mean([outcome.tuning_seconds for outcome in outcomes])),
    )


def _words(point: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in point.items()}
