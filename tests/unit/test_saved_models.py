import inspect
import json
import sys
import zipfile

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import thetahat as th
from thetahat.errors import ResultFileError, UsageError
from thetahat.estimation.saving import KINDS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::thetahat.ThetaHatWarning"),
]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
SPARSE = sp.csr_matrix(np.where(RNG.random(X.shape) < 0.4, 0.0, X))
NUMBERS = X @ [1.0, 2.0, 3.0] + RNG.normal(size=80)
COUNTS = RNG.poisson(3.0, size=80)
LABELS = RNG.choice(["a", "b", "c"], size=80)
TWO = NUMBERS + RNG.logistic(size=80) * 4 > 0
PAIR = np.column_stack([NUMBERS, -NUMBERS])
WIDE = np.where(TWO, "ja", "nein, aber ☃").astype("<U40")
MODELS = {
    "linear": (th.LinearRegression(), NUMBERS),
    "two outputs": (th.LinearRegression(), PAIR),
    "ridge": (th.Ridge(alpha=2.5), NUMBERS),
    "ridge of two": (th.Ridge(alpha=np.array([1.0, 2.0])), PAIR),
    "poisson": (th.PoissonRegression(alpha=0), COUNTS),
    "binary": (th.LogisticRegression(C=np.inf), TWO),
    "text": (th.LogisticRegression(C=0.5, class_weight={"a": 1.0, "b": 2.0, "c": 1.0}), LABELS),
    "objects": (th.LogisticRegression(), LABELS.astype(object)),
    "wide": (th.LogisticRegression(), WIDE),
    "sgd": (th.SGDClassifier(random_state=0), LABELS),
    "sgd average": (th.SGDClassifier("log_loss", average=True, random_state=0, penalty="l1"), TWO),
    "sgd softmax": (th.SGDClassifier("log_loss", multi_class="multinomial", random_state=1), LABELS),
    "sgd numbers": (th.SGDRegressor(random_state=np.random.RandomState(3), early_stopping=True), NUMBERS),
    "svc": (th.SVC(), LABELS),
    "svc linear": (th.SVC(kernel="linear", class_weight="balanced"), TWO),
    "svc poly ovo": (th.SVC(kernel="poly", decision_function_shape="ovo"), LABELS),
    "svr": (th.SVR(kernel="sigmoid", gamma=0.01), NUMBERS),
    "novelty": (th.OneClassSVM(nu=0.2), None),
    "pca": (th.PCA(2, whiten=True), None),
    "pca share": (th.PCA(0.8), None),
    "incremental": (th.IncrementalPCA(2), None),
    "kernel pca": (th.KernelPCA(2, kernel="rbf", fit_inverse_transform=True), None),
    "network": (th.MLPClassifier((6, 5), hidden=["prelu", "tanh"], max_iter=4, random_state=0), LABELS),
    "network of two": (th.MLPClassifier((4,), max_iter=4, random_state=0, dropout=0.2), WIDE),
    "network of labels": (
        th.MLPClassifier((4,), max_iter=4, random_state=0),
        np.column_stack([TWO, ~TWO]) * 1,
    ),
    "network numbers": (th.MLPRegressor(hidden_layer_sizes=(5,), max_iter=4, random_state=0), PAIR),
    "network spread": (
        th.MLPRegressor(
            hidden_layer_sizes=(5,), max_iter=4, variance="per-example", random_state=0, bias=False
        ),
        NUMBERS,
    ),
    "network early": (
        th.MLPRegressor(hidden_layer_sizes=5, max_iter=4, early_stopping=True, solver="sgd", random_state=0),
        NUMBERS,
    ),
    "network counts": (th.MLPRegressor("poisson", max_iter=4, solver="lbfgs", random_state=0), COUNTS),
}
SPARSELY = ("binary", "sgd", "svc", "svc linear", "svr", "novelty", "network")
METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples", "inverse_transform")


def fitted(name, rows=X):
    model, y = MODELS[name]
    return (model.fit(rows) if y is None else model.fit(rows, y)), y


def same(a, b):
    """Equal in type, order in memory and every bit."""
    if sp.issparse(a):
        assert type(a) is type(b)
        for part in ("data", "indices", "indptr"):
            same(getattr(a, part), getattr(b, part))
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.flags.f_contiguous) == (b.dtype, b.shape, b.flags.f_contiguous)
        assert a.tobytes() == b.tobytes() if a.dtype.kind != "O" else a.tolist() == b.tolist()
    elif isinstance(a, list | tuple):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    else:
        assert type(a) is type(b)


def predictions(model, rows):
    found = {}
    for method in METHODS:
        if not hasattr(model, method):
            continue
        try:
            given = model.transform(rows) if method == "inverse_transform" else rows
            found[method] = getattr(model, method)(given)
        except ValueError:
            # score_samples of sparse rows, and the way back of a kernel that was not asked for.
            continue
    assert found
    return found


def settings(model):
    return {
        k: None if isinstance(v, np.random.RandomState) else str(v) for k, v in model.get_params().items()
    }


def check_equal(again, model, rows):
    same(list(predictions(model, rows).values()), list(predictions(again, rows).values()))
    assert type(again) is type(model)
    assert settings(again) == settings(model)
    unsaved = {"_sklearn_version", "_rows", "_dtype"}
    assert vars(again).keys() - unsaved == vars(model).keys() - unsaved
    for name, value in vars(model).items():
        random = isinstance(value, np.random.Generator | np.random.RandomState)
        if not random and name not in ("_rows", "_record", "_sklearn_version", "_dtype"):
            same(value, getattr(again, name))


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_equals_the_saved_one_to_the_bit(name, tmp_path):
    model, y = fitted(name)
    th.save(model, tmp_path / "model")
    again = th.load(tmp_path / "model")
    check_equal(again, model, X)
    if np.ndim(y) == 1 and hasattr(model, "result_"):
        assert again.result_.summary() == model.result_.summary()
        same(again.result_.with_errors("HC3").covariance, model.result_.with_errors("HC3").covariance)
    if name == "linear":
        same(th.predict_interval(again, X).low, th.predict_interval(model, X).low)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("name", SPARSELY)
def test_models_of_sparse_rows_come_back(name, tmp_path):
    model, _ = fitted(name, SPARSE)
    th.save(model, tmp_path / "model")
    check_equal(th.load(tmp_path / "model"), model, SPARSE)


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name][0], "partial_fit")])
def test_a_loaded_model_goes_on_to_the_same_bits(name, tmp_path):
    model, y = MODELS[name]
    model = model.__class__(**model.get_params()).set_params(
        **dict.fromkeys({"early_stopping"} & set(model.get_params()), False)
    )
    more = {"classes": np.unique(y)} if "classes" in inspect.signature(model.partial_fit).parameters else {}
    if np.ndim(y) == 2 and more:
        more = {"classes": [0, 1]}
    halves = [
        (rows, None if y is None else y[part]) for part in (slice(40), slice(40, 80)) for rows in [X[part]]
    ]
    model.partial_fit(*halves[0], **more)
    th.save(model, tmp_path / "half")
    again = th.load(tmp_path / "half")
    for each in (model, again):
        for _ in range(3):
            each.partial_fit(*halves[1])
    check_equal(again, model, X)


@pytest.mark.parametrize("name", ["binary", "sgd", "sgd numbers", "network", "network early"])
def test_a_loaded_model_starts_warm_as_the_saved_one(name, tmp_path):
    model, y = fitted(name)
    model.set_params(warm_start=True, max_iter=3)
    th.save(model, tmp_path / "model")
    again = th.load(tmp_path / "model")
    for each in (model, again):
        each.fit(X, y)
    check_equal(again, model, X)


def test_every_public_learner_is_saved():
    public = [getattr(th, name) for name in th.__all__]
    learners = {each for each in public if inspect.isclass(each) and issubclass(each, BaseEstimator)}
    assert learners - {kind.made for kind in KINDS} == set()
    assert learners <= {type(model) for model, _ in MODELS.values()}
    assert len({kind.made.__name__ for kind in KINDS}) == len(KINDS)


def test_column_names_and_the_output_asked_for_are_kept(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    th.save(th.LinearRegression().fit(frame, NUMBERS), tmp_path / "model")
    again = th.load(tmp_path / "model")
    assert list(again.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a", "c"]])
    th.save(th.PCA(2).fit(frame).set_output(transform="pandas"), tmp_path / "pca")
    assert list(th.load(tmp_path / "pca").transform(frame).columns) == ["pca0", "pca1"]


def test_a_stream_fit_and_a_table_fit_are_loaded_by_the_same_function(tmp_path):
    import polars as pl

    from thetahat.estimation.regression import fit_table

    frame = pl.DataFrame({"a": X[:, 0], "kind": LABELS, "y": NUMBERS})
    streamed = th.fit_stream(frame, target="y", model="sgd-linear", epochs=2)
    th.save(streamed, tmp_path / "stream")
    assert th.load(tmp_path / "stream").summary() == streamed.summary()
    fit_table(frame, "y", errors="HC3").save(tmp_path / "table")
    assert th.load(tmp_path / "table").summary() == fit_table(frame, "y", errors="HC3").summary()
    with pytest.raises(ResultFileError, match="holds a model of class 'TableFit'"):
        th.load_stream_fit(tmp_path / "table")


@pytest.mark.parametrize("name", ["linear", "network"])
def test_the_same_model_is_the_same_file_and_holds_no_row(name, tmp_path):
    model, _ = fitted(name)
    for path in ("one", "two"):
        th.save(model, tmp_path / path)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert sorted(archive.namelist()) == ["arrays.safetensors", "model.json"]
        assert X.tobytes()[:64] not in archive.read("arrays.safetensors")


def test_a_path_of_this_machine_is_not_in_the_file_and_not_taken_from_one(tmp_path):
    model = th.MLPRegressor(max_iter=2, checkpoint=tmp_path / "training", random_state=0)
    with pytest.warns(Warning, match="still improves"):
        model.fit(X, NUMBERS)
    th.save(model, tmp_path / "model")
    assert th.load(tmp_path / "model").checkpoint is None
    changed(tmp_path / "model", lambda d: d["parameters"].update(checkpoint="/tmp/elsewhere"))
    with pytest.raises(ResultFileError, match="'checkpoint' is no attribute"):
        th.load(tmp_path / "model")


def changed(path, change=None, drop=(), arrays=None):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name not in drop}
    if change is not None:
        described = json.loads(parts["model.json"])
        # Most changes are of the learner's own parts.
        change(Described(described))
        parts["model.json"] = json.dumps(described).encode()
    if arrays is not None:
        held = load_arrays(parts["arrays.safetensors"])
        arrays(held)
        parts["arrays.safetensors"] = save_arrays({k: np.ascontiguousarray(v) for k, v in held.items()})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


class Described(dict):
    def __init__(self, described):
        self.whole = described
        super().__init__({name: part["named"] for name, part in described["model"]["holds"].items()})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.whole.update(schema_version=3), "schema version 3.*upgrade"),
        (lambda d: d.whole.update(schema_version=1), "schema version 1.*save again"),
        (lambda d: d.whole.update(format="other"), "not a saved model"),
        (lambda d: d.whole.update({"class": "os.system"}), "class 'os.system', which is not read here"),
        (lambda d: d.whole.update({"class": "Ridge"}), "it holds a LinearRegression"),
        (lambda d: d.whole["model"].update(of="os.system"), "damaged: KeyError 'os.system'"),
        (lambda d: d.whole.pop("model"), "damaged"),
        (lambda d: d.whole.update(model=[1]), "damaged"),
        (lambda d: d["parameters"].update(unknown=1), "damaged"),
        (lambda d: d["parameters"].update(fit_intercept="x"), "damaged: The 'fit_intercept' parameter"),
        (lambda d: d["attributes"].update(predict="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(extra="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(_rows_="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(result_="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(__class__="x"), "no attribute of a fitted model"),
        (lambda d: d["attributes"].update(coef_={"array": "elsewhere"}), "damaged"),
        (lambda d: d["attributes"].update(coef_={"what": "else"}), "damaged"),
        (lambda d: d["attributes"].update(coef_=1e300), "cannot predict a row"),
        (lambda d: d["attributes"].update(n_features_in_=7), "cannot predict a row"),
        (lambda d: d["attributes"]["_record"]["holds"].pop("names"), "lacks a part"),
    ],
)
def test_a_file_that_was_meddled_with_is_refused(change, said, tmp_path):
    path = tmp_path / "model.zip"
    model = th.LinearRegression().fit(X, NUMBERS)
    assert model.result_.names
    th.save(model, path)
    changed(path, change)
    with pytest.raises(ResultFileError, match=said):
        th.load(path)


def put(name, value):
    return lambda arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    ("name", "arrays", "said"),
    [
        ("text", put("attributes.classes_", np.full((4, 1), 65, np.uint32)), "for 4 classes"),
        ("svc", put("attributes._codes", np.full(74, 9)), "of no class"),
        ("svc", put("attributes.intercept_", np.zeros(2)), "machines are not those of 3 classes"),
        ("network", put("attributes.classes_", np.full((1, 1), 65, np.uint32)), "3 outputs for 1 classes"),
        ("linear", put("attributes._record.params", np.zeros(3)), "params has the shape"),
        ("sgd", put("attributes._state.w", np.zeros((3, 2))), "w_sum of a state has the shape"),
        ("sgd", put("attributes._state.scalars", np.zeros((3, 2))), "scalars of a state"),
        ("sgd", put("attributes._state.w", np.zeros((3, 3), int)), "no table of decimal numbers"),
        (
            "sgd",
            lambda a: a.update({k: v[:2] for k, v in a.items() if "_state" in k}),
            "its state has the shape",
        ),
        ("network", put("attributes.coefs_.0", np.zeros((3, 7))), "weights has the shape"),
        ("network", put("attributes.coefs_.0", np.zeros((3, 6), int)), "weights has the shape"),
        ("network", put("attributes.extras_.0", np.zeros(9)), "parameters are not those"),
        ("incremental", put("attributes._spread.scatter", np.zeros((2, 2))), "scatter has the shape"),
        ("svc", put("attributes.support_vectors_", np.zeros((2, 3))), "altered"),
        ("pca", put("attributes.mean_", np.zeros((0, 2**40))), "claims the shape"),
        ("wide", put("attributes.classes_", np.full((2, 40), 2**31, np.uint32)), "no character"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name, arrays, said, tmp_path):
    th.save(fitted(name)[0], tmp_path / "model")
    changed(tmp_path / "model", arrays=arrays)
    with pytest.raises(ResultFileError, match=said):
        th.load(tmp_path / "model")


def test_a_sparse_array_with_a_place_outside_is_refused(tmp_path):
    th.save(fitted("svc linear", SPARSE)[0], tmp_path / "model")

    def outside(arrays):
        places = arrays["attributes.support_vectors_.indices"].copy()
        places[0] = 2**30
        arrays["attributes.support_vectors_.indices"] = places

    changed(tmp_path / "model", arrays=outside)
    with pytest.raises(ResultFileError, match="damaged"):
        th.load(tmp_path / "model")


def test_a_random_state_at_a_place_that_it_does_not_have_is_refused(tmp_path):
    th.save(fitted("sgd numbers")[0], tmp_path / "model")

    def far(described):
        state = described["parameters"]["random_state"]["random"]["named"]["state"]["named"]
        assert 0 <= state["pos"] <= 624
        state["pos"] = 100_000_000

    changed(tmp_path / "model", far)
    with pytest.raises(ResultFileError, match="at a place"):
        th.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("network", {"_rng": "x"}, "of another kind"),
        ("network", {"_history": None}, "of another kind"),
        ("sgd", {"eta0_": "x"}, "no number"),
        ("pca", {"n_features_in_": None}, "how many columns"),
    ],
)
def test_attributes_of_another_kind_are_refused(name, changes, said, tmp_path):
    th.save(fitted(name)[0], tmp_path / "model")
    changed(tmp_path / "model", lambda d: d["attributes"].update(changes))
    with pytest.raises(ResultFileError, match=said):
        th.load(tmp_path / "model")


@pytest.mark.parametrize("part", ["model.json", "arrays.safetensors"])
def test_a_file_with_a_part_missing_is_refused(part, tmp_path):
    path = tmp_path / "model.zip"
    th.save(th.LinearRegression().fit(X, NUMBERS), path)
    changed(path, drop=[part])
    with pytest.raises(ResultFileError, match="not a saved model"):
        th.load(path)


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 and no more"])
def test_what_is_no_model_is_refused(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ResultFileError, match="not a saved model"):
        th.load(tmp_path / "file")


def test_a_zip_of_a_version_to_come_is_refused(tmp_path):
    th.save(th.LinearRegression().fit(X, NUMBERS), tmp_path / "file")
    content = bytearray((tmp_path / "file").read_bytes())
    # The version needed to extract, in the directory at the end.
    content[content.rindex(b"PK\x01\x02") + 6] = 128
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ResultFileError, match="not a saved model"):
        th.load(tmp_path / "file")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ResultFileError, match="cannot be read"):
            th.load(path)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (th.LinearRegression(), "not fitted"),
        (th.MLPClassifier(), "not fitted"),
        ({}, "only estimators can be saved, not dict"),
        (
            th.SVC(kernel=lambda a, b: a @ b.T).fit(X, LABELS),
            "kernel is a function, and a saved model holds no",
        ),
    ],
)
def test_what_cannot_be_saved_is_refused_by_name(model, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        th.save(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_an_estimator_of_scikit_learn_is_saved_by_skops(tmp_path):
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()).fit(X, LABELS)
    th.save(model, tmp_path / "model")
    np.testing.assert_array_equal(th.load(tmp_path / "model").predict_proba(X), model.predict_proba(X))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("damage", [b"{}", b"[1]", b'{"__loader__": "ObjectNode"}', b"[" * 100_000])
def test_a_damaged_skops_file_is_refused(damage, tmp_path):
    with zipfile.ZipFile(tmp_path / "model", "w") as archive:
        archive.writestr("schema.json", damage)
    with pytest.raises(ResultFileError, match="cannot be loaded"):
        th.load(tmp_path / "model")


def test_a_skops_file_that_swells_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 50_000_000)
    with pytest.raises(ResultFileError, match="would unpack to 50000000 bytes"):
        th.load(tmp_path / "model")


def test_without_skops_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    with pytest.raises(UsageError, match=r"pip install 'thetahat\[skops\]'"):
        th.save(StandardScaler().fit(X), tmp_path / "model")


def test_untrusted_types_are_listed_and_not_loaded(tmp_path):
    model = FunctionTransformer(inspect.cleandoc).fit(X)
    th.save(model, tmp_path / "model")
    said = r"not known to be safe: inspect.cleandoc; .*trusted=\['inspect.cleandoc'\]"
    with pytest.raises(UsageError, match=said):
        th.load(tmp_path / "model")
    assert th.load(tmp_path / "model", trusted=["inspect.cleandoc"]).func is inspect.cleandoc


def test_metadata_requests_come_back(tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        asks = th.SGDClassifier(random_state=0).set_fit_request(sample_weight="importance")
        asks.set_partial_fit_request(sample_weight=True, classes=None).set_score_request(sample_weight=False)
    for model in (asks, th.SGDClassifier(random_state=0)):
        th.save(model.fit(X, LABELS), tmp_path / "model")
        again = th.load(tmp_path / "model")
        assert str(again.get_metadata_routing()) == str(model.get_metadata_routing())
        assert str(clone(again).get_metadata_routing()) == str(model.get_metadata_routing())


@pytest.mark.parametrize(
    "asked",
    [
        {"no_method": {"sample_weight": True}},
        {"fit": {"no_argument": True}},
        {"fit": {"sample_weight": 3}},
        {"fit": {"sample_weight": "no name"}},
        {"owner": {"sample_weight": True}},
        {"fit": None},
    ],
)
def test_a_file_cannot_ask_for_what_a_class_does_not_take(asked, tmp_path):
    model = th.Ridge().fit(X, NUMBERS)
    take, make = next((kind.take, kind.make) for kind in KINDS if kind.made is th.Ridge)
    make({**take(model), "requests": {"fit": {"sample_weight": "w"}}})
    with pytest.raises((ValueError, AttributeError, TypeError)):
        make({**take(model), "requests": asked})
