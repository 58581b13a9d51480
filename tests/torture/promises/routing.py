"""Metadata routing: who asked for weights gets them, and nobody else."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

import thetahat as th
from tests.torture.promises.objects import is_ours
from tests.torture.promises.registry import (
    answers,
    fitted,
    given,
    predicts,
    promise,
    refusal,
    same,
    seeded,
)


def weighs(model: Any) -> bool:
    return has_fit_parameter(model, "sample_weight")


def _weighs_scores(model: Any) -> bool:
    return predicts(model) and weighs(model)


def _unlike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(not np.array_equal(one[name], other[name]) for name in one)


def _requests(model: Any) -> str:
    return str(model.get_metadata_routing())


@promise("metadata routing", weighs)
def a_pipeline_hands_on_weights_that_were_asked_for(model: Any) -> None:
    rows = given(model)
    scaled = StandardScaler().fit_transform(rows.X)
    with_weights = answers(fitted(model, scaled, rows.y, sample_weight=rows.weight), scaled)
    assert _unlike(with_weights, answers(fitted(model, scaled, rows.y), scaled)), "the weights do nothing"
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        asks = seeded(model).set_fit_request(sample_weight=True)
        pipe = make_pipeline(scaler, asks).fit(rows.X, rows.y, sample_weight=rows.weight)
        same(answers(pipe[-1], scaled), with_weights)
        by_name = seeded(model).set_fit_request(sample_weight="importance")
        pipe = make_pipeline(scaler, by_name).fit(rows.X, rows.y, importance=rows.weight)
        same(answers(pipe[-1], scaled), with_weights)
        # The scaler is weighted instead, so that its last bits are its own.
        other = StandardScaler().set_fit_request(sample_weight=True)
        declines = seeded(model).set_fit_request(sample_weight=False)
        pipe = make_pipeline(other, declines).fit(rows.X, rows.y, sample_weight=rows.weight)
        scaled = StandardScaler().fit_transform(rows.X, sample_weight=rows.weight)
        same(answers(pipe[-1], scaled), answers(fitted(model, scaled, rows.y), scaled))
        silent = make_pipeline(scaler, seeded(model))
        said = refusal(
            UnsetMetadataPassedError, lambda: silent.fit(rows.X, rows.y, sample_weight=rows.weight)
        )
        assert "sample_weight" in said


@promise("metadata routing", _weighs_scores)
def a_search_hands_on_weights_that_were_asked_for(model: Any) -> None:
    rows = given(model)
    folds = KFold(2)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = seeded(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(asks, {"verbose": [0]} if "verbose" in asks.get_params() else {}, cv=folds)
        search.fit(rows.X, rows.y, sample_weight=rows.weight)
        crossed = cross_validate(asks, rows.X, rows.y, cv=folds, params={"sample_weight": rows.weight})
    whole = fitted(model, rows.X, rows.y, sample_weight=rows.weight)
    same(answers(search.best_estimator_, rows.X), answers(whole, rows.X))
    for number, (train, test) in enumerate(folds.split(rows.X)):
        part = fitted(model, rows.X[train], rows.y[train], sample_weight=rows.weight[train])
        score = part.score(rows.X[test], rows.y[test], sample_weight=rows.weight[test])
        assert search.cv_results_[f"split{number}_test_score"][0] == score
        assert crossed["test_score"][number] == score


@promise("metadata routing", weighs)
def requests_outlive_clones_and_pickles(model: Any) -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        asks = seeded(model).set_fit_request(sample_weight="importance")
        if hasattr(asks, "set_partial_fit_request"):
            asks.set_partial_fit_request(sample_weight=True)
        if hasattr(asks, "set_score_request"):
            asks.set_score_request(sample_weight=False)
    plain, asked = _requests(seeded(model)), _requests(asks)
    assert plain != asked
    assert _requests(clone(asks)) == asked
    assert _requests(pickle.loads(pickle.dumps(asks))) == asked
    rows = given(model)
    # The class itself asks for nothing.
    assert _requests(asks.fit(rows.X, rows.y)) == asked
    assert _requests(seeded(model)) == plain


@promise("metadata routing", lambda model: is_ours(model) and weighs(model))
def requests_outlive_saving(model: Any) -> None:
    rows = given(model)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = seeded(model).set_fit_request(sample_weight="importance")
    with tempfile.TemporaryDirectory() as folder:
        for each in (asks, seeded(model)):
            th.save(each.fit(rows.X, rows.y), Path(folder) / "model")
            assert _requests(th.load(Path(folder) / "model")) == _requests(each)
