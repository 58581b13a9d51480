"""scikit-learn's own checks, on every learner of the registry; none may be missing from it."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.learners import LEARNERS, classes_with_fit

EXPECTED = {id(learner.estimator): learner.expected for learner in LEARNERS}

pytestmark = [
    # Some checks bring more columns than rows, columns of the order of 100, or few epochs: it is said, as it
    # should be.
    pytest.mark.filterwarnings("ignore:.*cannot tell some parameters apart"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size`"),
]


@parametrize_with_checks(
    [learner.estimator for learner in LEARNERS], expected_failed_checks=lambda each: EXPECTED[id(each)]
)
def test_estimator_checks(estimator, check):
    with np.errstate(all="ignore"):
        check(estimator)


def test_no_learner_is_missing():
    assert classes_with_fit() == {type(learner.estimator).__name__ for learner in LEARNERS}


def output_of(model):
    X = np.random.default_rng(0).standard_normal((30, 3))
    return (model.predict if hasattr(model, "predict") else model.transform)(X)


def test_a_fit_is_the_same_in_another_process():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((30, 3))
    y = (X[:, 0] + 0.3 * rng.standard_normal(30) > 0).astype(float)
    models = [clone(learner.estimator).fit(X, y) for learner in LEARNERS]
    assert all(model._repr_html_() for model in models)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for model, there in zip(models, pool.map(output_of, models), strict=True):
            np.testing.assert_array_equal(there, output_of(model), err_msg=str(model))
            assert pickle.dumps(clone(model))
