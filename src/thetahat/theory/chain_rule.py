"""Section 3.5: the chain rule, for vectors and for tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from thetahat.autodiff import check_grads, grad, jacobian, vjp
from thetahat.results.theory import Words
from thetahat.theory.evidence import Evidence, above, near, picture, series
from thetahat.theory.statement import Chapter, statement

__all__ = ["CHAPTER"]


@statement(
    "chain-rule",
    title=Words("The chain rule is Jacobian times gradient", "Цепное правило — якобиан на градиент"),
    claim=Words(
        "With y = g(x) and z = f(y), the gradient of z in x is the transposed Jacobian of g times the "
        "gradient of z "
        "in y.",
        "При y = g(x) и z = f(y) градиент z по x равен транспонированному якобиану g, умноженному на "
        "градиент z по y.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:jacobian",
    calls="""
import numpy as np
from thetahat.autodiff import grad, jacobian, vjp
g, f, x = lambda x: np.sin(x) * x[0], lambda y: np.sum(y**2), np.array([1.0, 2.0])
print(grad(lambda x: f(g(x)))(x), jacobian(g)(x).T @ grad(f)(g(x)))
print(vjp(g, x)[1](grad(f)(g(x))))      # the same, without ever building the Jacobian
""",
    remark=Words(
        "Back-propagation never builds the Jacobian: it applies its transpose to the gradient, at about the "
        "cost of "
        "the function itself.",
        "Обратное распространение не строит якобиан: оно применяет его транспонирование к градиенту, по цене "
        "вычисления самой функции.",
    ),
)
def chain_rule(rng: Generator) -> Evidence:
    """Take the gradient of a composition at once, by its Jacobian, and by the product alone."""
    A, B = rng.normal(size=(5, 3)), rng.normal(size=(4, 5))

    def inner(x: Any) -> Any:
        return np.tanh(A @ x) + np.sum(x**2)

    def outer(y: Any) -> Any:
        return np.sum(np.exp(0.1 * (B @ y)))

    x = rng.normal(size=3)
    whole = np.asarray(grad(lambda x: outer(inner(x)))(x))
    matrix = np.asarray(jacobian(inner)(x))
    by_matrix = matrix.T @ grad(outer)(inner(x))
    value, pull = vjp(inner, x)
    (by_product,) = pull(grad(outer)(value))
    return Evidence(
        [
            near(
                Words("gradient − Jacobianᵀ × gradient", "градиент − якобианᵀ × градиент"),
                np.abs(whole - by_matrix).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("gradient − product without the Jacobian", "градиент − произведение без якобиана"),
                np.abs(whole - by_product).max(),
                0.0,
                within=1e-12,
            ),
            near(
                Words("rows of the Jacobian − outputs", "строк якобиана − выходов"), matrix.shape[0] - 5, 0.0
            ),
            near(
                Words("columns of the Jacobian − inputs", "столбцов якобиана − входов"),
                matrix.shape[1] - 3,
                0.0,
            ),
            near(
                Words("worst error against differences", "худшая ошибка против разностей"),
                check_grads(lambda x: outer(inner(x)), (x,), rng=rng),
                0.0,
                within=1e-6,
            ),
        ],
        picture(
            Words("Three ways, one gradient", "Три пути, один градиент"),
            Words("component", "компонента"),
            Words("gradient", "градиент"),
            series(Words("at once", "сразу"), range(3), whole),
            series(Words("Jacobianᵀ × gradient", "якобианᵀ × градиент"), range(3), by_matrix),
            series(Words("product alone", "только произведение"), range(3), by_product),
            ticks=[Words(f"x{k}", f"x{k}") for k in "₁₂₃"],
        ),
    )


@statement(
    "chain-rule-tensors",
    title=Words("The chain rule for tensors of any rank", "Цепное правило для тензоров любого ранга"),
    claim=Words(
        "For tensors it is the same: ∇_X z = Σ_j (∇_X Y_j) ∂z/∂Y_j, as if each were laid out as a vector "
        "and the "
        "gradient put back into shape.",
        "Для тензоров то же самое: ∇_X z = Σ_j (∇_X Y_j) ∂z/∂Y_j, как если бы тензор вытянули в вектор, а "
        "градиент "
        "вернули в форму тензора.",
    ),
    expected="holds",
    rests_on="thetahat.autodiff.transforms:jacobian",
    calls="""
import numpy as np
from thetahat.autodiff import grad
X = np.ones((2, 3, 4))
print(grad(lambda X: np.sum(np.einsum("ijk,kj->i", X, np.ones((4, 3))) ** 2))(X).shape)
""",
    remark=Words(
        "An index j stands for a whole tuple of indices; nothing else changes.",
        "Индекс j обозначает целый кортеж индексов; больше ничего не меняется.",
    ),
)
def chain_rule_tensors(rng: Generator) -> Evidence:
    """Take gradients in tensors of rank 1 to 4, by the sum over j and laid out as vectors."""
    shapes = ((6,), (2, 3), (2, 3, 2), (2, 1, 3, 2))
    measures, found = [], []
    for shape in shapes:
        X = rng.normal(size=shape)
        C = rng.normal(size=(*shape, 2, 3))
        axes = tuple(range(len(shape)))

        def inner(X: Any, C: Any = C, axes: Any = axes) -> Any:
            return np.tensordot(np.sin(X), C, axes=(axes, axes))

        def outer(Y: Any) -> Any:
            return np.sum(Y**3)

        whole = np.asarray(grad(lambda X, inner=inner: outer(inner(X)))(X))
        each = np.asarray(jacobian(inner)(X))
        summed = np.tensordot(grad(outer)(inner(X)), each, axes=((0, 1), (0, 1)))
        flat = np.asarray(
            grad(lambda v, inner=inner, shape=shape: outer(inner(np.reshape(v, shape))))(X.ravel())
        ).reshape(shape)
        found.append((float(np.abs(whole - summed).max()), float(np.abs(whole - flat).max())))
        measures.append(
            near(
                Words(
                    f"rank {len(shape)}: gradient − sum over j", f"ранг {len(shape)}: градиент − сумма по j"
                ),
                found[-1][0],
                0.0,
                within=1e-10,
            )
        )
    return Evidence(
        [
            *measures,
            near(
                Words("laid out as a vector, largest difference", "вытянутый в вектор, наибольшее различие"),
                max(flat for _, flat in found),
                0.0,
                within=1e-10,
            ),
            above(
                Words("size of the last gradient", "величина последнего градиента"), np.abs(whole).max(), 0.1
            ),
        ],
        picture(
            Words("Equal to rounding at every rank", "Равны с точностью до округления при любом ранге"),
            Words("rank of X", "ранг X"),
            Words("largest difference (0 drawn at 10⁻¹⁸)", "наибольшее различие (0 показан как 10⁻¹⁸)"),
            series(Words("sum over j", "сумма по j"), range(1, 5), [max(a, 1e-18) for a, _ in found]),
            series(Words("laid out", "вытянутый"), range(1, 5), [max(b, 1e-18) for _, b in found]),
            log="y",
        ),
    )


CHAPTER = Chapter(
    "3.5",
    Words("The chain rule", "Правило дифференцирования сложной функции"),
    (chain_rule, chain_rule_tensors),
)
