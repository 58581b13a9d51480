"""
Few support vectors without noise, most rows with it
====================================================

α is mostly zero where classes are clean. Each point is a row; circles are support vectors, and only
these are needed to predict.
"""

import numpy as np
from matplotlib import pyplot

import thetahat as th

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 2))
clean = np.where(X[:, 0] ** 2 + X[:, 1] > 0.5, 1, 0)
noisy = np.where(rng.random(300) < 0.3, 1 - clean, clean)

fig, axes = pyplot.subplots(1, 2, figsize=(8, 3.8), layout="constrained", sharey=True)
for ax, y, words in zip(axes, (clean, noisy), ("clean labels", "30 % flipped"), strict=True):
    machine = th.SVC(C=10.0, gamma=1.0).fit(X, y)
    for label, colour, mark in ((0, "#0072b2", "o"), (1, "#d55e00", "s")):
        ax.plot(*X[y == label].T, mark, color=colour, markersize=3)
    ax.plot(
        *X[machine.support_].T,
        "o",
        markerfacecolor="none",
        color="#1a1b1c",
        markersize=8,
        markeredgewidth=0.6,
    )
    ax.set_title(f"{words}: {len(machine.support_)} of 300 are support vectors", loc="left", fontsize=10)
    ax.set_xlabel("x₁")
axes[0].set_ylabel("x₂")
pyplot.show()
