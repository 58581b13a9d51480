"""What the public linear models share: names of parameters, the record of the fit, what a pickle holds."""

from __future__ import annotations

import re
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from thetahat.contracts import FloatArray, Status
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.likelihood.result import LikelihoodResult

__all__ = ["Described"]

KEPT = ("observed", "expected", "HC0", "HC1", "HC2", "HC3")


@dataclass(frozen=True, slots=True, eq=False)
class StoredCovariances:
    """The covariance matrices of a fit whose rows are gone."""

    matrices: Mapping[str, FloatArray]

    def __call__(self, kind: str, groups: NDArray[Any] | None) -> FloatArray:
        """Return the matrix of this kind."""
        if kind not in self.matrices:
            raise UsageError(f"errors: {kind} errors need the rows of the sample; fit the model again")
        return self.matrices[kind]


class NoRecord(UsageError, AttributeError):
    """A fit without a record, as one without the attribute: what looks at every attribute passes it by."""


class Described(BaseEstimator):  # type: ignore[misc]
    """A linear model that keeps the record of its fit.

    The record needs the training rows for some kinds of errors, so it is made when first asked for. A pickle
    holds the record, its covariance matrices included, and never the rows.
    """

    _rows: Any
    _dtype: np.dtype[Any]
    _record: LikelihoodResult | None

    @abstractmethod
    def _describe(self, rows: Any) -> LikelihoodResult:
        """Make the record from the rows of the fit."""

    @property
    def result_(self) -> LikelihoodResult:
        """Estimates with standard errors, intervals and measures of fit.

        Raises
        ------
        UsageError
            This kind of fit has no record: several outputs, or coefficients held positive.
        """
        check_is_fitted(self)
        if self._record is None:
            try:
                record = self._describe(self._rows)
            except UsageError as error:
                raise NoRecord(str(error)) from None
            self._record = replace(record, detail=self._by_name(record.detail))
        return self._record

    def _names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        columns = [f"x{j}" for j in range(self.n_features_in_)] if names is None else list(map(str, names))
        return ["intercept", *columns] if self.fit_intercept else columns

    def _by_name(self, detail: str) -> str:
        """Return what a solver said of columns, which it knows by their place, with their names."""
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            return detail
        return re.sub(r"\bcolumn (\d+)", lambda found: str(names[int(found[1])]), detail)

    def _ended(self, status: Status, detail: str) -> None:
        """Keep how the fit ended, and say it where it is not as it should be."""
        self.status_ = status
        self._rows = self._record = None
        if status.ok:
            return
        kind = ConvergenceWarning if status in (Status.MAX_ITER, Status.NOT_CONVERGED) else ThetaHatWarning
        said = f"{status.value} ({self._by_name(detail)})" if detail else status.value
        warnings.warn(f"{type(self).__name__}: {said}", kind, stacklevel=3)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        if state.get("_rows") is not None:
            try:
                state["_record"] = _without_rows(self.result_)
            except UsageError:
                state["_record"] = None
            state["_rows"] = None
        return state


def _without_rows(record: LikelihoodResult) -> LikelihoodResult:
    matrices: dict[str, FloatArray] = {}
    if record.status.ok:
        with np.errstate(divide="ignore", invalid="ignore"):
            matrices = {kind: record.covariance_of(kind, None) for kind in KEPT}
    return replace(record, covariance_of=StoredCovariances(matrices), profile_of=None)
