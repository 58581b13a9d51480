"""
What more rows would be worth
=============================

The law a + b n :sup:`−c` is fitted to the mean errors at eight sizes and extended beyond them, with
the uncertainty of the fit. Where the goal cannot be reached, the plot says so.
"""

from sklearn.datasets import load_diabetes

import thetahat as th

X, y = load_diabetes(return_X_y=True)
curve = th.learning_curve(th.Ridge(0.01), X, y)
curve.plot(goal=2900)
print(curve.rows_for(2900))
