"""C-support vector classification with the interface of scikit-learn."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import check_random_state, column_or_1d, compute_class_weight
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _ovr_decision_function, check_classification_targets
from sklearn.utils.validation import check_is_fitted

from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.svm.estimator import SupportVectorMachine, machine_under
from thetahat.svm.machine import CONSTRAINTS, KernelMachine, prices, row_weights
from thetahat.svm.pairs import by_pair, pair_duals, pairs, votes
from thetahat.svm.probability import couple, fit_curves, held_out_scores, pair_scores

__all__ = ["SVC"]

# Parts held out in turn for probability=True.
FOLDS = 5


def _wants_probability(machine: Any) -> bool:
    return not isinstance(machine.probability, str) and bool(machine.probability)


def _asked_for_probability(machine: Any) -> bool:
    if _wants_probability(machine):
        return True
    raise AttributeError("predict_proba is not available when probability=False; set probability=True")


class SVC(ClassifierMixin, KernelMachine):  # type: ignore[misc]
    """Support vector classifier: the widest margin, with C times the hinge loss of the rows within it.

    Minimises ½ ‖f‖² + C Σ wᵢ max(0, 1 − yᵢ f(xᵢ)) for each pair of classes.

    Parameters
    ----------
    C : float
        Price of a row within the margin.
    kernel : {"linear", "poly", "rbf", "sigmoid", "precomputed"} or callable
        The kernel; a callable returns the kernel matrix of two lists of rows.
    degree, gamma, coef0 : int, float or str, float
        Parameters of the kernel; ``gamma="scale"`` is 1 / (d · variance of X, weighted as the rows
        are), ``"auto"`` is 1 / d.
    shrinking : bool
        Whether rows that are settled are left out for a while; the optimum is the same.
    verbose : bool
        Taken for compatibility.
    probability : bool
        Whether to fit probabilities; deprecated, as in scikit-learn 1.9:
        :func:`thetahat.held_out_probability` gives the same with its standard errors and calibration.
    tol : float
        Largest violation of the optimality conditions, verified in float64.
    cache_size : float
        Megabytes for kernel values.
    class_weight : dict or "balanced" or None
        Factor on C for each class.
    max_iter : int
        Most steps; −1 is 10 million, or a hundred a row where that is more.
    decision_function_shape : {"ovr", "ovo"}
        One number a class, or one a pair of classes.
    break_ties : bool
        Whether ties of votes are broken by the decision function.
    random_state : int, RandomState or None
        Deals rows into folds for ``probability=True``; nothing else is random.
    time_limit : float or None
        Most seconds for each pair of classes.

    Attributes
    ----------
    classes_, class_weight_, support_, support_vectors_, n_support_, dual_coef_, intercept_, n_iter_, \
    shape_fit_, fit_status_, coef_
        As in scikit-learn.
    status_ : Status
        How the fit ended.
    duality_gap_ : float
        Primal less dual objective, over all pairs.
    kkt_violation_ : float
        Worst violation of the optimality conditions.
    objective_ : ndarray
        Dual objective of each pair, as a minimum.
    margin_ : ndarray
        2 / ‖f‖ of each pair: how far the sheets f = ±1 are apart in the space of the kernel.
    n_bounded_ : ndarray
        Support vectors of each pair that are at their bound.
    indefinite_ : bool
        Whether the kernel matrix was found not to be positive semi-definite.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "C": [Interval(Real, 0.0, None, closed="right")],
        "probability": ["boolean", Hidden(StrOptions({"deprecated"}))],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "random_state": ["random_state"],
        "decision_function_shape": [StrOptions({"ovr", "ovo"})],
        "break_ties": ["boolean"],
    }

    def __init__(
        self,
        *,
        C: float = 1.0,
        kernel: Any = "rbf",
        degree: int = 3,
        gamma: Any = "scale",
        coef0: float = 0.0,
        shrinking: bool = True,
        probability: Any = "deprecated",
        tol: float = 1e-3,
        cache_size: float = 2000,
        class_weight: Any = None,
        verbose: bool = False,
        max_iter: int = -1,
        decision_function_shape: str = "ovr",
        break_ties: bool = False,
        random_state: Any = None,
        time_limit: float | None = None,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.shrinking = shrinking
        self.probability = probability
        self.tol = tol
        self.cache_size = cache_size
        self.class_weight = class_weight
        self.verbose = verbose
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape
        self.break_ties = break_ties
        self.random_state = random_state
        self.time_limit = time_limit

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d), or a kernel matrix (n, n), and labels y of shape (n,)."""
        X, y = self._rows(X, y)
        if self.probability != "deprecated":
            warnings.warn(
                "probability: this parameter is deprecated, as in scikit-learn 1.9; call "
                "thetahat.held_out_probability(SVC(), X, y, rng=...) instead",
                FutureWarning,
                stacklevel=2,
            )
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise UsageError(f"y: The number of classes has to be greater than one; got {len(classes)} class")
        weight = row_weights(sample_weight, len(y))
        if len(np.unique(codes[weight > 0])) < 2:
            raise UsageError(
                "sample_weight: Invalid input - all samples with positive weights belong to the same class"
            )
        self.classes_ = classes
        self.class_weight_ = compute_class_weight(self.class_weight, classes=classes, y=y)
        price = prices(self.C, self.class_weight_[codes] * weight)
        couples = pairs(len(classes))
        problems = pair_duals(codes, price, len(classes))
        duals = [(dual, rows if len(classes) > 2 else None) for rows, dual in problems]
        solutions = self._train(duals, X, None if sample_weight is None else weight)
        coef = np.zeros((len(classes) - 1, len(y)))
        for (i, j), (rows, _), solution in zip(couples, problems, solutions, strict=True):
            mine = codes[rows] == i
            coef[j - 1, rows[mine]] = solution.beta[mine]
            coef[i, rows[~mine]] = solution.beta[~mine]
        carried = np.flatnonzero(coef.any(axis=0))
        support = carried[np.argsort(codes[carried], kind="stable")]
        self._keep(X, support)
        self._codes = codes[support]
        self._n_support = np.bincount(self._codes, minlength=len(classes)).astype(np.int32)
        # Of two classes, a positive decision speaks for the second.
        sign_out = -1.0 if len(classes) == 2 else 1.0
        self.dual_coef_ = self._as_fitted(sign_out * coef[:, support])
        self.intercept_ = sign_out * np.array([each.optimality.intercept for each in solutions])
        self.n_iter_ = np.array([each.steps for each in solutions], dtype=np.int32)
        self._platt = np.empty((0, 2))
        if _wants_probability(self):
            folds = int(min(FOLDS, max(np.bincount(codes).min(), 2)))
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
            scores = held_out_scores(self, X, codes, weight, folds, rng)
            curves = fit_curves(scores, codes, weight)
            self._platt = np.array([curve.params for curve in curves])
            failed = next((curve.status for curve in curves if not curve.status.ok), None)
            if failed is not None:
                warnings.warn(f"probability: {failed.value}", ConvergenceWarning, stacklevel=2)
        return self

    @property
    def n_support_(self) -> IntArray:
        """Support vectors of each class."""
        if not hasattr(self, "_n_support"):
            raise AttributeError("n_support_: not fitted yet")
        return self._n_support

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return f of each row: (n,) of two classes, (n, K) or (n, K(K−1)/2) of more."""
        decisions = self._decisions(X)
        if len(self.classes_) == 2:
            return decisions.ravel()
        if self.decision_function_shape == "ovr":
            return np.asarray(_ovr_decision_function(decisions < 0, -decisions, len(self.classes_)))
        return decisions

    def pair_decisions(self, X: Any) -> FloatArray:
        """Return f of each row and pair of classes: positive for the first, of two classes for the second."""
        return self._decisions(X)

    @available_if(_asked_for_probability)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class, shape (n, K); of a fit with ``probability=True``."""
        check_is_fitted(self)
        if not len(self._platt):
            raise NotFittedError(
                "predict_proba is not available when fitted with probability=False; set it and fit again"
            )
        return couple(self._platt, pair_scores(self, X))

    @available_if(_asked_for_probability)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of the probability of each class, shape (n, K)."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    @property
    def probA_(self) -> FloatArray:
        """Slopes of the curves of ``probability=True``, negated as LIBSVM has them; deprecated."""
        return self._negated("probA_", 1)

    @property
    def probB_(self) -> FloatArray:
        """Offsets of the curves of ``probability=True``, negated as LIBSVM has them; deprecated."""
        return self._negated("probB_", 0)

    def _negated(self, name: str, place: int) -> FloatArray:
        warnings.warn(
            f"Attribute `{name}` was deprecated with probability=; see thetahat.held_out_probability",
            FutureWarning,
            stacklevel=3,
        )
        return -self._platt[:, place]

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row by the votes of the pairs."""
        check_is_fitted(self)
        if self.break_ties and self.decision_function_shape == "ovo":
            raise UsageError("break_ties must be False when decision_function_shape is 'ovo'")
        classes = len(self.classes_)
        if classes == 2:
            place: IntArray = (self._decisions(X).ravel() > 0).astype(np.intp)
        elif self.break_ties:
            place = self.decision_function(X).argmax(axis=1)
        else:
            place = votes(self._decisions(X), classes)
        return np.asarray(self.classes_[place])

    def _scores(self) -> FloatArray:
        dual = self._dense_dual()
        if not hasattr(self, "_codes") or not dual.shape[1] == len(self._codes) == self._n_support.sum():
            raise UsageError("The internal representation of SVC was altered")
        return dual.T if len(self.classes_) == 2 else by_pair(dual, self._codes)

    def point_estimator(self, classes: int | None, /) -> SupportVectorMachine | None:
        """Return the point estimator underneath, which shares work; None where it has no equal.

        These have none: weights of classes, probabilities, ties broken, one decision a pair of classes, and
        kernels that are not named.
        """
        plain = self.class_weight is None and not _wants_probability(self) and not self.break_ties
        by_class = classes == 2 or self.decision_function_shape == "ovr"
        return machine_under(self, classes) if classes is not None and plain and by_class else None

    def _names(self) -> list[str]:
        return [f"{self.classes_[i]} against {self.classes_[j]}" for i, j in pairs(len(self.classes_))]

    def _slopes(self) -> Any:
        if len(self.classes_) == 2:
            return self.dual_coef_ @ self.support_vectors_
        coef = self._scores().T
        return (sp.csr_matrix(coef) if self._sparse else coef) @ self.support_vectors_
