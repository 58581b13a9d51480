"""The interval of a learner that draws is that of its algorithm: the spread over seeds is part of it."""

import dataclasses

import numpy as np
import polars as pl
import pytest

import thetahat as th
from thetahat.networks.estimator import Network

ROWS = 1000


def compared(monkeypatch, one_seed):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, 3))
    y = np.where(X[:, 0] + 0.5 * rng.standard_normal(ROWS) > 0, "a", "b")
    train, seeds = Network.estimate, []

    def barely_trained(self, sample, *, rng):
        rng = np.random.default_rng(7) if one_seed else rng
        seeds.append(rng.bit_generator.state["state"]["state"])
        return train(dataclasses.replace(self, hidden_layer_sizes=(2,), max_iter=1), sample, rng=rng)

    with monkeypatch.context() as patch:
        patch.setattr(Network, "estimate", barely_trained)
        table = pl.DataFrame({"u": X[:, 0], "v": X[:, 1], "w": X[:, 2], "y": y})
        result = th.compare(table, "y", ["mlp"], resampling="cv:5x2", seed=1, jobs=1)
    found = result.table().filter(pl.col("model") == "mlp").row(0, named=True)
    return len(set(seeds)), found["high"] - found["low"], found["se"]


@pytest.mark.filterwarnings("ignore")
def test_seeds_spread_is_part_of_the_interval_of_a_network(monkeypatch):
    # Far from its end a network is what its seed made it, and a thousand rows leave little other noise.
    drawn, width, se = compared(monkeypatch, one_seed=False)
    fixed, narrower, least = compared(monkeypatch, one_seed=True)
    assert drawn >= 10
    assert fixed == 1
    assert width > 2 * narrower
    assert se > 2 * least
