"""From verdicts on pairs to sentences: which model is best, what cannot be told, what would change that.

Every sentence follows from the pairs. It says of two models only what their own pair says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thetahat.display import numbers
from thetahat.judgment.pairs import pair_of, verdict_of
from thetahat.measures.measure import Measure
from thetahat.results.comparison import PairRecord

__all__ = ["against_baseline", "listed", "sentence", "winner", "would_change"]


def winner(pairs: Sequence[PairRecord], names: Sequence[str], floor: str) -> str | None:
    """Return the model that is better than every other, or None; the floor never wins.

    Parameters
    ----------
    pairs : sequence of PairRecord
        Every pair of the models.
    names : sequence of str
        The models with a result, best first.
    floor : str
        The model that ignores the features.
    """
    if len(names) < 2:
        return None
    for name in names:
        if name != floor and all(
            verdict_of(pairs, name, other) == "better" for other in names if other != name
        ):
            return name
    return None


def sentence(
    pairs: Sequence[PairRecord],
    names: Sequence[str],
    floor: str,
    rows: int,
    measure: Measure | None = None,
    missing: Sequence[str] = (),
    held_out: int | None = None,
) -> str:
    """Say which model is best, which cannot be told apart, and which have no result.

    Parameters
    ----------
    pairs, names, floor
        As for :func:`winner`.
    rows : int
        How many rows the comparison rests on.
    measure : Measure, optional
        What was measured; a loss by default.
    missing : sequence of str
        Models without a result.
    held_out : int, optional
        Rows that some draw held out, where these are not all rows.
    """
    on = (
        f"on {numbers.count(rows)} rows"
        if held_out is None
        else f"on {numbers.count(held_out)} held-out rows"
    )
    said = _headline(pairs, names, floor, on, measure, bool(missing))
    if missing and names:
        said += f" {listed(missing)} {'has' if len(missing) == 1 else 'have'} no result."
    return said


def _headline(
    pairs: Sequence[PairRecord],
    names: Sequence[str],
    floor: str,
    on: str,
    measure: Measure | None,
    missing: bool,
) -> str:
    if not names:
        return "No model could be fitted."
    if len(names) == 1:
        return f"Only {names[0]} could be fitted, so there is nothing to compare it with."
    if all(pair.p is None for pair in pairs):
        return f"No verdict {on}: there is no interval, so no difference can be separated from noise."
    best = winner(pairs, names, floor)
    if best:
        what = "loss is lower"
        if measure is not None and measure.higher_is_better:
            what = f"{measure.shown_as} is higher"
        others = "every other model" + (" with a result" if missing else "")
        return f"{best} is best: its {what} than that of {others} {on}."
    learned = [m for m in names if m != floor and floor in names and verdict_of(pairs, m, floor) == "better"]
    if floor in names and not learned:
        ignoring = f"{floor}, which ignores the features, {on}."
        if names[0] == floor:
            return f"Nothing was learned: no model does better than {ignoring}"
        return f"No clear winner, and no proof of learning: no model is shown to be better than {ignoring}"
    leader = names[0]
    beside = [m for m in names[1:] if verdict_of(pairs, leader, m) != "better"]
    said = _together(pairs, leader, beside, on)
    unproven = [m for m in (leader, *beside) if floor in names and m not in learned and m != floor]
    if unproven or floor in beside:
        said += f" Better than {floor}, which ignores the features: {listed(learned)}."
    return said


def _together(pairs: Sequence[PairRecord], leader: str, beside: Sequence[str], on: str) -> str:
    """Say how the models that the first is not better than stand to each other."""
    group = [leader, *beside]
    among = {verdict_of(pairs, a, b) for k, a in enumerate(group) for b in group[k + 1 :]}
    if among == {"equivalent"}:
        return f"{listed(group)} are equivalent: they differ by less than the margin {on}."
    if among == {"undecided"}:
        return f"No clear winner: {listed(group)} cannot be told apart {on}."
    said = []
    for verdict, words in (
        ("undecided", "cannot be told apart from"),
        ("equivalent", "{is} equivalent to"),
        ("worse", "{is} better than"),
    ):
        those = [m for m in beside if verdict_of(pairs, leader, m) == verdict]
        if those:
            said.append(
                f"{listed(those)} {words.format(**{'is': 'is' if len(those) == 1 else 'are'})} {leader}"
            )
    return f"No clear winner: {'; '.join(said)} {on}."


def against_baseline(pairs: Sequence[PairRecord], names: Sequence[str], baseline: str) -> str:
    """Say how the models compare with the one that was named as the baseline.

    Parameters
    ----------
    pairs, names
        As for :func:`winner`.
    baseline : str
        The model that the others are compared with.
    """
    if baseline not in names:
        return f"The baseline {baseline} has no result."
    verdicts = {other: verdict_of(pairs, other, baseline) for other in names if other != baseline}
    words = [
        f"{listed(those)} {words.format(**{'is': 'is' if len(those) == 1 else 'are'})}"
        for verdict, words in (
            ("better", "{is} better"),
            ("equivalent", "{is} equivalent"),
            ("undecided", "cannot be told apart from it"),
            ("worse", "{is} worse"),
        )
        if (those := [name for name, found in verdicts.items() if found == verdict])
    ]
    return f"Against the baseline {baseline}: {'; '.join(words)}." if words else ""


def would_change(
    pairs: Sequence[PairRecord],
    shown: Mapping[str, float],
    floor: str,
    rows: int,
    measure: Measure,
) -> str:
    """Say what would change the verdict: about how many rows, as things stand.

    Parameters
    ----------
    pairs, floor, rows
        As for :func:`sentence`.
    shown : mapping of str to float
        Every model with a result and its estimate as people are shown it, best first.
    measure : Measure
        What was measured.
    """
    names = list(shown)
    if len(names) < 2:
        return ""
    best = winner(pairs, names, floor)
    if best:
        second = next(name for name in names if name != best)
        gap = shown[second] - shown[best]
        return (
            f"{second} is next: its {measure.shown_as} is {'higher' if gap > 0 else 'lower'} by "
            f"{abs(gap):.3g}. Other data, other settings of the models, or a margin larger than the gap "
            "would change this."
        )
    leader = names[0]
    undecided = [
        (pair, other) for other in names[1:] if (pair := pair_of(pairs, leader, other)).verdict == "undecided"
    ]
    if not undecided:
        return "A smaller margin would ask for a finer distinction."
    pair, other = max(undecided, key=lambda found: abs(found[0].difference))
    if pair.p is None:
        return "More groups, stretches of time, or draws would give an interval."
    if pair.curve_rows is not None:
        return _by_curve(pair, leader, other)
    if pair.rows_to_decide is None:
        return (
            f"Between {leader} and {other} there is almost no gap to find, so more rows are unlikely to "
            "separate them; a margin (the smallest difference that matters) could show them equivalent."
        )
    return (
        f"If the gap between {leader} and {other} is real and stays as it is, about "
        f"{numbers.count(pair.rows_to_decide)} rows would show it (a rough guess from {numbers.count(rows)})."
    )


def _by_curve(pair: PairRecord, leader: str, other: str) -> str:
    needed = pair.curve_rows
    assert needed is not None
    if needed.rows is None:
        return (
            f"By the learning curves of {leader} and {other}, no number of rows is likely to separate them."
        )
    low = "" if needed.low is None else numbers.count(needed.low)
    high = "without limit" if needed.high is None else f"to {numbers.count(needed.high)}"
    return (
        f"By the learning curves of {leader} and {other}, about {numbers.count(needed.rows)} rows would "
        f"separate them ({low} {high})."
    )


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
