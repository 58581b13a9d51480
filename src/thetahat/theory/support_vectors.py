"""Section 2.7: support vector machines and the kernel trick."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations_with_replacement
from math import comb, factorial, prod
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thetahat.numerics.kernels import KernelFunction
from thetahat.results.theory import Words
from thetahat.svm.classification import SVC
from thetahat.theory.evidence import Evidence, above, below, near, picture, series
from thetahat.theory.statement import Chapter, statement
from thetahat.theory.timing import least_seconds, power

__all__ = ["CHAPTER"]

Array = NDArray[np.float64]


def _ring(rng: Generator, m: int, flipped: float = 0.0, gap: float = 0.0) -> tuple[Array, NDArray[np.int64]]:
    """Return rows within a circle and without, labels flipped with some probability."""
    angle, inside = rng.uniform(0, 2 * np.pi, m), rng.random(m) < 0.5
    radius = np.where(inside, rng.uniform(0, 1 - gap / 2, m), rng.uniform(1 + gap / 2, 2, m))
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return X, (inside ^ (rng.random(m) < flipped)).astype(np.int64)


def _features(X: Array, degree: int) -> Array:
    """Return the features whose inner product is (1 + xᵀz)^degree."""
    wide = np.column_stack([np.ones(len(X)), X])
    columns = []
    for chosen in combinations_with_replacement(range(wide.shape[1]), degree):
        ways = factorial(degree) // prod(factorial(chosen.count(k)) for k in set(chosen))
        columns.append(np.sqrt(ways) * np.prod(wide[:, list(chosen)], axis=1))
    return np.column_stack(columns)


@statement(
    "kernel-trick",
    title=Words("A kernel equals its explicit features", "Ядро равносильно явным признакам"),
    claim=Words(
        "A kernel machine is exactly a linear machine on the features φ(x) whose inner product the kernel "
        "is.",
        "Основанная на ядре функция в точности эквивалентна линейной модели на признаках φ(x), скалярным "
        "произведением которых служит ядро.",
    ),
    expected="holds",
    rests_on="thetahat.svm.classification:SVC.decision_function",
    calls="""
import numpy as np
from thetahat import SVC
rng = np.random.default_rng(0)
X, y = rng.normal(size=(60, 2)), rng.integers(0, 2, 60)
print(SVC(kernel="poly", degree=2, gamma=1.0, coef0=1.0).fit(X, y).decision_function(X)[:3])
""",
    remark=Words(
        "The two decision functions agree to the tolerance of the solver; no φ was computed for the first.",
        "Решающие функции совпадают с точностью решателя; для первой φ не вычислялась.",
    ),
)
def kernel_trick(rng: Generator) -> Evidence:
    """Fit (1 + xᵀz)² as a kernel, and a linear machine on its six features."""
    X, y = _ring(rng, 200, 0.1)
    new, _ = _ring(rng, 300)
    by_kernel = SVC(kernel="poly", degree=2, gamma=1.0, coef0=1.0, tol=1e-8).fit(X, y)
    by_features = SVC(kernel="linear", tol=1e-8).fit(_features(X, 2), y)
    one = by_kernel.decision_function(new)
    other = by_features.decision_function(_features(new, 2))
    return Evidence(
        [
            near(
                Words("largest difference of the decisions", "наибольшее различие решений"),
                np.abs(one - other).max(),
                0.0,
                within=1e-4,
            ),
            above(Words("spread of the decisions", "размах решений"), np.ptp(one), 1.0),
            above(
                Words("share of new rows rightly classed", "доля верных ответов на новых данных"),
                np.mean((one > 0) == (np.hypot(*new.T) < 1)),
                0.9,
            ),
        ],
        picture(
            Words("Every decision is the same both ways", "Оба способа дают одно решение"),
            Words("decision by explicit features", "решение по явным признакам"),
            Words("decision by the kernel", "решение по ядру"),
            series(Words("new rows", "новые примеры"), other, one, joined=False),
        ),
    )


@statement(
    "kernel-is-convex",
    title=Words("Non-linear, and still one convex problem", "Нелинейно, а задача выпуклая"),
    claim=Words(
        "The kernel trick learns functions not linear in x by convex optimisation, which is known to "
        "converge.",
        "Трюк с ядром обучает модели, нелинейные по x, методами выпуклой оптимизации, которые заведомо "
        "сходятся.",
    ),
    expected="holds",
    rests_on="thetahat.svm.classification:SVC.fit",
    calls="""
import numpy as np
from thetahat import SVC
X = np.array([[0, 0], [1, 1], [0, 1], [1, 0]] * 5, dtype=float)
machine = SVC(kernel="rbf").fit(X, [0, 0, 1, 1] * 5)
print(machine.score(X, [0, 0, 1, 1] * 5), machine.duality_gap_, machine.status_)
""",
    remark=Words(
        "The duality gap proves it: no other solution is better by more than the gap.",
        "Доказательство — зазор двойственности: никакое другое решение не лучше больше чем на него.",
    ),
)
def kernel_is_convex(rng: Generator) -> Evidence:
    """Class a ring by a linear and by a Gaussian kernel, with the proof of the optimum."""
    X, y = _ring(rng, 300)
    machine, linear = SVC(kernel="rbf", tol=1e-6).fit(X, y), SVC(kernel="linear").fit(X, y)
    inside = machine.decision_function(np.column_stack([np.linspace(-2, 2, 41), np.zeros(41)]))
    return Evidence(
        [
            near(
                Words("duality gap / objective", "зазор двойственности / цель"),
                machine.duality_gap_ / abs(machine.objective_[0]),
                0.0,
                within=1e-4,
            ),
            above(
                Words("rightly classed, Gaussian kernel", "верно, гауссово ядро"), machine.score(X, y), 0.95
            ),
            below(Words("rightly classed, linear", "верно, линейное"), linear.score(X, y), 0.75),
        ],
        picture(
            Words("The decision bends round the ring", "Решение огибает кольцо"),
            Words("first coordinate, the second 0", "первая координата, вторая равна 0"),
            Words("decision", "решение"),
            series(Words("Gaussian kernel", "гауссово ядро"), np.linspace(-2, 2, 41), inside),
            level=0.0,
        ),
    )


@statement(
    "kernel-is-cheaper",
    title=Words("A kernel is cheaper than its features", "Ядро дешевле своих признаков"),
    claim=Words(
        "The kernel often costs far less than building the two feature vectors and multiplying them.",
        "Ядро часто вычисляется значительно дешевле, чем два вектора φ и их скалярное произведение.",
    ),
    expected="holds",
    rests_on="thetahat.numerics.kernels:KernelFunction.matrix",
    calls="""
import numpy as np
from thetahat.numerics.kernels import KernelFunction
X = np.random.default_rng(0).normal(size=(100, 20))
print(KernelFunction("poly", 1.0, 3, 1.0).matrix(X, X).shape)     # 1771 features never built
""",
    remark=Words(
        "Of d columns and degree p there are C(d + p, p) features; the kernel needs d multiplications. Of "
        "few "
        "columns and many rows the features can be the cheaper way: the gain is the ratio of these numbers.",
        "При d столбцах и степени p признаков C(d + p, p), а ядру нужно d умножений. При малом d и большом "
        "числе "
        "примеров признаки могут быть выгоднее: выигрыш — отношение этих чисел.",
    ),
)
def kernel_is_cheaper(rng: Generator) -> Evidence:
    """Time (1 + xᵀz)³ on 60 rows of growing width both ways."""
    widths = np.array([4, 8, 12, 16])
    works: list[Callable[[], Any]] = []
    worst = 0.0
    for width in widths:
        X = rng.normal(size=(60, width)) / np.sqrt(width)
        kernel = KernelFunction("poly", 1.0, 3, 1.0)
        explicit = _features(X, 3)
        worst = max(worst, float(np.abs(kernel.matrix(X, X) - explicit @ explicit.T).max()))

        def build(X: Array = X) -> Array:
            made = _features(X, 3)
            return made @ made.T

        works += [partial(kernel.matrix, X, X), build]
    by_kernel, by_features = least_seconds(works, 5).reshape(-1, 2).T
    return Evidence(
        [
            near(Words("largest difference of the two", "наибольшее различие"), worst, 0.0, within=1e-5),
            above(
                Words(
                    "features a kernel stands for, 16 columns / 16", "признаков за ядром, 16 столбцов / 16"
                ),
                comb(19, 3) / 16,
                10.0,
            ),
            above(
                Words("time by features / by the kernel, 16 columns", "время: признаки / ядро, 16 столбцов"),
                by_features[-1] / by_kernel[-1],
                5.0,
            ),
        ],
        picture(
            Words("Features grow with the cube of the width", "Число признаков растёт как куб ширины"),
            Words("columns", "столбцов"),
            Words("seconds", "секунд"),
            series(Words("explicit features", "явные признаки"), widths, by_features),
            series(Words("kernel", "ядро"), widths, by_kernel),
            log="xy",
        ),
    )


@statement(
    "weights-from-examples",
    title=Words("The weights are a sum over examples", "Веса — сумма по примерам"),
    claim=Words(
        "The linear machine can be written wᵀx + b = b + Σ αᵢ xᵀx⁽ⁱ⁾, so that w = Σ αᵢ x⁽ⁱ⁾.",
        "Линейную функцию можно записать как wᵀx + b = b + Σ αᵢ xᵀx⁽ⁱ⁾, то есть w = Σ αᵢ x⁽ⁱ⁾.",
    ),
    expected="holds",
    rests_on="thetahat.svm.classification:SVC.decision_function",
    calls="""
import numpy as np
from thetahat import SVC
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 2))
machine = SVC(kernel="linear").fit(X, X[:, 0] > 0)
print(machine.coef_, machine.dual_coef_ @ machine.support_vectors_)
""",
    remark=Words(
        "That such a w is the best of all, not only of the sums, is shown by the primal objective, which "
        "equals the "
        "dual one.",
        "Что такое w — лучшее из всех, а не только из сумм, видно из равенства прямой и двойственной целей.",
    ),
)
def weights_from_examples(rng: Generator) -> Evidence:
    """Rebuild the weights of a linear machine from α, and weigh them by the primal objective."""
    X = rng.normal(size=(150, 3))
    y = (X @ [1.0, -2.0, 0.5] + rng.normal(0, 0.7, 150) > 0).astype(int)
    machine = SVC(kernel="linear", tol=1e-8).fit(X, y)
    alpha = np.zeros(150)
    alpha[machine.support_] = machine.dual_coef_[0]
    w = alpha @ X
    new = rng.normal(size=(100, 3))
    sign = np.where(y == 1, 1.0, -1.0)
    hinge = np.maximum(0.0, 1 - sign * machine.decision_function(X))
    primal = 0.5 * w @ w + hinge.sum()
    found = machine.decision_function(new)
    return Evidence(
        [
            near(
                Words("decision − b − Σ αᵢ xᵀx⁽ⁱ⁾, largest", "решение − b − Σ αᵢ xᵀx⁽ⁱ⁾, наибольшее"),
                np.abs(found - new @ w - machine.intercept_[0]).max(),
                0.0,
                within=1e-8,
            ),
            near(Words("sum of α", "сумма α"), alpha.sum(), 0.0, within=1e-8),
            near(
                Words("primal / dual objective", "прямая / двойственная цель"),
                primal / abs(machine.objective_[0]),
                1.0,
                within=1e-5,
            ),
        ],
        picture(
            Words("The sum over examples is the decision", "Сумма по примерам и есть решение"),
            Words("b + Σ αᵢ xᵀx⁽ⁱ⁾", "b + Σ αᵢ xᵀx⁽ⁱ⁾"),
            Words("decision", "решение"),
            series(Words("new rows", "новые примеры"), new @ w + machine.intercept_[0], found, joined=False),
        ),
    )


@statement(
    "alpha-mostly-zero",
    title=Words("α is mostly zero", "Вектор α содержит в основном нули"),
    claim=Words(
        "The vector α that a support vector machine learns is mostly zero.",
        "Обучаемый методом опорных векторов вектор α содержит в основном нули.",
    ),
    expected="holds only if",
    rests_on="thetahat.svm.classification:SVC.fit",
    calls="""
import numpy as np
from thetahat import SVC
rng = np.random.default_rng(0)
X = rng.normal(size=(400, 2))
y = (X[:, 0] > 0) ^ (rng.random(400) < 0.3)
print(len(SVC().fit(X, X[:, 0] > 0).support_), len(SVC().fit(X, y).support_), "of 400")
""",
    remark=Words(
        "Only if there is little noise: every row that is misclassed, or within the margin, has a non-zero "
        "α. With "
        "30 % of labels flipped most rows are support vectors.",
        "Лишь при слабом шуме: у каждого неверно классифицированного или попавшего в полосу примера α не "
        "равно нулю. "
        "Если перевернуть 30 % меток, опорными становится большинство примеров.",
    ),
)
def alpha_mostly_zero(rng: Generator) -> Evidence:
    """Count support vectors as labels are flipped."""
    flipped = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4])
    share = []
    for rate in flipped:
        X, y = _ring(rng, 500, rate, 0.3)
        share.append(len(SVC(C=10.0).fit(X, y).support_) / 500)
    return Evidence(
        [
            below(Words("support vectors, no noise", "опорных, без шума"), share[0], 0.25),
            below(
                Words("support vectors, 30 % flipped", "опорных, 30 % перевёрнуто"),
                share[4],
                0.5,
                counter=True,
            ),
        ],
        picture(
            Words(
                f"From {100 * share[0]:.0f} % of the rows to {100 * share[-1]:.0f} %",
                f"От {100 * share[0]:.0f} % примеров до {100 * share[-1]:.0f} %",
            ),
            Words("share of labels flipped", "доля перевёрнутых меток"),
            Words("share of rows with α ≠ 0", "доля примеров с α ≠ 0"),
            series(Words("support vectors", "опорные векторы"), flipped, share),
            level=0.5,
        ),
    )


@statement(
    "prediction-cost",
    title=Words("A prediction costs one kernel a support vector", "Цена предсказания — опорные векторы"),
    claim=Words(
        "To class a new row the kernel is needed for the support vectors alone, so the cost is proportional "
        "to "
        "their number.",
        "Для нового примера ядро вычисляется только для опорных векторов, так что стоимость пропорциональна "
        "их числу.",
    ),
    expected="holds",
    rests_on="thetahat.svm.classification:SVC.decision_function",
    calls="""
import numpy as np
from thetahat import SVC
X = np.random.default_rng(0).normal(size=(2000, 2))
machine = SVC().fit(X, np.hypot(*X.T) > 1)
print(len(machine.support_), "kernels a row, not", len(X))
""",
    remark=Words(
        "The rows that are no support vectors are not even kept.",
        "Примеры, не ставшие опорными, даже не хранятся.",
    ),
)
def prediction_cost(rng: Generator) -> Evidence:
    """Time decisions of machines with ever more support vectors."""
    new, _ = _ring(rng, 3000)
    machines = [SVC(C=10.0).fit(*_ring(rng, m, 0.4, 0.3)) for m in (300, 900, 2700)]
    sparse = SVC(C=10.0).fit(*_ring(rng, 2700, 0.0, 0.3))
    *times, cheap = least_seconds([partial(each.decision_function, new) for each in (*machines, sparse)])
    vectors, seconds = [len(each.support_) for each in machines], np.array(times)
    slope = power(vectors, seconds)
    return Evidence(
        [
            near(
                Words("power of the number of support vectors", "степень числа опорных векторов"),
                slope,
                1.0,
                within=0.45,
            ),
            below(
                Words("time with sparse α / dense α, m = 2700", "время: разреженное α / плотное, m = 2700"),
                cheap / seconds[-1],
                0.5,
            ),
        ],
        picture(
            Words(
                f"Time grows as the support vectors to the power {slope:.2f}",
                f"Время растёт как число опорных векторов в степени {slope:.2f}",
            ),
            Words("support vectors", "опорных векторов"),
            Words("seconds for 3000 rows", "секунд на 3000 примеров"),
            series(Words("noisy labels", "зашумлённые метки"), vectors, seconds),
            series(
                Words("clean labels, m = 2700", "чистые метки, m = 2700"), [len(sparse.support_)], [cheap]
            ),
            log="xy",
        ),
    )


@statement(
    "dense-alpha",
    title=Words("With dense α prediction is linear in m", "При плотном α предсказание линейно по m"),
    claim=Words(
        "The main fault of kernel methods is that a decision costs a time linear in the number of training "
        "rows.",
        "Главный недостаток ядерных методов: стоимость решающей функции линейно зависит от числа обучающих "
        "примеров.",
    ),
    expected="holds only if",
    rests_on="thetahat.svm.classification:SVC.fit",
    calls="""
import numpy as np
from thetahat import SVC
rng = np.random.default_rng(0)
for m in (200, 400, 800):
    X, noise = rng.normal(size=(m, 2)), rng.random(m) < 0.5
    print(m, len(SVC().fit(X, noise).support_))
""",
    remark=Words(
        "Only if α is dense, as under noise: then the terms of the sum grow as m. Without noise support "
        "vectors "
        "line the boundary and grow far more slowly.",
        "Лишь если α плотный, как при шуме: тогда слагаемых столько же, сколько примеров. Без шума опорные "
        "векторы "
        "лежат у границы, и число их растёт гораздо медленнее.",
    ),
)
def dense_alpha(rng: Generator) -> Evidence:
    """Count the terms of the decision as training sets grow, with noise and without."""
    sizes = np.array([200, 400, 800, 1600])
    counts = {}
    for rate in (0.4, 0.0):
        found = []
        for m in sizes:
            X, y = _ring(rng, int(m), rate, 0.0 if rate else 0.3)
            found.append(len(SVC(C=10.0).fit(X, y).support_))
        counts[rate] = np.array(found, dtype=np.float64)
    noisy, clean = power(sizes, counts[0.4]), power(sizes, counts[0.0])
    return Evidence(
        [
            near(Words("power of m, noisy labels", "степень m, зашумлённые метки"), noisy, 1.0, within=0.1),
            near(
                Words("power of m, clean labels", "степень m, чистые метки"),
                clean,
                1.0,
                within=0.25,
                counter=True,
            ),
        ],
        picture(
            Words("Noise makes every row a term", "Шум делает слагаемым каждый пример"),
            Words("training rows, m", "обучающих примеров, m"),
            Words("support vectors", "опорных векторов"),
            series(Words("40 % flipped", "40 % перевёрнуто"), sizes, counts[0.4]),
            series(Words("no noise", "без шума"), sizes, counts[0.0]),
            log="xy",
        ),
    )


CHAPTER = Chapter(
    "2.7",
    Words("Support vector machines", "Метод опорных векторов"),
    (
        kernel_trick,
        kernel_is_convex,
        kernel_is_cheaper,
        weights_from_examples,
        alpha_mostly_zero,
        prediction_cost,
        dense_alpha,
    ),
)
