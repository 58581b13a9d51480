"""scikit-learn's own tests of its linear classes, run on ours.

The tests are those installed with scikit-learn: nothing is copied. Each module is imported while the public
names mean our classes, and run in a process of its own, so that no other test sees the exchange.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import thetahat.linear.classifiers as classifiers
import thetahat.linear.regressors as regressors

MODULES = ("test_base", "test_ridge", "test_logistic")
OURS = {
    "LinearRegression": regressors.LinearRegression,
    "Ridge": regressors.Ridge,
    "LogisticRegression": classifiers.LogisticRegression,
}
HOMES = ("", "._base", "._ridge", "._logistic")

NO_L1 = "there is no L1 penalty nor elastic net here"
ONE_METHOD = (
    "one method whatever the solver asked for: what a solver cannot do, or says of itself, is no error"
)
MAX_ITER = "the warning at max_iter is worded for the one method, or it is done in one step"
LIBLINEAR = "liblinear penalises the intercept or has a dual; here it is another name for Newton's method"
DEPRECATIONS = "arguments scikit-learn is about to remove are taken without its warnings"
CALLBACKS = "the callbacks of scikit-learn 1.9 are not offered"

# Which tests do not apply, as a pattern of the name and its parameters, and why.
EXCLUDED = {
    "test_base": {
        r"test_inplace_data_preprocessing\[.*-None\]": "copy_X=False must write to X; X is never written to",
    },
    "test_ridge": {
        r"test_n_iter": "counts the steps of iterative solvers; the solution here is direct",
        r"test_ridge_fit_intercept_sparse_(error|sag)": ONE_METHOD,
        r"test_ridge_positive_error_test": ONE_METHOD,
        r"test_lbfgs_solver_error": ONE_METHOD,
    },
    "test_logistic": {
        r"test_check_solver_option\[LogisticRegression\]": ONE_METHOD,
        r"test_elasticnet_l1_ratio_err_helpful\[LogisticRegression-": NO_L1,
        r"test_liblinear_dual_random_state": LIBLINEAR,
        r"test_logistic_cv\[": "compares with scikit-learn's LogisticRegressionCV to 6 decimals",
        r"test_sample_and_class_weight_equivalence_liblinear": NO_L1,
        r"test_logreg_l1": NO_L1,
        r"test_logistic_regression_cv_refit\[.*-1\]": NO_L1,
        r"test_logreg_predict_proba_multinomial": "calls _predict_proba_lr, a private method",
        r"test_max_iter\[.*newton-cholesky.*max_iter0": MAX_ITER,
        r"test_max_iter\[[0-9]+-(newton-cg|liblinear|sag|saga|lbfgs)-": MAX_ITER,
        r"test_saga_vs_liblinear\[.*-1\]": NO_L1,
        r"test_dtype_match\[.*-liblinear\]": "liblinear gives double for single; here single stays single",
        r"test_elastic_net_": NO_L1,
        r"test_LogisticRegression_elastic_net_objective": NO_L1,
        r"test_LogisticRegressionCV_GridSearchCV_elastic_net\[3\]": NO_L1,
        r"test_l1_ratio_non_elasticnet": NO_L1,
        r"test_c_inf_no_warning": "its classes are separable: at C=inf there is no maximum, and that is said",
        r"test_logisticregression_liblinear_sample_weight\[.*params0\]": NO_L1,
        r"test_scores_attribute_layout_elasticnet": NO_L1,
        r"test_large_sparse_matrix\[.*-(liblinear|sag|saga)\]": ONE_METHOD,
        r"test_liblinear_with_large_values": ONE_METHOD,
        r"test_liblinear_not_stuck": NO_L1,
        r"test_newton_cholesky_fallback_to_lbfgs": ONE_METHOD,
        r"test_liblinear_multiclass_raises\[LogisticRegression\]": ONE_METHOD,
        r"test_lr_penalty_l1ratio_incompatible": DEPRECATIONS,
        r"test_logistic_regression_callback_": CALLBACKS,
    },
}
# Fewer would mean that the tests were not found, or were skipped.
AT_LEAST = {"test_base": 80, "test_ridge": 1000, "test_logistic": 150}


@contextmanager
def exchanged() -> Iterator[None]:
    """Let scikit-learn's names mean our classes while a test module is imported, and no longer."""
    before = []
    for home in HOMES:
        module = importlib.import_module(f"sklearn.linear_model{home}")
        for name, ours in OURS.items():
            if hasattr(module, name):
                before.append((module, name, getattr(module, name)))
                setattr(module, name, ours)
    try:
        yield
    finally:
        for module, name, theirs in before:
            setattr(module, name, theirs)


class Outcomes:
    """What became of each test: passed, failed or skipped."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.said: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of what setting up, calling and tearing down said."""
        name = report.nodeid.rpartition("/")[2]
        if report.failed or name not in self.of or self.of[name] == "passed":
            self.of[name] = report.outcome
        if report.failed:
            self.said[name] = str(report.longrepr).splitlines()[-1]


def run(module: str, out: Path) -> None:
    """Run one module of tests on our classes and write what became of each."""
    name = f"sklearn.linear_model.tests.{module}"
    with exchanged():
        importlib.import_module(name)
    (out / "pytest.ini").write_text("[pytest]\n")
    outcomes = Outcomes()
    arguments = ["-q", "-c", str(out / "pytest.ini"), "-p", "no:cacheprovider", "--tb=line", "-W", "ignore"]
    pytest.main([*arguments, "--pyargs", name], plugins=[outcomes])
    (out / "outcomes.json").write_text(json.dumps({"of": outcomes.of, "said": outcomes.said}))


@pytest.mark.parametrize("module", MODULES)
def test_scikit_learns_own_tests_pass_on_our_classes(module: str, tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).resolve()), module, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=tmp_path
    )
    assert (tmp_path / "outcomes.json").exists(), done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads((tmp_path / "outcomes.json").read_text())
    outcome = {name.partition("::")[2]: what for name, what in told["of"].items()}
    said = {name.partition("::")[2]: line for name, line in told["said"].items()}
    patterns = EXCLUDED[module]

    failed = {name for name, what in outcome.items() if what == "failed"}
    excluded = {name for name in outcome if any(re.match(pattern, name) for pattern in patterns)}
    red = {name: said.get(name) for name in sorted(failed - excluded)}
    assert not red, f"scikit-learn's tests fail on our classes: {red}"
    idle = sorted(name for name in excluded if outcome[name] == "passed")
    assert not idle, f"remove the exclusion, for these pass: {idle}"
    unused = [pattern for pattern in patterns if not any(re.match(pattern, name) for name in failed)]
    assert not unused, f"remove the exclusion, for no test fails that it names: {unused}"
    assert sum(what == "passed" for what in outcome.values()) >= AT_LEAST[module]


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
