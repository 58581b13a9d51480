"""Logistic and Poisson regression on many draws and penalties, each begun where all rows together ended.

The fit to all rows is made once a penalty, the penalties in order, each begun at the one before. With its
Hessian in place of their own, scaled to the rows of a draw, the draws take a few steps and no Hessian: many
draws and penalties at once, so that η and the gradients of all are two matrix products. The two loops of
L-BFGS (Nocedal and Wright, 2006, section 7.2), in the coordinates in which that Hessian is the identity,
correct for the difference. Each fit is carried to the same tolerance as if it were made alone. A fit whose
steps do not shrink, or that may have no maximum, is made alone.

Where columns are standardized, all rows are centered and scaled once, and a draw's own deviations change the
penalties of the slopes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from scipy import linalg, sparse

from thetahat.contracts import Draw, Fit, FloatArray, Sample, Status
from thetahat.deadline import check_time
from thetahat.linear.coefficients import Coefficients
from thetahat.linear.fused import bernoulli_slopes, poisson_slopes
from thetahat.linear.objective import (
    BERNOULLI,
    CATEGORICAL,
    PenalisedLoss,
    columns,
    penalised_factor,
    rough_information,
    weights,
)
from thetahat.linear.scaling import standardised, standardised_columns, units, units_from_sums

if TYPE_CHECKING:
    from thetahat.linear.logistic import Logistic
    from thetahat.linear.poisson import Poisson

__all__ = ["SharedLikelihood"]

# C, the rows, and the units where they are far from those of all rows.
Group = tuple[float, int, bytes]
# A step of each fit, the change of the slope, and one over their product.
Pair = tuple[FloatArray, FloatArray, FloatArray]

# Standard errors within which the fit to all rows is a good beginning.
NEAR_ENOUGH = 1e-2
# A step with a neighbour's Hessian must bring a fit this much nearer, or it is no neighbour.
SHRINKS = 0.5
# Rows times fits that are stepped together; more leave the cache.
MOST_AT_ONCE = 500_000
# A draw of fewer rows than this share of all is not stepped with others, which pass over all rows.
FEW_ROWS = 0.5
# The Hessian of all rows is too far from that of such a draw where it has fewer rows a parameter than this.
ROWS_A_PARAMETER = 50
# A draw whose penalty on a slope is so many times that of all rows, or less, needs a factor of its own.
ANOTHER_PENALTY = 1.5
# Steps that shape the next.
MEMORY = 8


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
        # From here on the columns are scaled, and units say what the penalty is on.
        self.model = replace(model, standardise=False)
        self._raw = X = columns(sample.X)
        d = X.shape[1]
        self._scaled = standardised_columns(model.standardise, d)
        self._mean, self._unit = np.zeros(d), np.ones(d)
        self._squares: Any = None
        if self._scaled.any():
            X, self._mean, self._unit = standardised(X, model.standardise, model.intercept)
            self._squares = X.multiply(X) if sparse.issparse(X) else X**2
        self.sample = replace(sample, X=X)
        self._weight = weights(sample)
        self._starts: dict[float, tuple[Coefficients, FloatArray | None]] = {}
        self._factors: dict[Group, FloatArray | None] = {}
        self._inverses: dict[Group, FloatArray] = {}

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[float] = (), *, rngs: Sequence[Generator] = ()
    ) -> Iterator[Fit[Coefficients]]:
        """Return a fit for each draw and, within a draw, each C; ``rngs`` are not needed."""
        C = [float(c) for c in capacities] if len(capacities) else [self.model.C]
        self._fit_all_rows(C)
        n = len(self.sample)
        together = max(1, MOST_AT_ONCE // (n * len(C)))
        start = 0
        while start < len(draws):
            block = [draws[start]]
            if len(block[0].train) >= FEW_ROWS * n:
                for draw in draws[start + 1 : start + together]:
                    if len(draw.train) < FEW_ROWS * n:
                        break
                    block.append(draw)
            yield from self._block(block, C)
            start += len(block)
            # Factors of single draws are of no more use.
            for group in [group for group in self._factors if group[2]]:
                del self._factors[group]
                self._inverses.pop(group, None)

    def _fit_all_rows(self, capacities: Sequence[float]) -> None:
        start: Coefficients | None = None
        # From the strongest penalty on, whose minimum is nearest to where every fit begins.
        for c in sorted(set(capacities)):
            if c not in self._starts:
                model = replace(self.model, C=c, tol=max(self.model.tol, NEAR_ENOUGH))
                theta = model.estimate_from(self.sample, start).theta
                self._starts[c] = theta, rough_information(model.loss(self.sample), model.flat(theta))
            start = self._starts[c][0]

    def _group(self, c: float, draw: Draw, unit: FloatArray) -> Group:
        """Return what draws have in common that share a factor; it is made where it is not known yet."""
        away = np.abs(np.log(unit**2)) > np.log(ANOTHER_PENALTY)
        group = (c, len(draw.train), unit.tobytes() if away.any() else b"")
        if group not in self._factors:
            information = self._starts[c][1]
            if information is not None:
                loss = replace(self.model, C=c).loss(self.sample, unit=unit if away.any() else None)
                share = len(draw.train) / len(self.sample)
                averaged = share if getattr(self.model, "averaged", False) else 1.0
                information = penalised_factor(share * information, averaged * loss.penalty, loss.classes)
            self._factors[group] = information
        return group

    def _block(self, draws: Sequence[Draw], C: Sequence[float]) -> Iterator[Fit[Coefficients]]:
        n = len(self.sample)
        counts = np.stack([np.bincount(draw.train, minlength=n) for draw in draws]).astype(np.float64)
        unit = self._units(draws, counts)
        done: dict[tuple[int, int], Fit[Coefficients]] = {}
        enough = min(FEW_ROWS * n, ROWS_A_PARAMETER * (len(self._unit) + 1))
        if len(draws) == 1 and len(draws[0].train) >= enough:
            # Of one draw, the rows held out need not be passed over.
            rows = self.sample.take(draws[0].train)
            done = self._together(rows, weights(rows)[:, None], draws, C, unit)
        elif len(draws) > 1:
            done = self._together(self.sample, (counts * self._weight).T, draws, C, unit)
        for number, draw in enumerate(draws):
            for place, c in enumerate(C):
                fit = done.get((number, place))
                if fit is None:
                    factor = self._factors[self._group(c, draw, unit[number])]
                    train = self.sample.take(draw.train)
                    fit = replace(self.model, C=c).estimate_from(
                        train, self._starts[c][0], factor, unit[number]
                    )
                if self._scaled.any():
                    fit = replace(fit, theta=fit.theta.of_unscaled(self._mean, self._unit))
                yield fit

    def _units(self, draws: Sequence[Draw], counts: FloatArray) -> FloatArray:
        """Return the units of the scaled columns in each draw, shape (D, d)."""
        unit = np.ones((len(draws), len(self._unit)))
        if not self._scaled.any():
            return unit
        sums = [np.asarray(X.T @ counts.T).T for X in (self.sample.X, self._squares)]
        found, sure = units_from_sums(
            counts.sum(axis=1, keepdims=True), sums[0], sums[1], self._mean / self._unit
        )
        unit[:, self._scaled] = found[:, self._scaled]
        for number in np.flatnonzero(~sure[:, self._scaled].all(axis=1)).tolist():
            unsure = np.flatnonzero(~sure[number] & self._scaled)
            rows = self._raw[draws[number].train][:, unsure]
            unit[number, unsure] = units(rows, True) / self._unit[unsure]
        return unit

    def _together(
        self,
        rows: Sample,
        weight: FloatArray,
        draws: Sequence[Draw],
        C: Sequence[float],
        unit: FloatArray,
    ) -> dict[tuple[int, int], Fit[Coefficients]]:
        """Fit the penalized losses of one η; return those that came to rest, by draw and place.

        ``weight``, of shape (n, D), is that of the rows in each draw.
        """
        loss = self.model.loss(rows)
        fits, groups = self._posed(loss, weight, draws, C, unit)
        if not fits:
            return {}
        of = np.array(fits)
        whole = weight.sum(axis=0) if getattr(self.model, "averaged", False) else np.ones(len(draws))
        penalty = np.zeros((loss.design.width, len(fits)))
        penalty[int(self.model.intercept) :] = (unit**2)[of[:, 0]].T
        penalty *= whole[of[:, 0]] / np.array(C)[of[:, 1]]
        theta = np.column_stack([self.model.flat(self._starts[C[place]][0]) for _, place in fits])
        weighing = np.ascontiguousarray(weight[:, of[:, 0]])
        slopes = bernoulli_slopes if loss.terms is BERNOULLI else poisson_slopes
        last: FloatArray = np.full(len(fits), np.inf)
        past: list[Pair] = []
        done: dict[tuple[int, int], Fit[Coefficients]] = {}
        moved = before = None
        steps = 0
        while True:
            check_time()
            gradient = loss.design.pullback(slopes(loss.design.eta(theta), loss.y, weighing))
            gradient += penalty * theta
            slope = self._turned(groups, gradient, transposed=True)
            if moved is not None and before is not None:
                past = [*past, _pair(moved, slope - before)][-MEMORY:]
            distance = np.sqrt(np.einsum("jp,jp->p", slope, slope))
            for p in np.flatnonzero(distance <= self.model.tol):
                stats = {"iterations": float(steps), "gradient": float(np.abs(gradient[:, p]).max())}
                done[fits[p]] = Fit(self.model.split(theta[:, p]), Status.SOLVED, stats)
            left = np.flatnonzero((distance > self.model.tol) & (distance <= last * SHRINKS))
            if not len(left):
                return done
            if len(left) < len(fits):
                fits, groups = [fits[p] for p in left], [groups[p] for p in left]
                theta, penalty, slope = theta[:, left], penalty[:, left], slope[:, left]
                weighing = np.ascontiguousarray(weighing[:, left])
                past = [(one[:, left], two[:, left], three[left]) for one, two, three in past]
            last, before = distance[left], slope
            moved = -_two_loops(slope, past)
            theta = theta + self._turned(groups, moved, transposed=False)
            steps += 1

    def _posed(
        self,
        loss: PenalisedLoss,
        weight: FloatArray,
        draws: Sequence[Draw],
        C: Sequence[float],
        unit: FloatArray,
    ) -> tuple[list[tuple[int, int]], list[Group]]:
        """Return which draws and places are stepped together, and the group of each."""
        fits: list[tuple[int, int]] = []
        groups: list[Group] = []
        if loss.terms is CATEGORICAL:
            return fits, groups
        for number, draw in enumerate(draws):
            seen = weight[:, number] > 0
            if loss.terms is BERNOULLI and len(np.unique(loss.y[seen])) < 2:
                continue
            for place, c in enumerate(C):
                group = self._group(c, draw, unit[number])
                if np.isfinite(c) and self._factors[group] is not None:
                    fits.append((number, place))
                    groups.append(group)
        return fits, groups

    def _turned(self, groups: Sequence[Group], right: FloatArray, *, transposed: bool) -> FloatArray:
        """Return R⁻¹ b, or R⁻ᵀ b, with the factor of each column."""
        out = np.empty_like(right)
        places: dict[Group, list[int]] = {}
        for p, group in enumerate(groups):
            places.setdefault(group, []).append(p)
        for group, own in places.items():
            if group not in self._inverses:
                # It is multiplied by at every step, where a triangular solve of few columns is slow.
                factor = self._factors[group]
                assert factor is not None
                self._inverses[group] = linalg.solve_triangular(
                    factor, np.eye(len(factor)), check_finite=False
                )
            inverse = self._inverses[group]
            out[:, own] = (inverse.T if transposed else inverse) @ right[:, own]
        return out


def _pair(moved: FloatArray, bent: FloatArray) -> Pair:
    """Return a step, the change of the slope along it, and one over their product; 0 where it is no use."""
    curvature = np.einsum("jp,jp->p", moved, bent)
    positive = curvature > 0
    return moved, bent, np.where(positive, 1 / np.where(positive, curvature, 1.0), 0.0)


def _two_loops(slope: FloatArray, past: Sequence[Pair]) -> FloatArray:
    """Return the step of L-BFGS of each column, from the identity."""
    direction, shares = slope.copy(), []
    for moved, bent, inverse in reversed(past):
        share = np.einsum("jp,jp->p", moved, direction) * inverse
        shares.append(share)
        direction -= share * bent
    for (moved, bent, inverse), share in zip(past, reversed(shares), strict=True):
        direction += moved * (share - np.einsum("jp,jp->p", bent, direction) * inverse)
    return direction
