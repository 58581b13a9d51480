"""
A network that says how sure it is of each row
==============================================

With ``variance="per-example"`` a network learns the mean and the standard deviation of y at x, by
maximum likelihood. The band is the central 95 % of single rows.
"""

import numpy as np
from matplotlib import pyplot

import thetahat as th

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(-3, 3, (1000, 1)), axis=0)
y = np.sin(X[:, 0]) + (0.1 + 0.4 * np.abs(X[:, 0])) * rng.standard_normal(1000)
model = th.MLPRegressor(variance="per-example", random_state=0, max_iter=500).fit(X, y)
line = np.linspace(-3, 3, 200)[:, None]
said = model.predict_distribution(line)

fig, ax = pyplot.subplots(layout="constrained")
ax.plot(X, y, ".", color="#6e7074", markersize=3, label="rows")
ax.plot(line, said.mean, color="#0072b2", label="mean")
ax.fill_between(
    line[:, 0],
    said.mean - 1.96 * said.sd,
    said.mean + 1.96 * said.sd,
    color="#0072b2",
    alpha=0.15,
    label="95 % of rows",
)
ax.plot(line, np.sin(line), "--", color="#1a1b1c", label="truth")
ax.set(xlabel="x", ylabel="y")
ax.set_title("The noise is learned too: narrow at 0, wide at the ends", loc="left")
ax.legend(frameon=False)
pyplot.show()
