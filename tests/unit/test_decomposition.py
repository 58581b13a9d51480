"""Bias and variance: terms that add, are unbiased, and carry honest error bars."""

import numpy as np
import pandas as pd
import pytest
from mlxtend.evaluate import bias_variance_decomp
from scipy import sparse
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import thetahat as th
from thetahat.errors import UsageError
from thetahat.resampling.decomposition import decompose, summarise
from thetahat.resampling.terms import kohavi_wolpert, log, squared, zero_one


def holes(predictions, rng):
    predictions = predictions.astype(float)
    predictions[rng.random(predictions.shape[:2]) < 0.4] = np.nan
    predictions[:2] = np.where(
        np.isnan(predictions[:2]), 0.5 if predictions.ndim == 3 else 1, predictions[:2]
    )
    return predictions


def test_the_terms_of_squared_loss_add_to_it_in_every_row():
    rng = np.random.default_rng(0)
    predictions, y, truth = holes(rng.normal(size=(9, 50)), rng), rng.normal(size=50), rng.normal(size=50)
    loss = np.nanmean((predictions - y) ** 2, axis=0)
    for known in (None, truth):
        terms = squared(predictions, y, known).terms()
        np.testing.assert_allclose(sum(terms.values()), loss, rtol=1e-12)


def test_the_terms_of_zero_one_loss_add_to_it_in_every_row():
    rng = np.random.default_rng(1)
    predictions, y = holes(rng.integers(4, size=(9, 60)), rng), rng.integers(4, size=60)
    seen = ~np.isnan(predictions)
    loss = ((predictions != y) & seen).sum(axis=0) / seen.sum(axis=0)
    for kind in (zero_one, kohavi_wolpert):
        np.testing.assert_allclose(sum(kind(predictions, y, 4).terms().values()), loss, atol=1e-13)
    domingos = zero_one(predictions, y, 4).terms()
    assert set(np.unique(domingos["bias"])) == {0.0, 1.0}
    assert (domingos["biased variance"][domingos["bias"] == 0] == 0).all()
    assert (domingos["unbiased variance"] >= 0).all()


def test_the_terms_of_log_loss_add_to_it_and_the_variance_is_a_mean_divergence():
    rng = np.random.default_rng(2)
    probability, y = rng.dirichlet(np.ones(3), size=(8, 40)), rng.integers(3, size=40)
    terms = log(probability, y, 3).terms()
    loss = -np.log(probability[:, np.arange(40), y]).mean(axis=0)
    np.testing.assert_allclose(sum(terms.values()), loss, rtol=1e-12)
    mean = np.exp(np.log(probability).mean(axis=0))
    mean /= mean.sum(axis=1, keepdims=True)
    divergence = (mean * (np.log(mean) - np.log(probability))).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(terms["variance"], divergence, rtol=1e-10, atol=1e-14)


def test_unbiased_terms_do_not_depend_on_how_many_draws_there_are():
    rng = np.random.default_rng(3)
    truth = np.full(20_000, 0.3)
    for draws in (3, 30):
        predictions = 0.5 + 0.4 * rng.normal(size=(draws, 20_000))
        terms = squared(predictions, truth + rng.normal(size=20_000), truth).terms()
        assert terms["bias²"].mean() == pytest.approx(0.04, abs=0.006)
        assert terms["variance"].mean() == pytest.approx(0.16, abs=0.006)
        assert terms["noise"].mean() == pytest.approx(1.0, abs=0.04)
        votes = (rng.random((draws, 20_000)) < 0.3).astype(float)
        found = kohavi_wolpert(votes, np.zeros(20_000, dtype=int), 2).terms()
        assert found["variance"].mean() == pytest.approx(0.3 * 0.7, abs=0.005)
        assert found["noise + bias²"].mean() == pytest.approx(0.3**2, abs=0.005)


def test_terms_without_a_group_of_draws_are_those_of_the_others():
    rng = np.random.default_rng(4)
    predictions, y = holes(rng.normal(size=(10, 30)), rng), rng.normal(size=30)
    left = squared(predictions, y).left_out(5)
    again = squared(predictions[2:], y).terms()
    for name, value in again.items():
        np.testing.assert_allclose(left[0][name], value, rtol=1e-10)


def cubic(rng, n=40):
    x = rng.uniform(-1, 1, size=n)
    return x[:, None], x**3 + 0.3 * rng.normal(size=n)


def test_the_error_bars_cover_the_truth_of_a_line_fitted_to_a_cubic():
    """Least squares on [1, x] for y = x³ + noise: the truth by a million rows and four thousand fits."""
    rng = np.random.default_rng(5)
    fits = []
    for _ in range(4000):
        X, y = cubic(rng)
        fits.append(np.linalg.lstsq(np.column_stack([np.ones(40), X]), y)[0])
    fits = np.array(fits)
    x = np.linspace(-1, 1, 4001)
    predicted = fits[:, :1] + fits[:, 1:] * x
    truth = {
        "noise": 0.09,
        "bias²": float(np.mean((predicted.mean(axis=0) - x**3) ** 2)),
        "variance": float(np.mean(predicted.var(axis=0, ddof=1))),
    }
    covered = dict.fromkeys(truth, 0)
    runs = 120
    for run in range(runs):
        rng = np.random.default_rng(run)
        X, y = cubic(rng, 300)
        found = decompose(
            th.LinearRegression(), X, y, population=cubic, truth=X[:, 0] ** 3, draws=60, rng=rng
        )
        for name, value in truth.items():
            covered[name] += found.low[name] <= value <= found.high[name]
    for name, count in covered.items():
        assert 0.95 - 4 * np.sqrt(0.05 * 0.95 / runs) <= count / runs, (name, count / runs)
    assert covered["bias²"] / runs < 1 or covered["variance"] / runs < 1


def test_squared_loss_agrees_with_mlxtend_within_the_error_bars():
    X, y = load_diabetes(return_X_y=True)
    for ours, theirs in ((th.Ridge(0.1), Ridge(0.1)), (DecisionTreeRegressor(random_state=0),) * 2):
        loss, bias, variance = bias_variance_decomp(
            theirs, X[:300], y[:300], X[300:], y[300:], loss="mse", num_rounds=200, random_seed=1
        )
        found = decompose(ours, X[:300], y[:300], X[300:], y[300:], draws=200)
        # Theirs has the divisor D, so a D-th of the variance stands in its bias.
        assert found.terms["variance"] == pytest.approx(variance * 200 / 199, rel=0.15)
        assert found.terms["noise + bias²"] == pytest.approx(bias - variance / 199, rel=0.06)
        assert found.total == pytest.approx(loss, rel=0.05)


def test_sparse_rows_give_the_terms_of_dense_ones_through_any_learner():
    X, y = load_diabetes(return_X_y=True)
    X = np.where(X > 0, X, 0.0)[:60]
    learner = DecisionTreeRegressor(random_state=0)
    dense, thin = (decompose(learner, rows, y[:60], draws=12) for rows in (X, sparse.csr_matrix(X)))
    assert thin.terms == dense.terms


@pytest.mark.parametrize("loss", ["squared", "log"])
def test_a_draw_that_leaves_no_row_out_predicts_none(loss):
    rows = np.arange(8.0).reshape(4, 2)
    learner, y = (
        (Ridge(), [0.0, 1.0, 1.5, 2.0]) if loss == "squared" else (DecisionTreeClassifier(), [0, 1, 0, 1])
    )
    # Of 60 draws of four rows five or so hold every row.
    found = decompose(learner, rows, y, loss=loss, draws=60)
    assert np.isfinite(found.total)


def test_shared_draws_equal_refitted_ones():
    X, y = load_diabetes(return_X_y=True)
    one = decompose(th.Ridge(0.5), X, y, draws=20)
    other = decompose(Ridge(0.5, tol=1e-12), X, y, draws=20)
    for name, value in one.terms.items():
        assert value == pytest.approx(other.terms[name], rel=1e-8)
        assert one.se[name] == pytest.approx(other.se[name], rel=1e-6)


def test_a_near_neighbour_has_more_variance_and_less_bias_than_many():
    X, y = load_wine(return_X_y=True)
    near, far = (
        decompose(KNeighborsClassifier(k), X, y, loss="kohavi-wolpert", draws=60).terms for k in (1, 60)
    )
    assert near["variance"] > far["variance"]
    tree = decompose(DecisionTreeClassifier(random_state=0), X, y, draws=30)
    assert tree.loss == "zero-one"
    assert sum(tree.terms.values()) == pytest.approx(tree.total)
    assert decompose(KNeighborsClassifier(5), X, y, loss="log", draws=20).terms["variance"] > 0


def test_the_same_seed_gives_the_same_terms_for_any_number_of_workers():
    X, y = load_wine(return_X_y=True)
    one, two = (
        decompose(DecisionTreeClassifier(), X, y, draws=8, jobs=jobs, rng=np.random.default_rng(3)).terms
        for jobs in (1, 2)
    )
    assert one == two


def test_the_table_and_the_plot_hold_every_term_and_the_loss():
    rng = np.random.default_rng(0)
    found = summarise(rng.normal(size=(6, 30)), rng.normal(size=30), "squared")
    table = found.table()
    assert table["term"] == ["noise + bias²", "variance", "loss"]
    assert (np.array(table["lower"]) < table["value"]).all()
    assert (np.array(table["upper"]) > table["value"]).all()
    ax = found.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == table["term"]
    assert "% of the loss is" in ax.get_title(loc="left")
    ax.figure.clear()


def test_an_estimator_that_is_a_class_is_named():
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(UsageError, match=r"^estimator: Ridge is a class; give an object, Ridge\(\)"):
        decompose(Ridge, X, y)


def test_lists_and_frames_give_the_terms_of_arrays():
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:40], y[:40]
    plain = decompose(th.Ridge(), X, y, draws=5).terms
    assert decompose(th.Ridge(), X.tolist(), y.tolist(), draws=5).terms == plain
    assert decompose(th.Ridge(), pd.DataFrame(X), pd.Series(y), draws=5).terms == plain


def test_shared_draws_are_the_same_for_any_number_of_workers():
    X, y = load_diabetes(return_X_y=True)
    one, two = (decompose(th.Ridge(), X, y, draws=25, jobs=jobs).terms for jobs in (1, 2))
    assert one == two


def test_names_of_one_loss_give_one_decomposition():
    X, y = load_wine(return_X_y=True)
    one, two = (decompose(KNeighborsClassifier(), X, y, draws=5, loss=loss) for loss in ("zero-one", "error"))
    assert one.terms == two.terms
    assert one.loss == two.loss == "zero-one"
    assert decompose(KNeighborsClassifier(), X, y, draws=5, loss="log-loss").loss == "log"


def test_sparse_samples_of_a_population_are_taken():
    def population(rng):
        X, y = cubic(rng)
        return sparse.csr_matrix(X), y

    X, y = cubic(np.random.default_rng(0), 50)
    thin, dense = (
        decompose(Ridge(solver="sparse_cg", tol=1e-12), rows, y, population=each, draws=8).terms
        for rows, each in ((sparse.csr_matrix(X), population), (X, cubic))
    )
    assert thin == pytest.approx(dense, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "hinge"}, "loss: choose auto"),
        ({"draws": 2}, "draws: must be at least 3"),
        ({"X_test": np.zeros((2, 10))}, "give both or neither"),
        ({"loss": "log"}, "^loss: log needs probabilities"),
        ({"loss": "absolute-error"}, "^loss: choose auto, .*absolute-error has no bias and variance.*metric"),
        ({"loss": None}, "^loss: None is no measure"),
        ({"draws": 4.0}, "^draws: a whole number"),
        ({"level": 95}, "^level: must lie"),
        ({"jobs": 0}, "^jobs: a number of worker processes"),
        ({"rng": 0}, r"^rng: .*default_rng\(0\)"),
        ({"truth": [1.0]}, "^truth: one value for each of 442 rows"),
        ({"population": 3}, "^population: a function of a Generator"),
        ({"population": lambda rng: (np.zeros((5, 10)), np.full(5, 99))}, "^population: gave the class .*99"),
    ],
)
def test_what_cannot_be_meant_is_named(options, said):
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(UsageError, match=said):
        decompose(Ridge(), X, y.astype(int) // 100, **{"draws": 4, **options})
