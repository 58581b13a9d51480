"""ε-support vector regression with the interface of scikit-learn."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval

from thetahat.checked import finite
from thetahat.contracts import FloatArray, IntArray
from thetahat.svm.estimator import SupportVectorMachine, machine_under
from thetahat.svm.machine import CONSTRAINTS, KernelMachine, prices, row_weights
from thetahat.svm.optimality import Dual

__all__ = ["SVR"]


class SVR(RegressorMixin, KernelMachine):  # type: ignore[misc]
    """Support vector regression: flat, with C times what a row's error exceeds ε by.

    Minimises ½ ‖f‖² + C Σ wᵢ max(0, abs(yᵢ − f(xᵢ)) − ε).

    Parameters
    ----------
    kernel : {"linear", "poly", "rbf", "sigmoid", "precomputed"} or callable
        The kernel; a callable returns the kernel matrix of two lists of rows.
    degree, gamma, coef0 : int, float or str, float
        Parameters of the kernel.
    tol : float
        Largest violation of the optimality conditions, verified in float64.
    C : float
        Price of an error beyond ε.
    epsilon : float
        Error that costs nothing, in the unit of y.
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
    support_, support_vectors_, n_support_, dual_coef_, intercept_, n_iter_, shape_fit_, fit_status_, coef_
        As in scikit-learn.
    status_ : Status
        How the fit ended.
    duality_gap_, kkt_violation_, objective_, margin_, n_bounded_, indefinite_
        As in :class:`thetahat.svm.classification.SVC`.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "C": [Interval(Real, 0.0, None, closed="right")],
        "epsilon": [Interval(Real, 0.0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        kernel: Any = "rbf",
        degree: int = 3,
        gamma: Any = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        C: float = 1.0,
        epsilon: float = 0.1,
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
        self.C = C
        self.epsilon = epsilon
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose
        self.max_iter = max_iter
        self.time_limit = time_limit

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d), or a kernel matrix (n, n), and numbers y of shape (n,)."""
        X, y = self._rows(X, y)
        y = column_or_1d(y, warn=True).astype(np.float64)
        finite(y, "y")
        weight = row_weights(sample_weight, len(y))
        bound = prices(self.C, weight, float(np.abs(y).max()))
        (solution,) = self._train(
            [(Dual(y, -bound, bound, float(self.epsilon)), None)],
            X,
            None if sample_weight is None else weight,
        )
        support = np.flatnonzero(solution.beta)
        self._keep(X, support)
        self.dual_coef_ = self._as_fitted(solution.beta[None, support])
        self.intercept_ = np.array([solution.optimality.intercept])
        self.n_iter_ = solution.steps
        return self

    @property
    def n_support_(self) -> IntArray:
        """Number of support vectors, shape (1,)."""
        if not hasattr(self, "support_"):
            raise AttributeError("n_support_: not fitted yet")
        return np.array([len(self.support_)], dtype=np.int32)

    def predict(self, X: Any) -> FloatArray:
        """Return f of each row."""
        return self._decisions(X).ravel()

    def point_estimator(self, classes: int | None, /) -> SupportVectorMachine | None:
        """Return the point estimator underneath, which shares work; None of a kernel that is not named."""
        return machine_under(self, None)

    def _scores(self) -> FloatArray:
        return self._dense_dual().T
