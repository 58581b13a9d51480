"""scikit-learn's own tests of stochastic gradient descent, run on ours."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.sklearn_own import Suite, check_own_tests

OURS = {
    "SGDClassifier": "thetahat.linear.sgd:SGDClassifier",
    "SGDRegressor": "thetahat.linear.sgd:SGDRegressor",
}
PRIVATE = "reads private attributes or methods of scikit-learn's classes"
ORDER = "rests on the orders that scikit-learn's generator gives for one seed"
EXCLUDED = {
    r"test_plain_has_no_average_attr\[(Sparse)?SGD(Classifier|Regressor)\]": PRIVATE,
    r"test_sgd_predict_proba_method_access": PRIVATE,
    r"test_loss_function_epsilon": PRIVATE,
    r"test_validation_mask_correctly_subsets": PRIVATE,
    r"test_class_weights\[": ORDER,
    r"test_sample_weights\[": ORDER,
    r"test_sgd_proba\[SparseSGDClassifier\]": ORDER,
}
SUITES = (
    Suite(
        "sklearn.linear_model",
        "test_sgd",
        ("", "._stochastic_gradient"),
        OURS,
        EXCLUDED,
        240,
        throughout=True,
    ),
)


def test_scikit_learns_own_tests_pass_on_our_stochastic_gradient_descent(tmp_path: Path) -> None:
    check_own_tests(SUITES[0], tmp_path)
