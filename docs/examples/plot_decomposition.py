"""
A full tree loses as much to variance as to noise and bias
==========================================================

200 trees grown on resamples of one table; a row is predicted by those that left it out. The error
bars hold the chance of rows and of draws.
"""

from sklearn.datasets import load_diabetes
from sklearn.tree import DecisionTreeRegressor

import thetahat as th

X, y = load_diabetes(return_X_y=True)
th.decompose(DecisionTreeRegressor(random_state=0), X, y).plot()
