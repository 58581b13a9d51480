"""Principal components: exact where exactness is promised, sound at any scale, with honest error bars."""

import warnings

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn import model_selection as ms
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA as Peer

from thetahat.contracts import Draw, Sample
from thetahat.errors import ThetaHatWarning, UsageError
from thetahat.pca.classes import PCA, IncrementalPCA
from thetahat.pca.estimator import PrincipalComponents
from thetahat.pca.inference import choose_components, describe_components
from thetahat.pca.kernel import KernelPCA
from thetahat.pca.spectrum import by_eigenvalues, by_singular_values, merged, spread_of
from thetahat.resampling.plans import KFold, Rows


def rows(n=200, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.arange(d, 0, -1) + rng.normal(size=d)


@pytest.mark.parametrize("solver", ["full", "covariance_eigh", "arpack", "randomized"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_solver_gives_what_the_peer_gives(solver, dtype):
    X = load_digits().data.astype(dtype)
    ours, theirs = (c(5, svd_solver=solver, random_state=0, iterated_power=9).fit(X) for c in (PCA, Peer))
    digits = 1e-6 if dtype == np.float64 else 1e-3
    for name in (
        "components_",
        "explained_variance_",
        "explained_variance_ratio_",
        "singular_values_",
        "mean_",
    ):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=digits, atol=digits)
    assert ours.noise_variance_ == pytest.approx(theirs.noise_variance_, rel=1e-3)
    assert ours.components_.dtype == ours.transform(X).dtype == dtype
    np.testing.assert_allclose(
        ours.score_samples(X)[:5], theirs.score_samples(X)[:5], rtol=1e-3 if dtype == np.float32 else 1e-5
    )


def test_the_covariance_of_the_scores_is_diagonal_by_singular_and_by_eigenvalues():
    X = rows()
    for solver in ("full", "covariance_eigh"):
        scores = PCA(svd_solver=solver).fit_transform(X)
        C = np.cov(scores, rowvar=False)
        assert np.abs(C - np.diag(np.diagonal(C))).max() < 1e-11
    one, other = by_singular_values(X), by_eigenvalues(X)
    np.testing.assert_allclose(one.variances, other.variances, rtol=1e-11)
    np.testing.assert_allclose(one.components, other.components, atol=1e-9)


def test_a_large_mean_takes_no_digits_from_the_scatter():
    X = rows(500, 4)
    moved = PCA(svd_solver="covariance_eigh").fit(X + 1e8).explained_variance_
    np.testing.assert_allclose(moved, PCA(svd_solver="full").fit(X).explained_variance_, rtol=1e-6)
    theirs = Peer(svd_solver="covariance_eigh").fit(X + 1e8).explained_variance_
    assert np.abs(theirs / PCA().fit(X).explained_variance_ - 1).max() > 0.1


@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("solver", ["full", "covariance_eigh", "arpack", "randomized"])
def test_directions_are_sound_at_any_scale(scale, solver):
    X = rows(100, 6)
    plain = PCA(2, svd_solver=solver, random_state=0).fit(X)
    with pytest.warns(ThetaHatWarning, match="beyond the range of floating point"):
        found = PCA(2, svd_solver=solver, random_state=0).fit(X * scale)
    np.testing.assert_allclose(found.components_, plain.components_, atol=1e-6)
    np.testing.assert_allclose(found.explained_variance_ratio_, plain.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(found.singular_values_ / scale, plain.singular_values_, rtol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ThetaHatWarning)
        white = PCA(2, svd_solver=solver, whiten=True, random_state=0).fit_transform(X * scale)
    np.testing.assert_allclose(white.std(axis=0, ddof=1), 1.0, rtol=1e-5)


def test_constant_columns_constant_rows_and_fewer_rows_than_columns_give_finite_numbers():
    X = rows(30, 5)
    X[:, 2] = 7.0
    found = PCA().fit(X)
    assert np.isfinite(found.components_).all()
    assert found.explained_variance_[-1] == pytest.approx(0, abs=1e-12)
    same = PCA().fit(np.full((6, 3), 4.0))
    assert (same.explained_variance_ == 0).all()
    assert (same.explained_variance_ratio_ == 0).all()
    assert np.isfinite(PCA(whiten=True).fit(np.full((6, 3), 4.0)).transform(np.full((2, 3), 4.0))).all()
    wide = PCA().fit(rows(4, 9))
    assert wide.components_.shape == (4, 9)
    assert np.isfinite(wide.get_precision()).all()


def test_sparse_rows_give_what_dense_ones_give():
    X = sparse.random(300, 20, 0.2, random_state=0, format="csr")
    for solver in ("covariance_eigh", "arpack"):
        one = PCA(3, svd_solver=solver, random_state=0).fit(X)
        np.testing.assert_allclose(
            one.explained_variance_, PCA(3).fit(X.toarray()).explained_variance_, rtol=1e-6
        )
        np.testing.assert_allclose(
            one.transform(X[:4]), PCA(3).fit(X.toarray()).transform(X[:4].toarray()), atol=1e-6
        )


def test_batches_give_exactly_the_components_of_all_rows():
    X = rows(1000, 7)
    found = IncrementalPCA(3, batch_size=64).fit(X)
    whole = PCA(3).fit(X)
    np.testing.assert_allclose(found.components_, whole.components_, atol=1e-10)
    np.testing.assert_allclose(found.explained_variance_, whole.explained_variance_, rtol=1e-12)
    np.testing.assert_allclose(found.explained_variance_ratio_, whole.explained_variance_ratio_, rtol=1e-12)
    step = IncrementalPCA(3)
    for part in np.array_split(X, 13):
        step.partial_fit(part)
    np.testing.assert_allclose(step.components_, whole.components_, atol=1e-10)
    assert step.n_samples_seen_ == 1000
    np.testing.assert_allclose(step.var_, X.var(axis=0), rtol=1e-12)


def test_sums_of_parts_merge_to_those_of_all_rows():
    X = rows(500, 4) + 1e6
    whole, parts = spread_of(X), merged(spread_of(part) for part in np.array_split(X, 7))
    assert parts.n == 500
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(parts.scatter, whole.scatter, rtol=1e-8)


@pytest.mark.parametrize("plan", [KFold(10), KFold(3)])
def test_shared_draws_equal_refitting(plan):
    X = rows(300, 6) + 100.0
    draws = plan.draws(Rows(300), rng=np.random.default_rng(0))
    draws += [Draw(np.random.default_rng(k).integers(300, size=300), np.arange(0)) for k in range(3)]
    model = PrincipalComponents()
    for draw, fit in zip(draws, model.prepare(Sample(X)).solve(draws), strict=True):
        alone = by_singular_values(X[draw.train])
        assert fit.theta.n == alone.n
        np.testing.assert_allclose(fit.theta.variances, alone.variances, rtol=1e-10)
        np.testing.assert_allclose(fit.theta.components, alone.components, atol=1e-7)
        np.testing.assert_allclose(fit.theta.mean, alone.mean, rtol=1e-12)


def test_the_kernel_trick_equals_the_explicit_features():
    X = load_iris().data
    features = np.column_stack([X**2, *(np.sqrt(2) * X[:, i] * X[:, j] for i in range(4) for j in range(i))])
    by_kernel = KernelPCA(3, kernel="poly", degree=2, gamma=1.0, coef0=0.0).fit_transform(X)
    explicit = PCA(3).fit_transform(features)
    np.testing.assert_allclose(np.abs(by_kernel), np.abs(explicit), atol=1e-7)


LAW = np.array([6.0, 3.0, 1.0, 0.5])


def coverage(errors, draw, n, runs):
    """Return how often the intervals of the first eigenvalue and share hold the truth."""
    held = np.zeros(2)
    for run in range(runs):
        X = draw(np.random.default_rng(run), n) * np.sqrt(LAW)
        found = describe_components(by_singular_values(X), X, errors=errors, resamples=200)
        held += (
            found.eigenvalue_low[0] <= LAW[0] <= found.eigenvalue_high[0],
            found.ratio_low[0] <= LAW[0] / LAW.sum() <= found.ratio_high[0],
        )
    return held / runs


@pytest.mark.parametrize("errors", ["robust", "normal", "bootstrap"])
def test_intervals_of_eigenvalues_and_shares_cover_on_normal_rows(errors):
    runs = 60 if errors == "bootstrap" else 400
    found = coverage(errors, lambda rng, n: rng.normal(size=(n, 4)), 300, runs)
    assert (found > 0.95 - 0.02 - 4 * np.sqrt(0.05 * 0.95 / runs)).all(), found


def test_on_heavy_tails_the_robust_interval_covers_and_the_normal_one_does_not():
    def draw(rng, n):
        # Student's t with 6 degrees of freedom, of variance 1.
        return rng.standard_t(6, size=(n, 4)) / np.sqrt(1.5)

    robust, normal = (coverage(errors, draw, 1000, 300)[0] for errors in ("robust", "normal"))
    assert robust > 0.89
    assert normal < robust - 0.03
    assert normal < 0.9


def test_the_angle_is_that_by_which_samples_turn_a_direction():
    sines = []
    for run in range(400):
        X = np.random.default_rng(run).normal(size=(1000, 4)) * np.sqrt(LAW)
        sines.append(1 - by_singular_values(X).components[:, :].diagonal() ** 2)
    seen = np.degrees(np.arcsin(np.sqrt(np.mean(sines, axis=0))))
    X = np.random.default_rng(1).normal(size=(1000, 4)) * np.sqrt(LAW)
    spectrum = by_singular_values(X)
    for errors in ("robust", "bootstrap"):
        told = describe_components(spectrum, X, errors=errors, resamples=200).angle
        np.testing.assert_allclose(told, seen, rtol=0.35)


def test_held_out_likelihood_finds_the_number_of_components():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 10)) * 2 + rng.normal(size=(400, 10))
    found = choose_components(X)
    assert found.count_one_se <= found.count
    assert found.count in (3, 4)
    assert found.count_one_se == 3
    assert found.table()["components"] == list(range(10))
    assert choose_components(rng.normal(size=(300, 8))).count_one_se == 0


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("size", [1e-130, 1.0, 1e130])
def test_columns_that_follow_from_others_are_not_counted(shift, size):
    rng = np.random.default_rng(0)
    X = size * (rng.normal(size=(100, 3)) @ rng.normal(size=(3, 12)) + shift)
    found = choose_components(X)
    assert found.count == found.count_one_se == 3
    assert np.isfinite(found.log_likelihood).all()
    assert np.isfinite(found.se).all()


def test_rows_too_unlikely_for_a_double_to_tell_are_still_compared():
    X = np.random.default_rng(0).normal(size=(8, 3))
    X[1, 1], X[2, 2] = 2.0**62, 2.0**62
    found = choose_components(X, cv=3)
    assert np.isfinite(found.log_likelihood).all()
    assert np.isfinite(found.se).all()


def test_a_fold_that_trains_on_one_row_over_and_over_is_named():
    X = np.ones((9, 2))
    X[4] = 2.0
    with pytest.raises(UsageError, match="^X: the rows that a fold trains on are all the same"):
        choose_components(X, cv=3)


@pytest.mark.parametrize(
    "cv",
    ["cv:4", KFold(4), ms.KFold(4), list(ms.KFold(4).split(np.zeros(40)))],
    ids=lambda cv: type(cv).__name__,
)
def test_draws_of_every_form_choose_a_number_of_components(cv):
    X = rows(40, 4)
    found = choose_components(X, cv=cv)
    np.testing.assert_allclose(found.log_likelihood, choose_components(X, cv=4).log_likelihood, rtol=0.02)


def test_a_row_that_is_held_out_twice_counts_once():
    X = rows(40, 4)
    folds = list(ms.KFold(4).split(X))
    once, twice = (choose_components(X, cv=draws) for draws in (folds, folds + folds))
    np.testing.assert_allclose(once.log_likelihood, twice.log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(once.se, twice.se, rtol=1e-12)


def test_the_held_out_likelihood_is_that_of_the_refitted_model():
    X = rows(120, 5)
    found = choose_components(X, cv=4, rng=np.random.default_rng(3))
    draws = KFold(4).draws(Rows(120), rng=np.random.default_rng(3))
    for k in (1, 3):
        total = np.empty(120)
        for draw in draws:
            train = X[draw.train]
            value, vector = np.linalg.eigh(np.cov(train, rowvar=False, bias=True))
            value, vector = value[::-1], vector[:, ::-1]
            noise = value[k:].mean()
            C = vector[:, :k] * (value[:k] - noise) @ vector[:, :k].T + noise * np.eye(5)
            away = X[draw.test] - train.mean(axis=0)
            squares = np.einsum("ij,jk,ik->i", away, np.linalg.inv(C), away)
            total[draw.test] = -0.5 * (squares + np.linalg.slogdet(C)[1] + 5 * np.log(2 * np.pi))
        assert found.log_likelihood[k] == pytest.approx(total.mean(), rel=1e-9)


def test_the_table_and_the_scree_plot_hold_the_components_kept():
    X = rows()
    model = PCA(3).fit(X)
    found = model.describe(X)
    table = found.table()
    assert table["component"] == [1, 2, 3]
    np.testing.assert_allclose(table["eigenvalue"], model.explained_variance_)
    assert (found.ratio_low < found.ratio).all()
    assert (found.ratio < found.ratio_high).all()
    assert "components hold half of the variance of 200 rows" in found.plot().get_title(loc="left")
    with pytest.raises(UsageError, match="give the 200 rows of 6 columns"):
        model.describe(X[:10])
    with pytest.raises(UsageError, match="errors: choose robust"):
        model.describe(X, errors="exact")


def test_a_missing_value_is_refused_by_name():
    X = rows(20, 3)
    X[4, 1] = np.nan
    for model in (PCA(), IncrementalPCA(), KernelPCA()):
        with pytest.raises(ValueError, match="contains NaN"):
            model.fit(X)


@pytest.mark.parametrize("kind", ["parquet", "csv", "iterator"])
def test_a_stream_gives_the_components_of_all_rows(tmp_path, kind):
    X = rows(900, 5)
    frame = pl.DataFrame({f"c{k}": X[:, k] for k in range(5)})
    source = tmp_path / "part-*.parquet"
    if kind == "csv":
        source = tmp_path / "all.csv"
        frame.write_csv(source)
    elif kind == "iterator":
        source = (frame[start : start + 100] for start in range(0, 900, 100))
    else:
        for part in range(3):
            frame[part * 300 : (part + 1) * 300].write_parquet(tmp_path / f"part-{part}.parquet")
    found = IncrementalPCA(2, batch_size=70).fit_stream(source)
    np.testing.assert_allclose(found.components_, PCA(2).fit(X).components_, atol=1e-9)
    assert found.n_samples_seen_ == 900
    assert list(found.feature_names_in_) == [f"c{k}" for k in range(5)]


def test_a_stream_of_what_are_no_numbers_is_refused_by_name():
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"], "c": [1.0, None, 2.0]})
    with pytest.raises(UsageError, match="b of data frame does not hold numbers"):
        IncrementalPCA().fit_stream(frame)
    with pytest.raises(UsageError, match="c of data frame has missing values"):
        IncrementalPCA().fit_stream(frame, columns=["a", "c"])


@pytest.mark.parametrize("shape", [(300, 900), (900, 300)])
def test_a_krylov_space_is_nearer_the_truth_than_as_many_power_iterations(shape):
    X = np.random.default_rng(0).normal(size=shape) * np.linspace(1, 3, shape[1])
    exact = PCA(20, svd_solver="full").fit(X).explained_variance_
    ours, theirs = (
        np.abs(c(20, svd_solver="randomized", random_state=0).fit(X).explained_variance_ / exact - 1).max()
        for c in (PCA, Peer)
    )
    assert ours < theirs


def test_a_krylov_space_of_rows_of_low_rank_stays_orthonormal():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4)) @ rng.normal(size=(4, 600))
    found = PCA(10, svd_solver="randomized", random_state=0).fit(X)
    np.testing.assert_allclose(found.components_ @ found.components_.T, np.eye(10), atol=1e-12)
    exact = PCA(10, svd_solver="full").fit(X)
    np.testing.assert_allclose(found.explained_variance_[:4], exact.explained_variance_[:4], rtol=1e-10)
    assert (found.explained_variance_[4:] < 1e-20 * found.explained_variance_[0]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("solver", ["covariance_eigh", "full"])
def test_rows_that_are_not_finite_are_refused_by_name(bad, solver):
    X = rows(5000, 6)
    X[4321, 3] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        PCA(svd_solver=solver).fit(X)


FAR = {
    "full": lambda X: PCA(svd_solver="full").fit(X),
    "covariance_eigh": lambda X: PCA(svd_solver="covariance_eigh").fit(X),
    "randomized": lambda X: PCA(2, svd_solver="randomized", random_state=0).fit(X),
    "arpack": lambda X: PCA(2, svd_solver="arpack", random_state=0).fit(X),
    "incremental": lambda X: IncrementalPCA(batch_size=7).fit(X),
    "batch by batch": lambda X: IncrementalPCA().partial_fit(X[:9]).partial_fit(X[9:16]).partial_fit(X[16:]),
    "sparse": lambda X: PCA(svd_solver="covariance_eigh").fit(sparse.csr_matrix(X)),
    "sparse, incremental": lambda X: IncrementalPCA(batch_size=7).fit(sparse.csr_matrix(X)),
}


@pytest.mark.parametrize("name", FAR)
def test_variances_keep_their_digits_where_rows_lie_far_from_0(name):
    # Whole numbers on a large one are exact, so moving them moves no deviation.
    X = np.random.default_rng(0).integers(0, 50, (24, 3)).astype(float)
    near, far = (FAR[name](X + shift) for shift in (0.0, 2.0**51))
    assert far.explained_variance_ == pytest.approx(near.explained_variance_, rel=1e-11)
    assert far.explained_variance_ratio_ == pytest.approx(near.explained_variance_ratio_, rel=1e-11)
    assert far.components_ == pytest.approx(near.components_, abs=1e-11)


def test_a_sparse_column_far_from_0_keeps_its_spread_beside_columns_that_are_mostly_0():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((40, 4)) < 0.2, rng.integers(1, 9, (40, 4)), 0).astype(float)
    X[:, 1] = rng.integers(0, 9, 40)
    near, far = X.copy(), X.copy()
    far[:, 1] += 2.0**50
    ours = PCA(svd_solver="covariance_eigh").fit(sparse.csr_matrix(far)).explained_variance_
    assert ours == pytest.approx(PCA(svd_solver="full").fit(near).explained_variance_, rel=1e-10)


def test_kernel_components_of_whole_numbers_are_those_of_the_same_floats():
    whole = np.random.default_rng(0).integers(-3, 4, size=(20, 3))
    model = KernelPCA(2, kernel="rbf", fit_inverse_transform=True).fit(whole)
    np.testing.assert_array_equal(model.transform(whole), model.transform(whole.astype(float)))
    scores = np.array([[1, 0], [0, 1]])
    np.testing.assert_array_equal(
        model.inverse_transform(scores), model.inverse_transform(scores.astype(float))
    )
