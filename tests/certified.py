"""Certified data sets of NIST, and how many digits of a certified number another keeps."""

from __future__ import annotations

import json
from fractions import Fraction
from math import isfinite, log10
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["LINEAR", "NONLINEAR", "UNIVARIATE", "column", "columns", "digits"]

DATA = Path(__file__).parent / "data"
LINEAR = json.loads((DATA / "linear_certified.json").read_text())["sets"]
NONLINEAR = json.loads((DATA / "nist_nonlinear.json").read_text())["sets"]
UNIVARIATE = json.loads((DATA / "univariate_certified.json").read_text())


def column(name: str) -> Any:
    """Return the numbers of a univariate set."""
    x = np.genfromtxt(DATA / "univariate" / f"{name}.csv")
    return x[np.isfinite(x)]


def columns(name: str) -> tuple[Any, Any, bool]:
    """Return X of a linear set, its powers rounded last, y, and whether there is an intercept."""
    table = LINEAR[name]
    rows = [[Fraction(entry) for entry in row] for row in table["x"]]
    if (table["degree"] or 1) > 1:
        rows = [[row[0] ** power for power in range(1, table["degree"] + 1)] for row in rows]
    X = np.array([[float(entry) for entry in row] for row in rows])
    return X, np.array([float(entry) for entry in table["y"]]), not table["no_intercept"]


def digits(found: float, exact: Any) -> float:
    """Return the log relative error of a float, at most 16; of an exact 0 the log error."""
    if not isfinite(found):
        return 0.0
    true = Fraction(exact)
    off = abs(Fraction(float(found)) - true) / (abs(true) if true else 1)
    return 16.0 if off == 0 else min(16.0, -log10(off))
