"""Intervals that have draws of their own: conservative z and the .632+ bootstrap."""

import time

import numpy as np
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier

import thetahat as th
from thetahat.contracts import Draw
from thetahat.errors import UsageError
from thetahat.resampling.bootstrap632 import Bootstrap632, Bootstraps, weighed
from thetahat.resampling.conservative_z import ConservativeZ, Halves
from thetahat.resampling.intervals import OverDraws
from thetahat.resampling.plans import Rows


def test_the_halves_of_a_halving_share_no_row_and_hold_out_as_many_as_the_whole():
    plan = Halves(splits=3, halvings=4)
    draws = plan.draws(Rows(100), rng=np.random.default_rng(0))
    assert len(draws) == plan.fits == 27
    assert {len(draw.test) for draw in draws} == {10}
    assert {len(draw.train) for draw in draws[:3]} == {90}
    for start in range(3, 27, 6):
        one, other = (
            set(np.concatenate([np.r_[d.train, d.test] for d in draws[k : k + 3]]))
            for k in (start, start + 3)
        )
        assert not one & other
        assert len(one) == len(other) == 50


def test_groups_stay_whole_in_halves_and_resamples():
    codes = np.repeat(np.arange(20), 5)
    for plan in (Halves(2, 2), Bootstraps(20)):
        for draw in plan.draws(Rows(100, groups=codes), rng=np.random.default_rng(0)):
            if len(draw.test) < 100:
                assert not set(codes[draw.train]) & set(codes[draw.test])


def test_conservative_z_is_the_spread_between_halves():
    plan = Halves(splits=1, halvings=2)
    values = np.array([0.5, 0.4, 0.6, 0.7, 0.3])
    sizes = np.full(5, 10.0)
    found = ConservativeZ(plan)(OverDraws(values, 9 * sizes, sizes))
    assert found.estimate == 0.5
    assert found.se == pytest.approx(np.sqrt((0.2**2 + 0.4**2) / 2 / 2))


def test_the_weight_of_the_632_bootstrap_follows_the_overfit():
    # No overfit: .368 of the one and .632 of the other; all overfit: the loss on left-out rows alone.
    assert weighed(0.3, 0.3, 0.5) == pytest.approx(0.3)
    assert weighed(0.5, 0.0, 0.5) == pytest.approx(0.5)
    assert weighed(0.9, 0.0, 0.5) == pytest.approx(0.5)
    plain = 0.368 * 0.1 + 0.632 * 0.3
    overfit = (0.3 - 0.1) / (0.5 - 0.1)
    published = plain + (0.3 - 0.1) * 0.368 * 0.632 * overfit / (1 - 0.368 * overfit)
    assert weighed(0.3, 0.1, 0.5) == pytest.approx(published)


def test_left_out_losses_are_averaged_row_by_row_first():
    draws = [
        Draw(np.array([0, 0, 1]), np.array([2])),
        Draw(np.array([2, 2, 1]), np.array([0])),
        Draw(np.array([1, 1, 1]), np.array([0, 2])),
        Draw(np.arange(3), np.arange(3)),
    ]
    rows = [np.array([1.0]), np.array([4.0]), np.array([2.0, 6.0]), np.zeros(3)]
    sizes = np.array([float(len(d.test)) for d in draws])
    tests = [d.test for d in draws]
    found = Bootstrap632(draws)(OverDraws(np.array([r.mean() for r in rows]), sizes, sizes, rows, tests))
    # Row 0 has 4 and 2, row 2 has 1 and 6, and row 1 is never left out.
    assert found.estimate == pytest.approx((3.0 + 3.5) / 2)


def noise(rows=80):
    rng = np.random.default_rng(5)
    x = rng.normal(size=rows)
    label = np.where(x + rng.normal(size=rows) > 0, "a", "b")
    return pl.DataFrame({"x": x, "g": np.arange(rows) // 4, "t": np.arange(rows), "y": label})


@pytest.mark.parametrize(
    ("interval", "resampling"), [("conservative-z", "halves:3x4"), ("bootstrap632+", "bootstrap:40")]
)
def test_an_interval_brings_its_own_draws_and_is_chosen_by_them(interval, resampling):
    record = th.compare(
        noise(), "y", ["logistic"], drop=("g", "t"), resampling=resampling, tune="none"
    ).record
    assert record.interval == record.pair_interval == interval
    assert record.plan.spec == resampling
    assert record.models[0].shown.low < record.models[0].shown.estimate < record.models[0].shown.high
    assert th.compare(noise(), "y", ["dummy"], drop=("g", "t"), interval=interval).record.interval == interval


def test_an_interval_with_its_own_draws_is_refused_on_others_and_on_rows_ordered_in_time():
    with pytest.raises(UsageError, match="has draws of its own; use auto or bootstrap:B"):
        th.compare(noise(), "y", ["logistic"], interval="bootstrap632+", resampling="cv:5")
    with pytest.raises(UsageError, match="clt is not for bootstrap:40"):
        th.compare(noise(), "y", ["logistic"], interval="clt", resampling="bootstrap:40")
    for resampling in ("bootstrap:40", "halves"):
        with pytest.raises(UsageError, match="would train on the future"):
            th.compare(noise(), "y", ["logistic"], resampling=resampling, time="t")


class Slow(DummyClassifier):
    """Takes a while to fit."""

    def fit(self, X, y):
        time.sleep(0.05)
        return super().fit(X, y)


def test_an_interval_that_needs_all_its_draws_is_none_when_time_runs_out():
    record = th.compare(
        noise(), "y", [("slow", Slow())], drop=("g", "t"), interval="nested", time_limit=1.0, tune="none"
    ).record
    assert record.partial
    assert record.interval == "none"
    assert record.models[0].shown.low is None


def test_plain_resamples_are_kept_whole_and_those_of_the_estimate_leave_a_row_out():
    plain = Bootstraps(300, apparent=False).draws(Rows(3), rng=np.random.default_rng(0))
    assert len(plain) == 300
    # Of 27 resamples of three rows six hold them all.
    assert np.mean([len(draw.test) == 0 for draw in plain]) == pytest.approx(6 / 27, abs=0.08)
    for draw in plain:
        assert sorted({*draw.train.tolist(), *draw.test.tolist()}) == [0, 1, 2]
        assert len(draw.train) == 3
    assert len(Bootstraps(1, apparent=False).draws(Rows(3), rng=np.random.default_rng(0))) == 1
    of_estimate = Bootstraps(50).draws(Rows(3), rng=np.random.default_rng(0))
    assert all(len(draw.test) for draw in of_estimate)
    assert len(of_estimate) == 51


def test_resamples_of_one_group_are_refused():
    with pytest.raises(UsageError, match="bootstrap takes at least two groups, not 1"):
        Bootstraps().draws(Rows(8, groups=np.zeros(8, dtype=int)), rng=np.random.default_rng(0))
