"""Laws of every measure of the registry: peers, weights, derivatives, order."""

import numpy as np
import pytest
from sklearn import metrics as peer

from thetahat.contracts import Prediction
from thetahat.measures.leave_out import GROUPS, SINGLE_ROWS, influence_by_leaving_out
from thetahat.measures.measure import Measure, Target
from thetahat.measures.registry import MEASURES, choose_measure

COSTS = np.array([[0.0, 1.5, 2.0], [5.0, -0.5, 1.0], [3.0, 0.25, 0.0]])
TWO = Target("classification", ("a", "b"), costs=COSTS[:2, :2])
FIRST = Target("classification", ("a", "b"), positive=0, costs=COSTS[:2, :2])
THREE = Target("classification", ("a", "b", "c"), costs=COSTS)
NUMBERS = Target("regression")
N = 60


def rows(target, n=N, seed=1):
    """Return made-up rows, in which beliefs tie."""
    rng = np.random.default_rng(seed)
    if target.task == "regression":
        y = np.round(rng.gamma(2.0, size=n) + 0.1, 2)
        value = y * np.exp(0.4 * rng.normal(size=n))
        quantile = {0.9: value * 1.3}
        return y, Prediction(value, quantile=quantile)
    classes = target.classes
    y = np.r_[np.arange(classes), rng.integers(classes, size=n - classes)]
    belief = np.round(rng.random((n, classes)) + 0.5 * np.eye(classes)[y], 1) + 0.1
    probability = belief / belief.sum(axis=1, keepdims=True)
    return y, Prediction(probability.argmax(axis=1), probability)


def weights(n=N):
    return np.random.default_rng(2).uniform(0.2, 3.0, n)


def asked_of(name):
    return {"pinball": "pinball:0.9"}.get(name, name)


CASES = [
    (asked_of(name), target)
    for name, entry in MEASURES.items()
    for target in ((TWO, FIRST, THREE) if entry.task == "classification" else (NUMBERS,))
    if not (name == "f1" and target is THREE)
] + [("auc:weighted", THREE), ("kappa:linear", THREE), ("kappa:unweighted", THREE), ("pinball:0.25", NUMBERS)]
each_measure = pytest.mark.parametrize(
    ("asked", "target"), CASES, ids=[f"{name}-{max(t.classes, 1)}-{t.positive}" for name, t in CASES]
)


def in_two(target, prediction):
    return prediction.probability[:, target.positive]


def macro_of_rest(function, y, p, w):
    parts = [function(y == c, p[:, c], sample_weight=w) for c in range(p.shape[1])]
    return np.mean(parts)


PEERS = {
    "error": lambda y, q, w, t: 1 - peer.accuracy_score(y, q.value, sample_weight=w),
    "log-loss": lambda y, q, w, t: peer.log_loss(y, q.probability, sample_weight=w),
    "brier": lambda y, q, w, t: (
        peer.brier_score_loss(y == t.positive, in_two(t, q), sample_weight=w)
        if t.classes == 2
        else peer.brier_score_loss(y, q.probability, sample_weight=w, labels=range(3))
    ),
    "auc": lambda y, q, w, t: (
        peer.roc_auc_score(y == t.positive, in_two(t, q), sample_weight=w)
        if t.classes == 2
        else peer.roc_auc_score(y, q.probability, multi_class="ovr", sample_weight=w)
    ),
    "auc:weighted": lambda y, q, w, t: peer.roc_auc_score(
        y, q.probability, multi_class="ovr", average="weighted", sample_weight=w
    ),
    "average-precision": lambda y, q, w, t: (
        peer.average_precision_score(y == t.positive, in_two(t, q), sample_weight=w)
        if t.classes == 2
        else macro_of_rest(peer.average_precision_score, y, q.probability, w)
    ),
    "f1": lambda y, q, w, t: peer.f1_score(y, q.value, pos_label=t.positive, sample_weight=w),
    "f1-macro": lambda y, q, w, t: peer.f1_score(y, q.value, average="macro", sample_weight=w),
    "f1-weighted": lambda y, q, w, t: peer.f1_score(y, q.value, average="weighted", sample_weight=w),
    "balanced-accuracy": lambda y, q, w, t: peer.balanced_accuracy_score(y, q.value, sample_weight=w),
    "mcc": lambda y, q, w, t: peer.matthews_corrcoef(y, q.value, sample_weight=w),
    "kappa": lambda y, q, w, t: peer.cohen_kappa_score(y, q.value, weights="quadratic", sample_weight=w),
    "kappa:linear": lambda y, q, w, t: peer.cohen_kappa_score(y, q.value, weights="linear", sample_weight=w),
    "kappa:unweighted": lambda y, q, w, t: peer.cohen_kappa_score(y, q.value, sample_weight=w),
    "cost": lambda y, q, w, t: np.average(t.costs[y, q.value], weights=w),
    "squared-error": lambda y, q, w, t: peer.mean_squared_error(y, q.value, sample_weight=w),
    "absolute-error": lambda y, q, w, t: peer.mean_absolute_error(y, q.value, sample_weight=w),
    "r2": lambda y, q, w, t: peer.r2_score(y, q.value, sample_weight=w),
    "pinball:0.9": lambda y, q, w, t: peer.mean_pinball_loss(y, q.quantile[0.9], alpha=0.9, sample_weight=w),
    "pinball:0.25": lambda y, q, w, t: peer.mean_pinball_loss(y, q.value, alpha=0.25, sample_weight=w),
    "poisson-deviance": lambda y, q, w, t: peer.mean_poisson_deviance(y, q.value, sample_weight=w),
    "gamma-deviance": lambda y, q, w, t: peer.mean_gamma_deviance(y, q.value, sample_weight=w),
    "squared-log-error": lambda y, q, w, t: peer.mean_squared_log_error(y, q.value, sample_weight=w),
    "mape": lambda y, q, w, t: peer.mean_absolute_percentage_error(y, q.value, sample_weight=w),
}


@pytest.mark.parametrize("weighted", [False, True])
@each_measure
def test_values_equal_scikit_learns(asked, target, weighted):
    y, prediction = rows(target)
    w = weights() if weighted else None
    assert choose_measure(asked, target).value(y, prediction, w) == pytest.approx(
        PEERS[asked](y, prediction, w, target), rel=1e-12
    )


@each_measure
def test_a_row_of_weight_two_is_two_rows(asked, target):
    y, prediction = rows(target)
    measure = choose_measure(asked, target)
    count = 1 + np.arange(N) % 3
    twice = np.repeat(np.arange(N), count)
    found = measure.of(y, prediction, count.astype(float))
    repeated = measure.of(y[twice], prediction.take(twice))
    assert found.value == pytest.approx(repeated.value, rel=1e-12)
    sums = np.bincount(twice, repeated.influence / len(twice))
    np.testing.assert_allclose(found.influence / N, sums, atol=1e-14, rtol=1e-10)


@each_measure
def test_unit_weights_are_no_weights_and_only_shares_count(asked, target):
    y, prediction = rows(target)
    measure = choose_measure(asked, target)
    w = weights()
    for one, other in ((None, np.ones(N)), (w, 7 * w)):
        found, same = measure.of(y, prediction, one), measure.of(y, prediction, other)
        assert found.value == pytest.approx(same.value, rel=1e-13)
        np.testing.assert_allclose(found.influence, same.influence, atol=1e-12)


@each_measure
def test_influence_is_the_derivative_by_the_weight_of_the_row(asked, target):
    y, prediction = rows(target)
    measure = choose_measure(asked, target)
    w = weights()
    found = measure.of(y, prediction, w)
    step = 1e-5
    slopes = []
    for i in range(N):
        up, down = w.copy(), w.copy()
        up[i] += step
        down[i] -= step
        slopes.append((measure.value(y, prediction, up) - measure.value(y, prediction, down)) / (2 * step))
    np.testing.assert_allclose(found.influence, N * w * np.array(slopes), atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@each_measure
def test_influences_have_mean_zero_in_each_stratum(asked, target, weighted):
    y, prediction = rows(target)
    found = choose_measure(asked, target).of(y, prediction, weights() if weighted else None)
    assert np.any(found.influence)
    assert abs(np.mean(found.influence)) < 1e-13
    assert (found.strata is not None) == (asked == "auc" and target is not THREE)
    if found.strata is not None:
        assert np.abs(np.bincount(found.strata, found.influence)).max() < 1e-12


@each_measure
def test_permuting_rows_permutes_the_influence(asked, target):
    y, prediction = rows(target)
    measure = choose_measure(asked, target)
    w = weights()
    order = np.random.default_rng(3).permutation(N)
    found = measure.of(y, prediction, w)
    moved = measure.of(y[order], prediction.take(order), w[order])
    assert moved.value == pytest.approx(found.value, rel=1e-13)
    np.testing.assert_allclose(moved.influence, found.influence[order], atol=1e-12)


@each_measure
def test_the_value_is_on_the_right_side(asked, target):
    y, prediction = rows(target)
    measure = choose_measure(asked, target)
    right = np.eye(max(target.classes, 1))[y.astype(int) if target.classes else np.zeros(N, dtype=int)]
    best = measure.value(y, Prediction(y, right if target.classes else None))
    assert measure.sign * best < measure.sign * measure.value(y, prediction)
    for w in (None, weights()):
        best = measure.of(y, Prediction(y, right if target.classes else None), w)
        assert measure.bounds[0] <= best.value <= measure.bounds[1]
        assert asked == "cost" or np.abs(best.influence).max() < 1e-12


@each_measure
def test_ends_of_an_interval_lie_around_the_value_and_within_the_bounds(asked, target):
    y, prediction = rows(target)
    measure = choose_measure(asked, target)
    value = measure.value(y, prediction)
    low, high = measure.interval(value, 0.05, 1.96)
    assert measure.bounds[0] <= low < value < high <= measure.bounds[1]
    # A small error: the ends are those of the identity, whatever the scale.
    low, high = measure.interval(value, 1e-6, 1.0)
    assert (low - value, high - value) == pytest.approx((-1e-6, 1e-6), rel=1e-4)
    wide = measure.interval(value, 1e4, 2.0)
    assert measure.bounds[0] <= wide[0] < wide[1] <= measure.bounds[1]
    assert measure.interval(value, 0.0, 2.0) == (value, value)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("asked", [each for each, t in CASES if t is NUMBERS and each != "r2"])
def test_a_loss_per_row_as_a_function_of_the_set_has_the_same_error(asked, weighted):
    y, prediction = rows(NUMBERS)
    w = weights() if weighted else None
    measure = choose_measure(asked, NUMBERS)
    own = Measure.of_set(lambda y, p, weight: np.average(measure.losses(y, p), weights=weight)).bound(NUMBERS)
    found, wanted = own.of(y, prediction, w), measure.of(y, prediction, w)
    assert found.value == pytest.approx(wanted.value, rel=1e-12)
    np.testing.assert_allclose(found.influence, wanted.influence, atol=1e-10)
    assert np.sqrt(np.sum(found.influence**2)) == pytest.approx(
        np.sqrt(np.sum(wanted.influence**2)), rel=1e-10
    )


@pytest.mark.parametrize("asked", ["auc", "average-precision", "f1", "mcc", "kappa", "balanced-accuracy"])
def test_leaving_rows_out_approaches_the_influence(asked):
    y, prediction = rows(TWO, n=600)
    measure = choose_measure(asked, TWO)
    found = measure.of(y, prediction)
    left_out = influence_by_leaving_out(
        lambda kept: measure.value(y[kept], prediction.take(kept)), asked, found.value, 600, None
    )
    assert np.mean(left_out) == pytest.approx(0, abs=1e-11)
    assert np.sum(left_out**2) == pytest.approx(np.sum(found.influence**2), rel=0.02)


@pytest.mark.parametrize("weighted", [False, True])
def test_beyond_the_limit_groups_give_the_delete_a_group_jackknife(weighted):
    n = SINGLE_ROWS + 7
    rng = np.random.default_rng(4)
    x = rng.normal(size=n)
    w = rng.uniform(0.5, 2.0, n) if weighted else None
    calls = []

    def of(kept):
        calls.append(len(kept))
        return float(np.average(x[kept], weights=None if w is None else w[kept]))

    influence = influence_by_leaving_out(of, "mean", of(np.arange(n)), n, w)
    assert len(calls) == GROUPS + 1
    assert np.mean(influence) == pytest.approx(0, abs=1e-12)
    groups = np.arange(n) % GROUPS
    variance = np.sum(influence**2) / (n * (n - 1))
    weight = np.ones(n) if w is None else w
    exact = np.sum((weight * (x - np.average(x, weights=w))) ** 2) / np.sum(weight) ** 2
    assert variance == pytest.approx(exact, rel=0.15)
    if not weighted:
        without = np.array([np.mean(x[groups != g]) for g in range(GROUPS)])
        shares = np.bincount(groups) / n
        delete = (GROUPS - 1) / GROUPS * np.sum((without - np.sum(shares * without)) ** 2)
        # Groups of 10 and of 11 rows: equal but for their unequal shares.
        assert variance == pytest.approx(delete, rel=2e-3)
