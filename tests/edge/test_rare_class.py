"""A class with few of the rows is said, and judged by a measure that sees it."""

import numpy as np
import polars as pl
import pytest

import thetahat as th
from thetahat.comparison.checks import examine
from thetahat.judgment.estimates import shown_estimate
from thetahat.measures.measure import Target
from thetahat.measures.registry import choose_measure
from thetahat.resampling.intervals import MeanEstimate
from thetahat.tables import read


def table(shares=(0.02, 0.98), labels=("ill", "well"), rows=400, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(shares)), np.round(np.array(shares) * rows).astype(int))
    x = rng.normal(size=(2, len(codes))) + (codes == 0)
    return pl.DataFrame({"a": x[0], "b": x[1], "y": [labels[k] for k in codes]})


def compared(frame, **options):
    options = {"resampling": "cv:2", "tune": "none", **options}
    return th.compare(frame, "y", ["logistic"], **options).record


def notices(record):
    return [w for w in record.warnings if w.code == "TH115"]


@pytest.mark.parametrize(
    ("shares", "labels"),
    [
        ((0.02, 0.98), ("ill", "well")),
        ((0.04, 0.48, 0.48), ("c", "a", "b")),
        ((0.02, 0.98), (True, False)),
        ((0.02, 0.98), (1, 0)),
    ],
)
def test_a_rare_class_is_judged_by_log_loss_with_auc_and_average_precision_beside(shares, labels):
    record = compared(table(shares, labels))
    assert record.metric.name == "log-loss"
    assert [each.metric.name for each in record.measures] == ["auc", "average-precision"]
    assert all(model.shown.low is not None for each in record.measures for model in each.models)
    (notice,) = notices(record)
    assert f"class '{labels[0]}' has" in notice.cause
    assert "log-loss therefore carries the verdict" in notice.cause


def test_the_rare_class_is_the_positive_one():
    assert compared(table()).task.positive == "ill"
    assert compared(table(), positive="well").task.positive == "well"


def test_an_error_rate_that_was_asked_for_stays_with_a_notice():
    record = compared(table(), metric="error")
    assert record.metric.name == "error"
    assert "--metric log-loss" in notices(record)[0].cure


def test_a_measure_that_sees_the_class_needs_no_notice():
    assert notices(compared(table(), metric="auc")) == []


@pytest.mark.parametrize("shares", [(0.06, 0.94), (0.5, 0.5), (0.04,) * 25])
def test_other_classes_are_judged_by_the_error_rate(shares):
    record = compared(table(shares, [f"c{k}" for k in range(25)]))
    assert record.metric.name == "error"
    assert notices(record) == []


def test_draws_without_the_class_have_log_loss_alone():
    frame = table().with_columns(f=pl.Series([k % 2 if k < 8 else k % 4 for k in range(400)]))
    record = compared(frame, fold="f", resampling="auto")
    assert record.metric.name == "log-loss"
    assert record.measures == ()


def test_the_check_names_the_class_too():
    (problem,) = [p for p in examine(read(table()), "y").problems if p.code == "TH115"]
    assert "has 8 of" in problem.cause


def test_a_standard_error_of_rounding_size_gives_an_interval_without_width():
    measure = choose_measure("log-loss", Target("classification", ("ill", "well"), 0, None))
    shown = shown_estimate(MeanEstimate(0.0779, 1e-17, 4), measure, 0.95, "corrected-t")
    assert (shown.se, shown.low, shown.high) == (0, 0.0779, 0.0779)
