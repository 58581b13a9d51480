"""A false success is seen: a fit that is moved away from where it converged contradicts its audit."""

import numpy as np
import pytest

import thetahat as th
from tests.torture.audit import audit, separable

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = X.sum(axis=1) + 0.5 * RNG.standard_normal(40)
CLASSES = (Y > 0).astype(int) ^ (RNG.random(40) < 0.1)

FITS = {
    "LinearRegression": (th.LinearRegression(), Y, "coef_"),
    "Ridge": (th.Ridge(), Y, "coef_"),
    "PoissonRegression": (th.PoissonRegression(), np.floor(np.exp(0.3 * Y)), "coef_"),
    "LogisticRegression": (th.LogisticRegression(), CLASSES, "coef_"),
    "SVC": (th.SVC(), CLASSES, "intercept_"),
    "SVC linear": (th.SVC(kernel="linear"), CLASSES, "dual_coef_"),
    "SVR": (th.SVR(), Y, "dual_coef_"),
    "OneClassSVM": (th.OneClassSVM(), None, "dual_coef_"),
    "PCA": (th.PCA(), None, "components_"),
    "KernelPCA": (th.KernelPCA(2, kernel="rbf"), None, "eigenvectors_"),
    "MLPRegressor": (
        th.MLPRegressor(
            hidden_layer_sizes=(4,),
            activation="tanh",
            solver="lbfgs",
            max_iter=5000,
            tol=1e-3,
            random_state=0,
        ),
        Y,
        "coefs_",
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_a_false_converged_fails_the_audit(name):
    model, y, moved = FITS[name]
    model.fit(X) if y is None else model.fit(X, y)
    assert audit(model, X, y, None) is None
    part = getattr(model, moved)
    part = part[0] if isinstance(part, list) else part
    # The status still says converged.
    part[...] = part + 0.05 * np.abs(part).max() * np.resize([1.0, -0.5], part.size).reshape(part.shape)
    assert audit(model, X, y, None) is not None


def test_nan_in_a_fit_fails_the_audit():
    model = th.Ridge().fit(X, Y)
    model.coef_[0] = np.nan
    assert audit(model, X, Y, None) == "coef_ is not finite"


def test_separable_classes_fail_the_audit_of_an_unpenalised_fit():
    assert separable(X, (X[:, 0] > 0).astype(int), True)
    assert not separable(X, CLASSES, True)
