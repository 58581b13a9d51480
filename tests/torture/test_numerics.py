"""The numerical item sees what is wrong: naive formulas are put in, and it counts faults."""

import numpy as np
import pytest

import thetahat as th
from tests.learners import LEARNERS
from tests.torture import log_domain, numerics, relations
from tests.torture.trials import Part, Trial
from thetahat import autodiff as ad
from thetahat.distributions import divergence, student
from thetahat.pca import spectrum
from thetahat.resampling import intervals


def faults(part, cases=60):
    known = {part: numerics.parts()[part]}
    return numerics.run(cases, np.random.default_rng(0), known).faults


def test_a_naive_softmax_is_a_fault(monkeypatch):
    part = "softmax, log-softmax, log-sum-exp"
    assert not faults(part)
    monkeypatch.setattr(log_domain.ad, "softmax", lambda x: np.exp(x) / np.sum(np.exp(x)))
    assert faults(part) > 5


def test_a_logarithm_of_probabilities_is_a_fault(monkeypatch):
    monkeypatch.setattr(ad, "log_softmax", lambda x: np.log(ad.softmax(x)))
    assert faults("softmax, log-softmax, log-sum-exp") > 5


def test_a_variance_as_a_difference_of_squares_is_a_fault(monkeypatch):
    part = "intervals of a mean loss, the same"
    assert not faults(part)

    def naive(x, ddof=0):
        return abs(float(np.mean(x**2) - np.mean(x) ** 2)) * len(x) / (len(x) - ddof)

    monkeypatch.setattr(intervals, "variance", naive)
    assert faults(part) > 20


def test_components_of_rows_that_are_centred_once_are_a_fault(monkeypatch):
    monkeypatch.setattr(spectrum, "centred", lambda x: (x.mean(axis=0), x - x.mean(axis=0)))
    assert faults("variances of principal components, the same") > 5


def test_a_divergence_as_a_sum_of_logarithms_is_a_fault(monkeypatch):
    monkeypatch.setattr(divergence, "above_tangent", lambda u, log: u - log)
    assert faults("Kullback-Leibler divergences") > 10


def test_a_beta_function_by_gamma_functions_is_a_fault(monkeypatch):
    from scipy.special import betaln

    monkeypatch.setattr(student, "log_beta", betaln)
    assert faults("log densities", 200) > 0


def only(monkeypatch, relation, kind):
    place = next(k for k, each in enumerate(LEARNERS) if type(each.estimator).__name__ == kind)
    monkeypatch.setattr(relations, "PAIRS", [(relation, place)])


def test_a_penalty_about_1_breaks_a_relation(monkeypatch):
    part = "relations: moved, turned and rotated columns"
    only(monkeypatch, "columns of another sign", "Ridge")
    assert not faults(part, 5)
    fit = th.Ridge.fit

    def biased(self, X, y, sample_weight=None):
        fit(self, X, y - X.sum(axis=1), sample_weight)
        self.coef_ = self.coef_ + 1
        return self

    monkeypatch.setattr(th.Ridge, "fit", biased)
    assert faults(part, 10) > 5


def test_a_weight_that_is_not_heeded_is_a_fault(monkeypatch):
    part = "relations: rows and weights"
    only(monkeypatch, "a weight is a repetition", "LinearRegression")
    assert not faults(part, 5)
    fit = th.LinearRegression.fit
    monkeypatch.setattr(th.LinearRegression, "fit", lambda self, X, y, sample_weight=None: fit(self, X, y))
    assert faults(part, 5) == 5


def test_a_rank_that_is_not_told_and_an_error_of_what_is_not_identified_are_faults(monkeypatch):
    part = "least squares without full rank"
    assert not faults(part, 10)
    monkeypatch.setattr(type(th.LinearRegression().fit([[0.0], [1.0]], [0, 1]).status_), "ok", True)
    assert faults(part, 10) == 10


def broken(_rng):
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("draw", "crashes", "dishonest"),
    [
        (broken, 5, 0),
        (lambda rng: Trial("a NaN", float("nan"), 1.0), 0, 5),
        (lambda rng: Trial("too far off", 2.0, 1.0), 0, 5),
        (lambda rng: Trial("too far off, and said", 2.0, 1.0, said=True), 0, 0),
        (lambda rng: Trial("near", 0.5, 1.0, peers={"peer": float("inf")}), 0, 0),
    ],
)
def test_crashes_nans_and_errors_are_counted_and_what_says_so_is_not(draw, crashes, dishonest):
    record = numerics.run(5, np.random.default_rng(0), {"part": Part(draw)})
    assert (record.cases, record.crashes, record.dishonest) == (5, crashes, dishonest)
    assert len(record.findings) == record.faults
    assert [peer.dishonest for peer in record.peers] == ([5] if "peer" in str(record.peers) else [])
