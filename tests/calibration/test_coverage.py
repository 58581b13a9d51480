"""Coverage and error rates against known truths: short in CI, long under ``-m slow``."""

import numpy as np
import pytest

from tests.calibration import cases
from tests.calibration.simulators import hat, held_out_residuals

# Coverage of the error of the fitted model at n = 40, 100, 200, 400, from independent simulations.
TRUTH = {
    "plain, t": (0.75, 0.89, 0.91, 0.93),
    "corrected-t, 25 random splits of 90/10": (0.80, 0.91, 0.93, 0.95),
    "nested": (0.97, 0.95, 0.95, 0.95),
    "clt": (0.67, 0.87, 0.91, 0.94),
}
SHORT = 400


def slack(truth, runs):
    return 4 * np.sqrt(truth * (1 - truth) / runs)


def test_residuals_held_out_by_formula_equal_refitting():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 5)), rng.normal(size=30)
    H, r, _ = hat(X, y)
    test = np.array([2, 7, 20])
    kept = np.setdiff1d(np.arange(30), test)
    _, _, b = hat(X[kept], y[kept])
    refit = y[test] - b[0] - X[test] @ b[1:]
    assert held_out_residuals(H, r, [test])[0] == pytest.approx(refit, rel=1e-10)


@pytest.mark.parametrize("n", [40, 100])
@pytest.mark.parametrize("name", [name for name in TRUTH if name != "nested"])
def test_coverage_is_near_the_truth_in_short(name, n):
    truth = TRUTH[name][cases.SIZES.index(n)]
    found = cases.covered(name, n, SHORT, np.random.default_rng(1))["fitted"]
    assert abs(found - truth) < 0.025 + slack(truth, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("n", cases.SIZES)
@pytest.mark.parametrize("name", TRUTH)
def test_coverage_is_the_truth(name, n):
    runs = 1000 if name == "nested" else 4000
    truth = TRUTH[name][cases.SIZES.index(n)]
    found = cases.covered(name, n, runs, np.random.default_rng(2))["fitted"]
    assert abs(found - truth) < 0.025 + (slack(truth, runs) if name == "nested" else 0)


def test_the_standard_error_of_the_632_bootstrap_is_the_spread_of_its_estimate_in_short():
    found = cases.covered_by_refitting("bootstrap632+", 100, 60, np.random.default_rng(7))
    assert 0.85 < found["se ratio"] < 1.5
    assert abs(found["bias"]) < 0.2
    assert found["expected"] > 0.8


def test_conservative_z_is_conservative_in_short():
    found = cases.covered_by_refitting("conservative-z", 100, 60, np.random.default_rng(8))
    assert found["se ratio"] > 1.3
    assert found["expected"] >= 0.95


@pytest.mark.parametrize("plan", ["cv:10", "cv:3x10"])
def test_the_default_verdict_rejects_a_true_null_no_more_than_it_may_in_short(plan):
    for n in (60, 100, 200):
        found = cases.told_apart(plan, n, 0.0, SHORT, np.random.default_rng(n))
        assert found["clt (default from 60 rows)"] < 0.06 + slack(0.06, SHORT)
    found = cases.told_apart(plan, 40, 0.0, SHORT, np.random.default_rng(40))
    assert found["corrected-t (default below)"] < 0.06 + slack(0.06, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["cv:10", "cv:3x10"])
def test_the_default_verdict_rejects_a_true_null_no_more_than_it_may(plan):
    for n in (60, 100, 200):
        assert (
            cases.told_apart(plan, n, 0.0, 4000, np.random.default_rng(n))["clt (default from 60 rows)"]
            <= 0.06
        )
    below = cases.told_apart(plan, 40, 0.0, 4000, np.random.default_rng(40))
    assert below["corrected-t (default below)"] <= 0.06


def test_the_correction_matters_and_the_textbook_rule_sees_next_to_nothing():
    null = cases.told_apart("cv:10x10", 100, 0.0, SHORT, np.random.default_rng(5))
    assert abs(null["uncorrected t over folds"] - 0.40) < 0.025 + slack(0.4, SHORT)
    gap = cases.told_apart("cv:10", 200, 0.4, SHORT, np.random.default_rng(6))
    assert abs(gap["clt (default from 60 rows)"] - 0.60) < 0.05 + slack(0.6, SHORT)
    assert gap["textbook: plain intervals must not overlap"] < 0.03


@pytest.mark.parametrize(("n", "naive", "corrected"), [(20, 0.159, 0.05), (100, 0.041, 0.02)])
def test_a_selected_winner_is_corrected(n, naive, corrected):
    found = cases.winner(n, 150, np.random.default_rng(n))
    assert abs(found["naive"] - naive) < 0.02
    assert -corrected - 0.01 < found["corrected"] < 0.01
    assert found["covered"] > 0.95 - slack(0.95, 150)


def test_groups_of_rows_are_not_taken_for_rows_in_short():
    found = cases.told_apart_by_groups(40, 5, SHORT, np.random.default_rng(0))
    assert found["groups (default from 30 groups)"] < 0.06 + slack(0.06, SHORT)
    assert found["clt, as if rows were independent"] > 0.1
    few = cases.told_apart_by_groups(10, 10, SHORT, np.random.default_rng(0))
    assert few["corrected-t (default below)"] < 0.06 + slack(0.06, SHORT)


@pytest.mark.slow
def test_verdicts_over_groups_reject_a_true_null_no_more_than_they_may():
    for groups, each in ((30, 10), (60, 5)):
        found = cases.told_apart_by_groups(groups, each, 4000, np.random.default_rng(groups))
        assert found["groups (default from 30 groups)"] <= 0.06


def test_stretches_of_time_are_not_taken_for_rows_in_short():
    found = cases.told_apart_in_time(240, 0.8, SHORT, np.random.default_rng(0))
    assert found["blocks (default)"] < 0.06 + slack(0.06, SHORT)
    assert found["clt, as if rows were independent"] > 0.2
