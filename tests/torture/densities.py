"""Log densities, entropies and divergences of families, far out or nearly equal; learners' probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
from numpy.random import Generator
from scipy import stats

import thetahat as th
from tests.torture.log_domain import Softmax, exactly, expit, log_expit, logits
from tests.torture.trials import Part, Trial, ulps, worst_of

__all__ = ["PARTS"]

one = mpmath.mpf(1)


def _far(rng: Generator) -> float:
    return float(10 ** rng.uniform(-6, 6))


def _near(rng: Generator) -> float:
    return float(10 ** rng.uniform(-1, 1))


def _share(rng: Generator) -> float:
    p = float(10 ** rng.uniform(-12, -0.31))
    return p if rng.random() < 0.5 else 1 - p


def log(x: Any) -> Any:
    return mpmath.log(x)


def gammaln(x: Any) -> Any:
    return mpmath.loggamma(x)


def betaln(a: Any, b: Any) -> Any:
    return gammaln(a) + gammaln(b) - gammaln(a + b)


def _gamma_terms(x: Any, a: Any, r: Any) -> list[Any]:
    return [a * log(r), (a - 1) * log(x), -r * x, -gammaln(a)]


def _student_terms(x: Any, n: Any, m: Any, s: Any) -> list[Any]:
    z = (x - m) / s
    tail = -(n + 1) / 2 * mpmath.log1p(z * z / n)
    return [tail, -log(n) / 2, -betaln(n / 2, one / 2), -log(s)]


def _weibull_terms(x: Any, k: Any, b: Any) -> list[Any]:
    logs = log(x) - log(b)
    grown = mpmath.exp(k * logs)
    return [
        log(k),
        -log(b),
        (k - 1) * log(x),
        -(k - 1) * log(b),
        -grown,
        grown * k * (abs(log(x)) + abs(log(b))) * 0,
    ]


def _negative_binomial_terms(x: Any, m: Any, r: Any) -> list[Any]:
    return [-log(r + x), -betaln(r, x + 1), -r * mpmath.log1p(m / r), -x * mpmath.log1p(r / m)]


# Family: parameters, a point, the terms of its log density, and SciPy's.
Family = tuple[Callable[[Generator], tuple[float, ...]], Callable[..., float], Callable[..., list[Any]], Any]


def _around(rng: Generator, centre: float, width: float) -> float:
    return float(centre + width * rng.normal() * 10.0 ** rng.integers(-3, 5))


def _positive(rng: Generator, *_: float) -> float:
    return float(10 ** rng.uniform(-8, 6))


FAMILIES: dict[str, Family] = {
    "Normal": (
        lambda r: (float(r.normal() * _far(r)), _far(r)),
        lambda r, m, s: _around(r, m, s),
        lambda x, m, s: [-(((x - m) / s) ** 2) / 2, -log(s), -log(2 * mpmath.pi) / 2],
        lambda m, s: stats.norm(m, s),
    ),
    "Laplace": (
        lambda r: (float(r.normal()), _far(r)),
        lambda r, m, s: _around(r, m, s),
        lambda x, m, s: [-abs(x - m) / s, -log(2 * s)],
        lambda m, s: stats.laplace(m, s),
    ),
    "Exponential": (
        lambda r: (_far(r),),
        _positive,
        lambda x, r: [log(r), -r * x],
        lambda r: stats.expon(scale=1 / r),
    ),
    "Gamma": (
        lambda r: (_far(r), _near(r)),
        _positive,
        _gamma_terms,
        lambda a, r: stats.gamma(a, scale=1 / r),
    ),
    "LogNormal": (
        lambda r: (float(r.normal()), _near(r)),
        _positive,
        lambda x, m, s: [
            -(((log(x) - m) / s) ** 2) / 2,
            # The logarithm and mu, each rounded, before their difference is squared.
            *[sign * abs((log(x) - m) / s) * (abs(log(x)) + abs(m)) / s for sign in (1, -1)],
            -log(x),
            -log(s),
            -log(2 * mpmath.pi) / 2,
        ],
        lambda m, s: stats.lognorm(s, scale=np.exp(m)),
    ),
    "Weibull": (
        lambda r: (_near(r), _near(r)),
        lambda r, k, b: float(b * 10 ** r.uniform(-6, 1.5)),
        _weibull_terms,
        lambda k, b: stats.weibull_min(k, scale=b),
    ),
    "StudentT": (
        lambda r: (float(10 ** r.uniform(-1, 10)), float(r.normal()), _near(r)),
        lambda r, n, m, s: _around(r, m, s),
        _student_terms,
        lambda n, m, s: stats.t(n, m, s),
    ),
    "Beta": (
        lambda r: (_far(r), _far(r)),
        lambda r, a, b: _share(r),
        lambda x, a, b: [(a - 1) * log(x), (b - 1) * mpmath.log1p(-x), -betaln(a, b)],
        lambda a, b: stats.beta(a, b),
    ),
    "Poisson": (
        lambda r: (_far(r),),
        lambda r, m: float(r.poisson(m * 10 ** r.uniform(-1, 1))),
        lambda x, m: [x * log(m), -m, -gammaln(x + 1)],
        lambda m: stats.poisson(m),
    ),
    "NegativeBinomial": (
        lambda r: (_near(r), float(10 ** r.uniform(-6, 10))),
        lambda r, m, k: float(r.poisson(m * 10 ** r.uniform(-1, 2))),
        _negative_binomial_terms,
        lambda m, k: stats.nbinom(k, k / (k + m)),
    ),
    "Binomial": (
        lambda r: (_share(r), int(10 ** r.uniform(0, 6))),
        lambda r, p, n: float(r.binomial(n, min(1.0, p * 10 ** r.uniform(-1, 1)))),
        lambda x, p, n: [-log(n + 1), -betaln(n - x + 1, x + 1), x * log(p), (n - x) * mpmath.log1p(-p)],
        lambda p, n: stats.binom(n, p),
    ),
    "Bernoulli": (
        lambda r: (_share(r),),
        lambda r, p: float(r.integers(2)),
        lambda x, p: [log(p) if x else mpmath.log1p(-p)],
        lambda p: stats.bernoulli(p),
    ),
}


def log_densities(rng: Generator) -> Trial:
    name = tuple(FAMILIES)[int(rng.integers(len(FAMILIES)))]
    parameters, point, terms, theirs = FAMILIES[name]
    theta = parameters(rng)
    x = point(rng, *theta)
    with mpmath.workdps(60), np.errstate(all="ignore"):
        parts = terms(mpmath.mpf(x), *map(mpmath.mpf, theta))
        exact, scale = mpmath.fsum(parts), mpmath.fsum(map(abs, parts))
        # Exponents, and what is raised to them, are rounded: an error that grows with the terms.
        scale *= 1 + abs(log(scale)) if scale else 1
        found = getattr(th, name)(*theta).log_prob(x)
        peer = theirs(*theta)
        said = peer.logpmf(x) if hasattr(peer.dist, "logpmf") else peer.logpdf(x)
        return Trial(
            f"log density of {name}{theta} at {x}",
            ulps(np.float64(found), [exact], [scale]),
            64.0,
            peers={"SciPy": ulps(np.float64(said), [exact], [scale])},
        )


# Divergences: in closed form, from far apart to nearly equal.


def _gap(rng: Generator) -> float:
    return float(rng.choice([-1, 1]) * 10 ** rng.uniform(-12, 0.5))


def _moved(rng: Generator, value: float) -> float:
    return float(value * np.exp(_gap(rng)))


def _kl_normal(m: Any, s: Any, n: Any, t: Any) -> Any:
    return log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - one / 2


def _kl_bernoulli(a: Any, b: Any) -> Any:
    return a * log(a / b) + (1 - a) * (mpmath.log1p(-a) - mpmath.log1p(-b))


DIVERGENCES: dict[str, tuple[Callable[[Generator], Any], Callable[..., Any]]] = {
    "Normal": (
        lambda r: ((m := float(r.normal()), s := _near(r)), (m + s * _gap(r), _moved(r, s))),
        _kl_normal,
    ),
    "LogNormal": (
        lambda r: ((m := float(r.normal()), s := _near(r)), (m + s * _gap(r), _moved(r, s))),
        _kl_normal,
    ),
    "Laplace": (
        lambda r: ((m := float(r.normal()), s := _near(r)), (m + s * _gap(r), _moved(r, s))),
        lambda m, s, n, t: log(t / s) + (s * mpmath.exp(-abs(m - n) / s) + abs(m - n)) / t - 1,
    ),
    "Exponential": (lambda r: ((a := _far(r),), (_moved(r, a),)), lambda a, b: b / a - 1 - log(b / a)),
    "Poisson": (lambda r: ((a := _far(r),), (_moved(r, a),)), lambda a, b: a * log(a / b) - a + b),
    "Bernoulli": (
        lambda r: ((p := _share(r),), (float(p + min(p, 1 - p) * 0.9 * np.tanh(_gap(r))),)),
        _kl_bernoulli,
    ),
    "Gamma": (
        lambda r: ((a := _near(r), b := _near(r)), (_moved(r, a), _moved(r, b))),
        lambda a, r, b, s: (
            (a - b) * mpmath.psi(0, a) - gammaln(a) + gammaln(b) + b * log(r / s) + a * (s - r) / r
        ),
    ),
    "Weibull": (
        lambda r: ((a := _near(r), b := _near(r)), (_moved(r, a), _moved(r, b))),
        lambda k, a, m, b: log(k) - k * log(a) - log(m) + m * log(b)
        + (k - m) * (log(a) - mpmath.euler / k) + mpmath.exp(m * log(a / b)) * mpmath.gamma(m / k + 1) - 1,
    ),
    "Beta": (
        lambda r: ((a := _near(r), b := _near(r)), (_moved(r, a), _moved(r, b))),
        lambda a, b, c, d: betaln(c, d) - betaln(a, b) + (a - c) * mpmath.psi(0, a)
        + (b - d) * mpmath.psi(0, b) + (c - a + d - b) * mpmath.psi(0, a + b),
    ),
}  # fmt: skip


def divergences(rng: Generator) -> Trial:
    name = tuple(DIVERGENCES)[int(rng.integers(len(DIVERGENCES)))]
    draw, closed = DIVERGENCES[name]
    p, q = draw(rng)
    family = getattr(th, name)
    with mpmath.workdps(60):
        exact = closed(*map(mpmath.mpf, (*p, *q)))
        found = th.kl_divergence(family(*p), family(*q))
        away = abs(mpmath.mpf(found.value) - exact)
        error = float(max(away - mpmath.mpf(found.error), 0) / max(exact, mpmath.mpf(10) ** -300))
        return Trial(f"KL of {name}{p} from {q}: {found.value:.3g} is {float(exact):.3g}", error, 1e-10)


ENTROPIES: dict[str, Callable[..., Any]] = {
    "Normal": lambda m, s: [log(2 * mpmath.pi * mpmath.e) / 2, log(s)],
    "Laplace": lambda m, s: [one, log(2), log(s)],
    "Exponential": lambda r: [one, -log(r)],
    "Gamma": lambda a, r: [a, -log(r), gammaln(a), (1 - a) * mpmath.psi(0, a)],
    "Bernoulli": lambda p: [-p * log(p), -(1 - p) * mpmath.log1p(-p)],
    "Weibull": lambda k, b: [mpmath.euler * (1 - 1 / k), log(b), -log(k), one],
    "StudentT": lambda n, m, s: [
        (n + 1) / 2 * (mpmath.psi(0, (n + 1) / 2) - mpmath.psi(0, n / 2)),
        log(n) / 2 + betaln(n / 2, one / 2),
        log(s),
    ],
    "LogNormal": lambda m, s: [m, log(s), log(2 * mpmath.pi * mpmath.e) / 2],
    "Beta": lambda a, b: [
        betaln(a, b),
        -(a - 1) * mpmath.psi(0, a),
        -(b - 1) * mpmath.psi(0, b),
        (a + b - 2) * mpmath.psi(0, a + b),
    ],
}  # fmt: skip


def entropies(rng: Generator) -> Trial:
    name = (*ENTROPIES, "Categorical")[int(rng.integers(len(ENTROPIES) + 1))]
    with mpmath.workdps(60), np.errstate(all="ignore"):
        if name == "Categorical":
            p = np.array([_share(rng) for _ in range(4)]) * 10.0 ** -rng.integers(0, 200, 4)
            p = p / p.sum()
            theta: Any = (p.tolist(),)
            ours = th.Categorical(p)
            parts = [-t * log(t) if t else 0 * one for t in exactly(ours.p)]
            peer = stats.entropy(p)
        else:
            theta = FAMILIES[name][0](rng)
            ours = getattr(th, name)(*theta)
            parts = ENTROPIES[name](*map(mpmath.mpf, theta))
            peer = FAMILIES[name][3](*theta).entropy()
        exact, scale = mpmath.fsum(parts), mpmath.fsum(map(abs, parts))
        return Trial(
            f"entropy of {name}{theta}",
            ulps(np.float64(ours.entropy()), [exact], [scale]),
            64.0,
            peers={"SciPy": ulps(np.float64(peer), [exact], [scale])},
        )


# Probabilities of fitted classifiers at any logits: the coefficients are put in.


@lru_cache(maxsize=1)
def _fitted() -> dict[tuple[str, int], tuple[Any, Any]]:
    """Return ours and the peer's of each kind, fitted to any table of so many classes and one column each."""
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.neural_network import MLPClassifier

    found: dict[tuple[str, int], tuple[Any, Any]] = {}
    for k in (2, 3, 4):
        X = np.tile(np.eye(k), (4, 1))
        y = np.tile(np.arange(k), 4)
        pairs = {
            "LogisticRegression": (th.LogisticRegression(), LogisticRegression()),
            "SGDClassifier, one against the rest": (
                th.SGDClassifier(loss="log_loss", max_iter=2, random_state=0, tol=None),
                SGDClassifier(loss="log_loss", max_iter=2, random_state=0, tol=None),
            ),
            "SGDClassifier, multinomial": (
                th.SGDClassifier(
                    loss="log_loss", multi_class="multinomial", max_iter=2, random_state=0, tol=None
                ),
                None,
            ),
            "MLPClassifier": (
                th.MLPClassifier((), max_iter=2, random_state=0, tol=1e9),
                MLPClassifier((), max_iter=2, random_state=0, tol=1e9, solver="adam"),
            ),
        }
        for name, (ours, theirs) in pairs.items():
            found[name, k] = ours.fit(X, y), None if theirs is None else theirs.fit(X, y)
    return found


def _put(model: Any, k: int) -> None:
    width = 1 if k == 2 else k
    W = np.eye(k)[:, :width] if width > 1 else np.eye(k)[:, :1]
    if hasattr(model, "coefs_"):
        model.coefs_ = [W]
        model.intercepts_ = [np.zeros(width)]
    else:
        model.coef_ = W.T.copy()
        model.intercept_ = np.zeros(width)


def probabilities(rng: Generator) -> Trial:
    known = _fitted()
    name, k = list(known)[int(rng.integers(len(known)))]
    kind, x = logits(rng, k, np.float64)
    x = np.where(np.isneginf(x), -1e4, x)
    if k == 2:
        x[1] = 0.0
    with mpmath.workdps(60), np.errstate(all="ignore"):
        if "rest" in name and k > 2:
            # The logarithms of the probabilities of each take the place of η, rounded.
            rows = [log_expit(t) for t in exactly(x)]
            true = Softmax(rows)
            p, logs = true.p, true.logs
            slack = [1 + min(abs(row) + abs(true.top), 800) for row in rows]
            scale = [q * s for q, s in zip(p, slack, strict=True)]
            log_scale = [
                abs(t) * true.nearest + (abs(row) + abs(true.top)) * (t < -1)
                for t, row in zip(logs, rows, strict=True)
            ]
        elif k == 2:
            t = exactly(x)[0]
            p, logs = [expit(-t), expit(t)], [log_expit(-t), log_expit(t)]
            scale, log_scale = p, [abs(v) for v in logs]
        else:
            true = Softmax(x)
            p, logs, scale = true.p, true.logs, true.scaled(true.p)
            log_scale = [abs(v) * true.nearest for v in logs]

        def off(model: Any) -> float:
            _put(model, k)
            row = x[None].copy()
            return worst_of(
                [
                    ulps(model.predict_proba(row)[0], p, scale),
                    ulps(model.predict_log_proba(row)[0], logs, log_scale),
                ]
            )

        ours, theirs = known[name, k]
        return Trial(
            f"probabilities of {name}, {kind} η = {x.tolist()}",
            off(ours),
            16.0 + 2 * k,
            peers={} if theirs is None else {"scikit-learn": off(theirs)},
        )


PARTS = {
    "probabilities of classifiers, and their logarithms": Part(probabilities),
    "log densities": Part(log_densities),
    "entropies": Part(entropies, share=2),
    "Kullback-Leibler divergences": Part(divergences, "digits", share=3),
}
