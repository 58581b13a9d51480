"""Section 2.8: principal components."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from thetahat.contracts import FloatArray
from thetahat.pca.classes import PCA
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, near, picture, series
from thetahat.theory.statement import Chapter, statement
from thetahat.theory.timing import least_seconds

__all__ = ["CHAPTER"]

Array = NDArray[np.float64]


def _rows(rng: Generator, m: int = 300) -> Array:
    """Return correlated rows whose mean is not 0."""
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    return np.asarray(rng.normal(size=(m, 5)) * [4.0, 2.0, 1.0, 0.5, 0.2] @ turn + rng.normal(size=5))


def _off_diagonal(matrix: FloatArray) -> float:
    return float(np.abs(matrix - np.diag(np.diagonal(matrix))).max())


@statement(
    "pca-diagonalises",
    title=Words("PCA makes the covariance diagonal", "МГК делает ковариационную матрицу диагональной"),
    claim=Words(
        "PCA finds the orthogonal map z = Wᵀx for which Var[z] is diagonal: the elements of z are "
        "uncorrelated.",
        "МГК находит ортогональное преобразование z = Wᵀx, для которого Var[z] диагональна: элементы z не "
        "коррелированы.",
    ),
    expected="holds",
    rests_on="thetahat.pca.classes:PCA.fit_transform",
    calls="""
import numpy as np
from thetahat import PCA
X = np.random.default_rng(0).normal(size=(100, 3)) @ np.array([[2, 1, 0], [0, 1, 1], [0, 0, 1.0]])
print(np.cov(PCA().fit_transform(X).T).round(12))
""",
    remark=Words(
        "The mean is taken off first: without that it is not the variance that is made diagonal. "
        "Uncorrelated is "
        "less than independent.",
        "Сначала вычитается среднее: без этого диагональной становится не дисперсия. Некоррелированность — "
        "ещё не "
        "независимость.",
    ),
)
def pca_diagonalises(rng: Generator) -> Evidence:
    """Take the covariance of rows before and after."""
    X = _rows(rng)
    model = PCA()
    Z = model.fit_transform(X)
    before, after = np.cov(X.T), np.cov(Z.T)
    W = model.components_.T
    places = np.triu_indices(5, 1)
    return Evidence(
        [
            near(
                Words("largest covariance of two elements of z", "наибольшая ковариация элементов z"),
                _off_diagonal(after) / after.max(),
                0.0,
                within=1e-12,
            ),
            above(
                Words("the same of x, for comparison", "то же для x, для сравнения"),
                _off_diagonal(before) / before.max(),
                0.05,
            ),
            near(
                Words("WᵀW − I, largest", "WᵀW − I, наибольшее"),
                np.abs(W.T @ W - np.eye(5)).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("mean of z, largest", "среднее z, наибольшее"),
                np.abs(Z.mean(axis=0)).max(),
                0.0,
                within=1e-12,
            ),
        ],
        picture(
            Words("Ten covariances, all gone", "Десять ковариаций обратились в нуль"),
            Words("pair of elements", "пара элементов"),
            Words("covariance", "ковариация"),
            series(Words("of x", "у x"), range(10), before[places], joined=False),
            series(Words("of z", "у z"), range(10), after[places], joined=False),
        ),
    )


@statement(
    "pca-singular-vectors",
    title=Words("By singular vectors and by eigenvectors alike", "По сингулярным и по собственным векторам"),
    claim=Words(
        "The principal components are the right singular vectors of the centred design matrix, and the "
        "eigenvectors "
        "of XᵀX.",
        "Главные компоненты — правые сингулярные векторы центрированной матрицы плана и собственные векторы "
        "XᵀX.",
    ),
    expected="holds",
    rests_on="thetahat.pca.classes:PCA.fit",
    calls="""
import numpy as np
from thetahat import PCA
X = np.random.default_rng(0).normal(size=(100, 3))
print(PCA(svd_solver="full").fit(X).components_)
print(PCA(svd_solver="covariance_eigh").fit(X).components_)
""",
    remark=Words(
        "Up to the sign of each. XᵀX squares the condition number: of directions 10⁸ times weaker than the "
        "first "
        "only singular values have anything to say.",
        "С точностью до знака. XᵀX возводит число обусловленности в квадрат: о направлениях в 10⁸ раз "
        "слабее первого "
        "судить можно лишь по сингулярным числам.",
    ),
)
def pca_singular_vectors(rng: Generator) -> Evidence:
    """Decompose the same rows both ways, and by hand."""
    X = _rows(rng)
    singular, eigen = PCA(svd_solver="full").fit(X), PCA(svd_solver="covariance_eigh").fit(X)
    centred = X - X.mean(axis=0)
    U, sigma, Wt = np.linalg.svd(centred, full_matrices=False)

    def apart(one: FloatArray, other: FloatArray) -> float:
        return float(np.abs(np.abs(np.sum(one * other, axis=1)) - 1).max())

    again = Wt.T * sigma**2 @ Wt
    return Evidence(
        [
            near(
                Words(
                    "singular against eigenvectors, 1 − |cosine|", "сингулярные против собственных, 1 − |cos|"
                ),
                apart(singular.components_, eigen.components_),
                0.0,
                within=1e-9,
            ),
            near(
                Words(
                    "against the right singular vectors, 1 − |cosine|", "против правых сингулярных, 1 − |cos|"
                ),
                apart(singular.components_, Wt),
                0.0,
                within=1e-12,
            ),
            near(
                Words("XᵀX − WΣ²Wᵀ, relative", "XᵀX − WΣ²Wᵀ, относительно"),
                np.abs(centred.T @ centred - again).max() / np.abs(again).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("UᵀU − I, largest", "UᵀU − I, наибольшее"),
                np.abs(U.T @ U - np.eye(5)).max(),
                0.0,
                within=1e-12,
            ),
            above(
                Words("UUᵀ − I, largest: U is not square", "UUᵀ − I, наибольшее: U не квадратная"),
                np.abs(U @ U.T - np.eye(len(X))).max(),
                0.1,
            ),
        ],
        picture(
            Words("The same variances both ways", "Те же дисперсии обоими способами"),
            Words("component", "компонента"),
            Words("variance", "дисперсия"),
            series(Words("singular values", "сингулярные числа"), range(1, 6), singular.explained_variance_),
            series(
                Words("eigenvalues", "собственные числа"),
                range(1, 6),
                eigen.explained_variance_,
                joined=False,
            ),
            log="y",
        ),
    )


@statement(
    "pca-sigma-squared",
    title=Words("Is the covariance of z equal to Σ²?", "Равна ли ковариация z матрице Σ²?"),
    claim=Words(
        "Projected rows have the diagonal covariance Σ², the squares of the singular values.",
        "Представление, полученное проецированием, имеет диагональную ковариационную матрицу Σ².",
    ),
    expected="fails",
    rests_on="thetahat.pca.classes:PCA.fit_transform",
    calls="""
import numpy as np
from thetahat import PCA
model = PCA().fit(np.random.default_rng(0).normal(size=(100, 3)))
print(model.explained_variance_ / model.singular_values_**2, 1 / 99)
""",
    remark=Words(
        "It is Σ²/(m − 1), as the derivation above the sentence has it: a slip.",
        "Она равна Σ²/(m − 1), как и в выводе перед этой фразой: описка.",
    ),
)
def pca_sigma_squared(rng: Generator) -> Evidence:
    """Divide the variances of z by the squared singular values."""
    sizes = np.array([20, 50, 100, 300, 1000])
    ratios = []
    for m in sizes:
        model = PCA()
        Z = model.fit_transform(_rows(rng, int(m)))
        ratios.append(float(np.mean(Z.var(axis=0, ddof=1) / model.singular_values_**2)))
    return Evidence(
        [
            near(Words(f"Var[z] / Σ², m = {m}", f"Var[z] / Σ², m = {m}"), ratio, 1.0, within=1e-6)
            for m, ratio in zip(sizes, ratios, strict=True)
        ],
        picture(
            Words("The missing factor is 1/(m − 1)", "Потерянный множитель — 1/(m − 1)"),
            Words("rows, m", "число примеров, m"),
            Words("Var[z] / Σ²", "Var[z] / Σ²"),
            series(Words("measured", "измерено"), sizes, ratios, joined=False),
            series(Words("1/(m − 1)", "1/(m − 1)"), sizes, 1 / (sizes - 1)),
            log="xy",
        ),
    )


@statement(
    "eigendecomposition-cost",
    title=Words("An eigendecomposition costs d³", "Спектральное разложение стоит d³"),
    claim=Words(
        "The cost of an eigendecomposition of a d × d matrix is of the order of d³.",
        "Сложность спектрального разложения матрицы d × d имеет порядок O(d³).",
    ),
    expected="holds",
    rests_on="thetahat.pca.classes:PCA.fit",
    calls="""
import numpy as np, time
from thetahat import PCA
for d in (100, 200, 400):
    X = np.random.default_rng(0).normal(size=(2 * d, d))
    began = time.perf_counter()
    PCA(svd_solver="covariance_eigh").fit(X)
    print(d, time.perf_counter() - began)
""",
    remark=Words(
        "Measured on d from 300 to 1500, with 2d rows, so that the product XᵀX costs d³ as well. Larger "
        "matrices use "
        "the processor better, so the measured power is a little below 3.",
        "Измерено при d от 300 до 1500 и 2d примерах, так что произведение XᵀX тоже стоит d³. Большие "
        "матрицы "
        "используют процессор лучше, поэтому измеренная степень чуть меньше 3.",
    ),
)
def eigendecomposition_cost(rng: Generator) -> Evidence:
    """Time the decomposition of ever larger matrices on one thread."""
    sizes = np.array([300, 450, 675, 1000, 1500])
    tables = [rng.normal(size=(2 * d, d)) for d in sizes]
    seconds = least_seconds([partial(PCA(svd_solver="covariance_eigh").fit, X) for X in tables], 3)
    line = stats.linregress(np.log(sizes), np.log(seconds))
    half = float(stats.t.ppf(0.975, len(sizes) - 2) * line.stderr)
    return Evidence(
        [
            near(Words("power of d", "степень d"), line.slope, 3.0, line.stderr, within=0.9),
        ],
        picture(
            Words(
                f"Time grows as d to the power {line.slope:.2f} ± {half:.2f} (95% interval)",
                f"Время растёт как d в степени {line.slope:.2f} ± {half:.2f} (95-процентный интервал)",
            ),
            Words("columns, d", "столбцов, d"),
            Words("seconds", "секунд"),
            series(Words("measured", "измерено"), sizes, seconds, joined=False),
            series(Words("d³", "d³"), sizes, seconds[2] * (sizes / sizes[2]) ** 3.0),
            log="xy",
        ),
    )


CHAPTER = Chapter(
    "2.8",
    Words("Principal components", "Метод главных компонент"),
    (pca_diagonalises, pca_singular_vectors, pca_sigma_squared, eigendecomposition_cost),
)
