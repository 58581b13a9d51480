"""scikit-learn's own tests of its linear classes, run on ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.sklearn_own import Suite, check_own_tests

HOMES = ("", "._base", "._ridge", "._logistic")
OURS = {
    "LinearRegression": "thetahat.linear.regressors:LinearRegression",
    "Ridge": "thetahat.linear.regressors:Ridge",
    "LogisticRegression": "thetahat.linear.classifiers:LogisticRegression",
}

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
AT_LEAST = {"test_base": 86, "test_ridge": 1070, "test_logistic": 180}
SUITES = tuple(
    Suite("sklearn.linear_model", module, HOMES, OURS, EXCLUDED[module], least)
    for module, least in AT_LEAST.items()
)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.module)
def test_scikit_learns_own_tests_pass_on_our_linear_classes(suite: Suite, tmp_path: Path) -> None:
    check_own_tests(suite, tmp_path)
