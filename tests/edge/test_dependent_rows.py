"""Columns that group or order rows whose targets are alike are named; ordinary features are not."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine

from thetahat.comparison.checks import examine
from thetahat.tables import read

RNG = np.random.default_rng(0)
PERSON = np.repeat(np.arange(308, 326), 10)
EFFECT = RNG.normal(size=18)[PERSON - 308]
NOISE = RNG.normal(size=180)
WALK = np.cumsum(RNG.normal(size=180))
DAYS = [date(2024, 1, 1) + timedelta(k) for k in range(180)]


def named(frame, target="y", **roles):
    return [p for p in examine(read(frame), target, **roles).problems if p.code == "TH114"]


@pytest.mark.parametrize("ids", [PERSON, [f"p{k}" for k in PERSON], 7 * PERSON[::-1] % 1000])
@pytest.mark.parametrize("y", [EFFECT + 0.5 * NOISE, np.where(EFFECT > 0, "u", "v")])
def test_a_column_of_persons_is_named_with_the_option(ids, y):
    (problem,) = named(pl.DataFrame({"x": NOISE, "who": ids, "y": y}))
    assert "--group who" in problem.cure
    assert "about 10 rows each" in problem.cause


def test_the_interval_is_too_narrow_by_the_root_of_the_design_effect():
    (problem,) = named(pl.DataFrame({"x": NOISE, "who": PERSON, "y": np.where(EFFECT > 0, "u", "v")}))
    assert f"about {np.sqrt(1 + 9 * 1.0):.1f} times too narrow" in problem.cause


@pytest.mark.parametrize(
    ("name", "column", "y"),
    [
        ("who", PERSON, NOISE),
        ("age", RNG.integers(18, 80, 180), None),
        ("hour", np.arange(180) % 24, np.sin(np.arange(180) % 24 / 4) + 0.3 * NOISE),
        ("arm", np.array(["a", "b", "c"])[PERSON % 3], PERSON % 3 + NOISE),
        ("x", np.linspace(0, 1, 180), np.sin(6 * np.linspace(0, 1, 180))),
        ("when", DAYS, NOISE),
    ],
)
def test_ordinary_columns_are_not_named(name, column, y):
    y = column / 20 + NOISE if y is None else y
    assert named(pl.DataFrame({"w": NOISE[::-1], name: column, "y": y})) == []


@pytest.mark.parametrize(("name", "column"), [("when", DAYS), ("t", np.arange(180)), ("n", np.arange(180))])
@pytest.mark.parametrize("y", [WALK, np.where(WALK > np.median(WALK), "up", "down")])
def test_times_that_order_alike_neighbors_are_named(name, column, y):
    (problem,) = named(pl.DataFrame({"w": NOISE, name: column, "y": y}))
    assert f"--time {name}" in problem.cure


@pytest.mark.parametrize("roles", [{"group": "who"}, {"time": "day"}])
def test_nothing_is_named_where_group_or_time_is(roles):
    frame = pl.DataFrame({"x": NOISE, "who": PERSON, "day": DAYS, "y": EFFECT + np.sort(NOISE)})
    assert named(frame)
    assert named(frame, **roles) == []


@pytest.mark.parametrize("load", [load_iris, load_wine, load_diabetes])
def test_measured_tables_have_no_groups_even_with_a_row_number(load):
    frame = load(as_frame=True).frame
    assert named(frame.assign(id=range(len(frame))), "target") == []


def test_a_quantity_with_a_few_common_values_is_no_group():
    """As the price of books, 500 for half of the colleges: it predicts, and names nobody."""
    rng = np.random.default_rng(4)
    price = np.where(rng.random(700) < 0.5, 500, 10 * rng.integers(30, 90, size=700))
    y = rng.normal(size=700) + (price == 500)
    assert named(pl.DataFrame({"x": rng.normal(size=700), "price": price, "y": y})) == []
