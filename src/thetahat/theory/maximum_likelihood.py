"""Section 2.6: maximum likelihood, logarithms, and the divergence it makes least."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from thetahat.distributions import (
    Bernoulli,
    Binomial,
    Categorical,
    Exponential,
    Gamma,
    Normal,
    cross_entropy,
    kl_divergence,
)
from thetahat.likelihood.mle import mle
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]

ROWS = Words("rows, m", "число примеров, m")


@statement(
    "likelihood-underflows",
    title=Words("The product underflows, the log does not", "Произведение обращается в нуль, логарифм — нет"),
    claim=Words(
        "A product of many densities is prone to underflow; the sum of their logarithms is not.",
        "Произведение большого числа плотностей подвержено потере значимости, а сумма логарифмов — нет.",
    ),
    expected="holds",
    rests_on="thetahat.distributions.distribution:Distribution.log_prob",
    calls="""
import numpy as np
from thetahat import Normal
x = Normal(0, 1).sample(2000, rng=np.random.default_rng(0))
print(np.prod(np.exp(Normal(0, 1).log_prob(x))), np.sum(Normal(0, 1).log_prob(x)))
""",
    remark=Words(
        "In double precision the product of standard normal densities is exactly 0 beyond some 520 rows, "
        "for every "
        "θ: there is nothing left to maximise.",
        "В двойной точности произведение стандартных нормальных плотностей равно нулю уже примерно с 520 "
        "примеров, "
        "и так при любом θ: максимизировать нечего.",
    ),
)
def likelihood_underflows(rng: Generator) -> Evidence:
    """Multiply the densities of ever more normal rows, and add their logarithms."""
    model = Normal(0.0, 1.0)
    x = model.sample(2000, rng=rng)
    logs = np.asarray(model.log_prob(x))
    product, total = np.cumprod(np.exp(logs)), np.cumsum(logs)
    m = np.arange(1, len(x) + 1)
    mean_error = logs.std() / np.sqrt(len(x))
    lost = int(m[product == 0][0]) if (product == 0).any() else len(x)
    return Evidence(
        [
            near(Words("product of 2000 densities", "произведение 2000 плотностей"), product[-1], 0.0),
            near(
                Words("mean logarithm + entropy", "средний логарифм + энтропия"),
                total[-1] / len(x) + model.entropy(),
                0.0,
                mean_error,
            ),
            below(Words("rows at which the product is 0", "примеров, при которых произведение 0"), lost, 700),
        ],
        picture(
            Words(
                f"The product is exactly 0 from {lost} rows on", f"С {lost} примеров произведение равно нулю"
            ),
            ROWS,
            Words("decimal logarithm", "десятичный логарифм"),
            series(Words("sum of logarithms", "сумма логарифмов"), m[::50], total[::50] / np.log(10)),
            series(
                Words("logarithm of the product", "логарифм произведения"),
                m[:lost:50],
                np.log10(np.maximum(product[:lost:50], 5e-324)),
            ),
        ),
    )


@statement(
    "log-and-mean-keep-argmax",
    title=Words("Logarithm and 1/m leave the maximum in place", "Логарифм и 1/m не сдвигают максимум"),
    claim=Words(
        "The product, the sum of logarithms and their mean over the empirical distribution are largest at "
        "the same "
        "θ.",
        "Произведение, сумма логарифмов и их среднее по эмпирическому распределению максимальны при одном и "
        "том же θ.",
    ),
    expected="holds",
    rests_on="thetahat.likelihood.mle:mle",
    calls="""
import numpy as np
from thetahat import Gamma, mle
x = Gamma(2.0, 1.0).sample(50, rng=np.random.default_rng(0))
print(mle(Gamma(), x).params, mle(Gamma(), x, weight=np.full(50, 1 / 50)).params)
""",
    remark=Words(
        "The place is the same; the values, and the standard errors that follow from the curvature, are not.",
        "Место одно и то же; значения — и стандартные ошибки, следующие из кривизны, — разные.",
    ),
)
def log_and_mean(rng: Generator) -> Evidence:
    """Look for the rate of 25 exponential rows by the product on a grid, the sum and the mean."""
    x = Exponential(1.5).sample(25, rng=rng)
    rates = np.linspace(0.3, 4.0, 3701)
    logs = np.array([np.sum(Exponential(rate).log_prob(x)) for rate in rates])
    product = np.exp(logs)
    best = mle(Exponential(), x).params[0]
    mean = mle(Exponential(), x, weight=np.full(25, 1 / 25)).params[0]
    shape = Gamma(2.0, 1.0).sample(200, rng=rng)
    whole, weighted = mle(Gamma(), shape).params, mle(Gamma(), shape, weight=np.full(200, 1 / 200)).params
    return Evidence(
        [
            near(
                Words("rate: product on a grid − mle", "λ: произведение на сетке − mle"),
                rates[product.argmax()] - best,
                0.0,
                within=1e-3,
            ),
            near(Words("rate: mean − sum", "λ: среднее − сумма"), mean - best, 0.0, within=1e-9),
            near(
                Words("gamma: mean − sum, largest", "гамма: среднее − сумма, наибольшее"),
                np.abs(weighted - whole).max(),
                0.0,
                within=1e-6,
            ),
        ],
        picture(
            Words(
                "One maximum for the product and for the logarithm",
                "Один максимум у произведения и логарифма",
            ),
            Words("rate λ", "λ"),
            Words("as a share of its range", "доля размаха"),
            series(Words("product", "произведение"), rates[::74], (product / product.max())[::74]),
            series(
                Words("mean logarithm", "средний логарифм"),
                rates[::74],
                ((logs - logs.min()) / np.ptp(logs))[::74],
            ),
        ),
    )


@statement(
    "likelihood-cross-entropy",
    title=Words("Maximum likelihood is least cross-entropy", "Правдоподобие и перекрёстная энтропия"),
    claim=Words(
        "To maximise the likelihood is to minimise −E[log p_model(x)] over the empirical distribution, the "
        "cross-entropy.",
        "Максимизировать правдоподобие — значит минимизировать −E[log p_model(x)] по эмпирическому "
        "распределению, "
        "то есть перекрёстную энтропию.",
    ),
    expected="holds",
    rests_on="thetahat.distributions.divergence:cross_entropy",
    calls="""
import numpy as np
from thetahat import Gamma, cross_entropy, mle
x = Gamma(2.0, 1.0).sample(1000, rng=np.random.default_rng(0))
fit = mle(Gamma(), x)
print(-fit.log_likelihood / 1000, cross_entropy(Gamma(2.0, 1.0), fit.fitted))
""",
    remark=Words(
        "With many rows the mean negative log-likelihood is the cross-entropy from the population itself.",
        "Когда примеров много, среднее отрицательное логарифмическое правдоподобие — перекрёстная энтропия "
        "с самой "
        "генеральной совокупностью.",
    ),
)
def likelihood_cross_entropy(rng: Generator) -> Evidence:
    """Set the mean negative log-likelihood of a sample beside the cross-entropy from the population."""
    population = Gamma(2.0, 1.0)
    x = population.sample(20_000, rng=rng)
    best = float(mle(Exponential(), x).params[0])
    rates = np.linspace(0.25, 1.2, 39)
    terms = [np.asarray(-Exponential(rate).log_prob(x)) for rate in rates]
    sample = np.array([each.mean() for each in terms])
    error = np.array([each.std() / np.sqrt(len(x)) for each in terms])
    exact = np.array([cross_entropy(population, Exponential(rate)).value for rate in rates])
    at = int(np.argmin(np.abs(rates - 0.5)))
    return Evidence(
        [
            near(
                Words("least point of the mean loss − mle", "минимум средней потери − mle"),
                rates[sample.argmin()] - best,
                0.0,
                within=0.013,
            ),
            near(
                Words("least point of the cross-entropy", "минимум перекрёстной энтропии"),
                rates[exact.argmin()],
                0.5,
                within=1e-9,
            ),
            near(
                Words("mean loss − cross-entropy at λ = 0.5", "потеря − перекрёстная энтропия при λ = 0.5"),
                sample[at] - exact[at],
                0.0,
                error[at],
            ),
        ],
        picture(
            Words(
                "The sample's loss is the cross-entropy, with noise",
                "Потеря по выборке — перекрёстная энтропия",
            ),
            Words("rate λ of the model", "λ модели"),
            Words("nats a row", "нат на пример"),
            series(
                Words("mean −log p, 20 000 rows", "среднее −log p, 20 000 примеров"),
                rates,
                sample,
                joined=False,
            ),
            series(Words("cross-entropy", "перекрёстная энтропия"), rates, exact),
        ),
    )


@statement(
    "likelihood-kl",
    title=Words(
        "Maximum likelihood is least KL divergence", "Правдоподобие и дивергенция Кульбака — Лейблера"
    ),
    claim=Words(
        "To maximise the likelihood is to minimise KL(p̂_data ‖ p_model) from the empirical distribution to "
        "the "
        "model.",
        "Максимизация правдоподобия равносильна минимизации дивергенции КЛ между эмпирическим "
        "распределением и "
        "модельным.",
    ),
    expected="holds only if",
    rests_on="thetahat.distributions.divergence:kl_divergence",
    calls="""
import numpy as np
from thetahat import Bernoulli, Categorical, Normal, kl_divergence
print(kl_divergence(Categorical([0.2, 0.8]), Categorical([0.5, 0.5])))   # over the same codes: finite
print(kl_divergence(Bernoulli(0.8), Normal(0.8, 0.4)))                   # to a density: infinite
""",
    remark=Words(
        "Only if the model gives each observed value a probability, as a discrete one does. To a continuous "
        "model "
        "the divergence from an empirical distribution is infinite for every θ, so it cannot choose one; the "
        "cross-entropy stays finite and is what is minimised.",
        "Лишь если модель приписывает каждому наблюдённому значению вероятность, то есть дискретна. До "
        "непрерывной "
        "модели дивергенция от эмпирического распределения бесконечна при любом θ и выбрать θ не может; "
        "конечна и "
        "минимизируется перекрёстная энтропия.",
    ),
)
def likelihood_kl(rng: Generator) -> Evidence:
    """Look for p of a binomial model by the divergence from the empirical distribution of counts."""
    trials, codes = 4, np.arange(5)
    x = Binomial(0.3, trials=trials).sample(300, rng=rng)
    seen = Categorical(np.bincount(x.astype(int), minlength=5) / len(x))
    grid = np.linspace(0.05, 0.8, 751)

    def model(p: float) -> Categorical:
        return Categorical(np.exp(Binomial(p, trials=trials).log_prob(codes)))

    divergence = np.array([kl_divergence(seen, model(p)).value for p in grid])
    loss = np.array([np.mean(-Binomial(p, trials=trials).log_prob(x)) for p in grid])
    gap = loss - divergence
    best = mle(Binomial(trials=trials), x).params[0]
    y = Bernoulli(0.8).sample(300, rng=rng)
    empirical, fitted = Bernoulli(float(np.mean(y))), mle(Normal(), y).fitted
    assert fitted is not None
    return Evidence(
        [
            near(
                Words("counts: least KL − mle", "счётчики: минимум KL − mle"),
                grid[divergence.argmin()] - best,
                0.0,
                within=1e-3,
            ),
            near(
                Words("counts: spread over p of loss − KL", "счётчики: размах по p разности потеря − KL"),
                np.ptp(gap),
                0.0,
                within=1e-9,
            ),
            near(
                Words("counts: loss − KL − entropy of the data", "счётчики: потеря − KL − энтропия данных"),
                gap[0] - seen.entropy(),
                0.0,
                within=1e-9,
            ),
            near(
                Words("density: mean −log p at the fit, finite", "плотность: среднее −log p, конечно"),
                np.mean(-fitted.log_prob(y)),
                0.5 * np.log(2 * np.pi * np.e * np.var(y)),
                within=1e-9,
            ),
            below(
                Words("density: KL from the data", "плотность: KL от данных"),
                kl_divergence(empirical, fitted).value,
                1e6,
                counter=True,
            ),
        ],
        picture(
            Words(
                "Loss and KL differ by the entropy of the data", "Потеря и KL различаются на энтропию данных"
            ),
            Words("p of the binomial model", "p биномиальной модели"),
            Words("nats a row", "нат на пример"),
            series(Words("mean −log p", "среднее −log p"), grid[::15], loss[::15]),
            series(Words("KL(p̂ ‖ model)", "KL(p̂ ‖ модель)"), grid[::15], divergence[::15]),
        ),
    )


@statement(
    "likelihood-is-consistent",
    title=Words("Maximum likelihood finds the parameter", "Правдоподобие находит параметр"),
    claim=Words(
        "The maximum-likelihood estimate of a parameter of the family that made the data tends to it.",
        "Оценка максимального правдоподобия стремится к параметру, если данные порождены этим семейством.",
    ),
    expected="holds",
    rests_on="thetahat.likelihood.mle:mle",
    calls="""
import numpy as np
from thetahat import Gamma, mle
x = Gamma(2.0, 1.0).sample(500, rng=np.random.default_rng(0))
print(mle(Gamma(), x).summary())
""",
    remark=Words(
        "Its standard error comes with it, from the curvature of the log-likelihood; it is off by more than "
        "four of "
        "them once in ten thousand times.",
        "Вместе с ней получается стандартная ошибка — из кривизны логарифма правдоподобия.",
    ),
)
def likelihood_is_consistent(rng: Generator) -> Evidence:
    """Estimate the shape of gamma samples of growing size."""
    sizes = np.array([30, 100, 300, 1000, 3000, 10_000])
    fits = [mle(Gamma(), Gamma(2.0, 1.0).sample(int(n), rng=rng)) for n in sizes]
    shape = np.array([fit.params[0] for fit in fits])
    error = np.array([fit.standard_errors[0] for fit in fits])
    return Evidence(
        [
            near(Words("shape, m = 10 000", "форма, m = 10 000"), shape[-1], 2.0, error[-1]),
            near(
                Words(
                    "standard errors, m = 100 to 10 000, ratio",
                    "отношение стандартных ошибок, m = 100 и 10 000",
                ),
                error[1] / error[-1],
                10.0,
                within=4.5,
            ),
            above(Words("standard error, m = 30", "стандартная ошибка, m = 30"), error[0], 0.2),
        ],
        picture(
            Words("The estimate settles at the truth", "Оценка сходится к истине"),
            ROWS,
            Words("shape of the gamma distribution", "форма гамма-распределения"),
            series(Words("estimate", "оценка"), sizes, shape, error),
            log="x",
            level=2.0,
            level_name=Words("truth", "истина"),
        ),
    )


CHAPTER = Chapter(
    "2.6",
    Words("Maximum likelihood", "Оценка максимального правдоподобия"),
    (likelihood_underflows, log_and_mean, likelihood_cross_entropy, likelihood_kl, likelihood_is_consistent),
)
