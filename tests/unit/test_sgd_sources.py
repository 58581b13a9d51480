"""Stochastic gradient descent on files, lazy frames, datasets and iterators: fits of the rows in memory."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file
from sklearn.exceptions import ConvergenceWarning

from thetahat.errors import DataError, ThetaHatWarning, UsageError
from thetahat.linear.sgd import SGDClassifier, SGDRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
]
N = 3000
STEADY = {"shuffle": False, "max_iter": 4, "tol": None, "learning_rate": "invscaling", "eta0": 0.05}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=N), rng.normal(size=N), rng.choice(["red", "green", "blue"], N)
    eta = a - 0.5 * b + 0.7 * (c == "red")
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "c": c,
            "two": np.where(rng.random(N) < 1 / (1 + np.exp(-eta)), "yes", "no"),
            "three": np.argmax(rng.gumbel(size=(N, 3)) + np.outer(eta, [0, 1, -0.5]), axis=1) * 10,
            "number": eta + rng.normal(size=N),
            "count": rng.poisson(np.exp(0.4 * eta)),
            "w": rng.uniform(0.5, 2, N),
        }
    )


def design(table: pl.DataFrame) -> np.ndarray:
    greens, reds = (table["c"] == "green").cast(float), (table["c"] == "red").cast(float)
    return np.column_stack([table["a"], table["b"], greens, reds])


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (SGDClassifier("log_loss", **STEADY), "two"),
        (SGDClassifier("hinge", penalty="elasticnet", average=100, **STEADY), "two"),
        (SGDClassifier("log_loss", batch_size=16, class_weight={"yes": 2.0, "no": 0.5}, **STEADY), "two"),
        (SGDClassifier("log_loss", class_weight={0: 2.0, 10: 0.5, 20: 1.0}, **STEADY), "three"),
        (SGDClassifier("log_loss", multi_class="multinomial", average=True, **STEADY), "three"),
        (SGDClassifier("log_loss", class_weight="balanced", **STEADY), "three"),
        (SGDRegressor("huber", penalty="l1", **STEADY), "number"),
        (SGDRegressor("poisson", **STEADY), "count"),
    ],
)
def test_a_file_read_in_order_gives_the_fit_of_its_rows_in_memory(table, model, target, tmp_path):
    table.select("a", "b", "c", target).write_parquet(tmp_path / "rows.parquet")
    X, y = design(table), table[target].to_numpy()
    held = model.fit(X, y)
    coef, intercept = held.coef_.copy(), held.intercept_.copy()
    found = model.fit(tmp_path / "rows.parquet", target)
    # A chunk ends where a batch of rows need not: 8192 rows are whole batches of 16.
    np.testing.assert_allclose(found.coef_, coef, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.intercept_, intercept, rtol=1e-8)
    assert list(found.feature_names_in_) == ["a", "b", "c[green]", "c[red]"]
    assert found.t_ == 1 + 4 * N
    np.testing.assert_array_equal(
        found.predict(tmp_path / "rows.parquet"), found.predict(pl.LazyFrame(table))
    )
    np.testing.assert_array_equal(found.predict(table), found.predict(found.encoder_.encode(table)))


def test_every_kind_of_source_gives_the_same_fit_to_the_bit(table, tmp_path):
    dataset = pytest.importorskip("pyarrow.dataset")
    rows = table.select("a", "b", "two")
    for part, frame in enumerate((rows[:1000], rows[1000:])):
        frame.write_parquet(tmp_path / f"part{part}.parquet")
    rows.write_csv(tmp_path / "rows.csv")
    rows.write_ipc(tmp_path / "rows.arrow")
    X, y = rows.select("a", "b").to_numpy(), (rows["two"] == "yes").cast(int).to_numpy()
    dump_svmlight_file(X, y, str(tmp_path / "rows.svm"))
    model = SGDClassifier("log_loss", random_state=0, max_iter=3, tol=None)
    wanted = model.fit(rows, "two").coef_
    for source, target in (
        (str(tmp_path / "part*.parquet"), "two"),
        (tmp_path / "rows.csv", "two"),
        (tmp_path / "rows.arrow", "two"),
        (rows.lazy(), "two"),
        (dataset.dataset([str(tmp_path / "part0.parquet"), str(tmp_path / "part1.parquet")]), "two"),
        ((rows[at : at + 250] for at in range(0, N, 250)), "two"),
        (rows.to_pandas(), "two"),
        (((X[at : at + 250], y[at : at + 250]) for at in range(0, N, 250)), None),
    ):
        np.testing.assert_array_equal(model.fit(source, target).coef_, wanted)
    np.testing.assert_allclose(model.fit(tmp_path / "rows.svm", "y").coef_, wanted, rtol=1e-6)
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(X).shape == (N,)


def test_weights_named_by_their_column_are_those_of_the_rows(table):
    X, y, w = (table.select("a", "b").to_numpy(), table["two"].to_numpy(), table["w"].to_numpy())
    held = SGDClassifier("log_loss", **STEADY).fit(X, y, sample_weight=w)
    found = SGDClassifier("log_loss", **STEADY).fit(
        table.lazy().select("a", "b", "two", "w"), "two", sample_weight="w"
    )
    np.testing.assert_allclose(found.coef_, held.coef_, rtol=1e-10)


@pytest.mark.parametrize(("kind", "target"), [(SGDClassifier, "two"), (SGDRegressor, "number")])
def test_early_stopping_an_automatic_step_and_raw_columns_work_on_a_source(table, kind, target):
    rows = table.lazy().select((pl.col("a") * 1000).alias("a"), "b", target)
    options = {"loss": "log_loss"} if kind is SGDClassifier else {}
    model = kind(**options, learning_rate="constant", eta0="auto", early_stopping=True, random_state=0)
    model.fit(rows, target)
    assert model.status_.ok
    assert model.eta0_ < 1e-4
    assert model.score(rows.select("a", "b"), table[target].to_numpy()) > (
        0.6 if kind is SGDClassifier else 0.3
    )


def test_a_source_that_runs_away_is_begun_again(table):
    with pytest.warns(ConvergenceWarning, match="Begun again with eta0="):
        model = SGDRegressor(max_iter=3, tol=None).fit(
            table.select(pl.col("a") * 1e4, "number").lazy(), "number"
        )
    assert np.abs(model.coef_).max() < 1


def test_standard_errors_of_a_source_are_those_of_its_rows(table):
    model = SGDClassifier("log_loss", penalty=None, average=N, **STEADY).fit(
        table.select("a", "b", "c", "two"), "two"
    )
    one = model.describe(table.select("a", "b", "c", "two").lazy(), "two")
    two = model.describe(design(table), table["two"].to_numpy())
    np.testing.assert_allclose(one.standard_errors, two.standard_errors, rtol=1e-10)
    assert one.names == two.names


def test_rows_sorted_by_label_reach_the_loss_of_shuffled_rows(tmp_path):
    rng = np.random.default_rng(0)
    n = 40_000
    X = rng.normal(size=(n, 6))
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ np.linspace(-1, 1, 6)))).astype(int)
    frame = pl.DataFrame({f"x{j}": X[:, j] for j in range(6)} | {"y": y}).sort("y")
    frame.write_parquet(tmp_path / "sorted.parquet")

    def loss(model):
        eta = model.decision_function(X)
        return np.mean(np.logaddexp(0, eta) - y * eta)

    common = {"learning_rate": "invscaling", "eta0": 0.05, "max_iter": 3, "tol": None, "random_state": 0}
    streamed = SGDClassifier("log_loss", memory=0.25, **common).fit(tmp_path / "sorted.parquet", "y")
    held = SGDClassifier("log_loss", **common).fit(X, y)
    assert loss(streamed) == pytest.approx(loss(held), abs=5e-4)
    in_order = SGDClassifier("log_loss", **{**common, "shuffle": False}).fit(tmp_path / "sorted.parquet", "y")
    assert loss(in_order) > loss(held) + 0.01
    with pytest.warns(ThetaHatWarning, match="raise memory"):
        SGDClassifier("log_loss", memory=0.05, **common).fit(tmp_path / "sorted.parquet", "y")


def test_what_cannot_be_meant_is_named(table, tmp_path):
    model = SGDClassifier("log_loss")
    with pytest.raises(UsageError, match="y: name the column"):
        model.fit(table.lazy())
    with pytest.raises(UsageError, match="sample_weight: name the column"):
        model.fit(table.lazy(), "two", sample_weight=np.ones(N))
    with pytest.raises(DataError, match="nowhere"):
        model.fit(table.lazy(), "nowhere")
    with pytest.raises(DataError, match="no such file"):
        model.fit(str(tmp_path / "none.parquet"), "y")
    holed = table.select(pl.when(pl.col("a") > 1).then(None).otherwise(pl.col("a")).alias("a"), "two")
    with pytest.raises(DataError, match="'a'"):
        model.fit(holed.lazy(), "two")
    with pytest.raises(UsageError, match="fitted on arrays"):
        SGDRegressor().fit(design(table), table["number"].to_numpy()).predict(table.lazy())
    with pytest.raises(UsageError, match="batch_size: sparse"):
        SGDRegressor(batch_size=2).fit(sparse.eye(3).tocsr(), np.arange(3.0))
