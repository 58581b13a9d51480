"""
Two of five components can be named
===================================

Shares of the variance with their intervals. Components 4 and 5 have eigenvalues too near each
other: another sample would turn one into the other.
"""

from sklearn.datasets import load_wine

import thetahat as th

X = load_wine().data
Z = (X - X.mean(axis=0)) / X.std(axis=0)
th.PCA(5).fit(Z).describe(Z).plot()
