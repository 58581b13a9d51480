"""The list of promises, and what each of them is tried on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor

__all__ = [
    "METHODS",
    "PARTS",
    "PROMISES",
    "Given",
    "Promise",
    "answers",
    "fitted",
    "given",
    "predicts",
    "promise",
    "refusal",
    "same",
    "seeded",
    "transforms",
    "warned",
]

METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")
Applies = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Promise:
    """One sentence that holds for every learner it applies to; ``keep`` raises where it does not."""

    name: str
    part: str
    keep: Callable[[Any], None]
    applies: Applies


PROMISES: dict[str, Promise] = {}
PARTS = (
    "clone",
    "set_output",
    "metadata routing",
    "pickles in a new interpreter",
    "feature names",
    "HTML and text",
    "pandas and polars",
    "tags",
    "inside scikit-learn",
)


def promise(part: str, applies: Applies = lambda model: True) -> Callable[[Callable[[Any], None]], Any]:
    """Put a function on the list."""

    def enter(keep: Callable[[Any], None]) -> Callable[[Any], None]:
        assert part in PARTS
        PROMISES[keep.__name__] = Promise(keep.__name__, part, keep, applies)
        return keep

    return enter


@dataclass(frozen=True, slots=True)
class Given:
    """Rows of a small problem that the learner can be fitted to."""

    X: NDArray[np.float64]
    y: Any
    weight: NDArray[np.float64]


def given(model: Any, rows: int = 48) -> Given:
    """Return numbers for a regressor, counts for one of positive targets, words for a classifier."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((rows, 4))
    eta = X @ [1.0, -1.0, 0.5, 0.0] + 0.7 * rng.standard_normal(rows)
    weight = rng.uniform(0.5, 2.0, rows)
    y: Any = None
    if is_classifier(model):
        y = np.where(eta > 0, "yes", "no").astype(object)
    elif is_regressor(model):
        positive = model.__sklearn_tags__().target_tags.positive_only
        y = rng.poisson(np.exp(0.5 * eta)).astype(float) if positive else eta
    return Given(X, y, weight)


def seeded(model: Any) -> Any:
    """Return a clone whose draws are fixed."""
    model = clone(model)
    return model.set_params(random_state=0) if "random_state" in model.get_params(deep=False) else model


def fitted(model: Any, X: Any, y: Any, **more: Any) -> Any:
    """Return a clone fitted to these rows."""
    return seeded(model).fit(X, y, **more)


def answers(model: Any, X: Any) -> dict[str, Any]:
    """Return what every method says of the rows."""
    return {name: getattr(model, name)(X) for name in METHODS if hasattr(model, name)}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise where two sets of answers differ in a bit."""
    assert one.keys() == other.keys()
    assert one
    for name in one:
        kinds = [np.asarray(each[name]).dtype for each in (one, other)]
        # Words may be objects or text, as they were given.
        assert kinds[0] == kinds[1] or {kind.kind for kind in kinds} <= set("OU"), f"{name}: {kinds}"
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def predicts(model: Any) -> bool:
    """Whether it learns a target."""
    return is_classifier(model) or is_regressor(model)


def transforms(model: Any) -> bool:
    """Whether it makes new columns."""
    return hasattr(model, "transform")


def refusal(kinds: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], Any]) -> str:
    """Return what a call that must be refused says; raise AssertionError where it is not refused."""
    try:
        call()
    except kinds as error:
        return str(error)
    raise AssertionError("was not refused")


@contextmanager
def warned(words: str | None) -> Iterator[None]:
    """Hold a block to a warning with these words, or to none that speaks of feature names."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said = [str(each.message) for each in caught]
    if words is None:
        assert not [each for each in said if "feature names" in each], said
    else:
        assert any(words in each for each in said), f"no warning says {words!r}: {said}"
