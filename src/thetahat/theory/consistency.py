"""Section 2.5: consistency, weak and strong, and what it says of bias."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.distributions import Bernoulli, Normal
from thetahat.resampling.assess import assess
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]

ROWS = Words("rows, m", "число примеров, m")
SIZES = [10, 40, 160, 640]


def _far(estimate: Any, truth: float, away: float) -> Any:
    """Return whether an estimate is further away than so much, as a statistic."""
    return lambda x: float(abs(estimate(x) - truth) > away)


@statement(
    "consistency",
    title=Words("A consistent estimate comes near the truth", "Состоятельная оценка приближается к истине"),
    claim=Words(
        "An estimate is consistent when the probability of missing the truth by more than any ε tends to "
        "zero; the "
        "mean is.",
        "Оценка состоятельна, если вероятность промахнуться больше чем на любое ε стремится к нулю; таково "
        "среднее.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Exponential, assess
print(assess(np.mean, Exponential(1.0), n=[10, 100, 1000], truth=1.0).rate)   # slope of log error, its SE
""",
    remark=Words(
        "The error falls as 1/√m, so ten times nearer takes a hundred times the rows.",
        "Ошибка убывает как 1/√m: чтобы подойти вдесятеро ближе, нужно в сто раз больше примеров.",
    ),
)
def consistency(rng: Generator) -> Evidence:
    """Follow how often the mean of normal rows is off by a quarter."""
    population = Normal(0.0, 1.0)
    misses = assess(_far(np.mean, 0.0, 0.25), population, SIZES, 0.0, repeats=3000, rng=rng)
    slope, error = assess(np.mean, population, SIZES, 0.0, repeats=3000, rng=rng).rate
    return Evidence(
        [
            above(
                Words("P(|θ̂ − θ| > 0.25), m = 10", "P(|θ̂ − θ| > 0.25), m = 10"),
                misses.bias[0],
                0.3,
                misses.bias_se[0],
            ),
            near(
                Words("P(|θ̂ − θ| > 0.25), m = 640", "P(|θ̂ − θ| > 0.25), m = 640"),
                misses.bias[-1],
                0.0,
                within=1e-3,
            ),
            near(
                Words("power of m by which the error falls", "степень m, с которой убывает ошибка"),
                slope,
                -0.5,
                error,
            ),
        ],
        picture(
            Words(
                "The mean misses by a quarter ever more rarely", "Среднее промахивается на четверть всё реже"
            ),
            ROWS,
            Words("P(|θ̂ − θ| > 0.25)", "P(|θ̂ − θ| > 0.25)"),
            series(Words("mean", "среднее"), misses.n, misses.bias, misses.bias_se),
            log="x",
            level=0.0,
        ),
    )


@statement(
    "first-example",
    title=Words("The first example: unbiased, not consistent", "Первый пример: не смещён и не состоятелен"),
    claim=Words(
        "Asymptotic unbiasedness does not give consistency: the first example estimates the mean without "
        "bias at "
        "every m and comes no nearer.",
        "Из асимптотической несмещённости не следует состоятельность: первый пример — несмещённая оценка "
        "среднего "
        "при любом m, но ближе она не становится.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
from thetahat import Normal, assess
found = assess(lambda x: x[0], Normal(5, 1), n=[10, 100, 1000], truth=5.0)
print(found.bias, found.se, found.rate)
""",
    remark=Words(
        "Its standard error is σ however many rows there are.",
        "Её стандартная ошибка равна σ, сколько бы ни было примеров.",
    ),
)
def first_example(rng: Generator) -> Evidence:
    """Assess the first row against the mean as samples grow."""
    population = Normal(5.0, 1.0)
    found = assess(lambda x: x[0], population, SIZES, 5.0, repeats=3000, rng=rng)
    mean = assess(np.mean, population, SIZES, 5.0, repeats=1000, rng=rng)
    slope, error = found.rate
    return Evidence(
        [
            *(
                near(Words(f"bias, m = {n:.0f}", f"смещение, m = {n:.0f}"), b, 0.0, e)
                for n, b, e in zip(found.n, found.bias, found.bias_se, strict=True)
            ),
            near(
                Words("standard error, m = 640", "стандартная ошибка, m = 640"),
                found.se[-1],
                1.0,
                found.se_se[-1],
            ),
            near(
                Words("power of m by which the error falls", "степень m, с которой убывает ошибка"),
                slope,
                0.0,
                error,
            ),
        ],
        picture(
            Words("The first example comes no nearer", "Первый пример ближе не становится"),
            ROWS,
            Words("root mean squared error", "корень из среднеквадратической ошибки"),
            series(Words("first example", "первый пример"), found.n, np.sqrt(found.mse), found.se_se),
            series(Words("mean", "среднее"), mean.n, np.sqrt(mean.mse), mean.se_se),
            log="xy",
        ),
    )


def _with_jump(rng: Generator) -> Any:
    """Return the mean that is off by m with probability 1/m."""

    def estimate(x: NDArray[np.float64]) -> float:
        jumped = Bernoulli(1 / len(x)).sample(rng=rng)
        return float(np.mean(x) + len(x) * jumped)

    return estimate


@statement(
    "consistency-and-bias",
    title=Words("Does consistency make the bias fall?", "Уменьшает ли состоятельность смещение?"),
    claim=Words(
        "Consistency guarantees that the bias of an estimate falls as the number of rows grows.",
        "Состоятельность гарантирует, что смещение оценки уменьшается с ростом числа примеров.",
    ),
    expected="holds only if",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Normal, assess
rng = np.random.default_rng(0)
jump = lambda x: np.mean(x) + len(x) * (rng.random() < 1 / len(x))
print(assess(jump, Normal(0, 1), n=[10, 100, 1000], truth=0.0, repeats=5000).bias)
""",
    remark=Words(
        "Only if the estimates are uniformly integrable, as the variance with divisor m is. The "
        "counter-example is "
        "the mean plus m with probability 1/m: it is consistent, since it is off ever more rarely, yet its "
        "bias is 1 "
        "at every m.",
        "Лишь если оценки равномерно интегрируемы, как дисперсия с делителем m. Контрпример — среднее плюс "
        "m с "
        "вероятностью 1/m: оценка состоятельна, ведь промахи всё реже, но смещение равно 1 при любом m.",
    ),
)
def consistency_and_bias(rng: Generator) -> Evidence:
    """Set the variance with divisor m beside a mean that jumps by m with probability 1/m."""
    population = Normal(0.0, 1.0)
    variance = assess(np.var, population, SIZES, 1.0, repeats=4000, rng=rng)
    jump = assess(_with_jump(rng), population, SIZES[:3], 0.0, repeats=40_000, rng=rng)
    misses = assess(_far(_with_jump(rng), 0.0, 0.5), population, SIZES, 0.0, repeats=5000, rng=rng)
    return Evidence(
        [
            above(
                Words("variance with m: |bias|, m = 10", "дисперсия с m: |смещение|, m = 10"),
                abs(variance.bias[0]),
                0.05,
                variance.bias_se[0],
            ),
            near(
                Words("variance with m: bias, m = 640", "дисперсия с m: смещение, m = 640"),
                variance.bias[-1],
                0.0,
                variance.bias_se[-1],
                within=0.01,
            ),
            below(
                Words("with the jump: P(|θ̂ − θ| > 0.5), m = 640", "со скачком: P(|θ̂ − θ| > 0.5), m = 640"),
                misses.bias[-1],
                0.01,
                misses.bias_se[-1],
            ),
            below(
                Words("with the jump: bias, m = 160", "со скачком: смещение, m = 160"),
                jump.bias[-1],
                0.1,
                jump.bias_se[-1],
                counter=True,
            ),
        ],
        picture(
            Words("Consistent, and the bias stays 1", "Состоятельна, а смещение остаётся равным 1"),
            ROWS,
            Words("bias; probability", "смещение; вероятность"),
            series(Words("jump: bias", "скачок: смещение"), jump.n, jump.bias, jump.bias_se),
            series(Words("jump: P(|θ̂ − θ| > 0.5)", "скачок: P(|θ̂ − θ| > 0.5)"), misses.n, misses.bias),
            series(
                Words("variance with m: |bias|", "дисперсия с m: |смещение|"),
                variance.n,
                np.abs(variance.bias),
            ),
            log="x",
        ),
    )


@statement(
    "almost-surely",
    title=Words("In probability is not almost surely", "По вероятности — ещё не почти наверное"),
    claim=Words(
        "Consistency (convergence in probability) makes an estimate strongly consistent (convergence almost "
        "surely).",
        "Из состоятельности (сходимости по вероятности) следует сильная состоятельность (сходимость почти "
        "наверное).",
    ),
    expected="holds only if",
    rests_on="thetahat.distributions.bernoulli:Bernoulli.sample",
    calls="""
import numpy as np
from thetahat import Bernoulli
rng = np.random.default_rng(0)
jumps = [float(Bernoulli(1 / m).sample(rng=rng)) for m in range(1, 1000)]   # rare, and yet never the last
print(sum(jumps[500:]))
""",
    remark=Words(
        "Almost surely is the stronger: a whole path must settle. The mean's does. An error of 1 with "
        "probability "
        "1/m, independently for each m, grows rare, yet for every M another is to come with certainty.",
        "Почти наверное — сильнее: успокоиться должна вся траектория. У среднего так и есть. Ошибка 1 с "
        "вероятностью "
        "1/m, независимая при каждом m, всё реже, но после любого M наверняка будет ещё одна.",
    ),
)
def almost_surely(rng: Generator) -> Evidence:
    """Follow whole paths: of the mean, and of an error of 1 with probability 1/m."""
    paths, last, begins = 300, 6000, np.array([30, 100, 300])
    m = np.arange(1, last + 1)
    rows = Normal(0.0, 1.0).sample((paths, last), rng=rng)
    mean = np.abs(np.cumsum(rows, axis=1) / m) > 0.5
    jumps = np.column_stack([Bernoulli(1 / each).sample(paths, rng=rng) for each in m]) > 0
    later = {
        name: np.array([np.mean(off[:, begin : 20 * begin].any(axis=1)) for begin in begins])
        for name, off in (("mean", mean), ("jumps", jumps))
    }
    at = {name: off[:, 100:].mean() for name, off in (("mean", mean), ("jumps", jumps))}
    error = np.sqrt(np.maximum(later["jumps"] * (1 - later["jumps"]), 1 / paths) / paths)
    return Evidence(
        [
            below(Words("mean: off by 0.5, m > 100", "среднее: промах на 0.5, m > 100"), at["mean"], 0.01),
            below(Words("jumps: off by 0.5, m > 100", "скачки: промах на 0.5, m > 100"), at["jumps"], 0.01),
            above(Words("jumps: any at all, m > 100", "скачки: есть ли вообще, m > 100"), at["jumps"], 0.0),
            below(
                Words("mean: ever off between 300 and 6000", "среднее: промах хоть раз от 300 до 6000"),
                later["mean"][-1],
                0.02,
            ),
            below(
                Words("jumps: ever off between 300 and 6000", "скачки: промах хоть раз от 300 до 6000"),
                later["jumps"][-1],
                0.02,
                error[-1],
                counter=True,
            ),
        ],
        picture(
            Words(
                "Each jump is rare; that one comes is certain",
                "Каждый скачок редок, но какой-нибудь неизбежен",
            ),
            Words("M", "M"),
            Words("ever off between M and 20 M", "промах хоть раз между M и 20 M"),
            series(Words("jumps, 1/m", "скачки, 1/m"), begins, later["jumps"], error),
            series(Words("mean", "среднее"), begins, later["mean"]),
            log="x",
        ),
    )


CHAPTER = Chapter(
    "2.5",
    Words("Consistency", "Состоятельность"),
    (consistency, first_example, consistency_and_bias, almost_surely),
)
