"""The frame counts what it says it counts."""

import os
import time

from tests.torture.capped import Lost, run_capped
from tests.torture.page import rewrite
from tests.torture.record import Peer, Record


def misbehave(case):
    if case == "hang":
        time.sleep(60)
    if case == "die":
        os.abort()
    if case == "raise":
        raise RuntimeError("not caught")
    return case


def test_what_hangs_dies_or_raises_is_lost_and_the_rest_goes_on():
    cases = ["a", "hang", "b", "die", "raise", "c", "d"]
    answers = run_capped(misbehave, cases, cap=3.0)
    assert [answers[place] for place in (0, 2, 5, 6)] == ["a", "b", "c", "d"]
    hang, die, raised = (answers[place] for place in (1, 3, 4))
    assert isinstance(hang, Lost)
    assert hang.hung
    assert isinstance(die, Lost)
    assert not die.hung
    assert isinstance(raised, Lost)
    assert not raised.hung


class Trial:
    TITLE, CLAIM, NOT_COVERED = "A title", "A claim.", "the rest."


def test_one_section_is_rewritten_and_the_others_stay(tmp_path):
    page = tmp_path / "reliability.md"
    rewrite({"numerics": (Trial, Record(cases=7))}, page)
    rewrite({"malformed": (Trial, Record(cases=1234, crashes=2, peers=[Peer("peer", 9, hangs=3)]))}, page)
    text = page.read_text()
    assert text.index("<!-- malformed -->") < text.index("<!-- numerics -->")
    assert "| thetahat | 1,234 | 2 | 0 | 0 |" in text
    assert "| peer | 9 | 0 | 3 | 0 |" in text
    assert "| thetahat | 7 | 0 | 0 | 0 |" in text
    rewrite({"numerics": (Trial, Record(cases=8))}, page)
    assert page.read_text() == text.replace("| thetahat | 7 |", "| thetahat | 8 |")
