"""A model that predicts what the dummy predicts says so, and why."""

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Lasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import thetahat as th

RNG = np.random.default_rng(0)


def table(rows, classes):
    x = RNG.normal(size=(2, rows))
    y = x[0] + 0.5 * RNG.normal(size=rows)
    return pl.DataFrame({"a": x[0], "b": x[1], "y": np.where(y > 0.3, "u", "v") if classes else y})


def notices(frame, model, **options):
    options = {"resampling": "cv:3", "tune": "none", **options}
    warnings = th.compare(frame, "y", [model], **options).record.warnings
    return [w for w in warnings if "predicts what dummy predicts" in w.cause]


@pytest.mark.parametrize("classes", [True, False])
def test_boosting_on_fewer_rows_than_two_leaves_says_which_parameter(classes):
    (notice,) = notices(table(36, classes), "boosting")
    assert notice.place == "model boosting"
    assert "min_samples_leaf=20" in notice.cause
    assert "24 training rows" in notice.cause


def test_boosting_on_more_rows_has_no_notice():
    assert notices(table(90, False), "boosting") == []


@pytest.mark.parametrize(
    ("model", "cure"),
    [(Lasso(alpha=1e3), "Lower alpha"), (make_pipeline(StandardScaler(), Lasso(alpha=1e3)), "Lower alpha")],
)
def test_a_penalty_that_outweighs_the_losses_is_named(model, cure):
    (notice,) = notices(table(60, False), ("mine", model))
    assert cure in notice.cure


def test_a_constant_class_with_scores_that_differ_points_to_another_measure():
    (notice,) = notices(table(60, True), ("mine", SVC(C=1e-6)))
    assert "log-loss or auc" in notice.cure


def test_a_model_that_learns_has_no_notice():
    assert notices(table(60, False), ("mine", HistGradientBoostingRegressor(min_samples_leaf=5))) == []
