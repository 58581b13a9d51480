import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from thetahat.cli import main


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def noise(tmp_path):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{k}": rng.normal(size=120) for k in range(4)})
    path = tmp_path / "noise.csv"
    frame.with_columns(y=pl.Series(rng.permutation(["a", "b"] * 60))).write_csv(path)
    return path


def test_pure_noise_is_told_apart_from_the_dummy_no_more_often_than_the_level_allows():
    decided = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        frame = pl.DataFrame({f"x{k}": rng.normal(size=120) for k in range(4)})
        frame = frame.with_columns(y=pl.Series(rng.permutation(["a", "b"] * 60)))
        result = th.compare(frame, "y", ["logistic"], resampling="cv:10")
        decided += result.record.pairs[0].verdict != "undecided"
    # The 99.7 % point of a binomial with 40 tries at .05.
    assert decided <= 6


def test_the_demo_answers_and_saves_its_result(tmp_path):
    saved = tmp_path / "out.json"
    outcome = run(
        "demo", "-m", "logistic", "--resampling", "cv:5", "--json", saved, "--report", tmp_path / "p.html"
    )
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(saved.read_bytes())["winner"] == "logistic"
    assert "logistic is best" in outcome.output


@pytest.mark.parametrize("words", [("--target", "z"), ("--target", "y", "--resampling", "cv:0")])
def test_bad_data_and_bad_usage_exit_with_2(noise, words):
    assert run("compare", noise, *words).exit_code == 2


def test_the_result_does_not_depend_on_the_number_of_jobs(noise):
    one, two = (th.compare(noise, "y", ["logistic", "forest"], resampling="cv:4", jobs=j) for j in (1, 2))
    assert one.record.pairs == two.record.pairs
    assert [m.loss for m in one.record.models] == [m.loss for m in two.record.models]


def test_a_candidates_numbers_do_not_depend_on_its_company(noise):
    alone = th.compare(noise, "y", ["forest"], resampling="cv:4")
    among = th.compare(noise, "y", ["logistic", "forest"], resampling="cv:4")
    loss = [next(m.loss for m in r.record.models if m.name == "forest") for r in (alone, among)]
    assert loss[0] == loss[1]


def test_check_names_what_is_wrong_and_exits_with_2(noise):
    assert run("check", noise, "--target", "y").exit_code == 0
    outcome = run("check", noise, "--target", "Y")
    assert outcome.exit_code == 2
    assert "TH101" in outcome.output
