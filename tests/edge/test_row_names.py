"""Columns that only name the rows are left out by fit, by its stream and by compare alike."""

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from thetahat.cli import main
from thetahat.comparison.checks import examine
from thetahat.errors import DataError
from thetahat.estimation.regression import fit_table
from thetahat.estimation.streaming import fit_stream
from thetahat.tables import read
from thetahat.tables.identifiers import RowNames, names_rows

RNG = np.random.default_rng(0)
ROWS = 40


def frame(rows=ROWS):
    a = RNG.normal(size=rows)
    return pl.DataFrame({"a": a, "y": 2 * a + RNG.normal(size=rows)})


COLUMNS = {
    "text": [f"car {k}" for k in range(ROWS)],
    "some text missing": [None if k % 9 == 0 else f"car {k}" for k in range(ROWS)],
    "row numbers": list(range(1, ROWS + 1)),
    "falling numbers": list(range(ROWS, 0, -1)),
    "shuffled numbers": RNG.permutation(ROWS).tolist(),
    "numbers that repeat": [k % 39 for k in range(ROWS)],
    "text that repeats": ["u", "v"] * (ROWS // 2),
    "a gap": [None, *range(1, ROWS)],
    "decimals": RNG.normal(size=ROWS).tolist(),
}


@pytest.mark.parametrize("what", COLUMNS)
def test_fit_and_compare_leave_out_the_same_columns(what):
    table = frame().with_columns(pl.Series("id", COLUMNS[what]))
    found = fit_table(table, "y")
    by_compare = next(c for c in examine(read(table), "y").columns if c.name == "id")
    left_out = by_compare.role == "excluded"
    assert left_out == (what in list(COLUMNS)[:5])
    assert ("id" not in found.formula) == left_out
    assert ("Column 'id' was left out" in found.summary()) == left_out
    seen = RowNames()
    for start in range(0, ROWS, 7):
        seen.see(table["id"][start : start + 7])
    assert seen.found() == left_out == names_rows(table["id"])


@pytest.mark.parametrize("what", ["text", "row numbers"])
def test_a_stream_and_classes_too(tmp_path, what):
    path = tmp_path / "t.csv"
    table = frame().select(pl.Series("id", COLUMNS[what]), "a", pl.Series("g", ["u", "v"] * 20), "y")
    table.write_csv(path)
    whole, without = (fit_stream(data, "y", "sgd-linear") for data in (path, table.drop("id")))
    assert whole.result.names == without.result.names
    assert np.array_equal(whole.coefficients, without.coefficients)
    assert "Column 'id' was left out" in whole.summary()
    classes = table.with_columns(y=pl.col("y") > 0)
    assert fit_table(classes, "y", "logistic").result.names == ("intercept", "a", "g[v]")
    run = CliRunner().invoke(main, ["fit", str(path), "--target", "y", "--stream", "--model", "sgd-linear"])
    assert "Column 'id' was left out" in run.output


def test_names_in_more_rows_than_a_category_has_levels(tmp_path):
    table = frame(2500).with_columns(id=pl.format("r{}", pl.int_range(2500)))
    assert fit_stream(table, "y", "sgd-linear", epochs=1).result.names == ("intercept", "a")
    twice = table.with_columns(id=pl.when(pl.int_range(2500) == 2400).then(pl.lit("r3")).otherwise("id"))
    with pytest.raises(DataError, match="more than 1000"):
        fit_stream(twice, "y", "sgd-linear", epochs=1)


def test_rows_without_a_target_do_not_decide():
    ids = [f"r{k}" for k in range(ROWS)]
    table = frame().with_columns(
        id=pl.Series([ids[5], *ids[1:]]), y=pl.when(pl.int_range(ROWS) > 0).then("y")
    )
    assert "id" not in fit_table(table, "y").formula
    assert fit_stream(table, "y", "sgd-linear").result.names == ("intercept", "a")


def test_a_table_of_names_alone_is_refused_by_name():
    table = frame().with_columns(a=pl.int_range(ROWS))
    for fit in (fit_table, lambda data, target: fit_stream(data, target, "sgd-linear")):
        with pytest.raises(DataError, match=r"TH108.*Column 'a' was left out.*--as number:a"):
            fit(table, "y")


def test_the_saved_fit_needs_no_such_column(tmp_path):
    table = frame().with_columns(id=pl.Series(COLUMNS["text"]))
    fit_table(table, "y").save(tmp_path / "fit")
    fit_stream(table, "y", "sgd-linear").save(tmp_path / "stream")
    table.drop("id").write_csv(tmp_path / "t.csv")
    for name in ("fit", "stream"):
        run = CliRunner().invoke(main, ["predict", str(tmp_path / name), str(tmp_path / "t.csv")])
        assert run.exit_code == 0
        assert len(run.output.splitlines()) == ROWS + 1
    assert th.load(tmp_path / "stream").notes
