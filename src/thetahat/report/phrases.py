"""Turns of phrase that the terminal, the page and the pictures share."""

from __future__ import annotations

from collections.abc import Sequence

from thetahat.display import numbers
from thetahat.results.comparison import ComparisonRecord

__all__ = [
    "VERDICTS",
    "direction",
    "interval_sentence",
    "leader_sentence",
    "listed",
    "pairs_sentence",
    "plan_sentence",
    "tuning_sentence",
    "why_sentence",
]

VERDICTS = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent",
    "undecided": "can't separate",
}


def direction() -> str:
    """Say which way a loss is to be read."""
    return "lower is better"


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def interval_sentence(record: ComparisonRecord) -> str:
    """Say what the intervals cover."""
    if record.interval == "none":
        return f"No intervals: {record.interval_covers}."
    return f"Intervals: {record.interval}, {100 * record.level:g} %; each covers {record.interval_covers}."


def leader_sentence(record: ComparisonRecord) -> str:
    """Say what the leader's loss is, corrected for having been chosen; empty where there was no choice."""
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
    by = {
        "clt": "the differences of their losses row by row (clt)",
        "corrected-t": "the differences of their mean losses fold by fold (corrected-t)",
        "groups": "the differences of their losses, summed over each group of rows (groups)",
        "blocks": "the differences of their losses, summed over stretches of time (blocks)",
    }.get(record.pair_interval, "the differences of their losses on the same rows")
    differ = [p for p in record.pairs if p.other is not None and p.other != p.verdict]
    if not record.other_pair_interval or not record.pairs:
        return f"Pairs are judged on {by}."
    if not differ:
        return f"Pairs are judged on {by}; {record.other_pair_interval} says the same of every pair."
    which = "; ".join(f"{p.a} and {p.b}: {VERDICTS[p.other or p.verdict]}" for p in differ[:3])
    more = f"; and {len(differ) - 3} more" if len(differ) > 3 else ""
    return f"Pairs are judged on {by}; {record.other_pair_interval} says otherwise of {which}{more}."


def plan_sentence(record: ComparisonRecord) -> str:
    """Say how rows were held out, and how much of that was done."""
    plan = record.plan
    done = "" if plan.draws == plan.draws_planned else f", {plan.draws} of {plan.draws_planned} draws done"
    return f"{plan.sentence}{done} ({plan.why})."


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
    words = {
        "bias": "to bias",
        "variance": "to variance",
        "both": "to bias and to variance",
        "unclear": "to what these draws cannot say",
    }
    said = []
    for cause, to in words.items():
        names = [model.name for model in record.models if model.why is not None and model.why.cause == cause]
        if names:
            said.append(f"{listed(names)} {'loses' if len(names) == 1 else 'lose'} {to}")
    return f"Why: {'; '.join(said)}." if said else ""
