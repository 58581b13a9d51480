"""Clones, pickles read by a new interpreter, and what is drawn of an object."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

import thetahat as th
from tests.torture.promises.registry import (
    METHODS,
    answers,
    fitted,
    given,
    promise,
    refusal,
    same,
    seeded,
    transforms,
)


def _settings(model: Any) -> dict[str, str]:
    # As a digest, which looks into arrays and nested objects; the class of a nested one is in its repr.
    return {name: f"{value!r} {joblib.hash(value)}" for name, value in model.get_params(deep=False).items()}


def is_ours(model: Any) -> bool:
    return type(model).__module__.startswith("thetahat")


def _changed(model: Any) -> Any:
    """Return a clone with every argument that is a number moved, whatever a fit would say of it."""
    model = clone(model)
    moved = {
        name: value * 3 + 1
        for name, value in model.get_params(deep=False).items()
        if type(value) in (int, float)
    }
    return model.set_params(**moved)


@promise("clone")
def a_clone_has_every_parameter(model: Any) -> None:
    for one in (model, _changed(model)):
        again = clone(one)
        assert type(again) is type(one)
        assert again is not one
        assert _settings(again) == _settings(one)


@promise("clone")
def a_clone_of_a_fit_is_not_fitted(model: Any) -> None:
    rows = given(model)
    one = fitted(model, rows.X, rows.y)
    before = answers(one, rows.X)
    again = clone(one)
    refusal(NotFittedError, lambda: check_is_fitted(again))
    assert not [name for name in vars(again) if name.endswith("_") and not name.startswith("_")]
    assert _settings(again) == _settings(one)
    same(answers(one, rows.X), before)


@promise("clone")
def a_clone_fits_to_the_same_bits(model: Any) -> None:
    rows = given(model)
    one = fitted(model, rows.X, rows.y)
    same(answers(clone(one).fit(rows.X, rows.y), rows.X), answers(one, rows.X))


@promise("clone")
def set_params_and_get_params_are_each_others_way_back(model: Any) -> None:
    changed = _changed(model)
    assert clone(model).set_params(**changed.get_params(deep=False)) is not model
    assert _settings(clone(model).set_params(**changed.get_params(deep=False))) == _settings(changed)
    assert _settings(type(model)(**changed.get_params(deep=False))) == _settings(changed)
    assert "no_such_parameter" in refusal(ValueError, lambda: clone(model).set_params(no_such_parameter=1))


@promise("clone")
def a_nested_clone_has_every_parameter(model: Any) -> None:
    scaled = ColumnTransformer([("scaled", StandardScaler(), [0, 1]), ("kept", "passthrough", [2, 3])])
    nested = [Pipeline([("columns", scaled), ("model", _changed(model))])]
    if transforms(model):
        nested.append(Pipeline([("columns", ColumnTransformer([("model", _changed(model), [0, 1])]))]))
    for one in nested:
        again = clone(one)
        at = "model" if "model" in one.named_steps else "columns__model"
        assert again.get_params()[at] is not one.get_params()[at]
        assert _settings(again.get_params()[at]) == _settings(one.get_params()[at])
        assert {name for name in again.get_params()} == {name for name in one.get_params()}


# What the new interpreter runs: it knows nothing but the bytes.
READER = """
import pickle, sys
told, sys.stdout = sys.stdout.buffer, sys.stderr
stored, path, X, methods = pickle.load(sys.stdin.buffer)
found = {}
for how, content in stored.items():
    if how == "joblib":
        import io, joblib
        model = joblib.load(io.BytesIO(content))
    else:
        model = pickle.loads(content)
    found[how] = {name: getattr(model, name)(X) for name in methods if hasattr(model, name)}
if path:
    import thetahat
    model = thetahat.load(path)
    found["save"] = {name: getattr(model, name)(X) for name in methods if hasattr(model, name)}
pickle.dump(found, told)
"""


@promise("pickles in a new interpreter")
def a_new_interpreter_predicts_the_same_bits(model: Any) -> None:
    rows = given(model)
    one = fitted(model, rows.X, rows.y)
    expected = answers(one, rows.X)
    joined = io.BytesIO()
    joblib.dump(one, joined)
    stored = {f"pickle {n}": pickle.dumps(one, protocol=n) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)}
    stored |= {"joblib": joined.getvalue(), "cloudpickle": cloudpickle.dumps(one)}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model") if is_ours(model) else None
        if path:
            th.save(one, path)
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", READER],
            input=pickle.dumps((stored, path, rows.X, METHODS)),
            capture_output=True,
        )
    assert told.returncode == 0, told.stderr.decode()[-600:]
    found = pickle.loads(told.stdout)
    assert found.keys() == stored.keys() | ({"save"} if path else set())
    for how, there in found.items():
        assert there.keys() == expected.keys(), how
        same(there, expected)


@promise("pickles in a new interpreter")
def a_pickle_holds_what_was_fitted(model: Any) -> None:
    rows = given(model)
    one = fitted(model, rows.X, rows.y)
    again = pickle.loads(pickle.dumps(one))
    kept = {name for name in vars(one) if name.endswith("_")}
    assert kept <= set(vars(again)), kept - set(vars(again))
    assert _settings(again) == _settings(one)
    for name in kept:
        value = getattr(one, name)
        if isinstance(value, np.ndarray | float | int | str):
            np.testing.assert_array_equal(getattr(again, name), value, err_msg=name)
    if hasattr(model, "partial_fit"):
        more = {"classes": np.unique(rows.y)} if is_classifier(model) else {}
        ends = [each.partial_fit(rows.X, rows.y, **more) for each in (one, again)]
        same(*(answers(each, rows.X) for each in ends))


@promise("pickles in a new interpreter")
def a_pickle_of_what_is_not_fitted_fits_the_same(model: Any) -> None:
    rows = given(model)
    again = pickle.loads(pickle.dumps(seeded(model)))
    same(answers(again.fit(rows.X, rows.y), rows.X), answers(fitted(model, rows.X, rows.y), rows.X))


# Elements that HTML ends by itself.
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> ends {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _drawn(model: Any) -> str:
    page = _Balance()
    page.feed(model._repr_html_())
    page.close()
    assert not page.open, f"not ended: {page.open}"
    return " ".join(page.text)


@promise("HTML and text")
def html_is_balanced_and_shows_every_parameter(model: Any) -> None:
    rows = given(model)
    one = fitted(model, rows.X, rows.y)
    for each, state in ((model, "Not fitted"), (one, "Fitted")):
        text = _drawn(each)
        assert type(model).__name__ in text
        assert f"{state}" in text, f"does not say {state!r}"
        missing = [name for name in model.get_params(deep=False) if name not in text]
        assert not missing, missing
    assert set(model._repr_mimebundle_()) == {"text/plain", "text/html"}


@promise("HTML and text")
def html_of_a_pipeline_holds_the_learner(model: Any) -> None:
    text = _drawn(Pipeline([("scale", StandardScaler()), ("model", clone(model))]))
    assert type(model).__name__ in text
    assert all(name in text for name in model.get_params(deep=False))


@promise("HTML and text")
def html_escapes_what_stands_in_a_parameter(model: Any) -> None:
    # Any argument may hold any text until a fit looks at it.
    hostile = "<script>alert(1)</script>"
    name = next(iter(model.get_params(deep=False)))
    drawn = clone(model).set_params(**{name: hostile})._repr_html_()
    assert hostile not in drawn
    assert "alert(1)" in drawn


@promise("HTML and text")
def text_is_the_call_that_makes_it(model: Any) -> None:
    for each in (model, _changed(model)):
        made = eval(repr(each), {type(model).__name__: type(model), "nan": np.nan, "inf": np.inf})
        assert _settings(made) == _settings(each)
    with sklearn.config_context(print_changed_only=False):
        said = "".join(model.__repr__(N_CHAR_MAX=10_000).split())
        # scikit-learn prints so many at the most.
        shown = list(model.get_params(deep=False))[:30]
        assert all(f"{name}=" in said for name in shown), said
