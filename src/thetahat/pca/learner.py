"""Principal components before another learner, as one point estimator.

The directions are those of the training rows, and the learner is given the scores along them. Every number of
components is read off the same spectrum, so a draw is decomposed once for a whole grid of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Draw, Fit, Prediction, Predictor, Sample, differing_in
from thetahat.deadline import check_time
from thetahat.pca.classes import PCA
from thetahat.pca.spectrum import Spectrum

__all__ = ["ComponentsBefore", "Projected", "SharedDirections"]

# Their spectrum is that of all directions, whatever the number of components.
WHOLE = {"full", "covariance_eigh"}


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """The fitted directions, and the estimate from the scores along them."""

    components: PCA
    theta: Any


@dataclass(frozen=True, slots=True)
class ComponentsBefore:
    """Project onto the principal components of the sample, then estimate from the scores.

    Both take weights: a row of weight two counts as two rows. The capacity is the number of components.

    Parameters
    ----------
    learner : Predictor
        What is fitted to the scores.
    n_components : int, float, "mle" or None
        How many components, or the share of the variance to reach, as in :class:`thetahat.PCA`.
    whiten : bool
        Whether scores are divided by their standard deviations.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}
        As in :class:`thetahat.PCA`.
    tol, iterated_power, n_oversamples
        Of the solvers that find the first directions alone.
    random_state : int or None
        Seed of those solvers; None takes one from the generator of the fit.
    """

    learner: Predictor[Any]
    n_components: float | str | None = None
    whiten: bool = False
    svd_solver: str = "auto"
    tol: float = 0.0
    iterated_power: int | Literal["auto"] = "auto"
    n_oversamples: int = 10
    random_state: int | None = None

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Projected]:
        """Find the components, then estimate from the scores."""
        return self.estimate_along(fitted_components(self.components(rng), sample, {}), sample, rng)

    def predict(self, theta: Projected, X: Any, /) -> Prediction:
        """Predict from the scores of the rows of X."""
        return self.learner.predict(theta.theta, theta.components.transform(X))

    def prepare(self, sample: Sample) -> SharedDirections:
        """Return a workspace that decomposes each draw once for all numbers of components."""
        return SharedDirections(self, sample)

    def capacities(self, estimators: Sequence[Any], /) -> list[Any] | None:
        """Return the number of components of each; None where one differs in anything else."""
        return differing_in(self, "n_components", estimators)

    def components(self, rng: Generator) -> PCA:
        """Return the components, not fitted."""
        return PCA(
            self.n_components,
            whiten=self.whiten,
            svd_solver=self.svd_solver,
            tol=self.tol,
            iterated_power=self.iterated_power,
            n_oversamples=self.n_oversamples,
            random_state=int(rng.integers(2**31 - 1)) if self.random_state is None else self.random_state,
        )

    def estimate_along(self, components: PCA, sample: Sample, rng: Generator) -> Fit[Projected]:
        """Estimate from the scores along fitted components."""
        fit = self.learner.estimate(replace(sample, X=components.transform(sample.X)), rng=rng)
        return replace(fit, theta=Projected(components, fit.theta))


class SharedDirections:
    """One spectrum a draw for every number of components that is found from all directions.

    Parameters
    ----------
    model : ComponentsBefore
        What is fitted; its number of components is used where no capacities are given.
    sample : Sample
        The rows that are drawn from.
    """

    def __init__(self, model: ComponentsBefore, sample: Sample) -> None:
        self.model = model
        self.sample = sample

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[Any] = (), *, rngs: Sequence[Generator] = ()
    ) -> Iterator[Fit[Projected]]:
        """Return a fit for each draw and, within a draw, each number of components."""
        counts = list(capacities) if len(capacities) else [self.model.n_components]
        given = iter(rngs)
        for draw in draws:
            train = self.sample.take(draw.train)
            spectra: dict[str, Spectrum] = {}
            for count in counts:
                check_time()
                rng = next(given, None)
                rng = np.random.default_rng(0) if rng is None else rng
                model = replace(self.model, n_components=count)
                yield model.estimate_along(
                    fitted_components(model.components(rng), train, spectra), train, rng
                )


def fitted_components(components: PCA, sample: Sample, spectra: dict[str, Spectrum]) -> PCA:
    """Return the components fitted; ``spectra`` keeps the whole spectrum of the sample by its solver."""
    X, solver = components._checked(sample.X)
    if solver not in WHOLE:
        return components._take_spectrum(components._spectrum(X, solver, sample.weight), X.shape, solver)
    if solver not in spectra:
        spectra[solver] = components._spectrum(X, solver, sample.weight)
    return components._take_spectrum(spectra[solver], X.shape, solver)
