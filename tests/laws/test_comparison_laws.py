"""What must hold of every comparison, whatever the table."""

import re
import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC

import thetahat as th
from thetahat.comparison.recipe import TableRecipe
from thetahat.comparison.schema import Feature
from thetahat.comparison.table_rows import TableRows
from thetahat.resampling.plans import Holdout, Rows
from thetahat.results.comparison import decode, encode


def mixed_table(rows=90, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows))
    return pl.DataFrame(
        {
            "a": a,
            "b": [None if u < 0.1 else x for u, x in zip(rng.random(rows), b, strict=True)],
            "c": [("red", "green", None)[k] for k in rng.integers(3, size=rows)],
            "d": [date(2024, 1, 1) + timedelta(int(k)) for k in rng.integers(400, size=rows)],
            "y": np.where(a + 0.5 * rng.normal(size=rows) > 0, "yes", "no"),
        }
    )


def shuffled_result(frame, order, **options):
    return th.compare(frame[order], "y", ["logistic"], **options).record


def without_times(content):
    return re.sub(rb'"(created|seconds|fit_seconds)": [^\n]*', b"", content)


class Watching(ClassifierMixin, BaseEstimator):
    """Keeps what it is trained on and what it is asked of."""

    seen = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Watching.seen.append(np.array(X))
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Slow(Watching):
    """Takes so long that no machine finishes 250 draws of it in the limit."""

    def fit(self, X, y):
        time.sleep(0.1)
        return super().fit(X, y)


def trained_on(table):
    Watching.seen.clear()
    th.compare(table, "y", [Watching()], resampling="holdout:0.3")
    (matrix,) = Watching.seen
    return matrix


def test_altering_only_held_out_rows_leaves_the_prepared_training_rows_unchanged_to_the_bit():
    table = mixed_table()
    rows = Rows(table.height, (table["y"] == "yes").to_numpy().astype(int))
    (draw,) = Holdout(0.3).draws(rows, rng=np.random.default_rng(0).spawn(2)[0])
    held_out = pl.Series(np.isin(np.arange(table.height), draw.test))
    altered = table.with_columns(
        a=pl.when(held_out).then(pl.col("a") * 1e6).otherwise(pl.col("a")),
        b=pl.when(held_out).then(None).otherwise(pl.col("b")),
        c=pl.when(held_out).then(pl.lit("blue")).otherwise(pl.col("c")),
        d=pl.when(held_out).then(date(1970, 1, 1)).otherwise(pl.col("d")),
    )
    one, other = trained_on(table), trained_on(altered)
    assert len(one) == len(draw.train)
    assert one.tobytes() == other.tobytes()


def test_the_numbers_of_a_training_fold_are_those_of_its_rows_alone():
    table = mixed_table()
    fitted = TableRecipe((Feature("a", "number"),)).fit(TableRows.of(table[:60]))
    scaled = fitted.transform(TableRows.of(table))[:, 0]
    a = table["a"].to_numpy()
    assert scaled == pytest.approx((a - a[:60].mean()) / a[:60].std(), rel=1e-12)


@pytest.mark.parametrize("resampling", ["cv:2x5", "holdout:0.3"])
def test_the_json_is_the_same_to_the_byte_whatever_the_jobs(tmp_path, resampling):
    table = mixed_table()
    saved = []
    for jobs in (1, 2, 1):
        th.compare(table, "y", ["logistic", "forest"], resampling=resampling, jobs=jobs).to_json(
            tmp_path / "out.json"
        )
        saved.append(without_times((tmp_path / "out.json").read_bytes()))
    assert saved[0] == saved[1] == saved[2]


def test_another_seed_gives_other_draws():
    table = mixed_table()
    losses = [th.compare(table, "y", ["logistic"], resampling="cv:5", seed=s).record.models for s in (0, 1)]
    assert losses[0] != losses[1]


def test_a_saved_record_reads_back_as_itself():
    record = th.compare(mixed_table(), "y", ["logistic"], resampling="cv:3").record
    assert decode(encode(record)) == record


def test_leave_one_out_does_not_depend_on_the_order_of_the_rows():
    table = mixed_table(40)
    order = np.random.default_rng(1).permutation(40)
    one, other = (
        shuffled_result(table, o, resampling="loo", metric="log-loss", tune="none")
        for o in (np.arange(40), order)
    )
    assert [m.name for m in one.models] == [m.name for m in other.models]
    assert [m.loss.estimate for m in one.models] == pytest.approx([m.loss.estimate for m in other.models])


def test_every_model_is_held_to_the_same_rows():
    record = th.compare(mixed_table(), "y", [("one", SVC()), ("again", SVC())], resampling="cv:5").record
    ours = {m.name: m.loss for m in record.models}
    assert ours["one"] == ours["again"]


def test_max_rows_uses_so_many_and_says_so():
    record = th.compare(mixed_table(), "y", ["logistic"], resampling="cv:3", max_rows=50).record
    assert (record.data.rows, record.data.rows_used) == (90, 50)
    assert any("50 of its 90 rows" in warning.cause for warning in record.warnings)


def test_a_time_limit_gives_a_result_that_says_it_is_partial():
    record = th.compare(mixed_table(), "y", [Slow()], resampling="cv:50x5", time_limit=5).record
    assert record.partial == "the time limit was reached"
    assert 0 < record.plan.draws < record.plan.draws_planned == 250


def test_a_time_limit_that_lets_nothing_finish_says_that_no_model_was_fitted():
    record = th.compare(mixed_table(), "y", [Slow()], resampling="cv:5", time_limit=1e-9).record
    assert record.partial == "the time limit was reached"
    assert record.verdict == "No model could be fitted."
    assert (record.pairs, record.leader) == ((), None)


def test_the_baseline_joins_the_models_and_the_verdict_speaks_of_it():
    record = th.compare(mixed_table(), "y", ["logistic"], resampling="cv:5", baseline="svm-linear").record
    assert "svm-linear" in {m.name for m in record.models}
    assert "Against the baseline svm-linear" in record.verdict


def test_the_command_of_a_result_repeats_its_options():
    record = th.compare(mixed_table(), "y", ["logistic"], resampling="cv:3", drop=["d"], level=0.9).record
    assert record.provenance.command == (
        "thetahat compare DATA --target y --models logistic --resampling cv:3 --level 0.9 --drop d --seed 0"
    )


def test_the_nested_interval_brings_its_own_draws_and_covers_the_fitted_model():
    record = th.compare(mixed_table(), "y", ["logistic"], interval="nested", resampling="nested:2x5").record
    assert record.plan.spec == "nested:2x5"
    assert record.plan.draws == 2 * (5 + 10)
    assert record.interval == record.pair_interval == "nested"
    assert "fitted to all" in record.interval_covers
    with pytest.raises(th.UsageError, match="draws of its own"):
        th.compare(mixed_table(), "y", ["logistic"], interval="nested", resampling="cv:5")


def test_the_other_verdict_and_the_corrected_leader_stand_beside():
    record = th.compare(mixed_table(), "y", ["logistic", "svm-rbf"], resampling="cv:5", bayes=True).record
    assert (record.pair_interval, record.other_pair_interval) == ("clt", "corrected-t")
    assert all(pair.other is not None for pair in record.pairs)
    assert all(pair.p_better + pair.p_equivalent + pair.p_worse == pytest.approx(1) for pair in record.pairs)
    leader = record.leader
    assert leader.among == 2
    assert leader.low <= leader.estimate <= leader.high
    few = th.compare(mixed_table(50), "y", ["logistic"], resampling="cv:5").record
    assert few.pair_interval == "corrected-t"
    assert any("cover less than they say" in warning.cause for warning in few.warnings)
