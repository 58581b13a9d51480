import pickle

import numpy as np
import pytest

from thetahat.contracts import Status
from thetahat.errors import UsageError
from thetahat.likelihood.result import LikelihoodResult

COVARIANCE = np.array([[4.0, 1.0], [1.0, 1.0]])


def covariance_of(kind, groups):
    return COVARIANCE * (2.0 if kind == "expected" else 1.0)


def profile_of(index, level):
    return (-1.0 - index, level)


def made(**changes):
    given = dict(
        title="Some model",
        names=("intercept", "x<b>"),
        params=np.array([2.0, 3.0]),
        log_likelihood=-10.0,
        rows=20,
        status=Status.SOLVED,
        covariance_of=covariance_of,
        profile_of=profile_of,
        measures={"deviance": 12.5},
    )
    return LikelihoodResult(**{**given, **changes})


def test_normal_and_t_quantiles_of_a_wald_interval():
    normal = made().interval(0.95)
    np.testing.assert_allclose(normal[0], [2 - 2 * 1.959963984540054, 2 + 2 * 1.959963984540054])
    student = made(freedom=5.0).interval(0.95)
    np.testing.assert_allclose(student[0], [2 - 2 * 2.570581835636314, 2 + 2 * 2.570581835636314])


def test_p_values_are_two_sided():
    assert made().p_values[0] == pytest.approx(0.31731050786291415)


def test_criteria_count_what_was_estimated():
    fit = made(free=3)
    assert fit.aic == 26.0
    assert fit.aicc == 26.0 + 24 / 16
    assert fit.bic == pytest.approx(20 + 3 * np.log(20))
    assert made(rows=4, free=3).aicc == np.inf


def test_a_penalised_fit_says_so_in_its_first_line_and_has_no_profile():
    fit = made(penalty="L2, C = 1")
    assert "not maximum likelihood" in fit.summary().splitlines()[0]
    assert "not maximum likelihood" in fit._repr_html_()
    with pytest.raises(UsageError, match="maximum-likelihood"):
        fit.interval(method="profile")
    assert "Penalised" not in made().summary()


def test_a_fit_that_failed_has_no_finite_standard_error():
    fit = made(status=Status.SEPARABLE, detail="columns: x")
    assert np.isnan(fit.standard_errors).all()
    assert np.isnan(fit.interval()).all()
    assert np.isnan(fit.interval(method="profile")).all()
    assert np.isnan(fit.contrast([0, 1]).p)
    assert "columns: x" in fit.summary()


def test_another_kind_of_errors_is_another_covariance():
    np.testing.assert_allclose(made().with_errors("expected").covariance, 2 * COVARIANCE)
    with pytest.raises(UsageError, match="group of each row"):
        made().with_errors("clustered")
    with pytest.raises(UsageError, match="there is no 'robust'"):
        made().with_errors("robust")


def test_a_contrast_carries_the_covariance():
    both = made().contrast([1, -1])
    assert both.estimate[0] == -1
    assert both.standard_error[0] == pytest.approx(np.sqrt(3.0))
    assert both.statistic == pytest.approx(1 / 3)
    joint = made(freedom=10.0).contrast(np.eye(2))
    assert joint.statistic == pytest.approx(np.array([2, 3]) @ np.linalg.inv(COVARIANCE) @ [2, 3] / 2)
    assert joint.freedom == (2.0, 10.0)


def test_measures_read_as_attributes_and_survive_a_pickle():
    fit = pickle.loads(pickle.dumps(made()))
    assert fit.deviance == 12.5
    with pytest.raises(AttributeError, match="no attribute 'r2'"):
        _ = fit.r2


def test_names_are_escaped_in_html():
    assert "x&lt;b&gt;" in made()._repr_html_()
    assert "<b>" not in made()._repr_html_()
