"""
Student's interval on skewed rows: too narrow for ten, sound for a thousand
===========================================================================

Bias, error and coverage of an estimator on a population that is known, at several sizes.
"""

import numpy as np
from scipy import stats

import thetahat as th


def t_interval(x):
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    return x.mean(), x.mean() - half, x.mean() + half


found = th.assess(t_interval, th.Exponential(2.0), n=[10, 30, 100, 300, 1000], truth=0.5)
found.plot()
print("coverage:", found.coverage.round(3))
