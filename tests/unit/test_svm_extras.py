"""Probabilities, leave-one-out and the picture of a support vector machine."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn.base import clone

from thetahat.errors import UsageError
from thetahat.svm.classification import SVC
from thetahat.svm.leave_one_out import leave_one_out
from thetahat.svm.probability import couple, fit_curves, held_out_probability
from thetahat.svm.regression import SVR
from thetahat.svm.surface import plot_surface


def noisy(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    return X, (rng.random(n) < expit(2 * X[:, 0])).astype(int)


def test_probabilities_are_those_the_labels_were_drawn_with():
    X, y = noisy(600)
    fit = held_out_probability(SVC(kernel="linear"), X, y, rng=np.random.default_rng(1))
    new, _ = noisy(200, seed=9)
    said = fit.predict_proba(new)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert np.abs(said[:, 1] - expit(2 * new[:, 0])).mean() < 0.05
    assert fit.curve.status.ok
    table = fit.calibration(5)
    assert table[:, 2].sum() == 600
    assert np.abs(table[:, 0] - table[:, 1]).max() < 0.1


def test_probabilities_maximise_the_likelihood_of_held_out_rows():
    X, y = noisy(200)
    fit = held_out_probability(SVC(), X, y, rng=np.random.default_rng(1))
    score = fit.scores[:, 0]
    p = expit(fit.curve.params[0] + fit.curve.params[1] * score)
    assert abs((fit.codes - p).sum()) < 1e-5
    assert abs(((fit.codes - p) * score).sum()) < 1e-5


def test_probabilities_want_two_classes_and_a_row_of_each_to_hold_out():
    with pytest.raises(UsageError, match="two classes"):
        held_out_probability(SVC(), np.zeros((6, 1)), [1] * 6, rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="rarest class has 2 rows"):
        held_out_probability(SVC(), np.zeros((6, 1)), [0, 1, 2] * 2, rng=np.random.default_rng(0))


def test_probabilities_of_three_classes_are_those_the_labels_were_drawn_with():
    rng = np.random.default_rng(3)
    slopes = np.array([[1.5, 0.0], [-0.7, 1.2], [-0.8, -1.2]])
    X, new = rng.standard_normal((900, 2)), rng.standard_normal((300, 2))
    y = np.array([rng.choice(3, p=row) for row in softmax(X @ slopes.T, axis=1)])
    fit = held_out_probability(SVC(kernel="linear"), X, np.array(["a", "b", "c"])[y], rng=rng)
    said = fit.predict_proba(new)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert np.abs(said - softmax(new @ slopes.T, axis=1)).mean() < 0.04
    table = fit.calibration(5)
    assert table[:, 2].sum() == 2700
    assert np.abs(table[:, 0] - table[:, 1]).max() < 0.06


def test_coupled_probabilities_agree_with_pairs_that_agree():
    p = np.array([[0.2, 0.5, 0.3], [0.05, 0.9, 0.05]])
    pairs = [(0, 1), (0, 2), (1, 2)]
    scores = np.column_stack([logit(p[:, j] / (p[:, i] + p[:, j])) for i, j in pairs])
    np.testing.assert_allclose(couple(np.array([[0.0, 1.0]] * 3), scores), p, atol=1e-9)


def test_scores_that_separate_the_classes_leave_the_probabilities_short_of_sure():
    X = np.concatenate([np.linspace(-2, -1, 20), np.linspace(1, 2, 20)])[:, None]
    fit = held_out_probability(SVC(), X, np.repeat([0, 1], 20), rng=np.random.default_rng(0))
    assert fit.curve.status.ok
    said = fit.predict_proba(X)
    assert 0.9 < said.max() < 1 - 1e-3


def test_the_calibration_is_drawn_with_what_it_finds():
    X, y = noisy(300)
    fit = held_out_probability(SVC(kernel="linear"), X, y, rng=np.random.default_rng(1))
    ax = fit.plot(8)
    said, seen, _ = fit.calibration(8).T
    np.testing.assert_allclose(ax.containers[0].lines[0].get_xydata(), np.column_stack([said, seen]))
    assert "of 8 bins hold what was said" in ax.get_title()


def test_the_deprecated_parameter_gives_the_same_probabilities():
    X, y = noisy(200)
    with pytest.warns(FutureWarning, match="held_out_probability"):
        machine = SVC(probability=True, random_state=3).fit(X, y)
    rng = np.random.default_rng(np.random.RandomState(3).randint(2**31 - 1))
    alone = held_out_probability(SVC(), X, y, rng=rng)
    np.testing.assert_array_equal(machine.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize(
    "machine",
    [
        SVC(gamma=0.5, tol=1e-9, C=2.0),
        SVC(kernel="linear", tol=1e-9, class_weight={"yes": 2.0}, C=50.0),
        SVR(gamma=0.5, tol=1e-9, C=2.0),
    ],
    ids=["rbf", "linear", "regression"],
)
def test_leave_one_out_equals_refitting_without_each_row(machine):
    X, y = noisy(60)
    rng = np.random.default_rng(2)
    regression = isinstance(machine, SVR)
    target = X[:, 0] + 0.3 * rng.standard_normal(60) if regression else np.array(["no", "yes"])[y]
    weight = rng.uniform(0.5, 2, 60)
    found = leave_one_out(machine, X, target, sample_weight=weight)
    assert found.status.ok
    alone = np.empty(60)
    for row in range(60):
        rest = np.delete(np.arange(60), row)
        fit = clone(machine).fit(X[rest], target[rest], weight[rest])
        alone[row] = (fit.predict if regression else fit.decision_function)(X[row : row + 1])[0]
    np.testing.assert_allclose(found.value, alone, atol=1e-6)
    wrong = np.mean((alone - target) ** 2) if regression else np.mean((alone > 0) != (y == 1))
    assert found.error == pytest.approx(wrong)
    assert 0 < found.refits <= 60


def test_leave_one_out_wants_two_classes_and_a_named_kernel():
    X, _ = noisy(9)
    with pytest.raises(UsageError, match="two classes, not 3"):
        leave_one_out(SVC(), X, [0, 1, 2] * 3)
    with pytest.raises(UsageError, match="kernel"):
        leave_one_out(SVC(kernel="precomputed"), X @ X.T, [0, 1, 0] * 3)


def test_a_surface_is_drawn_over_two_columns():
    with mpl.rc_context({"backend": "agg"}):
        X, y = noisy(80)
        fit = SVC().fit(X, y)
        ax = plot_surface(fit, X, y)
        assert f"{len(fit.support_)} of 80 rows carry the boundary" in ax.get_title()
        assert len(ax.collections) >= 4
        with pytest.raises(UsageError, match="two columns"):
            plot_surface(fit, X[:, :1], y)


def test_scores_of_labels_without_a_cause_say_nothing():
    X, _ = noisy(300)
    y = np.random.default_rng(5).integers(2, size=300)
    fit = held_out_probability(SVC(gamma=50.0, C=100.0), X, y, rng=np.random.default_rng(1))
    slope = fit.curve.params[1] / fit.curve.standard_errors[1]
    assert abs(slope) < 3
    assert np.abs(fit.predict_proba(X)[:, 1] - 0.5).max() < 0.4


def test_a_machine_says_its_margin_and_its_support_vectors():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0], [4.0], [5.0]])
    fit = SVC(kernel="linear", C=1e3).fit(X, ["a", "a", "b", "b", "c", "c"])
    told = fit.describe()
    assert told.names == ("a against b", "a against c", "b against c")
    np.testing.assert_allclose(told.margins, [2.0, 5.0, 2.0], rtol=1e-6)
    assert told.support == (2, 2, 2)
    assert told.bounded == (0, 0, 0)
    assert "6 rows" in str(told)
    assert "solved" in str(told)
    assert told.table()["margin"] == pytest.approx([2.0, 5.0, 2.0])
    noisy_fit = SVC(C=0.5).fit(*noisy(200))
    (row,) = noisy_fit.describe().bounded
    assert row == np.sum(np.abs(np.abs(noisy_fit.dual_coef_) - 0.5) < 1e-12) > 0
    assert fit.set_params(kernel="rbf").fit(X, [0, 0, 0, 1, 1, 1]).describe().names == ("0 against 1",)
    assert SVR().fit(X, X[:, 0]).describe().names == ("rbf",)


def test_a_curve_is_fitted_only_where_its_likelihood_has_a_maximum():
    line = np.linspace(-3, 3, 60)
    for score, positive in (
        (line, line > 0),
        (line, line < 0),  # apart the other way
        (np.round(line), np.where(np.round(line) == 0, np.arange(60) % 2 == 0, line > 0)),  # one tie
        (np.zeros(60), line > 0),  # a score that says nothing
    ):
        (curve,) = fit_curves(score[:, None], positive.astype(int), np.ones(60))
        assert np.isfinite(curve.params).all()
        assert np.abs(curve.params).max() < 1e3


def test_probabilities_are_asked_for_by_any_truth():
    X, y = noisy(60)
    with pytest.warns(FutureWarning):
        assert SVC(probability=np.True_).fit(X, y).predict_proba(X).shape == (60, 2)


def test_probabilities_of_a_kernel_on_texts():
    texts, y = ["a" * (1 + k % 5) + "b" * (k % 3) for k in range(60)], np.arange(60) % 5 > 2

    def count(first, second):
        return np.array([[s.count("a") * t.count("a") for t in second] for s in first], dtype=float)

    fit = held_out_probability(SVC(kernel=count), texts, y, rng=np.random.default_rng(0))
    assert fit.predict_proba(texts[:3]).shape == (3, 2)


def test_a_row_that_weighs_nothing_takes_no_part_in_probabilities():
    X, y = np.random.default_rng(5).standard_normal((40, 2)), np.repeat([0, 1], 20)
    weight = np.ones(40)
    weight[::4] = 0
    there = weight > 0
    fits = [
        held_out_probability(SVC(), X, y, sample_weight=weight, rng=np.random.default_rng(0)),
        held_out_probability(SVC(), X[there], y[there], rng=np.random.default_rng(0)),
    ]
    assert fits[0].curve.params == pytest.approx(fits[1].curve.params, rel=1e-9)
    assert fits[0].calibration(5) == pytest.approx(fits[1].calibration(5), rel=1e-9)
    few = np.where(np.arange(40) < 17, 0.0, 1.0)
    with pytest.raises(ValueError, match="the rarest class has 3 rows"):
        held_out_probability(SVC(), X, y, sample_weight=few, rng=np.random.default_rng(0))


def test_a_row_of_weight_two_counts_twice_in_a_calibration():
    X, y = np.random.default_rng(5).standard_normal((40, 2)), np.repeat([0, 1], 20)
    fit = held_out_probability(SVC(), X, y, rng=np.random.default_rng(0))
    times = np.tile([1, 2, 3, 2], 10)
    heavy = replace(fit, weight=times.astype(float))
    longer = replace(
        fit,
        scores=np.repeat(fit.scores, times, axis=0),
        codes=np.repeat(fit.codes, times),
        weight=np.ones(times.sum()),
    )
    assert heavy.calibration(1) == pytest.approx(longer.calibration(1))
    assert heavy.calibration(7)[:, 2].sum() == times.sum()
