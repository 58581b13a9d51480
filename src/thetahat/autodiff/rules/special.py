"""Functions of scipy.special: gamma and beta and their kin, the error function, Bessel functions.

In the incomplete gamma and beta functions, and in polygamma, the parameters other than the argument
have no rule: differentiating in them is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from thetahat.autodiff.rules.cotangents import elementwise, times, unbroadcast
from thetahat.autodiff.rules.log_domain import MILLS
from thetahat.autodiff.tape import Primitive
from thetahat.autodiff.tensor import UFUNCS, plain

__all__ = ["multigammaln", "polygamma"]

_ROOT_PI = float(np.sqrt(np.pi))
_ROOT_2PI = float(np.sqrt(2 * np.pi))


def _pull_polygamma(g: Any, _ans: Any, x: Any, *, n: Any) -> Any:
    return unbroadcast(times(g, polygamma(n + 1, x)), x)


_POLYGAMMA = Primitive("polygamma", lambda x, *, n: special.polygamma(n, x)[()], [_pull_polygamma])


def polygamma(n: Any, x: Any) -> Any:
    """Return the n-th derivative of digamma at x, as scipy.special.polygamma, and differentiable in x.

    Parameters
    ----------
    n : int
        Order of the derivative.
    x : array
        Where.
    """
    return _POLYGAMMA(x, n=plain(n))


def multigammaln(a: Any, d: int) -> Any:
    """Return the logarithm of the multivariate gamma function, differentiable in a.

    Parameters
    ----------
    a : array
        Above (d − 1) / 2.
    d : int
        Dimension.
    """
    pieces = [special.gammaln(a - 0.5 * j) for j in range(d)]
    return d * (d - 1) / 4 * np.log(np.pi) + sum(pieces[1:], pieces[0])


def _along_x(order: Any, x: Any) -> Any:
    return np.exp(special.xlogy(order - 1.0, x) - x - special.gammaln(order))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    powers = special.xlogy(a - 1.0, x) + special.xlog1py(b - 1.0, -x)
    return np.exp(powers - special.betaln(a, b))


elementwise(special.gammaln, lambda _ans, x: special.psi(x))
elementwise(special.loggamma, lambda _ans, x: special.psi(x))
elementwise(special.gamma, lambda ans, x: ans * special.psi(x))
elementwise(special.rgamma, lambda ans, x: -ans * special.psi(x))
elementwise(special.psi, lambda _ans, x: polygamma(1, x))
elementwise(
    special.betaln,
    lambda _ans, a, b: special.psi(a) - special.psi(a + b),
    lambda _ans, a, b: special.psi(b) - special.psi(a + b),
)
elementwise(
    special.beta,
    lambda ans, a, b: ans * (special.psi(a) - special.psi(a + b)),
    lambda ans, a, b: ans * (special.psi(b) - special.psi(a + b)),
)
elementwise(
    special.poch,
    lambda ans, z, m: ans * (special.psi(z + m) - special.psi(z)),
    lambda ans, z, m: ans * special.psi(z + m),
)
elementwise(special.gammainc, None, lambda _ans, a, x: _along_x(a, x))
elementwise(special.gammaincc, None, lambda _ans, a, x: -_along_x(a, x))
elementwise(special.gammaincinv, None, lambda ans, a, _y: 1.0 / _along_x(a, ans))
elementwise(special.betainc, None, None, lambda _ans, a, b, x: _beta_density(a, b, x))
elementwise(special.betaincc, None, None, lambda _ans, a, b, x: -_beta_density(a, b, x))
elementwise(special.betaincinv, None, None, lambda ans, a, b, _y: 1.0 / _beta_density(a, b, ans))

elementwise(special.erf, lambda _ans, x: 2 / _ROOT_PI * np.exp(-x * x))
elementwise(special.erfc, lambda _ans, x: -2 / _ROOT_PI * np.exp(-x * x))
elementwise(special.erfcx, lambda ans, x: 2 * x * ans - 2 / _ROOT_PI)
elementwise(special.erfinv, lambda ans, _x: _ROOT_PI / 2 * np.exp(ans * ans))
elementwise(special.erfcinv, lambda ans, _x: -_ROOT_PI / 2 * np.exp(ans * ans))
elementwise(special.ndtr, lambda _ans, x: np.exp(-0.5 * x * x) / _ROOT_2PI)
elementwise(special.ndtri, lambda ans, _x: _ROOT_2PI * np.exp(0.5 * ans * ans))
elementwise(special.ndtri_exp, lambda ans, _x: 1.0 / MILLS(ans))
elementwise(special.dawsn, lambda ans, x: 1.0 - 2.0 * x * ans)

elementwise(special.i0, lambda _ans, x: special.i1(x))
elementwise(special.i1, lambda ans, x: special.i0(x) - _over(ans, x))
elementwise(special.i0e, lambda ans, x: special.i1e(x) - np.sign(plain(x)) * ans)
elementwise(special.i1e, lambda ans, x: special.i0e(x) - np.sign(plain(x)) * ans - _over(ans, x))
elementwise(special.k0, lambda _ans, x: -special.k1(x))
elementwise(special.k1, lambda ans, x: -special.k0(x) - ans / x)
elementwise(special.j0, lambda _ans, x: -special.j1(x))
elementwise(special.j1, lambda ans, x: special.j0(x) - _over(ans, x))
elementwise(special.y0, lambda _ans, x: -special.y1(x))
elementwise(special.y1, lambda ans, x: special.y0(x) - ans / x)


def _over(ans: Any, x: Any) -> Any:
    # I1(x)/x and J1(x)/x tend to ½ at 0.
    zero = plain(x) == 0
    return np.where(zero, 0.5, ans / np.where(zero, 1.0, x))


elementwise(special.exprel, lambda ans, x: _exprel_slope(ans, x))
elementwise(special.cosm1, lambda _ans, x: -np.sin(x))
elementwise(special.exp10, lambda ans, _x: float(np.log(10.0)) * ans)
elementwise(special.boxcox1p, lambda _ans, x, k: (1.0 + x) ** (k - 1.0), None)
elementwise(special.boxcox, lambda _ans, x, k: x ** (k - 1.0), None)
elementwise(special.inv_boxcox, lambda ans, _y, k: ans ** (1.0 - k), None)
elementwise(special.inv_boxcox1p, lambda ans, _y, k: (1.0 + ans) ** (1.0 - k), None)
elementwise(special.huber, None, lambda _ans, d, r: np.clip(r, -plain(d), plain(d)))
elementwise(special.pseudo_huber, None, lambda _ans, d, r: r / np.sqrt(1.0 + (r / d) ** 2))
elementwise(special.sindg, lambda _ans, x: np.pi / 180 * special.cosdg(x))
elementwise(special.cosdg, lambda _ans, x: -np.pi / 180 * special.sindg(x))
UFUNCS[special.exp2] = UFUNCS[np.exp2]
UFUNCS[special.cbrt] = UFUNCS[np.cbrt]


def _exprel_slope(ans: Any, x: Any) -> Any:
    # (e^x − 1)/x; near 0 its slope ½ + x/3 would be the difference of two equal numbers.
    small = np.abs(plain(x)) < 1e-3
    away = (np.exp(x) - ans) / np.where(small, 1.0, x)
    return np.where(small, 0.5 + x / 3.0 + x * x / 8.0 + x**3 / 30.0, away)
