"""
Four learners that 344 penguins cannot tell apart
=================================================

One row a model, best first. The band is the interval of the first, drawn through all rows; the
learner that ignores the columns lies so far away that it is an arrow. What is judged is never the
overlap of these bars but the paired differences, which ``result.pairs()`` has.
"""

from importlib.resources import files

import thetahat as th

penguins = str(files("thetahat.datasets") / "penguins.csv")
result = th.compare(penguins, target="species", models=["logistic", "svm-rbf", "pca+logistic", "mlp"])
result.plot()
print(result.verdict)
