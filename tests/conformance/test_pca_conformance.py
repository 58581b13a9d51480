"""scikit-learn's own checks of an estimator, on the principal components."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from thetahat.pca.classes import PCA, IncrementalPCA
from thetahat.pca.kernel import KernelPCA

ESTIMATORS = [
    PCA(),
    PCA(svd_solver="full"),
    PCA(svd_solver="covariance_eigh", whiten=True),
    IncrementalPCA(),
    IncrementalPCA(batch_size=10),
    KernelPCA(),
    KernelPCA(kernel="rbf", fit_inverse_transform=True),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator_checks(estimator, check):
    check(estimator)
