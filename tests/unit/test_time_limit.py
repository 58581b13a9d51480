"""A comparison with a time limit: what is cut, what stands, what is said, and what going on makes of it."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import thetahat as th
from thetahat.comparison import compare as comparing
from thetahat.comparison.recipe import TableRecipe
from thetahat.contracts import Fit, Sample, Status
from thetahat.deadline import Deadline, OutOfTime, check_time, within
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.replicate import TIME_LIMIT, replicate
from thetahat.results import comparison as record

RNG = np.random.default_rng(0)
FRAME = pl.DataFrame({f"x{k}": RNG.normal(size=90) for k in range(3)}).with_columns(
    y=pl.Series(RNG.permutation(["a", "b", "c"] * 30))
)
CUT = Status.OUT_OF_TIME.value


def endless():
    """Return a network that would train for years."""
    return th.MLPClassifier((8,), max_iter=10**9, tol=0.0, n_iter_no_change=10**9, random_state=0)


def compared(models, **options):
    options = {"resampling": "cv:4", "tune": "none"} | options
    return th.compare(FRAME, "y", models, **options)


def told(result):
    """Return all that a result says but for the clock."""
    said = json.loads(record.encode(result.record))
    for model in said["models"]:
        del model["fit_seconds"]
        if model["tuning"]:
            del model["tuning"]["seconds"]
    del said["provenance"]
    return said


@pytest.fixture
def by_askings(monkeypatch):
    """Have a comparison's deadline pass when it has been asked so many times."""

    class Counted(Deadline):
        def __init__(self, most):
            asked = iter(range(10**9))
            super().__init__(most, lambda: next(asked))

    monkeypatch.setattr(comparing, "Deadline", Counted)


# Workers take some of their time to start.
@pytest.mark.parametrize(("jobs", "limit"), [(1, 2), (2, 12)])
def test_a_fit_that_would_take_years_ends_at_the_limit_and_is_no_result(jobs, limit):
    found = compared([("endless", endless())], time_limit=limit, jobs=jobs).record
    assert found.partial == TIME_LIMIT
    models = {model.name: model for model in found.models}
    assert models["endless"].status.startswith(CUT)
    assert (models["endless"].ok, models["endless"].loss) == (False, None)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda own: make_pipeline(th.PCA(2), own),
        lambda own: GridSearchCV(own, {"alpha": [0.1, 1.0]}, cv=2),
    ],
    ids=["pipeline", "search"],
)
def test_a_fit_of_ours_within_one_of_scikit_learn_ends_too(wrap):
    found = compared([("endless", wrap(endless()))], time_limit=2).record
    assert {model.name: model.status for model in found.models}["endless"].startswith(CUT)


@pytest.mark.parametrize("asked", [1, 3, 10, 40, 60])
def test_a_search_does_not_take_a_fit_that_was_cut_for_a_bad_one(asked, by_askings):
    # With error_score=nan scikit-learn gives a fit that raised an error the worst rank, and goes on.
    search = GridSearchCV(th.LogisticRegression(), {"C": [0.01, 1.0, 100.0]}, cv=2)
    found = compared([("search", search)], resampling="holdout:0.3", time_limit=asked)
    assert found.record.partial == TIME_LIMIT
    assert {model.name: model.status for model in found.record.models}["search"].startswith(CUT)


MIXED = ["logistic", "svm-rbf", "svm-linear", "mlp", ("theirs", DummyClassifier(strategy="uniform"))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tune", ["none", "auto"])
def test_a_comparison_cut_anywhere_is_gone_on_with_to_the_same_bytes(tune, by_askings, tmp_path):
    models = [("mlp", th.MLPClassifier((4,), max_iter=5, random_state=0)), *MIXED[:3], MIXED[4]]
    options = {"tune": tune, "resampling": "cv:3"}
    whole = told(compared(models, **options))
    path, cuts = tmp_path / "c", 0
    for asked in 7 * 2 ** np.arange(20):
        found = compared(models, time_limit=int(asked), checkpoint=path, resume=cuts > 0, **options)
        if not found.record.partial:
            break
        assert found.record.partial == TIME_LIMIT
        assert path.exists()
        cuts += 1
    assert 4 < cuts < 20
    assert told(found) == whole
    assert not path.exists()


@pytest.mark.filterwarnings("ignore")
def test_a_partial_result_is_of_the_draws_that_every_model_was_fitted_to(by_askings):
    models = MIXED[:2]
    seen = set()
    for asked in range(10, 400, 15):
        found = compared(models, time_limit=asked).record
        fitted = {model.name for model in found.models if model.loss is not None}
        seen.add(found.plan.draws)
        if not found.partial:
            break
        if fitted != {"dummy", "logistic", "svm-rbf"}:
            # None is left without a result for the sake of one fit in the last draw, but in the first.
            assert found.plan.draws <= 1
    assert {1, 2, 3, 4} <= seen


def test_a_limit_in_the_last_draw_is_said_and_keeps_the_checkpoint(by_askings, tmp_path):
    # The one draw has been handed out by then.
    found = compared(
        [("one", DummyClassifier()), ("other", DummyClassifier())],
        resampling="holdout:0.3",
        time_limit=7,
        checkpoint=tmp_path / "c",
    ).record
    assert found.partial == TIME_LIMIT
    assert (tmp_path / "c").exists()
    # What was fitted before stands, where no draw is whole.
    assert [model.name for model in found.models if model.ok] == ["dummy", "one"]


class Counting(DummyClassifier):
    """Of another library, for all that a comparison knows; its fits are counted."""

    begun = []

    def fit(self, X, y, sample_weight=None):
        self.begun.append(self.strategy)
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_fit_of_another_library_is_begun_after_the_limit(most, monkeypatch):
    Counting.begun.clear()
    monkeypatch.setattr(comparing, "Deadline", lambda most: Deadline(most, lambda: len(Counting.begun)))
    models = [(name, Counting(strategy=name)) for name in ("prior", "stratified", "uniform")]
    assert compared(models, time_limit=most).record.partial == TIME_LIMIT
    assert len(Counting.begun) == most


def test_no_fit_is_begun_where_the_preparation_of_the_columns_took_the_time(monkeypatch):
    Counting.begun.clear()
    prepared, plain = [], TableRecipe.fit
    monkeypatch.setattr(TableRecipe, "fit", lambda *args: prepared.append(1) or plain(*args))
    monkeypatch.setattr(comparing, "Deadline", lambda most: Deadline(most, lambda: len(prepared)))
    found = compared([("one", Counting(strategy="prior"))], time_limit=1).record
    assert Counting.begun == []
    # Nothing is prepared for the dummy.
    assert all(model.status.startswith(CUT) for model in found.models if model.name != "dummy")


class Stepping:
    """Takes steps, and makes nothing of being cut."""

    def __init__(self, steps):
        self.steps = steps

    def estimate(self, sample, *, rng):
        for _ in range(self.steps):
            check_time()
        return Fit(0.0)


def replicated(steps, **options):
    return replicate(
        Stepping(steps),
        Sample(np.zeros((40, 1)), np.zeros(40)),
        KFold(4).draws(Rows(40, None), rng=np.random.default_rng(0)),
        lambda fit, train, test: fit.theta,
        rng=np.random.default_rng(0),
        **options,
    )


def test_a_draw_that_is_left_is_not_done():
    asked = iter(range(1000))
    found = replicated(5, deadline=Deadline(12, lambda: next(asked)))
    assert found.stopped == TIME_LIMIT
    assert list(found.numbers) == [0]


def test_replication_within_limited_work_is_a_step_a_draw():
    done = []
    with within(Deadline(2, lambda: len(done))), pytest.raises(OutOfTime):
        replicated(0, finished=done.append)
    assert done == [1, 2]


def test_one_draw_alone_has_the_interval_of_a_holdout(by_askings):
    found = [compared(["logistic"], time_limit=asked, tune="none").record for asked in range(10, 200, 5)]
    alone = [each for each in found if each.partial and each.plan.draws == 1 and each.models[0].loss]
    assert alone
    for each in alone:
        assert each.interval == "holdout"
        assert "held-out rows" in each.verdict or "Only" in each.verdict
        assert each.models[0].loss.se is not None
