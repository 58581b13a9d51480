"""Principal components in the feature space of a kernel, with the interface of scikit-learn."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, eigsh
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import randomized_svd
from sklearn.utils.validation import check_is_fitted, validate_data

from thetahat.checked import some_columns
from thetahat.contracts import FloatArray
from thetahat.deadline import check_time
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.numerics.kernels import BLUR, KernelFunction
from thetahat.numerics.operators import in_steps
from thetahat.pca.spectrum import signed

__all__ = ["KernelPCA"]

# An eigenvalue below this share of the largest is rounding.
NOUGHT = 1e-12
# Rounding of the kernel that is more than this of the largest eigenvalue is said; of a single-precision one.
FEW_DIGITS, FEW_DIGITS_SINGLE = 1e-8, 1e-4
# Beyond this many rows the first few directions alone are sought by Lanczos' method.
MOST_DENSE = 200
FEW = 10


class KernelPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Principal components of φ(x), known only by its inner products k(x, z) = φ(x) · φ(z).

    The centred kernel matrix has the same eigenvalues, but for zeros, as the scatter of the φ(x), and a row's
    score along a direction is its eigenvector's entry times the root of the eigenvalue.

    Parameters
    ----------
    n_components : int or None
        How many; all of a positive eigenvalue where None.
    kernel : {"linear", "poly", "rbf", "sigmoid", "cosine", "precomputed"} or callable
        k.
    gamma : float or None
        The γ of ``rbf``, ``poly`` and ``sigmoid``; 1 / d where None.
    degree, coef0 : float
        Of ``poly`` and ``sigmoid``.
    kernel_params : dict or None
        Arguments of a callable.
    alpha : float
        Penalty of the ridge regression that goes back to the columns.
    fit_inverse_transform : bool
        Whether that regression is fitted.
    eigen_solver : {"auto", "dense", "arpack", "randomized"}
        All eigenvalues, or the first few alone.
    tol : float
        Of ``arpack``.
    max_iter : int or None
        Of ``arpack``.
    iterated_power : int or "auto"
        Of ``randomized``.
    remove_zero_eig : bool
        Whether directions of eigenvalue zero are left out.
    random_state : int, RandomState or None
        Of ``arpack`` and ``randomized``.
    copy_X : bool
        Whether the rows are copied for a later transform.
    n_jobs : int or None
        Of the kernel.

    Attributes
    ----------
    eigenvalues_ : ndarray of shape (k,)
        Of the centred kernel matrix, largest first.
    eigenvectors_ : ndarray of shape (n, k)
        Unit vectors.
    dual_coef_ : ndarray of shape (n, d)
        Of the way back, where it was fitted.
    X_fit_ : ndarray of shape (n, d)
        The rows.
    gamma_ : float
        γ in use.

    References
    ----------
    Schölkopf, Smola and Müller (1998), Nonlinear component analysis as a kernel eigenvalue problem, Neural
    Computation 10.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "kernel": [StrOptions({"linear", "poly", "rbf", "sigmoid", "cosine", "precomputed"}), callable],
        "gamma": [Interval(Real, 0, None, closed="left"), None],
        "degree": [Interval(Real, 0, None, closed="left")],
        "coef0": [Interval(Real, None, None, closed="neither")],
        "kernel_params": [dict, None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_inverse_transform": ["boolean"],
        "eigen_solver": [StrOptions({"auto", "dense", "arpack", "randomized"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "iterated_power": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "remove_zero_eig": ["boolean"],
        "random_state": ["random_state"],
        "copy_X": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        kernel: Any = "linear",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[str, Any] | None = None,
        alpha: float = 1.0,
        fit_inverse_transform: bool = False,
        eigen_solver: str = "auto",
        tol: float = 0,
        max_iter: int | None = None,
        iterated_power: Any = "auto",
        remove_zero_eig: bool = False,
        random_state: Any = None,
        copy_X: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.alpha = alpha
        self.fit_inverse_transform = fit_inverse_transform
        self.eigen_solver = eigen_solver
        self.tol = tol
        self.max_iter = max_iter
        self.iterated_power = iterated_power
        self.remove_zero_eig = remove_zero_eig
        self.random_state = random_state
        self.copy_X = copy_X
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows X of shape (n, d), or to a kernel matrix where it is precomputed; y is not used."""
        self._validate_params()
        if self.fit_inverse_transform and self.kernel == "precomputed":
            raise UsageError(
                "Cannot fit_inverse_transform with a precomputed kernel: it has no columns to go back to"
            )
        some_columns(X)
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            accept_sparse="csr",
            copy=self.copy_X,
            ensure_min_samples=2,
        )
        self.gamma_ = 1 / X.shape[1] if self.gamma is None else self.gamma
        check_time()
        K = self._kernel(X)
        if self.kernel == "rbf":
            self._say_if_blurred(X, K)
        self._columns_mean = K.mean(axis=0)
        self._mean = float(self._columns_mean.mean())
        # Centring leaves the rounding errors of the kernel's own numbers.
        rounding = len(K) * float(np.finfo(K.dtype).eps * np.abs(K).max())
        self._decompose(self._centred(K), rounding)
        self.X_fit_ = X
        if self.fit_inverse_transform:
            scores = self._scores()
            ridged = self._kernel(scores)
            ridged[np.diag_indices(len(ridged))] += self.alpha
            dense = X.toarray() if sparse.issparse(X) else X
            self.dual_coef_ = linalg.solve(ridged, dense, assume_a="pos", overwrite_a=True)
            self.X_transformed_fit_ = scores
        return self

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> NDArray[Any]:
        """Fit, and return the scores of the rows."""
        self.fit(X, **params)
        return self._scores()

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the scores of rows X of shape (n, d), shape (n, k)."""
        check_is_fitted(self)
        # The kernel has the precision of the rows, which whole numbers have none of.
        X = validate_data(self, X, dtype=[np.float64, np.float32], accept_sparse="csr", reset=False)
        K = self._centred(self._kernel(X, self.X_fit_))
        kept = self.eigenvalues_ > 0
        scale = np.zeros_like(self.eigenvectors_)
        scale[:, kept] = self.eigenvectors_[:, kept] / np.sqrt(self.eigenvalues_[kept])
        return np.asarray(K @ scale)

    def inverse_transform(self, X: Any) -> NDArray[Any]:
        """Return rows in the columns of the data from scores, by ridge regression in the kernel."""
        if not self.fit_inverse_transform:
            raise NotFittedError(
                "The fit_inverse_transform parameter was not set to True when instantiating and hence the "
                "inverse transform is not available."
            )
        X = check_array(X, dtype=[np.float64, np.float32])
        return np.asarray(self._kernel(X, self.X_transformed_fit_) @ self.dual_coef_)

    @property
    def _n_features_out(self) -> int:
        return len(self.eigenvalues_)

    def _kernel(self, X: Any, Y: Any = None) -> FloatArray:
        if callable(self.kernel):
            options = self.kernel_params or {}
        else:
            options = {"gamma": self.gamma_, "degree": self.degree, "coef0": self.coef0}
        if self.kernel == "rbf" and not sparse.issparse(X) and not sparse.issparse(Y):
            rbf = KernelFunction("rbf", self.gamma_)
            return self._finite(rbf.matrix(X, X if Y is None else Y).astype(X.dtype, copy=False))
        K = np.array(
            pairwise_kernels(X, Y, metric=self.kernel, filter_params=True, n_jobs=self.n_jobs, **options),
            copy=True,
        )
        return self._finite(K)

    def _say_if_blurred(self, X: Any, K: FloatArray) -> None:
        X = X.astype(np.float64, copy=False)
        # Rows that are all far from each other have no distance that matters.
        near = np.count_nonzero(K) > np.count_nonzero(np.diagonal(K))
        if near and KernelFunction("rbf", self.gamma_).blurred(X):
            warnings.warn(f"{type(self).__name__}: X: {BLUR}", ThetaHatWarning, stacklevel=3)

    def _finite(self, K: FloatArray) -> FloatArray:
        if not np.isfinite(K).all():
            raise UsageError("X: the kernel overflows on these rows; scale the columns or lower gamma")
        return K

    def _centred(self, K: FloatArray) -> FloatArray:
        """Return inner products of φ less the mean φ of the rows fitted to."""
        return np.asarray(K - self._columns_mean - K.mean(axis=1, keepdims=True) + self._mean)

    def _scores(self) -> NDArray[Any]:
        return np.asarray(self.eigenvectors_ * np.sqrt(self.eigenvalues_))

    def _decompose(self, K: FloatArray, rounding: float) -> None:
        n = len(K)
        count = n if self.n_components is None else min(n, self.n_components)
        solver = self.eigen_solver
        if solver == "auto":
            solver = "arpack" if n > MOST_DENSE and count < FEW else "dense"
        seed = check_random_state(self.random_state)
        check_time()
        if solver == "arpack" and count < n:
            values, vectors = self._by_lanczos(K, count, seed)
        elif solver == "randomized":
            U, values, Vt = randomized_svd(K, count, n_iter=self.iterated_power, random_state=seed)
            # A singular value whose two vectors are opposite is a negative eigenvalue.
            values, vectors = values * np.sign(np.einsum("ik,ki->k", U, Vt)), U
        else:
            values, vectors = _largest(K, count)
        order = np.argsort(-values, kind="stable")
        values, vectors = values[order], vectors[:, order]
        floor = NOUGHT * max(values[0], 0.0) if K.dtype == np.float64 else 1e-6 * max(values[0], 0.0)
        few = FEW_DIGITS_SINGLE if K.dtype == np.float32 else FEW_DIGITS
        if rounding > few * values[0]:
            warnings.warn(
                f"{type(self).__name__}: but for rounding all rows are alike, or nearly, to this kernel, so "
                "its components have few digits or none; raise gamma or scale the columns",
                ThetaHatWarning,
                stacklevel=3,
            )
            floor = max(floor, rounding)
        if values[-1] < -max(1e-5 * abs(values[0]), floor):
            raise UsageError(
                "There are significant negative eigenvalues: the kernel is not positive semi-definite on "
                "these rows, so it is no inner product; choose another kernel"
            )
        values = np.where(values > floor, values, 0.0)
        vectors = signed(np.ascontiguousarray(vectors.T)).T
        if self.remove_zero_eig or self.n_components is None:
            vectors, values = vectors[:, values > 0], values[values > 0]
        self.eigenvalues_, self.eigenvectors_ = values, np.ascontiguousarray(vectors)

    def _by_lanczos(self, K: FloatArray, count: int, seed: Any) -> tuple[FloatArray, FloatArray]:
        start = seed.uniform(-1, 1, size=len(K))
        try:
            found: tuple[FloatArray, FloatArray] = eigsh(
                in_steps(K), count, which="LA", tol=self.tol, maxiter=self.max_iter, v0=start
            )
            return found
        except ArpackNoConvergence:
            raise
        except ArpackError:
            # It runs out of directions where nearly all eigenvalues are one and the same.
            return _largest(K, count)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _largest(K: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the largest eigenvalues of a symmetric matrix, rising, and their vectors."""
    n = len(K)
    values, vectors = linalg.eigh(K, subset_by_index=(n - count, n - 1))
    if len(values) < count:
        # LAPACK's bisection finds none where nearly all eigenvalues are one and the same.
        values, vectors = (part[..., n - count :] for part in linalg.eigh(K, driver="evd"))
    return values, vectors
