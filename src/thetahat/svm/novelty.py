"""One-class support vector machine with the interface of scikit-learn."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils._param_validation import Interval

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.svm.machine import CONSTRAINTS, KernelMachine, prices, row_weights
from thetahat.svm.optimality import Dual

__all__ = ["OneClassSVM"]


class OneClassSVM(OutlierMixin, KernelMachine):  # type: ignore[misc]
    """One-class support vector machine: a region that leaves at most a part ν of the rows outside.

    Minimises ½ ‖f‖² − ρ ν Σwᵢ + Σ wᵢ max(0, ρ − f(xᵢ)); a row is inside where f(x) > ρ.

    Parameters
    ----------
    kernel : {"linear", "poly", "rbf", "sigmoid", "precomputed"} or callable
        The kernel; a callable returns the kernel matrix of two lists of rows.
    degree, gamma, coef0 : int, float or str, float
        Parameters of the kernel.
    tol : float
        Largest violation of the optimality conditions, verified in float64.
    nu : float
        At most this part of the rows is outside, at least this part are support vectors.
    shrinking : bool
        Whether rows that are settled are left out for a while; the optimum is the same.
    verbose : bool
        Taken for compatibility.
    cache_size : float
        Megabytes for kernel values.
    max_iter : int
        Most steps; −1 is 10 million, or a hundred a row where that is more.
    time_limit : float or None
        Most seconds.

    Attributes
    ----------
    support_, support_vectors_, n_support_, dual_coef_, intercept_, offset_, n_iter_, shape_fit_, \
    fit_status_, coef_
        As in scikit-learn.
    status_ : Status
        How the fit ended.
    duality_gap_, kkt_violation_, objective_, margin_, n_bounded_, indefinite_
        As in :class:`thetahat.svm.classification.SVC`.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "nu": [Interval(Real, 0.0, 1.0, closed="right")],
    }

    def __init__(
        self,
        *,
        kernel: Any = "rbf",
        degree: int = 3,
        gamma: Any = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        nu: float = 0.5,
        shrinking: bool = True,
        cache_size: float = 2000,
        verbose: bool = False,
        max_iter: int = -1,
        time_limit: float | None = None,
    ) -> None:
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.nu = nu
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose
        self.max_iter = max_iter
        self.time_limit = time_limit

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d), or a kernel matrix (n, n); ``y`` is left aside."""
        if self.nu == 0:
            raise UsageError("nu: must be above nought")
        X, _ = self._rows(X)
        n = X.shape[0] if hasattr(X, "shape") else len(X)
        bound = prices(1.0, row_weights(sample_weight, n))
        # The first rows carry the sum ν Σw that every step keeps.
        start = np.clip(self.nu * bound.sum() - (np.cumsum(bound) - bound), 0.0, bound)
        (solution,) = self._train(
            [(Dual(np.zeros(n), np.zeros(n), bound, start=start), None)],
            X,
            None if sample_weight is None else bound,
        )
        support = np.flatnonzero(solution.beta)
        self._keep(X, support)
        self.dual_coef_ = self._as_fitted(solution.beta[None, support])
        self.intercept_ = np.array([solution.optimality.intercept])
        self.offset_ = -self.intercept_
        self.n_iter_ = solution.steps
        return self

    @property
    def n_support_(self) -> IntArray:
        """Number of support vectors, shape (1,)."""
        if not hasattr(self, "support_"):
            raise AttributeError("n_support_: not fitted yet")
        return np.array([len(self.support_)], dtype=np.int32)

    def decision_function(self, X: Any) -> FloatArray:
        """Return f − ρ of each row: positive inside."""
        return self._decisions(X).ravel()

    def score_samples(self, X: Any) -> FloatArray:
        """Return f of each row."""
        return np.asarray(self.decision_function(X) + self.offset_)

    def predict(self, X: Any) -> IntArray:
        """Return 1 for a row inside, −1 for one outside."""
        return np.where(self.decision_function(X) > 0, 1, -1).astype(np.intp)

    def _scores(self) -> FloatArray:
        return self._dense_dual().T
