"""Section 2.2: bias, and bias that vanishes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from thetahat.distributions import Normal
from thetahat.likelihood.mle import mle
from thetahat.numerics.moments import moments
from thetahat.resampling.assess import assess
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, below, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]

ROWS = Words("rows, m", "число примеров, m")
BIAS = Words("bias", "смещение")


@statement(
    "bias",
    title=Words("The sample mean has no bias at any m", "Выборочное среднее не смещено ни при каком m"),
    claim=Words(
        "The bias of an estimate is its expectation over samples less the truth; the estimate is unbiased "
        "when "
        "that is zero, as for the mean.",
        "Смещение оценки — её математическое ожидание по выборкам минус истинное значение; если оно равно "
        "нулю, "
        "как у среднего, оценка несмещённая.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Gamma, assess
found = assess(np.mean, Gamma(2.0, 1.0), n=[5, 20, 80], truth=2.0)
print(found.bias, found.bias_se)
""",
    remark=Words(
        "The expectation is over samples, so one sample cannot show a bias: it takes a known population, or "
        "the "
        "bootstrap.",
        "Ожидание берётся по выборкам, поэтому по одной выборке смещения не видно: нужна известная "
        "генеральная "
        "совокупность или бутстрэп.",
    ),
)
def bias(rng: Generator) -> Evidence:
    """Assess the mean, and the mean shrunk by a tenth, on normal samples."""
    population = Normal(3.0, 2.0)
    mean = assess(np.mean, population, [3, 10, 30, 100], 3.0, repeats=4000, rng=rng)
    shrunk = assess(lambda x: 0.9 * np.mean(x), population, [3, 10, 30, 100], 3.0, repeats=4000, rng=rng)
    return Evidence(
        [
            *(
                near(Words(f"bias at m = {n:.0f}", f"смещение при m = {n:.0f}"), b, 0.0, e)
                for n, b, e in zip(mean.n, mean.bias, mean.bias_se, strict=True)
            ),
            near(
                Words("bias of 0.9 × mean at m = 100", "смещение 0.9 × среднее при m = 100"),
                shrunk.bias[-1],
                -0.3,
                shrunk.bias_se[-1],
            ),
        ],
        picture(
            Words("The mean is unbiased at every m", "Среднее не смещено при любом m"),
            ROWS,
            BIAS,
            series(Words("mean", "среднее"), mean.n, mean.bias, mean.bias_se),
            series(Words("0.9 × mean", "0.9 × среднее"), shrunk.n, shrunk.bias, shrunk.bias_se),
            log="x",
            level=0.0,
        ),
    )


@statement(
    "sample-variance",
    title=Words("Sample variance: m or m − 1", "Выборочная дисперсия: m или m − 1"),
    claim=Words(
        "The sample variance with divisor m has bias −σ²/m; with m − 1 it has none.",
        "Выборочная дисперсия с делителем m имеет смещение −σ²/m, а с делителем m − 1 не смещена.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
from thetahat import Normal, assess, mle, moments
assess(lambda x: mle(Normal(), x).params[1] ** 2, Normal(), n=10, truth=1.0, repeats=200).bias
assess(lambda x: moments(x).standard_deviation ** 2, Normal(), n=10, truth=1.0, repeats=200).bias
""".replace("Normal(), n", "Normal(0, 1), n"),
    remark=Words(
        "The divisor m is the maximum-likelihood estimate; its bias goes away as 1/m.",
        "Делитель m даёт оценку максимального правдоподобия; её смещение убывает как 1/m.",
    ),
)
def sample_variance(rng: Generator) -> Evidence:
    """Assess the variance of maximum likelihood and that of the library's moments."""
    population, sizes = Normal(0.0, 2.0), [3, 5, 10, 30]
    likelihood = assess(
        lambda x: mle(Normal(), x).params[1] ** 2, population, sizes, 4.0, repeats=1000, rng=rng
    )
    by_m = assess(np.var, population, sizes, 4.0, repeats=20_000, rng=rng)
    corrected = assess(
        lambda x: moments(x).standard_deviation ** 2, population, sizes, 4.0, repeats=10_000, rng=rng
    )
    measures = [
        near(Words(f"{name.en}, m = {n:.0f}", f"{name.ru}, m = {n:.0f}"), b, claimed(n), e)
        for name, found, claimed in (
            (Words("bias with m", "смещение с m"), by_m, lambda n: -4.0 / n),
            (Words("bias with m − 1", "смещение с m − 1"), corrected, lambda n: 0.0),
        )
        for n, b, e in zip(found.n, found.bias, found.bias_se, strict=True)
    ]
    return Evidence(
        [
            *measures,
            near(
                Words("bias of maximum likelihood, m = 5", "смещение максимального правдоподобия, m = 5"),
                likelihood.bias[1],
                -0.8,
                likelihood.bias_se[1],
            ),
        ],
        picture(
            Words("Divisor m is too small by σ²/m; m − 1 is right", "С делителем m не хватает σ²/m"),
            ROWS,
            Words("bias of the variance (σ² = 4)", "смещение дисперсии (σ² = 4)"),
            series(Words("divisor m", "делитель m"), by_m.n, by_m.bias, by_m.bias_se),
            series(Words("divisor m − 1", "делитель m − 1"), corrected.n, corrected.bias, corrected.bias_se),
            log="x",
            level=0.0,
        ),
    )


@statement(
    "asymptotic-unbiasedness",
    title=Words("A bias may vanish as m grows", "Смещение может исчезать с ростом m"),
    claim=Words(
        "An estimate is asymptotically unbiased when its bias tends to zero: the standard deviation of "
        "maximum "
        "likelihood is.",
        "Оценка асимптотически несмещённая, если её смещение стремится к нулю: таково стандартное отклонение "
        "метода максимального правдоподобия.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Normal, assess
assess(np.std, Normal(0, 1), n=[5, 20, 80, 320], truth=1.0).bias
""",
    remark=Words(
        "Even with m − 1 the standard deviation is biased, for a root of an unbiased number is not "
        "unbiased; both "
        "biases fall as 1/m.",
        "И с делителем m − 1 стандартное отклонение смещено: корень из несмещённой оценки смещён; оба "
        "смещения "
        "убывают как 1/m.",
    ),
)
def asymptotic_unbiasedness(rng: Generator) -> Evidence:
    """Follow the bias of the standard deviation as samples grow."""
    found = assess(np.std, Normal(0.0, 1.0), [4, 8, 16, 32, 64], 1.0, repeats=20_000, rng=rng)
    x = np.log(found.n) - np.log(found.n).mean()
    error = found.bias_se / np.abs(found.bias)
    slope = float(x @ np.log(np.abs(found.bias)) / (x @ x))
    slope_error = float(np.sqrt(np.sum((x * error) ** 2)) / (x @ x))
    return Evidence(
        [
            below(Words("bias at m = 4", "смещение при m = 4"), found.bias[0], 0.0, found.bias_se[0]),
            near(
                Words("power of m by which the bias falls", "степень m, с которой убывает смещение"),
                slope,
                -1.0,
                slope_error,
                within=0.1,
            ),
        ],
        picture(
            Words(
                f"The bias falls as m to the power {slope:.2f} ± {slope_error:.2f}",
                f"Смещение убывает как m в степени {slope:.2f} ± {slope_error:.2f}".replace("-", "−"),
            ),
            ROWS,
            Words("|bias| of the standard deviation", "|смещение| стандартного отклонения"),
            series(BIAS, found.n, np.abs(found.bias), found.bias_se),
            log="xy",
        ),
    )


CHAPTER = Chapter("2.2", Words("Bias", "Смещение"), (bias, sample_variance, asymptotic_unbiasedness))
