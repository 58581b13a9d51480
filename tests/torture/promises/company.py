"""Inside scikit-learn's own: pipelines, searches, ensembles, calibration, selection."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier, is_outlier_detector, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 -- being imported is its effect
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.torture.promises.registry import (
    answers,
    fitted,
    given,
    predicts,
    promise,
    refusal,
    same,
    seeded,
    transforms,
)

FOLDS = KFold(3)


def _scores(model: Any) -> bool:
    return hasattr(model, "score")


def _has_slopes(model: Any) -> bool:
    if not predicts(model):
        return False
    rows = given(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hasattr(fitted(model, rows.X, rows.y), "coef_")


def _untouched(model: Any) -> None:
    left = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    assert not left, f"the learner that was handed in is fitted: {left}"


@promise("inside scikit-learn")
def a_pipeline_is_its_steps(model: Any) -> None:
    rows = given(model)
    pipe = make_pipeline(StandardScaler(), seeded(model)).fit(rows.X, rows.y)
    scaled = StandardScaler().fit_transform(rows.X)
    same(answers(pipe, rows.X), answers(fitted(model, scaled, rows.y), scaled))
    assert pipe.n_features_in_ == 4


@promise("inside scikit-learn", _scores)
def cross_validation_is_a_fit_a_fold(model: Any) -> None:
    rows = given(model)
    one = seeded(model)
    scores = cross_val_score(one, rows.X, rows.y, cv=FOLDS, error_score="raise")
    _untouched(one)
    for (train, test), score in zip(FOLDS.split(rows.X), scores, strict=True):
        y = None if rows.y is None else rows.y[train], None if rows.y is None else rows.y[test]
        assert fitted(model, rows.X[train], y[0]).score(rows.X[test], y[1]) == score
    if predicts(model):
        found = cross_val_predict(one, rows.X, rows.y, cv=FOLDS)
        for train, test in FOLDS.split(rows.X):
            part = fitted(model, rows.X[train], rows.y[train])
            np.testing.assert_array_equal(found[test], part.predict(rows.X[test]))


GRIDS: dict[str, list[Any]] = {
    "C": [0.1, 10.0],
    "alpha": [1e-4, 1e-2],
    "n_components": [1, 2],
    "fit_intercept": [True, False],
}


def _grid(model: Any) -> dict[str, list[Any]]:
    return next({name: values} for name, values in GRIDS.items() if name in model.get_params())


@promise("inside scikit-learn", _scores)
def a_search_finds_what_it_fits(model: Any) -> None:
    rows = given(model)
    one, grid = seeded(model), _grid(model)
    ((name, values),) = grid.items()
    found = GridSearchCV(one, grid, cv=FOLDS, error_score="raise").fit(rows.X, rows.y)
    _untouched(one)
    assert found.best_params_[name] in values
    best = clone(one).set_params(**found.best_params_).fit(rows.X, rows.y)
    same(answers(found.best_estimator_, rows.X), answers(best, rows.X))
    means = [
        cross_val_score(clone(one).set_params(**{name: value}), rows.X, rows.y, cv=FOLDS).mean()
        for value in values
    ]
    assert list(found.cv_results_["mean_test_score"]) == means


@promise("inside scikit-learn", predicts)
def a_halving_search_ends(model: Any) -> None:
    rows = given(model)
    search = HalvingGridSearchCV(
        seeded(model), _grid(model), cv=FOLDS, min_resources=24, error_score="raise", random_state=0
    )
    assert np.isfinite(search.fit(rows.X, rows.y).best_score_)


@promise("inside scikit-learn", predicts)
def a_learning_curve_has_every_size(model: Any) -> None:
    rows = given(model)
    _, train, test = learning_curve(
        seeded(model), rows.X, rows.y, cv=FOLDS, train_sizes=[20, 32], error_score="raise"
    )
    assert train.shape == test.shape == (2, 3)
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()


@promise("inside scikit-learn", predicts)
def a_bag_votes(model: Any) -> None:
    rows = given(model)
    one = seeded(model)
    kind = BaggingClassifier if is_classifier(model) else BaggingRegressor
    bag = kind(one, n_estimators=3, max_samples=0.8, max_features=3, random_state=0).fit(rows.X, rows.y)
    _untouched(one)
    assert len(bag.estimators_) == 3
    if is_classifier(model):
        assert set(bag.predict(rows.X)) <= {"yes", "no"}
    else:
        parts = [
            each.predict(rows.X[:, at])
            for each, at in zip(bag.estimators_, bag.estimators_features_, strict=True)
        ]
        np.testing.assert_allclose(bag.predict(rows.X), np.mean(parts, axis=0), rtol=1e-10)


@promise("inside scikit-learn", predicts)
def a_stack_and_a_vote_hold_it(model: Any) -> None:
    rows = given(model)
    one = seeded(model)
    stack, vote = (
        (StackingClassifier, VotingClassifier)
        if is_classifier(model)
        else (StackingRegressor, VotingRegressor)
    )
    stacked = stack([("one", one), ("scaled", make_pipeline(StandardScaler(), one))], cv=FOLDS)
    stacked.fit(rows.X, rows.y)
    voted = vote([("one", one), ("other", clone(one))]).fit(rows.X, rows.y)
    _untouched(one)
    assert np.shape(stacked.predict(rows.X)) == np.shape(rows.y)
    alone = fitted(model, rows.X, rows.y).predict(rows.X)
    if is_classifier(model):
        np.testing.assert_array_equal(voted.predict(rows.X), alone)
    else:
        np.testing.assert_allclose(voted.predict(rows.X), alone, rtol=1e-10)


@promise("inside scikit-learn", predicts)
def importance_is_found_by_permutation(model: Any) -> None:
    rows = given(model)
    one = fitted(model, rows.X, rows.y)
    found = permutation_importance(one, rows.X, rows.y, n_repeats=2, random_state=0)
    assert found.importances.shape == (4, 2)
    assert np.isfinite(found.importances).all()
    drawn = partial_dependence(one, rows.X, [0], grid_resolution=4)
    assert np.isfinite(drawn["average"]).all()


@promise("inside scikit-learn", _has_slopes)
def columns_are_chosen_by_slopes(model: Any) -> None:
    rows = given(model)
    one = seeded(model)
    chosen = SelectFromModel(one, threshold=-np.inf, max_features=2).fit(rows.X, rows.y)
    _untouched(one)
    assert chosen.transform(rows.X).shape == (len(rows.X), 2)
    sizes = np.abs(np.atleast_2d(fitted(model, rows.X, rows.y).coef_)).sum(axis=0)
    assert set(np.flatnonzero(chosen.get_support())) == set(np.argsort(-sizes, kind="stable")[:2])
    assert RFE(one, n_features_to_select=2).fit(rows.X, rows.y).support_.sum() == 2


@promise("inside scikit-learn", is_classifier)
def it_is_calibrated(model: Any) -> None:
    rows = given(model)
    one = seeded(model)
    for method, together in (("sigmoid", True), ("isotonic", False)):
        found = CalibratedClassifierCV(one, method=method, ensemble=together, cv=3).fit(rows.X, rows.y)
        shares = found.predict_proba(rows.X)
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)
        assert found.score(rows.X, rows.y) > 0.6
    _untouched(one)
    frozen = FrozenEstimator(fitted(model, rows.X, rows.y))
    assert CalibratedClassifierCV(frozen).fit(rows.X, rows.y).score(rows.X, rows.y) > 0.6


@promise("inside scikit-learn", is_classifier)
def a_threshold_is_tuned(model: Any) -> None:
    rows = given(model)
    found = TunedThresholdClassifierCV(seeded(model), cv=3, scoring="balanced_accuracy").fit(rows.X, rows.y)
    assert set(found.predict(rows.X)) <= {"yes", "no"}
    assert np.isfinite(found.best_threshold_)


@promise("inside scikit-learn", is_classifier)
def many_classes_are_made_of_two(model: Any) -> None:
    rows = given(model)
    y = np.array(["a", "b", "c"], dtype=object)[np.digitize(rows.X[:, 0], [-0.5, 0.5])]
    for kind in (OneVsRestClassifier, OneVsOneClassifier):
        found = kind(seeded(model)).fit(rows.X, y)
        assert len(found.estimators_) == 3
        assert found.score(rows.X, y) > 0.5


@promise("inside scikit-learn", predicts)
def many_targets_are_made_of_one(model: Any) -> None:
    rows = given(model)
    y = np.column_stack([rows.y, rows.y[::-1]])
    kind = MultiOutputClassifier if is_classifier(model) else MultiOutputRegressor
    found = kind(seeded(model)).fit(rows.X, y).predict(rows.X)
    for column, target in zip(found.T, y.T, strict=True):
        np.testing.assert_array_equal(column, fitted(model, rows.X, target).predict(rows.X))


@promise("inside scikit-learn", is_regressor)
def a_target_is_transformed(model: Any) -> None:
    rows = given(model)
    found = TransformedTargetRegressor(
        seeded(model), func=np.negative, inverse_func=np.negative, check_inverse=False
    )
    if model.__sklearn_tags__().target_tags.positive_only:
        found.set_params(func=np.sqrt, inverse_func=np.square)
    assert np.isfinite(found.fit(rows.X, rows.y).predict(rows.X)).all()
    inner = fitted(model, rows.X, found.func(rows.y)).predict(rows.X)
    np.testing.assert_allclose(found.predict(rows.X), found.inverse_func(inner), rtol=1e-10)


@promise("inside scikit-learn", transforms)
def columns_are_joined(model: Any) -> None:
    rows = given(model)
    union = FeatureUnion([("model", seeded(model)), ("scaled", StandardScaler())]).fit(rows.X)
    alone = fitted(model, rows.X, None).transform(rows.X)
    np.testing.assert_array_equal(union.transform(rows.X)[:, : alone.shape[1]], alone)
    part = ColumnTransformer([("model", seeded(model), [1, 2, 3])]).fit(rows.X)
    alone = fitted(model, rows.X[:, 1:], None).transform(rows.X[:, 1:])
    # The columns lie otherwise in memory, so the last bits may differ.
    np.testing.assert_allclose(part.transform(rows.X), alone, rtol=1e-7, atol=1e-9)
    assert list(part.get_feature_names_out())[0] == f"model__{type(model).__name__.lower()}0"
    target = rows.X @ [1.0, 2.0, 0.0, 0.0]
    assert np.isfinite(
        make_pipeline(seeded(model), LinearRegression()).fit(rows.X, target).score(rows.X, target)
    )


@promise("inside scikit-learn", is_outlier_detector)
def outliers_are_told_as_one_and_minus_one(model: Any) -> None:
    rows = given(model)
    one = seeded(model)
    told = one.fit_predict(rows.X)
    np.testing.assert_array_equal(told, one.predict(rows.X))
    assert set(told) <= {-1, 1}
    np.testing.assert_array_equal(told > 0, one.decision_function(rows.X) >= 0)
    np.testing.assert_allclose(
        one.score_samples(rows.X) - one.offset_, one.decision_function(rows.X), atol=1e-12
    )


@promise("inside scikit-learn", lambda model: hasattr(model, "partial_fit"))
def a_fit_goes_on_batch_by_batch(model: Any) -> None:
    rows = given(model)
    batches = np.array_split(np.arange(len(rows.X)), 3)

    def run() -> Any:
        one = seeded(model)
        for number, at in enumerate(batches):
            first = {"classes": np.unique(rows.y)} if is_classifier(model) and number == 0 else {}
            target = () if rows.y is None else (rows.y[at],)
            assert one.partial_fit(rows.X[at], *target, **first) is one
        return one

    one = run()
    same(answers(one, rows.X), answers(run(), rows.X))
    assert one.n_features_in_ == 4
    target = () if rows.y is None else (rows.y,)
    said = refusal(ValueError, lambda: one.partial_fit(rows.X[:, :3], *target))
    assert "3 features" in said, said
    if is_classifier(model):
        assert list(one.classes_) == ["no", "yes"]
        said = refusal(
            ValueError, lambda: one.partial_fit(rows.X, np.full(len(rows.X), "other", dtype=object))
        )
        said = refusal(ValueError, lambda: seeded(model).partial_fit(rows.X, rows.y))
        assert "classes" in said, said
