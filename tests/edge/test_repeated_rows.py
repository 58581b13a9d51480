"""Rows that stand more than once: said, kept on one side of every split, and not confused with chance."""

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

import thetahat as th
from thetahat.comparison.check_repeats import repeated_rows
from thetahat.comparison.checks import examine
from thetahat.resampling.plans import Holdout, KFold, Rows
from thetahat.tables import read


def coin(rows=100, seed=3):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {"a": rng.normal(size=rows), "b": rng.normal(size=rows), "y": rng.choice(["p", "q"], rows)}
    )


def mixed(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    cells = {name: rng.integers(4, size=rows) for name in "ghs"}
    return pl.DataFrame({"a": rng.normal(size=rows), **cells, "y": rng.normal(size=rows)})


def categories(rows=300, levels=(3, 4), seed=0):
    rng = np.random.default_rng(seed)
    x = {f"c{k}": rng.integers(level, size=rows) for k, level in enumerate(levels)}
    total = sum(x.values()) + rng.normal(size=rows)
    return pl.DataFrame({**x, "y": np.where(total > np.median(total), "yes", "no")})


def near(frame):
    return frame.with_columns(pl.col("a") + 1e-9)


def severity(frame, **roles):
    problems = [p for p in examine(read(frame), "y", **roles).problems if p.code == "TH113"]
    return problems[0].severity.value if problems else "nothing"


@pytest.mark.parametrize("table", [coin(), mixed(), mixed().with_columns(y=pl.col("g") % 2)])
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("copied", [lambda frame: frame, near])
def test_copies_are_a_warning(table, share, copied):
    part = copied(table[: int(share * table.height)])
    assert severity(pl.concat([table, part])) == "warning"


@pytest.mark.parametrize("levels", [(2, 2), (3, 4), (4, 4, 4, 4, 4), (2,) * 10])
def test_honest_categories_are_at_most_a_notice(levels):
    assert severity(categories(levels=levels)) in ("notice", "nothing")


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_measured_tables_have_no_warning(load):
    frame = pl.from_pandas(load(as_frame=True).frame).rename({"target": "y"})
    assert severity(frame) != "warning"


def test_the_warning_counts_and_names_the_rows():
    problem = next(
        p for p in examine(read(pl.concat([coin(), coin()[:50]])), "y").problems if p.code == "TH113"
    )
    assert problem.cause.startswith("100 rows of 150 stand more than once")
    assert "rows 1 and 101 are equal" in problem.cause


def test_numbers_that_a_line_of_the_grid_parts_are_one_row():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.normal(size=2000).round(2), "y": rng.normal(size=2000).round(3)})
    shaken = frame.with_columns(pl.all() + pl.Series(rng.normal(size=2000) * 1e-8))
    found = repeated_rows(pl.concat([frame, shaken]), ["a", "y"])
    assert (found.codes[:2000] == found.codes[2000:]).all()


def test_a_coin_is_not_learned_from_copies_and_the_report_says_so():
    record = th.compare(pl.concat([coin()] * 3), "y", ["forest"], resampling="cv:5").record
    assert record.winner is None
    assert record.warnings[0].code == "TH113"
    assert "copies of a row kept together, stratified by class" in record.plan.sentence


def test_named_groups_keep_their_own_splits():
    frame = pl.concat([coin()] * 2).with_columns(g=pl.int_range(200) % 20)
    record = th.compare(frame, "y", ["logistic"], group="g", resampling="cv:3", tune="none").record
    assert "whole groups held out" in record.plan.sentence
    assert "the splits follow 'g'" in next(w.cure for w in record.warnings if w.code == "TH113")


def test_splits_of_your_own_stay_and_the_warning_says_so():
    half = np.arange(200) % 2 == 0
    splits = [(np.flatnonzero(half), np.flatnonzero(~half))]
    record = th.compare(pl.concat([coin()] * 2), "y", ["logistic"], resampling=splits, tune="none").record
    assert "the splits are your own" in record.warnings[0].cure
    assert record.plan.mean_test_rows == 100


@pytest.mark.parametrize("plan", [KFold(5), Holdout(0.2)])
def test_folds_of_copies_keep_the_shares_of_the_classes(plan):
    rng = np.random.default_rng(0)
    copies = rng.integers(150, size=400)
    labels = (copies % 5 == 0).astype(int)
    for draw in plan.draws(Rows(400, labels, copies, copies=True), rng=rng):
        assert not set(copies[draw.train]) & set(copies[draw.test])
        assert abs(labels[draw.test].mean() - labels.mean()) < 0.03
