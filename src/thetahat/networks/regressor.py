"""A feed-forward network that predicts numbers, with the interface of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from thetahat.contracts import FloatArray
from thetahat.errors import UsageError
from thetahat.networks.output import FamilyName, Output, Variance
from thetahat.networks.perceptron import CONSTRAINTS, Perceptron, may_continue

if TYPE_CHECKING:
    from thetahat.networks.estimator import Network

__all__ = ["MLPRegressor", "PredictedDistribution"]


@dataclass(frozen=True, slots=True, eq=False)
class PredictedDistribution:
    """p(y | x) of each row: noise of single rows around the mean, not the error of the mean.

    Parameters
    ----------
    family : str
        "normal" or "poisson".
    mean, sd : ndarray of shape (n,) or (n, k)
        Mean and standard deviation, in the unit of y.
    """

    family: str
    mean: FloatArray
    sd: FloatArray


class MLPRegressor(MultiOutputMixin, RegressorMixin, Perceptron):  # type: ignore[misc]
    """Feed-forward network for numbers: p(y | x) normal or Poisson, trained by maximum likelihood.

    Minimises half the mean squared error (a normal with fixed σ²), or the mean of −log p(y | x), over
    the rows of a batch, with a penalty on the weights.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}
        The same as ``output`` "normal" and "poisson", by scikit-learn's names.
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
    output : {"normal", "poisson"}, optional
        Family of y, instead of ``loss``.
    variance : {"fixed", "learned", "per-example"}
        σ² of a normal: one that training does not need and that is the mean square of the residuals
        afterwards; a parameter learned with the others; or a function of x.
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
    sigma_ : ndarray of shape (k,) or None
        σ of each target; None where it depends on x, or of counts.
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
        "loss": [StrOptions({"squared_error", "poisson"})],
        "output": [StrOptions({"normal", "poisson"}), None],
        "variance": [StrOptions({"fixed", "learned", "per-example"})],
    }
    _numeric_target: ClassVar[bool] = True

    def __init__(
        self,
        loss: str = "squared_error",
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
        variance: Variance = "fixed",
        dropout: float = 0.0,
        clip_norm: float | None = None,
        init: str = "unit",
        bias: bool = True,
        checkpoint: Any = None,
        time_limit: float | None = None,
    ) -> None:
        self.loss = loss
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
        self.variance = variance
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.init = init
        self.bias = bias
        self.checkpoint = checkpoint
        self.time_limit = time_limit

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n, d) and numbers y of shape (n,) or (n, k)."""
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(may_continue)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take one pass over these rows."""
        return self._fit(X, y, sample_weight, incremental=True)

    def point_estimator(self, classes: int | None, /) -> Network | None:
        """Return the point estimator of the same settings; None where it has no equal."""
        # It is made of this class, so it cannot be imported before it.
        from thetahat.networks.estimator import network_under  # noqa: PLC0415

        return network_under(self, None)

    def _prepare(self, y: Any, weight: Any, fresh: bool) -> tuple[Output, NDArray[Any], FloatArray | None]:
        asked = self.output or self.loss
        family: FamilyName = "poisson" if asked == "poisson" else "normal"
        if np.ndim(y) == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        target = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if fresh:
            self._flat = np.ndim(y) == 1
        output = Output(family, target.shape[1], self.variance)
        output.check(target)
        self.out_activation_ = "exp" if family == "poisson" else "identity"
        return output, target, weight

    def _score_of(self, eta: FloatArray, y: NDArray[Any], weight: FloatArray | None) -> float:
        mean = self.architecture_.output.mean(eta)
        left = np.average((y - mean) ** 2, axis=0, weights=weight)
        whole = np.average((y - np.average(y, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
        return float(np.mean(1 - left / np.where(whole > 0, whole, 1.0)))

    def _finish(self, eta: FloatArray, y: NDArray[Any], weight: FloatArray | None) -> None:
        """Estimate σ where training did not need it: by maximum likelihood given the means."""
        output = self.architecture_.output
        self.sigma_: FloatArray | None = None
        if output.variance == "learned":
            self.sigma_ = np.exp(self.extras_[-1].astype(np.float64))
        elif output.family == "normal" and output.variance == "fixed":
            self.sigma_ = np.sqrt(np.average((y - output.mean(eta)) ** 2, axis=0, weights=weight))

    def _shaped(self, values: FloatArray) -> FloatArray:
        return values[:, 0] if self._flat else values

    def predict(self, X: Any) -> FloatArray:
        """Return E[y | x] of each row, shape (n,) or (n, k)."""
        eta = self._eta(self._rows(X))
        return self._shaped(self.architecture_.output.mean(eta))

    def predict_distribution(self, X: Any) -> PredictedDistribution:
        """Return p(y | x) of each row: mean and standard deviation."""
        eta = self._eta(self._rows(X))
        output = self.architecture_.output
        mean = output.mean(eta)
        return PredictedDistribution(output.family, self._shaped(mean), self._shaped(self._sd(eta, mean)))

    def _sd(self, eta: FloatArray, mean: FloatArray) -> FloatArray:
        output = self.architecture_.output
        if output.family == "poisson":
            return np.sqrt(mean)
        if output.variance == "per-example":
            return np.exp(eta[:, output.targets :])
        return np.broadcast_to(np.asarray(self.sigma_), mean.shape)

    def log_likelihood(self, X: Any, y: Any) -> FloatArray:
        """Return log p(y | x) of each row in nats, summed over the targets, shape (n,)."""
        eta = self._eta(self._rows(X))
        output = self.architecture_.output
        target = np.asarray(y, dtype=np.float64).reshape(len(eta), -1)
        if target.shape[1] != output.targets:
            raise UsageError(f"y: has {target.shape[1]} columns, the fit had {output.targets}")
        return -output.nll(eta, self._sd(eta, output.mean(eta)), target)
