"""Principal components with the interface of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions
from sklearn.utils.validation import assert_all_finite, check_is_fitted, validate_data

from thetahat.checked import some_columns, squarable
from thetahat.contracts import FloatArray, Predictor
from thetahat.errors import UsageError
from thetahat.pca.dimension import likeliest_dimension
from thetahat.pca.inference import ComponentsResult, Errors, describe_components
from thetahat.pca.projection import Projection
from thetahat.pca.spectrum import (
    Spectrum,
    Spread,
    by_eigenvalues,
    by_singular_values,
    first_few,
    merged,
    of_spread,
    spread_of,
)
from thetahat.tables.streaming import open_source

__all__ = ["PCA", "IncrementalPCA"]

# Fewest rows of a batch that is read from a file.
STREAMED_ROWS = 20_000
SOLVERS = {"auto", "full", "covariance_eigh", "arpack", "randomized"}


class PCA(Projection):
    """Principal components: orthonormal directions of largest variance, with error bars.

    Parameters
    ----------
    n_components : int, float, "mle" or None
        How many; a share of the variance to reach; Minka's choice; or all.
    copy : bool
        Taken for compatibility; X is never written to.
    whiten : bool
        Whether scores are divided by their standard deviations.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}
        ``full``: singular values, exact to the last digits. ``covariance_eigh``: eigenvalues of the scatter,
        summed in double precision; for many rows of few columns. The others find the first few alone.
    tol : float
        Of ``arpack``.
    iterated_power : int or "auto"
        Power iterations that ``randomized`` is to be at least as near as; it takes half as many blocks of a
        Krylov space.
    n_oversamples : int
        Directions beyond those wanted, of ``randomized``.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}
        Taken for compatibility; the blocks are always orthonormal.
    random_state : int, RandomState or None
        Of ``arpack`` and ``randomized``.

    Attributes
    ----------
    components_ : ndarray of shape (k, d)
        Directions, of largest variance first; the entry of largest size is positive.
    explained_variance_, explained_variance_ratio_, singular_values_ : ndarray of shape (k,)
        Variance along each, its share in all variance, and the singular value of the centred rows.
    mean_ : ndarray of shape (d,)
        Of the rows.
    noise_variance_ : float
        Mean variance of the directions left out: σ² of probabilistic PCA.
    n_components_, n_samples_, n_features_in_ : int
        Directions kept, rows and columns.
    svd_solver_ : str
        Which solver found them.

    References
    ----------
    Tipping and Bishop (1999), Probabilistic principal component analysis, J. R. Statist. Soc. B 61.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            StrOptions({"mle"}),
            None,
        ],
        "copy": ["boolean"],
        "whiten": ["boolean"],
        "svd_solver": [StrOptions(SOLVERS)],
        "tol": [Interval(Real, 0, None, closed="left")],
        "iterated_power": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "n_oversamples": [Interval(Integral, 1, None, closed="left")],
        "power_iteration_normalizer": [StrOptions({"auto", "QR", "LU", "none"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: Any = None,
        *,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 0.0,
        iterated_power: Any = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows X of shape (n, d), dense or sparse; y is not used."""
        X, solver = self._checked(X)
        return self._take_spectrum(self._spectrum(X, solver), X.shape, solver)

    def _checked(self, X: Any) -> tuple[Any, str]:
        """Return checked rows and the solver for them."""
        self._validate_params()
        some_columns(X)
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            accept_sparse=("csr", "csc"),
            ensure_min_samples=2,
            ensure_all_finite=False,
        )
        solver = self._solver(X)
        if solver != "covariance_eigh" or sparse.issparse(X):
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
        self._count(X.shape, solver)
        return X, solver

    def _spectrum(self, X: Any, solver: str, weight: FloatArray | None = None) -> Spectrum:
        """Return the spectrum of checked rows; solvers for the first few find no more than are wanted."""
        if solver == "full":
            return by_singular_values(X, weight=weight)
        if solver == "covariance_eigh":
            # The sums of the rows tell whether all are finite, without a look at each before.
            return by_eigenvalues(X, type(self).__name__, weight)
        count = self._count(X.shape, solver)
        assert isinstance(count, int)
        options: dict[str, Any] = {"tol": self.tol}
        if solver == "randomized":
            options = {
                "n_oversamples": self.n_oversamples,
                "n_iter": self.iterated_power,
            }
        return first_few(X, count, solver, check_random_state(self.random_state), options, weight)

    def _take_spectrum(self, spectrum: Spectrum, shape: tuple[int, int], solver: str) -> Self:
        """Keep as many directions of the spectrum of rows of this shape as are wanted."""
        count = self._count(shape, solver)
        if count == "mle":
            count = likeliest_dimension(
                spectrum.variances, shape[0] if spectrum.weight is None else round(spectrum.weight)
            )
        elif isinstance(count, float):
            count = int(np.searchsorted(np.cumsum(spectrum.ratios), count, side="right")) + 1
        self.n_samples_ = shape[0]
        self.svd_solver_ = solver
        self._fit_svd_solver = solver
        self._keep(spectrum, min(int(count), len(spectrum.singular)))
        return self

    def before(self, learner: Predictor[Any], /) -> Predictor[Any] | None:
        """Return these components followed by a learner as one point estimator; None where it has no equal.

        A seed that is a generator has none.
        """
        # It is made of this class, so it cannot be imported before it.
        from thetahat.pca.learner import ComponentsBefore  # noqa: PLC0415

        seed = self.random_state
        if not (seed is None or isinstance(seed, Integral)):
            return None
        return ComponentsBefore(
            learner,
            self.n_components,
            self.whiten,
            self.svd_solver,
            self.tol,
            self.iterated_power,
            self.n_oversamples,
            None if seed is None else int(seed),
        )

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Fit, and return the scores of the rows."""
        return self.fit(X, y).transform(X)

    def describe(
        self, X: Any, *, errors: Errors = "robust", level: float = 0.95, rng: Generator | None = None
    ) -> ComponentsResult:
        """Return the components with standard errors and intervals.

        Parameters
        ----------
        X : array of shape (n, d)
            The rows it was fitted to.
        errors : {"robust", "normal", "bootstrap"}
            What the errors rest on.
        level : float
            Of the intervals.
        rng : Generator, optional
            Of the bootstrap.

        Raises
        ------
        UsageError
            The rows are not those it was fitted to.
        """
        check_is_fitted(self)
        X = np.asarray(X, dtype=np.float64)
        if X.shape != (self.n_samples_, self.n_features_in_):
            raise UsageError(
                f"X: give the {self.n_samples_} rows of {self.n_features_in_} columns it was fitted to"
            )
        full = by_singular_values(X)
        found = describe_components(full, X, errors=errors, level=level, rng=rng)
        return found.first(self.n_components_)

    def _solver(self, X: Any) -> str:
        n, d = X.shape
        asked = self.svd_solver
        if sparse.issparse(X) and asked not in ("auto", "covariance_eigh", "arpack"):
            raise TypeError(
                'PCA only support sparse inputs with the "arpack" and "covariance_eigh" solvers, while '
                f'"{asked}" was passed; choose one of them, or give X.toarray()'
            )
        if asked != "auto":
            return asked
        few = isinstance(self.n_components, int | np.integer) and 1 <= self.n_components < 0.8 * min(n, d)
        if sparse.issparse(X):
            return "covariance_eigh" if d <= 1000 and n >= 10 * d or not few else "arpack"
        if d <= 1000 and n >= 10 * d:
            return "covariance_eigh"
        if max(n, d) <= 500 or self.n_components == "mle":
            return "full"
        return "randomized" if few else "full"

    def _count(self, shape: tuple[int, int], solver: str) -> int | float | str:
        n, d = shape
        count = self.n_components
        least = min(n, d)
        if count is None:
            return least - 1 if solver == "arpack" else least
        if solver in ("arpack", "randomized"):
            if not isinstance(count, int | np.integer):
                raise UsageError(
                    f"n_components={count!r} cannot be a string with svd_solver={solver!r}"
                    if isinstance(count, str)
                    else f"n_components={count!r} must be of type int with svd_solver={solver!r}"
                )
            if not 1 <= count <= least or (solver == "arpack" and count == least):
                strictly = "strictly less than " if solver == "arpack" and count == least else ""
                raise UsageError(
                    f"n_components={count!r} must be {strictly or 'between 1 and '}"
                    f"min(n_samples, n_features)={least!r} with svd_solver={solver!r}"
                )
            return int(count)
        if count == "mle":
            if n < d:
                raise UsageError("n_components='mle' is only supported if n_samples >= n_features")
            return "mle"
        if isinstance(count, int | np.integer):
            if count > least:
                raise UsageError(
                    f"n_components={count} must be between 0 and min(n_samples, n_features)={least} with "
                    f"svd_solver={solver!r}"
                )
            return int(count)
        return float(count)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = self.svd_solver in ("auto", "covariance_eigh", "arpack")
        return tags


class IncrementalPCA(Projection):
    """Principal components of rows that come batch by batch, exactly those of all rows at once.

    The sums of the batches are merged, so the memory is that of a batch and of a d × d matrix, and nothing is
    forgotten.

    Parameters
    ----------
    n_components : int or None
        How many; as many as rows of the first batch and columns allow where None.
    whiten : bool
        Whether scores are divided by their standard deviations.
    copy : bool
        Taken for compatibility; X is never written to.
    batch_size : int or None
        Rows of a batch in ``fit``; five times the columns where None.

    Attributes
    ----------
    components_, explained_variance_, explained_variance_ratio_, singular_values_, mean_, noise_variance_
        As of :class:`PCA`.
    var_ : ndarray of shape (d,)
        Variance of each column, with divisor n.
    n_components_, n_samples_seen_, batch_size_ : int
        Directions kept, rows so far, and rows of a batch.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, Amer. Statist. 37.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "whiten": ["boolean"],
        "copy": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        whiten: bool = False,
        copy: bool = True,
        batch_size: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.copy = copy
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows X of shape (n, d), dense or sparse, batch by batch; y is not used."""
        self._validate_params()
        for name in ("_spread", "components_"):
            self.__dict__.pop(name, None)
        some_columns(X)
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], accept_sparse=("csr",), ensure_min_samples=2
        )
        squarable(X.data if sparse.issparse(X) else X, "X")
        n, d = X.shape
        self.batch_size_ = self.batch_size or 5 * d
        starts = list(range(0, n, self.batch_size_))
        # A last batch of fewer rows than directions joins the one before it.
        if len(starts) > 1 and n - starts[-1] < (self.n_components or 1):
            starts.pop()
        self._check_count(min(n, self.batch_size_), d)
        parts = (spread_of(X[start:stop]) for start, stop in zip(starts, [*starts[1:], n], strict=True))
        self._take(merged(parts), X.dtype, min(n, self.batch_size_))
        return self

    def partial_fit(self, X: Any, y: Any = None, check_input: bool = True) -> Self:
        """Add the rows of one batch; y is not used."""
        self._validate_params()
        first = not hasattr(self, "components_")
        some_columns(X)
        X = validate_data(self, X, dtype=[np.float64, np.float32], accept_sparse=("csr",), reset=first)
        squarable(X.data if sparse.issparse(X) else X, "X")
        if first:
            self._check_count(*X.shape)
        elif self.n_components is not None and self.n_components != self.n_components_:
            raise UsageError(
                f"n_components: was {self.n_components_} in the batches before and is "
                f"{self.n_components} now; fit again"
            )
        found = spread_of(X)
        self._take(found if first else merged([self._spread, found]), X.dtype, X.shape[0])
        return self

    def fit_stream(self, source: Any, columns: Sequence[str] | None = None) -> Self:
        """Fit to a table read batch by batch: the memory is that of a batch, whatever the rows.

        Parameters
        ----------
        source : path, glob, lazy frame, dataset, or iterable of batches
            Parquet, Arrow, CSV or LIBSVM files, or what :func:`thetahat.open_source` takes.
        columns : sequence of str, optional
            Which columns; all by default. They hold numbers.

        Raises
        ------
        UsageError
            A column does not hold numbers, or holds a missing value.
        DataError
            There is no table.
        """
        self._validate_params()
        for name in ("_spread", "components_"):
            self.__dict__.pop(name, None)
        table = open_source(source)
        chosen = list(table.columns if columns is None else columns)
        self.batch_size_ = self.batch_size or max(5 * len(chosen), STREAMED_ROWS)
        for frame in table.batches(self.batch_size_):
            part = frame.select(chosen)
            words = [
                name for name, kind in part.schema.items() if not (kind.is_numeric() or kind.is_nested())
            ]
            if words:
                raise UsageError(f"columns: {words[0]} of {table.name} does not hold numbers; leave it out")
            empty = [name for name in chosen if part.get_column(name).null_count()]
            if empty:
                raise UsageError(
                    f"columns: {empty[0]} of {table.name} has missing values; fill or drop them first"
                )
            self.partial_fit(part.to_numpy().astype(np.float64, copy=False))
        check_is_fitted(self)
        self.feature_names_in_ = np.array(chosen, dtype=object)
        return self

    def _check_count(self, rows: int, columns: int) -> None:
        count = self.n_components
        if count is None:
            return
        if not 1 <= count <= columns:
            raise UsageError(
                f"n_components={count} invalid for n_features={columns}, need more rows than columns for "
                "IncrementalPCA processing"
            )
        if count > rows:
            raise UsageError(
                f"n_components={count} must be less or equal to the batch number of samples {rows} for the "
                "first partial_fit call."
            )

    def _take(self, spread: Spread, dtype: Any, rows: int) -> None:
        self._spread = spread
        spectrum = of_spread(spread, dtype)
        kept = getattr(self, "n_components_", None) if hasattr(self, "components_") else None
        count = self.n_components or kept or min(rows, len(spread.mean))
        self._keep(spectrum, min(count, len(spectrum.singular)))
        self.n_samples_seen_ = spread.n
        self.var_ = (np.diagonal(spread.scatter) / spread.n).astype(dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = True
        return tags
