"""Logistic and Poisson regression on many draws and penalties, each begun where all rows together ended.

The fit to all rows is made once a penalty, the penalties in order, each begun at the one before. With its
Hessian in place of their own, the draws take a few steps of Newton's method and no Hessian, all penalties of
a draw at once. Each fit is carried to the same tolerance as if it were made alone. A fit whose steps do not
shrink, or that may have no maximum, is made alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from scipy import linalg

from thetahat.contracts import Draw, Fit, FloatArray, Sample, Status
from thetahat.deadline import check_time
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.fused import bernoulli_slopes, poisson_slopes
from thetahat.linear.objective import BERNOULLI, columns, rounding_factor

if TYPE_CHECKING:
    from thetahat.linear.logistic import Logistic
    from thetahat.linear.poisson import Poisson

__all__ = ["SharedLikelihood"]

# Standard errors within which the fit to all rows is a good beginning.
NEAR_ENOUGH = 1e-2
# A step with a neighbour's Hessian must bring a fit this much nearer, or it is no neighbour.
SHRINKS = 0.5


class SharedLikelihood:
    """Fits to many draws of one sample.

    Parameters
    ----------
    model : Logistic or Poisson
        What is fitted; its C is used where no capacities are given.
    sample : Sample
        The rows that are drawn from.
    """

    def __init__(self, model: Logistic | Poisson, sample: Sample) -> None:
        self.model = model
        self.sample = replace(sample, X=columns(sample.X))
        self._known: dict[float, tuple[Coefficients, FloatArray | None]] = {}

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[float] = (), *, rngs: Sequence[Generator] = ()
    ) -> Iterator[Fit[Coefficients]]:
        """Return a fit for each draw and, within a draw, each C; ``rngs`` are not needed."""
        C = [float(c) for c in capacities] if len(capacities) else [self.model.C]
        self._fit_all_rows(C)
        for draw in draws:
            train = self.sample.take(draw.train)
            # The Hessian of as many rows as the draw has.
            scale = np.sqrt(len(draw.train) / len(self.sample))
            together = self._together(train, C, scale)
            for place, c in enumerate(C):
                if place in together:
                    yield together[place]
                    continue
                start, factor = self._known[c]
                rough = None if factor is None else factor * scale
                yield replace(self.model, C=c).estimate_from(train, start, rough)

    def _fit_all_rows(self, capacities: Sequence[float]) -> None:
        start: Coefficients | None = None
        # From the strongest penalty on, whose minimum is nearest to where every fit begins.
        for c in sorted(set(capacities)):
            if c not in self._known:
                model = replace(self.model, C=c, tol=max(self.model.tol, NEAR_ENOUGH))
                theta = model.estimate_from(self.sample, start).theta
                self._known[c] = theta, rounding_factor(model.loss(self.sample), model.flat(theta))
            start = self._known[c][0]

    def _together(self, train: Sample, C: Sequence[float], scale: float) -> dict[int, Fit[Coefficients]]:
        """Fit the penalised losses of one η; return those that came to rest, by their place."""
        loss = self.model.loss(train)
        places = [k for k, c in enumerate(C) if np.isfinite(c) and self._known[c][1] is not None]
        many = loss.classes > 1 or not places
        if many or (loss.terms is BERNOULLI and len(np.unique(loss.y[loss.weight > 0])) < 2):
            return {}
        slopes = bernoulli_slopes if loss.terms is BERNOULLI else poisson_slopes
        factors = {k: scale * np.asarray(self._known[C[k]][1]) for k in places}
        theta = {k: self.model.flat(self._known[C[k]][0]) for k in places}
        penalties = {k: replace(self.model, C=C[k]).loss(train).penalty for k in places}
        last = dict.fromkeys(places, np.inf)
        done: dict[int, Fit[Coefficients]] = {}
        steps = 0
        while places:
            check_time()
            flat = np.column_stack([theta[k] for k in places])
            penalty = np.column_stack([penalties[k] for k in places])
            gradient = loss.design.pullback(slopes(loss.design.eta(flat), loss.y, loss.weight))
            gradient += penalty * flat
            active = []
            for column, k in enumerate(places):
                own = gradient[:, column]
                half = linalg.solve_triangular(factors[k], own, trans="T", check_finite=False)
                distance = float(np.sqrt(half @ half))
                if distance <= self.model.tol:
                    stats = {"iterations": float(steps), "gradient": float(np.abs(own).max())}
                    done[k] = Fit(self.model.split(theta[k]), Status.SOLVED, stats)
                elif distance <= last[k] * SHRINKS:
                    last[k] = distance
                    theta[k] = theta[k] - linalg.solve_triangular(factors[k], half, check_finite=False)
                    active.append(k)
            places, steps = active, steps + 1
        return done
