"""A feed-forward network that classifies, with the interface of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from thetahat.autodiff import log_softmax
from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.networks.output import Output
from thetahat.networks.perceptron import CONSTRAINTS, Perceptron, may_continue

if TYPE_CHECKING:
    from thetahat.networks.estimator import Network

__all__ = ["MLPClassifier"]


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """Feed-forward network for classes: p(y | x) Bernoulli or categorical, trained by maximum likelihood.

    Minimises the mean of −log p(y | x) over the rows of a batch, with a penalty on the weights.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Units of each hidden layer.
    activation : {"identity", "logistic", "tanh", "relu"}
        Unit of every hidden layer, by scikit-learn's names.
    solver : {"adam", "sgd", "lbfgs"}
        Adam, gradient descent on batches, or L-BFGS on all rows.
    alpha : float
        Penalty α ‖W‖² / (2 n) on the weights, n the rows of a batch; biases are free.
    batch_size : int or "auto"
        Rows of a step; "auto" is 200, or all where they are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}
        Schedule of "sgd".
    learning_rate_init : float
        First learning rate.
    power_t : float
        Exponent of "invscaling".
    max_iter : int
        Most epochs, or iterations of L-BFGS.
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    random_state : int, RandomState or None
        Seed of weights, order and dropout.
    tol : float
        Least improvement of an epoch that counts; for L-BFGS the largest slope left.
    verbose : bool
        Whether to show a bar with the loss, on stderr.
    warm_start : bool
        Whether ``fit`` goes on from the parameters of the fit before.
    momentum, nesterovs_momentum : float, bool
        Of "sgd".
    early_stopping : bool
        Whether rows are held out, training ends when their score no longer improves, and the best
        parameters are kept.
    validation_fraction : float
        Share of rows held out.
    beta_1, beta_2, epsilon : float
        Of "adam".
    n_iter_no_change : int
        Training ends after more epochs than this without an improvement.
    max_fun : int
        Most times that L-BFGS asks for the loss.
    hidden : str or sequence of str, optional
        Unit of every hidden layer, or of each, instead of ``activation``: "relu", "leaky_relu" (0.01),
        "prelu" (slope learned), "abs", "tanh", "sigmoid", "softmax", "identity".
    output : {"bernoulli", "categorical"}, optional
        Family of y: by default Bernoulli for two classes and for several labels at once, categorical else.
    class_weight : dict or "balanced" or None
        Weight of each class.
    dropout : float
        Probability that a hidden unit is left out of a row of a step.
    clip_norm : float, optional
        Longest gradient of a step, over all parameters.
    init : {"unit", "he", "glorot", "orthogonal"}
        First weights; "unit" is He's for rectified units, Glorot's else. Biases of rectified units start
        at 0.1.
    bias : bool
        Whether layers have biases.
    checkpoint : path, optional
        File that holds the training after every epoch; where it is there, training goes on from it and
        ends with the same bits.
    time_limit : float, optional
        Most seconds.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes.
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, outputs) and biases of each layer.
    extras_ : list of ndarray
        Learned slopes of "prelu" units, a layer each, then learned log σ.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_, n_layers_, \
    n_outputs_, out_activation_
        As in scikit-learn.
    history_ : History
        Losses and held-out scores with ``.plot()``.
    gradient_norms_ : ndarray of shape (layers,)
        Gradient of the last step in the weights of each layer.
    status_ : Status
        How training ended; SOLVED where the loss no longer improved by ``tol``.
    stop_reason_ : str
        The same in words.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "output": [StrOptions({"bernoulli", "categorical"}), None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _numeric_target: ClassVar[bool] = False
    _announced: NDArray[Any] | None
    classes_: NDArray[Any]

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        hidden: Any = None,
        output: str | None = None,
        class_weight: Any = None,
        dropout: float = 0.0,
        clip_norm: float | None = None,
        init: str = "unit",
        bias: bool = True,
        checkpoint: Any = None,
        time_limit: float | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.hidden = hidden
        self.output = output
        self.class_weight = class_weight
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.init = init
        self.bias = bias
        self.checkpoint = checkpoint
        self.time_limit = time_limit

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d) and labels y: (n,), or (n, K) of zeros and ones."""
        self._announced = None
        self._fit(X, y, sample_weight, incremental=False)
        return self

    def fit_of_classes(self, X: Any, y: Any, classes: Any, sample_weight: Any = None) -> Self:
        """Fit where some of the classes may have no row."""
        self._announced = np.unique(classes)
        self._fit(X, y, sample_weight, incremental=False)
        return self

    @available_if(may_continue)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Take one pass over these rows; the first call names all classes."""
        if not hasattr(self, "classes_"):
            if classes is None:
                raise UsageError("classes must be passed on the first call to partial_fit.")
            self._announced = np.unique(classes)
        elif classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise UsageError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, "
                f"was: {self.classes_!r}"
            )
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def point_estimator(self, classes: int | None, /) -> Network | None:
        """Return the point estimator of the same settings; None where it has no equal."""
        # It is made of this class, so it cannot be imported before it.
        from thetahat.networks.estimator import network_under  # noqa: PLC0415

        return None if classes is None else network_under(self, classes)

    def _prepare(self, y: Any, weight: Any, fresh: bool) -> tuple[Output, NDArray[Any], FloatArray | None]:
        check_classification_targets(y)
        if type_of_target(y).startswith("multilabel"):
            return self._labels(y, weight, fresh)
        y = column_or_1d(y, warn=True)
        if fresh:
            self.classes_ = np.unique(y) if self._announced is None else self._announced
            self._multilabel = False
        if not fresh and self.warm_start and not np.array_equal(np.unique(y), self.classes_):
            raise UsageError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {np.unique(y)}"
            )
        strange = np.setdiff1d(y, self.classes_)
        if len(strange):
            raise UsageError(f"`y` has classes not in `self.classes_`: {strange}, not of {self.classes_}")
        codes = np.searchsorted(self.classes_, y)
        if self.class_weight is not None:
            factor = compute_class_weight(self.class_weight, classes=self.classes_, y=y)[codes]
            weight = factor if weight is None else weight * factor
        two = len(self.classes_) <= 2
        if self.output == "bernoulli" and not two:
            raise UsageError("output: a Bernoulli output takes two classes; use 'categorical'")
        if two and self.output != "categorical":
            self.out_activation_ = "logistic"
            return Output("bernoulli", 1), codes[:, None].astype(np.float64), weight
        self.out_activation_ = "softmax"
        return Output("categorical", len(self.classes_)), codes, weight

    def _labels(self, y: Any, weight: Any, fresh: bool) -> tuple[Output, NDArray[Any], FloatArray | None]:
        y = np.asarray(y.todense() if hasattr(y, "todense") else y)
        if self.output == "categorical" or self.class_weight is not None:
            raise UsageError("y: several labels at once take neither output='categorical' nor class_weight")
        if fresh:
            self.classes_ = np.arange(y.shape[1])
            self._multilabel = True
        if y.shape[1] != len(self.classes_):
            raise UsageError(f"y: has {y.shape[1]} labels, the fit before {len(self.classes_)}")
        self.out_activation_ = "logistic"
        return Output("bernoulli", y.shape[1]), y.astype(np.float64), weight

    def _score_of(self, eta: FloatArray, y: NDArray[Any], weight: FloatArray | None) -> float:
        if self.out_activation_ == "softmax":
            right = eta.argmax(axis=1) == y
        else:
            right = ((eta > 0) == (y > 0.5)).all(axis=1)
        return float(np.average(right, weights=weight))

    def _finish(self, eta: FloatArray, y: NDArray[Any], weight: FloatArray | None) -> None:
        """Nothing is left to estimate."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest class of each row, or zeros and ones (n, K) of several labels."""
        eta = self._eta(self._rows(X))
        if self.out_activation_ == "softmax":
            return np.asarray(self.classes_[eta.argmax(axis=1)])
        if self._multilabel:
            return (eta > 0).astype(np.int64)
        return np.asarray(self.classes_[(eta[:, 0] > 0).astype(np.intp) * (len(self.classes_) - 1)])

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class, or of each label, shape (n, K)."""
        eta = self._eta(self._rows(X))
        mean = self.architecture_.output.mean
        if self.out_activation_ == "softmax" or self._multilabel:
            return mean(eta)
        return np.hstack([mean(-eta), mean(eta)])[:, : max(len(self.classes_), 1)]

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of each probability, also of one that is below the smallest number."""
        eta = self._eta(self._rows(X))
        if self.out_activation_ == "softmax":
            return np.asarray(log_softmax(eta, axis=1))
        if self._multilabel:
            return np.asarray(special.log_expit(eta))
        return np.asarray(special.log_expit(np.hstack([-eta, eta])[:, : max(len(self.classes_), 1)]))

    def log_likelihood(self, X: Any, y: Any) -> FloatArray:
        """Return log p(y | x) of each row in nats, shape (n,)."""
        eta = self._eta(self._rows(X))
        if self._multilabel:
            target = np.asarray(y, dtype=float)
        else:
            codes = np.searchsorted(self.classes_, y)
            target = codes if self.out_activation_ == "softmax" else codes[:, None].astype(float)
        return -self.architecture_.output.nll(eta, None, target)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
