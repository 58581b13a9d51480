"""Fits to rows that lie in the partitions of Dask arrays and frames, by sums of what each partition adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thetahat.errors import UsageError
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.partitioned import fit_likelihood, fit_squares
from thetahat.linear.regressors import LinearRegression, PoissonRegression, Ridge
from thetahat.pca.classes import PCA
from thetahat.pca.spectrum import Spread, merged, of_spread, spread_of

__all__ = ["fit_partitions"]


def fit_partitions(model: Any, X: Any, y: Any = None) -> Any:
    """Fit a model to a Dask array or frame without bringing its rows together.

    Each worker sums what its partitions add; the sums, of the size of a Hessian, travel. The estimate is that
    of one machine to rounding (least squares, ridge and PCA to 1e-10, likelihoods to their tolerance).

    Parameters
    ----------
    model : LinearRegression, Ridge, LogisticRegression, PoissonRegression or PCA
        With its parameters set. Its attributes are set, and it is returned: it predicts as usual.
    X : dask array of shape (n, d), or dask frame
        Rows. Chunks of an array must not cut the columns.
    y : dask array of shape (n,), dask series, or the name of a column of a frame
        Target; not for PCA. Its partitions must be those of X.

    Returns
    -------
    estimator
        The model; ``result_`` holds standard errors, observed and expected alike, for one output.

    Raises
    ------
    UsageError
        X is no Dask collection, partitions do not match, or the model cannot be fitted so.

    Notes
    -----
    Likelihoods read the partitions once a Newton step: call ``.persist()`` first where they fit the memory of
    the cluster.
    """
    blocks, names = _blocks(X, y)
    if isinstance(model, PCA):
        return _components(model, blocks)
    if y is None:
        raise UsageError("y: this model needs a target")
    everywhere = _Everywhere(blocks)
    if isinstance(model, LinearRegression | Ridge):
        fitted = fit_squares(model, everywhere, ["intercept", *names])
    elif isinstance(model, LogisticRegression | PoissonRegression):
        fitted = fit_likelihood(model, everywhere, ["intercept", *names])
    else:
        raise UsageError(
            f"model: {type(model).__name__} cannot be fitted to partitions; use LinearRegression, Ridge, "
            "LogisticRegression, PoissonRegression or PCA of thetahat"
        )
    if hasattr(X, "columns"):
        fitted.feature_names_in_ = np.array(names, dtype=object)
    return fitted


class _Everywhere:
    """Does a piece of work where each partition lies."""

    def __init__(self, blocks: Sequence[tuple[Any, Any]]) -> None:
        self.blocks = blocks

    def __call__(self, work: Callable[[Any, Any], Any]) -> Sequence[Any]:
        """Return what the work gave for each partition, in their order."""
        import dask  # noqa: PLC0415

        return list(dask.compute(*(dask.delayed(_applied)(work, X, y) for X, y in self.blocks)))


def _applied(work: Callable[[Any, Any], Any], X: Any, y: Any) -> Any:
    return work(_array(X), None if y is None else np.asarray(_array(y)))


def _array(part: Any) -> Any:
    return part.to_numpy() if hasattr(part, "to_numpy") else part


def _blocks(X: Any, y: Any) -> tuple[list[tuple[Any, Any]], list[str]]:
    if not hasattr(X, "to_delayed"):
        raise UsageError("X: is no Dask array or frame; call fit on it, or make one by dask.array.from_array")
    if hasattr(X, "columns"):
        if isinstance(y, str):
            X, y = X.drop(columns=[y]), X[y]
        names = [str(name) for name in X.columns]
        rows = list(X.to_delayed())
    else:
        if X.ndim != 2 or X.numblocks[1] != 1:
            raise UsageError("X: its chunks cut the columns; call X.rechunk({1: -1}) first")
        names = [f"x{j}" for j in range(X.shape[1])]
        rows = [block[0] for block in X.to_delayed()]
    if y is None:
        return [(block, None) for block in rows], names
    targets = [block[0] if isinstance(block, np.ndarray) else block for block in y.to_delayed()]
    targets = [block.item() if isinstance(block, np.ndarray) else block for block in targets]
    if len(targets) != len(rows):
        raise UsageError(f"y: has {len(targets)} partitions and X {len(rows)}; give both the same chunks")
    return list(zip(rows, targets, strict=True)), names


def _components(model: PCA, blocks: Sequence[tuple[Any, Any]]) -> PCA:
    parts: Sequence[Spread] = _Everywhere(blocks)(_spread)
    spectrum = of_spread(merged(parts))
    count = model.n_components
    if count is None:
        count = len(spectrum.singular)
    elif isinstance(count, float):
        count = int(np.searchsorted(np.cumsum(spectrum.ratios), count, side="right")) + 1
    elif isinstance(count, str) or not 0 <= count <= len(spectrum.singular):
        raise UsageError(f"n_components: {count!r} cannot be had from {len(spectrum.singular)} directions")
    model.n_samples_, model.n_features_in_ = spectrum.n, len(spectrum.mean)
    model.svd_solver_ = model._fit_svd_solver = "covariance_eigh"
    model._keep(spectrum, min(int(count), len(spectrum.singular)))
    return model


def _spread(X: Any, y: Any) -> Spread:
    X = np.asarray(X, dtype=np.float64)
    if not np.isfinite(X).all():
        raise UsageError("X: a part holds NaN or infinity; drop or fill those rows first")
    return spread_of(X)
