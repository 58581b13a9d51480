"""Rows without a target and rows of rare classes: left out and counted, merged, or refused with a cure."""

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from thetahat.cli import main
from thetahat.comparison.checks import examine
from thetahat.comparison.rare_classes import ClassNeeds
from thetahat.estimation.regression import fit_table, load_fit
from thetahat.tables import read

RNG = np.random.default_rng(0)
FIVE = ClassNeeds(5, "one for each of 5 folds")


def table(rows=60, empty=7, kind="number"):
    a = RNG.normal(size=rows)
    y = pl.Series("y", a + RNG.normal(size=rows))
    if kind == "text":
        y = pl.Series("y", np.where(y > 0, "u", "v"))
    elif kind == "boolean":
        y = y > 0
    elif kind == "code":
        y = (y > 0).cast(pl.Int64)
    frame = pl.DataFrame({"a": a, "b": RNG.normal(size=rows)}).with_columns(y.alias("y"))
    return frame.with_columns(y=pl.when(pl.int_range(rows) >= empty).then(pl.col("y")))


def labels(**counts):
    names = [name for name, rows in counts.items() for _ in range(rows)]
    return pl.DataFrame({"a": RNG.normal(size=len(names)), "y": names})


def said(frame, **how):
    return examine(read(frame), "y", **how)


@pytest.mark.parametrize("kind", ["number", "text", "boolean", "code"])
def test_rows_without_a_target_are_left_out_and_counted(kind):
    found = said(table(kind=kind))
    assert not found.errors
    assert list(found.rows) == list(range(7, 60))
    assert "7 rows have no target and were left out" in [p.cause for p in found.notices]
    assert found.labels.null_count() == 0
    assert said(table(kind=kind, empty=1)).notices[0].cause == "1 row has no target and was left out"


def test_they_are_refused_as_asked_and_a_target_without_a_value_always_is():
    (refused,) = said(table(), missing_target="error").errors
    assert "rows 1, 2, 3 and 4 more" in str(refused)
    assert "--missing-target drop" in refused.cure
    assert any("every value is missing" in p.cause for p in said(table(empty=60)).errors)


def test_a_row_without_a_target_may_lack_everything_else():
    frame = table().with_columns(g=pl.int_range(60) % 6, w=pl.lit(1.0))
    without = pl.int_range(60) < 7
    frame = frame.with_columns(
        g=pl.when(~without).then("g"),
        w=pl.when(~without).then("w"),
        a=pl.when(without).then(np.inf).otherwise("a"),
        c=pl.when(without).then(1.0).otherwise(2.0),
    )
    found = said(frame, group="g", weight="w")
    assert not found.errors
    assert next(c for c in found.columns if c.name == "c").note == "the same value in every row"
    wrong = frame.with_columns(w=pl.when(pl.int_range(60) != 20).then("w"))
    assert "in row 21" in str(said(wrong, group="g", weight="w").errors[0])


def test_splits_and_predictions_keep_the_row_numbers_of_the_table():
    frame = table(kind="text").with_columns(split=pl.when(pl.int_range(60) % 3 == 0).then(1).otherwise(0))
    held = np.array([row for row in range(7, 60) if row % 3 == 0])
    pair = [(np.setdiff1d(np.arange(60), np.arange(0, 60, 3)), np.arange(0, 60, 3))]
    by_column = th.compare(frame, "y", ["logistic"], tune="none", split="split")
    by_rows = th.compare(frame.drop("split"), "y", ["logistic"], tune="none", resampling=pair)
    for found in (by_column, by_rows):
        predictions = found.predictions()
        assert sorted(set(predictions["row"])) == held.tolist()
        assert all(frame["y"][row] == y for row, y in zip(predictions["row"], predictions["y"], strict=True))
        assert (found.record.data.rows, found.record.data.rows_used) == (60, 53)
    assert f"one split, {len(held)} of 53 rows" in by_column.record.plan.sentence


def test_every_command_says_how_many(tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "fit.model"
    table().write_csv(path)
    for words in (["check"], ["fit"], ["fit", "--model", "y ~ a"], ["fit", "--save", str(model)]):
        target = [] if "~" in words[-1] else ["--target", "y"]
        run = CliRunner().invoke(main, [words[0], str(path), *target, *words[1:]])
        assert run.exit_code == 0, run.output
        assert "7 rows have no target and were left out" in run.output
        run = CliRunner().invoke(main, [*([words[0], str(path), *target]), "--missing-target", "error"])
        assert run.exit_code == 2
    assert load_fit(model).notes == fit_table(path, "y").notes


@pytest.mark.parametrize(
    ("counts", "cures", "no"),
    [
        ({"u": 20, "v": 20, "k": 1, "l": 1}, ["--rare drop"], ["cv:", "--rare merge"]),
        ({"u": 20, "v": 20, "k": 2}, ["--resampling cv:2", "--rare drop"], ["--rare merge"]),
        ({"u": 20, "v": 20, "k": 4, "l": 3}, ["cv:3", "--rare drop", "--rare merge"], []),
        ({"u": 20, "k": 1}, ["join the class"], ["--rare", "cv:"]),
        ({"u": 20, "k": 3, "l": 2}, ["cv:2", "--rare merge"], ["--rare drop"]),
    ],
)
def test_a_rare_class_is_named_with_its_rows_and_with_cures_that_work(counts, cures, no):
    frame = labels(**counts)
    (error,) = said(frame, needs=FIVE).errors
    for name, rows in counts.items():
        if rows < 5:
            assert f"class '{name}' has {rows} row" in error.cause
    assert all(cure.casefold() in error.cure.casefold() for cure in cures)
    assert not any(cure in error.cure for cure in no)
    for rare in ("drop", "merge"):
        if f"--rare {rare}" in error.cure:
            assert not said(frame, needs=FIVE, rare=rare).errors
        else:
            assert said(frame, needs=FIVE, rare=rare).errors


def test_rare_classes_are_left_out_or_merged_and_that_is_said():
    frame = labels(u=20, k=3, v=20, other=9, l=2)
    dropped, merged = (said(frame, needs=FIVE, rare=rare) for rare in ("drop", "merge"))
    assert dropped.schema.classes == ("other", "u", "v")
    assert dropped.labels.to_list() == frame["y"][dropped.rows].to_list()
    assert "5 rows were left out" in dropped.notices[0].cause
    assert merged.schema.classes == ("other", "u", "v", "other′")
    assert merged.schema.class_counts == (9, 20, 20, 5)
    assert "'other′', of 5 rows" in merged.notices[0].cause


def test_whole_numbers_and_rows_without_a_target_beside_rare_classes():
    frame = pl.DataFrame({"y": [2] * 20 + [10] * 20 + [None] * 3 + [7] * 3 + [9] * 2}).with_columns(
        a=pl.Series(RNG.normal(size=48))
    )
    merged = said(frame, needs=FIVE, rare="merge", task="classification")
    assert merged.schema.classes == ("2", "10", "other")
    found = th.compare(frame, "y", ["logistic"], tune="none", rare="merge", task="classification")
    assert [c.label for c in found.record.task.classes] == ["2", "10", "other"]
    assert set(found.predictions()["row"]) == set(range(48)) - {40, 41, 42}


def test_the_cures_of_a_class_of_two_rows_work_with_tuning_too():
    frame = labels(u=20, v=20, k=2)
    for how in ({"resampling": "cv:2"}, {"rare": "drop"}):
        found = th.compare(frame, "y", ["logistic"], **how)
        assert all(model.loss is not None for model in found.record.models)
