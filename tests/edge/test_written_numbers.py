"""Numbers as people write them, and names that only look like numbers."""

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from thetahat.cli import main
from thetahat.comparison.checks import examine
from thetahat.estimation.streaming import fit_stream
from thetahat.tables import read
from thetahat.tables.streaming import open_source

NUMBERS = {
    "decimal comma": (";", ["0,5", "12,25", "-3,0"], [0.5, 12.25, -3.0]),
    "decimal comma, points": (";", ["1.234,56", "0,5", "12"], [1234.56, 0.5, 12]),
    "decimal comma, tab": ("\t", ["0,5", "1e-3", "7"], [0.5, 0.001, 7]),
    "quoted decimal comma": (",", ['"0,5"', '"1,25"', "3"], [0.5, 1.25, 3]),
    "spaces and comma": (";", ["1 234,5", "12\xa0345,0", "1,5"], [1234.5, 12345, 1.5]),
    "thousands": (",", ['"1,234"', "999", '"1,234,567"'], [1234, 999, 1234567]),
    "thousands, decimals": (";", ["1,234.5", "0.5", "12,000"], [1234.5, 0.5, 12000]),
    "points for thousands": (";", ["1.234.567", "12.000", "5"], [1234567, 12000, 5]),
    "spaces": (",", ["1 234", "12\u202f345", "7"], [1234, 12345, 7]),
    "apostrophes": (",", ["1'234", "12’345.5", "7"], [1234, 12345.5, 7]),
    "percent": (",", ["12 %", "7.5%", "-3 %"], [12, 7.5, -3]),
    "percent with commas": (";", ["12,5 %", "7,5%", "3%"], [12.5, 7.5, 3]),
    "dollars": (",", ['"$1,200.50"', "$3", "-$4.25"], [1200.5, 3, -4.25]),
    "euros": (";", ["€ 3,50", "€ 1.200,00", "€ 7"], [3.5, 1200, 7]),
    "euros behind": (";", ["3,50 €", "1.200,00 €", "-7 €"], [3.5, 1200, -7]),
    "codes of currencies": (",", ["12.5 USD", "3 USD", "4 USD"], [12.5, 3, 4]),
    "parentheses": (",", ['"(1,200)"', '"3,400"', "7"], [-1200, 3400, 7]),
    "parentheses, dollars": (",", ["($5.50)", "$7", "$8"], [-5.5, 7, 8]),
    "minus signs": (";", ["−1,5", "+2,5", "3"], [-1.5, 2.5, 3]),
    "three decimals by a semicolon": (";", ["1,234", "5,678", "9,012"], [1.234, 5.678, 9.012]),
}
TEXT = {
    "zip codes": ["01", "1", "001"],
    "padded codes": ["007", "012", "100"],
    "20 digits": ["11898508762506083287", "11898508762506083288", "1"],
    "exponents": ["50060e8007123410", "50060e8007123411", "1E999"],
    "bare exponents": ["12e3", "120e2", "7"],
    "two currencies": ["$5", "€5", "$7"],
    "some percent": ["12%", "0.5", "3"],
    "one plain number": ["$5", "5", "$7"],
    "both groupings": ["1,234", "1234", "12,345"],
    "padded percent": ["05%", "12%", "7%"],
    "words": ["low", "mid", "-"],
    "parts": ["1-2", "3-4", "5-6"],
}


def table(folder, cells, sep=",", head="", times=20, name="t.csv", **more):
    columns = {"c": [*cells] * times, **{key: [*values] * times for key, values in more.items()}}
    lines = [sep.join(row) for row in zip(*columns.values(), strict=True)]
    path = folder / name
    path.write_text(head + sep.join(columns) + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("what", NUMBERS)
def test_numbers_are_read_where_the_whole_column_agrees(tmp_path, what):
    sep, cells, numbers = NUMBERS[what]
    found = read(table(tmp_path, cells, sep), sep=sep)
    assert found.frame["c"][:3].to_list() == pytest.approx(numbers)
    assert found.notes
    assert found.frame["c"].dtype.is_numeric()


@pytest.mark.parametrize("what", TEXT)
def test_other_cells_stay_text(tmp_path, what):
    cells = TEXT[what]
    quoted = [f'"{cell}"' for cell in cells]
    found = read(table(tmp_path, quoted, ",")).frame["c"]
    assert found.dtype == pl.String
    assert found[:3].to_list() == cells


@pytest.mark.parametrize("cells", [["1.5", "1.50", "2"], ["1e5", "1E5", "0.1"], ["00.5", "1.5", "2.5"]])
def test_plain_numbers_stay_numbers_and_nothing_is_said(tmp_path, cells):
    found = read(table(tmp_path, cells))
    assert found.frame["c"].dtype == pl.Float64
    assert not found.notes


def test_versions_stay_text_and_prices_do_not(tmp_path):
    versions = [f"{major}.{minor}" for major in (1, 2) for minor in range(13)]
    assert read(table(tmp_path, versions)).frame["c"].n_unique() == 26
    prices = ["1.1", "1.10", "1.25", "1.75", "1.99", "2.5", "2.50"]
    assert read(table(tmp_path, prices)).frame["c"].dtype == pl.Float64


def test_the_other_columns_of_a_file_decide_what_one_cannot(tmp_path):
    two = ["1,234", "5,678", "9,012"]
    for other, value in ((["1,5", "0,5", "2,5"], 1.234), (["1.5", "0.5", "2.5"], 1234)):
        assert read(table(tmp_path, two, ";", d=other), sep=";").frame["c"][0] == value
    points = ["1.234", "12.345", "7"]
    assert read(table(tmp_path, points, ";", d=["1,5", "0,5", "2,5"]), sep=";").frame["c"][1] == 12345
    assert read(table(tmp_path, points, ";"), sep=";").frame["c"][1] == 12.345
    undecided = read(table(tmp_path, two, "\t"), sep="tab")
    assert undecided.frame["c"].dtype == pl.String
    assert "1,234 may be 1234 or 1.234" in undecided.notes[0].cause
    assert read(table(tmp_path, two, "\t"), sep="tab", thousands=",").frame["c"][0] == 1234
    assert read(table(tmp_path, two, "\t"), sep="tab", decimal=",").frame["c"][0] == 1.234


def test_options_say_what_the_marks_are(tmp_path):
    path = table(tmp_path, ["1.234", "12.345", "7"], ";", d=["1,5", "0,5", "2"])
    assert read(path, sep=";", thousands=".").frame["c"][0] == 1234
    assert read(path, sep=";", decimal=".").frame["d"].dtype == pl.String
    assert read(table(tmp_path, ["1_000", "20", "3"]), thousands="_").frame["c"][0] == 1000
    for wrong in ({"decimal": "x"}, {"thousands": "ab"}, {"decimal": ",", "thousands": ","}):
        with pytest.raises(th.UsageError, match=r"decimal|thousands"):
            read(path, **wrong)


@pytest.mark.parametrize("token", ["#N/A", "#DIV/0!", "NULL", "null", "-", "--", "NaN", "?", "n/a"])
def test_markers_of_missing_values_among_numbers(tmp_path, token):
    found = read(table(tmp_path, ["1.5", token, "2"]))
    assert found.frame["c"][:3].to_list() == [1.5, None, 2.0]
    assert [token in note.cause for note in found.notes] == [True]
    assert read(table(tmp_path, ["1,5", token, "2"], ";"), sep=";").frame["c"][1] is None
    assert read(table(tmp_path, ["1.5", token, "2"]), na_values=[""]).frame["c"].null_count() == (
        20 if token == "NaN" else 0
    )


def test_a_file_of_a_spreadsheet(tmp_path):
    path = table(
        tmp_path, ['"1,5"', '"2,5"', '"#N/A"'], ";", head="\ufeffsep=;\r\n", d=["(3,5)", "1,0", "2,0"]
    )
    found = read(path).frame
    assert found["c"][:3].to_list() == [1.5, 2.5, None]
    assert found["d"][0] == -3.5


def test_there_is_one_notice_for_each_kind(tmp_path):
    rng = np.random.default_rng(0)
    columns = {name: [f"{x:.2f}".replace(".", ",") for x in rng.normal(size=60)] for name in "abdefgh"}
    path = table(tmp_path, columns.pop("a"), ";", times=1, **columns)
    found = examine(read(path, sep=";"), "b")
    assert not found.errors
    (notice,) = found.problems
    assert "'c', 'b', 'd' and 4 more" in notice.cause
    frame = (
        pl.read_csv(path, separator=";", infer_schema=False)
        .drop("b")
        .with_columns(b=pl.Series(range(60)) * 0.5)
    )
    (error,) = examine(read(frame), "b").errors
    assert "and 5 columns more" in error.place
    for words in (["check"], ["fit"], ["calibrate", "--runs", "2"]):
        run = CliRunner().invoke(main, [words[0], str(path), "--target", "b", "--sep", ";", *words[1:]])
        assert run.exit_code == 0, run.output
        wrong = CliRunner().invoke(
            main, [words[0], str(path), "--target", "b", "--sep", ";", "--decimal", ".", *words[1:]]
        )
        assert wrong.exit_code == 2
        assert wrong.output.count("decimal comma") <= 2
    run = CliRunner().invoke(main, ["mle", str(path), "--column", "b", "--sep", ";", "--family", "normal"])
    assert run.exit_code == 0


@pytest.mark.parametrize("cells", [["1,5", "2,5", "3"], ["12%", "3%", "4%"], ["1.5", "-", "2"]])
def test_a_stream_refuses_what_it_would_read_otherwise(tmp_path, cells):
    path = table(tmp_path, [f'"{cell}"' for cell in cells])
    with pytest.raises(th.DataError, match="TH106.*a stream reads plain numbers"):
        fit_stream(path, "c", "sgd-linear")


@pytest.mark.parametrize("cells", [["01", "1", "001"], ["1E999", "2", "3"], ["1", "n/a", "3"]])
def test_a_stream_sees_the_same_values(tmp_path, cells):
    path = table(tmp_path, cells)
    (batch,) = open_source(path).batches(1000)
    assert batch["c"].to_list() == read(path).frame["c"].to_list()
