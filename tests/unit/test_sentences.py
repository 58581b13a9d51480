"""The sentence says of two models only what their own pair says, for every matrix of verdicts."""

import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from thetahat.judgment.pairs import verdict_of
from thetahat.judgment.sentences import sentence, winner
from thetahat.results.comparison import PairRecord

NAMES = ("ridge", "forest", "boosting", "dummy")
VERDICTS = ("better", "worse", "undecided", "equivalent")


def pair(a, b, verdict):
    return PairRecord(a, b, 0.0, -1.0, 1.0, 0.5, 0.5, verdict, "undecided", None)


@st.composite
def matrices(draw):
    names = draw(st.permutations(NAMES).map(lambda order: order[: draw(st.integers(2, 4))]))
    pairs = [pair(a, b, draw(st.sampled_from(VERDICTS))) for a, b in combinations(names, 2)]
    missing = draw(st.lists(st.sampled_from(("svm", "mlp")), unique=True))
    return names, pairs, missing


def listed(text):
    return set(re.split(r", | and ", text))


@given(matrices())
@settings(max_examples=400, deadline=None)
def test_the_headline_agrees_with_the_matrix(matrix):
    names, pairs, missing = matrix
    said = sentence(pairs, names, "dummy", 100, None, missing)
    best = [
        name
        for name in names
        if name != "dummy" and all(verdict_of(pairs, name, o) == "better" for o in names if o != name)
    ]
    assert winner(pairs, names, "dummy") == (best[0] if best else None)
    assert ("is best" in said) == bool(best)
    if best:
        assert said.startswith(f"{best[0]} is best")
    learned = {
        n for n in names if n != "dummy" and "dummy" in names and verdict_of(pairs, n, "dummy") == "better"
    }
    nothing = "dummy" in names and not learned
    assert ("no proof of learning" in said or "Nothing was learned" in said) == nothing
    if found := re.search(r"Better than dummy, which ignores the features: ([^.]*)\.", said):
        assert listed(found[1]) == learned
    if found := re.search(r"No clear winner: ([^:;.]*) cannot be told apart on", said):
        group = listed(found[1])
        assert all(verdict_of(pairs, a, b) == "undecided" for a, b in combinations(sorted(group), 2))
    for verdict, words in (
        ("undecided", r"([a-z, ]+) cannot be told apart from (\w+)"),
        ("equivalent", r"([a-z, ]+) (?:is|are) equivalent to (\w+)"),
        ("better", r"([a-z, ]+) (?:is|are) better than (\w+) on"),
    ):
        for those, leader in re.findall(words, said.split(": ", 1)[-1].split(". ")[0]):
            assert all(verdict_of(pairs, each, leader) == verdict for each in listed(those.strip()))
    for name in missing:
        assert re.search(rf"\b{name}\b[^.]* ha(s|ve) no result", said)
    assert ("with a result" in said) == bool(best and missing)


def test_a_model_that_learned_is_named_though_the_first_is_not_told_from_the_floor():
    """As on 32 rows, where the first has a large error and the second a small one."""
    pairs = [
        pair("forest", "linear", "undecided"),
        pair("forest", "dummy", "undecided"),
        pair("linear", "dummy", "better"),
    ]
    assert sentence(pairs, ["forest", "linear", "dummy"], "dummy", 32) == (
        "No clear winner: linear and dummy cannot be told apart from forest on 32 rows. "
        "Better than dummy, which ignores the features: linear."
    )


def test_where_no_pair_has_an_interval_nothing_is_judged():
    pairs = [PairRecord("linear", "dummy", -1.0, None, None, None, None, "undecided", "undecided", None)]
    assert sentence(pairs, ["linear", "dummy"], "dummy", 40) == (
        "No verdict on 40 rows: there is no interval, so no difference can be separated from noise."
    )
