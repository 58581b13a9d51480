"""Every learner of the package that has scikit-learn's interface, and what is known of each beforehand."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import thetahat as th

__all__ = ["LEARNERS", "Learner", "classes_with_fit"]

BY_ROWS = "batches are cut by rows: a row that stands twice lies in other batches than one that counts twice"
BY_STEPS = "a row of weight two is one step twice as long, not two steps"
ON_THE_EDGE = "a support vector within the bounds lies on the edge, so rounding decides which side it is on"


def _weights_do_not_repeat(reason: str) -> dict[str, str]:
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}


@dataclass(frozen=True, slots=True)
class Learner:
    """An estimator to be checked.

    Parameters
    ----------
    estimator : object
        Not fitted.
    expected : mapping of str to str
        scikit-learn's checks that it fails, each with the reason.
    """

    estimator: Any
    expected: dict[str, str] = field(default_factory=dict)


# At the usual tolerance a fit is only as exact as its tolerance; a check that compares two fits wants more.
LEARNERS = (
    Learner(th.LinearRegression()),
    Learner(th.LinearRegression(positive=True)),
    Learner(th.Ridge()),
    Learner(th.Ridge(alpha=0.1, fit_intercept=False)),
    Learner(th.Ridge(positive=True)),
    Learner(th.PoissonRegression()),
    Learner(th.LogisticRegression()),
    Learner(th.LogisticRegression(C=0.1, class_weight="balanced")),
    Learner(th.SGDClassifier(random_state=0), _weights_do_not_repeat(BY_STEPS)),
    Learner(
        th.SGDClassifier(loss="log_loss", multi_class="multinomial", random_state=0),
        _weights_do_not_repeat(BY_STEPS),
    ),
    Learner(th.SGDRegressor(random_state=0), _weights_do_not_repeat(BY_STEPS)),
    Learner(th.SVC(tol=1e-10)),
    Learner(th.SVC(kernel="linear", tol=1e-10)),
    Learner(th.SVR(tol=1e-10)),
    Learner(th.OneClassSVM(tol=1e-10), _weights_do_not_repeat(ON_THE_EDGE)),
    Learner(th.PCA()),
    Learner(th.PCA(svd_solver="full")),
    Learner(th.PCA(svd_solver="covariance_eigh", whiten=True)),
    Learner(th.IncrementalPCA()),
    Learner(th.IncrementalPCA(batch_size=10)),
    Learner(th.KernelPCA()),
    Learner(th.KernelPCA(kernel="rbf", fit_inverse_transform=True)),
    Learner(
        th.MLPClassifier(max_iter=100, hidden_layer_sizes=(20,), batch_size=20),
        _weights_do_not_repeat(BY_ROWS),
    ),
    Learner(
        th.MLPRegressor(max_iter=100, hidden_layer_sizes=(20,), batch_size=20),
        _weights_do_not_repeat(BY_ROWS),
    ),
)


def classes_with_fit() -> set[str]:
    """Return the names of the public classes that can be fitted and know their own parameters."""
    return {
        name
        for name in th.__all__
        if inspect.isclass(getattr(th, name)) and {"fit", "get_params"} <= set(dir(getattr(th, name)))
    }
