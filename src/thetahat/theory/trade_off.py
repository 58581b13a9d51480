"""Section 2.4: bias against variance, capacity, and two ways to choose an estimator."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.contracts import Fit, Sample
from thetahat.distributions import Normal
from thetahat.errors import ThetaHatWarning
from thetahat.linear.regressors import LinearRegression, Ridge
from thetahat.resampling.adapter import SklearnPredictor
from thetahat.resampling.assess import assess
from thetahat.resampling.decomposition import decompose
from thetahat.resampling.plans import KFold, Rows
from thetahat.resampling.replicate import replicate
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, between, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]

Array = NDArray[np.float64]


@statement(
    "mse-decomposition",
    title=Words("MSE = bias² + variance", "MSE = смещение² + дисперсия"),
    claim=Words(
        "The mean squared error of an estimate is its squared bias plus its variance.",
        "Среднеквадратическая ошибка оценки равна квадрату смещения плюс дисперсия.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Gamma, assess
found = assess(np.median, Gamma(2.0, 1.0), n=20, truth=2.0)
print(found.mse, found.bias**2 + found.variance)
""",
    remark=Words(
        "An identity: it holds for the samples drawn, to rounding, not only in the limit. The squared "
        "errors are "
        "averaged here as an estimate of their own.",
        "Это тождество: оно верно для самих полученных выборок с точностью до округления, а не только в "
        "пределе.",
    ),
)
def mse_decomposition(rng: Generator) -> Evidence:
    """Average the squared errors of three estimates, and add up their parts, on the same samples."""
    population, n = Normal(3.0, 1.0), 15
    estimates: dict[Words, Any] = {
        Words("mean", "среднее"): np.mean,
        Words("median", "медиана"): np.median,
        Words("0.8 × mean", "0.8 × среднее"): lambda x: 0.8 * np.mean(x),
    }
    seed = int(rng.integers(2**31))
    measures, parts = [], []
    for name, estimate in estimates.items():
        found = assess(estimate, population, n, 3.0, repeats=2000, rng=np.random.default_rng(seed))
        squares = assess(
            lambda x, estimate=estimate: (estimate(x) - 3.0) ** 2,
            population,
            n,
            0.0,
            repeats=2000,
            rng=np.random.default_rng(seed),
        )
        parts.append((found.bias[0] ** 2, found.variance[0], squares.bias[0]))
        measures.append(
            near(
                Words(f"{name.en}: MSE − bias² − variance", f"{name.ru}: MSE − смещение² − дисперсия"),
                squares.bias[0] - found.bias[0] ** 2 - found.variance[0],
                0.0,
                within=1e-9,
            )
        )
    columns = np.array(parts).T
    kinds = (
        Words("bias²", "смещение²"),
        Words("variance", "дисперсия"),
        Words("mean squared error", "среднеквадратическая ошибка"),
    )
    return Evidence(
        measures,
        picture(
            Words("The parts add up to the error", "Части складываются в ошибку"),
            Words("estimate", "оценка"),
            Words("squared units", "квадрат единицы"),
            *(series(kind, range(3), column) for kind, column in zip(kinds, columns, strict=True)),
            ticks=list(estimates),
        ),
    )


@statement(
    "bias-can-pay",
    title=Words("A biased estimate can be the better one", "Смещённая оценка бывает лучше"),
    claim=Words(
        "Of two estimates the one of lower MSE is preferred, even if the other has less bias.",
        "Из двух оценок предпочтительна та, у которой меньше MSE, даже если у другой меньше смещение.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.assess:assess",
    calls="""
import numpy as np
from thetahat import Normal, assess
for divisor in (9, 10, 11):
    found = assess(lambda x: 10 * np.var(x) / divisor, Normal(0, 1), n=10, truth=1.0)
    print(divisor, found.bias, found.variance, found.mse)
""",
    remark=Words(
        "Of a normal variance the divisor m + 1 has the most bias of the three and the least mean squared "
        "error.",
        "Для дисперсии нормального распределения делитель m + 1 даёт наибольшее смещение из трёх и "
        "наименьшую "
        "среднеквадратическую ошибку.",
    ),
)
def bias_can_pay(rng: Generator) -> Evidence:
    """Compare divisors m − 1, m and m + 1 of the sample variance on the same samples."""
    population, n = Normal(0.0, 1.0), 8
    divisors = np.array([n - 1, n, n + 1])
    seed = int(rng.integers(2**31))

    def found(estimate: Any, truth: float) -> Any:
        return assess(estimate, population, n, truth, repeats=8000, rng=np.random.default_rng(seed))

    each = [found(lambda x, d=d: n * np.var(x) / d, 1.0) for d in divisors]
    gains = [
        found(
            lambda x, d=d: (n * np.var(x) / d - 1) ** 2 - (n * np.var(x) / (d + 1) - 1) ** 2,
            0.0,
        )
        for d in divisors[:2]
    ]
    return Evidence(
        [
            near(Words("bias with m − 1", "смещение с m − 1"), each[0].bias[0], 0.0, each[0].bias_se[0]),
            below(Words("bias with m + 1", "смещение с m + 1"), each[2].bias[0], -0.1, each[2].bias_se[0]),
            above(
                Words("MSE with m − 1 less MSE with m", "MSE с m − 1 минус MSE с m"),
                gains[0].bias[0],
                0.0,
                gains[0].bias_se[0],
            ),
            above(
                Words("MSE with m less MSE with m + 1", "MSE с m минус MSE с m + 1"),
                gains[1].bias[0],
                0.0,
                gains[1].bias_se[0],
            ),
        ],
        picture(
            Words("More bias, less error", "Смещение больше, ошибка меньше"),
            Words("divisor", "делитель"),
            Words("bias², variance, MSE (σ = 1)", "смещение², дисперсия, MSE (σ = 1)"),
            series(Words("bias²", "смещение²"), divisors, [a.bias[0] ** 2 for a in each]),
            series(Words("variance", "дисперсия"), divisors, [a.variance[0] for a in each]),
            series(Words("MSE", "MSE"), divisors, [a.mse[0] for a in each], [a.mse_se[0] for a in each]),
        ),
    )


def _table(rng: Generator) -> tuple[Array, Array]:
    X = rng.normal(size=(40, 10))
    return X, X @ np.linspace(1.0, 0.1, 10) + rng.normal(0.0, 2.0, 40)


def _squared_error(fit: Fit[Any], train: Sample, held_out: Sample, /) -> float:
    gap = held_out.y - fit.theta.predict(held_out.X)
    return float(np.mean(gap**2))


class _Tables:
    """Samples of the linear population, of any size."""

    def sample(self, size: Any = None, *, rng: Generator) -> Any:
        """Draw rows."""
        X, y = _table(rng)
        return X[:size], y[:size]


@statement(
    "cross-validation-or-mse",
    title=Words("Choosing by cross-validation or by MSE", "Выбор по перекрёстной проверке или по MSE"),
    claim=Words(
        "Cross-validation and the mean squared error are two ways to strike the balance of bias and "
        "variance.",
        "Перекрёстная проверка и среднеквадратическая ошибка — два способа найти компромисс смещения и "
        "дисперсии.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.replicate:replicate",
    calls="""
import numpy as np, pandas as pd
from thetahat import Ridge, compare
rng = np.random.default_rng(0)
table = pd.DataFrame(rng.normal(size=(60, 4)), columns=["a", "b", "c", "y"])
models = [(f"ridge {alpha:g}", Ridge(alpha)) for alpha in (1.0, 30.0, 1000.0)]
print(compare(table, "y", models, resampling="cv:5").verdict)
""",
    remark=Words(
        "MSE needs the truth, cross-validation only data: on average its loss is the noise plus the MSE of "
        "a fit "
        "to the rows of a training fold.",
        "Для MSE нужна истина, для перекрёстной проверки — только данные: в среднем её потеря равна шуму "
        "плюс MSE "
        "модели, обученной на примерах одной обучающей части.",
    ),
)
def cross_validation_or_mse(rng: Generator) -> Evidence:
    """Choose the penalty of ridge on 40 rows by five folds and by the true error of its slopes."""
    alphas = np.array([0.1, 1.0, 10.0, 100.0, 1000.0])
    beta, tables, rows = np.linspace(1.0, 0.1, 10), 60, Rows(40)
    held_out = np.empty((tables, len(alphas)))
    for table in range(tables):
        sample = Sample(*_table(rng))
        draws = KFold(5).draws(rows, rng=rng)
        for place, alpha in enumerate(alphas):
            learner = SklearnPredictor(Ridge(alpha))
            held_out[table, place] = np.mean(
                replicate(learner, sample, draws, _squared_error, rng=rng).values
            )
    # Of standard normal features the error of a prediction is that of the slopes and the intercept.
    known = [
        assess(
            Ridge(alpha),
            _Tables(),
            32,
            0.0,
            functional=lambda m: float(np.sum((m.coef_ - beta) ** 2) + m.intercept_**2),
            repeats=300,
            rng=rng,
        )
        for alpha in alphas
    ]
    true = np.array([each.bias[0] for each in known])
    true_error = np.array([each.bias_se[0] for each in known])
    mean, error = held_out.mean(axis=0), held_out.std(axis=0, ddof=1) / np.sqrt(tables)
    chosen = true[held_out.argmin(axis=1)]
    return Evidence(
        [
            *(
                near(
                    Words(f"held-out loss − noise − MSE, α = {a:g}", f"потеря − шум − MSE, α = {a:g}"),
                    m - 4.0 - t,
                    0.0,
                    np.hypot(e, f),
                )
                for a, m, t, e, f in zip(alphas, mean, true, error, true_error, strict=True)
            ),
            below(
                Words("MSE at the choice of the folds / least MSE", "MSE при выборе по группам / наименьшая"),
                chosen.mean() / true.min(),
                1.6,
                chosen.std() / true.min() / np.sqrt(tables),
            ),
            above(
                Words("MSE at the worst penalty / least MSE", "MSE при худшем штрафе / наименьшая"),
                true.max() / true.min(),
                2.0,
            ),
        ],
        picture(
            Words("Both curves are lowest at the same penalty", "Обе кривые минимальны при одном штрафе"),
            Words("penalty α of ridge", "штраф α"),
            Words("squared units", "квадрат единицы"),
            series(Words("held-out loss less noise", "потеря минус шум"), alphas, mean - 4.0, error),
            series(Words("true MSE", "истинная MSE"), alphas, true, true_error),
            log="xy",
        ),
    )


GRID = np.linspace(-1.0, 1.0, 24)


def _curve(x: Array) -> Array:
    return np.asarray(np.sin(3 * x) + x**2 + np.exp(x))


def _polynomials(rng: Generator, degree: int, draws: int) -> Any:
    powers = np.polynomial.chebyshev.chebvander(GRID, degree)[:, 1:]
    truth = _curve(GRID)
    return decompose(
        LinearRegression(),
        powers,
        truth + rng.normal(0.0, 0.3, len(GRID)),
        population=lambda r: (powers, truth + r.normal(0.0, 0.3, len(GRID))),
        truth=truth,
        draws=draws,
        rng=rng,
    )


@statement(
    "capacity",
    title=Words("Capacity: less bias, more variance", "Ёмкость: меньше смещение, больше дисперсия"),
    claim=Words(
        "When the generalisation error is a mean squared error, a growth of capacity raises variance and "
        "lowers "
        "bias.",
        "Если ошибка обобщения измеряется через MSE, увеличение ёмкости повышает дисперсию и снижает "
        "смещение.",
    ),
    expected="holds",
    rests_on="thetahat.resampling.decomposition:decompose",
    calls="""
import numpy as np
from thetahat import LinearRegression, decompose
x = np.linspace(-1, 1, 24)
noisy = lambda rng: np.sin(3 * x) + rng.normal(0, 0.3, 24)
for degree in (1, 3, 6):
    powers = np.vander(x, degree + 1)[:, :-1]
    found = decompose(LinearRegression(), powers, noisy(np.random.default_rng(0)),
                      population=lambda rng: (powers, noisy(rng)), truth=np.sin(3 * x), draws=50)
    print(degree, found.terms)
""",
    remark=Words(
        "So it is for least squares on nested sets of columns, up to as many columns as rows; what comes "
        "beyond "
        "is the next statement.",
        "Так обстоит дело для наименьших квадратов на вложенных наборах столбцов, пока столбцов не больше, "
        "чем "
        "примеров; что дальше — в следующем утверждении.",
    ),
)
def capacity(rng: Generator) -> Evidence:
    """Fit polynomials of growing degree to 24 noisy points."""
    degrees = np.arange(1, 9)
    found = [_polynomials(rng, int(degree), 150) for degree in degrees]
    terms = list(found[0].terms)
    bias_name = next(name for name in terms if name.startswith("bias"))
    bias, variance = (np.array([each.terms[name] for each in found]) for name in (bias_name, "variance"))
    # Over rows that stay the same, the error comes of the draws alone: σ²(d + 1)/n is a sum of squares.
    claimed = 0.09 * (degrees + 1) / len(GRID)
    return Evidence(
        [
            above(
                Words("bias², degree 1 less degree 5", "смещение², степень 1 минус степень 5"),
                bias[0] - bias[4],
                0.01,
            ),
            between(
                Words("largest rise of bias² from degree to degree", "наибольший рост смещения² за степень"),
                np.diff(bias).max(),
                None,
                1e-3,
            ),
            above(
                Words("least rise of variance, two degrees", "наименьший рост дисперсии за две степени"),
                np.min(variance[2:] - variance[:-2]),
                0.0,
            ),
            *(
                near(
                    Words(f"variance / (σ²(d + 1)/n), d = {d}", f"дисперсия / (σ²(d + 1)/n), d = {d}"),
                    variance[d - 1] / claimed[d - 1],
                    1.0,
                    np.sqrt(2 / (150 * (d + 1))),
                )
                for d in (1, 4, 8)
            ),
        ],
        picture(
            Words(
                "Bias falls, variance rises, the sum has a least point", "Смещение падает, дисперсия растёт"
            ),
            Words("degree of the polynomial", "степень многочлена"),
            Words("squared units", "квадрат единицы"),
            series(Words("bias²", "смещение²"), degrees, np.where(bias > 0, bias, np.nan)),
            series(Words("variance", "дисперсия"), degrees, variance),
            series(Words("sum", "сумма"), degrees, np.maximum(bias, 0) + variance),
            log="y",
        ),
    )


@statement(
    "double-descent",
    title=Words("Beyond as many columns as rows", "Когда столбцов больше, чем примеров"),
    claim=Words(
        "Ever more capacity means ever more variance.",
        "Чем больше ёмкость, тем больше дисперсия — без конца.",
    ),
    expected="holds only if",
    rests_on="thetahat.resampling.decomposition:decompose",
    calls="""
import numpy as np
from thetahat import LinearRegression
rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 200)), rng.normal(size=20)
import warnings; warnings.simplefilter("ignore")     # more columns than rows: the shortest solution is taken
print(LinearRegression(fit_intercept=False).fit(X, y).coef_[:3])
""",
    remark=Words(
        "Only with fewer columns than rows. The variance of the shortest least-squares solution peaks where "
        "there "
        "are as many columns as rows and then falls again (double descent): more columns leave more "
        "solutions to "
        "take the shortest of.",
        "Лишь пока столбцов меньше, чем примеров. Дисперсия кратчайшего решения достигает пика, когда их "
        "поровну, и "
        "снова падает (двойной спуск): чем больше столбцов, тем больше решений, из которых берётся "
        "кратчайшее.",
    ),
)
def double_descent(rng: Generator) -> Evidence:
    """Fit least squares to 30 rows of ever more random rectified features."""
    rows, sizes = 30, np.array([4, 10, 20, 26, 30, 36, 60, 150, 500])
    turn = rng.normal(size=(6, sizes[-1])) / np.sqrt(6)
    slopes = rng.normal(size=6) / np.sqrt(6)
    new = rng.normal(size=(60, 6))
    found = []
    for size in sizes:

        def features(X: Array, size: int = size) -> Array:
            return np.asarray(np.maximum(X @ turn[:, :size], 0.0) / np.sqrt(size))

        def table(r: Generator, features: Any = features) -> tuple[Array, Array]:
            X = r.normal(size=(rows, 6))
            return features(X), X @ slopes + r.normal(0.0, 0.3, rows)

        with warnings.catch_warnings():
            # More columns than rows: least squares says so, and that is what is tried here.
            warnings.simplefilter("ignore", ThetaHatWarning)
            found.append(
                decompose(
                    LinearRegression(fit_intercept=False),
                    features(new),
                    new @ slopes,
                    population=table,
                    truth=new @ slopes,
                    draws=60,
                    rng=rng,
                )
            )
    variance = np.array([each.terms["variance"] for each in found])
    bias = np.array([next(v for k, v in each.terms.items() if k.startswith("bias")) for each in found])
    error = np.array([each.se["variance"] for each in found])
    logs, log_error = np.log(variance), error / variance
    peak = int(np.argmax(variance))
    return Evidence(
        [
            above(
                Words("log variance, 26 columns less 4", "логарифм дисперсии, 26 столбцов минус 4"),
                logs[3] - logs[0],
                0.0,
                np.hypot(log_error[3], log_error[0]),
            ),
            near(
                Words("columns at the peak / rows", "столбцов на пике / примеров"),
                sizes[peak] / rows,
                1.0,
                within=0.25,
            ),
            above(
                Words("log variance, 500 columns less 36", "логарифм дисперсии, 500 столбцов минус 36"),
                logs[-1] - logs[5],
                0.0,
                min(0.4, np.hypot(log_error[-1], log_error[5])),
                counter=True,
            ),
        ],
        picture(
            Words(
                f"Variance peaks at {sizes[peak]} columns for {rows} rows, then falls",
                f"Дисперсия максимальна при {sizes[peak]} столбцах на {rows} примеров, затем падает",
            ),
            Words("columns", "столбцов"),
            Words("variance, bias²", "дисперсия, смещение²"),
            series(Words("variance", "дисперсия"), sizes, variance),
            series(
                Words("bias²", "смещение²"),
                sizes,
                np.where(bias > 0, bias, np.nan),
            ),
            log="xy",
        ),
    )


CHAPTER = Chapter(
    "2.4",
    Words("The trade-off of bias and variance", "Компромисс между смещением и дисперсией"),
    (mse_decomposition, bias_can_pay, cross_validation_or_mse, capacity, double_descent),
)
