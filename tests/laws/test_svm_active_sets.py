"""Rows made as they are needed give the fit that the whole matrix gives."""

import numpy as np
import pytest

from thetahat.numerics.kernels import KernelFunction
from thetahat.svm.active import on_active_sets
from thetahat.svm.blocks import gather
from thetahat.svm.memory import borrowed
from thetahat.svm.optimality import Dual, judge
from thetahat.svm.solution import Limits, Stop
from thetahat.svm.solver import confirm, on_matrix
from thetahat.svm.steps import padded
from thetahat.svm.table import KernelTable


def problems(columns, n=900):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((n, columns))
    X[:, 4:] *= 0.1
    y = np.where(X[:, 0] * X[:, 1] + 0.5 * rng.standard_normal(n) > 0, 1.0, -1.0)
    bound = 2.0 * rng.uniform(0.5, 1.5, n)
    start = np.clip(0.3 * bound.sum() - (np.cumsum(bound) - bound), 0.0, bound)
    return X, {
        "classification": Dual(y, np.minimum(0, y * bound), np.maximum(0, y * bound)),
        "regression": Dual(X[:, 0] + 0.2 * y, -bound, bound, 0.1),
        "one class": Dual(np.zeros(n), np.zeros(n), bound, start=start),
    }


# From all rows in memory down to a store of a few rows and blocks of 64.
# Rows of few columns are computed again rather than kept.
@pytest.mark.parametrize("columns", [4, 60])
@pytest.mark.parametrize("megabytes", [20, 1, 0.05])
@pytest.mark.parametrize("name", ["classification", "regression", "one class"])
def test_any_memory_meets_the_tolerance_in_float64(name, megabytes, columns):
    X, duals = problems(columns)
    dual, table = duals[name], KernelTable(KernelFunction("rbf", 0.4), X)
    found = on_active_sets(dual, table, Limits(1e-4), megabytes)
    exact = judge(dual, found.beta, dual.p - table.times(found.beta))
    assert found.stop is Stop.SOLVED
    assert exact.violation <= 1e-4 * (1 + 1e-6)
    assert exact.duality_gap == pytest.approx(found.optimality.duality_gap, abs=1e-2)

    K = table.gram(np.float32)
    whole = on_matrix(dual, K, Limits(1e-4), lambda beta, F: confirm(dual, table, beta, F, 1e-4))
    assert exact.objective == pytest.approx(whole.optimality.objective, rel=1e-4, abs=1e-4)
    np.testing.assert_allclose(table.times(found.beta), table.times(whole.beta), atol=5e-3)


def test_a_buffer_that_is_given_back_is_lent_again_but_never_to_two():
    with borrowed(10, padded(10)) as first, borrowed(10, padded(10)) as second:
        assert not np.shares_memory(first, second)
        first[:] = 3.0
    with borrowed(5, padded(5)) as third:
        assert np.shares_memory(third, first) or np.shares_memory(third, second)


@pytest.mark.parametrize("name", ["classification", "regression", "one class"])
def test_leaving_settled_variables_out_for_a_while_changes_no_optimum(name, monkeypatch):
    X, duals = problems(5, 1200)
    dual, table = duals[name], KernelTable(KernelFunction("rbf", 0.4), X)
    K, copied = table.gram(np.float64), []
    monkeypatch.setattr(
        "thetahat.svm.solver.gather", lambda *each: copied.append(len(each[1])) or gather(*each)
    )

    def verify(beta, F):
        F[:] = dual.p - table.times(beta)

    with_all, without = (
        on_matrix(dual, K, Limits(1e-9), verify, shrinking=shrinking) for shrinking in (False, True)
    )
    assert copied
    assert max(copied) <= 600
    assert with_all.stop is without.stop is Stop.SOLVED
    np.testing.assert_allclose(table.times(with_all.beta), table.times(without.beta), atol=1e-7)
