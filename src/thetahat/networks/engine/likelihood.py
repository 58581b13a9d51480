"""What an output family costs: −log p(y | η) of each row, one primitive on the tape."""

from __future__ import annotations

from typing import Any

import numpy as np

from thetahat.autodiff.tape import Primitive
from thetahat.autodiff.tensor import plain
from thetahat.contracts import Family
from thetahat.distributions import CategoricalOutput

__all__ = ["NLL", "negative_log_likelihood", "normal_nll"]

_HALF_LOG_2PI = float(0.5 * np.log(2 * np.pi))


def _forward(eta: Any, *, y: Any, family: Family) -> tuple[Any, Any]:
    y = plain(y)
    if isinstance(family, CategoricalOutput):
        terms = family.nll_terms(y, eta)
        return terms.value, terms.d_eta
    terms = family.nll_terms(y.ravel(), eta.reshape(-1, 1))
    value = terms.value.reshape(len(eta), -1).sum(axis=1)
    return value.astype(eta.dtype, copy=False), terms.d_eta.reshape(eta.shape).astype(eta.dtype, copy=False)


def _pull(g: Any, ans: Any, _eta: Any, *, y: Any, family: Family) -> Any:
    return g[0][:, None] * plain(ans[1])


#: The loss and its slope in η, from one evaluation.
NLL = Primitive("negative log-likelihood", _forward, [_pull], outputs=2)


def negative_log_likelihood(family: Family, eta: Any, y: Any) -> Any:
    """Return −log p(y | η) of each row, differentiable once, in η.

    Parameters
    ----------
    family : Family
        A categorical family with η of shape (n, K) and codes y of shape (n,), or a family of one
        parameter with η of shape (n, k) and y of shape (n,) or (n, k), whose columns are independent.
    eta : array of shape (n, k)
        The network's output.
    y : array
        The target.

    Returns
    -------
    array of shape (n,)
        In nats.
    """
    return NLL(eta, y=y, family=family)[0]


def normal_nll(mean: Any, log_sd: Any, y: Any) -> Any:
    """Return −log p(y) of each row under normals with these means and logarithms of standard deviations.

    Parameters
    ----------
    mean : array of shape (n, k)
        Means.
    log_sd : array that broadcasts to (n, k)
        A learned number or vector, or an output of the network for each row.
    y : array of shape (n, k)
        The target.

    Returns
    -------
    array of shape (n,)
        In nats, summed over the columns.
    """
    gap = (mean - y) * np.exp(-log_sd)
    return np.sum(0.5 * gap * gap + log_sd + _HALF_LOG_2PI, axis=1)
