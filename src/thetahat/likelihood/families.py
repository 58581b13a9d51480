"""Maximum likelihood of a distribution: in closed form, by its own equations, or by Newton."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.autodiff import array, softmax
from thetahat.contracts import FloatArray, Status
from thetahat.distributions.categorical import Categorical
from thetahat.distributions.distribution import Distribution
from thetahat.distributions.mixture import Mixture
from thetahat.distributions.multivariate_normal import MultivariateNormal
from thetahat.distributions.spaces import UNIT, Space
from thetahat.errors import UsageError
from thetahat.likelihood.arbitrary import covariance_of, look_at
from thetahat.likelihood.mixtures import mixture_starts
from thetahat.likelihood.objective import LogLikelihood, stacked
from thetahat.likelihood.profile import Profile
from thetahat.likelihood.result import LikelihoodResult
from thetahat.optimisers.newton import newton

__all__ = ["fit_family", "fit_mixture", "fit_vectors", "name_of"]


# Of the square of a larger number, or of its inverse, the information leaves the finite numbers.
LARGEST = 1e140


def name_of(family: Any) -> str:
    """Return what a family is called."""
    return type(family).__name__


def fit_family(
    family: Distribution, x: FloatArray, weight: FloatArray, kind: str, theta0: FloatArray | None = None
) -> LikelihoodResult:
    """Fit the unknown parameters of a family to numbers inside its support."""
    free = [name for name in family.spaces if getattr(family, name) is None]
    if not free:
        raise UsageError(f"model: all parameters of {family} are known; leave out the ones to estimate")
    _check_support(family, x)
    known = {name: getattr(family, name) for name in family.spaces if name not in free}
    spaces = {name: family.spaces[name] for name in free}
    start = dict(zip(family.spaces, family.start(x, weight), strict=True))
    if theta0 is not None:
        start |= dict(zip(free, theta0, strict=True))
    theta = np.array([start[name] for name in free])
    terms = _terms(family, x, free, known)
    likelihood = LogLikelihood(terms, weight, stacked(tuple(spaces.values())))
    status, detail = _range(family, theta, spaces, weight, x)
    solved_exactly = family.exact and not known
    if status is Status.SOLVED and not solved_exactly:
        with np.errstate(all="ignore"):
            z0 = np.array([space.to_free(value) for space, value in zip(spaces.values(), theta, strict=True)])
        found = newton(likelihood, z0, max_iter=300)
        theta, status = likelihood.theta(found.theta), found.status
        # Parameters that run away say that the likelihood has no maximum, whatever the decrement.
        if not np.isfinite(theta).all() or np.abs(found.theta).max() > 25:
            status, detail = Status.UNBOUNDED, _away(spaces, found.theta)
    if status is Status.SOLVED and family.regular and not solved_exactly:
        status, detail = look_at(likelihood, theta, tuple(spaces))
    elif status is Status.SOLVED and not family.regular:
        status, detail = Status.BOUNDARY, "the support ends at an estimated parameter"
    sizes = np.abs(theta[theta != 0])
    if status is Status.SOLVED and ((sizes > LARGEST) | (sizes < 1 / LARGEST)).any():
        status, detail = Status.NOT_FINITE, "squares of a parameter are beyond the largest or smallest number"
    with np.errstate(over="ignore"):
        squared_weight = np.square(np.float64(weight.sum()))
    if status is Status.SOLVED and not np.isfinite(squared_weight):
        status = Status.NOT_FINITE
        detail = "squares of the weights are beyond the largest number; divide the weights by a constant"
    finite = np.isfinite(theta).all() and all(
        space.contains(value) for space, value in zip(spaces.values(), theta, strict=True)
    )
    whole = {**known, **dict(zip(free, theta, strict=True))}
    fitted = family.with_theta(*(whole[name] for name in family.spaces)) if finite else None
    return LikelihoodResult(
        title=f"Maximum likelihood, {name_of(family)}",
        names=tuple(free),
        params=theta,
        log_likelihood=float(weight @ fitted.log_prob(x)) if fitted is not None else np.inf,
        rows=float(weight.sum()),
        status=status,
        covariance_of=_covariance(likelihood, theta, fitted, free, weight),
        errors=kind,
        profile_of=None
        if _cornered(family)
        else _profile(likelihood, theta, tuple(spaces.values()), fitted, free, weight),
        detail=detail,
        fitted=fitted,
        refit=lambda w: fit_family(family, x, w, kind, theta0).params,
        data=x,
    )


def _cornered(family: Distribution) -> bool:
    # The Laplace density has a corner at its median: its information is that of the spread of the score.
    return name_of(family) == "Laplace"


def _covariance(
    likelihood: LogLikelihood,
    theta: FloatArray,
    fitted: Distribution | None,
    free: list[str],
    weight: FloatArray,
) -> Callable[[str, Any], FloatArray]:
    def expected() -> FloatArray:
        assert fitted is not None
        places = [list(fitted.spaces).index(name) for name in free]
        return float(weight.sum()) * fitted.fisher_information()[np.ix_(places, places)]

    whole = covariance_of(likelihood, theta, expected)
    if fitted is not None and _cornered(fitted):
        return lambda kind, groups: whole("expected", groups)
    return whole


def _profile(
    likelihood: LogLikelihood,
    theta: FloatArray,
    spaces: tuple[Space, ...],
    fitted: Distribution | None,
    free: list[str],
    weight: FloatArray,
) -> Callable[[int, float], tuple[float, float]]:
    def interval(index: int, level: float) -> tuple[float, float]:
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.array([space.to_free(value) for space, value in zip(spaces, theta, strict=True)])

        def to_free(k: int, value: float) -> float:
            with np.errstate(divide="ignore", invalid="ignore"):
                return float(spaces[k].to_free(value)) if spaces[k].contains(value) else np.nan

        error = float(
            np.sqrt(_covariance(likelihood, theta, fitted, free, weight)("observed", None)[index, index])
        )
        return Profile(likelihood, z, to_free).interval(index, level, error)

    return interval


def _terms(
    family: Distribution, x: FloatArray, free: list[str], known: dict[str, float]
) -> Callable[[Any], Any]:
    def terms(theta: Any) -> Any:
        given = {**known, **{name: theta[k] for k, name in enumerate(free)}}
        return family.log_density(x, *(given[name] for name in family.spaces))

    return terms


def _check_support(family: Distribution, x: FloatArray) -> None:
    # The support of a family with unknown ends is read off parameters that any number satisfies.
    stand_in = {name: 0.5 for name in family.spaces}
    if not family.regular:
        return
    support = family.with_theta(*stand_in.values()).support()
    bad = ~support.contains(x)
    if bad.any():
        row = int(np.argmax(bad))
        raise UsageError(
            f"data: row {row} is {x[row]:g}, outside the support of {name_of(family)}: {support}"
        )


def _range(
    family: Distribution, theta: FloatArray, spaces: dict[str, Space], weight: FloatArray, x: FloatArray
) -> tuple[Status, str]:
    """Say whether a closed-form maximum exists: inside its space, on its edge, or nowhere."""
    if weight.sum() < len(theta):
        return Status.TOO_FEW_ROWS, f"{weight.sum():g} rows, {len(theta)} parameters"
    for (name, space), value in zip(spaces.items(), theta, strict=True):
        if np.isinf(value) or (not space.contains(value) and value == 0):
            what = "infinity" if np.isinf(value) else "0"
            where = "has too little spread for this family" if np.ptp(x) > 0 else "is constant"
            if _discrete(family) and value == 0:
                return Status.BOUNDARY, f"{name} is 0"
            return Status.UNBOUNDED, f"{name} goes to {what}: the data {where}"
        if space is UNIT and value in (0.0, 1.0):
            return Status.BOUNDARY, f"{name} is {value:g}"
    if not family.regular and np.ptp(x) == 0:
        return Status.UNBOUNDED, "the data is constant"
    return Status.SOLVED, ""


def _discrete(family: Distribution) -> bool:
    return family.with_theta(*(0.5 for _ in family.spaces)).support().discrete


def _away(spaces: dict[str, Space], z: FloatArray) -> str:
    far = [name for name, value in zip(spaces, z, strict=True) if not abs(value) <= 25]
    return f"{', '.join(far) or 'a parameter'} runs away"


def fit_mixture(
    model: Mixture, x: FloatArray, weight: FloatArray, kind: str, starts: int, rng: Generator
) -> LikelihoodResult:
    """Fit weights and components of a mixture: the largest maximum among several starts."""
    found, collapsed = mixture_starts(model, x, weight, starts, rng)
    k = len(model.components)
    p = len(model.names)
    if not found:
        return LikelihoodResult(
            title=f"Maximum likelihood, mixture of {k}",
            names=model.names,
            params=np.full(p, np.nan),
            log_likelihood=np.inf,
            rows=float(weight.sum()),
            status=Status.UNBOUNDED,
            covariance_of=lambda kind, groups: np.full((p, p), np.nan),
            detail="from every start a component fell on a point",
        )
    best = found[0]
    likelihood = LogLikelihood(lambda theta: best.log_density(x, *theta), weight, _mixed(best))
    end = newton(likelihood, _mixed_free(best), max_iter=200)
    theta = likelihood.theta(end.theta)
    status, detail = end.status, ""
    if status is Status.SOLVED:
        status, detail = look_at(likelihood, theta, model.names)
    if status is Status.SOLVED and collapsed:
        detail = f"the largest maximum inside; {collapsed} of {starts} starts fell on a point"
    rest = list(theta[k - 1 :])
    components = [c.with_theta(*(rest.pop(0) for _ in c.spaces)) for c in best.components]
    fitted = Mixture(components, np.r_[theta[: k - 1], 1 - theta[: k - 1].sum()])
    return LikelihoodResult(
        title=f"Maximum likelihood, mixture of {k}",
        names=model.names,
        params=theta,
        log_likelihood=float(weight @ fitted.log_prob(x)),
        rows=float(weight.sum()),
        status=status,
        covariance_of=covariance_of(likelihood, theta),
        errors=kind,
        detail=detail,
        fitted=fitted,
        data=x,
    )


def _mixed_free(model: Mixture) -> FloatArray:
    """Return the unconstrained numbers of a mixture: log-odds of weights against the last, then the rest."""
    shares = model.shares
    odds = np.log(shares[:-1]) - np.log(shares[-1])
    rest = [
        space.to_free(value)
        for c in model.components
        for space, value in zip(c.spaces.values(), c.theta, strict=True)
    ]
    return np.asarray(np.r_[odds, np.array(rest)])


def _mixed(model: Mixture) -> Callable[[Any], Any]:
    k = len(model.components)
    spaces = [space for c in model.components for space in c.spaces.values()]

    def to_theta(z: Any) -> Any:
        shares = softmax(np.concatenate([z[: k - 1], np.zeros(1)]))
        return np.concatenate(
            [shares[: k - 1], array([s.from_free(z[k - 1 + j]) for j, s in enumerate(spaces)])]
        )

    return to_theta


def fit_vectors(
    model: Categorical | MultivariateNormal, rows: Any, weight: FloatArray, kind: str
) -> LikelihoodResult:
    """Fit the probabilities of codes, or the mean and covariance of rows, in closed form."""
    n = float(weight.sum())
    if isinstance(model, Categorical):
        fitted: Any = model.fit(rows, weight)
        params, names = fitted.p, tuple(f"p[{k}]" for k in range(len(fitted.p)))
        covariance, free = fitted.variance() / n, len(params) - 1
        status = Status.SOLVED if (params > 0).all() else Status.BOUNDARY
        detail = "" if status.ok else "a code has no rows"
    else:
        fitted = model.fit(rows, weight)
        params, d = fitted.loc, len(fitted.loc)
        names = tuple(f"loc[{k}]" for k in range(d))
        covariance, free = fitted.covariance / n, d + d * (d + 1) // 2
        status, detail = Status.SOLVED, ""
    return LikelihoodResult(
        title=f"Maximum likelihood, {name_of(model)}",
        names=names,
        params=params,
        log_likelihood=float(weight @ fitted.log_prob(rows)),
        rows=n,
        status=status,
        covariance_of=lambda kind, groups: covariance,
        errors="expected",
        free=free,
        detail=detail,
        fitted=fitted,
    )
