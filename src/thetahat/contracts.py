"""The nouns of the package, and what may be asked of each.

A learned model is a point estimate θ̂ = g(sample). A *draw* says which rows train and which are held
out; a *functional* reads one number, or one record, off a fit; assessment applies an estimator to
many draws and looks at the spread of a functional.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = [
    "AbsorbsScaling",
    "Draw",
    "Family",
    "Fit",
    "FloatArray",
    "Functional",
    "HasPointEstimator",
    "IntArray",
    "NLLTerms",
    "PointEstimator",
    "Precedes",
    "Prediction",
    "Predictor",
    "Sample",
    "SharesCapacities",
    "SharesWork",
    "Status",
    "Workspace",
    "differing_in",
]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

Theta = TypeVar("Theta")
ThetaCo = TypeVar("ThetaCo", covariant=True)
ThetaContra = TypeVar("ThetaContra", contravariant=True)
ValueCo = TypeVar("ValueCo", covariant=True)


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of data.

    Parameters
    ----------
    X : array or frame of n rows
        Anything whose rows ``X[rows]`` takes by an integer array: a NumPy array, a CSR matrix, a
        polars frame.
    y : ndarray of shape (n,) or (n, k), optional
        The target: numbers, or class codes 0 … K-1.
    weight : ndarray of shape (n,), optional
        Weight of each row; a weight of two is a row that stands twice.
    group : ndarray of shape (n,), optional
        Codes of what must stay together wherever these rows are split again.
    time : ndarray of shape (n,), optional
        What orders the rows wherever they are split again.
    """

    X: Any
    y: NDArray[Any] | None = None
    weight: FloatArray | None = None
    group: IntArray | None = None
    time: NDArray[Any] | None = None

    def take(self, rows: IntArray) -> Sample:
        """Return the sample of these rows, in this order, repeats included."""
        return Sample(
            self.X[rows],
            None if self.y is None else self.y[rows],
            None if self.weight is None else self.weight[rows],
            None if self.group is None else self.group[rows],
            None if self.time is None else self.time[rows],
        )

    def __len__(self) -> int:
        return int(self.X.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Row indices that train and row indices that are held out; ``train`` may repeat (a bootstrap)."""

    train: IntArray
    test: IntArray


class Status(Enum):
    """How an estimate ended; the value says the cause and, where it failed, the cure."""

    SOLVED = "solved"
    MAX_ITER = "stopped at max_iter before it converged; raise max_iter or scale the columns"
    NOT_FINITE = "the objective left the finite numbers; scale the columns or add a penalty"
    NOT_CONVERGED = "the solver says it has not converged; raise max_iter or scale the columns"
    SEPARABLE = "the classes can be separated, so the likelihood has no maximum; add a penalty"
    NOT_IDENTIFIED = "the data cannot tell some parameters apart; drop a column or add a penalty"
    UNBOUNDED = "the likelihood grows without bound, so there is no maximum; use fewer components or bounds"
    BOUNDARY = "the maximum lies on a bound of the parameters, where Wald errors do not hold; widen the bound"
    TOO_FEW_ROWS = "fewer rows than parameters; add rows or fix parameters"
    OUT_OF_TIME = "not fitted within the time limit; raise time_limit or leave the slow models out"
    FAILED = "the estimator raised an error"

    @property
    def ok(self) -> bool:
        """Whether the estimate is what it says it is."""
        return self is Status.SOLVED


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Generic[ThetaCo]):
    """A point estimate and how it came about.

    Parameters
    ----------
    theta : object
        The estimate.
    status : Status
        How the work ended.
    stats : mapping of str to float
        Counts and measures of the work: iterations, gradient norm, seconds.
    detail : str
        What the status alone cannot say: the columns concerned, the error's text.
    """

    theta: ThetaCo
    status: Status = Status.SOLVED
    stats: Mapping[str, float] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a predictor says of n rows.

    Parameters
    ----------
    value : ndarray of shape (n,)
        Predicted numbers, or class codes.
    probability : ndarray of shape (n, K), optional
        Probability of each class, rows summing to one.
    score : ndarray of shape (n, K), optional
        Any number that grows with the belief in a class, where there are no probabilities.
    quantile : mapping of float to ndarray of shape (n,), optional
        Predicted quantiles of a number, by their level.
    """

    value: NDArray[Any]
    probability: FloatArray | None = None
    score: FloatArray | None = None
    quantile: Mapping[float, FloatArray] | None = None

    def take(self, rows: IntArray) -> Prediction:
        """Return the prediction of these rows, in this order."""
        return Prediction(
            self.value[rows],
            None if self.probability is None else self.probability[rows],
            None if self.score is None else self.score[rows],
            None if self.quantile is None else {level: each[rows] for level, each in self.quantile.items()},
        )


class PointEstimator(Protocol[ThetaCo]):
    """θ̂ = g(sample): pure, its only randomness is ``rng``."""

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[ThetaCo]:
        """Return the estimate from this sample."""
        ...


@runtime_checkable
class Predictor(Protocol[Theta]):
    """A point estimator whose estimate predicts y from X."""

    def estimate(self, sample: Sample, *, rng: Generator) -> Fit[Theta]:
        """Return the estimate from this sample."""
        ...

    def predict(self, theta: Theta, X: Any, /) -> Prediction:
        """Predict the rows of X with this estimate."""
        ...


@runtime_checkable
class HasPointEstimator(Protocol):
    """What a public class declares that is a point estimator of ours underneath."""

    def point_estimator(self, classes: int | None, /) -> Predictor[Any] | None:
        """Return it, for class codes 0 … K−1 or for numbers; None where its settings have no equal."""
        ...


@runtime_checkable
class Precedes(Protocol):
    """What a public transformer declares that can be one point estimator of ours with a learner after it."""

    def before(self, learner: Predictor[Any], /) -> Predictor[Any] | None:
        """Return itself followed by this learner; None where its settings have no equal."""
        ...


class Functional(Protocol[ThetaContra, ValueCo]):
    """What is read off a fit: a coefficient, a prediction at x0, the loss on held-out rows."""

    def __call__(self, fit: Fit[ThetaContra], train: Sample, held_out: Sample, /) -> ValueCo:
        """Read the value off a fit, given the rows that made it and the rows held out."""
        ...


class Workspace(Protocol[ThetaCo]):
    """Work shared by many draws and capacities; equal to refitting each of them."""

    def solve(
        self, draws: Sequence[Draw], capacities: Sequence[Any], *, rngs: Sequence[Generator]
    ) -> Iterable[Fit[ThetaCo]]:
        """Return a fit for each draw and, within a draw, each capacity; the estimator's own where none."""
        ...


@runtime_checkable
class SharesWork(Protocol[ThetaCo]):
    """The capability of an estimator to fit many draws at once, exactly.

    An estimator that can also fit many capacities at once has ``capacities`` too, see
    :class:`SharesCapacities`.
    """

    def prepare(self, sample: Sample) -> Workspace[ThetaCo]:
        """Do once what every draw of this sample needs."""
        ...


@runtime_checkable
class SharesCapacities(SharesWork[ThetaCo], Protocol[ThetaCo]):
    """The capability of an estimator to fit many capacities of itself from the work of one."""

    def capacities(self, estimators: Sequence[Any], /) -> Sequence[Any] | None:
        """Return the capacity of each of these estimators, as the workspace takes it.

        None where one of them differs from this estimator in more than its capacity, so that the workspace
        of this estimator cannot fit it.
        """
        ...


def differing_in(estimator: Any, name: str, others: Sequence[Any], /) -> list[Any] | None:
    """Return the value of one field of each of these estimators, where nothing else differs.

    Parameters
    ----------
    estimator : dataclass
        What they are compared with.
    name : str
        The field that may differ.
    others : sequence of object
        The estimators.

    Returns
    -------
    list or None
        The values; None where one is of another class or differs in another field.
    """
    values = []
    for other in others:
        if type(other) is not type(estimator):
            return None
        value = getattr(other, name)
        if replace(estimator, **{name: value}) != other:
            return None
        values.append(value)
    return values


@runtime_checkable
class AbsorbsScaling(Protocol[ThetaCo]):
    """The capability of an estimator to penalize columns as if each sample standardized them."""

    def standardizing(self, columns: tuple[bool, ...], /) -> SharesWork[ThetaCo] | None:
        """Return this estimator, these columns scaled to variance 1 by the rows of each sample it is given.

        Its predictions are those of the estimator itself on columns that were standardized by the same rows.
        None where the settings do not allow that.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class NLLTerms:
    """Negative log-likelihood of each row, and its derivatives in η.

    Parameters
    ----------
    value : ndarray of shape (n,)
        −log p(y | η), in nats.
    d_eta : ndarray of shape (n, k)
        First derivatives.
    d2_eta : ndarray of shape (n, k, k)
        Second derivatives, symmetric and, for these families, positive semi-definite.
    """

    value: FloatArray
    d_eta: FloatArray
    d2_eta: FloatArray


class Family(Protocol):
    """p(y | η), η of shape (n, k): the output of a conditional model, and so its loss."""

    def nll_terms(self, y: NDArray[Any], eta: FloatArray, /) -> NLLTerms:
        """Return −log p(y | η) a row with its derivatives, stable for every η."""
        ...

    def mean(self, eta: FloatArray, /) -> FloatArray:
        """Return E[y | η]: numbers (n,), or class probabilities (n, K)."""
        ...

    def sample(self, eta: FloatArray, /, *, rng: Generator) -> NDArray[Any]:
        """Draw one y for each row of η."""
        ...

    def check_support(self, y: NDArray[Any], /) -> None:
        """Raise a ``UsageError`` that names the first y outside the family's support."""
        ...
