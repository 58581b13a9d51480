"""Section 2.3: variance, standard error, intervals, and when one learner is better than another."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import special

from thetahat.distributions import Normal
from thetahat.judgment.pairs import Rule, judge
from thetahat.numerics.moments import moments
from thetahat.resampling.assess import assess
from thetahat.resampling.intervals import METHODS, OverDraws
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]

ROWS = Words("rows, m", "число примеров, m")


@statement(
    "standard-error",
    title=Words("The standard error of the mean is σ/√m", "Стандартная ошибка среднего равна σ/√m"),
    claim=Words(
        "The standard error is the root of the variance of the estimate over samples; of the mean of m rows "
        "it is "
        "σ/√m.",
        "Стандартная ошибка — корень из дисперсии оценки по выборкам; у среднего m примеров она равна σ/√m.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Laplace, assess, bootstrap
assess(np.mean, Laplace(0, 1), n=[10, 40], truth=0.0).se
x = Laplace(0, 1).sample(40, rng=np.random.default_rng(0))
bootstrap(x, "mean").se
""",
    remark=Words(
        "It needs no normality, only independent rows with a finite variance. One sample estimates it, by "
        "formula "
        "or by the bootstrap.",
        "Нормальность не нужна: достаточно независимых примеров с конечной дисперсией. По одной выборке её "
        "оценивают формулой или бутстрэпом.",
    ),
)
def standard_error(rng: Generator) -> Evidence:
    """Assess the mean of normal samples of growing size."""
    found = assess(np.mean, Normal(0.0, 3.0), [5, 20, 80, 320], 0.0, repeats=5000, rng=rng)
    root = np.sqrt(found.n)
    return Evidence(
        [
            near(
                Words(f"SE · √m / σ, m = {n:.0f}", f"SE · √m / σ, m = {n:.0f}"),
                se * r / 3,
                1.0,
                e * r / 3,
            )
            for n, r, se, e in zip(found.n, root, found.se, found.se_se, strict=True)
        ],
        picture(
            Words("Four times the rows halve the error", "Вчетверо больше примеров — вдвое меньше ошибка"),
            ROWS,
            Words("standard error", "стандартная ошибка"),
            series(Words("measured", "измерено"), found.n, found.se, found.se_se, joined=False),
            series(Words("σ/√m", "σ/√m"), found.n, 3 / root),
            log="xy",
        ),
    )


def _interval(x: NDArray[np.float64], factor: float) -> tuple[float, float, float]:
    found = moments(x)
    half = factor * found.standard_deviation / np.sqrt(len(x))
    return found.mean, found.mean - half, found.mean + half


@statement(
    "confidence-interval",
    title=Words("μ̂ ± 1.96 SE covers μ 95 times of 100", "μ̂ ± 1.96 SE накрывает μ в 95 случаях из 100"),
    claim=Words(
        "By the central limit theorem the mean ± 1.96 standard errors is a 95% confidence interval.",
        "По центральной предельной теореме среднее ± 1.96 стандартной ошибки — 95-процентный доверительный "
        "интервал.",
    ),
    expected="holds only if",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Normal, assess, bootstrap
found = assess(np.mean, Normal(0, 1), n=100, truth=0.0, repeats=100,
               interval=lambda x: (lambda b: (b.low, b.high))(bootstrap(x, "mean", resamples=500)))
print(found.coverage, found.coverage_se)
""",
    remark=Words(
        "Only with many rows: SE is estimated too. Of five normal rows the interval covers only 88 times of "
        "100; "
        "Student's 2.78 in place of 1.96 puts that right. It is the interval that varies over samples, not "
        "μ.",
        "Лишь когда примеров много: SE тоже оценивается. По пяти примерам интервал накрывает μ лишь в 88 "
        "случаях "
        "из 100; множитель Стьюдента 2.78 вместо 1.96 исправляет это. Случаен интервал, а не μ.",
    ),
)
def confidence_interval(rng: Generator) -> Evidence:
    """Count how often intervals with 1.96 and with Student's factor hold the mean."""
    population, sizes = Normal(1.0, 2.0), [5, 10, 30, 200]
    normal = assess(lambda x: _interval(x, 1.96), population, sizes, 1.0, repeats=6000, rng=rng)
    student = assess(
        lambda x: _interval(x, float(special.stdtrit(len(x) - 1, 0.975))),
        population,
        sizes,
        1.0,
        repeats=6000,
        rng=rng,
    )
    return Evidence(
        [
            near(
                Words("coverage, m = 200", "покрытие, m = 200"),
                normal.coverage[-1],
                0.95,
                normal.coverage_se[-1],
            ),
            near(
                Words("coverage with Student's factor, m = 5", "покрытие с множителем Стьюдента, m = 5"),
                student.coverage[0],
                0.95,
                student.coverage_se[0],
            ),
            near(
                Words("coverage, m = 5", "покрытие, m = 5"),
                normal.coverage[0],
                0.95,
                normal.coverage_se[0],
                counter=True,
            ),
        ],
        picture(
            Words("With few rows 1.96 is too small", "Когда примеров мало, 1.96 не хватает"),
            ROWS,
            Words("coverage", "покрытие"),
            series(Words("± 1.96 SE", "± 1.96 SE"), normal.n, normal.coverage, normal.coverage_se),
            series(Words("Student", "Стьюдент"), student.n, student.coverage, student.coverage_se),
            log="x",
            level=0.95,
            level_name=Words("nominal", "номинал"),
        ),
    )


def _judged(gap: float, runs: int, rng: Generator) -> NDArray[np.float64]:
    """Return how often intervals, and pairs, call the first learner better and worse."""
    rule = Rule(METHODS["holdout"], 0.95, None, "none", METHODS["holdout"])
    found = np.zeros((2, 2))
    n_train, n_test = np.array([400]), np.array([200])
    for _ in range(runs):
        hard = rng.normal(2.0, 1.0, 200)
        losses = {}
        for name, extra in (("A", 0.0), ("B", gap)):
            rows = hard + extra + rng.normal(0.0, 0.3, 200)
            losses[name] = OverDraws(np.array([rows.mean()]), n_train, n_test, [rows], [np.arange(200)])
        (pair,) = judge(losses, rule)
        for way, said in enumerate((pair.textbook, pair.verdict)):
            found[way] += said == "better", said == "worse"
    return found / runs


@statement(
    "better-by-intervals",
    title=Words("A is better when the intervals lie apart", "A лучше B, если интервалы не пересекаются"),
    claim=Words(
        "Algorithm A is better than B if the upper end of the 95% interval of A's error is below the lower "
        "end of "
        "B's.",
        "Алгоритм A лучше B, если верхняя граница 95-процентного интервала ошибки A меньше нижней границы "
        "для B.",
    ),
    expected="holds only if",
    rests_on="thetahat.judgment.pairs:judge",
    calls="""
import numpy as np, pandas as pd
from thetahat import LinearRegression, Ridge, compare
table = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=["a", "b", "y"])
for pair in compare(table, "y", [("A", LinearRegression()), ("B", Ridge(50.0))]).record.pairs:
    print(pair.a, pair.b, "paired:", pair.verdict, "intervals apart:", pair.textbook)
""",
    remark=Words(
        "Only one way round: intervals that lie apart show a difference, intervals that overlap show "
        "nothing. Both "
        "learners err on the same hard rows, which cancels in the paired difference and not in the two "
        "intervals.",
        "Лишь в одну сторону: непересекающиеся интервалы доказывают различие, пересекающиеся не доказывают "
        "ничего. "
        "Оба алгоритма ошибаются на одних и тех же трудных примерах; в парной разности это сокращается.",
    ),
)
def better_by_intervals(rng: Generator) -> Evidence:
    """Judge two learners on the same 200 rows, with and without a true difference of loss."""
    runs = 400
    equal = _judged(0.0, runs, rng)
    gaps = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
    rates = [equal, *(_judged(gap, runs if gap == 0.1 else 150, rng) for gap in gaps[1:])]
    power = rates[2][:, 0]
    errors = np.sqrt(np.maximum(power * (1 - power), 1 / runs) / runs)
    false = equal.sum(axis=1)
    false_errors = np.sqrt(np.maximum(false * (1 - false), 1 / runs) / runs)
    return Evidence(
        [
            below(
                Words("intervals: differences seen where there is none", "интервалы: мнимых различий"),
                false[0],
                0.05,
                false_errors[0],
            ),
            near(
                Words("pairs: differences seen where there is none", "пары: мнимых различий"),
                false[1],
                0.05,
                false_errors[1],
            ),
            above(
                Words("pairs: true differences seen, gap 0.1", "пары: найдено различий, разрыв 0.1"),
                power[1],
                0.8,
                errors[1],
            ),
            above(
                Words("intervals: true differences seen, gap 0.1", "интервалы: найдено различий, разрыв 0.1"),
                power[0],
                0.8,
                errors[0],
                counter=True,
            ),
        ],
        picture(
            Words(
                f"Of a gap that pairs see {100 * power[1]:.0f} times of 100, intervals see "
                f"{100 * power[0]:.0f}",
                f"Разрыв, видимый парам в {100 * power[1]:.0f} случаях из 100, интервалам — "
                f"в {100 * power[0]:.0f}",
            ),
            Words("true difference of the mean loss", "истинная разность средних потерь"),
            Words("A is called better", "A назван лучшим"),
            *(
                series(
                    name,
                    gaps,
                    [r[way, 0] for r in rates],
                    [np.sqrt(r[way, 0] * (1 - r[way, 0]) / 150) for r in rates],
                )
                for way, name in enumerate(
                    (
                        Words("separate intervals", "раздельные интервалы"),
                        Words("paired difference", "парная разность"),
                    )
                )
            ),
        ),
    )


CHAPTER = Chapter(
    "2.3",
    Words("Variance and standard error", "Дисперсия и стандартная ошибка"),
    (standard_error, confidence_interval, better_by_intervals),
)
