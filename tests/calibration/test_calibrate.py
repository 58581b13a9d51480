"""``calibrate`` against a simulator that shares nothing with it."""

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy import stats

import thetahat as th
from thetahat.cli import main


def table(n, p, seed):
    rng = np.random.default_rng(seed)
    columns = {f"x{k}": rng.normal(size=n) for k in range(p)}
    return pl.DataFrame({**columns, "y": rng.normal(size=n)})


def independent(frame, runs, rng, folds=10):
    """Coverage of the corrected t over 10 folds: rows drawn anew, least squares refitted every time."""
    X = frame.drop("y").to_numpy()
    X = np.column_stack([np.ones(len(X)), X])
    y = frame["y"].to_numpy()
    n, p = X.shape
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    sd = np.sqrt(np.sum((y - X @ beta) ** 2) / (n - p))
    covered = []
    for _ in range(runs):
        rows = rng.integers(n, size=n)
        A, b = X[rows], X[rows] @ beta + sd * rng.normal(size=n)
        fold = rng.permutation(np.arange(n) % folds)
        means = []
        for k in range(folds):
            fit = np.linalg.lstsq(A[fold != k], b[fold != k], rcond=None)[0]
            means.append(np.mean((b[fold == k] - A[fold == k] @ fit) ** 2))
        half = stats.t.ppf(0.975, folds - 1) * np.std(means, ddof=1) * np.sqrt(1 / folds + 1 / (folds - 1))
        fit = np.linalg.lstsq(A, b, rcond=None)[0]
        truth = np.mean((X @ (fit - beta)) ** 2) + sd**2
        covered.append(abs(np.mean(means) - truth) <= half)
    return np.mean(covered)


@pytest.mark.parametrize("interval", ["corrected-t", "plain"])
def test_coverage_matches_an_independent_simulator(interval):
    frame = table(60, 12, 0)
    found = th.calibrate(frame, "y", interval=interval, resampling="cv:10", runs=300, seed=1)
    if interval == "corrected-t":
        theirs = independent(frame, 1500, np.random.default_rng(2))
        assert abs(found.fitted - theirs) < 4 * np.sqrt(found.fitted_se**2 + theirs * (1 - theirs) / 1500)
    else:
        assert found.trusted is False
        assert "too narrow" in found.sentence


def test_the_same_seed_gives_the_same_coverage_whatever_the_jobs():
    frame = table(40, 3, 1)
    one, other = (th.calibrate(frame, "y", runs=12, resampling="cv:5", jobs=jobs) for jobs in (1, 2))
    assert one == other


def test_the_command_says_whether_to_trust_the_interval(tmp_path):
    rng = np.random.default_rng(0)
    frame = table(80, 3, 2).with_columns(y=pl.Series(np.where(rng.random(80) < 0.5, "a", "b")))
    frame.write_csv(tmp_path / "t.csv")
    words = ["calibrate", str(tmp_path / "t.csv"), "--target", "y", "--runs", "20", "--resampling", "cv:5"]
    outcome = CliRunner().invoke(main, words)
    assert outcome.exit_code == 0, outcome.output
    assert "On 20 simulated tables of 80 rows" in outcome.output
