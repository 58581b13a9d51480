import numpy as np
import pytest

from thetahat.judgment.pairs import Rule, holm, judge
from thetahat.judgment.sentences import sentence, winner
from thetahat.resampling.intervals import CorrectedT, OverDraws

RULE = Rule(CorrectedT(), 0.95, None, "holm", CorrectedT())


def over(values):
    return OverDraws(np.asarray(values), np.full(len(values), 90.0), np.full(len(values), 10.0))


def losses(**shift):
    hard = np.random.default_rng(0).normal(1.0, 0.5, size=10)
    return {
        name: over(hard + by + 0.01 * np.random.default_rng(k).normal(size=10))
        for k, (name, by) in enumerate(shift.items())
    }


def test_a_gap_that_every_fold_shares_is_found_where_the_textbook_rule_sees_nothing():
    (pair,) = judge(losses(good=0.0, bad=0.1), RULE)
    assert (pair.verdict, pair.textbook) == ("better", "undecided")


def test_equivalence_takes_precedence_over_better():
    (pair,) = judge(losses(good=0.0, bad=0.1), Rule(CorrectedT(), 0.95, 0.5, "holm", CorrectedT()))
    assert pair.verdict == "equivalent"


def test_equal_losses_are_undecided_and_no_number_of_rows_is_invented():
    same = over(np.linspace(0, 1, 10))
    (pair,) = judge({"a": same, "b": same}, RULE)
    assert (pair.verdict, pair.p, pair.rows_to_decide) == ("undecided", 1.0, None)


def test_holm_multiplies_the_smallest_by_the_count_and_never_decreases():
    assert holm(np.array([0.03, 0.01, 0.04])) == pytest.approx([0.06, 0.03, 0.06])


def test_the_floor_never_wins_and_the_sentence_says_so():
    pairs = judge(losses(dummy=0.0, forest=0.1), RULE)
    assert winner(pairs, ["dummy", "forest"], "dummy") is None
    assert sentence(pairs, ["dummy", "forest"], "dummy", 100).startswith("Nothing was learned")


def test_a_clear_winner_is_named():
    pairs = judge(losses(forest=0.0, dummy=0.1), RULE)
    assert winner(pairs, ["forest", "dummy"], "dummy") == "forest"
