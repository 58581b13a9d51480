"""A model that predicts outside the domain of a measure has no result; a target outside it is refused."""

import numpy as np
import polars as pl
import pytest

import thetahat as th
from thetahat.errors import UsageError


def counts(shift=0.0):
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    return pl.DataFrame({"x": x, "y": rng.poisson(np.exp(x)) + shift})


def compared(table):
    return th.compare(
        table, "y", ["linear"], metric="poisson-deviance", task="regression", tune="none", resampling="cv:5"
    )


def test_a_model_with_negative_predictions_has_no_poisson_deviance_and_the_others_have():
    result = compared(counts())
    status = {model.name: model.status for model in result.record.models}
    assert "predictions above 0" in status["linear"]
    assert [model.name for model in result.record.models if model.shown is not None] == ["dummy"]
    assert "linear has no result" in result.verdict


def test_a_target_outside_the_domain_is_refused_by_name():
    with pytest.raises(
        UsageError,
        match="^metric: poisson-deviance is undefined on draw 1 of 5, .* needs targets of at least 0",
    ):
        compared(counts(shift=-2.0))
