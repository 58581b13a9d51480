"""Sections 3.1 and 3.2: cross-entropy as the cost, and sigmoid output units."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.random import Generator
from scipy import special

from thetahat.autodiff import grad
from thetahat.contracts import Status
from thetahat.distributions import Bernoulli, BernoulliOutput, cross_entropy
from thetahat.errors import ThetaHatWarning
from thetahat.linear.classifiers import LogisticRegression
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER", "SIGMOID"]


@statement(
    "cost-is-cross-entropy",
    title=Words("The cost is a cross-entropy", "Функция стоимости — перекрёстная энтропия"),
    claim=Words(
        "The negative log-likelihood that a classifier is trained by is the cross-entropy of data and model.",
        "Отрицательное логарифмическое правдоподобие, которым обучают классификатор, — это перекрёстная "
        "энтропия "
        "между данными и моделью.",
    ),
    expected="holds",
    rests_on="thetahat.distributions.output:BernoulliOutput.nll_terms",
    calls="""
import numpy as np
from thetahat.distributions import BernoulliOutput
print(BernoulliOutput().nll_terms(np.array([0, 1]), np.array([[0.3], [2.0]])).value)
""",
    remark=Words(
        "Row by row: the data's distribution puts all its mass on the label that happened.",
        "Построчно: распределение данных сосредоточено на наблюдённой метке.",
    ),
)
def cost_is_cross_entropy(rng: Generator) -> Evidence:
    """Compare the loss of logistic regression with cross-entropies, row by row and where x is shared."""
    eta = np.linspace(-4, 4, 17)
    labels = rng.integers(0, 2, 17)
    loss = BernoulliOutput().nll_terms(labels, eta[:, None]).value
    rows = np.array(
        [
            cross_entropy(Bernoulli(float(y)), Bernoulli(float(special.expit(e)))).value
            for y, e in zip(labels, eta, strict=True)
        ]
    )
    share, n = 0.7, 1000
    y = (np.arange(n) < share * n).astype(int)
    mean = [float(np.mean(BernoulliOutput().nll_terms(y, np.full((n, 1), e)).value)) for e in eta]
    exact = [cross_entropy(Bernoulli(share), Bernoulli(float(special.expit(e)))).value for e in eta]
    return Evidence(
        [
            near(
                Words("row by row, largest difference", "построчно, наибольшее различие"),
                np.abs(loss - rows).max(),
                0.0,
                within=1e-9,
            ),
            near(
                Words("mean over rows, largest difference", "в среднем, наибольшее различие"),
                np.abs(np.array(mean) - exact).max(),
                0.0,
                within=1e-9,
            ),
        ],
        picture(
            Words(
                "Mean loss and cross-entropy are one curve",
                "Средняя потеря и перекрёстная энтропия совпадают",
            ),
            Words("η, the log-odds of the model", "η, логарифм шансов модели"),
            Words("nats a row", "нат на пример"),
            series(Words("mean loss", "средняя потеря"), eta, mean, joined=False),
            series(Words("cross-entropy", "перекрёстная энтропия"), eta, exact),
        ),
    )


@statement(
    "no-minimum",
    title=Words("Cross-entropy may have no minimum", "У перекрёстной энтропии может не быть минимума"),
    claim=Words(
        "For typical models the cross-entropy has no minimum: the model cannot say 0 or 1, only come as "
        "near as "
        "it likes, as in logistic regression.",
        "Для типичных моделей у перекрёстной энтропии нет минимального значения: модель не может выдать 0 "
        "или 1, но "
        "подходит к ним сколь угодно близко, как логистическая регрессия.",
    ),
    expected="holds only if",
    rests_on="thetahat.linear.classifiers:LogisticRegression.fit",
    calls="""
import warnings, numpy as np
from thetahat import LogisticRegression
warnings.simplefilter("ignore")
print(LogisticRegression(C=np.inf).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).status_)
""",
    remark=Words(
        "Only if the classes can be separated: then the loss falls for ever along a ray of growing weights. "
        "Where "
        "they overlap there is a minimum, and logistic regression finds it.",
        "Лишь если классы разделимы: тогда потеря убывает вдоль луча растущих весов без конца. Если классы "
        "перекрываются, минимум есть, и логистическая регрессия его находит.",
    ),
)
def no_minimum(rng: Generator) -> Evidence:
    """Walk along the ray of the fitted weights, with classes that can be separated and that overlap."""
    x = np.sort(rng.normal(size=200))
    apart = (x > 0).astype(int)
    mixed = (rng.random(200) < special.expit(1.5 * x)).astype(int)
    with warnings.catch_warnings():
        # Of separable classes the fit says that there is no maximum; that is what is looked at.
        warnings.simplefilter("ignore", ThetaHatWarning)
        separable = LogisticRegression(C=np.inf).fit(x[:, None], apart)
    overlapping = LogisticRegression(C=np.inf).fit(x[:, None], mixed)
    scales = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1e3, 1e4, 1e5, 1e6])
    slope, base = overlapping.coef_[0, 0], overlapping.intercept_[0]

    def loss(y: object, eta: np.ndarray) -> float:
        return float(np.mean(BernoulliOutput().nll_terms(np.asarray(y), eta[:, None]).value))

    apart_loss = np.array([loss(apart, s * x) for s in scales])
    factors = np.array([0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0])
    mixed_loss = np.array([loss(mixed, f * (slope * x + base)) for f in factors])
    return Evidence(
        [
            near(
                Words("separable: status says so", "разделимы: статус сообщает об этом"),
                float(separable.status_ is Status.SEPARABLE),
                1.0,
            ),
            below(
                Words(
                    "separable: largest step of the loss along the ray", "разделимы: наибольший шаг потери"
                ),
                np.diff(apart_loss[:8]).max(),
                0.0,
            ),
            below(Words("separable: loss at 10⁶", "разделимы: потеря при 10⁶"), apart_loss[-1], 1e-3),
            above(
                Words("separable: loss at 128, not 0", "разделимы: потеря при 128, не 0"), apart_loss[7], 0.0
            ),
            below(
                Words("overlapping: step of the loss beyond the fit", "перекрываются: шаг потери за оценкой"),
                mixed_loss[4] - mixed_loss[3],
                0.0,
                counter=True,
            ),
        ],
        picture(
            Words(
                "Separable: lower for ever; overlapping: a minimum",
                "Разделимы: без минимума; иначе минимум есть",
            ),
            Words("weights, as a multiple of their unit", "веса, в долях единицы"),
            Words("nats a row", "нат на пример"),
            series(Words("separable", "разделимы"), scales[:8], apart_loss[:8]),
            series(Words("overlapping", "перекрываются"), factors, mixed_loss),
            log="x",
        ),
    )


CHAPTER = Chapter(
    "3.1",
    Words("Conditional distributions by maximum likelihood", "Обучение условных распределений"),
    (cost_is_cross_entropy, no_minimum),
)


def _squared(z: np.ndarray) -> object:
    return np.sum(0.5 * (1 / (1 + np.exp(-z)) - 1.0) ** 2)


@statement(
    "sigmoid-keeps-gradient",
    title=Words(
        "Likelihood keeps the gradient of a wrong answer", "Правдоподобие сохраняет градиент при ошибке"
    ),
    claim=Words(
        "A sigmoid output trained by likelihood has a large gradient whenever the answer is wrong; with "
        "squared "
        "error the gradient vanishes there.",
        "У сигмоидного выхода, обучаемого по правдоподобию, градиент велик всегда, когда ответ неверен; при "
        "квадратичной ошибке он там исчезает.",
    ),
    expected="holds",
    rests_on="thetahat.distributions.output:BernoulliOutput.nll_terms",
    calls="""
import numpy as np
from thetahat.distributions import BernoulliOutput
print(BernoulliOutput().nll_terms(np.array([1]), np.array([[-30.0]])).d_eta)      # −1: as wrong as can be
""",
    remark=Words(
        "Where the answer is right both gradients vanish, as they should.",
        "Там, где ответ верен, исчезают оба градиента — так и нужно.",
    ),
)
def sigmoid_keeps_gradient(rng: Generator) -> Evidence:
    """Compare the slopes of both losses for y = 1 over the whole range of η."""
    eta = np.linspace(-12, 12, 49)
    ones = np.ones(49, dtype=int)
    likelihood = BernoulliOutput().nll_terms(ones, eta[:, None]).d_eta[:, 0]
    squared = np.asarray(grad(_squared)(eta))
    return Evidence(
        [
            near(
                Words("likelihood, slope at η = −12", "правдоподобие, наклон при η = −12"),
                likelihood[0],
                -1.0,
                within=1e-4,
            ),
            below(
                Words("squared error, |slope| at η = −12", "квадрат, |наклон| при η = −12"),
                abs(squared[0]),
                1e-4,
            ),
            below(
                Words("likelihood, |slope| at η = 12", "правдоподобие, |наклон| при η = 12"),
                abs(likelihood[-1]),
                1e-4,
            ),
        ],
        picture(
            Words("Wrong by far, squared error stops learning", "При грубой ошибке квадрат перестаёт учить"),
            Words("η of a row with y = 1", "η примера с y = 1"),
            Words("|slope of the loss|", "|наклон потери|"),
            series(Words("likelihood", "правдоподобие"), eta, np.abs(likelihood)),
            series(Words("squared error", "квадрат ошибки"), eta, np.abs(squared)),
        ),
    )


SIGMOID = Chapter(
    "3.2",
    Words("Sigmoid units and the Bernoulli output", "Сигмоидные блоки и распределение Бернулли"),
    (sigmoid_keeps_gradient,),
)
