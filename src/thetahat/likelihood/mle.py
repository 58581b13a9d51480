"""Maximum likelihood: θ̂ and its standard errors, for a family, a mean function or any log-likelihood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from thetahat.checked import column
from thetahat.contracts import FloatArray
from thetahat.distributions.categorical import Categorical
from thetahat.distributions.distribution import Distribution
from thetahat.distributions.mixture import Mixture
from thetahat.distributions.multivariate_normal import MultivariateNormal
from thetahat.distributions.spaces import POSITIVE, REAL, UNIT, Space
from thetahat.errors import UsageError
from thetahat.likelihood.arbitrary import fit_function
from thetahat.likelihood.conditional import MEANS, MeanFunction
from thetahat.likelihood.families import fit_family, fit_mixture, fit_vectors
from thetahat.likelihood.regression import fit_conditional
from thetahat.likelihood.result import LikelihoodResult

__all__ = ["Conditional", "mle"]

Errors = Literal["observed", "expected", "sandwich"]


@dataclass(frozen=True, slots=True)
class Conditional:
    """p(y | x; θ): a family whose mean is any function of θ and x.

    Parameters
    ----------
    mean : callable
        ``mean(theta, X)`` to the mean of each row, shape (n,), in plain NumPy.
    family : distribution
        ``Normal()``, ``Bernoulli()``, ``Poisson()`` or ``Exponential()``, its parameters unknown.
    """

    mean: MeanFunction
    family: Distribution

    def __post_init__(self) -> None:
        if type(self.family).__name__ not in MEANS:
            raise UsageError(f"family: Conditional takes one of {', '.join(MEANS)}, not {self.family}")


def mle(
    model: Distribution | Mixture | Categorical | MultivariateNormal | Conditional | Callable[..., Any],
    data: Any,
    theta0: Any = None,
    *,
    bounds: Sequence[tuple[float | None, float | None]] | None = None,
    transform: Sequence[str | None] | None = None,
    names: Sequence[str] | None = None,
    weight: Any = None,
    errors: Errors | None = None,
    starts: int = 10,
    rng: Generator | None = None,
) -> LikelihoodResult:
    """Estimate parameters by maximum likelihood, θ̂ = argmax Σ w_i log p(x_i; θ).

    Parameters
    ----------
    model : distribution, Conditional or callable
        A family such as ``Gamma()``, where a parameter that has a value is held at it; a
        :class:`Conditional`; or ``log_likelihood(theta, data)`` to the terms of the rows, shape (n,),
        in plain NumPy, θ of shape (p,).
    data : array, tuple or object
        Numbers of shape (n,) for a family; ``(X, y)`` for a conditional model; whatever the callable
        takes otherwise.
    theta0 : array of shape (p,) or mapping, optional
        Where to begin; needed except for families. A mapping gives the names too.
    bounds : sequence of (low, high), optional
        Bounds of the parameters of a callable, ``None`` for no bound.
    transform : sequence of {"log", "logit", None}, optional
        The scale on which each parameter of a callable is looked for; estimates and errors are of the
        parameter itself.
    names : sequence of str, optional
        Names of the parameters.
    weight : array of shape (n,), optional
        Weight of each row; two is a row that stands twice.
    errors : {"observed", "expected", "sandwich"}, optional
        Inverse observed or expected information, or the sandwich of both that holds when the model is
        not quite right. Observed by default; expected for a conditional model.
    starts : int
        Starting points of a mixture.
    rng : Generator, optional
        Draws them; of seed 0 by default.

    Returns
    -------
    LikelihoodResult
        ``params``, ``standard_errors``, ``covariance``, ``interval()``, ``log_likelihood``, ``aic``,
        ``status``, ``summary()``; ``fitted`` is the distribution with its parameters.

    Raises
    ------
    UsageError
        An argument cannot be meant, or a row lies outside the support.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), Deep Learning, sections 5.4 and 5.5.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    kind = "HC0" if errors == "sandwich" else errors or "observed"
    if isinstance(theta0, Mapping):
        names, theta0 = tuple(theta0), list(theta0.values())
    if isinstance(model, Conditional):
        X, y = _pair(data)
        start = _start(theta0)
        return fit_conditional(
            model.mean,
            type(model.family).__name__,
            X,
            y,
            _weights(weight, len(y)),
            start,
            _names(names, len(start)),
            "expected" if errors is None else kind,
        )
    if isinstance(model, Categorical | MultivariateNormal):
        rows = np.asarray(data)
        return fit_vectors(model, rows, _weights(weight, len(rows)), kind)
    if isinstance(model, Distribution | Mixture):
        x = column(data, "data")
        w = _weights(weight, len(x))
        if isinstance(model, Mixture):
            return fit_mixture(model, x, w, kind, starts, rng)
        return fit_family(model, x, w, kind, None if theta0 is None else _start(theta0))
    if not callable(model):
        raise UsageError(f"model: a distribution, a Conditional or a function is expected, not {model!r}")
    start = _start(theta0)
    spaces = _spaces(transform, bounds, len(start))
    raw = np.asarray(model(start, data))
    if raw.dtype.kind not in "fiub":
        raise UsageError(f"model: its terms are {raw.dtype}, not real numbers; give it numbers as data")
    terms = raw.astype(np.float64)
    if terms.ndim != 1:
        raise UsageError(
            f"model: log_likelihood(theta, data) must return one term a row, shape (n,), not {terms.shape}"
        )
    return fit_function(
        lambda theta: model(theta, data),
        _weights(weight, len(terms)),
        start,
        spaces,
        _bounds(bounds, len(start)),
        _names(names, len(start)),
        kind,
    )


def _pair(data: Any) -> tuple[Any, FloatArray]:
    if not isinstance(data, tuple) or len(data) != 2:
        raise UsageError("data: a conditional model takes a pair (X, y)")
    return data[0], column(data[1], "data")


def _weights(weight: Any, n: int) -> FloatArray:
    if weight is None:
        return np.ones(n)
    w = np.asarray(weight, dtype=np.float64)
    if w.shape != (n,) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise UsageError(f"weight: {n} finite numbers of 0 or more are expected, not all 0")
    with np.errstate(over="ignore"):
        if not np.isfinite(w.sum()):
            raise UsageError("weight: their sum is beyond the largest number; divide them by one")
    return w


def _start(theta0: Any) -> FloatArray:
    if theta0 is None:
        raise UsageError("theta0: a starting point is needed")
    start = np.atleast_1d(np.asarray(theta0, dtype=np.float64))
    if start.ndim != 1 or not np.isfinite(start).all():
        raise UsageError("theta0: finite numbers of shape (p,) are expected")
    return start


def _names(names: Sequence[str] | None, p: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"theta[{k}]" for k in range(p))
    if len(names) != p:
        raise UsageError(f"names: {p} are expected, not {len(names)}")
    return tuple(names)


def _bounds(bounds: Any, p: int) -> FloatArray:
    if bounds is None:
        return np.tile([-np.inf, np.inf], (p, 1))
    if len(bounds) != p:
        raise UsageError(f"bounds: {p} pairs are expected, not {len(bounds)}")
    ends = [(-np.inf if low is None else low, np.inf if high is None else high) for low, high in bounds]
    if not all(low < high for low, high in ends):
        raise UsageError("bounds: a lower bound must lie below its upper bound")
    return np.asarray(ends, dtype=np.float64)


def _spaces(transform: Any, bounds: Any, p: int) -> tuple[Space, ...]:
    known: dict[str | None, Space] = {None: REAL, "log": POSITIVE, "logit": UNIT}
    if transform is None:
        return (REAL,) * p
    if len(transform) != p or any(each not in known for each in transform):
        raise UsageError(f"transform: {p} of 'log', 'logit' and None are expected")
    if bounds is not None:
        raise UsageError("bounds, transform: give one of them; a transform keeps to its own bounds")
    return tuple(known[each] for each in transform)
