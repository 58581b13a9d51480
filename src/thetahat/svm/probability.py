"""Probabilities of a support vector classifier: Bernoulli maximum likelihood on scores of held-out rows.

Scores of training rows are pushed apart by the training itself, so a curve fitted to them is too sure. Here,
for each pair of classes, log-odds = a + b·score is fitted to held-out scores (Platt 1999). Where these
separate the pair without error the likelihood has no maximum, and labels are counted as Platt counts them:
one row of each class more than were seen. Of more than two classes, the probabilities are those that agree
best with the pairs (Wu, Lin and Weng 2004, their second method).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.metaestimators import _safe_split

from thetahat.checked import matrix, target
from thetahat.contracts import FloatArray, IntArray
from thetahat.errors import UsageError
from thetahat.likelihood.mle import mle
from thetahat.likelihood.result import LikelihoodResult
from thetahat.svm.pairs import pairs

__all__ = ["Calibrated", "couple", "fit_curves", "held_out_probability", "held_out_scores", "pair_scores"]


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A classifier with probabilities.

    Parameters
    ----------
    machine : SVC
        Fitted to all rows.
    curves : tuple of LikelihoodResult
        For each pair of classes a and b with their standard errors.
    scores : ndarray of shape (n, pairs)
        Scores of each row that weighs, positive for the second of a pair, from the machine that did not see
        it.
    codes : ndarray of shape (n,)
        Place of each such row's label in ``machine.classes_``.
    weight : ndarray of shape (n,)
        Weight of each such row.
    """

    machine: Any
    curves: tuple[LikelihoodResult, ...]
    scores: FloatArray
    codes: IntArray
    weight: FloatArray

    @property
    def curve(self) -> LikelihoodResult:
        """The curve of two classes, or of the first pair."""
        return self.curves[0]

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class, shape (n, classes)."""
        return couple(self._lines(), pair_scores(self.machine, X))

    def _lines(self) -> FloatArray:
        return np.array([curve.params for curve in self.curves])

    def calibration(self, bins: int = 10) -> FloatArray:
        """Return, for bins of equal count, the mean probability said, the share seen and how much they weigh.

        Shape (bins, 3), of the held-out scores; a good curve has the first two columns alike. Of two classes
        it is the probability of the second; of more, that of every class is counted. A row of weight two
        counts as two rows.
        """
        said = couple(self._lines(), self.scores)
        seen = self.codes[:, None] == np.arange(said.shape[1])
        if said.shape[1] == 2:
            said, seen = said[:, 1:], seen[:, 1:]
        weight = np.repeat(self.weight, said.shape[1])
        said, seen = said.ravel(), seen.ravel()
        order = np.argsort(said, kind="stable")
        # A row is in the bin that holds the middle of its weight.
        middle = np.cumsum(weight[order]) - 0.5 * weight[order]
        cuts = np.searchsorted(middle, weight.sum() * np.arange(1, bins) / bins)
        parts = [part for part in np.split(order, cuts) if len(part)]
        averages = [np.average([said[part], seen[part]], axis=1, weights=weight[part]) for part in parts]
        return np.column_stack([averages, [weight[part].sum() for part in parts]])

    def plot(self, bins: int = 10, ax: Any = None) -> Any:
        """Draw the share seen against the probability said, with 95 % intervals of the share.

        Parameters
        ----------
        bins : int
            Bins of equal count.
        ax : matplotlib axes, optional
            Where to; a new figure without.

        Returns
        -------
        matplotlib axes
        """
        if ax is None:
            from matplotlib.figure import Figure  # noqa: PLC0415 -- imported where a person first needs it

            ax = Figure(figsize=(4.6, 4.4), layout="constrained").add_subplot()
        said, seen, count = self.calibration(bins).T
        spans = np.array([_share_between(round(p * n), round(n)) for p, n in zip(seen, count, strict=True)])
        low, high = np.minimum(spans[:, 0], seen), np.maximum(spans[:, 1], seen)
        ax.plot([0, 1], [0, 1], color="#6e7074", lw=1, ls="--")
        ax.errorbar(said, seen, yerr=(seen - low, high - seen), fmt="o", color="#0072b2", ms=4, lw=1.2)
        held = np.sum((low <= said) & (said <= high))
        ax.set_title(f"{held} of {len(said)} bins hold what was said, on rows held out", fontsize="medium")
        ax.set_xlabel("probability said, mean of the bin")
        ax.set_ylabel("share seen, with its 95 % interval")
        ax.set_aspect("equal")
        ax.spines[["top", "right"]].set_visible(False)
        return ax


def _share_between(hits: int, rows: int) -> tuple[float, float]:
    span = binomtest(hits, rows).proportion_ci(method="wilson")
    return float(span.low), float(span.high)


def held_out_probability(
    machine: Any, X: Any, y: Any, *, sample_weight: Any = None, folds: int = 5, rng: Generator
) -> Calibrated:
    """Fit a classifier and the curves from its scores to probabilities.

    For each pair of classes the curve maximises Σ wᵢ [tᵢ ηᵢ − log(1 + exp ηᵢ)], η = a + b·score, over
    held-out rows of both classes.

    Parameters
    ----------
    machine : SVC
        What is fitted; it is not changed.
    X : ndarray or CSR matrix of shape (n, d)
        Rows, or a kernel matrix (n, n).
    y : array of shape (n,)
        Labels.
    sample_weight : array of shape (n,), optional
        Weight of each row.
    folds : int
        Parts that are held out in turn; no more than the rarest class has rows.
    rng : Generator
        Deals the rows into the folds.

    Returns
    -------
    Calibrated
        The machine with its curves.

    Raises
    ------
    UsageError
        There are not two classes, or one has fewer rows than there are folds.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines; Wu, Lin and Weng (2004), Probability
    estimates for multi-class classification by pairwise coupling.
    """
    if not callable(machine.kernel) and not (np.ndim(X) == 2 and hasattr(X, "shape")):
        X = matrix(X, "X", sparse=True)
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    classes, codes = np.unique(target(y, n), return_inverse=True)
    if len(classes) < 2:
        raise UsageError(f"y: probabilities are of at least two classes, not {len(classes)}")
    weight = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    scores = held_out_scores(machine, X, codes, weight, folds, rng)
    curves = fit_curves(scores, codes, weight)
    weighs = weight > 0
    whole = clone(machine).fit(X, y, sample_weight)
    return Calibrated(whole, curves, scores[weighs], codes[weighs], weight[weighs])


def held_out_scores(
    machine: Any, X: Any, codes: IntArray, weight: FloatArray, folds: int, rng: Generator
) -> FloatArray:
    """Return the scores of each row from a machine that did not see it, shape (n, pairs).

    A row that weighs nothing is not dealt, as if it were not there, and its scores are NaN.

    Raises
    ------
    UsageError
        A class has fewer rows that weigh than there are folds.
    """
    dealt = np.flatnonzero(weight > 0)
    count = np.bincount(codes[dealt], minlength=int(codes.max()) + 1)
    if count.min() < folds:
        raise UsageError(
            f"folds={folds}: the rarest class has {count.min()} rows, so not every fold can hold one out; "
            "leave the class out, give it more rows, or hold out in fewer parts"
        )
    one = clone(machine).set_params(probability="deprecated", decision_function_shape="ovo")
    scores = np.full((len(codes), len(pairs(len(count)))), np.nan)
    deal = StratifiedKFold(folds, shuffle=True, random_state=int(rng.integers(2**31 - 1)))
    for trained, held_out in deal.split(np.zeros(len(dealt)), codes[dealt]):
        train, test = dealt[trained], dealt[held_out]
        inside, labels = _safe_split(one, X, codes, train)
        outside, _ = _safe_split(one, X, codes, test, train)
        scores[test] = pair_scores(one.fit(inside, labels, weight[train]), outside)
    return scores


def pair_scores(machine: Any, X: Any) -> FloatArray:
    """Return the decisions of each pair of classes, positive for the second, shape (n, pairs)."""
    if len(machine.classes_) == 2:
        return np.asarray(machine.decision_function(X))[:, None]
    return -np.asarray(machine.pair_decisions(X))


def fit_curves(scores: FloatArray, codes: IntArray, weight: FloatArray) -> tuple[LikelihoodResult, ...]:
    """Return the curve of each pair of classes."""
    curves = []
    for place, (first, second) in enumerate(pairs(int(codes.max()) + 1)):
        rows = np.flatnonzero(((codes == first) | (codes == second)) & (weight > 0))
        curves.append(_curve(scores[rows, place], codes[rows] == second, weight[rows]))
    return tuple(curves)


def _curve(score: FloatArray, positive: Any, weight: FloatArray) -> LikelihoodResult:
    spread = float(np.std(score))
    start = {"a": 0.0, "b": 1.0 / spread if spread > 1e-150 else 1.0}
    above, below = score[positive], score[~positive]
    apart = above.min(initial=np.inf) >= below.max(initial=-np.inf)
    if not apart and above.max(initial=-np.inf) > below.min(initial=np.inf):
        return mle(_log_likelihood, (score, positive.astype(np.float64)), start, weight=weight)
    # Separated: as if one row more of each class had been seen, each half right.
    many, few = weight[positive].sum(), weight[~positive].sum()
    target = np.where(positive, (many + 1.0) / (many + 2.0), 1.0 / (few + 2.0))
    return mle(_log_likelihood, (score, target), start, weight=weight)


def _log_likelihood(theta: Any, data: Any) -> Any:
    score, target = data
    eta = theta[0] + theta[1] * score
    return target * eta - np.logaddexp(0.0, eta)


def couple(lines: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the probability of each class, shape (n, classes), from a and b and the scores of each pair.

    Of more than two classes p minimises Σ (r_ji p_i − r_ij p_j)² over pairs with Σ p = 1, where r_ij is what
    the pair says for i.
    """
    said = expit(lines[:, 0] + lines[:, 1] * scores)
    if len(lines) == 1:
        return np.column_stack([1.0 - said[:, 0], said[:, 0]])
    n, K = len(scores), int(round((1 + np.sqrt(1 + 8 * len(lines))) / 2))
    system = np.zeros((n, K + 1, K + 1))
    for place, (i, j) in enumerate(pairs(K)):
        second, first = said[:, place], 1.0 - said[:, place]
        system[:, i, i] += second**2
        system[:, j, j] += first**2
        system[:, i, j] = system[:, j, i] = -first * second
    system[:, :K, K] = system[:, K, :K] = 1.0
    # Pairs that are all sure leave a class undecided; a hair of ridge decides for the mean.
    system[:, range(K), range(K)] += 1e-12
    right = np.zeros((n, K + 1, 1))
    right[:, K] = 1.0
    found = np.clip(np.linalg.solve(system, right)[:, :K, 0], 0.0, None)
    return np.asarray(found / found.sum(axis=1, keepdims=True))
