"""Section 3.4, continued: what training does with hidden units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.networks.engine.choice import executor_for
from thetahat.networks.engine.problem import TrainingProblem
from thetahat.optimisers.adam import Adam
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, picture, series
from thetahat.theory.statement import statement

__all__ = ["STATEMENTS"]


def _rectified(parameters: list[Any], batch: Mapping[str, Any]) -> Any:
    W, b, w = parameters
    return np.mean((np.maximum(batch["X"] @ W + b, 0.0) @ w - batch["y"]) ** 2)


@statement(
    "training-ends-early",
    title=Words(
        "Training ends where the gradient is not zero", "Обучение кончается там, где градиент не нуль"
    ),
    claim=Words(
        "Training a network does not usually arrive at a minimum of the cost; it merely makes the cost "
        "small.",
        "Обучение нейронной сети обычно не достигает минимума функции стоимости, а лишь заметно уменьшает "
        "её.",
    ),
    expected="holds",
    rests_on="thetahat.networks.engine.choice:executor_for",
    calls="""
import numpy as np
from thetahat.networks.engine.choice import executor_for
from thetahat.networks.engine.problem import TrainingProblem
from thetahat.optimisers.adam import Adam
rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, size=(200, 1))
y = np.sin(2 * X[:, 0])
loss = lambda p, batch: np.mean((np.maximum(batch["X"] @ p[0] + p[1], 0) @ p[2] - batch["y"]) ** 2)
start = [rng.normal(size=(1, 20)), np.full(20, 0.1), rng.normal(size=20) / 5]
training = executor_for(TrainingProblem(loss, start, {"X": X, "y": y}), Adam(0.01))
for epoch in range(20):
    training.run(rng.permutation(200), 20)
value, gradient = training.value_and_grad()
print(value, np.linalg.norm(gradient))
""",
    remark=Words(
        "So it does no harm that the cost may have a kink at its minimum: training never gets there. With "
        "steps of "
        "mini-batches the gradient over all rows goes on changing and does not settle at zero.",
        "Поэтому не страшно, что в минимуме у стоимости может быть излом: обучение туда не доходит. При "
        "шагах по "
        "пакетам градиент по всем примерам продолжает меняться и к нулю не сходится.",
    ),
)
def training_ends_early(rng: Generator) -> Evidence:
    """Train a rectified network on a sine for 150 epochs, and follow cost and gradient."""
    X = rng.uniform(-2, 2, size=(200, 1))
    y = np.sin(3 * X[:, 0]) + rng.normal(0, 0.1, 200)
    start = [rng.normal(size=(1, 30)), rng.normal(size=30), rng.normal(size=30) / np.sqrt(30)]
    training = executor_for(TrainingProblem(_rectified, start, {"X": X, "y": y}), Adam(0.01))
    epochs, cost, size = [], [], []
    for epoch in range(151):
        if epoch % 10 == 0:
            value, gradient = training.value_and_grad()
            epochs.append(epoch)
            cost.append(float(value))
            size.append(float(np.linalg.norm(gradient)))
        training.run(rng.permutation(200), 20)
    last = float(np.median(size[-5:]))
    return Evidence(
        [
            below(
                Words("cost at the end / at the start", "стоимость в конце / в начале"),
                cost[-1] / cost[0],
                0.2,
            ),
            above(
                Words(
                    "size of the gradient, median of the last five",
                    "величина градиента, медиана пяти последних",
                ),
                last,
                1e-3,
            ),
            above(Words("cost at the end", "стоимость в конце"), cost[-1], 1e-4),
        ],
        picture(
            Words(
                "The cost gets small, the gradient does not vanish", "Стоимость мала, градиент не исчезает"
            ),
            Words("epoch", "эпоха"),
            Words("cost; size of the gradient", "стоимость; величина градиента"),
            series(Words("cost", "стоимость"), epochs, cost),
            series(Words("gradient", "градиент"), epochs, size),
            log="y",
        ),
    )


def _code(W: Any, b: Any, X: Any) -> Any:
    return np.tanh(X @ W + b)


def _reconstruction(parameters: list[Any], batch: Mapping[str, Any]) -> Any:
    W, b, V, c = parameters
    return np.mean((_code(W, b, batch["X"]) @ V + c - batch["X"]) ** 2)


@statement(
    "tanh-code",
    title=Words("tanh bounds the code of an autoencoder", "tanh ограничивает код автокодировщика"),
    claim=Words(
        "Some autoencoders ask of their code what piecewise linear units cannot give: here, to be bounded.",
        "К некоторым автокодировщикам предъявляются требования, исключающие кусочно-линейные функции; здесь "
        "— "
        "ограниченность кода.",
    ),
    expected="holds",
    rests_on="thetahat.networks.engine.choice:executor_for",
    calls="""
import numpy as np
from thetahat.networks.engine.choice import executor_for
from thetahat.networks.engine.problem import TrainingProblem
from thetahat.optimisers.adam import Adam
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 1)) @ np.array([[1.0, 2.0, -1.0]])
loss = lambda p, batch: np.mean((np.tanh(batch["X"] @ p[0]) @ p[1] - batch["X"]) ** 2)
start = [0.1 * np.ones((3, 1)), 0.1 * np.ones((1, 3))]
training = executor_for(TrainingProblem(loss, start, {"X": X}), Adam(0.01))
for epoch in range(20):
    training.run(rng.permutation(300), 20)
print(training.value_and_grad()[0])
""",
    remark=Words(
        "Rows a hundred times as large have a code within (−1, 1) still, where that of a rectified unit "
        "with the same "
        "weights is a hundred times as large.",
        "Даже у примеров во сто раз больших код остаётся в (−1, 1), а у выпрямителя с теми же весами он во "
        "сто раз "
        "больше.",
    ),
)
def tanh_code(rng: Generator) -> Evidence:
    """Train an autoencoder with a code of one number on rows along a line."""
    place = rng.uniform(-1.5, 1.5, size=(300, 1))
    X = place @ np.array([[1.0, 0.7, -0.5]]) + rng.normal(0, 0.05, size=(300, 3))
    start = [0.3 * rng.normal(size=(3, 1)), np.zeros(1), 0.3 * rng.normal(size=(1, 3)), np.zeros(3)]
    training = executor_for(TrainingProblem(_reconstruction, start, {"X": X}), Adam(0.01))
    for _ in range(100):
        training.run(rng.permutation(300), 20)
    W, b, V, c = (np.array(each) for each in training.parameters)
    code = _code(W, b, X)
    left = float(np.mean((code @ V + c - X) ** 2) / np.mean((X - X.mean(axis=0)) ** 2))
    far, rectified = _code(W, b, 100 * X), np.maximum(100 * X @ W + b, 0.0)
    order = np.argsort(place[:, 0])[::8]
    return Evidence(
        [
            below(Words("share of the variance lost", "потерянная доля дисперсии"), left, 0.1),
            below(
                Words(
                    "largest |code|, rows 100 times as large", "наибольший |код|, примеры в 100 раз больше"
                ),
                np.abs(far).max(),
                1.0 + 1e-12,
            ),
            above(Words("the same of a rectified unit", "то же у выпрямителя"), rectified.max(), 10.0),
            above(Words("range of the code", "размах кода"), np.ptp(code), 0.5),
        ],
        picture(
            Words(
                "The code follows the line and stays within (−1, 1)",
                "Код следует прямой и остаётся в (−1, 1)",
            ),
            Words("place along the line", "положение на прямой"),
            Words("code", "код"),
            series(Words("tanh", "tanh"), place[order, 0], code[order, 0]),
        ),
    )


STATEMENTS = (training_ends_early, tanh_code)
