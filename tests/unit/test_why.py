"""Why a model loses: the sentence and the numbers behind it."""

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import KNeighborsRegressor

import thetahat as th


def sine(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-3, 3, size=(2, rows))
    return pl.DataFrame({"x": x, "z": z, "y": np.sin(2 * x) + 0.3 * rng.normal(size=rows)})


MODELS = [
    ("smooth", KNeighborsRegressor(6)),
    ("nearest", KNeighborsRegressor(1)),
    ("flat", KNeighborsRegressor(120)),
]


@pytest.fixture(scope="module")
def record():
    return th.compare(sine(), "y", MODELS, resampling="cv:2x5", drop=("z",)).record


def test_a_memory_loses_to_variance_and_a_constant_to_bias(record):
    causes = {model.name: model.why.cause for model in record.models}
    assert causes == {"smooth": "none", "nearest": "variance", "flat": "bias", "dummy": "bias"}
    said = {model.name: model.why.sentence for model in record.models}
    assert said["nearest"].startswith("nearest loses to variance: the gap to smooth opens on new rows")
    assert said["flat"].startswith("flat loses to bias: already on its training rows")
    assert "RMSE 0.000 on training rows" in said["nearest"]


def test_training_loss_and_optimism_add_to_the_held_out_loss(record):
    for model in record.models:
        assert model.train_loss + model.why.optimism.estimate == pytest.approx(model.loss.estimate, abs=1e-12)


def test_the_parts_add_to_the_gap_to_the_first(record):
    first = record.models[0]
    assert first.why.from_training is None
    for model in record.models[1:]:
        gap = model.loss.estimate - first.loss.estimate
        parts = model.why.from_training.estimate + model.why.from_optimism.estimate
        assert parts == pytest.approx(gap, abs=1e-12)
        assert model.why.from_training.low <= model.why.from_training.estimate <= model.why.from_training.high


def test_what_cannot_be_told_apart_is_not_said_to_lose():
    table = sine().with_columns(y=pl.Series(np.random.default_rng(1).normal(size=200)))
    found = th.compare(table, "y", [("a", KNeighborsRegressor(20)), ("b", KNeighborsRegressor(25))])
    second = next(m for m in found.record.models[1:] if m.name in "ab")
    assert second.why.cause == "none"
    assert "cannot be told apart from" in second.why.sentence


def test_one_split_gives_no_interval_and_no_cause():
    found = th.compare(sine(), "y", MODELS, resampling="holdout:0.3").record
    for model in found.models[1:]:
        assert model.why.optimism.low is None
        assert model.why.cause in ("unclear", "none")
