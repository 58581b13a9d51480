"""Coefficients and standard errors against certified values, in digits (log relative error)."""

import numpy as np
import pytest

from tests.certified import LINEAR, columns, digits
from thetahat.numerics.least_squares import solve_least_squares


@pytest.mark.parametrize("name", LINEAR)
def test_certified_digits_of_coefficients_and_standard_errors(name, record_property):
    table = LINEAR[name]
    X, y, intercept = columns(name)
    X = np.column_stack([np.ones(len(X)), X]) if intercept else X
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
