"""
A gamma law does not hold the bills of three species
====================================================

The best of seven families is still not a good one. Points outside the band are quantiles that a
sample of this size from the fitted family would rarely show.
"""

from importlib.resources import files

import polars as pl

import thetahat as th

penguins = pl.read_csv(files("thetahat.datasets") / "penguins.csv", null_values="NA")
bills = penguins["bill_length_mm"].drop_nulls().to_numpy()
fit = th.mle(th.Gamma(), bills)
fit.plot()
print(fit.summary())
