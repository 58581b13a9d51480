"""The learners that are known by a short name.

Nothing heavy is imported before a learner is built, so that help texts can list them at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from thetahat.errors import UsageError

if TYPE_CHECKING:
    from thetahat.contracts import Predictor

__all__ = ["ALIASES", "Alias", "alias_for", "default_names"]

Task = Literal["classification", "regression"]

# The cost of a kernel machine grows with the square of the rows, so beyond these it is not a default.
MOST_ROWS_FOR_KERNELS = 10_000


@dataclass(frozen=True, slots=True)
class Alias:
    """A learner known by a short name.

    Parameters
    ----------
    description : str
        What it is, in words.
    make : mapping of task to callable
        ``make[task](classes, loss)`` builds the predictor; a task that is missing cannot be done.
    instead : str
        What to ask for where the task cannot be done.
    default : bool
        Whether it is compared when no models are named.
    kernel : bool
        Whether its cost grows with the square of the rows.
    grid : mapping of str to tuple
        What it is tuned over inside each training fold, simplest first; empty where it is taken as it is.
    standardised : bool
        Whether a numeric target is standardized for it.
    blind : bool
        Whether it ignores the features, so that no columns are prepared for it.
    """

    description: str
    make: Mapping[Task, Callable[[int, str], Predictor[Any]]]
    instead: str = ""
    default: bool = True
    kernel: bool = False
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    standardised: bool = False
    blind: bool = False


def _dummy(classes: int, loss: str) -> Predictor[Any]:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    from thetahat.resampling.adapter import SklearnPredictor

    if classes:
        return SklearnPredictor(DummyClassifier(strategy="prior"), classes)
    # The constant that minimises the loss: the mean for squared error, the median for absolute error.
    return SklearnPredictor(DummyRegressor(strategy="median" if loss == "absolute-error" else "mean"))


def _logistic(classes: int, loss: str) -> Predictor[Any]:
    from thetahat.linear.logistic import Logistic

    return Logistic(C=1.0, classes=classes)


def _linear(classes: int, loss: str) -> Predictor[Any]:
    from thetahat.linear.least_squares import LeastSquares

    return LeastSquares(C=1.0)


def _svm(kernel: Literal["linear", "rbf"]) -> Callable[[int, str], Predictor[Any]]:
    def make(classes: int, loss: str) -> Predictor[Any]:
        from thetahat.svm.estimator import SupportVectorMachine

        return SupportVectorMachine(classes or None, kernel)

    return make


def _pca(classes: int, loss: str) -> Predictor[Any]:
    from sklearn.pipeline import Pipeline

    from thetahat.linear.classifiers import LogisticRegression
    from thetahat.linear.regressors import Ridge
    from thetahat.pca.classes import PCA
    from thetahat.resampling.adapter import SklearnPredictor

    last = LogisticRegression() if classes else Ridge()
    steps = [("pca", PCA(n_components=0.95, svd_solver="full")), ("linear", last)]
    return SklearnPredictor(Pipeline(steps), classes or None)


def _mlp(classes: int, loss: str) -> Predictor[Any]:
    from thetahat.networks.estimator import Network

    return Network(classes=classes or None)


def _forest(classes: int, loss: str) -> Predictor[Any]:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    from thetahat.resampling.adapter import SklearnPredictor

    return SklearnPredictor(RandomForestClassifier() if classes else RandomForestRegressor(), classes or None)


def _boosting(classes: int, loss: str) -> Predictor[Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    from thetahat.resampling.adapter import SklearnPredictor

    if classes:
        return SklearnPredictor(HistGradientBoostingClassifier(), classes)
    return SklearnPredictor(HistGradientBoostingRegressor())


def _both(
    make: Callable[[int, str], Predictor[Any]],
) -> Mapping[Task, Callable[[int, str], Predictor[Any]]]:
    return {"classification": make, "regression": make}


# Inverse penalties on standardised columns, and prices of a row within the margin.
PENALTIES = MappingProxyType({"C": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)})
PRICES = MappingProxyType({"C": (0.1, 1.0, 10.0, 100.0)})
COMPONENTS = MappingProxyType({"pca__n_components": (0.5, 0.8, 0.95, 0.99)})

ALIASES: Mapping[str, Alias] = MappingProxyType(
    {
        "dummy": Alias("always the most frequent class, or the mean: the floor", _both(_dummy), blind=True),
        "linear": Alias(
            "least squares with an L2 penalty", {"regression": _linear}, "logistic", grid=PENALTIES
        ),
        "logistic": Alias(
            "logistic or softmax regression with an L2 penalty",
            {"classification": _logistic},
            "linear",
            grid=PENALTIES,
        ),
        "svm-linear": Alias(
            "support vector machine, linear kernel",
            _both(_svm("linear")),
            default=False,
            kernel=True,
            grid=PRICES,
            standardised=True,
        ),
        "svm-rbf": Alias(
            "support vector machine, Gaussian kernel",
            _both(_svm("rbf")),
            kernel=True,
            grid=PRICES,
            standardised=True,
        ),
        "pca+logistic": Alias(
            "principal components, then logistic regression",
            {"classification": _pca},
            "pca+linear",
            default=False,
            grid=COMPONENTS,
        ),
        "pca+linear": Alias(
            "principal components, then ridge regression",
            {"regression": _pca},
            "pca+logistic",
            default=False,
            grid=COMPONENTS,
        ),
        "mlp": Alias(
            "network with one hidden layer of 100 rectified units",
            _both(_mlp),
            default=False,
            standardised=True,
        ),
        "forest": Alias("random forest of 100 trees", _both(_forest)),
        "boosting": Alias("gradient boosting of 100 trees on histograms", _both(_boosting)),
    }
)


def default_names(task: Task, rows: int) -> list[str]:
    """Return the aliases that are compared when none are named."""
    return [
        name
        for name, alias in ALIASES.items()
        if alias.default and task in alias.make and not (alias.kernel and rows > MOST_ROWS_FOR_KERNELS)
    ]


def alias_for(name: str, task: Task) -> Alias:
    """Return the learner of this name.

    Raises
    ------
    UsageError
        There is none, or it cannot do the task.
    """
    if name not in ALIASES:
        near = difflib.get_close_matches(name, list(ALIASES), n=1)
        close = f" (did you mean {near[0]}?)" if near else ""
        known = ", ".join(key for key, alias in ALIASES.items() if task in alias.make)
        raise UsageError(
            f"models: there is no {name!r}{close}; choose from {known}, "
            "or name a class as package.module:Class"
        )
    if task not in ALIASES[name].make:
        raise UsageError(f"models: {name} cannot do a {task}; use {ALIASES[name].instead}")
    return ALIASES[name]
