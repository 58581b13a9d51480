"""Tags: what a learner says of itself is what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    ClassifierMixin,
    OutlierMixin,
    RegressorMixin,
    TransformerMixin,
    is_classifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from tests.torture.promises.registry import (
    METHODS,
    answers,
    fitted,
    given,
    predicts,
    promise,
    refusal,
    seeded,
    transforms,
)

REFUSED = (ValueError, TypeError)


@promise("tags")
def the_kind_of_estimator_is_said(model: Any) -> None:
    tags = get_tags(model)
    kinds = {"classifier": ClassifierMixin, "regressor": RegressorMixin, "outlier_detector": OutlierMixin}
    for name, mixin in kinds.items():
        assert (tags.estimator_type == name) == isinstance(model, mixin), name
    assert (tags.transformer_tags is not None) == isinstance(model, TransformerMixin)
    assert (tags.classifier_tags is not None) == is_classifier(model)
    assert (tags.regressor_tags is not None) == isinstance(model, RegressorMixin)
    assert not tags.no_validation
    assert not tags._skip_test
    assert not tags.non_deterministic


@promise("tags")
def sparse_rows_are_taken_where_it_says_so(model: Any) -> None:
    rows = given(model)
    X = np.where(np.abs(rows.X) > 0.5, rows.X, 0.0)
    for kind in (sp.csr_matrix, sp.csr_array, sp.csc_array):
        if get_tags(model).input_tags.sparse:
            one = fitted(model, kind(X), rows.y)
            for name in answers(one, X) if not hasattr(one, "inverse_transform") else ("transform",):
                assert np.shape(getattr(one, name)(kind(X)))[0] == len(X)
        else:
            assert "parse" in refusal(REFUSED, lambda kind=kind: fitted(model, kind(X), rows.y))


@promise("tags")
def nan_is_refused_where_it_says_so(model: Any) -> None:
    rows = given(model)
    X = rows.X.copy()
    X[2, 1] = np.nan
    assert not get_tags(model).input_tags.allow_nan
    assert "NaN" in refusal(ValueError, lambda: fitted(model, X, rows.y))
    one = fitted(model, rows.X, rows.y)
    for name in answers(one, rows.X):
        assert "NaN" in refusal(ValueError, lambda name=name: getattr(one, name)(X))


@promise("tags")
def a_target_is_asked_for_where_it_says_so(model: Any) -> None:
    rows = given(model)
    assert get_tags(model).target_tags.required == predicts(model)
    if predicts(model):
        said = refusal(REFUSED, lambda: seeded(model).fit(rows.X, None))
        assert "y" in said
    else:
        seeded(model).fit(rows.X)


@promise("tags", predicts)
def several_targets_are_taken_where_it_says_so(model: Any) -> None:
    rows = given(model)
    tags = get_tags(model)
    if is_classifier(model):
        codes = (rows.y == "yes") * 1
        y, taken = np.column_stack([codes, 1 - codes]), tags.classifier_tags.multi_label
    else:
        y, taken = np.column_stack([rows.y, 2 * rows.y]), tags.target_tags.multi_output
    if taken:
        assert fitted(model, rows.X, y).predict(rows.X).shape == y.shape
    else:
        refusal(ValueError, lambda: fitted(model, rows.X, y))


@promise("tags", is_classifier)
def three_classes_are_taken_where_it_says_so(model: Any) -> None:
    rows = given(model)
    y = np.array(["a", "b", "c"], dtype=object)[np.digitize(rows.X[:, 0], [-0.5, 0.5])]
    assert get_tags(model).classifier_tags.multi_class
    one = fitted(model, rows.X, y)
    assert list(one.classes_) == ["a", "b", "c"]
    assert set(one.predict(rows.X)) <= {"a", "b", "c"}


@promise("tags", predicts)
def a_negative_target_is_refused_where_it_says_so(model: Any) -> None:
    if is_classifier(model):
        return
    rows = given(model)
    y = rows.y.copy()
    y[0] = -1.0
    if get_tags(model).target_tags.positive_only:
        refusal(ValueError, lambda: fitted(model, rows.X, y))
    else:
        fitted(model, rows.X, y)


@promise("tags", transforms)
def the_dtype_is_kept_where_it_says_so(model: Any) -> None:
    rows = given(model)
    kept = get_tags(model).transformer_tags.preserves_dtype
    for kind in ("float64", "float32"):
        found = fitted(model, rows.X.astype(kind), rows.y).transform(rows.X.astype(kind))
        assert (found.dtype == kind) == (kind in kept), (found.dtype, kind)


@promise("tags")
def nothing_is_said_before_a_fit(model: Any) -> None:
    rows = given(model)
    assert get_tags(model).requires_fit
    one = fitted(model, rows.X, rows.y)
    for name in METHODS:
        if hasattr(one, name):
            # The call, for some attributes are there after a fit alone.
            refusal((NotFittedError, AttributeError), lambda name=name: getattr(seeded(model), name)(rows.X))


@promise("tags")
def rows_of_a_kernel_are_asked_for_where_it_says_so(model: Any) -> None:
    assert not get_tags(model).input_tags.pairwise
    if "kernel" not in model.get_params():
        return
    rows = given(model)
    one = seeded(model).set_params(kernel="precomputed")
    if "fit_inverse_transform" in one.get_params():
        one.set_params(fit_inverse_transform=False)
    assert get_tags(one).input_tags.pairwise
    refusal(ValueError, lambda: one.fit(rows.X, rows.y))
    one.fit(rows.X @ rows.X.T, rows.y)
