"""Malformed input: tables that should not be × every learner and public function."""

from __future__ import annotations

from collections import Counter
from typing import Any

from numpy.random import Generator

from tests.torture.capped import Lost, run_capped
from tests.torture.outcome import Outcome, ours, peers
from tests.torture.record import Peer, Record
from tests.torture.subjects import SUBJECTS
from tests.torture.tables import Case, draw

__all__ = ["CLAIM", "LONG", "NOT_COVERED", "SHORT", "TITLE", "run"]

TITLE = "Malformed input"
CLAIM = """Tables drawn by hypothesis are given to every learner and public function, with the counterpart
of scikit-learn, statsmodels or SciPy beside it: NaN, ±inf, 1e±300, denormals, text and None among
numbers, ten dtypes; no rows, one row, fewer rows than columns; constant, duplicate, collinear and far-off
columns; classes of one row; targets and weights of every wrong kind; strided, reversed, read-only, sparse,
1-d and 3-d arrays, lists, pandas, polars. What calls itself converged is worked out again in extended
precision: slopes, KKT gaps, residuals."""
NOT_COVERED = """Tables of more than 40 rows or 50 columns; settings other than a few of each learner;
`RuntimeWarning`s of arithmetic; results of functions without a status beyond NaN and the checks of
`tests/torture/functions.py`; `th.calibrate`, `th.fit_partitions`; a peer runs every eighth case."""
SHORT = 1_000
LONG = 20_000
CAP = 60.0
# Peers take time too: this part of the cases is enough to count by.
PEER_SHARE = 8


def run(cases: int, rng: Generator) -> Record:
    """Run that many cases of ours, and every eighth that has a peer on the peer."""
    names = tuple(name for name, subject in SUBJECTS.items() for _ in range(subject.share))
    drawn = draw(names, cases, rng)
    found = run_capped(ours, drawn, cap=CAP)
    findings = [_line(case, each) for case, each in zip(drawn, found, strict=True) if _wrong(each)]
    kinds = Counter(each.kind for each in found if isinstance(each, Outcome))
    slowest = max(
        (each.seconds, case.subject)
        for case, each in zip(drawn, found, strict=True)
        if not isinstance(each, Lost)
    )
    return Record(
        cases=len(drawn),
        crashes=kinds["crash"] + sum(isinstance(each, Lost) and not each.hung for each in found),
        hangs=sum(isinstance(each, Lost) and each.hung for each in found),
        dishonest=kinds["false success"],
        findings=findings,
        peers=_peers([case for case in drawn if SUBJECTS[case.subject].peer][::PEER_SHARE]),
        notes=[
            f"Of ours {kinds['refused']:,} were refused with a cause, {kinds['said']:,} came with a warning "
            f"or a status that says what is wrong, and {kinds['converged']:,} called converged and held; "
            f"the slowest took {slowest[0]:.1f} s ({slowest[1]})."
        ],
    )


def _wrong(each: Any) -> bool:
    return isinstance(each, Lost) or each.fault


def _line(case: Case, each: Any) -> str:
    what = (
        ("hang" if each.hung else f"lost, {each.cause}")
        if isinstance(each, Lost)
        else f"{each.kind}, {each.words}"
    )
    return f"{what}: {case}"


def _peers(cases: list[Case]) -> list[Peer]:
    found = run_capped(peers, cases, cap=CAP)
    kinds = Counter(each.kind for each in found if isinstance(each, Outcome))
    return [
        Peer(
            "its counterpart in scikit-learn, statsmodels or SciPy",
            len(cases),
            kinds["crash"] + sum(isinstance(each, Lost) and not each.hung for each in found),
            sum(isinstance(each, Lost) and each.hung for each in found),
            kinds["false success"],
        )
    ]
