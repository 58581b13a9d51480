"""Intervals over groups of rows and over stretches of time."""

import numpy as np
import polars as pl
import pytest

import thetahat as th
from thetahat.errors import UsageError
from thetahat.resampling.clusters import Clustered, blocks
from thetahat.resampling.intervals import OverDraws


def quantity(losses, tests):
    means = np.array([rows.mean() for rows in losses])
    sizes = np.array([float(len(test)) for test in tests])
    return OverDraws(means, sizes, sizes, losses, tests)


def test_groups_of_one_row_give_students_t_over_rows():
    rng = np.random.default_rng(0)
    losses = rng.normal(size=40)
    tests = np.arange(40).reshape(4, 10)
    found = Clustered(np.arange(40), "groups")(quantity(list(losses.reshape(4, 10)), list(tests)))
    assert found.estimate == pytest.approx(losses.mean())
    assert found.se == pytest.approx(losses.std(ddof=1) / np.sqrt(40))
    assert found.df == 39


def test_equal_groups_give_students_t_over_the_means_of_the_groups():
    rng = np.random.default_rng(1)
    losses, codes = rng.normal(size=60), np.repeat(np.arange(12), 5)
    held = np.arange(60).reshape(4, 15)
    found = Clustered(codes, "groups")(quantity(list(losses.reshape(4, 15)), list(held)))
    means = losses.reshape(12, 5).mean(axis=1)
    assert found.se == pytest.approx(means.std(ddof=1) / np.sqrt(12))
    assert found.df == 11


def test_a_row_held_out_twice_enters_with_the_sum_of_its_deviations():
    losses = [np.array([1.0, 3.0]), np.array([5.0, 7.0]), np.array([2.0, 8.0])]
    tests = [np.array([0, 1]), np.array([2, 3]), np.array([1, 2])]
    found = Clustered(np.array([0, 0, 1, 1]), "groups")(quantity(losses, tests))
    mean = 26 / 6
    sums = np.array([1 + 3 + 2 - 3 * mean, 5 + 7 + 8 - 3 * mean])
    assert found.estimate == pytest.approx(mean)
    assert found.se == pytest.approx(np.sqrt(2 * sums @ sums) / 6)


def test_stretches_of_time_are_in_order_of_equal_size_and_keep_equal_times_together():
    times = np.random.default_rng(2).permutation(np.repeat(np.arange(60), 4))
    held = np.flatnonzero(times >= 20)
    codes = blocks(times, held)
    assert (codes[times < 20] == -1).all()
    order = np.argsort(times[held], kind="stable")
    assert (np.diff(codes[held][order]) >= 0).all()
    for time in range(20, 60):
        assert len(set(codes[times == time])) == 1
    sizes = np.bincount(codes[held])
    assert len(sizes) == 20
    assert sizes.max() - sizes.min() <= 4


def table(rows=240):
    rng = np.random.default_rng(3)
    x = rng.normal(size=rows)
    return pl.DataFrame(
        {"x": x, "g": np.arange(rows) // 6, "t": np.arange(rows), "y": x + 0.5 * rng.normal(size=rows)}
    )


def test_a_table_ordered_in_time_is_judged_over_stretches_of_time():
    record = th.compare(table(), "y", ["linear"], time="t", drop=("g",), tune="none").record
    assert record.interval == record.pair_interval == "blocks"
    assert "stretches of time" in record.interval_covers
    assert record.models[0].shown.low is not None
    assert record.winner == "linear"


def test_a_series_too_short_for_stretches_has_no_interval():
    record = th.compare(table(30), "y", ["linear"], time="t", drop=("g",), tune="none").record
    assert record.interval == "none"
    assert record.winner is None


def test_grouped_rows_are_judged_over_groups_where_there_are_enough_of_them():
    many = th.compare(table(), "y", ["linear"], group="g", drop=("t",), tune="none").record
    assert (many.interval, many.pair_interval, many.other_pair_interval) == (
        "corrected-t",
        "groups",
        "corrected-t",
    )
    few = th.compare(table(60), "y", ["linear"], group="g", drop=("t",), tune="none").record
    assert (few.pair_interval, few.other_pair_interval) == ("corrected-t", "groups")
    asked = th.compare(table(), "y", ["linear"], group="g", drop=("t",), interval="groups", tune="none")
    assert asked.record.interval == "groups"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"interval": "groups"}, "name the column with group"),
        ({"pairs": "blocks"}, "name the column with time"),
        ({"time": "t", "interval": "clt"}, "ordered in time; use blocks"),
        ({"time": "t", "pairs": "clt"}, "not for rows ordered in time"),
    ],
)
def test_what_the_rows_do_not_have_is_named(options, said):
    with pytest.raises(UsageError, match=said):
        th.compare(table(), "y", ["linear"], tune="none", **options)
