"""Settings and predictions that could mislead a comparison without an error."""

import numpy as np
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold

import thetahat as th
from thetahat.errors import UsageError


def numbers(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pl.DataFrame({"x": x, "y": x + rng.normal(size=n)})


def classes(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pl.DataFrame({"x": x, "y": np.where(x + rng.normal(size=n) > 0, "b", "a")})


def quick(table, **options):
    return th.compare(
        table, "y", options.pop("models", []), **{"resampling": "cv:3", "tune": "none"} | options
    )


class NotANumber(DummyClassifier):
    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def test_a_probability_that_is_no_number_is_not_a_result():
    result = quick(classes(), models=[("nan", NotANumber())], metric="auc")
    status = {m.name: m.status for m in result.record.models}["nan"]
    assert "a predicted probability is not a finite number" in status


def test_predictions_name_the_rows_of_the_table_as_it_was_given():
    table = numbers()
    result = quick(table, max_rows=20)
    held = result.predictions()
    assert held["y"].to_list() == table["y"].gather(held["row"]).to_list()
    more = numbers(8, seed=1)
    held = quick(table, max_rows=20, test=more, resampling="auto").predictions()
    assert sorted(set(held["row"])) == list(range(60, 68))
    both = pl.concat([table, more])
    assert held["y"].to_list() == both["y"].gather(held["row"]).to_list()
    split = table.with_columns(split=pl.Series(["test"] * 20 + ["train"] * 40))
    held = quick(split, max_rows=30, split="split", resampling="auto").predictions()
    assert set(held["row"]) < set(range(20))
    assert held["y"].to_list() == table["y"].gather(held["row"]).to_list()


def test_a_split_counts_the_rows_that_are_used():
    table = numbers().with_columns(
        x=pl.when(pl.int_range(60) < 5).then(None).otherwise(pl.col("x")),
        split=pl.Series(["test"] * 20 + ["train"] * 40),
    )
    result = quick(table, split="split", resampling="auto", missing="drop")
    assert "15 of 55 rows held out" in result.record.plan.sentence


def test_only_splitters_and_index_arrays_are_splits_of_your_own():
    from thetahat.resampling.plans import KFold as OurFolds

    for asked in (3, None, OurFolds(3)):
        assert not quick(numbers(), resampling=asked).record.plan.own
    assert quick(numbers(), resampling=KFold(3)).record.plan.own


@pytest.mark.parametrize("metric", ["mcc", "f1", "f1-macro", "f1-weighted", "balanced-accuracy", "kappa"])
def test_measures_of_the_confusion_matrix_have_no_value_on_one_class(metric):
    from thetahat.contracts import Prediction
    from thetahat.measures.measure import Target, Undefined
    from thetahat.measures.registry import choose_measure

    measure = choose_measure(metric, Target("classification", ("a", "b")))
    for code in (0, 1):
        with pytest.raises(Undefined, match=f"{metric} has no value where all held-out .* use fewer folds"):
            measure.value(np.full(3, code), Prediction(np.array([0, 1, 0])))


def test_leave_one_out_refuses_mcc_and_shows_no_balanced_accuracy():
    table = classes(16)
    with pytest.raises(UsageError, match="mcc has no value .* so that each held-out part has both classes"):
        quick(table, metric="mcc", resampling="loo")
    shown = quick(table, resampling="loo").record.models[0].scores
    assert shown["accuracy"] is not None
    assert shown["balanced accuracy"] is None
    assert shown["F1"] is None


def of(**options):
    from thetahat.comparison.checkpoint import fingerprint
    from thetahat.comparison.options import Settings

    return fingerprint("data", "y", Settings.of(options), {})


def edited(body, name="f"):
    space = {"np": np}
    exec(f"def {name}(y, prediction, times=2):\n    return {body}", space)
    return space[name]


def test_a_checkpoint_tells_the_order_of_measures_and_not_of_a_set():
    assert of(metric=["r2", "mape"]) != of(metric=["mape", "r2"])
    assert of(drop={"a", "b", "c"}) == of(drop={"c", "b", "a"})
    assert of(tune=["a", "b"]) != of(tune=["b", "a"])


def test_a_checkpoint_tells_an_edited_function():
    def bound(scale):
        return lambda y, prediction: scale * (y - prediction.value)

    def changed(function, value):
        function.__defaults__ = (value,)
        return function

    for wrap in (lambda f: f, lambda f: [f, "r2"], th.Measure.of_set, lambda f: ("mine", f)):
        one, same, other = (wrap(edited(b)) for b in ("1 * times", "1 * times", "3 * times"))
        assert of(metric=one) == of(metric=same) != of(metric=other)
    assert of(metric=bound(1)) == of(metric=bound(1)) != of(metric=bound(2))
    assert of(metric=edited("times")) != of(metric=changed(edited("times"), 3))
    nested = "[(lambda: {})() for _ in y]"
    assert of(metric=edited(nested.format(1))) != of(metric=edited(nested.format(2)))
