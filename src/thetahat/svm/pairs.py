"""One machine for each pair of classes: how their coefficients are laid out, and how they vote.

Pairs are (0, 1), (0, 2), …, (1, 2), …; a positive decision speaks for the first of a pair. A support vector
of class i has K − 1 coefficients, one against each other class in order.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from thetahat.contracts import FloatArray, IntArray
from thetahat.svm.optimality import Dual

__all__ = ["by_pair", "pair_duals", "pairs", "votes"]


def pairs(classes: int) -> list[tuple[int, int]]:
    """Return the pairs of classes in order."""
    return list(combinations(range(classes), 2))


def by_pair(dual_coef: FloatArray, codes: IntArray) -> FloatArray:
    """Return the coefficient of each support vector in the machine of each pair, shape (vectors, pairs).

    Parameters
    ----------
    dual_coef : ndarray of shape (K − 1, vectors)
        Coefficients against each other class.
    codes : ndarray of shape (vectors,)
        Class of each support vector.
    """
    couples = pairs(dual_coef.shape[0] + 1)
    out = np.zeros((dual_coef.shape[1], len(couples)))
    for place, (first, second) in enumerate(couples):
        mine, other = codes == first, codes == second
        out[mine, place] = dual_coef[second - 1, mine]
        out[other, place] = dual_coef[first, other]
    return out


def pair_duals(codes: IntArray, price: FloatArray, classes: int) -> list[tuple[IntArray, Dual]]:
    """Return, for each pair of classes, its rows and its dual problem.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of each row.
    price : ndarray of shape (n,)
        C times the weight of each row.
    classes : int
        How many classes.
    """
    out: list[tuple[IntArray, Dual]] = []
    for first, second in pairs(classes):
        rows = np.flatnonzero((codes == first) | (codes == second))
        sign = np.where(codes[rows] == first, 1.0, -1.0)
        bound = sign * price[rows]
        out.append((rows, Dual(sign, np.minimum(0.0, bound), np.maximum(0.0, bound))))
    return out


def votes(decisions: FloatArray, classes: int) -> IntArray:
    """Return the class that wins most pairs in each row; the first of those that tie."""
    count = np.zeros((len(decisions), classes), dtype=np.int64)
    for place, (first, second) in enumerate(pairs(classes)):
        wins = decisions[:, place] > 0
        count[:, first] += wins
        count[:, second] += ~wins
    return np.asarray(count.argmax(axis=1))
