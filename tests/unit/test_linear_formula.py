import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf

from thetahat.errors import UsageError
from thetahat.linear.formula import regress

RNG = np.random.default_rng(0)
N = 120
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.uniform(1, 3, size=N),
        "group": RNG.choice(["low", "mid", "top"], size=N),
        "count": RNG.poisson(2.0, size=N),
    }
)
FRAME["y"] = 1 + 2 * FRAME.x + (FRAME.group == "top") * 3 + RNG.normal(size=N)
FRAME["label"] = np.where(FRAME.x + RNG.logistic(size=N) > 0, "yes", "no")


@pytest.mark.parametrize("formula", ["y ~ x + C(group)", "y ~ x * group", "np.log(z) ~ x", "y ~ 0 + x + z"])
@pytest.mark.parametrize("frame", [FRAME, pl.from_pandas(FRAME)], ids=["pandas", "polars"])
def test_a_formula_gives_the_table_statsmodels_gives(formula, frame):
    ours, theirs = regress(formula, frame), smf.ols(formula, FRAME).fit()
    assert len(ours.result.names) == len(theirs.params)
    order = np.argsort(ours.result.params)
    peer = np.argsort(theirs.params.to_numpy())
    np.testing.assert_allclose(ours.result.params[order], theirs.params.to_numpy()[peer], rtol=1e-9)
    np.testing.assert_allclose(ours.result.standard_errors[order], theirs.bse.to_numpy()[peer], rtol=1e-9)
    np.testing.assert_allclose(ours.predict(frame[:5]), theirs.predict(FRAME[:5]), rtol=1e-9)
    assert ours.result.r2 == pytest.approx(theirs.rsquared)


def test_the_reference_level_is_shown():
    summary = regress("y ~ x + C(group)", FRAME).summary()
    assert summary.startswith("y ~ x + C(group)\nCategories: C(group) against 'low'\n")
    assert "C(group)[T.top]" in summary
    assert "intercept" in summary


def test_levels_missing_from_new_rows_keep_their_columns():
    fit = regress("y ~ C(group)", FRAME)
    one = FRAME[FRAME.group == "top"][:3]
    np.testing.assert_allclose(fit.predict(one), FRAME.y[FRAME.group == "top"].mean())


def test_the_left_side_chooses_the_family():
    assert regress("label ~ x", FRAME).result.title == "Logistic regression"
    assert regress("group ~ x", FRAME).result.names[0] == "mid: intercept"
    assert regress("count ~ x", FRAME).result.title == "Least squares"
    peer = smf.poisson("count ~ x", FRAME).fit(disp=0)
    ours = regress("count ~ x", FRAME, family="poisson").result
    np.testing.assert_allclose(ours.params, peer.params, rtol=1e-6)
    np.testing.assert_allclose(ours.standard_errors, peer.bse, rtol=1e-6)


@pytest.mark.parametrize(
    ("formula", "family", "said"),
    [
        ("y ~ nothing", None, "nothing"),
        ("x + z", None, "left of ~"),
        ("y + z ~ x", None, "left of ~"),
        ("y ~ (x", None, "formula: "),
        ("y ~ 1", None, "besides the intercept"),
        ("group ~ x", "normal", "needs numbers"),
        ("group ~ x", "bernoulli", "two classes"),
        ("y ~ x", "gamma", "must be normal"),
    ],
)
def test_a_formula_that_cannot_be_meant_is_a_clear_error(formula, family, said):
    with pytest.raises(UsageError, match=said.replace("~", ".")):
        regress(formula, FRAME, family)


@pytest.mark.parametrize("column", ["x", "y"])
@pytest.mark.parametrize("frame", ["pandas", "polars, null", "polars, nan"])
def test_missing_values_are_an_error(column, frame):
    holed = FRAME.copy()
    holed.loc[3, column] = np.nan
    if frame != "pandas":
        holed = pl.from_pandas(holed, nan_to_null=frame == "polars, null")
    with pytest.raises(UsageError, match=r"[Mm]issing|null"):
        regress("y ~ x", holed)
