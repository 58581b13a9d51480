"""Section 2.1: point estimates, and why a small sample is cross-validated."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from thetahat.contracts import Fit, Sample
from thetahat.distributions import Normal, Poisson
from thetahat.likelihood.mle import mle
from thetahat.linear.regressors import LinearRegression
from thetahat.resampling.adapter import SklearnPredictor
from thetahat.resampling.assess import assess
from thetahat.resampling.plans import Holdout, KFold, Plan, Rows
from thetahat.resampling.replicate import replicate
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]


@statement(
    "point-estimate",
    title=Words("Any function of the data is an estimate", "Любая функция данных — точечная оценка"),
    claim=Words(
        "A point estimate, or statistic, is any function of the data; it need not be near the parameter.",
        "Точечная оценка, или статистика, — это любая функция данных; быть близкой к параметру она не "
        "обязана.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
from thetahat import Normal, assess
assess(lambda x: 7.0, Normal(2, 1), n=20, truth=2.0).table()
""",
    remark=Words(
        "So an estimate is judged by its bias, variance and coverage, not by its name: even the constant 7 "
        "has them.",
        "Поэтому оценку судят по смещению, дисперсии и покрытию, а не по названию: они есть даже у "
        "константы 7.",
    ),
)
def point_estimate(rng: Generator) -> Evidence:
    """Assess a mean, a median, a maximum-likelihood fit, the first row and a constant alike."""
    population, n = Normal(2.0, 1.0), 20
    constant = assess(lambda x: 7.0, population, n, 2.0, repeats=50, rng=rng)
    known = {
        Words("mean", "среднее"): assess(np.mean, population, n, 2.0, repeats=2000, rng=rng),
        Words("median", "медиана"): assess(np.median, population, n, 2.0, repeats=2000, rng=rng),
        Words("likelihood", "правдоподобие"): assess(
            lambda x: mle(Normal(), x).params[0], population, n, 2.0, repeats=300, rng=rng
        ),
        Words("first row", "первый пример"): assess(
            lambda x: x[0], population, n, 2.0, repeats=2000, rng=rng
        ),
        Words("constant 7", "константа 7"): constant,
    }
    place = np.arange(len(known))
    return Evidence(
        [
            near(
                Words("standard error of the constant 7", "стандартная ошибка константы 7"),
                constant.se[0],
                0.0,
            ),
            near(Words("bias of the constant 7", "смещение константы 7"), constant.bias[0], 5.0, within=1e-9),
            *(
                near(
                    Words(f"bias of the {name.en}", f"смещение: {name.ru}"),
                    each.bias[0],
                    0.0,
                    each.bias_se[0],
                )
                for name, each in list(known.items())[:4]
            ),
        ],
        picture(
            Words("Five statistics of 20 rows, each with its own error", "Пять статистик двадцати примеров"),
            Words("statistic", "статистика"),
            Words("size of the error", "величина ошибки"),
            series(
                Words("|bias|", "|смещение|"), place, [abs(a.bias[0]) for a in known.values()], joined=False
            ),
            series(
                Words("standard error", "стандартная ошибка"),
                place,
                [a.se[0] for a in known.values()],
                [a.se_se[0] for a in known.values()],
                joined=False,
            ),
            ticks=list(known),
        ),
    )


@statement(
    "outside-the-parameters",
    title=Words("An estimate may leave the admissible values", "Оценка может выйти за допустимые значения"),
    claim=Words(
        "The values of g need not be admissible values of the parameter.",
        "Область значений g не обязана совпадать с множеством допустимых значений параметра.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
from thetahat import Poisson, assess
import math
assess(lambda x: (-1.0) ** x[0], Poisson(1.0), n=1, truth=math.exp(-2)).bias
""",
    remark=Words(
        "Of one count with mean 1 the only unbiased estimate of the probability e⁻² is (−1)ˣ: always 1 or "
        "−1, "
        "never a probability between them. Maximum likelihood gives e^(−2x), which stays admissible and is "
        "biased.",
        "По одному наблюдению Пуассона со средним 1 единственная несмещённая оценка вероятности e⁻² — это "
        "(−1)ˣ: "
        "она всегда равна 1 или −1. Метод максимального правдоподобия даёт e^(−2x): допустимо, но смещено.",
    ),
)
def outside_the_parameters(rng: Generator) -> Evidence:
    """Estimate e^(−2λ) of one Poisson count by (−1)^x."""
    truth, population = float(np.exp(-2.0)), Poisson(1.0)
    signs = assess(lambda x: (-1.0) ** x[0], population, 1, truth, repeats=20_000, rng=rng)
    inside = assess(lambda x: float(abs((-1.0) ** x[0]) < 1), population, 1, 0.0, repeats=200, rng=rng)
    likelihood = assess(
        lambda x: np.exp(-2 * mle(Poisson(), x).params[0]) if x[0] else 1.0,
        population,
        1,
        truth,
        repeats=500,
        rng=rng,
    )
    return Evidence(
        [
            near(Words("bias of (−1)ˣ", "смещение (−1)ˣ"), signs.bias[0], 0.0, signs.bias_se[0]),
            near(Words("share of estimates within (0, 1)", "доля оценок внутри (0, 1)"), inside.bias[0], 0.0),
            above(
                Words("bias of maximum likelihood", "смещение максимального правдоподобия"),
                likelihood.bias[0],
                0.0,
                likelihood.bias_se[0],
            ),
        ],
        picture(
            Words(
                "The unbiased estimate is never a probability",
                "Несмещённая оценка никогда не бывает вероятностью",
            ),
            Words("count x", "наблюдение x"),
            Words("estimate of e⁻²", "оценка e⁻²"),
            series(Words("(−1)ˣ, unbiased", "(−1)ˣ, несмещённая"), range(6), (-1.0) ** np.arange(6)),
            series(
                Words("maximum likelihood", "максимальное правдоподобие"),
                range(6),
                np.exp(-2.0 * np.arange(6)),
            ),
            level=truth,
            level_name=Words("truth", "истина"),
        ),
    )


def _rows(rng: Generator, n: int) -> Sample:
    X = rng.normal(size=(n, 3))
    return Sample(X, X @ np.array([1.0, -1.0, 0.5]) + rng.normal(size=n))


def _squared_error(fit: Fit[object], train: Sample, held_out: Sample, /) -> float:
    predicted = SklearnPredictor(LinearRegression()).predict(fit.theta, held_out.X).value
    return float(np.mean((held_out.y - predicted) ** 2))


@statement(
    "small-holdout",
    title=Words(
        "A small hold-out is noisy, folds are less so", "Малая контрольная выборка шумит сильнее групп"
    ),
    claim=Words(
        "When rows are few, k-fold cross-validation estimates the generalisation error better than one "
        "hold-out, because a mean over few held-out rows has a large variance.",
        "Если данных мало, k-групповая перекрёстная проверка оценивает ошибку обобщения точнее одного "
        "разбиения: "
        "среднее по малому тестовому набору имеет большую дисперсию.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.replicate:replicate",
    calls="""
from thetahat import LinearRegression, compare
import numpy as np, pandas as pd
table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "y"])
for plan in ("holdout:0.2", "cv:5"):
    print(compare(table, "y", [("least squares", LinearRegression())], resampling=plan).verdict)
""",
    remark=Words(
        "Both train on 32 of 40 rows, so they estimate the same error; only the number of rows held out "
        "differs, 8 against 40.",
        "Обе обучаются на 32 примерах из 40, так что оценивают одну и ту же ошибку; различается лишь число "
        "проверочных примеров: 8 против 40.",
    ),
)
def small_holdout(rng: Generator) -> Evidence:
    """Estimate the squared error of least squares on 40 rows by one hold-out and by five folds."""
    learner, n, runs = SklearnPredictor(LinearRegression()), 40, 250
    found = np.empty((runs, 2))
    for run in range(runs):
        sample = _rows(rng, n)
        plans: tuple[Plan, ...] = (Holdout(0.2), KFold(5))
        for way, plan in enumerate(plans):
            draws = plan.draws(Rows(n), rng=rng)
            found[run, way] = np.mean(replicate(learner, sample, draws, _squared_error, rng=rng).values)
    logs = np.log(found.var(axis=0))
    # Of a variance estimated from R values the logarithm has standard error √((kurtosis − 1) / R).
    centred = found - found.mean(axis=0)
    kurtosis = np.mean(centred**4, axis=0) / found.var(axis=0) ** 2
    error = float(np.sqrt(np.sum((kurtosis - 1) / runs)))
    gap = found[:, 0] - found[:, 1]
    deviations = found.std(axis=0)
    return Evidence(
        [
            above(
                Words(
                    "log of the ratio of variances, hold-out to folds",
                    "логарифм отношения дисперсий: одно разбиение к группам",
                ),
                logs[0] - logs[1],
                0.0,
                error,
            ),
            near(
                Words("difference of the mean estimates", "разность средних оценок"),
                gap.mean(),
                0.0,
                gap.std() / np.sqrt(runs),
            ),
        ],
        picture(
            Words(
                f"Of 40 rows, one hold-out varies {deviations[0] / deviations[1]:.1f} times as much as five "
                "folds",
                f"На 40 примерах одно разбиение колеблется в {deviations[0] / deviations[1]:.1f} раза "
                "сильнее",
            ),
            Words("estimate of the squared error", "оценка квадратичной ошибки"),
            Words("samples", "выборок"),
            *(
                series(name, 0.5 * (edges[1:] + edges[:-1]), counts)
                for name, column in (
                    (Words("one hold-out of 8 rows", "одно разбиение, 8 примеров"), found[:, 0]),
                    (Words("five folds", "пять групп"), found[:, 1]),
                )
                for counts, edges in (np.histogram(column, bins=12),)
            ),
        ),
    )


CHAPTER = Chapter(
    "2.1",
    Words("Point estimation", "Точечная оценка"),
    (point_estimate, outside_the_parameters, small_holdout),
)
