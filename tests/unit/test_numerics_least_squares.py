import numpy as np
import pytest

from thetahat.numerics.doubled import add_exactly, crossed, products, residual
from thetahat.numerics.least_squares import solve_least_squares

RNG = np.random.default_rng(0)


def test_doubled_sums_keep_what_plain_sums_lose():
    # 1e16 + 1 − 1e16 is 0 in plain arithmetic.
    row, x = np.array([[1e16, 1.0, -1e16]]), np.ones(3)
    assert residual(row, x, np.zeros(1), np.zeros(1))[0] == -1.0
    assert crossed(row.T.copy(), x)[0] == 1.0
    assert products(row, x[:, None])[0, 0] == 1.0


def test_doubled_products_keep_their_own_rounding():
    a = 1.0 + 2.0**-30
    row = np.array([[a, 1.0]])
    assert products(row, np.array([[a], [-(a * a)]]))[0, 0] == 2.0**-60


def test_subtracting_from_a_doubled_sum_loses_nothing():
    terms = RNG.normal(size=(50, 4)) * 10.0 ** RNG.integers(-12, 12, size=(50, 1))
    head, tail = np.zeros(4), np.zeros(4)
    for term in terms:
        head, tail = add_exactly(head, tail, term)
    for term in terms[1:]:
        head, tail = add_exactly(head, tail, term, -1.0)
    np.testing.assert_allclose(head + tail, terms[0], rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("rows", [30, 5000], ids=["qr", "cholesky"])
def test_both_factorisations_reach_the_normal_equations_solution(rows):
    A, B = RNG.normal(size=(rows, 6)), RNG.normal(size=(rows, 2))
    solved = solve_least_squares(A, B)
    np.testing.assert_allclose(solved.x, np.linalg.solve(A.T @ A, A.T @ B), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(solved.residual, B - A @ solved.x, atol=1e-12)
    np.testing.assert_allclose(
        solved.inverse_root @ solved.inverse_root.T, np.linalg.inv(A.T @ A), rtol=1e-8, atol=1e-12
    )
    assert solved.settled


@pytest.mark.parametrize("rows", [30, 8000])
def test_ill_conditioned_columns_are_solved_to_the_last_digits(rows):
    base = RNG.integers(-8, 9, size=(rows, 4)).astype(float)
    A = np.column_stack([base, base @ [1.0, 2.0, -1.0, 1.0] + RNG.integers(-1, 2, size=rows) * 2.0**-20])
    beta = np.array([3.0, -1.0, 2.0, 5.0, 7.0])
    solved = solve_least_squares(A, (A @ beta)[:, None])
    np.testing.assert_allclose(solved.x[:, 0], beta, rtol=1e-14)


@pytest.mark.parametrize("rows", [40, 6000])
def test_dependent_columns_are_named_with_what_they_are_made_of(rows):
    A = RNG.normal(size=(rows, 6)) * [1, 1e6, 1, 1e-6, 1, 1]
    A[:, 5] = 2 * A[:, 1] - 1e12 * A[:, 3]
    solved = solve_least_squares(A, RNG.normal(size=(rows, 1)))
    assert solved.rank == 5
    assert len(solved.dependences) == 1
    assert {solved.dependences[0].column, *solved.dependences[0].others} == {1, 3, 5}
    assert np.isnan(solved.inverse_root).all()


def test_more_columns_than_rows_gives_the_shortest_solution():
    A, b = RNG.normal(size=(4, 7)), RNG.normal(size=(4, 1))
    solved = solve_least_squares(A, b)
    assert solved.rank == 4
    np.testing.assert_allclose(A @ solved.x, b, atol=1e-12)


def test_a_coefficient_that_is_zero_comes_to_rest():
    X = np.repeat([[1.0, 1.0, 3.0], [1.0, 2.0, 1.0], [1.0, 3.0, 3.0], [1.0, 4.0, 1.0]], 4, axis=0)
    solved = solve_least_squares(X, (2.5 - 0.5 * X[:, 2])[:, None])
    assert solved.settled
    np.testing.assert_allclose(solved.x[:, 0], [2.5, 0.0, -0.5], atol=1e-16)
