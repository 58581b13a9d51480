import json
import zipfile

import numpy as np
import pytest

from thetahat.errors import ResultFileError, UsageError
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.prediction import predict_interval
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge
from thetahat.linear.saving import load, save

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
NUMBERS = X @ [1.0, 2.0, 3.0] + RNG.normal(size=80)
LABELS = RNG.choice(["a", "b", "c"], size=80)
MODELS = {
    "linear": (LinearRegression(), NUMBERS),
    "two outputs": (LinearRegression(), np.column_stack([NUMBERS, -NUMBERS])),
    "ridge": (Ridge(alpha=2.5), NUMBERS),
    "ridge of two": (Ridge(alpha=np.array([1.0, 2.0])), np.column_stack([NUMBERS, -NUMBERS])),
    "poisson": (PoissonRegression(alpha=0), RNG.poisson(3.0, size=80)),
    "binary": (LogisticRegression(C=np.inf), NUMBERS + RNG.logistic(size=80) * 4 > 0),
    "text": (LogisticRegression(C=0.5, class_weight={"a": 1.0, "b": 2.0, "c": 1.0}), LABELS),
    "objects": (LogisticRegression(), LABELS.astype(object)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_predicts_and_reports_as_the_saved_one(name, tmp_path):
    model, y = MODELS[name]
    save(model.fit(X, y), tmp_path / "model.zip")
    again = load(tmp_path / "model.zip")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert type(again) is type(model)
    assert str(again.get_params()) == str(model.get_params())
    if hasattr(model, "classes_"):
        assert again.classes_.dtype == model.classes_.dtype
    if y.ndim == 1:
        assert again.result_.summary() == model.result_.summary()
        np.testing.assert_array_equal(
            again.result_.with_errors("HC3").covariance, model.result_.with_errors("HC3").covariance
        )
    if name == "linear":
        np.testing.assert_array_equal(predict_interval(again, X).low, predict_interval(model, X).low)


def test_column_names_are_kept(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    save(LinearRegression().fit(frame, NUMBERS), tmp_path / "model.zip")
    again = load(tmp_path / "model.zip")
    assert list(again.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a", "c"]])


def test_the_same_model_is_the_same_file_and_holds_no_row(tmp_path):
    model = LinearRegression().fit(X, NUMBERS)
    for name in ("one", "two"):
        save(model, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert sorted(archive.namelist()) == ["arrays.safetensors", "model.json"]
        assert X.tobytes()[:64] not in archive.read("arrays.safetensors")


def changed(path, change, drop=()):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name not in drop}
    if "model.json" in parts:
        described = json.loads(parts["model.json"])
        change(described)
        parts["model.json"] = json.dumps(described).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema_version=2), "schema version 2"),
        (lambda d: d.update(format="other"), "not a saved model"),
        (lambda d: d.update({"class": "os.system"}), "damaged"),
        (lambda d: d["parameters"].update(unknown=1), "damaged"),
        (lambda d: d["attributes"].update(predict="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(extra="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(_rows_="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(result_="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(__class__="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(coef_={"array": "elsewhere"}), "damaged"),
        (lambda d: d["attributes"].update(coef_={"what": "else"}), "damaged"),
        (lambda d: d.pop("record"), "damaged"),
    ],
)
def test_a_file_that_was_meddled_with_is_refused(change, said, tmp_path):
    path = tmp_path / "model.zip"
    save(LinearRegression().fit(X, NUMBERS), path)
    changed(path, change)
    with pytest.raises(ResultFileError, match=said):
        load(path)


@pytest.mark.parametrize("part", ["model.json", "arrays.safetensors"])
def test_a_file_with_a_part_missing_is_refused(part, tmp_path):
    path = tmp_path / "model.zip"
    save(LinearRegression().fit(X, NUMBERS), path)
    changed(path, lambda d: None, drop=[part])
    with pytest.raises(ResultFileError, match="not a saved model"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 and no more"])
def test_what_is_no_model_is_refused(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ResultFileError, match="not a saved model"):
        load(tmp_path / "file")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ResultFileError, match="cannot be read"):
            load(path)


def test_only_fitted_linear_models_are_saved(tmp_path):
    with pytest.raises(UsageError, match="not fitted"):
        save(LinearRegression(), tmp_path / "model")
    with pytest.raises(UsageError, match="can be saved, not dict"):
        save({}, tmp_path / "model")
    assert not list(tmp_path.iterdir())
