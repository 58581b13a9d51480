"""Section 3.3: softmax, as an output and as an inner unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.autodiff import grad, jacobian, logsumexp, softmax
from thetahat.distributions import BernoulliOutput, CategoricalOutput, Normal
from thetahat.likelihood.mle import Conditional, mle
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]


@statement(
    "two-class-softmax",
    title=Words("Softmax of two classes is the sigmoid", "Softmax двух классов — сигмоида"),
    claim=Words(
        "Softmax generalises the sigmoid: of two classes it is the sigmoid of their difference.",
        "Softmax обобщает сигмоиду: для двух классов это сигмоида их разности.",
    ),
    expected="holds",
    rests_on="thetahat.distributions.output:CategoricalOutput.nll_terms",
    calls="""
import numpy as np
from thetahat.distributions import BernoulliOutput, CategoricalOutput
eta = np.array([[0.5, 2.0]])
print(CategoricalOutput(2).mean(eta)[:, 1], BernoulliOutput().mean(eta[:, 1:] - eta[:, :1]))
""",
    remark=Words("The losses and their slopes are equal too.", "Равны и потери, и их наклоны."),
)
def two_class_softmax(rng: Generator) -> Evidence:
    """Compare probabilities, losses and slopes of the two output families."""
    eta = rng.normal(0, 5, size=(200, 2))
    gap = eta[:, 1:] - eta[:, :1]
    y = rng.integers(0, 2, 200)
    two, one = CategoricalOutput(2), BernoulliOutput()
    many, single = two.nll_terms(y, eta), one.nll_terms(y, gap)
    order = np.argsort(gap[:, 0])[::8]
    return Evidence(
        [
            near(
                Words("probability, largest difference", "вероятность, наибольшее различие"),
                np.abs(two.mean(eta)[:, 1] - one.mean(gap)).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("loss, largest difference", "потеря, наибольшее различие"),
                np.abs(many.value - single.value).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("slope, largest difference", "наклон, наибольшее различие"),
                np.abs(many.d_eta[:, 1] - single.d_eta[:, 0]).max(),
                0.0,
                within=1e-12,
            ),
        ],
        picture(
            Words("One curve", "Одна кривая"),
            Words("difference of the two inputs", "разность двух входов"),
            Words("probability of the second class", "вероятность второго класса"),
            series(Words("softmax", "softmax"), gap[order, 0], two.mean(eta)[order, 1], joined=False),
            series(Words("sigmoid", "сигмоида"), gap[order, 0], one.mean(gap)[order]),
        ),
    )


@statement(
    "softmax-saturates",
    title=Words("Softmax saturates with differences", "Softmax насыщается при больших разностях"),
    claim=Words(
        "Softmax saturates when the differences of its inputs are large, not when the inputs are.",
        "Softmax насыщается, когда велики разности между входами, а не сами входы.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:jacobian",
    calls="""
import numpy as np
from thetahat.autodiff import jacobian, softmax
print(np.abs(jacobian(softmax)(np.array([1000.0, 1000.5, 999.0]))).max())     # large inputs: not saturated
print(np.abs(jacobian(softmax)(np.array([30.0, 0.0, 0.0]))).max())            # large differences: saturated
""",
    remark=Words(
        "Adding one number to every input changes nothing.",
        "Прибавить ко всем входам одно число — ничего не изменить.",
    ),
)
def softmax_saturates(rng: Generator) -> Evidence:
    """Follow the largest slope of softmax as inputs are shifted and spread."""
    z = rng.normal(size=5)
    spread = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0])
    unit = z / np.diff(np.sort(z)[-2:])[0]
    slopes = [float(np.abs(jacobian(softmax)(s * unit)).max()) for s in spread]
    shifted = [float(np.abs(jacobian(softmax)(0.5 * unit + 100 * s)).max()) for s in spread]
    return Evidence(
        [
            near(
                Words("change of softmax, 10⁶ added to all", "изменение softmax, ко всем прибавлено 10⁶"),
                np.abs(softmax(z + 1e6) - softmax(z)).max(),
                0.0,
                within=1e-9,
            ),
            near(
                Words("largest slope, inputs near 4000, less near 0", "наклон у 4000 минус наклон у 0"),
                shifted[-1] - slopes[0],
                0.0,
                within=1e-9,
            ),
            above(Words("largest slope, difference 0.5", "наклон, разность 0.5"), slopes[0], 0.05),
            below(Words("largest slope, difference 40", "наклон, разность 40"), slopes[-1], 1e-12),
        ],
        picture(
            Words("The slope dies with differences alone", "Наклон исчезает лишь с ростом разностей"),
            Words("difference of the two largest; shift / 100", "разность двух наибольших; сдвиг / 100"),
            Words("largest slope", "наибольший наклон"),
            series(Words("spread", "разведены"), spread, slopes),
            series(Words("shifted", "сдвинуты"), spread, shifted),
            log="xy",
        ),
    )


@statement(
    "softmax-arg-max",
    title=Words("Softmax is a smoothed arg max", "Softmax — сглаженный arg max"),
    claim=Words(
        "Softmax is a smoothed form of arg max (as a one-hot vector), with a gradient everywhere.",
        "Softmax — сглаженный вариант arg max (в виде вектора из нуля и единицы), имеющий градиент всюду.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:grad",
    calls="""
import numpy as np
from thetahat.autodiff import grad, logsumexp
z = np.array([1.0, 3.0, 2.0])
print(grad(logsumexp)(z), grad(lambda z: logsumexp(50 * z) / 50)(z))     # softmax, and nearly arg max
""",
    remark=Words(
        "Of arg max, not of max: the smoothed maximum is log Σ exp, and softmax is its gradient.",
        "Именно arg max, а не max: сглаженный максимум — log Σ exp, а softmax — его градиент.",
    ),
)
def softmax_arg_max(rng: Generator) -> Evidence:
    """Sharpen softmax until it is arg max."""
    z = np.array([0.3, 1.0, -0.5, 0.8]) + rng.normal(0, 0.01, 4)
    hot = (z == z.max()).astype(float)
    sharp = np.array([0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])

    def smooth(z: Any, beta: float) -> Any:
        return logsumexp(beta * z) / beta

    away = [float(np.abs(special.softmax(b * z) - hot).max()) for b in sharp]
    top = [float(smooth(z, b) - z.max()) for b in sharp]
    slope = np.asarray(grad(smooth)(z, 3.0))
    return Evidence(
        [
            below(
                Words("distance from arg max, sharpness 300", "отличие от arg max, резкость 300"),
                away[-1],
                1e-9,
            ),
            above(
                Words("distance from arg max, sharpness 1", "отличие от arg max, резкость 1"), away[1], 0.3
            ),
            below(Words("log Σ exp − max, sharpness 300", "log Σ exp − max, резкость 300"), top[-1], 1e-9),
            near(
                Words("gradient of log Σ exp − softmax", "градиент log Σ exp − softmax"),
                np.abs(slope - special.softmax(3.0 * z)).max(),
                0.0,
                within=1e-12,
            ),
        ],
        picture(
            Words("Sharper and sharper, arg max", "Чем резче, тем ближе к arg max"),
            Words("sharpness β in softmax(βz)", "резкость β в softmax(βz)"),
            Words("distance", "отличие"),
            series(Words("softmax from arg max", "softmax от arg max"), sharp, away),
            series(Words("log Σ exp from max", "log Σ exp от max"), sharp, top),
            log="x",
        ),
    )


def _gated(theta: Any, X: Any) -> Any:
    """Return two slopes, weighed by a softmax of x that is learned with them."""
    x = X[:, 0]
    scores = np.stack([0.0 * x, theta[2] * (x - theta[3])], axis=1)
    share = softmax(scores, axis=1)
    return share[:, 0] * theta[0] * x + share[:, 1] * theta[1] * x


@statement(
    "softmax-inside",
    title=Words("Softmax as an inner unit", "Softmax внутри модели"),
    claim=Words(
        "Softmax is used, more rarely, inside a model as well, to choose between parts of it.",
        "Реже softmax применяют и внутри самой модели, для выбора между её частями.",
    ),
    expected="holds",
    rests_on="thetahat.likelihood.mle:mle",
    calls="""
import numpy as np
from thetahat import Conditional, Normal, mle
from thetahat.autodiff import softmax
def mean(theta, X):
    share = softmax(np.stack([0 * X[:, 0], 4 * (X[:, 0] - theta[2])], axis=1), axis=1)
    return share[:, 0] * theta[0] * X[:, 0] + share[:, 1] * theta[1] * X[:, 0]
rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, (200, 1))
y = mean(np.array([-1.0, 2.0, 0.5]), X) + rng.normal(0, 0.1, 200)
print(mle(Conditional(mean, Normal()), (X, y), [-0.5, 1.0, 0.0]).params)
""",
    remark=Words(
        "It passes a gradient to the choice itself, so that where to switch is learned, with its standard "
        "error.",
        "Через него градиент доходит и до самого выбора: место переключения обучается вместе со своей "
        "ошибкой.",
    ),
)
def softmax_inside(rng: Generator) -> Evidence:
    """Learn two slopes and where to switch between them."""
    truth = np.array([-1.0, 2.0, 4.0, 0.5])
    X = rng.uniform(-3, 3, size=(400, 1))
    y = _gated(truth, X) + rng.normal(0, 0.2, 400)
    fit = mle(Conditional(_gated, Normal()), (X, y), [-0.7, 1.5, 2.0, 0.0])
    line = np.linspace(-3, 3, 49)
    words = (
        Words("left slope", "левый наклон"),
        Words("right slope", "правый наклон"),
        Words("sharpness of the gate", "резкость переключения"),
        Words("place of the gate", "место переключения"),
    )
    return Evidence(
        [
            near(name, value, known, error)
            for name, value, known, error in zip(
                words, fit.params[:4], truth, fit.standard_errors[:4], strict=True
            )
        ],
        picture(
            Words("Two lines and a learned switch", "Две прямые и обученное переключение"),
            Words("x", "x"),
            Words("y", "y"),
            series(Words("rows", "примеры"), X[::8, 0], y[::8], joined=False),
            series(Words("fit", "модель"), line, _gated(fit.params[:4], line[:, None])),
        ),
    )


CHAPTER = Chapter(
    "3.3",
    Words("Softmax units and the categorical output", "Блоки softmax и категориальное распределение"),
    (two_class_softmax, softmax_saturates, softmax_arg_max, softmax_inside),
)
