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
    MetricRecord,
    ModelRecord,
    PairRecord,
    PlanRecord,
    ProvenanceRecord,
    Score,
    TaskRecord,
    WarningRecord,
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
}
