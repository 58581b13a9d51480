"""Automatic differentiation of plain NumPy and SciPy code, reverse mode, any rank, any order."""

from thetahat.autodiff import rules
from thetahat.autodiff.check import check_grads
from thetahat.autodiff.door import primitive
from thetahat.autodiff.rules.linear_algebra import cho_solve, cholesky, solve_triangular
from thetahat.autodiff.rules.log_domain import log_softmax, logsumexp, softmax, softplus
from thetahat.autodiff.rules.shapes import array, stop_gradient
from thetahat.autodiff.rules.special import multigammaln, polygamma
from thetahat.autodiff.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "array",
    "check_grads",
    "cho_solve",
    "cholesky",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "log_softmax",
    "logsumexp",
    "multigammaln",
    "polygamma",
    "primitive",
    "rules",
    "softmax",
    "softplus",
    "solve_triangular",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
