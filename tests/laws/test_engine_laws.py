"""Laws of the training executors: each runs the steps that the dynamic tape runs, and nothing else."""

import itertools

import numpy as np
import pytest

from thetahat.autodiff import log_softmax, logsumexp, softmax, softplus
from thetahat.autodiff.tape import Primitive
from thetahat.distributions import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.errors import ThetaHatWarning
from thetahat.networks.engine import (
    Dropout,
    DynamicExecutor,
    TrainingProblem,
    executor_for,
    negative_log_likelihood,
    normal_nll,
)
from thetahat.networks.engine.graph import NotStatic
from thetahat.networks.engine.static import StaticExecutor
from thetahat.optimisers.adam import Adam
from thetahat.optimisers.sgd import SGD

ROWS, WIDTH, HIDDEN = 50, 5, 7


def expit(x):
    from scipy import special

    return special.expit(x)


UNITS = {
    "relu": lambda x, s: np.maximum(x, 0.0),
    "relu_first": lambda x, s: np.maximum(0.0, x),
    "leaky_relu": lambda x, s: np.maximum(x, 0.01 * x),
    "leaky_relu_where": lambda x, s: np.where(x > 0, x, 0.01 * x),
    "prelu": lambda x, s: np.maximum(x, 0.0) + s * np.minimum(x, 0.0),
    "prelu_where": lambda x, s: np.where(x > 0, x, s * x),
    "abs": lambda x, s: np.abs(x),
    "tanh": lambda x, s: np.tanh(x),
    "sigmoid": lambda x, s: expit(x),
    "softmax": lambda x, s: softmax(x, axis=1),
    "softplus": lambda x, s: softplus(x),
    "identity": lambda x, s: x,
}

FAMILIES = {
    "normal": (1, lambda p, eta, y: negative_log_likelihood(NormalOutput(0.7), eta, y)),
    "normal_learned": (1, lambda p, eta, y: normal_nll(eta, p[-1], y[:, None])),
    "normal_each_row": (2, lambda p, eta, y: normal_nll(eta[:, :1], eta[:, 1:], y[:, None])),
    "normal_two_targets": (
        2,
        lambda p, eta, y: negative_log_likelihood(NormalOutput(), eta, np.stack([y, 2.0 * y], axis=1)),
    ),
    "bernoulli": (1, lambda p, eta, y: negative_log_likelihood(BernoulliOutput(), eta, y)),
    "categorical": (3, lambda p, eta, y: negative_log_likelihood(CategoricalOutput(3), eta, y)),
    "poisson": (1, lambda p, eta, y: negative_log_likelihood(PoissonOutput(), eta, y)),
}


def network(unit="relu", family="categorical", dtype=np.float64, *, dropout=0.0, l2=0.0, weighted=False):
    rng = np.random.default_rng(7)
    outputs, cost = FAMILIES[family]
    data = {"X": rng.standard_normal((ROWS, WIDTH))}
    kind = family.split("_")[0]
    data["y"] = {
        "normal": rng.standard_normal(ROWS),
        "bernoulli": rng.integers(0, 2, ROWS),
        "categorical": rng.integers(0, 3, ROWS),
        "poisson": rng.poisson(2.0, ROWS),
    }[kind]
    if weighted:
        data["weight"] = rng.uniform(0.5, 2.0, ROWS)
    shapes = [
        (WIDTH, HIDDEN),
        (HIDDEN,),
        (HIDDEN, HIDDEN),
        (HIDDEN,),
        (HIDDEN, outputs),
        (outputs,),
        (),
        (1,),
    ]
    parameters = [np.asarray(rng.normal(scale=0.5, size=s), dtype) for s in shapes]

    def loss(p, batch):
        h = UNITS[unit](batch["X"] @ p[0] + p[1], p[6])
        if dropout:
            h = h * batch["mask"]
        h = UNITS[unit](h @ p[2] + p[3], p[6])
        terms = cost(p, h @ p[4] + p[5], batch["y"])
        w = batch.get("weight")
        total = np.mean(terms) if w is None else np.sum(w * terms) / np.sum(w)
        return total + 0.5 * l2 * sum(np.sum(W * W) for W in (p[0], p[2], p[4])) if l2 else total

    return TrainingProblem(loss, parameters, data, {"mask": Dropout((HIDDEN,), 0.3)} if dropout else {})


def assert_same_training(problem, optimiser, *, clip_norm=None, products="scipy", batch=12, epochs=2):
    naive = DynamicExecutor(problem, optimiser, clip_norm=clip_norm)
    fast = StaticExecutor(problem, optimiser, clip_norm=clip_norm, products=products)
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    tolerance = {"rtol": 2e-4, "atol": 2e-5} if problem.dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-11}
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(problem.rows)
        rate = optimiser.learning_rate / (1 + epoch)
        expected = naive.run(order, batch, learning_rate=rate, rng=one)
        found = fast.run(order, batch, learning_rate=rate, rng=other)
        np.testing.assert_allclose(found, expected, **tolerance)
    for p, q, g, h in zip(fast.parameters, naive.parameters, fast.gradients, naive.gradients, strict=True):
        np.testing.assert_allclose(p, q, **tolerance)
        np.testing.assert_allclose(g, h, **tolerance)
    assert not np.array_equal(naive.parameters[0], problem.parameters[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("unit", UNITS)
def test_static_steps_equal_dynamic_steps_for_every_unit(unit, dtype):
    assert_same_training(network(unit, dtype=dtype), SGD(0.05, momentum=0.9))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("family", FAMILIES)
def test_static_steps_equal_dynamic_steps_for_every_family(family, dtype):
    assert_same_training(network("tanh", family, dtype), SGD(0.02))


OPTIMISERS = [SGD(0.05), SGD(0.05, 0.9), SGD(0.05, 0.9, True), Adam(0.01)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("products", ["scipy", "numpy"])
def test_static_steps_equal_dynamic_steps_for_every_optimiser(products, optimiser, dtype):
    problem = network("sigmoid", dtype=dtype, dropout=0.3, l2=0.1, weighted=True)
    assert_same_training(problem, optimiser, clip_norm=0.3, products=products)


def small(loss, **shapes):
    rng = np.random.default_rng(3)
    data = {"X": rng.uniform(0.5, 2.0, (ROWS, 4)), "y": rng.uniform(0.5, 2.0, ROWS)}
    return TrainingProblem(loss, [rng.uniform(0.5, 1.5, s) for s in shapes.values()], data)


def product_read_twice(W, X, b):
    z = X @ W
    return (z + b) * np.sin(z)


def cotangent_read_twice(W, X, b):
    h = X @ (W * W) + np.maximum(X @ W - 5.0 * b, 0.0)
    return h @ W


EXPRESSIONS = {
    "exp": lambda w, X: np.exp(X * w),
    "log": lambda w, X: np.log(X * w),
    "log1p": lambda w, X: np.log1p(X * w),
    "expm1": lambda w, X: np.expm1(X * w),
    "sqrt": lambda w, X: np.sqrt(X * w),
    "reciprocal": lambda w, X: np.reciprocal(X * w),
    "quotient": lambda w, X: X / (w + X),
    "power": lambda w, X: (X * w) ** 3 + (X * w) ** 1.5 + (X * w) ** 2,
    "sin_cos": lambda w, X: np.sin(X * w) * np.cos(w),
    "column_times_row": lambda w, X: X[:, :1] * w + w * X[:, 1:2],
    "outer_broadcast": lambda w, X: X[:, :, None] * w[None, None, :] + w[None, :, None],
    "transpose": lambda w, X: (X * w).T @ (X - w),
    "vector_product": lambda w, X: np.tanh(X @ w),
    "concatenate": lambda w, X: np.concatenate([X * w, w * w + 0.0 * X], axis=1) ** 2,
    "stack": lambda w, X: np.stack([X @ w, np.sum(w) * X[:, 0]], axis=1) ** 2,
    "slices": lambda w, X: w[1:3] * X[:, ::2] + w[0] - w[-1],
    "reshape": lambda w, X: np.reshape(np.tanh(X * w), (-1, 2)) * w[:2],
    "mean_var": lambda w, X: (X * w - np.mean(X * w, axis=0)) / (np.std(X * w, axis=0) + 1.0),
    "layer_norm": lambda w, X: (X * w - np.mean(X * w, axis=1, keepdims=True)) ** 2,
    "logsumexp": lambda w, X: logsumexp(3.0 * X * w, axis=1),
    "log_softmax": lambda w, X: log_softmax(X * w, axis=1) * X,
    "two_sided_max": lambda w, X: np.maximum(X * w, w) + np.minimum(X * w, w),
    "ties": lambda w, X: np.maximum(X * w, 1.0 * (X * w)) + np.minimum(X * w, 1.0 * (X * w)),
    "product_read_twice": lambda w, X: product_read_twice(w[:, None] * w, X, w),
    "cotangent_read_twice": lambda w, X: cotangent_read_twice(w[:, None] * w, X, w),
    "clip": lambda w, X: np.clip(X * w, 0.6, 1.5),
    "comparison": lambda w, X: np.where(X * w < 1.0, X * w, np.where(X >= w, w, 2.0 * w)),
    "sign": lambda w, X: np.sign(X - 1.0) * w,
    "logaddexp": lambda w, X: np.logaddexp(X * w, w),
    "backwards": lambda w, X: X[:, ::-1] * w[::-2][:1] + w[::-1],
    "columns_by_number": lambda w, X: (X * w)[:, [2, 0, 0, -1]] * w[np.array([1, 1, 3, 0])],
    "columns_by_mask": lambda w, X: (X * w)[:, np.array([True, False, True, True])] ** 2,
    "take": lambda w, X: np.take(X * w, [3, 3, 1], axis=1) * np.take(w, 2),
    "two_arrays": lambda w, X: (X * w)[[0, 1, 1], [3, 0, 0]] ** 2,
    "stacked_product": lambda w, X: (X[:, None, :] * w) @ np.eye(4)[:, :3],
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_static_steps_equal_dynamic_steps_for_any_expression(name):
    problem = small(lambda p, b: np.sum(np.tanh(EXPRESSIONS[name](p[0], b["X"]) * 0.3)), w=(4,))
    assert_same_training(problem, SGD(0.01))


LOOKUPS = {
    "rows": (3, 4),
    "rows_of_an_array": (3, 2, 2),
    "numbers": (3,),
}


def coded(loss, shape):
    rng = np.random.default_rng(3)
    data = {"X": rng.standard_normal((ROWS, 3)), "code": rng.integers(-3, 3, ROWS)}
    return TrainingProblem(loss, [rng.uniform(0.5, 1.5, shape)], data)


@pytest.mark.parametrize("name", LOOKUPS)
def test_static_steps_equal_dynamic_steps_where_the_data_say_which_row(name):
    def loss(p, b):
        return np.mean(np.tanh(p[0][b["code"]] * 0.7) ** 2) + 0.1 * np.sum(p[0] ** 2)

    assert_same_training(coded(loss, LOOKUPS[name]), SGD(0.1))


def test_static_steps_equal_dynamic_steps_where_the_data_say_which_entry():
    def loss(p, b):
        z = np.tanh(b["X"] * p[0])
        return np.mean(logsumexp(z, axis=1) - z[np.arange(len(b["code"])), b["code"]])

    assert_same_training(coded(loss, (3,)), Adam(0.02))


@pytest.mark.parametrize("both", [False, True])
def test_row_that_is_not_there_is_not_another_row(both):
    def loss(p, b):
        z = b["X"] * p[0]
        return np.sum((z[np.arange(len(b["code"])), b["code"]] if both else p[0][b["code"]]) ** 2)

    problem = coded(loss, (3,))
    fast = StaticExecutor(problem, SGD(0.1))
    fast.prepare(5)
    fast._data["code"][:5] = [0, 1, 7, 2, 0] if both else [0, 1, 3, 2, 0]
    assert np.isnan(fast.value_and_grad(np.arange(5))[0])


@pytest.mark.parametrize("name", ["relu", "prelu", "softmax", "tanh"])
def test_full_batch_value_and_gradient_agree(name):
    problem = network(name, l2=0.2)
    one, two = DynamicExecutor(problem, Adam()), StaticExecutor(problem, Adam())
    for rows in (None, np.arange(3, 20)):
        (value, gradient), (other, theirs) = one.value_and_grad(rows), two.value_and_grad(rows)
        assert value == pytest.approx(other, rel=1e-12)
        np.testing.assert_allclose(theirs, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("unit", "family"), list(itertools.product(UNITS, FAMILIES)))
def test_no_tape_call_after_the_recorded_step(unit, family, monkeypatch):
    assert_no_tape_call(StaticExecutor(network(unit, family, dropout=0.2, l2=0.1), Adam()), monkeypatch)


OPTIONS = [
    {},
    {"dropout": 0.2},
    {"l2": 0.1},
    {"weighted": True},
    {"dropout": 0.2, "l2": 0.1, "weighted": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize(("clip_norm", "products"), [(None, "scipy"), (0.3, "scipy"), (0.3, "numpy")])
def test_no_tape_call_after_the_recorded_step_whatever_the_options(
    options, optimiser, clip_norm, products, monkeypatch
):
    fast = StaticExecutor(network(**options), optimiser, clip_norm=clip_norm, products=products)
    assert_no_tape_call(fast, monkeypatch)


def assert_no_tape_call(fast, monkeypatch):
    rng = np.random.default_rng(0)
    fast.run(np.arange(ROWS), 12, rng=rng)  # the step on 12 rows and on the two left over

    def called(self, *args, **static):
        raise AssertionError(f"{self.name} was called on the tape")

    monkeypatch.setattr(Primitive, "__call__", called)
    monkeypatch.setattr(Primitive, "pull", called)
    assert len(fast.run(np.arange(ROWS), 12, rng=rng)) == 5


def test_chunks_do_not_change_the_result(monkeypatch):
    from thetahat.networks.engine import static

    problem = network("relu", dropout=0.3)
    order = np.random.default_rng(0).permutation(ROWS)
    whole = StaticExecutor(problem, Adam())
    expected = whole.run(order, 3, rng=np.random.default_rng(5))
    monkeypatch.setattr(static, "_MASK_NUMBERS", 1)
    apart = StaticExecutor(problem, Adam())
    done = []
    found = apart.run(order, 3, rng=np.random.default_rng(5), between=lambda n: done.append(n) or True)
    assert done == list(range(1, 18))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(apart.state.parameters, whole.state.parameters)


def test_a_restored_state_continues_bit_for_bit():
    problem, order = network("relu", dropout=0.3), np.random.default_rng(4).permutation(ROWS)
    rng = np.random.default_rng(3)
    whole = StaticExecutor(problem, Adam())
    whole.run(order, 7, rng=rng)
    kept, stream = whole.state, rng.bit_generator.state
    ahead = whole.run(order, 7, rng=rng)
    rng.bit_generator.state = stream
    other = StaticExecutor(problem, Adam())
    other.restore(kept)
    np.testing.assert_array_equal(other.run(order, 7, rng=rng), ahead)
    np.testing.assert_array_equal(other.state.moments, whole.state.moments)


FROZEN = {
    "mask read off the tape": lambda p, b: np.sum(p[0] * np.float64(b["X"].value.mean())),
    "branch of Python": lambda p, b: np.sum(p[0]) if b["X"].value[0, 0] > 1 else np.sum(p[0] * p[0]),
    "mask of the data": lambda p, b: np.sum((b["X"] * p[0])[b["X"] > 1.0]),
    "slices with numbers of the data": lambda p, b: np.sum((b["X"] * p[0])[:, b["X"].value.argmax(axis=1)]),
    "no rule": lambda p, b: np.sum(np.cumsum(b["X"] * p[0], axis=1)),
}


@pytest.mark.parametrize("name", FROZEN)
def test_what_cannot_be_recorded_is_refused(name):
    fast = StaticExecutor(small(FROZEN[name], w=(4,)), SGD(0.1))
    with pytest.raises(NotStatic):
        fast.run(np.arange(ROWS), 10)


def test_the_choice_is_static_and_the_exception_is_announced():
    assert isinstance(executor_for(network(), Adam()), StaticExecutor)
    with pytest.warns(ThetaHatWarning, match="cumsum"):
        slow = executor_for(small(FROZEN["no rule"], w=(4,)), SGD(0.01))
    assert isinstance(slow, DynamicExecutor)
    assert len(slow.run(np.arange(ROWS), 10)) == 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_that_is_all_but_certain_keeps_the_digits_of_its_loss(dtype):
    gap = 20.0 if dtype is np.float32 else 40.0

    def loss(p, batch):
        return np.sum(negative_log_likelihood(CategoricalOutput(3), batch["one"] @ p[0], batch["y"]))

    data = {"one": np.ones((1, 1)), "y": np.array([1])}
    problem = TrainingProblem(loss, [np.array([[-gap, 0.0, -gap]], dtype)], data)
    value, gradient = StaticExecutor(problem, SGD(0.1)).value_and_grad(np.arange(1))
    assert value == pytest.approx(2 * np.exp(-gap), rel=40 * float(np.finfo(dtype).eps), abs=0)
    assert gradient[1] == pytest.approx(-2 * np.exp(-gap), rel=40 * float(np.finfo(dtype).eps), abs=0)
