"""scikit-learn's own checks of an estimator."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge

LEARNERS = [
    LinearRegression(),
    LinearRegression(positive=True),
    Ridge(),
    Ridge(alpha=0.1, fit_intercept=False),
    Ridge(positive=True),
    PoissonRegression(),
    LogisticRegression(),
    LogisticRegression(C=0.1, class_weight="balanced"),
]


# Some checks bring more columns than rows, which is warned of as it should be.
@pytest.mark.filterwarnings("ignore:.*cannot tell some parameters apart")
@parametrize_with_checks(LEARNERS)
def test_estimator_checks(estimator, check):
    with np.errstate(all="ignore"):
        check(estimator)
