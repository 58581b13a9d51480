"""Sentences that the terminal, the page and the pictures share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from thetahat.display import numbers
from thetahat.report.metric import is_loss, is_of_set, is_root, looks_for_positive
from thetahat.results.comparison import ComparisonRecord, MetricRecord

__all__ = [
    "VERDICTS",
    "basis_sentence",
    "failures",
    "interval_sentence",
    "leader_sentence",
    "listed",
    "measure_sentence",
    "notes",
    "pairs_sentence",
    "plan_sentence",
    "positive_class",
    "rows_sentence",
    "tuning_sentence",
    "whose_splits",
    "why_sentence",
]

VERDICTS = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent",
    "undecided": "can't separate",
}


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def interval_sentence(record: ComparisonRecord) -> str:
    """Say which intervals these are and what they cover."""
    covers = record.interval_covers
    if record.interval == "none":
        return f"No intervals: {covers}."
    if not is_loss(record.metric):
        covers = re.sub(r"\b(?:loss|error)\b", lambda _: record.metric.shown_as, covers)
    said = f"Intervals: {record.interval}, {100 * record.level:g} %; each covers {covers}."
    if record.plan.own and record.interval == "corrected-t":
        said += " It treats your splits as random ones."
    return said


def basis_sentence(record: ComparisonRecord) -> str:
    """Say what number the verdict rests on."""
    metric = record.metric
    way = "higher is better" if metric.higher_is_better else "lower is better"
    if is_of_set(metric):
        over = "the held-out rows" if record.plan.draws_planned == 1 else "the held-out rows of each draw"
        mean = "" if record.plan.draws_planned == 1 else ", averaged over draws"
        return f"The verdict rests on the {metric.shown_as} of {over}{mean}; {way}."
    if is_root(metric):
        name = metric.name.replace("-", " ")
        shown = f"shown as its root, {metric.shown_as}"
        return f"The verdict rests on the mean {name} per held-out row, {shown}; {way}."
    return f"The verdict rests on the {metric.shown_as}, a mean over held-out rows; {way}."


def leader_sentence(record: ComparisonRecord) -> str:
    """Say what the leader's value is, corrected for having been chosen; empty where there was no choice."""
    leader = record.leader
    if leader is None:
        return ""
    width = (leader.high - leader.low) / 4
    return (
        f"Corrected for having been chosen as the best of {leader.among}, the {record.metric.shown_as} of "
        f"{leader.name} is {numbers.beside(leader.estimate, width or None)} "
        f"({numbers.interval(leader.low, leader.high, width)})."
    )


def pairs_sentence(record: ComparisonRecord) -> str:
    """Say how the difference of two models is judged."""
    by = _judged_on(record)
    differ = [p for p in record.pairs if p.other is not None and p.other != p.verdict]
    if not record.other_pair_interval or not record.pairs:
        return f"Pairs are judged on {by}."
    if not differ:
        return f"Pairs are judged on {by}; {record.other_pair_interval} says the same of every pair."
    which = "; ".join(f"{p.a} and {p.b}: {VERDICTS[p.other or p.verdict]}" for p in differ[:3])
    more = f"; and {len(differ) - 3} more" if len(differ) > 3 else ""
    return f"Pairs are judged on {by}; {record.other_pair_interval} says otherwise of {which}{more}."


def _judged_on(record: ComparisonRecord) -> str:
    metric, by = record.metric, record.pair_interval
    name = metric.shown_as
    if is_of_set(metric):
        rows = f"the influence of each row on the difference of {name}"
        said = {
            "clt": f"{rows} (clt)",
            "corrected-t": f"the differences of {name} fold by fold (corrected-t)",
            "groups": f"{rows}, summed over each group of rows (groups)",
            "blocks": f"{rows}, summed over stretches of time (blocks)",
            "holdout": f"{rows} (holdout)",
        }
        return said.get(by, f"the differences of {name} on the same rows")
    values = "losses" if is_loss(metric) else f"{name} values"
    means = "mean losses" if is_loss(metric) else f"mean {name}"
    said = {
        "clt": f"the differences of their {values} row by row (clt)",
        "corrected-t": f"the differences of their {means} fold by fold (corrected-t)",
        "groups": f"the differences of their {values}, summed over each group of rows (groups)",
        "blocks": f"the differences of their {values}, summed over stretches of time (blocks)",
    }
    return said.get(by, f"the differences of their {values} on the same rows")


def plan_sentence(record: ComparisonRecord) -> str:
    """Say how rows were held out, and how much of that was done."""
    plan = record.plan
    said = plan.sentence[:1].upper() + plan.sentence[1:]
    if plan.draws_planned == 1 and not plan.own:
        rows = _held_out_rows(plan.mean_test_rows)
        said += f": {rows}" if "one split" in plan.sentence else f": one split of {rows}"
    elif plan.draws != plan.draws_planned:
        said += f", {plan.draws} of {plan.draws_planned} draws done"
    return f"{said} ({plan.why})."


def whose_splits(record: ComparisonRecord) -> str:
    """Say that the user drew the splits; empty where thetahat drew them."""
    why = record.plan.why
    return f"{why[:1].upper()}{why[1:]}." if record.plan.own else ""


def _held_out_rows(rows: float) -> str:
    return f"{numbers.count(rows)} held-out row{'' if rows == 1 else 's'}"


def rows_sentence(record: ComparisonRecord) -> str:
    """Say how many rows the numbers rest on."""
    rows = numbers.count(record.data.rows_used)
    if record.plan.draws_planned == 1:
        return f"n = {_held_out_rows(record.plan.mean_test_rows)} of {rows}"
    return f"n = {rows} rows"


def notes(record: ComparisonRecord) -> list[str]:
    """Return what must be said beside the numbers: positive class, weights, origin of the error bar."""
    said = []
    if positive := positive_class(record, record.metric):
        said.append(f"Positive class: {positive}.")
    if record.weight:
        said.append(
            f"Rows are weighted by column {record.weight}: estimates count a row of weight two twice; "
            "standard errors count rows."
        )
    if record.metric.note:
        said.append(f"{record.metric.shown_as}: {record.metric.note}.")
    return said


def positive_class(record: ComparisonRecord, metric: MetricRecord) -> str:
    """Return the class that a measure looks for; empty if it looks for none."""
    return record.task.positive if looks_for_positive(metric) else ""


def failures(record: ComparisonRecord) -> list[str]:
    """Return a sentence for each model without a result."""
    return [f"{m.name} has no result: {m.status.rstrip('.')}." for m in record.models if m.shown is None]


def measure_sentence(view: ComparisonRecord, *, positive: bool = True) -> str:
    """Say in short what a further measure gives: the first model's estimate and the verdict.

    Parameters
    ----------
    view : ComparisonRecord
        The comparison by that measure.
    positive : bool
        Whether to name the positive class.
    """
    metric = view.metric
    verdict = view.verdict.replace(f" on {numbers.count(view.data.rows_used)} rows", "")
    fitted = [model for model in view.models if model.shown is not None]
    if not fitted:
        return f"{metric.shown_as}: {verdict}"
    first = fitted[0].shown
    assert first is not None
    said = f"{metric.shown_as}: {fitted[0].name} {numbers.with_error(first.estimate, first.se)}"
    if first.low is not None:
        said += f" ({numbers.interval(first.low, first.high, first.se)})"
    if positive and (label := positive_class(view, metric)):
        said += f", positive class {label}"
    return f"{said}. {verdict}"


def tuning_sentence(record: ComparisonRecord) -> str:
    """Say what tuning chose inside the training folds, and what it cost; empty where nothing was tuned."""
    tuned = [(model, model.tuning) for model in record.models if model.tuning and model.tuning.choices]
    if not tuned:
        return ""
    said = []
    for model, tuning in tuned:
        first = tuning.choices[0]
        point = ", ".join(f"{name} = {value}" for name, value in first.parameters.items())
        said.append(f"{model.name} {point} (in {first.draws} of {sum(c.draws for c in tuning.choices)})")
    spent = sum(tuning.seconds for _, tuning in tuned)
    whole = sum(model.fit_seconds or 0.0 for model in record.models)
    share = f" Choosing took {100 * spent / whole:.0f} % of the time to fit." if whole > 0 else ""
    return (
        f"Tuned inside each training fold ({tuned[0][1].folds} inner folds), most often to "
        f"{'; '.join(said)}.{share}"
    )


def why_sentence(record: ComparisonRecord) -> str:
    """Say in a line which models lose to what; empty where none is worse than the first."""
    by_cause = {
        cause: [model.name for model in record.models if model.why is not None and model.why.cause == cause]
        for cause in ("bias", "variance", "both", "unclear")
    }
    words = {"bias": "to bias", "variance": "to variance", "both": "to bias and to variance"}
    said = [
        f"{listed(names)} {'loses' if len(names) == 1 else 'lose'} {words[cause]}"
        for cause, names in by_cause.items()
        if names and cause in words
    ]
    if names := by_cause["unclear"]:
        said.append(f"these draws do not show why {listed(names)} {'is' if len(names) == 1 else 'are'} worse")
    return f"Why: {'; '.join(said)}." if said else ""
