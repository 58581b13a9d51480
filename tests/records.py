"""Made-up comparisons, for what draws them."""

from __future__ import annotations

from dataclasses import replace

from thetahat.results.comparison import (
    SCHEMA_VERSION,
    ClassCount,
    ColumnRecord,
    ComparisonRecord,
    DataRecord,
    Estimate,
    LeaderRecord,
    MeasuredRecord,
    MeasureRecord,
    MetricRecord,
    ModelRecord,
    PairRecord,
    Part,
    PlanRecord,
    ProvenanceRecord,
    Score,
    TaskRecord,
    WarningRecord,
    WhyRecord,
)

HOSTILE = (
    '"><script>document.title="taken"</script><img src=x onerror=alert(1)>$\\frac{1}{2}$ --> ]]> {{ 7*7 }}'
)
LONG = [
    f"gradient boosting of histograms with monotone constraints, variant {k:02d} of the grid"
    for k in range(12)
]


def model(name, value, se, *, status="solved", ok=True):
    loss = None if value is None else Estimate(value, se, value - 2 * se, value + 2 * se, "corrected-t")
    score = Score(None if value is None else 1 - value, se, None, None, "folds", True)
    train = None if value is None else 0.9 * value
    return ModelRecord(
        name, f"about {name}", status, ok, loss, loss, train, train, 0.012, {"accuracy": score}
    )


def pair(a, b, difference, half, verdict):
    return PairRecord(
        a, b, difference, difference - half, difference + half, 0.04, 0.12, verdict, "undecided", 1200
    )


def comparison(names=("logistic", "forest", "dummy"), losses=(0.1, 0.12, 0.5), ses=(0.01, 0.02, 0.01)):
    models = tuple(model(*each) for each in zip(names, losses, ses, strict=True))
    pairs = tuple(
        pair(
            one.name,
            other.name,
            one.loss.estimate - other.loss.estimate,
            2.5 * (one.loss.se + other.loss.se),
            "better" if other.name == "dummy" else "undecided",
        )
        for k, one in enumerate(models)
        for other in models[k + 1 :]
    )
    return ComparisonRecord(
        schema_version=SCHEMA_VERSION,
        data=DataRecord(
            "table.csv",
            1344,
            1200,
            (
                ColumnRecord("age", "number", "feature", 3, None, ""),
                ColumnRecord("y", "category", "target", 0, 2, ""),
            ),
            "impute",
            "0" * 64,
        ),
        task=TaskRecord(
            "classification", "y", (ClassCount("a", 600), ClassCount("b", 600)), "'y' holds text"
        ),
        metric=MetricRecord("error", "error rate", "share of rows"),
        plan=PlanRecord("cv:10", "10-fold cross-validation", "as asked", 10, 10, 1080.0, 120.0),
        interval="corrected-t",
        interval_covers="the expected loss of the algorithm when trained on this many rows",
        level=0.95,
        margin=None,
        correction="holm",
        baseline="dummy",
        models=models,
        pairs=pairs,
        verdict=f"No clear winner: {names[0]} and others cannot be told apart on 1 200 rows.",
        would_change="About 3 000 rows would show the gap.",
        winner=None,
        partial="",
        warnings=(),
        provenance=ProvenanceRecord(
            "2026-01-01T00:00:00+00:00", 1.5, 0, "thetahat compare table.csv", "3.11", "Linux", {"numpy": "2"}
        ),
    )


def hostile():
    record = comparison((HOSTILE, "forest", "dummy"))
    columns = (ColumnRecord(HOSTILE, "category", "excluded", 1, 3, HOSTILE),)
    return replace(
        record,
        data=replace(record.data, name=HOSTILE, columns=columns),
        task=replace(record.task, target=HOSTILE, classes=(ClassCount(HOSTILE, 5),), why=HOSTILE),
        warnings=(WarningRecord("TH110", "warning", HOSTILE, HOSTILE, HOSTILE),),
        provenance=replace(record.provenance, command=HOSTILE),
    )


def twelve_long_names():
    spread = [0.1 + 0.004 * k for k in range(12)]
    return comparison(LONG, spread, [0.01] * 12)


def one_model():
    return comparison(("dummy",), (0.5,), (0.02,))


def failed_and_partial():
    record = comparison()
    broken = replace(model("svm", None, None), status="the estimator raised an error", ok=False)
    plan = replace(record.plan, draws=4)
    return replace(record, models=(*record.models, broken), plan=plan, partial="interrupted by the user")


def without_intervals():
    record = comparison()
    models = tuple(
        replace(m, shown=replace(m.shown, se=None, low=None, high=None), loss=replace(m.loss, se=None))
        for m in record.models
    )
    pairs = tuple(
        replace(p, low=None, high=None, p=None, p_adjusted=None, rows_to_decide=None) for p in record.pairs
    )
    covers = "no interval is offered yet for folds ordered in time"
    return replace(record, models=models, pairs=pairs, interval="none", interval_covers=covers)


AUC = MetricRecord(
    "auc",
    "AUC",
    "share of pairs",
    higher_is_better=True,
    of_set=True,
    root=False,
    lowest=0.0,
    highest=1.0,
    of_positive=True,
)
LOG_LOSS = MetricRecord("log-loss", "log-loss", "nats per row", root=False, lowest=0.0)
RMSE = MetricRecord("squared-error", "RMSE", "unit of the target", root=True, lowest=0.0)
OWN = MetricRecord(
    "gain", "gain", "", True, "its standard error is that of the jackknife", of_set=True, root=False
)


def by_auc():
    """Return a comparison by AUC whose intervals reach 1, with a leader, causes and a positive class."""
    record = comparison(losses=(0.98, 0.95, 0.5), ses=(0.01, 0.02, 0.0))
    shown = [replace(m.shown, high=min(m.shown.high, 1.0)) for m in record.models]
    why = (
        WhyRecord(Part(0.01, -0.01, 0.03), None, None, "none", "logistic comes first."),
        WhyRecord(Part(0.04, 0.02, 0.06), Part(-0.01, None, None), Part(0.04, None, None), "unclear", "?"),
        WhyRecord(
            Part(0.0, 0.0, 0.0), Part(0.5, 0.4, 0.6), Part(0.0, 0.0, 0.0), "bias", "dummy loses to bias."
        ),
    )
    models = tuple(
        replace(m, loss=each, shown=each, why=reason)
        for m, each, reason in zip(record.models, shown, why, strict=True)
    )
    return replace(
        record,
        metric=AUC,
        models=models,
        task=replace(record.task, positive="b"),
        leader=LeaderRecord("logistic", 0.98, 0.97, 0.95, 0.99, 2, "bootstrap bias correction"),
    )


def measured(record, metric, note=""):
    """Return the models of a comparison as a further measure, the last without a value."""
    shown = [m for m in record.models if m.shown is not None]
    models = tuple(MeasuredRecord(m.name, m.loss, m.shown, m.train_shown) for m in shown[:-1])
    pairs = tuple(p for p in record.pairs if shown[-1].name not in (p.a, p.b))
    verdict = f"No clear winner by {metric.shown_as} on 1 200 rows. {shown[-1].name} has no result."
    return MeasureRecord(
        replace(metric, note=note),
        (*models, MeasuredRecord(shown[-1].name, None, None, None)),
        pairs,
        verdict,
        None,
    )


def several_measures():
    record = comparison()
    further = (measured(by_auc(), AUC), measured(record, LOG_LOSS), measured(record, OWN, OWN.note))
    return replace(record, measures=further, task=replace(record.task, positive="b"), weight="w")


def own_split():
    record = by_auc()
    plan = PlanRecord(
        "split:part",
        "one split, 120 of 1200 rows held out",
        "the split is your own, column part",
        1,
        1,
        1080.0,
        120.0,
        True,
    )
    covers = "the loss, on new rows, of the one model fitted to the training rows"
    return replace(record, plan=plan, interval="holdout", interval_covers=covers, pair_interval="holdout")


def by_rmse():
    """Return a comparison by squared error, 100 and 144, which is shown as RMSE, 10 and 12."""
    record = comparison(("linear", "dummy"), (100.0, 144.0), (5.0, 6.0))
    models = tuple(
        replace(
            m, shown=Estimate(value, 0.25, value - 0.5, value + 0.5, "corrected-t"), train_shown=0.9 * value
        )
        for m, value in zip(record.models, (10.0, 12.0), strict=True)
    )
    return replace(record, models=models, metric=RMSE)


def auc_and_f1():
    record = by_auc()
    return replace(
        record, measures=(measured(record, MetricRecord("f1", "F1", "F1", higher_is_better=True)),)
    )


def with_reason(reason):
    record = comparison()
    broken = replace(model("svm-rbf with a name of its own", None, None), status=reason, ok=False)
    return replace(record, models=(*record.models, broken))


def long_reason():
    return with_reason("the estimator raised an error: " + "a long reason that no cell can hold, " * 12)


def tiny_and_huge():
    return comparison(("tiny", "huge"), (1.23e-9, 4.56e11), (1.1e-10, 3.2e10))


RECORDS = {
    "plain": comparison,
    "hostile": hostile,
    "twelve": twelve_long_names,
    "one": one_model,
    "failed": failed_and_partial,
    "time": without_intervals,
    "scales": tiny_and_huge,
    "auc": by_auc,
    "measures": several_measures,
    "own split": own_split,
    "rmse": by_rmse,
    "reason": long_reason,
}
