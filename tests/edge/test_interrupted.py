"""Ctrl-C in the middle, as a person presses it: a signal to a real process."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_leaves_a_partial_result_that_says_so(tmp_path, jobs):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{k}": rng.normal(size=400) for k in range(4)})
    frame.with_columns(y=pl.Series(rng.permutation(["a", "b"] * 200))).write_csv(tmp_path / "t.csv")
    (tmp_path / "told.py").write_text(
        "import thetahat as th\n"
        "def progress(done, of):\n"
        "    print(done, flush=True)\n"
        f"th.compare('t.csv', 'y', ['forest'], resampling='cv:40x5', jobs={jobs}, progress=progress)"
        ".to_json('out.json')\n"
    )
    # A group of its own, so that the signal reaches the workers too, as it does from a terminal.
    script = [sys.executable, "told.py"]
    with subprocess.Popen(
        script,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as running:
        assert running.stdout.readline() == "1\n"
        time.sleep(0.5)
        os.killpg(running.pid, signal.SIGINT)
        complaints = running.communicate(timeout=60)[1]
    assert running.returncode == 0, complaints
    saved = json.loads((tmp_path / "out.json").read_bytes())
    assert saved["partial"] == "interrupted by the user"
    assert 0 < saved["plan"]["draws"] < saved["plan"]["draws_planned"] == 200
    assert {m["name"] for m in saved["models"] if m["loss"]} == {"dummy", "forest"}
