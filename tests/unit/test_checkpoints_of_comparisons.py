"""A comparison that is killed and goes on ends with the same bits."""

import json
import os
import signal

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

import thetahat as th
from thetahat.comparison import checkpoint as keeping
from thetahat.resampling import replicate
from thetahat.results import comparison as record

RNG = np.random.default_rng(0)
FRAME = pl.DataFrame({f"x{k}": RNG.normal(size=90) for k in range(3)}).with_columns(
    y=pl.Series(RNG.permutation(["a", "b", "c"] * 30))
)
MODELS = ["logistic", "svm-rbf"]


class Stop(BaseException):
    """What takes a run down as a kill does: nothing of ours catches it."""


def compared(**options):
    options = {"models": MODELS, "resampling": "cv:4x3", "tune": "none"} | options
    return th.compare(FRAME, "y", **options)


def told(result):
    """Return all that a result says but for the clock."""
    said = json.loads(record.encode(result.record))
    for model in said["models"]:
        del model["fit_seconds"]
    del said["provenance"]
    return said


def killed_after(draws, path, **options):
    def progress(done, of):
        if done == draws:
            raise Stop

    with pytest.raises(Stop):
        compared(checkpoint=path, progress=progress, **options)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(keeping, "FIRST", 0.0)
    monkeypatch.setattr(keeping, "SHARE", 0.0)


# What joblib says of tasks that nobody waits for.
@pytest.mark.filterwarnings("ignore:.*tasks which were still being processed:UserWarning")
@pytest.mark.parametrize(("draws", "jobs"), [(1, 1), (7, 1), (12, 1), (4, 2)])
def test_a_resumed_comparison_equals_an_uninterrupted_one(draws, jobs, tmp_path, at_once):
    path = tmp_path / "out.checkpoint"
    killed_after(draws, path, jobs=jobs)
    counts = []
    again = compared(
        checkpoint=path, resume=True, jobs=3 - jobs, progress=lambda done, of: counts.append(done)
    )
    assert told(again) == told(compared())
    assert counts == list(range(draws + 1, 13))
    assert not list(tmp_path.iterdir())


def test_tuned_models_and_failures_are_kept_too(tmp_path, at_once):
    path, options = (
        tmp_path / "c",
        {"models": ["svm-linear", "svm-rbf"], "resampling": "cv:3", "metric": "squared-error"},
    )
    frame = FRAME.with_columns(y=pl.Series(RNG.normal(size=90)))
    once = th.compare(frame, "y", **options)

    def progress(done, of):
        if done == 2:
            raise Stop

    with pytest.raises(Stop):
        th.compare(frame, "y", checkpoint=path, progress=progress, **options)
    again = th.compare(frame, "y", checkpoint=path, resume=True, **options)
    one, other = (told(each) for each in (once, again))
    for model in (*one["models"], *other["models"]):
        if model["tuning"]:
            del model["tuning"]["seconds"]
    assert one == other


def test_a_partial_result_keeps_its_checkpoint_and_goes_on(tmp_path):
    path = tmp_path / "c"
    partial = compared(checkpoint=path, time_limit=1e-9)
    assert partial.record.partial == "the time limit was reached"
    assert path.exists()
    assert told(compared(checkpoint=path, resume=True)) == told(compared())
    assert not path.exists()


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"models": ["logistic"]}, {"resampling": "cv:4x2"}, {"models": ["logistic", th.SVC()]}],
)
def test_a_checkpoint_of_another_comparison_is_refused(other, tmp_path, at_once):
    killed_after(3, tmp_path / "c")
    with pytest.raises(th.UsageError, match="of other data, settings or versions"):
        compared(checkpoint=tmp_path / "c", resume=True, **other)
    with pytest.raises(th.UsageError, match="of other data"):
        th.compare(FRAME.reverse(), "y", MODELS, checkpoint=tmp_path / "c", resume=True)


def test_estimators_are_told_apart_by_their_settings_and_not_by_their_address(tmp_path, at_once):
    killed_after(3, tmp_path / "c", models=[("svm", th.SVC(C=2.0))])
    with pytest.raises(th.UsageError, match="of other data"):
        compared(checkpoint=tmp_path / "c", resume=True, models=[("svm", th.SVC(C=3.0))])
    compared(checkpoint=tmp_path / "c", resume=True, models=[("svm", th.SVC(C=2.0))])


def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, at_once):
    path = tmp_path / "c"
    killed_after(3, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(th.ResultFileError, match=str(path)):
        compared(checkpoint=path, resume=True)
    # Without resume it begins anew, and writes over it.
    assert told(compared(checkpoint=path)) == told(compared())


def test_resume_without_a_checkpoint_is_refused_and_without_a_file_begins():
    with pytest.raises(th.UsageError, match="resume: name the checkpoint"):
        compared(resume=True)


def test_a_short_comparison_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "write_object", lambda *_: pytest.fail("written"))
    monkeypatch.setattr(keeping, "FIRST", 1e9)
    compared(checkpoint=tmp_path / "c", resume=True)


class KillsItsWorker(ClassifierMixin, BaseEstimator):
    """Takes down the process that fits it, as often as there are files in a folder."""

    def __init__(self, folder="", own=0):
        self.folder = folder
        self.own = own

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        for path in os.listdir(self.folder) if os.getpid() != self.own else ():
            try:
                os.unlink(os.path.join(self.folder, path))
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


def comparison_with(folder, **options):
    models = [("killer", KillsItsWorker(str(folder), os.getpid())), "logistic"]
    return compared(models=models, **options)


def test_draws_of_killed_workers_are_done_again(tmp_path):
    once = comparison_with(tmp_path)
    for number in range(2):
        (tmp_path / str(number)).touch()
    again = comparison_with(tmp_path, jobs=2)
    assert not list(tmp_path.iterdir())
    assert told(again) == told(once)


def test_workers_that_die_again_and_again_end_the_work_with_a_cause(tmp_path, monkeypatch):
    # Each death is a pool made anew, which takes seconds.
    monkeypatch.setattr(replicate, "MOST_DEATHS", 2)
    for number in range(40):
        (tmp_path / str(number)).touch()
    with pytest.raises(th.UsageError, match="killed 2 times and finished no draw between"):
        comparison_with(tmp_path, jobs=2)
