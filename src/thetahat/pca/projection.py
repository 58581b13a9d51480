"""What every class of principal components does with fitted directions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from thetahat.contracts import FloatArray
from thetahat.errors import ThetaHatWarning
from thetahat.pca.spectrum import Spectrum

__all__ = ["Projection"]


class Projection(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What both public classes do with fitted directions."""

    whiten: bool
    mean_: FloatArray
    components_: FloatArray
    singular_values_: FloatArray
    explained_variance_: FloatArray
    noise_variance_: float
    _scale: FloatArray

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the scores of rows X of shape (n, d), shape (n, k)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32], reset=False)
        if sparse.issparse(X):
            scores = X @ self.components_.T - self.mean_ @ self.components_.T
        else:
            scores = (X - self.mean_) @ self.components_.T
        if self.whiten:
            scores = scores / self._scale
        return np.asarray(scores)

    def inverse_transform(self, X: Any) -> NDArray[Any]:
        """Return the rows in the columns of the data that have these scores."""
        check_is_fitted(self)
        scores = np.asarray(X)
        if self.whiten:
            scores = scores * self._scale
        return np.asarray(scores @ self.components_ + self.mean_)

    def get_covariance(self) -> FloatArray:
        """Return W Wᵀ + σ² I, the covariance of probabilistic PCA, shape (d, d)."""
        check_is_fitted(self)
        more = np.maximum(self.explained_variance_ - self.noise_variance_, 0.0)
        covariance = (self.components_.T * more) @ self.components_
        covariance[np.diag_indices(len(covariance))] += self.noise_variance_
        return np.asarray(covariance)

    def get_precision(self) -> FloatArray:
        """Return the inverse of the covariance; its pseudo-inverse where that has none."""
        check_is_fitted(self)
        noise = float(self.noise_variance_)
        if noise > 0:
            value = np.maximum(self.explained_variance_, noise)
            inside = (self.components_.T * (1 / value - 1 / noise)) @ self.components_
            inside[np.diag_indices(len(inside))] += 1 / noise
            return np.asarray(inside)
        return np.asarray(np.linalg.pinv(self.get_covariance(), hermitian=True))

    def score_samples(self, X: Any) -> FloatArray:
        """Return the log-likelihood of each row under probabilistic PCA, in nats."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        away = X - self.mean_
        precision = self.get_precision()
        _, logs = np.linalg.slogdet(precision)
        squares = np.einsum("ij,jk,ik->i", away, precision, away, optimize=True)
        return np.asarray(-0.5 * (squares + X.shape[1] * math.log(2 * math.pi) - logs))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of the rows under probabilistic PCA, in nats."""
        return float(np.mean(self.score_samples(X)))

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def _keep(self, spectrum: Spectrum, count: int) -> None:
        """Keep the first directions of a spectrum as attributes."""
        self.mean_ = spectrum.mean
        self.components_ = np.ascontiguousarray(spectrum.components[:count])
        variances = spectrum.variances
        self.explained_variance_ = variances[:count]
        self.explained_variance_ratio_ = spectrum.ratios[:count]
        self.singular_values_ = spectrum.singular_values[:count]
        # Through singular values, which a double holds where their squares overflow or vanish.
        scale = self.singular_values_ / math.sqrt(spectrum.degrees)
        self._scale = np.maximum(scale, np.finfo(scale.dtype).eps * (scale[0] if len(scale) else 1) or 1.0)
        self.n_components_ = count
        d, rank = spectrum.components.shape[1], min(spectrum.n, spectrum.components.shape[1])
        with np.errstate(over="ignore", under="ignore"):
            part = spectrum.singular[:count] ** 2 / spectrum.degrees
            rest = np.ldexp(max(spectrum.total - float(part.sum()), 0.0), 2 * spectrum.exponent)
        self.noise_variance_ = float(rest) / (rank - count) if count < min(rank, d) else 0.0
        beyond = np.isinf(variances[:count]).any() or np.isinf(self.noise_variance_)
        if beyond or ((variances == 0) & (spectrum.singular > 0))[:count].any():
            warnings.warn(
                "X: its variances are beyond the range of floating point, so explained_variance_ is not to "
                "be used; singular_values_, the ratios and the directions are sound. Scale X",
                ThetaHatWarning,
                stacklevel=3,
            )
