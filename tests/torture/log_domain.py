"""Exponentials, logarithms, probabilities, likelihoods and their slopes, at logits of ±10⁴ and beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from numba import njit
from numpy.random import Generator
from scipy import special

from tests.laws.autodiff_cases import FUNCTIONS
from tests.torture.trials import Part, Trial, exactly, ulps
from thetahat import autodiff as ad
from thetahat.distributions import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.linear import fused
from thetahat.linear.sgd_losses import LARGEST_SLOPE, LOSSES, loss_of, slope_of
from thetahat.networks.engine import StaticExecutor, TrainingProblem, negative_log_likelihood
from thetahat.numerics import elementary
from thetahat.optimisers.sgd import SGD

__all__ = ["PARTS"]

FEW = 8.0  # roundings of an expression of a handful of operations
DTYPES = (np.float64, np.float32)
one, zero = mpmath.mpf(1), mpmath.mpf(0)


def dtype_of(rng: Generator) -> Any:
    return DTYPES[int(rng.integers(2))]


# Logits.

KINDS = ("moderate", "far", "ten thousand", "immense", "ties", "one hot", "one ahead", "masked", "all equal")


def logits(rng: Generator, k: int, dtype: Any) -> tuple[str, Any]:
    """Return k logits of one kind, without two infinities of one sign where that leaves nothing defined."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    x = rng.normal(size=k)
    if kind in ("far", "ten thousand", "immense"):
        x = x * {"far": 60.0, "ten thousand": 1e4, "immense": 1e30}[kind]
    elif kind == "ties":
        x = rng.integers(-1, 2, k) * 10.0 ** rng.integers(0, 5)
    elif kind == "one hot":
        x = np.full(k, -1e4)
        x[rng.integers(k)] = 1e4
    elif kind == "one ahead":
        # The likeliest is all but certain, so that 1 − p is of the size of the rounding of p, or far below.
        x = x + 1e4 * rng.integers(-1, 2)
        x[rng.integers(k)] += rng.uniform(20, 200)
    elif kind == "masked":
        x[rng.permutation(k)[: int(rng.integers(1, k))]] = -np.inf
    elif kind == "all equal":
        x = np.full(k, x[0] * 1e4)
    return kind, x.astype(dtype)


class Softmax:
    """What softmax is of these logits, in 60 digits."""

    def __init__(self, x: Any) -> None:
        self.x = x if isinstance(x, list) else exactly(x)
        self.top = max(self.x)
        self.gaps = [value - self.top for value in self.x]
        self.e = [mpmath.exp(gap) if gap > -mpmath.inf else zero for gap in self.gaps]
        self.total = mpmath.fsum(self.e)
        self.p = [e / self.total for e in self.e]
        self.first = self.gaps.index(0)
        # log Σ less the largest, and 1 − p of each, without subtraction.
        self.rest = mpmath.fsum(e for i, e in enumerate(self.e) if i != self.first)
        self.lift = mpmath.log1p(self.rest)
        self.logs = [gap - self.lift for gap in self.gaps]
        self.others = [mpmath.fsum(self.p[:i] + self.p[i + 1 :]) for i in range(len(self.p))]
        # The rounding of a gap, of its own size, is a relative error of its exponential.
        self.slack = [1 + min(abs(gap), mpmath.mpf(800)) for gap in self.gaps]
        near = [s for gap, s in zip(self.gaps, self.slack, strict=True) if gap < 0]
        self.nearest = min(near, default=one)

    def scaled(self, values: Any) -> list[Any]:
        return [abs(v) * s if abs(v) < mpmath.inf else one for v, s in zip(values, self.slack, strict=True)]


def softmaxes(rng: Generator) -> Trial:
    dtype, k = dtype_of(rng), int(rng.integers(2, 7))
    kind, x = logits(rng, k, dtype)
    with mpmath.workdps(60):
        true = Softmax(x)
        which = int(rng.integers(3))
        allowed = FEW + k
        name = ("softmax", "log_softmax", "logsumexp")[which]
        exact: list[Any] = (true.p, true.logs, [true.top + true.lift])[which]
        scale = (
            true.scaled(true.p),
            [abs(v) * true.nearest if abs(v) < mpmath.inf else one for v in true.logs],
            # Two terms of both signs are rounded each.
            [abs(true.top) + abs(true.lift) * true.nearest],
        )[which]

        def off(module: Any) -> float:
            with np.errstate(all="ignore"):
                return ulps(getattr(module, name)(x), exact, scale, dtype)

        return Trial(
            f"{name} {dtype.__name__} {kind} {x.tolist()}", off(ad), allowed, peers={"SciPy": off(special)}
        )


def softmax_slopes(rng: Generator) -> Trial:
    dtype, k = dtype_of(rng), int(rng.integers(2, 6))
    kind, x = logits(rng, k, dtype)
    g = np.eye(k)[rng.integers(k)] if rng.random() < 0.7 else rng.normal(size=k)
    g = g.astype(dtype)
    which = int(rng.integers(3))
    name = ("softmax", "log_softmax", "logsumexp")[which]
    if which == 1 and kind == "masked":
        # The logarithm of a probability of 0 has no slope.
        g = np.where(np.isneginf(x), 0, g).astype(dtype)
    with mpmath.workdps(60):
        true, along = Softmax(x), exactly(g)
        p = true.p
        if which == 0:
            # pᵢ Σⱼ pⱼ (gᵢ − gⱼ)
            exact = [p[i] * mpmath.fsum(p[j] * (along[i] - along[j]) for j in range(k)) for i in range(k)]
            scale = [
                p[i]
                * mpmath.fsum(p[j] * abs(along[i] - along[j]) * true.slack[j] for j in range(k))
                * true.slack[i]
                for i in range(k)
            ]
        elif which == 1:
            exact = [
                along[i] * true.others[i] - p[i] * mpmath.fsum(along[j] for j in range(k) if j != i)
                for i in range(k)
            ]
            scale = [
                abs(along[i]) * true.others[i] * true.nearest
                + true.slack[i] * p[i] * mpmath.fsum(abs(along[j]) for j in range(k) if j != i)
                for i in range(k)
            ]
        else:
            exact, scale = [along[0] * q for q in p], [abs(along[0]) * q for q in true.scaled(p)]

        def f(t: Any) -> Any:
            value = getattr(ad, name)(t)
            return (
                np.sum(np.where(g == 0, 0, value) * g)
                if which == 1
                else np.sum(value * (g[0] if which == 2 else g))
            )

        with np.errstate(all="ignore"):
            found = ad.grad(f)(x)
        return Trial(
            f"slope of {name} {dtype.__name__} {kind} {x.tolist()} along {g.tolist()}",
            ulps(found, exact, scale, dtype),
            2 * FEW + 2 * k,
        )


# Functions of one number, and their slopes, at any rank.


def expit(x: Any) -> Any:
    return mpmath.exp(-mpmath.log1p(mpmath.exp(-x))) if x > 0 else mpmath.exp(x - mpmath.log1p(mpmath.exp(x)))


def log_expit(x: Any) -> Any:
    return -mpmath.log1p(mpmath.exp(-x)) if x > 0 else x - mpmath.log1p(mpmath.exp(x))


def _mills(x: Any) -> Any:
    if x > -100:
        return mpmath.npdf(x) / mpmath.ncdf(x)
    # φ/Φ below −100: the continued fraction of Mills' ratio.
    t, depth = -x, zero
    for n in range(60, 0, -1):
        depth = n / (t + depth)
    return t + depth


def _log_ndtr(x: Any) -> Any:
    if x > -100:
        return mpmath.log(mpmath.ncdf(x)) if x < 5 else mpmath.log1p(-mpmath.ncdf(-x))
    return -x * x / 2 - mpmath.log(2 * mpmath.pi) / 2 - mpmath.log(_mills(x))


def wide(rng: Generator, size: Any, dtype: Any) -> Any:
    scale = (1.0, 1e-8, 20.0, 80.0, 700.0, 1e4, 1e30)[int(rng.integers(7))]
    return (rng.normal(size=size) * scale).astype(dtype)


def positive(rng: Generator, size: Any, dtype: Any) -> Any:
    return np.exp(rng.uniform(-30, 30, size)).astype(dtype)


def above_minus_one(rng: Generator, size: Any, dtype: Any) -> Any:
    return np.where(
        rng.random(size) < 0.5, np.exp(rng.uniform(-30, 30, size)), -rng.random(size) * 0.99
    ).astype(dtype)


def unit(rng: Generator, size: Any, dtype: Any) -> Any:
    near = np.exp(rng.uniform(-12, 0, size))
    return np.where(rng.random(size) < 0.5, near, 1 - near).clip(1e-6, 1 - 1e-6).astype(dtype)


def inner(rng: Generator, size: Any, dtype: Any) -> Any:
    return (unit(rng, size, dtype) * rng.choice([-1, 1], size)).astype(dtype)


def above_one(rng: Generator, size: Any, dtype: Any) -> Any:
    return np.maximum(1 + np.exp(rng.uniform(-12, 30, size)), 1.0001).astype(dtype)


def bounded(rng: Generator, size: Any, dtype: Any) -> Any:
    return (rng.normal(size=size) * (1.0, 30.0)[int(rng.integers(2))]).clip(-80, 80).astype(dtype)


def _bell(x: Any) -> Any:
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)


def plain(_x: Any) -> Any:
    return one


# The function, its value and slope in 60 digits, where it is tried, and by how much its value and its slope
# grow the relative rounding of the argument.
Curve = tuple[Any, Callable[..., Any], Callable[..., Any], Callable[..., Any], Callable[..., Any]]
CURVES: dict[str, Curve] = {
    "expit": (special.expit, expit, lambda x: expit(x) * expit(-x), wide, plain),
    "log_expit": (special.log_expit, log_expit, lambda x: expit(-x), wide, plain),
    "softplus": (ad.softplus, lambda x: -log_expit(-x), expit, wide, plain),
    "softplus written out": (lambda x: np.log1p(np.exp(x)), lambda x: -log_expit(-x), expit, wide, plain),
    "tanh": (np.tanh, mpmath.tanh, lambda x: 4 * expit(2 * x) * expit(-2 * x), wide, plain),
    "exp": (np.exp, mpmath.exp, mpmath.exp, wide, plain),
    "expm1": (np.expm1, mpmath.expm1, mpmath.exp, wide, plain),
    "log": (np.log, mpmath.log, lambda x: 1 / x, positive, plain),
    "log1p": (np.log1p, mpmath.log1p, lambda x: 1 / (1 + x), above_minus_one, plain),
    "log_ndtr": (special.log_ndtr, _log_ndtr, _mills, wide, lambda x: 1 + x * x if x > 0 else one),
    "ndtr": (special.ndtr, mpmath.ncdf, mpmath.npdf, bounded, lambda x: 1 + x * x),
    "erf": (
        special.erf,
        mpmath.erf,
        lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x),
        bounded,
        lambda x: 1 + x * x,
    ),
    "erfc": (
        special.erfc,
        mpmath.erfc,
        lambda x: -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x),
        bounded,
        lambda x: 1 + x * x,
    ),
    "arctan": (np.arctan, mpmath.atan, lambda x: 1 / (1 + x * x), bounded, plain),
    "arcsinh": (np.arcsinh, mpmath.asinh, lambda x: 1 / mpmath.sqrt(1 + x * x), bounded, plain),
    "arcsin": (np.arcsin, mpmath.asin, lambda x: 1 / mpmath.sqrt((1 - x) * (1 + x)), inner, plain),
    "arccos": (np.arccos, mpmath.acos, lambda x: -1 / mpmath.sqrt((1 - x) * (1 + x)), inner, plain),
    "arctanh": (np.arctanh, mpmath.atanh, lambda x: 1 / ((1 - x) * (1 + x)), inner, plain),
    "arccosh": (np.arccosh, mpmath.acosh, lambda x: 1 / mpmath.sqrt((x - 1) * (x + 1)), above_one, plain),
    "logit": (
        special.logit,
        lambda x: mpmath.log(x) - mpmath.log1p(-x),
        lambda x: 1 / (x * (1 - x)),
        unit,
        plain,
    ),
    "sinh": (np.sinh, mpmath.sinh, mpmath.cosh, bounded, plain),
    "cosh": (np.cosh, mpmath.cosh, mpmath.sinh, bounded, plain),
    "sqrt": (np.sqrt, mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)), positive, plain),
    "gammaln": (
        special.gammaln,
        mpmath.loggamma,
        lambda x: mpmath.psi(0, x),
        lambda *a: positive(*a).clip(2.5, 1e6),
        plain,
    ),
}


SHAPES = [(), (3,), (2, 2), (2, 1, 2), (1, 2, 1, 2), (2, 1, 1, 2, 1)]


def _curve(rng: Generator, names: list[str], slope: bool) -> Trial:
    name = names[int(rng.integers(len(names)))]
    f, value, derivative, draw, condition = CURVES[name]
    dtype, shape = dtype_of(rng), SHAPES[int(rng.integers(6))]
    x = np.asarray(draw(rng, shape, dtype))
    peers = {}
    with mpmath.workdps(60), np.errstate(all="ignore"):
        points = exactly(x)
        if slope:
            exact = [derivative(t) for t in points]
            found = ad.grad(lambda t: np.sum(f(t)))(x[()])
        else:
            exact = [value(t) for t in points]
            found = ad.vjp(f, x[()])[0]
            if name.startswith("softplus"):
                peers["SciPy"] = ulps(special.softplus(x), exact, None, dtype)
        scale = [abs(e) * condition(t) for e, t in zip(exact, points, strict=True)]
        # 1 + x and the like are rounded before they are used.
        return Trial(
            f"{'slope of ' if slope else ''}{name} {dtype.__name__} rank {len(shape)} at {x.tolist()}",
            ulps(found, exact, scale, dtype),
            2 * FEW,
            peers=peers,
        )


SIGMOIDS = ["expit", "log_expit", "softplus", "softplus written out", "tanh"]


def sigmoids(rng: Generator) -> Trial:
    return _curve(rng, SIGMOIDS, False)


def sigmoid_slopes(rng: Generator) -> Trial:
    return _curve(rng, SIGMOIDS, True)


def curve_slopes(rng: Generator) -> Trial:
    return _curve(rng, list(CURVES), True)


def _takes_long_doubles(f: Any) -> bool:
    try:
        return bool(np.asarray(f(np.full((2, 2), np.longdouble(0.7)))).dtype == np.longdouble)
    except TypeError:
        return False


WITH_LONG_DOUBLES = {name: f for name, f in FUNCTIONS.items() if _takes_long_doubles(f)}


def function_slopes(rng: Generator) -> Trial:
    """Hold the slope along a direction to differences of fourth order in long doubles."""
    names = list(WITH_LONG_DOUBLES)
    name, shape = names[int(rng.integers(len(names)))], SHAPES[int(rng.integers(6))]
    f = WITH_LONG_DOUBLES[name]
    x = np.asarray(rng.uniform(0.4, 1.3, shape))
    way = np.asarray(rng.normal(size=shape))
    g = rng.normal(size=np.shape(f(x[()])))
    long, h = np.longdouble, np.longdouble(2e-4)

    def along(t: float) -> Any:
        return np.sum(f((x.astype(long) + t * h * way)[()]) * g)

    exact = (8 * (along(1) - along(-1)) - (along(2) - along(-2))) / (12 * h)
    slopes = ad.grad(lambda t: np.sum(f(t) * g))(x[()])
    found = np.sum(np.asarray(slopes, dtype=long) * way)
    # A difference is rounded as its terms are, and so are the terms of a slope.
    size = np.sum(np.abs(slopes * way)) + np.abs(exact) + np.sum(np.abs(f(x[()]) * g))
    error = float(abs(found - exact) / size) if size else 0.0
    # h⁴ and the rounding of long doubles over h leave 10⁻¹⁴ or so.
    return Trial(f"slope of {name}, rank {len(shape)}, at {x.tolist()}", error / np.finfo(float).eps, 2000.0)


# Likelihoods.


def _bernoulli(y: int, x: Any) -> tuple[Any, list[Any], list[Any]]:
    t = exactly(x)[0]
    s = t if y else -t
    return -log_expit(s), [(-1 if y else 1) * expit(-s)], [expit(t) * expit(-t)]


def likelihoods(rng: Generator) -> Trial:
    dtype = dtype_of(rng)
    with mpmath.workdps(60), np.errstate(all="ignore"):
        name, found, exact, scale = _likelihood(rng, dtype)
        error = max(ulps(f, e, s, dtype) for f, e, s in zip(found, exact, scale, strict=True))
        return Trial(f"nll {name}", error, 4 * FEW)


def _likelihood(rng: Generator, dtype: Any) -> tuple[str, list[Any], list[Any], list[Any]]:
    """Return value, slope and curvature as found one of the ways, exact, and what errors are relative to."""
    family = int(rng.integers(4))
    engine = bool(rng.random() < 0.4)
    if family == 0:
        k = int(rng.integers(2, 6))
        kind, x = logits(rng, k, dtype)
        if kind == "masked":
            x = np.where(np.isneginf(x), dtype(-1e4), x)
        true, y = Softmax(x), int(rng.integers(k))
        slope = [q if i != y else -true.others[y] for i, q in enumerate(true.p)]
        scales = true.scaled(true.p)
        scales[y] = true.others[y] * true.nearest
        value, size = -true.logs[y], abs(true.logs[y]) * true.nearest
        law: Any = CategoricalOutput(k)
        curve = [
            (true.p[i] * true.others[i] if i == j else -true.p[i] * true.p[j])
            for i in range(k)
            for j in range(k)
        ]
        curve_scale = [
            abs(c) * true.slack[i // k] * true.slack[i % k] * true.nearest for i, c in enumerate(curve)
        ]
        words = f"categorical {kind}"
    elif family == 1:
        x, y = wide(rng, 1, dtype), int(rng.integers(2))
        value, slope, curve = _bernoulli(y, x)
        size, scales, curve_scale, law, words = value, slope, curve, BernoulliOutput(), "Bernoulli"
    elif family == 2:
        x, y = wide(rng, 1, dtype), int(rng.poisson(10.0 ** rng.uniform(-1, 6)))
        t = exactly(x)[0]
        mean, count = mpmath.exp(t), mpmath.loggamma(y + 1)
        value, slope, curve = mean - y * t + count, [mean - y], [mean]
        # Terms of both signs: each is rounded.
        size = mean * (1 + abs(t)) + abs(y * t) + abs(count)
        scales, curve_scale = [mean * (1 + abs(t)) + y], [mean * (1 + abs(t))]
        law, words = PoissonOutput(), "Poisson"
        most = mpmath.mpf(float(np.finfo(dtype).max))
        if mean > most / 16:
            # Capped where the exponential is beyond this precision.
            value, slope, curve = most, [most], [most]
    else:
        sd = float(10 ** rng.uniform(-3, 3))
        x = wide(rng, 1, dtype)
        x = np.clip(x, -1e4, 1e4) if dtype is np.float32 else x
        y = float(dtype(rng.normal() * 10.0 ** rng.integers(-3, 5)))
        t, s = exactly(x)[0], mpmath.mpf(sd)
        gap = (t - y) / s
        value, slope, curve = (
            gap**2 / 2 + mpmath.log(s) + mpmath.log(2 * mpmath.pi) / 2,
            [gap / s],
            [1 / s**2],
        )
        size = gap**2 + abs(mpmath.log(s)) + 1
        scales, curve_scale, law, words = slope, curve, NormalOutput(sd), "normal"
    words = f"{words} {dtype.__name__} η = {x.tolist()}, y = {y}"
    if engine:
        got, gradient = _by_engine(law, x, y)
        return f"{words}, compiled", [np.array([got]), gradient], [[value], slope], [[size], scales]
    if family in (0, 1) and dtype is np.float64 and rng.random() < 0.4:
        terms = fused.categorical_terms if family == 0 else fused.bernoulli_terms
        eta = x[None] if family == 0 else x
        got, gradient, last = terms(eta, np.array([y]), np.ones(1))
        third = (true.p, true.scaled(true.p)) if family == 0 else (curve, curve)
        return (
            f"{words}, fused",
            [np.array([got]), gradient, last],
            [[value], slope, third[0]],
            [[size], scales, third[1]],
        )
    terms = law.nll_terms(np.array([y]), x[None])
    return (
        words,
        [terms.value, terms.d_eta, terms.d2_eta],
        [[value], slope, curve],
        [[size], scales, curve_scale],
    )


def _by_engine(law: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Return the loss and slope of one row as training runs them."""

    def loss(p: Any, batch: Any) -> Any:
        return np.sum(negative_log_likelihood(law, batch["one"] @ p[0], batch["y"]))

    data = {"one": np.ones((1, 1)), "y": np.array([y])}
    executor = StaticExecutor(TrainingProblem(loss, [x[None]], data), SGD(0.1))
    value, gradient = executor.value_and_grad(np.arange(1))
    return x.dtype.type(value), gradient.astype(x.dtype)


def descent_losses(rng: Generator) -> Trial:
    """Hold the losses of stochastic gradient descent to their definitions."""
    name = tuple(LOSSES)[int(rng.integers(len(LOSSES)))]
    number, width = LOSSES[name], float(rng.choice([0.0, 0.1, 1.35]))
    p = float(wide(rng, (), np.float64))
    classes = number <= 4
    y = float(rng.choice([-1, 1])) if classes else float(np.round(rng.normal() * 50, 1))
    y = abs(np.round(y)) if name == "poisson" else y
    with mpmath.workdps(60):
        t, u, w = mpmath.mpf(p), mpmath.mpf(y), mpmath.mpf(width)
        z, r = t * u, t - u
        hinge, beyond = max(zero, 1 - z), max(zero, abs(r) - w)
        value, slope = {
            "hinge": (hinge, -u if z <= 1 else zero),
            "perceptron": (max(zero, -z), -u if z <= 0 else zero),
            "squared_hinge": (hinge**2, -2 * u * hinge),
            "modified_huber": (hinge**2, -2 * u * hinge) if z >= -1 else (-4 * z, -4 * u),
            "log_loss": (-log_expit(z), -u * expit(-z)),
            "squared_error": (r**2 / 2, r),
            "huber": (r**2 / 2, r) if abs(r) <= w else (w * (abs(r) - w / 2), w * mpmath.sign(r)),
            "epsilon_insensitive": (beyond, mpmath.sign(r) if beyond > 0 else zero),
            "squared_epsilon_insensitive": (beyond**2, 2 * mpmath.sign(r) * beyond),
            "poisson": (mpmath.exp(min(t, mpmath.mpf(700))) - u * t, mpmath.exp(min(t, mpmath.mpf(700))) - u),
        }[name]
        slope = min(max(slope, -mpmath.mpf(LARGEST_SLOPE)), mpmath.mpf(LARGEST_SLOPE))
        terms = 1 + abs(z) if classes else abs(t) + abs(u) + w
        size, steep = abs(value), abs(slope)
        if name == "poisson":
            size = (1 + abs(t)) * (abs(value) + abs(u * t))
            steep = (1 + abs(t)) * (abs(slope) + abs(u))
        elif name != "log_loss":
            # A difference of numbers of its terms' size is rounded once, and then perhaps squared.
            size = max(size, terms * mpmath.sqrt(size)) if "squared" in name or "huber" in name else terms
            size, steep = max(size, mpmath.mpf(2) ** -52 * terms**2), max(steep, terms)
        with np.errstate(all="ignore"):
            found = loss_of(number, y, p, width), slope_of(number, y, p, width)
        error = max(ulps(np.float64(found[0]), [value], [size]), ulps(np.float64(found[1]), [slope], [steep]))
        return Trial(f"SGD's {name} at p = {p}, y = {y}, ε = {width}", error, 2 * FEW)


# The compiled elementary functions, of which the documentation says two units in the last place.


def _compiled(function: Any) -> Any:
    @njit
    def over(x: Any) -> Any:
        out = np.empty_like(x)
        for i in range(x.size):
            out[i] = function(x[i])
        return out

    return over


ELEMENTARY = {
    "exponential": (_compiled(elementary.exponential), mpmath.exp, (-87.0, 88.0), (-707.0, 708.0)),
    "tangent": (_compiled(elementary.tangent), mpmath.tanh, (-30.0, 30.0), (-30.0, 30.0)),
    "logarithm": (_compiled(elementary.logarithm), mpmath.log, None, None),
    "log_one_plus": (_compiled(elementary.log_one_plus), mpmath.log1p, None, None),
}


def elementary_functions(rng: Generator) -> Trial:
    name = tuple(ELEMENTARY)[int(rng.integers(4))]
    over, exact, single, double = ELEMENTARY[name]
    dtype, n = dtype_of(rng), 16
    domain = double if dtype is np.float64 else single
    if domain is None:
        x = np.exp(rng.uniform(-80, 80, n)) if rng.random() < 0.5 else 1 + rng.normal(size=n) * 1e-3
        x = np.abs(x - 1) if name == "log_one_plus" and rng.random() < 0.5 else x
    else:
        x = rng.uniform(*domain, n) if rng.random() < 0.5 else rng.normal(size=n)
    x = x.astype(dtype)
    with mpmath.workdps(40):
        return Trial(
            f"{name} {dtype.__name__} at {x.tolist()}", ulps(over(x), [exact(t) for t in exactly(x)]), 4.0
        )


PARTS = {
    "softmax, log-softmax, log-sum-exp": Part(softmaxes),
    "slopes of these": Part(softmax_slopes),
    "sigmoid, softplus, tanh": Part(sigmoids),
    "slopes of these, rank 0 to 5": Part(sigmoid_slopes),
    "slopes of elementary functions, rank 0 to 5": Part(curve_slopes),
    "slopes of array functions, rank 0 to 5, against long doubles": Part(function_slopes),
    "likelihoods of output families, and their derivatives": Part(likelihoods, share=8),
    "losses of stochastic gradient descent": Part(descent_losses),
    "compiled elementary functions": Part(elementary_functions, share=2),
}
