"""A comparison on a cluster of several processes is the one on this machine, also when a worker is killed."""

import os
import re
import signal

import dask.array as da
import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

import thetahat as th
from thetahat.errors import UsageError
from thetahat.estimation.partitions import fit_partitions
from thetahat.results.comparison import encode

pytestmark = [
    pytest.mark.filterwarnings("ignore:Sending large graph"),
    # Processes of the cluster end after the loop that would tell of it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


class Fatal(Ridge):
    """Kills the process it is fitted in with signal 9, the first time."""

    def __init__(self, marker=""):
        super().__init__()
        self.marker = marker

    def fit(self, X, y):
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return super().fit(X, y)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("outlived signal 9")


def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    return pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": X[:, 0] + rng.normal(size=80)})


def without_times(record):
    return re.sub(rb'"(created|seconds|fit_seconds)": [^\n]*', b"", encode(record))


def test_a_killed_worker_changes_no_byte_of_the_result(tmp_path):
    marker = tmp_path / "killed"
    models = ["linear", ("fatal", Fatal(str(marker)))]
    options = {"resampling": "cv:2x5", "tune": "none"}
    far = th.compare(table(), "y", models, cluster="local:2", **options).record
    assert marker.exists()
    near = th.compare(table(), "y", models, **options).record
    assert without_times(far) == without_times(near)
    assert all(model.ok for model in far.models)


def test_fits_to_partitions_on_a_cluster_are_those_of_one_machine():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(600, 4))
    y = (X[:, 0] + rng.normal(size=600) > 0).astype(int)
    with th.on_cluster("local:2"):
        parts = da.from_array(X, chunks=(100, -1)), da.from_array(y, chunks=100)
        found = fit_partitions(th.LogisticRegression(), *parts)
        components = fit_partitions(th.PCA(2), parts[0])
    np.testing.assert_allclose(found.coef_, th.LogisticRegression().fit(X, y).coef_, rtol=1e-8)
    np.testing.assert_allclose(components.components_, th.PCA(2).fit(X).components_, atol=1e-10)


class Placed(Ridge):
    """Notes the process of each fit."""

    def __init__(self, folder=""):
        super().__init__()
        self.folder = folder

    def fit(self, X, y):
        open(os.path.join(self.folder, str(os.getpid())), "w").close()
        return super().fit(X, y)


def test_a_decomposition_within_on_cluster_is_that_of_one_machine(tmp_path):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] + rng.normal(size=120)
    model = Placed(str(tmp_path))
    with th.on_cluster("local:2"):
        far = th.decompose(model, X, y, draws=20, rng=np.random.default_rng(0))
    assert set(os.listdir(tmp_path)) - {str(os.getpid())}
    near = th.decompose(model, X, y, draws=20, rng=np.random.default_rng(0))
    assert far.table() == near.table()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("somewhere", "neither local:N nor an address"),
        ("local:0", "at least 1 worker"),
    ],
)
def test_an_address_that_cannot_be_meant_is_named(address, said):
    with pytest.raises(UsageError, match=said), th.on_cluster(address):
        pass


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("thetahat.comparison.cluster.SECONDS_TO_ANSWER", 0.5)
    with (
        pytest.raises(UsageError, match=r"no scheduler answers at tcp://127.0.0.1:9 .*dask scheduler"),
        th.on_cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_without_dask_its_installation_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'thetahat\[dask\]'"), th.on_cluster("local:2"):
        pass
