"""Products, solutions and factorisations of matrices, stacked or single.

``eigh`` and ``cholesky`` take a symmetric matrix, and their derivative is that along symmetric
changes. Where eigenvalues or singular values coincide the vectors have no derivative; the part of a
cotangent that asks for it is dropped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from thetahat.autodiff.rules.cotangents import shape_of, times, unbroadcast
from thetahat.autodiff.rules.shapes import diagonal, tril, triu
from thetahat.autodiff.tape import Node, Primitive
from thetahat.autodiff.tensor import FUNCTIONS, METHODS, UFUNCS, plain

__all__ = ["cho_solve", "cholesky", "solve_triangular"]


def _t(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


# Products.

_MATMUL = Primitive(
    "matmul",
    np.matmul,
    [
        lambda g, _ans, a, b: unbroadcast(np.matmul(g, _t(b)), a),
        lambda g, _ans, a, b: unbroadcast(np.matmul(_t(a), g), b),
    ],
)


def matmul(a: Any, b: Any) -> Any:
    one, other = np.ndim(a) == 1, np.ndim(b) == 1
    product = _MATMUL(a[None, :] if one else a, b[:, None] if other else b)
    if other:
        product = product[..., 0]
    return product[..., 0] if one and other else product[..., 0, :] if one else product


def _array(x: Any) -> Any:
    return x if isinstance(x, Node) else np.asarray(x)


def dot(a: Any, b: Any) -> Any:
    a, b = _array(a), _array(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return matmul(a, b) if b.ndim <= 2 and a.ndim <= 2 else tensordot(a, b, (-1, -2))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = _array(a), _array(b)
    if isinstance(axes, int):
        axes = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    over = [[x % y.ndim for x in np.atleast_1d(ax).tolist()] for ax, y in zip(axes, (a, b), strict=True)]
    left = [i for i in range(a.ndim) if i not in over[0]]
    right = [i for i in range(b.ndim) if i not in over[1]]
    length = int(np.prod([a.shape[i] for i in over[0]]))
    rows = np.reshape(np.transpose(a, [*left, *over[0]]), (-1, length))
    columns = np.reshape(np.transpose(b, [*over[1], *right]), (length, -1))
    return np.reshape(matmul(rows, columns), [a.shape[i] for i in left] + [b.shape[i] for i in right])


def outer(a: Any, b: Any) -> Any:
    return np.ravel(a)[:, None] * np.ravel(b)[None, :]


def kron(a: Any, b: Any) -> Any:
    a, b = _array(a), _array(b)
    ndim = max(a.ndim, b.ndim)
    sides = [(1,) * (ndim - x.ndim) + x.shape for x in (a, b)]
    one = np.reshape(a, [side for n in sides[0] for side in (n, 1)])
    other = np.reshape(b, [side for n in sides[1] for side in (1, n)])
    return np.reshape(one * other, [m * n for m, n in zip(*sides, strict=True)])


_EINSUM: Primitive


def _pull_einsum(i: int, g: Any, _ans: Any, *operands: Any, inputs: tuple[str, ...], output: str) -> Any:
    mine = inputs[i]
    others = [(text, x) for k, (text, x) in enumerate(zip(inputs, operands, strict=True)) if k != i]
    known = {*output, *(letter for text, _ in others for letter in text)}
    kept = "".join(letter for letter in mine if letter in known)
    given = (output, *(text for text, _ in others))
    part = _EINSUM(g, *(x for _, x in others), inputs=given, output=kept)
    # What stands in this operand alone was summed away: its cotangent is the same all along.
    shape = shape_of(operands[i])
    part = np.reshape(part, [n if letter in known else 1 for letter, n in zip(mine, shape, strict=True)])
    return np.broadcast_to(part, shape)


def _run_einsum(*operands: Any, inputs: tuple[str, ...], output: str) -> Any:
    return np.einsum(f"{','.join(inputs)}->{output}", *operands, optimize=len(operands) > 2)


_EINSUM = Primitive("einsum", _run_einsum, _pull_einsum)


def einsum(subscripts: str, *operands: Any, optimize: Any = True) -> Any:
    arrays = [_array(x) for x in operands]
    inputs, output = _spelled_out(subscripts.replace(" ", ""), [x.ndim for x in arrays])
    for k, text in enumerate(inputs):
        for letter in sorted({letter for letter in text if text.count(letter) > 1}):
            while text.count(letter) > 1:
                first = text.index(letter)
                second = text.index(letter, first + 1)
                arrays[k] = diagonal(arrays[k], axis1=first, axis2=second)
                text = text[:first] + text[first + 1 : second] + text[second + 1 :] + letter
        inputs[k] = text
    # An axis of length one stretches, as everywhere in NumPy.
    pairs = list(zip(inputs, arrays, strict=True))
    lengths = {c: n for text, x in pairs for c, n in zip(text, x.shape, strict=True) if n != 1}
    arrays = [np.broadcast_to(x, tuple(lengths.get(c, 1) for c in text)) for text, x in pairs]
    return _EINSUM(*arrays, inputs=tuple(inputs), output=output)


def _spelled_out(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Return subscripts with every axis a letter: dots named, the output written out."""
    left, arrow, output = subscripts.partition("->")
    inputs = left.split(",")
    spare = [c for c in map(chr, range(65, 91)) if c not in subscripts][::-1]
    hidden = [n - len(text.replace("...", "")) for text, n in zip(inputs, ndims, strict=True)]
    dots = max((count for text, count in zip(inputs, hidden, strict=True) if "..." in text), default=0)
    names = "".join(spare.pop() for _ in range(dots))
    spelled = [text.replace("...", names[dots - n :]) for text, n in zip(inputs, hidden, strict=True)]
    if arrow:
        return spelled, output.replace("...", names)
    letters = left.replace(",", "").replace(".", "")
    return spelled, names + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))


# Solutions. A right side of one axis is a vector, as in NumPy 2.


def _pull_solve_matrix(g: Any, ans: Any, a: Any, b: Any) -> Any:
    return unbroadcast(-np.matmul(np.linalg.solve(_t(a), g), _t(ans)), a)


_SOLVE = Primitive(
    "solve",
    np.linalg.solve,
    [_pull_solve_matrix, lambda g, _ans, a, b: unbroadcast(np.linalg.solve(_t(a), g), b)],
)


def solve(a: Any, b: Any) -> Any:
    return _SOLVE(a, b[:, None])[..., 0] if b.ndim == 1 else _SOLVE(a, b)


_INV = Primitive("inv", np.linalg.inv, [lambda g, ans, a: -np.matmul(_t(ans), np.matmul(g, _t(ans)))])


def _triangular(a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    return linalg.solve_triangular(a, b, lower=lower, unit_diagonal=unit, check_finite=False)


def _pull_triangle(g: Any, ans: Any, a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    part = -np.matmul(_SOLVE_TRIANGULAR(_t(a), g, lower=not lower, unit=unit), _t(ans))
    return unbroadcast(tril(part, -unit) if lower else triu(part, int(unit)), a)


def _pull_triangular_side(g: Any, _ans: Any, a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    return unbroadcast(_SOLVE_TRIANGULAR(_t(a), g, lower=not lower, unit=unit), b)


_SOLVE_TRIANGULAR: Primitive = Primitive(
    "solve_triangular", _triangular, [_pull_triangle, _pull_triangular_side]
)


def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """Return x of a x = b for a triangular a, as scipy.linalg.solve_triangular, and differentiable.

    Parameters
    ----------
    a : array of shape (…, n, n)
        The other triangle is not read.
    b : array of shape (n,) or (…, n, k)
        Right sides.
    trans : {0, 1, "N", "T"}
        Whether aᵀ is solved instead.
    lower, unit_diagonal : bool
        Which triangle, and whether its diagonal is ones.
    """
    a, b = _array(a), _array(b)
    if trans in (1, "T", "C", 2):
        a, lower = _t(a), not lower
    if b.ndim == 1:
        return _SOLVE_TRIANGULAR(a, b[:, None], lower=lower, unit=unit_diagonal)[..., 0]
    return _SOLVE_TRIANGULAR(a, b, lower=lower, unit=unit_diagonal)


# Determinants.

_SLOGDET = Primitive(
    "slogdet",
    lambda a: tuple(np.linalg.slogdet(a)),
    [lambda g, _ans, a: None if g[1] is None else g[1][..., None, None] * _t(np.linalg.inv(a))],
    outputs=2,
)


def slogdet(a: Any) -> Any:
    sign, logarithm = _SLOGDET(a)
    return type(np.linalg.slogdet(np.eye(1)))(plain(sign), logarithm)


_DET = Primitive("det", np.linalg.det, [lambda g, ans, a: (g * ans)[..., None, None] * _t(np.linalg.inv(a))])

# Factorisations.


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + _t(x))


def _pull_cholesky(g: Any, ans: Any, _a: Any) -> Any:
    inner = tril(np.matmul(_t(ans), g))
    inner = inner - 0.5 * inner * np.eye(shape_of(ans)[-1], dtype=inner.dtype)
    left = solve_triangular(ans, inner, trans=1, lower=True)
    return _symmetric(_t(solve_triangular(ans, _t(left), trans=1, lower=True)))


_CHOLESKY = Primitive("cholesky", np.linalg.cholesky, [_pull_cholesky])


def cholesky(a: Any, lower: bool = False) -> Any:
    """Return the Cholesky factor, upper by default as in scipy.linalg.cholesky, and differentiable.

    Parameters
    ----------
    a : array of shape (…, n, n)
        Symmetric and positive definite.
    lower : bool
        Which factor.
    """
    factor = _CHOLESKY(_array(a))
    return factor if lower else _t(factor)


def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """Return x of a x = b from a factor ``(c, lower)``, as scipy.linalg.cho_solve, and differentiable.

    Parameters
    ----------
    c_and_lower : tuple
        The factor, and whether it is the lower one.
    b : array of shape (n,) or (…, n, k)
        Right sides.
    """
    c, lower = c_and_lower
    half = solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(c, half, trans=1 if lower else 0, lower=lower)


def _apart(values: Any) -> Any:
    """Return 1/(v_j − v_i), and 0 where they coincide."""
    gaps = values[..., None, :] - values[..., :, None]
    same = plain(gaps) == 0
    return np.where(same, 0.0, 1.0 / np.where(same, 1.0, gaps))


def _pull_eigh(g: Any, ans: Any, _a: Any) -> Any:
    (g_values, g_vectors), (values, vectors) = g, ans
    n = shape_of(vectors)[-1]
    inner = 0.0
    if g_values is not None:
        inner = g_values[..., None, :] * np.eye(n)
    if g_vectors is not None:
        inner = inner + times(np.matmul(_t(vectors), g_vectors), _apart(values))
    return _symmetric(np.matmul(vectors, np.matmul(inner, _t(vectors))))


_EIGH = Primitive("eigh", lambda a: tuple(np.linalg.eigh(a)), [_pull_eigh], outputs=2)


def eigh(a: Any) -> Any:
    return type(np.linalg.eigh(np.eye(1)))(*_EIGH(a))


def _pull_svd(g: Any, ans: Any, a: Any) -> Any:
    (g_u, g_s, g_vt), (u, s, vt) = g, ans
    v, inverse = _t(vt), 1.0 / s
    apart = _apart(s * s)
    part: Any = 0.0
    if g_s is not None:
        part = np.matmul(u * g_s[..., None, :], vt)
    if g_u is not None:
        cross = times(np.matmul(_t(u), g_u), apart)
        part = part + np.matmul(np.matmul(u, (cross + _t(cross)) * s[..., None, :]), vt)
        rest = g_u - np.matmul(u, np.matmul(_t(u), g_u))
        part = part + np.matmul(rest * inverse[..., None, :], vt)
    if g_vt is not None:
        g_v = _t(g_vt)
        cross = times(np.matmul(vt, g_v), apart)
        part = part + np.matmul(np.matmul(u * s[..., None, :], cross + _t(cross)), vt)
        rest = g_v - np.matmul(v, np.matmul(vt, g_v))
        part = part + np.matmul(u * inverse[..., None, :], _t(rest))
    return part


_SVD = Primitive("svd", lambda a: tuple(np.linalg.svd(a, full_matrices=False)), [_pull_svd], outputs=3)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    u, s, vt = _SVD(a)
    if not compute_uv:
        return s
    if full_matrices and a.shape[-1] != a.shape[-2]:
        raise ValueError("np.linalg.svd takes a traced array with full_matrices=False")
    return type(np.linalg.svd(np.eye(1)))(u, s, vt)


def _pull_qr(g: Any, ans: Any, a: Any) -> Any:
    (g_q, g_r), (q, r) = g, ans
    middle: Any = 0.0
    if g_r is not None:
        middle = np.matmul(r, _t(g_r))
    if g_q is not None:
        middle = middle - np.matmul(_t(g_q), q)
    inner = np.matmul(q, tril(middle) + _t(tril(middle, -1)))
    if g_q is not None:
        inner = inner + g_q
    return _t(solve_triangular(r, _t(inner)))


_QR = Primitive("qr", lambda a: tuple(np.linalg.qr(a)), [_pull_qr], outputs=2)


def qr(a: Any, mode: str = "reduced") -> Any:
    if mode != "reduced" or a.shape[-2] < a.shape[-1]:
        raise ValueError("np.linalg.qr takes a traced array of at least as many rows as columns, reduced")
    return type(np.linalg.qr(np.eye(1)))(*_QR(a))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    vector = axis is not None if not isinstance(axis, tuple) else len(axis) == 1
    if ord in (None, "fro") or (ord == 2 and (vector or x.ndim == 1)):
        return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))
    if not vector and x.ndim != 1:
        if ord in (2, "nuc"):
            s = svd(x, compute_uv=False)
            return np.max(s, axis=-1) if ord == 2 else np.sum(s, axis=-1)
        raise ValueError(f"np.linalg.norm of a traced matrix takes ord None, 'fro', 2 or 'nuc', not {ord!r}")
    size = np.abs(x)
    if ord == np.inf or ord == -np.inf:
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    return np.sum(size**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


UFUNCS[np.matmul] = matmul
UFUNCS[np.vecdot] = lambda a, b: np.sum(a * b, axis=-1)
UFUNCS[np.matvec] = lambda a, b: matmul(a, b[..., None])[..., 0]
UFUNCS[np.vecmat] = lambda a, b: matmul(a[..., None, :], b)[..., 0, :]
_RULES: dict[Any, Any] = {
    np.dot: dot,
    np.vdot: lambda a, b: np.sum(np.ravel(a) * np.ravel(b)),
    np.inner: lambda a, b: tensordot(a, b, (-1, -1)) if np.ndim(a) and np.ndim(b) else a * b,
    np.outer: outer,
    np.tensordot: tensordot,
    np.einsum: einsum,
    np.kron: kron,
    np.linalg.solve: solve,
    np.linalg.inv: _INV,
    np.linalg.det: _DET,
    np.linalg.slogdet: slogdet,
    np.linalg.cholesky: lambda a, *, upper=False: cholesky(a, lower=not upper),
    np.linalg.eigh: eigh,
    np.linalg.eigvalsh: lambda a: _EIGH(a)[0],
    np.linalg.svd: svd,
    np.linalg.svdvals: lambda x: _SVD(x)[1],
    np.linalg.qr: qr,
    np.linalg.norm: norm,
    np.linalg.matrix_transpose: lambda x: np.swapaxes(x, -1, -2),
}
FUNCTIONS.update(_RULES)
METHODS["dot"] = dot
