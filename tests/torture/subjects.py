"""Who is given the tables: every learner and every public function, and the peer that does the same work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.torture.audit import audit
from tests.torture.claims import Claim, Subject
from tests.torture.functions import functions
from tests.torture.tables import Case, Table

__all__ = ["SUBJECTS", "Claim", "Subject"]


def _not_finite(value: Any) -> str | None:
    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return "its predictions are not finite"
    return None


def _learn(make: Callable[[], Any], ours: bool, table: Table, case: Case) -> Claim:
    model = make()
    unsupervised = not hasattr(model, "predict") or type(model).__name__ == "OneClassSVM"
    given = () if unsupervised else (table.y,)
    extra = {} if table.weight is None or not _takes_weight(model) else {"sample_weight": table.weight}
    model.fit(table.X, *given, **extra)
    said = getattr(model, "status_", None)
    converged = said is None or said.ok
    shown = [
        getattr(model, name)(table.X)
        for name in ("predict", "predict_proba", "transform")
        if hasattr(model, name)
    ]
    wrong = next(filter(None, map(_not_finite, shown)), None)
    if wrong is None and table.dense is not None:
        # Peers stop where they say; ours has promised more.
        wrong = audit(model, table.dense, table.y, extra.get("sample_weight"), slack=1.0 if ours else 1e3)
    if wrong is None and ours and hasattr(type(model), "result_"):
        wrong = _wrong_record(model, table)
    return Claim(converged, wrong)


def _takes_weight(model: Any) -> bool:
    from sklearn.utils.validation import has_fit_parameter

    return has_fit_parameter(model, "sample_weight")


def _wrong_record(model: Any, table: Table) -> str | None:
    if np.ndim(model.intercept_) and np.size(model.intercept_) > 1 and not hasattr(model, "classes_"):
        return None
    if getattr(model, "positive", False):
        return None
    record = model.result_
    if not record.status.ok:
        return None
    if not np.isfinite(record.params).all():
        return "result_: estimates are not finite"
    errors = record.standard_errors
    # As many parameters as rows leave nothing to tell the noise by.
    if not np.isfinite(errors).all() and (record.freedom is None or record.freedom > 0):
        return "result_: standard errors are not finite"
    return None


def _learners() -> dict[str, Subject]:
    import sklearn.decomposition as sd
    import sklearn.linear_model as sl
    import sklearn.neural_network as sn
    import sklearn.svm as ss

    import thetahat as th

    net = {"hidden_layer_sizes": (4,), "activation": "tanh", "max_iter": 60, "random_state": 0}
    pairs: list[tuple[str, Any, Any, dict[str, Any], dict[str, Any]]] = [
        ("LinearRegression", th.LinearRegression, sl.LinearRegression, {}, {}),
        ("LinearRegression positive", th.LinearRegression, sl.LinearRegression, {"positive": True}, {}),
        ("Ridge", th.Ridge, sl.Ridge, {}, {}),
        ("Ridge without intercept", th.Ridge, sl.Ridge, {"alpha": 0.01, "fit_intercept": False}, {}),
        ("PoissonRegression", th.PoissonRegression, sl.PoissonRegressor, {}, {}),
        ("PoissonRegression unpenalised", th.PoissonRegression, sl.PoissonRegressor, {"alpha": 0.0}, {}),
        ("LogisticRegression", th.LogisticRegression, sl.LogisticRegression, {}, {}),
        ("LogisticRegression unpenalised", th.LogisticRegression, sl.LogisticRegression, {"C": np.inf}, {}),
        ("SGDClassifier hinge", th.SGDClassifier, sl.SGDClassifier, {"random_state": 0}, {}),
        (
            "SGDClassifier log",
            th.SGDClassifier,
            sl.SGDClassifier,
            {"loss": "log_loss", "random_state": 0},
            {},
        ),
        (
            "SGDClassifier softmax",
            th.SGDClassifier,
            sl.SGDClassifier,
            {"loss": "log_loss", "random_state": 0},
            {"multi_class": "multinomial"},
        ),
        ("SGDRegressor", th.SGDRegressor, sl.SGDRegressor, {"random_state": 0}, {}),
        ("SVC", th.SVC, ss.SVC, {}, {}),
        ("SVC linear", th.SVC, ss.SVC, {"kernel": "linear"}, {}),
        ("SVR", th.SVR, ss.SVR, {}, {}),
        ("SVR linear", th.SVR, ss.SVR, {"kernel": "linear"}, {}),
        ("OneClassSVM", th.OneClassSVM, ss.OneClassSVM, {}, {}),
        ("PCA", th.PCA, sd.PCA, {}, {}),
        ("PCA one", th.PCA, sd.PCA, {"n_components": 1, "svd_solver": "randomized", "random_state": 0}, {}),
        ("PCA whitened", th.PCA, sd.PCA, {"svd_solver": "covariance_eigh", "whiten": True}, {}),
        ("PCA mle", th.PCA, sd.PCA, {"n_components": "mle"}, {}),
        ("IncrementalPCA", th.IncrementalPCA, sd.IncrementalPCA, {}, {}),
        ("KernelPCA", th.KernelPCA, sd.KernelPCA, {"kernel": "rbf", "n_components": 2}, {}),
        ("MLPClassifier", th.MLPClassifier, sn.MLPClassifier, net, {}),
        ("MLPClassifier L-BFGS", th.MLPClassifier, sn.MLPClassifier, {**net, "solver": "lbfgs"}, {}),
        ("MLPRegressor", th.MLPRegressor, sn.MLPRegressor, net, {}),
        ("MLPRegressor L-BFGS", th.MLPRegressor, sn.MLPRegressor, {**net, "solver": "lbfgs"}, {}),
    ]
    return {
        name: Subject(
            partial(_learn, partial(own, **settings, **more), True),
            hasattr(own, "predict_proba") or own in (th.SVC, th.SGDClassifier),
            partial(_learn, partial(peer, **settings), False),
        )
        for name, own, peer, settings, more in pairs
    }


def subjects() -> dict[str, Subject]:
    """Return all, learners first."""
    return {**_learners(), **functions()}


SUBJECTS = subjects()
