"""scikit-learn's own checks of an estimator, on the networks."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from thetahat.networks.classifier import MLPClassifier
from thetahat.networks.regressor import MLPRegressor

NETWORKS = [
    MLPClassifier(max_iter=100, hidden_layer_sizes=(20,), batch_size=20),
    MLPRegressor(max_iter=100, hidden_layer_sizes=(20,), batch_size=20),
]


def expected_failures(estimator):
    reason = (
        "batches are cut by rows: a row that stands twice lies in other batches than one that counts twice"
    )
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}


@pytest.mark.filterwarnings("ignore:MLP:sklearn.exceptions.ConvergenceWarning", "ignore:Got `batch_size`")
@parametrize_with_checks(NETWORKS, expected_failed_checks=expected_failures)
def test_estimator_checks(estimator, check):
    check(estimator)
