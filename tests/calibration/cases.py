"""The simulations behind docs/coverage.md, each a line; a method joins by one."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tests.calibration.simulators import (
    coverage,
    grouped_rejections,
    ordered_rejections,
    paired_rejections,
    random_splits,
    refitted_coverage,
    selected_winner,
)
from thetahat.judgment.pairs import paired
from thetahat.resampling.bootstrap632 import Bootstrap632, Bootstraps
from thetahat.resampling.clusters import Clustered, blocks
from thetahat.resampling.conservative_z import ConservativeZ, Halves
from thetahat.resampling.intervals import Clt, CorrectedT, MeanEstimate, PlainNormal
from thetahat.resampling.nested import Nested, NestedFolds
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.selection_bias import corrected_winner

SIZES = (40, 100, 200, 400)
NESTED = NestedFolds(10, 5)


class StudentOverFolds:
    """Mean ± Student's t with K − 1 degrees of freedom over folds, as if they were independent."""

    name = "plain, t"
    covers = "nothing reliably"

    def __call__(self, quantity, /):
        mean = PlainNormal()(quantity)
        return MeanEstimate(mean.estimate, mean.se, len(quantity.values) - 1)


def folds(n):
    return lambda rng: KFold(10).draws(Rows(n), rng=rng)


INTERVALS = {
    "plain, z": (PlainNormal(), folds),
    "plain, t": (StudentOverFolds(), folds),
    "corrected-t, 25 random splits of 90/10": (
        CorrectedT(),
        lambda n: lambda rng: random_splits(n, 0.1, 25, rng),
    ),
    "corrected-t, cv:3x10": (CorrectedT(), lambda n: lambda rng: KFold(10, 3).draws(Rows(n), rng=rng)),
    "clt": (Clt(), folds),
    "clt-within": (Clt(within=True), folds),
    "nested": (Nested(NESTED), lambda n: lambda rng: NESTED.draws(Rows(n), rng=rng)),
}


def covered(name, n, runs, rng):
    method, draws = INTERVALS[name]
    return coverage(n, method, draws(n), runs, rng)


REFITTED = {
    "conservative-z": (lambda draws: ConservativeZ(), Halves()),
    "bootstrap632+": (Bootstrap632, Bootstraps(200)),
}


def covered_by_refitting(name, n, runs, rng):
    method, plan = REFITTED[name]
    return refitted_coverage(n, method, plan, runs, rng)


def _by(method):
    return lambda a, b: method(paired(a, b)).p_value() < 0.05


def _uncorrected(a, b):
    return stats.ttest_1samp(a.values - b.values, 0).pvalue < 0.05


def _textbook(a, b):
    one, other = (PlainNormal()(side).interval(0.95) for side in (a, b))
    return one[1] < other[0] or other[1] < one[0]


RULES = {
    "clt (default from 60 rows)": _by(Clt()),
    "corrected-t (default below)": _by(CorrectedT()),
    "uncorrected t over folds": _uncorrected,
    "textbook: plain intervals must not overlap": _textbook,
}
PLANS = {"cv:10": KFold(10), "cv:3x10": KFold(10, 3), "cv:10x10": KFold(10, 10)}
PAIRED = ((0.0, 40), (0.0, 60), (0.0, 100), (0.0, 200), (0.4, 100), (0.4, 200))


def told_apart(plan, n, gap, runs, rng):
    return paired_rejections(n, gap, RULES, PLANS[plan], runs, rng)


GROUPED = {
    "groups (default from 30 groups)": lambda codes: _by(Clustered(codes, "groups")),
    "corrected-t (default below)": lambda codes: _by(CorrectedT()),
    "clt, as if rows were independent": lambda codes: _by(Clt()),
}
GROUPS = ((10, 10), (20, 10), (30, 10), (60, 5))


def told_apart_by_groups(groups, each, runs, rng):
    return grouped_rejections(groups, each, GROUPED, runs, rng)


def _by_blocks(times, draws):
    return _by(Clustered(blocks(times, np.concatenate([draw.test for draw in draws])), "blocks"))


ORDERED = {
    "blocks (default)": _by_blocks,
    "clt, as if rows were independent": lambda times, draws: _by(Clt()),
}
SERIES = ((60, 0.0), (120, 0.5), (240, 0.8), (1000, 0.8))


def told_apart_in_time(n, rho, runs, rng):
    return ordered_rejections(n, rho, ORDERED, runs, rng)


def winner(n, runs, rng):
    return selected_winner(
        n, 500, runs, rng, lambda losses, rng: corrected_winner(losses, rng=rng, resamples=500)
    )
