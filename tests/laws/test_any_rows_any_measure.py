"""A comparison on any rows, by any measure, with weights: what must hold whatever the learner."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import KFold as SklearnKFold
from sklearn.naive_bayes import GaussianNB

import thetahat as th
from thetahat.comparison.candidates import PanelWorkspace
from thetahat.contracts import Fit, Prediction
from thetahat.measures.registry import MEASURES
from thetahat.resampling.plans import KFold, Rows
from thetahat.results.comparison import decode, encode

DATA = Path(__file__).parents[1] / "data" / "measures"
DELONG, CV_AUC = (json.loads((DATA / f"{name}.json").read_text()) for name in ("delong", "cv_auc"))


def table(rows=120, seed=0, classes=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3)) * [1.0, 10.0, 0.1] + [0.0, 50.0, -3.0]
    f = X[:, 0] + 0.1 * (X[:, 1] - 50) + rng.normal(size=rows)
    y = np.array(list("abcd"))[np.searchsorted(np.quantile(f, np.arange(1, classes) / classes), f)]
    return pl.DataFrame({"u": X[:, 0], "v": X[:, 1], "w": X[:, 2], "y": y})


def numbers(rows=120, seed=0):
    frame = table(rows, seed)
    noise = np.random.default_rng(seed + 1).gamma(2.0, size=rows)
    return frame.with_columns(y=(0.2 * pl.col("u") + 1).exp() * pl.Series(noise) + 0.1)


@dataclass(frozen=True)
class Given:
    """Predicts a column of the table, which it is given as it is."""

    column: str

    def estimate(self, sample, *, rng):
        return Fit(self.column)

    def predict(self, theta, X, /):
        score = X[theta].to_numpy().astype(float)
        return Prediction((score > 0).astype(np.int64), score=np.column_stack([-score, score]))


def given(*columns):
    return [th.Model(Given(column), name=column, raw=True) for column in columns]


def told(result):
    """Return what a result says except times, and the words of its plan and of its table."""
    record = json.loads(encode(result.record))
    for model in record["models"]:
        del model["fit_seconds"]
    for name in ("data", "plan", "provenance"):
        del record[name]
    return record


def own_folds(frame, folds=5, seed=0):
    labels = frame["y"].rank("dense").to_numpy().astype(int) - 1 if frame["y"].dtype == pl.String else None
    rng = np.random.default_rng(seed).spawn(5)[0]
    return KFold(folds).draws(Rows(frame.height, labels), rng=rng)


@pytest.mark.parametrize("make", [table, numbers])
def test_own_folds_that_equal_ours_give_the_same_result(make):
    frame = make()
    models = ["logistic" if make is table else "linear", "forest"]
    draws = own_folds(frame)
    ours = th.compare(frame, "y", models, tune="none", resampling="cv:5")
    arrays = th.compare(
        frame, "y", models, tune="none", resampling=[(draw.train, draw.test) for draw in draws]
    )
    assert told(arrays) == told(ours)
    codes = np.zeros(frame.height, dtype=int)
    for number, draw in enumerate(draws):
        codes[draw.test] = number
    column = th.compare(frame.with_columns(fold=pl.Series(codes)), "y", models, tune="none", fold="fold")
    assert told(column) == told(ours)
    assert column.record.plan.why == "the folds are your own"


def test_one_split_is_the_same_by_a_column_by_arrays_and_by_a_test_table():
    frame = table()
    held = np.arange(frame.height) % 3 == 0
    order = frame.filter(pl.Series(~held)), frame.filter(pl.Series(held))
    sorted_frame = pl.concat(order)
    n = order[0].height
    part = pl.Series(["train"] * n + ["TEST"] * order[1].height)
    ways = [
        th.compare(sorted_frame.with_columns(part=part), "y", ["logistic"], tune="none", split="part"),
        th.compare(order[0], "y", ["logistic"], tune="none", test=order[1]),
        th.compare(
            sorted_frame,
            "y",
            ["logistic"],
            tune="none",
            resampling=[(np.arange(n), np.arange(n, frame.height))],
        ),
    ]
    assert told(ways[0]) == told(ways[1]) == told(ways[2])
    assert ways[0].record.interval == "holdout"


def test_a_splitter_is_asked_once_for_the_rows_that_are_used():
    frame = table()
    splitter = SklearnKFold(4, shuffle=True, random_state=3)
    by_splitter = th.compare(frame, "y", ["logistic"], tune="none", resampling=splitter)
    by_arrays = th.compare(
        frame, "y", ["logistic"], tune="none", resampling=list(splitter.split(np.zeros((120, 1))))
    )
    assert told(by_splitter) == told(by_arrays)


def test_row_numbers_of_index_arrays_are_those_of_the_table_as_it_was_given():
    frame = table().with_columns(u=pl.when(pl.int_range(120) < 20).then(None).otherwise(pl.col("u")))
    split = [(np.arange(80), np.arange(80, 120))]
    found = th.compare(frame, "y", ["logistic"], tune="none", resampling=split, missing="drop")
    predictions = found.predictions()
    assert sorted(set(predictions["row"])) == list(range(80, 120))
    assert found.record.plan.mean_train_rows == 60
    y = dict(zip(predictions["row"], predictions["y"], strict=True))
    assert all(frame["y"][row] == label for row, label in y.items())


@pytest.mark.parametrize("interval", ["corrected-t", "clt", "clt-within", "influence", "holdout"])
def test_a_loss_per_row_and_the_same_loss_of_a_set_agree(interval):
    frame = table(100)

    def wrong(y, prediction):
        return (y != prediction.value).astype(float)

    plan = "holdout:0.3" if interval == "holdout" else "cv:5"
    options = {"tune": "none", "resampling": plan, "interval": interval}
    rows, whole = (
        th.compare(frame, "y", ["logistic", "svm-rbf"], metric=metric, **options).record
        for metric in (th.Measure.of_rows(wrong), th.Measure.of_set(lambda y, p: wrong(y, p).mean()))
    )
    for one, other in zip(rows.models, whole.models, strict=True):
        assert other.loss.estimate == pytest.approx(one.loss.estimate, abs=1e-10)
        assert other.loss.se == pytest.approx(one.loss.se, abs=1e-10)
    for one, other in zip(rows.pairs, whole.pairs, strict=True):
        assert other.difference == pytest.approx(one.difference, abs=1e-10)
        if interval != "holdout":
            assert [other.low, other.high] == pytest.approx([one.low, one.high], abs=1e-10)


LEARNERS = ["logistic", "svm-linear", "svm-rbf", "pca+logistic", ("bayes", GaussianNB())]


@pytest.mark.parametrize(
    ("frame", "models", "metrics"),
    [
        (table(90), LEARNERS, ["error", "auc", "f1", "mcc", "balanced-accuracy"]),
        (table(90, classes=3), LEARNERS[:3], ["auc:weighted", "f1-macro", "f1-weighted", "kappa"]),
        (table(90), ["logistic", ("bayes", GaussianNB())], ["log-loss", "brier", "average-precision"]),
        (
            numbers(90),
            ["linear", "svm-linear", "svm-rbf", "pca+linear"],
            ["r2", "squared-error", "absolute-error", "pinball:0.3"],
        ),
    ],
)
def test_a_row_of_weight_two_is_two_rows(frame, models, metrics):
    weight = np.random.default_rng(5).integers(1, 4, size=frame.height)
    draws = own_folds(frame, 3)
    repeated = frame[np.repeat(np.arange(frame.height), weight)]
    place = np.repeat(np.arange(frame.height), weight)
    copies = [
        tuple(np.flatnonzero(np.isin(place, part)) for part in (draw.train, draw.test)) for draw in draws
    ]
    options = {"tune": "none", "metric": metrics}
    one = th.compare(
        frame.with_columns(weight=pl.Series(weight)),
        "y",
        models,
        weight="weight",
        resampling=[(draw.train, draw.test) for draw in draws],
        **options,
    )
    other = th.compare(repeated, "y", models, resampling=copies, **options)
    for metric in metrics:
        ours, theirs = (
            dict(zip(found.table(metric)["model"], found.table(metric).to_numpy()[:, 1], strict=True))
            for found in (one, other)
        )
        assert ours == pytest.approx(theirs, rel=2e-3 if "svm" in str(models) else 1e-6), metric
    assert one.record.weight == "weight"


def test_standard_errors_count_rows_and_not_weights():
    frame = table(200).with_columns(weight=pl.Series(np.random.default_rng(2).uniform(0.5, 3, size=200)))
    split = [(np.arange(100), np.arange(100, 200))]
    found = th.compare(frame, "y", ["logistic"], weight="weight", tune="none", resampling=split, pairs="auto")
    rows = found.predictions().filter(pl.col("model") == "logistic")
    loss, w = (rows["y"] != rows["value"]).to_numpy().astype(float), rows["weight"].to_numpy()
    mean = np.average(loss, weights=w)
    away = len(w) * w / w.sum() * (loss - mean)
    (model,) = [m for m in found.record.models if m.name == "logistic"]
    assert model.loss.estimate == pytest.approx(mean, rel=1e-12)
    assert model.loss.se == pytest.approx(away.std(ddof=1) / 10, rel=1e-12)


def test_weights_of_one_are_no_weights_to_the_bit_and_equal_weights_are_to_rounding():
    frame = table(80)
    options = {"resampling": "cv:4", "tune": "none", "drop": ["weight"]}
    plain = th.compare(frame.with_columns(weight=1.0), "y", ["logistic", "forest"], **options)
    del options["drop"]
    ones = th.compare(frame.with_columns(weight=1.0), "y", ["logistic", "forest"], weight="weight", **options)
    first, second = told(plain), told(ones)
    assert first.pop("weight") == ""
    assert second.pop("weight") == "weight"
    assert first == second
    # No penalty and no number of rows enters the fit of naive Bayes.
    bayes = [("bayes", GaussianNB())]
    by_three = th.compare(frame.with_columns(weight=3.0), "y", bayes, weight="weight", **options).record
    alone = th.compare(frame, "y", bayes, **options).record
    for one, other in zip(by_three.models, alone.models, strict=True):
        assert one.loss.estimate == pytest.approx(other.loss.estimate, rel=1e-12)
        assert one.loss.se == pytest.approx(other.loss.se, rel=1e-9)


@pytest.mark.parametrize("case", ["ties_5_levels", "ties_3_levels", "ties_2_levels_binary_scores"])
def test_a_pair_of_aucs_on_one_split_has_the_interval_of_delong(case):
    known = DELONG[case]
    y = np.array(known["y"])
    n = len(y)
    # As many training rows as it takes to have both classes among them.
    frame = pl.DataFrame(
        {
            "a": np.r_[known["a"], [0.0, 1.0, 0.5]],
            "b": np.r_[known["b"], [0.0, 1.0, 0.5]],
            "y": np.where(np.r_[y, [0, 1, 1]] == 1, "yes", "no"),
        }
    )
    found = th.compare(
        frame,
        "y",
        given("a", "b"),
        metric="auc",
        resampling=[(np.arange(n, n + 3), np.arange(n))],
        correction="none",
    ).record
    for name in "ab":
        (model,) = [m for m in found.models if m.name == name]
        assert model.loss.estimate == pytest.approx(known[f"single_{name}"]["auc"], abs=1e-14)
        assert model.loss.se == pytest.approx(known[f"single_{name}"]["se"], rel=1e-12)
        interval = known[f"single_{name}"]["ci_logit"]["0.95"]
        assert [model.loss.low, model.loss.high] == pytest.approx(interval, rel=1e-12)
    (pair,) = [p for p in found.pairs if {p.a, p.b} == {"a", "b"}]
    sign = 1 if pair.a == "a" else -1
    paired = known["paired"]
    assert sign * pair.difference == pytest.approx(paired["diff"], abs=1e-14)
    assert sorted([sign * pair.low, sign * pair.high]) == pytest.approx(paired["ci"]["0.95"], rel=1e-12)
    assert pair.p == pytest.approx(paired["p_two_sided"], rel=1e-12)


@pytest.mark.parametrize("case", CV_AUC)
def test_cross_validated_auc_has_the_certified_value_and_error(case):
    known = CV_AUC[case]
    fold = np.array(known["fold"])
    frame = pl.DataFrame(
        {"score": known["score"], "other": known["fold"], "y": np.where(np.array(known["y"]) == 1, "b", "a")}
    )
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    options = {"metric": "auc", "resampling": splits, "interval": "influence"}
    found = th.compare(frame, "y", given("score"), **options).record
    (model,) = [m for m in found.models if m.name == "score"]
    assert model.loss.estimate == pytest.approx(known["cv_auc"], rel=1e-13)
    assert model.loss.se == pytest.approx(known["se_infinitesimal_jackknife"], rel=1e-12)


def named():
    for entry in MEASURES.values():
        yield entry.name + (":0.9" if entry.name == "pinball" else ""), entry.task


@pytest.mark.parametrize(("name", "task"), list(named()))
def test_every_measure_carries_a_verdict_tunes_and_is_read_again(name, task):
    frame, models = (table(80), ["logistic"]) if task == "classification" else (numbers(80), ["linear"])
    costs = np.array([[0.0, 1.0], [5.0, 0.0]])
    extra = {"cost": costs} if name == "cost" else {}
    # Predictions below 0 have no gamma deviance; the forest gives none.
    models = ["forest"] if name in ("gamma-deviance", "poisson-deviance", "squared-log-error") else models
    found = th.compare(
        frame, "y", models, metric=name, resampling="cv:3", tune="auto" if name == "r2" else "none", **extra
    )
    record = found.record
    assert record.metric.name == name
    assert decode(encode(record)) == record
    best = record.models[0].loss
    others = [m.loss for m in record.models[1:]]
    better = max if record.metric.higher_is_better else min
    assert better([best.estimate, *(o.estimate for o in others)]) == best.estimate
    for model in record.models:
        low, high = model.shown.low, model.shown.high
        assert low <= model.shown.estimate <= high
    assert record.models[0].name != "dummy"


def test_a_further_measure_has_its_own_verdict_and_the_first_says_where_they_disagree():
    frame = table(200)
    found = th.compare(
        frame, "y", ["logistic", "forest"], metric="auc,log-loss", resampling="cv:4", tune="none"
    )
    alone = th.compare(frame, "y", ["logistic", "forest"], metric="log-loss", resampling="cv:4", tune="none")
    (further,) = found.record.measures
    assert further.pairs == alone.record.pairs
    assert further.winner == alone.winner
    assert further.verdict == alone.verdict
    shown = {m.name: m.shown for m in alone.record.models}
    assert {m.name: m.shown for m in further.models} == shown
    if further.winner != found.winner:
        assert "By log-loss" in found.verdict
    assert found.table("log_loss")["log-loss"].to_list() == [m.shown.estimate for m in further.models]
    with pytest.raises(th.UsageError, match="f1 was not asked for"):
        found.table("f1")


@pytest.mark.parametrize(("make", "model"), [(table, "logistic"), (numbers, "linear")])
def test_the_shared_fits_of_a_comparison_equal_refitting_each_fold(make, model, monkeypatch):
    """Columns of unlike scale, categories with a level that some folds lack, and a constant column."""
    frame = make(100).with_columns(
        c=pl.Series(["rare"] + ["p", "q", None] * 33), k=pl.lit(2.5), t=pl.Series([True, False] * 50)
    )
    options = {"tune": "none", "resampling": "cv:2x5"}
    shared = th.compare(frame, "y", [model], **options)
    prepared = []
    plain = PanelWorkspace.__init__

    def alone(self, panel, sample):
        plain(self, panel, sample)
        prepared.append(len(self.workspaces))
        self.shared, self.workspaces = {}, {}

    monkeypatch.setattr(PanelWorkspace, "__init__", alone)
    refitted = th.compare(frame, "y", [model], **options)
    assert prepared == [1]
    columns = ["value"] if make is numbers else ["probability_a", "probability_b"]
    np.testing.assert_allclose(
        shared.predictions()[columns].to_numpy(), refitted.predictions()[columns].to_numpy(), rtol=1e-5
    )


def test_predictions_hold_every_held_out_row_of_every_model(tmp_path):
    frame = table(60, classes=3)
    found = th.compare(frame.to_pandas(), "y", ["logistic"], tune="none", resampling="cv:2x3")
    predictions = found.predictions()
    assert list(predictions.columns) == [
        *("row", "draw", "model", "y", "value"),
        *(f"probability_{c}" for c in "abc"),
        "weight",
    ]
    assert len(predictions) == 2 * 60 * 2
    assert set(predictions["value"]) <= set("abc")
    for name in ("p.parquet", "p.csv"):
        found.to_predictions(tmp_path / name)
    read = pl.read_parquet(tmp_path / "p.parquet")
    assert read.equals(pl.read_csv(tmp_path / "p.csv")) or read.height == 240
    assert read["model"].unique().sort().to_list() == ["dummy", "logistic"]
    with pytest.raises(th.UsageError, match="parquet nor .csv"):
        found.to_predictions(tmp_path / "p.xlsx")
    found.to_json(tmp_path / "r.json")
    with pytest.raises(th.UsageError, match="saved result keeps none"):
        th.Comparison.read(tmp_path / "r.json").predictions()


def test_the_bare_loop_gives_the_same_auc():
    frame = table(150)
    draws = own_folds(frame, 5)
    found = th.compare(frame, "y", [("bayes", GaussianNB())], metric="auc", resampling="cv:5", tune="none")
    X, y = frame.select("u", "v", "w").to_numpy(), frame["y"].to_numpy()
    from sklearn.metrics import roc_auc_score

    aucs = []
    for draw in draws:
        fit = GaussianNB().fit(X[draw.train], y[draw.train])
        aucs.append(roc_auc_score(y[draw.test] == "b", fit.predict_proba(X[draw.test])[:, 1]))
    (model,) = [m for m in found.record.models if m.name == "bayes"]
    assert model.loss.estimate == pytest.approx(np.mean(aucs), rel=1e-9)


def fixed(**errors):
    """Return models whose errors are those of columns: 1 where the column says so."""
    return [th.Model(Given(name), name=name, raw=True) for name in errors]


def test_the_table_and_the_pairs_measure_the_same_on_folds_of_unequal_size():
    rng = np.random.default_rng(0)
    fold = np.repeat([0, 1, 2, 3], [10, 10, 10, 370])
    y = rng.random(400) < 0.5
    small = fold < 3
    wrong = {
        "a": np.where(small, 0.0, rng.random(400) < 0.45),
        "b": np.where(small, rng.random(400) < 0.5, 0.05),
    }
    frame = pl.DataFrame(
        {name: np.where(np.asarray(w, dtype=bool) ^ y, 1.0, -1.0) for name, w in wrong.items()}
        | {"fold": fold, "y": np.where(y, "yes", "no")}
    )
    for pairs in ("clt", "corrected-t"):
        found = th.compare(frame, "y", fixed(a=0, b=0), fold="fold", pairs=pairs).record
        shown = {m.name: m.loss.estimate for m in found.models}
        for pair in found.pairs:
            assert pair.difference == pytest.approx(shown[pair.a] - shown[pair.b], abs=1e-12)
        assert found.models[0].name == "a"
        assert f"{found.models[0].name} is worse" not in found.verdict


def test_rows_held_out_unequally_often_have_the_error_of_their_sums():
    """Fixed predictions, so that the only chance is that of the rows: 1,500 sets of rows."""
    from sklearn.model_selection import ShuffleSplit

    from thetahat.resampling.intervals import METHODS, OverDraws

    tests = [test for _, test in ShuffleSplit(20, test_size=0.05, random_state=0).split(np.zeros(400))]
    sizes = np.full(20, 20.0)
    rng = np.random.default_rng(1)
    means, errors = [], []
    for _ in range(1500):
        loss = rng.normal(size=400)
        rows = [loss[test] for test in tests]
        over = OverDraws(np.array([r.mean() for r in rows]), 380 + 0 * sizes, sizes, rows, tests)
        found = METHODS["clt"](over)
        means.append(found.estimate)
        errors.append(found.se)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.06)


def test_a_margin_is_of_the_first_measure_alone():
    frame = numbers(150)
    options = {"tune": "none", "resampling": "cv:5"}
    both = th.compare(frame, "y", ["linear"], metric="squared-error,r2", margin=1e6, **options).record
    alone = th.compare(frame, "y", ["linear"], metric="r2", **options).record
    assert both.pairs[0].verdict == "equivalent"
    assert both.measures[0].pairs == alone.pairs


def test_groups_make_the_interval_of_a_single_split():
    rng = np.random.default_rng(3)
    frame = table(400).with_columns(g=pl.Series(np.repeat(np.arange(20), 20)))
    held = np.repeat(rng.permutation(20) < 10, 20)
    frame = frame.with_columns(part=pl.Series(np.where(held, "test", "train")))
    found = th.compare(frame, "y", ["logistic"], tune="none", group="g", split="part").record
    assert (found.interval, found.pair_interval) == ("groups", "groups")
    few = th.compare(
        frame.with_columns(g=pl.Series(np.repeat(np.arange(8), 50))),
        "y",
        ["logistic"],
        tune="none",
        group="g",
        resampling="holdout:0.5",
    ).record
    assert few.interval == "none"


def test_a_measure_that_one_model_has_no_value_of_fails_that_model_alone():
    def correlation(y, prediction):
        if np.ptp(prediction.value) == 0:
            return np.nan
        return np.corrcoef(y, prediction.value)[0, 1]

    corr = th.Measure.of_set(correlation, higher_is_better=True)
    found = th.compare(
        numbers(), "y", ["linear", "forest"], metric=corr, resampling="cv:3", tune="none"
    ).record
    values = {m.name: m.loss for m in found.models}
    assert values["dummy"] is None
    assert values["linear"] is not None
    assert "dummy has no result" in found.verdict


def test_rows_of_weight_zero_alone_are_refused_before_anything_is_said():
    frame = table(60).with_columns(weight=pl.Series(np.r_[np.zeros(20), np.ones(40)]))
    splits = [(np.arange(20, 60), np.arange(20)), (np.arange(40), np.arange(40, 60))]
    with pytest.raises(th.UsageError, match="no weight above 0"):
        th.compare(frame, "y", ["logistic"], tune="none", weight="weight", resampling=splits)


def test_the_verdict_counts_the_rows_that_some_draw_held_out():
    frame = table(200)
    splits = [(np.arange(100), np.arange(100, 125)), (np.arange(100), np.arange(125, 150))]
    assert (
        "on 50 held-out rows" in th.compare(frame, "y", ["logistic"], tune="none", resampling=splits).verdict
    )
