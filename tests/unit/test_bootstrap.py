import numpy as np
import pytest
from scipy import stats

import thetahat as th
from thetahat.resampling import bootstrap_kernels

RNG = np.random.default_rng(0)
X = RNG.gamma(2.0, 1.0, 200)
BOTH = np.column_stack([X, 0.5 * X + RNG.normal(size=200)])
CASES = {"mean": X, "median": X, "variance": X, "std": X, "correlation": BOTH, "odd median": X[:199]}


@pytest.mark.parametrize("name", CASES)
def test_compiled_resamples_have_the_distribution_of_plain_ones(name):
    rows, statistic = CASES[name], name.removeprefix("odd ")
    value = bootstrap_kernels.plain(statistic, None)
    ours = bootstrap_kernels.resampled(statistic, value, rows, 20_000, np.random.default_rng(1))
    theirs = bootstrap_kernels.resampled("", value, rows, 4_000, np.random.default_rng(2))
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3
    assert ours.mean() == pytest.approx(theirs.mean(), abs=5 * theirs.std() / np.sqrt(4000))


@pytest.mark.parametrize("name", CASES)
def test_leaving_one_out_by_formula_equals_deleting_it(name):
    rows, statistic = CASES[name], name.removeprefix("odd ")
    value = bootstrap_kernels.plain(statistic, None)
    ours = bootstrap_kernels.left_out(statistic, value, rows)
    assert ours == pytest.approx(bootstrap_kernels.left_out("", value, rows), rel=1e-10)


@pytest.mark.parametrize("name", ["variance", "std", "correlation"])
def test_leaving_out_the_row_that_holds_nearly_all_of_the_spread_keeps_the_digits(name):
    rows = CASES[name].copy()
    rows[3] = 1e9
    value = bootstrap_kernels.plain(name, None)
    ours, plain = (bootstrap_kernels.left_out(each, value, rows) for each in (name, ""))
    assert ours[3] == pytest.approx(plain[3], rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 0.3, 7.0])
def test_a_constant_column_has_no_correlation(value):
    rows = np.column_stack([np.full(11, value), X[:11]])
    with pytest.warns(th.ThetaHatWarning, match="jackknife: the statistic is not finite on the rows"):
        found = th.jackknife(rows, "correlation")
    assert np.isnan([found.estimate, found.se]).all()
    with pytest.warns(th.ThetaHatWarning, match="not finite on every resample"):
        drawn = th.bootstrap(rows, "correlation", resamples=50).distribution
    assert np.isnan(drawn).all()


def test_a_resample_of_one_row_over_and_over_has_no_correlation():
    rows = np.array([[0.1, 2.7], [1.3, 0.3], [2.9, 5.1]])
    with pytest.warns(th.ThetaHatWarning, match="not finite on every resample"):
        drawn = th.bootstrap(rows, "correlation", resamples=9000, method="percentile").distribution
    # Three of 27 resamples hold one row.
    assert np.isnan(drawn).mean() == pytest.approx(1 / 9, abs=0.02)
    assert np.nanmax(np.abs(drawn)) < 1 + 1e-12


def test_the_jackknife_says_which_row_the_statistic_cannot_do_without():
    with pytest.warns(th.ThetaHatWarning, match="jackknife: the statistic is not finite without row 2"):
        found = th.jackknife([[1.0, 4.0], [1.0, 2.0], [3.0, 1.0]], "correlation")
    assert np.isnan(found.se)
    assert found.warning
    assert th.jackknife(BOTH, "correlation").warning == ""


def test_no_interval_of_bca_names_the_row_that_is_missed():
    rows = np.arange(30.0)
    with pytest.warns(th.ThetaHatWarning, match="not finite without one of the rows, so bca"):
        found = th.bootstrap(rows, lambda x: x.mean() if len(x) == 30 else np.nan, resamples=99)
    assert np.isnan(found.low)


def test_bca_equals_scipys_to_monte_carlo_error():
    ours = th.bootstrap(X, "mean", resamples=40_000)
    theirs = stats.bootstrap((X,), np.mean, n_resamples=40_000, method="BCa", rng=1)
    assert ours.se == pytest.approx(theirs.standard_error, rel=0.02)
    width = ours.high - ours.low
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.02 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.02 * width)


def test_bca_of_a_biased_statistic_equals_scipys():
    rows = X[:40]
    ours = th.bootstrap(rows, "variance", resamples=60_000)
    theirs = stats.bootstrap((rows,), np.var, n_resamples=60_000, method="BCa", rng=1).confidence_interval
    width = ours.high - ours.low
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.03 * width)


def test_basic_reflects_the_percentiles_about_the_estimate():
    one, other = (
        th.bootstrap(X, "variance", method=method, rng=np.random.default_rng(0))
        for method in ("basic", "percentile")
    )
    reflected = (2 * other.estimate - other.high, 2 * other.estimate - other.low)
    assert (one.low, one.high) == pytest.approx(reflected, rel=1e-12)


@pytest.mark.parametrize("method", ["percentile", "basic", "normal", "bca", "studentized"])
def test_every_interval_of_the_mean_is_near_students(method):
    rows = np.random.default_rng(3).normal(size=150)
    found = th.bootstrap(rows, np.mean, method=method, resamples=600 if method == "studentized" else 9999)
    half = stats.t.ppf(0.975, 149) * rows.std(ddof=1) / np.sqrt(150)
    assert found.low == pytest.approx(rows.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(rows.mean() + half, abs=0.15 * half)


@pytest.mark.parametrize(
    "extreme", [np.max, np.min, np.ptp, lambda x: np.sort(x)[-2], lambda x: np.quantile(x, 0.995)]
)
def test_an_extreme_statistic_is_warned_of(extreme):
    with pytest.warns(th.ThetaHatWarning, match="known to fail"):
        found = th.bootstrap(
            np.random.default_rng(0).random(100), extreme, method="percentile", resamples=900
        )
    assert "extreme" in found.warning


@pytest.mark.parametrize("n", [5, 6, 9, 30])
def test_a_median_of_few_rows_is_not_taken_for_an_extreme(n):
    assert th.bootstrap(X[:n], "median").warning == ""


def test_no_interval_of_bca_is_said_and_not_silent():
    with pytest.warns(th.ThetaHatWarning, match="one side of the estimate"):
        found = th.bootstrap(X, lambda x: len(np.unique(x)), resamples=300)
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_a_function_of_rows_of_any_width_is_taken():
    found = th.bootstrap(BOTH, lambda rows: np.polyfit(rows[:, 0], rows[:, 1], 1)[0], resamples=400)
    assert found.low < 0.5 < found.high
    assert found.estimate == pytest.approx(np.polyfit(*BOTH.T, 1)[0])


def test_the_same_generator_gives_the_same_interval():
    one, other = (th.bootstrap(X, "median", rng=np.random.default_rng(5)) for _ in range(2))
    assert (one.distribution == other.distribution).all()
    third = th.bootstrap(X, "median", rng=np.random.default_rng(6))
    assert (one.distribution != third.distribution).any()


def test_the_jackknife_takes_the_bias_of_the_plug_in_variance_off_exactly():
    found = th.jackknife(X, "variance")
    assert found.corrected == pytest.approx(X.var(ddof=1), rel=1e-12)
    assert th.jackknife(X, "mean").se == pytest.approx(X.std(ddof=1) / np.sqrt(len(X)), rel=1e-12)
    assert th.jackknife(X, "mean").bias == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: th.bootstrap([1.0], "mean"), "data"),
        (lambda: th.bootstrap(X, "mode"), "statistic"),
        (lambda: th.bootstrap(X, "correlation"), "data"),
        (lambda: th.bootstrap(X, "mean", method="exact"), "method"),
        (lambda: th.bootstrap(X, "mean", level=2), "level"),
        (lambda: th.bootstrap([1.0, np.nan], "mean"), "finite"),
    ],
)
def test_what_cannot_be_meant_is_named(make, name):
    with pytest.raises(th.UsageError, match=name):
        make()


def test_a_bootstrap_draws_itself():
    from matplotlib.figure import Figure

    axes = th.bootstrap(X, "mean").plot(Figure().subplots())
    assert "interval" in axes.get_title(loc="left")


@pytest.mark.parametrize("statistic", ["mean", "median", "variance", "std", "correlation"])
def test_errors_keep_their_digits_where_the_rows_lie_far_from_0(statistic):
    # Whole numbers on a large one are exact, so moving them moves no deviation.
    rows = np.random.default_rng(0).integers(0, 50, (15, 2)).astype(float)
    rows = rows if statistic == "correlation" else rows[:, 0]
    near, far = (th.jackknife(rows + shift, statistic) for shift in (0.0, 2.0**52))
    assert far.se == pytest.approx(near.se, rel=1e-12)
    if statistic not in ("mean", "median"):
        assert far.estimate == pytest.approx(near.estimate, rel=1e-12)
        drawn = [th.bootstrap(rows + shift, statistic, resamples=50).distribution for shift in (0.0, 2.0**52)]
        assert drawn[1] == pytest.approx(drawn[0], rel=1e-10)


@pytest.mark.parametrize("method", ["percentile", "basic", "normal", "bca", "studentized"])
def test_several_numbers_have_each_the_interval_that_they_have_alone(method):
    options = {"method": method, "resamples": 100}
    both = th.bootstrap(BOTH[:40], lambda rows: rows.mean(axis=0), **options)
    assert both.distribution.shape == (100, 2)
    for j in range(2):
        one = th.bootstrap(BOTH[:40], lambda rows, j=j: rows[:, j].mean(), **options)
        for name in ("estimate", "bias", "se", "low", "high"):
            assert getattr(both, name)[j] == pytest.approx(getattr(one, name), rel=1e-12), name


def test_the_jackknife_of_several_numbers_is_that_of_each():
    both = th.jackknife(BOTH, lambda rows: rows.var(axis=0))
    for j in range(2):
        one = th.jackknife(BOTH[:, j], "variance")
        assert both.corrected[j] == pytest.approx(one.corrected, rel=1e-12)
        assert both.se[j] == pytest.approx(one.se, rel=1e-10)


def test_a_doubt_names_the_number_that_it_is_about():
    with pytest.warns(th.ThetaHatWarning, match="number 1 of the statistic: .*known to fail"):
        found = th.bootstrap(
            X, lambda rows: np.array([rows.mean(), rows.max()]), method="percentile", resamples=300
        )
    assert "number 0" not in found.warning


@pytest.mark.parametrize("function", [th.bootstrap, th.jackknife])
@pytest.mark.parametrize(
    ("statistic", "said"),
    [
        (lambda x: x.mean() + 1j, "statistic: gave complex128 .*two numbers"),
        (lambda x: np.ones((2, 2)), "statistic: gave float64 of shape"),
        (lambda x: None, "statistic: gave None"),
        (lambda x: "a", "statistic: gave <U1"),
        (lambda x: [], "statistic: gave .* of shape"),
        (lambda x: np.unique(x), "statistic: .* must always give as many"),
        (None, "statistic: a name or a function of the rows is expected, not None"),
        (["mean"], "statistic: a name or a function"),
        (float, "statistic: a name or a function"),
    ],
)
def test_what_is_no_number_is_named(function, statistic, said):
    with pytest.raises(th.UsageError, match=said):
        function(np.array([1.0, 2.0, 2.5, 4.0]), statistic)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": None}, "level: a number between 0 and 1 is expected, not None"),
        ({"resamples": 99.5}, "resamples: a whole number"),
        ({"resamples": 1}, "resamples: must be at least 2"),
        ({"rng": 3}, r"rng: .* give np.random.default_rng\(3\)"),
        ({"method": ["bca"]}, "method: choose one of"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(options, said):
    with pytest.raises(th.UsageError, match=said):
        th.bootstrap(X, "mean", **options)


def test_intervals_of_several_numbers_draw_themselves():
    from matplotlib.figure import Figure

    found = th.bootstrap(BOTH, lambda rows: rows.mean(axis=0), resamples=99)
    assert len(found.plot(Figure().subplots()).get_yticks()) == 2
