"""The kind of a column as its owner gives it, in Python and by --as."""

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from thetahat.cli import main
from thetahat.comparison.checks import examine
from thetahat.comparison.options import Settings
from thetahat.estimation.regression import fit_table, predict_table
from thetahat.estimation.streaming import fit_stream
from thetahat.tables import read
from thetahat.tables.kinds import asked_kinds, kind_words, with_kinds

RNG = np.random.default_rng(0)
SIZES = ["low", "mid", "high"]


def frame(rows=90):
    a = RNG.normal(size=rows)
    return pl.DataFrame(
        {
            "a": a,
            "code": RNG.integers(1, 4, rows) * 10,
            "size": [SIZES[k] for k in RNG.integers(3, size=rows)],
            "year": range(1900, 1900 + rows),
            "text": [f"{x:.1f}".replace(".", ",") for x in a],
            "day": [f"{1 + k % 28:02}.01.2026" for k in range(rows)],
            "y": a + RNG.normal(size=rows),
        }
    )


def typed(kinds, target="y", table=None):
    return with_kinds(read(frame() if table is None else table), asked_kinds(kinds), target)


def test_words_of_the_command_line_and_a_mapping_say_the_same():
    words = ["category:code,a", "ordinal:size=low<mid<high", "number:text", "date:day"]
    mapping = {"code": "category", "a": "category", "size": SIZES, "text": "number", "day": "date"}
    assert asked_kinds(words) == asked_kinds(mapping) == asked_kinds(kind_words(mapping))
    command = Settings(kinds=mapping).command("t.csv", "y")
    assert "--as category:code --as category:a --as 'ordinal:size=low<mid<high' --as number:text" in command


def test_columns_have_the_kinds_that_were_asked_for():
    found = typed(["category:code", "ordinal:size=low<mid<high", "number:text", "date:day"]).frame
    given = frame()
    assert found["code"].dtype == pl.String
    assert found["code"].unique().sort().to_list() == ["10", "20", "30"]
    assert found["size"].unique().sort().to_list() == [0, 1, 2]
    assert found["text"].dtype == pl.Float64
    assert found["day"].dtype == pl.Date
    assert found.columns == given.columns


@pytest.mark.parametrize(
    ("kinds", "error", "said"),
    [
        (["category"], th.UsageError, "KIND:COLUMN"),
        (["colour:a"], th.UsageError, "choose number, category, ordinal, date"),
        (["text:text"], th.UsageError, "no learner here reads free text.*--drop text"),
        (["ordinal:size=low"], th.UsageError, "two different levels"),
        (["category:a", "number:a"], th.UsageError, "named twice"),
        ("category:a", th.UsageError, "a mapping"),
        (["ordinal:size=low<high"], th.DataError, "TH106 column 'size': it holds 'mid'"),
        (["number:size"], th.DataError, "TH106 column 'size'.*are not numbers"),
        (["date:size"], th.DataError, "no dates of one form"),
        (["category:cod"], th.DataError, "TH101.*Did you mean 'code'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(kinds, error, said):
    with pytest.raises(error, match=said):
        typed(kinds)


def test_an_ordinal_target_becomes_classes_in_its_order():
    found = th.compare(
        frame(), "size", ["logistic"], tune="none", kinds={"size": SIZES}, drop=["text", "day"]
    )
    assert [c.label for c in found.record.task.classes] == SIZES
    codes = frame().with_columns(z=pl.int_range(90) % 30)
    for kind, task in (("category", "classification"), ("number", "regression")):
        assert examine(typed({"z": kind}, "z", codes), "z").schema.task == task


def test_a_quantity_that_differs_in_every_row_is_kept_where_that_is_asked(tmp_path):
    table = frame().select("year", "y")
    with pytest.raises(th.DataError, match="--as number:year"):
        fit_table(table, "y")
    assert fit_table(table, "y", kinds={"year": "number"}).result.names == ("intercept", "year")
    assert fit_stream(table, "y", "sgd-linear", kinds={"year": "number"}).result.names == (
        "intercept",
        "year",
    )
    assert not examine(typed({"year": "number"}, table=table), "y").errors
    table.write_csv(tmp_path / "t.csv")
    for words in (["check"], ["fit"], ["fit", "--stream", "--model", "sgd-linear"]):
        command = [words[0], str(tmp_path / "t.csv"), "--target", "y", *words[1:]]
        assert CliRunner().invoke(main, command).exit_code == 2
        assert CliRunner().invoke(main, [*command, "--as", "number:year"]).exit_code == 0


def test_codes_are_suspected_but_never_changed():
    found = examine(read(frame().drop("day", "text")), "y")
    (notice,) = [p for p in found.notices if "may be codes" in p.cause]
    assert "'code'" in notice.place
    assert "--as category:code" in notice.cure
    assert next(c for c in found.columns if c.name == "code").kind == "number"
    assert not any("may be codes" in p.cause for p in examine(typed({"code": "number"}), "y").notices)


def test_a_fit_codes_ordinals_and_a_saved_one_does_so_again(tmp_path):
    table = frame().select("size", "code", "a", "y")
    found = fit_table(table, "y", kinds={"size": SIZES, "code": "category"})
    assert found.result.names == ("intercept", "size", "code[20]", "code[30]", "a")
    codes = table.with_columns(
        pl.col("size").replace_strict(SIZES, [0, 1, 2]), pl.col("code").cast(pl.String)
    )
    assert found.result.params == pytest.approx(fit_table(codes, "y").result.params)
    found.save(tmp_path / "fit")
    again = th.load(tmp_path / "fit")
    with pytest.warns(th.ThetaHatWarning, match="column 'size'.*'huge', so 1 prediction is missing"):
        some = predict_table(
            again,
            table.with_columns(size=pl.when(pl.int_range(90) == 5).then(pl.lit("huge")).otherwise("size")),
        )
    whole = predict_table(found, table)
    assert some["prediction"].null_count() == 1
    assert np.allclose(some["prediction"].drop_nulls(), np.delete(whole["prediction"].to_numpy(), 5))


def test_a_category_of_numbers_in_a_stream_has_the_columns_of_one_in_memory():
    table = frame().select("code", "a", "y")
    stream = fit_stream(table, "y", "sgd-linear", kinds={"code": "category"})
    whole = fit_table(table, "y", kinds={"code": "category"})
    assert stream.result.names == whole.result.names
    assert stream.result.params == pytest.approx(whole.result.params, rel=1e-6)
