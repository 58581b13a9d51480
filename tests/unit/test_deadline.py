"""Work that is limited in time: who is told, and that every solver of ours leaves within one step."""

import dataclasses
import pickle
import pkgutil
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

import thetahat as th
from thetahat.contracts import Draw, Sample
from thetahat.deadline import Deadline, OutOfTime, check_time, seconds_left, within
from thetahat.linear import least_squares, separation
from thetahat.linear.least_squares import LeastSquares
from thetahat.linear.logistic import Logistic
from thetahat.linear.poisson import Poisson
from thetahat.networks.engine import DynamicExecutor
from thetahat.numerics.least_squares import solve_least_squares
from thetahat.numerics.threads import spread
from thetahat.optimisers.lbfgs import lbfgs
from thetahat.optimisers.newton import newton
from thetahat.optimisers.preconditioned import preconditioned_lbfgs
from thetahat.pca.estimator import PrincipalComponents
from thetahat.svm import active, solver, training
from thetahat.svm.estimator import SupportVectorMachine

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 6))
LABELS = (X[:, 0] + X[:, 1] ** 2 + RNG.normal(size=240) > 0.7).astype(np.int64)
CLASSES = np.digitize(X[:, 0] + RNG.normal(size=240), [-0.5, 0.5])
NUMBERS = X[:, 0] + RNG.normal(size=240)
FOLDS = [Draw(np.setdiff1d(np.arange(240), rows), rows) for rows in np.array_split(RNG.permutation(240), 4)]


# Who is told.


def test_nothing_is_limited_without_a_deadline():
    check_time()
    assert seconds_left() is None


def test_a_deadline_that_has_passed_ends_what_asks():
    with within(Deadline(0.0)):
        assert seconds_left() == 0.0
        with pytest.raises(OutOfTime, match="the time limit was reached"):
            check_time()
    check_time()


def test_time_is_over_when_so_many_seconds_have_passed_and_not_before():
    now = [10.0]
    with within(Deadline(5.0, lambda: now[0])):
        now[0] = 14.9
        check_time()
        assert seconds_left() == pytest.approx(0.1)
        now[0] = 15.0
        with pytest.raises(OutOfTime):
            check_time()


@pytest.mark.parametrize(("outer", "inner"), [(0.0, 9.0), (9.0, 0.0), (0.0, None)])
def test_of_two_deadlines_the_nearer_holds(outer, inner):
    outer, inner = Deadline(outer), None if inner is None else Deadline(inner)
    with within(outer), within(inner), pytest.raises(OutOfTime) as out:
        check_time()
    assert out.value.deadline.passed


def test_another_clock_is_given_the_seconds_left():
    now = [1e9]
    deadline = Deadline(50.0, lambda: now[0])
    now[0] += 20.0
    there = pickle.loads(pickle.dumps(deadline))
    assert there.left == pytest.approx(30.0, abs=5.0)


def test_on_this_machine_the_seconds_on_the_way_count_and_on_another_they_cannot(monkeypatch):
    monkeypatch.setattr("thetahat.deadline._boot", lambda: "this one")
    sent = pickle.dumps(Deadline(50.0))
    time.sleep(0.05)
    here = pickle.loads(sent)
    monkeypatch.setattr("thetahat.deadline._boot", lambda: "another")
    there = pickle.loads(sent)
    assert there._at - here._at >= 0.05
    # Where the system does not tell machines apart, no clock is believed but one's own.
    monkeypatch.setattr("thetahat.deadline._boot", lambda: "")
    make, (left, at, boot) = Deadline(50.0).__reduce__()
    assert make(left, at - 1000.0, boot).left == pytest.approx(50.0, abs=5.0)


def test_a_clock_that_is_behind_makes_no_deadline_later(monkeypatch):
    monkeypatch.setattr("thetahat.deadline._boot", lambda: "this one")
    make, (left, at, boot) = Deadline(50.0).__reduce__()
    assert make(left, at + 1000.0, boot).left <= 50.0


def test_being_out_of_time_is_no_error_of_the_work_and_survives_pickling():
    assert not issubclass(OutOfTime, Exception)
    assert pickle.loads(pickle.dumps(OutOfTime(Deadline(0.0)))).deadline.passed


def test_a_deadline_is_that_of_its_thread():
    seen = []
    with within(Deadline(0.0)):
        other = threading.Thread(target=lambda: seen.append(seconds_left()))
        other.start()
        other.join()
    assert seen == [None]


@pytest.mark.parametrize("threads", [1, 2])
def test_pieces_are_not_begun_when_the_time_is_over_on_any_thread(threads):
    done = []
    with threadpool_limits(threads):
        clock = Deadline(3, lambda: len(done))
        with within(clock), pytest.raises(OutOfTime):
            spread(done.append, range(50))
    assert 3 <= len(done) < 3 + threads


# Every solver leaves within one step. The clock of these is the count of the steps themselves.


class Bowl:
    """Σ (exp x − x), which takes a few steps."""

    def at(self, theta):
        return SimpleNamespace(
            value=float(np.sum(np.exp(theta) - theta)),
            gradient=np.exp(theta) - 1,
            hessian=lambda: np.diag(np.exp(theta)),
        )


def fitted(estimator, y, rows=X):
    return lambda: estimator.estimate(Sample(rows, y), rng=np.random.default_rng(0))


def shared(estimator, y, capacities=()):
    sample = Sample(X, y)
    return lambda: list(estimator.prepare(sample).solve(FOLDS, capacities, rngs=()))


def small_bursts(patch):
    patch.setattr(solver, "BURST", 5)
    patch.setattr(active, "BURST", 5)


def in_parts(patch):
    small_bursts(patch)
    patch.setattr(training, "MOST_ROWS_WHOLE", 10)
    patch.setattr(training, "MOST_ROWS_WHOLE_NARROW", 10)
    patch.setattr(training, "MOST_ROWS_DOUBLE", 10)


def iterated(patch):
    patch.setattr(least_squares, "MOST_DENSE_ENTRIES", 1)


def many(patch):
    patch.setattr("thetahat.linear.objective.MOST_FOR_NEWTON", 1)


def in_blocks(patch):
    patch.setattr("thetahat.pca.spectrum.BLOCK", 20)


def no_setting(patch):
    pass


def network(**options):
    options = {"max_iter": 8, "random_state": 0, "n_iter_no_change": 50} | options
    return lambda: th.MLPClassifier((4,), **options).fit(X, LABELS)


def curve(theta, x):
    return theta[0] * np.exp(theta[1] * x)


# Asked before each product of an operator, and so as good a count of them.
A_PRODUCT = "thetahat.numerics.operators.check_time"
START = np.full(3, 4.0)
SOLVERS = {
    "Newton": (f"{__name__}:Bowl.at", lambda: newton(Bowl(), START), no_setting),
    "Newton, its halvings": (f"{__name__}:Bowl.at", lambda: newton(Bowl(), -START), no_setting),
    "L-BFGS": (f"{__name__}:Bowl.at", lambda: lbfgs(Bowl(), START), no_setting),
    "L-BFGS made round": (
        f"{__name__}:Bowl.at",
        lambda: preconditioned_lbfgs(Bowl(), START, np.eye(3)),
        no_setting,
    ),
    "logistic": ("thetahat.linear.objective.PenalisedLoss.at", fitted(Logistic(), LABELS), no_setting),
    "softmax": (
        "thetahat.linear.objective.PenalisedLoss.at",
        fitted(Logistic(classes=3), CLASSES),
        no_setting,
    ),
    "softmax, its Hessian": (
        "thetahat.linear.design.Design.gram",
        fitted(Logistic(classes=3), CLASSES),
        no_setting,
    ),
    "softmax by gradients": (
        "thetahat.linear.objective.PenalisedLoss.at",
        fitted(Logistic(classes=3), CLASSES),
        many,
    ),
    "Poisson": (
        "thetahat.linear.objective.PenalisedLoss.at",
        fitted(Poisson(), RNG.poisson(3, 240)),
        no_setting,
    ),
    "logistic, shared": (
        "thetahat.linear.shared_likelihood.bernoulli_slopes",
        shared(Logistic(), LABELS, (0.1, 1.0)),
        no_setting,
    ),
    "refinement of least squares": (
        "thetahat.numerics.least_squares.residual",
        lambda: solve_least_squares(X, np.column_stack([NUMBERS, NUMBERS**2, X[:, 0] ** 3])),
        no_setting,
    ),
    "least squares of a sparse table": (
        A_PRODUCT,
        fitted(LeastSquares(), NUMBERS, sparse.csr_array(X)),
        iterated,
    ),
    "ridge, shared": (
        "thetahat.linear.shared_least_squares.moments",
        shared(LeastSquares(1.0, standardise=True), NUMBERS, (0.1, 1.0)),
        no_setting,
    ),
    "SGD": (
        "thetahat.linear.sgd_training.advance",
        lambda: th.SGDClassifier(random_state=0, max_iter=9, tol=None).fit(X, LABELS),
        no_setting,
    ),
    "SMO": ("thetahat.svm.solver.burst", fitted(SupportVectorMachine(2), LABELS), small_bursts),
    "SMO on active sets": ("thetahat.svm.active.burst", fitted(SupportVectorMachine(2), LABELS), in_parts),
    "interior point": (
        "thetahat.svm.interior._Newton.__init__",
        fitted(SupportVectorMachine(2, "linear"), LABELS),
        no_setting,
    ),
    "machines, shared": (
        "thetahat.svm.solver.burst",
        shared(SupportVectorMachine(2), LABELS, (0.1, 1.0)),
        small_bursts,
    ),
    "network": ("thetahat.networks.engine.static.StaticExecutor._chunk", network(), no_setting),
    "network by L-BFGS": (
        "thetahat.networks.training._OfAllRows.at",
        network(solver="lbfgs"),
        no_setting,
    ),
    "sums of products": (
        "thetahat.pca.spectrum._centre",
        lambda: th.PCA(2, svd_solver="covariance_eigh").fit(X),
        in_blocks,
    ),
    "batches of rows": (
        "thetahat.pca.spectrum._centre",
        lambda: th.IncrementalPCA(2, batch_size=30).fit(X),
        no_setting,
    ),
    "block Krylov": (
        "thetahat.pca.krylov._orthonormal",
        lambda: th.PCA(2, svd_solver="randomized", n_oversamples=1, iterated_power=6, random_state=0).fit(
            np.random.default_rng(1).normal(size=(60, 50))
        ),
        no_setting,
    ),
    "Lanczos": (
        A_PRODUCT,
        lambda: th.PCA(2, svd_solver="arpack", random_state=0).fit(X),
        no_setting,
    ),
    "Lanczos in a kernel": (
        A_PRODUCT,
        lambda: th.KernelPCA(2, kernel="rbf", eigen_solver="arpack", random_state=0).fit(X),
        no_setting,
    ),
    "a nonlinear mean": (
        "thetahat.likelihood.conditional._linearised",
        lambda: th.mle(th.Conditional(curve, th.Normal()), (X[:, 0], np.exp(NUMBERS)), {"a": 2.0, "b": 3.0}),
        no_setting,
    ),
    "components, shared": (
        "thetahat.pca.estimator.moments",
        shared(PrincipalComponents(), None),
        no_setting,
    ),
}


def spied(patch, target):
    """Count the calls of what stands under this name."""
    place, _, name = target.rpartition(".")
    owner = pkgutil.resolve_name(place)
    plain, calls = getattr(owner, name), []

    def counted(*args, **options):
        calls.append(name)
        return plain(*args, **options)

    patch.setattr(owner, name, counted)
    return calls


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_leaves_within_one_step(name, monkeypatch):
    target, work, setting = SOLVERS[name]
    setting(monkeypatch)
    steps = spied(monkeypatch, target)
    with within(Deadline(np.inf)):
        work()
    assert len(steps) > 3, "too little work to be cut"
    per_step = 3 if name == "block Krylov" else 1
    for most in (0, 1, 3):
        steps.clear()
        with within(Deadline(most, lambda: len(steps))), pytest.raises(OutOfTime):
            work()
        assert len(steps) <= most + per_step


# What is one step is not begun.

WHOLE = {
    "singular values": ("scipy.linalg.svd", fitted(LeastSquares(), NUMBERS[:4], X[:4])),
    "least squares": ("thetahat.numerics.least_squares._powers_of_two", fitted(LeastSquares(), NUMBERS)),
    "PCA": ("scipy.linalg.svd", lambda: th.PCA(2, svd_solver="full").fit(X)),
    "PCA of sums": ("scipy.linalg.eigh", lambda: th.PCA(2, svd_solver="covariance_eigh").fit(X)),
    "kernel PCA": (
        "thetahat.numerics.kernels.KernelFunction.matrix",
        lambda: th.KernelPCA(2, kernel="rbf").fit(X),
    ),
    "ridge, at once": (
        "thetahat.linear.shared_least_squares.products",
        lambda: list(LeastSquares(1.0).prepare(Sample(X, NUMBERS)).solve(FOLDS * 2, (), rngs=())),
    ),
    "separation": (
        "scipy.optimize.linprog",
        lambda: separation.separated_classes(X, LABELS, 2),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_one_step_is_not_begun_when_the_time_is_over(name, monkeypatch):
    target, work = WHOLE[name]
    calls = spied(monkeypatch, target)
    work()
    assert calls
    calls.clear()
    with within(Deadline(0.0)), pytest.raises(OutOfTime):
        work()
    assert not calls


NEXT = {
    "Hessian": (
        "thetahat.linear.objective.PenalisedLoss.at",
        "thetahat.linear.objective.LossPoint.hessian",
        fitted(Logistic(), LABELS),
    ),
    "factor": (
        "thetahat.numerics.least_squares._powers_of_two",
        "scipy.linalg.qr",
        fitted(LeastSquares(), NUMBERS),
    ),
    "shortest solution": (
        "scipy.linalg.qr",
        "scipy.linalg.lstsq",
        lambda: solve_least_squares(np.hstack([X, X[:, :1]]), NUMBERS[:, None]),
    ),
    "eigenvalues of a kernel": (
        "thetahat.numerics.kernels.KernelFunction.matrix",
        "scipy.linalg.eigh",
        lambda: th.KernelPCA(2, kernel="rbf", eigen_solver="dense").fit(X),
    ),
    "eigenvalues of sums": (
        "thetahat.pca.spectrum._centre",
        "scipy.linalg.eigh",
        lambda: th.PCA(2, svd_solver="covariance_eigh").fit(X),
    ),
    "eigenvalues of a draw": (
        "thetahat.linear.shared_least_squares.moments",
        "scipy.linalg.eigh",
        shared(LeastSquares(1.0, standardise=True), NUMBERS, (0.1, 1.0)),
    ),
}


@pytest.mark.parametrize("name", NEXT)
def test_a_step_of_another_kind_is_not_begun_either(name, monkeypatch):
    first, then, work = NEXT[name]
    before, after = spied(monkeypatch, first), spied(monkeypatch, then)
    work()
    assert after
    # Draws of one sample are summed first.
    most = len(before)
    if name not in ("eigenvalues of a draw", "shortest solution"):
        most = 1
    before.clear()
    after.clear()
    with within(Deadline(most, lambda: len(before))), pytest.raises(OutOfTime):
        work()
    assert not after


def test_a_linear_programme_that_ran_out_of_time_found_nothing_and_does_not_say_that_there_is_nothing(
    monkeypatch,
):
    told = {}

    def stopped(*_, options, **__):
        told.update(options)
        return SimpleNamespace(status=separation.LIMIT, x=None)

    monkeypatch.setattr(separation.optimize, "linprog", stopped)
    with within(Deadline(7.0, lambda: 0.0)), pytest.raises(OutOfTime):
        separation.separated_classes(X, LABELS, 2)
    assert told["time_limit"] == 7.0


def test_highs_says_so_when_its_time_is_over():
    found = separation.optimize.linprog(
        -np.ones(300),
        A_ub=RNG.uniform(size=(2000, 300)),
        b_ub=np.ones(2000),
        method="highs",
        options={"time_limit": 1e-9},
    )
    assert found.status == separation.LIMIT


@pytest.mark.filterwarnings("ignore")
def test_a_network_recorded_anew_each_step_leaves_too(monkeypatch):
    monkeypatch.setattr("thetahat.networks.engine.executor._CHUNK_SECONDS", 0.0)
    monkeypatch.setattr("thetahat.networks.perceptron.executor_for", DynamicExecutor)
    steps = spied(monkeypatch, "thetahat.networks.engine.executor.DynamicExecutor.value_and_grad")
    with within(Deadline(3, lambda: len(steps))), pytest.raises(OutOfTime):
        network()()
    assert len(steps) <= 4


def bits(found):
    """Return all numbers that were found."""
    if isinstance(found, np.ndarray):
        return found.tobytes()
    if isinstance(found, list | tuple):
        return b"".join(map(bits, found))
    if dataclasses.is_dataclass(found):
        return bits([getattr(found, each.name) for each in dataclasses.fields(found)])
    return bits([value for name, value in sorted(getattr(found, "__dict__", {}).items()) if name[-1] == "_"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SOLVERS)
def test_a_deadline_far_away_changes_no_bit(name):
    _, work, _ = SOLVERS[name]
    plain = bits(work())
    assert len(plain) > 8
    with within(Deadline(1e6)):
        assert bits(work()) == plain
