"""Settings and predictions that could mislead a comparison without an error."""

import numpy as np
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold, PredefinedSplit

import thetahat as th
from thetahat.errors import DataError, UsageError


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
        table, "y", options.pop("models", ["dummy"]), **{"resampling": "cv:3", "tune": "none"} | options
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
    assert shown["accuracy"].estimate is not None
    assert shown["balanced accuracy"].estimate is None
    assert shown["F1"].estimate is None


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


def test_an_array_of_measures_is_a_list_and_a_set_is_refused():
    table = numbers(30)
    result = quick(table, metric=np.array(["r2", "absolute-error"]))
    assert [result.record.metric.name, *(m.metric.name for m in result.record.measures)] == [
        "r2",
        "absolute-error",
    ]
    for wrong in ({"r2", "mape"}, {"r2": 1}):
        with pytest.raises(UsageError, match="^metric: a (set|dict) has no order"):
            quick(table, metric=wrong)


def test_a_measure_is_found_by_every_name_that_it_was_asked_for():
    from thetahat.measures.registry import canonical

    assert canonical("neg_max_error") == "neg-max-error"
    assert canonical("pinball:0.90") == canonical("pinball:.9") == canonical("quantile:0.9") == "pinball:0.9"
    assert canonical("kappa:quadratic") == "kappa"
    assert canonical("roc_auc_ovr_weighted") == "auc:weighted"
    result = quick(numbers(30), metric="auto,neg_max_error,pinball:.9")
    for name in ("auto", "mse", "neg_max_error", "neg-max-error", "pinball:0.90", "pinball:.9"):
        assert result.table(name) is not None
    with pytest.raises(
        UsageError, match="^metric: the name of a measure is expected, not 5; .* squared-error"
    ):
        result.table(5)


def test_draws_that_train_on_later_rows_are_told():
    table = numbers(30).with_columns(t=pl.int_range(30), fold=pl.int_range(30) % 2)
    own = {"time": "t", "resampling": "auto"}
    for options in (
        own | {"fold": "fold"},
        own | {"resampling": KFold(2, shuffle=True, random_state=0)},
        own | {"split": "fold"},
        own | {"test": table},
    ):
        codes = [
            (w.code, w.place) for w in quick(table, **options).record.warnings if "later than" in w.cause
        ]
        assert codes[0][0] == "TH112"
        assert codes[0][1].startswith("split 1 of ")
    past = [(np.arange(20), np.arange(20, 30))]
    warned = quick(table, time="t", resampling=past).record.warnings
    assert not [w for w in warned if "later than" in w.cause]


def test_a_split_takes_zero_and_one_of_any_numeric_type_alone():
    table = numbers(30)
    for dtype in (pl.Float32, pl.Float64, pl.Int8, pl.UInt64, pl.Boolean, pl.String):
        split = table.with_columns(s=(pl.int_range(30) % 3 == 0).cast(pl.Int8).cast(dtype))
        assert quick(split, split="s", resampling="auto").record.plan.mean_test_rows == 10
    for wrong in (0.7, 1.9):
        split = table.with_columns(
            s=pl.when(pl.int_range(30) == 3).then(wrong).otherwise(pl.int_range(30) % 2)
        )
        with pytest.raises(DataError, match=rf"{wrong}.* says neither train nor test"):
            quick(split, split="s", resampling="auto")


def test_a_scorer_of_a_loss_says_that_it_is_negated():
    from sklearn.metrics import get_scorer, make_scorer, max_error

    result = quick(classes(30), metric=[get_scorer("neg_log_loss"), "log-loss", get_scorer("f1")])
    first = result.record.metric
    assert (first.name, first.shown_as) == ("neg_log_loss", "negative log_loss")
    values = [
        result.table(name)[shown][0]
        for name, shown in (("neg_log_loss", first.shown_as), ("log", "log-loss"))
    ]
    assert values[0] == pytest.approx(-values[1])
    assert result.record.task.positive == "b"
    result = quick(numbers(30), metric=make_scorer(max_error, greater_is_better=False))
    assert result.record.metric.shown_as == "negative max_error"


def test_messages_of_measures_do_not_number_rows_of_a_part_as_those_of_the_table():
    table = numbers(30)
    with pytest.raises(
        (UsageError, DataError), match="mape needs targets that are not 0.* one held-out row has 0;"
    ):
        quick(
            table.with_columns(y=pl.when(pl.int_range(30) == 20).then(0.0).otherwise(pl.col("y"))),
            metric="mape",
        )


def test_a_splitter_that_names_rows_left_out_is_refused_with_the_cause():
    table = numbers(40).with_columns(x=pl.when(pl.int_range(40) < 25).then(None).otherwise(pl.col("x")))
    folds = PredefinedSplit(np.arange(40) % 2)
    with pytest.raises(
        UsageError, match=r"25 rows were left out \(missing=drop\); give the splits .* index arrays"
    ):
        quick(table, resampling=folds, missing="drop")
    with pytest.raises(UsageError, match=r"10 rows were left out \(max_rows\); leave max_rows out"):
        quick(numbers(40), resampling=folds, max_rows=30)
    assert quick(numbers(40), resampling=folds).record.plan.own


def test_costs_of_a_regression_are_refused_by_name():
    with pytest.raises(UsageError, match="^cost: the target is numbers, so there are no classes"):
        quick(numbers(30), cost=np.eye(2))


def test_a_category_of_the_data_and_a_number_of_the_test_table_are_told_apart():
    table = numbers(30).with_columns(k=(pl.int_range(30) % 3).cast(pl.String).cast(pl.Categorical))
    test = table.with_columns(k=pl.int_range(30) % 3)
    with pytest.raises(
        DataError, match="it holds text or categories in the data and numbers in the test table"
    ):
        quick(table, test=test, resampling="auto")


@pytest.mark.parametrize(
    ("solver", "count", "sparse"),
    [
        ("full", 0.7, False),
        ("full", "mle", False),
        ("covariance_eigh", 2, False),
        ("covariance_eigh", 0.7, True),
        ("arpack", 2, False),
        ("arpack", 2, True),
        ("randomized", 2, False),
    ],
)
def test_components_before_a_learner_count_a_row_of_weight_two_as_two_rows(solver, count, sparse):
    from scipy.sparse import csr_matrix

    from thetahat.contracts import Draw, Sample

    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) * [5, 4, 3, 2, 1] + [0, 1, 1e5, 0, 0]
    y, weight = X[:, 0] + rng.normal(size=60), rng.integers(1, 4, 60)
    before = th.PCA(count, whiten=True, svd_solver=solver, random_state=0).before(
        th.LinearRegression().point_estimator(None)
    )
    found = []
    for rows, w in ((np.arange(60), weight.astype(float)), (np.repeat(np.arange(60), weight), None)):
        sample = Sample(csr_matrix(X[rows]) if sparse else X[rows], y[rows], w)
        draw = Draw(np.arange(len(rows)), np.arange(1))
        fits = [before.estimate(sample, rng=rng), *before.prepare(sample).solve([draw])]
        found += [np.append(before.predict(fit.theta, X).value, fit.theta.components._scale) for fit in fits]
    plain = before.estimate(Sample(X, y), rng=rng)
    for each in found[1:]:
        assert each == pytest.approx(found[0], rel=1e-10, abs=1e-10)
    assert before.predict(plain.theta, X).value != pytest.approx(found[0][:60], rel=1e-4)


def test_several_measures_of_the_command_line_are_all_taken(tmp_path):
    from click.testing import CliRunner

    from thetahat.cli import main

    table, saved = tmp_path / "t.csv", tmp_path / "r.json"
    numbers(30).write_csv(table)
    asked = ["-s", "r2", "-s", "mape,absolute-error", "-m", "dummy", "--resampling", "cv:3", "--tune", "none"]
    words = ["compare", str(table), "--target", "y", *asked, "--json", str(saved), "-q"]
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 0, ran.output
    result = th.Comparison.read(saved).record
    assert result.metric.name == "r2"
    assert [m.metric.name for m in result.measures] == ["mape", "absolute-error"]
    assert "--metric r2,mape,absolute-error" in result.provenance.command
    listed = quick(numbers(30), metric=["r2", "mape"]).record.provenance.command
    assert "--metric r2 --metric mape" in listed
    assert "--metric" not in quick(numbers(30)).record.provenance.command


def test_rows_needed_says_why_there_is_no_curve():
    split = [(np.arange(20), np.arange(20, 30))]
    for resampling, said in (
        ("holdout:0.3", "learning curves need at least 3 draws, and there is one"),
        (split, "learning curves need at least 3 draws, and there is one"),
        ("cv:2", "learning curves need at least 3 draws, and there are 2"),
        ("cv:3", "learning curves need at least 80 training rows in each draw, and there are 20"),
    ):
        notices = quick(numbers(30), resampling=resampling, rows_needed=True).record.warnings
        assert [w.cause for w in notices if w.place == "rows_needed"] == [said]
    assert not [w for w in quick(numbers(30)).record.warnings if w.place == "rows_needed"]


def test_one_held_out_row_is_one_row():
    from thetahat.report.phrases import rows_sentence

    split = [(np.arange(29), np.array([29]))]
    with pytest.raises(UsageError, match="metric: r2"):
        quick(numbers(30), resampling=split, metric="r2")
    assert rows_sentence(quick(numbers(30), resampling=split).record) == "n = 1 held-out row of 30"


def test_each_part_of_a_prediction_is_checked_and_a_score_may_be_minus_infinity():
    from thetahat.comparison.outcomes import _not_finite
    from thetahat.contracts import Prediction

    two = np.array([[0.0, -np.inf], [1.0, 2.0]])
    value = np.zeros(2)
    assert _not_finite(Prediction(value, score=two)) == ""
    assert "score is not a number" in _not_finite(Prediction(value, score=np.full((2, 2), np.nan)))
    assert "probability is not" in _not_finite(Prediction(value, probability=two))
    assert "quantile is not" in _not_finite(Prediction(value, quantile={0.5: two[:, 1]}))
    assert "a prediction is not" in _not_finite(Prediction(two[0]))
