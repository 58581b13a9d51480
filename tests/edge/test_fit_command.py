"""``thetahat fit`` and ``predict`` on a real table, against statsmodels."""

import copy
import io
import re
import zipfile
from importlib.resources import files

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
from click.testing import CliRunner
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import thetahat as th
from thetahat.cli import main
from thetahat.errors import ResultFileError, ThetaHatWarning, UsageError
from thetahat.estimation.regression import fit_table, load_fit, predict_table

PENGUINS = str(files("thetahat.datasets") / "penguins.csv")
FRAME = pd.read_csv(PENGUINS)
WHOLE = FRAME.dropna()


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def printed(table):
    """Return the numbers of a printed table by the name of the row."""
    rows = {}
    for line in table.splitlines():
        parts = re.split(r"\s{2,}", line.strip())
        if len(parts) == 7:
            rows[parts[0]] = parts[1:]
    return rows


def test_the_printed_table_is_statsmodels_to_the_printed_digits():
    outcome = run("fit", PENGUINS, "--target", "body_mass_g", "--drop", "year")
    assert outcome.exit_code == 0, outcome.output
    theirs = smf.ols(
        "body_mass_g ~ species + island + bill_length_mm + bill_depth_mm + flipper_length_mm + sex", WHOLE
    ).fit()
    rows = printed(outcome.output)
    names = {
        "intercept": "Intercept",
        "species[Gentoo]": "species[T.Gentoo]",
        "sex[male]": "sex[T.male]",
        "bill_length_mm": "bill_length_mm",
    }
    ends = theirs.conf_int()
    for ours, peer in names.items():
        estimate, error, t, _, low, high = rows[ours]
        assert estimate == f"{theirs.params[peer]:.6g}"
        assert error == f"{theirs.bse[peer]:.6g}"
        assert t == f"{theirs.tvalues[peer]:.3f}"
        assert (low, high) == (f"{ends.loc[peer, 0]:.6g}", f"{ends.loc[peer, 1]:.6g}")
    assert "11 rows with a missing value were left out" in outcome.output
    assert "species against 'Adelie'" in outcome.output


def test_a_formula_and_a_kind_of_error():
    outcome = run(
        "fit", PENGUINS, "--model", "body_mass_g ~ flipper_length_mm + C(species)", "--errors", "HC3"
    )
    theirs = smf.ols("body_mass_g ~ flipper_length_mm + C(species)", FRAME).fit(cov_type="HC3", use_t=True)
    row = printed(outcome.output)["flipper_length_mm"]
    assert row[:2] == [f"{theirs.params['flipper_length_mm']:.6g}", f"{theirs.bse['flipper_length_mm']:.6g}"]


def test_two_classes_equal_statsmodels():
    found = fit_table(PENGUINS, "sex", "logistic", drop=["island", "species", "year"])
    y = (WHOLE.sex == "male").astype(int)
    theirs = smf.logit(
        "y ~ bill_length_mm + bill_depth_mm + flipper_length_mm + body_mass_g", WHOLE.assign(y=y)
    ).fit(disp=0)
    assert found.result.params == pytest.approx(theirs.params.to_numpy(), rel=1e-6)
    assert found.result.standard_errors == pytest.approx(theirs.bse.to_numpy(), rel=1e-5)


def test_separated_classes_are_said_by_the_columns_that_separate():
    outcome = run("fit", PENGUINS, "--target", "species", "--model", "logistic", "--drop", "island")
    assert outcome.exit_code == 0
    assert "No standard errors: the classes can be separated" in outcome.output
    assert "bill_length_mm" in outcome.output.split("completely separated by")[1].splitlines()[0]
    assert "nan" not in outcome.output


@pytest.mark.parametrize(
    ("target", "model"),
    [("body_mass_g", "linear"), ("sex", "logistic"), ("year", "poisson"), ("island", "logistic")],
)
def test_a_saved_fit_predicts_as_the_one_that_was_saved(tmp_path, target, model):
    drop = ["species"] if target == "island" else []
    found = fit_table(PENGUINS, target, model, drop=drop)
    path = tmp_path / "fit.model"
    found.save(path)
    again = load_fit(path)
    assert again.formula == found.formula
    one, other = (predict_table(fit, PENGUINS) for fit in (found, again))
    assert one.equals(other)
    assert one.height == len(FRAME)
    used = [c.name for c in found.design.columns]
    missing = pl.from_pandas(FRAME).select(pl.any_horizontal(pl.col(used).is_null())).to_series()
    assert (one["prediction"].is_null() == missing).all()


def test_predictions_have_the_intervals_of_statsmodels(tmp_path):
    path, out = tmp_path / "fit.model", tmp_path / "out.csv"
    frame = FRAME[["body_mass_g", "flipper_length_mm", "species"]].dropna()
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert run("fit", tmp_path / "t.csv", "--target", "body_mass_g", "--save", path).exit_code == 0
    assert run("predict", path, tmp_path / "t.csv", "-o", out, "--level", "0.9").exit_code == 0
    theirs = (
        smf.ols("body_mass_g ~ flipper_length_mm + species", frame)
        .fit()
        .get_prediction()
        .summary_frame(alpha=0.1)
    )
    ours = pl.read_csv(out)
    for mine, peer in (
        ("prediction", "mean"),
        ("low", "mean_ci_lower"),
        ("high", "mean_ci_upper"),
        ("new_low", "obs_ci_lower"),
        ("new_high", "obs_ci_upper"),
    ):
        assert ours[mine].to_numpy() == pytest.approx(theirs[peer].to_numpy(), rel=1e-9)


@pytest.mark.parametrize(("target", "model"), [("body_mass_g", "linear"), ("sex", "logistic")])
def test_a_level_that_the_fit_has_not_seen_is_named_and_not_predicted(target, model):
    found = fit_table(PENGUINS, target, model, drop=["year"])
    first = predict_table(found, FRAME)
    frame = FRAME.assign(island=FRAME.island.where(FRAME.index >= 3, "Atlantis"))
    with pytest.warns(
        ThetaHatWarning, match="column 'island': .* not seen 'Atlantis', so 3 predictions are"
    ) as w:
        some = predict_table(found, frame)
    assert len(w) == 1
    assert some[:3]["prediction"].null_count() == 3
    assert some[3:]["prediction"].is_null().equals(first[3:]["prediction"].is_null())
    assert np.allclose(some[3:]["low"].drop_nulls(), first[3:]["low"].drop_nulls(), rtol=1e-12)
    with pytest.warns(ThetaHatWarning, match="344 predictions"):
        none = predict_table(found, FRAME.assign(island="Atlantis"))
    assert none.null_count().row(0) == (344,) * none.width


def test_levels_that_a_fit_has_not_seen_leave_the_status_at_0(tmp_path):
    frame = FRAME[["body_mass_g", "island", "bill_length_mm"]].dropna()
    train, new, out = tmp_path / "t.csv", tmp_path / "new.csv", tmp_path / "out.csv"
    frame.to_csv(train, index=False)
    frame.assign(island=frame.island.replace("Torgersen", "Atlantis")).to_csv(new, index=False)
    count = (frame.island == "Torgersen").sum()
    for words in ((), ("--stream", "--model", "sgd-linear")):
        run("fit", train, "--target", "body_mass_g", "--save", tmp_path / "m", *words)
        outcome = run("predict", tmp_path / "m", new, "-o", out)
        assert outcome.exit_code == 0, outcome.output
        assert f"notice: column 'island': the fit has not seen 'Atlantis', so {count} pred" in outcome.output
        assert pl.read_csv(out)["prediction"].null_count() == count


def test_a_table_that_lacks_a_column_is_refused():
    found = fit_table(PENGUINS, "body_mass_g", drop=["year"])
    with pytest.raises(UsageError, match="lacks species"):
        predict_table(found, FRAME.drop(columns="species"))


def test_a_formula_is_not_saved_since_it_is_code(tmp_path):
    outcome = run("fit", PENGUINS, "--model", "body_mass_g ~ year", "--save", tmp_path / "m")
    assert outcome.exit_code == 2
    assert "a formula is code" in outcome.output
    assert not (tmp_path / "m").exists()


def test_a_file_that_is_no_fit_is_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"not a zip")
    with pytest.raises(ResultFileError):
        load_fit(path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("design.json", "{}")
    path.write_bytes(packed.getvalue())
    assert run("predict", path, PENGUINS).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "nothing"), "TH101"),
        (("--model", "linear"), "target"),
        (("--target", "species"), "logistic takes classes"),
        (("--target", "year", "--model", "ridge"), "choose linear"),
        (("--model", "body_mass_g ~ nothing"), "formula"),
    ],
)
def test_what_cannot_be_fitted_exits_with_2(words, said):
    outcome = run("fit", PENGUINS, *words)
    assert outcome.exit_code == 2
    assert said in outcome.output


def test_all_numbers_of_the_design_are_finite_where_nothing_is_missing():
    design = fit_table(PENGUINS, "body_mass_g").design
    matrix = design.matrix(WHOLE)
    assert matrix.shape == (len(WHOLE), len(design.names))
    assert np.isfinite(matrix).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_predict_takes_what_save_wrote_of_any_learner(tmp_path):
    table = tmp_path / "t.csv"
    frame = FRAME[["bill_length_mm", "year", "sex"]]
    frame.to_csv(table, index=False)
    whole = pl.from_pandas(frame.dropna())
    X = whole.select("year", "bill_length_mm")
    known = frame["bill_length_mm"].notna().to_numpy()
    for model in (
        th.SVC().fit(X, whole["sex"].to_numpy()),
        th.MLPClassifier((3,), max_iter=3, random_state=0).fit(X, whole["sex"].to_numpy()),
        make_pipeline(StandardScaler(), GaussianNB()).fit(X, whole["sex"].to_numpy()),
    ):
        th.save(model, tmp_path / "model")
        outcome = run("predict", tmp_path / "model", table)
        found = pl.read_csv(io.StringIO(outcome.output))
        assert found.height == len(frame)
        assert (found["prediction"].is_not_null().to_numpy() == known).all()
        rows = pl.from_pandas(frame)[np.flatnonzero(known)].select("year", "bill_length_mm")
        assert found["prediction"].drop_nulls().to_list() == model.predict(rows).tolist()
        if hasattr(model, "predict_proba"):
            expected = model.predict_proba(rows)[:, 1]
            assert found["probability[male]"].drop_nulls().to_numpy() == pytest.approx(expected, rel=1e-12)
    th.save(th.PCA(2).fit(X), tmp_path / "model")
    outcome = run("predict", tmp_path / "model", table)
    assert outcome.output.splitlines()[0] == "pca0,pca1"
    frame[["year"]].to_csv(table, index=False)
    outcome = run("predict", tmp_path / "model", table)
    assert outcome.exit_code != 0
    assert "no column 'bill_length_mm'" in outcome.output


def test_predict_of_a_model_of_nameless_columns_counts_them(tmp_path):
    rows = FRAME[["bill_length_mm", "year"]].dropna()
    th.save(th.OneClassSVM().fit(rows.to_numpy()), tmp_path / "model")
    rows.to_csv(tmp_path / "two.csv", index=False)
    assert set(run("predict", tmp_path / "model", tmp_path / "two.csv").output.split()) == {
        "prediction",
        "1",
        "-1",
    }
    rows[["year"]].to_csv(tmp_path / "one.csv", index=False)
    outcome = run("predict", tmp_path / "model", tmp_path / "one.csv")
    assert "1 columns and the model was fitted to 2" in outcome.output


def test_types_that_are_not_known_to_be_safe_are_named_by_predict(tmp_path):
    rows = FRAME[["bill_length_mm", "year"]].dropna()
    rows.to_csv(tmp_path / "t.csv", index=False)
    th.save(FunctionTransformer(copy.copy, feature_names_out="one-to-one").fit(rows), tmp_path / "model")
    outcome = run("predict", tmp_path / "model", tmp_path / "t.csv")
    assert outcome.exit_code == 2
    strange = outcome.output.split("trusted=['")[1].split("'")[0]
    assert strange == "copy.copy"
    outcome = run("predict", tmp_path / "model", tmp_path / "t.csv", "--trusted", strange)
    assert outcome.output.startswith("bill_length_mm,year\n")
