"""
The least held-out error is where falling variance meets rising bias
====================================================================

Ridge regression on ten features that matter and 150 that do not. A small penalty lets it use them
all: the training error is small and the held-out error is not.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import thetahat as th

X, y = load_diabetes(return_X_y=True)
noise = np.random.default_rng(0).normal(size=(442, 150))
wide = np.column_stack([X / X.std(axis=0), noise])
curve = th.capacity_curve(th.Ridge(), "alpha", np.geomspace(0.1, 1e5, 13).tolist(), wide, y)
curve.plot()
