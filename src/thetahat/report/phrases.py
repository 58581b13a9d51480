"""Turns of phrase that the terminal, the page and the pictures share."""

from __future__ import annotations

from collections.abc import Sequence

from thetahat.results.comparison import ComparisonRecord

__all__ = ["VERDICTS", "direction", "interval_sentence", "listed", "plan_sentence"]

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


def plan_sentence(record: ComparisonRecord) -> str:
    """Say how rows were held out, and how much of that was done."""
    plan = record.plan
    done = "" if plan.draws == plan.draws_planned else f", {plan.draws} of {plan.draws_planned} draws done"
    return f"{plan.sentence}{done} ({plan.why})."
