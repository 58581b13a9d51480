"""Networks: gradients, objectives, what is learned, what is said, and what is remembered."""

import numpy as np
import pytest
from scipy import special
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as PeerClassifier
from sklearn.neural_network import MLPRegressor as PeerRegressor
from sklearn.utils import get_tags

from thetahat.autodiff import value_and_grad
from thetahat.contracts import Sample, Status
from thetahat.errors import ResultFileError, UsageError
from thetahat.networks.architecture import Architecture
from thetahat.networks.classifier import MLPClassifier
from thetahat.networks.estimator import Network
from thetahat.networks.initialisation import first_weights
from thetahat.networks.output import Output
from thetahat.networks.own import train
from thetahat.networks.regressor import MLPRegressor
from thetahat.networks.units import UNITS, unit_named
from thetahat.optimisers.adam import Adam

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Written for complex numbers, from the textbook and not from the package.
COMPLEX_UNITS = {
    "relu": lambda z, a: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z, a: np.where(z.real > 0, z, 0.01 * z),
    "prelu": lambda z, a: np.where(z.real > 0, z, a * z),
    "abs": lambda z, a: np.where(z.real > 0, z, -z),
    "tanh": lambda z, a: np.tanh(z),
    "sigmoid": lambda z, a: 1 / (1 + np.exp(-z)),
    "softmax": lambda z, a: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    "identity": lambda z, a: z,
}


def complex_loss(output, eta, log_sd, y):
    k = output.targets
    if output.family == "categorical":
        return np.mean(np.log(np.exp(eta).sum(axis=1)) - eta[np.arange(len(y)), y])
    if output.family == "bernoulli":
        return np.mean(np.sum(np.log(1 + np.exp(eta)) - y * eta, axis=1))
    if output.family == "poisson":
        return np.mean(np.sum(np.exp(eta) - y * eta + special.gammaln(y + 1), axis=1))
    if output.variance == "fixed":
        return np.mean((eta - y) ** 2) / 2
    s = log_sd if output.variance == "learned" else eta[:, k:]
    return np.mean(np.sum((y - eta[:, :k]) ** 2 * np.exp(-2 * s) / 2 + s + np.log(2 * np.pi) / 2, axis=1))


OUTPUTS = [
    Output("normal", 2),
    Output("normal", 2, "learned"),
    Output("normal", 2, "per-example"),
    Output("bernoulli", 2),
    Output("categorical", 3),
    Output("poisson", 2),
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("output", OUTPUTS, ids=lambda o: f"{o.family}-{o.variance}")
def test_gradient_equals_complex_step(unit, output):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 3))
    y = {
        "normal": rng.standard_normal((12, 2)),
        "bernoulli": rng.integers(0, 2, (12, 2)).astype(float),
        "categorical": rng.integers(0, 3, 12),
        "poisson": rng.poisson(2.0, (12, 2)).astype(float),
    }[output.family]
    net = Architecture(3, (4,), (unit_named(unit),), output)
    theta = [part + 0.1 * rng.standard_normal(part.shape) for part in net.init(Sample(X, y), rng=rng)]
    alpha = 0.3
    places = tuple(range(len(theta)))
    value, slopes = value_and_grad(lambda *p: net.loss(alpha)(list(p), {"X": X, "y": y}), places)(*theta)

    def naive(parts):
        slope = parts[4] if unit == "prelu" else None
        h = COMPLEX_UNITS[unit](X @ parts[0] + parts[2], slope)
        log_sd = parts[-1] if output.variance == "learned" else None
        penalty = alpha / 2 * (np.sum(parts[0] ** 2) + np.sum(parts[1] ** 2)) / len(X)
        return complex_loss(output, h @ parts[1] + parts[3], log_sd, y) + penalty

    assert value == pytest.approx(naive([p.astype(complex) for p in theta]).real, rel=1e-12)
    for i, part in enumerate(theta):
        for place in np.ndindex(part.shape):
            moved = [p.astype(complex) for p in theta]
            moved[i][place] += 1e-30j
            assert slopes[i][place] == pytest.approx(naive(moved).imag / 1e-30, rel=1e-9, abs=1e-12)


def test_pullback_is_the_transposed_jacobian():
    rng = np.random.default_rng(0)
    X, d = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    net = Architecture(3, (4,), (UNITS["tanh"],), Output("normal", 2))
    theta = net.init(Sample(X, np.zeros((6, 2))), rng=rng)
    pulled = net.pullback(theta, X, d)
    step = 1e-6
    for i, part in enumerate(theta):
        up, down = [p.copy() for p in theta], [p.copy() for p in theta]
        up[i].flat[0] += step
        down[i].flat[0] -= step
        slope = np.sum(d * (net.eta(up, X) - net.eta(down, X))) / (2 * step)
        assert np.ravel(pulled[i])[0] == pytest.approx(slope, abs=1e-7), part.shape


def rows(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    return X, (X @ [1.0, -2.0, 0.5, 0.0] + np.tanh(X[:, 0]) > 0).astype(int)


@quiet
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_equal_scikit_learns_from_the_same_start(solver, weighted):
    X, y = rows()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    settings = dict(hidden_layer_sizes=(7,), solver=solver, shuffle=False, batch_size=50, alpha=0.1)
    settings["n_iter_no_change"] = 100
    peer = PeerClassifier(**settings, max_iter=1, random_state=0, warm_start=True).fit(X, y, weight)
    ours = MLPClassifier(**settings, max_iter=1, random_state=0, warm_start=True).fit(X, y, weight)
    ours.coefs_ = [c.copy() for c in peer.coefs_]
    ours.intercepts_ = [c.copy() for c in peer.intercepts_]
    ours.set_params(max_iter=30).fit(X, y, weight)
    peer.set_params(max_iter=30).fit(X, y, weight)
    # The peer adds Adam's ε before the correction of the root, the paper after it.
    near = 1e-7 if solver == "sgd" else 1e-5
    np.testing.assert_allclose(ours.loss_curve_[1:], peer.loss_curve_[1:], rtol=near)
    np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), rtol=10 * near)


@quiet
def test_regression_and_its_loss_equal_scikit_learns_from_the_same_start():
    X, _ = rows()
    Y = np.column_stack([X[:, 0] ** 2, X[:, 1]])
    settings = dict(hidden_layer_sizes=(5,), activation="tanh", shuffle=False, batch_size=32, warm_start=True)
    settings["n_iter_no_change"] = 100
    peer = PeerRegressor(**settings, max_iter=1, random_state=0).fit(X, Y)
    ours = MLPRegressor(**settings, max_iter=1, random_state=0).fit(X, Y)
    ours.coefs_ = [c.copy() for c in peer.coefs_]
    ours.intercepts_ = [c.copy() for c in peer.intercepts_]
    for model in (ours, peer):
        model.set_params(max_iter=20).fit(X, Y)
    np.testing.assert_allclose(ours.loss_curve_[1:], peer.loss_curve_[1:], rtol=1e-5)
    np.testing.assert_allclose(ours.predict(X), peer.predict(X), rtol=1e-4, atol=1e-5)


def test_network_without_hidden_layers_by_lbfgs_is_ridge():
    X, _ = rows()
    y = X @ [1.0, 2.0, 3.0, 4.0] + np.random.default_rng(0).standard_normal(len(X))
    ours = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=5.0, tol=1e-7, max_iter=500).fit(X, y)
    peer = Ridge(alpha=5.0).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], peer.coef_, rtol=1e-5)
    assert ours.status_ is Status.SOLVED


def test_max_iter_is_not_converged():
    X, y = rows()
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = MLPClassifier(max_iter=2, random_state=0).fit(X, y)
    assert model.status_ is Status.MAX_ITER


def test_a_training_that_ends_above_the_least_loss_it_saw_is_not_converged():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((5, 50))
    y = X[:, :3].sum(axis=1)
    far = np.sign(X) * np.exp(8 * np.abs(X))
    net = MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", max_iter=400, random_state=0)
    with pytest.warns(ConvergenceWarning, match="training loss rose from .* lower learning_rate_init"):
        net.fit(far, y)
    assert net.loss_ > 2 * net.best_loss_
    assert net.status_ is Status.NOT_CONVERGED


def test_a_function_of_ones_own_that_leaps_away_from_its_minimum_is_not_converged():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    y = np.tanh(X @ [1.0, -1.0]) + 0.1 * rng.standard_normal(60)
    found = train(
        lambda theta, Z: np.tanh(Z @ theta[0]),
        [np.array([[1.0], [-1.0]])],
        X,
        y,
        rng=rng,
        optimiser=Adam(50.0),
    )
    assert found.history.losses[-1] > 2 * found.history.best_loss
    assert found.status is Status.NOT_CONVERGED
    assert "rose from" in found.detail


def test_divergence_is_named_with_its_cure():
    X, _ = rows()
    model = MLPRegressor(solver="sgd", learning_rate_init=1e3, random_state=0)
    with pytest.raises(UsageError, match=r"diverged in epoch \d+.*learning_rate_init"):
        model.fit(X, 100 * X[:, 0] ** 3)


@quiet
def test_digits_reach_97_5_percent_held_out():
    X, y = load_digits(return_X_y=True)
    X, held, y, answers = train_test_split(X / 16, y, random_state=0, stratify=y)
    model = MLPClassifier(hidden_layer_sizes=(256,), random_state=0).fit(X, y)
    assert model.score(held, answers) >= 0.975


@quiet
def test_noise_that_depends_on_x_is_learned():
    rng = np.random.default_rng(0)
    X = rng.uniform(-3, 3, (2000, 1))
    sd = 0.1 + 0.4 * np.abs(X[:, 0])
    y = np.sin(X[:, 0]) + sd * rng.standard_normal(2000)
    found = {}
    for variance in ("fixed", "learned", "per-example"):
        model = MLPRegressor(variance=variance, random_state=0).fit(X[:1000], y[:1000])
        found[variance] = model.log_likelihood(X[1000:], y[1000:]).mean()
    assert found["per-example"] > found["fixed"] + 0.15
    assert found["learned"] == pytest.approx(found["fixed"], abs=0.05)
    spread = model.predict_distribution(X[1000:]).sd
    assert np.corrcoef(spread, sd[1000:])[0, 1] > 0.9


@quiet
def test_counts_are_learned_as_poisson():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (1500, 2))
    mean = np.exp(1 + X[:, 0] - X[:, 1])
    model = MLPRegressor(output="poisson", random_state=0).fit(X, rng.poisson(mean))
    assert np.corrcoef(model.predict(X), mean)[0, 1] > 0.98
    with pytest.raises(UsageError, match="whole number"):
        model.fit(X, -mean)


class Killed(Exception):
    pass


@quiet
@pytest.mark.parametrize("died", [5, 12])
@pytest.mark.parametrize("early", [False, True])
def test_killed_and_resumed_is_bit_identical(tmp_path, monkeypatch, early, died):
    X, y = rows()
    settings = dict(max_iter=12, random_state=0, dropout=0.3, early_stopping=early, hidden="prelu")
    whole = MLPClassifier(**settings).fit(X, y)
    path = str(tmp_path / "training.zip")
    from thetahat.networks.checkpoint import Checkpoint

    write = Checkpoint.write

    def dies(self, executor, history, rng):
        write(self, executor, history, rng)
        if history.epochs == died:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", dies)
        with pytest.raises(Killed):
            MLPClassifier(**settings, checkpoint=path).fit(X, y)
    resumed = MLPClassifier(**settings, checkpoint=path).fit(X, y)
    assert resumed.loss_curve_ == whole.loss_curve_
    for a, b in zip(resumed.parameters_, whole.parameters_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(resumed.gradient_norms_, whole.gradient_norms_)


@quiet
def test_checkpoint_of_other_data_is_refused(tmp_path):
    X, y = rows()
    path = tmp_path / "training.zip"
    model = MLPClassifier(max_iter=2, random_state=0, checkpoint=path).fit(X, y)
    with pytest.raises(UsageError, match="other data"):
        model.fit(X + 1, y)
    (tmp_path / "training.zip").write_bytes(b"no zip")
    with pytest.raises(ResultFileError, match="not a saved checkpoint"):
        model.fit(X, y)


@quiet
@pytest.mark.parametrize(
    "history", [{"losses": 3}, {"epochs": "x"}, {"waited": [1]}, {"best_loss": None}, {"scores": [[]]}]
)
def test_a_checkpoint_of_what_no_training_saw_is_refused(history, tmp_path):
    from thetahat.networks import checkpoint
    from thetahat.results.packed import read_packed, write_packed

    X, y = rows()
    path = tmp_path / "training.zip"
    model = MLPClassifier(max_iter=2, random_state=0, checkpoint=path).fit(X, y)
    said, arrays = read_packed(path, checkpoint.FORMAT, checkpoint.SCHEMA, called=checkpoint.INSIDE)
    said["history"] |= history
    write_packed(path, said, arrays, called=checkpoint.INSIDE)
    with pytest.raises(ResultFileError, match="is damaged"):
        model.fit(X, y)


@quiet
def test_partial_fit_remembers_the_moments():
    X, y = rows()
    settings = dict(shuffle=False, random_state=0, batch_size=50)
    whole = MLPClassifier(**settings, max_iter=3).fit(X, y)
    parts = MLPClassifier(**settings)
    for _ in range(3):
        parts.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(parts.coefs_[0], whole.coefs_[0])


def test_dead_units_are_counted_and_named():
    X, y = rows()
    with pytest.warns(ConvergenceWarning):
        model = MLPClassifier(hidden_layer_sizes=(10,), max_iter=1, random_state=0).fit(X, y)
    model.intercepts_[0][:6] = -1e3
    found = model.diagnose(X)
    assert found.layers[0].dead == pytest.approx(0.6)
    assert "off for every row" in found.findings[0]
    assert not MLPClassifier.diagnose(_healthy(X, y), X).findings


def _healthy(X, y):
    with pytest.warns(ConvergenceWarning):
        return MLPClassifier(hidden_layer_sizes=(10,), max_iter=1, random_state=0).fit(X, y)


def test_saturated_units_are_counted():
    X, y = rows()
    with pytest.warns(ConvergenceWarning):
        model = MLPClassifier(activation="tanh", max_iter=1, random_state=0).fit(X * 1e3, y)
    assert model.diagnose(X * 1e3).layers[0].saturated > 0.9


@pytest.mark.parametrize(("shape", "gain"), [((8, 5), 1.0), ((5, 8), 1.0)])
def test_orthogonal_start_is_orthogonal(shape, gain):
    W = first_weights(*shape, UNITS["tanh"], "orthogonal", rng=np.random.default_rng(0))
    small = W.T @ W if shape[0] > shape[1] else W @ W.T
    np.testing.assert_allclose(small, gain * np.eye(5), atol=1e-12)


@pytest.mark.parametrize("unit", ["relu", "abs", "leaky_relu"])
def test_start_keeps_the_second_moment(unit):
    rng = np.random.default_rng(0)
    h = rng.standard_normal((500, 400))
    for _ in range(5):
        h = UNITS[unit].function(h @ first_weights(400, 400, UNITS[unit], "unit", rng=rng), None)
    assert 0.6 < np.mean(h**2) < 1.6


def test_own_function_is_trained_by_the_same_objective():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (600, 1))
    y = 1.5 * np.exp(-0.7 * X[:, 0] ** 2) + 0.1 * rng.standard_normal(600)

    def bump(theta, x):
        return theta[0] * np.exp(-theta[1] * x**2)

    found = train(
        bump, [np.ones(1), np.ones(1)], X, y, variance="learned", rng=rng, optimiser=Adam(0.02), epochs=500
    )
    assert found.status is Status.SOLVED
    assert found.theta[0][0] == pytest.approx(1.5, abs=0.05)
    assert found.theta[1][0] == pytest.approx(0.7, abs=0.05)
    assert np.exp(found.log_sd[0]) == pytest.approx(0.1, abs=0.015)


def test_seed_of_the_estimator_comes_from_its_generator():
    X, y = rows()
    net = Network(classes=2, hidden_layer_sizes=(8,), max_iter=3)
    one, same, other = (net.estimate(Sample(X, y), rng=np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.theta.theta[0], same.theta.theta[0])
    assert not np.array_equal(one.theta.theta[0], other.theta.theta[0])
    assert one.status is Status.MAX_ITER
    assert net.predict(one.theta, X).probability.shape == (300, 2)


def test_class_that_no_row_of_a_fold_has_keeps_its_place():
    X, y = rows()
    net = Network(classes=3, hidden_layer_sizes=(8,), max_iter=3)
    fit = net.estimate(Sample(X, y), rng=np.random.default_rng(0))
    assert net.predict(fit.theta, X).probability.shape == (300, 3)


@quiet
def test_several_labels_at_once_are_probabilities_of_their_own():
    X, y = rows()
    Y = np.column_stack([y, X[:, 3] > 0, np.zeros(len(y))]).astype(int)
    model = MLPClassifier(random_state=0, learning_rate_init=0.01).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert (model.predict(X) == Y).mean() > 0.95
    joint = np.where(Y == 1, model.predict_proba(X), 1 - model.predict_proba(X)).prod(axis=1)
    np.testing.assert_allclose(model.log_likelihood(X, Y), np.log(joint), rtol=1e-6, atol=1e-9)


@quiet
def test_class_weight_is_a_row_weight():
    X, y = rows()
    settings = dict(random_state=0, max_iter=5)
    one = MLPClassifier(**settings, class_weight={0: 3.0, 1: 1.0}).fit(X, y)
    other = MLPClassifier(**settings).fit(X, y, np.where(y == 0, 3.0, 1.0))
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


@quiet
def test_no_bias_passes_the_origin():
    X, _ = rows()
    model = MLPRegressor(bias=False, max_iter=5, random_state=0).fit(X, X[:, 0] + 3)
    assert model.predict(np.zeros((1, 4)))[0] == 0


def test_time_limit_is_said():
    X, y = rows(20_000)
    with pytest.warns(UserWarning, match="time limit"):
        model = MLPClassifier(time_limit=0.3, max_iter=10**6, tol=0, n_iter_no_change=10**6).fit(X, y)
    assert model.status_ is Status.OUT_OF_TIME


@quiet
def test_the_tag_of_several_targets_is_what_a_regressor_does():
    X = np.random.default_rng(0).standard_normal((20, 2))
    for settings in ({}, {"loss": "poisson"}, {"variance": "per-example"}):
        model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=1, random_state=0, **settings)
        assert get_tags(model).target_tags.multi_output
        assert model.fit(X, np.abs(np.round(X))).predict(X).shape == (20, 2)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_and_their_logarithms_keep_their_digits_far_out(classes):
    X = np.tile(np.eye(classes), (4, 1))
    model = MLPClassifier((), max_iter=30, random_state=0, tol=1e9).fit(X, np.tile(np.arange(classes), 4))
    width = model.coefs_[0].shape[1]
    model.coefs_, model.intercepts_ = [np.eye(classes)[:, :width]], [np.zeros(width)]
    for gap in (40.0, 1e4):
        row = np.zeros((1, classes))
        row[0, 0] = gap
        logs = model.predict_log_proba(row)
        assert logs.min() == pytest.approx(-gap, rel=1e-12)
        assert -logs.max() == pytest.approx((classes - 1) * np.exp(-gap), rel=1e-12, abs=0)
        assert model.predict_proba(row).min() == pytest.approx(np.exp(-gap), rel=1e-11, abs=0)
