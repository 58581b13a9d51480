import numpy as np
import pytest
from scipy import stats

from thetahat.errors import UsageError
from thetahat.resampling.intervals import METHODS, CorrectedT, HoldoutRows, OverDraws, PlainNormal

FOLDS = np.array([0.1, 0.2, 0.15, 0.3, 0.25])


def over(values, n_train=80.0, n_test=20.0, rows=None):
    return OverDraws(values, np.full(len(values), n_train), np.full(len(values), n_test), rows)


def test_corrected_t_has_the_published_variance_factor():
    mean = CorrectedT()(over(FOLDS))
    assert mean.se == pytest.approx(np.sqrt((1 / 5 + 20 / 80) * FOLDS.var(ddof=1)), rel=1e-14)
    assert mean.interval(0.95)[1] == pytest.approx(FOLDS.mean() + stats.t.ppf(0.975, 4) * mean.se, rel=1e-12)


def test_the_plain_interval_is_narrower_than_the_corrected_one():
    plain, corrected = PlainNormal()(over(FOLDS)), CorrectedT()(over(FOLDS))
    assert plain.interval(0.95)[1] == pytest.approx(FOLDS.mean() + 1.959963984540054 * plain.se)
    assert plain.se < corrected.se


def test_a_holdout_interval_equals_scipys_one_sample_t():
    rows = np.random.default_rng(0).random(50)
    mean = HoldoutRows()(over(np.array([rows.mean()]), rows=[rows]))
    expected = stats.ttest_1samp(rows, 0.0)
    assert mean.p_value() == pytest.approx(expected.pvalue, rel=1e-10)
    assert mean.interval(0.9) == pytest.approx(tuple(expected.confidence_interval(0.9)), rel=1e-12)


@pytest.mark.parametrize("name", ["corrected-t", "plain"])
def test_an_interval_over_one_draw_is_refused(name):
    with pytest.raises(UsageError, match="two draws"):
        METHODS[name](over(FOLDS[:1]))


@pytest.mark.parametrize("name", ["corrected-t", "plain", "holdout", "clt", "clt-within"])
def test_a_standard_error_keeps_its_digits_where_losses_lie_far_from_0(name):
    # Whole numbers on a large one are exact, so moving them moves no deviation.
    losses = np.random.default_rng(0).integers(0, 50, (4, 6)).astype(float)

    def se(shift):
        rows = [each + shift for each in losses]
        if name == "holdout":
            return METHODS[name](OverDraws(rows[0][:1], np.ones(1), np.ones(1), rows[:1], [np.arange(6)])).se
        values = losses[:, 0] + shift
        tests = list(np.arange(24).reshape(4, 6))
        return METHODS[name](OverDraws(values, np.full(4, 18.0), np.full(4, 6.0), rows, tests)).se

    assert se(2.0**52) == pytest.approx(se(0.0), rel=1e-14)


@pytest.mark.parametrize("name", ["holdout", "clt", "influence"])
def test_the_skewness_of_a_mean_over_rows_is_that_of_the_rows_over_the_root_of_their_number(name):
    losses = np.random.default_rng(0).gamma(0.5, size=(5, 40))
    rows = [losses.ravel()] if name == "holdout" else list(losses)
    tests = list(np.arange(200).reshape(len(rows), -1))
    sizes = np.full(len(rows), 200.0 / len(rows))
    values = np.array([each.mean() for each in rows])
    mean = METHODS[name](OverDraws(values, sizes, sizes, rows, tests))
    away = losses - losses.mean(axis=1, keepdims=True) if name == "influence" else losses
    assert mean.skewness == pytest.approx(stats.skew(away.ravel()) / np.sqrt(200), rel=1e-12)
