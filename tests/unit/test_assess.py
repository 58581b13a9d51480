import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

import thetahat as th
from thetahat.linear.least_squares import LeastSquares


def t_interval(x):
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    return x.mean(), x.mean() - half, x.mean() + half


def test_a_mean_has_its_known_properties():
    found = th.assess(t_interval, th.Normal(3.0, 2.0), [10, 40, 160], 3.0, repeats=2000)
    for k, n in enumerate((10, 40, 160)):
        assert abs(found.bias[k]) < 4 * found.bias_se[k]
        assert abs(found.variance[k] - 4 / n) < 4 * found.variance_se[k]
        assert abs(found.coverage[k] - 0.95) < 4 * found.coverage_se[k]
    slope, error = found.rate
    assert abs(slope + 0.5) < 4 * error


def test_an_interval_of_the_sample_stands_in_for_that_of_the_fit():
    def half(x):
        return 1.96 / np.sqrt(len(x))

    def given(x):
        return x.mean() - half(x), x.mean() + half(x)

    def own(x):
        return x.mean(), *given(x)

    beside = th.assess(np.mean, th.Normal(0.0, 1.0), 20, 0.0, interval=given, repeats=200)
    within = th.assess(own, th.Normal(0.0, 1.0), 20, 0.0, repeats=200)
    replaced = th.assess(own, th.Normal(0.0, 1.0), 20, 0.0, interval=lambda x: (5.0, 6.0), repeats=200)
    assert 0.9 < beside.coverage[0] < 1
    assert beside.table() == within.table()
    assert replaced.coverage[0] == 0


def test_squared_error_is_bias_squared_plus_variance_to_rounding():
    found = th.assess(np.var, th.Normal(0.0, 1.0), [5, 20], 1.0, repeats=500)
    assert found.mse == pytest.approx(found.bias**2 + found.variance, rel=1e-14)
    # The plug-in variance is biased by −σ²/n.
    assert found.bias == pytest.approx([-1 / 5, -1 / 20], abs=4 * found.bias_se.max())


def test_squared_error_is_that_of_the_estimates():
    seen = []

    def remembered(x):
        seen.append(np.var(x))
        return seen[-1]

    found = th.assess(remembered, th.Normal(0.0, 1.0), 5, 1.0, repeats=30)
    assert found.mse == pytest.approx(np.mean((np.array(seen) - 1.0) ** 2), rel=1e-12)


def test_an_estimator_that_is_not_consistent_shows_it():
    found = th.assess(lambda x: x[0], th.Exponential(2.0), [10, 100, 1000], 0.5, repeats=400)
    assert abs(found.rate[0]) < 0.1


def test_a_maximum_likelihood_fit_is_taken_with_its_interval():
    found = th.assess(lambda x: th.mle(th.Exponential(), x), th.Exponential(2.0), 200, 2.0, repeats=400)
    assert abs(found.coverage[0] - 0.95) < 4 * found.coverage_se[0] + 0.01
    # Of the rate the maximum likelihood estimate is biased by θ/(n − 1).
    assert abs(found.bias[0] - 2 / 199) < 4 * found.bias_se[0]


class Line:
    """y = 2 x + noise."""

    def sample(self, size=None, *, rng):
        x = rng.normal(size=(size, 1))
        return x, 2 * x[:, 0] + rng.normal(size=size)


def test_our_estimators_and_scikit_learns_are_taken_alike():
    ours = th.assess(
        LeastSquares(), Line(), 50, 2.0, functional=lambda theta: theta.coef.ravel()[0], repeats=50
    )
    theirs = th.assess(LinearRegression(), Line(), 50, 2.0, functional=lambda fit: fit.coef_[0], repeats=50)
    assert ours.variance == pytest.approx(theirs.variance, rel=1e-8)


def test_the_table_has_each_property_with_its_error():
    table = th.assess(np.mean, th.Normal(0.0, 1.0), [5, 10], 0.0, repeats=20).table()
    assert list(table)[:3] == ["n", "bias", "bias_se"]
    assert {"variance", "se", "mse", "coverage", "coverage_se"} <= set(table)
    assert all(len(column) == 2 for column in table.values())


def test_what_cannot_be_meant_is_named():
    with pytest.raises(th.UsageError, match="functional"):
        th.assess(LinearRegression(), Line(), 10, 2.0)
    with pytest.raises(th.UsageError, match="repeats"):
        th.assess(np.mean, th.Normal(0.0, 1.0), 10, 0.0, repeats=1)
    with pytest.raises(th.UsageError, match="estimator"):
        th.assess(3, th.Normal(0.0, 1.0), 10, 0.0)
    with pytest.raises(th.UsageError, match="must give a number"):
        th.assess(lambda x: x, th.Normal(0.0, 1.0), 10, 0.0)


def test_an_assessment_draws_itself():
    from matplotlib.figure import Figure

    axes = th.assess(np.var, th.Normal(0.0, 1.0), [5, 20], 1.0, repeats=50).plot(Figure().subplots())
    assert "power" in axes.get_title(loc="left")


def test_the_same_seed_gives_the_same_properties_for_any_number_of_workers_and_progress_is_told():
    done = []
    options = {"repeats": 30, "rng": np.random.default_rng(4)}
    one = th.assess(lambda x: x.mean(), th.Normal(0.0, 1.0), [5, 9], 0.0, **options)
    options = {"repeats": 30, "rng": np.random.default_rng(4), "jobs": 2}
    two = th.assess(
        lambda x: x.mean(), th.Normal(0.0, 1.0), [5, 9], 0.0, **options, progress=lambda *at: done.append(at)
    )
    three = th.assess(np.mean, th.Normal(0.0, 1.0), [5, 9], 0.0, repeats=30, rng=np.random.default_rng(5))
    assert np.array_equal(list(one.table().values()), list(two.table().values()), equal_nan=True)
    assert (one.bias != three.bias).all()
    assert done[-1] == (60, 60)
    assert done == sorted(done)
    assert len(done) > 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"estimator": LinearRegression},
            r"estimator: LinearRegression is a class; give .* LinearRegression\(\)",
        ),
        ({"estimator": None}, "estimator: a function of a sample"),
        ({"population": th.Normal}, "population: an object with sample"),
        ({"population": np.zeros(4)}, "population: an object with sample"),
        ({"n": "ten"}, "n: a whole number, or a list"),
        ({"n": [10, 2.5]}, "n: a whole number, or a list"),
        ({"n": []}, "n: a whole number, or a list"),
        ({"truth": None}, "truth: a finite number"),
        ({"truth": [0.0]}, "truth: a finite number"),
        ({"repeats": 10.5}, "repeats: a whole number"),
        ({"level": 95}, "level: must lie between 0 and 1"),
        ({"functional": "mean"}, "functional: a function of the fit"),
        ({"interval": 0.95}, "interval: a function of the sample"),
        ({"interval": lambda x: x.mean()}, r"interval: must give \(low, high\)"),
        ({"rng": 3}, "rng: a numpy Generator"),
        ({"jobs": 0}, "jobs: a number of worker processes"),
        ({"estimator": lambda x: 1j}, "functional: must give a number"),
        ({"estimator": lambda x: "a"}, "functional: must give a number"),
        ({"estimator": lambda x: None}, "functional: must give a number"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(options, said):
    usual = {"estimator": np.mean, "population": th.Normal(0.0, 1.0), "n": 10, "truth": 0.0, "repeats": 5}
    with pytest.raises(th.UsageError, match=f"^{said}"):
        th.assess(**{**usual, **options})
