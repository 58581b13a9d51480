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
from thetahat.results.stored import Kind, learner, member, record

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
    if len(parts["names"]) != len(parts["params"]):
        raise ValueError("a coefficient table has another number of names than of estimates")
    return LikelihoodResult(**parts)


def _check_descent(model: Any) -> None:
    classes = len(getattr(model, "classes_", (0, 0)))
    shape = (classes if classes > 2 else 1, model.n_features_in_)
    if model._state.w.shape != shape or np.size(model.coef_) != np.prod(shape):
        raise ValueError(f"its state has the shape {model._state.w.shape} instead of {shape}")


DESCRIBED: tuple[Kind, ...] = (
    member(Status),
    Kind(LikelihoodResult, _take_result, _make_result),
    record(StoredCovariances),
    *(
        learner(each, "_record", "_rows")
        for each in (LinearRegression, Ridge, PoissonRegression, LogisticRegression)
    ),
)
KINDS: tuple[Kind, ...] = (
    *DESCRIBED,
    Kind(SgdState, SgdState.arrays, SgdState.of),
    *(learner(each, "_state", check=_check_descent) for each in (SGDClassifier, SGDRegressor)),
)
