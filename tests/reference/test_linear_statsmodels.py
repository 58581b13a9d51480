"""Coefficients and every kind of standard errors against statsmodels, on the tables it ships."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.regressors import LinearRegression, PoissonRegression


def table(name):
    data = getattr(sm.datasets, name).load_pandas()
    return data.exog.astype(float), data.endog.astype(float)


def peer_of(model, cov_type="nonrobust", groups=None, **options):
    kwds = {"groups": groups} if cov_type == "cluster" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(cov_type=cov_type, cov_kwds=kwds, **options)


def assert_same(ours, theirs, *, reorder=lambda flat: flat):
    np.testing.assert_allclose(ours.params, reorder(theirs.params), rtol=1e-7)
    np.testing.assert_allclose(ours.standard_errors, reorder(theirs.bse), rtol=1e-7)
    np.testing.assert_allclose(ours.log_likelihood, theirs.llf, rtol=1e-9)


OLS_KINDS = [("observed", "nonrobust"), *[(kind, kind) for kind in ("HC0", "HC1", "HC2", "HC3")]]


@pytest.mark.parametrize("name", ["longley", "spector", "fair"])
@pytest.mark.parametrize("kind", [*OLS_KINDS, ("clustered", "cluster")])
def test_least_squares_table_equals_statsmodels(name, kind):
    X, y = table(name)
    groups = np.arange(len(y)) % 5
    ours = LinearRegression().fit(X, y).result_.with_errors(kind[0], groups)
    theirs = peer_of(sm.OLS(y, sm.add_constant(X)), kind[1], groups)
    # statsmodels' own solution of Longley keeps eight digits or so.
    assert_same(ours, theirs)
    if kind[0] == "observed":
        np.testing.assert_allclose(ours.statistics, theirs.tvalues, rtol=1e-7)
        np.testing.assert_allclose(ours.p_values, theirs.pvalues, rtol=1e-6, atol=1e-300)
        np.testing.assert_allclose(ours.interval(0.9), theirs.conf_int(0.1), rtol=1e-6)
        assert ours.r2 == pytest.approx(theirs.rsquared, rel=1e-9)
        assert ours.sigma2 == pytest.approx(theirs.scale, rel=1e-9)
        assert ours.aic == pytest.approx(theirs.aic + 2, rel=1e-9)  # σ² is counted


def logit_table(name):
    X, y = table(name)
    return (X, y) if name == "spector" else (X, (y > 0).astype(float))


@pytest.mark.parametrize("name", ["spector", "fair"])
@pytest.mark.parametrize("kind", [("observed", "nonrobust"), ("HC0", "HC0"), ("clustered", "cluster")])
def test_logistic_table_equals_statsmodels(name, kind):
    X, y = logit_table(name)
    groups = np.arange(len(y)) % 8
    ours = LogisticRegression(C=np.inf).fit(X, y).result_.with_errors(kind[0], groups)
    theirs = peer_of(sm.Logit(y, sm.add_constant(X)), kind[1], groups, disp=0, tol=1e-14, maxiter=100)
    assert_same(ours, theirs)
    if kind[0] == "observed":
        np.testing.assert_allclose(ours.p_values, theirs.pvalues, rtol=1e-6, atol=1e-300)
        assert ours.aic == pytest.approx(theirs.aic, rel=1e-9)
        assert ours.bic == pytest.approx(theirs.bic, rel=1e-9)


@pytest.mark.parametrize("name", ["fair", "randhie"])
@pytest.mark.parametrize("kind", [("observed", "nonrobust"), ("HC0", "HC0"), ("clustered", "cluster")])
def test_poisson_table_equals_statsmodels(name, kind):
    X, y = table(name)
    y = y.round() if name == "fair" else y
    groups = np.arange(len(y)) % 20
    ours = PoissonRegression(alpha=0).fit(X, y).result_.with_errors(kind[0], groups)
    theirs = peer_of(sm.Poisson(y, sm.add_constant(X)), kind[1], groups, disp=0, method="newton", tol=1e-14)
    assert_same(ours, theirs)
    if kind[0] == "observed":
        deviance = sm.GLM(y, sm.add_constant(X), family=sm.families.Poisson()).fit().deviance
        assert ours.deviance == pytest.approx(deviance, rel=1e-9)


@pytest.mark.parametrize("kind", [("observed", "nonrobust"), ("HC0", "HC0"), ("clustered", "cluster")])
def test_softmax_table_equals_statsmodels(kind):
    X, y = table("anes96")
    groups = np.arange(len(y)) % 30
    ours = LogisticRegression(C=np.inf).fit(X, y).result_.with_errors(kind[0], groups)
    theirs = peer_of(sm.MNLogit(y, sm.add_constant(X)), kind[1], groups, disp=0, method="newton", tol=1e-14)
    assert_same(ours, theirs, reorder=lambda flat: np.asarray(flat).T.ravel())


def test_clustered_errors_of_longley_keep_their_digits():
    """The exact value is by 50-digit arithmetic: G/(G − 1) (n − 1)/(n − k) B (Σ u uᵀ) B of the same rows."""
    X, y = table("longley")
    ours = LinearRegression().fit(X, y).result_.with_errors("clustered", np.arange(len(y)) % 5)
    assert ours.standard_errors[0] == pytest.approx(600124.79505709, rel=1e-11)
