"""Slips of the notes: what is written, what is meant, and the experiment that shows the difference."""

from __future__ import annotations

from collections.abc import Sequence

from thetahat.results.theory import ErratumRecord, Words

__all__ = ["ERRATA"]


def _erratum(
    section: str, written: str | Words, meant: str | Words, why: Words, statement: str
) -> ErratumRecord:
    """Return a slip; a formula is the same in both languages."""
    one, other = (Words(text, text) if isinstance(text, str) else text for text in (written, meant))
    return ErratumRecord(section, one, other, why, statement)


ERRATA: Sequence[ErratumRecord] = (
    _erratum(
        "2.3",
        "μ̂ₘ = (1/m) Σₖ₌₁ⁿ x⁽ⁱ⁾",
        "μ̂ₘ = (1/m) Σᵢ₌₁ᵐ x⁽ⁱ⁾",
        Words(
            "The index of the sum is i and it runs to m, the number of rows.",
            "Индекс суммы — i, и пробегает он до m, числа примеров.",
        ),
        "standard-error",
    ),
    _erratum(
        "2.3",
        Words(
            "normal with mean μ̂ₘ and variance SE(μ̂ₘ)²",
            "при нормальном распределении со средним μ̂ₘ и дисперсией SE(μ̂ₘ)²",
        ),
        Words("P(interval holds μ) ≈ 0.95 over samples", "P(интервал накрывает μ) ≈ 0.95 по выборкам"),
        Words(
            "It is the interval that is random, not μ: over repeated samples it holds μ 95 times of 100.",
            "Случаен интервал, а не μ: при повторении выборки он накрывает μ в 95 случаях из 100.",
        ),
        "confidence-interval",
    ),
    _erratum(
        "2.5",
        "θ̂ = x⁽ⁱ⁾",
        "θ̂ = x⁽¹⁾",
        Words(
            "The estimate is the first example, so its index is 1.",
            "Оценкой служит первый пример, поэтому индекс — 1.",
        ),
        "first-example",
    ),
    _erratum(
        "2.5",
        "E(θ̂)ₘ = θ",
        "E(θ̂ₘ) = θ",
        Words("The index m belongs to the estimate.", "Индекс m относится к оценке."),
        "first-example",
    ),
    _erratum(
        "2.8",
        "(UΣ²Wᵀ)ᵀ UΣWᵀ",
        "(UΣWᵀ)ᵀ UΣWᵀ = WΣ²Wᵀ",
        Words(
            "X is UΣWᵀ in both factors: Σ is squared by the product, not before it.",
            "В обоих множителях X = UΣWᵀ: Σ возводится в квадрат произведением, а не до него.",
        ),
        "pca-singular-vectors",
    ),
    _erratum(
        "2.8",
        "Var[z] = Σ²",
        "Var[z] = Σ² / (m − 1)",
        Words(
            "In the closing sentence the factor 1/(m − 1) is lost; the formulas above it have it.",
            "В заключительной фразе потерян множитель 1/(m − 1); в формулах выше он есть.",
        ),
        "pca-sigma-squared",
    ),
    _erratum(
        "2.8",
        Words("U is orthogonal, so UᵀU = I", "U ортогональная, поэтому UᵀU = I"),
        Words("the columns of U are orthonormal", "столбцы U ортонормированы"),
        Words(
            "Of the thin decomposition U has orthonormal columns and is not square: UᵀU = I but UUᵀ ≠ I.",
            "В сокращённом разложении U не квадратная, её столбцы ортонормированы: UᵀU = I, но UUᵀ ≠ I.",
        ),
        "pca-singular-vectors",
    ),
    _erratum(
        "2.8",
        Words("projecting x on z", "проецирования данных x на z"),
        Words("z = Wᵀx, the coordinates of x in the columns of W", "z = Wᵀx, координаты x в столбцах W"),
        Words(
            "Data are projected on the principal directions; z is what comes of it.",
            "Данные проецируют на главные направления; z — результат проекции.",
        ),
        "pca-diagonalises",
    ),
    _erratum(
        "3.3",
        Words("the cost O(d³) of an eigendecomposition", "сложность O(d³) спектрального разложения"),
        Words("belongs to section 2.8", "относится к разделу 2.8"),
        Words(
            "The sentence stands in the section on softmax and is about principal components.",
            "Фраза стоит в разделе о softmax, а относится к главным компонентам.",
        ),
        "eigendecomposition-cost",
    ),
    _erratum(
        "3.4",
        Words("left derivative: the slope to the left of z", "производная слева: наклон слева от z"),
        Words("the limit of the slope at z, from the left", "предел наклона в точке z слева"),
        Words(
            "A one-sided derivative is a limit at the point itself.",
            "Односторонняя производная — предел в самой точке.",
        ),
        "relu-kink",
    ),
    _erratum(
        "3.5",
        "z",
        "z = f(g(x))",
        Words(
            "The vector form never says what z is; it is f(y) with y = g(x), as the tensor form then has it.",
            "Для векторов z не определено; это f(y) при y = g(x), как сказано далее для тензоров.",
        ),
        "chain-rule",
    ),
)
