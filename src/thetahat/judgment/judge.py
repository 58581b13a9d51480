"""The one place where evidence becomes a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from thetahat.judgment.estimates import (
    estimate_of,
    leader_record,
    measured_models,
    shown_estimate,
    training_of,
)
from thetahat.judgment.pairs import Rule, judge
from thetahat.judgment.sentences import against_baseline, sentence, winner, would_change
from thetahat.measures.measure import Measure
from thetahat.resampling.evidence import Evidence
from thetahat.resampling.intervals import OverDraws
from thetahat.results.comparison import (
    Estimate,
    LeaderRecord,
    MeasuredRecord,
    MeasureRecord,
    MetricRecord,
    PairRecord,
)

__all__ = ["Judgment", "decide", "disagreement", "measure_record", "metric_record", "with_pair"]


@dataclass(frozen=True, slots=True, eq=False)
class Judgment:
    """What evidence says of models by one measure.

    Parameters
    ----------
    measure : Measure
        What was measured.
    rule : Rule
        How it was judged.
    values : mapping of str to OverDraws
        The measure of each model that has one, best first.
    failed : mapping of str to str
        Why a model with predictions has none.
    estimates, shown : mapping of str to Estimate
        With intervals; in the form for people.
    pairs : tuple of PairRecord
        Every pair.
    winner : str or None
        The model that is better than every other.
    verdict, would_change : str
        In words.
    leader : LeaderRecord or None
        The first model's measure, corrected for having been chosen.
    """

    measure: Measure
    rule: Rule
    values: Mapping[str, OverDraws]
    failed: Mapping[str, str]
    estimates: Mapping[str, Estimate]
    shown: Mapping[str, Estimate]
    pairs: tuple[PairRecord, ...]
    winner: str | None
    verdict: str
    would_change: str
    leader: LeaderRecord | None = None


def decide(
    evidence: Evidence,
    measure: Measure,
    rule: Rule,
    *,
    floor: str,
    baseline: str,
    rng: Generator,
) -> Judgment:
    """Judge the models of the evidence by a measure; nothing is fitted.

    Parameters
    ----------
    evidence : Evidence
        Predictions of the same held-out rows.
    measure : Measure
        What is measured.
    rule : Rule
        How estimates and pairs get their intervals.
    floor : str
        The model that ignores the features, which never wins.
    baseline : str
        The model that the others are compared with.
    rng : Generator
        Of the correction for the leader's having been chosen.
    """
    values, failed = measured_models(evidence, measure, rule.method)
    means = {name: rule.method(over) for name, over in values.items()}
    pairs = judge(values, rule, measure, len(evidence.y))
    shown = {
        name: shown_estimate(mean, measure, rule.level, rule.method.name) for name, mean in means.items()
    }
    missing = [model for model in evidence.models if model not in values]
    names = list(values)
    held = len(np.unique(np.concatenate([draw.test for draw in evidence.draws]))) if evidence.draws else 0
    held_out = held if 0 < held < len(evidence.y) else None
    said = [sentence(pairs, names, floor, len(evidence.y), measure, missing, held_out)]
    if baseline != floor:
        said.append(against_baseline(pairs, names, baseline))
    return Judgment(
        measure,
        rule,
        values,
        failed,
        {name: estimate_of(mean, measure, rule.level, rule.method.name) for name, mean in means.items()},
        shown,
        pairs,
        winner(pairs, names, floor),
        " ".join(said),
        would_change(
            pairs, {name: each.estimate for name, each in shown.items()}, floor, len(evidence.y), measure
        ),
        leader_record(values, measure, rule.level, rng, floor),
    )


def with_pair(judgment: Judgment, pair: PairRecord, floor: str, rows: int) -> Judgment:
    """Return the judgment with more known of one of its pairs."""
    pairs = tuple(pair if {pair.a, pair.b} == {each.a, each.b} else each for each in judgment.pairs)
    shown = {name: each.estimate for name, each in judgment.shown.items()}
    return replace(
        judgment, pairs=pairs, would_change=would_change(pairs, shown, floor, rows, judgment.measure)
    )


def metric_record(measure: Measure) -> MetricRecord:
    """Return the saved form of a measure."""
    low, high = measure.bounds
    return MetricRecord(
        measure.name,
        measure.shown_as,
        measure.unit,
        measure.higher_is_better,
        measure.notice,
        measure.losses is None,
        measure.root,
        measure.show(low) if math.isfinite(low) else None,
        measure.show(high) if math.isfinite(high) else None,
        measure.of_positive,
    )


def measure_record(judgment: Judgment, evidence: Evidence) -> MeasureRecord:
    """Return the saved form of what a further measure says."""
    measure = judgment.measure
    models = []
    for name in [*judgment.values, *(name for name in evidence.models if name not in judgment.values)]:
        train = None
        if name in judgment.values:
            mean = float(training_of(evidence.of(name), measure).mean())
            train = measure.show(mean) if mean == mean else None
        models.append(
            MeasuredRecord(
                name,
                judgment.estimates.get(name),
                judgment.shown.get(name),
                train,
                judgment.failed.get(name, ""),
            )
        )
    return MeasureRecord(
        metric_record(measure), tuple(models), judgment.pairs, judgment.verdict, judgment.winner
    )


def disagreement(first: Judgment, others: Sequence[Judgment]) -> list[str]:
    """Say where further measures give another best model than the first; nothing where they agree."""
    said = []
    for other in others:
        name = other.measure.shown_as
        if other.winner == first.winner:
            continue
        if not other.values:
            said.append(f"By {name} no model has a result.")
        elif other.winner:
            said.append(f"By {name} {other.winner} is best.")
        else:
            said.append(f"By {name} there is no clear winner.")
    return said
