"""From the held-out records of every draw to the models and pairs of a saved comparison."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from thetahat.comparison.candidates import Candidate
from thetahat.comparison.held_out import HeldOut, cut_short
from thetahat.comparison.metrics import OVER_ROWS, Loss, scores_of
from thetahat.comparison.standardised import StandardisedTarget
from thetahat.comparison.tuning import Tuned
from thetahat.contracts import Status
from thetahat.resampling.intervals import HoldoutRows, IntervalMethod, OverDraws
from thetahat.resampling.replicate import TIME_LIMIT, Replicates
from thetahat.resampling.selection_bias import corrected_winner
from thetahat.results.comparison import ChoiceRecord, Estimate, LeaderRecord, ModelRecord, Score, TuningRecord

__all__ = ["leader_record", "losses_of", "model_records", "of_whole_draws"]


def of_whole_draws(replicates: Replicates[list[HeldOut]]) -> Replicates[list[HeldOut]]:
    """Leave out the draws that the time limit cut short, where any is whole, and say that it did.

    One fit too few in the last draw would otherwise cost a model all its draws.
    """
    cut = [cut_short(held) for held in replicates.values]
    if not any(cut):
        return replicates
    stopped = replicates.stopped or TIME_LIMIT
    if all(cut):
        return replace(replicates, stopped=stopped)
    kept = [place for place, short in enumerate(cut) if not short]
    return Replicates(
        [replicates.draws[place] for place in kept],
        [replicates.values[place] for place in kept],
        replicates.planned,
        stopped,
        [replicates.numbers[place] for place in kept],
    )


def losses_of(
    candidates: Sequence[Candidate], replicates: Replicates[list[HeldOut]], method: IntervalMethod
) -> dict[str, OverDraws]:
    """Return the held-out losses of each candidate that has one on every draw, best first."""
    n_train = np.array([len(draw.train) for draw in replicates.draws], dtype=float)
    n_test = np.array([len(draw.test) for draw in replicates.draws], dtype=float)
    tests = [draw.test for draw in replicates.draws]
    losses: dict[str, OverDraws] = {}
    for place, candidate in enumerate(candidates):
        rows = [rec.rows for value in replicates.values if (rec := value[place]).rows is not None]
        if rows and len(rows) == len(replicates.values):
            means = np.array([r.mean() for r in rows])
            by_chance = replicates.values[-1][place].no_information
            losses[candidate.name] = OverDraws(means, n_train, n_test, rows, tests, by_chance)
    return dict(sorted(losses.items(), key=lambda item: method(item[1]).estimate))


def model_records(
    candidates: Sequence[Candidate],
    replicates: Replicates[list[HeldOut]],
    losses: dict[str, OverDraws],
    loss: Loss,
    method: IntervalMethod,
    level: float,
) -> tuple[ModelRecord, ...]:
    """Return a record for each candidate, best first, those without a result last."""
    places = {candidate.name: place for place, candidate in enumerate(candidates)}
    order = [*losses, *(name for name in places if name not in losses)]
    records = []
    for name in order:
        held = [value[places[name]] for value in replicates.values]
        description = candidates[places[name]].description
        status = _status(held)
        if name not in losses:
            records.append(ModelRecord(name, description, status, False, None, None, None, None, None))
            continue
        mean = method(losses[name])
        low, high = mean.interval(level)
        train = float(np.mean([rec.train_loss for rec in held]))
        shown = Estimate(
            loss.show(mean.estimate),
            _known(
                mean.se / (2 * loss.show(mean.estimate)) if loss.squared and mean.estimate > 0 else mean.se
            ),
            _shown(loss, low),
            _shown(loss, high),
            method.name,
        )
        records.append(
            ModelRecord(
                name,
                description,
                status,
                all(rec.status.ok for rec in held),
                Estimate(mean.estimate, _known(mean.se), _known(low), _known(high), method.name),
                shown,
                train,
                loss.show(train),
                float(np.mean([rec.seconds for rec in held])),
                _scores(held, losses[name], loss, method, level),
                _tuning(candidates[places[name]], held),
            )
        )
    return tuple(records)


def leader_record(
    losses: dict[str, OverDraws], loss: Loss, level: float, rng: Generator, floor: str
) -> LeaderRecord | None:
    """Return the leader's loss corrected for having been chosen among the models that learn.

    None where there is no choice, or no row-by-row losses on the same rows.
    """
    chosen_from = [name for name in losses if name != floor]
    if len(chosen_from) < 2 or len(losses[chosen_from[0]].values) < 2:
        return None
    if losses[chosen_from[0]].no_information is not None:
        # The last draw is of all rows on themselves: its losses are not held out.
        return None
    columns = []
    for name in chosen_from:
        over = losses[name]
        if over.rows is None or over.tests is None:
            return None
        held = np.concatenate(over.tests)
        times = np.bincount(held)
        columns.append(np.bincount(held, np.concatenate(over.rows))[times > 0] / times[times > 0])
    found = corrected_winner(np.column_stack(columns), rng=rng, level=level)
    return LeaderRecord(
        chosen_from[0],
        loss.show(found.naive),
        loss.show(found.estimate),
        loss.show(found.low),
        loss.show(found.high),
        len(chosen_from),
        "bootstrap bias correction",
    )


def _status(held: Sequence[HeldOut]) -> str:
    if not held:
        return Status.OUT_OF_TIME.value
    bad = [rec for rec in held if not rec.status.ok]
    if not bad:
        return Status.SOLVED.value
    detail = f": {bad[0].detail}" if bad[0].detail else ""
    return f"{bad[0].status.value}{detail} (in {len(bad)} of {len(held)} draws)"


def _scores(
    held: Sequence[HeldOut], losses: OverDraws, loss: Loss, method: IntervalMethod, level: float
) -> dict[str, Score]:
    found = {}
    for score in scores_of(loss.task):
        values = np.array([(rec.scores or {}).get(score.name, math.nan) for rec in held])
        if np.isnan(values).any():
            found[score.name] = Score(None, None, None, None, "none", score.higher_is_better)
            continue
        quantity = OverDraws(values, losses.n_train, losses.n_test)
        mean = method(quantity)
        low, high = mean.interval(level)
        per_row = isinstance(method, HoldoutRows) and score.name in OVER_ROWS
        over: Literal["folds", "rows", "none"] = (
            "none" if math.isnan(mean.se) else "rows" if per_row else "folds"
        )
        found[score.name] = Score(
            mean.estimate, _known(mean.se), _known(low), _known(high), over, score.higher_is_better
        )
    return found


def _tuning(candidate: Candidate, held: Sequence[HeldOut]) -> TuningRecord | None:
    grid, learner = candidate.grid, candidate.learner
    if grid is None:
        return None
    if isinstance(learner, StandardisedTarget):
        learner = learner.learner
    assert isinstance(learner, Tuned)
    points = grid.points
    chosen = Counter(rec.choice for rec in held if rec.choice is not None)
    ends = [
        {repr(values[0]), repr(values[-1])} if len(values) > 1 else set() for values in grid.values.values()
    ]
    at_end = [
        any(repr(value) in end for value, end in zip(point.values(), ends, strict=True)) for point in points
    ]
    return TuningRecord(
        {name: tuple(map(str, values)) for name, values in grid.values.items()},
        learner.rule,
        learner.folds,
        tuple(
            ChoiceRecord({name: str(value) for name, value in points[at].items()}, draws)
            for at, draws in chosen.most_common()
        ),
        sum(draws for at, draws in chosen.items() if at_end[at]) / max(chosen.total(), 1),
        float(np.mean([rec.tuning_seconds for rec in held])),
    )


def _shown(loss: Loss, end: float) -> float | None:
    return loss.show(end) if math.isfinite(end) else None


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
