"""Section 2.9: stochastic gradient descent on ever larger training sets."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.linear.sgd import SGDRegressor
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement
from thetahat.theory.timing import least_seconds, power

__all__ = ["CHAPTER"]

COLUMNS, BATCH = 10, 8
ROWS = Words("training rows, m", "обучающих примеров, m")
Array = NDArray[np.float64]


def _rows(rng: Generator, m: int) -> tuple[Array, Array]:
    """Return m rows in a random order, of slopes one and unit noise."""
    X = rng.normal(size=(m, COLUMNS))
    return X, X.sum(axis=1) + rng.normal(size=m)


def _learner(step: float, batch: int, average: int | bool = False) -> SGDRegressor:
    # A constant step whose iterates are averaged is as good as one that shrinks (Polyak and Juditsky, 1992).
    return SGDRegressor(
        penalty=None,
        fit_intercept=False,
        learning_rate="constant",
        eta0=step,
        batch_size=batch,
        average=average,
        shuffle=False,
        random_state=0,
    )


def _excess(model: SGDRegressor) -> float:
    """Return the test error above the noise: of standard normal features, that of the slopes."""
    return float(np.sum((model.coef_ - 1.0) ** 2))


def _stretch(model: SGDRegressor, X: Array, y: Array, done: int, steps: int) -> None:
    """Take so many steps more, along the rows."""
    rows = slice(done * BATCH % len(X), done * BATCH % len(X) + steps * BATCH)
    model.partial_fit(X[rows], y[rows])


def _steps_to(rng: Generator, m: int, wanted: float, most: int) -> int:
    """Return the steps after which the test error is as low as wanted, in as many passes as it takes."""
    X, y = _rows(rng, m)
    model, done = _learner(0.05, BATCH, 100), 0
    while done < most:
        left = (m - done * BATCH % m) // BATCH
        steps = min(max(10, done // 20), left)
        _stretch(model, X, y, done, steps)
        done += steps
        if _excess(model) <= wanted:
            return done
    return most


@statement(
    "sgd-step-cost",
    title=Words("A step of SGD costs the same for every m", "Стоимость шага СГС не зависит от m"),
    claim=Words(
        "For a model of fixed size the cost of one step of stochastic gradient descent does not depend on "
        "the size "
        "of the training set.",
        "Для модели фиксированного размера стоимость одного шага СГС не зависит от размера обучающего "
        "набора.",
    ),
    expected="holds",
    rests_on="thetahat.linear.sgd:SGDRegressor.partial_fit",
    calls="""
import numpy as np
from thetahat import SGDRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3)); y = X @ np.ones(3)
model = SGDRegressor(learning_rate="constant", eta0=0.05, batch_size=10)
model.partial_fit(X[:100], y[:100])      # ten steps, which read a hundred rows
print(model.coef_)
""",
    remark=Words(
        "A step reads its batch and nothing else; a step of full gradient descent reads all m rows.",
        "Шаг читает только свой пакет; шаг полного градиентного спуска читает все m примеров.",
    ),
)
def sgd_step_cost(rng: Generator) -> Evidence:
    """Time 200 steps of ten rows, and one full gradient, as the training set grows."""
    sizes = np.array([2000, 20_000, 200_000])
    works = []
    for m in sizes:
        X, y = _rows(rng, int(m))
        begin = int(rng.integers(m - 1999))
        some = slice(begin, begin + 2000)
        for model, rows in ((_learner(1e-3, 10), some), (_learner(1e-3, int(m)), slice(0, int(m)))):
            model.partial_fit(X[rows], y[rows])
            works.append(partial(model.partial_fit, X[rows], y[rows]))
    steps, fulls = least_seconds(works, 7).reshape(-1, 2).T
    steps = steps / 200
    return Evidence(
        [
            near(
                Words("power of m, a step of ten rows", "степень m, шаг по десяти примерам"),
                power(sizes, steps),
                0.0,
                within=0.25,
            ),
            above(
                Words("power of m, full gradient, 20 000 to 200 000", "степень m, полный градиент"),
                power(sizes[1:], fulls[1:]),
                0.5,
            ),
        ],
        picture(
            Words(
                "The step stays where it is, the full gradient does not",
                "Шаг не дорожает, полный градиент дорожает",
            ),
            ROWS,
            Words("seconds", "секунд"),
            series(Words("a step of ten rows", "шаг по десяти примерам"), sizes, steps),
            series(Words("full gradient", "полный градиент"), sizes, fulls),
            log="xy",
        ),
    )


@statement(
    "sgd-before-one-pass",
    title=Words("SGD can converge before one pass", "СГС может сойтись до конца первого прохода"),
    claim=Words(
        "On large training sets the model comes to the best possible test error before SGD has looked at "
        "every row.",
        "Когда m велико, модель сходится к наилучшей возможной ошибке тестирования раньше, чем СГС "
        "просмотрит каждый "
        "пример.",
    ),
    expected="holds only if",
    rests_on="thetahat.linear.sgd:SGDRegressor.partial_fit",
    calls="""
import numpy as np
from thetahat import SGDRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(20_000, 3)); y = X @ np.ones(3) + rng.normal(size=20_000)
model = SGDRegressor(learning_rate="constant", eta0=0.02, batch_size=20)
model.partial_fit(X[:8000], y[:8000])      # fewer than half of the rows
print(model.coef_)
""",
    remark=Words(
        "Only on large sets: best possible means within 2 % of the noise here. With few rows one pass is "
        "not enough, "
        "and no number of passes is: the rows themselves do not say more.",
        "Лишь когда примеров много: «наилучшая» здесь — в пределах 2 % от шума. Когда примеров мало, одного "
        "прохода "
        "не хватает, да и никакого числа проходов: сами данные большего не говорят.",
    ),
)
def sgd_before_one_pass(rng: Generator) -> Evidence:
    """Follow the test error along one pass over training sets of several sizes."""
    paths = {}
    for m in (200, 2000, 40_000):
        X, y = _rows(rng, m)
        model, done = _learner(0.05, BATCH, 100), 0
        shares: list[float] = []
        errors: list[float] = []
        while done < m // BATCH:
            steps = min(max(5, done // 8), m // BATCH - done)
            _stretch(model, X, y, done, steps)
            done += steps
            shares.append(done * BATCH / m)
            errors.append(_excess(model))
        paths[m] = (np.array(shares), np.array(errors))
    seen, excess = paths[40_000]
    half = excess[seen >= 0.5][0]
    return Evidence(
        [
            below(
                Words(
                    "test error above the noise, half a pass of 40 000",
                    "ошибка сверх шума, полпрохода по 40 000",
                ),
                half,
                0.02,
            ),
            below(
                Words("test error above the noise, a pass of 200", "ошибка сверх шума, проход по 200"),
                paths[200][1][-1],
                0.02,
                counter=True,
            ),
            above(
                Words("test error above the noise, at the start", "ошибка сверх шума, в начале"),
                excess[0],
                0.1,
            ),
        ],
        picture(
            Words(
                "With 40 000 rows a fraction of one pass is enough",
                "При 40 000 примеров хватает доли прохода",
            ),
            Words("share of the rows seen", "доля просмотренных примеров"),
            Words("test error above the noise (σ² = 1)", "ошибка сверх шума (σ² = 1)"),
            *(series(Words(f"m = {m}", f"m = {m}"), share, error) for m, (share, error) in paths.items()),
            log="xy",
            level=0.02,
        ),
    )


@statement(
    "sgd-cost-is-constant",
    title=Words("Steps grow with m, the cost becomes constant", "Шаги растут с m, стоимость постоянна"),
    claim=Words(
        "As a function of m the asymptotic cost of training by SGD is O(1).",
        "Асимптотическая стоимость обучения методом СГС как функции от m имеет порядок O(1).",
    ),
    expected="holds only if",
    rests_on="thetahat.linear.sgd:SGDRegressor.partial_fit",
    calls="""
import numpy as np
from thetahat import SGDRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(500, 2)); y = X @ np.ones(2) + rng.normal(size=500)
model = SGDRegressor(random_state=0).fit(X, y)
print(model.n_iter_, "passes", model.t_, "steps")
""",
    remark=Words(
        "Only for a fixed test error to be reached: that takes the same number of steps however large m is. "
        "To "
        "converge, to the error that m rows allow, the number of steps grows with m, as the notes say too.",
        "Лишь для достижения заданной ошибки: число шагов тогда одно и то же при любом большом m. Чтобы "
        "сойтись — "
        "дойти до ошибки, которую позволяют m примеров, — шагов нужно тем больше, чем больше m.",
    ),
)
def sgd_cost_is_constant(rng: Generator) -> Evidence:
    """Count steps to a fixed error, and to the error that the training set allows."""
    sizes, repeats = np.array([1000, 4000, 32_000]), 8
    fixed, converged = [], []
    for m in sizes:
        aims = (0.05, 3.0 * COLUMNS / m)
        counts = [[_steps_to(rng, int(m), aim, int(m)) for _ in range(repeats)] for aim in aims]
        fixed.append(np.mean(counts[0]))
        converged.append(np.mean(counts[1]))
    return Evidence(
        [
            near(
                Words("power of m, steps to a fixed error", "степень m, шагов до заданной ошибки"),
                power(sizes, fixed),
                0.0,
                within=0.3,
            ),
            below(
                Words("steps to a fixed error, m = 32 000", "шагов до заданной ошибки, m = 32 000"),
                fixed[-1],
                2000,
            ),
            near(
                Words("power of m, steps to converge", "степень m, шагов до сходимости"),
                power(sizes, converged),
                0.0,
                within=0.3,
                counter=True,
            ),
        ],
        picture(
            Words("To a fixed error the steps do not grow", "До заданной ошибки число шагов не растёт"),
            ROWS,
            Words("steps", "шагов"),
            series(Words("to an error of 0.05", "до ошибки 0.05"), sizes, fixed),
            series(Words("to what m rows allow", "до возможного при m"), sizes, converged),
            log="xy",
        ),
    )


CHAPTER = Chapter(
    "2.9",
    Words("Stochastic gradient descent", "Стохастический градиентный спуск"),
    (sgd_step_cost, sgd_before_one_pass, sgd_cost_is_constant),
)
