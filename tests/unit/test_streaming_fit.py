"""Fits of streams: held to fits in memory, whatever the source and the order of its rows."""

import gc

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import dump_svmlight_file

from thetahat.contracts import Status
from thetahat.errors import DataError, ResultFileError, ThetaHatWarning, UsageError
from thetahat.estimation.stream_model import load_stream_fit, predict_stream
from thetahat.estimation.streaming import fit_stream
from thetahat.linear.classifiers import LogisticRegression
from thetahat.linear.regressors import LinearRegression, PoissonRegression

pyarrow_dataset = pytest.importorskip("pyarrow.dataset")
ROWS = 4000


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    a, b = rng.normal(3, 2, ROWS), rng.normal(-50, 10, ROWS)
    c = rng.choice(["red", "green", "blue"], ROWS)
    eta = 0.6 * (a - 3) - 0.05 * (b + 50) + 0.7 * (c == "red")
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "c": c,
            "two": np.where(rng.random(ROWS) < 1 / (1 + np.exp(-eta)), "yes", "no"),
            "three": np.argmax(rng.gumbel(size=(ROWS, 3)) + np.outer(eta, [0, 1, -0.5]), axis=1) * 10,
            "number": eta + rng.normal(size=ROWS),
            "count": rng.poisson(np.exp(0.4 * eta)),
        }
    )


def design(table: pl.DataFrame) -> np.ndarray:
    greens, reds = (table["c"] == "green").cast(float), (table["c"] == "red").cast(float)
    return np.column_stack([table["a"], table["b"], greens, reds])


@pytest.mark.parametrize("model", ["sgd-linear", "sgd-logistic", "sgd-poisson"])
def test_a_stream_reaches_the_maximum_of_the_fit_in_memory(table, model):
    target, peer = {
        "sgd-linear": ("number", LinearRegression()),
        "sgd-logistic": ("two", LogisticRegression(C=np.inf)),
        "sgd-poisson": ("count", PoissonRegression(alpha=0)),
    }[model]
    found = fit_stream(table.select("a", "b", "c", target), target, model)
    peer.fit(design(table), table[target].to_numpy())
    record = peer.result_.with_errors("HC0")
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(found.coefficients[:, 0], record.params, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        np.sqrt(np.diag(found.covariance)), np.sqrt(np.diag(record.covariance_of("HC0", None))), rtol=1e-4
    )
    assert found.log_likelihood == pytest.approx(record.log_likelihood, rel=1e-8)


def test_softmax_of_a_stream_has_the_probabilities_of_the_fit_in_memory(table):
    rows = table.select("a", "b", "c", "three")
    found = fit_stream(rows, "three", "sgd-softmax")
    peer = LogisticRegression(C=np.inf).fit(design(table), table["three"].to_numpy())
    predicted = found.predict(rows)
    assert found.classes == (0, 10, 20)
    assert found.status is Status.SOLVED
    np.testing.assert_allclose(
        predicted.select(pl.selectors.starts_with("probability")).to_numpy(),
        peer.predict_proba(design(table)),
        atol=1e-5,
    )
    np.testing.assert_allclose(found.coefficients.sum(axis=1), 0, atol=1e-10)
    assert np.isfinite(found.covariance).all()


def test_softmax_of_two_classes_has_the_error_bars_of_logistic_regression(table):
    rows = table.select("a", "b", "c", "two")
    logistic, softmax = fit_stream(rows, "two"), fit_stream(rows, "two", "sgd-softmax")
    contrast = np.kron([-1.0, 1.0], np.eye(len(logistic.coefficients)))
    np.testing.assert_allclose(
        contrast @ softmax.coefficients.T.ravel(), logistic.coefficients[:, 0], atol=1e-5
    )
    np.testing.assert_allclose(
        contrast @ softmax.covariance @ contrast.T, logistic.covariance, rtol=1e-4, atol=1e-9
    )


def test_batches_of_whole_and_of_decimal_numbers_are_one_column():
    rng = np.random.default_rng(0)
    y = rng.normal(size=60)
    pieces = [
        pl.DataFrame({"x": np.arange(30), "y": y[:30]}),
        pl.DataFrame({"x": np.arange(30) / 2, "y": y[30:]}),
    ]
    found = fit_stream(pieces, "y", "sgd-linear")
    X = np.column_stack([np.ones(60), np.r_[np.arange(30), np.arange(30) / 2]])
    np.testing.assert_allclose(found.coefficients[:, 0], np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-6)


def test_descent_alone_comes_close_and_claims_no_error_bars(table):
    rows = table.select("a", "b", "c", "two")
    rough = fit_stream(rows, "two", finish=False, epochs=10)
    exact = fit_stream(rows, "two")
    error = np.sqrt(np.diag(exact.covariance))
    assert np.all(np.abs(rough.coefficients - exact.coefficients)[:, 0] < error)
    assert rough.status is Status.MAX_ITER
    assert rough.covariance is None


def test_the_hinge_parts_classes_and_calls_nothing_solved(table):
    rows = table.select("a", "b", "c", "two")
    found = fit_stream(rows, "two", "sgd-hinge")
    right = (found.predict(rows)["prediction"] == table["two"]).mean()
    best = (fit_stream(rows, "two").predict(rows)["prediction"] == table["two"]).mean()
    assert right > best - 0.02
    assert found.status is Status.MAX_ITER


def sources(table: pl.DataFrame, folder):
    half = table.height // 2
    table[:half].write_parquet(folder / "part1.parquet", row_group_size=500)
    table[half:].write_parquet(folder / "part2.parquet", row_group_size=500)
    table.write_csv(folder / "rows.csv")
    table.write_ipc(folder / "rows.arrow")
    yield str(folder / "part*.parquet")
    yield folder / "rows.csv"
    yield folder / "rows.arrow"
    yield pl.scan_parquet(folder / "part*.parquet")
    yield pyarrow_dataset.dataset([str(folder / "part1.parquet"), str(folder / "part2.parquet")])
    yield (table[start : start + 333] for start in range(0, table.height, 333))
    yield table.to_pandas()


def test_every_kind_of_source_gives_the_same_fit_to_the_bit(table, tmp_path):
    rows = table.select("a", "b", "c", "two")
    wanted = fit_stream(rows, "two", epochs=2).coefficients
    for source in sources(rows, tmp_path):
        np.testing.assert_array_equal(fit_stream(source, "two", epochs=2).coefficients, wanted)


@pytest.mark.parametrize("zero_based", [True, False])
def test_libsvm_and_arrays_give_the_same_fit(table, tmp_path, zero_based):
    X, y = np.round(design(table), 6), (table["two"] == "yes").cast(pl.Int64).to_numpy()
    dump_svmlight_file(X, y, str(tmp_path / "rows.svm"), zero_based=zero_based)
    of_file = fit_stream(tmp_path / "rows.svm", "y")
    assert of_file.encoder.names == tuple(f"x{j + (not zero_based)}" for j in range(X.shape[1]))
    of_arrays = fit_stream([(X[:999], y[:999]), (X[999:], y[999:])], "y")
    np.testing.assert_allclose(of_file.coefficients, of_arrays.coefficients, rtol=1e-10)


def test_rows_sorted_by_label_reach_the_loss_of_shuffled_rows():
    rng = np.random.default_rng(0)
    n = 40_000
    X = rng.normal(size=(n, 6))
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ np.linspace(-1, 1, 6)))).astype(int)
    order = np.argsort(y, kind="stable")
    memory = 0.2  # a tenth of the rows at a time

    def loss(rows):
        fit = fit_stream([(X[rows], y[rows])], "y", finish=False, epochs=3, memory=memory)
        eta = np.column_stack([np.ones(n), X]) @ fit.coefficients[:, 0]
        return np.mean(np.logaddexp(0, eta) - y * eta)

    assert loss(order) == pytest.approx(loss(rng.permutation(n)), abs=5e-4)


def test_a_buffer_too_small_to_mix_is_said(table):
    with pytest.warns(ThetaHatWarning, match="raise memory"):
        fit_stream(table.select("a", "b", "two"), "two", memory=0.01, epochs=1)


def test_weights_are_repetitions_at_the_maximum(table):
    rows = table.select("a", "b", "two").with_columns(w=pl.Series(np.arange(ROWS) % 3))
    twice = pl.concat([rows.filter(pl.col("w") >= 1), rows.filter(pl.col("w") == 2)])
    weighted = fit_stream(rows, "two", weight="w")
    repeated = fit_stream(twice, "two", drop=["w"])
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-5)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-4)


def test_missing_values_are_left_out_filled_or_refused_by_name(table):
    holed = table.select("a", "b", "number").with_columns(
        a=pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("a"))
    )
    dropped = fit_stream(holed, "number", "sgd-linear")
    whole = fit_stream(holed.drop_nulls(), "number", "sgd-linear")
    assert dropped.left_out == ROWS // 4
    np.testing.assert_allclose(dropped.coefficients, whole.coefficients, rtol=1e-6)
    filled = fit_stream(holed, "number", "sgd-linear", missing="mean")
    by_hand = holed.with_columns(pl.col("a").fill_null(pl.col("a").mean()))
    expected = fit_stream(by_hand, "number", "sgd-linear").coefficients
    np.testing.assert_allclose(filled.coefficients, expected, rtol=1e-5)
    with pytest.raises(DataError, match="'a', row 0"):
        fit_stream(holed, "number", "sgd-linear", missing="error")


def test_separated_classes_have_no_maximum_and_that_is_said():
    X = np.linspace(-1, 1, 400)[:, None]
    found = fit_stream([(X, (X[:, 0] > 0).astype(int))], "y")
    assert found.status is Status.SEPARABLE
    assert found.covariance is None


def test_columns_that_repeat_each_other_are_not_identified(table):
    rows = table.select("a", "number").with_columns(again=2 * pl.col("a"))
    assert fit_stream(rows, "number", "sgd-linear").status is Status.NOT_IDENTIFIED


def test_steps_that_diverge_are_named(table):
    with pytest.raises(UsageError, match="eta0"):
        fit_stream(table.select("a", "b", "number"), "number", "sgd-linear", eta0=50.0)


def test_the_time_limit_gives_what_there_is_without_error_bars(table):
    found = fit_stream(table.select("a", "b", "two"), "two", time_limit=1e-9, epochs=50)
    assert found.status is Status.OUT_OF_TIME
    assert found.covariance is None
    assert len(found.losses) < 50


def test_a_saved_fit_predicts_the_same_in_batches(table, tmp_path):
    rows = table.select("a", "b", "c", "two")
    found = fit_stream(rows, "two")
    found.save(tmp_path / "model")
    again = load_stream_fit(tmp_path / "model")
    batches = pl.concat(predict_stream(again, rows, batch=777))
    assert batches.equals(found.predict(rows))
    assert again.summary() == found.summary()
    assert (batches["low"] < batches["probability[yes]"]).all()
    (tmp_path / "cut").write_bytes((tmp_path / "model").read_bytes()[:500])
    with pytest.raises(ResultFileError, match="damaged"):
        load_stream_fit(tmp_path / "cut")


def test_a_row_with_a_missing_value_is_predicted_as_missing(table):
    found = fit_stream(table.select("a", "b", "number"), "number", "sgd-linear")
    predicted = found.predict(pl.DataFrame({"a": [1.0, None], "b": [1.0, 1.0]}))
    assert predicted["prediction"].is_null().to_list() == [False, True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "sgd-forest"}, "choose from"),
        ({"target": "three", "model": "sgd-logistic"}, "use sgd-softmax"),
        ({"target": "number", "model": "sgd-poisson"}, "use sgd-linear"),
        ({"epochs": 0}, "epochs"),
        ({"resume": True}, "checkpoint"),
        ({"target": "nowhere"}, "nowhere"),
        ({"classes": ["yes", "maybe"]}, "'no'"),
    ],
)
def test_what_cannot_be_meant_is_refused(table, change, said):
    with pytest.raises((UsageError, DataError), match=said):
        fit_stream(table, **({"target": "two", "model": "sgd-logistic"} | change))


def test_an_iterator_is_read_once(table):
    from thetahat.tables.streaming import open_source

    source = open_source(iter([table]))
    assert sum(frame.height for frame in source.batches(1000)) == ROWS
    with pytest.raises(UsageError, match="once"):
        next(source.batches(1000))
    gc.collect()


def test_progress_counts_every_row_of_every_phase_once(table, tmp_path):
    told: dict[str, list[tuple[int, int | None]]] = {}

    def listen(phase, done, of, loss):
        told.setdefault(phase, []).append((done, of))

    table.select("a", "b", "two").write_parquet(tmp_path / "rows.parquet")
    found = fit_stream(tmp_path / "rows.parquet", "two", epochs=3, memory=0.1, progress=listen)
    assert list(told) == ["Reading", "Fitting", "Finishing"]
    assert told["Reading"][-1] == (ROWS, ROWS)
    fitting = [done for done, _ in told["Fitting"]]
    assert fitting == sorted(set(fitting))
    assert told["Fitting"][-1] == (3 * ROWS, 3 * ROWS)
    assert [done for done, _ in told["Finishing"]].count(ROWS) == found.stats["passes"]


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("a,y", lambda i: f"{i % 7}e300,{i % 2}", "TH103 column 'a': its numbers are so large"),
        ("a,y", lambda i: f"{'inf' if i == 50 else i % 7},{i % 2}", "TH103 column 'a': it holds an infinite"),
        ("a,a,y", lambda i: f"{i % 7},{i % 3},{i % 2}", "TH105 .*'a' stands twice"),
        ("a,b,y", lambda i: f"{i % 7},,{i % 2}", "TH104 .*0 complete rows of 100"),
        (
            "a,b,y",
            lambda i: f"{i % 7},1,{i % 2}" + ",9" * (i == 50),
            "TH108 rows.csv: a batch cannot be read",
        ),
        ("a;y", lambda i: f"{i % 7};{i % 2}", "TH101"),
        ("a,y", lambda i: f"{i % 7},1", "TH102 column 'y'"),
    ],
)
def test_a_broken_file_is_refused_by_the_place_of_what_is_wrong(tmp_path, header, row, said):
    (tmp_path / "rows.csv").write_text("\n".join([header, *map(row, range(100))]) + "\n")
    with pytest.raises(DataError, match=said):
        fit_stream(tmp_path / "rows.csv")


@pytest.mark.parametrize("model", ["sgd-softmax", "sgd-logistic", "sgd-linear"])
def test_the_rows_of_a_step_are_those_asked_for(table, model, monkeypatch):
    from thetahat.estimation import stream_descent

    steps = []
    advance = stream_descent.advance

    def counting(state, X, *rest):
        before = state.steps
        advance(state, X, *rest)
        steps.append((len(X), state.steps - before))

    monkeypatch.setattr(stream_descent, "advance", counting)
    target = {"sgd-softmax": "three", "sgd-logistic": "two", "sgd-linear": "number"}[model]
    fit_stream(table.select("a", "b", target), target, model, epochs=1, batch_size=50, finish=False)
    assert steps == [(ROWS, ROWS / 50)]


@pytest.mark.parametrize(
    ("model", "seeds"), [("sgd-logistic", 300), ("sgd-poisson", 300), ("sgd-linear", 300)]
)
def test_error_bars_of_streams_cover(model, seeds):
    # Errors of unequal size, or a spread that is not of the family: what the sandwich is for.
    truth, held = np.array([0.3, 0.8, -0.5]), np.zeros(3)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 2))
        eta = truth[0] + X @ truth[1:]
        if model == "sgd-logistic":
            y = (rng.random(600) < 1 / (1 + np.exp(-eta))).astype(float)
        elif model == "sgd-poisson":
            y = rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, 600)).astype(float)
        else:
            y = eta + np.exp(0.5 * X[:, 0]) * rng.normal(size=600)
        fit = fit_stream(iter([(X, y)]), "y", model, epochs=1, seed=seed)
        error = np.sqrt(np.diag(fit.covariance))
        held += np.abs(fit.coefficients[:, 0] - truth) <= 1.96 * error
    slack = 4 * np.sqrt(0.05 * 0.95 / seeds)
    assert (np.abs(held / seeds - 0.95) < 0.02 + slack).all(), held / seeds


@pytest.mark.parametrize("room", [0, 100, 20_000])
def test_a_folder_without_room_for_the_rows_is_named(table, tmp_path, room):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(UsageError, match="folder: the rows cannot be written to .*File too large"):
            fit_stream(table.select("a", "c", "two"), "two", folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(UsageError, match="folder: the rows cannot be written to .*No such file"):
        fit_stream(table.select("a", "c", "two"), "two", folder=tmp_path / "nowhere")


def test_a_target_far_from_0_is_not_taken_for_steps_that_diverge():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = 1.7e9 + x + rng.normal(size=200)
    fit = fit_stream(pl.DataFrame({"x": x, "y": y}), model="sgd-linear", epochs=1)
    exact = LinearRegression().fit(x[:, None], y)
    assert fit.status is Status.SOLVED
    assert fit.result.params == pytest.approx([exact.intercept_, exact.coef_[0]], rel=1e-6)
