import numpy as np
import pytest
from scipy import stats

import thetahat as th
from thetahat.contracts import Status
from thetahat.errors import UsageError


def draw(p, n, seed=0):
    return np.asarray(p.sample(n, rng=np.random.default_rng(seed)), dtype=float)


def test_the_product_of_densities_underflows_where_the_sum_of_logs_does_not():
    x = draw(th.Normal(0.0, 1.0), 2000)
    fit = th.mle(th.Normal(), x)
    assert np.prod(np.exp(fit.fitted.log_prob(x))) == 0.0
    assert fit.log_likelihood == pytest.approx(stats.norm(*fit.params).logpdf(x).sum())


def bad(theta, x):
    return -((x - theta[0] - theta[1]) ** 2)


def rising(theta, x):
    return x * 0 + theta[0]


FAILS = {
    "two parameters that only their sum is seen of": (
        lambda: th.mle(bad, draw(th.Normal(0, 1), 50), [0.0, 0.0], names=("a", "b")),
        Status.NOT_IDENTIFIED,
        "a, b",
    ),
    "a likelihood without a top": (
        lambda: th.mle(rising, np.ones(5), [0.0]),
        None,
        "",
    ),
    "a mixture on points": (
        lambda: th.mle(th.Mixture([th.Normal(), th.Normal()]), np.array([0.0, 0, 0, 0, 1, 1, 1, 1])),
        Status.UNBOUNDED,
        "point",
    ),
    "a constant": (lambda: th.mle(th.Gamma(), np.full(9, 2.0)), Status.UNBOUNDED, "constant"),
    "a normal on one number": (lambda: th.mle(th.Normal(), np.array([1.0])), Status.TOO_FEW_ROWS, "1 rows"),
    "counts less spread than Poisson": (
        lambda: th.mle(th.NegativeBinomial(), np.array([2.0, 2, 3, 2, 3])),
        Status.UNBOUNDED,
        "spread",
    ),
    "nothing but ones": (lambda: th.mle(th.Bernoulli(), np.ones(9)), Status.BOUNDARY, "p is 1"),
    "nothing but zeros": (lambda: th.mle(th.Poisson(), np.zeros(9)), Status.BOUNDARY, "rate is 0"),
    "a bound that holds": (
        lambda: th.mle(
            lambda t, x: -((x - t[0]) ** 2), draw(th.Normal(-3, 1), 40), [1.0], bounds=[(0, None)]
        ),
        Status.BOUNDARY,
        r"theta\[0\]",
    ),
    "the ends of a uniform": (lambda: th.mle(th.Uniform(), np.arange(9.0)), Status.BOUNDARY, "support"),
    "more parameters than rows": (
        lambda: th.mle(
            th.Conditional(lambda t, X: X @ t, th.Normal()), (np.eye(3), np.arange(3.0)), [0.0, 0.0, 0.0]
        ),
        Status.TOO_FEW_ROWS,
        "3 parameters",
    ),
    "a mean that two parameters share": (
        lambda: th.mle(
            th.Conditional(lambda t, x: t[0] * t[1] * x, th.Normal()),
            (np.arange(5.0), np.array([0.0, 1.1, 1.9, 3.2, 4.1])),
            [1.0, 1.0],
        ),
        Status.NOT_IDENTIFIED,
        "",
    ),
}


@pytest.mark.parametrize("name", FAILS)
def test_what_failed_says_why_and_has_no_errors(name):
    make, status, detail = FAILS[name]
    fit = make()
    assert not fit.status.ok
    if status is not None:
        assert fit.status is status
    import re

    assert re.search(detail, fit.detail)
    assert np.isnan(fit.standard_errors).all()
    assert np.isnan(fit.interval()).all()
    assert "No standard errors" in fit.summary()
    assert "; " in fit.status.value or "," in fit.status.value


def test_a_parameter_that_is_known_is_held():
    x = draw(th.Gamma(3.0, 2.0), 400)
    fit = th.mle(th.Gamma(shape=3.0), x)
    assert fit.names == ("rate",)
    assert fit.params == pytest.approx([3.0 / x.mean()], rel=1e-8)
    assert fit.standard_errors == pytest.approx([fit.params[0] / np.sqrt(3 * 400)], rel=1e-6)


def test_wald_profile_and_bootstrap_agree_on_many_rows():
    x = draw(th.Gamma(3.0, 2.0), 1500)
    fit = th.mle(th.Gamma(), x)
    wald, profile = fit.interval(), fit.interval(method="profile")
    bootstrap = fit.interval(method="bootstrap", resamples=300, rng=np.random.default_rng(1))
    width = wald[:, 1] - wald[:, 0]
    assert np.abs(profile - wald) == pytest.approx(np.zeros((2, 2)), abs=0.05 * width.max())
    assert np.abs(bootstrap - wald) == pytest.approx(np.zeros((2, 2)), abs=0.25 * width.max())


def test_a_profile_interval_ends_where_the_likelihood_ratio_does():
    x = draw(th.Poisson(2.0), 30)
    fit = th.mle(th.Poisson(), x)
    for end in fit.interval(method="profile")[0]:
        drop = 2 * (fit.log_likelihood - np.sum(th.Poisson(float(end)).log_prob(x)))
        assert drop == pytest.approx(stats.chi2.ppf(0.95, 1), rel=1e-6)


def test_a_profile_interval_stops_at_the_edge_of_the_parameter():
    low, high = th.mle(th.Bernoulli(), np.r_[np.zeros(40), 1.0]).interval(method="profile")[0]
    assert 0 < low < 1 / 41 < high < 0.2


def test_a_weight_of_two_is_a_row_that_stands_twice():
    x = draw(th.Gamma(2.0, 1.0), 60)
    weight = np.random.default_rng(0).integers(1, 4, 60)
    for family in (th.Gamma(), th.StudentT(), th.Weibull(), th.Beta()):
        rows = x / (1 + x.max()) if isinstance(family, th.Beta) else x
        one = th.mle(family, rows, weight=weight)
        other = th.mle(family, np.repeat(rows, weight))
        assert one.params == pytest.approx(other.params, rel=1e-6)
        assert one.standard_errors == pytest.approx(other.standard_errors, rel=1e-6)


def test_a_callable_equals_the_family_it_writes_out():
    x = draw(th.Gamma(2.0, 1.0), 200)
    by_hand = th.mle(
        lambda t, x: th.Gamma().log_density(x, t[0], t[1]),
        x,
        {"shape": 1.0, "rate": 1.0},
        transform=["log", "log"],
    )
    fit = th.mle(th.Gamma(), x)
    assert by_hand.names == ("shape", "rate")
    assert by_hand.params == pytest.approx(fit.params, rel=1e-7)
    assert by_hand.covariance == pytest.approx(fit.covariance, rel=1e-6)
    assert by_hand.with_errors("HC0").covariance == pytest.approx(fit.with_errors("HC0").covariance, rel=1e-6)


def test_the_sandwich_holds_where_the_model_is_wrong():
    rng = np.random.default_rng(0)
    found, told = [], []
    for _ in range(300):
        x = rng.standard_t(4, 200) * 2
        fit = th.mle(th.Normal(), x, errors="sandwich")
        found.append(fit.params[1])
        told.append((fit.standard_errors[1], fit.with_errors("observed").standard_errors[1]))
    spread = np.std(found)
    sandwich, observed = np.median(told, axis=0)
    assert abs(sandwich / spread - 1) < 0.35
    assert observed < 0.75 * spread


def test_rows_outside_the_support_are_named():
    with pytest.raises(UsageError, match=r"row 2 is -1, outside the support of Gamma"):
        th.mle(th.Gamma(), [1.0, 2.0, -1.0])
    with pytest.raises(UsageError, match="row 1 is nan"):
        th.mle(th.Normal(), [1.0, np.nan])


@pytest.mark.parametrize(
    "family", [th.Exponential(), th.Gamma(), th.Laplace(), th.NegativeBinomial()], ids=str
)
def test_sums_beyond_the_largest_number_do_not_hide_the_maximum(family):
    x, large = 2.0**63 * np.array([1.25, 1.5, 1.875, 1.75]), 2.0**960
    plain, scaled = (th.mle(family, each) for each in (x, x * large))
    assert scaled.status is Status.NOT_FINITE
    power = {"shape": 0, "size": 0, "loc": 1, "scale": 1, "rate": -1}
    if isinstance(family, th.NegativeBinomial):
        power["rate"] = 1
    unit = np.array([large ** power[name] for name in plain.names])
    assert scaled.params == pytest.approx(plain.params * unit, rel=1e-9)


def test_a_gamma_of_one_number_has_no_maximum_whatever_its_weight():
    for x, weight in (([1e300], [1e300]), ([1e308, 1e308], None)):
        assert th.mle(th.Gamma(), x, weight=weight).status is Status.UNBOUNDED


def test_a_weight_of_any_size_leaves_the_estimate():
    x = 100 * draw(th.Gamma(3.0, 2.0), 20)
    for family in (th.Gamma(), th.Laplace(), th.NegativeBinomial()):
        rows = np.floor(x) if type(family) is th.NegativeBinomial else x
        plain, heavy = (th.mle(family, rows, weight=np.full(20, w)) for w in (1.0, 2.0**1017))
        assert heavy.params == pytest.approx(plain.params, rel=1e-12)


def test_counts_of_any_size_have_a_log_probability():
    assert np.isfinite(th.NegativeBinomial(5e299, 0.003).log_prob([1.0, 1e300])).all()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: th.mle(bad, np.ones(3)), "theta0"),
        (lambda: th.mle(bad, np.ones(3), [0.0, 0.0], bounds=[(0, 1)]), "bounds"),
        (lambda: th.mle(bad, np.ones(3), [0.0, 0.0], names=["a"]), "names"),
        (lambda: th.mle(lambda t, x: np.sum(bad(t, x)), np.ones(3), [0.0, 0.0]), "one term a row"),
        (lambda: th.mle(th.Normal(1.0, 2.0), np.ones(3)), "known"),
        (lambda: th.mle(th.Normal(), np.ones(3), weight=[1, 2]), "weight"),
        (lambda: th.mle(th.Normal(), np.arange(3.0), weight=[1e308] * 3), "weight: their sum"),
        (lambda: th.mle(bad, np.ones(3), [0.0, 0.0], transform=["sqrt", None]), "transform"),
        (lambda: th.Conditional(np.sin, th.Gamma()), "family"),
    ],
)
def test_an_argument_that_cannot_be_meant_is_named(make, name):
    with pytest.raises(UsageError, match=name):
        make()


def test_families_are_ranked_and_the_true_one_is_among_the_best():
    ranking = th.rank_families(draw(th.Gamma(2.0, 1.0), 500))
    assert ranking.best.name == "Gamma"
    assert sum(f.weight for f in ranking.families) == pytest.approx(1)
    assert [f.fit.aic for f in ranking.families] == sorted(f.fit.aic for f in ranking.families)
    normal = next(f for f in ranking.families if f.name == "Normal")
    assert normal.behind > 4 * normal.behind_se
    counts = th.rank_families(draw(th.NegativeBinomial(3.0, 0.8), 500))
    assert [f.name for f in counts.families] == ["NegativeBinomial", "Poisson"]


def test_a_fit_draws_itself():
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("agg")
    for fit in (
        th.mle(th.Gamma(), draw(th.Gamma(2.0, 1.0), 300)),
        th.mle(lambda t, x: -((x - t[0]) ** 2), np.arange(5.0), [0.0], names=["centre"]),
    ):
        axes = fit.plot(Figure().subplots())
        assert axes.get_title(loc="left")
        assert axes.get_xlabel()


def test_rows_are_held_out_of_the_fit_that_judges_them():
    x = draw(th.Normal(0.0, 1.0), 60)
    ranking = th.rank_families(x, [th.Normal(), th.Laplace()], folds=5, rng=np.random.default_rng(3))
    fold = np.random.default_rng(3).permutation(np.arange(60) % 5)
    logs = np.empty(60)
    for k in range(5):
        train = x[fold != k]
        logs[fold == k] = stats.norm(train.mean(), train.std()).logpdf(x[fold == k])
    normal = next(f for f in ranking.families if f.name == "Normal")
    assert normal.held_out == pytest.approx(logs.mean(), rel=1e-12)
    assert normal.held_out_se == pytest.approx(logs.std(ddof=1) / np.sqrt(60), rel=1e-12)


# Seeds at which another run to the same maximum is a rounding error higher once the rows are shuffled.
@pytest.mark.parametrize("seed", [56, 104])
def test_rounding_does_not_decide_the_order_of_a_mixtures_components(seed):
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(80) < 0.4, rng.normal(-4, 1, 80), rng.normal(2, 1, 80))
    one, two = (
        th.mle(th.Mixture([th.Normal(), th.Normal()]), rows, rng=np.random.default_rng(seed)).params
        for rows in (x, rng.permutation(x))
    )
    np.testing.assert_allclose(one, two, rtol=1e-9)


@pytest.mark.parametrize("often", [0.0, 5.0, 0.5])
@pytest.mark.filterwarnings("ignore")
def test_a_family_whose_likelihood_has_no_maximum_is_ranked_last_with_no_weight(often):
    x = np.r_[np.full(43, often), often + np.random.default_rng(0).normal(size=37) * 5]
    ranking = th.rank_families(x, [th.StudentT(), th.Laplace(), th.Normal()])
    last = ranking.families[-1]
    assert (last.name, last.weight) == ("StudentT", 0.0)
    assert last.fit.status is Status.UNBOUNDED
    assert ranking.families[0].fit.status.ok
    assert sum(each.weight for each in ranking.families) == pytest.approx(1.0)
