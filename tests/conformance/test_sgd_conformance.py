"""scikit-learn's own checks of an estimator, on stochastic gradient descent."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from thetahat.linear.sgd import SGDClassifier, SGDRegressor

# Some checks give columns of the order of 100: there the descent says that it was begun again.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    SGDClassifier(random_state=0),
    SGDClassifier(loss="log_loss", multi_class="multinomial", random_state=0),
    SGDRegressor(random_state=0),
]


def expected_failures(estimator):
    reason = "a row of weight two is one step twice as long, not two steps"
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_estimator_checks(estimator, check):
    check(estimator)
