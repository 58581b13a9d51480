"""What depends on what it must not depend on is counted as a fault."""

import time

import numpy as np
import pytest

from tests.torture import determinism
from tests.torture.circumstances import Found, How, Work
from tests.torture.determinism import Case, drawn, run
from tests.torture.sameness import apart, digests

EVERYWHERE = {"run again", "fresh process"}


def plain(value):
    return Found(value, value)


def sound(seed, how):
    return plain(np.random.default_rng(seed).normal(size=3))


def of_the_global_generator(seed, how):
    return plain(np.random.normal(size=3))  # noqa: NPY002 -- the fault that is injected


def by_the_order_of_a_set(seed, how):
    return plain("".join({f"column {k}" for k in range(20)}))


def after_what_was_done_before(seed, how, done=[]):  # noqa: B006 -- the fault that is injected
    done.append(seed)
    return plain(len(done))


def by_the_workers(seed, how):
    return plain(float(how.jobs))


def by_the_order_of_rows(seed, how):
    return Found(1.0 + 1e-6 * how.permuted, 1.0 + 1e-6 * how.permuted)


def rounded(seed, how):
    return Found(1.0 + 1e-15 * how.permuted, [how.permuted])


def refused(seed, how):
    raise ValueError("no")


def with_a_clock(seed, how):
    return plain({"answer": 1.0, "seconds": time.perf_counter()})


WORKS = {
    "sound": Work(sound, {"jobs": 0.0, "row order": 1e-12}),
    "global": Work(of_the_global_generator),
    "set": Work(by_the_order_of_a_set),
    "before": Work(after_what_was_done_before),
    "workers": Work(by_the_workers, {"jobs": 0.0}),
    "rows": Work(by_the_order_of_rows, {"row order": 1e-9}),
    "rounded": Work(rounded, {"row order": 1e-12}),
    "refused": Work(refused),
    "clock": Work(with_a_clock),
}


GUILTY = {
    "global": EVERYWHERE,
    "before": {"run again"},
    "set": {"fresh process"},
    "workers": {"jobs"},
    "rows": {"row order"},
    "refused": EVERYWHERE,
}


def test_a_broken_promise_is_counted_and_a_kept_one_is_not():
    record = run(50, np.random.default_rng(0), "tests.torture.test_determinism:WORKS")
    assert record.cases == 50
    found = {name: {varied for varied in determinism.VARIED if any(
        line.startswith(f"{name}, ") and f", {varied}" in line for line in record.findings
    )} for name in WORKS}  # fmt: skip
    # A count of what was done before may come out otherwise in a new process, too.
    found["before"].discard("fresh process")
    assert {name: varied for name, varied in found.items() if varied} == GUILTY
    assert record.faults == record.dishonest == len(record.findings)
    assert record.dishonest == sum(int(row[-1]) for row in record.parts.values())
    assert record.parts["row order, to rounding"][2] != "0"


def test_each_piece_of_work_is_put_under_all_that_it_heeds():
    cases = drawn(5000, np.random.default_rng(0), determinism.WORK)
    tried = {(case.work, case.varied) for case in cases}
    for name, work in determinism.WORK.items():
        assert {(name, varied) for varied in EVERYWHERE | set(work.heeds)} <= tried
    assert set(determinism.VARIED) == {case.varied for case in cases}


def test_findings_can_be_made_again_from_their_words():
    assert str(Case("compare", 3, "jobs", 0)) == "compare, seed 3, jobs jobs=2"


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [
        (np.arange(3.0), np.arange(3.0), 0.0),
        (np.array([1.0, 2.0]), np.array([1.0, 2.5]), 0.2),
        (np.array([0.0]), np.array([-0.0]), 5e-324),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0]), 0.0),
        (np.array([np.nan, 1.0]), np.array([1.0, 1.0]), np.inf),
        (np.arange(3), np.arange(1, 4), np.inf),
        (np.arange(3.0), np.arange(3.0, dtype=np.float32), np.inf),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}, np.inf),
        ("text", "other", np.inf),
        (2**100, 2**100 + 1, np.inf),
        (2**100, 2**100, 0.0),
    ],
)
def test_results_are_as_far_apart_as_their_numbers(one, other, far):
    assert apart(one, other)[0] == pytest.approx(far, rel=1e-12)
    assert (digests(one) == digests(other)) == (far == 0)


def test_circumstances_differ_from_what_they_are_held_against():
    for name, varied in determinism.VARIED.items():
        under = varied.under is not varied.base_under
        elsewhere = name in {*determinism.ELSEWHERE, "run again", "Dask workers"}
        assert under or elsewhere or all(how != varied.base for how in varied.settings), name
    assert How() == How()
