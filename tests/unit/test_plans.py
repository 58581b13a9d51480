import numpy as np
import pytest

from thetahat.errors import UsageError
from thetahat.resampling.plans import Holdout, KFold, LeaveOneOut, Rows, parse


@pytest.mark.parametrize("text", ["holdout:0.2", "cv:10", "cv:5x10", "loo"])
def test_a_plan_prints_as_it_was_typed(text):
    assert parse(text).spec == text


@pytest.mark.parametrize("text", ["cv:1", "holdout:1.5", "bootstrap", "cv:x5", ""])
def test_what_is_no_plan_is_refused_by_name(text):
    with pytest.raises(UsageError, match="resampling"):
        parse(text)


@pytest.mark.parametrize("plan", [KFold(5), KFold(4, repeats=3), LeaveOneOut()])
def test_every_row_is_held_out_once_a_repeat_and_never_trains_then(plan):
    n = 23
    draws = plan.draws(Rows(n), rng=np.random.default_rng(0))
    held = np.concatenate([draw.test for draw in draws])
    assert (np.bincount(held, minlength=n) == getattr(plan, "repeats", 1)).all()
    for draw in draws:
        assert sorted([*draw.train, *draw.test]) == list(range(n))


def test_strata_keep_each_class_level_over_the_folds():
    labels = np.repeat([0, 1, 2], [50, 30, 7])
    draws = KFold(5).draws(Rows(87, labels=labels), rng=np.random.default_rng(1))
    counts = np.array([np.bincount(labels[draw.test], minlength=3) for draw in draws])
    assert (np.ptp(counts, axis=0) <= 1).all()


@pytest.mark.parametrize("plan", [KFold(4), Holdout(0.25), LeaveOneOut()])
def test_a_group_is_never_on_both_sides(plan):
    groups = np.random.default_rng(2).integers(0, 9, size=80)
    for draw in plan.draws(Rows(80, groups=groups), rng=np.random.default_rng(3)):
        assert not set(groups[draw.train]) & set(groups[draw.test])


@pytest.mark.parametrize("plan", [KFold(4), Holdout(0.25)])
def test_training_rows_come_before_held_out_rows_in_time(plan):
    times = np.random.default_rng(4).integers(0, 40, size=100)
    for draw in plan.draws(Rows(100, times=times), rng=np.random.default_rng(5)):
        assert times[draw.train].max() < times[draw.test].min()
