"""Fits to partitions are those of one machine."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import thetahat as th
from thetahat.errors import UsageError
from thetahat.estimation.partitions import fit_partitions


@pytest.fixture(autouse=True)
def here():
    with dask.config.set(scheduler="synchronous"):
        yield


def made(n=1000, d=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.arange(1, d + 1) + 3.0
    return X, X @ np.linspace(-1, 1, d) + 2.0, rng


def split(X, y, rows=130):
    return da.from_array(X, chunks=(rows, -1)), da.from_array(y, chunks=rows)


@pytest.mark.parametrize(
    "model", [th.LinearRegression(), th.Ridge(3.0), th.LinearRegression(fit_intercept=False)]
)
def test_least_squares_of_parts_is_that_of_one_machine(model):
    X, eta, rng = made()
    y = eta + rng.normal(size=len(eta))
    found = fit_partitions(model, *split(X, y))
    alone = type(model)(**model.get_params()).fit(X, y)
    np.testing.assert_allclose(found.coef_, alone.coef_, rtol=1e-10)
    np.testing.assert_allclose(found.intercept_, alone.intercept_, rtol=1e-10)
    np.testing.assert_allclose(found.result_.standard_errors, alone.result_.standard_errors, rtol=1e-8)
    assert found.result_.log_likelihood == pytest.approx(alone.result_.log_likelihood, rel=1e-10)
    np.testing.assert_allclose(found.predict(X[:5]), alone.predict(X[:5]), rtol=1e-10)


def test_nearly_dependent_columns_lose_no_more_than_on_one_machine():
    X, eta, rng = made(400, 3)
    X[:, 2] = X[:, 0] + 1e-6 * rng.normal(size=400)
    y = X[:, 0] + rng.normal(size=400)
    found, alone = fit_partitions(th.LinearRegression(), *split(X, y, 50)), th.LinearRegression().fit(X, y)
    np.testing.assert_allclose(found.coef_, alone.coef_, rtol=1e-8)


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_logistic_regression_of_parts_is_that_of_one_machine(C):
    X, eta, rng = made()
    y = np.where(eta - eta.mean() + 4 * rng.normal(size=len(eta)) > 0, "yes", "no")
    found, alone = (
        fit_partitions(th.LogisticRegression(C=C), *split(X, y)),
        th.LogisticRegression(C=C).fit(X, y),
    )
    np.testing.assert_allclose(found.coef_, alone.coef_, rtol=1e-8)
    np.testing.assert_allclose(found.intercept_, alone.intercept_, rtol=1e-8)
    assert list(found.classes_) == ["no", "yes"]
    if C == np.inf:
        np.testing.assert_allclose(found.result_.standard_errors, alone.result_.standard_errors, rtol=1e-6)
        assert found.result_.log_likelihood == pytest.approx(alone.result_.log_likelihood, rel=1e-10)


def test_softmax_and_poisson_regression_of_parts_are_those_of_one_machine():
    X, eta, rng = made()
    y = np.digitize(eta + 3 * rng.normal(size=len(eta)), np.quantile(eta, [0.3, 0.7]))
    found, alone = fit_partitions(th.LogisticRegression(), *split(X, y)), th.LogisticRegression().fit(X, y)
    np.testing.assert_allclose(found.coef_, alone.coef_, rtol=1e-7, atol=1e-9)
    counts = rng.poisson(np.exp(0.1 * (X[:, 0] - 3.0)))
    found, alone = (
        fit_partitions(th.PoissonRegression(alpha=0.1), *split(X, counts)),
        th.PoissonRegression(alpha=0.1).fit(X, counts),
    )
    np.testing.assert_allclose(found.coef_, alone.coef_, rtol=1e-7, atol=1e-9)
    assert found.status_.ok


def test_components_of_parts_are_those_of_one_machine():
    X, _, _ = made()
    found, alone = fit_partitions(th.PCA(3), da.from_array(X + 1e4, chunks=(77, -1))), th.PCA(3).fit(X + 1e4)
    np.testing.assert_allclose(found.components_, alone.components_, atol=1e-9)
    np.testing.assert_allclose(found.explained_variance_, alone.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(found.transform(X[:3]), alone.transform(X[:3]), rtol=1e-6)


def test_a_frame_names_its_columns():
    X, eta, rng = made(300, 3)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=eta + rng.normal(size=300))
    found = fit_partitions(th.LinearRegression(), dd.from_pandas(frame, npartitions=4), "y")
    assert list(found.result_.names) == ["intercept", "a", "b", "c"]
    assert list(found.feature_names_in_) == ["a", "b", "c"]
    alone = th.LinearRegression().fit(frame[["a", "b", "c"]], frame["y"])
    np.testing.assert_allclose(found.coef_, alone.coef_, rtol=1e-10)


def test_what_separates_or_is_dependent_is_not_called_solved():
    X, eta, _ = made(200, 2)
    with pytest.warns(Warning, match="separable|converged|max_iter"):
        found = fit_partitions(th.LogisticRegression(C=np.inf), *split(X, (eta > eta.mean()).astype(int)))
    assert not found.status_.ok
    same = np.column_stack([X, X[:, 0]])
    assert not fit_partitions(th.LinearRegression(), *split(same, eta)).status_.ok


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda X, y: fit_partitions(th.Ridge(), X.compute(), y), "no Dask array or frame"),
        (lambda X, y: fit_partitions(th.Ridge(), X.rechunk((200, 1)), y), "cut the columns"),
        (lambda X, y: fit_partitions(th.Ridge(), X, y.rechunk(10)), "give both the same chunks"),
        (lambda X, y: fit_partitions(th.Ridge(), X), "needs a target"),
        (lambda X, y: fit_partitions(th.SVC(), X, y), "cannot be fitted to partitions"),
        (lambda X, y: fit_partitions(th.Ridge(positive=True), X, y), "without positive"),
        (lambda X, y: fit_partitions(th.PCA("mle"), X), "n_components"),
        (lambda X, y: fit_partitions(th.Ridge(), da.where(X > 5, np.nan, X), y), "NaN or infinity"),
    ],
)
def test_what_cannot_be_fitted_is_named(call, said):
    X, eta, _ = made(200, 3)
    with pytest.raises(UsageError, match=said):
        call(*split(X, eta, 50))


def test_softmax_of_parts_says_that_it_has_no_record():
    X, eta, _ = made()
    found = fit_partitions(th.LogisticRegression(), *split(X, np.digitize(eta, [-1.0, 1.0])))
    with pytest.raises(UsageError, match="no record"):
        _ = found.result_
    assert not hasattr(found, "result_")
