"""Draw the pictures of the README again: ``python docs/pictures.py`` (half a minute)."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot
from sklearn.datasets import load_diabetes

import thetahat as th

HERE = Path(__file__).parent
PENGUINS = HERE.parent / "src" / "thetahat" / "datasets" / "penguins.csv"


def forest() -> None:
    """Draw what ``thetahat demo`` found."""
    models = ["logistic", "svm-rbf", "forest", "boosting"]
    th.compare(PENGUINS, target="species", models=models).plot()


def capacity() -> None:
    """Draw ridge regression on ten features of diabetes and 150 that say nothing."""
    X, y = load_diabetes(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(442, 150))
    wide = np.column_stack([X / X.std(axis=0), noise])
    th.capacity_curve(th.Ridge(), "alpha", np.geomspace(0.1, 1e5, 13).tolist(), wide, y).plot()


def main() -> None:
    """Write each picture beside the others."""
    matplotlib.use("svg")
    for draw in (forest, capacity):
        with pyplot.rc_context({"svg.fonttype": "none", "svg.hashsalt": "thetahat"}):
            draw()
            path = HERE / "images" / f"{draw.__name__}.svg"
            pyplot.savefig(
                path, bbox_inches="tight", pad_inches=0.15, metadata={"Date": None, "Creator": None}
            )
            pyplot.close("all")
            # No blanks at the ends of lines, so that the file is the same through any editor.
            path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


if __name__ == "__main__":
    main()
