"""The learners that are compared, and how they are fitted together on the same draws."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.comparison.recipe import FittedRecipe, Recipe
from thetahat.comparison.tuning import Grid
from thetahat.contracts import Fit, Prediction, Predictor, Sample, Status
from thetahat.deadline import OutOfTime, check_time

__all__ = ["Candidate", "FittedPanel", "Panel"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A learner with its name and its recipe.

    Parameters
    ----------
    name : str
        Unique among those compared.
    description : str
        What it is, in words.
    recipe : Recipe
        Fitted inside each training fold; candidates that hold the same recipe object share its fit.
    learner : Predictor
        The point estimator behind the recipe.
    grid : Grid, optional
        What it is tuned over inside each training fold.
    """

    name: str
    description: str
    recipe: Recipe
    learner: Predictor[Any]
    grid: Grid | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FittedPanel:
    """The fits of a panel's candidates, in the panel's order, behind the fits of their recipes."""

    recipes: Mapping[int, FittedRecipe]
    fits: tuple[Fit[Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Several candidates as one point estimator, so that all of them see the same draws.

    A recipe that several candidates hold is fitted once for each draw. The generator of a
    candidate depends on the generator of the draw and on its own name alone, so a candidate's
    numbers do not depend on the other candidates.

    Parameters
    ----------
    candidates : sequence of Candidate
        The candidates, their names unique.
    """

    candidates: Sequence[Candidate]

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[FittedPanel]:
        """Fit every candidate; one that raises, or finds no time, has a status that says so."""
        root = np.random.SeedSequence(int(rng.integers(2**63)))
        recipes: dict[int, FittedRecipe] = {}
        seen: dict[int, tuple[Sample, float]] = {}
        fits = []
        for candidate in self.candidates:
            own = np.random.default_rng(
                np.random.SeedSequence(root.entropy, spawn_key=(zlib.crc32(candidate.name.encode()),))
            )
            began = time.perf_counter()
            key = id(candidate.recipe)
            try:
                check_time()
                if key not in seen:
                    recipes[key] = candidate.recipe.fit(sample.X, sample.weight)
                    prepared = replace(sample, X=recipes[key].transform(sample.X))
                    seen[key] = prepared, time.perf_counter() - began
                    began = time.perf_counter()
                prepared, spent = seen[key]
                # A recipe takes its time too, and another library's fit is not to be ended.
                check_time()
                fit = candidate.learner.estimate(prepared, rng=own)
            except OutOfTime:
                fits.append(Fit(None, Status.OUT_OF_TIME))
                continue
            except Exception as error:  # whatever a user's estimator may raise
                fits.append(_failed(error))
                continue
            spent += time.perf_counter() - began
            fits.append(replace(fit, stats={**fit.stats, "seconds": spent}))
        return Fit(FittedPanel(recipes, tuple(fits)))

    def predict(self, theta: FittedPanel, X: Any, /) -> list[Prediction | Fit[None]]:
        """Predict with every candidate; one that fails stands as a fit that says why."""
        prepared = {key: recipe.transform(X) for key, recipe in theta.recipes.items()}
        predictions: list[Prediction | Fit[None]] = []
        for candidate, fit in zip(self.candidates, theta.fits, strict=True):
            if fit.theta is None:
                predictions.append(fit)
                continue
            try:
                predictions.append(candidate.learner.predict(fit.theta, prepared[id(candidate.recipe)]))
            except Exception as error:  # whatever a user's estimator may raise
                predictions.append(_failed(error))
        return predictions


def _failed(error: Exception) -> Fit[None]:
    text = str(error).strip().splitlines()
    return Fit(None, Status.FAILED, detail=f"{type(error).__name__}: {text[0] if text else 'no message'}")
