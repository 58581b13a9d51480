"""
The error peaks where the rows are first fitted exactly
=======================================================

Least squares of minimum norm on random cosine features. Beyond as many features as rows the
classical picture ends: there are many exact fits, and the shortest of them varies less.
"""

import numpy as np
from matplotlib import pyplot
from sklearn.base import BaseEstimator, RegressorMixin

import thetahat as th


class RandomFeatures(RegressorMixin, BaseEstimator):
    """Least squares of minimum norm on ``count`` cosines."""

    def __init__(self, count=10):
        self.count = count

    def _features(self, X):
        rng = np.random.default_rng(7)
        return np.cos(X @ rng.normal(size=(X.shape[1], self.count)) + rng.uniform(0, 6.3, self.count))

    def fit(self, X, y):
        self.coef_ = np.linalg.lstsq(self._features(X), y, rcond=1e-10)[0]
        return self

    def predict(self, X):
        return self._features(X) @ self.coef_


def population(rng):
    X = rng.normal(size=(40, 3))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] + 0.3 * rng.normal(size=40)


X, y = population(np.random.default_rng(1))
counts = [5, 10, 20, 30, 40, 50, 80, 160, 320]
curve = th.capacity_curve(RandomFeatures(), "count", counts, X, y, population=population, draws=60)

fig, ax = pyplot.subplots(layout="constrained")
for name, words, colour, style in (
    ("held_out_error", "held-out error", "#1a1b1c", "o-"),
    ("bias2", "bias² (with noise)", "#d55e00", "s--"),
    ("variance", "variance", "#0072b2", "^-."),
    ("train_error", "training error", "#6e7074", "o:"),
):
    ax.plot(counts, curve.estimate[name], style, color=colour, label=words, markersize=4)
ax.axvline(40, color="#6e7074", linewidth=1, linestyle=(0, (4, 3)))
ax.set(xscale="log", yscale="log", ylim=(0.03, 3e4), xlabel="features", ylabel="mean squared loss of a row")
ax.set_xticks(counts, [str(count) for count in counts])
ax.minorticks_off()
ax.set_title("The error peaks at 40 features on 40 rows, and comes down again", loc="left")
ax.legend(frameon=False)
pyplot.show()
