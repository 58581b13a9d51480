"""The state of stochastic gradient descent, and the work that moves it over rows.

A state is arrays and nothing else: written to a file and read again it goes on to the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetahat.contracts import FloatArray, IntArray
from thetahat.linear import sgd_kernels as loops
from thetahat.linear.sgd_batches import few_rows_steps
from thetahat.linear.sgd_lookahead import lookahead_steps
from thetahat.linear.sgd_losses import LOSSES, SCALARS, slope_of
from thetahat.linear.sgd_softmax import softmax_steps, sparse_softmax_steps

__all__ = ["IN_ORDER", "SgdSettings", "SgdState", "WEIGHTLESS", "advance", "begin"]

SCHEDULES = {"constant": 0, "optimal": 1, "invscaling": 2, "adaptive": 3, "pa1": 4, "pa2": 5}
# The intercept of sparse rows moves by a part of the step, since it is in every row.
SPARSE_INTERCEPT = 0.01
# Said to the loops: every row weighs one; all rows in their order.
WEIGHTLESS: FloatArray = np.zeros(0)
IN_ORDER: IntArray = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class SgdSettings:
    """What is minimised and how: Σ w loss(y, η) / Σ w + alpha · penalty, η = b + x · w.

    Parameters
    ----------
    loss : str
        A loss by its name, or ``softmax``.
    penalty : {"l2", "l1", "elasticnet", None}
        ½‖w‖², ‖w‖₁, or a mixture of both.
    alpha, l1_ratio : float
        Size of the penalty, and the share of L1 in the mixture.
    schedule : str
        ``constant``, ``optimal``, ``invscaling``, ``adaptive``, ``pa1`` or ``pa2``.
    eta0, power_t : float
        First step, and the power of the step number that ``invscaling`` divides it by.
    epsilon : float
        ε of the losses that have one.
    intercept : bool
        Whether there is a b.
    average : int
        Step from which iterates are averaged; 0 is never.
    batch : int
        Rows of a step.
    """

    loss: str
    penalty: str | None = "l2"
    alpha: float = 1e-4
    l1_ratio: float = 0.15
    schedule: str = "optimal"
    eta0: float = 0.01
    power_t: float = 0.5
    epsilon: float = 0.1
    intercept: bool = True
    average: int = 0
    batch: int = 1

    @property
    def share(self) -> float:
        """Share of L1 in the penalty."""
        return {"l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}.get(self.penalty or "l2", 0.0)

    @property
    def penalised(self) -> int:
        """0 for no penalty, 1 for L2, 2 with L1."""
        if self.penalty is None or self.alpha == 0:
            return 0
        return 2 if self.share > 0 else 1

    @property
    def start(self) -> float:
        """First step number of the ``optimal`` schedule, after Bottou."""
        if self.schedule != "optimal":
            return 1.0
        typical = math.sqrt(1 / math.sqrt(self.alpha))
        code = LOSSES.get(self.loss, LOSSES["log_loss"])
        first = typical / max(1.0, float(slope_of(code, 1.0, -typical, self.epsilon)))
        return 1.0 / (first * self.alpha)


@dataclass(slots=True, eq=False)
class SgdState:
    """Weights, their sums, and the counters of the work: K functions of d columns.

    Parameters
    ----------
    w, w_sum, q, since : ndarray of shape (K, d)
        Weights; sums of iterates; L1 pulls not yet paid; up to where a sum is.
    b, b_sum : ndarray of shape (K,)
        Intercepts and their sums, of softmax.
    scalars : ndarray of shape (K, 9)
        Intercept, counters and step size of each function.
    """

    w: FloatArray
    w_sum: FloatArray
    q: FloatArray
    since: FloatArray
    b: FloatArray
    b_sum: FloatArray
    scalars: FloatArray

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it by name, to be saved."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> SgdState:
        """Return the state that :meth:`arrays` was taken of.

        Raises
        ------
        ValueError
            The arrays are not those of one state; the loops would not notice.
        """
        copies: dict[str, Any] = {name: np.array(value, order="C") for name, value in arrays.items()}
        state = cls(**copies)
        if state.w.ndim != 2 or state.w.dtype not in (np.float32, np.float64):
            raise ValueError("the weights of a state are no table of decimal numbers")
        functions, columns = state.w.shape
        tables = dict.fromkeys(("w", "w_sum", "q", "since"), (functions, columns))
        shapes: dict[str, tuple[int, ...]] = {
            **tables,
            "b": (functions,),
            "b_sum": (functions,),
            "scalars": (functions, SCALARS),
        }
        for name, shape in shapes.items():
            array = getattr(state, name)
            if array.shape != shape or (name != "w" and array.dtype != np.float64):
                raise ValueError(f"{name} of a state has the shape {array.shape} instead of {shape}")
        return state

    @property
    def steps(self) -> float:
        """Number of the next step, the first being 1."""
        return float(self.scalars[0, 2])

    def take_loss(self) -> float:
        """Return the sum of losses since it was last taken, over all functions."""
        total = float(self.scalars[:, 3].sum())
        self.scalars[:, 3] = 0.0
        return total

    def scale_steps(self, factor: float) -> None:
        """Multiply the step size of the ``constant`` and ``adaptive`` schedules."""
        self.scalars[:, 8] *= factor

    def step_from_now(self, eta0: float) -> None:
        """Set the step of the schedules that are constant along an epoch."""
        self.scalars[:, 8] = eta0

    def coefficients(self, settings: SgdSettings) -> tuple[FloatArray, FloatArray]:
        """Return weights (K, d) and intercepts (K,), averaged where there is an average."""
        count = self.scalars[:, 7]
        softmax = settings.loss == "softmax"
        if settings.average and count[0] > 0:
            # Sums of scaled weights are brought up to date: zero for dense rows.
            behind = self.w * (self.scalars[:, 6:7] - self.since)
            sums = self.w_sum + behind
            b = self.b_sum / count[0] if softmax else self.scalars[:, 1] / count
            return sums / count[:, None], b
        b = self.b.copy() if softmax else self.scalars[:, 0].copy()
        return self.w * self.scalars[:, 5:6], b


def begin(
    settings: SgdSettings,
    functions: int,
    columns: int,
    dtype: Any = np.float64,
    w: FloatArray | None = None,
    b: FloatArray | None = None,
) -> SgdState:
    """Return the state before the first step, at these weights or at zero."""
    shape = (functions, columns)
    start = np.zeros(shape, dtype) if w is None else np.array(w, dtype).reshape(shape)
    scalars = np.zeros((functions, SCALARS))
    scalars[:, 2] = scalars[:, 5] = 1.0
    scalars[:, 8] = settings.eta0
    first = np.zeros(functions) if b is None else np.array(b, np.float64).reshape(functions)
    scalars[:, 0] = first
    return SgdState(
        start, np.zeros(shape), np.zeros(shape), np.zeros(shape), first.copy(), np.zeros(functions), scalars
    )


def advance(
    state: SgdState,
    X: Any,
    y: NDArray[Any],
    weight: FloatArray,
    settings: SgdSettings,
    rows: IntArray,
    function: int = 0,
    told: bool = True,
) -> None:
    """Take the steps of these rows, in their order; the state is changed.

    Parameters
    ----------
    state : SgdState
    X : C-contiguous ndarray or CSR of shape (n, d)
        Of the dtype of the state.
    y : ndarray of shape (n,)
        −1 and 1, numbers, or, for softmax, codes.
    weight : ndarray of shape (n,) or (0,)
        Of each row's step; ``WEIGHTLESS`` where every row weighs one.
    settings : SgdSettings
    rows : ndarray of int64
        Which rows, in which order; ``IN_ORDER`` is all of them.
    function : int
        Which of the K functions; softmax moves all at once.
    told : bool
        Whether losses on the way are summed; softmax always does.
    """
    k, s = function, state.scalars[function]
    schedule = SCHEDULES[settings.schedule]
    common = (schedule, settings.eta0, settings.alpha)
    last = (settings.start, settings.power_t)
    if settings.loss == "softmax":
        _advance_softmax(state, X, y, weight, settings, rows)
        return
    loss, width = LOSSES[settings.loss], settings.epsilon
    if sparse.issparse(X):
        loops.sparse_steps(
            X.data, X.indices, X.indptr, y, weight, rows, state.w[k], state.w_sum[k], state.since[k],
            state.q[k], s, loss, *common, settings.share, *last, width, int(settings.intercept),
            settings.average, settings.penalised, SPARSE_INTERCEPT, int(told),
        )  # fmt: skip
        return
    flat, sums = X.reshape(-1), state.w_sum[k]
    tail: tuple[Any, ...] = (int(settings.intercept), settings.average, settings.penalised, int(told))
    plain: tuple[Any, ...] = (loss, *common, *last, width, *tail)
    if settings.batch > 1:
        plain = (*plain, settings.batch)
        few_rows_steps(flat, y, weight, rows, state.w[k], sums, s, *plain)
    elif settings.penalised < 2 and schedule < SCHEDULES["pa1"]:
        lookahead_steps(flat, y, weight, rows, state.w[k], sums, s, *plain)
    else:
        loops.dense_steps(
            X, y, weight, rows, state.w[k], sums, state.q[k], s, loss, *common, settings.share, *last, width,
            *tail,
        )  # fmt: skip


def _advance_softmax(
    state: SgdState,
    X: Any,
    y: NDArray[Any],
    weight: FloatArray,
    settings: SgdSettings,
    rows: IntArray,
) -> None:
    s = state.scalars[0]
    W, W_sum, Q = (np.ascontiguousarray(part.T) for part in (state.w, state.w_sum, state.q))
    plain: tuple[Any, ...] = (SCHEDULES[settings.schedule], settings.eta0, settings.alpha, settings.share)
    plain = (*plain, settings.start, settings.power_t, int(settings.intercept), settings.average)
    plain = (*plain, settings.penalised)
    if sparse.issparse(X):
        since = state.since[0].copy()
        plain = (state.b, state.b_sum, s, *plain, SPARSE_INTERCEPT)
        sparse_softmax_steps(X.data, X.indices, X.indptr, y, weight, rows, W, W_sum, since, Q, *plain)
        state.since[:] = since
    else:
        plain = (state.b, state.b_sum, s, *plain, settings.batch)
        softmax_steps(X, y, weight, rows, W, W_sum, Q, *plain)
    state.w[:], state.w_sum[:], state.q[:] = W.T, W_sum.T, Q.T
    # The step number, the pulls, the scales and the average are those of all classes.
    state.scalars[1:, [2, 4, 5, 6, 7, 8]] = s[[2, 4, 5, 6, 7, 8]]
