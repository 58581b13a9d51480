"""Names of measures, what is refused and how it is said, own functions, scorers and costs."""

import pickle
import re
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import metrics as peer

import thetahat as th
from thetahat.comparison.costs import read_costs
from thetahat.contracts import Prediction
from thetahat.errors import UsageError
from thetahat.measures.measure import MissingPrediction, Target, Undefined
from thetahat.measures.registry import MEASURES, choose_measure, choose_measures
from thetahat.measures.shown import SHOWN, shown_beside

TWO = Target("classification", ("no", "yes"), costs=np.array([[0.0, 1.0], [4.0, 0.0]]))
THREE = Target("classification", ("a", "b", "c"))
NUMBERS = Target("regression")


def two_classes(n=40, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    p = np.clip(0.3 + 0.3 * y + 0.3 * rng.normal(size=n), 0.01, 0.99).round(2)
    return y, Prediction((p > 0.5).astype(int), np.column_stack([1 - p, p]))


def numbers(n=40, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.gamma(3.0, size=n)
    return y, Prediction(y + rng.normal(size=n))


@pytest.mark.parametrize(
    ("asked", "target", "name"),
    [
        ("AUTO", TWO, "error"),
        ("auto", NUMBERS, "squared-error"),
        ("accuracy", TWO, "error"),
        ("roc_auc", TWO, "auc"),
        ("ROC_AUC_OVR", THREE, "auc"),
        ("roc_auc_ovr_weighted", THREE, "auc:weighted"),
        ("auc:weighted", THREE, "auc:weighted"),
        ("ap", TWO, "average-precision"),
        ("neg_brier_score", TWO, "brier"),
        ("quadratic_weighted_kappa", THREE, "kappa"),
        ("cohen_kappa", THREE, "kappa:unweighted"),
        ("matthews_corrcoef", TWO, "mcc"),
        ("neg_mean_squared_error", NUMBERS, "squared-error"),
        ("neg_mean_absolute_percentage_error", NUMBERS, "mape"),
        ("neg_mean_poisson_deviance", NUMBERS, "poisson-deviance"),
        ("rmsle", NUMBERS, "squared-log-error"),
        ("pinball:.90", NUMBERS, "pinball:0.9"),
        ("jaccard", TWO, "jaccard"),
    ],
)
def test_other_names_are_those_of_the_measure(asked, target, name):
    assert choose_measure(asked, target).name == name


@pytest.mark.parametrize(
    ("asked", "target", "said"),
    [
        ("acu", TWO, r"there is no 'acu' \(did you mean auc\?\); choose one of auto, error"),
        ("r2", TWO, "r2 is for a regression, and this is a classification"),
        ("explained-variance", TWO, "explained-variance is for a regression"),
        ("jaccard", NUMBERS, "jaccard is for a classification"),
        ("f1", THREE, "f1 is for two classes, and there are 3; use f1-macro or f1-weighted"),
        ("cost", THREE, "give it with --cost FILE"),
        ("error:x", TWO, "error takes no argument"),
        ("auc:macro", TWO, "use auc or auc:weighted"),
        ("kappa:cubic", TWO, "use kappa"),
        ("pinball", NUMBERS, "pinball needs a level; .* pinball:0.9"),
        ("pinball:1", NUMBERS, "not between 0 and 1"),
        ("pinball:nan", NUMBERS, "not between 0 and 1"),
        ("pinball:high", NUMBERS, "not a number"),
        (3, NUMBERS, "metric: 3 is no measure; give a name"),
        (peer.f1_score, TWO, r"give make_scorer\(f1_score"),
        ("no_such_module:f", TWO, "no_such_module of .* cannot be imported"),
        ("math:no_such", TWO, "math has no no_such"),
        ("math:pi", TWO, "is no measure"),
        (":f", TWO, "type package.module:function"),
    ],
)
def test_what_is_no_measure_is_refused_with_a_cure(asked, target, said):
    with pytest.raises(UsageError, match=said):
        choose_measure(asked, target)


def test_several_measures_from_one_text_or_a_list():
    own = th.Measure.of_rows(lambda y, p: y == p.value, "right")
    assert [m.name for m in choose_measures("auc, f1", TWO)] == ["auc", "f1"]
    assert [m.name for m in choose_measures(["auc", own], TWO)] == ["auc", "right"]
    assert [m.name for m in choose_measures(own, TWO)] == ["right"]
    with pytest.raises(UsageError, match="auc was given more than once"):
        choose_measures("auc,roc-auc", TWO)
    for nothing in ([], "", " , "):
        with pytest.raises(UsageError, match="no measure was given"):
            choose_measures(nothing, TWO)


def test_every_measure_can_be_sent_to_another_process():
    for entry in MEASURES.values():
        target = TWO if entry.task == "classification" else NUMBERS
        y, prediction = two_classes() if target is TWO else numbers()
        prediction = Prediction(np.abs(prediction.value) + 0.1) if target is NUMBERS else prediction
        measure = choose_measure("pinball:0.5" if entry.name == "pinball" else entry.name, target)
        again = pickle.loads(pickle.dumps(measure))
        assert again.value(y, prediction) == measure.value(y, prediction)
    scorer = pickle.loads(pickle.dumps(choose_measure("jaccard", TWO)))
    y, prediction = two_classes()
    assert scorer.value(y, prediction) == peer.jaccard_score(y, prediction.value)


ONE_CLASS = Prediction(np.array([1, 1, 0]), np.full((3, 2), 0.5))


@pytest.mark.parametrize(
    ("asked", "target", "y", "prediction", "said"),
    [
        ("auc", TWO, [1, 1, 1], ONE_CLASS, "use fewer folds.*both classes; leave-one-out cannot have an AUC"),
        ("average-precision", TWO, [1, 1, 1], ONE_CLASS, "use fewer folds, or cv:K"),
        (
            "auc",
            THREE,
            [0, 0, 1],
            Prediction(np.zeros(3), np.full((3, 3), 1 / 3)),
            "class 'c' has no held-out",
        ),
        (
            "kappa",
            TWO,
            [1, 1],
            Prediction(np.array([1, 1])),
            "kappa has no value where all held-out rows are of one class",
        ),
        ("r2", NUMBERS, [1.0], Prediction(np.array([1.0])), "fewer than two rows"),
        ("r2", NUMBERS, [1.0, 1.0], Prediction(np.array([1.0, 2.0])), "constant"),
        (
            "mape",
            NUMBERS,
            [1.0, 0.0],
            Prediction(np.ones(2)),
            "one held-out row has 0; choose absolute-error",
        ),
        (
            "poisson-deviance",
            NUMBERS,
            [1.0, -2.0],
            Prediction(np.ones(2)),
            "targets of at least 0, and one held-out row has -2",
        ),
        (
            "poisson-deviance",
            NUMBERS,
            [1.0, 0.0],
            Prediction(np.zeros(2)),
            "predictions above 0, and 2 held-out rows have others, the first 0;",
        ),
        ("gamma-deviance", NUMBERS, [0.0, 1.0], Prediction(np.ones(2)), "targets above 0"),
        ("gamma-deviance", NUMBERS, [1.0, 1.0], Prediction(-np.ones(2)), "predictions above 0"),
        ("squared-log-error", NUMBERS, [-1.0, 1.0], Prediction(np.ones(2)), "targets above -1"),
        ("squared-log-error", NUMBERS, [1.0, 1.0], Prediction(-np.ones(2)), "predictions above -1"),
    ],
)
def test_undefined_names_cause_and_cure(asked, target, y, prediction, said):
    measure = choose_measure(asked, target)
    with pytest.raises(Undefined, match=said):
        measure.of(np.array(y), prediction)


def test_mcc_of_constant_predictions_is_zero_as_in_scikit_learn():
    found = choose_measure("mcc", TWO).of(np.array([0, 1, 1]), Prediction(np.array([1, 1, 1])))
    assert found.value == 0.0
    assert not found.influence.any()


def test_f1_is_zero_where_the_positive_class_is_never_predicted():
    y, prediction = np.array([0, 1, 0]), Prediction(np.array([0, 0, 0]))
    assert choose_measure("f1", TWO).of(y, prediction).value == 0.0
    assert choose_measure("f1-macro", TWO).value(y, prediction) == pytest.approx(0.4)
    assert choose_measure("mcc", TWO).value(y, prediction) == 0.0


@pytest.mark.parametrize("asked", ["auc", "average-precision", "brier", "log-loss"])
def test_missing_probabilities_name_the_measure_and_the_cure(asked):
    with pytest.raises(MissingPrediction, match=f"{asked} needs; wrap it in CalibratedClassifierCV"):
        choose_measure(asked, TWO).of(np.array([0, 1]), Prediction(np.array([0, 1])))


def test_auc_uses_scores_where_there_are_no_probabilities():
    y, prediction = two_classes()
    p = prediction.probability[:, 1]
    scored = Prediction(prediction.value, score=np.column_stack([-p, p]))
    measure = choose_measure("auc", TWO)
    assert measure.value(y, scored) == measure.value(y, prediction) == peer.roc_auc_score(y, p)


def test_value_stands_in_for_a_quantile_and_says_so():
    y, prediction = numbers()
    measure = choose_measure("pinball:0.9", NUMBERS)
    assert measure.stands_in(prediction) == "judged by its predicted value, for it gives no .9 quantile"
    given = Prediction(prediction.value, quantile={0.1 + 0.8: prediction.value + 1})
    assert measure.stands_in(given) == ""
    assert measure.value(y, given) == pytest.approx(
        peer.mean_pinball_loss(y, prediction.value + 1, alpha=0.9), rel=1e-13
    )


def test_value_on_a_bound_has_the_clipped_interval():
    measure = choose_measure("auc", TWO)
    assert measure.interval(1.0, 0.1, 2.0) == (0.8, 1.0)
    assert measure.interval(1.0, 0.0, 2.0) == (1.0, 1.0)
    low, high = choose_measure("r2", NUMBERS).interval(-5.0, 1e6, 2.0)
    assert low == -np.inf
    assert high == pytest.approx(1.0)


@pytest.mark.parametrize("skewness", [-0.4, 1e-7, 0.3])
def test_ends_of_a_skewed_mean_solve_halls_equation(skewness):
    low, high = choose_measure("log-loss", TWO).interval(1.0, 0.1, 1.96, skewness)
    a = skewness / 3
    for end, quantile in ((low, 1.96), (high, -1.96)):
        t = (1.0 - end) / 0.1
        assert t + a * t**2 + a**2 * t**3 / 3 + skewness / 6 == pytest.approx(quantile, abs=1e-8)


def test_the_logit_is_of_the_way_between_the_bounds():
    y, value = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0])
    cost = choose_measure(
        "cost", Target("classification", ("a", "b"), costs=np.array([[1.0, 2.0], [5.0, 1.0]]))
    )
    mean = cost.value(y, Prediction(value))
    ends = choose_measure("error", TWO).interval((mean - 1) / 4, 0.2 / 4, 2.0)
    assert cost.interval(mean, 0.2, 2.0) == pytest.approx([1 + 4 * end for end in ends], rel=1e-12)


def test_shown_measures_in_their_order():
    assert [label for label, _ in SHOWN["classification"]] == [
        "accuracy",
        "balanced accuracy",
        "F1",
        "AUC",
        "log-loss",
    ]
    assert [label for label, _ in SHOWN["regression"]] == ["R²", "MAE", "RMSE"]
    assert dict(shown_beside(TWO))["F1"].name == "f1"
    assert dict(shown_beside(THREE))["F1"].name == "f1-macro"
    accuracy = dict(shown_beside(TWO))["accuracy"]
    y, prediction = two_classes()
    assert accuracy.higher_is_better
    assert accuracy.value(y, prediction) == peer.accuracy_score(y, prediction.value)


# Measures of your own


def test_own_function_receives_labels_and_weights():
    y, prediction = two_classes()
    w = np.linspace(1, 2, len(y))

    def right(y, prediction, weight):
        assert set(y) <= {"no", "yes"}
        assert prediction.probability.shape == (len(y), 2)
        return np.average(prediction.value == y, weights=weight)

    measure = th.Measure.of_set(right, higher_is_better=True).bound(TWO)
    assert (measure.name, measure.shown_as, measure.sign) == ("right", "right", -1.0)
    assert measure.of(y, prediction, w).value == pytest.approx(
        peer.accuracy_score(y, prediction.value, sample_weight=w)
    )
    assert measure.value(y, prediction) == peer.accuracy_score(y, prediction.value)
    assert "jackknife" in measure.notice


def test_own_rows_are_a_weighted_mean():
    y, prediction = numbers()
    w = np.linspace(1, 2, len(y))
    own = th.Measure.of_rows(lambda y, p: (y - p.value) ** 2, "mine", bounds=(0, np.inf)).bound(NUMBERS)
    found, wanted = own.of(y, prediction, w), choose_measure("mse", NUMBERS).of(y, prediction, w)
    assert found.value == wanted.value
    np.testing.assert_array_equal(found.influence, wanted.influence)
    assert own.notice == ""


def test_plain_function_is_of_rows_or_of_the_set_by_what_it_returns():
    y, prediction = two_classes()
    by_row = choose_measure(lambda y, p: y != p.value, TWO)
    of_all = choose_measure(lambda y, p: np.mean(y != p.value), TWO)
    assert by_row.losses is not None
    assert of_all.whole is not None
    found, wanted = by_row.of(y, prediction), of_all.of(y, prediction)
    assert found.value == wanted.value
    np.testing.assert_allclose(found.influence, wanted.influence, atol=1e-12)
    assert by_row.name == "measure"


def test_plain_function_that_the_trial_rows_do_not_suit_is_of_the_set():
    y, prediction = two_classes()

    def of_forty(y, prediction):
        if len(y) < 39:
            raise KeyError("no such rows")
        return float(np.mean(y == prediction.value))

    measure = choose_measure(of_forty, TWO)
    assert measure.of(y, prediction).value == peer.accuracy_score(y, prediction.value)


@pytest.mark.parametrize(
    ("make", "returns", "said"),
    [
        (th.Measure.of_rows, 1.0, r"f is a measure of rows .* shape \(40,\).* not 1.0; use Measure.of_set"),
        (th.Measure.of_rows, np.ones(3), r"not an array of shape \(3,\)"),
        (th.Measure.of_rows, np.full(40, "x"), "not an array of <U1"),
        (th.Measure.of_rows, [[1], [1, 2]], "not list"),
        (th.Measure.of_set, np.ones(40), r"f is a measure of a set .* shape \(40,\); use Measure.of_rows"),
        (th.Measure.of_set, "0.5", "must return one number, not '0.5'"),
        (th.Measure.of_set, None, "not None"),
    ],
)
def test_own_function_that_returns_something_else_is_named(make, returns, said):
    with pytest.raises(UsageError, match=said):
        make(lambda y, p: returns, "f").bound(NUMBERS).of(*numbers())


@pytest.mark.parametrize("make", [th.Measure.of_rows, th.Measure.of_set])
def test_exception_in_an_own_function_names_it(make):
    def broken(y, prediction):
        return y.no_such_attribute

    with pytest.raises(UsageError, match="broken raised AttributeError") as raised:
        make(broken).bound(NUMBERS).of(*numbers())
    assert isinstance(raised.value.__cause__, AttributeError)


def test_own_functions_are_refused_early():
    with pytest.raises(UsageError, match="takes no weights.* parameter called weight"):
        th.Measure.of_set(lambda y, p: 0.0, "f").bound(NUMBERS).of(*numbers(), np.ones(40))
    with pytest.raises(UsageError, match="requires weight"):
        th.Measure.of_rows(lambda y, p, weight: y, "f")
    with pytest.raises(UsageError, match="function of .* is expected, not 3"):
        th.Measure.of_set(3)
    with pytest.raises(UsageError, match="name is a text"):
        th.Measure.of_set(np.mean, "")
    with pytest.raises(UsageError, match="not bound to a target"):
        th.Measure.of_set(lambda y, p: 0.0, "f").of(*numbers())
    with pytest.raises(UsageError, match="f is for a regression, and this is a classification"):
        choose_measure(th.Measure.of_set(lambda y, p: 0.0, "f", task="regression"), TWO)


def test_own_function_without_a_value_is_undefined():
    y, prediction = numbers()
    with pytest.raises(Undefined, match="f is nan on these rows"):
        th.Measure.of_set(lambda y, p: np.nan, "f").bound(NUMBERS).value(y, prediction)
    with pytest.raises(Undefined, match="f is nan in held-out row 1 of this part"):
        th.Measure.of_rows(lambda y, p: y * np.nan, "f").bound(NUMBERS).of(y, prediction)

    def only_with_all(y, prediction):
        if len(y) < 40:
            raise ValueError("too few")
        return 1.0

    measure = th.Measure.of_set(only_with_all).bound(NUMBERS)
    assert measure.value(y, prediction) == 1.0
    with pytest.raises(Undefined, match=r"without row 0 it has no value \(too few\); use fewer folds"):
        measure.of(y, prediction)


def test_function_from_a_module_in_the_current_directory(tmp_path, monkeypatch):
    (tmp_path / "own_measures_of_a_test.py").write_text(
        "def Largest(y, prediction):\n    return abs(y - prediction.value).max()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    measure = choose_measure("own_measures_of_a_test:Largest", NUMBERS)
    y, prediction = numbers()
    assert measure.name == "Largest"
    assert measure.value(y, prediction) == peer.max_error(y, prediction.value)


# scikit-learn's scorers


@pytest.mark.parametrize(
    ("scorer", "target", "peer_value"),
    [
        ("jaccard", TWO, lambda y, q: peer.jaccard_score(y, q.value)),
        (
            "precision",
            Target("classification", ("no", "yes"), positive=0),
            lambda y, q: peer.precision_score(y, q.value, pos_label=0),
        ),
        ("recall_macro", TWO, lambda y, q: peer.recall_score(y, q.value, average="macro")),
        (peer.make_scorer(peer.fbeta_score, beta=2), TWO, lambda y, q: peer.fbeta_score(y, q.value, beta=2)),
        ("roc_auc_ovo", TWO, lambda y, q: peer.roc_auc_score(y, q.probability[:, 1])),
        ("neg_negative_likelihood_ratio", TWO, lambda y, q: -peer.class_likelihood_ratios(y, q.value)[1]),
        (
            peer.make_scorer(peer.log_loss, greater_is_better=False, response_method="predict_proba"),
            TWO,
            lambda y, q: -peer.log_loss(y, q.probability),
        ),
    ],
    # Of a number of the case alone: functions and arrays have other names in other processes.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_scorers_of_classes(scorer, target, peer_value):
    y, prediction = two_classes()
    measure = choose_measure(scorer, target)
    found = measure.of(y, prediction)
    assert measure.higher_is_better
    assert found.value == pytest.approx(peer_value(y, prediction), rel=1e-13)
    assert measure.value(y, prediction) == found.value
    without = [
        peer_value(y[rows], prediction.take(rows))
        for rows in (np.flatnonzero(np.arange(40) != i) for i in range(40))
    ]
    np.testing.assert_allclose(found.influence, 39 * (np.mean(without) - without), atol=1e-11)


def test_scorer_of_scores_takes_the_decision_function():
    y, prediction = two_classes()
    p = prediction.probability[:, 1]
    scored = Prediction(prediction.value, score=np.column_stack([-p, p]))
    assert choose_measure("roc-auc-ovo", Target("classification", (0, 1))) is not None
    scorer = peer.make_scorer(peer.roc_auc_score, response_method=("decision_function", "predict_proba"))
    measure = choose_measure(scorer, TWO)
    assert measure.name == "roc_auc_score"
    assert measure.value(y, scored) == measure.value(y, prediction) == peer.roc_auc_score(y, p)
    with pytest.raises(MissingPrediction, match="decision_function or predict_proba, which roc_auc_score"):
        measure.of(y, Prediction(prediction.value))


def test_scorers_of_numbers_and_weights():
    y, prediction = numbers()
    w = np.linspace(1, 2, 40)
    measure = choose_measure("explained_variance", NUMBERS)
    assert measure.of(y, prediction, w).value == pytest.approx(
        peer.explained_variance_score(y, prediction.value, sample_weight=w)
    )
    with pytest.raises(UsageError, match="neg-max-error takes no weights"):
        choose_measure("neg_max_error", NUMBERS).of(y, prediction, w)


def test_scorer_that_raises_is_named():
    y = np.array([0, 1, 2, 0])
    with pytest.raises(UsageError, match="jaccard raised ValueError"):
        choose_measure("jaccard", THREE).of(y, Prediction(y))


# Costs


@pytest.fixture
def cost_file(tmp_path):
    def write(text):
        path = tmp_path / "costs.csv"
        path.write_text(text)
        return path

    return write


def test_costs_in_any_order_and_form(cost_file):
    wanted = np.array([[0.0, 1.0], [4.0, -0.5]])
    path = cost_file("true,yes,no\nyes,-0.5, 4\nno,1,0\n")
    np.testing.assert_array_equal(read_costs(path, ("no", "yes")), wanted)
    np.testing.assert_array_equal(read_costs(str(path), ("no", "yes")), wanted)
    np.testing.assert_array_equal(read_costs(wanted, ("no", "yes")), wanted)
    frame = pl.DataFrame({"true": ["yes", "no"], "yes": [-0.5, 1.0], "no": [4, 0]})
    np.testing.assert_array_equal(read_costs(frame, ("no", "yes")), wanted)
    np.testing.assert_array_equal(read_costs(frame.to_pandas(), ("no", "yes")), wanted)
    indexed = pd.DataFrame(wanted, index=[0, 1], columns=[0, 1])
    np.testing.assert_array_equal(read_costs(indexed, (0, 1)), wanted)
    np.testing.assert_array_equal(read_costs(cost_file(",0,1\n1,4,-0.5\n0,0,1\n"), (0, 1)), wanted)
    measure = choose_measure("cost", Target("classification", ("no", "yes"), costs=wanted))
    assert measure.bounds == (-0.5, 4.0)
    assert measure.value(np.array([0, 1, 1]), Prediction(np.array([1, 0, 1]))) == 4.5 / 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (",no,yes\nno,0,1\n", "rows (true classes) lack the class 'yes'"),
        (",no\nno,0\nyes,1\n", "columns (predicted classes) lack the class 'yes'"),
        (
            ",no,yes\nno,0,1\nyes,1,0\nmaybe,1,1\n",
            "name 'maybe', which is no class of the target; use no, yes",
        ),
        (",no,yes\nno,0,1\nno,1,0\nyes,1,0\n", "name 'no' more than once"),
        (",no,yes,no\nno,0,1,2\nyes,1,0,2\n", "columns (predicted classes) name 'no' more than once"),
        (",no,yes\nno,0,cheap\nyes,1,0\n", "row 'no', column 'yes' is 'cheap'; give a finite number"),
        (",no,yes\nno,0,\nyes,1,0\n", "row 'no', column 'yes' is empty"),
        (",no,yes\nno,0,-inf\nyes,1,0\n", "row 'no', column 'yes' is '-inf'"),
        ("", "cannot be read"),
    ],
)
def test_bad_costs_name_the_cell_and_the_cure(cost_file, text, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        read_costs(cost_file(text), ("no", "yes"))


def test_bad_cost_arrays_are_refused():
    with pytest.raises(UsageError, match=r"shape \(2, 2\) is expected, not \(2, 3\)"):
        read_costs(np.zeros((2, 3)), ("no", "yes"))
    with pytest.raises(UsageError, match="row 'yes', column 'no' is"):
        read_costs(np.array([[0, 1], [np.nan, 0]]), ("no", "yes"))
    with pytest.raises(UsageError, match="a path, a data frame or an array is expected, not int"):
        read_costs(3, ("no", "yes"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_costs("no-such-file.csv", ("no", "yes"))
