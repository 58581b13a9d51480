"""``thetahat mle`` on a column of a real table, as a person runs it."""

import json
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from tests.edge.test_page import Seen, browser, overlap
from tests.records import HOSTILE
from thetahat.cli import main
from thetahat.estimation.column import estimate_column
from thetahat.report.estimation import write

PENGUINS = str(files("thetahat.datasets") / "penguins.csv")
__all__ = ["browser"]


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_column_of_a_real_table_is_fitted_ranked_and_saved(tmp_path):
    saved, page = tmp_path / "out.json", tmp_path / "out.html"
    outcome = run("mle", PENGUINS, "--column", "bill_length_mm", "--json", saved, "--report", page)
    assert outcome.exit_code == 0, outcome.output
    record = json.loads(saved.read_bytes())
    column = pl.read_csv(PENGUINS, null_values=["NA", ""])["bill_length_mm"].drop_nulls().to_numpy()
    assert (record["rows"], record["missing"]) == (len(column), 2)
    best = record["ranking"][0]
    assert best["aic"] == min(f["aic"] for f in record["ranking"])
    family = getattr(th, record["family"])()
    fit = th.mle(family, column)
    assert [p["estimate"] for p in record["parameters"]] == pytest.approx(fit.params)
    assert [p["standard_error"] for p in record["parameters"]] == pytest.approx(fit.standard_errors)
    assert record["family"] in outcome.output


def test_the_same_seed_gives_the_same_ranking():
    one, other = (estimate_column(PENGUINS, "bill_length_mm").record for _ in range(2))
    assert (one.ranking, one.parameters, one.quantiles) == (other.ranking, other.parameters, other.quantiles)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--column", "nothing"), "TH101"),
        (("--column", "species"), "TH106"),
        (("--column", "bill_length_mm", "--family", "cauchy"), "there is no 'cauchy'"),
        (("--column", "bill_length_mm", "--family", "beta"), "outside the support of Beta"),
        (("--column", "bill_length_mm", "--level", "2"), "level"),
    ],
)
def test_what_cannot_be_done_exits_with_2_and_says_why(tmp_path, words, said):
    outcome = run("mle", PENGUINS, *words, "--json", tmp_path / "out.json")
    assert outcome.exit_code == 2
    assert said in outcome.output
    assert not (tmp_path / "out.json").exists()


@pytest.mark.browser
def test_the_page_renders_asks_for_nothing_and_runs_nothing(browser, tmp_path):
    frame = pl.DataFrame({HOSTILE: np.random.default_rng(0).gamma(2.0, 1.0, 80)})
    path = tmp_path / "page.html"
    write(estimate_column(frame, HOSTILE).record, path)
    for width in (390, 1280):
        with Seen(browser, path, viewport={"width": width, "height": 900}, color_scheme="dark") as seen:
            assert (seen.complaints, seen.dialogs) == ([], [])
            assert seen.requests == [path.as_uri()]
            assert seen.page.evaluate("document.scripts.length") == 0
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
            for picture in seen.page.locator("svg:visible").all():
                boxes = [text.bounding_box() for text in picture.locator("text").all()]
                for k, one in enumerate(boxes):
                    assert not [other for other in boxes[k + 1 :] if overlap(one, other)]
