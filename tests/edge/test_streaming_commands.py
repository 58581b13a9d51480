"""Streams on the command line: killed and resumed, bounded in memory, predicted in batches."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import thetahat as th
from thetahat.cli import main
from thetahat.estimation.stream_model import load_stream_fit

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


def rows(n: int, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)) * [1, 10, 0.1, 1, 1] + 3
    y = rng.random(n) < 1 / (1 + np.exp(-(X - 3) @ [1, 0.05, 4, -0.5, 0]))
    return pl.DataFrame({f"x{j}": X[:, j] for j in range(5)} | {"y": np.where(y, "yes", "no")})


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "thetahat", *map(str, words)]


# Writes after every part, and dies by SIGKILL in the middle of a later one: nothing can be tidied up.
VICTIM = """
import os, signal, sys
from thetahat.estimation import stream_descent, streaming
data, checkpoint, parts = sys.argv[1], sys.argv[2], int(sys.argv[3])
steps = stream_descent.advance
def dying(*args, **named):
    global parts
    if parts == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    parts -= 1
    steps(*args, **named)
stream_descent.advance = dying
streaming.fit_stream(data, "y", epochs=3, memory=1.0, checkpoint=checkpoint, checkpoint_every=0, resume=True)
"""


def test_a_fit_killed_several_times_and_resumed_is_the_same_to_the_bit(tmp_path):
    rows(60_000).write_parquet(tmp_path / "rows.parquet")
    fit = ["fit", tmp_path / "rows.parquet", "--target", "y", "--model", "sgd-logistic", "--stream"]
    fit += ["--epochs", 3, "--memory", 1]
    subprocess.run(command(*fit, "--save", tmp_path / "whole"), check=True, env=ONE_THREAD)
    kept = tmp_path / "checkpoint"
    places = []
    for parts in (2, 7, 6):
        died = subprocess.run(
            [sys.executable, "-c", VICTIM, str(tmp_path / "rows.parquet"), str(kept), str(parts)],
            env=ONE_THREAD,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL
        places.append(_place(kept))
    # Each of them came further than the one before, and none of them to the end.
    assert places == sorted(places)
    assert len(set(places)) == 3
    resumed = command(*fit, "--checkpoint", kept, "--resume", "--save", tmp_path / "resumed")
    subprocess.run(resumed, check=True, env=ONE_THREAD)
    whole, again = load_stream_fit(tmp_path / "whole"), load_stream_fit(tmp_path / "resumed")
    assert whole.coefficients.tobytes() == again.coefficients.tobytes()
    assert whole.covariance is not None
    assert again.covariance is not None
    assert whole.covariance.tobytes() == again.covariance.tobytes()
    assert whole.losses == again.losses
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_kill_at_any_moment_leaves_a_checkpoint_that_is_whole(tmp_path):
    rows(30_000).write_parquet(tmp_path / "rows.parquet")
    kept = tmp_path / "checkpoint"
    endless = [sys.executable, "-c", VICTIM, str(tmp_path / "rows.parquet"), str(kept), "-1"]
    for moment in (0.02, 0.05):
        running = subprocess.Popen(endless, env=ONE_THREAD)
        deadline = time.monotonic() + 60
        while not kept.exists() and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.005)
        time.sleep(moment)
        running.kill()
        running.wait()
        assert _place(kept) > (0, 0)


def _place(path: Path) -> tuple[int, int]:
    from thetahat.results.packed import read_packed

    said, _ = read_packed(path, "thetahat checkpoint", 1)
    return said["epoch"], said["chunk"]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    rows(2000).write_csv(tmp_path / "rows.csv")
    fit = ["fit", str(tmp_path / "rows.csv"), "--target", "y", "--model", "sgd-logistic"]
    fit += ["--checkpoint", str(tmp_path / "checkpoint")]
    assert CliRunner().invoke(main, fit).exit_code == 0
    other = CliRunner().invoke(main, [*fit, "--resume", "--seed", "1"])
    assert other.exit_code == 2
    assert "other data or settings" in other.output


MEASURED = """
import json, resource, sys
from thetahat.estimation.stream_model import predict_stream
from thetahat.estimation.streaming import fit_stream
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
few, many = sys.argv[1:]
fit = fit_stream(few, "y", "sgd-linear", epochs=1, memory=16.0)
sum(frame.height for frame in predict_stream(fit, few))
before = peak()
fit = fit_stream(many, "y", "sgd-linear", epochs=1, memory=16.0)
count = sum(frame.height for frame in predict_stream(fit, many))
print(json.dumps({"grown": peak() - before, "rows": count}))
"""


def test_memory_is_bounded_on_a_file_several_times_the_bound(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50_000, 12))
    few = pl.DataFrame(
        {f"x{j}": X[:, j] for j in range(12)} | {"y": X @ np.arange(12.0) + rng.normal(size=50_000)}
    )
    few.write_parquet(tmp_path / "few.parquet", row_group_size=10_000)
    for part in range(30):
        few.write_parquet(tmp_path / f"many{part:02}.parquet", row_group_size=10_000)
    # 1.5 million rows of 14 numbers are 168 MB in memory.
    found = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "few.parquet"), str(tmp_path / "many*.parquet")],
        env=ONE_THREAD | {"TMPDIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    measured = json.loads(found.stdout)
    assert measured["rows"] == 1_500_000
    assert measured["grown"] < 56, measured


@pytest.fixture
def model(tmp_path):
    rows(3000).write_csv(tmp_path / "rows.csv")
    words = ["fit", str(tmp_path / "rows.csv"), "--target", "y", "--model", "sgd-logistic", "--stream"]
    found = CliRunner().invoke(main, [*words, "--save", str(tmp_path / "model")])
    assert found.exit_code == 0, found.output
    assert "sgd-logistic" in found.output
    return tmp_path / "model"


def test_predictions_are_written_as_csv_and_parquet_and_are_the_same(model, tmp_path):
    rows(40_000, seed=1).drop("y").write_parquet(tmp_path / "new.parquet")
    shown = CliRunner().invoke(main, ["predict", str(model), str(tmp_path / "new.parquet")])
    for name in ("out.csv", "out.parquet"):
        words = ["predict", str(model), str(tmp_path / "new.parquet"), "-o", str(tmp_path / name)]
        found = CliRunner().invoke(main, words)
        assert found.exit_code == 0, found.output
    csv, parquet = pl.read_csv(tmp_path / "out.csv"), pl.read_parquet(tmp_path / "out.parquet")
    assert csv.equals(parquet)
    assert csv.columns == ["prediction", "probability[no]", "probability[yes]", "low", "high"]
    assert csv.height == 40_000
    assert shown.output == (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "linear", "--stream"], "sgd-linear"),
        (["--model", "linear", "--epochs", "3"], "--epochs is for --stream"),
        (["--model", "sgd-logistic", "--sep", ";"], "--sep"),
        (["--model", "sgd-logistic", "--resume"], "checkpoint"),
        (["--model", "sgd-logistic", "--errors", "HC3"], "HC0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, words, said):
    rows(100).write_csv(tmp_path / "rows.csv")
    found = CliRunner().invoke(main, ["fit", str(tmp_path / "rows.csv"), "--target", "y", *words])
    assert found.exit_code == 2
    assert said in found.output


def test_a_table_that_lacks_a_column_leaves_no_file_behind(model, tmp_path):
    rows(100).drop("x1").write_csv(tmp_path / "new.csv")
    words = ["predict", str(model), str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv")]
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 2
    assert "x1" in found.output
    assert not list(tmp_path.glob("*out.csv*"))


def test_a_full_disk_under_predictions_is_named_and_leaves_the_previous_file(tmp_path):
    import resource

    a = np.random.default_rng(0).normal(size=5_000)
    frame = pl.DataFrame({"a": a, "y": 2 * a})
    frame.write_csv(tmp_path / "t.csv")
    th.fit_stream(frame, target="y", model="sgd-linear", epochs=1).save(tmp_path / "model")
    for name in ("out.csv", "out.parquet"):
        (tmp_path / name).write_bytes(b"before")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
        try:
            words = ["predict", str(tmp_path / "model"), str(tmp_path / "t.csv"), "-o", str(tmp_path / name)]
            outcome = CliRunner().invoke(main, words)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert outcome.exit_code == 2
        assert "cannot be written" in outcome.output
        assert "too large" in outcome.output
        assert (tmp_path / name).read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "out.csv", "out.parquet", "t.csv"]


def test_the_bar_tells_the_pace_of_the_whole_phase_and_what_is_left_of_it(monkeypatch, capsys):
    import rich.console

    from thetahat.cli import streamed

    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    real = rich.console.Console
    monkeypatch.setattr(
        rich.console, "Console", lambda **options: real(**options, force_terminal=True, width=120)
    )
    with streamed.stream_bar() as told:
        told("Fitting", 1000, 11_000, None)
        clock[0] += 9.0  # a buffer is read,
        told("Fitting", 2000, 11_000, 0.6)
        clock[0] += 1.0  # and worked through in a burst
        told("Fitting", 6000, 11_000, 0.5)
    last = capsys.readouterr().err.rpartition("Fitting")[2]
    assert "500 rows/s" in last
    assert "left 0:00:10" in last
    assert "loss 0.5" in last
