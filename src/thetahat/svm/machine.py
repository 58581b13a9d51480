"""What the three public machines share: their kernel, their data, their verdict."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from thetahat.checked import some_columns
from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.numerics.kernels import BLUR, KernelFunction
from thetahat.svm.description import MachineDescription
from thetahat.svm.optimality import Dual
from thetahat.svm.solution import Solution, Stop
from thetahat.svm.table import MOST_DENSE, KernelTable
from thetahat.svm.training import Budget, smallest_eigenvalue, status_of, train

__all__ = ["CONSTRAINTS", "KernelMachine", "prices", "row_weights", "settled_gamma", "variance"]

# An infinite price, in units of the target: infinity itself has no digits.
HARD = 1e10
# Sums of squares of prices beyond this overflow.
MOST_PRICE = 1e100

# Rounding alone brings the smallest eigenvalue of a semi-definite float32 matrix this far below nought.
INDEFINITE = -1e-4
CONSTRAINTS: dict[str, Any] = {
    "kernel": [StrOptions({"linear", "poly", "rbf", "sigmoid", "precomputed"}), callable],
    "degree": [Interval(Integral, 0, None, closed="left")],
    "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0.0, None, closed="left")],
    "coef0": [Interval(Real, None, None, closed="neither")],
    "tol": [Interval(Real, 0.0, None, closed="neither")],
    "shrinking": ["boolean"],
    "cache_size": [Interval(Real, 0, None, closed="neither")],
    "verbose": ["verbose"],
    "max_iter": [Interval(Integral, -1, None, closed="left")],
    "time_limit": [Interval(Real, 0, None, closed="left"), None],
}


class KernelMachine(BaseEstimator, ABC):  # type: ignore[misc]
    """A kernel machine with the interface of scikit-learn."""

    _parameter_constraints: ClassVar[dict[str, Any]] = CONSTRAINTS

    @abstractmethod
    def _scores(self) -> FloatArray:
        """Return the coefficients of the support vectors, shape (vectors, machines)."""

    def _rows(self, X: Any, y: Any = None) -> tuple[Any, Any]:
        """Return checked rows and target, and remember what a later prediction is held to."""
        self._validate_params()
        self._sparse = sp.issparse(X) and not callable(self.kernel)
        if self._sparse and self.kernel == "precomputed":
            raise TypeError("Sparse precomputed kernels are not supported; give X.toarray()")
        if callable(self.kernel):
            if y is not None:
                check_consistent_length(X, y)
            self._fitted_rows = X
            return X, y
        some_columns(X)
        options = {"dtype": np.float64, "order": "C", "accept_sparse": "csr", "accept_large_sparse": False}
        if y is None:
            X = validate_data(self, X, **options)
        else:
            X, y = validate_data(self, X, y, **options)
        if self.kernel == "precomputed" and X.shape[0] != X.shape[1]:
            raise UsageError(
                f"X: a precomputed kernel must be a square matrix, not {X.shape[0]}x{X.shape[1]}"
            )
        return X, y

    def _prepared(self, X: Any, weight: FloatArray | None) -> tuple[KernelFunction | None, Any]:
        """Return the kernel with its parameters settled, and the rows or kernel matrix it works on."""
        self.shape_fit_ = X.shape if hasattr(X, "shape") else (len(X),)
        self._function: KernelFunction | None = None
        self._gamma = 0.0
        if callable(self.kernel):
            n = self.shape_fit_[0]
            X = self._called(X)
            if X.shape != (n, n):
                raise UsageError(
                    f"kernel: of {n} rows with themselves it must return {n} × {n} numbers, not {X.shape}"
                )
            return None, X
        if self.kernel == "precomputed":
            return None, X
        self._gamma = settled_gamma(self.gamma, X, weight)
        self._function = KernelFunction(self.kernel, self._gamma, int(self.degree), float(self.coef0))
        if self._function.blurred(X):
            warnings.warn(f"X: {BLUR}", ThetaHatWarning, stacklevel=4)
        return self._function, X

    def _called(self, X: Any) -> FloatArray:
        K = self.kernel(X, self._fitted_rows)
        return np.asarray(K.toarray() if sp.issparse(K) else K, dtype=np.float64, order="C")

    def _train(
        self, duals: Sequence[tuple[Dual, IntArray | None]], X: Any, weight: FloatArray | None
    ) -> list[Solution]:
        """Solve each dual on its rows of X and take down what came of it."""
        function, rows = self._prepared(X, weight)
        budget = Budget(
            float(self.tol), int(self.max_iter), self.time_limit, float(self.cache_size), bool(self.shrinking)
        )
        solutions = []
        self.indefinite_ = False
        for dual, chosen in duals:
            part = rows
            if chosen is not None:
                part = rows[chosen] if function is not None else rows[np.ix_(chosen, chosen)]
            table = KernelTable(function, part)
            if function is None or not function.positive:
                self.indefinite_ |= smallest_eigenvalue(table) < INDEFINITE
            solutions.append(train(dual, table, budget))
        self._take_down([dual for dual, _ in duals], solutions)
        return solutions

    def describe(self) -> MachineDescription:
        """Return margin, support vectors and the worth of the solution, for each pair of classes."""
        check_is_fitted(self)
        return MachineDescription(
            tuple(self._names()),
            tuple(int(n) for n in self._carried),
            tuple(int(n) for n in self.n_bounded_),
            tuple(float(margin) for margin in self.margin_),
            tuple(float(each) for each in self._violations),
            tuple(int(n) for n in np.atleast_1d(self.n_iter_)),
            int(self.shape_fit_[0]),
            self.duality_gap_,
            self.status_.value,
        )

    def _names(self) -> list[str]:
        """Return the name of each function."""
        return [self._kernel_name()]

    def _take_down(self, duals: Sequence[Dual], solutions: Sequence[Solution]) -> None:
        betas, both = [each.beta for each in solutions], list(zip(duals, solutions, strict=True))
        squares = [max(float(each.beta @ (dual.p - each.F)), 0.0) for dual, each in both]
        self.margin_ = np.array([2.0 / np.sqrt(square) if square else np.inf for square in squares])
        bounded = [
            np.sum((each.beta != 0) & ((each.beta == dual.lo) | (each.beta == dual.hi)))
            for dual, each in both
        ]
        self.n_bounded_ = np.array(bounded, dtype=np.int32)
        self._carried = np.array([np.count_nonzero(beta) for beta in betas], dtype=np.int32)
        self._violations = np.array([each.optimality.violation for each in solutions])
        stops = [each.stop for each in solutions]
        worst = next((stop for stop in stops if stop is not Stop.SOLVED), Stop.SOLVED)
        self.status_ = status_of(worst)
        self.fit_status_ = int(worst is not Stop.SOLVED)
        self.duality_gap_ = float(sum(each.optimality.duality_gap for each in solutions))
        self.kkt_violation_ = float(self._violations.max())
        self.objective_ = np.array([each.optimality.objective for each in solutions])
        if self.indefinite_:
            warnings.warn(
                f"kernel: {self._kernel_name()} is not positive semi-definite on these rows, so the fit is a "
                "stationary point and not the optimum, and its duality gap means nothing; choose another "
                "kernel, or for sigmoid a smaller gamma",
                ThetaHatWarning,
                stacklevel=4,
            )
        if worst is Stop.SOLVED:
            return
        cause, name = {
            Stop.STEPS: (f"max_iter={self.max_iter}", "max_iter"),
            Stop.TIME: (f"time_limit={self.time_limit}", "time_limit"),
            Stop.DIGITS: (f"tol={self.tol:g} is beyond the digits of the kernel", "tol"),
        }[worst]
        warnings.warn(
            f"Solver terminated early ({cause}).  Consider pre-processing your data with StandardScaler or "
            f"MinMaxScaler, lower C, or raise {name}. The worst violation is {self.kkt_violation_:.3g}.",
            ConvergenceWarning,
            stacklevel=4,
        )

    def _kernel_name(self) -> str:
        return getattr(self.kernel, "__name__", "the callable") if callable(self.kernel) else self.kernel

    def _keep(self, X: Any, support: IntArray) -> None:
        """Take down the support vectors."""
        self.support_ = support.astype(np.int32)
        if callable(self.kernel) or self.kernel == "precomputed":
            self.support_vectors_ = np.empty((0, 0))
        else:
            self.support_vectors_ = X[support]

    def _as_fitted(self, coef: FloatArray) -> Any:
        """Return dual coefficients in the form the data came in."""
        return sp.csr_matrix(coef) if self._sparse else coef

    def _dense_dual(self) -> FloatArray:
        return np.asarray(self.dual_coef_.toarray() if sp.issparse(self.dual_coef_) else self.dual_coef_)

    def _decisions(self, X: Any) -> FloatArray:
        """Return f of each row and machine, shape (n, machines)."""
        check_is_fitted(self)
        if callable(self.kernel):
            X = check_array(self._called(X), dtype=np.float64)
        else:
            X = validate_data(
                self,
                X,
                accept_sparse="csr",
                dtype=np.float64,
                order="C",
                accept_large_sparse=False,
                reset=False,
            )
            if sp.issparse(X) and not self._sparse:
                raise UsageError(
                    f"X: cannot use sparse input in {type(self).__name__!r} trained on dense data"
                )
        if self._function is None and X.shape[1] != self.shape_fit_[0]:
            raise UsageError(
                f"X.shape[1] = {X.shape[1]} should be equal to {self.shape_fit_[0]}, the number of samples "
                "at training time"
            )
        coef = self._scores()
        vectors = self.support_vectors_
        if self._function is None:
            return np.asarray(X[:, self.support_] @ coef + self.intercept_)
        if vectors.shape[0] != coef.shape[0]:
            raise UsageError(f"The internal representation of {type(self).__name__} was altered")
        if self._function.name == "linear":
            # Few columns hold all that the support vectors say.
            weight = vectors.T @ coef
            return np.asarray(X @ np.asarray(weight) + self.intercept_)
        if self._sparse and not sp.issparse(X):
            X = sp.csr_matrix(X)
        return np.asarray(self._function.expansion(X, vectors, coef) + self.intercept_)

    @property
    def coef_(self) -> Any:
        """Slopes of the columns; only of a linear kernel."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is only available when using a linear kernel")
        check_is_fitted(self)
        coef = self._slopes()
        (coef.data if sp.issparse(coef) else coef).flags.writeable = False
        return coef

    def _slopes(self) -> Any:
        return self.dual_coef_ @ self.support_vectors_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.input_tags.sparse = self.kernel != "precomputed"
        return tags


def settled_gamma(gamma: float | str, X: Any, weight: FloatArray | None) -> float:
    """Return γ as a number: "scale" is 1 / (d · variance of X), "auto" is 1 / d.

    Raises
    ------
    UsageError
        The variance overflows.
    """
    if gamma == "auto":
        return 1.0 / float(X.shape[1])
    if gamma != "scale":
        return float(gamma)
    with np.errstate(over="ignore"):
        spread = variance(X, weight)
    if not np.isfinite(spread):
        raise UsageError(
            "X: The dual coefficients or intercepts are not finite, for the squares of these numbers "
            "overflow; scale the columns (StandardScaler)"
        )
    return float(1.0 / (X.shape[1] * spread)) if spread != 0 else 1.0


def variance(X: Any, weight: FloatArray | None) -> float:
    """Return the variance of all numbers of X; a row of weight two counts as two rows."""
    if sp.issparse(X) and X.shape[0] * X.shape[1] <= MOST_DENSE:
        # Rounded as for dense rows: γ, and with it every step of the solver, is then the same.
        X = X.toarray()
    if weight is None and not sp.issparse(X):
        return float(X.var())
    weight = np.ones(X.shape[0]) if weight is None else weight
    share = weight / (weight.sum() * X.shape[1])
    mean = np.sum(share @ X)
    if not sp.issparse(X):
        return float(np.sum(share @ (X - mean) ** 2))
    # What is stored about the mean, and the zeros that are not: no difference of two large numbers.
    rows = X.tocsr()
    counts = np.diff(rows.indptr)
    squares = np.repeat(share, counts) @ (rows.data - mean) ** 2
    return float(squares + share @ (X.shape[1] - counts) * np.square(mean))


def row_weights(sample_weight: Any, n: int) -> FloatArray:
    """Return the weight of each row; a row of weight nought or less takes no part.

    Raises
    ------
    UsageError
        There are not n of them, or none is positive.
    """
    if sample_weight is None:
        return np.ones(n)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim == 0:
        weight = np.full(n, float(weight))
    if weight.shape != (n,):
        raise UsageError(
            f"sample_weight and X have incompatible shapes: {weight.shape} against {n} rows; give one a row"
        )
    if not np.isfinite(weight).all():
        raise UsageError("sample_weight: contains NaN or infinity; give finite numbers")
    if not (weight > 0).any():
        raise UsageError(
            "sample_weight: Invalid input - all samples have zero or negative weights; some must be positive"
        )
    return np.maximum(weight, 0.0)


def prices(C: float, weight: FloatArray, unit: float = 1.0) -> FloatArray:
    """Return C times the weight of each row; an infinite C is that of a hard margin.

    Raises
    ------
    UsageError
        The product is beyond what sums can hold.
    """
    price = (HARD * max(unit, 1.0) if np.isinf(C) else C) * weight
    if not price.max(initial=0.0) <= MOST_PRICE:
        raise UsageError(
            f"C: times sample_weight it is {price.max():.3g}, more than sums of it can hold; lower either"
        )
    return np.asarray(price)
