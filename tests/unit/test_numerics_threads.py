"""Work is spread over the threads that BLAS may use, and no result depends on their number."""

import sys
import threading
import time
from types import ModuleType

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from thetahat.numerics import threads as module
from thetahat.numerics.kernels import KernelFunction
from thetahat.numerics.threads import available, spread
from thetahat.svm.classification import SVC
from thetahat.svm.table import KernelTable


def test_the_limit_of_blas_is_the_limit_of_the_pieces():
    with threadpool_limits(1):
        assert available() == 1
        seen = set()
        spread(lambda _: seen.add(threading.get_ident()), range(20))
        assert seen == {threading.get_ident()}


@pytest.mark.parametrize("worth", [True, False])
def test_blas_has_one_thread_within_a_piece_and_its_own_again_after(worth):
    with threadpool_limits(2):
        before, inside = available(), []
        spread(lambda _: inside.append(available()), range(8), worth)
        assert set(inside) == {1}
        assert available() == before


def test_overlapping_calls_lift_the_limit_when_the_last_has_ended():
    with threadpool_limits(2):
        before, inside = available(), []
        another = threading.Thread(target=spread, args=(lambda _: inside.append(available()), range(4)))

        def both(piece):
            if piece == 0:
                another.start()
                another.join(10)
            inside.append(available())

        spread(both, range(4))
        assert len(inside) == 8
        assert available() == before


def test_a_call_from_another_thread_than_the_last_has_blas_on_one_thread_and_spreads_too():
    with threadpool_limits(2):
        before, inside, workers = available(), [], set()

        def piece(_):
            inside.append(available())
            workers.add(threading.get_ident())
            time.sleep(0.02)

        spread(lambda _: None, range(4))
        another = threading.Thread(target=spread, args=(piece, range(8)))
        another.start()
        another.join(10)
        assert inside == [1] * 8
        assert len(workers) == 2
        assert available() == before


def test_an_error_of_a_piece_is_raised_and_the_limit_lifted():
    with threadpool_limits(2):
        before = available()
        with pytest.raises(ZeroDivisionError):
            spread(lambda k: 1 // k, [1, 0])
        assert available() == before


def test_kernel_values_and_fits_are_the_same_bits_on_one_thread_and_on_two():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3500, 60))
    y = X[:, 0] * X[:, 1] > 0
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            table = KernelTable(KernelFunction("rbf", 0.02), X)
            beta = np.where(y, 1.0, -1.0)
            fit = SVC(C=5.0).fit(X, y)
            small = SVC(cache_size=8).fit(X, y)
            found.append(
                (table.gram(np.float32), table.times(beta), fit.dual_coef_, small.dual_coef_)
                + (fit.decision_function(X[:500]), fit.intercept_)
            )
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_libraries_are_listed_again_once_another_module_is_loaded(monkeypatch):
    listed = []
    real = module.ThreadpoolController
    monkeypatch.setattr(module, "ThreadpoolController", lambda: listed.append(1) or real())
    module._loaded.cache_clear()
    for _ in range(3):
        with module.single_threaded():
            pass
    assert len(listed) == 1
    monkeypatch.setitem(sys.modules, "loaded_later", ModuleType("loaded_later"))
    with module.single_threaded():
        pass
    assert len(listed) == 2
