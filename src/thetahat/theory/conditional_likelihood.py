"""Section 2.10: least squares as maximum likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.distributions import Normal
from thetahat.likelihood.mle import mle
from thetahat.linear.regressors import LinearRegression
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]


def _log_likelihood(sd: float) -> Any:
    return lambda theta, data: Normal().log_density(data[1], data[0] @ theta, sd)


@statement(
    "least-squares-likelihood",
    title=Words("Least squares is maximum likelihood", "Наименьшие квадраты — максимум правдоподобия"),
    claim=Words(
        "With a fixed σ² the slopes of greatest normal likelihood are those of least squares; the two "
        "criteria "
        "differ in value and not in place.",
        "При фиксированной σ² максимум нормального правдоподобия достигается при тех же весах, что и минимум "
        "среднеквадратической ошибки; значения критериев различны, положение оптимума одно.",
    ),
    expected="holds",
    rests_on="thetahat.likelihood.mle:mle",
    calls="""
import numpy as np
from thetahat import LinearRegression, Normal, mle
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 2)); y = X @ [1.0, 2.0] + rng.normal(size=50)
print(mle(lambda w, data: Normal().log_density(data[1], data[0] @ w, 3.0), (X, y), np.zeros(2)).params)
print(LinearRegression(fit_intercept=False).fit(X, y).coef_)
""",
    remark=Words(
        "σ moves nothing but the scale, so least squares needs no σ; the standard errors do.",
        "σ меняет только масштаб, поэтому для наименьших квадратов она не нужна; для стандартных ошибок — "
        "нужна.",
    ),
)
def least_squares_likelihood(rng: Generator) -> Evidence:
    """Maximise the likelihood with three values of σ, and minimise the squares."""
    X = rng.normal(size=(80, 4))
    y = X @ [1.0, -0.5, 2.0, 0.0] + rng.normal(0, 1.5, 80)
    least = LinearRegression(fit_intercept=False).fit(X, y).coef_
    scales = (0.5, 1.5, 5.0)
    fits = [mle(_log_likelihood(sd), (X, y), np.zeros(4)) for sd in scales]
    line = np.linspace(-1, 1, 21)
    squares = np.array([np.mean((y - X @ (least + step * least)) ** 2) for step in line])
    logs = np.array([np.sum(_log_likelihood(1.5)(least + step * least, (X, y))) for step in line])
    by_formula = -80 * np.log(1.5) - 40 * np.log(2 * np.pi) - 80 * squares / (2 * 1.5**2)
    return Evidence(
        [
            *(
                near(
                    Words(
                        f"slopes: likelihood − squares, σ = {sd:g}",
                        f"веса: правдоподобие − квадраты, σ = {sd:g}",
                    ),
                    np.abs(fit.params - least).max(),
                    0.0,
                    within=1e-6,
                )
                for sd, fit in zip(scales, fits, strict=True)
            ),
            near(
                Words(
                    "log-likelihood − the formula in the MSE", "логарифм правдоподобия − формула через MSE"
                ),
                np.abs(logs - by_formula).max(),
                0.0,
                within=1e-8,
            ),
            above(
                Words("difference of the two values at the optimum", "различие значений в оптимуме"),
                abs(fits[1].log_likelihood + squares.min()),
                1.0,
            ),
        ],
        picture(
            Words("One optimum, two values", "Один оптимум, разные значения"),
            Words("step from the least-squares slopes, relative", "отход от весов наименьших квадратов"),
            Words("criterion a row", "критерий на пример"),
            series(Words("mean squared error", "среднеквадратическая ошибка"), line, squares),
            series(Words("−log-likelihood / m", "−логарифм правдоподобия / m"), line, -logs / 80),
        ),
    )


CHAPTER = Chapter(
    "2.10",
    Words("Conditional likelihood and squared error", "Условное правдоподобие и среднеквадратическая ошибка"),
    (least_squares_likelihood,),
)
