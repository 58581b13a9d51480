"""Coefficients and standard errors against certified values, in digits (log relative error)."""

import json
from fractions import Fraction
from math import log10
from pathlib import Path

import numpy as np
import pytest

from thetahat.numerics.least_squares import solve_least_squares

CERTIFIED = json.loads((Path(__file__).parents[1] / "data" / "linear_certified.json").read_text())["sets"]


def digits(value, true):
    exact = Fraction(true)
    off = abs(Fraction(float(value)) - exact) / (abs(exact) if exact else 1)
    return 17.0 if off == 0 else min(17.0, -log10(off))


def design(table):
    rows = [[Fraction(entry) for entry in row] for row in table["x"]]
    if (table["degree"] or 1) > 1:
        rows = [[row[0] ** power for power in range(1, table["degree"] + 1)] for row in rows]
    X = np.array([[float(entry) for entry in row] for row in rows])
    return X if table["no_intercept"] else np.column_stack([np.ones(len(X)), X])


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_digits_of_coefficients_and_standard_errors(name, record_property):
    table = CERTIFIED[name]
    X, y = design(table), np.array([float(entry) for entry in table["y"]])
    solved = solve_least_squares(X, y[:, None])
    sigma2 = (solved.residual**2).sum() / (len(X) - X.shape[1])
    errors = np.sqrt(sigma2 * (solved.inverse_root**2).sum(axis=1))
    of_beta = min(map(digits, solved.x[:, 0], table["exact_beta"]))
    of_error = min(map(digits, errors, table["exact_se"]))
    print(f"{name:10} coefficients {of_beta:5.2f} digits, standard errors {of_error:5.2f} digits")
    needed = 7.5 if name == "Filip" else 12.0
    assert solved.rank == X.shape[1]
    assert solved.settled
    assert of_beta >= needed
    assert of_error >= needed
