"""scikit-learn's own checks of an estimator, on the kernel machines."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from thetahat.svm.classification import SVC
from thetahat.svm.novelty import OneClassSVM
from thetahat.svm.regression import SVR

# At the usual tolerance a fit is only as exact as its tolerance; a check that compares two fits wants more.
MACHINES = [SVC(tol=1e-10), SVC(kernel="linear", tol=1e-10), SVR(tol=1e-10), OneClassSVM(tol=1e-10)]


def expected_failures(estimator):
    if not isinstance(estimator, OneClassSVM):
        return {}
    reason = "a support vector within the bounds lies on the edge, so rounding decides which side it is on"
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}


@parametrize_with_checks(MACHINES, expected_failed_checks=expected_failures)
def test_estimator_checks(estimator, check):
    check(estimator)
