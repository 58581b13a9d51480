"""Section 3.4.1: rectified linear units and their generalisations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.autodiff import grad
from thetahat.distributions import Normal
from thetahat.likelihood.mle import Conditional, mle
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, between, near, picture, series
from thetahat.theory.statement import statement

__all__ = ["STATEMENTS"]


def _relu(z: Any) -> Any:
    return np.maximum(z, 0.0)


def _rectified(z: Any, alpha: float) -> Any:
    return np.maximum(z, 0.0) + alpha * np.minimum(z, 0.0)


def _slopes(unit: Any, z: Any) -> Any:
    return np.asarray(grad(lambda z: np.sum(unit(z)))(z))


def _kinked(theta: Any, X: Any) -> Any:
    return theta[0] * np.maximum(X[:, 0] - theta[1], 0.0)


@statement(
    "relu-kink",
    title=Words("ReLU has no derivative at 0, and no harm comes of it", "Излом ReLU в нуле безвреден"),
    claim=Words(
        "ReLU has derivative 0 from the left and 1 from the right at 0; software returns one of them, and "
        "it can "
        "safely be ignored.",
        "Производная ReLU в нуле слева равна 0, справа 1; программы возвращают одну из них, и "
        "недифференцируемость "
        "можно спокойно игнорировать.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
print(grad(lambda z: np.maximum(z, 0.0))(0.0))
""",
    remark=Words(
        "Here the derivative at 0 is the left one. Of a hundred thousand random inputs none is exactly 0, "
        "and a "
        "kink is found by maximum likelihood with its standard error.",
        "Здесь в нуле берётся левая производная. Из ста тысяч случайных входов ни один не равен нулю в "
        "точности, а "
        "место излома находится методом максимального правдоподобия вместе с ошибкой.",
    ),
)
def relu_kink(rng: Generator) -> Evidence:
    """Take one-sided differences at 0, count exact zeros, and fit a kink."""
    step = 1e-6
    left, right = (0.0 - _relu(-step)) / step, (_relu(step) - 0.0) / step
    here = float(grad(_relu)(0.0))
    W, X = rng.normal(size=(10, 100)), rng.normal(size=(1000, 10))
    x = rng.uniform(-2, 2, size=(300, 1))
    y = _kinked([2.0, 0.5], x) + rng.normal(0, 0.2, 300)
    fit = mle(Conditional(_kinked, Normal()), (x, y), [1.0, 0.0])
    line = np.linspace(-2, 2, 41)
    return Evidence(
        [
            near(Words("difference from the left", "разность слева"), left, 0.0, within=1e-9),
            near(Words("difference from the right", "разность справа"), right, 1.0, within=1e-9),
            near(
                Words("distance of what is returned to the nearer", "отличие возвращённого от ближайшей"),
                min(abs(here), abs(here - 1)),
                0.0,
            ),
            near(
                Words("inputs exactly 0, of 100 000", "входов, равных нулю, из 100 000"),
                np.sum(X @ W == 0),
                0.0,
            ),
            near(
                Words("fitted place of the kink", "найденное место излома"),
                fit.params[1],
                0.5,
                fit.standard_errors[1],
            ),
        ],
        picture(
            Words("A kink, found by its likelihood", "Излом, найденный по правдоподобию"),
            Words("x", "x"),
            Words("y", "y"),
            series(Words("rows", "примеры"), x[::8, 0], y[::8], joined=False),
            series(Words("fit", "модель"), line, _kinked(fit.params[:2], line[:, None])),
        ),
    )


@statement(
    "relu-slope",
    title=Words("An active ReLU has slope 1 wherever it is active", "Активный ReLU всюду имеет наклон 1"),
    claim=Words(
        "ReLU gives 0 on half of its domain; its derivative stays large wherever the unit is active.",
        "ReLU на половине области определения выдаёт 0; производная остаётся большой всюду, где блок "
        "активен.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
print(grad(lambda z: np.sum(np.maximum(z, 0.0)))(np.array([-3.0, 0.1, 100.0])))
""",
    remark=Words(
        "The sigmoid's slope is at most 1/4 and dies on both sides.",
        "У сигмоиды наклон не больше 1/4 и исчезает с обеих сторон.",
    ),
)
def relu_slope(rng: Generator) -> Evidence:
    """Read the slopes of ReLU and of the sigmoid over a wide range."""
    z = np.linspace(-10, 10, 80)
    relu, sigmoid = _slopes(_relu, z), _slopes(lambda z: 1 / (1 + np.exp(-z)), z)
    return Evidence(
        [
            near(
                Words("slope where active, least", "наклон в активной области, наименьший"),
                relu[z > 0].min(),
                1.0,
            ),
            near(
                Words("slope where inactive, largest", "наклон в неактивной области"), relu[z < 0].max(), 0.0
            ),
            between(Words("sigmoid: largest slope", "сигмоида: наибольший наклон"), sigmoid.max(), 0.2, 0.25),
            between(Words("sigmoid: slope at 10", "сигмоида: наклон в точке 10"), sigmoid[-1], 0.0, 1e-4),
        ],
        picture(
            Words("ReLU keeps its slope, the sigmoid does not", "ReLU сохраняет наклон, сигмоида — нет"),
            Words("input z", "вход z"),
            Words("slope", "наклон"),
            series(Words("ReLU", "ReLU"), z, relu),
            series(Words("sigmoid", "сигмоида"), z, sigmoid),
        ),
    )


@statement(
    "bias-of-a-tenth",
    title=Words("A bias of 0.1 keeps units active", "Смещение 0.1 держит блоки активными"),
    claim=Words(
        "With all biases 0.1 at the start a rectified unit is most likely active for most training rows, "
        "and has a "
        "derivative.",
        "Если в начале все b равны 0.1, блок линейной ректификации с большой вероятностью активен для "
        "большинства "
        "примеров и его производная отлична от нуля.",
    ),
    expected="holds only if",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
rng = np.random.default_rng(0)
X, W = rng.normal(size=(500, 20)), rng.normal(0, 0.01, size=(20, 50))
print(np.mean(grad(lambda z: np.sum(np.maximum(z, 0.0)))(X @ W + 0.1) > 0))
""",
    remark=Words(
        "Only if the initial weights are small, so that Wᵀx is small beside 0.1. With the initial weights "
        "of today, "
        "whose Wᵀx is about 1, half the units are active with the bias as without it.",
        "Лишь если начальные веса малы, так что Wᵀx мало по сравнению с 0.1. При нынешних начальных весах, "
        "когда "
        "Wᵀx порядка 1, активна половина блоков — что со смещением, что без.",
    ),
)
def bias_of_a_tenth(rng: Generator) -> Evidence:
    """Count active units for initial weights of several sizes, with and without the bias."""
    X = rng.normal(size=(400, 20))
    spread = np.array([0.02, 0.05, 0.1, 0.3, 1.0, 1.4])
    active: dict[float, list[float]] = {}
    for bias in (0.0, 0.1):
        active[bias] = []
        for s in spread:
            W = rng.normal(0.0, s / np.sqrt(20), size=(20, 200))
            active[bias].append(float(np.mean(_slopes(_relu, X @ W + bias) > 0)))
    return Evidence(
        [
            above(Words("active, Wᵀx of size 0.05", "активны, Wᵀx порядка 0.05"), active[0.1][1], 0.9),
            near(
                Words("active without bias, size 0.05", "активны без смещения, Wᵀx порядка 0.05"),
                active[0.0][1],
                0.5,
                within=0.05,
            ),
            above(
                Words("active, Wᵀx of size 1.4", "активны, Wᵀx порядка 1.4"),
                active[0.1][-1],
                0.75,
                counter=True,
            ),
        ],
        picture(
            Words("The bias helps where weights begin small", "Смещение помогает, пока веса малы"),
            Words("standard deviation of Wᵀx at the start", "стандартное отклонение Wᵀx в начале"),
            Words("share of active units", "доля активных блоков"),
            series(Words("b = 0.1", "b = 0.1"), spread, active[0.1]),
            series(Words("b = 0", "b = 0"), spread, active[0.0]),
            log="x",
            level=0.5,
        ),
    )


@statement(
    "rectifier-kin",
    title=Words("Absolute, leaky and parametric rectification", "Абсолютная, с утечкой и параметрическая"),
    claim=Words(
        "A unit cannot learn by gradient from rows on which it is inactive; h = max(0, z) + α min(0, z) "
        "with α ≠ 0 "
        "has a gradient everywhere.",
        "Блок не обучается градиентом на примерах, где он неактивен; h = max(0, z) + α min(0, z) при α ≠ 0 "
        "имеет "
        "градиент в любой точке.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad
unit = lambda z, alpha: np.sum(np.maximum(z, 0.0) + alpha * np.minimum(z, 0.0))
for alpha in (0.0, 0.01, -1.0):
    print(alpha, grad(unit)(np.array([-2.0, 2.0]), alpha))
""",
    remark=Words(
        "α = −1 is |z|, a small fixed α is the leaky unit, a learned α the parametric one.",
        "α = −1 — это |z|, малое фиксированное α — ReLU с утечкой, обучаемое α — параметрический ReLU.",
    ),
)
def rectifier_kin(rng: Generator) -> Evidence:
    """Take the gradient of the weights of a unit that is inactive on every row."""
    X = np.abs(rng.normal(size=(50, 3)))
    y = rng.normal(size=50)

    def loss(w: Any, alpha: float) -> Any:
        return np.mean((_rectified(X @ w, alpha) - y) ** 2)

    dead = -np.ones(3)
    norms = [float(np.linalg.norm(grad(loss)(dead, alpha))) for alpha in (0.0, 0.01, 0.25, -1.0)]
    z = rng.normal(0, 3, 200)
    return Evidence(
        [
            near(Words("gradient of the dead unit, α = 0", "градиент мёртвого блока, α = 0"), norms[0], 0.0),
            above(Words("gradient, α = 0.01", "градиент, α = 0.01"), norms[1], 1e-6),
            above(Words("gradient, α = −1", "градиент, α = −1"), norms[3], 0.1),
            near(
                Words("α = −1 against |z|, largest difference", "α = −1 против |z|, наибольшее различие"),
                np.abs(_rectified(z, -1.0) - np.abs(z)).max(),
                0.0,
            ),
            near(
                Words("share of inputs with no slope, α = 0.01", "доля входов без наклона, α = 0.01"),
                np.mean(_slopes(lambda z: _rectified(z, 0.01), z) == 0),
                0.0,
            ),
        ],
        picture(
            Words("Only α = 0 leaves a dead unit dead", "Только при α = 0 мёртвый блок не оживает"),
            Words("unit", "блок"),
            Words("size of the gradient of its weights", "величина градиента весов"),
            series(Words("inactive on every row", "неактивен на всех примерах"), range(4), norms),
            ticks=(
                Words("ReLU", "ReLU"),
                Words("leaky, 0.01", "с утечкой, 0.01"),
                Words("parametric at 0.25", "параметрический, 0.25"),
                Words("absolute", "абсолютный"),
            ),
        ),
    )


def _parametric(theta: Any, X: Any) -> Any:
    z = X[:, 0]
    return theta[0] * (np.maximum(z, 0.0) + theta[1] * np.minimum(z, 0.0))


@statement(
    "learned-leak",
    title=Words("The slope of a parametric unit is learned", "Наклон параметрического блока обучается"),
    claim=Words(
        "In parametric ReLU α is a parameter that is learned.",
        "В параметрическом ReLU α считается обучаемым параметром.",
    ),
    expected="holds",
    rests_on="thetahat.likelihood.mle:mle",
    calls="""
import numpy as np
from thetahat import Conditional, Normal, mle
unit = lambda theta, X: np.maximum(X[:, 0], 0.0) + theta[0] * np.minimum(X[:, 0], 0.0)
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 1)); y = unit([0.25], X) + rng.normal(0, 0.1, 200)
print(mle(Conditional(unit, Normal()), (X, y), [0.0]).summary())
""",
    remark=Words(
        "By maximum likelihood it comes with a standard error, as any parameter does.",
        "По методу максимального правдоподобия оно, как любой параметр, получает стандартную ошибку.",
    ),
)
def learned_leak(rng: Generator) -> Evidence:
    """Fit a parametric unit to noisy rows."""
    X = rng.uniform(-3, 3, size=(300, 1))
    truth = np.array([1.5, 0.25])
    y = _parametric(truth, X) + rng.normal(0, 0.2, 300)
    fit = mle(Conditional(_parametric, Normal()), (X, y), [1.0, 0.5])
    line = np.linspace(-3, 3, 41)
    return Evidence(
        [
            near(Words("α", "α"), fit.params[1], 0.25, fit.standard_errors[1]),
            near(Words("weight", "вес"), fit.params[0], 1.5, fit.standard_errors[0]),
            between(Words("standard error of α", "стандартная ошибка α"), fit.standard_errors[1], 1e-4, 0.1),
        ],
        picture(
            Words(f"The leak is found: {fit.params[1]:.3f}", f"Утечка найдена: {fit.params[1]:.3f}"),
            Words("x", "x"),
            Words("y", "y"),
            series(Words("rows", "примеры"), X[::8, 0], y[::8], joined=False),
            series(Words("fit", "модель"), line, _parametric(fit.params[:2], line[:, None])),
        ),
    )


@statement(
    "absolute-polarity",
    title=Words("|z| ignores polarity", "|z| не зависит от полярности"),
    claim=Words(
        "Absolute rectification finds features that do not change when light and dark change places.",
        "Абсолютная ректификация ищет признаки, инвариантные относительно изменения полярности освещения.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
edge = np.array([-1.0, -1.0, 1.0, 1.0])
patch = np.array([0.1, 0.2, 0.9, 0.8])
print(abs(edge @ (patch - patch.mean())), abs(edge @ ((1 - patch) - (1 - patch).mean())))
""",
    remark=Words(
        "For a filter that sums to zero the negative of a patch gives the same |z| and the same "
        "gradient in the filter; ReLU sees one of the two and is blind to the other.",
        "Для фильтра с нулевой суммой негатив даёт то же |z| и тот же градиент по фильтру; ReLU видит одно "
        "из двух, а "
        "к другому слеп.",
    ),
)
def absolute_polarity(rng: Generator) -> Evidence:
    """Apply a filter to patches and to their negatives."""
    edge = rng.normal(size=16)
    edge -= edge.mean()
    patches = rng.random(size=(100, 16))
    z, turned = patches @ edge, (1 - patches) @ edge

    def slope(unit: Any, rows: Any) -> Any:
        return np.asarray(grad(lambda w: np.sum(unit((rows - 0.5) @ w)))(edge))

    same = np.abs(slope(np.abs, patches) - slope(np.abs, 1 - patches)).max()
    order = np.argsort(z)[::3]
    return Evidence(
        [
            near(
                Words("|z|: patch less negative, largest", "|z|: фрагмент минус негатив, наибольшее"),
                np.abs(np.abs(z) - np.abs(turned)).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("|z|: gradients, largest difference", "|z|: градиенты, наибольшее различие"),
                same,
                0.0,
                within=1e-9,
            ),
            above(
                Words("|z|: size of the gradient", "|z|: величина градиента"),
                np.abs(slope(np.abs, patches)).max(),
                0.5,
            ),
            above(
                Words("ReLU: patch less negative, mean", "ReLU: фрагмент минус негатив, в среднем"),
                np.abs(_relu(z) - _relu(turned)).mean(),
                0.3,
            ),
        ],
        picture(
            Words("|z| of a patch and of its negative are one", "|z| фрагмента и негатива совпадают"),
            Words("z of the patch", "z фрагмента"),
            Words("output for the negative", "выход для негатива"),
            series(Words("|z|", "|z|"), z[order], np.abs(turned[order])),
            series(Words("ReLU", "ReLU"), z[order], _relu(turned[order])),
        ),
    )


STATEMENTS = (relu_kink, relu_slope, bias_of_a_tenth, rectifier_kin, learned_leak, absolute_polarity)
