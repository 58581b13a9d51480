"""How many rows would decide a pair: from the learning curve of the gap between two candidates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from scipy import stats

from thetahat.comparison.candidates import Candidate, Panel
from thetahat.comparison.outcomes import HeldOutPredictions
from thetahat.contracts import Draw, IntArray, Sample
from thetahat.deadline import Deadline
from thetahat.judgment.pairs import pair_of
from thetahat.measures.measure import Measure, Undefined
from thetahat.resampling.evidence import Evidence, measured
from thetahat.resampling.learning import curve_of, growing_draws, sizes_within
from thetahat.resampling.replicate import replicate
from thetahat.results.comparison import PairRecord, RowsRecord

__all__ = ["too_few_for_a_curve", "with_curve", "worth_a_curve"]

# Draws and sizes of a curve: enough for a power law with an interval, at a price of about five comparisons.
MOST_DRAWS = 20
SIZES = 5
FEWEST = 10
FEWEST_DRAWS = 3


def worth_a_curve(pairs: Sequence[PairRecord], names: Sequence[str], floor: str) -> PairRecord | None:
    """Return the undecided pair of the first and the model farthest behind it, or None."""
    undecided = [
        pair
        for other in names[1:]
        if other != floor and (pair := pair_of(pairs, names[0], other)).verdict == "undecided"
    ]
    undecided = [pair for pair in undecided if pair.low is not None]
    return max(undecided, key=lambda pair: abs(pair.difference), default=None)


def _fewest(classes: int) -> int:
    return max(FEWEST, 2 * classes)


def too_few_for_a_curve(draws: Sequence[Draw], classes: int) -> str:
    """Return why these draws give no learning curve, or ""."""
    if len(draws) < FEWEST_DRAWS:
        drawn = "there is one" if len(draws) == 1 else f"there are {len(draws)}"
        return f"learning curves need at least {FEWEST_DRAWS} draws, and {drawn}"
    most, least = min(len(draw.train) for draw in draws[:MOST_DRAWS]), 8 * _fewest(classes)
    if most < least:
        return f"learning curves need at least {least} training rows in each draw, and there are {most}"
    return ""


def with_curve(
    pair: PairRecord,
    candidates: Mapping[str, Candidate],
    sample: Sample,
    draws: Sequence[Draw],
    labels: IntArray | None,
    measure: Measure,
    classes: int,
    level: float,
    *,
    rng: Generator,
    jobs: int,
    deadline: Deadline | None,
) -> PairRecord:
    """Return the pair with the rows that would decide it, from both models fitted on fewer rows.

    Unchanged where there are too few rows or draws for a curve, a fit fails, or time runs out.
    """
    if too_few_for_a_curve(draws, classes):
        return pair
    folds, fewest = list(draws[:MOST_DRAWS]), _fewest(classes)
    most = min(len(fold.train) for fold in folds)
    assert sample.y is not None
    rng_draws, rng_fits, rng_curve = rng.spawn(3)
    # Far below the table's size learners that need many rows follow another law than the one wanted here.
    smallest = max(fewest, most // 4)
    sizes = sizes_within(np.geomspace(smallest, most, SIZES).astype(int).tolist(), most, fewest)
    panel = Panel([candidates[pair.a], candidates[pair.b]])
    parts = growing_draws(folds, sizes, labels, rng_draws)
    found = replicate(
        panel,
        sample,
        parts,
        HeldOutPredictions(panel, ()),
        rng=rng_fits,
        jobs=jobs,
        deadline=deadline,
    )
    evidence = Evidence((pair.a, pair.b), found.draws, found.values, sample.y, sample.weight)
    if found.stopped or len(evidence.complete) < 2:
        return pair
    try:
        first, second = (measured(evidence, name, measure).values for name in evidence.models)
    except Undefined:
        return pair
    gaps = (first - second).reshape(len(folds), len(sizes))
    curve = curve_of({"gap": gaps}, folds, sizes, measure.name, level, rng_curve)
    needed = curve.rows_to_decide(se=_standard_error(pair, level))
    whole = len(sample) / float(sizes[-1])
    rows, low, high = (
        None if math.isinf(value) else math.ceil(value * whole)
        for value in (needed.rows, needed.low, needed.high)
    )
    return replace(pair, curve_rows=RowsRecord(rows, low, high))


def _standard_error(pair: PairRecord, level: float) -> float:
    """Return the error whose interval at the level is as wide as that which must come to exclude 0.

    That is the verdict's own interval and not the curve's, at the level that the adjustment of the p-value
    leaves of it.
    """
    assert pair.low is not None
    assert pair.high is not None
    half = (pair.high - pair.low) / 2
    z = float(stats.norm.ppf(0.5 + level / 2))
    times = pair.p_adjusted / pair.p if pair.p and pair.p_adjusted else 1.0
    return half / z * float(stats.norm.isf((1 - level) / 2 / max(times, 1.0))) / z
