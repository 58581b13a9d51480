import json
import os
import re
import subprocess
import sys

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


def test_no_color_is_honoured_and_progress_stays_off_stdout(noise):
    environment = {**os.environ, "FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "100"}
    words = [sys.executable, "-m", "thetahat", "compare", str(noise), "--target", "y", "-m", "logistic"]
    said = subprocess.run([*words, "--resampling", "cv:3"], env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "Fitting" not in said.stdout
    assert not re.search("\\x1b\\[[0-9;]*3[0-7]m", said.stdout + said.stderr)


def test_a_saved_result_is_drawn_again(tmp_path, noise):
    saved, one, other = (tmp_path / name for name in ("r.json", "one.html", "other.html"))
    run(
        "compare",
        noise,
        "--target",
        "y",
        "-m",
        "logistic",
        "--resampling",
        "cv:3",
        "--json",
        saved,
        "--report",
        one,
    )
    assert run("report", saved, "-o", other).exit_code == 0
    assert one.read_bytes() == other.read_bytes()


def test_what_is_not_a_result_is_refused(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("{}")
    outcome = run("report", path, "-o", tmp_path / "out.html")
    assert outcome.exit_code == 2
    assert not (tmp_path / "out.html").exists()


def test_bad_data_writes_nothing(tmp_path, noise):
    for words in (("--target", "z"), ("--target", "y", "--metric", "aucc")):
        page, saved = tmp_path / "p.html", tmp_path / "r.json"
        assert run("compare", noise, *words, "--report", page, "--json", saved).exit_code == 2
        assert not page.exists()
        assert not saved.exists()


def test_a_learner_is_imported_from_where_the_person_works(tmp_path, noise, monkeypatch):
    (tmp_path / "own.py").write_text(
        "from sklearn.naive_bayes import GaussianNB\nclass Mine(GaussianNB): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    outcome = run("compare", noise, "--target", "y", "-m", "own:Mine,logistic", "--resampling", "cv:3")
    assert outcome.exit_code == 0, outcome.output
    assert "Mine" in outcome.output


def test_a_reader_that_has_seen_enough_is_no_fault_of_ours():
    """As ``thetahat theory | head -1`` does: the pipe is closed before all is written."""
    command = [sys.executable, "-m", "thetahat", "theory"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "fault of thetahat" not in process.stderr.read()
        assert process.wait(60) in (0, 141, -13)


def test_resume_goes_on_from_the_checkpoint_beside_the_output(noise, tmp_path):
    words = (
        "compare",
        noise,
        "--target",
        "y",
        "-m",
        "logistic",
        "--tune",
        "none",
        "--json",
        tmp_path / "o.json",
    )
    outcome = run(*words, "--time-limit", "0.0001")
    assert "same command with --resume" in outcome.output
    assert (tmp_path / "o.json.checkpoint").exists()
    outcome = run(*words, "--resume")
    assert outcome.exit_code == 0, outcome.output
    assert not (tmp_path / "o.json.checkpoint").exists()
    assert json.loads((tmp_path / "o.json").read_bytes())["partial"] == ""
    refused = run("compare", noise, "--target", "y", "--resume")
    assert refused.exit_code == 2
    assert "--checkpoint" in refused.output
