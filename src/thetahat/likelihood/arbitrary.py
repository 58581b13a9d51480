"""Any log-likelihood: found by quasi-Newton, finished by Newton, and looked at before it is believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import optimize

from thetahat.contracts import FloatArray, Status
from thetahat.distributions.spaces import Space
from thetahat.errors import UsageError
from thetahat.likelihood.objective import LogLikelihood, stacked
from thetahat.likelihood.profile import Profile
from thetahat.likelihood.result import LikelihoodResult
from thetahat.optimisers.newton import newton

__all__ = ["covariance_of", "fit_function", "look_at"]

# A parameter this far out on its unconstrained scale has run away with the likelihood.
FAR = 1e3


def fit_function(
    terms: Callable[[Any], Any],
    weight: FloatArray,
    start: FloatArray,
    spaces: Sequence[Space],
    bounds: FloatArray,
    names: Sequence[str],
    kind: str,
) -> LikelihoodResult:
    """Maximise Σ w · terms(θ).

    Parameters
    ----------
    terms : callable
        θ to the terms of the rows.
    weight : ndarray of shape (n,)
        Of each row.
    start : ndarray of shape (p,)
        θ to begin from, inside the bounds.
    spaces : sequence of Space
        The scale each parameter is looked for on.
    bounds : ndarray of shape (p, 2)
        Bounds, infinite where there is none.
    names : sequence of str
        Of the parameters.
    kind : str
        Of the errors shown.
    """
    for name, space, value, (low, high) in zip(names, spaces, start, bounds, strict=True):
        if not space.contains(value) or not low <= value <= high:
            raise UsageError(f"theta0: {name} = {value:g} lies outside its bounds")
    free = np.array([space.to_free(value) for space, value in zip(spaces, start, strict=True)])
    likelihood = LogLikelihood(terms, weight, stacked(spaces))
    if not np.isfinite(likelihood.at(free).value):
        raise UsageError("theta0: the log-likelihood is not finite there; begin elsewhere")
    z, status = _climb(likelihood, free, bounds)
    theta = likelihood.theta(z)
    detail = ""
    if status is Status.SOLVED:
        on = [n for n, t, (low, high) in zip(names, theta, bounds, strict=True) if t in (low, high)]
        status, detail = (Status.BOUNDARY, f"{', '.join(on)}") if on else look_at(likelihood, theta, names)
    profile = Profile(likelihood, z, lambda k, value: _free(spaces[k], value, bounds[k]))
    covariance = covariance_of(likelihood, theta)

    def interval(index: int, level: float) -> tuple[float, float]:
        error = float(np.sqrt(covariance("observed", None)[index, index]))
        return profile.interval(index, level, error)

    return LikelihoodResult(
        title="Maximum likelihood",
        names=tuple(names),
        params=theta,
        log_likelihood=likelihood.value(theta),
        rows=float(weight.sum()),
        status=status,
        covariance_of=covariance,
        errors=kind,
        profile_of=interval,
        detail=detail,
        refit=lambda w: fit_function(terms, w, theta, spaces, bounds, names, kind).params,
    )


def _free(space: Space, value: float, bounds: FloatArray) -> float:
    if not (space.contains(value) and bounds[0] <= value <= bounds[1]):
        return float("nan")
    with np.errstate(divide="ignore"):
        return float(space.to_free(value))


def _climb(likelihood: LogLikelihood, z: FloatArray, bounds: FloatArray) -> tuple[FloatArray, Status]:
    """Return the maximum: L-BFGS-B of SciPy from afar, then Newton, where no bound holds."""

    def value_and_slope(at: FloatArray) -> tuple[float, FloatArray]:
        point = likelihood.at(at)
        good = np.isfinite(point.value) and np.isfinite(point.gradient).all()
        return (point.value, point.gradient) if good else (1e300, np.zeros_like(at))

    # In units of the steepest direction, so that the first step is of a sensible length.
    first = np.abs(likelihood.at(z).gradient)
    unit = 1.0 / np.maximum(np.sqrt(first / max(1.0, float(likelihood.weight.sum()))), 1e-6)
    unit = np.clip(unit, 1e-6, 1e6)
    found = optimize.minimize(
        lambda u: (lambda v: (v[0], v[1] * unit))(value_and_slope(u * unit)),
        z / unit,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds / unit[:, None],
        options={"maxiter": 2000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-8},
    )
    at = np.clip(found.x * unit, bounds[:, 0], bounds[:, 1])
    near = 1e-9 * np.maximum(1.0, np.abs(at))
    held = (at - bounds[:, 0] <= near) | (bounds[:, 1] - at <= near)
    if held.any():
        ends = np.where(at - bounds[:, 0] <= near, bounds[:, 0], bounds[:, 1])
        return np.where(held, ends, at), Status.SOLVED
    end = newton(likelihood, at, max_iter=200)
    if np.abs(end.theta).max(initial=0.0) > FAR * max(1.0, np.abs(z).max(initial=0.0)):
        return end.theta, Status.UNBOUNDED
    outside = (end.theta < bounds[:, 0]) | (end.theta > bounds[:, 1])
    return (at, Status.NOT_CONVERGED) if outside.any() else (end.theta, end.status)


def look_at(likelihood: LogLikelihood, theta: FloatArray, names: Sequence[str]) -> tuple[Status, str]:
    """Say whether a point where the gradient vanishes is a maximum that the data identify.

    The information must have full rank, on the scale where its diagonal is one.
    """
    p = len(theta)
    if likelihood.weight.sum() < p:
        return Status.TOO_FEW_ROWS, f"{likelihood.weight.sum():g} rows, {p} parameters"
    information = likelihood.information(theta)
    if not np.isfinite(information).all():
        return Status.NOT_FINITE, "the second derivatives are not finite"
    diagonal = np.diagonal(information)
    lengths = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(information / np.outer(lengths, lengths))
    if values[0] > 1e-9:
        return Status.SOLVED, ""
    together = [name for name, part in zip(names, vectors[:, 0], strict=True) if abs(part) > 0.1]
    if values[0] < -1e-6:
        return Status.NOT_CONVERGED, f"a saddle along {', '.join(together)}"
    return Status.NOT_IDENTIFIED, ", ".join(together)


def covariance_of(
    likelihood: LogLikelihood, theta: FloatArray, expected: Callable[[], FloatArray] | None = None
) -> Callable[[str, Any], FloatArray]:
    """Return the function ``(kind, groups)`` that gives the covariance matrix of an estimate.

    Parameters
    ----------
    likelihood : LogLikelihood
        What was maximised.
    theta : ndarray of shape (p,)
        The estimate.
    expected : callable, optional
        The expected information of all rows, where it is known.
    """

    def covariance(kind: str, groups: Any) -> FloatArray:
        if kind == "expected":
            if expected is None:
                raise UsageError(
                    "errors: this model has no expected information; use 'observed' or 'sandwich'"
                )
            return np.linalg.inv(expected())
        bread = np.linalg.inv(likelihood.information(theta))
        if kind == "observed":
            return np.asarray(bread)
        n, p = len(likelihood.weight), len(theta)
        rows = likelihood.weight[:, None] * likelihood.scores(theta)
        if kind == "clustered":
            rows = np.stack([rows[groups == g].sum(axis=0) for g in np.unique(groups)])
        elif kind not in ("HC0", "HC1"):
            raise UsageError(f"errors: {kind} is for regressions; use 'sandwich'")
        factor = n / (n - p) if kind == "HC1" else 1.0
        return np.asarray(factor * bread @ (rows.T @ rows) @ bread)

    return covariance
