"""A learner that breaks one promise is counted, whichever promise it is."""

import copy
import itertools

import numpy as np
import pandas as pd
import pytest

import thetahat as th
from tests.learners import Learner
from tests.torture.conformance import Case, judge, pairs, run
from tests.torture.promises import PROMISES
from thetahat.results import stored

RNG = np.random.default_rng(0)


class DropsTheSettings(th.Ridge):
    def __sklearn_clone__(self):
        return type(self)()


class ClonesItsFit(th.Ridge):
    def __sklearn_clone__(self):
        return copy.deepcopy(self)


class DropsTheRequests(th.Ridge):
    def __sklearn_clone__(self):
        return type(self)(**self.get_params())


class SetsNothing(th.Ridge):
    def set_params(self, **params):
        return self


class Drifts(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = self.coef_ + 1e-9 * RNG.standard_normal(self.coef_.shape)
        return self


class MovesWhenPickled(th.Ridge):
    def __reduce__(self):
        state = self.__getstate__()
        return th.Ridge, (), {**state, "coef_": np.nextafter(state["coef_"], np.inf)}


class DriftsAsComponents(th.PCA):
    def transform(self, X):
        return super().transform(X) + 1e-3 * RNG.standard_normal()


class Unended(th.Ridge):
    def _repr_html_(self):
        return super()._repr_html_() + "<div>"


class HidesAlpha(th.Ridge):
    def _repr_html_(self):
        return super()._repr_html_().replace("alpha", "")


class DrawsAsAnother(th.Ridge):
    def _get_params_html(self, *given, **more):
        return th.PCA()._get_params_html(*given, **more)


class DoesNotEscape(th.Ridge):
    def _repr_html_(self):
        return f"<p>{self.alpha}</p>"


class Curt(th.Ridge):
    def __repr__(self, N_CHAR_MAX=700):
        return f"{type(self).__name__}()"


class Nameless(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        return super().fit(np.asarray(X), y, sample_weight)

    def predict(self, X):
        return super().predict(np.asarray(X))


class NamesOneMore(th.PCA):
    def get_feature_names_out(self, names=None):
        return np.append(super().get_feature_names_out(names), "more")


class NoFrames(th.PCA, auto_wrap_output_keys=()):
    pass


class SetsNoOutput(th.PCA):
    def __sklearn_clone__(self):
        return type(self)(**self.get_params())


class PredictsSeries(th.Ridge):
    def predict(self, X):
        return pd.Series(super().predict(X))


class WeighsNothing(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y)


class ScoresByItself(th.Ridge):
    def score(self, X, y, sample_weight=None):
        return float(RNG.random())


class SortsByIndex(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X.sort_index() if hasattr(X, "sort_index") else X, y, sample_weight)


class ReadsWholeNumbersAsHalf(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        whole = isinstance(X, pd.DataFrame) and all(str(kind) == "Int64" for kind in X.dtypes)
        return super().fit(X * 0.5 if whole else X, y, sample_weight)


class FillsHoles(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        return super().fit(np.nan_to_num(np.asarray(X, dtype=float)), y, sample_weight)


class ReadsCategoriesAsCodes(th.LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y.cat.codes if hasattr(y, "cat") else y, sample_weight)


class RoundsTargets(th.Ridge):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, np.asarray(y) // 2 if isinstance(y, pd.Series) else y, sample_weight)


class NotAPredictor(th.Ridge):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        return tags


def lies(made, way):
    """Return a class that says the contrary of a tag."""

    class Liar(made):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            way(tags)
            return tags

    Liar.__name__ = made.__name__
    return Liar()


def negate(place, name):
    def way(tags):
        part = getattr(tags, place)
        setattr(part, name, not getattr(part, name))

    return way


def forget(tags):
    tags.transformer_tags.preserves_dtype = []


class Early(th.Ridge):
    def predict(self, X):
        return np.zeros(len(X)) if not hasattr(self, "coef_") else super().predict(X)


class TakesAnyKernel(th.SVC):
    def fit(self, X, y, sample_weight=None):
        rows = X if np.shape(X)[0] == np.shape(X)[1] or self.kernel != "precomputed" else X @ X.T
        return super().fit(rows, y, sample_weight)


class SaysNaN(th.Ridge):
    def predict(self, X):
        return np.full(len(X), np.nan)


class SaysNo(th.LogisticRegression):
    def predict(self, X):
        return np.full(len(X), "no", dtype=object)

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

    def decision_function(self, X):
        return RNG.standard_normal(len(X))


class SaysOther(th.LogisticRegression):
    def predict(self, X):
        return np.full(len(X), "other", dtype=object)

    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)

    def decision_function(self, X):
        return np.full(len(X), np.nan)


class TurnsSlopes(th.Ridge):
    turns = itertools.count()

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = np.roll(self.coef_, next(self.turns))
        return self


class GuessesNearby(th.Ridge):
    def predict(self, X):
        return super().predict(X) + 1e-3 * RNG.standard_normal(len(X))


class TellsTruthValues(th.OneClassSVM):
    def predict(self, X):
        return super().predict(X) > 0


class TakesAnyClass(th.SGDClassifier):
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        if classes is None and hasattr(self, "classes_"):
            y = np.where(np.isin(y, self.classes_), y, self.classes_[0])
        return super().partial_fit(X, y, classes, sample_weight)


BROKEN = {
    "a_clone_has_every_parameter": DropsTheSettings(),
    "a_nested_clone_has_every_parameter": DropsTheSettings(),
    "a_clone_of_a_fit_is_not_fitted": ClonesItsFit(),
    "a_clone_fits_to_the_same_bits": Drifts(),
    "set_params_and_get_params_are_each_others_way_back": SetsNothing(),
    "a_new_interpreter_predicts_the_same_bits": MovesWhenPickled(),
    "a_pickle_holds_what_was_fitted": MovesWhenPickled(),
    "a_pickle_of_what_is_not_fitted_fits_the_same": Drifts(),
    "html_is_balanced_and_shows_every_parameter": HidesAlpha(),
    "html_of_a_pipeline_holds_the_learner": DrawsAsAnother(),
    "html_escapes_what_stands_in_a_parameter": DoesNotEscape(),
    "text_is_the_call_that_makes_it": Curt(alpha=2.0),
    "names_of_columns_are_kept": Nameless(),
    "other_columns_are_refused_by_name": Nameless(),
    "a_table_without_names_after_one_with_names_is_said": Nameless(),
    "names_out_are_as_many_as_columns_out": NamesOneMore(),
    "frames_out_hold_the_same_numbers": NoFrames(),
    "set_output_outlives_clone_pickle_and_pipeline": SetsNoOutput(),
    "predictions_stay_arrays": PredictsSeries(),
    "a_pipeline_hands_on_weights_that_were_asked_for": WeighsNothing(),
    "a_search_hands_on_weights_that_were_asked_for": ScoresByItself(),
    "requests_outlive_clones_and_pickles": DropsTheRequests(),
    "a_frame_fits_as_its_numbers": SortsByIndex(),
    "columns_of_every_numeric_dtype_are_taken": ReadsWholeNumbersAsHalf(),
    "missing_values_and_words_are_refused_with_the_cause": FillsHoles(),
    "labels_of_every_kind_are_given_back": ReadsCategoriesAsCodes(),
    "targets_of_every_numeric_dtype_are_taken": RoundsTargets(),
    "the_kind_of_estimator_is_said": NotAPredictor(),
    "sparse_rows_are_taken_where_it_says_so": lies(th.Ridge, negate("input_tags", "sparse")),
    "nan_is_refused_where_it_says_so": lies(th.Ridge, negate("input_tags", "allow_nan")),
    "a_target_is_asked_for_where_it_says_so": lies(th.Ridge, negate("target_tags", "required")),
    "several_targets_are_taken_where_it_says_so": lies(th.Ridge, negate("target_tags", "multi_output")),
    "three_classes_are_taken_where_it_says_so": lies(th.SVC, negate("classifier_tags", "multi_class")),
    "a_negative_target_is_refused_where_it_says_so": lies(th.Ridge, negate("target_tags", "positive_only")),
    "the_dtype_is_kept_where_it_says_so": lies(th.PCA, forget),
    "nothing_is_said_before_a_fit": Early(),
    "rows_of_a_kernel_are_asked_for_where_it_says_so": TakesAnyKernel(),
    "a_pipeline_is_its_steps": Drifts(),
    "cross_validation_is_a_fit_a_fold": Drifts(),
    "a_search_finds_what_it_fits": Drifts(),
    "a_halving_search_ends": SaysNaN(),
    "a_learning_curve_has_every_size": SaysNaN(),
    "a_bag_votes": GuessesNearby(),
    "a_stack_and_a_vote_hold_it": Drifts(alpha=0.5),
    "importance_is_found_by_permutation": SaysNaN(),
    "columns_are_chosen_by_slopes": TurnsSlopes(),
    "it_is_calibrated": SaysNo(),
    "a_threshold_is_tuned": SaysOther(),
    "many_classes_are_made_of_two": SaysNo(),
    "many_targets_are_made_of_one": Drifts(),
    "a_target_is_transformed": Drifts(),
    "columns_are_joined": DriftsAsComponents(),
    "outliers_are_told_as_one_and_minus_one": TellsTruthValues(),
    "a_fit_goes_on_batch_by_batch": TakesAnyClass(),
}


def sound(broken):
    """Return the learner that a broken one is made of."""
    made = next(each for each in type(broken).__mro__ if each.__module__.startswith("thetahat."))
    return made(**broken.get_params())


@pytest.mark.parametrize("check", BROKEN)
def test_a_broken_promise_is_counted(check):
    assert judge(Case(sound(BROKEN[check]), check)).kind == "held"
    found = judge(Case(BROKEN[check], check))
    assert found.fault, found


def test_html_that_is_not_ended_is_counted():
    assert "not ended" in judge(Case(Unended(), "html_is_balanced_and_shows_every_parameter")).words


def test_requests_that_are_not_loaded_are_counted(monkeypatch):
    monkeypatch.setattr(stored, "_ask", lambda model, requests: None)
    assert judge(Case(th.Ridge(), "requests_outlive_saving")).kind == "false success"


def test_every_promise_is_broken_once():
    assert set(BROKEN) | {"requests_outlive_saving"} == set(PROMISES)


def case(learner, check):
    return next(each for each in pairs([learner]) if each.check.startswith(check))


def test_scikit_learns_checks_count_and_an_expected_failure_has_to_fail():
    reason = {"check_fit_idempotent": "it drifts"}
    assert judge(case(Learner(th.Ridge()), "check_fit_idempotent")).kind == "held"
    assert judge(case(Learner(Drifts()), "check_fit_idempotent")).kind == "false success"
    assert judge(case(Learner(Drifts(), reason), "check_fit_idempotent")).kind == "failed as expected"
    passes = judge(case(Learner(th.Ridge(), reason), "check_fit_idempotent"))
    assert passes.kind == "false success"
    assert "listed to fail" in passes.words


def test_an_error_that_was_not_asked_for_is_a_crash():
    assert judge(Case(NoFrames(), "frames_out_hold_the_same_numbers")).kind == "crash"


def test_the_item_counts_what_is_broken():
    record = run(25, np.random.default_rng(0), [Learner(DropsTheSettings()), Learner(th.Ridge())])
    assert record.cases == 25
    assert record.dishonest >= 1
    assert not record.crashes
    assert all("DropsTheSettings" in each for each in record.findings)
    assert "a_clone_has_every_parameter" in "".join(record.findings)
