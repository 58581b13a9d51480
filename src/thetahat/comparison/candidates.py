"""The learners that are compared, and how they are fitted together on the same draws."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.comparison.recipe import FittedRecipe, Recipe, SharedColumns
from thetahat.comparison.table_rows import TableRows
from thetahat.comparison.tuning import Grid
from thetahat.contracts import (
    AbsorbsScaling,
    Draw,
    Fit,
    Prediction,
    Predictor,
    Sample,
    SharesWork,
    Status,
    Workspace,
)
from thetahat.deadline import OutOfTime, check_time

__all__ = ["Candidate", "FittedPanel", "Notes", "Panel"]


@dataclass(frozen=True, slots=True)
class Notes:
    """What must be said of a learner: of its seed, its probabilities, and of weights where there are any."""

    seed: str = ""
    weight: str = ""
    calibrated: str = ""


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
        The point estimator that is given the prepared columns.
    grid : Grid, optional
        What it is tuned over inside each training fold.
    notes : Notes
        What must be said of it.
    """

    name: str
    description: str
    recipe: Recipe
    learner: Predictor[Any]
    grid: Grid | None = None
    notes: Notes = Notes()


@dataclass(frozen=True, slots=True, eq=False)
class FittedPanel:
    """The fits of a panel's candidates, in its order, and what prepares the columns of each.

    Parameters
    ----------
    recipes : mapping of int to FittedRecipe
        By the identity of the recipe.
    fits : tuple of Fit
        Of the candidates.
    shared : mapping of int to SharedColumns
        By the place of a candidate whose work was shared: the columns that its fit is in.
    """

    recipes: Mapping[int, FittedRecipe]
    fits: tuple[Fit[Any], ...]
    shared: Mapping[int, SharedColumns] = field(default_factory=dict)


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
        return self.completed(sample, {}, {}, _entropy(rng))

    def prepare(self, sample: Sample) -> PanelWorkspace:
        """Prepare once the work that draws share."""
        return PanelWorkspace(self, sample)

    def completed(
        self,
        sample: Sample,
        known: Mapping[int, Fit[Any]],
        shared: Mapping[int, SharedColumns],
        entropy: int,
    ) -> Fit[FittedPanel]:
        """Return the panel's fit to a sample where the fits of some candidates, by place, are known."""
        recipes: dict[int, FittedRecipe] = {}
        seen: dict[int, tuple[Sample, float]] = {}
        fits = []
        for place, candidate in enumerate(self.candidates):
            if place in known:
                fits.append(known[place])
                continue
            own = self.generator(place, entropy)
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
                # A recipe takes time too, and a fit of another library cannot be ended.
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
        return Fit(FittedPanel(recipes, tuple(fits), shared))

    def generator(self, place: int, entropy: int) -> Generator:
        """Return the generator of a candidate in a draw, which depends on its name alone."""
        key = zlib.crc32(self.candidates[place].name.encode())
        return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(key,)))

    def predict(self, theta: FittedPanel, X: TableRows, /) -> list[Prediction | Fit[None]]:
        """Predict with every candidate; one that fails stands as a fit that says why."""
        prepared = {key: recipe.transform(X) for key, recipe in theta.recipes.items()}
        predictions: list[Prediction | Fit[None]] = []
        for place, (candidate, fit) in enumerate(zip(self.candidates, theta.fits, strict=True)):
            if fit.theta is None:
                predictions.append(fit)
                continue
            try:
                shared = theta.shared.get(place)
                columns = prepared[id(candidate.recipe)] if shared is None else shared.of(X)
                predictions.append(candidate.learner.predict(fit.theta, columns))
            except Exception as error:  # whatever a user's estimator may raise
                predictions.append(_failed(error))
        return predictions


class PanelWorkspace:
    """The fits of a panel to many draws, shared where a recipe can be absorbed.

    A recipe fitted to other rows centers and scales the columns otherwise, so the prepared columns of two
    draws differ. Centering changes no fit with a free intercept, and scaling only the penalty of each column:
    a learner that absorbs scaling has the same predictions from columns that are prepared once. Candidates
    of other learners are fitted draw by draw.

    Parameters
    ----------
    panel : Panel
        The candidates.
    sample : Sample
        The rows that are drawn from.
    """

    def __init__(self, panel: Panel, sample: Sample) -> None:
        self.panel, self.sample = panel, sample
        self.shared: dict[int, SharedColumns] = {}
        self.workspaces: dict[int, Workspace[Any]] = {}
        columns: dict[int, SharedColumns | None] = {}
        for place, candidate in enumerate(panel.candidates):
            learner, key = candidate.learner, id(candidate.recipe)
            if not (isinstance(learner, SharesWork) and isinstance(learner, AbsorbsScaling)):
                continue
            if key not in columns:
                columns[key] = None if sample.weight is not None else candidate.recipe.shared(sample.X)
            shared = columns[key]
            absorbing = None if shared is None else learner.standardizing(shared.standardized)
            if shared is None or absorbing is None:
                continue
            self.shared[place] = shared
            self.workspaces[place] = absorbing.prepare(replace(sample, X=shared.X))

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[Any] = (), *, rngs: Sequence[Generator]
    ) -> Iterator[Fit[FittedPanel]]:
        """Return the panel's fit to each draw."""
        for draw, rng in zip(draws, rngs, strict=True):
            entropy = _entropy(rng)
            known = {place: self._fit(place, draw, entropy) for place in self.workspaces}
            fitted = {place: fit for place, fit in known.items() if fit is not None}
            shared = {place: self.shared[place] for place in fitted}
            yield self.panel.completed(self.sample.take(draw.train), fitted, shared, entropy)

    def _fit(self, place: int, draw: Draw, entropy: int) -> Fit[Any] | None:
        began = time.perf_counter()
        rng = self.panel.generator(place, entropy)
        try:
            check_time()
            (fit,) = self.workspaces[place].solve([draw], (), rngs=[rng])
        except OutOfTime:
            return Fit(None, Status.OUT_OF_TIME)
        except Exception:
            # The fit to the rows of the draw alone then says what is wrong.
            return None
        return replace(fit, stats={**fit.stats, "seconds": time.perf_counter() - began})


def _entropy(rng: Generator) -> int:
    """Return what the generators of a draw's candidates are spawned from."""
    return int(rng.integers(2**63))


def _failed(error: Exception) -> Fit[None]:
    text = str(error).strip().splitlines()
    return Fit(None, Status.FAILED, detail=f"{type(error).__name__}: {text[0] if text else 'no message'}")
