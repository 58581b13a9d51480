"""Feature names, frames in and frames out."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.torture.promises.registry import (
    Given,
    answers,
    fitted,
    given,
    predicts,
    promise,
    refusal,
    same,
    transforms,
    warned,
)
from tests.torture.promises.routing import weighs

NAMES = ["height", "weight", "age", "dose"]
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def _frame(kind: str, rows: Given) -> Any:
    if kind == "pandas":
        # An index that is not 0, 1, 2 must not move a row.
        return pd.DataFrame(rows.X, columns=NAMES, index=np.arange(len(rows.X))[::-1] * 7)
    return pl.DataFrame(rows.X, schema=NAMES)


def _column(kind: str, values: Any, X: Any) -> Any:
    if values is None:
        return None
    return pd.Series(values, index=X.index) if kind == "pandas" else pl.Series("target", list(values))


@promise("feature names")
def names_of_columns_are_kept(model: Any) -> None:
    rows = given(model)
    for kind in FRAMES:
        one = fitted(model, _frame(kind, rows), rows.y)
        assert list(one.feature_names_in_) == NAMES
        assert one.feature_names_in_.dtype == object
        assert one.n_features_in_ == 4
        assert not hasattr(one.fit(rows.X, rows.y), "feature_names_in_"), "names of an earlier fit"
    one = fitted(model, rows.X, rows.y)
    assert not hasattr(one, "feature_names_in_")
    assert one.n_features_in_ == 4
    assert not hasattr(fitted(model, pd.DataFrame(rows.X), rows.y), "feature_names_in_")
    mixed = pd.DataFrame(rows.X, columns=["a", 1, "b", 2])
    assert "string" in refusal(TypeError, lambda: fitted(model, mixed, rows.y))


@promise("feature names")
def other_columns_are_refused_by_name(model: Any) -> None:
    rows = given(model)
    for kind in FRAMES:
        frame = _frame(kind, rows)
        one = fitted(model, frame, rows.y)
        other = frame.rename(columns={"age": "years"}) if kind == "pandas" else frame.rename({"age": "years"})
        for name in answers(one, frame):
            method = getattr(one, name)
            said = refusal(ValueError, lambda method=method, other=other: method(other))
            assert {"years", "age"} <= set(re.findall(r"\w+", said)), said
            said = refusal(ValueError, lambda method=method, frame=frame: method(frame[NAMES[::-1]]))
            assert "order" in said, said
            said = refusal(ValueError, lambda method=method, frame=frame: method(frame[NAMES[:3]]))
            assert "dose" in said, said
            said = refusal(ValueError, lambda method=method: method(rows.X[:, :3]))
            assert re.search("3 features.* 4 features", said), said


@promise("feature names")
def a_table_without_names_after_one_with_names_is_said(model: Any) -> None:
    rows = given(model)
    frame = _frame("pandas", rows)
    named, bare = fitted(model, frame, rows.y), fitted(model, rows.X, rows.y)
    for name in answers(named, frame):
        with warned("does not have valid feature names"):
            getattr(named, name)(rows.X)
        with warned("was fitted without feature names"):
            getattr(bare, name)(frame)
        with warned(None):
            getattr(named, name)(frame)
            getattr(bare, name)(rows.X)


@promise("feature names", transforms)
def names_out_are_as_many_as_columns_out(model: Any) -> None:
    rows = given(model)
    one = fitted(model, _frame("pandas", rows), rows.y)
    width = one.transform(_frame("pandas", rows)).shape[1]
    names = one.get_feature_names_out()
    assert names.dtype == object
    assert list(names) == [f"{type(model).__name__.lower()}{k}" for k in range(width)]
    assert list(one.get_feature_names_out(NAMES)) == list(names)


@promise("set_output", transforms)
def frames_out_hold_the_same_numbers(model: Any) -> None:
    rows = given(model)
    for kind, made in FRAMES.items():
        frame = _frame(kind, rows)
        one = fitted(model, frame, rows.y)
        plain = one.transform(frame)
        assert isinstance(plain, np.ndarray)
        assert one.set_output(transform=kind) is one
        for found in (one.transform(frame), clone(one).fit_transform(frame, rows.y)):
            assert type(found) is made
            assert list(found.columns) == list(one.get_feature_names_out())
            np.testing.assert_allclose(found.to_numpy(), plain, rtol=0, atol=1e-9 * np.abs(plain).max())
        np.testing.assert_array_equal(one.transform(frame).to_numpy(), plain)
        if kind == "pandas":
            assert list(one.transform(frame).index) == list(frame.index)
        assert isinstance(one.set_output(transform="default").transform(frame), np.ndarray)
        with sklearn.config_context(transform_output=kind):
            assert isinstance(one.transform(frame), np.ndarray), "default is asked for"
            assert type(fitted(model, frame, rows.y).transform(frame)) is made


@promise("set_output", transforms)
def set_output_outlives_clone_pickle_and_pipeline(model: Any) -> None:
    rows = given(model)
    for kind, made in FRAMES.items():
        asks = clone(model).set_output(transform=kind)
        for one in (clone(asks), pickle.loads(pickle.dumps(asks))):
            assert type(one.fit(rows.X, rows.y).transform(rows.X)) is made
        pipe = make_pipeline(StandardScaler(), clone(model)).set_output(transform=kind)
        found = pipe.fit(_frame(kind, rows), rows.y).transform(_frame(kind, rows))
        assert type(found) is made
        assert list(found.columns) == list(pipe.get_feature_names_out())
    said = refusal(
        ValueError, lambda: clone(model).set_output(transform="no such frame").fit_transform(rows.X)
    )
    assert "no such frame" in said


@promise("set_output", lambda model: not transforms(model))
def predictions_stay_arrays(model: Any) -> None:
    rows = given(model)
    for kind in FRAMES:
        with sklearn.config_context(transform_output=kind):
            one = fitted(model, _frame(kind, rows), rows.y)
            for name, found in answers(one, _frame(kind, rows)).items():
                assert type(found) is np.ndarray, name


@promise("pandas and polars")
def a_frame_fits_as_its_numbers(model: Any) -> None:
    rows = given(model)
    for kind in FRAMES:
        frame = _frame(kind, rows)
        numbers = np.asarray(frame.to_numpy())
        one = fitted(model, frame, _column(kind, rows.y, frame))
        same(answers(one, frame), answers(fitted(model, numbers, rows.y), numbers))
        if weighs(model):
            column = _column(kind, rows.weight, frame)
            weighted = fitted(model, frame, _column(kind, rows.y, frame), sample_weight=column)
            bare = fitted(model, numbers, rows.y, sample_weight=rows.weight)
            same(answers(weighted, frame), answers(bare, numbers))


def _whole(rows: Given) -> Given:
    return Given(np.round(3 * rows.X), rows.y, rows.weight)


@promise("pandas and polars")
def columns_of_every_numeric_dtype_are_taken(model: Any) -> None:
    rows = _whole(given(model))
    expected = answers(fitted(model, rows.X, rows.y), rows.X)
    pandas = pd.DataFrame(rows.X, columns=NAMES)
    polars = pl.DataFrame(rows.X, schema=NAMES)
    frames: list[Any] = [
        pandas.astype(kind)
        for kind in ("int64", "int8", "Int64", "Float64", "double[pyarrow]", "int64[pyarrow]")
    ]
    frames += [polars.cast(kind) for kind in (pl.Int64, pl.Int16)]
    frames += [
        pandas.astype({"height": "Int64", "weight": "float64", "age": "Float64", "dose": "int8"}),
        polars.cast({"height": pl.Int64, "weight": pl.Float64, "age": pl.Int8, "dose": pl.Float64}),
    ]
    for frame in frames:
        found = answers(fitted(model, frame, rows.y), frame)
        for name, one in expected.items():
            if one.dtype.kind == "f":
                np.testing.assert_allclose(found[name], one, rtol=1e-6, atol=1e-6, err_msg=str(frame.dtypes))
    truth = pd.DataFrame(rows.X > 0, columns=NAMES)
    numbers = truth.to_numpy().astype(float)
    found, bare = (fitted(model, each, rows.y) for each in (truth, numbers))
    for name, one in answers(bare, numbers).items():
        if one.dtype.kind == "f":
            np.testing.assert_allclose(answers(found, truth)[name], one, rtol=1e-6, atol=1e-6)


@promise("pandas and polars")
def missing_values_and_words_are_refused_with_the_cause(model: Any) -> None:
    rows = _whole(given(model))
    pandas, polars = pd.DataFrame(rows.X, columns=NAMES), pl.DataFrame(rows.X, schema=NAMES)
    holes: list[Any] = []
    for kind in ("float64", "Float64", "Int64"):
        hole = pandas.astype(kind)
        hole.loc[3, "age"] = pd.NA if kind != "float64" else np.nan
        holes.append(hole)
    holes.append(polars.with_columns(age=pl.when(pl.col("age") > 2).then(None).otherwise(pl.col("age"))))
    one = fitted(model, pandas, rows.y)
    for hole in holes:
        assert "NaN" in refusal(ValueError, lambda hole=hole: fitted(model, hole, rows.y))
        assert "NaN" in refusal(ValueError, lambda hole=hole: next(iter(answers(one, hole))))
    words = ["a", "b", "c"] * (len(rows.X) // 3)
    for frame in (
        pandas.assign(age=pd.Categorical(words)),
        pandas.assign(age=words),
        polars.with_columns(age=pl.Series(words).cast(pl.Categorical)),
        polars.with_columns(age=pl.Series(words)),
    ):
        said = refusal((ValueError, TypeError), lambda frame=frame: fitted(model, frame, rows.y))
        assert "could not convert string to float" in said or "age" in said, said


@promise("pandas and polars", is_classifier)
def labels_of_every_kind_are_given_back(model: Any) -> None:
    rows = given(model)
    labels = {
        "text": (pd.Series(rows.y), rows.y),
        "string": (pd.Series(rows.y, dtype="string"), rows.y),
        "categorical": (pd.Series(pd.Categorical(rows.y)), rows.y),
        "pyarrow": (pd.Series(rows.y, dtype="string[pyarrow]"), rows.y),
        "polars": (pl.Series(rows.y.astype(str)), rows.y),
        "polars categorical": (pl.Series(rows.y.astype(str)).cast(pl.Categorical), rows.y),
        "boolean": (pd.Series(rows.y == "yes", dtype="boolean"), rows.y == "yes"),
        "Int64": (pd.Series(np.where(rows.y == "yes", 7, 3), dtype="Int64"), np.where(rows.y == "yes", 7, 3)),
    }
    for kind, (column, values) in labels.items():
        one = fitted(model, rows.X, column)
        assert list(one.classes_) == list(np.unique(values)), kind
        assert set(one.predict(rows.X)) <= set(values), kind
        expected = fitted(model, rows.X, values).predict(rows.X)
        np.testing.assert_array_equal(np.asarray(one.predict(rows.X)), expected, err_msg=kind)
        assert one.score(rows.X, column) == np.mean(expected == values), kind


@promise("pandas and polars", lambda model: predicts(model) and not is_classifier(model))
def targets_of_every_numeric_dtype_are_taken(model: Any) -> None:
    rows = given(model)
    y = np.abs(np.round(4 * rows.y))
    expected = fitted(model, rows.X, y).predict(rows.X)
    for column in (
        *(pd.Series(y).astype(kind) for kind in ("int64", "Int64", "Float64", "double[pyarrow]")),
        pd.DataFrame({"y": y})["y"],
        pl.Series(y),
        pl.Series(y).cast(pl.Int64),
    ):
        found = fitted(model, rows.X, column)
        np.testing.assert_allclose(found.predict(rows.X), expected, rtol=1e-6, atol=1e-9)
        assert np.isfinite(found.score(rows.X, column))
    hole = pd.Series(y).astype("Float64")
    hole[3] = pd.NA
    assert "NaN" in refusal(ValueError, lambda: fitted(model, rows.X, hole))
