"""Section 3.4.2: the sigmoid and the hyperbolic tangent as hidden units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.autodiff import grad, jacobian
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import statement

__all__ = ["STATEMENTS"]


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _relu(z: Any) -> Any:
    return np.maximum(z, 0.0)


@statement(
    "tanh-near-identity",
    title=Words("tanh is near the identity, the sigmoid is not", "tanh близок к тождественной, сигмоида нет"),
    claim=Words(
        "tanh is the better of the two as a hidden unit, for near 0 it is the identity: tanh(0) = 0, whereas "
        "σ(0) = 1/2.",
        "В качестве скрытого блока лучше tanh: вблизи нуля он похож на тождественную функцию, tanh(0) = 0, "
        "тогда как "
        "σ(0) = 1/2.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
sigmoid = lambda z: 1 / (1 + np.exp(-z))
print(np.tanh(0.0), grad(np.tanh)(0.0), sigmoid(0.0), grad(sigmoid)(0.0))
""",
    remark=Words(
        "One is the other stretched, tanh(z) = 2σ(2z) − 1; what helps is the slope 1 at 0 in place of 1/4.",
        "Одна функция — растяжение другой, tanh(z) = 2σ(2z) − 1; помогает наклон 1 в нуле вместо 1/4.",
    ),
)
def tanh_near_identity(rng: Generator) -> Evidence:
    """Compare values and slopes of both at and near 0."""
    z = np.linspace(-2, 2, 33)
    small = rng.uniform(-0.1, 0.1, 100)
    return Evidence(
        [
            near(Words("tanh(0)", "tanh(0)"), np.tanh(0.0), 0.0),
            near(Words("slope of tanh at 0", "наклон tanh в нуле"), grad(np.tanh)(0.0), 1.0),
            near(Words("σ(0)", "σ(0)"), _sigmoid(0.0), 0.5),
            near(Words("slope of σ at 0", "наклон σ в нуле"), grad(_sigmoid)(0.0), 0.25, within=1e-15),
            below(
                Words("largest |tanh(z) − z|, |z| < 0.1", "наибольшее |tanh(z) − z|, |z| < 0.1"),
                np.abs(np.tanh(small) - small).max(),
                4e-4,
            ),
            near(
                Words("largest |tanh(z) − 2σ(2z) + 1|", "наибольшее |tanh(z) − 2σ(2z) + 1|"),
                np.abs(np.tanh(z) - 2 * _sigmoid(2 * z) + 1).max(),
                0.0,
                within=1e-12,
            ),
        ],
        picture(
            Words(
                "tanh goes with the identity, the sigmoid does not", "tanh идёт вдоль тождественной функции"
            ),
            Words("z", "z"),
            Words("unit", "блок"),
            series(Words("tanh", "tanh"), z, np.tanh(z)),
            series(Words("sigmoid", "сигмоида"), z, _sigmoid(z)),
            series(Words("identity", "тождественная"), z, z),
        ),
    )


def _deep(unit: Any, weights: Any, x: Any) -> Any:
    h = x
    for W in weights:
        h = unit(h @ W)
    return h


@statement(
    "tanh-like-linear",
    title=Words("A deep tanh network is nearly linear", "Глубокая сеть с tanh почти линейна"),
    claim=Words(
        "Learning ŷ = wᵀ tanh(Uᵀ tanh(Vᵀx)) is like learning the linear model ŷ = wᵀUᵀVᵀx.",
        "Обучение сети ŷ = wᵀ tanh(Uᵀ tanh(Vᵀx)) напоминает обучение линейной модели ŷ = wᵀUᵀVᵀx.",
    ),
    expected="holds only if",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
deep = lambda V, x: np.sum(np.tanh(np.tanh(x @ V)))
print(grad(deep)(np.eye(2), np.array([[0.01, 0.02]])))
""",
    remark=Words(
        "Only while the activations are small: the relative difference of the gradients grows as their "
        "square.",
        "Лишь пока сигналы активации малы: относительное различие градиентов растёт как их квадрат.",
    ),
)
def tanh_like_linear(rng: Generator) -> Evidence:
    """Compare the gradients of the deep and the linear model as inputs grow."""
    X = rng.normal(size=(50, 4))
    V, U, w = rng.normal(size=(4, 6)) / 2, rng.normal(size=(6, 6)) / np.sqrt(6), rng.normal(size=6)

    def total(V: Any, X: Any, unit: Any) -> Any:
        return np.sum(_deep(unit, (V, U), X) @ w * (X @ np.ones(4)))

    scales = np.array([0.01, 0.03, 0.1, 0.3, 1.0, 3.0])
    gaps = []
    for s in scales:
        deep = grad(total)(V, s * X, np.tanh)
        straight = grad(total)(V, s * X, lambda z: z)
        gaps.append(float(np.linalg.norm(deep - straight) / np.linalg.norm(straight)))
    slope = float(np.log(gaps[2] / gaps[0]) / np.log(10.0))
    return Evidence(
        [
            below(
                Words("difference of the gradients, inputs 0.01", "различие градиентов, входы 0.01"),
                gaps[0],
                1e-3,
            ),
            near(Words("power of the inputs", "степень входов"), slope, 2.0, within=0.1),
            below(
                Words("difference of the gradients, inputs 3", "различие градиентов, входы 3"),
                gaps[-1],
                0.1,
                counter=True,
            ),
        ],
        picture(
            Words("Nearly linear while activations are small", "Почти линейна, пока активации малы"),
            Words("size of the inputs", "величина входов"),
            Words("relative difference of the gradients", "относительное различие градиентов"),
            series(Words("tanh against linear", "tanh против линейной"), scales, gaps),
            log="xy",
        ),
    )


@statement(
    "saturation-in-depth",
    title=Words("Saturation makes depth hard to train", "Насыщение затрудняет обучение в глубину"),
    claim=Words(
        "Sigmoid units are sensitive near 0 alone and saturate elsewhere, which makes learning by gradient "
        "hard; as "
        "hidden units they are not recommended.",
        "Сигмоидные блоки чувствительны лишь вблизи нуля и насыщаются в остальной области, из-за чего "
        "градиентное "
        "обучение затруднено; как скрытые блоки их не рекомендуют.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
rng = np.random.default_rng(0)
def deep(x, layers):
    for W in layers:
        x = 1 / (1 + np.exp(-x @ W))
    return np.sum(x)
layers = [rng.normal(size=(20, 20)) / 20**0.5 for _ in range(10)]
print(np.abs(grad(deep)(rng.normal(size=(1, 20)), layers)).max())
""",
    remark=Words(
        "Each layer multiplies the gradient by a slope of at most 1/4 for the sigmoid, at most 1 for tanh, "
        "and 0 or 1 "
        "for ReLU.",
        "Каждый слой умножает градиент на наклон: у сигмоиды не больше 1/4, у tanh не больше 1, у ReLU 0 "
        "или 1.",
    ),
)
def saturation_in_depth(rng: Generator) -> Evidence:
    """Follow the gradient in the input through ever more layers."""
    depths, width = np.array([1, 2, 4, 6, 8, 10, 12]), 64
    x = rng.normal(size=(20, width))
    layers = [rng.normal(size=(width, width)) / np.sqrt(width) for _ in range(depths[-1])]
    units = {
        Words("sigmoid", "сигмоида"): (_sigmoid, 1.0),
        Words("tanh", "tanh"): (np.tanh, 1.0),
        Words("ReLU", "ReLU"): (_relu, np.sqrt(2.0)),
    }
    sizes = {}
    for name, (unit, gain) in units.items():
        weights = [gain * W for W in layers]
        sizes[name] = np.array(
            [
                float(
                    np.sqrt(
                        np.mean(
                            grad(
                                lambda x, d=d, unit=unit, weights=weights: np.sum(_deep(unit, weights[:d], x))
                            )(x)
                            ** 2
                        )
                    )
                )
                for d in depths
            ]
        )
    sigmoid, tanh, relu = sizes.values()
    return Evidence(
        [
            below(
                Words("sigmoid: gradient through 12 layers / 1", "сигмоида: градиент через 12 слоёв / 1"),
                sigmoid[-1] / sigmoid[0],
                1e-5,
            ),
            above(Words("tanh: the same", "tanh: то же"), tanh[-1] / tanh[0], 0.02),
            above(Words("ReLU: the same", "ReLU: то же"), relu[-1] / relu[0], 0.02),
            below(
                Words("sigmoid: slope at |z| = 8", "сигмоида: наклон при |z| = 8"),
                max(float(grad(_sigmoid)(8.0)), float(grad(_sigmoid)(-8.0))),
                1e-3,
            ),
        ],
        picture(
            Words("The sigmoid's gradient dies with depth", "Градиент сигмоиды исчезает с глубиной"),
            Words("layers", "слоёв"),
            Words("root mean square of the gradient", "средняя величина градиента"),
            *(series(name, depths, size) for name, size in sizes.items()),
            log="y",
        ),
    )


@statement(
    "tanh-recurrent",
    title=Words("A recurrent cell needs a bounded unit", "Рекуррентной ячейке нужен ограниченный блок"),
    claim=Words(
        "Sigmoidal units live on in recurrent networks, whose demands rule out piecewise linear ones.",
        "Сигмоидальные блоки применяются в рекуррентных сетях, требования к которым исключают "
        "кусочно-линейные функции.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:jacobian",
    calls="""
import numpy as np
W = 1.5 * np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
h = np.ones(8)
for _ in range(100):
    h = np.tanh(W @ h)
print(np.abs(h).max())
""",
    remark=Words(
        "The same weights act at every step. With tanh the state stays within (−1, 1) whatever they are; a "
        "piecewise linear cell grows without bound as soon as they stretch, and so does its derivative.",
        "Одни и те же веса действуют на каждом шаге. С tanh состояние остаётся в (−1, 1) при любых весах; "
        "кусочно-линейная ячейка растёт неограниченно, как только веса растягивают, и производная вместе с "
        "ней.",
    ),
)
def tanh_recurrent(rng: Generator) -> Evidence:
    """Run a cell whose weights stretch by 1.5 for a hundred steps."""
    W = 1.5 * np.linalg.qr(rng.normal(size=(8, 8)))[0]
    start = rng.normal(size=8)
    steps = np.arange(0, 101, 5)

    def run(h: Any, unit: Any, count: int) -> Any:
        for _ in range(count):
            h = unit(W @ h)
        return h

    leaky = {
        Words("tanh", "tanh"): np.tanh,
        Words("leaky ReLU, 0.8", "ReLU с утечкой 0.8"): lambda z: np.maximum(z, 0.8 * z),
        Words("absolute", "абсолютный"): np.abs,
    }
    states = {
        name: np.array([float(np.abs(run(start, unit, int(t))).max()) for t in steps])
        for name, unit in leaky.items()
    }
    slope = [
        float(np.linalg.norm(jacobian(lambda h, unit=unit: run(h, unit, 40))(start)))
        for unit in leaky.values()
    ]
    bounded, stretched, absolute = states.values()
    return Evidence(
        [
            below(
                Words("tanh: largest state, 100 steps", "tanh: наибольшее состояние, 100 шагов"),
                bounded[-1],
                1.0,
            ),
            above(
                Words("leaky: largest state, 100 steps", "с утечкой: наибольшее состояние"),
                stretched[-1],
                1e3,
            ),
            above(Words("|z|: largest state, 100 steps", "|z|: наибольшее состояние"), absolute[-1], 1e3),
            above(Words("|z|: derivative over 40 steps", "|z|: производная за 40 шагов"), slope[2], 1e4),
            below(
                Words(
                    "tanh: derivative over 40 steps / that of |z|", "tanh: производная за 40 шагов / у |z|"
                ),
                slope[0] / slope[2],
                1e-2,
            ),
        ],
        picture(
            Words("tanh stays bounded, the others run away", "tanh остаётся ограниченным, другие уходят"),
            Words("step", "шаг"),
            Words("largest state", "наибольшее состояние"),
            *(series(name, steps, state) for name, state in states.items()),
            log="y",
        ),
    )


STATEMENTS = (tanh_near_identity, tanh_like_linear, saturation_in_depth, tanh_recurrent)
