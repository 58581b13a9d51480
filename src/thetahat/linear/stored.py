"""What a file holds of the linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.contracts import Status
from thetahat.likelihood.result import LikelihoodResult
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.described import StoredCovariances
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge
from thetahat.linear.sgd import SGDClassifier, SGDRegressor
from thetahat.linear.sgd_state import SgdState
from thetahat.results.stored import Kind, check_labels, check_shapes, learner, member, record

__all__ = ["DESCRIBED", "KINDS"]

# What a result holds besides are functions, which need the rows.
HELD = (
    "title", "names", "params", "log_likelihood", "rows", "status", "errors", "free", "freedom", "penalty",
    "measures", "detail", "covariance_of",
)  # fmt: skip


def _take_result(result: LikelihoodResult) -> dict[str, Any]:
    held = {name: getattr(result, name) for name in HELD}
    stored = result.covariance_of
    return held | {
        "covariance_of": stored if isinstance(stored, StoredCovariances) else StoredCovariances({})
    }


def _make_result(parts: dict[str, Any]) -> LikelihoodResult:
    if set(parts) != set(HELD) or not isinstance(parts["covariance_of"], StoredCovariances):
        raise ValueError("a coefficient table lacks a part")
    p = len(parts["names"])
    check_shapes(params=(parts["params"], (p,)))
    for kind, matrix in parts["covariance_of"].matrices.items():
        check_shapes(**{str(kind): (matrix, (p, p))})
    numbers = [parts[name] for name in ("log_likelihood", "rows", "free", "freedom")]
    numbers += dict(parts["measures"]).values()
    words = [parts[name] for name in ("title", "errors", "penalty", "detail")] + list(parts["names"])
    sound = all(isinstance(word, str) for word in words) and isinstance(parts["status"], Status)
    if not sound or not all(number is None or isinstance(number, int | float) for number in numbers):
        raise ValueError("a coefficient table holds what is no number or no word")
    return LikelihoodResult(**parts)


def _check_classes(model: Any) -> None:
    classes = len(check_labels(model))
    if classes < 2 or model.coef_.shape[0] != (1 if classes == 2 else classes):
        raise ValueError(f"coefficients of shape {model.coef_.shape} for {classes} classes")


def _check_descent(model: Any) -> None:
    if not all(isinstance(number, float | int) for number in (model.eta0_, model.t_)):
        raise ValueError("its step or its count of rows is no number")
    classes = len(check_labels(model)) if hasattr(model, "classes_") else 2
    shape = (classes if classes > 2 else 1, model.n_features_in_)
    if (
        not isinstance(model._state, SgdState)
        or model._state.w.shape != shape
        or np.size(model.coef_) != np.prod(shape)
    ):
        raise ValueError(f"its state has the shape {model._state.w.shape} instead of {shape}")


DESCRIBED: tuple[Kind, ...] = (
    member(Status),
    Kind(LikelihoodResult, _take_result, _make_result),
    record(StoredCovariances),
    *(learner(each, "_record", "_rows") for each in (LinearRegression, Ridge, PoissonRegression)),
    learner(LogisticRegression, "_record", "_rows", check=_check_classes),
)
KINDS: tuple[Kind, ...] = (
    *DESCRIBED,
    Kind(SgdState, SgdState.arrays, SgdState.of),
    *(learner(each, "_state", "_eta0_asked", check=_check_descent) for each in (SGDClassifier, SGDRegressor)),
)
