"""How many rows would decide, from the learning curves of both models."""

import numpy as np
import polars as pl
from sklearn.linear_model import Ridge

import thetahat as th


def table(gap, rows=160, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 6))
    columns = {f"x{k}": X[:, k] for k in range(6)}
    return pl.DataFrame({**columns, "y": gap * X[:, 0] + rng.normal(size=rows)})


MODELS = [("weak", Ridge(1.0)), ("strong", Ridge(3000.0))]


def undecided(record):
    return [pair for pair in record.pairs if pair.verdict == "undecided" and "dummy" not in (pair.a, pair.b)]


def test_an_undecided_pair_comes_with_rows_and_an_interval():
    record = th.compare(table(0.25), "y", MODELS, resampling="cv:2x5", rows_needed=True).record
    (pair,) = undecided(record)
    assert pair.curve_rows is not None
    assert pair.curve_rows.rows >= 160
    assert pair.curve_rows.low <= pair.curve_rows.rows
    assert pair.curve_rows.high is None or pair.curve_rows.high >= pair.curve_rows.rows
    assert record.would_change.startswith("By the learning curves of ")
    assert "--rows-needed" in record.provenance.command


def test_a_larger_gap_asks_for_fewer_rows():
    needed = []
    for gap in (0.18, 0.3):
        record = th.compare(table(gap, 120, 3), "y", MODELS, resampling="cv:2x5", rows_needed=True).record
        (pair,) = undecided(record)
        needed.append(np.inf if pair.curve_rows.rows is None else pair.curve_rows.rows)
    assert needed[1] < needed[0]


def test_without_being_asked_or_on_few_rows_there_is_no_curve():
    plain = th.compare(table(0.25), "y", MODELS, resampling="cv:2x5").record
    assert all(pair.curve_rows is None for pair in plain.pairs)
    few = th.compare(table(0.25, 50), "y", MODELS, resampling="cv:2x5", rows_needed=True).record
    assert all(pair.curve_rows is None for pair in few.pairs)


def test_other_numbers_do_not_change_for_it():
    one, other = (
        th.compare(table(0.25), "y", MODELS, resampling="cv:2x5", rows_needed=way).record
        for way in (True, False)
    )
    assert [m.loss for m in one.models] == [m.loss for m in other.models]
    assert one.leader == other.leader
    assert [pair.p for pair in one.pairs] == [pair.p for pair in other.pairs]
