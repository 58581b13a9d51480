"""Quick loops of stochastic gradient descent take the steps of the plain one, or of a few lines of NumPy."""

import numpy as np
import pytest
from scipy import sparse

from thetahat.linear import sgd_state
from thetahat.linear.sgd_losses import LOSSES, loss_of, slope_of
from thetahat.linear.sgd_state import IN_ORDER, WEIGHTLESS, SgdSettings, advance, begin

N, D = 137, 9
SIGNED = set(list(LOSSES)[:5])


def rows(loss, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)).astype(dtype)
    eta = X[:, 0] - 0.5 * X[:, 1] + rng.normal(size=N)
    if loss in SIGNED:
        return X, np.where(eta > 0, 1, -1).astype(np.int8)
    return X, rng.poisson(np.exp(0.3 * eta)).astype(float) if loss == "poisson" else eta


def moved(plainly, monkeypatch, X, y, settings, order, weight=WEIGHTLESS):
    """Return the state after these rows, by the plain loop or by the quick one."""
    state = begin(settings, 1, D, X.dtype)
    with monkeypatch.context() as patched:
        if plainly:
            # Without the schedules that only the plain loop has, every schedule is as one of them.
            patched.setitem(sgd_state.SCHEDULES, "pa1", -1)
        advance(state, X, y, weight, settings, order)
    return state


def same(one, other, settings, rtol):
    for a, b in zip(one.coefficients(settings), other.coefficients(settings), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 100)
    np.testing.assert_allclose(one.scalars[:, [2, 7]], other.scalars[:, [2, 7]])
    assert one.scalars[0, 3] == pytest.approx(other.scalars[0, 3], rel=max(rtol, 1e-7))


@pytest.mark.parametrize("average", [0, 1, 60])
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("schedule", ["constant", "optimal", "invscaling"])
@pytest.mark.parametrize("loss", LOSSES)
def test_steps_with_the_next_row_begun_are_the_plain_steps(loss, schedule, penalty, average, monkeypatch):
    X, y = rows(loss)
    settings = SgdSettings(loss, penalty, 0.05, schedule=schedule, eta0=0.02, average=average)
    orders = (IN_ORDER, np.random.default_rng(1).permutation(N)[:90], np.array([3]), np.array([5, 5, 5]))
    for order in orders:
        quick, plain = (moved(p, monkeypatch, X, y, settings, order) for p in (False, True))
        same(quick, plain, settings, 1e-10)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error", "hinge"])
def test_weights_and_single_precision_are_as_in_the_plain_steps(loss, monkeypatch):
    rng = np.random.default_rng(2)
    weight = rng.uniform(0, 3, N)
    for dtype, rtol in ((np.float64, 1e-10), (np.float32, 2e-4)):
        X, y = rows(loss, dtype)
        settings = SgdSettings(loss, "l2", 0.05, schedule="constant", eta0=0.02)
        for order in (IN_ORDER, rng.permutation(N)):
            quick, plain = (moved(p, monkeypatch, X, y, settings, order, weight) for p in (False, True))
            same(quick, plain, settings, rtol)


@pytest.mark.parametrize("batch", [2, 7, 32, 500])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_few_rows_a_step_go_along_the_mean_of_their_gradients(loss, batch):
    rng = np.random.default_rng(3)
    X, y = rows(loss)
    weight = rng.uniform(0, 3, N)
    settings = SgdSettings(loss, "l2", 0.1, schedule="invscaling", eta0=0.05, average=2, batch=batch)
    for order in (IN_ORDER, rng.permutation(N)):
        state = begin(settings, 1, D)
        advance(state, X, y, weight, settings, order)
        w, b, sums, lost = np.zeros(D), 0.0, np.zeros(D + 1), 0.0
        steps = np.array_split(order if len(order) else np.arange(N), range(batch, N, batch))
        for t, part in enumerate(steps, 1):
            p = X[part] @ w + b
            each = [slope_of(LOSSES[loss], float(y[i]), q, 0.1) for i, q in zip(part, p, strict=True)]
            lost += sum(loss_of(LOSSES[loss], float(y[i]), q, 0.1) for i, q in zip(part, p, strict=True))
            slope = np.array(each) * weight[part] / len(part)
            eta = 0.05 / t**0.5
            w, b = w * (1 - eta * 0.1) - eta * X[part].T @ slope, b - eta * slope.sum()
            sums += np.r_[w, b] if t >= 2 else 0
        found = np.r_[state.coefficients(settings)[0][0], state.coefficients(settings)[1]]
        expected = sums / (len(steps) - 1) if len(steps) > 1 else np.r_[w, b]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        assert state.take_loss() == pytest.approx(lost, rel=1e-10)


def classes(dtype=np.float64):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(N, D)).astype(dtype)
    X[rng.random((N, D)) < 0.5] = 0
    return X, np.argmax(X[:, :3] + rng.gumbel(size=(N, 3)), axis=1).astype(np.int8)


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize("average", [0, 40])
def test_softmax_of_sparse_rows_is_that_of_dense_rows(penalty, average):
    X, y = classes()
    if penalty in ("l1", "elasticnet"):
        # What L1 pulls is paid, in sparse rows, at a column's next turn: here each row is of all columns.
        X[X == 0] = 0.1
    settings = SgdSettings(
        "softmax", penalty, 0.02, schedule="constant", eta0=0.3, intercept=False, average=average
    )
    weight, order = np.random.default_rng(5).uniform(0, 2, N), np.random.default_rng(6).permutation(N)
    dense, thin = (begin(settings, 3, D) for _ in range(2))
    advance(dense, X, y, weight, settings, order)
    advance(thin, sparse.csr_matrix(X), y, weight, settings, order)
    np.testing.assert_allclose(
        dense.coefficients(settings)[0], thin.coefficients(settings)[0], rtol=1e-9, atol=1e-11
    )
    assert dense.take_loss() == pytest.approx(thin.take_loss(), rel=1e-10)


@pytest.mark.parametrize("batch", [1, 8, 200])
def test_softmax_of_a_few_rows_goes_along_the_mean_of_their_gradients(batch):
    X, y = classes()
    settings = SgdSettings("softmax", "l2", 0.1, schedule="constant", eta0=0.3, batch=batch)
    state = begin(settings, 3, D)
    order = np.random.default_rng(7).permutation(N)
    advance(state, X, y, WEIGHTLESS, settings, order)
    W, b = np.zeros((D, 3)), np.zeros(3)
    for part in np.array_split(order, range(batch, N, batch)):
        eta = X[part] @ W + b
        p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True) - np.eye(3)[y[part]]
        W, b = W * (1 - 0.3 * 0.1) - 0.3 * X[part].T @ p / len(part), b - 0.3 * p.mean(axis=0)
    np.testing.assert_allclose(state.coefficients(settings)[0], W.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.coefficients(settings)[1], b, rtol=1e-9, atol=1e-12)
